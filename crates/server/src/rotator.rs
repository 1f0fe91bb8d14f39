//! What keeps the rings going: asks the store what changed, makes what is due, and says what is wrong.

use std::sync::Arc;
use std::time::Duration;

use keyring::Span;

use crate::accept::Shutdown;
use crate::log::{Field, Log};
use crate::rings::{Freshness, Rings};

/// Who makes generations, for the audit.
const BY: store::By<'static> = store::By { actor: "rotator", address: None, request_id: None };
/// The shortest pause between two rounds.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// What was wrong in the last round, so that each is told when it comes and when it goes.
#[derive(Default)]
struct Troubles {
    store_away: Option<String>,
    untended: Option<String>,
    overdue: Vec<String>,
    quarantined: Vec<(String, String)>,
}

/// Tends the rings until the server goes down.
pub async fn run(rings: Arc<Rings>, log: Log, shutdown: Shutdown) {
    let mut troubles = Troubles::default();
    loop {
        let (rings_there, rings_told) = (Arc::clone(&rings), Arc::clone(&rings));
        let round = tokio::task::spawn_blocking(move || round(&rings_there)).await;
        if let Ok(found) = round {
            tell(&log, &troubles, &found, &rings_told);
            troubles = found;
        }
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(pause(rings.refresh_every())) => {}
        }
    }
}

/// One round; blocks.
fn round(rings: &Rings) -> Troubles {
    let mut found = Troubles::default();
    match rings.refresh() {
        Ok(()) => found.untended = rings.tend(&BY).err().map(|error| error.to_string()),
        Err(error) => found.store_away = Some(error.to_string()),
    }
    if let Ok((snapshot, t)) = rings.snapshot() {
        let overdue = snapshot.rings().filter(|live| live.ring.is_overdue(t));
        found.overdue = overdue.map(|live| live.rows.ring_id.clone()).collect();
    }
    found.quarantined = rings.quarantined();
    found
}

fn tell(log: &Log, before: &Troubles, found: &Troubles, rings: &Rings) {
    match (&before.store_away, &found.store_away) {
        (None, Some(why)) => log.error("store_away", &[Field::Cause(why)]),
        (Some(_), None) => log.info("store_back", &[]),
        (Some(_), Some(why)) if rings.freshness() == Freshness::Stale => {
            log.error("stale_ring", &[Field::Cause(why)]);
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    if let Some(why) = found.untended.as_ref().filter(|why| before.untended.as_ref() != Some(*why)) {
        log.error("rotation_failed", &[Field::Cause(why)]);
    }
    for ring in found.overdue.iter().filter(|ring| !before.overdue.contains(ring)) {
        log.error("rotation_overdue", &[Field::Ring(ring)]);
    }
    for (key, why) in found.quarantined.iter().filter(|key| !before.quarantined.contains(key)) {
        log.error("key_quarantined", &[Field::Ring(key), Field::Cause(why)]);
    }
}

fn pause(refresh_every: Span) -> Duration {
    Duration::from_micros(refresh_every.as_us().unsigned_abs()).max(PAUSE_MIN)
}
