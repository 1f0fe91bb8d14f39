//! Sets of keys (RFC 7517 section 5): public ones to verify with, and one private key out of a file of several.

use zeroize::Zeroizing;

use super::{Jwk, PublicJwk, read};
use crate::{
    Error,
    json::{Limits, Object, Value},
    private::PrivateJwk,
};

/// Most octets of a set.
pub const JWKS_IN_BYTES_MAX: usize = 256 * 1024;
/// Most keys of a set.
pub const JWKS_IN_KEYS_MAX: usize = 256;

/// Public keys that belong together; no `kid` stands twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    /// The usable keys, in order.
    pub keys: Vec<PublicJwk>,
    /// The others, and why.
    pub skipped: Vec<Skipped>,
}

/// A key of a set that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Its `kid`, if that is a text.
    pub kid: Option<String>,
    /// Why it was passed over.
    pub reason: Error,
}

impl JwkSet {
    /// Reads a set of public keys. One that cannot be used is skipped and listed.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`JWKS_IN_BYTES_MAX`] or [`JWKS_IN_KEYS_MAX`], [`Error::Malformed`], and
    /// [`Error::KeyInvalid`] for a repeated `kid` and for private or symmetric keys among the public ones.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let tree = parse_tree(text)?;
        let keys = keys_of(&tree)?;
        refuse_repeated_kid(keys)?;
        let mut set = Self::default();
        for (index, key) in keys.iter().enumerate() {
            match key.as_object().map_or_else(|| Err(not_an_object()), read::from_object) {
                Ok(Jwk::Public(jwk)) => set.keys.push(jwk),
                Ok(Jwk::Private(_)) => return Err(private_among_public()),
                Err(_) if has_private_member(key) => return Err(private_among_public()),
                Err(reason) => set.skipped.push(Skipped { index, kid: kid_of(key).map(str::to_owned), reason }),
            }
        }
        Ok(set)
    }

    /// Appends the set as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"keys\":[");
        for (index, key) in self.keys.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            key.write(out);
        }
        out.extend_from_slice(b"]}");
    }

    /// Whether a text is a set, well-formed or not in its keys: an object with `keys` and without `kty`.
    #[must_use]
    pub fn is_in(text: &[u8]) -> bool {
        let tree = parse_tree(text);
        let object = tree.as_ref().ok().and_then(|tree| tree.as_object());
        object.is_some_and(|object| object.get("keys").is_some() && object.get("kty").is_none())
    }

    /// Reads the one key of `kid` out of a set that may hold private keys. Without `kid` the set must hold one key.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`Error::NoKey`] when none has this `kid`, or none is named and there are several.
    pub fn pick(text: &[u8], kid: Option<&str>) -> Result<Jwk, Error> {
        let tree = parse_tree(text)?;
        let keys = keys_of(&tree)?;
        refuse_repeated_kid(keys)?;
        let key = match (kid, keys) {
            (Some(kid), _) => {
                keys.iter().find(|key| kid_of(key) == Some(kid)).ok_or("the set has no key of this `kid`")
            }
            (None, [only]) => Ok(only),
            (None, _) => Err("the set holds several keys, or none; name one by its `kid`"),
        };
        let key = key.map_err(|why| Error::NoKey { why: why.into() })?;
        read::from_object(key.as_object().ok_or_else(not_an_object)?)
    }

    /// Reads every key of a set, public or private, each by itself.
    ///
    /// # Errors
    /// As [`Self::parse`] for the set; the error of one key is its own.
    pub fn each(text: &[u8]) -> Result<Vec<Result<Jwk, Error>>, Error> {
        let tree = parse_tree(text)?;
        let keys = keys_of(&tree)?;
        refuse_repeated_kid(keys)?;
        Ok(keys.iter().map(|key| read::from_object(key.as_object().ok_or_else(not_an_object)?)).collect())
    }

    /// Reads every key of a set that holds private or symmetric keys.
    ///
    /// # Errors
    /// As [`Self::parse`]; here no key is skipped.
    pub fn parse_private(text: &[u8]) -> Result<Vec<PrivateJwk>, Error> {
        let tree = parse_tree(text)?;
        let keys = keys_of(&tree)?;
        refuse_repeated_kid(keys)?;
        let read_private = |key: &Value| match read::from_object(key.as_object().ok_or_else(not_an_object)?)? {
            Jwk::Private(jwk) => Ok(jwk),
            Jwk::Public(_) => Err(Error::key_invalid("d", "is missing: this key is public")),
        };
        keys.iter().map(read_private).collect()
    }
}

fn parse_tree(text: &[u8]) -> Result<Zeroizing<Value>, Error> {
    if text.len() > JWKS_IN_BYTES_MAX {
        return Err(Error::TooLarge { what: "the key set", max: JWKS_IN_BYTES_MAX, unit: "octets" });
    }
    Ok(Zeroizing::new(Value::parse(text, Limits::REQUEST)?))
}

fn keys_of(tree: &Value) -> Result<&[Value], Error> {
    let keys = tree.as_object().and_then(|set| set.get("keys")).and_then(Value::as_array);
    let keys = keys.ok_or_else(|| Error::malformed("a JWK Set is an object with an array `keys`"))?;
    if keys.len() > JWKS_IN_KEYS_MAX {
        return Err(Error::TooLarge { what: "the key set", max: JWKS_IN_KEYS_MAX, unit: "keys" });
    }
    Ok(keys)
}

fn refuse_repeated_kid(keys: &[Value]) -> Result<(), Error> {
    let mut kids: Vec<&str> = keys.iter().filter_map(kid_of).collect();
    kids.sort_unstable();
    if kids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::key_invalid("kid", "stands at two keys of the set"));
    }
    Ok(())
}

fn kid_of(key: &Value) -> Option<&str> {
    key.as_object()?.get("kid")?.as_text()
}

fn has_private_member(key: &Value) -> bool {
    let has = |object: &Object| ["d", "k", "priv"].iter().any(|name| object.get(name).is_some());
    key.as_object().is_some_and(has)
}

fn not_an_object() -> Error {
    Error::malformed("a JWK is a JSON object")
}

fn private_among_public() -> Error {
    Error::key_invalid("keys", "hold a private or symmetric key, which has no place in a set of public keys")
}
