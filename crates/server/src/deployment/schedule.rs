//! What a document does by itself once it is live: its scripts begin, and time sets its triggers off.

use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::Run;
use plan::{Calendar, TriggerIx, TriggerKind};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::LiveDocument;
use crate::drive::{Drive, now};
use crate::log::{Field, Log};

/// Runs of one trigger that may be on their way at once; beyond that, time sets it off in vain.
const RUNS_MAX: usize = 64;

/// The longest sleep before the clock is looked at again.
const CLOCK_LOOK: Duration = Duration::from_secs(60);

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
        TriggerKind::Schedule { first_ms, every_ms, calendar, .. } => {
            arm(live, log, at, (*first_ms, *every_ms), calendar.clone())
        }
    });
    live.keep_schedules(armed.collect());
}

fn arm(
    live: &Arc<LiveDocument>,
    log: &Log,
    trigger: TriggerIx,
    (first_ms, every_ms): (Option<u64>, Option<u64>),
    calendar: Option<Calendar>,
) -> Option<AbortHandle> {
    let first = first_ms.or(every_ms).map(Duration::from_millis);
    if first.is_none() && calendar.is_none() {
        return None;
    }
    // The task must not hold the document: it is alone when its last run has ended.
    let (live, log) = (Arc::downgrade(live), log.clone());
    let task = async move {
        let places = Arc::new(Semaphore::new(RUNS_MAX));
        let set_off = || set_off(&live, &log, trigger, &places);
        if let (Some(first), Some(every_ms)) = (first, every_ms) {
            return repeat(first, Duration::from_millis(every_ms.max(1)), set_off).await;
        }
        if let Some(first) = first {
            tokio::time::sleep(first).await;
            set_off();
        }
        if let Some(calendar) = calendar {
            follow(&calendar, set_off).await;
        }
    };
    Some(tokio::spawn(task).abort_handle())
}

async fn repeat(first: Duration, every: Duration, set_off: impl Fn()) {
    let mut ticks = interval_at(Instant::now() + first, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        set_off();
    }
}

/// Sleeps in short steps: the clock may be set meanwhile, and what it skips is left out.
async fn follow(calendar: &Calendar, set_off: impl Fn()) {
    while let Some(next_ms) = calendar.next_after(now().now_epoch_ms) {
        while let Ok(left_ms @ 1..) = u64::try_from(next_ms - now().now_epoch_ms) {
            tokio::time::sleep(Duration::from_millis(left_ms).min(CLOCK_LOOK)).await;
        }
        set_off();
    }
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
