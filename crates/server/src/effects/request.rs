//! Requests outwards: the dialect makes them of a message, the door sends them, the dialect takes the answer in.

use dialects::node_red::prepare;
use plan::{Answer, Cells, Fault, FaultKind, FetchIx, Value};

use super::Begun;
use crate::deployment::LiveDocument;

/// Asks somebody outside for this message.
pub(crate) fn fetch(live: &LiveDocument, fetch: FetchIx, to: &Value, message: &Value, cells: &Cells) -> Begun {
    let secret = |name: &plan::SecretRef| live.vault().password(name);
    let Some(node) = live.front().request(fetch) else {
        return Begun::Done(Answer::Failed(Fault::new(FaultKind::Configuration, "the document asks nobody outside")));
    };
    match prepare(node, to, message, cells, &secret) {
        Err(fetched) => Begun::Done(Answer::Fetched(fetched)),
        Ok(prepared) => {
            let (fetcher, (request, sent)) = (live.fetcher().clone(), prepared.split());
            Begun::Later(Box::pin(async move {
                let outcome = fetcher.fetch(request).await;
                Answer::Fetched(Box::new(sent.answered(outcome)))
            }))
        }
    }
}
