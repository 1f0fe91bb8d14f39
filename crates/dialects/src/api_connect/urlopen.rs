//! What a script asks with `urlopen`, made a request, and what comes of it, as the script's callback gets it (section 11).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use plan::ecmascript::text_of;
use plan::{Map, Value};

use super::served::Api;
use crate::outward::{Failure, Reply, Request};

/// The longest that an answer is waited for, in milliseconds; also the time if the script names none.
const TOTAL_MS_MAX: u64 = 60_000;

impl Api {
    /// The request of a wish that a script of this API has told: `{url, method, headers, body, timeout}`, the last in
    /// milliseconds. It may go where an `invoke` may, and follows no redirect.
    ///
    /// # Errors
    /// What about the wish cannot be sent.
    pub fn wished(&self, wish: &Value) -> Result<Request, String> {
        let nothing = Map::new();
        let wish = wish.as_map().unwrap_or(&nothing);
        let text = |name: &str| wish.get(name).map(text_of).unwrap_or_default();
        let method =
            Method::from_bytes(text("method").as_bytes()).map_err(|_| "`method` names no method".to_owned())?;
        let has_body = !matches!(method, Method::GET | Method::HEAD | Method::TRACE);
        let body = match wish.get("body") {
            Some(Value::Bytes(octets)) if has_body => Some(Bytes::copy_from_slice(octets)),
            _ => None,
        };
        let timeout = text("timeout").parse::<f64>().ok().filter(|ms| *ms >= 1.0);
        Ok(Request {
            method,
            url: text("url"),
            headers: headers(wish.get("headers"))?,
            body,
            follows: false,
            inflates: true,
            total_ms: Some(timeout.map_or(TOTAL_MS_MAX, |ms| (ms as u64).min(TOTAL_MS_MAX))),
            hosts: Some(Arc::clone(&self.hosts)),
        })
    }
}

/// What came back, as the surface takes it: `{statusCode, reasonPhrase, headers, body}`.
///
/// # Errors
/// Why nothing did.
pub fn granted(outcome: Result<Reply, Failure>) -> Result<Value, String> {
    let reply = outcome.map_err(|failure| failure.to_string())?;
    let mut headers = Map::new();
    for name in reply.headers.keys() {
        let lines = reply.headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
        headers.insert(name.as_str().into(), Value::text(lines.collect::<Vec<_>>().join(", ")));
    }
    Ok(Value::map([
        ("statusCode", Value::integer(reply.status.as_u16().into())),
        ("reasonPhrase", Value::text(reply.status.canonical_reason().unwrap_or_default())),
        ("headers", headers.into()),
        ("body", Value::Bytes(reply.body.to_vec().into())),
    ]))
}

fn headers(named: Option<&Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in named.and_then(Value::as_map).into_iter().flat_map(Map::iter) {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(&**name), HeaderValue::try_from(text_of(value))) else {
            return Err(format!("the header `{name}` cannot be sent"));
        };
        headers.insert(name, value);
    }
    Ok(headers)
}
