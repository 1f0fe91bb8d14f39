//! A copy of the store at one instant, while it is in use.

use std::path::Path;

use crate::audit::{Action, By, ChainHead, Entry, Outcome};
use crate::sql::Session;
use crate::{Error, Store, folder};

const NOT_HERE: Error =
    Error::NotHere { what: "`chancery backup`", remedy: "copy it with `pg_dump --schema=chancery`" };

impl Store {
    /// Copies everything into `file`, mode 0600, and gives the head of the chain that is in it. What is sealed stays sealed:
    /// the copy opens with the master key alone, which is not in it. The copy holds the audit row that tells of it.
    ///
    /// # Errors
    /// [`Error::File`] where something is at that place, and those of the database; nothing is left there then.
    /// [`Error::NotHere`] on PostgreSQL, which has tools of its own.
    pub fn back_up(&self, file: &Path, by: &By<'_>) -> Result<ChainHead, Error> {
        if self.address().is_some() {
            return Err(NOT_HERE);
        }
        folder::create_new_private(file)?;
        let copied = self.copy_into(file, by).and_then(|head| folder::sync(file).map(|()| head));
        if copied.is_err() {
            // Half a copy must not pass for a whole one.
            let _ = std::fs::remove_file(file);
        }
        copied
    }

    fn copy_into(&self, file: &Path, by: &By<'_>) -> Result<ChainHead, Error> {
        let object = format!("file {}", file.display());
        let entry =
            Entry { action: Action::Backup, object: &object, before: None, after: None, outcome: Outcome::Done };
        self.change(by, |change| change.record(&entry))?;
        let opened = self.connection()?;
        let Session::Sqlite(connection) = opened.session() else { return Err(NOT_HERE) };
        let place = file.to_str().ok_or(Error::EmptyName { what: "path of the backup as UTF-8 text" })?;
        connection.execute("VACUUM INTO ?1", [place])?;
        drop(opened);
        self.verify_audit()
    }
}
