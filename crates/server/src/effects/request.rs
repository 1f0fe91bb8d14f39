//! Requests outwards: the dialect makes them of a message, the door sends them, the dialect takes the answer in.

use std::sync::Arc;

use dialects::api_connect::{Api, granted};
use dialects::node_red::{RequestNode, prepare};
use dialects::orchestration::HttpRequest;
use plan::{Answer, Cells, FetchIx, Text, Value};

use super::Begun;
use crate::deployment::LiveDocument;
use crate::front::Outward;

/// Asks somebody outside for this message.
pub(crate) fn fetch(live: &LiveDocument, fetch: FetchIx, to: &Value, message: &Value, cells: &Cells) -> Begun {
    match live.front().outward(fetch) {
        Outward::NodeRed(node) => request(live, node, to, message, cells),
        Outward::ApiConnect(api) => invoke(live, api, fetch, to, message),
        Outward::Orchestration(node) => ask(live, node, to, message),
    }
}

/// What a script of this document wants of somebody outside.
///
/// # Errors
/// Why it cannot be asked for.
pub(crate) fn wished(
    live: &LiveDocument,
    wish: &Value,
) -> Result<impl Future<Output = Result<Value, Text>> + Send + 'static, Text> {
    let api = live.front().api().ok_or("the scripts of this document ask nobody outside")?;
    let request = api.wished(wish)?;
    let (fetcher, backends) = (live.fetcher().clone(), Arc::clone(live.backends()));
    Ok(async move { granted(fetcher.invoke(&backends, request).await).map_err(Text::from) })
}

fn request(live: &LiveDocument, node: &RequestNode, to: &Value, message: &Value, cells: &Cells) -> Begun {
    let secret = |name: &plan::SecretRef| live.vault().password(name);
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

fn invoke(live: &LiveDocument, api: &Api, fetch: FetchIx, to: &Value, message: &Value) -> Begun {
    match api.invocation(fetch, to, message) {
        Err(fetched) => Begun::Done(Answer::Fetched(fetched)),
        Ok(invocation) => {
            let (request, sent) = invocation.split();
            let (fetcher, backends) = (live.fetcher().clone(), Arc::clone(live.backends()));
            Begun::Later(Box::pin(async move {
                let outcome = fetcher.invoke(&backends, request).await;
                Answer::Fetched(Box::new(sent.answered(outcome)))
            }))
        }
    }
}

fn ask(live: &LiveDocument, node: &HttpRequest, to: &Value, message: &Value) -> Begun {
    match node.prepare(to, message) {
        Err(fetched) => Begun::Done(Answer::Fetched(fetched)),
        Ok((request, sent)) => {
            let fetcher = live.fetcher().clone();
            Begun::Later(Box::pin(async move {
                let outcome = fetcher.fetch(request).await;
                Answer::Fetched(Box::new(sent.answered(outcome)))
            }))
        }
    }
}
