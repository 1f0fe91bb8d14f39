//! What a test asks of live flows: messages put in at any node, and variables read and written from outside.

use std::sync::Arc;

use engine::Run;
use plan::{NodeIx, Origin, OriginIx, Path, TriggerIx, TriggerKind, Value};
use sandbox::Reach;

use super::{Deployments, LiveDocument};
use crate::drive::{Drive, Pause, now};
use crate::log::Log;
use crate::variables::{Full, scope};

/// Why a probe came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// No live document has that name.
    #[error("no document `{0}` is live")]
    NoDocument(String),
    /// The document is no orchestration flow.
    #[error("the document `{0}` is no orchestration flow, and only such a one is run in debug")]
    NoFlow(String),
    /// No node that runs has that id.
    #[error("no node `{0}` runs")]
    NoNode(String),
    /// The node takes no messages.
    #[error("the node `{0}` takes no messages")]
    TakesNothing(String),
    /// The variables hold too much already.
    #[error(transparent)]
    Full(#[from] Full),
}

/// A live document as a test holds it. It stays readable when the document is taken away.
pub struct Probed {
    live: Arc<LiveDocument>,
    log: Log,
}

impl Deployments {
    /// The live document of that name.
    ///
    /// # Errors
    /// [`ProbeError::NoDocument`].
    pub fn probe(&self, document: &str) -> Result<Probed, ProbeError> {
        let table = self.table();
        let found = table.documents.iter().find(|entry| entry.listed.name == document);
        let entry = found.ok_or_else(|| ProbeError::NoDocument(document.to_owned()))?;
        Ok(Probed { live: Arc::clone(&entry.live), log: self.log().clone() })
    }
}

impl Probed {
    /// Delivers a message to a node, or sets its trigger off if it is one that time sets off. What needs no waiting is done
    /// when this returns; nobody waits for the rest. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`ProbeError::NoNode`] and [`ProbeError::TakesNothing`].
    pub fn deliver(&self, node: &str, message: Value) -> Result<(), ProbeError> {
        let (origin, _) = self.find(node)?;
        let run = self.run(origin, message).ok_or_else(|| ProbeError::TakesNothing(node.to_owned()))?;
        let mut drive = Drive::of_schedule(Arc::clone(&self.live), self.log.clone(), run);
        if drive.advance() != Pause::Rest {
            tokio::spawn(drive.finish());
        }
        Ok(())
    }

    /// What stands at a path of the variables that a node reaches; undefined if nothing does.
    ///
    /// # Errors
    /// [`ProbeError::NoNode`].
    pub fn variable(&self, node: &str, reach: Reach, path: &Path) -> Result<Value, ProbeError> {
        Ok(self.live.variables().read(&scope(self.find(node)?.1, reach), path))
    }

    /// Writes there; undefined takes out what stands there.
    ///
    /// # Errors
    /// [`ProbeError::NoNode`] and [`ProbeError::Full`].
    pub fn set_variable(&self, node: &str, reach: Reach, path: &Path, value: Value) -> Result<(), ProbeError> {
        Ok(self.live.variables().write(&scope(self.find(node)?.1, reach), path, value)?)
    }

    /// The names of the variables that a node reaches, as a list of texts.
    ///
    /// # Errors
    /// [`ProbeError::NoNode`].
    pub fn variable_names(&self, node: &str, reach: Reach) -> Result<Value, ProbeError> {
        Ok(self.live.variables().keys(&scope(self.find(node)?.1, reach)))
    }

    fn find(&self, node: &str) -> Result<(OriginIx, &Origin), ProbeError> {
        let mut origins = (0..).map(OriginIx).zip(&self.live.flow().origins);
        origins.find(|(_, origin)| &*origin.id == node).ok_or_else(|| ProbeError::NoNode(node.to_owned()))
    }

    fn run(&self, origin: OriginIx, message: Value) -> Option<Run> {
        let flow = self.live.flow();
        let mut nodes = (0..).map(NodeIx).zip(&flow.nodes);
        if let Some((at, _)) = nodes.find(|(_, node)| node.origin == origin) {
            return Some(Run::at(flow, at, message));
        }
        let mut triggers = (0..).map(TriggerIx).zip(&flow.triggers).filter(|(_, trigger)| trigger.origin == origin);
        triggers.find_map(|(at, trigger)| match trigger.kind {
            TriggerKind::Schedule { .. } => Some(Run::scheduled(flow, at, &now())),
            TriggerKind::Request => None,
        })
    }
}
