//! A store on SQLite: made and opened. One process owns it.

use std::path::Path;
use std::sync::Mutex;

use crate::connection::{Held, connect, connect_in_memory};
use crate::folder;
use crate::migrate::Schema;
use crate::sql::Session;
use crate::store::{Backend, bring_up_to_date, clock_of_the_machine, found};
use crate::{By, Change, Clock, Error, Root, Store};

/// The database file in the data folder.
pub const DATABASE_FILE: &str = "chancery.db";
/// Its journal: what was written last. Without it the database file is older than it was, and nothing else may be given it.
pub const JOURNAL_FILE: &str = "chancery.db-wal";
/// The lock file in the data folder; it holds the process number of its owner.
pub const LOCK_FILE: &str = "chancery.lock";

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
        Ok((Self::new(of_one(Held::file(connection, folder, clock)), root.store_id, Some(lock)), kept))
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
        let store_id = bring_up_to_date(Session::Sqlite(&connection), folder, &Schema::ours())?;
        Ok(Self::new(of_one(Held::file(connection, folder, clock)), store_id, Some(lock)))
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
        Ok(Self::new(of_one(Held::memory(connection)), root.store_id, None))
    }

    /// Whether `folder` holds a database file: whether a command without a store of its own has one to use.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(DATABASE_FILE).exists()
    }
}

fn of_one(held: Held) -> Backend {
    Backend::Sqlite(Mutex::new(held))
}
