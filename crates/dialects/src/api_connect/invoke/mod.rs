//! What `invoke` asks of a back end, made of a message, and what comes back, in the message (section 10).

mod answer;
mod headers;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use plan::ecmascript::text_of;
use plan::{Cells, Fault, FaultKind, Fetched, Map, Path, Pattern, Text, Value, write_json};
use url::Url;

use super::values::shown;
use crate::outward::{Failure, Hosts, Reply, Request};

/// What stands unescaped in a query that we write (RFC 3986 section 2.3).
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One `invoke` policy.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Invoke {
    /// Where the answer goes.
    pub(super) output: Path,
    /// The names of the errors that it raises; others let the message go on.
    pub(super) stops_at: Vec<Text>,
    /// Which headers of the message are sent.
    pub(super) headers: Control,
    /// Which parameters of the request's query are sent.
    pub(super) parameters: Control,
    /// How long it waits.
    pub(super) total_ms: u64,
    /// Whether a DELETE has a body.
    pub(super) keeps_payload: bool,
    /// Whether redirects are followed.
    pub(super) follows: bool,
    /// Whether the caller's client id stays behind.
    pub(super) drops_client_id: bool,
}

/// A choice among names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Control {
    /// All but those that match.
    Block(Vec<Pattern>),
    /// None but those that match.
    Allow(Vec<Pattern>),
}

/// The members of what an invoke is told for each message.
pub(super) const URL: &str = "url";
pub(super) const VERB: &str = "verb";
pub(super) const USER: &str = "user";
pub(super) const PASSWORD: &str = "password";

/// A request that is ready to be sent, and what is needed of it when the answer comes.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The request.
    pub request: Request,
    sent: Sent,
}

/// What is known of a request that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    invoke: Invoke,
    message: Value,
}

impl Invocation {
    /// The request by itself, and what [`Sent::answered`] needs.
    pub fn split(self) -> (Request, Sent) {
        (self.request, self.sent)
    }
}

impl Sent {
    /// What comes of the message now that an answer is there, or the request has failed.
    pub fn answered(self, outcome: Result<Reply, Failure>) -> Fetched {
        answer::answered(&self.invoke, self.message, outcome)
    }
}

/// Makes a request of a message. `to` is what was worked out for it; `hosts` are those that it may go to.
///
/// # Errors
/// What comes of a message that no request can be made of.
pub(super) fn prepare(
    invoke: &Invoke,
    hosts: &Arc<Hosts>,
    to: &Value,
    message: &Value,
) -> Result<Invocation, Box<Fetched>> {
    match request(invoke, hosts, to, message) {
        Ok(request) => Ok(Invocation { request, sent: Sent { invoke: invoke.clone(), message: message.clone() } }),
        Err(fault) => Err(Box::new(unsent(invoke, message.clone(), fault))),
    }
}

fn request(invoke: &Invoke, hosts: &Arc<Hosts>, to: &Value, message: &Value) -> Result<Request, Fault> {
    let told = |name: &str| to.as_map().and_then(|to| to.get(name)).map(shown).unwrap_or_default();
    let method = method(&told(VERB), message)?;
    let mut headers = headers::sent(invoke, at(message, &["message", "headers"]))?;
    let (user, password) = (told(USER), told(PASSWORD));
    if !user.is_empty() {
        let pair = base64_simd::STANDARD.encode_to_string(format!("{user}:{password}"));
        let value = HeaderValue::try_from(format!("Basic {pair}")).expect("base64 stands in a header");
        headers.insert(header::AUTHORIZATION, value);
    }
    let has_body = match method {
        Method::GET | Method::HEAD | Method::TRACE => false,
        Method::DELETE => invoke.keeps_payload,
        _ => true,
    };
    let body = if has_body { body(at(message, &["message", "body"]))? } else { None };
    match &body {
        Some((_, Some(kind))) if !headers.contains_key(header::CONTENT_TYPE) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Some(_) => {}
        None => {
            headers.remove(header::CONTENT_TYPE);
        }
    }
    Ok(Request {
        method,
        url: url(invoke, &told(URL), message)?,
        headers,
        body: body.map(|(octets, _)| octets),
        follows: invoke.follows,
        inflates: true,
        total_ms: Some(invoke.total_ms),
        hosts: Some(Arc::clone(hosts)),
    })
}

/// The method that is named, or that of the request.
fn method(named: &str, message: &Value) -> Result<Method, Fault> {
    let kept = text_of(at(message, &["request", "verb"]));
    let name = if named.is_empty() || named.eq_ignore_ascii_case("keep") { kept } else { named.to_uppercase() };
    Method::from_bytes(name.as_bytes()).map_err(|_| refused("`verb` names no method"))
}

/// The URL, with the parameters of the request's query that may go along.
fn url(invoke: &Invoke, written: &str, message: &Value) -> Result<String, Fault> {
    let mut url = Url::parse(written.trim()).map_err(|_| refused("`target-url` is no absolute URL"))?;
    let query = at(message, &["request", "querystring"]).as_text().unwrap_or_default();
    let passed: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && invoke.parameters.lets(pair.split('=').next().unwrap_or_default()))
        .collect();
    if !passed.is_empty() {
        let own = url.query().map(|query| format!("{query}&")).unwrap_or_default();
        url.set_query(Some(&format!("{own}{}", passed.join("&"))));
    }
    Ok(url.into())
}

/// The octets of a body, and the media type of one that has none of its own.
fn body(body: &Value) -> Result<Option<(Bytes, Option<&'static str>)>, Fault> {
    Ok(match body {
        Value::Undefined => None,
        Value::Text(text) => Some((Bytes::copy_from_slice(text.as_bytes()), None)),
        Value::Bytes(octets) => Some((Bytes::copy_from_slice(octets), None)),
        Value::Number(_) | Value::Bool(_) => Some((text_of(body).into_bytes().into(), None)),
        Value::Null | Value::Date(_) | Value::List(_) | Value::Map(_) | Value::Handle(_) | Value::Unencodable(_) => {
            let mut out = Vec::new();
            match write_json(&mut out, body) {
                Ok(true) => Some((out.into(), Some("application/json"))),
                Ok(false) | Err(_) => return Err(refused("`message.body` holds what JSON cannot")),
            }
        }
    })
}

impl Control {
    /// Whether a name is among the chosen.
    fn lets(&self, name: &str) -> bool {
        match self {
            Self::Block(patterns) => !patterns.iter().any(|pattern| pattern.is_match(name)),
            Self::Allow(patterns) => patterns.iter().any(|pattern| pattern.is_match(name)),
        }
    }
}

/// A parameter's value as a step of a path or a query holds it.
pub(super) fn escaped(arguments: &[Value]) -> Result<Value, Fault> {
    let text = arguments.first().map(shown).unwrap_or_default();
    Ok(Value::text(utf8_percent_encode(&text, IN_QUERY).to_string()))
}

/// What comes of a message whose request was not sent. Its headers were meant for the back end, and go to nobody else.
fn unsent(invoke: &Invoke, mut message: Value, fault: Fault) -> Fetched {
    if invoke.output == Path::keys(["message"]) {
        put(&mut message, &Path::keys(["message", "headers"]), Map::new().into());
    }
    Fetched { fault: Some(fault), faulty: Some(message), ..Fetched::default() }
}

fn at<'m>(message: &'m Value, way: &[&str]) -> &'m Value {
    static NOTHING: Value = Value::Undefined;
    way.iter().try_fold(message, |at, name| at.as_map().and_then(|map: &Map| map.get(name))).unwrap_or(&NOTHING)
}

/// An error of the definition or of this request, which no list lets pass.
fn refused(why: &str) -> Fault {
    Fault::new(FaultKind::FetchFailed, why).with_code("PropertyError")
}

/// Puts a value into the message.
fn put(message: &mut Value, path: &Path, value: Value) {
    // A way that leads through a text was refused when the definition was lowered, or made by a script since.
    let _ = path.write(message, &mut Cells::default(), value);
}

#[cfg(test)]
mod tests;
