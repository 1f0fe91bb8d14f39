//! The variables that a script touches in one turn: one object for each, and what changed in it goes back at the end.

use std::cell::RefCell;

use plan::{Path, Text, Value};
use rquickjs::{Ctx, Exception, Persistent, Result, Value as JsValue};

use super::channel::Channel;
use super::convert::Exchange;
use crate::speech::{Question, Reach};

/// The variables of one script's turn.
#[derive(Default)]
pub(super) struct Variables(RefCell<Vec<Touched>>);

/// Where a variable is.
#[derive(Clone, PartialEq)]
pub(super) struct Variable {
    pub(super) reach: Reach,
    pub(super) store: Text,
    pub(super) name: Text,
}

/// A variable whose value the script holds in its hands, and may change without a word.
struct Touched {
    variable: Variable,
    known: Value,
    object: Persistent<JsValue<'static>>,
}

/// On whose behalf the server is asked.
pub(super) struct Asking<'a, 'js> {
    pub(super) channel: &'a Channel,
    pub(super) ctx: &'a Ctx<'js>,
    pub(super) exchange: &'a Exchange<'js>,
    pub(super) call: u64,
}

impl Variables {
    /// What the variable holds: within a turn always the same object.
    pub(super) fn read<'js>(&self, asking: &Asking<'_, 'js>, variable: Variable) -> Result<JsValue<'js>> {
        let held = self.0.borrow().iter().find(|touched| touched.variable == variable).map(|held| held.object.clone());
        if let Some(object) = held {
            return object.restore(asking.ctx);
        }
        let Variable { reach, store, .. } = variable.clone();
        let known = asking.ask(Question::Read { reach, store, path: variable.path() })?;
        let value = asking.exchange.enter(&known, &[])?;
        self.hold(asking, variable, known, &value);
        Ok(value)
    }

    /// Writes the variable, or takes it out if the value is undefined.
    pub(super) fn write<'js>(&self, asking: &Asking<'_, 'js>, variable: Variable, value: &JsValue<'js>) -> Result<()> {
        let known = asking.exchange.leave(value)?;
        asking.write(&variable, known.clone())?;
        self.0.borrow_mut().retain(|touched| touched.variable != variable);
        self.hold(asking, variable, known, value);
        Ok(())
    }

    /// Ends the turn: what changed in an object is written.
    pub(super) fn write_back(&self, asking: &Asking<'_, '_>) -> Result<()> {
        for touched in self.0.take() {
            let now = asking.exchange.leave(&touched.object.restore(asking.ctx)?)?;
            if now != touched.known {
                asking.write(&touched.variable, now)?;
            }
        }
        Ok(())
    }

    /// Lets go of everything that lives in the realm.
    pub(super) fn clear(&self) {
        self.0.take();
    }

    fn hold<'js>(&self, asking: &Asking<'_, 'js>, variable: Variable, known: Value, value: &JsValue<'js>) {
        if value.is_object() {
            let object = Persistent::save(asking.ctx, value.clone());
            self.0.borrow_mut().push(Touched { variable, known, object });
        }
    }
}

impl Variable {
    fn path(&self) -> Path {
        Path::keys([&self.name])
    }
}

impl Asking<'_, '_> {
    /// The answer of whoever drives the call; a refusal is thrown.
    pub(super) fn ask(&self, question: Question) -> Result<Value> {
        match self.channel.ask(self.call, question) {
            Some(Ok(value)) => Ok(value),
            Some(Err(why)) => Err(Exception::throw_message(self.ctx, &why)),
            // The server hung up in the middle of a turn: nothing that this process does matters any more.
            None => std::process::exit(1),
        }
    }

    fn write(&self, variable: &Variable, value: Value) -> Result<()> {
        let Variable { reach, store, .. } = variable.clone();
        self.ask(Question::Write { reach, store, path: variable.path(), value })?;
        Ok(())
    }
}
