//! Every route on one screen, by listener; a route made for one listener does not fit on another.
//!
//! | listener | routes |
//! |---|---|
//! | runtime | [`jwks::routes`], live flows ([`Live`]), behind [`RuntimeRouter`] |
//! | core | [`core::Core`], which routes by its vendor's rules |
//! | studio | [`studio::routes`], [`palette::routes`], [`metrics::routes`] |
//! | control | [`documents::routes`], [`secrets::routes`], [`rings::routes`], [`ring_tokens::routes`], [`keks::routes`], [`palette::routes`], [`health::routes`] |
//! | health | [`health::routes`], [`metrics::routes`] |
//!
//! A module `routes/<noun>.rs` offers `routes<L>(state) -> [Route<L>; n]` and bounds `L` by what it serves:
//! [`ServesAdmin`], [`ServesHealth`], [`ServesMetrics`]. So this does not compile:
//!
//! ```compile_fail,E0277
//! use server::routes::{Router, Runtime, metrics};
//! let router = Router::new(Runtime).with(metrics::routes(Default::default()));
//! ```
//!
//! while this does:
//!
//! ```
//! use server::routes::{Health, Router, metrics};
//! let router = Router::new(Health).with(metrics::routes(Default::default()));
//! ```

pub mod core;
pub mod documents;
pub(crate) mod etag;
pub mod health;
pub mod jwks;
pub mod keks;
pub mod live;
pub mod metrics;
pub mod palette;
mod pattern;
pub mod ring_tokens;
pub mod rings;
mod router;
pub mod secrets;
pub mod studio;

pub use live::Live;
pub use pattern::Captures;
pub use router::{Call, LiveFlows, Route, Router, RuntimeRouter};
pub use studio::Studio;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use crate::accept::{ListenerKind, Peer};
use crate::deployment::Caller;
use crate::problem::{Body, Problem, RequestId};

/// The listener that a router belongs to, with what it does to every request and reply.
pub trait Listener: Send + Sync + 'static {
    /// Which one it is.
    const KIND: ListenerKind;

    /// Looks at a request before any route does.
    ///
    /// # Errors
    /// What the caller is told instead of an answer.
    fn admit(&self, _head: &Parts, _peer: Peer) -> Result<(), Problem> {
        Ok(())
    }

    /// Adds to a reply what every reply of this listener carries.
    fn finish(&self, _response: &mut Response<Body>) {}

    /// Dresses a refusal in the words of this listener.
    fn refuse(&self, problem: Problem, id: RequestId) -> Response<Body> {
        problem.to_json(id)
    }
}

/// A listener whose routes may change what the server does.
pub trait ServesAdmin: Listener {}
/// A listener that says how the server feels.
pub trait ServesHealth: Listener {}
/// A listener that shows what is counted.
pub trait ServesMetrics: Listener {}

/// Live flows and their APIs.
#[derive(Clone, Copy, Debug)]
pub struct Runtime;

/// The admin API for the command line of the same user.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// The user whose command line may speak here.
    pub uid: u32,
}

/// Health words and metrics.
#[derive(Clone, Copy, Debug)]
pub struct Health;

impl Listener for Runtime {
    const KIND: ListenerKind = ListenerKind::Runtime;
}

impl Listener for Control {
    const KIND: ListenerKind = ListenerKind::Control;

    /// The socket's mode keeps others out; this asks the kernel as well who connected.
    fn admit(&self, _head: &Parts, peer: Peer) -> Result<(), Problem> {
        if peer == (Peer::Unix { uid: self.uid }) { Ok(()) } else { Err(Problem::Forbidden) }
    }
}
impl ServesAdmin for Control {}
impl ServesHealth for Control {}

impl Listener for Health {
    const KIND: ListenerKind = ListenerKind::Health;
}
impl ServesHealth for Health {}
impl ServesMetrics for Health {}

impl ServesAdmin for Studio {}
impl ServesMetrics for Studio {}

/// The router of the studio listener.
pub type StudioRouter = Router<Studio>;
/// The router of the control socket.
pub type ControlRouter = Router<Control>;
/// The router of the health listener.
pub type HealthRouter = Router<Health>;

/// A reply with a JSON body, which no cache keeps.
fn json_reply(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Who calls, for the audit.
fn caller(peer: Peer) -> Caller {
    match peer {
        Peer::Unix { uid } => Caller { actor: format!("uid:{uid}") },
        Peer::Tcp(address) => Caller { actor: format!("address:{}", address.ip()) },
    }
}
