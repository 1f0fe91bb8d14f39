//! Scripts: called in a worker process, listened to until they rest, and answered what they ask on the way.

use plan::{Cells, Fault, FaultKind, Origin, OriginIx, ScriptEvent, ScriptIx, Text, Value};
use sandbox::{Conversation, Question, Said};

use crate::deployment::LiveDocument;
use crate::variables::scope;

/// A script that is speaking.
pub(crate) struct Call {
    conversation: Conversation,
    /// Where in the document it stands: what it asks is seen from there.
    origin: OriginIx,
}

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
        Self { conversation, origin }
    }

    /// The next thing that it does; what it asks on the way is answered here.
    pub(crate) async fn next(&mut self, live: &LiveDocument) -> ScriptEvent {
        let node = &live.flow().origins[self.origin.0 as usize];
        loop {
            match self.conversation.next().await {
                Said::Event(event) => return event,
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
        Question::Keys { reach, .. } => Ok(variables.keys(&scope(node, reach))),
    }
}
