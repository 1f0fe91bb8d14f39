//! The store and the keeper of its secrets as one thing: what is sealed here is opened here, and nowhere else.

use std::path::Path;

use plan::SecretRef;
use signer::{Keeper, Label, MasterSource, Secret};
use store::{By, Change, Deployed, Digest, Kek, NewDocument, Root, Store};

/// The tenant of everything that no application owns.
pub const TENANT: &str = "public";
/// What the owners of flow secrets begin with in the store.
const FLOW_SECRET: &str = "flow-secret";

/// An open store whose secrets can be read.
pub struct Vault {
    store: Store,
    keeper: Keeper,
}

/// Why the vault did not do it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A secret could not be sealed or opened, or the master key is not there.
    #[error(transparent)]
    Signer(#[from] signer::Error),
}

/// What becomes of one stored secret.
pub enum SecretStep {
    /// It takes this value.
    Set(Secret),
    /// It is gone.
    Delete,
}

impl Vault {
    /// Makes a store in `folder` under a master key that `source` names, or draws where it names a new file.
    ///
    /// # Errors
    /// Those of the store and of the master key; nothing is changed where a store is already.
    pub fn init(folder: &Path, source: &MasterSource, by: &By<'_>) -> Result<Self, VaultError> {
        let (keeper, founding) = Keeper::found(source)?;
        let store = Store::init(folder, &root(founding), by)?;
        Ok(Self { store, keeper })
    }

    /// Opens the store in `folder`.
    ///
    /// # Errors
    /// Those of the store, and [`signer::Error::WrongMasterKey`] for another store's key.
    pub fn open(folder: &Path, source: &MasterSource) -> Result<Self, VaultError> {
        let store = Store::open(folder)?;
        let keks: Vec<_> = store.keks()?.into_iter().map(wrapped).collect();
        let salt = store.sealed(signer::INSTALL_SALT_OWNER)?.map(to_signer);
        let salt = salt.ok_or(signer::Error::Root { why: "it has no salt" })?;
        let keeper = Keeper::open(source, store.store_id(), &keks, &salt)?;
        Ok(Self { store, keeper })
    }

    /// A vault in memory, gone when it is dropped.
    ///
    /// # Errors
    /// When memory or randomness runs out.
    pub fn ephemeral(by: &By<'_>) -> Result<Self, VaultError> {
        let (keeper, founding) = Keeper::ephemeral()?;
        let store = Store::ephemeral(&root(founding), by)?;
        Ok(Self { store, keeper })
    }

    /// The store itself, to read from.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The value of a secret of a flow; none if it is not set.
    ///
    /// # Errors
    /// When the store cannot be read or the box does not open.
    pub fn secret(&self, secret: &SecretRef) -> Result<Option<Secret>, VaultError> {
        let owner = owner(secret);
        let Some(sealed) = self.store.sealed(&owner)? else { return Ok(None) };
        Ok(Some(self.keeper.unseal(&label(&owner), &to_signer(sealed))?))
    }

    /// The names of all secrets of flows, in the order of their owners.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn secrets(&self) -> Result<Vec<SecretRef>, VaultError> {
        let prefix = format!("[\"{FLOW_SECRET}\",");
        Ok(self.store.list_sealed(&prefix)?.iter().filter_map(|sealed| secret_ref(&sealed.owner)).collect())
    }

    /// Sets or deletes one secret. False if there was nothing to delete.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn change_secret(&self, secret: &SecretRef, step: &SecretStep, by: &By<'_>) -> Result<bool, VaultError> {
        self.store.change(by, |change| self.take(change, secret, step))
    }

    /// Makes a document live together with what it says of its secrets: all of it or nothing.
    ///
    /// # Errors
    /// When the store refuses the document or cannot be written.
    pub fn deploy(
        &self,
        document: &NewDocument<'_>,
        secrets: &[(SecretRef, SecretStep)],
        by: &By<'_>,
    ) -> Result<Deployed, VaultError> {
        self.store.change(by, |change| {
            for (secret, step) in secrets {
                self.take(change, secret, step)?;
            }
            Ok(change.deploy(document)?)
        })
    }

    fn take(&self, change: &mut Change<'_>, secret: &SecretRef, step: &SecretStep) -> Result<bool, VaultError> {
        let owner = owner(secret);
        match step {
            SecretStep::Set(value) => {
                let sealed = self.keeper.seal(&label(&owner), value)?;
                change.put_sealed(&to_store(sealed), Digest(self.keeper.digest(value)))?;
                Ok(true)
            }
            SecretStep::Delete => Ok(change.delete_sealed(&owner)?),
        }
    }
}

/// The owner in the store: a JSON array, so that no two names look the same whatever stands in them.
fn owner(secret: &SecretRef) -> String {
    serde_json::json!([FLOW_SECRET, TENANT, &*secret.owner, &*secret.field]).to_string()
}

fn secret_ref(owner: &str) -> Option<SecretRef> {
    let [_, tenant, owner, field]: [String; 4] = serde_json::from_str(owner).ok()?;
    (tenant == TENANT).then(|| SecretRef { owner: owner.into(), field: field.into() })
}

fn label(owner: &str) -> Label<'_> {
    Label { owner, ..Label::default() }
}

fn root(founding: signer::Founding) -> Root {
    let signer::WrappedKek { kek_id, is_primary, wrapped, root_id, check_box } = founding.kek;
    let kek = Kek { kek_id, is_primary, wrapped, root_id, check_box };
    Root { store_id: founding.store_id, kek, salt: to_store(founding.salt) }
}

fn wrapped(kek: Kek) -> signer::WrappedKek {
    let Kek { kek_id, is_primary, wrapped, root_id, check_box } = kek;
    signer::WrappedKek { kek_id, is_primary, wrapped, root_id, check_box }
}

fn to_store(sealed: signer::SealedBox) -> store::SealedBox {
    let signer::SealedBox { owner, kek_id, aead, nonce, octets } = sealed;
    store::SealedBox { owner, kek_id, aead, nonce, octets }
}

fn to_signer(sealed: store::SealedBox) -> signer::SealedBox {
    let store::SealedBox { owner, kek_id, aead, nonce, octets } = sealed;
    signer::SealedBox { owner, kek_id, aead, nonce, octets }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY: By<'_> = By { actor: "test", address: None, request_id: None };

    fn secret(owner: &str, field: &str) -> SecretRef {
        SecretRef { owner: owner.into(), field: field.into() }
    }

    fn source(folder: &Path) -> MasterSource {
        MasterSource::File(folder.join("master.key"))
    }

    #[test]
    fn a_secret_opens_again_in_a_vault_that_was_closed() {
        let folder = tempfile::tempdir().unwrap();
        let name = secret("766dcb94.6ebc04", "tokensecret");
        let vault = Vault::init(folder.path(), &source(folder.path()), &BY).unwrap();
        vault.change_secret(&name, &SecretStep::Set(Secret::new(b"s".to_vec())), &BY).unwrap();
        drop(vault);
        let vault = Vault::open(folder.path(), &source(folder.path())).unwrap();
        assert_eq!(vault.secret(&name).unwrap().unwrap().expose(), b"s");
        assert_eq!(vault.secrets().unwrap(), [name.clone()]);
        assert!(vault.change_secret(&name, &SecretStep::Delete, &BY).unwrap());
        assert!(!vault.change_secret(&name, &SecretStep::Delete, &BY).unwrap());
        assert!(vault.secret(&name).unwrap().is_none());
    }

    #[test]
    fn a_name_with_quotes_and_commas_is_nobody_elses() {
        let vault = Vault::ephemeral(&BY).unwrap();
        let (one, other) = (secret("a\",\"b", "c"), secret("a", "b\",\"c"));
        vault.change_secret(&one, &SecretStep::Set(Secret::new(b"1".to_vec())), &BY).unwrap();
        assert!(vault.secret(&other).unwrap().is_none());
        assert_eq!(vault.secrets().unwrap(), [one]);
    }

    #[test]
    fn a_refused_document_leaves_its_secrets_unset() {
        let vault = Vault::ephemeral(&BY).unwrap();
        let name = secret("n", "f");
        let steps = [(name.clone(), SecretStep::Set(Secret::new(b"1".to_vec())))];
        let nameless = NewDocument { tenant: TENANT, name: "", kind: "k", octets: b"[]", over: None };
        assert!(vault.deploy(&nameless, &steps, &BY).is_err());
        assert!(vault.secret(&name).unwrap().is_none());
    }
}
