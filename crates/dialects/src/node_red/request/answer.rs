//! What comes back from outside, as it stands in the message.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};
use jose::json::Limits;
use plan::{Fault, FaultKind, Fetched, JsonRules, Map, Text, Value, read_json};

use super::{Returns, Sent, cookies, status, sum};
use crate::node_red::received;
use crate::outward::{Failure, Reply};

/// The message with the reply in it.
pub(super) fn reply(sent: Sent, reply: Reply) -> Fetched {
    let Sent { mut message, mut warnings, returns, .. } = sent;
    let set_cookies = cookies::set_by(&reply.headers);
    let mut headers = headers(&reply.headers);
    sum::mark(&mut headers);
    let (payload, is_broken) = payload(&reply, returns);
    if is_broken {
        warnings.push("JSON parse error".into());
    }
    let hops = reply.hops.iter().map(hop).collect();
    let mut members = vec![
        ("statusCode", Value::integer(reply.status.as_u16().into())),
        ("headers", headers.into()),
        ("responseUrl", Value::Text(reply.url.into())),
        ("payload", payload),
        ("redirectList", Value::list(hops)),
        ("retry", Value::integer(0)),
    ];
    members.extend(set_cookies.map(|cookies| ("responseCookies", cookies)));
    put(&mut message, members);
    Fetched { warnings, status: Value::map::<&str>([]), message: Some(message), ..Fetched::default() }
}

/// What is raised for a request that failed, and the message that says so unless errors are all that is wanted.
pub(super) fn failure(sent: Sent, failure: &Failure) -> Fetched {
    let Sent { mut message, warnings, url, only_errors, .. } = sent;
    let (class, text, code) = words(failure);
    let told = if code == TIMED_OUT { "no response from server".to_owned() } else { format!("{class}: {text}") };
    let shown = if code == TIMED_OUT { "common.notification.errors.no-response" } else { code };
    let mut fault = Fault::new(FaultKind::FetchFailed, told);
    if code != TIMED_OUT {
        fault = fault.with_code(code);
    }
    put(
        &mut message,
        vec![("payload", Value::Text(format!("{class}: {text} : {url}").into())), ("statusCode", Value::text(code))],
    );
    let message = (!only_errors).then_some(message);
    Fetched { warnings, fault: Some(fault), faulty: None, status: status("red", "ring", shown), message }
}

/// The code of a request that took too long.
const TIMED_OUT: &str = "ETIMEDOUT";

/// The class, text and code of the error that a failure is there.
fn words(failure: &Failure) -> (&'static str, String, &'static str) {
    let plain = "RequestError";
    match failure {
        Failure::Url(_) => (plain, "Invalid URL".to_owned(), "ERR_INVALID_URL"),
        Failure::Denied { .. } | Failure::Unnamed { .. } => (plain, failure.to_string(), "ERR_FETCH_DENIED"),
        Failure::Unresolved { host } => (plain, format!("getaddrinfo ENOTFOUND {host}"), "ENOTFOUND"),
        Failure::ConnectTimeout => (plain, format!("connect {TIMED_OUT}"), TIMED_OUT),
        Failure::ConnectionRefused(address) => (plain, format!("connect ECONNREFUSED {address}"), "ECONNREFUSED"),
        Failure::Connect(why) => (plain, why.clone(), "ERR_FETCH_CONNECT"),
        Failure::Closed => (plain, "socket hang up".to_owned(), "ECONNRESET"),
        Failure::Cut => ("ReadError", "The server aborted pending request".to_owned(), "ECONNRESET"),
        Failure::Malformed(why) if why.contains("version") => {
            (plain, "Parse Error: Expected HTTP/, RTSP/ or ICE/".to_owned(), "HPE_INVALID_CONSTANT")
        }
        Failure::Malformed(why) => (plain, format!("Parse Error: {why}"), "HPE_INVALID_HEADER_TOKEN"),
        Failure::Body(_) => ("ReadError", failure.to_string(), "ERR_READING_RESPONSE_STREAM"),
        Failure::BodyTooLarge { .. } => ("ReadError", failure.to_string(), "ERR_FETCH_BODY_TOO_LARGE"),
        Failure::Redirects(most) => {
            ("MaxRedirectsError", format!("Redirected {most} times. Aborting."), "ERR_TOO_MANY_REDIRECTS")
        }
        Failure::Timeout(total_ms) => {
            ("TimeoutError", format!("Timeout awaiting 'request' for {total_ms}ms"), TIMED_OUT)
        }
        Failure::Busy => (plain, failure.to_string(), "ERR_FETCH_BUSY"),
    }
}

/// The payload, and whether it should have been JSON and is none.
fn payload(reply: &Reply, returns: Returns) -> (Value, bool) {
    let text = || Value::Text(String::from_utf8_lossy(&reply.body).into());
    match returns {
        Returns::Octets => (Value::Bytes(reply.body.to_vec().into()), false),
        Returns::Text => (text(), false),
        Returns::Value if reply.status == StatusCode::NO_CONTENT => (Value::map::<&str>([]), false),
        Returns::Value => match read_json(&reply.body, Limits::REQUEST, JsonRules::Ecmascript) {
            Ok(value) => (value, false),
            Err(_) => (text(), true),
        },
    }
}

/// The headers of a reply as Node.js shows them.
fn headers(reply: &HeaderMap) -> Map {
    reply.keys().map(|name| (name.as_str().into(), received::joined(reply, name))).collect()
}

fn hop(headers: &HeaderMap) -> Value {
    let mut hop = Map::new();
    let location = headers.get(header::LOCATION).map(|value| Value::Text(received::text(value).into()));
    hop.insert("location".into(), location.unwrap_or_default());
    if let Some(cookies) = cookies::set_by(headers) {
        hop.insert("cookies".into(), cookies);
    }
    hop.into()
}

/// Sets members of the message itself.
fn put(message: &mut Value, members: Vec<(&str, Value)>) {
    if let Value::Map(map) = message {
        let map = Arc::make_mut(map);
        for (name, value) in members {
            map.insert(Text::from(name), value);
        }
    }
}
