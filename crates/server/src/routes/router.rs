//! Routes and the routers that hold them; the router's type names its listener.

use std::pin::Pin;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};

use super::pattern::{Captures, Pattern};
use super::{Listener, Runtime, jwks};
use crate::accept::{Handler, Intake, ListenerKind, Peer};
use crate::problem::{Body, Problem, RequestId, Verb, Verbs};

/// A request that found its route.
#[derive(Debug)]
pub struct Call {
    /// Method, target and header fields.
    pub head: Parts,
    /// The body, unread.
    pub body: Intake,
    /// The named segments of the path.
    pub captures: Captures,
    /// Who asks.
    pub peer: Peer,
}

impl Call {
    /// The body, read within its limits.
    ///
    /// # Errors
    /// As [`Intake::read`].
    pub async fn body(self) -> Result<Bytes, Problem> {
        self.body.read().await
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Problem>> + Send>>;

/// One verb of one path on the listener `L`.
pub struct Route<L> {
    verb: Verb,
    pattern: Pattern,
    answer: Box<dyn Fn(Call) -> Answer + Send + Sync>,
    listener: std::marker::PhantomData<fn(L)>,
}

impl<L: Listener> Route<L> {
    /// A route. `path` is matched raw, `{name}` stands for one whole segment.
    ///
    /// The answer is boxed: these are the fixed routes of the admin side, not the way to a live flow.
    pub fn new<F>(verb: Verb, path: &'static str, answer: impl Fn(Call) -> F + Send + Sync + 'static) -> Route<L>
    where
        F: Future<Output = Result<Response<Body>, Problem>> + Send + 'static,
    {
        Route {
            verb,
            pattern: Pattern::new(path),
            answer: Box::new(move |call| Box::pin(answer(call))),
            listener: std::marker::PhantomData,
        }
    }
}

/// The routes of one listener.
pub struct Router<L> {
    listener: L,
    routes: Vec<Route<L>>,
}

impl<L: Listener> Router<L> {
    /// A router without routes.
    pub fn new(listener: L) -> Router<L> {
        Router { listener, routes: Vec::new() }
    }

    /// Adds routes; the first that fits a request answers it.
    #[must_use]
    pub fn with(mut self, routes: impl IntoIterator<Item = Route<L>>) -> Router<L> {
        self.routes.extend(routes);
        self
    }

    async fn answer(&self, request: Request<Intake>, peer: Peer) -> Response<Body> {
        let (head, body) = request.into_parts();
        let answer = match self.listener.admit(&head, peer) {
            Ok(()) => self.dispatch(head, body, peer).await,
            Err(problem) => Err(problem),
        };
        let mut response = answer.unwrap_or_else(|problem| self.listener.refuse(problem, RequestId::fresh()));
        self.listener.finish(&mut response);
        response
    }

    async fn dispatch(&self, head: Parts, body: Intake, peer: Peer) -> Result<Response<Body>, Problem> {
        let verb = Verb::of(&head.method);
        let mut others = Verbs::default();
        for route in &self.routes {
            let Some(captures) = route.pattern.match_path(head.uri.path()) else {
                continue;
            };
            if Some(route.verb) == verb {
                let call = Call { head, body, captures, peer };
                return (route.answer)(call).await;
            }
            others = others.with(route.verb);
        }
        if others == Verbs::default() { Err(Problem::NotFound) } else { Err(Problem::MethodNotAllowed(others)) }
    }
}

impl<L: Listener> Handler for Router<L> {
    const KIND: ListenerKind = L::KIND;

    async fn handle(&self, request: Request<Intake>, peer: Peer) -> Response<Body> {
        self.answer(request, peer).await
    }

    fn refuse(&self, problem: Problem, id: RequestId) -> Response<Body> {
        let mut response = self.listener.refuse(problem, id);
        self.listener.finish(&mut response);
        response
    }
}

/// Answers what no fixed route of the runtime listener does: the flows that are deployed.
///
/// It is a trait so that the accept loop does not know what a flow is, and so that a request reaches its flow without a
/// boxed future.
pub trait LiveFlows: Send + Sync + 'static {
    /// Answers one request, as [`Handler::handle`] does; a path that no flow claims included.
    fn answer(&self, request: Request<Intake>, peer: Peer) -> impl Future<Output = Response<Body>> + Send;
}

/// The router of the runtime listener: its fixed routes, then the live flows.
pub struct RuntimeRouter<F> {
    fixed: Router<Runtime>,
    live: F,
}

impl<F: LiveFlows> RuntimeRouter<F> {
    /// A router that asks `live` for everything.
    pub fn new(live: F) -> RuntimeRouter<F> {
        RuntimeRouter { fixed: Router::new(Runtime), live }
    }

    /// Adds fixed routes; no flow can claim their paths.
    #[must_use]
    pub fn with(mut self, routes: impl IntoIterator<Item = Route<Runtime>>) -> RuntimeRouter<F> {
        self.fixed = self.fixed.with(routes);
        self
    }

    /// Whether a path belongs to the server itself.
    #[must_use]
    pub fn reserves(&self, path: &str) -> bool {
        let routes = &self.fixed.routes;
        path == jwks::PATH || routes.iter().any(|route| route.pattern.match_path(path).is_some())
    }
}

impl<F: LiveFlows> Handler for RuntimeRouter<F> {
    const KIND: ListenerKind = ListenerKind::Runtime;

    async fn handle(&self, request: Request<Intake>, peer: Peer) -> Response<Body> {
        if self.reserves(request.uri().path()) {
            // Boxed, so that every request to a flow need not carry the room for it.
            Box::pin(self.fixed.answer(request, peer)).await
        } else {
            self.live.answer(request, peer).await
        }
    }
}
