//! Requests for API definitions: found by base path and template, taken in or refused in the API's own dress.

use std::sync::Arc;

use bytes::Bytes;
use dialects::api_connect::{self, Api, Around, BODY_BYTES_MAX, Found, preflight, problem};
use http::{Request, Response, header};
use plan::Cells;

use super::Start;
use crate::accept::Intake;
use crate::deployment::LiveDocument;
use crate::drive::now;
use crate::front::{Exchange, phrased};
use crate::problem::RequestId;

/// Makes a message of a request for this API, or the answer to one that cannot be taken.
pub(super) async fn accept(
    live: &Arc<LiveDocument>,
    api: &Api,
    request: Request<Intake>,
) -> Result<Start, Box<Response<Bytes>>> {
    let id = RequestId::fresh();
    let (head, intake) = request.into_parts();
    let called = match api.find(&head.method, head.uri.path()) {
        Found::Operation(called) => called,
        Found::OtherMethod => return Err(refused(405, "The method is not one that this path has.")),
        Found::Nothing => return Err(nowhere()),
        Found::Preflight => {
            let header = |name| head.headers.get(name);
            let (method, wanted) =
                (header(header::ACCESS_CONTROL_REQUEST_METHOD), header(header::ACCESS_CONTROL_REQUEST_HEADERS));
            return Err(Box::new(preflight(header(header::ORIGIN), method, wanted)));
        }
    };
    let body = intake.at_most(BODY_BYTES_MAX).read().await;
    let body = body.map_err(|problem| refused(problem.status().as_u16(), "The body could not be read."))?;
    let request = Request::from_parts(head, body);
    let transaction = id.to_string();
    let around = Around { transaction: &transaction, now_epoch_ms: now().now_epoch_ms };
    let accepted = api_connect::accept(api, called, &request, live.properties(api), around);
    let api_connect::Accepted { message, exchange } = accepted.map_err(|answer| Box::new(phrased(*answer)))?;
    Ok(Start {
        live: Arc::clone(live),
        trigger: api.trigger,
        message,
        cells: Cells::default(),
        exchange: Exchange::ApiConnect(Box::new(exchange)),
        id,
    })
}

/// The answer to a request for a path that no API has.
pub(super) fn nowhere() -> Box<Response<Bytes>> {
    refused(404, "No resources match requested URI")
}

fn refused(status: u16, text: &str) -> Box<Response<Bytes>> {
    Box::new(phrased(problem(status, None, text, None)))
}
