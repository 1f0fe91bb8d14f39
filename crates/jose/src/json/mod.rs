//! Strict JSON (RFC 8259): one reader and one writer for headers, claims, keys and every author's document.
//!
//! Stricter than the RFC asks: no byte order mark, no repeated member in a tree, no lone surrogate, and every
//! input has a bound on depth, members and values. Numbers keep their text.

mod reader;
mod scan;
mod value;
mod write;

use std::fmt;

pub use reader::{Event, Reader};
pub use value::{Object, TREE_DEPTH_MAX, Value};
pub use write::{write_integer, write_number, write_text, write_value};

/// Deepest nesting of arrays and objects that a request, token or document may have.
pub const JSON_DEPTH_MAX: usize = 32;
/// Most members that one object may have.
pub const JSON_MEMBERS_MAX: usize = 1_000;
/// Most values that the body of a request, or a token, may hold.
pub const JSON_VALUES_REQUEST_MAX: usize = 10_000;
/// Most values that an author's document may hold.
pub const JSON_VALUES_DOCUMENT_MAX: usize = 2_000_000;

/// Bounds on what a [`Reader`] accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of arrays and objects; `[]` is 1 deep.
    pub depth: usize,
    /// Most members of one object. Elements of an array are bounded by `values` alone.
    pub members: usize,
    /// Most values in all, containers included, names not.
    pub values: usize,
}

impl Limits {
    /// The bounds of a token, a key or the body of a request.
    pub const REQUEST: Self =
        Self { depth: JSON_DEPTH_MAX, members: JSON_MEMBERS_MAX, values: JSON_VALUES_REQUEST_MAX };
    /// The bounds of a claims set, each claim of which may be as deep as the body of a request.
    pub const CLAIMS: Self = Self { depth: JSON_DEPTH_MAX + 1, ..Self::REQUEST };
    /// The bounds of an author's document.
    pub const DOCUMENT: Self =
        Self { depth: JSON_DEPTH_MAX, members: JSON_MEMBERS_MAX, values: JSON_VALUES_DOCUMENT_MAX };
}

/// Why a text is not JSON that we take, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Octets before the place, from the start of the input.
    pub offset: usize,
}

impl JsonError {
    /// The place in `input`, the text that was read, as people count it.
    #[must_use]
    pub fn position(&self, input: &[u8]) -> Position {
        Position::of(input, self.offset)
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {}", self.kind, self.offset)
    }
}

impl std::error::Error for JsonError {}

/// What can be wrong with a JSON text. Holds nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonErrorKind {
    /// The input starts with U+FEFF.
    #[error("a byte order mark stands before the JSON text")]
    ByteOrderMark,
    /// The input is not UTF-8.
    #[error("the text is not valid UTF-8")]
    Utf8,
    /// The input ended inside a value.
    #[error("the text ends in the middle, where {expected} should stand")]
    End {
        /// What the grammar asks for.
        expected: &'static str,
    },
    /// Another octet than the grammar asks for.
    #[error("{expected} should stand here")]
    Unexpected {
        /// What the grammar asks for.
        expected: &'static str,
    },
    /// A number that RFC 8259 section 6 does not know, such as `01`, `1.`, `NaN`.
    #[error("this is not a JSON number")]
    Number,
    /// U+0000 to U+001F inside a text.
    #[error("a control character in a text must be escaped")]
    Control,
    /// A backslash before something that is no escape.
    #[error("this is not a JSON escape")]
    Escape,
    /// `\uD800` to `\uDFFF` without its other half.
    #[error("half of a surrogate pair stands alone")]
    Surrogate,
    /// Something other than white space after the value.
    #[error("something follows the end of the value")]
    Trailing,
    /// Deeper than [`Limits::depth`].
    #[error("more than {max} levels of nesting")]
    Depth {
        /// The bound.
        max: usize,
    },
    /// More members than [`Limits::members`].
    #[error("an object has more than {max} members")]
    Members {
        /// The bound.
        max: usize,
    },
    /// More values than [`Limits::values`].
    #[error("the text holds more than {max} values")]
    Values {
        /// The bound.
        max: usize,
    },
    /// An object has two members of one name; the place is that of the second.
    #[error("a member of this name already stands in the same object")]
    Duplicate,
}

/// A place in a text, as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The place `offset` octets into `input`; beyond its end counts as its end.
    #[must_use]
    pub fn of(input: &[u8], offset: usize) -> Self {
        let before = &input[..offset.min(input.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        Self {
            line: 1 + memchr::memchr_iter(b'\n', before).count(),
            column: 1 + before[line_start..].iter().filter(|&&octet| octet & 0xC0 != 0x80).count(),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
