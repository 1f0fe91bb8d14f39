//! The body of `POST /recipe/jwt` as it is written: members, their kinds, and the order in which they are refused (section 3.3).

use std::sync::Arc;

use jose::json::Limits;
use jose::jwa::SignatureAlgorithm;
use plan::{JsonRules, Map, Number, Text, Value, read_json};

use super::{Refusal, Version};

/// The largest NumericDate that every reader of JSON holds exactly: 2^53 - 1 seconds (RFC 7519 section 2).
const NUMERIC_DATE_MAX: i64 = (1 << 53) - 1;

/// Which of an app's keys signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The one that stays.
    Static,
    /// The one that rotates.
    Dynamic,
}

/// A token that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateJwt {
    /// The algorithm's name, in any case.
    pub algorithm: Text,
    /// `iss`, unless the payload has one.
    pub issuer: Text,
    /// The caller's claims.
    pub payload: Arc<Map>,
    /// Seconds from `iat` to `exp`, 1 to 2^53 - 1, unless the payload has an `exp`.
    pub validity_secs: i64,
    /// Which key signs.
    pub key: KeyKind,
}

impl KeyKind {
    /// Both, the one that signs by default first.
    pub const ALL: [KeyKind; 2] = [KeyKind::Static, KeyKind::Dynamic];

    /// What the `kid` of every key of this kind begins with.
    pub fn kid_prefix(self) -> &'static str {
        match self {
            KeyKind::Static => "s-",
            KeyKind::Dynamic => "d-",
        }
    }
}

impl CreateJwt {
    /// Reads a body as a request of this version means it.
    ///
    /// # Errors
    /// [`Refusal::Json`], then [`Refusal::Field`] for the first member that is not as it must be, then
    /// [`Refusal::Validity`], then [`Refusal::Field`] for the kind of key.
    pub fn read(body: &[u8], version: &Version) -> Result<CreateJwt, Refusal> {
        let Ok(Value::Map(members)) = read_json(body, Limits::REQUEST, JsonRules::Exact) else {
            return Err(Refusal::Json);
        };
        let algorithm = text(&members, "algorithm")?;
        let issuer = text(&members, "jwksDomain")?;
        let Some(Value::Map(payload)) = members.get("payload") else { return Err(Refusal::Field("payload")) };
        let validity_secs = validity_secs(&members).ok_or(Refusal::Field("validity"))?;
        if validity_secs <= 0 {
            return Err(Refusal::Validity);
        }
        let key = key_kind(&members, version)?;
        // A rotating key must stay published as long as its tokens live, so it has to know how long that is.
        if key == KeyKind::Dynamic && payload.get("exp").is_some_and(|exp| !is_numeric_date(exp)) {
            return Err(Refusal::Field("payload"));
        }
        Ok(CreateJwt { algorithm, issuer, payload: Arc::clone(payload), validity_secs, key })
    }

    /// The row of the algorithm that is asked for, if it is one of these.
    pub fn algorithm_among(&self, enabled: &[&'static SignatureAlgorithm]) -> Option<&'static SignatureAlgorithm> {
        enabled.iter().find(|row| row.name.eq_ignore_ascii_case(&self.algorithm)).copied()
    }
}

fn text(members: &Map, name: &'static str) -> Result<Text, Refusal> {
    match members.get(name) {
        Some(Value::Text(text)) => Ok(Text::clone(text)),
        _ => Err(Refusal::Field(name)),
    }
}

/// Truncated; digits as text count, too.
fn validity_secs(members: &Map) -> Option<i64> {
    let given = members.get("validity")?;
    let secs = match (given, given.as_text()) {
        (_, Some(digits)) => digits.parse().ok()?,
        (Value::Number(Number::Integer(secs)), None) => *secs,
        (Value::Number(number), None) => number.as_f64() as i64,
        (_, None) => return None,
    };
    (secs <= NUMERIC_DATE_MAX).then_some(secs)
}

fn key_kind(members: &Map, version: &Version) -> Result<KeyKind, Refusal> {
    const NAME: &str = "useStaticSigningKey";
    if !version.is_at_least(2, 21) {
        return Ok(KeyKind::Static);
    }
    match members.get(NAME) {
        None | Some(Value::Bool(true)) => Ok(KeyKind::Static),
        Some(Value::Bool(false)) => Ok(KeyKind::Dynamic),
        Some(_) => Err(Refusal::Field(NAME)),
    }
}

fn is_numeric_date(value: &Value) -> bool {
    matches!(value, Value::Number(number) if number.as_f64().abs() <= NUMERIC_DATE_MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#""algorithm":"RS256","jwksDomain":"https://a.example","payload":{},"validity":10"#;

    fn read(version: &str, body: &str) -> Result<CreateJwt, String> {
        let version = Version::parse(version).unwrap();
        CreateJwt::read(body.as_bytes(), &version).map_err(|refusal| refusal.text().into_owned())
    }

    fn refused(body: &str) -> String {
        read("5.4", body).unwrap_err()
    }

    fn field(name: &str) -> String {
        format!("Field name '{name}' is invalid in JSON input")
    }

    #[test]
    fn what_is_no_json_object_is_refused_as_a_whole() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        for body in ["", "{", "[]", "\"x\"", "nope", "null", "{\"a\":1}x", "\u{feff}{}", r#"{"a":1,"a":2}"#, &deep] {
            assert_eq!(refused(body), "Invalid Json Input", "{body}");
        }
    }

    #[test]
    fn the_first_member_that_is_wrong_is_named() {
        assert_eq!(refused("{}"), field("algorithm"));
        assert_eq!(refused(r#"{"algorithm":"x"}"#), field("jwksDomain"));
        assert_eq!(refused(r#"{"algorithm":"x","jwksDomain":"d"}"#), field("payload"));
        assert_eq!(refused(r#"{"algorithm":"x","jwksDomain":"d","payload":{}}"#), field("validity"));
        for wrong in ["null", "1", "true", "[]", r#"["RS256"]"#, "{}"] {
            let body = format!("{{{WHOLE}}}").replace("\"RS256\"", wrong);
            assert_eq!(refused(&body), field("algorithm"), "{wrong}");
        }
        for wrong in ["null", "1", "\"x\"", "[1,2]", "[{}]"] {
            assert_eq!(refused(&format!("{{{WHOLE}}}").replace("{}", wrong)), field("payload"), "{wrong}");
        }
        let later = format!("{{{WHOLE},\"useStaticSigningKey\":\"x\"}}");
        assert_eq!(refused(&later.replace(":10,", ":0,")), "validity must be greater than or equal to 0");
        assert_eq!(refused(&later), field("useStaticSigningKey"));
    }

    #[test]
    fn a_validity_is_truncated_and_may_be_digits() {
        let secs = |text: &str| read("5.4", &format!("{{{WHOLE}}}").replace("10", text)).map(|read| read.validity_secs);
        for (text, expected) in [("10.9", 10), ("\"1000\"", 1_000), ("1e3", 1_000), ("3153600000", 3_153_600_000)] {
            assert_eq!(secs(text), Ok(expected), "{text}");
        }
        assert_eq!(secs("9007199254740991"), Ok(NUMERIC_DATE_MAX));
        for zero in ["0", "-5", "0.5", "-0.5", "\"0\"", "-1e300", "\"-7\""] {
            assert_eq!(secs(zero).unwrap_err(), "validity must be greater than or equal to 0", "{zero}");
        }
        for wrong in
            ["null", "true", "\"\"", "\"x\"", "\"10.5\"", "\" 1\"", "[10]", "{}", "9007199254740992", "1e300", "1e20"]
        {
            assert_eq!(secs(wrong).unwrap_err(), field("validity"), "{wrong}");
        }
    }

    #[test]
    fn the_kind_of_key_is_read_from_version_2_21_on() {
        let kind = |version: &str, text: &str| {
            read(version, &format!("{{{WHOLE},\"useStaticSigningKey\":{text}}}")).map(|r| r.key)
        };
        for (version, text, expected) in [
            ("2.9", "false", KeyKind::Static),
            ("2.20", "\"x\"", KeyKind::Static),
            ("2.21", "false", KeyKind::Dynamic),
            ("5.4", "false", KeyKind::Dynamic),
            ("5.4", "true", KeyKind::Static),
        ] {
            assert_eq!(kind(version, text), Ok(expected), "{version} {text}");
        }
        assert_eq!(read("5.4", &format!("{{{WHOLE}}}")).unwrap().key, KeyKind::Static);
        for wrong in ["null", "\"true\"", "0", "1", "[]", "[true]", "{}"] {
            assert_eq!(kind("5.4", wrong).unwrap_err(), field("useStaticSigningKey"), "{wrong}");
        }
    }

    #[test]
    fn a_rotating_key_signs_only_what_ends() {
        let with = |key: bool, exp: &str| {
            let payload = format!("{{\"exp\":{exp}}}");
            read("5.4", &format!("{{{WHOLE},\"useStaticSigningKey\":{key}}}").replace("{}", &payload)).map(drop)
        };
        for exp in ["null", "\"1\"", "[]", "9007199254740992", "1e300"] {
            assert_eq!(with(false, exp).unwrap_err(), field("payload"), "{exp}");
            assert_eq!(with(true, exp), Ok(()), "{exp}");
        }
        for exp in ["1", "1700000000.5", "-5"] {
            assert_eq!(with(false, exp), Ok(()), "{exp}");
        }
    }

    #[test]
    fn an_algorithm_is_found_in_any_case_and_only_among_those_enabled() {
        let rs256 = SignatureAlgorithm::by_name("RS256").unwrap();
        let found = |name: &str| {
            let body = format!("{{{WHOLE}}}").replace("RS256", name);
            read("5.4", &body).unwrap().algorithm_among(&[rs256]).map(|row| row.name)
        };
        assert_eq!((found("RS256"), found("rs256")), (Some("RS256"), Some("RS256")));
        for other in ["rs512", "HS256", "none", "", "ES256"] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
