//! The server's side of scripts: hands calls to worker processes, and lets whoever drives them hear what is said.

mod crew;
mod hand;
mod link;
mod tend;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use plan::{Cells, ExpressionPlan, Fault, FaultKind, ScriptEvent, ScriptPlan, Text, Value};
use tokio::sync::{mpsc, oneshot};

use crate::frame::{self, Expression, FrameFault, Program, ToWorker};
use crate::speech::{Part, Said, SyntaxFault};
use crew::{Crew, Job, Script};
use hand::Listener;

/// Octets that all sources of a script may have together (security contract, section 5).
pub const SCRIPT_SOURCE_BYTES_MAX: usize = 256 << 10;

/// Octets that a dialect's surface may have.
const SURFACE_BYTES_MAX: usize = 1 << 20;

/// How a pool runs its workers.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// The program to start; it must call [`crate::worker::main`] when given `arguments`.
    pub program: PathBuf,
    /// What it is started with.
    pub arguments: Vec<OsString>,
    /// The most workers for scripts that share no state; documents whose scripts share some have one more each.
    pub workers_max: usize,
    /// How long a worker without work is kept.
    pub idle: Duration,
}

/// Runs scripts in worker processes. Copies are handles to the same pool.
///
/// No worker runs before the first call, none is left when nothing has been called for [`PoolSettings::idle`], save
/// those of documents whose scripts share state. All functions must be called inside a Tokio runtime.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    settings: PoolSettings,
    crew: Mutex<Crew>,
}

/// Names a script that the pool was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScriptKey(u32);

/// A call that lasts: the script speaks until it is at rest.
///
/// Dropping it earlier ends the call: its timers are cleared, and what it still says is lost.
pub struct Conversation {
    pool: Arc<Inner>,
    call: u64,
    said: mpsc::UnboundedReceiver<Said>,
    at_rest: bool,
}

impl Default for PoolSettings {
    /// The running program with the argument `script-worker`, eight workers, half a minute.
    fn default() -> Self {
        Self {
            program: "/proc/self/exe".into(),
            arguments: vec!["script-worker".into()],
            workers_max: 8,
            idle: Duration::from_secs(30),
        }
    }
}

impl Pool {
    /// A pool without any worker yet.
    pub fn new(settings: PoolSettings) -> Self {
        Self(Arc::new(Inner { settings, crew: Mutex::default() }))
    }

    /// Whether the sources of this script are programs.
    ///
    /// # Errors
    ///
    /// Where the first of them is none. A script that is too large, or that no worker could read, is told in the same
    /// way, at line 1.
    pub async fn check(&self, script: &ScriptPlan) -> Result<(), SyntaxFault> {
        let unread = |why: &str| SyntaxFault { part: Part::Source, line: 1, message: why.into() };
        let program =
            Program { surface: Text::from(&*script.reader), ..program(script).map_err(|fault| unread(&fault))? };
        let (listener, outcome) = oneshot::channel();
        let frame = framed(&ToWorker::Check { program }).map_err(|fault| unread(&fault.to_string()))?;
        let (call, listener) = (self.0.next_call(), Listener::Check(listener));
        self.0.place(Job { script: None, cpu_ms: 0, call, frame, listener, is_last: false });
        outcome.await.unwrap_or_else(|_| Err(unread("no worker could read the script")))
    }

    /// Whether this text is an expression.
    ///
    /// # Errors
    ///
    /// Where it is none. One that is too large, or that no worker could read, is told in the same way.
    pub async fn check_expression(&self, expression: &ExpressionPlan) -> Result<(), SyntaxFault> {
        let unread = |why: &str| SyntaxFault { part: Part::Source, line: 1, message: why.into() };
        if expression.source.len() > SCRIPT_SOURCE_BYTES_MAX {
            return Err(unread(&format!("the expression has more than {SCRIPT_SOURCE_BYTES_MAX} octets")));
        }
        let (listener, outcome) = oneshot::channel();
        let source = expression.source.clone();
        let frame = framed(&ToWorker::CheckExpression { source }).map_err(|fault| unread(&fault.to_string()))?;
        let (call, listener) = (self.0.next_call(), Listener::Check(listener));
        self.0.place(Job { script: None, cpu_ms: 0, call, frame, listener, is_last: false });
        outcome.await.unwrap_or_else(|_| Err(unread("no worker could read the expression")))
    }

    /// Evaluates an expression: its value is the one message that is sent, over output 0.
    pub fn evaluate(&self, expression: &ExpressionPlan, input: &Value, cells: &Cells) -> Conversation {
        let (speaker, said) = mpsc::unbounded_channel();
        let (call, listener) = (self.0.next_call(), Listener::Call(speaker));
        let functions = expression.functions.iter().map(|(name, _)| name.clone()).collect();
        let (source, cpu_ms) = (whole(expression), expression.cpu_ms);
        let frame = ToWorker::Evaluate {
            call,
            expression: Expression { source, functions, cpu_ms },
            input: input.clone(),
            cells: cells.iter().cloned().collect(),
        };
        match framed(&frame) {
            Ok(frame) => self.0.place(Job { script: None, cpu_ms, call, frame, listener, is_last: false }),
            Err(fault) => {
                let text = format!("the message cannot be passed to the expression: {fault}");
                listener.give_up(FaultKind::Script, &text);
            }
        }
        Conversation { pool: self.0.clone(), call, said, at_rest: false }
    }

    /// Takes a script of that document in; nothing runs yet.
    pub fn register(&self, document: &str, script: &ScriptPlan) -> ScriptKey {
        let pinned = script.shares || !script.initialize.is_empty() || !script.finalize.is_empty();
        let mut crew = self.0.crew();
        let surface = crew.surface(&script.surface);
        ScriptKey(crew.register(|key| Script {
            surface,
            load: program(script).and_then(|program| {
                let program = Program { surface: Text::default(), ..program };
                framed(&ToWorker::Load { script: key, surface, program }).map_err(|fault| fault.to_string())
            }),
            pin: pinned.then(|| Text::from(document)),
            cpu_ms: script.cpu_ms,
            begins: !script.initialize.is_empty(),
            ends: !script.finalize.is_empty(),
        }))
    }

    /// Runs the script's `initialize`, if it has one.
    ///
    /// A message that is called with before waits for it. It runs again by itself when a worker had to be replaced.
    pub fn begin(&self, script: ScriptKey) -> Option<Conversation> {
        let begins = self.0.crew().script(script.0).is_some_and(|script| script.begins);
        begins.then(|| self.converse(script, false, |script, call| ToWorker::Begin { script, call }))
    }

    /// Calls the script with a message.
    pub fn call(&self, script: ScriptKey, message: &Value, cells: &Cells) -> Conversation {
        self.converse(script, false, |script, call| ToWorker::Message {
            script,
            call,
            message: message.clone(),
            cells: cells.iter().cloned().collect(),
        })
    }

    /// Takes the script away. If it has a `finalize` that runs first, as the conversation that is returned.
    pub fn end(&self, script: ScriptKey) -> Option<Conversation> {
        let ends = self.0.crew().script(script.0).is_some_and(|script| script.ends);
        if !ends {
            self.0.crew().forget(script.0);
            return None;
        }
        Some(self.converse(script, true, |script, call| ToWorker::End { script, call }))
    }

    /// The process ids of the workers that are alive.
    pub fn worker_ids(&self) -> Vec<u32> {
        self.0.crew().worker_ids()
    }

    fn converse(&self, script: ScriptKey, is_last: bool, frame: impl FnOnce(u32, u64) -> ToWorker) -> Conversation {
        let (speaker, said) = mpsc::unbounded_channel();
        let (call, listener) = (self.0.next_call(), Listener::Call(speaker));
        match framed(&frame(script.0, call)) {
            Ok(frame) => self.0.place(Job { script: Some(script.0), cpu_ms: 0, call, frame, listener, is_last }),
            Err(fault) => {
                let text = format!("the message cannot be passed to the script: {fault}");
                listener.give_up(FaultKind::Script, &text);
            }
        }
        Conversation { pool: self.0.clone(), call, said, at_rest: false }
    }
}

impl Conversation {
    /// The next thing the script says. After [`ScriptEvent::Rest`] it says nothing more, and this is `Rest` again.
    ///
    /// A [`Said::Question`] must be answered by [`Self::answer`] before anything else is said.
    pub async fn next(&mut self) -> Said {
        let said = if self.at_rest { None } else { self.said.recv().await };
        let said = said.unwrap_or(Said::Event(ScriptEvent::Rest));
        self.at_rest = said == Said::Event(ScriptEvent::Rest);
        said
    }

    /// Gives the script what came of its wish of that number, or why nothing did. A wish that nobody waits for is ignored.
    pub fn fulfil(&mut self, id: u32, outcome: Result<Value, Text>) {
        let call = self.call;
        self.pool.crew().fulfil(call, |script| {
            framed(&ToWorker::Fulfil { script, call, id, outcome }).unwrap_or_else(|fault| {
                let why = Text::from(format!("what came is too much: {fault}"));
                let told = ToWorker::Fulfil { script, call, id, outcome: Err(why) };
                framed(&told).expect("a short text fits a frame")
            })
        });
    }

    /// Answers the question that was asked last, or says why there is no answer; the script sees that as an error.
    pub fn answer(&mut self, answer: Result<Value, Text>) {
        let frame = framed(&ToWorker::Answer(answer)).unwrap_or_else(|fault| {
            let why = Text::from(format!("what was asked for is too much: {fault}"));
            framed(&ToWorker::Answer(Err(why))).expect("a short text fits a frame")
        });
        self.pool.crew().answer(self.call, &frame);
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        if !self.at_rest {
            self.pool.crew().drop_call(self.call);
        }
    }
}

impl Inner {
    fn crew(&self) -> MutexGuard<'_, Crew> {
        self.crew.lock().expect("nothing panics while it holds the crew")
    }

    fn next_call(&self) -> u64 {
        self.crew().next_call()
    }
}

fn framed(frame: &ToWorker) -> Result<Vec<u8>, FrameFault> {
    let mut octets = Vec::with_capacity(512);
    frame::write(&mut octets, frame)?;
    Ok(octets)
}

/// The text of an expression behind its prelude.
fn whole(expression: &ExpressionPlan) -> Text {
    let ExpressionPlan { prelude, source, .. } = expression;
    if prelude.is_empty() { source.clone() } else { format!("({prelude}{source}\n)").into() }
}

fn program(script: &ScriptPlan) -> Result<Program, String> {
    let octets = script.source.len() + script.initialize.len() + script.finalize.len();
    if octets > SCRIPT_SOURCE_BYTES_MAX {
        return Err(format!("the script has {octets} octets of source; {SCRIPT_SOURCE_BYTES_MAX} are the most"));
    }
    if script.surface.len() > SURFACE_BYTES_MAX {
        return Err(format!("the surface has more than {SURFACE_BYTES_MAX} octets"));
    }
    Ok(Program {
        surface: script.surface.clone(),
        facts: script.facts.clone(),
        source: script.source.clone(),
        initialize: script.initialize.clone(),
        finalize: script.finalize.clone(),
        outputs: script.outputs,
        cpu_ms: script.cpu_ms,
    })
}

impl Listener {
    /// Tells that nothing will come of it.
    fn give_up(self, kind: FaultKind, why: &str) {
        match self {
            Self::Call(speaker) => {
                let fault = ScriptEvent::Fault { fault: Fault::new(kind, why), message: None };
                // Whoever does not listen any more does not miss it.
                let _ = speaker.send(Said::Event(fault));
                let _ = speaker.send(Said::Event(ScriptEvent::Rest));
            }
            Self::Check(outcome) => {
                let _ = outcome.send(Err(SyntaxFault { part: Part::Source, line: 1, message: why.into() }));
            }
        }
    }
}
