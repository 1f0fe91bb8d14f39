//! The object that a message holds as `req` (section 11), and what the reply needs to know of the request.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{Method, Request, Version, header};
use plan::{Map, Text, Value};

use super::body::Body;
use super::cookies;
use crate::node_red::received;
use crate::node_red::render::Headers;

/// The members of a request in their order, made once for all requests.
static MEMBERS: LazyLock<[Text; 17]> = LazyLock::new(|| {
    let names = [
        "headers",
        "httpVersion",
        "method",
        "url",
        "originalUrl",
        "baseUrl",
        "path",
        "params",
        "query",
        "body",
        "cookies",
        "signedCookies",
        "hostname",
        "ip",
        "protocol",
        "secure",
        "xhr",
    ];
    names.map(Text::from)
});

/// Who sent a request, as the listener knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address, without a port.
    pub address: String,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
}

/// One request on its way to an answer: what the answer needs to know of it, and the headers that are set so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// `HEAD`: the answer has no body.
    pub(in crate::node_red) is_head: bool,
    /// The name of the function that JSONP calls.
    pub(in crate::node_red) callback: Option<String>,
    /// Under which conditions 304 will do.
    pub(in crate::node_red) conditions: Conditions,
    /// The headers of the answer that are set so far.
    pub(in crate::node_red) headers: Headers,
    /// How many of the cookies that functions set stand in them.
    pub(in crate::node_red) own_cookies: usize,
}

/// Under which conditions the client's own copy will do (RFC 9110 section 13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::node_red) struct Conditions {
    /// `GET` or `HEAD`: the only methods that have conditions.
    pub(in crate::node_red) may_be_fresh: bool,
    /// `If-None-Match`.
    pub(in crate::node_red) if_none_match: Option<String>,
    /// `If-Modified-Since`.
    pub(in crate::node_red) if_modified_since: Option<String>,
    /// `Cache-Control: no-cache`.
    pub(in crate::node_red) no_cache: bool,
}

impl Exchange {
    /// Reads it off a request and its query.
    pub(super) fn of(request: &Request<Bytes>, query: &Value) -> Self {
        let header = |name| request.headers().get(name).map(received::text);
        let callback = query.as_map().and_then(|query| query.get("callback"));
        let callback = match callback {
            Some(Value::List(all)) => all.first(),
            other => other,
        };
        let no_cache = |value: String| value.split(',').any(|directive| directive.trim() == "no-cache");
        let conditions = Conditions {
            may_be_fresh: matches!(*request.method(), Method::GET | Method::HEAD),
            if_none_match: header(header::IF_NONE_MATCH),
            if_modified_since: header(header::IF_MODIFIED_SINCE),
            no_cache: header(header::CACHE_CONTROL).is_some_and(no_cache),
        };
        Self {
            is_head: *request.method() == Method::HEAD,
            conditions,
            headers: Headers::default(),
            own_cookies: 0,
            callback: callback.and_then(Value::as_text).filter(|name| !name.is_empty()).map(str::to_owned),
        }
    }
}

/// The value of `req`.
pub(super) fn describe(request: &Request<Bytes>, peer: &Peer, parameters: Map, query: Value, body: Body) -> Value {
    let headers = headers(request);
    let url = Value::text(target(request));
    let host = headers.get("host").and_then(Value::as_text).map(hostname).map(str::to_owned);
    let is_xhr = headers.get("x-requested-with").and_then(Value::as_text);
    let is_xhr = is_xhr.is_some_and(|value| value.eq_ignore_ascii_case("xmlhttprequest"));
    let cookies = headers.get("cookie").and_then(Value::as_text).map(cookies::parse);
    let values = [
        Value::from(headers),
        Value::text(if request.version() == Version::HTTP_2 { "2.0" } else { "1.1" }),
        Value::text(request.method()),
        url.clone(),
        url,
        Value::text(""),
        Value::text(request.uri().path()),
        Value::from(parameters),
        query,
        body.value,
        cookies.unwrap_or_else(|| Map::new().into()),
        Map::new().into(),
        host.map_or(Value::Undefined, Value::text),
        Value::text(&peer.address),
        Value::text(if peer.encrypted { "https" } else { "http" }),
        Value::Bool(peer.encrypted),
        Value::Bool(is_xhr),
    ];
    let mut members: Map = MEMBERS.iter().cloned().zip(values).collect();
    if let Some(files) = body.files {
        members.insert("files".into(), files);
    }
    members.into()
}

/// The target of the request as it came; HTTP/2 has no other form than the path.
fn target(request: &Request<Bytes>) -> String {
    let uri = request.uri();
    if uri.scheme().is_some() && request.version() != Version::HTTP_2 {
        return uri.to_string();
    }
    uri.path_and_query().map_or("/".to_owned(), ToString::to_string)
}

/// The headers by their names in lower case; repeated ones joined.
fn headers(request: &Request<Bytes>) -> Map {
    let mut all = Map::new();
    let host = request.uri().authority().filter(|_| !request.headers().contains_key(header::HOST));
    if let Some(host) = host {
        all.insert("host".into(), Value::text(host));
    }
    for name in request.headers().keys() {
        all.insert(Text::from(name.as_str()), received::joined(request.headers(), name));
    }
    all.indices_first()
}

/// A host without its port.
fn hostname(host: &str) -> &str {
    let end = if host.starts_with('[') { host.find(']').map_or(host.len(), |at| at + 1) } else { 0 };
    host[end..].find(':').map_or(host, |at| &host[..end + at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_loses_its_port() {
        for (host, name) in [("a.test", "a.test"), ("a.test:80", "a.test"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")] {
            assert_eq!(hostname(host), name);
        }
    }
}
