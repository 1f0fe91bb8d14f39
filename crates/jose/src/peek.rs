//! Looking at a token without believing it: header members and sizes, never claims.

use crate::{
    Error,
    header::JoseHeader,
    json::{Object, Value},
    jws::TOKEN_CHARS_MAX,
};

/// Something that stands in a token nobody has checked. It can be shown; nothing turns it into claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified<T>(T);

impl<T> Unverified<T> {
    /// The value, for people to look at and for choosing a key.
    #[must_use]
    pub fn shown(&self) -> &T {
        &self.0
    }
}

/// What a compact token claims to be, by the number of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Three parts.
    Signed,
    /// Five parts.
    Encrypted,
}

/// The outside of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// Signed or encrypted.
    pub layer: Layer,
    /// The members of its header.
    pub header: Unverified<Object>,
    /// Characters of each part, in order.
    pub part_chars: Vec<usize>,
}

impl Peeked {
    /// A header member that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Unverified<&str>> {
        self.header.0.get(name).and_then(Value::as_text).map(Unverified)
    }
}

/// Reads the header of a compact token and nothing else.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Malformed`], [`Error::Header`].
pub fn peek(token: &str) -> Result<Peeked, Error> {
    if token.len() > TOKEN_CHARS_MAX {
        return Err(Error::TooLarge { what: "the token", max: TOKEN_CHARS_MAX, unit: "characters" });
    }
    let parts: Vec<&str> = token.splitn(6, '.').collect();
    let layer = match parts.len() {
        3 => Layer::Signed,
        5 => Layer::Encrypted,
        _ => return Err(Error::malformed("a compact token has three or five parts with a dot between each")),
    };
    let header = JoseHeader::decode(parts[0])?;
    Ok(Peeked {
        layer,
        header: Unverified(header.members().clone()),
        part_chars: parts.iter().map(|part| part.len()).collect(),
    })
}
