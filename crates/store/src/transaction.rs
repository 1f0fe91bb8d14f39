//! One transaction: all of its work, or nothing of it.

use crate::sql::Session;
use crate::{Error, postgres};

/// A transaction that has begun. Dropped without a commit it is rolled back.
pub(crate) struct Transaction<'c> {
    session: Session<'c>,
    is_open: bool,
}

impl<'c> Transaction<'c> {
    /// Begins. A file is locked for writing from here on.
    pub(crate) fn begin(session: Session<'c>) -> Result<Self, Error> {
        session.batch(match session {
            Session::Sqlite(_) => "BEGIN IMMEDIATE",
            Session::Postgres(_) => postgres::BEGIN,
        })?;
        Ok(Self { session, is_open: true })
    }

    /// Begins a change, one after the other where that can be had.
    pub(crate) fn begin_change(session: Session<'c>) -> Result<Self, Error> {
        match session {
            Session::Sqlite(_) => Self::begin(session),
            Session::Postgres(wire) => {
                postgres::begin_in_turn(wire)?;
                Ok(Self { session, is_open: true })
            }
        }
    }

    /// Makes all of it durable.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        self.is_open = false;
        match self.session.batch("COMMIT") {
            Err(Error::Away { why }) => Err(Error::Unsure { why }),
            done => done,
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let undone = self.session.batch("ROLLBACK");
            match self.session {
                // It may have ended by itself, after an error that ends transactions; then there is nothing to undo.
                Session::Sqlite(_) => {}
                // The server undoes what a connection leaves open once it is closed.
                Session::Postgres(wire) if undone.is_err() => wire.break_off(),
                Session::Postgres(_) => {}
            }
        }
    }
}

/// Reads at one instant, also where nothing may be written.
pub(crate) fn read_at_once<T>(
    session: Session<'_>,
    read: impl FnOnce(Session<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    session.batch(match session {
        Session::Sqlite(_) => "BEGIN",
        Session::Postgres(_) => postgres::BEGIN,
    })?;
    let transaction = Transaction { session, is_open: true };
    let found = read(session)?;
    transaction.commit()?;
    Ok(found)
}

/// All of this work or nothing of it.
pub(crate) fn transact<T, E: From<Error>>(
    session: Session<'_>,
    work: impl FnOnce(Session<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = Transaction::begin(session)?;
    let done = work(session)?;
    transaction.commit()?;
    Ok(done)
}
