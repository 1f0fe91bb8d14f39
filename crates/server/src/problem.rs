//! What a caller is told when the server itself refuses or fails: fixed texts, and an id that leads to the log.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

/// The body of every reply.
pub type Body = Full<Bytes>;

/// A refusal or failure of the server itself, with the one text that goes outside (docs/contracts/security.md section 8).
///
/// Detail never travels with it: whoever knows more writes a log line under the same [`RequestId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The request is not well formed.
    Malformed,
    /// The caller may not do this.
    Forbidden,
    /// Nothing answers this path here.
    NotFound,
    /// The path answers, but not this method.
    MethodNotAllowed(Verbs),
    /// The body did not arrive in time.
    BodyTimeout,
    /// The request contradicts what is there.
    Conflict,
    /// The body is larger than this listener takes.
    BodyTooLarge,
    /// The request target is longer than `URI_BYTES_MAX`.
    UriTooLong,
    /// The body has a type or encoding that nothing here reads.
    UnsupportedMediaType,
    /// `Host` names somebody else.
    Misdirected,
    /// More header fields than `HEADERS_MAX`, or a larger head than `HEAD_BYTES_MAX`.
    HeadTooLarge,
    /// Too many requests of this caller.
    TooManyRequests,
    /// Our own fault.
    Internal,
    /// The server cannot do this now.
    Unavailable,
    /// No reply was ready in time.
    ReplyTimeout,
}

impl Problem {
    /// The HTTP status (RFC 9110 section 15).
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().0
    }

    /// The code that programs compare: the `error` member.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// The sentence for people: the `error_description` member.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.row().2
    }

    /// The reply `{error, error_description, request_id}`, which no cache keeps.
    #[must_use]
    pub fn to_json(self, id: RequestId) -> Response<Body> {
        let text = format!(
            r#"{{"error":"{}","error_description":"{}","request_id":"{id}"}}"#,
            self.code(),
            self.description(),
        );
        self.dress(text, HeaderValue::from_static("application/json"))
    }

    /// The reply as one line of plain text, as the core listener gives it.
    #[must_use]
    pub fn to_text(self, text: &str) -> Response<Body> {
        self.dress(format!("{text}\n"), HeaderValue::from_static("text/plain; charset=UTF-8"))
    }

    fn dress(self, text: String, content_type: HeaderValue) -> Response<Body> {
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Problem::MethodNotAllowed(verbs) = self {
            headers.insert(ALLOW, verbs.to_header());
        }
        if matches!(self, Problem::Unavailable | Problem::TooManyRequests) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Problem::Malformed => (S::BAD_REQUEST, "invalid_request", "The request is not well formed."),
            Problem::Forbidden => (S::FORBIDDEN, "forbidden", "You may not do this."),
            Problem::NotFound => (S::NOT_FOUND, "not_found", "Nothing answers this path here."),
            Problem::MethodNotAllowed(_) => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not answer this method.")
            }
            Problem::BodyTimeout => (S::REQUEST_TIMEOUT, "body_timeout", "The request body did not arrive in time."),
            Problem::Conflict => (S::CONFLICT, "conflict", "The request contradicts what is there."),
            Problem::BodyTooLarge => {
                (S::PAYLOAD_TOO_LARGE, "body_too_large", "The request body is larger than this server takes.")
            }
            Problem::UriTooLong => {
                (S::URI_TOO_LONG, "uri_too_long", "The request target is longer than this server takes.")
            }
            Problem::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body has a type or encoding that is not read here.",
            ),
            Problem::Misdirected => {
                (S::MISDIRECTED_REQUEST, "misdirected_request", "This server does not answer under that host name.")
            }
            Problem::HeadTooLarge => (
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "head_too_large",
                "The request has more header fields than this server takes.",
            ),
            Problem::TooManyRequests => {
                (S::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests; try again later.")
            }
            Problem::Internal => (
                S::INTERNAL_SERVER_ERROR,
                "internal_error",
                "The server failed; its log tells more under this request id.",
            ),
            Problem::Unavailable => {
                (S::SERVICE_UNAVAILABLE, "unavailable", "The server cannot do this now; try again later.")
            }
            Problem::ReplyTimeout => (S::GATEWAY_TIMEOUT, "reply_timeout", "No reply was ready in time."),
        }
    }
}

/// A method that a route of ours can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET`, and `HEAD` with it.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
}

impl Verb {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Verb; 4] = [Verb::Get, Verb::Post, Verb::Put, Verb::Delete];

    /// The verb that answers a method, if one does.
    #[must_use]
    pub fn of(method: &Method) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| verb.names().split(", ").any(|name| name == method.as_str()))
    }

    fn names(self) -> &'static str {
        match self {
            Verb::Get => "GET, HEAD",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Delete => "DELETE",
        }
    }
}

/// A set of verbs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verbs(u8);

impl Verbs {
    /// Every verb.
    #[must_use]
    pub fn all() -> Verbs {
        Verb::ALL.into_iter().fold(Verbs::default(), Verbs::with)
    }

    /// The set with one more.
    #[must_use]
    pub fn with(self, verb: Verb) -> Verbs {
        Verbs(self.0 | 1 << verb as u8)
    }

    /// The set as the `Allow` header field lists it (RFC 9110 section 10.2.1).
    fn to_header(self) -> HeaderValue {
        let names = Verb::ALL.into_iter().filter(|verb| self.0 & 1 << *verb as u8 != 0).map(Verb::names);
        let text = names.collect::<Vec<_>>().join(", ");
        HeaderValue::try_from(text).expect("method names are visible ASCII")
    }
}

/// Names one refused or failed request in the reply and in the log: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    /// A fresh id. It is drawn only when something is to be told, so that a plain request costs none.
    #[must_use]
    pub fn fresh() -> RequestId {
        use std::hash::{BuildHasher as _, RandomState};
        use std::sync::OnceLock;
        use std::sync::atomic::{AtomicU64, Ordering};

        static SEED: OnceLock<RandomState> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        RequestId(SEED.get_or_init(RandomState::new).hash_one(count))
    }
}

impl RequestId {
    /// The id as a number.
    pub(crate) fn as_u64(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
