//! One request and its reply: refused before the handler where a bound says so, caught if the handler fails.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures_util::FutureExt as _;
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, Version};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::pace::Pace;
use super::{Door, Handler, Intake, Limits, Peer};
use crate::log::{Field, Level, panic_text};
use crate::problem::{Body, Problem, RequestId, Verbs};

pub(super) async fn exchange<H: Handler>(
    door: &Door<H>,
    peer: Peer,
    pace: &Pace,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let mut turn = pace.begin();
    let began = Instant::now();
    let last = is_last(&request);
    let told = door.house.log.enabled(Level::Debug).then(|| (request.method().clone(), request.uri().clone()));

    let mut response = match refusal(&request, &door.limits) {
        Some(problem) => door.handler.refuse(problem, RequestId::fresh()),
        None => answer(door, peer, began, request).await,
    };
    if last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let ended = Instant::now();
    turn.end(ended);
    let took = ended - began;
    door.house.metrics.listener(H::KIND).replied(response.status(), took);
    if let Some((method, uri)) = told {
        let fields = [
            Field::Listener(H::KIND.name()),
            Field::Method(method.as_str()),
            Field::Path(uri.path()),
            Field::Status(response.status().as_u16()),
            Field::ElapsedMicros(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
        ];
        door.house.log.debug("request", &fields);
    }
    Ok(response)
}

/// Whether an HTTP/1 connection ends with this request. After a chunked body the guard over request heads no longer
/// knows where the next head begins (see `heads.rs`), and a refused CONNECT or TRACE has nothing to go on with.
fn is_last(request: &Request<Incoming>) -> bool {
    request.version() <= Version::HTTP_11
        && (request.headers().contains_key(TRANSFER_ENCODING) || is_refused(request.method()))
}

fn is_refused(method: &Method) -> bool {
    *method == Method::TRACE || *method == Method::CONNECT
}

/// What no handler gets to see.
fn refusal(request: &Request<Incoming>, limits: &Limits) -> Option<Problem> {
    if is_refused(request.method()) {
        Some(Problem::MethodNotAllowed(Verbs::all()))
    } else if target_bytes(request.uri()) > limits.uri_bytes {
        Some(Problem::UriTooLong)
    } else if request.headers().len() > limits.headers {
        // Not left to the parser of HTTP/1: told a number, it prepares as many places for every request.
        Some(Problem::HeadTooLarge)
    } else if request.version() == Version::HTTP_11 && request.headers().get_all(HOST).iter().count() != 1 {
        // RFC 9112 section 3.2: a request that names no host, or several, is for nobody.
        Some(Problem::Malformed)
    } else {
        None
    }
}

fn target_bytes(uri: &http::Uri) -> usize {
    let authority = uri.authority().map_or(0, |a| a.as_str().len());
    let path = uri.path_and_query().map_or(0, |p| p.as_str().len());
    authority + path
}

async fn answer<H: Handler>(door: &Door<H>, peer: Peer, began: Instant, request: Request<Incoming>) -> Response<Body> {
    let limits = &door.limits;
    let request = request.map(|incoming| Intake::new(incoming, limits.body_bytes, began + limits.body));
    // Pinned here once: the future of a flow is large, and each wrapper below would move it.
    let mut work = pin!(door.handler.handle(request, peer));
    let work = AssertUnwindSafe(work.as_mut()).catch_unwind();
    match tokio::time::timeout_at(began + limits.reply, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let text = panic_text(panic.as_ref());
            fail(door, Problem::Internal, "request_panicked", text)
        }
        Err(_) => fail(door, limits.late, "reply_late", "no reply was ready in time"),
    }
}

fn fail<H: Handler>(door: &Door<H>, problem: Problem, event: &'static str, cause: &str) -> Response<Body> {
    let id = RequestId::fresh();
    let listener = Field::Listener(H::KIND.name());
    let fields = [listener, Field::RequestId(id), Field::Cause(cause)];
    door.house.log.error(event, &fields);
    door.handler.refuse(problem, id)
}
