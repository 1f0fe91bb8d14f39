//! What a flow file is lowered to, and what lowering depends on.

use std::collections::BTreeMap;
use std::ops::Range;

use super::accept::Pattern;
use super::request::RequestNode;
use crate::found::FoundSecret;
use http::Method;
use plan::{Diagnostic, Flow, Text, TriggerIx};

/// What lowering depends on beside the document.
#[derive(Clone, Copy, Debug)]
pub struct LowerSettings<'a> {
    /// The variables of the process. Names that begin `CHANCERY_` are hidden from flows.
    pub environment: &'a BTreeMap<String, String>,
    /// `flows.compat.jwt_any_hmac`: a validating `jwt` node takes HS256, HS384 and HS512 alike (section 2, D4).
    pub jwt_any_hmac: bool,
}

/// What a flow file was lowered to.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The flow.
    pub flow: Flow,
    /// What is served, the first match wins.
    pub routes: Vec<Route>,
    /// The replies that the flow names, by [`plan::ReplyIx`].
    pub replies: Vec<ResponseNode>,
    /// The requests to somebody outside that the flow names, by [`plan::FetchIx`].
    pub requests: Vec<RequestNode>,
    /// What the author should know; none of it is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// The credentials that the document carried.
    pub secrets: Vec<FoundSecret>,
    /// Where they stand in it, in ascending order; cut out, the rest is the same flow file without them.
    pub cuts: Vec<Range<usize>>,
}

/// One `http in` node.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method it listens to.
    pub method: Method,
    /// Its path as the author writes it; begins with `/`.
    pub path: Text,
    /// The same, ready to be tried.
    pub pattern: Pattern,
    /// What a request is given to.
    pub serve: Serve,
    /// Whether multipart bodies are taken apart.
    pub upload: bool,
    /// Whether the body stays as it came.
    pub skip_body_parsing: bool,
    /// The author's id of the node.
    pub node: Text,
}

/// What a route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    /// This trigger of the flow.
    Trigger(TriggerIx),
    /// A tab that is stopped: 503.
    Stopped,
}

impl Serve {
    /// The trigger; none for a tab that is stopped.
    pub fn trigger(self) -> Option<TriggerIx> {
        match self {
            Self::Trigger(trigger) => Some(trigger),
            Self::Stopped => None,
        }
    }
}

/// One `http response` node, or a function that answers by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseNode {
    /// The author's id of the node.
    pub node: Text,
    /// Its status code; none if the message decides.
    pub status_code: Option<i64>,
    /// Its headers, in order.
    pub headers: Vec<(Text, plan::Value)>,
    /// Whether it is a function: then `msg.ended` says that the payload goes out as it is.
    pub by_hand: bool,
}
