//! The JOSE header as it is read (RFC 7515 section 4): parsed once, members of known names checked for type.

use crate::{
    Error,
    json::{Limits, Object, Value},
    jwk::{KID_BYTES_MAX, PublicJwk},
    x509::{self, X5C_CERTIFICATES_MAX},
};

/// Most octets of a header, decoded.
pub const JOSE_HEADER_BYTES_MAX: usize = 8_192;

/// Every header member that RFC 7515, 7516, 7518 and 7797 define: none of them may stand in `crit`.
pub(crate) const STANDARD_MEMBERS: [&str; 19] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk", "apu",
    "apv", "iv", "tag", "p2s",
];

/// A JOSE header. Until a signature or tag over it holds, nothing in it may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoseHeader {
    members: Object,
}

impl JoseHeader {
    /// Reads a header from its JSON.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > JOSE_HEADER_BYTES_MAX {
            return Err(too_large());
        }
        match Value::parse(json, Limits::REQUEST)? {
            Value::Object(members) => Self::new(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Array(_) => {
                Err(Error::malformed("the JOSE header is no JSON object"))
            }
        }
    }

    /// Reads the base64url of a header; what would decode to more than the bound is refused undecoded.
    pub(crate) fn decode(text: &str) -> Result<Self, Error> {
        if text.len() > crate::base64url::encoded_len(JOSE_HEADER_BYTES_MAX) {
            return Err(too_large());
        }
        Self::parse(&crate::base64url::decode(text)?)
    }

    pub(crate) fn new(members: Object) -> Result<Self, Error> {
        let header = Self { members };
        for name in ["alg", "enc", "kid", "typ", "cty", "jku", "x5u", "x5t", "x5t#S256"] {
            header.check_text(name)?;
        }
        if header.kid().is_some_and(|kid| kid.len() > KID_BYTES_MAX) {
            return Err(Error::header("kid", format!("is longer than {KID_BYTES_MAX} octets")));
        }
        header.check_jwk()?;
        header.check_x5c()?;
        Ok(header)
    }

    /// Any member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// All members, in order.
    #[must_use]
    pub fn members(&self) -> &Object {
        &self.members
    }

    /// `kid`, opaque.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// `typ`, as written.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.text("typ")
    }

    /// `cty`, as written.
    #[must_use]
    pub fn cty(&self) -> Option<&str> {
        self.text("cty")
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_text()
    }

    /// A member that must be there; its type was checked when the header was read.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Error> {
        self.text(name).ok_or_else(|| Error::header(name, "is missing"))
    }

    /// The certificates of `x5c`, leaf first.
    pub(crate) fn x5c(&self) -> Result<Vec<Vec<u8>>, Error> {
        let Some(chain) = self.members.get("x5c") else {
            return Ok(Vec::new());
        };
        let chain = chain.as_array().filter(|chain| !chain.is_empty() && chain.len() <= X5C_CERTIFICATES_MAX);
        let decode = |value: &Value| base64_simd::STANDARD.decode_to_vec(value.as_text()?).ok();
        let decoded = chain.and_then(|chain| chain.iter().map(decode).collect::<Option<Vec<_>>>());
        decoded.ok_or_else(|| Error::header("x5c", "is no array of 1 to 8 base64 certificates"))
    }

    /// Checks `crit` (RFC 7515 section 4.1.11): texts, none twice, none standard, each understood and present.
    pub(crate) fn check_critical(&self, understood: &[String]) -> Result<(), Error> {
        let Some(critical) = self.members.get("crit") else {
            return match self.members.get("b64") {
                None | Some(Value::Bool(true)) => Ok(()),
                Some(_) => Err(Error::critical("`b64` must stand in it")),
            };
        };
        let names = critical.as_array().filter(|names| !names.is_empty());
        let names: Option<Vec<&str>> = names.and_then(|names| names.iter().map(Value::as_text).collect());
        let names = names.ok_or_else(|| Error::critical("it must be an array of one text or more"))?;
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Err(Error::critical("it names a member twice"));
            }
            if STANDARD_MEMBERS.contains(name) {
                return Err(Error::critical("it names a member that the standard defines"));
            }
            if !understood.iter().any(|known| known == name) {
                return Err(Error::critical("it names an extension that is not understood here"));
            }
            if self.members.get(name).is_none() {
                return Err(Error::critical("it names a member that is absent"));
            }
        }
        Ok(())
    }

    fn check_text(&self, name: &'static str) -> Result<(), Error> {
        match self.members.get(name) {
            None | Some(Value::Text(_)) => Ok(()),
            Some(_) => Err(Error::header(name, "is no text")),
        }
    }

    /// A `jwk` never becomes the key; but one that is private, or no key at all, shows a broken writer.
    fn check_jwk(&self) -> Result<(), Error> {
        let Some(jwk) = self.members.get("jwk") else {
            return Ok(());
        };
        let key = jwk.as_object().map(PublicJwk::from_object);
        match key {
            Some(Ok(_) | Err(Error::Unsupported { .. })) => Ok(()),
            Some(Err(_)) | None => Err(Error::header("jwk", "is no public key")),
        }
    }

    fn check_x5c(&self) -> Result<(), Error> {
        let chain = self.x5c()?;
        match (chain.first(), self.text("x5t#S256")) {
            (Some(leaf), Some(stated)) if x509::thumbprint(leaf) != stated => {
                Err(Error::header("x5t#S256", "is not that of the first certificate of `x5c`"))
            }
            _ => Ok(()),
        }
    }
}

fn too_large() -> Error {
    Error::TooLarge { what: "the JOSE header", max: JOSE_HEADER_BYTES_MAX, unit: "octets" }
}

/// The header of a JSON serialization: the protected one and those beside it, no name in two of them (RFC 7515
/// section 7.2.1). `protected_only` may not stand beside it.
pub(crate) fn joined(
    protected: &str,
    beside: &[Option<&Object>],
    protected_only: &[&'static str],
) -> Result<JoseHeader, Error> {
    let mut members = match protected {
        "" => Object::new(),
        text => JoseHeader::decode(text)?.members,
    };
    for (name, value) in beside.iter().flatten().flat_map(|object| object.iter()) {
        if let Some(name) = protected_only.iter().find(|only| **only == name) {
            return Err(match *name {
                "zip" => Error::header("zip", "must be protected"),
                name => Error::critical(format!("`{name}` must be protected")),
            });
        }
        if members.insert(name.to_owned(), value.clone()).is_some() {
            return Err(Error::header(name.to_owned(), "stands in two headers"));
        }
    }
    JoseHeader::new(members)
}
