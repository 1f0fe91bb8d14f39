//! Messages into answers (section 11).

mod cookies;
mod etag;
mod headers;
pub(super) mod pages;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use plan::ecmascript::{is_truthy, text_of};
use plan::{Cells, Fault, FaultKind, Path, Unencodable, Unwritable, Value, write_json};

pub(super) use self::headers::Headers;
use super::accept::{Exchange, MediaType, REPLY};
use super::lowered::ResponseNode;
use super::number::parse_int;

/// Status codes that HTTP has; those below 200 are no answers.
const STATUS_CODES: std::ops::RangeInclusive<i64> = 200..=999;

/// What came of dressing a message.
#[derive(Debug)]
pub enum Rendered {
    /// The answer.
    Answer(Response<Bytes>),
    /// The message has no `res`: there is nobody to answer.
    NobodyWaits,
}

/// Dresses a message as the answer to the request of its run. `now_ms` is the time in milliseconds since the epoch, from
/// which cookies with a `maxAge` are counted.
///
/// # Errors
/// Why the message makes no answer, for the flow to catch. What headers were set by then stay in the exchange, as they
/// do upstream, and go out with the next answer.
pub fn render(
    reply: &ResponseNode,
    message: &Value,
    cells: &Cells,
    exchange: &mut Exchange,
    now_ms: i64,
) -> Result<Rendered, Fault> {
    let res = member(message, cells, "res");
    if !is_truthy(res) {
        return Ok(Rendered::NobodyWaits);
    }
    if *res != Value::Handle(REPLY) {
        return Err(type_error("`msg.res` is not the answer that came with the request.", None));
    }
    let mut headers = std::mem::take(&mut exchange.headers);
    let dressed = take_own(cells, exchange, &mut headers, now_ms)
        .and_then(|()| dress(reply, message, cells, exchange, &mut headers, now_ms));
    exchange.headers = headers;
    let (status, body) = dressed?;
    finish(exchange, status, body).map(Rendered::Answer)
}

/// Sets what functions set on the answer by themselves; it stands in the cell of the reply.
fn take_own(cells: &Cells, exchange: &mut Exchange, headers: &mut Headers, now_ms: i64) -> Result<(), Fault> {
    let Some(own) = cells.get(REPLY).as_map() else { return Ok(()) };
    headers.set_all(&[], own.get("headers").unwrap_or(&Value::Undefined))?;
    let Some(Value::List(all)) = own.get("cookies") else { return Ok(()) };
    for cookie in all.iter().skip(exchange.own_cookies) {
        cookies::add(headers, cookie, now_ms)?;
        exchange.own_cookies += 1;
    }
    Ok(())
}

/// Sets all headers; gives the status code and the body.
fn dress(
    reply: &ResponseNode,
    message: &Value,
    cells: &Cells,
    exchange: &Exchange,
    headers: &mut Headers,
    now_ms: i64,
) -> Result<(i64, Option<Bytes>), Fault> {
    headers.set_all(&reply.headers, member(message, cells, "headers"))?;
    cookies::add(headers, member(message, cells, "cookies"), now_ms)?;
    let from_message = || parse_int(&text_of(member(message, cells, "statusCode"))).filter(|code| *code != 0.0);
    let status = reply.status_code.or_else(|| from_message().map(|code| code as i64)).unwrap_or(200);
    let payload = member(message, cells, "payload");
    if reply.by_hand && *member(message, cells, "ended") == Value::Bool(true) {
        return Ok((status, Some(ended_body(payload, headers)?)));
    }
    let body = body(payload, exchange, headers)?;
    Ok((status, body))
}

/// What stands in a member of the message itself; handles are not followed.
fn member<'m>(message: &'m Value, cells: &'m Cells, name: &str) -> &'m Value {
    Path::keys([name]).read(message, cells)
}

/// The octets of the payload, with the headers that say what they are; none for a payload that is undefined.
fn body(payload: &Value, exchange: &Exchange, headers: &mut Headers) -> Result<Option<Bytes>, Fault> {
    let body = match payload {
        Value::Undefined => {
            headers.put(header::CONTENT_LENGTH, "0");
            return Ok(None);
        }
        Value::Text(text) => text_body(headers, text.as_bytes().to_vec(), "text/html")?,
        Value::Number(_) => text_body(headers, text_of(payload).into_bytes(), "text/html")?,
        Value::Bytes(octets) => {
            headers.put_absent(header::CONTENT_TYPE, "application/octet-stream");
            Bytes::copy_from_slice(octets)
        }
        Value::Null | Value::Date(_) | Value::List(_) | Value::Map(_) | Value::Unencodable(Unencodable::Pattern(_)) => {
            json_body(payload, exchange, headers)?
        }
        Value::Handle(_) | Value::Unencodable(Unencodable::Circular) => return Err(unwritable(Unwritable::Circular)),
        Value::Bool(_) | Value::Unencodable(Unencodable::BigInt(_) | Unencodable::Function) => {
            let message = "A payload must be a text, a number, an object, an array or a buffer.";
            return Err(type_error(message, Some("ERR_INVALID_ARG_TYPE")));
        }
    };
    headers.put(header::CONTENT_LENGTH, &body.len().to_string());
    headers.put_absent(header::ETAG, &etag::weak_etag(&body));
    Ok(Some(body))
}

/// The octets of a payload that goes out as it is: nothing is said of what they are.
fn ended_body(payload: &Value, headers: &mut Headers) -> Result<Bytes, Fault> {
    let body = match payload {
        Value::Undefined | Value::Null => Bytes::new(),
        Value::Text(text) => text.as_bytes().to_vec().into(),
        Value::Bytes(octets) => Bytes::copy_from_slice(octets),
        Value::Bool(_)
        | Value::Number(_)
        | Value::Date(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Handle(_)
        | Value::Unencodable(_) => {
            return Err(type_error("An answer ends with a text or a buffer.", Some("ERR_INVALID_ARG_TYPE")));
        }
    };
    headers.put(header::CONTENT_LENGTH, &body.len().to_string());
    Ok(body)
}

/// A body of text, in UTF-8 whatever its type says.
fn text_body(headers: &mut Headers, text: Vec<u8>, kind: &str) -> Result<Bytes, Fault> {
    headers.put_absent(header::CONTENT_TYPE, kind);
    let written = headers.get(header::CONTENT_TYPE).unwrap_or_default();
    let parsed = MediaType::parse(&written).ok_or_else(|| type_error("The content type is none.", None))?;
    headers.put(header::CONTENT_TYPE, &parsed.with_charset("utf-8"));
    Ok(text.into())
}

/// JSON, or with `?callback=f` a call of that function.
fn json_body(payload: &Value, exchange: &Exchange, headers: &mut Headers) -> Result<Bytes, Fault> {
    let mut json = Vec::new();
    write_json(&mut json, payload).map_err(unwritable)?;
    if headers.get(header::CONTENT_TYPE).is_none() {
        headers.put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        headers.put(header::CONTENT_TYPE, "application/json");
    }
    let Some(callback) = &exchange.callback else { return text_body(headers, json, "application/json") };
    headers.put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    headers.put(header::CONTENT_TYPE, "text/javascript");
    let callback: String =
        callback.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '[' | ']' | '$' | '.')).collect();
    // The two separators end a line in old JavaScript, but not in JSON.
    let json = String::from_utf8_lossy(&json).replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let call = format!("/**/ typeof {callback} === 'function' && {callback}({json});");
    text_body(headers, call.into_bytes(), "text/javascript")
}

/// Makes the answer of the status code, the headers set so far, and the body.
fn finish(exchange: &mut Exchange, status: i64, body: Option<Bytes>) -> Result<Response<Bytes>, Fault> {
    let headers = &mut exchange.headers;
    let (etag, modified) = (headers.get(header::ETAG), headers.get(header::LAST_MODIFIED));
    let may_be_fresh = (200..300).contains(&status) || status == 304;
    let fresh = may_be_fresh && etag::is_fresh(&exchange.conditions, etag.as_deref(), modified.as_deref());
    let status = if fresh { 304 } else { status };
    let code = u16::try_from(status).ok().filter(|_| STATUS_CODES.contains(&status));
    let code = code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or_else(|| invalid_status(status))?;
    let mut body = body.unwrap_or_default();
    if matches!(status, 204 | 304) {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        body = Bytes::new();
    }
    if status == 205 {
        headers.put(header::CONTENT_LENGTH, "0");
        body = Bytes::new();
    }
    if exchange.is_head {
        body = Bytes::new();
    }
    let mut response = Response::new(body);
    *response.status_mut() = code;
    *response.headers_mut() = std::mem::take(headers).into_map();
    Ok(response)
}

fn unwritable(why: Unwritable) -> Fault {
    let (kind, message) = match why {
        Unwritable::Circular => (FaultKind::Circular, "The payload contains itself and cannot be written as JSON."),
        Unwritable::BigInteger => (FaultKind::BigInteger, "The payload holds a BigInt, which JSON cannot hold."),
    };
    Fault { kind, ..type_error(message, None) }
}

fn invalid_status(status: i64) -> Fault {
    fault(
        &format!("RangeError: The status code {status} is none that an answer can have."),
        Some("ERR_HTTP_INVALID_STATUS_CODE"),
    )
}

/// An error of the class that JavaScript raises here, in words of our own.
fn type_error(message: &str, code: Option<&str>) -> Fault {
    fault(&format!("TypeError: {message}"), code)
}

fn fault(message: &str, code: Option<&str>) -> Fault {
    let fault = Fault { stack: Some(message.into()), ..Fault::new(FaultKind::ReplyInvalid, message) };
    match code {
        Some(code) => fault.with_code(code),
        None => fault,
    }
}
