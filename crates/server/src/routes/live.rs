//! Live flows: a request is accepted by the dialect of its flow, runs, and is answered.

mod api;
mod flow;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use dialects::node_red::{self, Found, Route, Unanswered};
use engine::Run;
use http::{Request, Response, StatusCode};
use plan::{Cells, Map, TriggerIx, Value};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

use super::LiveFlows;
use crate::accept::{Intake, Peer};
use crate::deployment::{Deployments, LiveDocument, Target};
use crate::drive::{Drive, Pause};
use crate::effects::reply::{Between, Outcome};
use crate::front::{Absence, Exchange};
use crate::problem::{Body, RequestId};

/// Runs of requests that may go on in tasks of their own at once. Beyond that a request whose flow has to wait is refused,
/// and what a flow does behind its reply is cut off.
pub const RUNS_WAITING_MAX: usize = 50_000;

/// The live flows, as the runtime listener asks for them.
#[derive(Clone)]
pub struct Live {
    deployments: Arc<Deployments>,
    /// One place for each run that goes on in a task of its own.
    places: Arc<Semaphore>,
}

impl Live {
    /// Answers from these deployments.
    pub fn new(deployments: Arc<Deployments>) -> Self {
        Self { deployments, places: Arc::new(Semaphore::new(RUNS_WAITING_MAX)) }
    }
}

impl LiveFlows for Live {
    async fn answer(&self, request: Request<Intake>, peer: Peer) -> Response<Body> {
        let answer = match self.take_in(request, peer).await {
            Ok(start) => self.run(start).await,
            Err(answer) => *answer,
        };
        answer.map(Body::from)
    }
}

/// A request that was taken in by the flow that it leads to.
struct Start {
    live: Arc<LiveDocument>,
    trigger: TriggerIx,
    message: Value,
    cells: Cells,
    exchange: Exchange,
    id: RequestId,
}

impl Live {
    /// Finds the flow and makes a message of the request, or an answer if there is no such flow or message. The table
    /// is let go of then, so that a document which is replaced meanwhile is held by its runs alone.
    async fn take_in(&self, request: Request<Intake>, peer: Peer) -> Result<Start, Box<Response<Bytes>>> {
        let table = self.deployments.table();
        if let Some((live, endpoint, parameters)) = table.endpoint(request.method(), request.uri().path()) {
            return flow::accept(live, endpoint, parameters, request).await;
        }
        if let Some((live, found)) = table.api(request.uri().path())
            && (!found.base_path().is_empty() || !table.has_routes())
        {
            return api::accept(live, found, request).await;
        }
        match table.routes.find(request.method(), request.uri().path()) {
            Found::Route { route, to, parameters } => accept(route, to, parameters, request, peer).await,
            Found::Options(allow) => Err(Box::new(node_red::options(&allow))),
            Found::Undecodable => Err(Box::new(node_red::refused(StatusCode::BAD_REQUEST))),
            Found::Nothing if !table.has_routes() && table.has_apis() => Err(api::nowhere()),
            Found::Nothing => Err(Box::new(node_red::not_found(request.method(), request.uri().path()))),
        }
    }

    async fn run(&self, start: Start) -> Response<Bytes> {
        let Start { live, trigger, message, cells, exchange, id } = start;
        let deadline = Instant::now() + live.front().reply_timeout(self.deployments.reply_timeout());
        let run = Run::start(live.flow(), trigger, message, cells);
        let mut drive = Drive::of_request(live, self.deployments.log().clone(), run, exchange, id);
        let pause = drive.advance();
        match (drive.take_reply(), pause) {
            (Some(reply), Pause::Rest) => reply,
            (Some(reply), Pause::Waiting | Pause::Tired) => {
                if !self.go_on(drive) {
                    self.deployments.log().warn("runs_full", &[]);
                }
                reply
            }
            (None, Pause::Rest) => {
                let (absence, failed) = (drive.absence(), drive.failed());
                drop(drive);
                if failed.is_none() && absence.is_waited_for() {
                    tokio::time::sleep_until(deadline).await;
                    return absence.told(Unanswered::Timeout);
                }
                absence.told(failed.unwrap_or(Unanswered::Error))
            }
            (None, Pause::Waiting | Pause::Tired) => {
                let absence = drive.absence();
                let (receiver, between) = drive.send_reply_on();
                if self.go_on(drive) {
                    return wait(receiver, &between, deadline, &absence).await;
                }
                self.deployments.log().warn("runs_full", &[]);
                absence.told(Unanswered::Busy)
            }
        }
    }

    /// Lets a run go on in a task of its own; false if there are too many.
    fn go_on(&self, drive: Drive) -> bool {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return false };
        tokio::spawn(async move {
            drive.finish().await;
            drop(place);
        });
        true
    }
}

async fn accept(
    route: &Route,
    to: &Target,
    parameters: Map,
    request: Request<Intake>,
    peer: Peer,
) -> Result<Start, Box<Response<Bytes>>> {
    let id = RequestId::fresh();
    let stopped = || Box::new(Absence::NodeRed(id).told(Unanswered::Stopped));
    let trigger = to.trigger.ok_or_else(stopped)?;
    let (head, intake) = request.into_parts();
    let body = intake.at_most(node_red::BODY_BYTES_MAX).read().await;
    let body = body.map_err(|problem| Box::new(node_red::refused(problem.status())))?;
    let request = Request::from_parts(head, body);
    let accepted = node_red::accept(route, parameters, &request, &sender(peer), &id.to_string())?;
    let node_red::Accepted { message, cells, exchange } = accepted;
    let exchange = Exchange::NodeRed(exchange);
    Ok(Start { live: Arc::clone(&to.live), trigger, message, cells, exchange, id })
}

/// Waits for the reply of a run that goes on in a task of its own.
async fn wait(
    mut receiver: oneshot::Receiver<Outcome>,
    between: &Between,
    deadline: Instant,
    absence: &Absence,
) -> Response<Bytes> {
    let heard = tokio::time::timeout_at(deadline, &mut receiver).await;
    match heard {
        Ok(Ok(Outcome::Reply(reply))) => reply,
        Ok(Ok(Outcome::Cut)) => absence.told(Unanswered::Stopped),
        Ok(Ok(Outcome::Rested)) if absence.is_waited_for() && between.why().is_none() => {
            tokio::time::sleep_until(deadline).await;
            absence.told(Unanswered::Timeout)
        }
        // The run failed, or its task did.
        Ok(Ok(Outcome::Rested) | Err(_)) => absence.told(between.why().unwrap_or(Unanswered::Error)),
        Err(_) => {
            between.late.store(true, Ordering::Release);
            receiver.close();
            // A reply that came in between is still the better answer.
            match receiver.try_recv() {
                Ok(Outcome::Reply(reply)) => reply,
                Ok(Outcome::Rested | Outcome::Cut) | Err(_) => {
                    absence.told(between.why().unwrap_or(Unanswered::Timeout))
                }
            }
        }
    }
}

fn sender(peer: Peer) -> node_red::Peer {
    let address = match peer {
        Peer::Tcp(address) => address.ip().to_string(),
        Peer::Unix { .. } => String::new(),
    };
    node_red::Peer { address, encrypted: false }
}
