//! A core listener with keys that live as long as the test.

use std::path::Path;
use std::sync::Arc;

use server::accept::{Limits, ListenerKind};
use server::limits::QUEUE_MAX;
use server::log::{Form, Level, Log, LogGuard};
use server::rings::{NewRingSpec, Rings};
use server::routes::core::Core;
use server::settings::Settings;
use server::token_log::{TokenLog, TokenLogGuard};
use server::vault::Vault;
use store::{By, Calls};

use super::{Memory, Reply, Running, start};

const BY: By<'static> = By { actor: "test", address: None, request_id: None };
/// A key that opens the app `public`.
pub(crate) const API_KEY: &str = "abcdefghijklmnopqrstuvwxyz";

/// What a test may set before the listener starts.
pub(crate) struct Options<'a> {
    /// The settings file.
    pub(crate) settings: &'a str,
    /// Slow signatures that may be under way or waited for.
    pub(crate) waiting_max: usize,
    /// Where the token log lies.
    pub(crate) tokens: Option<&'a Path>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { settings: "", waiting_max: QUEUE_MAX, tokens: None }
    }
}

/// The listener, and what has to outlive it.
pub(crate) struct CoreHouse {
    pub(crate) running: Running,
    pub(crate) memory: Memory,
    /// How often the store was turned to.
    pub(crate) calls: Arc<Calls>,
    _ends: (LogGuard, Option<TokenLogGuard>),
}

/// The settings of a file.
pub(crate) fn settings(text: &str) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(server::settings::SETTINGS_FILE), text).unwrap();
    Settings::load(folder.path(), [], &[]).unwrap()
}

/// The core API with one key of each kind for each app.
pub(crate) fn core(options: &Options<'_>, tokens: Option<TokenLog>, log: &Log) -> Core {
    core_of(&Arc::new(Vault::ephemeral(&BY).unwrap()), options, tokens, log)
}

fn core_of(vault: &Arc<Vault>, options: &Options<'_>, tokens: Option<TokenLog>, log: &Log) -> Core {
    let settings = settings(options.settings).core;
    let rings = Rings::open(Arc::clone(vault)).unwrap();
    rings.make(&NewRingSpec::of_apps(&settings), &BY).unwrap();
    Core::new(&settings, rings, options.waiting_max, tokens, log.clone())
}

impl CoreHouse {
    pub(crate) fn start(options: &Options<'_>) -> CoreHouse {
        let memory = Memory::default();
        let (log, guard) = Log::start(Level::Debug, Form::Json, memory.clone()).unwrap();
        let (tokens, end) = options.tokens.map(|folder| TokenLog::open(folder, log.clone()).unwrap()).unzip();
        let vault = Arc::new(Vault::ephemeral(&BY).unwrap());
        let core = core_of(&vault, options, tokens, &log);
        let calls = Arc::clone(vault.store().calls());
        let running = start(core, Limits::of(ListenerKind::Core));
        CoreHouse { running, memory, calls, _ends: (guard, end) }
    }

    /// `POST /recipe/jwt` with this body and this key.
    pub(crate) async fn create(&self, body: &str, key: &str) -> Reply {
        let length = body.len();
        let head =
            format!("POST /recipe/jwt HTTP/1.1\r\nHost: x\r\napi-key: {key}\r\nContent-Length: {length}\r\n\r\n");
        self.running.ask(format!("{head}{body}")).await
    }
}
