//! What was made of keys that messages brought along: kept by the digest of all that decided it.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use jose::jwa::Switches;

use super::Ready;
use crate::fault::Fault;

/// Most keys that are kept in their parsed form. When there are more, all are let go and parsed again as they come.
pub(super) const KEPT_MAX: usize = 1_024;

/// What was made of keys, by digest.
#[derive(Default)]
pub(crate) struct Kept {
    places: Mutex<HashMap<[u8; 32], Made>>,
    prepared: Arc<AtomicU64>,
}

/// A key made ready, or why it cannot be.
#[derive(Clone, Default)]
pub(super) struct Made(Arc<OnceLock<Result<Ready, Fault>>>);

impl Kept {
    /// What was made for these words under these switches, now or before. A fault is kept, too: a broken key is not
    /// parsed for each message. Whoever comes while it is made waits for it.
    pub(super) fn get(&self, words: &[&str], switches: Switches, make: impl FnOnce() -> Result<Ready, Fault>) -> Made {
        let place = self.place(digest_of(words, switches));
        place.0.get_or_init(|| {
            self.prepared.fetch_add(1, Ordering::Relaxed);
            make()
        });
        place
    }

    /// How many times a key was made ready, or found not to be one.
    pub(crate) fn prepared(&self) -> &Arc<AtomicU64> {
        &self.prepared
    }

    /// Lets go of everything, because a given key has changed.
    pub(crate) fn clear(&self) {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn place(&self, digest: [u8; 32]) -> Made {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(&digest) {
            return place.clone();
        }
        if places.len() >= KEPT_MAX {
            places.clear();
        }
        places.entry(digest).or_default().clone()
    }
}

impl Deref for Made {
    type Target = Result<Ready, Fault>;

    fn deref(&self) -> &Self::Target {
        self.0.get().expect("`Kept::get` hands a place out once something stands in it")
    }
}

/// Each word with its length before it, so that no two lists of words read alike.
fn digest_of(words: &[&str], switches: Switches) -> [u8; 32] {
    let mut text = Vec::new();
    for word in words.iter().copied().chain(switches.iter().map(|switch| switch.name())) {
        text.extend_from_slice(&word.len().to_le_bytes());
        text.extend_from_slice(word.as_bytes());
    }
    digest(&SHA256, &text).as_ref().try_into().expect("SHA-256 has 32 octets")
}
