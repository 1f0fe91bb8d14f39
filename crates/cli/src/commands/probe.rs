//! `probe`: a test's way into flows: loads them, puts messages in and tells what nodes tell, in lines of JSON.
//!
//! It opens no listener and keeps nothing; whoever holds its standard input and output is the one who started it.
//! `conformance/node-red/README.md` describes the lines.

mod value;

use std::collections::BTreeMap;
use std::io::{BufRead as _, Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use engine::Told;
use plan::{LogLevel, Origin, Path, Segment};
use sandbox::{Pool, PoolSettings, Reach};
use serde_json::{Value as Json, json};
use server::deployment::{ApiSettings, Caller, Deployments, FlowHouse, Listener, Probed};
use server::effects::fetch::{AllowList, Fetcher};
use server::effects::file::Files;
use server::log::{Form, Level, Log};
use server::rings::Rings;
use server::vault::Vault;
use store::DOCUMENT_BYTES_MAX;
use tokio::sync::mpsc;

use super::data;
use crate::exit::{ExitCode, Failure};

/// The name that the flows of a probe are deployed under.
const NAME: &str = "probe";
/// Lines that are read ahead.
const LINES_WAITING_MAX: usize = 64;

pub(super) fn run() -> Result<ExitCode, Failure> {
    // What nodes tell goes out as lines; the log would only say it again.
    let (log, guard) = Log::start(Level::Error, Form::Json, std::io::sink()).map_err(internal)?;
    // One thread: messages reach their nodes in the order of the lines.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(internal)?;
    let probe = Probe { pool: None, log, live: None, held: None };
    let outcome = runtime.block_on(probe.serve());
    runtime.shutdown_background();
    drop(guard);
    outcome
}

struct Probe {
    /// Made for the first flows, kept for all.
    pool: Option<Pool>,
    log: Log,
    live: Option<Arc<Deployments>>,
    /// The last flows, for looking at even when they are taken away.
    held: Option<Probed>,
}

impl Probe {
    /// Obeys line after line until there are no more.
    async fn serve(mut self) -> Result<ExitCode, Failure> {
        let mut lines = lines();
        while let Some(line) = lines.recv().await {
            let asked: Json = serde_json::from_slice(&line).map_err(|error| {
                Failure::new(ExitCode::Unreadable, "no_line", format!("a line is no JSON: {error}"))
            })?;
            let told = match self.obey(&asked).await {
                Ok(value) => json!({"answer": asked["id"], "value": value}),
                Err(why) => json!({"answer": asked["id"], "refused": why}),
            };
            say(&told);
        }
        self.unload().await;
        Ok(ExitCode::Done)
    }

    async fn obey(&mut self, asked: &Json) -> Result<Json, String> {
        match asked["do"].as_str() {
            Some("load") => self.load(asked).await,
            Some("unload") => {
                self.unload().await;
                Ok(Json::Null)
            }
            Some("receive") => {
                let message = value::read(&asked["message"])?;
                self.held()?.deliver(text(asked, "node")?, message).map_err(told)?;
                Ok(Json::Null)
            }
            Some("get") => {
                let found = self.held()?.variable(text(asked, "node")?, reach(asked)?, &path(asked)?);
                Ok(value::written(&found.map_err(told)?))
            }
            Some("set") => {
                let (path, value) = (path(asked)?, value::read(&asked["value"])?);
                self.held()?.set_variable(text(asked, "node")?, reach(asked)?, &path, value).map_err(told)?;
                Ok(Json::Null)
            }
            Some("keys") => {
                let names = self.held()?.variable_names(text(asked, "node")?, reach(asked)?);
                Ok(value::written(&names.map_err(told)?))
            }
            Some(other) => Err(format!("nothing is called `{other}` here")),
            None => Err("`do` is missing".to_owned()),
        }
    }

    async fn load(&mut self, asked: &Json) -> Result<Json, String> {
        self.unload().await;
        let environment = asked["environment"].as_object().into_iter().flatten();
        let environment = environment.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let live = self.house(environment.collect())?;
        let octets = serde_json::to_vec(&asked["document"]).map_err(told)?;
        let caller = Caller { actor: NAME.to_owned() };
        let report = live.deploy(NAME, octets.into(), &caller).await.map_err(told)?;
        self.held = Some(live.probe(NAME).map_err(told)?);
        self.live = Some(live);
        let diagnostics = report.diagnostics.iter().map(|diagnostic| {
            let node = diagnostic.place.node.as_ref();
            json!({"code": diagnostic.code, "node": node, "message": diagnostic.message})
        });
        Ok(diagnostics.collect())
    }

    fn house(&mut self, environment: BTreeMap<String, String>) -> Result<Arc<Deployments>, String> {
        // One worker: messages reach the scripts of different runs in their order, too.
        let settings = PoolSettings { workers_max: 1, ..PoolSettings::default() };
        let pool = self.pool.get_or_insert_with(|| Pool::new(settings)).clone();
        let listener: Listener = Arc::new(|origin, told| say(&event(origin, told)));
        let vault = Arc::new(Vault::ephemeral(&data::by()).map_err(told)?);
        Ok(Deployments::new(FlowHouse {
            rings: Rings::open(Arc::clone(&vault)).map_err(told)?,
            vault,
            pool,
            fetcher: Fetcher::new(AllowList::loopback()),
            files: Files::none(),
            log: self.log.clone(),
            environment,
            reply_timeout: Duration::ZERO,
            jwt_any_hmac: false,
            given: Vec::new(),
            apis: ApiSettings::default(),
            listener: Some(listener),
        }))
    }

    async fn unload(&mut self) {
        if let Some(live) = self.live.take() {
            live.stop().await;
        }
    }

    fn held(&self) -> Result<&Probed, String> {
        self.held.as_ref().ok_or_else(|| "no flows are loaded".to_owned())
    }
}

/// The lines of standard input, read by a thread of their own.
fn lines() -> mpsc::Receiver<Vec<u8>> {
    let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut line = Vec::new();
        while (&mut input).take(DOCUMENT_BYTES_MAX as u64).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if sender.blocking_send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    lines
}

/// What a node tells, as a line has it.
fn event(origin: &Origin, heard: &Told) -> Json {
    let node = json!({"id": &*origin.id, "type": &*origin.kind, "name": &*origin.name, "z": &*origin.section});
    match heard {
        Told::Log { level, value, .. } => {
            json!({"told": "log", "node": node, "level": level_name(*level), "value": value::written(value)})
        }
        Told::Status { status, .. } => json!({"told": "status", "node": node, "status": value::written(status)}),
        Told::Uncaught { fault, .. } | Told::FaultLoop { fault, .. } => json!({
            "told": "fault", "node": node, "message": &*fault.message, "code": fault.code.as_deref(),
            "stack": fault.stack.as_deref(), "thrown": value::written(&fault.thrown),
        }),
    }
}

fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

fn text<'j>(asked: &'j Json, name: &str) -> Result<&'j str, String> {
    asked[name].as_str().ok_or_else(|| format!("`{name}` is no text"))
}

fn reach(asked: &Json) -> Result<Reach, String> {
    match text(asked, "reach")? {
        "node" => Ok(Reach::Node),
        "section" => Ok(Reach::Section),
        "document" => Ok(Reach::Document),
        other => Err(format!("`reach` is node, section or document, not `{other}`")),
    }
}

/// A list of names and indexes.
fn path(asked: &Json) -> Result<Path, String> {
    let segments = asked["path"].as_array().ok_or("`path` is no list")?.iter().map(|segment| match segment {
        Json::String(name) => Some(Segment::Key(name.as_str().into())),
        Json::Number(index) => Some(Segment::Index(u32::try_from(index.as_u64()?).ok()?)),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    });
    let segments: Option<Vec<_>> = segments.collect();
    segments.filter(|path| !path.is_empty()).map(|path| Path(path.into())).ok_or("`path` leads nowhere".to_owned())
}

/// One line on standard output. Nobody reads on if it cannot be written, and input ends then, too.
fn say(line: &Json) {
    let mut octets = line.to_string().into_bytes();
    octets.push(b'\n');
    let _ = std::io::stdout().lock().write_all(&octets);
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Internal, "internal", error)
}
