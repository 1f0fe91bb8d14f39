//! Answers that no node gave: error pages as Express writes them, and Chancery's own errors (section 2).

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};

use super::etag::weak_etag;

/// What a run came to that did not answer (section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// An error that nothing caught: 500.
    Error,
    /// The flow is stopped: 503.
    Stopped,
    /// There is no room for it now: 503, and when to come again.
    Busy,
    /// Nobody answered in time: 504.
    Timeout,
}

/// When whoever found no room may come again, in seconds.
pub const RETRY_AFTER_SECS: &str = "1";

/// The answer for a run that gave none. `id` is the `_msgid` of its message.
pub fn unanswered(why: Unanswered, id: &str) -> Response<Bytes> {
    let (status, code) = match why {
        Unanswered::Error => (StatusCode::INTERNAL_SERVER_ERROR, "flow_error"),
        Unanswered::Stopped => (StatusCode::SERVICE_UNAVAILABLE, "flow_stopped"),
        Unanswered::Busy => (StatusCode::SERVICE_UNAVAILABLE, "flow_busy"),
        Unanswered::Timeout => (StatusCode::GATEWAY_TIMEOUT, "flow_timeout"),
    };
    let mut body = format!(r#"{{"error":"{code}","id":"#).into_bytes();
    jose::json::write_text(&mut body, id);
    body.push(b'}');
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::RETRY_AFTER, RETRY_AFTER_SECS),
    ];
    let headers = if why == Unanswered::Busy { &headers[..] } else { &headers[..3] };
    response(status, headers, body)
}

/// The page for a path or method that no route serves.
pub fn not_found(method: &Method, path: &str) -> Response<Bytes> {
    page(StatusCode::NOT_FOUND, &format!("Cannot {method} {}", escape_html(&encode_url(path))))
}

/// The page for a request that cannot be taken.
pub fn refused(status: StatusCode) -> Response<Bytes> {
    page(status, status.canonical_reason().unwrap_or("Error"))
}

/// The answer to `OPTIONS` on a path that serves these methods.
pub fn options(allow: &str) -> Response<Bytes> {
    let etag = weak_etag(allow.as_bytes());
    let headers = [(header::ALLOW, allow), (header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::ETAG, &etag)];
    response(StatusCode::OK, &headers, allow.to_owned().into_bytes())
}

/// The answer to what goes wrong between the framework and a node.
pub(in crate::node_red) fn internal_error() -> Response<Bytes> {
    let body = b"Internal Server Error";
    let etag = weak_etag(body);
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::ETAG, etag.as_str())];
    response(StatusCode::INTERNAL_SERVER_ERROR, &headers, body.to_vec())
}

fn page(status: StatusCode, message: &str) -> Response<Bytes> {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n\
         <body>\n<pre>{message}</pre>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    ];
    response(status, &headers, body.into_bytes())
}

fn response(status: StatusCode, headers: &[(header::HeaderName, &str)], body: Vec<u8>) -> Response<Bytes> {
    let mut builder = Response::builder().status(status).header(header::CONTENT_LENGTH, body.len());
    for (name, value) in headers {
        builder = builder.header(name, *value);
    }
    builder.body(body.into()).expect("the headers of these pages are fixed or made of tokens and hexadecimal digits")
}

/// Encodes what may not stand in a URL, and leaves escapes as they are.
fn encode_url(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'()*+,-./:;=?@[]^_|~".contains(c);
    let mut out = String::new();
    for c in path.chars() {
        match c {
            plain_c if plain(plain_c) => out.push(plain_c),
            other => out.push_str(&crate::node_red::accept::percent::encode_component(other.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

fn escape_html(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'r>(response: &'r Response<Bytes>, name: &str) -> Option<&'r str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    /// NR-76: the page as Node-RED 5.0.7 was seen to write it, letter for letter.
    #[test]
    fn an_unknown_path_is_told_by_a_page() {
        let page = not_found(&Method::GET, "/a<b>&'c");
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
        assert_eq!(header(&page, "content-security-policy"), Some("default-src 'none'"));
        assert_eq!(header(&page, "x-content-type-options"), Some("nosniff"));
        assert_eq!(header(&page, "content-length"), Some("158"));
        assert!(page.body().ends_with(b"<pre>Cannot GET /a%3Cb%3E&amp;&#39;c</pre>\n</body>\n</html>\n"));
    }

    /// NR-76: `OPTIONS`.
    #[test]
    fn options_are_told_in_header_and_body() {
        let answer = options("GET,HEAD");
        assert_eq!(header(&answer, "allow"), Some("GET,HEAD"));
        assert_eq!(header(&answer, "etag"), Some("W/\"8-ZRAf8oNBS3Bjb/SU2GYZCmbtmXg\""));
        assert_eq!(answer.body().as_ref(), b"GET,HEAD");
    }

    #[test]
    fn a_run_without_an_answer_gets_one_that_says_nothing_but_its_id() {
        let answer = unanswered(Unanswered::Timeout, "0123456789abcdef");
        assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert_eq!(answer.body().as_ref(), br#"{"error":"flow_timeout","id":"0123456789abcdef"}"#);
    }

    #[test]
    fn what_goes_wrong_within_is_told_in_plain_text() {
        assert_eq!(header(&internal_error(), "etag"), Some("W/\"15-/6VXivhc2MKdLfIkLcUE47K6aH0\""));
    }
}
