//! AES Key Wrap (RFC 3394), over the backend's block cipher with its key schedule kept.

use aws_lc_rs::cipher::{DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{AesSize, content::block_cipher};
use crate::Error;

const HALF_BLOCK_OCTETS: usize = 8;
const INITIAL_VALUE: [u8; HALF_BLOCK_OCTETS] = [0xA6; HALF_BLOCK_OCTETS];

/// A key that wraps.
pub(crate) struct Wrapper(EncryptingKey);

/// A key that unwraps.
pub(crate) struct Unwrapper(DecryptingKey);

impl Wrapper {
    /// `None` if the octets are not as many as the size asks for.
    pub(crate) fn new(size: AesSize, key: &[u8]) -> Option<Self> {
        EncryptingKey::ecb(UnboundCipherKey::new(block_cipher(size), key).ok()?).ok().map(Self)
    }

    /// Appends the wrapped key (RFC 3394 section 2.2.1); `key` is a multiple of 8 octets, 16 or more.
    pub(crate) fn wrap(&self, key: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        out.reserve(HALF_BLOCK_OCTETS + key.len());
        out.extend_from_slice(&INITIAL_VALUE);
        out.extend_from_slice(key);
        let (first, halves) = out[start..].split_at_mut(HALF_BLOCK_OCTETS);
        let mut block = Zeroizing::new([0; 16]);
        block[..HALF_BLOCK_OCTETS].copy_from_slice(first);
        let mut step = 0_u64;
        for _ in 0..6 {
            for half in halves.chunks_exact_mut(HALF_BLOCK_OCTETS) {
                step += 1;
                block[HALF_BLOCK_OCTETS..].copy_from_slice(half);
                let done = self.0.less_safe_encrypt(&mut *block, EncryptionContext::None);
                done.map_err(|_| Error::SelfCheck { why: "the backend wrapped no key" })?;
                count_in(step, &mut block);
                half.copy_from_slice(&block[HALF_BLOCK_OCTETS..]);
            }
        }
        first.copy_from_slice(&block[..HALF_BLOCK_OCTETS]);
        Ok(())
    }
}

impl Unwrapper {
    /// `None` if the octets are not as many as the size asks for.
    pub(crate) fn new(size: AesSize, key: &[u8]) -> Option<Self> {
        DecryptingKey::ecb(UnboundCipherKey::new(block_cipher(size), key).ok()?).ok().map(Self)
    }

    /// The key (RFC 3394 section 2.2.2); `None` if it was wrapped with another key or touched since.
    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if !wrapped.len().is_multiple_of(HALF_BLOCK_OCTETS) || wrapped.len() < 3 * HALF_BLOCK_OCTETS {
            return None;
        }
        let (first, rest) = wrapped.split_at(HALF_BLOCK_OCTETS);
        let mut key = Zeroizing::new(rest.to_vec());
        let mut block = Zeroizing::new([0; 16]);
        block[..HALF_BLOCK_OCTETS].copy_from_slice(first);
        let mut step = 6 * (key.len() / HALF_BLOCK_OCTETS) as u64;
        for _ in 0..6 {
            for half in key.rchunks_exact_mut(HALF_BLOCK_OCTETS) {
                count_in(step, &mut block);
                block[HALF_BLOCK_OCTETS..].copy_from_slice(half);
                self.0.decrypt(&mut *block, DecryptionContext::None).ok()?;
                half.copy_from_slice(&block[HALF_BLOCK_OCTETS..]);
                step -= 1;
            }
        }
        bool::from(block[..HALF_BLOCK_OCTETS].ct_eq(&INITIAL_VALUE)).then_some(key)
    }
}

/// Counts a step into the first half of a block.
fn count_in(step: u64, block: &mut [u8; 16]) {
    block.iter_mut().zip(step.to_be_bytes()).for_each(|(octet, count)| *octet ^= count);
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};

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

    /// JO-10: equal to the backend for keys of every size that a CEK may have.
    #[test]
    fn equals_the_backend() {
        for octets in [16, 24, 32, 48, 64] {
            let key: Vec<u8> = (0..octets).map(|n| n as u8).collect();
            let mut expected = [0; 80];
            let mut ours = Vec::new();
            let theirs = AesKek::new(&AES_128, &[3; 16]).unwrap().wrap(&key, &mut expected).unwrap();
            Wrapper::new(AesSize::Aes128, &[3; 16]).unwrap().wrap(&key, &mut ours).unwrap();
            assert_eq!(ours, theirs);
            ours.clear();
            let theirs = AesKek::new(&AES_256, &[3; 32]).unwrap().wrap(&key, &mut expected).unwrap();
            Wrapper::new(AesSize::Aes256, &[3; 32]).unwrap().wrap(&key, &mut ours).unwrap();
            assert_eq!(ours, theirs);
        }
    }
}
