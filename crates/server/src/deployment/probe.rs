//! What a test asks of live flows: messages put in at any node, and variables read and written from outside.

use std::sync::Arc;

use engine::Run;
use plan::{NodeIx, Origin, OriginIx, Path, TriggerIx, TriggerKind, Value};
use sandbox::Reach;

use super::{Deployments, LiveDocument};
use crate::drive::{Drive, Pause, now};
use crate::variables::{Full, scope};

/// Why a probe came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// No live document has that name.
    #[error("no document `{0}` is live")]
    NoDocument(String),
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

impl Deployments {
    /// Delivers a message to a node, or sets its trigger off if it is one that time sets off. What needs no waiting is done
    /// when this returns; nobody waits for the rest. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`ProbeError`], except for [`ProbeError::Full`].
    pub fn deliver(&self, document: &str, node: &str, message: Value) -> Result<(), ProbeError> {
        let live = self.live(document)?;
        let (origin, _) = find(&live, node)?;
        let run = run(&live, origin, message).ok_or_else(|| ProbeError::TakesNothing(node.to_owned()))?;
        let mut drive = Drive::of_schedule(live, self.log().clone(), run);
        if drive.advance() != Pause::Rest {
            tokio::spawn(drive.finish());
        }
        Ok(())
    }

    /// What stands at a path of the variables that a node reaches; undefined if nothing does.
    ///
    /// # Errors
    /// [`ProbeError::NoDocument`] and [`ProbeError::NoNode`].
    pub fn variable(&self, document: &str, node: &str, reach: Reach, path: &Path) -> Result<Value, ProbeError> {
        let live = self.live(document)?;
        Ok(live.variables().read(&scope(find(&live, node)?.1, reach), path))
    }

    /// Writes there; undefined takes out what stands there.
    ///
    /// # Errors
    /// [`ProbeError`], except for [`ProbeError::TakesNothing`].
    pub fn set_variable(
        &self,
        document: &str,
        node: &str,
        reach: Reach,
        (path, value): (&Path, Value),
    ) -> Result<(), ProbeError> {
        let live = self.live(document)?;
        Ok(live.variables().write(&scope(find(&live, node)?.1, reach), path, value)?)
    }

    /// The names of the variables that a node reaches, as a list of texts.
    ///
    /// # Errors
    /// [`ProbeError::NoDocument`] and [`ProbeError::NoNode`].
    pub fn variable_names(&self, document: &str, node: &str, reach: Reach) -> Result<Value, ProbeError> {
        let live = self.live(document)?;
        Ok(live.variables().keys(&scope(find(&live, node)?.1, reach)))
    }

    fn live(&self, document: &str) -> Result<Arc<LiveDocument>, ProbeError> {
        let table = self.table();
        let found = table.documents.iter().find(|entry| entry.listed.name == document);
        found.map(|entry| Arc::clone(&entry.live)).ok_or_else(|| ProbeError::NoDocument(document.to_owned()))
    }
}

fn find<'l>(live: &'l LiveDocument, node: &str) -> Result<(OriginIx, &'l Origin), ProbeError> {
    let mut origins = (0..).map(OriginIx).zip(&live.flow().origins);
    origins.find(|(_, origin)| &*origin.id == node).ok_or_else(|| ProbeError::NoNode(node.to_owned()))
}

fn run(live: &LiveDocument, origin: OriginIx, message: Value) -> Option<Run> {
    let flow = live.flow();
    if let Some(at) = (0..).map(NodeIx).zip(&flow.nodes).find_map(|(at, node)| (node.origin == origin).then_some(at)) {
        return Some(Run::at(flow, at, message));
    }
    let mut triggers = (0..).map(TriggerIx).zip(&flow.triggers).filter(|(_, trigger)| trigger.origin == origin);
    triggers.find_map(|(at, trigger)| match trigger.kind {
        TriggerKind::Schedule { .. } => Some(Run::scheduled(flow, at, &now())),
        TriggerKind::Request => None,
    })
}
