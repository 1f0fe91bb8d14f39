//! What a document does by itself once it is live: its scripts begin, and time sets its triggers off.

use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::Run;
use plan::{TriggerIx, TriggerKind};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::LiveDocument;
use crate::drive::{Drive, now};
use crate::log::{Field, Log};

/// Runs of one trigger that may be on their way at once; beyond that, time sets it off in vain.
const RUNS_MAX: usize = 64;

/// Begins the scripts of a document and arms its triggers.
pub(super) fn begin(live: &Arc<LiveDocument>, log: &Log) {
    for (node, script) in live.beginners() {
        if let Some(conversation) = live.pool().begin(script) {
            let (run, id) = Run::of_script(live.flow(), node, &now());
            tokio::spawn(Drive::of_speaker(Arc::clone(live), log.clone(), (run, id, node), conversation).finish());
        }
    }
    let armed = (0..).map(TriggerIx).zip(&live.flow().triggers).filter_map(|(at, trigger)| match &trigger.kind {
        TriggerKind::Request => None,
        TriggerKind::Schedule { first_ms, every_ms, .. } => arm(live, log, at, *first_ms, *every_ms),
    });
    live.keep_schedules(armed.collect());
}

fn arm(
    live: &Arc<LiveDocument>,
    log: &Log,
    trigger: TriggerIx,
    first_ms: Option<u64>,
    every_ms: Option<u64>,
) -> Option<AbortHandle> {
    let first = Duration::from_millis(first_ms.or(every_ms)?);
    // The task must not hold the document: it is alone when its last run has ended.
    let (live, log) = (Arc::downgrade(live), log.clone());
    let task = async move {
        let places = Arc::new(Semaphore::new(RUNS_MAX));
        let Some(every_ms) = every_ms else {
            tokio::time::sleep(first).await;
            return set_off(&live, &log, trigger, &places);
        };
        let mut ticks = interval_at(Instant::now() + first, Duration::from_millis(every_ms.max(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            set_off(&live, &log, trigger, &places);
        }
    };
    Some(tokio::spawn(task).abort_handle())
}

fn set_off(live: &Weak<LiveDocument>, log: &Log, trigger: TriggerIx, places: &Arc<Semaphore>) {
    let Some(live) = live.upgrade() else { return };
    let Ok(place) = Arc::clone(places).try_acquire_owned() else {
        return log.warn("schedule_skipped", &[Field::Document(live.name())]);
    };
    let run = Run::scheduled(live.flow(), trigger, &now());
    let drive = Drive::of_schedule(live, log.clone(), run);
    tokio::spawn(async move {
        drive.finish().await;
        drop(place);
    });
}
