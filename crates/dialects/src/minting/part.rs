//! The parts of a request, by which dialects know where a value was sent.

use plan::Path;

use super::symbol::Symbol;
use crate::{Lowered, api_connect, node_red, orchestration};

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The body.
    Body,
    /// The query.
    Query,
    /// The query of a `GET`, the body of any other request.
    Payload,
    /// The headers, by their names in small letters.
    Headers,
    /// The parameters of the path.
    Parameters,
    /// The cookies.
    Cookies,
    /// The method.
    Method,
    /// The path.
    Path,
}

/// A value that a caller sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The part of the request.
    pub part: Part,
    /// The way to the value within the part.
    pub way: Path,
}

impl Lowered {
    /// What a caller sends at this path of the message; none if it is not the caller who says what stands there.
    pub fn sent_at(&self, path: &Path) -> Option<Sent> {
        match self {
            Self::NodeRed(_) => node_red::vocabulary::sent_at(path),
            Self::ApiConnect(_) => api_connect::vocabulary::sent_at(path),
            Self::Orchestration(_) => orchestration::vocabulary::sent_at(path),
        }
    }

    /// Whether the caller decides what the value is, or a part of it.
    pub(super) fn is_sent(&self, symbol: &Symbol) -> bool {
        let mut found = false;
        symbol.each_part(&mut |part| {
            found |= matches!(part, Symbol::Sent(path) if self.sent_at(path).is_some());
        });
        found
    }
}

/// The value behind the names that a path begins with; the rest of the path leads on from there.
pub(crate) fn behind(path: &Path, roots: &[(&[&str], Part)]) -> Option<Sent> {
    let is_key = |segment: &plan::Segment, name: &str| matches!(segment, plan::Segment::Key(key) if &**key == name);
    let (names, part) = roots.iter().find(|(names, _)| {
        names.len() <= path.0.len() && path.0.iter().zip(*names).all(|(segment, name)| is_key(segment, name))
    })?;
    Some(Sent { part: *part, way: Path(path.0[names.len()..].into()) })
}
