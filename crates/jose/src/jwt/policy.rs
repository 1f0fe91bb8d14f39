//! What a reader asks of claims (RFC 7519 section 4.1, RFC 8725 section 3), and the first thing that is not so.

use super::{NumericDate, claims, companions};
use crate::{
    Error,
    json::{Object, Value},
};

/// Most seconds that clocks may differ.
pub const LEEWAY_SECS_MAX: u64 = 300;
/// Most octets of a `jti`.
pub const JTI_BYTES_MAX: usize = 256;

/// Seconds by which clocks may differ, at most [`LEEWAY_SECS_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leeway {
    secs: u64,
}

impl Leeway {
    /// So many seconds.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond [`LEEWAY_SECS_MAX`].
    pub fn from_secs(secs: u64) -> Result<Self, Error> {
        if secs > LEEWAY_SECS_MAX {
            let max = usize::try_from(LEEWAY_SECS_MAX).expect("300 fits");
            return Err(Error::TooLarge { what: "the leeway", max, unit: "seconds" });
        }
        Ok(Self { secs })
    }
}

/// Whether a token must say when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpRule {
    /// A token without `exp` is refused.
    #[default]
    Required,
    /// A token without `exp` never expires; `exp` that is there counts.
    Optional,
}

/// What `iat` means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IatRule {
    /// A token from the future is refused.
    #[default]
    NotAhead,
    /// `iat` is not looked at, unless [`Policy::max_age_secs`] asks for it.
    Ignored,
}

/// What a reader asks of claims. One policy for each kind of token, so that none passes for another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The issuers that are taken, compared exactly; empty: any.
    pub issuers: Vec<String>,
    /// The audiences of which the token must name one, compared exactly; empty: any, or none.
    pub audiences: Vec<String>,
    /// The one subject that is taken.
    pub subject: Option<String>,
    /// The one `jti` that is taken.
    pub jwt_id: Option<String>,
    /// `typ` of the header, compared without `application/` and case.
    pub typ: Option<String>,
    /// Claims that must be there, whatever they say.
    pub required: Vec<String>,
    /// Whether `exp` must be there.
    pub exp: ExpRule,
    /// Whether `iat` is held against the clock.
    pub iat: IatRule,
    /// How far clocks may differ.
    pub leeway: Leeway,
    /// The oldest token that is taken, in seconds from `iat`.
    pub max_age_secs: Option<u64>,
}

impl Policy {
    /// Reads the claims of a payload and checks them. `typ` is that of the header.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::WrongType`], [`Error::Unsupported`] for what says little alone (SD-JWT, DPoP), [`Error::ClaimMissing`], [`Error::ClaimType`],
    /// [`Error::Expired`], [`Error::NotYet`], [`Error::Issuer`], [`Error::Audience`], [`Error::TooLarge`].
    pub fn validate(&self, typ: Option<&str>, payload: &[u8], now: NumericDate) -> Result<Object, Error> {
        self.check_typ(typ)?;
        let claims = claims(payload)?;
        companions::refuse(typ, &claims)?;
        self.check(&claims, now)?;
        Ok(claims)
    }

    /// Checks claims that were already read.
    ///
    /// # Errors
    /// As [`Self::validate`].
    pub fn check(&self, claims: &Object, now: NumericDate) -> Result<(), Error> {
        let claims = Claims(claims);
        self.check_times(&claims, now)?;
        self.check_audience(&claims)?;
        self.check_issuer(&claims)?;
        let subject = claims.text("sub")?;
        let jwt_id = claims.text("jti")?;
        if jwt_id.is_some_and(|id| id.len() > JTI_BYTES_MAX) {
            return Err(Error::TooLarge { what: "claim `jti`", max: JTI_BYTES_MAX, unit: "octets" });
        }
        exactly(self.subject.as_deref(), subject, "sub")?;
        exactly(self.jwt_id.as_deref(), jwt_id, "jti")?;
        match self.required.iter().find(|name| claims.0.get(name).is_none()) {
            Some(name) => Err(missing(name)),
            None => Ok(()),
        }
    }

    fn check_typ(&self, found: Option<&str>) -> Result<(), Error> {
        match &self.typ {
            Some(wanted) if !found.is_some_and(|found| same_media_type(found, wanted)) => {
                Err(Error::WrongType { member: "typ" })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_times(&self, claims: &Claims<'_>, now: NumericDate) -> Result<(), Error> {
        let leeway = self.leeway.secs;
        let nbf = claims.date("nbf")?;
        let exp = claims.date("exp")?;
        if nbf.is_some_and(|nbf| nbf > now.plus_secs(leeway)) {
            return Err(Error::NotYet { claim: "nbf" });
        }
        match exp {
            None if self.exp == ExpRule::Required => return Err(missing("exp")),
            Some(exp) if now >= exp.plus_secs(leeway) => {
                return Err(Error::Expired { claim: "exp" });
            }
            Some(_) | None => {}
        }
        if self.iat == IatRule::NotAhead && claims.date("iat")?.is_some_and(|iat| iat > now.plus_secs(leeway)) {
            return Err(Error::NotYet { claim: "iat" });
        }
        let Some(max_age_secs) = self.max_age_secs else {
            return Ok(());
        };
        let iat = claims.date("iat")?.ok_or_else(|| missing("iat"))?;
        let ended = now >= iat.plus_secs(max_age_secs).plus_secs(leeway);
        if ended { Err(Error::Expired { claim: "iat" }) } else { Ok(()) }
    }

    fn check_issuer(&self, claims: &Claims<'_>) -> Result<(), Error> {
        let issuer = claims.text("iss")?;
        if self.issuers.is_empty() {
            return Ok(());
        }
        let issuer = issuer.ok_or_else(|| missing("iss"))?;
        if self.issuers.iter().any(|known| known == issuer) { Ok(()) } else { Err(Error::Issuer) }
    }

    fn check_audience(&self, claims: &Claims<'_>) -> Result<(), Error> {
        let audiences = claims.audiences()?;
        let named = audiences.iter().any(|found| self.audiences.iter().any(|known| known == found));
        if self.audiences.is_empty() || named { Ok(()) } else { Err(Error::Audience) }
    }
}

/// Registered claims by their types; one of another type is an error, never absent.
struct Claims<'a>(&'a Object);

impl<'a> Claims<'a> {
    fn date(&self, name: &'static str) -> Result<Option<NumericDate>, Error> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let date = value.as_number().and_then(NumericDate::parse);
        date.map(Some).ok_or_else(|| claim_type(name, "a number of seconds from 0 to 2^53 - 1"))
    }

    fn text(&self, name: &'static str) -> Result<Option<&'a str>, Error> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        value.as_text().map(Some).ok_or_else(|| claim_type(name, "a text"))
    }

    fn audiences(&self) -> Result<Vec<&'a str>, Error> {
        let texts = match self.0.get("aud") {
            None => Some(Vec::new()),
            Some(Value::Text(text)) => Some(vec![text.as_str()]),
            Some(Value::Array(elements)) => elements.iter().map(Value::as_text).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => None,
        };
        texts.ok_or_else(|| claim_type("aud", "a text or an array of texts"))
    }
}

/// Media types without `application/`, in any case (RFC 8725 section 3.11, RFC 7515 section 4.1.9).
pub(crate) fn same_media_type(left: &str, right: &str) -> bool {
    short(left).eq_ignore_ascii_case(short(right))
}

/// The prefix goes only from a name without another slash, as RFC 7515 has it.
fn short(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => media_type,
    }
}

fn exactly(wanted: Option<&str>, found: Option<&str>, claim: &'static str) -> Result<(), Error> {
    match (wanted, found) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(missing(claim)),
        (Some(wanted), Some(found)) if wanted == found => Ok(()),
        (Some(_), Some(_)) => Err(Error::WrongType { member: claim }),
    }
}

fn missing(claim: &str) -> Error {
    Error::ClaimMissing { claim: claim.to_owned().into() }
}

fn claim_type(claim: &'static str, expected: &'static str) -> Error {
    Error::ClaimType { claim: claim.into(), expected }
}
