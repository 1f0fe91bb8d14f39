//! What flows ask of somebody outside over HTTP, and what comes back; the same for every dialect.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// A request to somebody outside.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// An absolute URL with scheme `http` or `https`.
    pub url: String,
    /// Headers to send; `Host`, `Content-Length` and `Transfer-Encoding` follow from the rest.
    pub headers: HeaderMap,
    /// The body; none for a request without.
    pub body: Option<Bytes>,
    /// Whether redirects are followed, as far as the server lets them.
    pub follows: bool,
    /// Whether a body that comes back compressed is inflated.
    pub inflates: bool,
    /// How long all of it may take, in milliseconds; none, or more than the server lets it, is as long as that.
    pub total_ms: Option<u64>,
    /// The only hosts that it may go to, redirects included; none if the server alone decides.
    pub hosts: Option<Arc<Hosts>>,
}

/// Hosts and ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(BTreeSet<(String, u16)>);

impl Hosts {
    /// Puts a host in.
    pub fn add(&mut self, host: &str, port: u16) {
        self.0.insert((host.to_ascii_lowercase(), port));
    }

    /// Whether this host, in small letters as URLs hold it, is among them.
    pub fn names(&self, host: &str, port: u16) -> bool {
        self.0.contains(&(host.to_owned(), port))
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers, as received.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The URL that answered, after redirects.
    pub url: String,
    /// The headers of each redirect on the way.
    pub hops: Vec<HeaderMap>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The URL cannot be used.
    #[error("the URL cannot be used: {0}")]
    Url(&'static str),
    /// No address of the host may be reached.
    #[error("{host} port {port} is not public, and `flows.fetch.allow` does not name it")]
    Denied {
        /// The host, as the URL names it.
        host: String,
        /// The port.
        port: u16,
    },
    /// The document does not name the host.
    #[error("{host} port {port} is not written in the document or its properties, and no `--backend` stands for it")]
    Unnamed {
        /// The host, as the URL names it.
        host: String,
        /// The port.
        port: u16,
    },
    /// The host has no address.
    #[error("{host} cannot be resolved")]
    Unresolved {
        /// The host, as the URL names it.
        host: String,
    },
    /// No connection in time.
    #[error("no connection in time")]
    ConnectTimeout,
    /// Nobody listens there.
    #[error("nobody listens on {0}")]
    ConnectionRefused(SocketAddr),
    /// No connection for another reason.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection ended before a reply came.
    #[error("the connection ended before a reply came")]
    Closed,
    /// The connection ended in the middle of the reply.
    #[error("the connection ended in the middle of the reply")]
    Cut,
    /// What came back is not HTTP within its bounds.
    #[error("the reply is no HTTP that can be read: {0}")]
    Malformed(String),
    /// The body cannot be inflated.
    #[error("the body cannot be read: {0}")]
    Body(String),
    /// The body is larger than what is read.
    #[error("the body is larger than {bytes_max} octets")]
    BodyTooLarge {
        /// How many octets are read.
        bytes_max: usize,
    },
    /// A redirect more than was allowed.
    #[error("more than {0} redirects")]
    Redirects(usize),
    /// All of it took longer than it may.
    #[error("no complete reply within {0} ms")]
    Timeout(u64),
    /// Too many requests are under way already.
    #[error("too many requests are under way")]
    Busy,
}
