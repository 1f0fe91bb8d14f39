//! The cookies of a request: those of its `cookie` header and those of the message, and those that come back.

use http::HeaderMap;
use http::header::SET_COOKIE;
use plan::ecmascript::text_of;
use plan::{Fault, FaultKind, Map, Text, Value};

use super::headers::Headers;
use crate::node_red::accept::is_token;
use crate::node_red::accept::percent::{decode_component, encode_component};

/// Puts the cookies of the message beside those that the headers have already.
///
/// # Errors
/// A name that no cookie can have.
pub(super) fn put(headers: &mut Headers, cookies: &Value) -> Result<(), Fault> {
    let mut jar: Vec<(String, String)> = Vec::new();
    let mut keep = |name: String, value: String| match jar.iter_mut().find(|(known, _)| *known == name) {
        Some((_, kept)) => *kept = value,
        None => jar.push((name, value)),
    };
    for pair in headers.get("cookie").unwrap_or_default().split(';') {
        if let Some((name, value)) = pair.split_once('=') {
            keep(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    for (name, cookie) in cookies.as_map().into_iter().flat_map(Map::iter) {
        let held = cookie.as_map().map_or(cookie, |options| options.get("value").unwrap_or(&Value::Undefined));
        if matches!(held, Value::Null) {
            continue;
        }
        if !is_token(name) {
            return Err(Fault::new(FaultKind::FetchFailed, format!("TypeError: argument name is invalid: {name}")));
        }
        let as_it_is = cookie.as_map().and_then(|options| options.get("encode")) == Some(&Value::Bool(false));
        let text = text_of(held);
        keep(name.to_string(), if as_it_is { text } else { encode_component(&text) });
    }
    let line: Vec<String> = jar.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    headers.put("cookie", &line.join("; "));
    Ok(())
}

/// The cookies that an answer sets, by name, each with its attributes; none if it sets none.
pub(super) fn set_by(headers: &HeaderMap) -> Option<Value> {
    let lines: Vec<String> = headers.get_all(SET_COOKIE).iter().map(crate::node_red::received::text).collect();
    (!lines.is_empty()).then(|| Map::from_iter(lines.iter().filter_map(|line| cookie(line))).into())
}

fn cookie(line: &str) -> Option<(Text, Value)> {
    let name = line.split_once('=')?.0.trim();
    let mut pairs = Map::new();
    for pair in line.split(';') {
        let Some((key, value)) = pair.split_once('=') else { continue };
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value);
        if pairs.get(key.trim()).is_none() {
            let value = decode_component(value).unwrap_or_else(|| value.to_owned());
            pairs.insert(key.trim().into(), Value::Text(value.into()));
        }
    }
    let value = pairs.remove(name).unwrap_or_default();
    pairs.insert("value".into(), value);
    (!name.is_empty()).then(|| (name.into(), pairs.into()))
}
