//! Requests outwards: the dialect makes them of a message, the door sends them, the dialect takes the answer in.

use dialects::node_red::prepare;
use plan::{Answer, Cells, FetchIx, Value};

use super::Begun;
use crate::deployment::LiveDocument;

/// Asks somebody outside for this message.
pub(crate) fn fetch(live: &LiveDocument, fetch: FetchIx, to: &Value, message: &Value, cells: &Cells) -> Begun {
    let secret = |name: &plan::SecretRef| live.vault().password(name);
    match prepare(live.request(fetch), to, message, cells, &secret) {
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
