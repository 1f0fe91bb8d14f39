//! The whole server in this process: a runtime listener over deployments, a vault in memory, and workers for scripts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sandbox::{Pool, PoolSettings};
use server::accept::{Limits, ListenerKind};
use server::deployment::{ApiSettings, Caller, DeployError, Deployments, FlowHouse, GivenSecret, Report};
use server::effects::fetch::{AllowList, Fetcher};
use server::effects::file::Files;
use server::log::{Form, Level, Log, LogGuard};
use server::rings::Rings;
use server::routes::{Live, RuntimeRouter};
use server::vault::{SecretStep, Vault};
use signer::Secret;
use store::By;

use super::{Memory, Reply, Running, start};

/// The seed document, as its author exported it.
pub(crate) const SEED: &str = include_str!("../../../../examples/node-red/generate-jwt.json");
/// The config node of the seed document.
pub(crate) const CONFIG: &str = "766dcb94.6ebc04";

/// What a test may set before the server starts.
pub(crate) struct Options {
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) reply_timeout: Duration,
    pub(crate) jwt_any_hmac: bool,
    pub(crate) fetch_allow: AllowList,
    pub(crate) files: Files,
    pub(crate) given: Vec<GivenSecret>,
    pub(crate) vault: Option<Arc<Vault>>,
    pub(crate) apis: ApiSettings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            environment: BTreeMap::new(),
            reply_timeout: Duration::from_millis(400),
            jwt_any_hmac: false,
            fetch_allow: AllowList::default(),
            files: Files::none(),
            given: Vec::new(),
            vault: None,
            apis: ApiSettings::default(),
        }
    }
}

/// A server at work.
pub(crate) struct Chancery {
    pub(crate) running: Running,
    pub(crate) deployments: Arc<Deployments>,
    pub(crate) rings: Arc<Rings>,
    memory: Memory,
    guard: Option<LogGuard>,
}

pub(crate) fn caller() -> Caller {
    Caller { actor: "test".to_owned() }
}

impl Chancery {
    pub(crate) fn with(options: Options) -> Self {
        let memory = Memory::default();
        let (log, guard) = Log::start(Level::Debug, Form::Json, memory.clone()).unwrap();
        let by = By { actor: "test", address: None, request_id: None };
        let vault = options.vault.unwrap_or_else(|| Arc::new(Vault::ephemeral(&by).unwrap()));
        let rings = Rings::open(Arc::clone(&vault)).unwrap();
        let deployments = Deployments::new(FlowHouse {
            vault,
            rings: Arc::clone(&rings),
            pool: pool(),
            fetcher: Fetcher::new(options.fetch_allow),
            files: options.files,
            log,
            environment: options.environment,
            reply_timeout: options.reply_timeout,
            jwt_any_hmac: options.jwt_any_hmac,
            given: options.given,
            apis: options.apis,
            listener: None,
        });
        let router = RuntimeRouter::new(Live::new(Arc::clone(&deployments)));
        let running = start(router, Limits::of(ListenerKind::Runtime));
        Self { running, deployments, rings, memory, guard: Some(guard) }
    }

    /// A server that serves this document; the secret of the seed's config node is `s3cret`.
    pub(crate) async fn serving(document: &str) -> Self {
        let chancery = Self::with(Options::default());
        chancery.deploy(document).await.unwrap();
        chancery.set_secret("s3cret");
        chancery
    }

    pub(crate) async fn deploy(&self, document: &str) -> Result<Report, DeployError> {
        self.deploy_as("flows", document).await
    }

    pub(crate) async fn deploy_as(&self, name: &str, document: &str) -> Result<Report, DeployError> {
        self.deployments.deploy(name, document.as_bytes().to_vec().into(), &caller()).await
    }

    /// Sets the secret of the seed's config node.
    pub(crate) fn set_secret(&self, value: &str) {
        let secret = plan::SecretRef { owner: CONFIG.into(), field: "tokensecret".into() };
        let step = SecretStep::of_text(value).unwrap();
        self.deployments.vault().change_secret(&secret, &step, &caller().by()).unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.running.get(path).await
    }

    /// `GET` with this Authorization header.
    pub(crate) async fn get_as(&self, path: &str, authorization: &str) -> Reply {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n\r\n");
        self.running.ask(request).await
    }

    /// Everything that flows have logged so far; nothing is logged afterwards.
    pub(crate) fn log(&mut self) -> String {
        // The writer ends with the last line that was accepted.
        drop(self.guard.take());
        self.memory.text()
    }
}

/// Workers that cargo has built beside this test.
fn pool() -> Pool {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/script_worker");
    assert!(program.exists(), "build it with `cargo build -p server --example script_worker`");
    Pool::new(PoolSettings { program, arguments: Vec::new(), workers_max: 2, idle: Duration::from_secs(30) })
}

/// A document of one request flow: `http in` GET `/x`, then these nodes, the first of which must have the id `n0`; `out`
/// is an `http response` they may lead to.
pub(crate) fn flow(nodes: &[serde_json::Value]) -> String {
    let mut all = vec![
        serde_json::json!({"id": "tab", "type": "tab", "label": "T"}),
        serde_json::json!({"id": "in", "type": "http in", "z": "tab", "url": "/x", "method": "get", "wires": [["n0"]]}),
        serde_json::json!({"id": "out", "type": "http response", "z": "tab", "wires": []}),
        serde_json::json!({"id": CONFIG, "type": "jwt-config", "name": "conf", "algorithm": "HS256", "expiresin": "60"}),
    ];
    all.extend(nodes.iter().cloned().map(|mut node| {
        if node.get("z").is_none() {
            node["z"] = "tab".into();
        }
        node
    }));
    serde_json::Value::Array(all).to_string()
}

/// A function node.
pub(crate) fn function(id: &str, body: &str, wires: serde_json::Value) -> serde_json::Value {
    serde_json::json!({"id": id, "type": "function", "func": body, "outputs": 1, "wires": wires})
}

/// A `jwt` node on the seed's config.
pub(crate) fn jwt(id: &str, generates: bool, wires: serde_json::Value) -> serde_json::Value {
    serde_json::json!({"id": id, "type": "jwt", "jwtconfig": CONFIG, "generatejwt": generates, "wires": wires})
}

/// A value for this run alone.
pub(crate) fn given(owner: &str, field: &str, value: &str) -> GivenSecret {
    let value = Secret::new(value.as_bytes().to_vec());
    GivenSecret { owner: owner.to_owned(), field: field.to_owned(), value }
}
