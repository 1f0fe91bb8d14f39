//! Sealing at rest: one envelope for private keys and document secrets (keys contract, section 10).
//!
//! A secret lies in a [`SealedBox`] under a key-encryption key (KEK); the KEK lies in a [`WrappedKek`] under the master
//! key. Both are AES-256-GCM-SIV (RFC 8452) with a random nonce. What a box belongs to is bound into it, so that it
//! opens in no other place: the store, the owner, the key it is under and, for the key of a ring, its whole row.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use jose::Random;
use zeroize::Zeroizing;

use crate::master::{MasterKey, MasterSource};
use crate::{Error, RandomPool, Secret, hex};

/// The name of the cipher, as stored with each box.
const AEAD: &str = "A256GCMSIV";
/// The owner of the box that holds the install salt.
pub const INSTALL_SALT_OWNER: &str = "install-salt";

const KEY_BYTES: usize = 32;
const CHECK: &[u8] = b"chancery-check-1";

/// A secret as it lies at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBox {
    /// Whose secret it is.
    pub owner: String,
    /// The KEK it lies under.
    pub kek_id: String,
    /// The cipher, by name.
    pub aead: String,
    /// The nonce, 12 octets.
    pub nonce: Vec<u8>,
    /// Ciphertext and tag.
    pub octets: Vec<u8>,
}

/// A KEK as it lies at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKek {
    /// The name that boxes give it.
    pub kek_id: String,
    /// Whether new boxes are sealed under it. One is.
    pub is_primary: bool,
    /// Nonce, ciphertext and tag of the key under the master key.
    pub wrapped: Vec<u8>,
    /// Which master key wrapped it, and how to derive that one again.
    pub root_id: String,
    /// Nonce, ciphertext and tag of a known text under this key.
    pub check_box: Vec<u8>,
}

/// What a new store must hold before its first secret.
pub struct Founding {
    /// The name of the store, 128 random bits.
    pub store_id: String,
    /// Its first KEK.
    pub kek: WrappedKek,
    /// Its install salt; the owner is [`INSTALL_SALT_OWNER`].
    pub salt: SealedBox,
}

/// What a box belongs to. All of it is bound into the box; a secret that is no ring's key leaves the rest empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Label<'a> {
    /// Whose secret it is, unique in the store.
    pub owner: &'a str,
    /// The ring whose key it is.
    pub ring: &'a str,
    /// That ring's algorithm.
    pub alg: &'a str,
    /// The number of the generation, 0 for none.
    pub n: u64,
    /// The key's `kid`.
    pub kid: &'a str,
    /// The kind of signer that keeps the key.
    pub signer: &'a str,
}

/// The opened KEKs of one store: seals and opens its secrets.
pub struct Keeper {
    store_id: String,
    keks: RwLock<Keks>,
    salt: hmac::Key,
}

/// The KEKs that are open, one of which new boxes lie under.
pub(crate) struct Keks {
    pub(crate) all: Vec<Kek>,
    pub(crate) primary: String,
}

pub(crate) struct Kek {
    pub(crate) id: String,
    key: LessSafeKey,
}

impl Keeper {
    /// Draws a store's name, its first KEK and its salt. With a file as its source the master key is drawn too, and
    /// written, unless the file is there. A passphrase costs about a quarter of a second.
    ///
    /// # Errors
    /// Those of the master key's source, [`Error::Random`].
    pub fn found(source: &MasterSource) -> Result<(Self, Founding), Error> {
        let mut random = RandomPool::new();
        let master = source.first(&mut random)?;
        found_under(&master, &mut random)
    }

    /// The same under a master key that is gone when this returns: nothing sealed outlives this keeper.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn ephemeral() -> Result<(Self, Founding), Error> {
        let mut random = RandomPool::new();
        let master = MasterKey::draw(&mut random)?;
        found_under(&master, &mut random)
    }

    /// Opens the KEKs of a store and has each prove that it is the right one. A passphrase costs about a quarter of a
    /// second.
    ///
    /// # Errors
    /// [`Error::WrongMasterKey`], [`Error::Root`] for rows that make no sense, [`Error::Unopenable`] for the salt, and
    /// those of the master key's source.
    pub fn open(source: &MasterSource, store_id: &str, keks: &[WrappedKek], salt: &SealedBox) -> Result<Self, Error> {
        let root_id = &keks.first().ok_or(Error::Root { why: "it has no key" })?.root_id;
        let master = source.again(root_id)?;
        if keks.iter().any(|kek| kek.root_id != *root_id) {
            return Err(Error::Root { why: "its keys lie under several master keys" });
        }
        let keks = open_all(&master, store_id, keks)?;
        let nothing = hmac::Key::new(hmac::HMAC_SHA256, &[]);
        let mut keeper = Self { store_id: store_id.to_owned(), keks: RwLock::new(keks), salt: nothing };
        let salt = keeper.unseal(&Label { owner: INSTALL_SALT_OWNER, ..Label::default() }, salt)?;
        keeper.salt = hmac::Key::new(hmac::HMAC_SHA256, salt.expose());
        Ok(keeper)
    }

    /// The store whose secrets these are.
    pub fn store_id(&self) -> &str {
        &self.store_id
    }

    /// Seals a secret under the primary KEK.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn seal(&self, label: &Label<'_>, secret: &Secret) -> Result<SealedBox, Error> {
        let keks = self.keks();
        let kek = keks.find(&keks.primary).expect("the primary key is one of all");
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Error::Random)?;
        let octets = encrypt(&kek.key, nonce, &self.bound(label, &kek.id, AEAD), secret.expose());
        Ok(SealedBox {
            owner: label.owner.to_owned(),
            kek_id: kek.id.clone(),
            aead: AEAD.to_owned(),
            nonce: nonce.to_vec(),
            octets,
        })
    }

    /// Opens a box that was sealed for exactly this label.
    ///
    /// # Errors
    /// [`Error::Unopenable`] if a bit of it is another or it belongs elsewhere, [`Error::UnknownKek`].
    pub fn unseal(&self, label: &Label<'_>, sealed: &SealedBox) -> Result<Secret, Error> {
        let keks = self.keks();
        let kek = keks
            .find(&sealed.kek_id)
            .ok_or_else(|| Error::UnknownKek { owner: label.owner.to_owned(), kek_id: sealed.kek_id.clone() })?;
        let bound = self.bound(label, &kek.id, &sealed.aead);
        decrypt(&kek.key, &sealed.nonce, &bound, &sealed.octets)
            .ok_or_else(|| Error::Unopenable { owner: label.owner.to_owned() })
    }

    /// What the audit may know of a secret: HMAC-SHA-256 under the install salt, which only the master key opens.
    pub fn digest(&self, secret: &Secret) -> [u8; 32] {
        let mac = hmac::sign(&self.salt, secret.expose());
        let mut digest = [0; 32];
        digest.copy_from_slice(mac.as_ref());
        digest
    }

    pub(crate) fn keks(&self) -> RwLockReadGuard<'_, Keks> {
        self.keks.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change_keks(&self, change: impl FnOnce(&mut Keks)) {
        change(&mut self.keks.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn bound(&self, label: &Label<'_>, kek_id: &str, aead: &str) -> Vec<u8> {
        let Label { owner, ring, alg, n, kid, signer } = *label;
        bind(&[
            b"chancery-seal-1",
            self.store_id.as_bytes(),
            owner.as_bytes(),
            ring.as_bytes(),
            alg.as_bytes(),
            &n.to_be_bytes(),
            kid.as_bytes(),
            kek_id.as_bytes(),
            aead.as_bytes(),
            signer.as_bytes(),
        ])
    }
}

impl Keks {
    pub(crate) fn find(&self, id: &str) -> Option<&Kek> {
        self.all.iter().find(|kek| kek.id == id)
    }
}

/// Opens each KEK under the master key that wrapped them all.
pub(crate) fn open_all(master: &MasterKey, store_id: &str, keks: &[WrappedKek]) -> Result<Keks, Error> {
    let primary = keks.iter().find(|kek| kek.is_primary).ok_or(Error::Root { why: "none of its keys is primary" })?;
    let all = keks.iter().map(|kek| Ok(unwrap(master, store_id, kek)?.0)).collect::<Result<_, Error>>()?;
    Ok(Keks { all, primary: primary.kek_id.clone() })
}

fn found_under(master: &MasterKey, random: &mut RandomPool) -> Result<(Keeper, Founding), Error> {
    let store_id = draw_name(random)?;
    let (kek, wrapped) = draw_kek(master, &store_id, random)?;
    let mut salt = Zeroizing::new(vec![0; KEY_BYTES]);
    random.fill(&mut salt)?;
    let keeper = Keeper {
        store_id: store_id.clone(),
        keks: RwLock::new(Keks { primary: kek.id.clone(), all: vec![kek] }),
        salt: hmac::Key::new(hmac::HMAC_SHA256, &salt),
    };
    let salt = keeper.seal(&Label { owner: INSTALL_SALT_OWNER, ..Label::default() }, &salt.into())?;
    Ok((keeper, Founding { store_id, kek: wrapped, salt }))
}

pub(crate) fn draw_kek(
    master: &MasterKey,
    store_id: &str,
    random: &mut RandomPool,
) -> Result<(Kek, WrappedKek), Error> {
    let id = draw_name(random)?;
    let mut octets = Zeroizing::new([0; KEY_BYTES]);
    random.fill(&mut *octets)?;
    let key = cipher(&octets);
    let wrapped = wrap(master, store_id, &id, &*octets, random)?;
    let check_box = pack(&key, &bound_check(store_id, &id), CHECK, random)?;
    let row = WrappedKek { kek_id: id.clone(), is_primary: true, wrapped, root_id: master.root_id.clone(), check_box };
    Ok((Kek { id, key }, row))
}

/// The octets of a KEK under a master key.
pub(crate) fn wrap(
    master: &MasterKey,
    store_id: &str,
    kek_id: &str,
    octets: &[u8],
    random: &mut RandomPool,
) -> Result<Vec<u8>, Error> {
    pack(&cipher(&master.key), &bound_kek(store_id, kek_id, &master.root_id), octets, random)
}

/// A KEK and its octets, once it has proved that it is the right one.
pub(crate) fn unwrap(master: &MasterKey, store_id: &str, row: &WrappedKek) -> Result<(Kek, Secret), Error> {
    let wrong = || Error::WrongMasterKey { why: format!("it does not open key `{}`", row.kek_id) };
    let bound = bound_kek(store_id, &row.kek_id, &row.root_id);
    let octets = unpack(&cipher(&master.key), &bound, &row.wrapped).ok_or_else(wrong)?;
    let exactly = octets.expose().try_into().map_err(|_| Error::Root { why: "a key of it has the wrong length" })?;
    let key = cipher(exactly);
    let check = unpack(&key, &bound_check(store_id, &row.kek_id), &row.check_box).ok_or_else(wrong)?;
    if check.expose() != CHECK {
        return Err(wrong());
    }
    Ok((Kek { id: row.kek_id.clone(), key }, octets))
}

fn draw_name(random: &mut RandomPool) -> Result<String, Error> {
    let mut octets = [0; 16];
    random.fill(&mut octets)?;
    Ok(hex::encode(&octets))
}

fn bound_kek(store_id: &str, kek_id: &str, root_id: &str) -> Vec<u8> {
    bind(&[b"chancery-kek-1", store_id.as_bytes(), kek_id.as_bytes(), root_id.as_bytes(), AEAD.as_bytes()])
}

fn bound_check(store_id: &str, kek_id: &str) -> Vec<u8> {
    bind(&[CHECK, store_id.as_bytes(), kek_id.as_bytes(), AEAD.as_bytes()])
}

/// Joins the parts, each with its length in front, so that no two lists of parts look the same.
fn bind(parts: &[&[u8]]) -> Vec<u8> {
    let mut bound = Vec::new();
    for part in parts {
        bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part);
    }
    bound
}

/// Nonce, ciphertext and tag in one.
fn pack(key: &LessSafeKey, bound: &[u8], plain: &[u8], random: &mut RandomPool) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce)?;
    let mut packed = nonce.to_vec();
    packed.extend(encrypt(key, nonce, bound, plain));
    Ok(packed)
}

fn unpack(key: &LessSafeKey, bound: &[u8], packed: &[u8]) -> Option<Secret> {
    let (nonce, octets) = packed.split_at_checked(NONCE_LEN)?;
    decrypt(key, nonce, bound, octets)
}

fn cipher(octets: &[u8; KEY_BYTES]) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM_SIV, octets).expect("an AES-256 key has 32 octets");
    LessSafeKey::new(key)
}

fn encrypt(key: &LessSafeKey, nonce: [u8; NONCE_LEN], bound: &[u8], plain: &[u8]) -> Vec<u8> {
    // The tag is appended in place: with room for it no plain octets are left behind in a buffer that moved.
    let mut octets = Vec::with_capacity(plain.len() + AES_256_GCM_SIV.tag_len());
    octets.extend_from_slice(plain);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut octets)
        .expect("a secret is far below the 64 GiB that the cipher takes");
    octets
}

fn decrypt(key: &LessSafeKey, nonce: &[u8], bound: &[u8], octets: &[u8]) -> Option<Secret> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut plain = Zeroizing::new(octets.to_vec());
    let length = key.open_in_place(nonce, Aad::from(bound), &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: Label<'_> =
        Label { owner: "key/1", ring: "es256", alg: "ES256", n: 3, kid: "kid-3", signer: "software" };

    fn secret() -> Secret {
        Secret::new(b"the octets of a private key".to_vec())
    }

    fn source(digit: &str) -> MasterSource {
        MasterSource::Environment { name: "KEY".to_owned(), value: Secret::new(digit.repeat(64).into_bytes()) }
    }

    fn opened(founding: &Founding) -> Result<Keeper, Error> {
        Keeper::open(&source("1"), &founding.store_id, std::slice::from_ref(&founding.kek), &founding.salt)
    }

    fn code<T>(result: Result<T, Error>) -> &'static str {
        result.err().map_or("fine", |error| error.code())
    }

    #[test]
    fn a_secret_opens_again_after_a_restart() {
        let (keeper, founding) = Keeper::found(&source("1")).unwrap();
        let sealed = keeper.seal(&LABEL, &secret()).unwrap();
        let again = opened(&founding).unwrap();
        assert!(again.unseal(&LABEL, &sealed).unwrap().equals(&secret()));
        assert_eq!(again.digest(&secret()), keeper.digest(&secret()));
        assert_ne!(again.digest(&secret()), again.digest(&Secret::new(b"other".to_vec())));
    }

    #[test]
    fn no_octet_of_a_secret_shows_in_its_box() {
        let (keeper, _) = Keeper::ephemeral().unwrap();
        let secret = Secret::new(vec![0x41; 64]);
        let (one, two) = (keeper.seal(&LABEL, &secret).unwrap(), keeper.seal(&LABEL, &secret).unwrap());
        assert!(!one.octets.windows(4).any(|part| part == [0x41; 4]));
        assert_ne!(one.nonce, two.nonce);
        assert_ne!(one.octets, two.octets);
    }

    #[test]
    fn a_box_opens_for_no_other_label() {
        let (keeper, _) = Keeper::ephemeral().unwrap();
        let sealed = keeper.seal(&LABEL, &secret()).unwrap();
        for other in [
            Label { owner: "key/2", ..LABEL },
            Label { ring: "rs256", ..LABEL },
            Label { alg: "ES384", ..LABEL },
            Label { n: 4, ..LABEL },
            Label { kid: "kid-4", ..LABEL },
            Label { signer: "pkcs11", ..LABEL },
            Label { owner: "key/1es256", ring: "", ..LABEL },
        ] {
            assert_eq!(code(keeper.unseal(&other, &sealed)), "secret_unopenable", "{other:?}");
        }
        let (elsewhere, _) = Keeper::ephemeral().unwrap();
        assert_eq!(code(elsewhere.unseal(&LABEL, &sealed)), "kek_unknown");
    }

    #[test]
    fn every_bit_of_a_box_counts() {
        let (keeper, _) = Keeper::ephemeral().unwrap();
        let whole = keeper.seal(&LABEL, &secret()).unwrap();
        let flips = |octets: &[u8]| -> Vec<Vec<u8>> {
            (0..octets.len() * 8)
                .map(|bit| {
                    let mut flipped = octets.to_vec();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    flipped
                })
                .chain([octets[1..].to_vec(), Vec::new()])
                .collect()
        };
        for nonce in flips(&whole.nonce) {
            assert_eq!(code(keeper.unseal(&LABEL, &SealedBox { nonce, ..whole.clone() })), "secret_unopenable");
        }
        for octets in flips(&whole.octets) {
            assert_eq!(code(keeper.unseal(&LABEL, &SealedBox { octets, ..whole.clone() })), "secret_unopenable");
        }
        let other_cipher = SealedBox { aead: "A256GCM".to_owned(), ..whole.clone() };
        assert_eq!(code(keeper.unseal(&LABEL, &other_cipher)), "secret_unopenable");
        assert_eq!(code(keeper.unseal(&LABEL, &whole)), "fine");
    }

    #[test]
    fn a_wrong_master_key_is_told_before_anything_opens() {
        let (_, founding) = Keeper::found(&source("1")).unwrap();
        let kek = std::slice::from_ref(&founding.kek);
        let wrong = Keeper::open(&source("2"), &founding.store_id, kek, &founding.salt);
        assert_eq!(code(wrong), "wrong_master_key");
        let passphrase = |text: &str| MasterSource::Passphrase(Secret::new(text.into()));
        let (_, founding) = Keeper::found(&passphrase("correct horse")).unwrap();
        let kek = std::slice::from_ref(&founding.kek);
        let wrong = Keeper::open(&passphrase("correct house"), &founding.store_id, kek, &founding.salt);
        assert_eq!(code(wrong), "wrong_master_key");
    }

    #[test]
    fn a_root_that_was_tampered_with_does_not_open() {
        let (_, whole) = Keeper::found(&source("1")).unwrap();
        let tampered = |change: fn(&mut Founding)| {
            let mut founding =
                Founding { store_id: whole.store_id.clone(), kek: whole.kek.clone(), salt: whole.salt.clone() };
            change(&mut founding);
            code(opened(&founding))
        };
        assert_eq!(tampered(|_| ()), "fine");
        assert_eq!(tampered(|founding| founding.store_id.push('0')), "wrong_master_key");
        assert_eq!(tampered(|founding| founding.kek.kek_id.push('0')), "wrong_master_key");
        assert_eq!(tampered(|founding| founding.kek.wrapped[20] ^= 1), "wrong_master_key");
        assert_eq!(tampered(|founding| founding.kek.check_box[20] ^= 1), "wrong_master_key");
        assert_eq!(tampered(|founding| founding.kek.check_box.clear()), "wrong_master_key");
        assert_eq!(tampered(|founding| founding.kek.root_id.push('0')), "wrong_master_key");
        assert_eq!(tampered(|founding| founding.kek.is_primary = false), "root_unreadable");
        assert_eq!(tampered(|founding| founding.salt.octets[0] ^= 1), "secret_unopenable");
    }

    #[test]
    fn boxes_under_an_older_key_still_open() {
        let (old, founding) = Keeper::found(&source("1")).unwrap();
        let sealed = old.seal(&LABEL, &secret()).unwrap();
        let mut random = RandomPool::new();
        let master = source("1").first(&mut random).unwrap();
        let (_, newer) = draw_kek(&master, &founding.store_id, &mut random).unwrap();
        let keks = [WrappedKek { is_primary: false, ..founding.kek.clone() }, newer.clone()];
        let keeper = Keeper::open(&source("1"), &founding.store_id, &keks, &founding.salt).unwrap();
        assert!(keeper.unseal(&LABEL, &sealed).unwrap().equals(&secret()));
        assert_eq!(keeper.seal(&LABEL, &secret()).unwrap().kek_id, newer.kek_id);
    }
}
