//! `/.well-known/jwks.json`: the public halves of a tenant's rings, out of memory.

use std::sync::Arc;

use dialects::supertokens::render;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::{Call, Route, Runtime, etag};
use crate::problem::{Body, Problem, Verb};
use crate::rings::{Rings, Served, SetKind};
use crate::vault::TENANT;

/// The path of the key set.
pub const PATH: &str = "/.well-known/jwks.json";

/// How a listener shows a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// For caches that may go on with it after an error.
    Runtime,
    /// As clients of a core read it, for so many seconds at most.
    Core {
        /// The bound.
        age_secs_max: i64,
    },
}

/// The `public` tenant's set.
pub fn routes(rings: &Arc<Rings>) -> [Route<Runtime>; 1] {
    let rings = Arc::clone(rings);
    let set = move |call: Call| std::future::ready(reply(&rings, TENANT, Manner::Runtime, &call.head.headers));
    [Route::new(Verb::Get, PATH, set)]
}

/// The set of a tenant as its listener serves it, or 304 for whoever has it.
///
/// # Errors
/// [`Problem::NotFound`] for a tenant without a ring, [`Problem::Unavailable`] where it may not be served any more.
pub fn reply(rings: &Rings, tenant: &str, manner: Manner, asked: &HeaderMap) -> Result<Response<Body>, Problem> {
    let kind = match manner {
        Manner::Runtime => SetKind::Runtime,
        Manner::Core { .. } => SetKind::Core,
    };
    let served = rings.served(tenant, kind).map_err(|_| Problem::Unavailable)?.ok_or(Problem::NotFound)?;
    let is_known = etag::is_known(asked, &served.set.etag);
    let mut response = Response::new(Full::from(if is_known { bytes::Bytes::new() } else { served.set.body.clone() }));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, cache_control(&served, manner));
    headers.insert(ETAG, served.set.etag);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// How long a cache may keep it. Runtime: also after an error, but only as long, hence 2C <= A. Core: as its clients read
/// it, the number first.
fn cache_control(served: &Served, manner: Manner) -> HeaderValue {
    let Some(max_age) = served.max_age else { return HeaderValue::from_static("no-store") };
    let secs = max_age.as_us() / 1_000_000;
    let text = match manner {
        Manner::Runtime if served.is_degraded => format!("public, max-age={secs}"),
        Manner::Runtime => format!("public, max-age={secs}, stale-if-error={secs}"),
        Manner::Core { age_secs_max } => render::cache_control(secs.min(age_secs_max).max(1)),
    };
    HeaderValue::try_from(text).expect("words and a number are a header value")
}
