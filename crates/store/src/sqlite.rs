//! One SQLite connection behind one lock: how it is opened, checked and written to.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::folder::{self, FolderLock};
use crate::{By, Change, Error, Root, migrate};

/// The database file in the data folder.
pub const DATABASE_FILE: &str = "chancery.db";
/// The lock file in the data folder; it holds the process number of its owner.
pub const LOCK_FILE: &str = "chancery.lock";

/// How long a statement waits for a lock that another connection holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The database clock in microseconds UTC, as an SQL expression; SQLite's clock ticks in milliseconds.
pub(crate) const NOW_US: &str = "(CAST(round(unixepoch('now', 'subsec') * 1000) AS INTEGER) * 1000)";

/// Exclusive: a second process that got around the lock file (another name of the same file) is refused by SQLite too.
/// Recursive triggers: without them REPLACE would delete from an append-only table unseen.
const PRAGMAS: &str = "PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA secure_delete = ON;
    PRAGMA recursive_triggers = ON;";

/// A store, open. One process owns it; its threads share it.
pub struct Store {
    connection: Mutex<Connection>,
    store_id: String,
    // Declared last, hence dropped last: the folder is free only when the file is closed.
    _lock: Option<FolderLock>,
}

impl Store {
    /// Makes a store in `folder`, which is created with mode 0700 where it is missing, and opens it. `draw` gives the
    /// root and whatever else the caller keeps of it; it runs once it is certain that no store and no rest of one is
    /// here, so that it may write a master key.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialized`] or [`Error::RowsWithoutRoot`] where a store or the rest of one is; nothing is
    /// changed then, nor if `draw` fails. [`Error::InUse`], [`Error::NetworkFileSystem`], [`Error::OpenToOthers`],
    /// [`Error::File`].
    pub fn init<T, E: From<Error>>(
        folder: &Path,
        by: &By<'_>,
        draw: impl FnOnce() -> Result<(Root, T), E>,
    ) -> Result<(Self, T), E> {
        folder::create(folder)?;
        folder::refuse_network(folder)?;
        let lock = folder::lock(folder)?;
        let path = folder.join(DATABASE_FILE);
        folder::create_private(&path)?;
        let mut connection = connect(folder, &path)?;
        let (root, kept) = found(&mut connection, folder, by, draw)?;
        Ok((Self::new(connection, root.store_id, Some(lock)), kept))
    }

    /// Opens the store in `folder`, checks the whole file and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::NoStore`] where none is, [`Error::RowsWithoutRoot`], [`Error::InUse`], [`Error::NetworkFileSystem`],
    /// [`Error::OpenToOthers`], [`Error::Damaged`], [`Error::SchemaTooNew`], [`Error::File`]. Nothing is written then.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        if !Self::is_in(folder) {
            return Err(Error::NoStore { folder: folder.to_owned() });
        }
        folder::refuse_network(folder)?;
        let lock = folder::lock(folder)?;
        let mut connection = connect(folder, &folder.join(DATABASE_FILE))?;
        let store_id = bring_up_to_date(&mut connection, folder)?;
        Ok(Self::new(connection, store_id, Some(lock)))
    }

    /// A store in memory, with the same rules, gone when it is dropped.
    ///
    /// # Errors
    /// [`Error::Database`] if memory runs out.
    pub fn ephemeral(root: Root, by: &By<'_>) -> Result<Self, Error> {
        let mut connection = Connection::open_in_memory()?;
        configure(&connection)?;
        let draw = || Ok::<_, Error>((root, ()));
        let (root, ()) = found(&mut connection, Path::new(":memory:"), by, draw)?;
        Ok(Self::new(connection, root.store_id, None))
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
    /// The closure's own, or [`Error::Database`] if the commit fails.
    pub fn change<T, E: From<Error>>(
        &self,
        by: &By<'_>,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection();
        transact(&mut connection, |connection| work(&mut Change::new(connection, &self.store_id, by)))
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic in a closure has rolled its transaction back while it unwound, so the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new(connection: Connection, store_id: String, lock: Option<FolderLock>) -> Self {
        Self { connection: Mutex::new(connection), store_id, _lock: lock }
    }
}

fn connect(folder: &Path, path: &PathBuf) -> Result<Connection, Error> {
    folder::refuse_open_to_others(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    match configure(&connection).and_then(|()| quick_check(&connection)) {
        Err(Error::Database(e)) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Err(Error::InUse {
            folder: folder.to_owned(),
            holder: "another process that has the database file open".to_owned(),
        }),
        done => done.map(|()| connection),
    }
}

fn configure(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.execute_batch(PRAGMAS)?;
    Ok(())
}

fn quick_check(connection: &Connection) -> Result<(), Error> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(Error::Damaged { detail: verdict })
}

fn found<T, E: From<Error>>(
    connection: &mut Connection,
    folder: &Path,
    by: &By<'_>,
    draw: impl FnOnce() -> Result<(Root, T), E>,
) -> Result<(Root, T), E> {
    transact(connection, |connection| {
        if migrate::read_meta(connection)?.is_some() {
            return Err(Error::AlreadyInitialized { folder: folder.to_owned() }.into());
        }
        refuse_rows(connection)?;
        migrate::run(connection, 0)?;
        let (root, kept) = draw()?;
        Change::new(connection, &root.store_id, by).found(&root, migrate::NEWEST)?;
        Ok((root, kept))
    })
}

fn bring_up_to_date(connection: &mut Connection, folder: &Path) -> Result<String, Error> {
    let Some((store_id, schema)) = migrate::read_meta(connection)? else {
        refuse_rows(connection)?;
        return Err(Error::NoStore { folder: folder.to_owned() });
    };
    let keks: u64 = connection.query_row("SELECT count(*) FROM kek", [], |row| row.get(0))?;
    if keks == 0 {
        refuse_rows(connection)?;
    }
    if schema != migrate::NEWEST {
        transact(connection, |connection| migrate::run(connection, schema))?;
    }
    Ok(store_id)
}

fn refuse_rows(connection: &Connection) -> Result<(), Error> {
    match migrate::first_rows(connection)? {
        Some((table, rows)) => Err(Error::RowsWithoutRoot { table, rows }),
        None => Ok(()),
    }
}

fn transact<T, E: From<Error>>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Error::from)?;
    let result = work(&transaction)?;
    transaction.commit().map_err(Error::from)?;
    Ok(result)
}
