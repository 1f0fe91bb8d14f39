//! New keys for old boxes: another KEK, boxes sealed again under it, and all KEKs under another master key.

use crate::master::MasterSource;
use crate::seal::{Kek, draw_kek, open_all, unwrap, wrap};
use crate::{Error, Keeper, Label, RandomPool, SealedBox, WrappedKek};

/// A KEK that was drawn and is not used yet: store [`Self::row`] first.
pub struct NewKek {
    kek: Kek,
    /// The KEK as it lies at rest.
    pub row: WrappedKek,
}

impl Keeper {
    /// Draws another KEK under the master key that the store names `root_id`.
    ///
    /// # Errors
    /// Those of the master key's source, [`Error::Random`].
    pub fn draw_kek(&self, source: &MasterSource, root_id: &str) -> Result<NewKek, Error> {
        let (kek, row) = draw_kek(&source.again(root_id)?, self.store_id(), &mut RandomPool::new())?;
        Ok(NewKek { kek, row })
    }

    /// Seals under this KEK from now on; boxes under the others still open.
    pub fn use_kek(&self, new: NewKek) {
        self.change_keks(|keks| {
            keks.primary = new.row.kek_id;
            keks.all.push(new.kek);
        });
    }

    /// Takes the KEKs as the store has them now, where another process added one or deleted one.
    ///
    /// # Errors
    /// As [`Keeper::open`].
    pub fn learn_keks(&self, source: &MasterSource, keks: &[WrappedKek]) -> Result<(), Error> {
        let root_id = &keks.first().ok_or(Error::Root { why: "it has no key" })?.root_id;
        let opened = open_all(&source.again(root_id)?, self.store_id(), keks)?;
        self.change_keks(|keks| *keks = opened);
        Ok(())
    }

    /// Forgets a KEK that no box lies under. The one that new boxes lie under stays.
    pub fn forget_kek(&self, kek_id: &str) {
        self.change_keks(|keks| keks.all.retain(|kek| kek.id != kek_id || kek.id == keks.primary));
    }

    /// The id of the KEK that new boxes lie under.
    pub fn primary_kek(&self) -> String {
        self.keks().primary.clone()
    }

    /// How many KEKs are open.
    pub fn kek_count(&self) -> usize {
        self.keks().all.len()
    }

    /// The same secret for the same label under the KEK that new boxes lie under.
    ///
    /// # Errors
    /// As [`Self::unseal`] and [`Self::seal`].
    pub fn reseal(&self, label: &Label<'_>, sealed: &SealedBox) -> Result<SealedBox, Error> {
        self.seal(label, &self.unseal(label, sealed)?)
    }

    /// The same KEKs under another master key: one of `new`, which is drawn if it names a file that is not there.
    ///
    /// # Errors
    /// [`Error::WrongMasterKey`] if `old` is not the one that wrapped them, those of both sources, [`Error::Random`].
    pub fn rewrap(
        &self,
        keks: &[WrappedKek],
        old: &MasterSource,
        new: &MasterSource,
    ) -> Result<Vec<WrappedKek>, Error> {
        let mut random = RandomPool::new();
        let root_id = &keks.first().ok_or(Error::Root { why: "it has no key" })?.root_id;
        let old = old.again(root_id)?;
        let opened = keks.iter().map(|kek| unwrap(&old, self.store_id(), kek)).collect::<Result<Vec<_>, _>>()?;
        let new = new.first(&mut random)?;
        let rewrapped = keks.iter().zip(opened).map(|(row, (_, octets))| {
            let wrapped = wrap(&new, self.store_id(), &row.kek_id, octets.expose(), &mut random)?;
            Ok(WrappedKek { wrapped, root_id: new.root_id.clone(), ..row.clone() })
        });
        rewrapped.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Founding, Secret};

    const LABEL: Label<'_> = Label { owner: "a", ring: "", alg: "", n: 0, kid: "", signer: "" };

    fn source(digit: &str) -> MasterSource {
        MasterSource::Environment { name: "KEY".to_owned(), value: Secret::new(digit.repeat(64).into_bytes()) }
    }

    fn opened(master: &str, founding: &Founding, keks: &[WrappedKek]) -> Result<Keeper, Error> {
        Keeper::open(&source(master), &founding.store_id, keks, &founding.salt)
    }

    #[test]
    fn a_new_kek_seals_at_once_and_the_old_one_opens_until_it_is_forgotten() {
        let (keeper, founding) = Keeper::found(&source("1")).unwrap();
        let secret = Secret::new(b"s".to_vec());
        let old = keeper.seal(&LABEL, &secret).unwrap();
        let new = keeper.draw_kek(&source("1"), &founding.kek.root_id).unwrap();
        let kek_id = new.row.kek_id.clone();
        keeper.use_kek(new);
        assert_eq!(keeper.seal(&LABEL, &secret).unwrap().kek_id, kek_id);
        let moved = keeper.reseal(&LABEL, &old).unwrap();
        assert_eq!(moved.kek_id, kek_id);
        keeper.forget_kek(&old.kek_id);
        keeper.forget_kek(&kek_id);
        assert!(keeper.unseal(&LABEL, &moved).unwrap().equals(&secret), "the primary one stays");
        assert_eq!(keeper.unseal(&LABEL, &old).err().unwrap().code(), "kek_unknown");
        let elsewhere = keeper.draw_kek(&source("2"), &founding.kek.root_id);
        assert_eq!(elsewhere.err().unwrap().code(), "wrong_master_key");
    }

    #[test]
    fn another_master_key_opens_the_same_keks_and_the_old_one_does_not() {
        let (keeper, founding) = Keeper::found(&source("1")).unwrap();
        let secret = Secret::new(b"s".to_vec());
        let sealed = keeper.seal(&LABEL, &secret).unwrap();
        let keks = [founding.kek.clone()];
        let rewrapped = keeper.rewrap(&keks, &source("1"), &source("2")).unwrap();
        assert_eq!(rewrapped[0].check_box, keks[0].check_box, "the key is the same");
        assert!(opened("2", &founding, &rewrapped).unwrap().unseal(&LABEL, &sealed).unwrap().equals(&secret));
        assert_eq!(opened("1", &founding, &rewrapped).err().unwrap().code(), "wrong_master_key");
        let from_another = keeper.rewrap(&keks, &source("3"), &source("2"));
        assert_eq!(from_another.err().unwrap().code(), "wrong_master_key");
    }
}
