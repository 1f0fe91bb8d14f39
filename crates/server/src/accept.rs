//! The accept loop: every connection and request passes here and is bounded here, whatever listener it came to.
//!
//! A listener is served by one [`Handler`], usually a router of [`crate::routes`]. This module owns what happens before
//! and after it: how many connections, how long a head, a body and a reply may take, which heads are refused unread,
//! panics, counting, and the drain at the end. The limits are those of docs/contracts/security.md section 5.

mod bind;
mod bounds;
mod connection;
mod exchange;
mod gate;
mod heads;
mod intake;
mod pace;
mod signal;
mod wire;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioExecutor;

use bind::Stream;
pub use bind::{Bind, BindError, Listener};
pub use bounds::Limits;
pub use intake::Intake;
pub use signal::Shutdown;

use crate::log::{Field, Log};
use crate::metrics::Metrics;
use crate::problem::{Body, Problem, RequestId};
use gate::Gate;
use signal::Signal;

/// The five listeners of docs/contracts/security.md section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListenerKind {
    /// Live flows and their APIs.
    Runtime,
    /// The SuperTokens core API.
    Core,
    /// Studio and the admin API.
    Studio,
    /// The admin API for the command line of the same user.
    Control,
    /// Health words and metrics.
    Health,
}

impl ListenerKind {
    /// All of them, in the order of their discriminants.
    pub const ALL: [ListenerKind; 5] =
        [ListenerKind::Runtime, ListenerKind::Core, ListenerKind::Studio, ListenerKind::Control, ListenerKind::Health];

    /// The word in settings, logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ListenerKind::Runtime => "runtime",
            ListenerKind::Core => "core",
            ListenerKind::Studio => "studio",
            ListenerKind::Control => "control",
            ListenerKind::Health => "health",
        }
    }
}

/// Who is at the other end of a connection. Nothing in a request can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A peer over TCP; an IPv4 address is never shown as a mapped IPv6 one.
    Tcp(SocketAddr),
    /// A process of this machine, over a Unix socket.
    Unix {
        /// The user that the process ran as when it connected.
        uid: u32,
    },
}

/// Answers the requests of one listener.
///
/// It is a trait, not a boxed function, so that the way from a request head to a live flow allocates nothing.
pub trait Handler: Send + Sync + 'static {
    /// The listener that it was made for.
    const KIND: ListenerKind;

    /// Answers one request. The future is dropped when the client goes away first, or when the reply takes longer than
    /// [`Limits::reply`]: work that must go on after that belongs into a task of its own. A panic in it becomes
    /// [`Problem::Internal`].
    fn handle(&self, request: Request<Intake>, peer: Peer) -> impl Future<Output = Response<Body>> + Send;

    /// Dresses a refusal of the server itself in the words of this listener.
    fn refuse(&self, problem: Problem, id: RequestId) -> Response<Body> {
        problem.to_json(id)
    }
}

/// What all listeners of one process share.
#[derive(Clone, Debug)]
pub struct House {
    /// Where events go.
    pub log: Log,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Tells every listener to stop.
    pub shutdown: Shutdown,
}

/// One listener at work.
struct Door<H> {
    handler: H,
    limits: Limits,
    house: House,
    gate: Arc<Gate>,
    /// Raised when the drain has taken too long: connections are dropped as they are.
    cut: Signal,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

/// How long accepting rests after the system refused a connection, descriptors being out, say.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves a listener until [`House::shutdown`] is raised and its open requests are done, or [`Limits::drain`] is over.
pub async fn serve<H: Handler>(listener: Listener, handler: H, limits: Limits, house: House) {
    let door = Arc::new(Door {
        handler,
        gate: Gate::new(H::KIND, &limits, Arc::clone(&house.metrics)),
        cut: Signal::default(),
        http1: connection::http1_builder(&limits),
        http2: connection::http2_builder(&limits),
        limits,
        house,
    });
    accept_loop(listener, &door).await;
    drain(&door).await;
}

async fn accept_loop<H: Handler>(listener: Listener, door: &Arc<Door<H>>) {
    let shutdown = &door.house.shutdown;
    while let Some(slot) = shutdown.or(door.gate.slot()).await {
        let Some(accepted) = shutdown.or(listener.accept()).await else {
            return;
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(ticket) = door.gate.admit(slot, peer) {
                    let door = Arc::clone(door);
                    tokio::spawn(async move {
                        match stream {
                            Stream::Tcp(stream) => connection::converse(stream, peer, &door).await,
                            Stream::Unix(stream) => connection::converse(stream, peer, &door).await,
                        }
                        drop(ticket);
                    });
                }
            }
            Err(error) => {
                let cause = error.to_string();
                let fields = [Field::Listener(H::KIND.name()), Field::Cause(&cause)];
                door.house.log.warn("accept_failed", &fields);
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn drain<H: Handler>(door: &Door<H>) {
    let all_done = door.gate.wait_until_empty();
    if tokio::time::timeout(door.limits.drain, all_done).await.is_ok() {
        return;
    }
    let fields = [Field::Listener(H::KIND.name()), Field::Count(door.gate.open() as u64)];
    door.house.log.warn("drain_cut_short", &fields);
    door.cut.raise();
    door.gate.wait_until_empty().await;
}
