//! What a script says while a call of it lasts, and what it asks on the way.

use plan::{Path, ScriptEvent, Text, Value};

/// One thing that a script said.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It did something. [`ScriptEvent::Rest`] is the last of a call.
    Event(ScriptEvent),
    /// It wants to know something and stands still until it is answered.
    Question(Question),
    /// It wants something that takes its time, and others go on meanwhile: [`crate::Conversation::fulfil`] gives it what
    /// came of that. It may have several such wishes at a time, and does not rest before all are fulfilled.
    Wish {
        /// Which of this conversation's wishes.
        id: u32,
        /// What it wants, in the words of its surface.
        wish: Value,
    },
    /// Its first turn is over, and it waits for something. Not said if the call is at rest then.
    Paused,
}

/// What a script wants to know before it goes on. Its whole worker waits, so answer without waiting for anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// What stands at a path of the variables. Answered by the value; undefined if nothing stands there.
    Read {
        /// Whose variables.
        reach: Reach,
        /// Which store; empty for the one in use by default.
        store: Text,
        /// Where: the first segment names the variable, the rest leads into it.
        path: Path,
    },
    /// Write there, or take out what stands there if the value is undefined. Answered by undefined.
    Write {
        /// Whose variables.
        reach: Reach,
        /// Which store; empty for the one in use by default.
        store: Text,
        /// Where: the first segment names the variable, the rest leads into it.
        path: Path,
        /// What is written.
        value: Value,
    },
    /// What a function of the plan gives for these arguments.
    Call {
        /// The name that the plan gives it.
        function: Text,
        /// What it is called with.
        arguments: Vec<Value>,
    },
    /// The names of the variables. Answered by a list of texts.
    Keys {
        /// Whose variables.
        reach: Reach,
        /// Which store; empty for the one in use by default.
        store: Text,
    },
}

/// Who shares the variables that a script asks for, seen from its own place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// This node alone.
    Node,
    /// The section of the document that the node stands in.
    Section,
    /// The whole document.
    Document,
}

/// A source that is no program, as its author must see it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SyntaxFault {
    /// Which of the script's sources.
    pub part: Part,
    /// The line in it, from 1.
    pub line: u32,
    /// What the parser expected or met.
    pub message: Text,
}

/// Which of a script's three sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// [`plan::ScriptPlan::source`].
    Source,
    /// [`plan::ScriptPlan::initialize`].
    Initialize,
    /// [`plan::ScriptPlan::finalize`].
    Finalize,
}
