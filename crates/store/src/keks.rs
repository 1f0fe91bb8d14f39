//! The keys that boxes lie under: a new one, boxes moved to it, the old one deleted, and all of them under a new master key.

use crate::audit::{Action, Entry, Outcome};
use crate::read::{SEALED, read_sealed};
use crate::rows::{Kek, SealedBox};
use crate::sql::params;
use crate::{Change, Error, Store};

/// All of these fail with [`Error::Database`] or [`Error::Damaged`], when the file cannot be read.
impl Store {
    /// Each wrapped key, the oldest first, with the number of boxes that lie under it.
    ///
    /// # Errors
    /// See above.
    pub fn boxes_by_kek(&self) -> Result<Vec<(Kek, u64)>, Error> {
        let keks = self.keks()?;
        let connection = self.connection()?;
        let counted = |kek: Kek| {
            let count = "SELECT count(*) FROM sealed WHERE kek_id = ?1";
            let boxes = connection.session().query_one(count, params![&kek.kek_id])?;
            let boxes = boxes.map_or(Ok(0), |row| row.get(0))?;
            Ok((kek, boxes))
        };
        keks.into_iter().map(counted).collect()
    }

    /// Up to `limit` boxes that lie under another key than this one, of owners after `after`, in their order.
    ///
    /// # Errors
    /// See above.
    pub fn sealed_elsewhere(&self, kek_id: &str, after: &str, limit: u32) -> Result<Vec<SealedBox>, Error> {
        let sql = format!("{SEALED} WHERE kek_id <> ?1 AND owner > ?2 ORDER BY owner LIMIT ?3");
        let rows = self.connection()?.session().query(&sql, params![kek_id, after, limit])?;
        rows.iter().map(read_sealed).collect()
    }
}

impl Change<'_> {
    /// Adds a wrapped key and makes it the one that new boxes lie under.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add_kek(&mut self, kek: &Kek) -> Result<(), Error> {
        self.part(|change| {
            change.session.execute("UPDATE kek SET is_primary = ?1 WHERE is_primary = ?2", params![false, true])?;
            change.insert_kek(kek)?;
            change.tell(Action::KekMake, &kek.kek_id, Outcome::Done)
        })
    }

    /// Puts boxes in the place of those that they were made of, all under one other key. A box that was replaced in
    /// between stays as it is. Gives how many were moved; the audit says that it was tried, even if none was.
    ///
    /// # Errors
    /// Those of the database; one of them is a key that is not there.
    pub fn reseal(&mut self, kek_id: &str, moved: &[(SealedBox, SealedBox)]) -> Result<u64, Error> {
        self.part(|change| {
            let sql = "UPDATE sealed SET kek_id = ?1, aead = ?2, nonce = ?3, box = ?4 \
                       WHERE owner = ?5 AND kek_id = ?6 AND nonce = ?7";
            let mut count = 0;
            for (old, new) in moved {
                let SealedBox { owner, kek_id, aead, nonce, octets } = new;
                let params = params![kek_id, aead, nonce, octets, owner, &old.kek_id, &old.nonce];
                count += change.session.execute(sql, params)? as u64;
            }
            let outcome = if count == 0 { Outcome::Unchanged } else { Outcome::Done };
            change.tell(Action::KekReseal, kek_id, outcome)?;
            Ok(count)
        })
    }

    /// Deletes a wrapped key that nothing lies under any more, here or in the last backup.
    ///
    /// # Errors
    /// [`Error::NoKek`], [`Error::KekPrimary`], [`Error::KekInUse`] with the number of boxes, [`Error::KekInBackup`].
    pub fn delete_kek(&mut self, kek_id: &str) -> Result<(), Error> {
        self.part(|change| {
            let row = change.session.query_one("SELECT is_primary FROM kek WHERE kek_id = ?1", params![kek_id])?;
            let row = row.ok_or_else(|| Error::NoKek { kek_id: kek_id.to_owned() })?;
            if row.get(0)? {
                return Err(Error::KekPrimary { kek_id: kek_id.to_owned() });
            }
            let boxes = change.number("SELECT count(*) FROM sealed WHERE kek_id = ?1", params![kek_id])?;
            if boxes > 0 {
                return Err(Error::KekInUse { kek_id: kek_id.to_owned(), boxes });
            }
            let last = |action: Action| {
                let sql = "SELECT coalesce(max(seq), 0) FROM audit WHERE action = ?1";
                change.number(sql, params![action.as_str()])
            };
            let (backup, reseal) = (last(Action::Backup)?, last(Action::KekReseal)?);
            if backup > 0 && backup < reseal {
                return Err(Error::KekInBackup { kek_id: kek_id.to_owned() });
            }
            change.session.execute("DELETE FROM kek WHERE kek_id = ?1", params![kek_id])?;
            change.tell(Action::KekDelete, kek_id, Outcome::Done)
        })
    }

    /// Takes every wrapped key as another master key has wrapped it. No box changes.
    ///
    /// # Errors
    /// [`Error::NoKek`] if these are not the keys of the store, each of them once.
    pub fn rewrap(&mut self, keks: &[Kek]) -> Result<(), Error> {
        self.part(|change| {
            let known = change.number("SELECT count(*) FROM kek", &[])?;
            for kek in keks {
                let sql = "UPDATE kek SET wrapped = ?1, root_id = ?2 WHERE kek_id = ?3";
                if change.session.execute(sql, params![&kek.wrapped, &kek.root_id, &kek.kek_id])? == 0 {
                    return Err(Error::NoKek { kek_id: kek.kek_id.clone() });
                }
            }
            if known != keks.len() as u64 {
                return Err(Error::NoKek { kek_id: "one that was made in between".to_owned() });
            }
            let entry = Entry {
                action: Action::MasterKeyChange,
                object: "store",
                before: None,
                after: None,
                outcome: Outcome::Done,
            };
            change.append(&entry)
        })
    }

    fn tell(&self, action: Action, kek_id: &str, outcome: Outcome) -> Result<(), Error> {
        let object = format!("kek {kek_id}");
        self.append(&Entry { action, object: &object, before: None, after: None, outcome })
    }
}
