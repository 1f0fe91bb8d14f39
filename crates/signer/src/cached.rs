//! What was made of a secret, kept until any secret changes.

use std::sync::{Arc, PoisonError, RwLock};

use crate::fault::Fault;

/// The last thing made, if any.
pub(crate) struct Cached<T>(RwLock<Option<Arc<Made<T>>>>);

/// What was made of a key, or why nothing could be.
pub(crate) struct Made<T> {
    version: u64,
    pub(crate) outcome: Result<T, Fault>,
}

impl<T> Cached<T> {
    /// What was made under this version of the secrets, now or before. A fault is kept too: a broken key is not parsed
    /// again for each message.
    pub(crate) fn get(&self, version: u64, make: impl FnOnce() -> Result<T, Fault>) -> Arc<Made<T>> {
        let last = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(made) = last.filter(|made| made.version == version) {
            return made;
        }
        // Two threads may both make it. If they did so under two versions, the next caller makes it once more.
        let made = Arc::new(Made { version, outcome: make() });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        made
    }
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(RwLock::new(None))
    }
}
