//! What may be changed, each with its audit row in the same transaction.

use crate::audit::{self, Action, By, Entry, Outcome};
use crate::rows::{
    DOCUMENT_BYTES_MAX, Deployed, Digest, Kek, NewDocument, SEALED_BYTES_MAX, SealedBox, check_name, check_size,
};
use crate::sql::{Param, Session, params};
use crate::transaction::Transaction;
use crate::{Error, Root};

/// A transaction in the making, handed out by [`Store::change`](crate::Store::change).
///
/// Each method is a part of the change: it leaves its rows and its audit row, or neither. A closure that passes a
/// part's error on keeps nothing of the whole change; one that goes on keeps the other parts.
pub struct Change<'a> {
    pub(crate) session: Session<'a>,
    store_id: &'a str,
    by: &'a By<'a>,
    /// A part failed so badly that the transaction around it is gone: nothing more is done, nothing is committed.
    broken: bool,
    trouble: Trouble,
}

/// What a change met, beside its own errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// Another process changed the store at the same moment: all of it may be tried again.
    Clash,
    /// The disk failed or the server went away: the connection is not to be trusted.
    Broken,
}

struct Live {
    revision: u64,
    kind: String,
    digest: Digest,
}

impl<'a> Change<'a> {
    /// Runs one transaction, and tells what it met.
    pub(crate) fn run<T, E: From<Error>>(
        session: Session<'_>,
        store_id: &str,
        by: &By<'_>,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, E>,
    ) -> (Result<T, E>, Trouble) {
        let transaction = match Transaction::begin_change(session) {
            Ok(transaction) => transaction,
            Err(error) => {
                let trouble = Trouble::None.after(&error);
                return (Err(error.into()), trouble);
            }
        };
        let mut change = Change::new(session, store_id, by);
        let result = work(&mut change);
        let (broken, mut trouble) = (change.broken, change.trouble);
        let result = result.and_then(|done| {
            let committed = if broken { Err(Error::ChangeBroken) } else { transaction.commit() };
            committed.map(|()| done).map_err(|error| {
                trouble = trouble.after(&error);
                error.into()
            })
        });
        (result, trouble)
    }

    pub(crate) fn new(session: Session<'a>, store_id: &'a str, by: &'a By<'a>) -> Self {
        Self { session, store_id, by, broken: false, trouble: Trouble::None }
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

    pub(crate) fn store_id(&self) -> &str {
        self.store_id
    }

    /// Writes the rows that a new store starts from.
    pub(crate) fn found(&mut self, root: &Root, schema: u32, oldest_program: u32) -> Result<(), Error> {
        let now = self.session.now_us();
        let sql = format!(
            "INSERT INTO meta (one, store_id, schema_version, oldest_program, created_at) VALUES (1, ?1, ?2, ?3, {now})"
        );
        self.session.execute(&sql, params![&root.store_id, schema, oldest_program])?;
        self.insert_kek(&root.kek)?;
        self.insert_sealed(&root.salt)?;
        self.append(&Entry { action: Action::Init, object: "store", before: None, after: None, outcome: Outcome::Done })
    }

    pub(crate) fn part<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.broken {
            return Err(Error::ChangeBroken);
        }
        self.session.batch("SAVEPOINT part")?;
        let result = work(self);
        if let Err(error) = &result {
            self.trouble = self.trouble.after(error);
            // Some errors have ended the whole transaction; to go on would be to write outside of one.
            self.broken = self.session.batch("ROLLBACK TO part; RELEASE part").is_err();
        } else {
            self.session.batch("RELEASE part")?;
        }
        result
    }

    pub(crate) fn append(&self, entry: &Entry<'_>) -> Result<(), Error> {
        audit::append(self.session, self.store_id, self.by, entry)
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
        let was_live = self.session.execute(sql, params![tenant, name])? > 0;
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
            before: audit::last_digest(self.session, &object)?,
            after: Some(digest),
            outcome: Outcome::Done,
        })
    }

    fn delete_secret(&mut self, owner: &str) -> Result<bool, Error> {
        let sql = "DELETE FROM sealed WHERE owner = ?1";
        let was_set = self.session.execute(sql, params![owner])? > 0;
        let object = secret_object(owner);
        self.append(&Entry {
            action: Action::SecretDelete,
            object: &object,
            before: audit::last_digest(self.session, &object)?,
            after: None,
            outcome: done_if(was_set),
        })?;
        Ok(was_set)
    }

    fn live(&self, tenant: &str, name: &str) -> Result<Option<Live>, Error> {
        let sql = "SELECT revision, kind, digest FROM document JOIN document_revision USING (tenant, name, revision) \
                   WHERE tenant = ?1 AND name = ?2";
        let live = self.session.query_one(sql, params![tenant, name])?;
        live.map(|row| Ok(Live { revision: row.get(0)?, kind: row.get(1)?, digest: row.get(2)? })).transpose()
    }

    fn insert_revision(&self, document: &NewDocument<'_>, digest: Digest) -> Result<Deployed, Error> {
        let last = "SELECT coalesce(max(revision), 0) FROM document_revision WHERE tenant = ?1 AND name = ?2";
        let revision = self.number(last, params![document.tenant, document.name])? + 1;
        let sql = format!(
            "INSERT INTO document_revision (tenant, name, revision, kind, octets, digest, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, {})",
            self.session.now_us()
        );
        let NewDocument { tenant, name, kind, octets, .. } = *document;
        self.session.execute(&sql, params![tenant, name, revision, kind, octets, &digest])?;
        self.make_live(document, revision)?;
        Ok(Deployed { revision, is_new: true })
    }

    fn make_live(&self, document: &NewDocument<'_>, revision: u64) -> Result<(), Error> {
        let place = self.number("SELECT coalesce(max(place), 0) FROM document", &[])? + 1;
        let sql = "INSERT INTO document (tenant, name, revision, place) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (tenant, name) DO UPDATE SET revision = excluded.revision";
        self.session.execute(sql, params![document.tenant, document.name, revision, place])?;
        Ok(())
    }

    /// The one number that a statement gives; 0 if it gives no row.
    pub(crate) fn number(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, Error> {
        self.session.query_one(sql, params)?.map_or(Ok(0), |row| row.get(0))
    }

    pub(crate) fn insert_kek(&self, kek: &Kek) -> Result<(), Error> {
        let sql = format!(
            "INSERT INTO kek (kek_id, is_primary, wrapped, root_id, check_box, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, {})",
            self.session.now_us()
        );
        let Kek { kek_id, is_primary, wrapped, root_id, check_box } = kek;
        self.session.execute(&sql, params![kek_id, *is_primary, wrapped, root_id, check_box])?;
        Ok(())
    }

    pub(crate) fn insert_sealed(&self, sealed: &SealedBox) -> Result<(), Error> {
        check_name("owner of a secret", &sealed.owner)?;
        check_size("sealed secret", sealed.octets.len(), SEALED_BYTES_MAX)?;
        let sql = "INSERT INTO sealed (owner, kek_id, aead, nonce, box) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (owner) DO UPDATE SET kek_id = excluded.kek_id, aead = excluded.aead, \
                   nonce = excluded.nonce, box = excluded.box";
        let SealedBox { owner, kek_id, aead, nonce, octets } = sealed;
        self.session.execute(sql, params![owner, kek_id, aead, nonce, octets])?;
        Ok(())
    }
}

impl Trouble {
    fn after(self, error: &Error) -> Self {
        if error.is_of_the_disk() {
            Self::Broken
        } else if matches!(error, Error::Clash { .. }) && self == Self::None {
            Self::Clash
        } else {
            self
        }
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
