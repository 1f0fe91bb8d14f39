//! What a `http-request` node asks of a server outside, made of what its message decides, and what becomes of the answer.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use jose::json::Limits;
use plan::{Fault, FaultKind, Fetched, JsonRules, Map, Value, read_json, write_json};

use crate::outward::{Failure, Reply, Request};
use crate::token_form::{Save, Who};

/// What can be saved of an answer.
pub(super) const ATTRIBUTES: &[&str] = &["body", "status", "headers", "url"];
/// The members of what a message decides.
pub(super) const URL: &str = "url";
pub(super) const HEADERS: &str = "headers";
pub(super) const DATA: &str = "data";

/// A `http-request` node.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    pub(super) method: Method,
    pub(super) follows: bool,
    pub(super) save: Save,
    pub(super) who: Who,
}

/// What is known of a request that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    node: HttpRequest,
    message: Value,
}

impl HttpRequest {
    /// Makes a request of a message. `to` is what was worked out for it.
    ///
    /// # Errors
    /// What comes of a message that no request can be made of.
    pub fn prepare(&self, to: &Value, message: &Value) -> Result<(Request, Sent), Box<Fetched>> {
        match self.request(to) {
            Ok(request) => Ok((request, Sent { node: self.clone(), message: message.clone() })),
            Err(fault) => Err(Box::new(Fetched { fault: Some(fault), ..Fetched::default() })),
        }
    }

    fn request(&self, to: &Value) -> Result<Request, Fault> {
        let member = |name: &str| to.as_map().and_then(|to| to.get(name)).cloned().unwrap_or_default();
        let (body, kind) = self.body(&member(DATA))?;
        let mut headers = self.headers(member(HEADERS).as_map().unwrap_or(&Map::new()))?;
        if let Some(kind) = kind {
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
        }
        Ok(Request {
            method: self.method.clone(),
            url: member(URL).as_text().unwrap_or_default().trim().to_owned(),
            headers,
            body,
            follows: self.follows,
            inflates: true,
            total_ms: None,
            hosts: None,
        })
    }

    fn headers(&self, wanted: &Map) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        for (name, value) in wanted.iter() {
            let bad = || self.fault("http.header", "headers", &format!("the header `{name}` holds what none may"));
            let value = HeaderValue::try_from(value.as_text().unwrap_or_default()).map_err(|_| bad())?;
            headers.append(HeaderName::try_from(&**name).map_err(|_| bad())?, value);
        }
        Ok(headers)
    }

    /// The octets that are sent, and their media type if the author names none.
    fn body(&self, data: &Value) -> Result<(Option<Bytes>, Option<&'static str>), Fault> {
        let member = |name: &str| data.as_map().and_then(|data| data.get(name));
        if let Some(text) = member("text").and_then(Value::as_text) {
            return Ok((Some(Bytes::copy_from_slice(text.as_bytes())), Some("text/plain; charset=utf-8")));
        }
        let Some(json) = member("json") else { return Ok((None, None)) };
        let mut out = Vec::new();
        match write_json(&mut out, json) {
            Ok(true) => Ok((Some(out.into()), Some("application/json"))),
            Ok(false) | Err(_) => Err(self.fault("http.data", "data/json", "a variable holds what JSON cannot")),
        }
    }

    fn fault(&self, code: &str, field: &str, why: &str) -> Fault {
        self.who.fault(FaultKind::FetchFailed, code, field, why)
    }
}

impl Sent {
    /// What comes of the message now that an answer is there, or the request has failed. An answer is saved whatever its
    /// status is; one of 400 and more is a fault.
    pub fn answered(self, outcome: Result<Reply, Failure>) -> Fetched {
        let Self { node, mut message } = self;
        match outcome {
            Ok(reply) => {
                let status = reply.status;
                node.save.write(&mut message, &attributes(reply));
                if status.as_u16() < 400 {
                    return Fetched { message: Some(message), ..Fetched::default() };
                }
                let fault = node.fault("http.status", "url", &format!("the server answered {}", status.as_u16()));
                Fetched { fault: Some(fault), faulty: Some(message), ..Fetched::default() }
            }
            // The failure names hosts, which may stand in a variable: that is for the log.
            Err(failure) => {
                let (code, why) = told(&failure);
                let warnings = vec![failure.to_string().into()];
                Fetched { warnings, fault: Some(node.fault(code, "url", why)), ..Fetched::default() }
            }
        }
    }
}

fn told(failure: &Failure) -> (&'static str, &'static str) {
    match failure {
        Failure::Url(_) => ("http.url", "an absolute URL with http or https is needed"),
        Failure::Denied { .. } | Failure::Unnamed { .. } => ("http.denied", "the address may not be reached from here"),
        Failure::ConnectTimeout | Failure::Timeout(_) => ("http.timeout", "there was no answer in time"),
        Failure::BodyTooLarge { .. } => ("http.too_large", "the answer is larger than what is read"),
        Failure::Busy => ("http.busy", "too many requests are under way"),
        Failure::Unresolved { .. }
        | Failure::ConnectionRefused(_)
        | Failure::Connect(_)
        | Failure::Closed
        | Failure::Cut
        | Failure::Malformed(_)
        | Failure::Body(_)
        | Failure::Redirects(_) => ("http.failed", "there was no answer that can be read"),
    }
}

fn attributes(reply: Reply) -> Map {
    let kind = reply.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = body(&reply.body, kind.contains("json"));
    let headers = reply.headers.keys().map(|name| {
        let lines = reply.headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
        (name.as_str(), Value::text(lines.collect::<Vec<_>>().join(", ")))
    });
    let members = [
        ("body", body),
        ("status", Value::integer(i64::from(reply.status.as_u16()))),
        ("headers", Value::map(headers)),
        ("url", Value::text(&reply.url)),
    ];
    members.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// JSON as its value, other text as it is, everything else as octets.
fn body(octets: &Bytes, is_json: bool) -> Value {
    let json = is_json.then(|| read_json(octets, Limits::REQUEST, JsonRules::Exact).ok()).flatten();
    json.unwrap_or_else(|| match std::str::from_utf8(octets) {
        Ok(text) => Value::text(text),
        Err(_) => Value::Bytes(octets.to_vec().into()),
    })
}
