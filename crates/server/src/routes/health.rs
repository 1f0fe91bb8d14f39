//! `/health/live`, `/health/ready`, `/health/fresh`: one word each, for supervisors and balancers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::{Route, ServesHealth};
use crate::accept::Shutdown;
use crate::problem::{Body, Verb};

/// How the server feels: starting, serving, or going down.
#[derive(Debug)]
pub struct Condition {
    serving: AtomicBool,
    shutdown: Shutdown,
}

impl Condition {
    /// A server that is starting; `shutdown` tells when it goes down.
    #[must_use]
    pub fn starting(shutdown: Shutdown) -> Arc<Condition> {
        let serving = AtomicBool::new(false);
        Arc::new(Condition { serving, shutdown })
    }

    /// Documents are deployed and listeners are open.
    pub fn set_serving(&self) {
        self.serving.store(true, Ordering::Release);
    }

    fn readiness(&self) -> (StatusCode, &'static str) {
        if self.shutdown.has_begun() {
            (StatusCode::SERVICE_UNAVAILABLE, "draining")
        } else if self.serving.load(Ordering::Acquire) {
            (StatusCode::OK, "ready")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "starting")
        }
    }

    fn freshness(&self) -> (StatusCode, &'static str) {
        match self.readiness() {
            (StatusCode::OK, _) => (StatusCode::OK, "fresh"),
            (status, _) => (status, "stale"),
        }
    }
}

/// The three words.
#[must_use]
pub fn routes<L: ServesHealth>(condition: &Arc<Condition>) -> [Route<L>; 3] {
    let word = |path, ask: fn(&Condition) -> (StatusCode, &'static str)| {
        let condition = Arc::clone(condition);
        Route::new(Verb::Get, path, move |_| std::future::ready(Ok(reply(ask(&condition)))))
    };
    [
        word("/health/live", |_| (StatusCode::OK, "live")),
        word("/health/ready", Condition::readiness),
        word("/health/fresh", Condition::freshness),
    ]
}

fn reply((status, word): (StatusCode, &'static str)) -> Response<Body> {
    let mut response = Response::new(Full::from(Bytes::from_static(word.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
