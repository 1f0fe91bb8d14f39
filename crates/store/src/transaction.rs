//! One transaction: all of its work, or nothing of it.

use crate::Error;
use crate::sql::Session;

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
        })?;
        Ok(Self { session, is_open: true })
    }

    /// Makes all of it durable.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        self.session.batch("COMMIT")?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // It may have ended by itself, after an error that ends transactions; then there is nothing to undo.
            let _ = self.session.batch("ROLLBACK");
        }
    }
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
