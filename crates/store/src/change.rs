//! What may be changed, each with its audit row in the same transaction.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::audit::{self, Action, By, Entry, Outcome};
use crate::connection::begin;
use crate::rows::{
    DOCUMENT_BYTES_MAX, Deployed, Digest, Kek, NewDocument, SEALED_BYTES_MAX, SealedBox, check_name, check_size,
};
use crate::sqlite::NOW_US;
use crate::{Error, Root};

/// A transaction in the making, handed out by [`Store::change`](crate::Store::change).
///
/// Each method is a part of the change: it leaves its rows and its audit row, or neither. A closure that passes a
/// part's error on keeps nothing of the whole change; one that goes on keeps the other parts.
pub struct Change<'a> {
    connection: &'a Connection,
    store_id: &'a str,
    by: &'a By<'a>,
    /// A part failed so badly that the transaction around it is gone: nothing more is done, nothing is committed.
    broken: bool,
    disk: Disk,
}

/// Whether the file may be trusted after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    Sound,
    Failed,
}

struct Live {
    revision: u64,
    kind: String,
    digest: Digest,
}

impl<'a> Change<'a> {
    /// Runs one transaction, and tells whether the disk failed under it.
    pub(crate) fn run<T, E: From<Error>>(
        connection: &Connection,
        store_id: &str,
        by: &By<'_>,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> (Result<T, E>, Disk) {
        let transaction = match begin(connection) {
            Ok(transaction) => transaction,
            Err(error) => {
                let disk = Disk::Sound.after(&error);
                return (Err(error.into()), disk);
            }
        };
        let mut change = Change::new(&transaction, store_id, by);
        let result = work(&mut change);
        let (broken, mut disk) = (change.broken, change.disk);
        let result = result.and_then(|done| {
            let committed = if broken { Err(Error::ChangeBroken) } else { transaction.commit().map_err(Error::from) };
            committed.map(|()| done).map_err(|error| {
                disk = disk.after(&error);
                error.into()
            })
        });
        (result, disk)
    }

    pub(crate) fn new(connection: &'a Connection, store_id: &'a str, by: &'a By<'a>) -> Self {
        Self { connection, store_id, by, broken: false, disk: Disk::Sound }
    }

    /// Makes a document live. The same kind and octets as the live revision change nothing but the audit.
    ///
    /// # Errors
    /// [`Error::StaleRevision`] if another revision is live than the one to be replaced, [`Error::EmptyName`],
    /// [`Error::TooLarge`], and those of the database.
    pub fn deploy(&mut self, document: &NewDocument<'_>) -> Result<Deployed, Error> {
        check_document(document)?;
        self.part(|change| change.deploy_checked(document))
    }

    /// Takes a document out of service; its revisions stay. False if it was not live.
    ///
    /// # Errors
    /// Those of the database.
    pub fn undeploy(&mut self, tenant: &str, name: &str) -> Result<bool, Error> {
        self.part(|change| change.delete_document(tenant, name))
    }

    /// Stores a sealed secret in the place of its owner's last one. `digest` is the keyed digest of the plain secret.
    ///
    /// # Errors
    /// [`Error::EmptyName`], [`Error::TooLarge`], and those of the database; one of them is a key that is not there.
    pub fn put_sealed(&mut self, sealed: &SealedBox, digest: Digest) -> Result<(), Error> {
        self.part(|change| change.replace_secret(sealed, digest))
    }

    /// Deletes a sealed secret. False if there was none.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_sealed(&mut self, owner: &str) -> Result<bool, Error> {
        self.part(|change| change.delete_secret(owner))
    }

    /// Writes an audit row of its own, for what was refused or changed nothing here.
    ///
    /// # Errors
    /// Those of the database.
    pub fn record(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        self.part(|change| change.append(entry))
    }

    /// Writes the rows that a new store starts from.
    pub(crate) fn found(&mut self, root: &Root, schema: u32) -> Result<(), Error> {
        let sql = format!("INSERT INTO meta (one, store_id, schema_version, created_at) VALUES (1, ?1, ?2, {NOW_US})");
        self.connection.execute(&sql, params![root.store_id, schema])?;
        self.insert_kek(&root.kek)?;
        self.insert_sealed(&root.salt)?;
        self.append(&Entry { action: Action::Init, object: "store", before: None, after: None, outcome: Outcome::Done })
    }

    fn part<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.broken {
            return Err(Error::ChangeBroken);
        }
        self.connection.execute_batch("SAVEPOINT part")?;
        let result = work(self);
        if let Err(error) = &result {
            self.disk = self.disk.after(error);
            // Some errors have ended the whole transaction; to go on would be to write outside of one.
            self.broken = self.connection.execute_batch("ROLLBACK TO part; RELEASE part").is_err();
        } else {
            self.connection.execute_batch("RELEASE part")?;
        }
        result
    }

    fn append(&self, entry: &Entry<'_>) -> Result<(), Error> {
        audit::append(self.connection, self.store_id, self.by, entry)
    }

    fn deploy_checked(&mut self, document: &NewDocument<'_>) -> Result<Deployed, Error> {
        let live = self.live(document.tenant, document.name)?;
        refuse_stale(document.over, live.as_ref())?;
        let digest = Digest::of(document.octets);
        let before = live.as_ref().map(|live| live.digest);
        let same = live.filter(|live| live.digest == digest && live.kind == document.kind);
        let (deployed, outcome) = match same {
            Some(live) => (unchanged(live.revision), Outcome::Unchanged),
            None => (self.insert_revision(document, digest)?, Outcome::Done),
        };
        self.append(&Entry {
            action: Action::Deploy,
            object: &document_object(document.tenant, document.name),
            before,
            after: Some(digest),
            outcome,
        })?;
        Ok(deployed)
    }

    fn delete_document(&mut self, tenant: &str, name: &str) -> Result<bool, Error> {
        let live = self.live(tenant, name)?;
        let sql = "DELETE FROM document WHERE tenant = ?1 AND name = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let was_live = statement.execute([tenant, name])? > 0;
        self.append(&Entry {
            action: Action::Undeploy,
            object: &document_object(tenant, name),
            before: live.map(|live| live.digest),
            after: None,
            outcome: done_if(was_live),
        })?;
        Ok(was_live)
    }

    fn replace_secret(&mut self, sealed: &SealedBox, digest: Digest) -> Result<(), Error> {
        self.insert_sealed(sealed)?;
        let object = secret_object(&sealed.owner);
        self.append(&Entry {
            action: Action::SecretSet,
            object: &object,
            before: audit::last_digest(self.connection, &object)?,
            after: Some(digest),
            outcome: Outcome::Done,
        })
    }

    fn delete_secret(&mut self, owner: &str) -> Result<bool, Error> {
        let sql = "DELETE FROM sealed WHERE owner = ?1";
        let was_set = self.connection.prepare_cached(sql)?.execute([owner])? > 0;
        let object = secret_object(owner);
        self.append(&Entry {
            action: Action::SecretDelete,
            object: &object,
            before: audit::last_digest(self.connection, &object)?,
            after: None,
            outcome: done_if(was_set),
        })?;
        Ok(was_set)
    }

    fn live(&self, tenant: &str, name: &str) -> Result<Option<Live>, Error> {
        let sql = "SELECT revision, kind, digest FROM document JOIN document_revision USING (tenant, name, revision) \
                   WHERE tenant = ?1 AND name = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let live = statement.query_row([tenant, name], |row| {
            Ok(Live { revision: row.get(0)?, kind: row.get(1)?, digest: Digest(row.get(2)?) })
        });
        Ok(live.optional()?)
    }

    fn insert_revision(&self, document: &NewDocument<'_>, digest: Digest) -> Result<Deployed, Error> {
        let sql = format!(
            "INSERT INTO document_revision (tenant, name, revision, kind, octets, digest, created_at) \
             SELECT ?1, ?2, coalesce(max(revision), 0) + 1, ?3, ?4, ?5, {NOW_US} \
             FROM document_revision WHERE tenant = ?1 AND name = ?2 RETURNING revision"
        );
        let revision =
            self.connection.prepare_cached(&sql)?.query_row(
                params![document.tenant, document.name, document.kind, document.octets, digest.0],
                |row| row.get(0),
            )?;
        self.make_live(document, revision)?;
        Ok(Deployed { revision, is_new: true })
    }

    fn make_live(&self, document: &NewDocument<'_>, revision: u64) -> Result<(), Error> {
        let sql = "INSERT INTO document (tenant, name, revision, place) \
                   SELECT ?1, ?2, ?3, coalesce(max(place), 0) + 1 FROM document WHERE true \
                   ON CONFLICT (tenant, name) DO UPDATE SET revision = excluded.revision";
        self.connection.prepare_cached(sql)?.execute(params![document.tenant, document.name, revision])?;
        Ok(())
    }

    fn insert_kek(&self, kek: &Kek) -> Result<(), Error> {
        let sql = format!(
            "INSERT INTO kek (kek_id, is_primary, wrapped, root_id, check_box, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, {NOW_US})"
        );
        self.connection.prepare_cached(&sql)?.execute(params![
            kek.kek_id,
            kek.is_primary,
            kek.wrapped,
            kek.root_id,
            kek.check_box
        ])?;
        Ok(())
    }

    fn insert_sealed(&self, sealed: &SealedBox) -> Result<(), Error> {
        check_name("owner of a secret", &sealed.owner)?;
        check_size("sealed secret", sealed.octets.len(), SEALED_BYTES_MAX)?;
        let sql = "INSERT INTO sealed (owner, kek_id, aead, nonce, box) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (owner) DO UPDATE SET kek_id = excluded.kek_id, aead = excluded.aead, \
                   nonce = excluded.nonce, box = excluded.box";
        self.connection.prepare_cached(sql)?.execute(params![
            sealed.owner,
            sealed.kek_id,
            sealed.aead,
            sealed.nonce,
            sealed.octets
        ])?;
        Ok(())
    }
}

impl Disk {
    fn after(self, error: &Error) -> Self {
        if error.is_of_the_disk() { Self::Failed } else { self }
    }
}

fn check_document(document: &NewDocument<'_>) -> Result<(), Error> {
    check_name("tenant", document.tenant)?;
    check_name("name of the document", document.name)?;
    check_name("kind of the document", document.kind)?;
    check_size("document", document.octets.len(), DOCUMENT_BYTES_MAX)
}

fn refuse_stale(over: Option<u64>, live: Option<&Live>) -> Result<(), Error> {
    let live = live.map_or(0, |live| live.revision);
    match over {
        Some(over) if over != live => Err(Error::StaleRevision { over, live }),
        Some(_) | None => Ok(()),
    }
}

fn unchanged(revision: u64) -> Deployed {
    Deployed { revision, is_new: false }
}

fn done_if(changed: bool) -> Outcome {
    if changed { Outcome::Done } else { Outcome::Unchanged }
}

fn document_object(tenant: &str, name: &str) -> String {
    format!("document {tenant}/{name}")
}

fn secret_object(owner: &str) -> String {
    format!("secret {owner}")
}
