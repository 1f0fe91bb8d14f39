//! Outcomes into responses: what an end node has made ready, or what stands in for it (section 8).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use plan::{Cells, Fault, FaultKind, Map, Path, ReplyIx, Value, write_json};

use super::lower::{ANSWER, NOTHING, REPLY};

/// Dresses a message as the answer to the request of its run.
///
/// # Errors
/// [`FaultKind::ReplyInvalid`] for a header that cannot be sent.
pub fn render(reply: ReplyIx, message: &Value) -> Result<Response<Bytes>, Fault> {
    if reply == NOTHING {
        return Ok(bare(StatusCode::NO_CONTENT));
    }
    if reply == ANSWER {
        return answered(message);
    }
    let error = |name: &str| at(message, &["flow", "error", name]);
    let text = |value: Value, usual: &str| value.as_text().unwrap_or(usual).to_owned();
    let told = text(error("message"), "The flow has ended without an answer.");
    Ok(problem(500, &text(error("code"), "failed"), &told))
}

/// A refusal or failure in JSON: `{"error": …, "code": …}`.
pub fn problem(status: u16, code: &str, text: &str) -> Response<Bytes> {
    let mut body = Vec::new();
    let members = Value::map([("error", Value::text(text)), ("code", Value::text(code))]);
    let written = write_json(&mut body, &members);
    debug_assert_eq!(written, Ok(true), "texts can be written");
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    finish(&mut response, Some("application/json"));
    response
}

fn answered(message: &Value) -> Result<Response<Bytes>, Fault> {
    let part = |name: &str| at(message, &[REPLY, name]);
    let status = plan::ecmascript::number_of(&part("status"));
    let status = StatusCode::from_u16(status as u16).map_err(|_| unfit("the status is none"))?;
    let (octets, kind) = octets(&part("body"))?;
    let mut response = Response::new(octets);
    *response.status_mut() = status;
    for (name, value) in part("headers").as_map().unwrap_or(&Map::new()).iter() {
        let bad = || unfit(&format!("the header `{name}` cannot be sent: its name or value holds what no header may"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let value = HeaderValue::from_bytes(value.as_text().unwrap_or_default().as_bytes()).map_err(|_| bad())?;
        response.headers_mut().append(name, value);
    }
    if let Value::List(cookies) = part("cookies") {
        for cookie in cookies.iter().filter_map(Value::as_text) {
            let value = HeaderValue::from_bytes(cookie.as_bytes()).map_err(|_| unfit("a cookie cannot be sent"))?;
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    finish(&mut response, kind);
    Ok(response)
}

/// The octets of a body, and their media type if the author names none.
fn octets(body: &Value) -> Result<(Bytes, Option<&'static str>), Fault> {
    if body.is_undefined() {
        return Ok((Bytes::new(), None));
    }
    let member = |name: &str| body.as_map().and_then(|body| body.get(name)).cloned();
    if let Some(Value::Text(text)) = member("text") {
        return Ok((Bytes::copy_from_slice(text.as_bytes()), Some("text/plain; charset=utf-8")));
    }
    let mut out = Vec::new();
    match write_json(&mut out, &member("json").unwrap_or(Value::Null)) {
        Ok(true) => Ok((out.into(), Some("application/json"))),
        Ok(false) | Err(_) => Err(unfit("the body holds what JSON cannot")),
    }
}

/// What every answer carries: tokens belong into no cache.
fn finish(response: &mut Response<Bytes>, kind: Option<&'static str>) {
    let headers = response.headers_mut();
    if let (Some(kind), false) = (kind, headers.contains_key(header::CONTENT_TYPE)) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn bare(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    finish(&mut response, None);
    response
}

fn at(message: &Value, way: &[&str]) -> Value {
    let path = Path(way.iter().map(|name| plan::Segment::Key((*name).into())).collect());
    path.read(message, &Cells::default()).clone()
}

fn unfit(why: &str) -> Fault {
    Fault::new(FaultKind::ReplyInvalid, why)
}
