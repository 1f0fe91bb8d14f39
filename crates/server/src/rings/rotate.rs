//! A rotation on demand, and whom it leaves behind.

use store::{By, Rotated};

use super::Rings;
use super::change::{Made, RingsError};

/// What a rotation on demand came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The generation that was made for it, if none was waiting.
    pub made: Option<Made>,
    /// When which key signs; none if there was nothing to hasten.
    pub hastened: Option<Rotated>,
    /// Replicas that do not show that key yet, and that verifiers may ask.
    pub laggards: Vec<String>,
    /// Consumers of a shared secret that were not given that key yet.
    pub readers_behind: Vec<String>,
}

impl Rings {
    /// Lets a ring rotate: its standby signs as early as caches allow. A ring without a standby gets one; a static ring
    /// gets its next generation and gives it the usual lead.
    ///
    /// # Errors
    /// [`RingsError`].
    pub fn rotate(&self, ring_id: &str, reason: &str, by: &By<'_>) -> Result<Rotation, RingsError> {
        let (live, t) = self.live(ring_id)?;
        let made = match live.ring.standby(t) {
            Some(_) => None,
            None => self.make_generation(&live.rows, reason, by)?,
        };
        let is_static = live.ring.policy(t).rotation_period.is_none();
        // Whoever is behind this does not show the key that is to sign: the price of haste is told to who asks for it.
        let epoch = live.rows.epoch + u64::from(made.is_some());
        let laggards = self.laggards(ring_id, epoch)?;
        let hastened = if is_static && made.is_some() {
            None
        } else {
            self.vault().store().change(by, |change| change.rotate_now(ring_id, reason))?
        };
        let (live, _) = self.live(ring_id)?;
        let behind = self.readers(&live)?.into_iter().filter(|reader| reader.lacks_standby);
        let readers_behind = behind.map(|reader| reader.reader.name).collect();
        Ok(Rotation { made, hastened, laggards, readers_behind })
    }
}
