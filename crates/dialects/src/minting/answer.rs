//! An answer before any message comes: the parts that a dialect makes it of.

use plan::{ReplyIx, ScriptPlan};

use super::symbol::Symbol;
use crate::{Lowered, api_connect, node_red, orchestration};

/// An answer, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: Symbol,
    /// Its body.
    pub body: Body,
    /// Its headers, a map by their names in small letters.
    pub headers: Symbol,
    /// Its cookies.
    pub cookies: Symbol,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A text goes out as it is, everything else as JSON.
    Either(Symbol),
    /// Text.
    Text(Symbol),
    /// JSON.
    Json(Symbol),
}

impl Body {
    /// What it is made of.
    pub fn symbol(&self) -> &Symbol {
        match self {
            Self::Either(symbol) | Self::Text(symbol) | Self::Json(symbol) => symbol,
        }
    }
}

impl Lowered {
    /// The message that a request brings along.
    pub(crate) fn sent(&self) -> Symbol {
        match self {
            Self::NodeRed(_) => node_red::vocabulary::sent(),
            Self::ApiConnect(_) => api_connect::vocabulary::sent(),
            Self::Orchestration(_) => orchestration::vocabulary::sent(),
        }
    }

    /// The answer that this reply makes of the message.
    pub(crate) fn answer(&self, reply: ReplyIx, message: &Symbol) -> Answer {
        match self {
            Self::NodeRed(lowered) => node_red::vocabulary::answer(&lowered.replies[reply.0 as usize], message),
            Self::ApiConnect(_) => api_connect::vocabulary::answer(reply, message),
            Self::Orchestration(_) => orchestration::vocabulary::answer(reply, message),
        }
    }

    /// Whether a script has something to sign with at hand.
    pub(super) fn signs(&self, script: &ScriptPlan) -> bool {
        match self {
            Self::NodeRed(_) => node_red::vocabulary::signs(script),
            Self::ApiConnect(_) | Self::Orchestration(_) => false,
        }
    }
}
