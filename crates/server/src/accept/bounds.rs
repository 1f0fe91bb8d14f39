//! The limits of one listener as values, so that a test can shorten what the constants make long.

use std::time::Duration;

use super::ListenerKind;
use crate::limits::{
    BODY_CORE_BYTES_MAX, BODY_RUNTIME_BYTES_MAX, BODY_SECS, BODY_STUDIO_BYTES_MAX, CONNECTIONS_ADDRESS_MAX,
    CONNECTIONS_MAX, DOCUMENT_FILE_BYTES_MAX, DRAIN_SECS, FIRST_REQUEST_SECS, HEAD_BYTES_MAX, HEADERS_MAX, IDLE_SECS,
    REPLY_ADMIN_SECS, REPLY_FLOW_SECS_MAX, URI_BYTES_MAX,
};
use crate::problem::Problem;

/// What one listener takes, and how long it waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; beyond that accepting waits.
    pub connections: u32,
    /// Connections at once from one address; beyond that a connection is closed.
    pub connections_per_address: usize,
    /// From accepting to the first complete head, in any protocol.
    pub first_request: Duration,
    /// From the last reply to the next complete head.
    pub idle: Duration,
    /// From a complete head to the end of its body.
    pub body: Duration,
    /// From a complete head to its reply.
    pub reply: Duration,
    /// How a late reply is told.
    pub late: Problem,
    /// From the shutdown to the end of the last request.
    pub drain: Duration,
    /// Octets of a head, its request line included; at least 8 192.
    pub head_bytes: usize,
    /// Header fields of a head.
    pub headers: usize,
    /// Octets of a request target.
    pub uri_bytes: usize,
    /// Octets of a body.
    pub body_bytes: usize,
}

impl Limits {
    /// The limits of docs/contracts/security.md section 5.
    ///
    /// On the runtime listener `reply` is the most that a flow may name; the flow's own time is kept by whoever runs it.
    #[must_use]
    pub fn of(kind: ListenerKind) -> Limits {
        let (body_bytes, reply_secs, late) = match kind {
            ListenerKind::Runtime => (BODY_RUNTIME_BYTES_MAX, REPLY_FLOW_SECS_MAX, Problem::ReplyTimeout),
            ListenerKind::Core => (BODY_CORE_BYTES_MAX, REPLY_ADMIN_SECS, Problem::Unavailable),
            ListenerKind::Control => (DOCUMENT_FILE_BYTES_MAX, REPLY_ADMIN_SECS, Problem::Unavailable),
            ListenerKind::Studio | ListenerKind::Health => {
                (BODY_STUDIO_BYTES_MAX, REPLY_ADMIN_SECS, Problem::Unavailable)
            }
        };
        Limits {
            connections: CONNECTIONS_MAX as u32,
            connections_per_address: CONNECTIONS_ADDRESS_MAX,
            first_request: Duration::from_secs(FIRST_REQUEST_SECS),
            idle: Duration::from_secs(IDLE_SECS),
            body: Duration::from_secs(BODY_SECS),
            reply: Duration::from_secs(reply_secs),
            late,
            drain: Duration::from_secs(DRAIN_SECS),
            head_bytes: HEAD_BYTES_MAX,
            headers: HEADERS_MAX,
            uri_bytes: URI_BYTES_MAX,
            body_bytes,
        }
    }
}
