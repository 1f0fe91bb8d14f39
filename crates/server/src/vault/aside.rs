//! What lies beside a store on a disk: how far it was when it was last seen, which keys it showed, and a copy of it.

use std::path::Path;

use signer::MasterSource;
use store::{By, RingWorld, Store};

use super::archive::Archive;
use super::head::HeadFile;
use super::{ARCHIVE_FILE, ServedKey, Vault, VaultError};

impl Vault {
    /// Opens a store on a disk that may have been rolled back; that it was is audited.
    ///
    /// # Errors
    /// As [`Self::open`], but for the last.
    pub fn open_rolled_back(folder: &Path, source: MasterSource, by: &By<'_>) -> Result<Self, VaultError> {
        Self::of_store(Store::open(folder)?, source)?.rolled_back_beside(folder, by)
    }

    /// The same vault of a store on a server, held to what this folder saw of it; from now on that is kept there.
    ///
    /// # Errors
    /// [`VaultError::RolledBack`], [`VaultError::Aside`], and those of the store.
    pub fn kept_beside(self, folder: &Path) -> Result<Self, VaultError> {
        let vault = self.beside(folder);
        vault.check_head()?;
        Ok(vault)
    }

    /// The same where the store may have been rolled back; that it was is audited.
    ///
    /// # Errors
    /// As [`Self::kept_beside`], but for the first.
    pub fn rolled_back_beside(self, folder: &Path, by: &By<'_>) -> Result<Self, VaultError> {
        let vault = self.beside(folder);
        if let Err(VaultError::RolledBack { .. }) = vault.check_head() {
            let (action, outcome) = (store::Action::RollbackAccept, store::Outcome::Done);
            let entry = store::Entry { action, object: "store", before: None, after: None, outcome };
            vault.store.change(by, |change| change.record(&entry))?;
        }
        if let Some((head, _)) = &vault.aside {
            head.note(&vault.store)?;
        }
        Ok(vault)
    }

    /// Opens a store on a disk with a database clock of the caller's, so that hours pass in a test.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(folder: &Path, source: MasterSource, clock: store::Clock) -> Result<Self, VaultError> {
        let vault = Self::of_store(Store::open_at(folder, clock)?, source)?.beside(folder);
        vault.check_head()?;
        Ok(vault)
    }

    /// Opens the snapshot of a store that is away: to be read from, and not changed.
    ///
    /// # Errors
    /// Those of the store, and [`signer::Error::WrongMasterKey`].
    pub fn open_snapshot(folder: &Path, source: MasterSource) -> Result<Self, VaultError> {
        let (store, taken_at) = Store::open_snapshot(folder)?;
        Ok(Self { taken_at: Some(taken_at), ..Self::of_store(store, source)? })
    }

    /// The same with a database clock of the caller's, so that hours pass in a test.
    ///
    /// # Errors
    /// As [`Self::open_snapshot`].
    pub fn open_snapshot_at(folder: &Path, source: MasterSource, clock: store::Clock) -> Result<Self, VaultError> {
        let (store, taken_at) = Store::open_snapshot_at(folder, clock)?;
        Ok(Self { taken_at: Some(taken_at), ..Self::of_store(store, source)? })
    }

    /// When the snapshot was taken that is served; none for a store itself.
    pub fn taken_at(&self) -> Option<keyring::Time> {
        self.taken_at
    }

    /// Puts a copy of the store beside it, to be served from while the store is away.
    ///
    /// # Errors
    /// Those of the store; the last copy stays then.
    pub fn write_snapshot(&self) -> Result<(), VaultError> {
        match &self.folder {
            Some(folder) => Ok(self.store.write_snapshot(folder)?),
            None => Ok(()),
        }
    }

    /// Notes beside the store how far it is and which keys it shows, so that a rollback is seen and mended later.
    ///
    /// # Errors
    /// [`VaultError::Aside`], and those of the store.
    pub fn keep_aside(&self, world: &RingWorld) -> Result<(), VaultError> {
        let Some((head, archive)) = &self.aside else { return Ok(()) };
        let kept = archive.keep(world);
        kept.map_err(|error| VaultError::Aside { file: ARCHIVE_FILE, error })?;
        head.note(&self.store)
    }

    /// Every public key that was served from this folder and not revoked.
    ///
    /// # Errors
    /// [`VaultError::Aside`].
    pub fn served_keys(&self) -> Result<Vec<ServedKey>, VaultError> {
        let Some((_, archive)) = &self.aside else { return Ok(Vec::new()) };
        archive.served().map_err(|error| VaultError::Aside { file: ARCHIVE_FILE, error })
    }

    /// A new store in this folder, or on a server: what another one left beside it is not this one's.
    pub(super) fn begin_aside(&self) -> Result<(), VaultError> {
        let Some((head, archive)) = &self.aside else { return Ok(()) };
        archive.set_aside().map_err(|error| VaultError::Aside { file: ARCHIVE_FILE, error })?;
        head.note(&self.store)
    }

    pub(super) fn check_head(&self) -> Result<(), VaultError> {
        self.aside.as_ref().map_or(Ok(()), |(head, _)| head.check(&self.store))
    }

    pub(super) fn beside(mut self, folder: &Path) -> Self {
        self.aside = Some((HeadFile::new(folder), Archive::new(folder)));
        self.folder = Some(folder.to_owned());
        self
    }
}
