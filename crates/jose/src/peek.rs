//! Looking at a token without believing it: header members and sizes, never claims.

use crate::{
    Error,
    header::JoseHeader,
    json::{Object, Value, write_value},
    jws::TOKEN_CHARS_MAX,
};

/// Text that stands in a token nobody has checked. It can be shown and held against a key's `kid`; it never becomes
/// a claim, since claims are read from a [`crate::jws::Verified`] payload alone.
///
/// ```compile_fail
/// let seen = jose::peek("e30.e30.AA")?;
/// let now = jose::jwt::NumericDate::from_secs(0);
/// jose::jwt::Policy::default().check(&seen.header, now)?;
/// # Ok::<(), jose::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified(String);

impl Unverified {
    /// The text, for people to look at and for choosing a key.
    #[must_use]
    pub fn shown(&self) -> &str {
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
    /// Characters of each part, in order.
    pub part_chars: Vec<usize>,
    header: Object,
}

impl Peeked {
    /// A header member that is a text, without its quotes.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Unverified> {
        self.header.get(name).and_then(Value::as_text).map(|text| Unverified(text.to_owned()))
    }

    /// Every header member by its name, in order, its value as JSON.
    pub fn members(&self) -> impl Iterator<Item = (&str, Unverified)> {
        self.header.iter().map(|(name, value)| (name, Unverified(written(value))))
    }

    /// The whole header as compact JSON.
    #[must_use]
    pub fn header(&self) -> Unverified {
        Unverified(written(&Value::Object(self.header.clone())))
    }
}

fn written(value: &Value) -> String {
    let mut out = Vec::new();
    write_value(&mut out, value);
    String::from_utf8(out).expect("the JSON writer writes UTF-8")
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
    Ok(Peeked { layer, part_chars: parts.iter().map(|part| part.len()).collect(), header: header.members().clone() })
}
