//! Ships a copy of every audit row to a place of the operator's, and says whether changes may go on while that is away.
//!
//! * A thread of its own writes, so that a sink that blocks stops nobody. Rows leave in order, at least once; the position
//!   is kept beside the store.
//! * Under [`SinkPolicy::FailClosed`] a change is refused unless everything before it is shipped; under
//!   [`SinkPolicy::Buffer`] it is as long as fewer than [`AUDIT_BUFFER_ROWS_MAX`] rows wait. The store itself is the
//!   buffer.
//! * The rotator and tokens go on either way (docs/contracts/security.md section 10).

mod out;
mod position;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use store::{Copies, Store};

pub use out::SinkPlace;
pub use position::SHIPPED_FILE;

use crate::limits::AUDIT_BUFFER_ROWS_MAX;
use out::Out;
use position::Position;

/// How long a change waits for the rows before it, and the end of a process for its last ones.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// How often a sink that is away is tried, and rows of other processes are looked for.
const ROUND_EVERY: Duration = Duration::from_secs(1);
/// Rows written between two notes of the position.
const PAGE_ROWS: u32 = 500;

/// What becomes of changes while the sink is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SinkPolicy {
    /// They are refused.
    FailClosed,
    /// They go on until [`AUDIT_BUFFER_ROWS_MAX`] rows wait, and are refused then.
    #[default]
    Buffer,
}

/// The thread that ships. Dropped, it ships what is left for two seconds at most.
pub struct AuditSink {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

struct Shared {
    progress: Mutex<Progress>,
    changed: Condvar,
}

#[derive(Default)]
struct Progress {
    /// The number of the last row that is shipped.
    shipped: u64,
    /// Rounds that were asked for, and the last of them that a round has answered.
    asked: u64,
    answered: u64,
    /// Why the last round did not ship everything.
    trouble: Option<String>,
    ends: bool,
}

impl AuditSink {
    /// Begins to ship the rows of this store that were not shipped from this folder yet; from then on the store asks the
    /// policy before each change.
    ///
    /// # Errors
    /// When the position cannot be read, or the system gives no thread. A sink that is away is no error.
    pub fn start(
        store: &Arc<Store>,
        folder: &Path,
        place: SinkPlace,
        policy: SinkPolicy,
    ) -> Result<Self, std::io::Error> {
        let position = Position::open(folder, store)?;
        let progress = Progress { shipped: position.shipped(), ..Progress::default() };
        let shared = Arc::new(Shared { progress: Mutex::new(progress), changed: Condvar::new() });
        let shipper =
            Shipper { shared: Arc::clone(&shared), store: Arc::downgrade(store), out: Out::new(place), position };
        let thread = std::thread::Builder::new().name("audit-sink".to_owned()).spawn(move || shipper.run())?;
        let (asking, telling, of_store) = (Arc::clone(&shared), Arc::clone(&shared), Arc::downgrade(store));
        store.keep_copies(Copies {
            admit: Box::new(move || match policy {
                SinkPolicy::FailClosed => asking.all_shipped(),
                SinkPolicy::Buffer => asking.has_room(&of_store),
            }),
            made: Box::new(move || {
                telling.ask();
            }),
        });
        Ok(Self { shared, thread })
    }

    /// Why the sink did not take everything the last time; none if it did.
    pub fn trouble(&self) -> Option<String> {
        self.shared.progress().trouble.clone()
    }
}

impl Drop for AuditSink {
    fn drop(&mut self) {
        self.shared.progress().ends = true;
        self.shared.changed.notify_all();
        let until = Instant::now() + WAIT_MAX;
        // A thread that still waits for its sink then ends with the process.
        while !self.thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a round and gives its number.
    fn ask(&self) -> u64 {
        let mut progress = self.progress();
        progress.asked += 1;
        self.changed.notify_all();
        progress.asked
    }

    /// Whether a round that begins now ships everything.
    fn all_shipped(&self) -> Result<(), String> {
        let asked = self.ask();
        let waits = |progress: &mut Progress| progress.answered < asked;
        let waited = self.changed.wait_timeout_while(self.progress(), WAIT_MAX, waits);
        let (progress, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        match &progress.trouble {
            Some(why) => Err(why.clone()),
            None if waited.timed_out() => Err("it does not answer".to_owned()),
            None => Ok(()),
        }
    }

    /// Whether one more row may wait.
    fn has_room(&self, store: &Weak<Store>) -> Result<(), String> {
        let Some(store) = store.upgrade() else { return Ok(()) };
        let last = store.last_change().map_err(|error| error.to_string())?;
        let progress = self.progress();
        let waiting = last.saturating_sub(progress.shipped);
        if waiting < AUDIT_BUFFER_ROWS_MAX as u64 {
            return Ok(());
        }
        let why = progress.trouble.as_deref().unwrap_or("it is slow");
        Err(format!("{waiting} rows wait for it, and {AUDIT_BUFFER_ROWS_MAX} may: {why}"))
    }
}

/// What the thread works with.
struct Shipper {
    shared: Arc<Shared>,
    store: Weak<Store>,
    out: Out,
    position: Position,
}

impl Shipper {
    fn run(mut self) {
        loop {
            let (asked, ends) = {
                let progress = self.shared.progress();
                (progress.asked, progress.ends)
            };
            let outcome = self.round();
            let mut progress = self.shared.progress();
            progress.trouble = outcome.err();
            progress.answered = asked;
            self.shared.changed.notify_all();
            if ends {
                return;
            }
            let idle = |progress: &mut Progress| progress.asked == asked && !progress.ends;
            // A store that is shared gets rows that nobody here tells of.
            drop(self.shared.changed.wait_timeout_while(progress, ROUND_EVERY, idle));
        }
    }

    /// Ships everything that is there.
    fn round(&mut self) -> Result<(), String> {
        let Some(store) = self.store.upgrade() else { return Ok(()) };
        self.out.ready().map_err(|error| error.to_string())?;
        loop {
            let rows = store.audit_rows(self.position.shipped(), PAGE_ROWS).map_err(|error| error.to_string())?;
            let Some(last) = rows.last() else { return Ok(()) };
            for row in &rows {
                self.out.write(store.store_id(), row).map_err(|error| error.to_string())?;
            }
            self.out.sync().map_err(|error| error.to_string())?;
            self.position.note(last).map_err(|error| format!("{SHIPPED_FILE}: {error}"))?;
            self.shared.progress().shipped = last.seq;
        }
    }
}
