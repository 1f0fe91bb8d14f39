//! A store on SQLite: made, opened and changed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::change::Disk;
use crate::connection::{Held, Opened, connect, connect_in_memory};
use crate::folder::{self, FolderLock};
use crate::sql::Session;
use crate::transaction::transact;
use crate::{By, Change, Error, Root, migrate};

/// The database file in the data folder.
pub const DATABASE_FILE: &str = "chancery.db";
/// The lock file in the data folder; it holds the process number of its owner.
pub const LOCK_FILE: &str = "chancery.lock";

/// The database clock in microseconds UTC, as an SQL expression: SQLite's own ticks in milliseconds alone.
pub(crate) const SQLITE_NOW_US: &str = "now_us()";

/// A clock in microseconds UTC: the database clock of a file, which is nobody's but this process's.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A store, open. One process owns it; its threads share it.
pub struct Store {
    held: Mutex<Held>,
    store_id: String,
    // Declared last, hence dropped last: the folder is free only when the file is closed.
    _lock: Option<FolderLock>,
}

impl Store {
    /// Makes a store in `folder`, which is created with mode 0700 where it is missing, and opens it. `draw` gives the
    /// root and whatever else the caller keeps of it; it runs once it is certain that no store and no rest of one is
    /// here, so that it may write a master key. `fill` writes what the store begins with, in the same transaction.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialized`] or [`Error::RowsWithoutRoot`] where a store or the rest of one is; nothing is
    /// changed then, nor if `draw` or `fill` fails. [`Error::InUse`], [`Error::NetworkFileSystem`], [`Error::OpenToOthers`],
    /// [`Error::File`].
    pub fn init<T, E: From<Error>>(
        folder: &Path,
        by: &By<'_>,
        draw: impl FnOnce() -> Result<(Root, T), E>,
        fill: impl FnOnce(&mut Change<'_>, &T) -> Result<(), E>,
    ) -> Result<(Self, T), E> {
        folder::create(folder)?;
        folder::refuse_network(folder)?;
        let lock = folder::lock(folder)?;
        folder::create_private(&folder.join(DATABASE_FILE))?;
        let clock = clock_of_the_machine();
        let connection = connect(folder, &clock)?;
        let (root, kept) = found(Session::Sqlite(&connection), folder, by, draw, fill)?;
        Ok((Self::new(Held::file(connection, folder, clock), root.store_id, Some(lock)), kept))
    }

    /// Opens the store in `folder`, checks the whole file and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::NoStore`] where none is, [`Error::RowsWithoutRoot`], [`Error::InUse`], [`Error::NetworkFileSystem`],
    /// [`Error::OpenToOthers`], [`Error::Damaged`], [`Error::SchemaTooNew`], [`Error::File`]. Nothing is written then.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_at(folder, clock_of_the_machine())
    }

    /// The same with a clock of the caller's, so that hours pass in a test.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(folder: &Path, clock: Clock) -> Result<Self, Error> {
        if !Self::is_in(folder) {
            return Err(Error::NoStore { folder: folder.to_owned() });
        }
        folder::refuse_network(folder)?;
        let lock = folder::lock(folder)?;
        let connection = connect(folder, &clock)?;
        let store_id = bring_up_to_date(Session::Sqlite(&connection), folder)?;
        Ok(Self::new(Held::file(connection, folder, clock), store_id, Some(lock)))
    }

    /// A store in memory, with the same rules, gone when it is dropped.
    ///
    /// # Errors
    /// [`Error::Database`] if memory runs out.
    pub fn ephemeral(root: Root, by: &By<'_>) -> Result<Self, Error> {
        Self::ephemeral_at(root, by, clock_of_the_machine())
    }

    /// The same with a clock of the caller's, so that years pass in a test.
    ///
    /// # Errors
    /// [`Error::Database`] if memory runs out.
    pub fn ephemeral_at(root: Root, by: &By<'_>, clock: Clock) -> Result<Self, Error> {
        let connection = connect_in_memory(clock)?;
        let draw = || Ok::<_, Error>((root, ()));
        let (root, ()) = found(Session::Sqlite(&connection), Path::new(":memory:"), by, draw, |_, ()| Ok(()))?;
        Ok(Self::new(Held::memory(connection), root.store_id, None))
    }

    /// Whether `folder` holds a database file: whether a command without a store of its own has one to use.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(DATABASE_FILE).exists()
    }

    /// The name of this store, bound into every sealed box.
    pub fn store_id(&self) -> &str {
        &self.store_id
    }

    /// Runs one transaction. If the closure succeeds everything it did is durable before this returns; if it fails
    /// nothing is kept. The closure must not call the store itself, which waits for it to end.
    ///
    /// # Errors
    /// The closure's own, or those of the database. After one of the disk the file is closed, and the next call opens
    /// and checks it anew.
    pub fn change<T, E: From<Error>>(
        &self,
        by: &By<'_>,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection()?;
        let (result, disk) = Change::run(connection.session(), &self.store_id, by, work);
        if disk == Disk::Failed {
            connection.distrust();
        }
        result
    }

    pub(crate) fn connection(&self) -> Result<Opened<'_>, Error> {
        // A panic in a closure has rolled its transaction back while it unwound, so the connection is sound.
        Opened::new(self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn new(held: Held, store_id: String, lock: Option<FolderLock>) -> Self {
        Self { held: Mutex::new(held), store_id, _lock: lock }
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

fn found<T, E: From<Error>>(
    session: Session<'_>,
    folder: &Path,
    by: &By<'_>,
    draw: impl FnOnce() -> Result<(Root, T), E>,
    fill: impl FnOnce(&mut Change<'_>, &T) -> Result<(), E>,
) -> Result<(Root, T), E> {
    transact(session, |session| {
        if migrate::read_meta(session)?.is_some() {
            return Err(Error::AlreadyInitialized { folder: folder.to_owned() }.into());
        }
        refuse_rows(session)?;
        migrate::run(session, 0)?;
        let (root, kept) = draw()?;
        let mut change = Change::new(session, &root.store_id, by);
        change.found(&root, migrate::NEWEST)?;
        fill(&mut change, &kept)?;
        Ok((root, kept))
    })
}

fn bring_up_to_date(session: Session<'_>, folder: &Path) -> Result<String, Error> {
    let Some((store_id, schema)) = migrate::read_meta(session)? else {
        refuse_rows(session)?;
        return Err(Error::NoStore { folder: folder.to_owned() });
    };
    if session.query_one("SELECT 1 FROM kek LIMIT 1", &[])?.is_none() {
        refuse_rows(session)?;
    }
    if schema != migrate::NEWEST {
        transact(session, |session| migrate::run(session, schema))?;
    }
    Ok(store_id)
}

fn refuse_rows(session: Session<'_>) -> Result<(), Error> {
    match migrate::first_rows(session)? {
        Some((table, rows)) => Err(Error::RowsWithoutRoot { table, rows }),
        None => Ok(()),
    }
}
