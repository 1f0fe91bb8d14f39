//! The one helper that knows how scripts are called: a pool over the test worker, and what a function says.
#![allow(dead_code, clippy::unwrap_used, reason = "tests; each file uses its own part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use plan::{Cells, Fault, OriginIx, Path, ScriptEvent, ScriptPlan, Value};
use sandbox::{Conversation, Pool, PoolSettings, Question, Reach, Said, ScriptKey};

/// What reads the sources of function nodes.
const READER: &str = include!("../../../dialects/src/node_red/surface/reader.in");
/// The surface that function nodes are shipped with.
const SURFACE: &str = include!("../../../dialects/src/node_red/surface/whole.in");

/// Variables of one document, kept as the server keeps them.
#[derive(Clone, Default)]
pub(crate) struct Variables(Arc<Mutex<Vec<(Reach, Value)>>>);

pub(crate) fn pool() -> Pool {
    pool_of(4, Duration::from_secs(30))
}

pub(crate) fn pool_of(workers_max: usize, idle: Duration) -> Pool {
    let program = env!("CARGO_BIN_EXE_script-worker").into();
    Pool::new(PoolSettings { program, arguments: Vec::new(), workers_max, idle })
}

/// A function node with this source.
pub(crate) fn function(source: &str) -> ScriptPlan {
    ScriptPlan {
        origin: OriginIx(0),
        surface: SURFACE.into(),
        reader: READER.into(),
        source: source.into(),
        initialize: "".into(),
        finalize: "".into(),
        facts: r#"{"id":"fn","name":"A name","path":"tab/fn"}"#.into(),
        outputs: 1,
        cpu_ms: 10_000,
        shares: false,
    }
}

pub(crate) fn message(members: &[(&str, Value)]) -> Value {
    let id = [("_msgid", Value::text("0123456789abcdef"))];
    Value::map(id.into_iter().chain(members.iter().cloned()))
}

/// Runs a function on an empty message until it rests.
pub(crate) async fn run(source: &str) -> Vec<ScriptEvent> {
    run_on(source, message(&[])).await
}

pub(crate) async fn run_on(source: &str, message: Value) -> Vec<ScriptEvent> {
    let pool = pool();
    let key = pool.register("document", &function(source));
    listen(pool.call(key, &message, &Cells::default())).await
}

/// All that a call says until it rests, `Rest` left out.
pub(crate) async fn listen(conversation: Conversation) -> Vec<ScriptEvent> {
    listen_with(conversation, &Variables::default()).await
}

pub(crate) async fn listen_with(mut conversation: Conversation, variables: &Variables) -> Vec<ScriptEvent> {
    let mut events = Vec::new();
    loop {
        let said = tokio::time::timeout(Duration::from_secs(60), conversation.next()).await.expect("it rests in time");
        match said {
            Said::Event(ScriptEvent::Rest) => return events,
            Said::Event(event) => events.push(event),
            Said::Paused => {}
            Said::Wish { id, wish } => conversation.fulfil(id, Ok(wish)),
            Said::Question(question) => conversation.answer(Ok(variables.answer(question))),
        }
    }
}

pub(crate) async fn call(pool: &Pool, key: ScriptKey) -> Vec<ScriptEvent> {
    listen(pool.call(key, &message(&[]), &Cells::default())).await
}

/// The payload of the one message that was sent over output 0.
pub(crate) fn payload(events: &[ScriptEvent]) -> Value {
    let [ScriptEvent::Send(outputs), ..] = &sends(events)[..] else { panic!("nothing was sent: {events:?}") };
    member(&outputs[0][0], "payload")
}

pub(crate) fn sends(events: &[ScriptEvent]) -> Vec<ScriptEvent> {
    events.iter().filter(|event| matches!(event, ScriptEvent::Send(_))).cloned().collect()
}

/// The one fault that was raised.
pub(crate) fn fault(events: &[ScriptEvent]) -> Fault {
    let faults: Vec<_> = events
        .iter()
        .filter_map(|event| if let ScriptEvent::Fault { fault, .. } = event { Some(fault.clone()) } else { None })
        .collect();
    let [fault] = &faults[..] else { panic!("not one fault: {events:?}") };
    fault.clone()
}

pub(crate) fn member(value: &Value, name: &str) -> Value {
    value.as_map().and_then(|map| map.get(name)).cloned().unwrap_or_default()
}

/// The value as JSON text.
pub(crate) fn json(value: &Value) -> String {
    let mut octets = Vec::new();
    plan::write_json(&mut octets, value).unwrap();
    String::from_utf8(octets).unwrap()
}

/// Kills every worker, and waits until the pool has seen it.
pub(crate) async fn kill_workers(pool: &Pool) {
    kill_workers_by(pool, rustix::process::Signal::KILL).await;
}

pub(crate) async fn kill_workers_by(pool: &Pool, signal: rustix::process::Signal) {
    // A first SIGSEGV that no instruction caused is survived: the runtime takes it and waits for the next.
    until(|| {
        for id in pool.worker_ids() {
            let id = rustix::process::Pid::from_raw(id.cast_signed()).unwrap();
            let _already_gone = rustix::process::kill_process(id, signal);
        }
        pool.worker_ids().is_empty()
    })
    .await;
}

/// Waits until this holds; fails if it does not within ten seconds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to hold in ten seconds");
}

impl Variables {
    fn answer(&self, question: Question) -> Value {
        match question {
            Question::Read { reach, path, .. } => self.scope(reach, |root| path.read(root, &Cells::default()).clone()),
            Question::Write { reach, path, value, .. } => self.scope(reach, |root| {
                let cells = &mut Cells::default();
                if value.is_undefined() {
                    path.remove(root, cells);
                } else {
                    assert!(path.write(root, cells, value), "{path:?}");
                }
                Value::Undefined
            }),
            Question::Call { .. } => Value::Undefined,
            Question::Keys { reach, .. } => self.scope(reach, |root| {
                let names = root.as_map().into_iter().flat_map(|map| map.iter());
                Value::list(names.map(|(name, _)| Value::text(name)).collect())
            }),
        }
    }

    fn scope<T>(&self, reach: Reach, use_it: impl FnOnce(&mut Value) -> T) -> T {
        let mut scopes = self.0.lock().unwrap();
        if !scopes.iter().any(|(held, _)| *held == reach) {
            scopes.push((reach, Value::map::<&str>([])));
        }
        let root = &mut scopes.iter_mut().find(|(held, _)| *held == reach).unwrap().1;
        use_it(root)
    }

    pub(crate) fn get(&self, reach: Reach, name: &str) -> Value {
        self.scope(reach, |root| Path::keys([name]).read(root, &Cells::default()).clone())
    }
}
