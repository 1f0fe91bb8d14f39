//! `serve`: opens the store, deploys the documents, opens the listeners, and closes everything in order.

mod apis;
mod given;
mod listeners;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plan::Diagnostic;
use sandbox::{Pool, PoolSettings};
use server::accept::{House, Shutdown};
use server::deployment::{ApiSettings, Caller, Deployments, FlowHouse, follow};
use server::effects::fetch::Fetcher;
use server::effects::file::Files;
use server::limits::QUEUE_MAX;
use server::log::{Field, Form, Log};
use server::metrics::Metrics;
use server::rings::{Freshness, NewRingSpec, Rings, RingsError, Timing};
use server::routes::core::Core;
use server::settings::Settings;
use server::token_log::{TOKEN_LOG_FILE, TokenLog, TokenLogGuard};
use server::vault::{TENANT, Vault, VaultError};
use tokio::signal::unix::{SignalKind, signal};

use super::document::Document;
use super::{data, unset};
use crate::args::ServeArguments;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(arguments: &ServeArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let settings = data::settings(folder, &flags(arguments))?;
    unset::hide(&settings, voice)?;
    server::process::harden()
        .map_err(|error| internal("not_hardened", "the process cannot be kept from core files", error))?;
    let documents = arguments.documents.iter().map(|path| Document::read(path)).collect::<Result<_, _>>()?;
    let given = given::secrets(&arguments.secret)?;
    let wait = Duration::from_secs(arguments.master_key_wait.secs.unsigned_abs());
    if !arguments.ephemeral && !arguments.init {
        data::wait_for_master_key(folder, &settings, wait, voice);
    }
    let vault = vault(arguments, folder, &settings, voice)?;
    let apis = apis::settings(&arguments.apis, &settings, &vault)?;
    let form = settings.log.form.unwrap_or_else(Form::for_stderr);
    let (log, guard) = Log::start(settings.log.level, form, std::io::stderr())
        .map_err(|error| internal("no_log", "the system gives no thread", error))?;
    log.take_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| internal("no_runtime", "the system gives no threads", error))?;
    let control = (!arguments.ephemeral).then_some(folder);
    let rings = rings(&vault, &settings, arguments.ephemeral)?;
    let serving = Serving { settings, documents, given, apis, vault, rings, log, control, voice };
    let outcome = runtime.block_on(serving.run());
    // Runs that nobody waits for any more end with the process.
    runtime.shutdown_background();
    drop(guard);
    outcome
}

/// What `serve` was asked for, read and opened.
struct Serving<'a> {
    settings: Settings,
    documents: Vec<Document>,
    given: Vec<server::deployment::GivenSecret>,
    apis: ApiSettings,
    vault: Arc<Vault>,
    rings: Arc<Rings>,
    log: Log,
    /// The folder of the control socket; none for a server that keeps nothing.
    control: Option<&'a Path>,
    voice: Voice,
}

impl Serving<'_> {
    async fn run(self) -> Result<ExitCode, Failure> {
        let house = House {
            log: self.log.clone(),
            metrics: Arc::new(Metrics::with_keys(Arc::clone(self.rings.metrics()), &self.vault)),
            shutdown: Shutdown::default(),
        };
        let (shutdown, settings, control) = (house.shutdown.clone(), self.settings.clone(), self.control);
        let (voice, rings) = (self.voice, Arc::clone(&self.rings));
        tokio::spawn(server::rotator::run(Arc::clone(&rings), self.log.clone(), shutdown.clone()));
        let tokens = control.map(|folder| token_log(folder, &self.log)).transpose()?;
        let (tokens, tokens_end) = tokens.unzip();
        let core = Core::new(&settings.core, Arc::clone(&rings), QUEUE_MAX, tokens, self.log.clone());
        let (live, routes) = self.deploy().await?;
        tokio::spawn(follow::run(Arc::clone(&live), shutdown.clone()));
        let doors = listeners::open(&settings, control, &live, &rings, core, house)?;
        for line in doors.addresses() {
            voice.say(line);
        }
        for route in routes {
            voice.say(format!("  {route}"));
        }
        doors.serve_until(shutdown, stopped()).await;
        live.stop().await;
        drop(tokens_end);
        Ok(ExitCode::Done)
    }

    /// Brings back what was deployed before, then deploys what was named; gives the routes of all of it.
    async fn deploy(self) -> Result<(Arc<Deployments>, Vec<String>), Failure> {
        let live = Deployments::new(FlowHouse {
            vault: self.vault,
            rings: self.rings,
            pool: Pool::new(PoolSettings::default()),
            fetcher: Fetcher::new(self.settings.flows.fetch_allow.clone()),
            files: files(self.settings.flows.files_folder.as_deref())?,
            log: self.log.clone(),
            environment: environment(),
            reply_timeout: self.settings.flows.http_reply_timeout,
            jwt_any_hmac: self.settings.flows.compat_jwt_any_hmac,
            given: self.given,
            apis: self.apis,
            listener: None,
        });
        let restored = live.restore().await.map_err(|error| Failure::new(ExitCode::Away, "store_away", error))?;
        let mut served = BTreeMap::new();
        for (name, outcome) in restored {
            match outcome {
                Ok(report) => {
                    tell(&name, &report.diagnostics, self.voice);
                    served.insert(name, report.routes);
                }
                Err(error) => self.voice.warn(format!("{name} is not served: {error}")),
            }
        }
        let caller = Caller { actor: "command line".to_owned() };
        for document in self.documents {
            let report = live.deploy(&document.name, document.octets.into(), &caller).await.map_err(|error| {
                Failure::new(ExitCode::Refused, "document_refused", format!("{} is refused\n{error}", document.name))
            })?;
            tell(&document.name, &report.diagnostics, self.voice);
            served.insert(document.name, report.routes);
        }
        for secret in live.unused_secrets() {
            self.voice.warn(format!("--secret {secret} names no node of any document that is served"));
        }
        self.log.info("deployed", &[Field::Count(live.list().len() as u64)]);
        let routes = served.into_values().flatten().map(|(method, path)| format!("{method} {path}"));
        Ok((live, routes.collect()))
    }
}

fn files(folder: Option<&Path>) -> Result<Files, Failure> {
    let Some(folder) = folder else { return Ok(Files::none()) };
    Files::below(folder).map_err(|error| {
        let place = folder.display();
        Failure::new(
            ExitCode::Missing,
            "folder_missing",
            format!("flows.files.folder: {place} cannot be opened: {error}"),
        )
    })
}

fn token_log(folder: &Path, log: &Log) -> Result<(TokenLog, TokenLogGuard), Failure> {
    TokenLog::open(folder, log.clone()).map_err(|error| {
        Failure::new(ExitCode::Away, "token_log_away", format!("{TOKEN_LOG_FILE} cannot be opened: {error}"))
    })
}

/// The variables that flows may name; one that is no text is none.
fn environment() -> BTreeMap<String, String> {
    let texts = std::env::vars_os().map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.flatten().collect()
}

fn tell(document: &str, diagnostics: &[Diagnostic], voice: Voice) {
    for told in diagnostics {
        voice.warn(format!("{document}: {told}"));
    }
}

/// Waits for SIGTERM or SIGINT; a second one ends the process at once.
async fn stopped() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(ExitCode::Interrupted as i32);
    });
}

fn vault(arguments: &ServeArguments, folder: &Path, settings: &Settings, voice: Voice) -> Result<Arc<Vault>, Failure> {
    if arguments.ephemeral {
        return Vault::ephemeral(&data::by()).map(Arc::new).map_err(data::failed);
    }
    if arguments.init && !data::is_there(folder, settings)? {
        let made = data::init(folder, settings);
        // Of several servers that begin on one empty database, one makes the store.
        let is_there =
            made.as_ref().is_err_and(|failure| ["already_initialized", "store_busy"].contains(&failure.code));
        if !(is_there && settings.store.url.is_some()) {
            return made;
        }
    }
    if arguments.start_from_snapshot {
        return data::open_snapshot(folder, settings).map(Arc::new);
    }
    let open = if arguments.accept_rollback { data::open_rolled_back } else { data::open };
    let vault = open(folder, settings)?;
    if let Ok(Err(fault)) = vault.hsm().map(|hsm| hsm.check()) {
        voice.warn(format!("{}: {fault}", fault.code()));
    }
    Ok(Arc::new(vault))
}

/// The rings of the vault, and those of apps that the settings name and the vault does not have. Where nothing is kept
/// their keys are made by the rotator as it begins.
fn rings(vault: &Arc<Vault>, settings: &Settings, keeps_nothing: bool) -> Result<Arc<Rings>, Failure> {
    let rings = Rings::open(Arc::clone(vault)).map_err(data::failed)?;
    if keeps_nothing {
        let new = NewRingSpec::of_a_new_store(settings.core.rotation_period_of(TENANT));
        rings.declare(&new, &data::by()).map_err(data::ring_failed)?;
    }
    if keeps_nothing {
        rings.declare(&missing(&rings, settings), &data::by()).map_err(data::ring_failed)?;
        return Ok(rings);
    }
    loop {
        refuse_other_timing(&rings, settings)?;
        refuse_old_snapshot(&rings)?;
        let missing = missing(&rings, settings);
        if missing.is_empty() {
            return Ok(rings);
        }
        match rings.make(&missing, &data::by()) {
            Ok(_) => return Ok(rings),
            // Another server makes the same rings: look again which are missing.
            Err(RingsError::Vault(VaultError::Store(store::Error::RingExists { .. }))) => {
                rings.refresh().map_err(data::failed)?;
            }
            Err(error) => return Err(data::ring_failed(error)),
        }
    }
}

/// The settings only seed a new store: where they say something else than it, nobody knows which is meant.
fn refuse_other_timing(rings: &Rings, settings: &Settings) -> Result<(), Failure> {
    let Ok((snapshot, t)) = rings.snapshot() else { return Ok(()) };
    for spec in NewRingSpec::of_apps(&settings.core) {
        let Some(live) = snapshot.ring(&spec.ring_id()) else { continue };
        let (Timing::Dynamic(wanted), Some(stored)) = (spec.timing, live.ring.policy(t).rotation_period) else {
            continue;
        };
        if wanted != stored {
            let secs = |span: keyring::Span| span.as_us() / 1_000_000;
            let (ring, wanted, stored) = (spec.ring_id(), secs(wanted), secs(stored));
            return Err(Failure::new(
                ExitCode::Configuration,
                "settings_mismatch",
                format!("core.rotation_period says {wanted} s, ring {ring} was made with {stored} s; nothing was changed"),
            )
            .hint("The timing lies in the store, so that no two processes disagree: set the setting to what the store has."));
        }
    }
    Ok(())
}

fn refuse_old_snapshot(rings: &Rings) -> Result<(), Failure> {
    if rings.vault().taken_at().is_some() && rings.freshness() == Freshness::Stale {
        return Err(Failure::new(
            ExitCode::Away,
            "snapshot_too_old",
            "the snapshot is older than the max_staleness of every ring: others may have changed everything since",
        )
        .hint("Bring the store back, or restore a backup."));
    }
    Ok(())
}

fn missing(rings: &Rings, settings: &Settings) -> Vec<NewRingSpec> {
    let Ok((snapshot, _)) = rings.snapshot() else { return Vec::new() };
    let mut wanted = NewRingSpec::of_apps(&settings.core);
    let can_be_made = !settings.core.bind.is_empty() && rings.vault().taken_at().is_none();
    wanted.retain(|spec| can_be_made && snapshot.ring(&spec.ring_id()).is_none());
    wanted
}

/// The settings that flags set.
fn flags(arguments: &ServeArguments) -> Vec<(&'static str, String)> {
    let given = [
        ("runtime.bind", &arguments.runtime),
        ("store.url", &arguments.store),
        ("core.bind", &arguments.core),
        ("studio.bind", &arguments.studio),
        ("health.bind", &arguments.health),
    ];
    given.into_iter().filter_map(|(name, value)| value.clone().map(|value| (name, value))).collect()
}

fn internal(code: &'static str, what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Internal, code, format!("{what}: {error}"))
}
