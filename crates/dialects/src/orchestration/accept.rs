//! Requests into messages: who calls, and the variables that a call brings along (section 8).

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use jose::json::Limits;
use percent_encoding::percent_decode_str;
use plan::{JsonRules, Map, SecretRef, Text, Value, read_json};
use subtle::ConstantTimeEq as _;

use super::render::problem;
use super::route::{Authentication, Endpoint};

/// Where a caller sends its key.
const KEY_HEADER: &str = "x-api-key";

/// What is known of a request beside the request.
pub struct Around<'a> {
    /// The id of the run.
    pub run: &'a str,
    /// Looks a secret up.
    pub secret: &'a dyn Fn(&SecretRef) -> Option<String>,
}

/// Makes a message of a request to this endpoint, whose path has these parameters.
///
/// # Errors
/// The answer to a caller that may not call, or to a body that cannot be read.
pub fn accept(
    endpoint: &Endpoint,
    parameters: Vec<(String, String)>,
    request: &Request<Bytes>,
    around: &Around<'_>,
) -> Result<Value, Box<Response<Bytes>>> {
    if !may_call(&endpoint.authentication, request.headers(), around) {
        return Err(Box::new(problem(401, "unauthorized", "A valid key is needed to call this flow.")));
    }
    let body = body(request.headers(), request.body())?;
    let query = pairs(request.uri().query().unwrap_or_default());
    let roots = [
        ("method", Value::text(request.method().as_str())),
        ("path", Value::text(request.uri().path())),
        ("params", texts(parameters)),
        ("query", texts(query)),
        ("headers", headers(request.headers())),
        ("cookies", texts(cookies(request.headers()))),
        ("body", body),
    ];
    let mut flow: Map = endpoint.facts.iter().cloned().collect();
    flow.insert("run_id".into(), Value::text(around.run));
    flow.insert("request".into(), Value::map(roots));
    Ok(Value::map([("flow", flow.into())]))
}

fn may_call(authentication: &Authentication, headers: &HeaderMap, around: &Around<'_>) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (sent, secret) = match authentication {
        Authentication::Open => return true,
        Authentication::ApiKey(secret) => (header(KEY_HEADER), secret),
        Authentication::Bearer(secret) => {
            let sent = header(header::AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
            (sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim()), secret)
        }
    };
    let (Some(sent), Some(kept)) = (sent, (around.secret)(secret)) else { return false };
    let kept = kept.trim();
    !kept.is_empty() && bool::from(sent.as_bytes().ct_eq(kept.as_bytes()))
}

/// The body: the value of JSON, the members of a form, text, or octets; undefined if there is none.
fn body(headers: &HeaderMap, octets: &Bytes) -> Result<Value, Box<Response<Bytes>>> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if octets.is_empty() {
        return Ok(Value::Undefined);
    }
    if kind.contains("json") {
        return read_json(octets, Limits::REQUEST, JsonRules::Exact).map_err(|error| {
            let text = format!("The body is no JSON that can be read: {error}.");
            Box::new(problem(400, "body_invalid", &text))
        });
    }
    Ok(match std::str::from_utf8(octets) {
        Ok(text) if kind.starts_with("application/x-www-form-urlencoded") => texts(pairs(text)),
        Ok(text) => Value::text(text),
        Err(_) => Value::Bytes(octets.to_vec().into()),
    })
}

/// The headers by their names in small letters; several of one name are one, with commas.
fn headers(headers: &HeaderMap) -> Value {
    let joined = |name: &header::HeaderName| {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        Value::text(values.join(", "))
    };
    headers.keys().map(|name| (Text::from(name.as_str()), joined(name))).collect::<Map>().into()
}

fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned())).collect()
}

/// The names and values of a query or a form.
fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Texts by name, the first of each.
fn texts(pairs: Vec<(String, String)>) -> Value {
    let mut map = Map::new();
    for (name, value) in pairs {
        if map.get(&name).is_none() {
            map.insert(name.into(), Value::text(value));
        }
    }
    map.into()
}
