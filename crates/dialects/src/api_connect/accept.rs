//! Requests into messages: the context variables that a request brings along (section 12).

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use jiff::{Timestamp, tz::TimeZone};
use jose::json::Limits;
use percent_encoding::percent_decode_str;
use plan::{JsonRules, Map, Text, Value, read_json};

use super::client::Clients;
use super::dress::{Soap, problem};
use super::route::Called;
use super::served::Api;
use super::syntax::{Gateway, Operation};

/// A request that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The message: the context, by its roots.
    pub message: Value,
    /// What the reply needs to know of the request.
    pub exchange: Exchange,
}

/// What a reply needs to know of the request.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// The headers that came in; one that still stands unchanged in `message` is not sent back.
    pub(super) inherited: Map,
    pub(super) produces: Text,
    pub(super) soap: Option<Soap>,
    pub(super) transaction: String,
    pub(super) origin: Option<String>,
    /// Its method and the template of its path.
    pub(super) operation: (String, Text),
}

impl Exchange {
    /// Method and path of the operation that was called, as its author writes them.
    pub fn operation(&self) -> (&str, &str) {
        (&self.operation.0, &self.operation.1)
    }

    /// From now on every header in `message` was set behind the request: an answer has taken its place.
    pub fn forget_inherited(&mut self) {
        self.inherited = Map::new();
    }
}

/// What is known of a request beside the request.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The id of the request, for the log and the caller.
    pub transaction: &'a str,
    /// The instant, in milliseconds since 1970-01-01T00:00:00Z.
    pub now_epoch_ms: i64,
}

/// Makes a message of a request that calls this operation, with the API's [properties](Api::properties).
///
/// # Errors
/// The answer to a request that cannot be taken: a client that is not known, a parameter that is missing.
pub fn accept(
    api: &Api,
    called: Called<'_>,
    request: &Request<Bytes>,
    properties: Value,
    around: Around<'_>,
) -> Result<Accepted, Box<Response<Bytes>>> {
    let Called { operation, parameters: path } = called;
    let query = pairs(request.uri().query().unwrap_or_default());
    let exchange = exchange(api, operation, request, around);
    let refused = |status, text: &str| Box::new(problem(status, None, text, Some(&exchange)));
    let Some(client) = api.clients.root(request.headers(), &query) else {
        return Err(refused(401, "Invalid client id or secret."));
    };
    if let (Clients::Registered(_), Some(scheme)) = (&api.clients, &operation.unchecked) {
        return Err(refused(501, &format!("The security scheme {scheme} is not supported.")));
    }
    if let Some(missing) = missing(operation, request.headers(), &query) {
        return Err(refused(400, &format!("The required parameter {missing} is missing.")));
    }
    let parameters = parameters(api.gateway, operation, path, &query, request);
    let body = body(request.headers(), request.body());
    let headers: Value = exchange.inherited.clone().into();
    let message = Value::map([("headers", headers.clone()), ("body", body.clone())]);
    let roots = [
        ("request", request_root(request, headers, parameters, body, around.now_epoch_ms)),
        ("message", message),
        ("api", api_root(api, operation, request, properties)),
        ("client", client),
        ("plan", Value::map([("name", Value::text("default")), ("id", Value::text("default"))])),
        ("env", Value::map([("path", api.facts.get("catalog").cloned().unwrap_or_default())])),
        ("system", system(around.now_epoch_ms)),
    ];
    Ok(Accepted { message: Value::map(roots), exchange })
}

fn exchange(api: &Api, operation: &Operation, request: &Request<Bytes>, around: Around<'_>) -> Exchange {
    Exchange {
        inherited: headers(request.headers()),
        produces: operation.produces.clone(),
        soap: api.is_soap.then(|| Soap::of(request.headers())),
        transaction: around.transaction.to_owned(),
        origin: text(request.headers(), header::ORIGIN.as_str()).filter(|_| api.cors),
        operation: (operation.method.to_string(), operation.template.clone()),
    }
}

/// The headers by their names in small letters; several of one name are one, with commas.
fn headers(headers: &HeaderMap) -> Map {
    let mut all = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        all.insert(name.as_str().into(), Value::text(values.join(", ")));
    }
    all
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn request_root(request: &Request<Bytes>, headers: Value, parameters: Value, body: Value, now_epoch_ms: i64) -> Value {
    let query = request.uri().query().unwrap_or_default();
    let search = if query.is_empty() { String::new() } else { format!("?{query}") };
    let path = request.uri().path();
    let header = |name: &str| Value::text(text(request.headers(), name).unwrap_or_default());
    let date = instant(now_epoch_ms).map(|date| date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    Value::map([
        ("verb", Value::text(request.method().as_str())),
        ("path", Value::text(path)),
        ("uri", Value::text(format!("{path}{search}"))),
        ("querystring", Value::text(query)),
        ("search", Value::text(search)),
        ("headers", headers),
        ("parameters", parameters),
        ("authorization", header("authorization")),
        ("content-type", header("content-type")),
        ("date", Value::text(date.unwrap_or_default())),
        ("body", body),
    ])
}

fn api_root(api: &Api, operation: &Operation, request: &Request<Bytes>, properties: Value) -> Value {
    let host = text(request.headers(), "host").map_or(api.catalog.clone(), Value::text);
    let hostname =
        host.as_text().and_then(|host| host.rsplit_once(':')).map_or(host.clone(), |(name, _)| Value::text(name));
    let mut root = api.facts.clone();
    root.insert(
        "operation".into(),
        Value::map([
            ("id", Value::Text(operation.id.clone())),
            ("path", Value::Text(operation.template.clone())),
            ("method", Value::text(operation.method.as_str().to_lowercase())),
        ]),
    );
    root.insert("properties".into(), properties);
    root.insert("endpoint".into(), Value::map([("address", host), ("hostname", hostname)]));
    root.into()
}

/// The body: the value of JSON, else text, else octets; undefined if there is none.
fn body(headers: &HeaderMap, octets: &Bytes) -> Value {
    if octets.is_empty() {
        return Value::Undefined;
    }
    let kind = text(headers, "content-type").unwrap_or_default();
    let begins_like_json = matches!(octets.iter().find(|octet| !octet.is_ascii_whitespace()), Some(b'{' | b'['));
    let is_json = kind.contains("json") || (kind.is_empty() && begins_like_json);
    if is_json && let Ok(value) = read_json(octets, Limits::REQUEST, JsonRules::Exact) {
        return value;
    }
    match std::str::from_utf8(octets) {
        Ok(text) => Value::text(text),
        Err(_) => Value::Bytes(octets.to_vec().into()),
    }
}

/// `request.parameters`: on v5 each its value, on the API gateway its values and where they stood.
fn parameters(
    gateway: Gateway,
    operation: &Operation,
    path: Vec<(String, String)>,
    query: &[(String, String)],
    request: &Request<Bytes>,
) -> Value {
    let mut all: Vec<(String, String, &str)> = path.into_iter().map(|(name, value)| (name, value, "path")).collect();
    all.extend(query.iter().map(|(name, value)| (name.clone(), value.clone(), "query")));
    for parameter in operation.parameters.iter().filter(|parameter| &*parameter.location == "header") {
        let value = text(request.headers(), &parameter.name.to_lowercase());
        all.extend(value.map(|value| (parameter.name.to_string(), value, "header")));
    }
    let kind = text(request.headers(), "content-type").unwrap_or_default();
    if gateway == Gateway::Api && kind.starts_with("application/x-www-form-urlencoded") {
        let form = pairs(std::str::from_utf8(request.body()).unwrap_or_default());
        all.extend(form.into_iter().map(|(name, value)| (name, value, "form")));
    }
    let mut root = Map::new();
    for (name, value, location) in all {
        let name = Text::from(name);
        match (gateway, root.get_mut(&name)) {
            (Gateway::V5, Some(_)) => {}
            (Gateway::V5, None) => {
                root.insert(name, Value::text(value));
            }
            (Gateway::Api, Some(known)) => add(known, location, value),
            (Gateway::Api, None) => {
                let mut parameter = Value::map([("locations", Value::list(vec![])), ("values", Value::list(vec![]))]);
                add(&mut parameter, location, value);
                root.insert(name, parameter);
            }
        }
    }
    root.into()
}

fn add(parameter: &mut Value, location: &str, value: String) {
    let Value::Map(map) = parameter else { return };
    let map = std::sync::Arc::make_mut(map);
    for (name, item) in [("locations", location), ("values", value.as_str())] {
        if let Some(Value::List(items)) = map.get_mut(name) {
            std::sync::Arc::make_mut(items).push(Value::text(item));
        }
    }
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

/// The first required parameter that did not come.
fn missing<'o>(operation: &'o Operation, headers: &HeaderMap, query: &[(String, String)]) -> Option<&'o str> {
    let came = |name: &str, location: &str| match location {
        "query" => query.iter().any(|(known, _)| known == name),
        "header" => headers.contains_key(name.to_lowercase()),
        _ => true,
    };
    let missing = operation.parameters.iter().find(|one| one.required && !came(&one.name, &one.location));
    missing.map(|one| &*one.name)
}

fn instant(now_epoch_ms: i64) -> Option<jiff::civil::DateTime> {
    Some(Timestamp::from_millisecond(now_epoch_ms).ok()?.to_zoned(TimeZone::UTC).datetime())
}

/// `system`: the instant in its parts.
fn system(now_epoch_ms: i64) -> Value {
    let Some(now) = instant(now_epoch_ms) else { return Map::new().into() };
    let text = |format: &str| Value::text(now.strftime(format).to_string());
    let number = |number: i8| Value::integer(number.into());
    let date = Value::map([
        ("year", Value::integer(now.year().into())),
        ("month", number(now.month())),
        ("day-of-month", number(now.day())),
        ("day-of-week", number(now.weekday().to_monday_one_offset())),
    ]);
    let time =
        Value::map([("hour", number(now.hour())), ("minute", number(now.minute())), ("seconds", number(now.second()))]);
    Value::map([
        ("datetime", text("%Y-%m-%dT%H:%M:%SZ")),
        ("timezone", Value::text("UTC")),
        ("date", date),
        ("time", time),
    ])
}
