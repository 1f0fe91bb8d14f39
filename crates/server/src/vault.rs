//! The store and the keeper of its secrets as one thing: what is sealed here is opened here, and nowhere else.

mod archive;
mod aside;
mod head;
mod keks;
#[cfg(test)]
mod keks_tests;

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use plan::{KeySource, SecretRef};
use signer::{Hsm, Keeper, KeyName, Label, MasterSource, RingKey, Secret, Software};
use store::{Address, By, Change, Deployed, Digest, Kek, NewDocument, Root, Store};

pub use archive::{ARCHIVE_FILE, ServedKey};
pub use head::HEAD_FILE;
pub use keks::{KekState, Resealed};

use archive::Archive;
use head::HeadFile;

use crate::audit_sink::{AuditSink, SHIPPED_FILE, SinkPlace, SinkPolicy};
use crate::rings::{NewRingSpec, found};

/// The tenant of everything that no application owns.
pub const TENANT: &str = "public";
/// What the owners of flow secrets begin with in the store.
const FLOW_SECRET: &str = "flow-secret";

/// An open store whose secrets can be read, and the signer that uses them.
pub struct Vault {
    /// Ships the audit; declared first, hence dropped while the store is still open.
    sink: Option<AuditSink>,
    store: Arc<Store>,
    signer: Arc<Software>,
    /// Where the master key is, for a new KEK; none for a vault in memory, which has none.
    master: Mutex<Option<MasterSource>>,
    /// What is kept beside a store, in the folder of this process.
    aside: Option<(HeadFile, Archive)>,
    /// When the copy was made that this is; none for a store itself.
    taken_at: Option<keyring::Time>,
    /// The data folder of this process, where the copy goes that is served from while the store is away.
    folder: Option<PathBuf>,
    /// The token that keeps the keys of some rings, if one is named.
    hsm: Option<Arc<Hsm>>,
    /// Held from a change of secrets until the signer knows of it, so that both take changes in one order.
    order: Mutex<()>,
}

/// Where a store lies.
#[derive(Clone, Copy, Debug)]
pub enum Place<'p> {
    /// A data folder.
    Folder(&'p Path),
    /// A PostgreSQL database.
    Server(&'p Address),
    /// The same, and what this process sees of it is kept in a data folder.
    ServerAndFolder(&'p Address, &'p Path),
}

impl<'p> From<&'p Path> for Place<'p> {
    fn from(folder: &'p Path) -> Self {
        Self::Folder(folder)
    }
}

impl<'p> From<&'p PathBuf> for Place<'p> {
    fn from(folder: &'p PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl<'p> From<&'p Address> for Place<'p> {
    fn from(address: &'p Address) -> Self {
        Self::Server(address)
    }
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
    /// What lies in memory has no master key.
    #[error("this store is kept in memory and has no master key; it ends with its process")]
    InMemory,
    /// The store says less than it said when this process, or one before it, saw it last.
    #[error(
        "the store was rolled back: {why}; `serve --accept-rollback` goes on with it, `keys republish` shows lost keys"
    )]
    RolledBack {
        /// What it lacks.
        why: String,
    },
    /// What is kept beside the store cannot be written or read.
    #[error("{file} beside the store: {error}")]
    Aside {
        /// The file.
        file: &'static str,
        /// The system's answer.
        error: std::io::Error,
    },
    /// A ring keeps its keys in a PKCS#11 token, and no token is named.
    #[error("its keys lie in a PKCS#11 token, and the settings name none; set hsm.module, hsm.token and hsm.pin")]
    NoHsm,
    /// The store says less than it said before: it was rolled back under a running server.
    #[error("epoch_regressed: the store was rolled back while this server ran; it goes on with what it knew")]
    EpochRegressed,
}

/// What becomes of one stored secret.
pub enum SecretStep {
    /// It takes this value.
    Set(Secret),
    /// It is gone.
    Delete,
}

/// What Node-RED's editor sends for a secret that was left alone (docs/contracts/node-red.md section 2, D8).
const LEFT_ALONE: &str = "__PWRD__";

impl SecretStep {
    /// What a person means by this text: none if the secret stays as it is, deletion if it is blank, else this value.
    pub fn of_text(text: &str) -> Option<Self> {
        match text {
            LEFT_ALONE => None,
            blank if blank.trim().is_empty() => Some(Self::Delete),
            _ => Some(Self::Set(Secret::new(text.as_bytes().to_vec()))),
        }
    }

    /// A secret that is read from this environment variable when it is used; none if flows cannot see such a variable.
    pub fn of_variable(name: &str) -> Option<Self> {
        let visible = !name.is_empty() && !name.starts_with("CHANCERY_") && !name.contains(['{', '}', '=', '\0']);
        visible.then(|| Self::Set(Secret::new(format!("${{{name}}}").into_bytes())))
    }
}

impl Vault {
    /// Makes a store with these rings, under a master key that `source` names, or draws where it names a new
    /// file. All of it is there or nothing.
    ///
    /// # Errors
    /// Those of the store and of the master key; nothing is changed where a store is already.
    pub fn init<'p>(
        place: impl Into<Place<'p>>,
        source: MasterSource,
        rings: &[NewRingSpec],
        by: &By<'_>,
    ) -> Result<Self, VaultError> {
        let draw = || {
            let (keeper, founding) = Keeper::found(&source)?;
            let keys = found::draw(rings, &keeper)?;
            Ok::<_, VaultError>((root(founding), (keeper, keys)))
        };
        let fill =
            |change: &mut Change<'_>, (keeper, keys): &(Keeper, Vec<RingKey>)| found::fill(change, rings, keys, keeper);
        let (folder, (store, (keeper, _))) = match place.into() {
            Place::Folder(folder) => (Some(folder), Store::init(folder, by, draw, fill)?),
            Place::Server(address) => (None, Store::init_postgres(address, by, draw, fill)?),
            Place::ServerAndFolder(address, folder) => (Some(folder), Store::init_postgres(address, by, draw, fill)?),
        };
        let vault = Self::new(store, keeper, Some(source));
        let vault = if let Some(folder) = folder { vault.beside(folder) } else { vault };
        vault.begin_aside()?;
        Ok(vault)
    }

    /// Opens a store.
    ///
    /// # Errors
    /// Those of the store, [`signer::Error::WrongMasterKey`] for another store's key, and [`VaultError::RolledBack`].
    pub fn open<'p>(place: impl Into<Place<'p>>, source: MasterSource) -> Result<Self, VaultError> {
        match place.into() {
            Place::Server(address) => Self::of_store(Store::open_postgres(address)?, source),
            Place::ServerAndFolder(address, folder) => {
                Self::of_store(Store::open_postgres(address)?, source)?.kept_beside(folder)
            }
            Place::Folder(folder) => {
                let vault = Self::of_store(Store::open(folder)?, source)?.beside(folder);
                vault.check_head()?;
                Ok(vault)
            }
        }
    }

    /// Takes a store that is open already.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_store(store: Store, source: MasterSource) -> Result<Self, VaultError> {
        let keks: Vec<_> = store.keks()?.into_iter().map(wrapped).collect();
        let salt = store.sealed(signer::INSTALL_SALT_OWNER)?.map(to_signer);
        let salt = salt.ok_or(signer::Error::Root { why: "it has no salt" })?;
        let keeper = Keeper::open(&source, store.store_id(), &keks, &salt)?;
        let vault = Self::new(store, keeper, Some(source));
        vault.store.list_sealed(&flow_secrets())?.into_iter().for_each(|sealed| vault.signer.set(to_signer(sealed)));
        Ok(vault)
    }

    /// A vault in memory, gone when it is dropped.
    ///
    /// # Errors
    /// When memory or randomness runs out.
    pub fn ephemeral(by: &By<'_>) -> Result<Self, VaultError> {
        let (keeper, founding) = Keeper::ephemeral()?;
        let store = Store::ephemeral(root(founding), by)?;
        Ok(Self::new(store, keeper, None))
    }

    /// The same with a database clock of the caller's, so that years pass in a test.
    ///
    /// # Errors
    /// When memory or randomness runs out.
    pub fn ephemeral_at(by: &By<'_>, clock: store::Clock) -> Result<Self, VaultError> {
        let (keeper, founding) = Keeper::ephemeral()?;
        let store = Store::ephemeral_at(root(founding), by, clock)?;
        Ok(Self::new(store, keeper, None))
    }

    /// The same vault, with the token that keeps the keys of PKCS#11 rings.
    #[must_use]
    pub fn with_hsm(self, hsm: Option<Arc<Hsm>>) -> Self {
        Self { hsm, ..self }
    }

    /// The same vault, whose audit is shipped to this place from now on; how far it was is noted in the folder.
    ///
    /// # Errors
    /// [`VaultError::Aside`].
    pub fn with_audit_sink(self, folder: &Path, sink: Option<(SinkPlace, SinkPolicy)>) -> Result<Self, VaultError> {
        let Some((place, policy)) = sink else { return Ok(self) };
        let sink = AuditSink::start(&self.store, folder, place, policy);
        let sink = sink.map_err(|error| VaultError::Aside { file: SHIPPED_FILE, error })?;
        Ok(Self { sink: Some(sink), ..self })
    }

    /// Why the audit sink does not take everything; none if it does, or there is none.
    pub fn sink_trouble(&self) -> Option<String> {
        self.sink.as_ref().and_then(AuditSink::trouble)
    }

    /// The token that keeps the keys of PKCS#11 rings.
    ///
    /// # Errors
    /// [`VaultError::NoHsm`].
    pub fn hsm(&self) -> Result<&Arc<Hsm>, VaultError> {
        self.hsm.as_ref().ok_or(VaultError::NoHsm)
    }

    /// The store itself, to read from.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The signer, which holds every stored secret as it changes.
    pub fn signer(&self) -> &Arc<Software> {
        &self.signer
    }

    /// The signer's name for a key of a plan.
    pub fn key(&self, source: &KeySource) -> KeyName {
        match source {
            KeySource::Secret(secret) => KeyName::Secret(owner(secret)),
            KeySource::Given(name) => KeyName::Given(name.to_string()),
            KeySource::Variable(name) => KeyName::Variable(name.to_string()),
        }
    }

    /// Whether a secret of a flow can be used now, for a warning at deploy.
    ///
    /// # Errors
    /// The fault that a message would meet.
    pub fn check(&self, secret: &SecretRef) -> Result<(), signer::Fault> {
        self.signer.check(&owner(secret))
    }

    /// A password of a flow as text, to be shown to whoever asks for it; none if it is not set or no text.
    pub fn password(&self, secret: &SecretRef) -> Option<String> {
        let shown = self.signer.show(&owner(secret)).ok()?;
        std::str::from_utf8(shown.expose()).ok().map(str::to_owned)
    }

    /// Uses this value for a secret of a flow as long as the vault is open; it wins over a stored one and is not stored.
    pub fn give(&self, secret: &SecretRef, value: Secret) {
        self.signer.give(owner(secret), value);
    }

    /// The value of a secret of a flow; none if it is not set.
    ///
    /// # Errors
    /// When the store cannot be read or the box does not open.
    pub fn secret(&self, secret: &SecretRef) -> Result<Option<Secret>, VaultError> {
        let owner = owner(secret);
        let Some(sealed) = self.store.sealed(&owner)? else { return Ok(None) };
        Ok(Some(self.signer.keeper().unseal(&label(&owner), &to_signer(sealed))?))
    }

    /// The names of all secrets of flows, in the order of their owners.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn secrets(&self) -> Result<Vec<SecretRef>, VaultError> {
        Ok(self.store.list_sealed(&flow_secrets())?.iter().filter_map(|sealed| secret_ref(&sealed.owner)).collect())
    }

    /// Sets or deletes one secret, for the signer too. False if there was nothing to delete.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn change_secret(&self, secret: &SecretRef, step: &SecretStep, by: &By<'_>) -> Result<bool, VaultError> {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.store.change(by, |change| self.take(change, secret, step))?;
        let changed = !matches!(taken, Taken::Absent);
        self.tell_signer(taken);
        Ok(changed)
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
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let (deployed, taken) = self.store.change(by, |change| {
            let taken = secrets.iter().map(|(secret, step)| self.take(change, secret, step));
            let taken: Vec<Taken> = taken.collect::<Result<_, _>>()?;
            Ok::<_, VaultError>((change.deploy(document)?, taken))
        })?;
        taken.into_iter().for_each(|taken| self.tell_signer(taken));
        Ok(deployed)
    }

    /// Takes the secrets of flows over as the store has them now, where another process set or deleted some. `had` are the
    /// owners of those that came of it the last time; gives those of now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reload_secrets(&self, had: BTreeSet<String>) -> Result<BTreeSet<String>, VaultError> {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let boxes = self.store.list_sealed(&flow_secrets())?;
        let has: BTreeSet<String> = boxes.iter().map(|sealed| sealed.owner.clone()).collect();
        had.difference(&has).for_each(|gone| self.signer.delete(gone));
        boxes.into_iter().for_each(|sealed| self.signer.set(to_signer(sealed)));
        Ok(has)
    }

    fn new(store: Store, keeper: Keeper, master: Option<MasterSource>) -> Self {
        let signer = Software::new(keeper, |name| std::env::var_os(name).map(|value| Secret::new(value.into_vec())));
        let signer = Arc::new(signer);
        Self {
            sink: None,
            store: Arc::new(store),
            signer,
            master: Mutex::new(master),
            aside: None,
            taken_at: None,
            folder: None,
            hsm: None,
            order: Mutex::new(()),
        }
    }

    fn take(&self, change: &mut Change<'_>, secret: &SecretRef, step: &SecretStep) -> Result<Taken, VaultError> {
        let owner = owner(secret);
        match step {
            SecretStep::Set(value) => {
                let keeper = self.signer.keeper();
                let sealed = keeper.seal(&label(&owner), value)?;
                change.put_sealed(&to_store(sealed.clone()), Digest(keeper.digest(value)))?;
                Ok(Taken::Set(sealed))
            }
            SecretStep::Delete if change.delete_sealed(&owner)? => Ok(Taken::Deleted(owner)),
            SecretStep::Delete => Ok(Taken::Absent),
        }
    }

    /// Only after the commit: what the store does not keep, the signer must not use.
    fn tell_signer(&self, taken: Taken) {
        match taken {
            Taken::Set(sealed) => self.signer.set(sealed),
            Taken::Deleted(owner) => self.signer.delete(&owner),
            Taken::Absent => {}
        }
    }
}

/// What became of a secret in a change.
enum Taken {
    Set(signer::SealedBox),
    Deleted(String),
    Absent,
}

/// How the owners of all secrets of flows begin.
fn flow_secrets() -> String {
    format!("[\"{FLOW_SECRET}\",")
}

/// The owner in the store: a JSON array, so that no two names look the same whatever stands in them.
pub(crate) fn owner(secret: &SecretRef) -> String {
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
    Root { store_id: founding.store_id, kek: kek_row(founding.kek), salt: to_store(founding.salt) }
}

fn kek_row(kek: signer::WrappedKek) -> Kek {
    let signer::WrappedKek { kek_id, is_primary, wrapped, root_id, check_box } = kek;
    Kek { kek_id, is_primary, wrapped, root_id, check_box }
}

fn wrapped(kek: Kek) -> signer::WrappedKek {
    let Kek { kek_id, is_primary, wrapped, root_id, check_box } = kek;
    signer::WrappedKek { kek_id, is_primary, wrapped, root_id, check_box }
}

pub(crate) fn to_store(sealed: signer::SealedBox) -> store::SealedBox {
    let signer::SealedBox { owner, kek_id, aead, nonce, octets } = sealed;
    store::SealedBox { owner, kek_id, aead, nonce, octets }
}

pub(crate) fn to_signer(sealed: store::SealedBox) -> signer::SealedBox {
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
        let vault = Vault::init(folder.path(), source(folder.path()), &[], &BY).unwrap();
        vault.change_secret(&name, &SecretStep::Set(Secret::new(b"s".to_vec())), &BY).unwrap();
        drop(vault);
        let vault = Vault::open(folder.path(), source(folder.path())).unwrap();
        assert_eq!(vault.secret(&name).unwrap().unwrap().expose(), b"s");
        assert_eq!(vault.secrets().unwrap(), std::slice::from_ref(&name));
        assert!(vault.change_secret(&name, &SecretStep::Delete, &BY).unwrap());
        assert!(!vault.change_secret(&name, &SecretStep::Delete, &BY).unwrap());
        assert!(vault.secret(&name).unwrap().is_none());
    }

    /// A token of the seed's kind, or the fault's kind.
    fn minted(vault: &Vault, name: &SecretRef) -> Result<String, signer::FaultKind> {
        let row = jose::jwa::SignatureAlgorithm::by_name("HS256").unwrap();
        let weak = jose::jwa::Switches::NONE.with(jose::jwa::Switch::WeakHmac);
        let key = vault.key(&KeySource::Secret(name.clone()));
        let minter = vault.signer().minter(&key, row, jose::jws::HeaderPlan::jwt(), weak);
        minter.mint(b"{}").map(|minted| minted.token).map_err(|fault| fault.kind)
    }

    #[test]
    fn the_signer_uses_what_is_stored_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let name = secret("766dcb94.6ebc04", "tokensecret");
        let set = |value: &[u8]| SecretStep::Set(Secret::new(value.to_vec()));
        let vault = Vault::init(&folder.path().join("data"), source(&folder.path().join("data")), &[], &BY).unwrap();
        assert_eq!(minted(&vault, &name), Err(signer::FaultKind::Missing));
        vault.change_secret(&name, &set(b"one"), &BY).unwrap();
        let one = minted(&vault, &name).unwrap();
        let document = NewDocument { tenant: TENANT, name: "seed", kind: "k", octets: b"[]", over: None };
        vault.deploy(&document, &[(name.clone(), set(b"two"))], &BY).unwrap();
        let two = minted(&vault, &name).unwrap();
        assert_ne!(one, two);
        let refused = NewDocument { name: "", ..document };
        assert!(vault.deploy(&refused, &[(name.clone(), set(b"three"))], &BY).is_err());
        assert_eq!(minted(&vault, &name).unwrap(), two, "what is not stored is not used");
        drop(vault);
        let vault = Vault::open(&folder.path().join("data"), source(&folder.path().join("data"))).unwrap();
        assert_eq!(minted(&vault, &name).unwrap(), two);
        vault.give(&name, Secret::new(b"one".to_vec()));
        assert_eq!(minted(&vault, &name).unwrap(), one);
    }

    #[test]
    fn an_init_over_a_store_whose_master_key_is_lost_writes_none() {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("master.key");
        drop(Vault::init(folder.path(), source(folder.path()), &[], &BY).unwrap());
        std::fs::remove_file(&key_file).unwrap();
        let again = Vault::init(folder.path(), source(folder.path()), &[], &BY);
        assert!(matches!(again, Err(VaultError::Store(store::Error::AlreadyInitialized { .. }))));
        assert!(Vault::open(folder.path(), source(folder.path())).is_err());
        assert!(!key_file.exists());
    }

    #[test]
    fn no_octet_of_a_secret_lies_in_any_file() {
        const CANARY: &[u8] = b"canary-9f2c1e7a-never-in-plain-text-on-any-disk";
        let folder = tempfile::tempdir().unwrap();
        let name = secret("766dcb94.6ebc04", "tokensecret");
        let vault = Vault::init(folder.path(), source(folder.path()), &[], &BY).unwrap();
        let document =
            NewDocument { tenant: TENANT, name: "seed", kind: "k", octets: b"[\"in the open\"]", over: None };
        let set = || SecretStep::Set(Secret::new(CANARY.to_vec()));
        vault.deploy(&document, &[(name.clone(), set())], &BY).unwrap();
        for _ in 0..50 {
            vault.change_secret(&name, &set(), &BY).unwrap();
        }
        minted(&vault, &name).unwrap();
        let hex: String = CANARY.iter().map(|octet| format!("{octet:02x}")).collect();
        let forms = [CANARY.to_vec(), hex.into_bytes(), jose::base64url::encode(CANARY).into_bytes()];
        let assert_clean = || {
            let files: Vec<Vec<u8>> = std::fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
                .collect();
            let found = |wanted: &[u8]| files.iter().any(|file| file.windows(wanted.len()).any(|part| part == wanted));
            assert!(found(b"in the open"), "the search finds what is there");
            for form in &forms {
                assert!(!found(form), "{:?}", String::from_utf8_lossy(form));
                assert!(!found(&form[..16]), "a part of {:?}", String::from_utf8_lossy(form));
            }
        };
        assert_clean();
        vault.change_secret(&name, &SecretStep::Delete, &BY).unwrap();
        assert_clean();
        drop(vault);
        assert_clean();
    }

    #[test]
    fn a_name_with_quotes_and_commas_is_nobody_elses() {
        let vault = Vault::ephemeral(&BY).unwrap();
        let (one, other) = (secret("a\",\"b", "c"), secret("a", "b\",\"c"));
        vault.change_secret(&one, &SecretStep::Set(Secret::new(b"1".to_vec())), &BY).unwrap();
        assert!(vault.secret(&other).unwrap().is_none());
        assert_eq!(vault.secrets().unwrap(), [one]);
    }

    /// NR-33: the editor's placeholder keeps a secret, blanks delete it, and neither is ever a value.
    #[test]
    fn placeholders_and_blanks_are_no_secrets() {
        assert!(SecretStep::of_text("__PWRD__").is_none());
        for blank in ["", " ", "\t\n"] {
            assert!(matches!(SecretStep::of_text(blank), Some(SecretStep::Delete)), "{blank:?}");
        }
        let Some(SecretStep::Set(value)) = SecretStep::of_text(" s ") else { panic!("a value") };
        assert_eq!(value.expose(), b" s ");
        let Some(SecretStep::Set(value)) = SecretStep::of_variable("JWT_SECRET") else { panic!("a value") };
        assert_eq!(value.expose(), b"${JWT_SECRET}");
        assert!(SecretStep::of_variable("CHANCERY_KEY").is_none());
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
