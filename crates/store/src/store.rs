//! A store: one of two kinds of database, read by many and changed by one transaction at a time.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use crate::change::Trouble;
use crate::connection::{Held, Opened};
use crate::folder::FolderLock;
use crate::migrate::Schema;
use crate::postgres::Pool;
use crate::sql::{Session, params};
use crate::transaction::transact;
use crate::{By, Change, Error, Root, migrate};

/// How often a change is tried again that another one got in the way of (key ring contract, section 12).
const REPEATS_MAX: u32 = 5;
/// What is waited before the first of them; twice as long before each further one.
const REPEAT_WAIT: Duration = Duration::from_millis(5);

/// A clock in microseconds UTC: the database clock of a file, which is nobody's but this process's.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A store, open. Of a SQLite file one process is the owner; its threads share it. A PostgreSQL database is shared by
/// processes, too.
pub struct Store {
    pub(crate) backend: Backend,
    store_id: String,
    calls: Arc<Calls>,
    copies: OnceLock<Copies>,
    // Declared last, hence dropped last: the folder is free only when the file is closed.
    _lock: Option<FolderLock>,
}

/// How often a store was turned to, be it for one statement or a transaction.
#[derive(Debug, Default)]
pub struct Calls(AtomicU64);

/// Somebody who keeps copies of the audit rows elsewhere.
pub struct Copies {
    /// Asked before each change that somebody wants; its error says why it cannot be.
    pub admit: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// Told after each change that was made.
    pub made: Box<dyn Fn() + Send + Sync>,
}

/// What a store lies in.
pub(crate) enum Backend {
    /// One connection to a file, or to memory.
    Sqlite(Mutex<Held>),
    /// A few connections to a server.
    Postgres(Box<Pool>),
}

impl Store {
    /// The name of this store, bound into every sealed box.
    pub fn store_id(&self) -> &str {
        &self.store_id
    }

    /// Runs one transaction. If the closure succeeds everything it did is durable before this returns; if it fails
    /// nothing is kept. The closure must not call the store itself, which waits for it to end. It runs again, from the
    /// start, where another process changed the store at the same moment.
    ///
    /// # Errors
    /// The closure's own, or those of the database. After one of the disk the file is closed, and the next call opens
    /// and checks it anew. [`Error::Clash`] if others were quicker six times in a row, [`Error::AuditAway`] if copies of the
    /// audit cannot be kept.
    pub fn change<T, E: From<Error>>(
        &self,
        by: &By<'_>,
        mut work: impl FnMut(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(copies) = self.copies.get().filter(|_| !by.is_service()) {
            (copies.admit)().map_err(|why| Error::AuditAway { why })?;
        }
        let mut repeats = 0;
        loop {
            let mut connection = self.connection()?;
            let (result, trouble) = Change::run(connection.session(), &self.store_id, by, &mut work);
            if let (Ok(_), Session::Postgres(wire)) = (&result, connection.session()) {
                crate::postgres::tell(wire);
            }
            match trouble {
                Trouble::Broken => connection.distrust(),
                Trouble::Clash if result.is_err() && repeats < REPEATS_MAX => {
                    drop(connection);
                    std::thread::sleep(REPEAT_WAIT * 2_u32.pow(repeats));
                    repeats += 1;
                    continue;
                }
                Trouble::None | Trouble::Clash => {}
            }
            drop(connection);
            if let Some(copies) = self.copies.get().filter(|_| result.is_ok()) {
                (copies.made)();
            }
            return result;
        }
    }

    /// From now on copies are kept of the audit. The first that keeps them does so as long as the store is open.
    pub fn keep_copies(&self, copies: Copies) {
        self.copies.get_or_init(|| copies);
    }

    /// How often it was turned to.
    pub fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// The only way to the database for whoever has a store.
    pub(crate) fn connection(&self) -> Result<Opened<'_>, Error> {
        self.calls.0.fetch_add(1, Ordering::Relaxed);
        match &self.backend {
            // A panic in a closure has rolled its transaction back while it unwound, so the connection is sound.
            Backend::Sqlite(held) => Opened::file(held.lock().unwrap_or_else(PoisonError::into_inner)),
            Backend::Postgres(pool) => pool.lend().map(Opened::Postgres),
        }
    }

    pub(crate) fn new(backend: Backend, store_id: String, lock: Option<FolderLock>) -> Self {
        Self { backend, store_id, calls: Arc::default(), copies: OnceLock::new(), _lock: lock }
    }
}

impl Calls {
    /// What it has come to.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The machine's clock.
pub(crate) fn clock_of_the_machine() -> Clock {
    Arc::new(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A machine that believes to be before 1970 has no clock; zero shows as the leap that it is.
        now.map_or(0, |now| now.as_micros().try_into().unwrap_or(i64::MAX))
    })
}

/// Makes the tables and the first rows, where none are.
pub(crate) fn found<T, E: From<Error>>(
    session: Session<'_>,
    place: &Path,
    by: &By<'_>,
    draw: impl FnOnce() -> Result<(Root, T), E>,
    fill: impl FnOnce(&mut Change<'_>, &T) -> Result<(), E>,
) -> Result<(Root, T), E> {
    transact(session, |session| {
        if migrate::read_meta(session)?.is_some() {
            return Err(Error::AlreadyInitialized { folder: place.to_owned() }.into());
        }
        refuse_rows(session)?;
        Schema::ours().run(session, 0)?;
        let (root, kept) = draw()?;
        let mut change = Change::new(session, &root.store_id, by);
        change.found(&root, migrate::SCHEMA, migrate::OLDEST_PROGRAM)?;
        fill(&mut change, &kept)?;
        Ok((root, kept))
    })
}

/// Checks that a store is there and whole, brings it to the schema of a program, and gives its name.
pub(crate) fn bring_up_to_date(session: Session<'_>, place: &Path, schema: &Schema) -> Result<String, Error> {
    let Some(meta) = migrate::read_meta(session)? else {
        refuse_rows(session)?;
        return Err(Error::NoStore { folder: place.to_owned() });
    };
    if session.query_one("SELECT 1 FROM kek LIMIT 1", params![])?.is_none() {
        refuse_rows(session)?;
    }
    if schema.is_ahead_of(&meta)?
        && let Err(error) = transact(session, |session| schema.run(session, meta.schema))
    {
        // Of several processes of one release that begin at once, one takes the step.
        let meta = migrate::read_meta(session)?;
        if !meta.is_some_and(|meta| matches!(schema.is_ahead_of(&meta), Ok(false))) {
            return Err(error);
        }
    }
    Ok(meta.store_id)
}

fn refuse_rows(session: Session<'_>) -> Result<(), Error> {
    match migrate::first_rows(session)? {
        Some((table, rows)) => Err(Error::RowsWithoutRoot { table, rows }),
        None => Ok(()),
    }
}
