//! The document secrets of this process, and how the octets of one are found when it is used.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::fault::{Fault, FaultKind};
use crate::variable::{is_visible, variable};
use crate::{Keeper, Label, SealedBox, Secret};

/// Looks a variable of the environment up. It is handed in, so that a test can have its own, and a server can wipe its
/// environment once it has read it.
pub type Environment = dyn Fn(&str) -> Option<Secret> + Send + Sync;

pub(crate) struct Secrets {
    keeper: Keeper,
    environment: Box<Environment>,
    /// By owner.
    held: RwLock<HashMap<String, Held>>,
    version: AtomicU64,
}

#[derive(Default)]
struct Held {
    /// Named for this run; wins over what is stored.
    given: Option<Arc<Secret>>,
    /// As stored; opened when it is used.
    sealed: Option<SealedBox>,
}

impl Secrets {
    pub(crate) fn new(keeper: Keeper, environment: Box<Environment>) -> Self {
        Self { keeper, environment, held: RwLock::default(), version: AtomicU64::new(0) }
    }

    pub(crate) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// Changes with every change of a secret: what was derived under another version may be stale.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(crate) fn give(&self, owner: String, secret: Secret) {
        self.change(|held| held.entry(owner).or_default().given = Some(Arc::new(secret)));
    }

    pub(crate) fn set(&self, sealed: SealedBox) {
        let owner = sealed.owner.clone();
        self.change(|held| held.entry(owner).or_default().sealed = Some(sealed));
    }

    pub(crate) fn delete(&self, owner: &str) {
        self.change(|held| {
            if held.get_mut(owner).is_some_and(|held| held.sealed.take().is_some() && held.given.is_none()) {
                held.remove(owner);
            }
        });
    }

    /// Finds the octets of a secret; a sealed one is opened anew, which takes a few microseconds.
    pub(crate) fn resolve(&self, owner: &str) -> Result<Arc<Secret>, Fault> {
        let secret = self.stored(owner)?;
        match variable(secret.expose()) {
            Some(variable) => self.variable(variable).map(Arc::new),
            None if secret.is_blank() => Err(missing("the secret is blank")),
            None => Ok(secret),
        }
    }

    /// The octets of a variable that documents may see.
    pub(crate) fn variable(&self, name: &str) -> Result<Secret, Fault> {
        let value = is_visible(name).then(|| (self.environment)(name)).flatten();
        value
            .filter(|value| !value.is_blank())
            .ok_or_else(|| missing(&format!("the secret names the variable `{name}`, which is not set")))
    }

    fn stored(&self, owner: &str) -> Result<Arc<Secret>, Fault> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let held = held.get(owner).ok_or_else(|| missing("the secret is not set"))?;
        if let Some(given) = &held.given {
            return Ok(Arc::clone(given));
        }
        let sealed = held.sealed.as_ref().ok_or_else(|| missing("the secret is not set"))?;
        match self.keeper.unseal(&Label { owner, ..Label::default() }, sealed) {
            Ok(secret) => Ok(Arc::new(secret)),
            Err(error) => Err(Fault { kind: FaultKind::Unusable, text: error.to_string() }),
        }
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Held>)) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut held);
        // Within the lock: whoever sees the new version finds the new content.
        self.version.fetch_add(1, Ordering::Release);
    }
}

fn missing(why: &str) -> Fault {
    Fault { kind: FaultKind::Missing, text: why.to_owned() }
}
