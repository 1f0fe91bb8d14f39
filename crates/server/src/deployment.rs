//! The live flows: documents are deployed whole or not at all, and the table of what is live is a value, swapped whole.

mod apis;
mod debug;
mod endpoints;
pub mod follow;
mod live;
mod probe;
mod report;
mod retire;
mod schedule;
mod secrets;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use dialects::node_red::{self, RouteTable, Serve};
use dialects::{FoundSecret, Lowered, SecretChange, Settings, orchestration};
use engine::Told;
use futures_util::{StreamExt as _, stream};
use plan::{Diagnostic, Flow, Op, Origin, ScriptIx, SecretRef, TriggerIx, validate};
use sandbox::{Pool, SyntaxFault};
use signer::Secret;
use store::{By, NewDocument};
use tokio::sync::Mutex;

pub use apis::ApiSettings;
pub(crate) use live::LiveDocument;
use live::Surroundings;
pub use probe::{ProbeError, Probed};
pub use report::{DeployError, Listed, Report, SecretNameError};
pub use secrets::{DrawnKey, NotDrawn};

use crate::effects::fetch::Fetcher;
use crate::effects::file::Files;
use crate::front::{Front, Parts};
use crate::limits::DOCUMENT_FILE_BYTES_MAX;
use crate::log::{Field, Log};
use crate::rings::Rings;
use crate::vault::{SecretStep, TENANT, Vault};

/// Scripts whose syntax is checked at once.
const CHECKS_AT_ONCE: usize = 4;

/// What flows run with, whatever they say.
pub struct FlowHouse {
    /// Where documents and secrets are kept.
    pub vault: Arc<Vault>,
    /// The key rings of that vault.
    pub rings: Arc<Rings>,
    /// Where scripts run.
    pub pool: Pool,
    /// The door outwards.
    pub fetcher: Fetcher,
    /// The files that flows may read.
    pub files: Files,
    /// Where flows tell what happens.
    pub log: Log,
    /// The variables that flows may see.
    pub environment: BTreeMap<String, String>,
    /// How long a request waits for a flow's reply.
    pub reply_timeout: Duration,
    /// `flows.compat.jwt_any_hmac` (docs/contracts/node-red.md section 2, D4).
    pub jwt_any_hmac: bool,
    /// Secrets for this run alone, by the id or the name of a node.
    pub given: Vec<GivenSecret>,
    /// Who hears what nodes tell, beside the log.
    pub listener: Option<Listener>,
    /// What API definitions run with.
    pub apis: ApiSettings,
}

/// Hears what a node tells, on the thread that runs its flow.
pub type Listener = Arc<dyn Fn(&Origin, &Told) + Send + Sync>;

/// A secret for this run alone, which wins over a stored one.
pub struct GivenSecret {
    /// The id or the name of a node.
    pub owner: String,
    /// The field.
    pub field: String,
    /// The value.
    pub value: Secret,
}

/// Who deploys, for the audit.
#[derive(Clone, Debug)]
pub struct Caller {
    /// A user, or the system account of a command.
    pub actor: String,
}

/// The live flows of this process.
pub struct Deployments {
    house: FlowHouse,
    /// What of the environment flows may see.
    environment: BTreeMap<String, String>,
    table: RwLock<Arc<Table>>,
    /// Held by whoever changes the table, so that deploys happen one after the other.
    changing: Mutex<()>,
}

/// What is live now.
pub(crate) struct Table {
    pub(crate) routes: RouteTable<Target>,
    apis: Vec<Arc<LiveDocument>>,
    documents: Vec<Entry>,
}

/// What a route leads to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) live: Arc<LiveDocument>,
    /// None if the section is stopped.
    pub(crate) trigger: Option<TriggerIx>,
}

/// One live document and what is told of it.
#[derive(Clone)]
struct Entry {
    live: Arc<LiveDocument>,
    listed: Listed,
}

/// A document that could go live.
struct Ready {
    live: LiveDocument,
    diagnostics: Vec<Diagnostic>,
    secrets: Vec<(SecretRef, SecretStep)>,
    /// The document without the secrets that stood in it.
    octets: Bytes,
}

impl Deployments {
    /// No flow is live yet.
    pub fn new(house: FlowHouse) -> Arc<Self> {
        let seen = |(name, _): &(&String, &String)| !name.starts_with("CHANCERY_");
        let visible = house.environment.iter().filter(seen).map(|(name, value)| (name.clone(), value.clone()));
        let environment = visible.collect();
        let table = RwLock::new(Arc::new(Table::of(Vec::new())));
        Arc::new(Self { house, environment, table, changing: Mutex::new(()) })
    }

    /// Makes the documents of the store live, in the order in which they first went live. One that cannot be is left
    /// out and told; the others are not held up by it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn restore(self: &Arc<Self>) -> Result<Vec<(String, Result<Report, DeployError>)>, DeployError> {
        let _changing = self.changing.lock().await;
        let this = Arc::clone(self);
        let documents = blocking(move || Ok(this.house.vault.store().documents()?)).await?;
        let mut told = Vec::new();
        for document in documents {
            let ready = self.prepare(&document.name, document.octets.into()).await;
            let report = ready.map(|ready| self.go_live(&document.name, document.revision, ready));
            told.push((document.name, report));
        }
        Ok(told)
    }

    /// Deploys a document under this name: it is live and stored, or nothing has changed.
    ///
    /// # Errors
    /// Why not, with every place that is wrong.
    pub async fn deploy(self: &Arc<Self>, name: &str, octets: Bytes, by: &Caller) -> Result<Report, DeployError> {
        let _changing = self.changing.lock().await;
        let mut ready = self.prepare(name, octets).await?;
        let (this, by, name_owned) = (Arc::clone(self), by.clone(), name.to_owned());
        let kind = ready.live.front().kind().name();
        let (octets, secrets) = (ready.octets.clone(), std::mem::take(&mut ready.secrets));
        let deployed = blocking(move || {
            let document = NewDocument { tenant: TENANT, name: &name_owned, kind, octets: &octets, over: None };
            Ok(this.house.vault.deploy(&document, &secrets, &by.by())?)
        })
        .await?;
        Ok(self.go_live(name, deployed.revision, ready))
    }

    /// Takes a document away. False if it was not live.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn undeploy(self: &Arc<Self>, name: &str, by: &Caller) -> Result<bool, DeployError> {
        let _changing = self.changing.lock().await;
        let (this, by, owned) = (Arc::clone(self), by.clone(), name.to_owned());
        let gone = blocking(move || {
            Ok(this.house.vault.store().change(&by.by(), |change| change.undeploy(TENANT, &owned))?)
        })
        .await?;
        let table = self.table();
        let (old, kept) = table.documents.iter().cloned().partition(|entry| entry.listed.name == name);
        self.swap(kept, old);
        Ok(gone)
    }

    /// Ends every document, because the process ends: nothing is served any more, and scripts say goodbye. What the store
    /// holds stays.
    pub async fn stop(&self) {
        let _changing = self.changing.lock().await;
        let table = std::mem::replace(
            &mut *self.table.write().unwrap_or_else(PoisonError::into_inner),
            Arc::new(Table::of(Vec::new())),
        );
        let ends = table.documents.iter().map(|entry| retire::stop(Arc::clone(&entry.live), self.house.log.clone()));
        futures_util::future::join_all(ends).await;
    }

    /// What is live, in its order.
    pub fn list(&self) -> Vec<Listed> {
        self.table().documents.iter().map(|entry| entry.listed.clone()).collect()
    }

    /// The secrets that were given for this run and that no live document has a node for, as `owner.field`.
    pub fn unused_secrets(&self) -> Vec<String> {
        let table = self.table();
        let used = |given: &&GivenSecret| table.documents.iter().any(|entry| !entry.named(&given.owner).is_empty());
        let unused = self.house.given.iter().filter(|given| !used(given));
        unused.map(|given| format!("{}.{}", given.owner, given.field)).collect()
    }

    /// The vault that secrets and documents are kept in.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.house.vault
    }

    /// Where flows tell what happens.
    pub(crate) fn log(&self) -> &Log {
        &self.house.log
    }

    /// How long a request waits for a flow's reply.
    pub(crate) fn reply_timeout(&self) -> Duration {
        self.house.reply_timeout
    }

    /// What is live now. Whoever holds it goes on with it after a swap.
    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads, lowers, checks and compiles a document, and changes nothing.
    async fn prepare(self: &Arc<Self>, name: &str, octets: Bytes) -> Result<Ready, DeployError> {
        let (this, owned, source) = (Arc::clone(self), name.to_owned(), octets.clone());
        let lowered = blocking(move || this.lower(&owned, &source)).await?;
        let Parts { flow, front, mut diagnostics, secrets, cuts, kept } = Parts::of(lowered, &self.house.apis.clients);
        self.refuse_taken_routes(name, &front)?;
        let broken = self.check_scripts(&flow).await;
        diagnostics.extend(broken.iter().map(|(at, fault)| report::broken_script(&flow, *at, fault)));
        diagnostics.extend(self.check_expressions(&flow).await);
        if self.house.files.is_none() {
            diagnostics.extend(report::unreadable_files(&flow));
        }
        let flow = validate(flow).map_err(DeployError::Flawed)?;
        let old = self.table().documents.iter().find(|entry| entry.listed.name == name).cloned();
        let around = Surroundings {
            vault: &self.house.vault,
            rings: &self.house.rings,
            pool: &self.house.pool,
            listener: self.house.listener.as_ref(),
            fetcher: &self.house.fetcher,
            backends: &self.house.apis.backends,
            files: &self.house.files,
            variables: old.map(|old| Arc::clone(old.live.variables())).unwrap_or_default(),
        };
        let live = LiveDocument::compile(flow, front, &broken, around).map_err(DeployError::Token)?;
        let octets = kept.map_or_else(|| without(&octets, &cuts), Bytes::from);
        let secrets = secrets.into_iter().filter_map(secret_step).collect();
        Ok(Ready { live, diagnostics, secrets, octets })
    }

    fn lower(&self, name: &str, octets: &[u8]) -> Result<Lowered, DeployError> {
        if octets.len() > DOCUMENT_FILE_BYTES_MAX {
            return Err(DeployError::TooLarge { bytes: octets.len() });
        }
        let kind = dialects::detect(octets).ok_or(DeployError::UnknownKind)?;
        let (environment, jwt_any_hmac) = (&self.environment, self.house.jwt_any_hmac);
        let node_red = node_red::LowerSettings { environment, jwt_any_hmac };
        let orchestration = orchestration::LowerSettings { host: &self.house.apis.host };
        let settings = Settings { node_red, api_connect: self.house.apis.lowering(), orchestration };
        dialects::lower(kind, name, octets, &settings).map_err(DeployError::Refused)
    }

    /// One path, one owner.
    fn refuse_taken_routes(&self, name: &str, front: &Front) -> Result<(), DeployError> {
        let mut refused = report::reserved_routes(front);
        refused.extend(apis::refuse_open(&self.house.apis, front));
        for other in self.table().documents.iter().filter(|entry| entry.listed.name != name) {
            refused.extend(report::taken_routes(&other.listed.name, other.live.front(), front));
        }
        if refused.is_empty() { Ok(()) } else { Err(DeployError::Refused(refused)) }
    }

    /// Checks the scripts that nobody has read yet: one that was lowered to steps is a program, or it would not have been.
    async fn check_scripts(&self, flow: &Flow) -> Vec<(ScriptIx, SyntaxFault)> {
        let lowered = |op: &Op| if let Op::Shape { otherwise, .. } = op { Some(*otherwise) } else { None };
        let lowered: HashSet<ScriptIx> = flow.nodes.iter().filter_map(|node| lowered(&node.op)).collect();
        let mut checks = Vec::new();
        for (at, script) in (0..).map(ScriptIx).zip(&flow.scripts).filter(|(at, _)| !lowered.contains(at)) {
            let (pool, script) = (self.house.pool.clone(), script.clone());
            checks.push(async move { (at, pool.check(&script).await) });
        }
        let mut checked = stream::iter(checks).buffer_unordered(CHECKS_AT_ONCE);
        let mut broken = Vec::new();
        while let Some((at, outcome)) = checked.next().await {
            broken.extend(outcome.err().map(|fault| (at, fault)));
        }
        broken.sort_by_key(|(at, _)| *at);
        broken
    }

    /// Tells of every expression that cannot be read.
    async fn check_expressions(&self, flow: &Flow) -> Vec<Diagnostic> {
        let mut checks = Vec::new();
        for expression in flow.expressions.iter().cloned() {
            let pool = self.house.pool.clone();
            checks.push(async move { (pool.check_expression(&expression).await, expression) });
        }
        let mut checked = stream::iter(checks).buffered(CHECKS_AT_ONCE);
        let mut told = Vec::new();
        while let Some((outcome, expression)) = checked.next().await {
            told.extend(outcome.err().map(|fault| report::broken_expression(flow, &expression, &fault)));
        }
        told
    }

    /// Puts a document into the table, in the place of the last one of its name.
    fn go_live(&self, name: &str, revision: u64, ready: Ready) -> Report {
        let live = Arc::new(ready.live);
        self.give_secrets(&live);
        let mut diagnostics = ready.diagnostics;
        diagnostics.extend(report::unusable_secrets(&self.house.vault, live.flow()));
        let listed = Listed { name: name.to_owned(), revision, diagnostics: diagnostics.clone() };
        let entry = Entry { live: Arc::clone(&live), listed };
        let urls = live.front().served();
        let mut documents = self.table().documents.clone();
        let old = match documents.iter_mut().find(|entry| entry.listed.name == name) {
            Some(place) => vec![std::mem::replace(place, entry)],
            None => {
                documents.push(entry);
                Vec::new()
            }
        };
        self.swap(documents, old);
        schedule::begin(&live, &self.house.log);
        self.house.log.info("deployed", &[Field::Document(name), Field::Count(revision)]);
        Report { revision, diagnostics, routes: urls }
    }

    fn give_secrets(&self, live: &LiveDocument) {
        for given in &self.house.given {
            for id in named(live, &given.owner) {
                let secret = SecretRef { owner: id.into(), field: given.field.as_str().into() };
                self.house.vault.give(&secret, Secret::new(given.value.expose().to_vec()));
            }
        }
    }

    fn swap(&self, documents: Vec<Entry>, old: Vec<Entry>) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Table::of(documents));
        for Entry { live, .. } in old {
            tokio::spawn(retire::retire(live, self.house.log.clone()));
        }
    }
}

impl Table {
    fn of(documents: Vec<Entry>) -> Self {
        let routes = documents.iter().flat_map(|entry| {
            entry.live.front().routes().iter().map(|route| {
                let trigger = match route.serve {
                    Serve::Trigger(trigger) => Some(trigger),
                    Serve::Stopped => None,
                };
                (route.clone(), Target { live: Arc::clone(&entry.live), trigger })
            })
        });
        let routes = RouteTable::new(routes);
        Self { routes, apis: apis::by_base_path(documents.iter().map(|entry| &entry.live)), documents }
    }
}

impl Entry {
    fn named(&self, owner: &str) -> Vec<&str> {
        named(&self.live, owner)
    }
}

impl Caller {
    /// As the store's audit has it.
    pub fn by(&self) -> By<'_> {
        By { actor: &self.actor, address: None, request_id: None }
    }
}

/// The ids of the nodes that have this id or name.
fn named<'l>(live: &'l LiveDocument, owner: &str) -> Vec<&'l str> {
    let origins = live.flow().origins.iter();
    let found = origins.filter(|origin| &*origin.id == owner || (!owner.is_empty() && &*origin.name == owner));
    found.map(|origin| &*origin.id).collect()
}

/// What becomes of a secret that a document carried; none if it stays as it is.
pub fn secret_step(found: FoundSecret) -> Option<(SecretRef, SecretStep)> {
    match found.change {
        SecretChange::Keep => None,
        SecretChange::Delete => Some((found.secret, SecretStep::Delete)),
        SecretChange::Set(text) => Some((found.secret, SecretStep::Set(Secret::new(text.into_bytes())))),
    }
}

/// The octets without these ranges, which are in ascending order.
pub fn without(octets: &Bytes, cuts: &[std::ops::Range<usize>]) -> Bytes {
    if cuts.is_empty() {
        return octets.clone();
    }
    let mut kept = Vec::with_capacity(octets.len());
    let mut from = 0;
    for cut in cuts {
        kept.extend_from_slice(&octets[from..cut.start.max(from)]);
        from = cut.end.max(from);
    }
    kept.extend_from_slice(&octets[from..]);
    kept.into()
}

/// Work that waits for the disk or takes long, off the threads that serve requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DeployError> + Send + 'static,
) -> Result<T, DeployError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(DeployError::Panicked))
}
