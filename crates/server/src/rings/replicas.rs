//! The other processes on the same store: told of this one, named where they lag, waited for with the first key of a ring.

use std::collections::BTreeSet;

use keyring::{Span, Time};
use store::{Replica, RingRows};

use super::{Read, Rings};
use crate::vault::VaultError;

/// A replica that said nothing for so long is not waited for, and not named.
const SEEN_WITHIN: Span = Span::from_secs(60);
/// The epoch of a ring once its first generation is there: one for its timing, one for the key.
const FIRST_EPOCH: u64 = 2;

/// What this process calls itself.
#[derive(Clone, Debug)]
pub(super) struct Identity(String);

impl Identity {
    /// The machine and the process, and when this began, since a container's process is always number 1.
    pub(super) fn of_this_process(boot_us: i64) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let pid = std::process::id();
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Self(format!("{}:{pid}:{boot_us:x}.{nth}", host.trim()))
    }
}

impl Rings {
    /// Ends when the rotator has looked at the store once more. Ask for it before looking oneself.
    pub(crate) fn round_ended(&self) -> impl Future<Output = ()> + '_ {
        let mut round = Box::pin(self.rounds.notified());
        round.as_mut().enable();
        round
    }

    /// What this process calls itself in the list of replicas.
    pub fn replica_id(&self) -> &str {
        &self.identity.0
    }

    /// Every process that was heard of in the last minute, this one among them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn replicas(&self) -> Result<Vec<Replica>, VaultError> {
        Ok(self.vault.store().replicas(SEEN_WITHIN)?)
    }

    /// The other replicas that do not have this change of a ring yet.
    pub(super) fn laggards(&self, ring_id: &str, epoch: u64) -> Result<Vec<String>, VaultError> {
        if !self.vault.store().is_shared() {
            return Ok(Vec::new());
        }
        let behind = |replica: &Replica| replica.id != self.identity.0 && replica.epoch(ring_id) < epoch;
        Ok(self.replicas()?.into_iter().filter(behind).map(|replica| replica.id).collect())
    }

    /// Leaves word of what this process has in memory: whoever serves does, a command does not.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn report(&self) -> Result<(), VaultError> {
        if self.vault.store().is_shared() {
            let epochs = self.reading().epochs.clone();
            self.vault.store().report(&self.identity.0, &epochs, self.clock.ahead_us(), env!("CARGO_PKG_VERSION"))?;
        }
        Ok(())
    }

    /// The rings whose first key some replica does not show yet: nobody signs with it, for at most F.
    pub(super) fn not_ready(&self, read: &Read, t: Time) -> Result<BTreeSet<String>, VaultError> {
        let fresh_for = self.newest().store_policy.fresh_for;
        let is_new = |ring: &&RingRows| match ring.generations.first() {
            Some(first) => t < first.created_at + fresh_for,
            None => false,
        };
        let new: Vec<&RingRows> = read.world.rings.iter().filter(is_new).collect();
        if new.is_empty() || !self.vault.store().is_shared() {
            return Ok(BTreeSet::new());
        }
        let others: Vec<Replica> =
            self.replicas()?.into_iter().filter(|replica| replica.id != self.identity.0).collect();
        let waits = |ring: &&RingRows| others.iter().any(|replica| replica.epoch(&ring.ring_id) < FIRST_EPOCH);
        Ok(new.into_iter().filter(waits).map(|ring| ring.ring_id.clone()).collect())
    }
}
