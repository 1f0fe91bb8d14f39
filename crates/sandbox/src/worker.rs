//! The worker process: takes scripts and calls from its standard input, a socket, and runs them one turn at a time.
//!
//! A worker never acts by itself. The server starts each turn with a frame, the worker answers with what the script
//! said, and ends the turn with the time at which it wants to be woken for a timer.

mod channel;
mod confine;
#[allow(unsafe_code, reason = "the one place where octets of a script's arrays are read in place")]
mod convert;
mod crypto;
mod desk;
mod encoding;
mod expression;
mod host;
mod keys;
mod realm;
mod turn;
mod variables;
mod web;

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::rc::Rc;

use plan::{Fault, FaultKind, ScriptEvent, Text, Value};

use crate::frame::{FromWorker, Program, ToWorker};
use crate::speech::{Part, SyntaxFault};
use channel::Channel;
pub use confine::confine;
use realm::{Broken, Realm};

/// What a script is called with.
enum Entry {
    /// Nothing: its `initialize` runs.
    Begin,
    /// A message and the cells that its handles lead to.
    Message(Value, Vec<Value>),
    /// Nothing: its `finalize` runs.
    End,
}

/// A script that the worker keeps, built or not yet.
struct Held {
    program: Program,
    realm: Option<Realm>,
}

struct Worker {
    channel: Rc<Channel>,
    surfaces: HashMap<u32, Text>,
    scripts: HashMap<u32, Held>,
}

/// Runs the worker until its server hangs up. The whole body of the hidden subcommand.
///
/// Standard input must be one end of a socket pair whose other end is held by [`crate::Pool`].
pub fn main() -> ExitCode {
    let Ok(channel) = std::io::stdin().as_fd().try_clone_to_owned() else { return ExitCode::FAILURE };
    if confine().is_err() {
        return ExitCode::FAILURE;
    }
    let channel = Rc::new(Channel::new(channel.into()));
    let mut worker = Worker { channel, surfaces: HashMap::new(), scripts: HashMap::new() };
    while let Some(frame) = worker.channel.receive() {
        worker.obey(frame);
    }
    ExitCode::SUCCESS
}

impl Worker {
    fn obey(&mut self, frame: ToWorker) {
        match frame {
            ToWorker::Surface { surface, text } => {
                self.surfaces.insert(surface, text);
            }
            ToWorker::Load { script, surface, mut program } => {
                program.surface = self.surfaces.get(&surface).cloned().unwrap_or_default();
                self.scripts.insert(script, Held { program, realm: None });
            }
            ToWorker::Begin { script, call } => self.turn(script, call, Entry::Begin),
            ToWorker::Message { script, call, message, cells } => {
                self.turn(script, call, Entry::Message(message, cells));
            }
            ToWorker::End { script, call } => self.turn(script, call, Entry::End),
            ToWorker::Check { program } => {
                let outcome = check(&self.channel, &program);
                self.channel.tell(&FromWorker::Checked(outcome));
                self.pause();
            }
            ToWorker::Evaluate { call, expression, input, cells } => {
                expression::evaluate(&self.channel, call, &expression, &input, &cells);
                self.pause();
            }
            ToWorker::CheckExpression { source } => {
                self.channel.tell(&FromWorker::Checked(expression::check(&source)));
                self.pause();
            }
            ToWorker::Tick => self.tick(),
            ToWorker::Fulfil { script, call, id, outcome } => {
                if let Some(held) = self.scripts.get_mut(&script) {
                    held.on_its_own(|realm| realm.fulfil(call, id, outcome));
                }
                self.pause();
            }
            ToWorker::Drop { call } => {
                for realm in self.scripts.values_mut().filter_map(|held| held.realm.as_mut()) {
                    realm.abandon(call);
                }
            }
            ToWorker::Forget { script } => {
                self.scripts.remove(&script);
            }
            // Answers are taken by whoever asked; one that nobody waits for means nothing.
            ToWorker::Answer(_) => {}
        }
    }

    fn turn(&mut self, script: u32, call: u64, entry: Entry) {
        if let Some(held) = self.scripts.get_mut(&script) {
            held.turn(&self.channel, call, entry);
        } else {
            let fault = Fault::new(FaultKind::ScriptUnavailable, "the worker was not given this script");
            self.channel.say(call, ScriptEvent::Fault { fault, message: None });
            self.channel.say(call, ScriptEvent::Rest);
        }
        self.pause();
    }

    fn tick(&mut self) {
        let next = self.scripts.values_mut().filter(|held| held.due().is_some()).min_by_key(|held| held.due());
        if let Some(held) = next {
            held.on_its_own(Realm::tick);
        }
        self.pause();
    }

    fn pause(&self) {
        let due = self.scripts.values().filter_map(Held::due).min();
        self.channel.tell(&FromWorker::Paused { due_ms: due.map(|due| self.channel.ms_until(due)) });
    }
}

impl Held {
    fn due(&self) -> Option<u64> {
        self.realm.as_ref().and_then(Realm::due)
    }

    fn turn(&mut self, channel: &Rc<Channel>, call: u64, entry: Entry) {
        let fresh = self.realm.is_none();
        if fresh && matches!(entry, Entry::End) && self.program.finalize.trim().is_empty() {
            channel.say(call, ScriptEvent::Rest);
            return;
        }
        let realm = match self.realm.take().map_or_else(|| Realm::build(channel, &self.program), Ok) {
            Ok(realm) => self.realm.insert(realm),
            Err(broken) => {
                channel.say(call, ScriptEvent::Fault { fault: broken.fault(), message: None });
                channel.say(call, ScriptEvent::Rest);
                return;
            }
        };
        if !realm.turn(call, fresh, entry) {
            self.realm = None;
        }
    }

    /// A turn that no message starts, if there is still somebody to take it.
    fn on_its_own(&mut self, turn: impl FnOnce(&mut Realm) -> bool) {
        if let Some(realm) = &mut self.realm
            && !turn(realm)
        {
            self.realm = None;
        }
    }
}

fn check(channel: &Rc<Channel>, program: &Program) -> Result<(), SyntaxFault> {
    match Realm::build(channel, program) {
        Ok(_) => Ok(()),
        Err(Broken::Syntax(fault)) => Err(fault),
        Err(Broken::Other(message)) => Err(SyntaxFault { part: Part::Source, line: 1, message }),
    }
}
