//! What the engine asks of whoever drives it, what comes of it, and what can go wrong.

use std::sync::Arc;

use crate::flow::{ExpressionIx, FetchIx, NodeIx, PolicyIx, ReplyIx, ScriptIx, TokenIx};
use crate::hold::{HoldOrder, Passage};
use crate::open::OpenRequest;
use crate::password::PasswordAsk;
use crate::seal::{Known, SealLayer, SealRequest};
use crate::slot::Variable;
use crate::token::{KeySource, TokenFlaw};
use crate::value::{Text, Value};

/// Names an open ask within its run. Never used twice in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AskId(pub u64);

/// An effect, as data. Handles in a message lead into the cells of the run that asks.
#[derive(Debug)]
pub enum Ask {
    /// Sign these claims. Answered by [`Answer::Signed`] or [`Answer::Refused`].
    Mint(MintRequest),
    /// Check the signature of this token. Answered by [`Answer::Verified`] or [`Answer::Refused`].
    Verify(VerifyRequest),
    /// Make a token of these claims. Answered by [`Answer::Sealed`] or [`Answer::Refused`].
    Seal(Box<SealRequest>),
    /// Open this token. Answered by [`Answer::Opened`] or [`Answer::Refused`].
    Open(OpenRequest),
    /// Run this script. Answered by [`Answer::Script`] as often as it speaks, the last time with
    /// [`ScriptEvent::Rest`].
    Script {
        /// Which script.
        script: ScriptIx,
        /// The message it is called with.
        message: Value,
    },
    /// Dress this message as the outcome of the run. Answered by [`Answer::Replied`], [`Answer::Declined`]
    /// or [`Answer::Failed`]; a run that has its reply already fails with [`FaultKind::AlreadyReplied`].
    Reply {
        /// Which reply of the dialect.
        reply: ReplyIx,
        /// What it is made from.
        message: Value,
    },
    /// Read this variable of the document. Answered by [`Answer::Value`] or [`Answer::Failed`].
    Read(Variable),
    /// Write this variable of the document; undefined takes it out. Answered by [`Answer::Written`] or
    /// [`Answer::Failed`].
    Write(Variable, Value),
    /// Ask somebody outside what this message wants to know. Answered by [`Answer::Fetched`].
    Fetch {
        /// Which request of the dialect.
        fetch: FetchIx,
        /// Where to, as the flow worked it out for this message.
        to: Value,
        /// What the request is made from.
        message: Value,
    },
    /// Hold this message back with the others of its node, across runs. Answered by [`Answer::Passed`] or
    /// [`Answer::Failed`].
    Hold {
        /// The node; its plan says how.
        node: NodeIx,
        /// What the message orders.
        order: HoldOrder,
    },
    /// Evaluate this expression. Answered by [`Answer::Value`] or [`Answer::Failed`].
    Evaluate {
        /// Which expression.
        expression: ExpressionIx,
        /// What it is evaluated for.
        input: Value,
    },
    /// Hash or compare this password. Answered by [`Answer::Password`] or [`Answer::Failed`].
    Password(PasswordAsk),
    /// Read the file of this name. Answered by [`Answer::File`].
    ReadFile(Text),
    /// Let this much time go by, in milliseconds. Answered by [`Answer::Elapsed`]; the engine may lose interest before.
    Wait {
        /// How long.
        delay_ms: u64,
    },
}

/// Claims to be signed.
#[derive(Debug)]
pub struct MintRequest {
    /// Which token plan; its header and algorithm are compiled already.
    pub token: TokenIx,
    /// The key.
    pub key: KeySource,
    /// The claims as JSON octets, signed as they stand.
    pub claims: Vec<u8>,
}

/// A token to be checked.
#[derive(Debug)]
pub struct VerifyRequest {
    /// Which policy; its algorithms are compiled already.
    pub policy: PolicyIx,
    /// The key.
    pub key: KeySource,
    /// The token, compact.
    pub token: Text,
}

/// What came of an ask.
#[derive(Debug)]
pub enum Answer {
    /// The compact token.
    Signed(Text),
    /// The compact token, and what an operator should know of its key.
    Sealed {
        /// The token.
        token: Text,
        /// Warnings for the log.
        warnings: Vec<Text>,
        /// What is known of it, if that was asked for.
        known: Option<Box<Known>>,
    },
    /// The payload octets of a token whose signature holds.
    Verified(Arc<[u8]>),
    /// What is known of a token whose layers hold.
    Opened(Box<Known>),
    /// Why nothing was signed or the signature does not hold.
    Refused(Refusal),
    /// A script spoke.
    Script(ScriptEvent),
    /// What the variable holds.
    Value(Value),
    /// The variable is written.
    Written,
    /// The time has gone by.
    Elapsed,
    /// What came of a password.
    Password(Value),
    /// What stands in a file, or why that is not known.
    File(Result<Arc<[u8]>, Fault>),
    /// What becomes of a message that was held back.
    Passed(Passage),
    /// Somebody outside was asked, or could not be.
    Fetched(Box<Fetched>),
    /// The outcome is handed out.
    Replied,
    /// The message leads to nobody who waits for a reply; nothing was handed out. The text is for the log.
    Declined(Text),
    /// It could not be done.
    Failed(Fault),
}

/// What came of asking somebody outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fetched {
    /// Warnings for the log.
    pub warnings: Vec<Text>,
    /// Raised before anything is sent on.
    pub fault: Option<Fault>,
    /// What the fault is raised on; none for the message that was asked for.
    pub faulty: Option<Value>,
    /// What the node shows from now on; undefined leaves what it shows.
    pub status: Value,
    /// What is sent on; none if nothing is.
    pub message: Option<Value>,
}

/// Why a signature was not made or does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token does not hold: bad form, header or signature. The text is for the log.
    Token(TokenFlaw, Text),
    /// The key cannot be used; a fault of the flow, not of the token.
    Key(FaultKind, Text),
    /// The key of this layer cannot be used to make or to open a token. The fault is thrown with a map whose `layer` is
    /// `signature` or `encryption`.
    Layer(SealLayer, FaultKind, Text),
}

/// What a script said.
#[derive(Clone, Debug, PartialEq)]
pub enum ScriptEvent {
    /// It sent messages in one call: for each output, counted from 0, those that go over it.
    Send(Vec<Vec<Value>>),
    /// It raised a fault, on this message or on the one it was called with.
    Fault {
        /// What went wrong.
        fault: Fault,
        /// The message the fault belongs to, if the script named one.
        message: Option<Value>,
    },
    /// It wrote a line for the log.
    Log {
        /// How loud.
        level: LogLevel,
        /// The line.
        text: Text,
    },
    /// It showed a status.
    Status(Value),
    /// It changed a cell of the request.
    Cell {
        /// Which cell, by the number of its handle.
        handle: u32,
        /// What it holds now.
        value: Value,
    },
    /// It is done with this message, or with the one it was called with.
    Done(Option<Value>),
    /// Nothing more will come: no timer, promise or callback of this call is left.
    Rest,
}

/// How loud a line in the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For following every step.
    Trace,
    /// For finding a mistake.
    Debug,
    /// For the record.
    Info,
    /// Something an operator should look at.
    Warn,
    /// Something failed.
    Error,
}

/// Something went wrong with one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What kind of thing went wrong.
    pub kind: FaultKind,
    /// The code by which the author's document may know it.
    pub code: Option<Text>,
    /// One sentence for the author and the log; never for an API client.
    pub message: Text,
    /// Where in a script, if one raised it.
    pub stack: Option<Text>,
    /// What the script named as the cause.
    pub cause: Value,
    /// What a handler finds in the message's own place for a thrown error, if anything.
    pub thrown: Value,
}

/// What kind of thing went wrong. The dialect gives each its own code and text ([`FaultText`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultKind {
    /// The key that is named is not there.
    KeyMissing,
    /// The key is there and is none, or one that nobody should use.
    KeyUnusable,
    /// The key is one, but not for what it is to do here: its type, curve or size is another.
    KeyUnfit,
    /// The secret is shorter or longer than its algorithm asks for.
    KeyLength,
    /// The key is there and nobody can reach it now.
    KeyAway,
    /// Too many signatures are waited for already; the same message may find room a moment later.
    Busy,
    /// The algorithm is not one that may be used here.
    AlgorithmUnsupported,
    /// `exp` is no NumericDate up to 2^53 - 1.
    ExpiryInvalid,
    /// The claims that the message brings along are no map, clash with the plan's, or hold a time that is none.
    ClaimsInvalid,
    /// The token does not hold, and the policy takes that for a fault.
    TokenRefused,
    /// A value contains itself and cannot be written.
    Circular,
    /// A big integer cannot be written.
    BigInteger,
    /// A value is not what the op can work with.
    ValueUnfit,
    /// A call has not returned in time.
    CallOverdue,
    /// Nobody can be called by that name, or more than one.
    CalleeUnknown,
    /// The run has its reply already.
    AlreadyReplied,
    /// The reply could not be dressed.
    ReplyInvalid,
    /// The message grew beyond what is delivered.
    Oversized,
    /// Somebody outside could not be asked, or gave no answer.
    FetchFailed,
    /// A file could not be read.
    FileUnread,
    /// The run went on and on without anything being waited for. All that it still had to deliver ends.
    Endless,
    /// The script raised it.
    Script,
    /// The script used up its time.
    ScriptTimeout,
    /// The script used up its memory.
    ScriptMemory,
    /// The script could not be run: its source is broken, or its worker died.
    ScriptUnavailable,
    /// The flow itself is incomplete; the dialect said how when it lowered the node.
    Configuration,
}

/// How a dialect names one kind of fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultText {
    /// The code.
    pub code: Text,
    /// One sentence for the author; an empty one leaves the fault's own words alone.
    pub message: Text,
}

impl FaultKind {
    /// Its name, for handlers of faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeyMissing => "key_missing",
            Self::KeyUnusable => "key_unusable",
            Self::KeyUnfit => "key_unfit",
            Self::KeyLength => "key_length",
            Self::KeyAway => "key_away",
            Self::Busy => "busy",
            Self::AlgorithmUnsupported => "algorithm_unsupported",
            Self::ExpiryInvalid => "expiry_invalid",
            Self::ClaimsInvalid => "claims_invalid",
            Self::TokenRefused => "token_refused",
            Self::Circular => "circular",
            Self::BigInteger => "big_integer",
            Self::ValueUnfit => "value_unfit",
            Self::CallOverdue => "call_overdue",
            Self::CalleeUnknown => "callee_unknown",
            Self::AlreadyReplied => "already_replied",
            Self::ReplyInvalid => "reply_invalid",
            Self::Oversized => "oversized",
            Self::FetchFailed => "fetch_failed",
            Self::FileUnread => "file_unread",
            Self::Endless => "endless",
            Self::Script => "script",
            Self::ScriptTimeout => "script_timeout",
            Self::ScriptMemory => "script_memory",
            Self::ScriptUnavailable => "script_unavailable",
            Self::Configuration => "configuration",
        }
    }
}

impl Fault {
    /// A fault of that kind with these words and nothing else.
    pub fn new(kind: FaultKind, message: impl AsRef<str>) -> Self {
        Self {
            kind,
            code: None,
            message: message.as_ref().into(),
            stack: None,
            cause: Value::Undefined,
            thrown: Value::Undefined,
        }
    }

    /// The same fault under this code.
    #[must_use]
    pub fn with_code(mut self, code: impl AsRef<str>) -> Self {
        self.code = Some(code.as_ref().into());
        self
    }
}
