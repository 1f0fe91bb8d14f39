//! Content encryption: AES-CBC with HMAC (RFC 7518 section 5.2) and AES-GCM (section 5.3).

use aws_lc_rs::{
    aead::{self, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{self, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

use super::{AesSize, ContentEncryption, ContentFamily, hmac::HmacKey};
use crate::Error;

const BLOCK_OCTETS: usize = 16;

/// A content encryption key, ready to seal or to open.
pub(crate) struct ContentKey {
    row: &'static ContentEncryption,
    cipher: Cipher,
}

#[allow(clippy::large_enum_variant, reason = "a key of one token stays on the stack; boxes would cost a tenth of it")]
enum Cipher {
    Gcm(LessSafeKey),
    CbcHmac { mac: HmacKey, aes: Cbc },
}

/// AES-CBC in the one direction that is needed.
enum Cbc {
    Seal(EncryptingKey),
    Open(DecryptingKey),
}

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Seal,
    Open,
}

/// A tag of up to 32 octets.
pub(crate) struct Tag {
    octets: [u8; 32],
    len: usize,
}

impl Tag {
    fn of(octets: &[u8]) -> Option<Self> {
        let mut tag = Self { octets: [0; 32], len: octets.len() };
        tag.octets.get_mut(..tag.len)?.copy_from_slice(octets);
        Some(tag)
    }
}

impl AsRef<[u8]> for Tag {
    fn as_ref(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

impl ContentKey {
    /// `None` if the octets are not as many as the row asks for.
    pub(crate) fn new(row: &'static ContentEncryption, cek: &[u8], direction: Direction) -> Option<Self> {
        if cek.len() != row.cek_octets {
            return None;
        }
        let cipher = match row.family {
            ContentFamily::Gcm(size) => Cipher::Gcm(gcm_key(size, cek)?),
            ContentFamily::CbcHmac(size, hash) => {
                let (mac, aes) = cek.split_at(cek.len() - size.octets());
                Cipher::CbcHmac { mac: HmacKey::new(hash, mac), aes: Cbc::new(size, aes, direction)? }
            }
        };
        Some(Self { row, cipher })
    }

    pub(crate) fn row(&self) -> &'static ContentEncryption {
        self.row
    }

    /// Encrypts `text` in place; it grows by the padding of CBC.
    pub(crate) fn seal(&self, iv: &[u8], aad: &[u8], text: &mut Vec<u8>) -> Result<Tag, Error> {
        let tag = match &self.cipher {
            Cipher::Gcm(key) => seal_gcm(key, iv, aad, text),
            Cipher::CbcHmac { mac, aes } => seal_cbc(mac, aes, self.row.tag_octets, iv, aad, text),
        };
        tag.ok_or(NOTHING_ENCRYPTED)
    }

    /// Decrypts `text` in place. The tag is checked whole and first; `None` for every fault, after one path.
    pub(crate) fn open(&self, iv: &[u8], aad: &[u8], text: Vec<u8>, tag: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if iv.len() != self.row.iv_octets || tag.len() != self.row.tag_octets {
            return None;
        }
        let mut text = Zeroizing::new(text);
        match &self.cipher {
            Cipher::Gcm(key) => {
                let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
                key.open_in_place_separate_tag(nonce, Aad::from(aad), tag, &mut text).ok()?;
            }
            Cipher::CbcHmac { mac, aes } => {
                let expected = cbc_mac(mac, aad, iv, &text);
                let holds: bool = expected.as_ref()[..tag.len()].ct_eq(tag).into();
                if !holds || text.is_empty() || !text.len().is_multiple_of(BLOCK_OCTETS) {
                    return None;
                }
                aes.open(iv, &mut text)?;
                let padding = padding_octets(&text)?;
                let end = text.len() - padding;
                text.truncate(end);
            }
        }
        Some(text)
    }
}

const NOTHING_ENCRYPTED: Error = Error::SelfCheck { why: "the backend encrypted nothing" };

/// Encrypts `text` with the key of one token, which is used where it is made: a key in a [`ContentKey`] is moved about.
pub(crate) fn seal_once(
    row: &ContentEncryption,
    cek: &[u8],
    iv: &[u8],
    aad: &[u8],
    text: &mut Vec<u8>,
) -> Result<Tag, Error> {
    if cek.len() != row.cek_octets {
        return Err(Error::SelfCheck { why: "a content encryption key has the wrong length" });
    }
    let tag = match row.family {
        ContentFamily::Gcm(size) => gcm_key(size, cek).and_then(|key| seal_gcm(&key, iv, aad, text)),
        ContentFamily::CbcHmac(size, hash) => {
            let (mac, aes) = cek.split_at(cek.len() - size.octets());
            let aes = Cbc::new(size, aes, Direction::Seal);
            aes.and_then(|aes| seal_cbc(&HmacKey::new(hash, mac), &aes, row.tag_octets, iv, aad, text))
        }
    };
    tag.ok_or(NOTHING_ENCRYPTED)
}

fn seal_gcm(key: &LessSafeKey, iv: &[u8], aad: &[u8], text: &mut [u8]) -> Option<Tag> {
    let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
    Tag::of(key.seal_in_place_separate_tag(nonce, Aad::from(aad), text).ok()?.as_ref())
}

fn seal_cbc(mac: &HmacKey, aes: &Cbc, tag_octets: usize, iv: &[u8], aad: &[u8], text: &mut Vec<u8>) -> Option<Tag> {
    let padding = BLOCK_OCTETS - text.len() % BLOCK_OCTETS;
    text.resize(text.len() + padding, u8::try_from(padding).expect("a padding is 1 to 16"));
    aes.seal(iv, text)?;
    Tag::of(cbc_mac(mac, aad, iv, text).as_ref().get(..tag_octets)?)
}

impl Cbc {
    fn new(size: AesSize, key: &[u8], direction: Direction) -> Option<Self> {
        let key = UnboundCipherKey::new(block_cipher(size), key).ok()?;
        Some(match direction {
            Direction::Seal => Self::Seal(EncryptingKey::cbc(key).ok()?),
            Direction::Open => Self::Open(DecryptingKey::cbc(key).ok()?),
        })
    }

    fn seal(&self, iv: &[u8], text: &mut [u8]) -> Option<()> {
        let Self::Seal(key) = self else { return None };
        let iv: &[u8; BLOCK_OCTETS] = iv.try_into().ok()?;
        key.less_safe_encrypt(text, EncryptionContext::Iv128(FixedLength::from(iv))).ok().map(drop)
    }

    fn open(&self, iv: &[u8], text: &mut [u8]) -> Option<()> {
        let Self::Open(key) = self else { return None };
        let iv: &[u8; BLOCK_OCTETS] = iv.try_into().ok()?;
        key.decrypt(text, DecryptionContext::Iv128(FixedLength::from(iv))).ok().map(drop)
    }
}

/// AES-GCM of a key that seals or opens.
pub(crate) fn gcm_key(size: AesSize, key: &[u8]) -> Option<LessSafeKey> {
    let algorithm = match size {
        AesSize::Aes128 => &aead::AES_128_GCM,
        AesSize::Aes192 => &aead::AES_192_GCM,
        AesSize::Aes256 => &aead::AES_256_GCM,
    };
    UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new)
}

/// The block cipher of a size.
fn block_cipher(size: AesSize) -> &'static cipher::Algorithm {
    match size {
        AesSize::Aes128 => &cipher::AES_128,
        AesSize::Aes192 => &cipher::AES_192,
        AesSize::Aes256 => &cipher::AES_256,
    }
}

/// HMAC over the additional data, the initialization vector, the ciphertext and the bits of the first.
fn cbc_mac(mac: &HmacKey, aad: &[u8], iv: &[u8], ciphertext: &[u8]) -> super::hmac::Mac {
    let aad_bits = (aad.len() as u64) * 8;
    let mut context = mac.context();
    for part in [aad, iv, ciphertext, &aad_bits.to_be_bytes()] {
        context.update(part);
    }
    context.finish()
}

/// Octets of PKCS#7 padding, every one of the last block looked at whatever they say.
fn padding_octets(text: &[u8]) -> Option<usize> {
    let block = text.last_chunk::<BLOCK_OCTETS>()?;
    let padding = block[BLOCK_OCTETS - 1];
    let block_octets = BLOCK_OCTETS as u8;
    let mut good = !padding.ct_eq(&0) & !padding.ct_gt(&block_octets);
    for (from_end, octet) in (0..block_octets).zip(block.iter().rev()) {
        let counts = padding.ct_gt(&from_end);
        good &= Choice::conditional_select(&Choice::from(1), &octet.ct_eq(&padding), counts);
    }
    bool::from(good).then_some(usize::from(padding))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-18: with a right MAC, wrong padding is refused like everything else.
    #[test]
    fn padding_is_read_whole() {
        let block = |padding: &[u8]| [&vec![7; BLOCK_OCTETS - padding.len()], padding].concat();
        assert_eq!(padding_octets(&block(&[1])), Some(1));
        assert_eq!(padding_octets(&block(&[3, 3, 3])), Some(3));
        assert_eq!(padding_octets(&[16; 32]), Some(16));
        for bad in [&[0][..], &[17], &[2, 3, 3], &[1, 2], &[0xFF; 16]] {
            assert_eq!(padding_octets(&block(bad)), None, "{bad:?}");
        }
    }
}
