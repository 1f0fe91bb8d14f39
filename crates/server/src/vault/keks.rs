//! Another key for old boxes: a new KEK is the one to seal under at once, boxes are moved to it a batch at a time, and a KEK
//! that nothing names is deleted. A new master key wraps all of them again.

use std::sync::PoisonError;

use signer::{Label, MasterSource};
use store::{By, RingWorld, SealedBox, key_owner};

use super::{Vault, VaultError, flow_secrets, kek_row, to_signer, to_store, wrapped};

/// How many boxes are moved in one transaction (key ring contract, section 10).
const BATCH_BOXES: u32 = 100;

/// A KEK of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KekState {
    /// Its id.
    pub kek_id: String,
    /// Whether new boxes lie under it.
    pub is_primary: bool,
    /// How many boxes lie under it.
    pub boxes: u64,
}

/// What a move of boxes did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many boxes were moved.
    pub moved: u64,
    /// Whose boxes do not open, so that they stay where they are.
    pub stuck: Vec<String>,
}

/// One batch, and where the next one begins; none if nothing is left.
pub(super) struct Batch {
    pub(super) done: Resealed,
    pub(super) next_after: Option<String>,
}

impl Vault {
    /// The KEKs, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn keks(&self) -> Result<Vec<KekState>, VaultError> {
        let keks = self.store.boxes_by_kek()?.into_iter();
        Ok(keks.map(|(kek, boxes)| KekState { kek_id: kek.kek_id, is_primary: kek.is_primary, boxes }).collect())
    }

    /// Makes another KEK, under which everything is sealed from now on. Boxes stay where they are; see [`Self::reseal`].
    ///
    /// # Errors
    /// [`VaultError::InMemory`], those of the master key's source and of the store.
    pub fn renew_kek(&self, by: &By<'_>) -> Result<String, VaultError> {
        let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        let source = master.as_ref().ok_or(VaultError::InMemory)?;
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let root_id = self.root_id()?;
        let new = self.signer.keeper().draw_kek(source, &root_id)?;
        let row = kek_row(new.row.clone());
        self.store.change(by, |change| change.add_kek(&row))?;
        self.signer.keeper().use_kek(new);
        Ok(row.kek_id)
    }

    /// Takes the KEKs as the store has them now, if another process made or deleted one.
    ///
    /// # Errors
    /// When the store cannot be read, or the master key opens them not.
    pub fn learn_keks(&self) -> Result<(), VaultError> {
        let keks: Vec<_> = self.store.keks()?.into_iter().map(wrapped).collect();
        let keeper = self.signer.keeper();
        let primary = keeper.primary_kek();
        let is_known =
            keeper.kek_count() == keks.len() && keks.iter().any(|kek| kek.is_primary && kek.kek_id == primary);
        let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        match master.as_ref() {
            Some(source) if !is_known => Ok(keeper.learn_keks(source, &keks)?),
            Some(_) | None => Ok(()),
        }
    }

    /// Moves every box to the newest KEK, a batch in a transaction. Ended in the middle it is begun again by another call.
    ///
    /// # Errors
    /// When the store cannot be read or written; what was moved before stays moved.
    pub fn reseal(&self, by: &By<'_>) -> Result<Resealed, VaultError> {
        let mut all = Resealed::default();
        let mut after = Some(String::new());
        while let Some(from) = after {
            let batch = self.reseal_batch(&from, by)?;
            all.moved += batch.done.moved;
            all.stuck.extend(batch.done.stuck);
            after = batch.next_after;
        }
        Ok(all)
    }

    /// Deletes a KEK that no box lies under, here or in the last backup.
    ///
    /// # Errors
    /// [`store::Error::KekInUse`] with the number of boxes, and the other refusals of the store.
    pub fn delete_kek(&self, kek_id: &str, by: &By<'_>) -> Result<(), VaultError> {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        self.store.change(by, |change| change.delete_kek(kek_id))?;
        self.signer.keeper().forget_kek(kek_id);
        Ok(())
    }

    /// Wraps every KEK under another master key, which is drawn where `new` names a file that is not there. From then on
    /// the store opens with that one alone.
    ///
    /// # Errors
    /// [`VaultError::InMemory`], those of both sources and of the store; the old one is the right one then.
    pub fn change_master_key(&self, new: MasterSource, by: &By<'_>) -> Result<(), VaultError> {
        let mut master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        let old = master.as_ref().ok_or(VaultError::InMemory)?;
        let keks: Vec<_> = self.store.keks()?.into_iter().map(wrapped).collect();
        let rewrapped = self.signer.keeper().rewrap(&keks, old, &new)?;
        let rows: Vec<_> = rewrapped.into_iter().map(kek_row).collect();
        self.store.change(by, |change| change.rewrap(&rows))?;
        *master = Some(new);
        Ok(())
    }

    pub(super) fn reseal_batch(&self, after: &str, by: &By<'_>) -> Result<Batch, VaultError> {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let keeper = self.signer.keeper();
        let primary = keeper.primary_kek();
        let found = self.store.sealed_elsewhere(&primary, after, BATCH_BOXES)?;
        let world = self.store.rings()?;
        let (mut moved, mut stuck) = (Vec::new(), Vec::new());
        for old in &found {
            let label = label_of(&world, &old.owner);
            let new = label.and_then(|label| keeper.reseal(&label, &to_signer(old.clone())).ok());
            match new {
                Some(new) => moved.push((old.clone(), to_store(new))),
                None => stuck.push(old.owner.clone()),
            }
        }
        let count = self.store.change(by, |change| change.reseal(&primary, &moved))?;
        let flows = moved.into_iter().filter(|(old, _)| old.owner.starts_with(&flow_secrets()));
        flows.for_each(|(_, new)| self.signer.set(to_signer(new)));
        let last = found.last().filter(|_| found.len() == BATCH_BOXES as usize);
        Ok(Batch {
            done: Resealed { moved: count, stuck },
            next_after: last.map(|last: &SealedBox| last.owner.clone()),
        })
    }

    fn root_id(&self) -> Result<String, VaultError> {
        let first = self.store.keks()?.into_iter().next();
        Ok(first.ok_or(signer::Error::Root { why: "it has no key" })?.root_id)
    }
}

/// What the box of this owner is bound to; none for a ring's key whose row is not there.
pub(super) fn label_of<'w>(world: &'w RingWorld, owner: &'w str) -> Option<Label<'w>> {
    if owner == signer::INSTALL_SALT_OWNER || owner.starts_with(&flow_secrets()) {
        return Some(super::label(owner));
    }
    let generations = world.rings.iter().flat_map(|rows| rows.generations.iter().map(move |row| (rows, row)));
    let (rows, row) = generations.into_iter().find(|(rows, row)| key_owner(&rows.ring_id, row.n) == owner)?;
    Some(Label { owner, ring: &rows.ring_id, alg: &rows.alg, n: row.n.into(), kid: &row.kid, signer: &rows.signer })
}
