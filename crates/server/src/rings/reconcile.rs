//! Holds what a PKCS#11 token keeps against the rows that name it (key ring contract, I13).

use std::collections::HashSet;

use signer::HeldPair;

use super::spec::HSM_LABEL;
use super::{Rings, RingsError};

/// What does not match between the token and the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// How many keys lie in the token whole and are named by a row.
    pub whole: usize,
    /// Pairs and halves that were made for a ring and that no row names: of a process that died in between, or that lost
    /// to another one.
    pub orphans: Vec<HeldPair>,
    /// Halves of pairs that a row names.
    pub halves: Vec<HeldPair>,
    /// Generations, as `ring/n`, whose private half the token should have and has not.
    pub missing: Vec<String>,
}

impl Rings {
    /// Compares the token with the rows. Nothing is changed: whoever deletes an orphan makes sure first that no other
    /// store uses the token.
    ///
    /// # Errors
    /// [`RingsError`] where no token is named, or it is away.
    pub fn reconcile(&self) -> Result<Reconciled, RingsError> {
        let held = self.vault().hsm()?.held().map_err(signer::Error::from)?;
        self.refresh()?;
        let newest = self.newest();
        let t = self.clock.now(newest.store_policy.clock_error).unwrap_or(newest.epochs.now);
        let (mut named, mut missing) = (HashSet::new(), Vec::new());
        for live in newest.rings() {
            for row in &live.rows.generations {
                let Some(id) = row.signer_ref.as_deref() else { continue };
                if live.ring.phase(row.n, t) == Some(keyring::Phase::Destroyed) {
                    continue;
                }
                named.insert(id);
                if !held.iter().any(|pair| pair.id == id && pair.has_private) {
                    missing.push(format!("{}/{}", live.rows.ring_id, row.n));
                }
            }
        }
        let mut reconciled = Reconciled { missing, ..Reconciled::default() };
        for pair in held {
            match (named.contains(&*pair.id), pair.has_private && pair.has_public) {
                (true, true) => reconciled.whole += 1,
                (true, false) => reconciled.halves.push(pair),
                (false, _) if pair.label.starts_with(HSM_LABEL) => reconciled.orphans.push(pair),
                (false, _) => {}
            }
        }
        Ok(reconciled)
    }
}
