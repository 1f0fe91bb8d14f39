//! A document that was replaced or taken away: its runs get a while to end, then its scripts say goodbye.

use std::sync::Arc;
use std::time::Duration;

use engine::Run;

use super::LiveDocument;
use crate::drive::{Drive, now};
use crate::log::{Field, Log};

/// How long runs of a document that is no longer live may go on (docs/contracts/node-red.md section 2, D15).
const RETIRE_SECS: u64 = 10;
/// How long scripts may take to say goodbye.
const GOODBYE_SECS: u64 = 5;
/// How often it is looked whether the last run has ended.
const LOOK_MS: u64 = 20;

/// Lets the runs of a document end, cuts off what is left, and ends its scripts.
pub(super) async fn retire(live: Arc<LiveDocument>, log: Log) {
    live.stop_schedules();
    if tokio::time::timeout(Duration::from_secs(RETIRE_SECS), until_alone(&live)).await.is_err() {
        log.warn("runs_cut", &[Field::Document(live.name())]);
        live.cut();
        until_alone(&live).await;
    }
    say_goodbye(&live, &log).await;
}

/// Ends a document at once, because the process ends: runs that nobody waits for are cut off.
pub(super) async fn stop(live: Arc<LiveDocument>, log: Log) {
    live.stop_schedules();
    live.cut();
    say_goodbye(&live, &log).await;
}

async fn say_goodbye(live: &Arc<LiveDocument>, log: &Log) {
    let goodbye = tokio::time::timeout(Duration::from_secs(GOODBYE_SECS), goodbye(live, log));
    if goodbye.await.is_err() {
        log.warn("finalize_cut", &[Field::Document(live.name())]);
    }
}

/// Every run holds the document; when nobody else does, the last one has ended.
async fn until_alone(live: &Arc<LiveDocument>) {
    while Arc::strong_count(live) > 1 {
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

async fn goodbye(live: &Arc<LiveDocument>, log: &Log) {
    for (node, script) in live.enders() {
        if let Some(conversation) = live.pool().end(script) {
            let (run, id) = Run::of_script(live.flow(), node, &now());
            Drive::of_speaker(Arc::clone(live), log.clone(), (run, id, node), conversation).finish_regardless().await;
        }
    }
}
