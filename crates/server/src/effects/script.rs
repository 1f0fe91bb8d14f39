//! Scripts: called in a worker process, listened to until they rest, and answered what they ask on the way.

use std::collections::VecDeque;
use std::pin::Pin;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use plan::{AskId, Cells, Fault, FaultKind, Origin, OriginIx, ScriptEvent, ScriptIx, Text, Value};
use sandbox::{Conversation, Question, Said};

use super::request;
use crate::deployment::LiveDocument;
use crate::variables::scope;

/// The first turns of one run's scripts, one after the other: each sees the request as the one before has left it, and
/// variables are touched in the order of the messages.
#[derive(Default)]
pub(crate) struct Turns {
    running: Option<AskId>,
    waiting: VecDeque<(AskId, ScriptIx, Value)>,
}

impl Turns {
    /// Whether the script may run now; if not, it waits for its turn.
    pub(crate) fn begin(&mut self, id: AskId, script: ScriptIx, message: &Value) -> bool {
        if self.running.is_some() {
            self.waiting.push_back((id, script, message.clone()));
            return false;
        }
        self.running = Some(id);
        true
    }

    /// Which script may run now that this one's first turn is over.
    pub(crate) fn end(&mut self, id: AskId) -> Option<(AskId, ScriptIx, Value)> {
        if self.running != Some(id) {
            return None;
        }
        let next = self.waiting.pop_front();
        self.running = next.as_ref().map(|(id, ..)| *id);
        next
    }
}

/// A script that is speaking.
pub(crate) struct Call {
    conversation: Conversation,
    /// Where in the document it stands: what it asks is seen from there.
    origin: OriginIx,
    /// What it wants of others and has not got yet; they end with it.
    wishes: FuturesUnordered<Wish>,
}

/// Comes with the number of the wish and what became of it.
type Wish = Pin<Box<dyn Future<Output = (u32, Result<Value, Text>)> + Send>>;

impl Call {
    /// Calls a script with a message.
    ///
    /// # Errors
    /// If its source is no program.
    pub(crate) fn begin(live: &LiveDocument, script: ScriptIx, message: &Value, cells: &Cells) -> Result<Self, Fault> {
        let origin = live.flow().scripts[script.0 as usize].origin;
        match live.script(script) {
            Ok(key) => Ok(Self::of(live.pool().call(key, message, cells), origin)),
            Err(why) => Err(Fault::new(FaultKind::ScriptUnavailable, why)),
        }
    }

    /// What a script says without a message: when its flow begins or ends.
    pub(crate) fn of(conversation: Conversation, origin: OriginIx) -> Self {
        Self { conversation, origin, wishes: FuturesUnordered::new() }
    }

    /// The next thing that it does; what it asks on the way is answered here. None once its first turn is over, if it
    /// goes on behind that.
    pub(crate) async fn next(&mut self, live: &LiveDocument) -> Option<ScriptEvent> {
        let node = &live.flow().origins[self.origin.0 as usize];
        loop {
            let said = tokio::select! {
                Some((id, outcome)) = self.wishes.next() => {
                    self.conversation.fulfil(id, outcome);
                    continue;
                }
                said = self.conversation.next() => said,
            };
            match said {
                Said::Event(event) => return Some(event),
                Said::Paused => return None,
                Said::Wish { id, wish } => match request::wished(live, &wish) {
                    Ok(granting) => self.wishes.push(Box::pin(async move { (id, granting.await) })),
                    Err(why) => self.conversation.fulfil(id, Err(why)),
                },
                Said::Question(question) => self.conversation.answer(answer(live, node, question)),
            }
        }
    }
}

fn answer(live: &LiveDocument, node: &Origin, question: Question) -> Result<Value, Text> {
    let variables = live.variables();
    match question {
        Question::Read { reach, path, .. } => Ok(variables.read(&scope(node, reach), &path)),
        Question::Write { reach, path, value, .. } => match variables.write(&scope(node, reach), &path, value) {
            Ok(()) => Ok(Value::Undefined),
            Err(refused) => Err(refused.to_string().into()),
        },
        Question::Call { .. } => Err("a script has no functions of the plan".into()),
        Question::Keys { reach, .. } => Ok(variables.keys(&scope(node, reach))),
    }
}
