//! A store on PostgreSQL: made and opened. Several processes may have it open at once.

mod address;
mod limits;
mod news;
mod pool;
#[cfg(test)]
mod tests;
mod tls;
mod wait;
mod wire;

pub use address::Address;
pub use news::{Listening, News};
pub(crate) use pool::{Lent, Pool};
pub(crate) use wire::Wire;

use crate::migrate::Schema;
use crate::sql::Session;
use crate::store::{Backend, bring_up_to_date, found};
use crate::{By, Change, Error, Root, Store, migrate};

/// The schema that holds our tables.
const SCHEMA: &str = "chancery";
/// What our advisory lock is called; nobody else's application is likely to draw the same number.
const TURN: i64 = 0x6368_616e_6365_7279;
/// How often a turn is waited for, each time twice as long as before, beginning with this.
const TURN_WAIT: std::time::Duration = std::time::Duration::from_millis(4);
const TURN_WAITS_MAX: u32 = 6;

impl Store {
    /// Makes a store in a database that has none, and opens it, as [`Store::init`] does in a folder.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialized`] or [`Error::RowsWithoutRoot`] where a store or the rest of one is; nothing is
    /// changed then, nor if `draw` or `fill` fails. [`Error::Clash`] if another process makes it at the same moment,
    /// [`Error::Away`] if the database does not answer.
    pub fn init_postgres<T, E: From<Error>>(
        address: &Address,
        by: &By<'_>,
        draw: impl FnOnce() -> Result<(Root, T), E>,
        fill: impl FnOnce(&mut Change<'_>, &T) -> Result<(), E>,
    ) -> Result<(Self, T), E> {
        let pool = Pool::new(address.clone())?;
        let (root, kept) = {
            let lent = pool.lend()?;
            lent.make_schema()?;
            found(Session::Postgres(&lent), &address.as_place(), by, draw, fill)?
        };
        Ok((Self::new(Backend::Postgres(Box::new(pool)), root.store_id, None), kept))
    }

    /// Opens the store of a database and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::NoStore`] where none is, [`Error::RowsWithoutRoot`], [`Error::SchemaTooNew`], and [`Error::Away`] if the
    /// database does not answer. Nothing is written then.
    pub fn open_postgres(address: &Address) -> Result<Self, Error> {
        Self::open_knowing(address, &Schema::ours())
    }

    /// Opens it as the release after this one would, whose schema has this step more and lets programs use the store that know
    /// at least `oldest_program` steps: so that a test can run both releases on one store.
    ///
    /// # Errors
    /// As [`Self::open_postgres`].
    pub fn open_postgres_as_next(address: &Address, step: &'static str, oldest_program: u32) -> Result<Self, Error> {
        Self::open_knowing(address, &Schema::next(step, oldest_program))
    }

    fn open_knowing(address: &Address, schema: &Schema) -> Result<Self, Error> {
        let pool = Pool::new(address.clone())?;
        let store_id = {
            let lent = pool.lend()?;
            bring_up_to_date(Session::Postgres(&lent), &address.as_place(), schema)?
        };
        Ok(Self::new(Backend::Postgres(Box::new(pool)), store_id, None))
    }

    /// Whether a database has a store, whole or not.
    ///
    /// # Errors
    /// [`Error::Away`] if it does not answer.
    pub fn is_at(address: &Address) -> Result<bool, Error> {
        let pool = Pool::new(address.clone())?;
        let lent = pool.lend()?;
        Ok(migrate::read_meta(Session::Postgres(&lent))?.is_some())
    }

    /// Where the store is, if that is a server.
    pub fn address(&self) -> Option<&Address> {
        match &self.backend {
            Backend::Postgres(pool) => Some(pool.address()),
            Backend::Sqlite(_) => None,
        }
    }
}

/// Begins a change. What keeps changes apart are the numbers of their rows; that they also take turns only spares them the
/// repetition, and whoever waited long enough goes on without one: the holder may be a process that stopped.
pub(crate) fn begin_in_turn(wire: &Wire) -> Result<(), Error> {
    for wait in 0..TURN_WAITS_MAX {
        wire.batch(BEGIN)?;
        if !wire.is_postgres() || has_turn(wire)? {
            return Ok(());
        }
        // A new transaction afterwards: this one has seen the rows as they were before the other's change.
        wire.batch("ROLLBACK")?;
        std::thread::sleep(TURN_WAIT * 2_u32.pow(wait));
    }
    wire.batch(BEGIN)
}

/// Tells the other processes. It is a hint: that a server does without it is no error.
pub(crate) fn tell(wire: &Wire) {
    if wire.is_postgres() {
        let _ = wire.batch(&format!("NOTIFY {}", news::CHANNEL));
    }
}

/// One view of all rows from the first statement to the last.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";

/// A server that refuses the lock has no turns.
fn has_turn(wire: &Wire) -> Result<bool, Error> {
    wire.batch("SAVEPOINT turn")?;
    match wire.query(&format!("SELECT pg_try_advisory_xact_lock({TURN})"), &[]) {
        Ok(rows) => rows.first().map_or(Ok(true), |row| row.get(0)),
        Err(Error::Server { .. }) => wire.batch("ROLLBACK TO turn").map(|()| true),
        Err(error) => Err(error),
    }
}
