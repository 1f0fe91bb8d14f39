//! AES Key Wrap (RFC 3394): the backend's for keys of 128 and 256 bits, an own one for 192, which it lacks.
//!
//! The backend's wrap consumes its key, so the octets are kept; expanding them again costs less than the 24 calls
//! into the block cipher that the own version makes.

use aws_lc_rs::{
    cipher::{AES_192, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey},
    key_wrap::{AES_128, AES_256, AesBlockCipher, AesKek, KeyWrap},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::AesSize;
use crate::Error;

const HALF_BLOCK_OCTETS: usize = 8;
const INITIAL_VALUE: [u8; HALF_BLOCK_OCTETS] = [0xA6; HALF_BLOCK_OCTETS];

/// A key that wraps.
pub(crate) enum Wrapper {
    Backend(BackendKey),
    Own(Box<EncryptingKey>),
}

/// A key that unwraps.
pub(crate) enum Unwrapper {
    Backend(BackendKey),
    Own(Box<DecryptingKey>),
}

/// A key for the backend's wrap, which takes it whole each time.
pub(crate) struct BackendKey {
    cipher: &'static AesBlockCipher,
    octets: Zeroizing<Vec<u8>>,
}

impl BackendKey {
    /// `None` for a size that the backend does not wrap with.
    fn new(size: AesSize, key: &[u8]) -> Option<Self> {
        let cipher = match size {
            AesSize::Aes128 => &AES_128,
            AesSize::Aes256 => &AES_256,
            AesSize::Aes192 => return None,
        };
        Some(Self { cipher, octets: Zeroizing::new(key.to_vec()) })
    }

    fn kek(&self) -> Option<AesKek> {
        AesKek::new(self.cipher, &self.octets).ok()
    }
}

impl Wrapper {
    /// `None` if the octets are not as many as the size asks for.
    pub(crate) fn new(size: AesSize, key: &[u8]) -> Option<Self> {
        if key.len() != size.octets() {
            return None;
        }
        if let Some(key) = BackendKey::new(size, key) {
            return Some(Self::Backend(key));
        }
        EncryptingKey::ecb(UnboundCipherKey::new(&AES_192, key).ok()?).ok().map(|key| Self::Own(Box::new(key)))
    }

    /// Appends the wrapped key (RFC 3394 section 2.2.1); `key` is a multiple of 8 octets, 16 or more.
    pub(crate) fn wrap(&self, key: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        out.resize(start + HALF_BLOCK_OCTETS + key.len(), 0);
        let wrapped = match self {
            Self::Backend(kek) => kek.kek().and_then(|kek| kek.wrap(key, &mut out[start..]).ok().map(drop)),
            Self::Own(kek) => wrap_own(kek, key, &mut out[start..]),
        };
        wrapped.ok_or(Error::SelfCheck { why: "the backend wrapped no key" })
    }
}

impl Unwrapper {
    /// `None` if the octets are not as many as the size asks for.
    pub(crate) fn new(size: AesSize, key: &[u8]) -> Option<Self> {
        if key.len() != size.octets() {
            return None;
        }
        if let Some(key) = BackendKey::new(size, key) {
            return Some(Self::Backend(key));
        }
        DecryptingKey::ecb(UnboundCipherKey::new(&AES_192, key).ok()?).ok().map(|key| Self::Own(Box::new(key)))
    }

    /// The key (RFC 3394 section 2.2.2); `None` if it was wrapped with another key or touched since.
    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if !wrapped.len().is_multiple_of(HALF_BLOCK_OCTETS) || wrapped.len() < 3 * HALF_BLOCK_OCTETS {
            return None;
        }
        match self {
            Self::Backend(kek) => {
                let mut key = Zeroizing::new(vec![0; wrapped.len()]);
                let octets = kek.kek()?.unwrap(wrapped, &mut key).ok()?.len();
                key.truncate(octets);
                Some(key)
            }
            Self::Own(kek) => unwrap_own(kek, wrapped),
        }
    }
}

fn wrap_own(kek: &EncryptingKey, key: &[u8], out: &mut [u8]) -> Option<()> {
    let (first, halves) = out.split_at_mut(HALF_BLOCK_OCTETS);
    halves.copy_from_slice(key);
    let mut block = Zeroizing::new([0; 16]);
    block[..HALF_BLOCK_OCTETS].copy_from_slice(&INITIAL_VALUE);
    let mut step = 0_u64;
    for _ in 0..6 {
        for half in halves.chunks_exact_mut(HALF_BLOCK_OCTETS) {
            step += 1;
            block[HALF_BLOCK_OCTETS..].copy_from_slice(half);
            kek.less_safe_encrypt(&mut *block, EncryptionContext::None).ok()?;
            count_in(step, &mut block);
            half.copy_from_slice(&block[HALF_BLOCK_OCTETS..]);
        }
    }
    first.copy_from_slice(&block[..HALF_BLOCK_OCTETS]);
    Some(())
}

fn unwrap_own(kek: &DecryptingKey, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (first, rest) = wrapped.split_at(HALF_BLOCK_OCTETS);
    let mut key = Zeroizing::new(rest.to_vec());
    let mut block = Zeroizing::new([0; 16]);
    block[..HALF_BLOCK_OCTETS].copy_from_slice(first);
    let mut step = 6 * (key.len() / HALF_BLOCK_OCTETS) as u64;
    for _ in 0..6 {
        for half in key.rchunks_exact_mut(HALF_BLOCK_OCTETS) {
            count_in(step, &mut block);
            block[HALF_BLOCK_OCTETS..].copy_from_slice(half);
            kek.decrypt(&mut *block, DecryptionContext::None).ok()?;
            half.copy_from_slice(&block[HALF_BLOCK_OCTETS..]);
            step -= 1;
        }
    }
    bool::from(block[..HALF_BLOCK_OCTETS].ct_eq(&INITIAL_VALUE)).then_some(key)
}

/// Counts a step into the first half of a block.
fn count_in(step: u64, block: &mut [u8; 16]) {
    block.iter_mut().zip(step.to_be_bytes()).for_each(|(octet, count)| *octet ^= count);
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::cipher;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// JO-10: RFC 3394 section 4, and the backend's own wrap where it has one.
    #[test]
    fn test_data_of_the_rfc() {
        let kek = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
        let data = "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F";
        let cases = [
            (AesSize::Aes128, 16, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"),
            (AesSize::Aes192, 16, "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"),
            (AesSize::Aes256, 16, "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"),
            (AesSize::Aes192, 24, "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2"),
            (AesSize::Aes256, 24, "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1"),
            (AesSize::Aes256, 32, "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"),
        ];
        for (size, octets, expected) in cases {
            let (kek, key) = (&hex(kek)[..size.octets()], &hex(data)[..octets]);
            let mut wrapped = Vec::new();
            Wrapper::new(size, kek).unwrap().wrap(key, &mut wrapped).unwrap();
            assert_eq!(wrapped, hex(expected), "{size:?} {octets}");
            let unwrapper = Unwrapper::new(size, kek).unwrap();
            assert_eq!(unwrapper.unwrap(&wrapped).unwrap().as_slice(), key);
            for at in 0..wrapped.len() {
                wrapped[at] ^= 1;
                assert!(unwrapper.unwrap(&wrapped).is_none());
                wrapped[at] ^= 1;
            }
            for short in [0, 8, 16, 23] {
                assert!(unwrapper.unwrap(&wrapped[..short]).is_none());
            }
        }
    }

    /// JO-10: the own version equals the backend's for keys of every size that a CEK may have.
    #[test]
    fn the_own_version_equals_the_backend() {
        for (size, cipher) in [(AesSize::Aes128, &cipher::AES_128), (AesSize::Aes256, &cipher::AES_256)] {
            let kek = vec![3; size.octets()];
            let seal = EncryptingKey::ecb(UnboundCipherKey::new(cipher, &kek).unwrap()).unwrap();
            let open = DecryptingKey::ecb(UnboundCipherKey::new(cipher, &kek).unwrap()).unwrap();
            for octets in [16, 24, 32, 48, 64_u8] {
                let key: Vec<u8> = (0..octets).collect();
                let mut theirs = Vec::new();
                Wrapper::new(size, &kek).unwrap().wrap(&key, &mut theirs).unwrap();
                let mut ours = vec![0; key.len() + 8];
                wrap_own(&seal, &key, &mut ours).unwrap();
                assert_eq!(ours, theirs);
                assert_eq!(*unwrap_own(&open, &theirs).unwrap(), key);
                theirs[9] ^= 1;
                assert!(unwrap_own(&open, &theirs).is_none());
            }
        }
    }
}
