//! What may be read.

use crate::rows::{Document, Kek, Revision, SealedBox};
use crate::sql::{Row, params};
use crate::{Error, Store};

const DOCUMENT: &str = "SELECT tenant, name, kind, revision, octets, created_at FROM document \
                        JOIN document_revision USING (tenant, name, revision)";
pub(crate) const SEALED: &str = "SELECT owner, kek_id, aead, nonce, box FROM sealed";

/// All of these fail with [`Error::Database`] or [`Error::Damaged`], when the file cannot be read.
impl Store {
    /// The live documents of all tenants, in the order in which they first went live.
    ///
    /// # Errors
    /// See above.
    pub fn documents(&self) -> Result<Vec<Document>, Error> {
        let rows = self.connection()?.session().query(&format!("{DOCUMENT} ORDER BY place"), &[])?;
        rows.iter().map(read_document).collect()
    }

    /// One live document.
    ///
    /// # Errors
    /// See above.
    pub fn document(&self, tenant: &str, name: &str) -> Result<Option<Document>, Error> {
        let sql = format!("{DOCUMENT} WHERE tenant = ?1 AND name = ?2");
        let row = self.connection()?.session().query_one(&sql, params![tenant, name])?;
        row.as_ref().map(read_document).transpose()
    }

    /// The live documents of a tenant and their revisions, in the order in which they first went live.
    ///
    /// # Errors
    /// See above.
    pub fn live_revisions(&self, tenant: &str) -> Result<Vec<(String, u64)>, Error> {
        let sql = "SELECT name, revision FROM document WHERE tenant = ?1 ORDER BY place";
        let rows = self.connection()?.session().query(sql, params![tenant])?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// The number of the last change: of its audit row, 0 before the first.
    ///
    /// # Errors
    /// See above.
    pub fn last_change(&self) -> Result<u64, Error> {
        let row = self.connection()?.session().query_one("SELECT coalesce(max(seq), 0) FROM audit", &[])?;
        row.map_or(Ok(0), |row| row.get(0))
    }

    /// All revisions of a document, the oldest first, live or not.
    ///
    /// # Errors
    /// See above.
    pub fn revisions(&self, tenant: &str, name: &str) -> Result<Vec<Revision>, Error> {
        let sql = "SELECT revision, kind, digest, created_at FROM document_revision \
                   WHERE tenant = ?1 AND name = ?2 ORDER BY revision";
        let rows = self.connection()?.session().query(sql, params![tenant, name])?;
        rows.iter().map(read_revision).collect()
    }

    /// The octets of one revision.
    ///
    /// # Errors
    /// See above.
    pub fn revision_octets(&self, tenant: &str, name: &str, revision: u64) -> Result<Option<Vec<u8>>, Error> {
        let sql = "SELECT octets FROM document_revision WHERE tenant = ?1 AND name = ?2 AND revision = ?3";
        let row = self.connection()?.session().query_one(sql, params![tenant, name, revision])?;
        row.map(|row| row.get(0)).transpose()
    }

    /// The box of one owner.
    ///
    /// # Errors
    /// See above.
    pub fn sealed(&self, owner: &str) -> Result<Option<SealedBox>, Error> {
        let row = self.connection()?.session().query_one(&format!("{SEALED} WHERE owner = ?1"), params![owner])?;
        row.as_ref().map(read_sealed).transpose()
    }

    /// The boxes of all owners whose name begins so, in the order of their names.
    ///
    /// # Errors
    /// See above.
    pub fn list_sealed(&self, prefix: &str) -> Result<Vec<SealedBox>, Error> {
        let sql = format!("{SEALED} WHERE substr(owner, 1, length(?1)) = ?1 ORDER BY owner");
        let rows = self.connection()?.session().query(&sql, params![prefix])?;
        rows.iter().map(read_sealed).collect()
    }

    /// The wrapped keys.
    ///
    /// # Errors
    /// See above.
    pub fn keks(&self) -> Result<Vec<Kek>, Error> {
        let sql = "SELECT kek_id, is_primary, wrapped, root_id, check_box FROM kek ORDER BY created_at, kek_id";
        let rows = self.connection()?.session().query(sql, &[])?;
        rows.iter().map(read_kek).collect()
    }
}

fn read_document(row: &Row) -> Result<Document, Error> {
    Ok(Document {
        tenant: row.get(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        revision: row.get(3)?,
        octets: row.get(4)?,
        created_at_us: row.get(5)?,
    })
}

fn read_revision(row: &Row) -> Result<Revision, Error> {
    Ok(Revision { revision: row.get(0)?, kind: row.get(1)?, digest: row.get(2)?, created_at_us: row.get(3)? })
}

pub(crate) fn read_sealed(row: &Row) -> Result<SealedBox, Error> {
    Ok(SealedBox {
        owner: row.get(0)?,
        kek_id: row.get(1)?,
        aead: row.get(2)?,
        nonce: row.get(3)?,
        octets: row.get(4)?,
    })
}

fn read_kek(row: &Row) -> Result<Kek, Error> {
    Ok(Kek {
        kek_id: row.get(0)?,
        is_primary: row.get(1)?,
        wrapped: row.get(2)?,
        root_id: row.get(3)?,
        check_box: row.get(4)?,
    })
}
