//! Replies of the core listener: bodies, header fields, and refusals in the words of its vendor.

use bytes::Bytes;
use dialects::supertokens::{Refusal, render};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response};

use crate::problem::{Body, Problem, RequestId};

/// Leads from a reply to its line in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A JSON body, which no cache keeps.
pub(super) fn json(body: impl Into<Bytes>) -> Response<Body> {
    let mut response = of_type(render::JSON, body.into());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A line of text.
pub(super) fn text(body: &'static str) -> Response<Body> {
    of_type(render::TEXT, Bytes::from_static(body.as_bytes()))
}

/// A refusal of the dialect.
pub(super) fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = json(format!("{}\n", refusal.text()));
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(render::TEXT));
    if let Some(methods) = refusal.allow() {
        headers.insert(ALLOW, HeaderValue::from_static(methods));
    }
    if matches!(refusal, Refusal::Overload | Refusal::Away) {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A fault of our own, of which the log tells more.
pub(super) fn failed(id: RequestId) -> Response<Body> {
    let mut response = refused(&Refusal::Internal);
    let id = HeaderValue::try_from(id.to_string()).expect("it is hexadecimal digits");
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// What all listeners refuse, in the words of this one where it has any.
pub(super) fn of_problem(problem: Problem, id: RequestId) -> Response<Body> {
    match problem {
        Problem::NotFound => refused(&Refusal::NotFound),
        Problem::BodyTooLarge => refused(&Refusal::BodyTooLarge),
        Problem::TooManyRequests => refused(&Refusal::Overload),
        Problem::Unavailable | Problem::ReplyTimeout => refused(&Refusal::Away),
        Problem::Internal => failed(id),
        Problem::MethodNotAllowed(_) => problem.to_text("Method not supported"),
        Problem::Malformed
        | Problem::Forbidden
        | Problem::BodyTimeout
        | Problem::Conflict
        | Problem::UriTooLong
        | Problem::UnsupportedMediaType
        | Problem::Misdirected
        | Problem::HeadTooLarge => problem.to_text(problem.description()),
    }
}

fn of_type(content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
