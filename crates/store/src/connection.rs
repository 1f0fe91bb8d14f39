//! A connection in use: of SQLite the one behind its lock, checked and opened anew when the disk failed under it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::postgres::Lent;
use crate::sql::Session;
use crate::{Clock, DATABASE_FILE, Error, JOURNAL_FILE, folder};

/// How long a statement waits for a lock that another connection holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

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

/// The connection, or the place to open it from again.
pub(crate) struct Held {
    connection: Option<Connection>,
    /// Which files that connection has open: the database and its journal.
    opened: Option<Files>,
    /// None for a store in memory, which has no disk that could fail.
    file: Option<Place>,
}

/// A database file and its journal, by device and number.
#[derive(Clone, Copy)]
struct Files {
    database: (u64, u64),
    journal: Option<(u64, u64)>,
}

/// Where a file lies, and the clock that it is opened with.
struct Place {
    folder: PathBuf,
    clock: Clock,
}

/// A connection, for one caller and there.
pub(crate) enum Opened<'a> {
    /// The one of the file.
    Sqlite(MutexGuard<'a, Held>),
    /// One of several to the server.
    Postgres(Lent<'a>),
}

impl Held {
    pub(crate) fn file(connection: Connection, folder: &Path, clock: Clock) -> Self {
        let opened = which(folder).ok();
        Self { connection: Some(connection), opened, file: Some(Place { folder: folder.to_owned(), clock }) }
    }

    pub(crate) fn memory(connection: Connection) -> Self {
        Self { connection: Some(connection), opened: None, file: None }
    }
}

impl<'a> Opened<'a> {
    /// Opens and checks the file if the last caller distrusted it, or if another one lies in its place by now.
    ///
    /// # Errors
    /// [`Error::File`] while the file is away: what is written into a file that was deleted is lost.
    pub(crate) fn file(mut held: MutexGuard<'a, Held>) -> Result<Self, Error> {
        let held_now = &mut *held;
        if let Some(place) = &held_now.file {
            let there = which(&place.folder)?;
            if let Some(opened) = held_now.opened.filter(|opened| opened.database != there.database) {
                held_now.connection = None;
                held_now.opened = None;
                forget_journal(&place.folder, opened, there)?;
            }
            if held_now.connection.is_none() {
                held_now.connection = Some(connect(&place.folder, &place.clock)?);
            }
            held_now.opened = Some(which(&place.folder)?);
        }
        Ok(Self::Sqlite(held))
    }

    /// Closes the file. After a failed write or sync nobody knows what the system keeps of it in memory, so what it
    /// holds is read again from the disk before anything is built on it. A connection to a server is closed for good.
    pub(crate) fn distrust(&mut self) {
        match self {
            Self::Sqlite(held) if held.file.is_some() => held.connection = None,
            Self::Sqlite(_) => {}
            Self::Postgres(lent) => lent.break_off(),
        }
    }
}

impl Opened<'_> {
    /// The database, to be spoken to.
    pub(crate) fn session(&self) -> Session<'_> {
        match self {
            Self::Sqlite(held) => {
                let open = held.connection.as_ref();
                Session::Sqlite(open.expect("the file is opened when the lock is taken and closed last"))
            }
            Self::Postgres(lent) => Session::Postgres(lent),
        }
    }
}

/// Which files lie in the place of the database and its journal.
fn which(folder: &Path) -> Result<Files, Error> {
    let path = folder.join(DATABASE_FILE);
    let id = |found: std::fs::Metadata| (found.dev(), found.ino());
    let database = path.metadata().map(id).map_err(folder::file("find", &path))?;
    Ok(Files { database, journal: folder.join(JOURNAL_FILE).metadata().map(id).ok() })
}

/// Removes the journal of a database that does not lie there any more: SQLite would play it into the one that does.
fn forget_journal(folder: &Path, gone: Files, there: Files) -> Result<(), Error> {
    if gone.journal.is_none() || gone.journal != there.journal {
        return Ok(());
    }
    let path = folder.join(JOURNAL_FILE);
    std::fs::remove_file(&path).map_err(folder::file("remove", &path))
}

/// Opens the database file of a folder that this process has locked, and checks it whole.
pub(crate) fn connect(folder: &Path, clock: &Clock) -> Result<Connection, Error> {
    let path = folder.join(DATABASE_FILE);
    folder::refuse_open_to_others(&path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    match configure(&connection, Clock::clone(clock)).and_then(|()| quick_check(&connection)) {
        Err(Error::Database(e)) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Err(Error::InUse {
            folder: folder.to_owned(),
            holder: "another process that has the database file open".to_owned(),
        }),
        done => done.map(|()| connection),
    }
}

pub(crate) fn connect_in_memory(clock: Clock) -> Result<Connection, Error> {
    let connection = Connection::open_in_memory()?;
    configure(&connection, clock)?;
    Ok(connection)
}

fn configure(connection: &Connection, clock: Clock) -> Result<(), Error> {
    connection.create_scalar_function("now_us", 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(clock()))?;
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
