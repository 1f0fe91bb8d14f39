//! A copy of the store to be served from, read-only, while the store itself is away.

use std::path::Path;
use std::sync::Mutex;

use keyring::Time;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use crate::connection::Held;
use crate::migrate::Schema;
use crate::move_over::copy_to_serve;
use crate::sql::Session;
use crate::store::{Backend, bring_up_to_date, clock_of_the_machine};
use crate::{Clock, Error, Store, folder};

/// The file in the data folder.
pub const SNAPSHOT_FILE: &str = "snapshot.db";

/// When the copy was made, in the copy.
const STAMP: &str = "CREATE TABLE snapshot (taken_at INTEGER NOT NULL) STRICT";

impl Store {
    /// Copies a store into the snapshot of a folder, mode 0600, in the place of the last one. What is sealed stays sealed.
    ///
    /// # Errors
    /// [`Error::File`], and those of the database; the last snapshot stays then.
    pub fn write_snapshot(&self, folder: &Path) -> Result<(), Error> {
        let new = folder.join(SNAPSHOT_FILE).with_extension("new");
        // Half of one may be left of a process that was killed.
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(folder::file("remove", &new)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let connection = self.connection()?;
        folder::create_new_private(&new)?;
        let taken_at = connection.session().read_clock()?;
        let copy = match connection.session() {
            Session::Sqlite(session) => {
                let place = new.to_str().ok_or(Error::EmptyName { what: "path of the snapshot as UTF-8 text" })?;
                session.execute("VACUUM INTO ?1", [place])?;
                Connection::open(&new)?
            }
            here @ Session::Postgres(_) => {
                let copy = Connection::open(&new)?;
                copy.create_scalar_function("now_us", 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(taken_at))?;
                copy_to_serve(here, &copy)?;
                copy
            }
        };
        drop(connection);
        copy.execute_batch(STAMP)?;
        copy.execute("INSERT INTO snapshot (taken_at) VALUES (?1)", [taken_at])?;
        drop(copy);
        folder::sync(&new)?;
        let place = folder.join(SNAPSHOT_FILE);
        std::fs::rename(&new, &place).map_err(folder::file("rename", &new))
    }

    /// Opens the snapshot of a folder, to be read from, and tells when it was made. Nothing can be changed in it.
    ///
    /// # Errors
    /// [`Error::NoStore`] where none is, [`Error::Damaged`], [`Error::InUse`], [`Error::OpenToOthers`], [`Error::File`].
    pub fn open_snapshot(folder: &Path) -> Result<(Self, Time), Error> {
        Self::open_snapshot_at(folder, clock_of_the_machine())
    }

    /// The same with a clock of the caller's, so that hours pass in a test.
    ///
    /// # Errors
    /// As [`Self::open_snapshot`].
    pub fn open_snapshot_at(folder: &Path, clock: Clock) -> Result<(Self, Time), Error> {
        let path = folder.join(SNAPSHOT_FILE);
        if !path.exists() {
            return Err(Error::NoStore { folder: path });
        }
        let lock = folder::lock(folder)?;
        folder::refuse_open_to_others(&path)?;
        // What is wrong with the copy is told by its opening.
        let _ = take_steps(&path, folder);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.create_scalar_function("now_us", 0, FunctionFlags::SQLITE_UTF8, move |_| Ok(clock()))?;
        connection
            .execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(Error::Damaged { detail: verdict });
        }
        let store_id = bring_up_to_date(Session::Sqlite(&connection), folder, &Schema::ours())?;
        let taken_at = connection.query_row("SELECT taken_at FROM snapshot", [], |row| row.get(0))?;
        let backend = Backend::Sqlite(Mutex::new(Held::memory(connection)));
        Ok((Self::new(backend, store_id, Some(lock)), Time::from_us(taken_at)))
    }
}

/// Brings a copy that an older release made up to the schema of this one, before it is opened to be read alone.
fn take_steps(path: &Path, folder: &Path) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    bring_up_to_date(Session::Sqlite(&connection), folder, &Schema::ours()).map(drop)
}
