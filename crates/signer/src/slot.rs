//! One document secret in memory: what is known of it, and how its octets are found when they are needed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::reference::{is_visible, variable};
use crate::{Error, Keeper, SealedBox, Secret, SecretRef};

/// Looks a variable of the environment up. It is handed in, so that a test can have its own and a server can wipe its
/// environment once it has read it.
pub type Environment = dyn Fn(&str) -> Option<Secret> + Send + Sync;

/// The place of one secret. Whoever uses it keeps the place, so that a secret set later is found from then on.
pub(crate) struct Slot {
    name: SecretRef,
    content: RwLock<Content>,
    version: AtomicU64,
}

#[derive(Default)]
struct Content {
    /// Named for this run; wins over what is stored.
    given: Option<Arc<Secret>>,
    /// As stored.
    sealed: Option<SealedBox>,
}

/// Why a secret has no octets to use.
pub(crate) enum Absent {
    /// It is not set, or blank, or names a variable that is.
    Missing(String),
    /// It is set and does not open.
    Unopenable(Error),
}

impl Slot {
    pub(crate) fn new(name: SecretRef) -> Self {
        Self { name, content: RwLock::default(), version: AtomicU64::new(0) }
    }

    /// Changes with every change of the content: what was derived under another version is stale.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(crate) fn set_sealed(&self, sealed: Option<SealedBox>) {
        self.change(|content| content.sealed = sealed);
    }

    pub(crate) fn set_given(&self, secret: Secret) {
        self.change(|content| content.given = Some(Arc::new(secret)));
    }

    /// Finds the octets. A sealed secret is opened anew each time, about a microsecond.
    pub(crate) fn resolve(&self, keeper: &Keeper, environment: &Environment) -> Result<Arc<Secret>, Absent> {
        let secret = self.stored(keeper)?;
        let Some(variable) = variable(secret.expose()) else {
            return if secret.is_blank() { Err(self.missing("it is blank")) } else { Ok(secret) };
        };
        let value = is_visible(variable).then(|| environment(variable)).flatten();
        match value {
            Some(value) if !value.is_blank() => Ok(Arc::new(value)),
            Some(_) | None => Err(self.missing(&format!("it names the variable {variable}, which is not set"))),
        }
    }

    fn stored(&self, keeper: &Keeper) -> Result<Arc<Secret>, Absent> {
        let content = self.content.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(given) = &content.given {
            return Ok(Arc::clone(given));
        }
        let sealed = content.sealed.as_ref().ok_or_else(|| self.missing("it is not set"))?;
        keeper.unseal(&SecretRef::label(&self.name.owner()), sealed).map(Arc::new).map_err(Absent::Unopenable)
    }

    fn change(&self, change: impl FnOnce(&mut Content)) {
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut content);
        // Within the lock: whoever sees the new version finds the new content.
        self.version.fetch_add(1, Ordering::Release);
    }

    fn missing(&self, why: &str) -> Absent {
        let SecretRef { node, field, .. } = &self.name;
        Absent::Missing(format!("there is no secret `{field}` of node `{node}`: {why}"))
    }
}
