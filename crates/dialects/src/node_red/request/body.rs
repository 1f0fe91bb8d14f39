//! The body of a request, and what of a payload goes into its query.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::Method;
use plan::ecmascript::text_of;
use plan::{Fault, FaultKind, Map, Parts, Value, write_json};

use super::PayloadOfGet;
use super::headers::Headers;
use crate::node_red::accept::percent::encode_component;

/// How a boundary begins.
const BOUNDARY: &str = "--------------------------";

/// The body that a payload makes, if any; members of a payload may go into the query of `url` instead.
///
/// # Errors
/// The payload cannot be written.
pub(super) fn of(
    method: &Method,
    payload: &Value,
    of_get: PayloadOfGet,
    headers: &mut Headers,
    url: &mut String,
) -> Result<Option<Bytes>, Fault> {
    if payload.is_undefined() {
        return Ok(None);
    }
    if method == Method::GET {
        return match of_get {
            PayloadOfGet::Ignored => Ok(None),
            PayloadOfGet::Query => into_query(payload, url).map(|()| None),
            PayloadOfGet::Body => Ok(Some(octets(payload)?)),
        };
    }
    if method == Method::HEAD {
        return Ok(None);
    }
    match (headers.get("content-type"), payload) {
        (Some("multipart/form-data"), payload) if is_object(payload) => Ok(Some(form(payload, headers)?)),
        (_, Value::Text(_) | Value::Bytes(_) | Value::Number(_)) => Ok(Some(octets(payload)?)),
        (Some("application/x-www-form-urlencoded"), payload) => Ok(Some(query(payload).into())),
        (kind, payload) => {
            if kind.is_none() {
                headers.put("Content-Type", "application/json");
            }
            Ok(Some(octets(payload)?))
        }
    }
}

/// Texts, octets and numbers as they are, everything else as JSON.
fn octets(payload: &Value) -> Result<Bytes, Fault> {
    if let Value::Bytes(octets) = payload {
        return Ok(Bytes::copy_from_slice(octets));
    }
    let is_text = matches!(payload, Value::Text(_) | Value::Number(_));
    if is_text { Ok(text_of(payload).into()) } else { json(payload) }
}

fn json(value: &Value) -> Result<Bytes, Fault> {
    let mut out = Vec::new();
    match write_json(&mut out, value) {
        Ok(true) => Ok(out.into()),
        Ok(false) => Err(Fault::new(FaultKind::ValueUnfit, "TypeError: A payload cannot be a function.")),
        Err(why) => Err(Fault::new(FaultKind::ValueUnfit, format!("TypeError: The payload cannot be sent: {why}."))),
    }
}

fn into_query(payload: &Value, url: &mut String) -> Result<(), Fault> {
    if !is_object(payload) {
        return Err(Fault::new(FaultKind::ValueUnfit, "Invalid payload"));
    }
    if !url.contains('?') {
        url.push('?');
    } else if !url.ends_with('?') {
        url.push('&');
    }
    url.push_str(&query(payload));
    Ok(())
}

/// `querystring.stringify`: lists repeat their name, and what is neither text, number nor boolean is empty.
fn query(payload: &Value) -> String {
    let mut pairs = Vec::new();
    let mut member = |name: &str, value: &Value| {
        let mut pair =
            |value: &Value| pairs.push(format!("{}={}", encode_component(name), encode_component(&primitive(value))));
        if let Value::List(items) = value { items.iter().for_each(&mut pair) } else { pair(value) }
    };
    match payload.parts() {
        Parts::Map(map) => map.iter().for_each(|(name, value)| member(name, value)),
        Parts::List(items) => items.iter().enumerate().for_each(|(at, item)| member(&at.to_string(), item)),
        Parts::None => {}
    }
    pairs.join("&")
}

fn primitive(value: &Value) -> String {
    let is_finite = value.as_number().is_none_or(|number| number.as_f64().is_finite());
    if value.is_scalar() && is_finite { text_of(value) } else { String::new() }
}

/// A form with a part for each member of the payload (RFC 7578).
fn form(payload: &Value, headers: &mut Headers) -> Result<Bytes, Fault> {
    let parts = payload.as_map().into_iter().flat_map(Map::iter);
    let parts = parts.filter(|(_, value)| !matches!(value, Value::Undefined | Value::Null));
    let parts: Vec<(String, Bytes)> = parts.map(|(name, value)| part(name, value)).collect::<Result<_, _>>()?;
    // A part cannot hold a boundary that is made from all of them.
    let all: Vec<u8> = parts.iter().flat_map(|(head, body)| head.bytes().chain(body.iter().copied())).collect();
    let boundary = digest(&SHA256, &all).as_ref()[..12].iter().fold(BOUNDARY.to_owned(), |mut boundary, octet| {
        let _ = write!(boundary, "{octet:02x}");
        boundary
    });
    let mut out = Vec::new();
    for (head, body) in parts {
        out.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        out.extend_from_slice(&body);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    headers.put("content-type", &format!("multipart/form-data; boundary={boundary}"));
    Ok(out.into())
}

fn part(name: &str, value: &Value) -> Result<(String, Bytes), Fault> {
    let described = value.as_map().and_then(|map| map.get("value"));
    let options = value.as_map().filter(|_| described.is_some()).and_then(|map| map.get("options")?.as_map());
    let option = |name: &str| options.and_then(|options| options.get(name)).map(text_of);
    let body = octets(described.unwrap_or(value))?;
    let mut head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
    if let Some(filename) = option("filename") {
        let _ = write!(head, "; filename=\"{}\"", quoted(&filename));
    }
    let is_octets = matches!(described.unwrap_or(value), Value::Bytes(_));
    let kind = option("contentType").or_else(|| is_octets.then(|| "application/octet-stream".to_owned()));
    if let Some(kind) = kind {
        let _ = write!(head, "\r\nContent-Type: {}", kind.replace(['\r', '\n'], " "));
    }
    Ok((head, body))
}

/// A name that stays within its quotes (WHATWG HTML, "multipart/form-data encoding algorithm").
fn quoted(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

fn is_object(value: &Value) -> bool {
    match value {
        Value::Null | Value::Map(_) | Value::List(_) | Value::Bytes(_) | Value::Date(_) | Value::Handle(_) => true,
        Value::Undefined | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unencodable(_) => false,
    }
}
