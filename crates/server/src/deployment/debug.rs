//! Runs a live orchestration flow for its author, whatever calls it otherwise.

use std::sync::Arc;

use bytes::Bytes;
use dialects::node_red::Unanswered;
use dialects::orchestration::{Left, begin, left};
use engine::Run;
use http::Response;
use plan::{Cells, Map, TriggerIx, Value};

use super::{Deployments, ProbeError};
use crate::drive::Drive;
use crate::front::{Absence, Exchange};
use crate::problem::RequestId;

impl Deployments {
    /// Runs the flow of that name with these variables; gives its answer, and what it leaves in the flow store. What its nodes
    /// do to others, they do.
    ///
    /// # Errors
    /// [`ProbeError::NoDocument`] and [`ProbeError::NoFlow`].
    pub async fn debug(&self, name: &str, variables: &Map) -> Result<(Response<Bytes>, Left), ProbeError> {
        let table = self.table();
        let entry = table.documents.iter().find(|entry| entry.listed.name == name);
        let live = Arc::clone(&entry.ok_or_else(|| ProbeError::NoDocument(name.to_owned()))?.live);
        let facts = live.front().facts().ok_or_else(|| ProbeError::NoFlow(name.to_owned()))?;
        let id = RequestId::fresh();
        let message = begin(facts, &id.to_string(), variables);
        let run = Run::start(live.flow(), TriggerIx(0), message, Cells::default());
        let exchange = Exchange::Orchestration(Value::Undefined);
        let drive = Drive::of_request(Arc::clone(&live), self.log().clone(), run, exchange, id);
        let (reply, exchange) = drive.settled(self.reply_timeout()).await;
        let last = if let Exchange::Orchestration(last) = exchange { last } else { Value::Undefined };
        let reply = reply.unwrap_or_else(|| Absence::Orchestration.told(Unanswered::Timeout));
        Ok((reply, left(&last)))
    }
}
