//! The audit chain: one row a change, each bound to the row before it.
//!
//! `hash = SHA-256(prev_hash, canonical row)`; the first row's `prev_hash` is the SHA-256 of the store's name, so that no
//! chain passes for another store's. The canonical row is every column in order, each with its length in front. A chain
//! shows any change to its rows but not that its last rows were cut off: for that, keep a [`ChainHead`] elsewhere.

use crate::canonical::Canonical;
use crate::sql::{Row, Session, params};
use crate::{Digest, Error, Store};

/// Rows read at a time while the chain is walked; writers get their turn in between.
const PAGE_ROWS: u32 = 1_000;

const COLUMNS: &str = "seq, at, actor, address, action, object, digest_before, digest_after, result, request_id, \
                       prev_hash, hash";

/// Who wants it: goes into every audit row of a change.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// A user, an API key's id, or the system account of a command.
    pub actor: &'a str,
    /// Where they called from; none for a command on this host.
    pub address: Option<&'a str>,
    /// The request, if there was one.
    pub request_id: Option<&'a str>,
}

impl By<'static> {
    /// The account of what keeps rings going.
    pub const ROTATOR: Self = Self { actor: "rotator", address: None, request_id: None };
    /// The account of tokens whose life has to be noted.
    pub const MINT: Self = Self { actor: "mint", address: None, request_id: None };
}

impl By<'_> {
    /// Whether this is the service itself, which goes on where the changes of people are refused.
    pub fn is_service(&self) -> bool {
        [By::ROTATOR.actor, By::MINT.actor].contains(&self.actor)
    }
}

/// What was done. A closed list (security contract, section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The store was made.
    Init,
    /// A document went live.
    Deploy,
    /// A document is no longer live.
    Undeploy,
    /// A secret was set.
    SecretSet,
    /// A secret was deleted.
    SecretDelete,
    /// A key ring was made.
    RingMake,
    /// The timing of a ring was changed.
    RingPolicy,
    /// A generation was made here.
    KeyMake,
    /// A generation was brought in.
    KeyImport,
    /// A private half was taken out.
    KeyExport,
    /// A consumer was given the shared secrets of a ring.
    KeyRead,
    /// A standby shall sign earlier.
    KeyHasten,
    /// A token lives so long that its key is published for it.
    KeyHorizon,
    /// A generation is trusted no longer.
    KeyRevoke,
    /// A private half is gone.
    KeyDestroy,
    /// A lost public half is published again.
    KeyRepublish,
    /// A key that boxes lie under was made; new boxes lie under it.
    KekMake,
    /// Boxes were moved under the newest of those keys.
    KekReseal,
    /// One of those keys is gone.
    KekDelete,
    /// All of those keys lie under another master key.
    MasterKeyChange,
    /// The store was copied.
    Backup,
    /// A store older than the last one seen was accepted.
    RollbackAccept,
    /// What is closed by default was opened for one act.
    PermitUse,
}

impl Action {
    /// The name in the row.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Deploy => "deploy",
            Self::Undeploy => "undeploy",
            Self::SecretSet => "secret_set",
            Self::SecretDelete => "secret_delete",
            Self::RingMake => "ring_make",
            Self::RingPolicy => "ring_policy",
            Self::KeyMake => "key_make",
            Self::KeyImport => "key_import",
            Self::KeyExport => "key_export",
            Self::KeyRead => "key_read",
            Self::KeyHasten => "key_hasten",
            Self::KeyHorizon => "key_horizon",
            Self::KeyRevoke => "key_revoke",
            Self::KeyDestroy => "key_destroy",
            Self::KeyRepublish => "key_republish",
            Self::KekMake => "kek_make",
            Self::KekReseal => "kek_reseal",
            Self::KekDelete => "kek_delete",
            Self::MasterKeyChange => "master_key_change",
            Self::Backup => "backup",
            Self::RollbackAccept => "rollback_accept",
            Self::PermitUse => "permit_use",
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As asked.
    Done,
    /// It was so already.
    Unchanged,
    /// Refused, with the code of the error.
    Refused(&'static str),
}

/// An audit row to be.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What was done, or tried.
    pub action: Action,
    /// To what.
    pub object: &'a str,
    /// The digest of the object before.
    pub before: Option<Digest>,
    /// The digest of the object after.
    pub after: Option<Digest>,
    /// How it ended.
    pub outcome: Outcome,
}

/// An audit row as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number, counted from 1 without gaps.
    pub seq: u64,
    /// When, in microseconds UTC of the database clock.
    pub at_us: i64,
    /// Who.
    pub actor: String,
    /// From where.
    pub address: Option<String>,
    /// What, by the name of its [`Action`].
    pub action: String,
    /// To what.
    pub object: String,
    /// The digest of the object before.
    pub before: Option<Digest>,
    /// The digest of the object after.
    pub after: Option<Digest>,
    /// `done`, `unchanged` or `refused:` and a code.
    pub result: String,
    /// The request.
    pub request_id: Option<String>,
    /// The hash of the row before.
    pub prev_hash: Digest,
    /// The hash of this row.
    pub hash: Digest,
}

/// The end of a chain: whoever keeps one elsewhere can tell that rows were cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The number of the last row, 0 for an empty chain.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
}

impl Store {
    /// Up to `limit` audit rows after number `after_seq`, in order.
    ///
    /// # Errors
    /// [`Error::Database`] or [`Error::Damaged`] if the file cannot be read.
    pub fn audit_rows(&self, after_seq: u64, limit: u32) -> Result<Vec<AuditRow>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        let rows = self.connection()?.session().query(&sql, params![after_seq, limit])?;
        rows.iter().map(read_row).collect()
    }

    /// The end of the chain as its last row says, without a walk.
    ///
    /// # Errors
    /// As [`Self::audit_rows`].
    pub fn audit_head(&self) -> Result<ChainHead, Error> {
        head(self.connection()?.session(), self.store_id())
    }

    /// Walks the chain from its first row and returns its end.
    ///
    /// # Errors
    /// [`Error::AuditBroken`] names the first row that is missing or is not what was written.
    pub fn verify_audit(&self) -> Result<ChainHead, Error> {
        let mut head = ChainHead { seq: 0, hash: genesis(self.store_id()) };
        loop {
            let page = self.audit_rows(head.seq, PAGE_ROWS)?;
            if page.is_empty() {
                return Ok(head);
            }
            for row in &page {
                head = follow(head, row)?;
            }
        }
    }
}

/// Appends a row to the chain, in the caller's transaction.
pub(crate) fn append(session: Session<'_>, store_id: &str, by: &By<'_>, entry: &Entry<'_>) -> Result<(), Error> {
    let head = head(session, store_id)?;
    // The hash covers the time, so the database clock is read here and not in the INSERT; the number of the row is the
    // fence, hence rows are in the order of their times as far as the clock is.
    let at_us = session.read_clock()?;
    let row = AuditRow {
        seq: head.seq + 1,
        at_us,
        actor: by.actor.to_owned(),
        address: by.address.map(str::to_owned),
        action: entry.action.as_str().to_owned(),
        object: entry.object.to_owned(),
        before: entry.before,
        after: entry.after,
        result: entry.outcome.to_text(),
        request_id: by.request_id.map(str::to_owned),
        prev_hash: head.hash,
        hash: head.hash,
    };
    insert(session, &row, row_hash(&row))
}

/// The digest that the last successful change left of an object.
pub(crate) fn last_digest(session: Session<'_>, object: &str) -> Result<Option<Digest>, Error> {
    let sql = "SELECT digest_after FROM audit WHERE object = ?1 AND result = 'done' ORDER BY seq DESC LIMIT 1";
    let digest: Option<Option<Digest>> = session.query_one(sql, params![object])?.map(|row| row.get(0)).transpose()?;
    Ok(digest.flatten())
}

impl Outcome {
    fn to_text(self) -> String {
        match self {
            Self::Done => "done".to_owned(),
            Self::Unchanged => "unchanged".to_owned(),
            Self::Refused(code) => format!("refused:{code}"),
        }
    }
}

fn head(session: Session<'_>, store_id: &str) -> Result<ChainHead, Error> {
    let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    match session.query_one(sql, &[])? {
        Some(row) => Ok(ChainHead { seq: row.get(0)?, hash: row.get(1)? }),
        None => Ok(ChainHead { seq: 0, hash: genesis(store_id) }),
    }
}

fn insert(session: Session<'_>, row: &AuditRow, hash: Digest) -> Result<(), Error> {
    let sql = format!("INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    session.execute(
        &sql,
        params![
            row.seq,
            row.at_us,
            &row.actor,
            row.address.as_deref(),
            &row.action,
            &row.object,
            row.before.as_ref(),
            row.after.as_ref(),
            &row.result,
            row.request_id.as_deref(),
            &row.prev_hash,
            &hash,
        ],
    )?;
    Ok(())
}

fn read_row(row: &Row) -> Result<AuditRow, Error> {
    Ok(AuditRow {
        seq: row.get(0)?,
        at_us: row.get(1)?,
        actor: row.get(2)?,
        address: row.get(3)?,
        action: row.get(4)?,
        object: row.get(5)?,
        before: row.get(6)?,
        after: row.get(7)?,
        result: row.get(8)?,
        request_id: row.get(9)?,
        prev_hash: row.get(10)?,
        hash: row.get(11)?,
    })
}

fn follow(head: ChainHead, row: &AuditRow) -> Result<ChainHead, Error> {
    let seq = head.seq + 1;
    let broken = |why| Err(Error::AuditBroken { seq, why });
    if row.seq != seq {
        return broken("the row is missing");
    }
    if row.prev_hash != head.hash {
        return broken("it does not follow the row before it");
    }
    let hash = row_hash(row);
    if row.hash != hash {
        return broken("its columns do not give its hash");
    }
    Ok(ChainHead { seq, hash })
}

fn genesis(store_id: &str) -> Digest {
    let mut canonical = Canonical::default();
    canonical.text("chancery-audit-1");
    canonical.text(store_id);
    canonical.digest()
}

fn row_hash(row: &AuditRow) -> Digest {
    let mut canonical = Canonical::default();
    canonical.octets(&row.prev_hash.0);
    canonical.octets(&row.seq.to_be_bytes());
    canonical.octets(&row.at_us.to_be_bytes());
    canonical.text(&row.actor);
    canonical.optional(row.address.as_deref().map(str::as_bytes));
    canonical.text(&row.action);
    canonical.text(&row.object);
    canonical.optional(row.before.as_ref().map(|digest| &digest.0[..]));
    canonical.optional(row.after.as_ref().map(|digest| &digest.0[..]));
    canonical.text(&row.result);
    canonical.optional(row.request_id.as_deref().map(str::as_bytes));
    canonical.digest()
}
