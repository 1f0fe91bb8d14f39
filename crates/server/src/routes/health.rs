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
use crate::rings::{Freshness, Rings};

/// How the server feels: starting, serving, or going down.
pub struct Condition {
    serving: AtomicBool,
    shutdown: Shutdown,
    rings: Option<Arc<Rings>>,
}

impl Condition {
    /// A server that is starting; `shutdown` tells when it goes down.
    #[must_use]
    pub fn starting(shutdown: Shutdown) -> Arc<Condition> {
        Arc::new(Condition { serving: AtomicBool::new(false), shutdown, rings: None })
    }

    /// The same, and it feels as fresh as its key rings are (key ring contract, section 13).
    #[must_use]
    pub fn with_rings(shutdown: Shutdown, rings: Arc<Rings>) -> Arc<Condition> {
        Arc::new(Condition { serving: AtomicBool::new(false), shutdown, rings: Some(rings) })
    }

    /// Documents are deployed and listeners are open.
    pub fn set_serving(&self) {
        self.serving.store(true, Ordering::Release);
    }

    pub(crate) fn readiness(&self) -> (StatusCode, &'static str) {
        if self.shutdown.has_begun() {
            (StatusCode::SERVICE_UNAVAILABLE, "draining")
        } else if self.rings.as_ref().is_some_and(|rings| rings.is_locked_out()) {
            (StatusCode::SERVICE_UNAVAILABLE, "hsm_pin_refused")
        } else if self.serving.load(Ordering::Acquire) {
            match self.rings_feel() {
                Freshness::Fresh => (StatusCode::OK, "ready"),
                Freshness::Degraded => (StatusCode::OK, "degraded"),
                Freshness::Stale => (StatusCode::SERVICE_UNAVAILABLE, "stale"),
            }
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "starting")
        }
    }

    pub(crate) fn freshness(&self) -> (StatusCode, &'static str) {
        match (self.readiness(), self.rings_feel()) {
            ((StatusCode::OK, _), Freshness::Fresh) => (StatusCode::OK, "fresh"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "stale"),
        }
    }

    /// A server without rings has nothing that ages.
    fn rings_feel(&self) -> Freshness {
        self.rings.as_ref().map_or(Freshness::Fresh, |rings| rings.freshness())
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
