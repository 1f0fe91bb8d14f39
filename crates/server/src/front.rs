//! How a live document meets its callers: each dialect in its own words, told apart here and nowhere else in this crate.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use dialects::api_connect::{self, Api, Clients, Phrase};
use dialects::node_red::{self, Rendered, RequestNode, ResponseNode, Route, Unanswered};
use dialects::orchestration::{self, Endpoint, HttpRequest};
use dialects::{FoundSecret, Kind, Lowered};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, Response};
use hyper::ext::ReasonPhrase;
use plan::{Cells, Diagnostic, Fault, FetchIx, Flow, ReplyIx, Text, Value};

use crate::limits::REPLY_API_CONNECT_SECS;
use crate::problem::RequestId;

/// What a document was lowered to, taken apart.
pub(crate) struct Parts {
    pub(crate) flow: Flow,
    pub(crate) front: Front,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) secrets: Vec<FoundSecret>,
    /// Where those secrets stood in the document.
    pub(crate) cuts: Vec<Range<usize>>,
    /// The document as it is kept, where more than those cuts had to be done.
    pub(crate) kept: Option<Vec<u8>>,
}

/// How a document meets its callers.
pub(crate) enum Front {
    /// Through the `http in` and `http response` nodes of a Node-RED flow file.
    NodeRed {
        /// What is served, the first match wins.
        routes: Vec<Route>,
        /// What dresses replies.
        replies: Vec<ResponseNode>,
        /// What asks servers outside.
        requests: Vec<RequestNode>,
    },
    /// Through the operations of an API definition.
    ApiConnect(Box<Api>),
    /// Through the trigger of an orchestration flow.
    Orchestration {
        /// Where requests come in; none if no request calls it.
        endpoint: Option<Box<Endpoint>>,
        /// What every run knows of the flow; its id first.
        facts: Vec<(Text, Value)>,
        /// What asks servers outside.
        requests: Vec<HttpRequest>,
    },
}

/// What asks somebody outside.
pub(crate) enum Outward<'f> {
    /// A node of a flow file.
    NodeRed(&'f RequestNode),
    /// A policy of this API.
    ApiConnect(&'f Api),
    /// A node of an orchestration flow.
    Orchestration(&'f HttpRequest),
}

/// What a reply needs to know of the request, in the dialect of the document that answers.
pub(crate) enum Exchange {
    /// Of a Node-RED flow; empty where nobody waits.
    NodeRed(node_red::Exchange),
    /// Of an API.
    ApiConnect(Box<api_connect::Exchange>),
    /// Of an orchestration flow: what its answer was made from, once there is one.
    Orchestration(Value),
}

/// How a caller is told that there is no reply.
pub(crate) enum Absence {
    /// By the id of the run.
    NodeRed(RequestId),
    /// In the form of the API.
    ApiConnect(Box<api_connect::Exchange>),
    /// In JSON.
    Orchestration,
}

impl Parts {
    /// Takes a document apart; an API is open to these clients.
    pub(crate) fn of(lowered: Lowered, clients: &Clients) -> Self {
        match lowered {
            Lowered::NodeRed(lowered) => {
                let node_red::Lowered { flow, routes, replies, requests, diagnostics, secrets, cuts } = *lowered;
                let front = Front::NodeRed { routes, replies, requests };
                Self { flow, front, diagnostics, secrets, cuts, kept: None }
            }
            Lowered::ApiConnect(lowered) => {
                let api_connect::Lowered { flow, mut api, diagnostics, survey: _, secrets, kept } = *lowered;
                api.clients = clients.clone();
                let front = Front::ApiConnect(Box::new(api));
                Self { flow, front, diagnostics, secrets, cuts: Vec::new(), kept }
            }
            Lowered::Orchestration(lowered) => {
                let orchestration::Lowered { flow, endpoint, facts, requests, diagnostics, secrets, kept } = *lowered;
                let front = Front::Orchestration { endpoint: endpoint.map(Box::new), facts, requests };
                Self { flow, front, diagnostics, secrets, cuts: Vec::new(), kept }
            }
        }
    }
}

impl Front {
    /// The dialect.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::NodeRed { .. } => Kind::NodeRed,
            Self::ApiConnect(_) => Kind::ApiConnect,
            Self::Orchestration { .. } => Kind::Orchestration,
        }
    }

    /// The routes of a flow file; an API has none.
    pub(crate) fn routes(&self) -> &[Route] {
        match self {
            Self::NodeRed { routes, .. } => routes,
            Self::ApiConnect(_) | Self::Orchestration { .. } => &[],
        }
    }

    /// What asks somebody outside.
    pub(crate) fn outward(&self, fetch: FetchIx) -> Outward<'_> {
        match self {
            Self::NodeRed { requests, .. } => Outward::NodeRed(&requests[fetch.0 as usize]),
            Self::ApiConnect(api) => Outward::ApiConnect(api),
            Self::Orchestration { requests, .. } => Outward::Orchestration(&requests[fetch.0 as usize]),
        }
    }

    /// The API of a definition.
    pub(crate) fn api(&self) -> Option<&Api> {
        match self {
            Self::NodeRed { .. } | Self::Orchestration { .. } => None,
            Self::ApiConnect(api) => Some(api),
        }
    }

    /// Where requests for an orchestration flow come in.
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::NodeRed { .. } | Self::ApiConnect(_) => None,
            Self::Orchestration { endpoint, .. } => endpoint.as_deref(),
        }
    }

    /// What every run of an orchestration flow knows of it; its id first.
    pub(crate) fn facts(&self) -> Option<&[(Text, Value)]> {
        match self {
            Self::NodeRed { .. } | Self::ApiConnect(_) => None,
            Self::Orchestration { facts, .. } => Some(facts),
        }
    }

    /// Method and path of all that it serves.
    pub(crate) fn served(&self) -> Vec<(Method, String)> {
        match self {
            Self::NodeRed { routes, .. } => {
                routes.iter().map(|route| (route.method.clone(), route.path.to_string())).collect()
            }
            Self::ApiConnect(api) => api.operations().map(|(method, path)| (method.clone(), path)).collect(),
            Self::Orchestration { endpoint, .. } => {
                endpoint.iter().map(|endpoint| (endpoint.method.clone(), endpoint.path.to_string())).collect()
            }
        }
    }

    /// How long a request waits for a reply; `usual` where the dialect has no time of its own.
    pub(crate) fn reply_timeout(&self, usual: Duration) -> Duration {
        match self {
            Self::NodeRed { .. } | Self::Orchestration { .. } => usual,
            Self::ApiConnect(_) => Duration::from_secs(REPLY_API_CONNECT_SECS),
        }
    }

    /// Dresses a message as the answer to the request of its run.
    pub(crate) fn render(
        &self,
        reply: ReplyIx,
        (message, cells): (&Value, &Cells),
        exchange: &mut Exchange,
        now_epoch_ms: i64,
    ) -> Result<Rendered, Fault> {
        match (self, exchange) {
            (Self::NodeRed { replies, .. }, Exchange::NodeRed(exchange)) => {
                node_red::render(&replies[reply.0 as usize], message, cells, exchange, now_epoch_ms)
            }
            (Self::ApiConnect(_), Exchange::ApiConnect(exchange)) => {
                api_connect::render(reply, message, exchange).map(phrased).map(Rendered::Answer)
            }
            (Self::Orchestration { .. }, Exchange::Orchestration(last)) => {
                *last = message.clone();
                orchestration::render(reply, message).map(Rendered::Answer)
            }
            // A run that nobody has asked for carries an empty exchange.
            (Self::NodeRed { .. } | Self::ApiConnect(_) | Self::Orchestration { .. }, _) => Ok(Rendered::NobodyWaits),
        }
    }
}

impl Exchange {
    /// Takes note that this request outwards is made for the run.
    pub(crate) fn note_fetch(&mut self, front: &Front, fetch: FetchIx) {
        if let (Self::ApiConnect(exchange), Front::ApiConnect(api)) = (self, front)
            && api.replaces_message(fetch)
        {
            exchange.forget_inherited();
        }
    }

    /// Method and path of the operation that was called, as its author writes them.
    pub(crate) fn operation(&self) -> Option<(&str, &str)> {
        match self {
            Self::NodeRed(_) | Self::Orchestration(_) => None,
            Self::ApiConnect(exchange) => Some(exchange.operation()),
        }
    }

    /// How the caller is told if the run of this id gives no reply.
    pub(crate) fn absence(&self, id: RequestId) -> Absence {
        match self {
            Self::NodeRed(_) => Absence::NodeRed(id),
            Self::ApiConnect(exchange) => Absence::ApiConnect(exchange.clone()),
            Self::Orchestration(_) => Absence::Orchestration,
        }
    }
}

impl Absence {
    /// Whether a run that rests without a reply is waited for, up to its time: its vendor leaves such a request open.
    pub(crate) fn is_waited_for(&self) -> bool {
        match self {
            Self::NodeRed(_) => true,
            Self::ApiConnect(_) | Self::Orchestration => false,
        }
    }

    /// The answer for a run that gave none.
    pub(crate) fn told(&self, why: Unanswered) -> Response<Bytes> {
        let exchange = match self {
            Self::NodeRed(id) => return node_red::unanswered(why, &id.to_string()),
            Self::ApiConnect(exchange) => Some(exchange),
            Self::Orchestration => None,
        };
        let (status, text) = match why {
            Unanswered::Error => (500, "The request could not be completed."),
            Unanswered::Stopped => (503, "The API is not available now."),
            Unanswered::Busy => (503, "Too many requests wait already."),
            Unanswered::Timeout => (504, "The API did not answer in time."),
        };
        let mut answer = match exchange {
            Some(exchange) => phrased(api_connect::problem(status, None, text, Some(exchange))),
            None => orchestration::problem(status, "unanswered", text),
        };
        if why == Unanswered::Busy {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(node_red::RETRY_AFTER_SECS));
        }
        answer
    }
}

/// The response with its reason phrase where the connection looks for it.
pub(crate) fn phrased(mut response: Response<Bytes>) -> Response<Bytes> {
    let phrase = response.extensions_mut().remove::<Phrase>();
    if let Some(phrase) = phrase.and_then(|Phrase(text)| ReasonPhrase::try_from(text.into_bytes()).ok()) {
        response.extensions_mut().insert(phrase);
    }
    response
}
