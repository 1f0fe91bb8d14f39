//! What a back end answered, as it stands in the message; and which errors of it are raised.

use http::{HeaderMap, StatusCode, header};
use jose::json::Limits;
use plan::{Fault, Fetched, JsonRules, Map, Path, Segment, Value, read_json};

use super::{Invoke, put, unsent};
use crate::api_connect::lower::fault;
use crate::api_connect::xml;
use crate::outward::{Failure, Reply};

/// No answer came.
const CONNECTION: &str = "ConnectionError";
/// The answer is an error of the back end.
const OPERATION: &str = "OperationError";
/// The answer is a SOAP fault.
const SOAP: &str = "SOAPError";
/// What the client of an API is told when no answer came.
const UNREACHED: (i64, &str, &str) = (500, "URL Open error", "Could not connect to endpoint");
/// Headers of an answer that speak of octets which were read already.
const READ: [header::HeaderName; 3] = [header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

pub(super) fn answered(invoke: &Invoke, mut message: Value, outcome: Result<Reply, Failure>) -> Fetched {
    match outcome {
        Ok(reply) => {
            let raised = error_of(&reply).filter(|raised| invoke.stops(raised));
            fill(&mut message, &invoke.output, &reply);
            decided(message, raised)
        }
        Err(failure @ (Failure::Url(_) | Failure::Unnamed { .. } | Failure::Denied { .. })) => {
            let (code, reason, told) = UNREACHED;
            let raised = fault("RuntimeError", failure.to_string(), (code, reason), told);
            unsent(invoke, message, raised)
        }
        Err(failure) => {
            let (code, reason, told) = UNREACHED;
            let raised = fault(CONNECTION, failure.to_string(), (code, reason), told);
            let raised = Some(raised).filter(|raised| invoke.stops(raised));
            let status = (code, reason);
            put_answer(&mut message, &invoke.output, status, Map::new(), Value::Undefined);
            let warnings = vec![format!("the back end gave no answer: {failure}").as_str().into()];
            Fetched { warnings, ..decided(message, raised) }
        }
    }
}

/// The message goes on, or an error is raised on it.
fn decided(message: Value, raised: Option<Fault>) -> Fetched {
    match raised {
        Some(fault) => Fetched { fault: Some(fault), faulty: Some(message), ..Fetched::default() },
        None => Fetched { message: Some(message), ..Fetched::default() },
    }
}

impl Invoke {
    /// Whether an error of this name is raised.
    fn stops(&self, fault: &Fault) -> bool {
        self.stops_at.iter().any(|name| Some(name) == fault.code.as_ref())
    }
}

/// The error that an answer is, whether or not it is raised.
fn error_of(reply: &Reply) -> Option<Fault> {
    let status = (i64::from(reply.status.as_u16()), reply.status.canonical_reason().unwrap_or("Error"));
    if is_xml(&reply.headers) && xml::is_soap_fault(&reply.body) {
        let status = if reply.status.as_u16() < 400 { (500, "Internal Server Error") } else { status };
        return Some(fault(SOAP, "the back end answered a SOAP fault", status, "The back end answered a SOAP fault."));
    }
    let is_error = reply.status.is_client_error() || reply.status.is_server_error();
    let told = format!("the back end answered {}", reply.status.as_u16());
    is_error.then(|| fault(OPERATION, told, status, "The back end answered an error."))
}

fn fill(message: &mut Value, output: &Path, reply: &Reply) {
    let mut headers = Map::new();
    for name in reply.headers.keys().filter(|name| !READ.contains(name)) {
        let lines = reply.headers.get_all(name).iter();
        let lines: Vec<_> = lines.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let value = if *name == header::SET_COOKIE {
            Value::list(lines.iter().map(Value::text).collect())
        } else {
            Value::text(lines.join(", "))
        };
        headers.insert(name.as_str().into(), value);
    }
    let reason = reply.status.canonical_reason().unwrap_or_default();
    put_answer(message, output, (reply.status.as_u16().into(), reason), headers, body(reply));
}

fn put_answer(message: &mut Value, output: &Path, (code, reason): (i64, &str), headers: Map, body: Value) {
    let status = Value::map([("code", Value::integer(code)), ("reason", Value::text(reason))]);
    let is_message = *output == Path::keys(["message"]);
    let mut members = vec![("body", body), ("headers", headers.into()), ("status", status)];
    if !is_message {
        // `message.statusCode` is read as `message.status.code`; any other variable has the member itself.
        members.push(("statusCode", Value::integer(code)));
        return put(message, output, Value::map(members));
    }
    for (name, value) in members {
        let path = output.0.iter().cloned().chain([Segment::Key(name.into())]).collect();
        put(message, &Path(path), value);
    }
}

/// The value of JSON, else text, else octets; undefined if there is none.
fn body(reply: &Reply) -> Value {
    if reply.body.is_empty() || reply.status == StatusCode::NO_CONTENT {
        return Value::Undefined;
    }
    if kind_of(&reply.headers).contains("json")
        && let Ok(value) = read_json(&reply.body, Limits::REQUEST, JsonRules::Exact)
    {
        return value;
    }
    match std::str::from_utf8(&reply.body) {
        Ok(text) => Value::text(text),
        Err(_) => Value::Bytes(reply.body.to_vec().into()),
    }
}

fn is_xml(headers: &HeaderMap) -> bool {
    kind_of(headers).contains("xml")
}

fn kind_of(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()));
    kind.unwrap_or_default().to_ascii_lowercase()
}
