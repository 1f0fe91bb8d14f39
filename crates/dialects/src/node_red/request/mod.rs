//! Messages into requests to somebody outside, and what comes back into messages: the `http request` node (section 16).

mod answer;
mod body;
mod cookies;
mod headers;
mod sum;
mod target;

use http::Method;
use plan::ecmascript::{is_truthy, number_of, text_of};
use plan::{Cells, Fault, FaultKind, Fetched, Map, Path, SecretRef, Text, Value, Way};

use crate::outward::{Failure, Reply, Request};
use headers::Headers;
use target::Target;
pub(super) use target::{PASSWORD, USER};

/// What a property is told that is set in the node and in the message.
const NO_OVERRIDE: &str =
    "Warning: msg properties can no longer override set node properties. See bit.ly/nr-override-msg-props";

/// One `http request` node.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestNode {
    /// The author's id of the node.
    pub node: Text,
    /// Its method in capitals.
    pub method: Method,
    /// What a method of the message does.
    pub method_of_message: MethodOfMessage,
    /// The URL as the author wrote it; empty if the message names it.
    pub url: Text,
    /// What becomes of the body that comes back.
    pub returns: Returns,
    /// What becomes of the payload of a GET.
    pub payload_of_get: PayloadOfGet,
    /// Headers, in order; they win over those of the message.
    pub headers: Vec<(HeaderPart, HeaderPart)>,
    /// How it signs in, once a name or password is set.
    pub scheme: Scheme,
    /// Whether a request that failed is only an error, or is sent on as well.
    pub only_errors: bool,
}

/// What a method of the message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodOfMessage {
    /// It wins.
    Wins,
    /// The node has its own, and says so.
    Warns,
    /// Nothing.
    Ignored,
}

/// What becomes of the body that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Text.
    Text,
    /// Octets.
    Octets,
    /// The value of a JSON text.
    Value,
}

/// What becomes of the payload of a GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadOfGet {
    /// Nothing.
    Ignored,
    /// Its members stand in the query.
    Query,
    /// It is the body.
    Body,
}

/// The name or the value of a header.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderPart {
    /// This text.
    Text(Text),
    /// What stands there in the message.
    Message(Way),
}

/// How a request signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// With a name and a password (RFC 7617).
    Basic,
    /// With a token (RFC 6750).
    Bearer,
}

/// A request that is ready to be sent, and what is needed of it when the answer comes.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The request.
    pub request: Request,
    sent: Sent,
}

/// What is known of a request that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    url: String,
    message: Value,
    warnings: Vec<Text>,
    returns: Returns,
    only_errors: bool,
}

impl Prepared {
    /// The request by itself, and what [`Sent::answered`] needs.
    pub fn split(self) -> (Request, Sent) {
        (self.request, self.sent)
    }
}

/// What a node shows while it waits.
pub(super) fn busy() -> Value {
    status("blue", "dot", "httpin.status.requesting")
}

/// Makes a request of a message. `to` is the URL that was worked out for it; `secret` finds the node's credentials.
///
/// # Errors
/// What comes of a message that no request can be made of.
pub fn prepare(
    node: &RequestNode,
    to: &Value,
    message: &Value,
    cells: &Cells,
    secret: &dyn Fn(&SecretRef) -> Option<String>,
) -> Result<Prepared, Box<Fetched>> {
    let mut making = Making { node, cells, message: message.clone(), warnings: Vec::new() };
    match making.request(to, secret) {
        Ok((request, url)) => {
            let Making { message, warnings, .. } = making;
            let sent = Sent { url, message, warnings, returns: node.returns, only_errors: node.only_errors };
            Ok(Prepared { request, sent })
        }
        Err(unmade) => {
            let Unmade { fault, status } = *unmade;
            Err(Box::new(Fetched { warnings: making.warnings, fault, status, ..Fetched::default() }))
        }
    }
}

impl Sent {
    /// What comes of the message now that an answer is there, or the request has failed.
    pub fn answered(self, outcome: Result<Reply, Failure>) -> Fetched {
        match outcome {
            Ok(reply) => answer::reply(self, reply),
            Err(failure) => answer::failure(self, &failure),
        }
    }
}

struct Making<'m> {
    node: &'m RequestNode,
    cells: &'m Cells,
    message: Value,
    warnings: Vec<Text>,
}

/// Why there is no request: nothing at all is raised where a warning says it all.
struct Unmade {
    fault: Option<Fault>,
    status: Value,
}

impl From<Fault> for Box<Unmade> {
    fn from(fault: Fault) -> Self {
        Self::new(Unmade { fault: Some(fault), status: Value::Undefined })
    }
}

impl Making<'_> {
    fn request(
        &mut self,
        to: &Value,
        secret: &dyn Fn(&SecretRef) -> Option<String>,
    ) -> Result<(Request, String), Box<Unmade>> {
        let Some(mut target) = self.target(to)? else {
            let status = status("red", "ring", "httpin.errors.invalid-transport");
            return Err(Box::new(Unmade { fault: None, status }));
        };
        let method = self.method()?;
        let total_ms = self.total_ms();
        let mut headers = Headers::default();
        self.headers(&mut headers);
        let follows = self.member("followRedirects").is_none_or(|follows| is_truthy(&follows));
        cookies::put(&mut headers, &self.member("cookies").unwrap_or_default())?;
        target.sign_in(self.node, &mut headers, secret)?;
        let payload = self.member("payload").unwrap_or_default();
        let body = body::of(&method, &payload, self.node.payload_of_get, &mut headers, &mut target.text)?;
        if matches!(self.member("rejectUnauthorized"), Some(Value::Bool(false))) {
            self.warn("msg.rejectUnauthorized is not heeded here: certificates are always checked");
        }
        let url = target.text;
        let headers = headers.into_map()?;
        let request =
            Request { method, url: url.clone(), headers, body, follows, inflates: false, total_ms, hosts: None };
        Ok((request, url))
    }

    /// Where to; none if it is nowhere that HTTP leads to, which is only told.
    fn target(&mut self, to: &Value) -> Result<Option<Target>, Fault> {
        let named = self.member("url").filter(is_truthy);
        if named.is_some_and(|named| !self.node.url.is_empty() && named.as_text() != Some(&*self.node.url)) {
            self.warn(NO_OVERRIDE);
        }
        if !is_truthy(to) {
            return Err(Fault::new(FaultKind::FetchFailed, "No url specified"));
        }
        let target = Target::read(&text_of(to))?;
        if target.is_none() {
            self.warn("non-http transport requested");
        }
        Ok(target)
    }

    fn method(&mut self) -> Result<Method, Fault> {
        let named = self.member("method").filter(is_truthy);
        match (self.node.method_of_message, named) {
            (MethodOfMessage::Wins, Some(named)) => {
                let named = text_of(&named).to_uppercase();
                let unfit = |_| {
                    let text =
                        format!("TypeError [ERR_INVALID_HTTP_TOKEN]: Method must be a valid HTTP token [\"{named}\"]");
                    Fault::new(FaultKind::FetchFailed, text).with_code("ERR_INVALID_HTTP_TOKEN")
                };
                Method::from_bytes(named.as_bytes()).map_err(unfit)
            }
            (MethodOfMessage::Warns, Some(_)) => {
                self.warn(NO_OVERRIDE);
                Ok(self.node.method.clone())
            }
            (MethodOfMessage::Wins | MethodOfMessage::Warns | MethodOfMessage::Ignored, _) => {
                Ok(self.node.method.clone())
            }
        }
    }

    fn total_ms(&mut self) -> Option<u64> {
        let total_ms = number_of(&self.member("requestTimeout")?);
        if total_ms.is_nan() {
            self.warn("Timeout value is not a valid number, ignoring");
            return None;
        }
        if total_ms < 1.0 {
            self.warn("Timeout value is negative, ignoring");
            return None;
        }
        Some(total_ms as u64)
    }

    /// The headers of the message, unless they are those of the last answer, then those of the node.
    fn headers(&mut self, headers: &mut Headers) {
        if let Value::Map(message) = &mut self.message {
            sum::drop_answered_headers(std::sync::Arc::make_mut(message));
        }
        if let Some(given) = self.member("headers") {
            given.as_map().into_iter().flat_map(Map::iter).for_each(|(name, value)| headers.set(name, value));
        }
        for (name, value) in &self.node.headers {
            let name = self.part(name);
            if is_truthy(&name) {
                headers.set(&text_of(&name), &self.part(value));
            }
        }
    }

    fn part(&self, part: &HeaderPart) -> Value {
        match part {
            HeaderPart::Text(text) => Value::Text(text.clone()),
            HeaderPart::Message(way) => {
                let path = way.resolve(&self.message, self.cells);
                path.map(|path| plan::look(&self.message, &path, self.cells)).unwrap_or_default()
            }
        }
    }

    /// A member of the message; none if it is not there.
    fn member(&self, name: &str) -> Option<Value> {
        let value = Path::keys([name]).read(&self.message, self.cells);
        let value = if let Value::Handle(handle) = value { self.cells.get(*handle) } else { value };
        Some(value.clone()).filter(|value| !value.is_undefined())
    }

    fn warn(&mut self, text: &str) {
        self.warnings.push(text.into());
    }
}

fn status(fill: &str, shape: &str, text: &str) -> Value {
    Value::map([("fill", Value::text(fill)), ("shape", Value::text(shape)), ("text", Value::text(text))])
}

#[cfg(test)]
mod tests;
