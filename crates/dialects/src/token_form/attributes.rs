//! What a `JWT - Generator` saves of its token (contract section 5).

use jose::base64url;
use jose::json::Limits;
use jose::jwk::PublicJwk;
use plan::{Date, Fault, FaultKind, Function, JsonRules, Map, Number, Value, read_json};

use super::who::fault_of;

/// Everything that can be saved, in the order of the list.
pub(crate) const ATTRIBUTES: &[&str] = &[
    "token",
    "token_type",
    "header",
    "claims",
    "iat",
    "iss",
    "sub",
    "exp",
    "aud",
    "nbf",
    "jti",
    "issued_at",
    "expires_at",
    "expires_in",
    "kid",
    "alg",
    "typ",
    "encrypted",
    "nested",
    "jwe_header",
    "enc_alg",
    "enc",
    "enc_kid",
    "public_jwk",
    "jwk_thumbprint",
];
/// The longest token, in characters.
const TOKEN_CHARS_MAX: usize = 65_536;

/// A map of what the list in the third argument asks for of the token in the first, of which the second is known; the fourth
/// says whose it is.
pub(crate) const SAVED: Function = Function { name: "saved", run: saved };

fn saved(arguments: &[Value]) -> Result<Value, Fault> {
    let [Value::Text(token), known, Value::List(wanted), who] = arguments else { return Ok(Value::Undefined) };
    if token.len() > TOKEN_CHARS_MAX {
        let message = format!("token is larger than {TOKEN_CHARS_MAX} characters");
        return Err(fault_of(who, FaultKind::Oversized, "token.too_large", &message));
    }
    let all = all(token, known.as_map().unwrap_or(&Map::new()));
    let picked = wanted.iter().filter_map(Value::as_text).filter_map(|name| Some((name, all.get(name)?.clone())));
    Ok(Value::map(picked))
}

/// Every attribute that has a value.
fn all(token: &str, known: &Map) -> Map {
    let text = |name: &str| known.get(name).and_then(Value::as_text);
    let claims = text("claims").and_then(|claims| read(claims.as_bytes())).unwrap_or_default();
    let header = text("signed").map(header).unwrap_or_default();
    let is_encrypted = token.split('.').count() == 5;
    let outer = if is_encrypted { header_of(token) } else { Map::new() };
    let mut all = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            all.insert(name.into(), value);
        }
    };
    put("token", Some(Value::text(token)));
    put("token_type", Some(Value::text("Bearer")));
    put("header", Some(header.clone()).filter(|header| !header.is_empty()).map(Value::from));
    put("claims", Some(claims.clone().into()));
    for name in ["iat", "iss", "sub", "exp", "aud", "nbf", "jti"] {
        put(name, claims.get(name).cloned());
    }
    put("issued_at", claims.get("iat").and_then(instant));
    put("expires_at", claims.get("exp").and_then(instant));
    put("expires_in", seconds_between(&claims));
    for name in ["kid", "alg", "typ"] {
        put(name, header.get(name).cloned());
    }
    put("encrypted", Some(Value::Bool(is_encrypted)));
    put("nested", Some(Value::Bool(is_encrypted && !header.is_empty())));
    put("jwe_header", is_encrypted.then(|| outer.clone().into()));
    for (name, member) in [("enc_alg", "alg"), ("enc", "enc"), ("enc_kid", "kid")] {
        put(name, outer.get(member).cloned());
    }
    put("public_jwk", text("key").and_then(|key| read(key.as_bytes())).map(Value::from));
    put(
        "jwk_thumbprint",
        text("key").and_then(|key| PublicJwk::parse(key.as_bytes()).ok()).map(|key| Value::text(key.thumbprint())),
    );
    all
}

fn read(octets: &[u8]) -> Option<Map> {
    read_json(octets, Limits::CLAIMS, JsonRules::Exact).ok()?.as_map().cloned()
}

fn header(token: &str) -> Map {
    header_of(token)
}

fn header_of(token: &str) -> Map {
    let first = token.split('.').next().unwrap_or_default();
    base64url::decode(first).ok().and_then(|octets| read(&octets)).unwrap_or_default()
}

fn seconds(value: &Value) -> Option<i64> {
    if let Value::Number(Number::Integer(seconds)) = value { Some(*seconds) } else { None }
}

fn instant(value: &Value) -> Option<Value> {
    let epoch_ms = seconds(value)? as f64 * 1_000.0;
    Date { epoch_ms }.to_iso_text().map(Value::text)
}

fn seconds_between(claims: &Map) -> Option<Value> {
    let end = seconds(claims.get("exp")?)?;
    let start = seconds(claims.get("iat")?)?;
    end.checked_sub(start).map(Value::integer)
}
