//! `/metrics`: what is counted, in the Prometheus text form.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body_util::Full;

use super::{Route, ServesMetrics};
use crate::metrics::Metrics;
use crate::problem::{Body, Verb};

/// `GET /metrics`.
#[must_use]
pub fn routes<L: ServesMetrics>(metrics: Arc<Metrics>) -> [Route<L>; 1] {
    let get = Route::new(Verb::Get, "/metrics", move |_| std::future::ready(Ok(reply(&metrics))));
    [get]
}

fn reply(metrics: &Metrics) -> Response<Body> {
    let mut response = Response::new(Full::from(metrics.render()));
    let version = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, version);
    response
}
