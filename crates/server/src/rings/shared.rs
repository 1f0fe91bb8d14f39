//! Rings of shared secrets: nothing of them is published, so who verifies reads them here, and the ring knows who did.

use keyring::Use;
use signer::{OpenKey, Secret};
use store::{By, Reader, key_owner};
use zeroize::Zeroizing;

use super::{LiveRing, RingRefusal, Rings, RingsError, place};
use crate::vault::to_signer;

/// The name under which `chancery verify` reads them, anew for each token: it never lacks one.
pub const VERIFY_COMMAND: &str = "chancery-verify";

/// Who reads the secrets of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingReader {
    /// What it read, and when.
    pub reader: Reader,
    /// Whether it was not given the generation that signs next: it will refuse tokens of it.
    pub lacks_standby: bool,
}

impl Rings {
    /// The secrets that verify tokens of a ring now or soon, as the text of a JWK Set, the newest first; noted in the audit
    /// under the name of the reader before they are given.
    ///
    /// # Errors
    /// [`RingsError`]; a ring that publishes its keys has no secrets to read.
    pub fn read_secrets(&self, ring_id: &str, reader: &str, by: &By<'_>) -> Result<Secret, RingsError> {
        let (live, t) = self.live(ring_id)?;
        if live.rows.use_ != Use::Mac {
            let why = format!("{ring_id} signs with pairs of keys; whoever verifies needs its published keys alone");
            return Err(RingsError::Refused(why));
        }
        let numbers = live.ring.open(t);
        let mut set = Zeroizing::new(b"{\"keys\":[".to_vec());
        for (place, n) in numbers.iter().enumerate() {
            set.extend_from_slice(if place > 0 { b"," } else { b"" });
            set.extend_from_slice(self.private_half(&live, *n)?.expose());
        }
        set.extend_from_slice(b"]}");
        self.vault().store().change(by, |change| change.note_read(ring_id, &numbers, reader))?;
        Ok(Secret::from(set))
    }

    /// Who reads the secrets of a ring, by name; nobody reads those of one that publishes its keys.
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn readers(&self, live: &LiveRing) -> Result<Vec<RingReader>, RingsError> {
        if live.rows.use_ != Use::Mac {
            return Ok(Vec::new());
        }
        let newest = self.newest();
        let t = self.clock.now(newest.store_policy.clock_error).unwrap_or(newest.epochs.now);
        let standby = live.ring.standby(t).map(|(n, _)| n);
        let told = |reader: Reader| {
            let lacks_standby = standby.is_some_and(|n| !reader.generations.contains(&n));
            RingReader { reader, lacks_standby }
        };
        let readers = self.vault().store().readers(&live.rows.ring_id)?;
        Ok(readers.into_iter().filter(|reader| reader.name != VERIFY_COMMAND).map(told).collect())
    }

    /// Whether this ring verifies with secrets that nobody shows.
    ///
    /// # Errors
    /// [`RingRefusal::ClockSkew`].
    pub fn is_shared(&self, ring_id: &str) -> Result<bool, RingRefusal> {
        Ok(self.snapshot()?.0.ring(ring_id).is_some_and(|live| live.rows.use_ == Use::Mac))
    }

    /// Verifies a token with the secrets of a ring that signs with such, those that retire included; gives what was signed.
    ///
    /// # Errors
    /// [`RingRefusal`] for the ring's part; inside, the token's fault.
    pub fn verify_shared(&self, ring_id: &str, token: &str) -> Result<Result<Vec<u8>, jose::Error>, RingRefusal> {
        let (snapshot, _) = self.snapshot()?;
        let live = snapshot.ring(ring_id).ok_or_else(|| RingRefusal::NoRing(ring_id.to_owned()))?;
        if self.staleness() > live.max_staleness() {
            return Err(RingRefusal::Stale);
        }
        Ok(OpenKey::verify_shared(&live.secrets, token))
    }

    /// The private half of a generation, out of its box.
    pub(super) fn private_half(&self, live: &LiveRing, n: u32) -> Result<Secret, RingsError> {
        let (ring_id, owner) = (&live.rows.ring_id, key_owner(&live.rows.ring_id, n));
        let missing = || RingsError::NoPrivateHalf(format!("key {ring_id}/{n}"));
        let row = live.rows.generations.iter().find(|row| row.n == n).ok_or_else(missing)?;
        let sealed = self.vault().store().sealed(&owner)?.ok_or_else(missing)?;
        let keeper = self.vault().signer().keeper();
        Ok(signer::export(keeper, &place(&live.rows, row, &owner), &to_signer(sealed))?)
    }
}
