//! What keeps the rings going: asks the store what changed, makes what is due, and says what is wrong.

use std::sync::Arc;
use std::time::Duration;

use keyring::Span;
use store::{By, Listening, News};
use tokio::sync::Notify;

use crate::accept::Shutdown;
use crate::log::{Field, Log};
use crate::rings::{Freshness, Invariant, Rings};
use crate::vault::VaultError;

/// How old a snapshot may become.
const SNAPSHOT_EVERY: Span = Span::from_secs(3_600);
/// The shortest pause between two rounds.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause while the store is away.
const PAUSE_AWAY_MAX: Duration = Duration::from_secs(5);

/// What was wrong in the last round, so that each is told when it comes and when it goes.
#[derive(Default)]
pub(crate) struct Troubles {
    pub(crate) store_away: Option<String>,
    pub(crate) untended: Option<String>,
    pub(crate) aside_failed: Option<String>,
    pub(crate) sink_away: Option<String>,
    pub(crate) clock_leapt: bool,
    pub(crate) overdue: Vec<String>,
    pub(crate) quarantined: Vec<(String, String)>,
    pub(crate) violated: Vec<(Invariant, u64)>,
    news: News,
}

/// Tends the rings until the server goes down.
pub async fn run(rings: Arc<Rings>, log: Log, shutdown: Shutdown) {
    let mut troubles = Troubles::default();
    let heard = Arc::new(Notify::new());
    let hears = Arc::clone(&heard);
    let listening = rings.vault().store().listen(move || hears.notify_one());
    let mut snapshots = Snapshots::default();
    loop {
        let (rings_there, rings_told) = (Arc::clone(&rings), Arc::clone(&rings));
        let mut kept = std::mem::take(&mut snapshots);
        let round = tokio::task::spawn_blocking(move || {
            let mut found = round(&rings_there);
            if let Err(error) = kept.keep(&rings_there) {
                found.aside_failed.get_or_insert(error.to_string());
            }
            (found, kept)
        });
        if let Ok((mut found, kept)) = round.await {
            snapshots = kept;
            found.news = listening.as_ref().map(Listening::state).unwrap_or_default();
            tell(&log, &troubles, &found, &rings_told);
            troubles = found;
            rings.rounds.notify_waiters();
        }
        tokio::select! {
            () = shutdown.begun() => return,
            () = heard.notified() => tokio::time::sleep(PAUSE_MIN).await,
            () = tokio::time::sleep(pause(rings.refresh_every(), troubles.store_away.is_some())) => {}
        }
    }
}

/// The copy that is served from while the store is away.
#[derive(Default)]
struct Snapshots {
    /// Of which changes the last one knows.
    changes: Vec<(String, u64)>,
    /// How old it was in the last round, counted in rounds.
    rounds: i64,
}

impl Snapshots {
    /// Makes it anew after each change of a ring, and every hour: it can be served from while it is not older than T.
    fn keep(&mut self, rings: &Rings) -> Result<(), VaultError> {
        let Ok((snapshot, _)) = rings.snapshot() else { return Ok(()) };
        if rings.vault().taken_at().is_some() || rings.freshness() != Freshness::Fresh {
            return Ok(());
        }
        self.rounds += 1;
        let changes: Vec<_> = snapshot.rings().map(|live| (live.rows.ring_id.clone(), live.rows.epoch)).collect();
        if self.changes != changes || rings.refresh_every().times(self.rounds) > SNAPSHOT_EVERY {
            rings.vault().write_snapshot()?;
            (self.changes, self.rounds) = (changes, 0);
        }
        Ok(())
    }
}

/// One round; blocks.
pub(crate) fn round(rings: &Rings) -> Troubles {
    let mut found = Troubles::default();
    match rings.refresh() {
        // What is served from a snapshot cannot be changed.
        Ok(()) if rings.vault().taken_at().is_some() => {}
        Ok(()) => {
            found.untended = rings.tend(&By::ROTATOR).err().map(|error| error.to_string());
            found.store_away = rings.report().err().map(|error| error.to_string());
        }
        Err(error) => found.store_away = Some(error.to_string()),
    }
    if let Ok((snapshot, t)) = rings.snapshot() {
        let overdue = snapshot.rings().filter(|live| live.ring.is_overdue(t));
        found.overdue = overdue.map(|live| live.rows.ring_id.clone()).collect();
    }
    found.quarantined = rings.quarantined();
    found.aside_failed = rings.aside_failed();
    found.sink_away = rings.vault().sink_trouble();
    found.clock_leapt = rings.clock_has_leapt();
    found.violated = rings.metrics().violations().filter(|(_, count)| *count > 0).collect();
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
    match &found.news {
        News::NoEcho if before.news != found.news => {
            log.warn("listen_no_echo", &[Field::Hint("name the database itself in store.url, or bear with polling")]);
        }
        News::None { why } if before.news != found.news => log.warn("listen_refused", &[Field::Cause(why)]),
        News::NoEcho | News::None { .. } | News::Unknown | News::Heard => {}
    }
    if let Some(why) = found.untended.as_ref().filter(|why| before.untended.as_ref() != Some(*why)) {
        log.error("rotation_failed", &[Field::Cause(why)]);
    }
    if let Some(why) = found.aside_failed.as_ref().filter(|_| before.aside_failed.is_none()) {
        log.error("aside_failed", &[Field::Cause(why)]);
    }
    match (&before.sink_away, &found.sink_away) {
        (None, Some(why)) => log.error("audit_sink_away", &[Field::Cause(why)]),
        (Some(_), None) => log.info("audit_sink_back", &[]),
        (Some(_), Some(_)) | (None, None) => {}
    }
    if found.clock_leapt && !before.clock_leapt {
        log.error("clock_leapt", &[Field::Hint("nothing is scheduled until the database clock is back")]);
    }
    for (invariant, count) in found.violated.iter().filter(|one| !before.violated.contains(one)) {
        log.error("invariant_violated", &[Field::Code(&format!("I{}", *invariant as u8)), Field::Count(*count)]);
    }
    for ring in found.overdue.iter().filter(|ring| !before.overdue.contains(ring)) {
        log.error("rotation_overdue", &[Field::Ring(ring)]);
    }
    for (key, why) in found.quarantined.iter().filter(|key| !before.quarantined.contains(key)) {
        log.error("key_quarantined", &[Field::Ring(key), Field::Cause(why)]);
    }
}

/// R; less while the store is away, so that its return is seen soon.
fn pause(refresh_every: Span, is_away: bool) -> Duration {
    let every = Duration::from_micros(refresh_every.as_us().unsigned_abs()).max(PAUSE_MIN);
    if is_away { every.min(PAUSE_AWAY_MAX) } else { every }
}
