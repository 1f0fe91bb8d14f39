//! Messages into replies (section 10): the body, the status and the headers of `message`.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use plan::ecmascript::{is_truthy, number_of, text_of};
use plan::{Cells, Fault, FaultKind, Map, Path, ReplyIx, Text, Value, write_json};

use super::accept::Exchange;
use super::dress::{Phrase, problem};
use super::lower::UNCAUGHT;

/// Headers that the connection decides, not the message.
const NOT_SENT: [&str; 9] =
    ["connection", "content-length", "date", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// Dresses a message as the answer to the request of its run.
///
/// # Errors
/// Why the message makes no answer, for the assembly to catch.
pub fn render(reply: ReplyIx, message: &Value, exchange: &Exchange) -> Result<Response<Bytes>, Fault> {
    if reply == UNCAUGHT { Ok(uncaught(message, exchange)) } else { answered(message, exchange) }
}

/// The answer to a page that asks whether it may call.
pub fn preflight(
    origin: Option<&HeaderValue>,
    method: Option<&HeaderValue>,
    wanted: Option<&HeaderValue>,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let any = HeaderValue::from_static(Method::GET.as_str());
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.cloned().unwrap_or(any));
    for (name, value) in [(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin), (header::ACCESS_CONTROL_ALLOW_HEADERS, wanted)]
    {
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    response
}

fn uncaught(message: &Value, exchange: &Exchange) -> Response<Bytes> {
    let read = |way: &[&str]| at(message, way);
    let code = number_of(&read(&["error", "status", "code"]));
    let code = if code.fract() == 0.0 && (400.0..600.0).contains(&code) { code as u16 } else { 500 };
    let phrase = text_of(&read(&["error", "status", "reason"]));
    problem(code, Some(&phrase), &text_of(&read(&["error", "information"])), Some(exchange))
}

fn answered(message: &Value, exchange: &Exchange) -> Result<Response<Bytes>, Fault> {
    let body = at(message, &["message", "body"]);
    let (octets, usual) = octets(&body, exchange)?;
    let mut response = Response::new(octets);
    *response.status_mut() = status(message)?;
    if let Value::Map(headers) = at(message, &["message", "headers"]) {
        set(response.headers_mut(), &headers, &exchange.inherited)?;
    }
    if let (Some(usual), false) = (usual, response.headers().contains_key(header::CONTENT_TYPE)) {
        let value = HeaderValue::from_str(&usual).unwrap_or(HeaderValue::from_static("text/plain"));
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    exchange.sign(response.headers_mut());
    let reason = at(message, &["message", "status", "reason"]);
    if is_truthy(&reason) {
        response.extensions_mut().insert(Phrase(text_of(&reason)));
    }
    Ok(response)
}

/// The status: 200 unless one is set; a text may have words behind its number.
fn status(message: &Value) -> Result<StatusCode, Fault> {
    let code = at(message, &["message", "status", "code"]);
    if !is_truthy(&code) {
        return Ok(StatusCode::OK);
    }
    let text = text_of(&code);
    let number = text.split_whitespace().next().and_then(|number| number.parse::<u16>().ok());
    let status =
        number.filter(|number| (200..600).contains(number)).and_then(|number| StatusCode::from_u16(number).ok());
    status.ok_or_else(|| unfit(&format!("`message.status.code` is `{text}`, which is no status code")))
}

/// The octets of the body, and the media type that they have if nobody says another.
fn octets(body: &Value, exchange: &Exchange) -> Result<(Bytes, Option<Text>), Fault> {
    let produced = || Some(exchange.produces.clone()).filter(|kind| !kind.is_empty());
    let plain = || Some(produced().unwrap_or_else(|| "text/plain".into()));
    Ok(match body {
        Value::Undefined => (Bytes::new(), None),
        Value::Text(text) => (Bytes::copy_from_slice(text.as_bytes()), plain()),
        Value::Bytes(octets) => (Bytes::copy_from_slice(octets), plain()),
        Value::Number(_) | Value::Bool(_) => (text_of(body).into_bytes().into(), plain()),
        Value::Null | Value::Date(_) | Value::List(_) | Value::Map(_) | Value::Handle(_) | Value::Unencodable(_) => {
            let mut out = Vec::new();
            match write_json(&mut out, body) {
                Ok(true) => (out.into(), Some("application/json".into())),
                Ok(false) | Err(_) => return Err(unfit("`message.body` holds what JSON cannot")),
            }
        }
    })
}

/// The headers that the assembly has set: what came in and was left alone does not go back.
fn set(headers: &mut http::HeaderMap, set: &Map, inherited: &Map) -> Result<(), Fault> {
    for (name, value) in set.iter() {
        if NOT_SENT.contains(&&**name) || inherited.get(name) == Some(value) {
            continue;
        }
        let values = if let Value::List(items) = value {
            items.iter().map(text_of).collect()
        } else if matches!(value, Value::Undefined | Value::Null) {
            Vec::new()
        } else {
            vec![text_of(value)]
        };
        let bad = || unfit(&format!("the header `{name}` cannot be sent: its name or value holds what no header may"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        for value in values {
            headers.append(name.clone(), HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
        }
    }
    Ok(())
}

fn at(message: &Value, way: &[&str]) -> Value {
    let path: Path = Path(way.iter().map(|name| plan::Segment::Key((*name).into())).collect());
    path.read(message, &Cells::default()).clone()
}

fn unfit(why: &str) -> Fault {
    Fault::new(FaultKind::ReplyInvalid, why)
}
