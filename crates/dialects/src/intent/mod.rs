//! One wish for tokens in nobody's dialect, and documents written anew from it in another one.
//!
//! A wish is read from the plan of its document. What a dialect writes of it is lowered and read again, and both wishes are held
//! against each other: a token that would be another one is refused, everything else that changes is told. So no writer has to
//! be believed.

mod compare;
mod page;
mod read;
mod way;

pub(crate) use page::{Page, json_of, list, object, text};
pub(crate) use way::{Step, Url};

use std::fmt;

use plan::{Diagnostic, Path, Text, Value};

use crate::minting::{ClaimType, Part};
use crate::{Kind, Settings, api_connect, node_red, orchestration, supertokens};

/// What a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A document of this dialect.
    Document(Kind),
    /// The body of a request to a core.
    Request,
}

/// A document in another dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The document.
    pub octets: Vec<u8>,
    /// What is not as it was.
    pub lost: Vec<Change>,
}

/// Something that a conversion changes, or would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is, in a word or two.
    pub what: String,
    /// One sentence.
    pub how: String,
}

/// Why a document is not converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unconvertible {
    /// The document itself is refused.
    Refused(Vec<Diagnostic>),
    /// The request is refused, in its vendor's words.
    Request(String),
    /// It would mint another token, or says what cannot be said there.
    Changed(Vec<Change>),
}

/// A wish for tokens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Intent {
    /// The name of the document.
    pub(crate) name: Text,
    /// What asks for a token.
    pub(crate) call: Call,
    /// The claims in their order.
    pub(crate) claims: Vec<(Text, Wish)>,
    /// Seconds from `iat` to `exp`; none for tokens without `exp`.
    pub(crate) lifetime_secs: Option<i64>,
    /// How it is signed.
    pub(crate) signature: Option<Layer>,
    /// How it is encrypted.
    pub(crate) encryption: Option<Layer>,
    /// What is answered.
    pub(crate) answer: Answer,
}

/// What asks for a token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: Text,
    pub(crate) url: Url,
    pub(crate) callers: Callers,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Everybody.
    All,
    /// Who has the key of the document.
    Key,
    /// Whom a core lets call.
    Core,
}

/// The value of a claim.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wish {
    IssuedAt,
    Expires,
    Constant(Value),
    Fresh,
    Sent(Sent),
}

/// A value that the caller sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) part: Part,
    pub(crate) way: Path,
    /// What it is converted to, if it is.
    pub(crate) kind: Option<ClaimType>,
    /// Whether there is no token without it.
    pub(crate) is_required: bool,
}

/// A layer of a token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    pub(crate) algorithm: Text,
    /// The content encryption.
    pub(crate) content: Option<Text>,
    pub(crate) key: Key,
    pub(crate) kid: Kid,
    pub(crate) is_typed: bool,
    /// Whether a secret may be shorter than its hash.
    pub(crate) allows_weak: bool,
}

/// A key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    /// One that an operator gives: as a secret, a property or a variable.
    Own,
    /// The ring of this name.
    Ring(Text),
}

/// What stands in a header as `kid`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kid {
    /// What the dialect makes of the key, in words.
    Usual(&'static str),
    Named(Text),
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: i64,
    pub(crate) body: Shape,
    /// Whether the body goes out as JSON.
    pub(crate) is_json: bool,
    /// By their names in small letters; `content-type` of a text always among them.
    pub(crate) headers: Vec<(Text, Text)>,
}

/// A value with the token somewhere in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Constant(Value),
    /// The token behind this text.
    Token(Text),
    Map(Vec<(Text, Shape)>),
    List(Vec<Shape>),
}

/// Converts a document of this name to another dialect.
///
/// # Errors
/// [`Unconvertible`]: why nothing was written.
pub fn convert(name: &str, octets: &[u8], to: Target, settings: &Settings<'_>) -> Result<Converted, Unconvertible> {
    let (intent, mut lost) = read::intent(name, octets, settings)?;
    let page = write(&intent, to).map_err(Unconvertible::Changed)?;
    let octets = page.octets();
    let (written, _) = read::intent(name, &octets, settings).map_err(|why| match why {
        Unconvertible::Refused(told) => {
            Unconvertible::Changed(told.iter().map(|told| Change::new("document", told.to_string())).collect())
        }
        why @ (Unconvertible::Request(_) | Unconvertible::Changed(_)) => why,
    })?;
    let changed = compare::token(&intent, &written);
    if !changed.is_empty() {
        return Err(Unconvertible::Changed(changed));
    }
    lost.extend(compare::around(&intent, &written));
    lost.extend(page.into_notes());
    Ok(Converted { octets, lost })
}

fn write(intent: &Intent, to: Target) -> Result<Page, Vec<Change>> {
    match to {
        Target::Document(Kind::NodeRed) => node_red::write(intent),
        Target::Document(Kind::ApiConnect) => api_connect::write(intent),
        Target::Document(Kind::Orchestration) => orchestration::write(intent),
        Target::Request => supertokens::write(intent),
    }
}

impl Change {
    /// What changes, and how.
    pub(crate) fn new(what: impl Into<String>, how: impl Into<String>) -> Self {
        Self { what: what.into(), how: how.into() }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.how)
    }
}

impl Intent {
    /// The value of a claim.
    pub(crate) fn claim(&self, name: &str) -> Option<&Wish> {
        self.claims.iter().find(|(own, _)| &**own == name).map(|(_, wish)| wish)
    }
}

impl Shape {
    /// Every place of the token in it: the way there, and the text before it.
    pub(crate) fn holes(&self) -> Vec<(Vec<plan::Segment>, Text)> {
        let below = |segment: plan::Segment, inner: &Self| {
            let ways = inner.holes().into_iter();
            ways.map(|(way, prefix)| ([vec![segment.clone()], way].concat(), prefix)).collect::<Vec<_>>()
        };
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Token(prefix) => vec![(Vec::new(), prefix.clone())],
            Self::Map(members) => {
                members.iter().flat_map(|(name, member)| below(plan::Segment::Key(name.clone()), member)).collect()
            }
            Self::List(items) => {
                let indexed = (0_u32..).zip(items);
                indexed.flat_map(|(index, item)| below(plan::Segment::Index(index), item)).collect()
            }
        }
    }

    /// The value with this in each place of the token.
    pub(crate) fn filled(&self, hole: &impl Fn(&str) -> Value) -> Value {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Token(prefix) => hole(prefix),
            Self::Map(members) => Value::map(members.iter().map(|(name, member)| (name, member.filled(hole)))),
            Self::List(items) => Value::list(items.iter().map(|item| item.filled(hole)).collect()),
        }
    }
}
