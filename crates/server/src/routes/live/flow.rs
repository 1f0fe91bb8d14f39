//! Requests for orchestration flows: who calls is checked, the body is read, and the flow is given its variables.

use std::sync::Arc;

use bytes::Bytes;
use dialects::orchestration::{self, Around, BODY_BYTES_MAX, Endpoint, problem};
use http::{Request, Response};
use plan::{Cells, SecretRef, Value};

use super::Start;
use crate::accept::Intake;
use crate::deployment::LiveDocument;
use crate::front::Exchange;
use crate::problem::RequestId;

/// Makes a message of a request for this flow, or the answer to one that cannot be taken.
pub(super) async fn accept(
    live: &Arc<LiveDocument>,
    endpoint: &Endpoint,
    parameters: Vec<(String, String)>,
    request: Request<Intake>,
) -> Result<Start, Box<Response<Bytes>>> {
    let id = RequestId::fresh();
    let (head, intake) = request.into_parts();
    let body = intake.at_most(BODY_BYTES_MAX).read().await;
    let unread = |status: u16| Box::new(problem(status, "body_unread", "The body could not be read."));
    let body = body.map_err(|problem| unread(problem.status().as_u16()))?;
    let request = Request::from_parts(head, body);
    let run = id.to_string();
    let secret = |name: &SecretRef| live.vault().password(name);
    let around = Around { run: &run, secret: &secret };
    let message = orchestration::accept(endpoint, parameters, &request, &around)?;
    let (cells, exchange) = (Cells::default(), Exchange::Orchestration(Value::Undefined));
    Ok(Start { live: Arc::clone(live), trigger: endpoint.trigger, message, cells, exchange, id })
}
