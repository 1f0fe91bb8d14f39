//! PBES2 (RFC 8018) with AES-CBC and HMAC-SHA-2: what encrypts a PKCS#8 key, and the bags of a PKCS#12 file.

use std::num::NonZeroU32;

use aws_lc_rs::{
    cipher::{
        self, AES_128, AES_192, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
        PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    iv::FixedLength,
    pbkdf2,
};
use zeroize::Zeroizing;

use super::Refusal;
use crate::{
    Error, Random,
    der::{Der, integer, sequence, tag, tlv},
};

/// Most rounds of PBKDF2 that an import may cost.
pub(super) const IMPORT_ROUNDS_MAX: u32 = 1_000_000;
/// Rounds that an export is written with.
const EXPORT_ROUNDS: u32 = 600_000;
const IV_OCTETS: usize = 16;
const SALT_OCTETS: usize = 16;

const PBES2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D];
const PBKDF2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0C];
const HMAC_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x09];
const HMAC_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x0A];
const HMAC_SHA512: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x0B];
const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02];
const AES_192_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A];

/// Decrypts in the way that an `AlgorithmIdentifier` names. A wrong passphrase and broken octets are one answer.
pub(super) fn decrypt(
    mut identifier: Der<'_>,
    encrypted: &[u8],
    passphrase: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if identifier.value(tag::OID)? != PBES2 {
        return Err(old_container());
    }
    let mut parameters = identifier.sequence()?;
    let (mut derivation, mut scheme) = (parameters.sequence()?, parameters.sequence()?);
    if derivation.value(tag::OID)? != PBKDF2 {
        return Err(old_container());
    }
    let (algorithm, key_octets) = block_cipher(scheme.value(tag::OID)?)?;
    let iv: [u8; IV_OCTETS] = scheme.value(tag::OCTET_STRING)?.try_into().map_err(|_| Refusal::OtherForm)?;
    let key = derive(derivation.sequence()?, key_octets, passphrase)?;
    let key = UnboundCipherKey::new(algorithm, &key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let mut text = Zeroizing::new(encrypted.to_vec());
    let context = DecryptionContext::Iv128(FixedLength::from(&iv));
    let opened = key.and_then(|key| key.decrypt(&mut text, context).map(|opened| opened.len()));
    let octets = opened.map_err(|_| wrong_passphrase())?;
    text.truncate(octets);
    Ok(text)
}

/// Encrypts with AES-256 and HMAC-SHA-256 and gives the `AlgorithmIdentifier` and the encrypted octets.
pub(super) fn encrypt(
    plain: &[u8],
    passphrase: &[u8],
    random: &mut dyn Random,
) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), Error> {
    let (mut salt, mut iv) = ([0; SALT_OCTETS], [0; IV_OCTETS]);
    random.fill(&mut salt)?;
    random.fill(&mut iv)?;
    let mut key = Zeroizing::new([0; 32]);
    let rounds = NonZeroU32::new(EXPORT_ROUNDS).expect("600 000 is not zero");
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, passphrase, &mut *key);
    let failed = |_| Error::SelfCheck { why: "the backend encrypted nothing" };
    let sealing =
        UnboundCipherKey::new(&AES_256, &*key).and_then(PaddedBlockEncryptingKey::cbc_pkcs7).map_err(failed)?;
    let mut text = plain.to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(&iv));
    sealing.less_safe_encrypt(&mut text, context).map_err(failed)?;
    let oid = |octets| tlv(tag::OID, &[octets]);
    let prf = sequence(&[&oid(HMAC_SHA256), &tlv(tag::NULL, &[])]);
    let parameters = sequence(&[&tlv(tag::OCTET_STRING, &[&salt]), &integer(&EXPORT_ROUNDS.to_be_bytes()), &prf]);
    let derivation = sequence(&[&oid(PBKDF2), &parameters]);
    let scheme = sequence(&[&oid(AES_256_CBC), &tlv(tag::OCTET_STRING, &[&iv])]);
    Ok((sequence(&[&oid(PBES2), &sequence(&[&derivation, &scheme])]), text))
}

fn derive(mut parameters: Der<'_>, octets: usize, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let salt = parameters.value(tag::OCTET_STRING)?;
    let rounds = rounds(parameters.unsigned()?)?;
    parameters.optional(tag::INTEGER)?;
    let prf = parameters.optional(tag::SEQUENCE)?.ok_or_else(old_container)?;
    let prf = match Der::new(prf).value(tag::OID)? {
        HMAC_SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
        HMAC_SHA384 => pbkdf2::PBKDF2_HMAC_SHA384,
        HMAC_SHA512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return Err(old_container()),
    };
    let mut key = Zeroizing::new(vec![0; octets]);
    pbkdf2::derive(prf, rounds, salt, passphrase, &mut key);
    Ok(key)
}

/// A number of rounds within [`IMPORT_ROUNDS_MAX`].
pub(super) fn rounds(octets: &[u8]) -> Result<NonZeroU32, Refusal> {
    let number = octets.iter().try_fold(0_u32, |sum, octet| sum.checked_mul(256)?.checked_add(u32::from(*octet)));
    let within = number.filter(|rounds| *rounds <= IMPORT_ROUNDS_MAX).and_then(NonZeroU32::new);
    within.ok_or(Refusal::Error(Error::TooLarge {
        what: "the work of this import",
        max: IMPORT_ROUNDS_MAX as usize,
        unit: "rounds",
    }))
}

/// The cipher of an object identifier, and the octets of its key.
fn block_cipher(oid: &[u8]) -> Result<(&'static cipher::Algorithm, usize), Refusal> {
    match oid {
        AES_128_CBC => Ok((&AES_128, 16)),
        AES_192_CBC => Ok((&AES_192, 24)),
        AES_256_CBC => Ok((&AES_256, 32)),
        _ => Err(old_container()),
    }
}

pub(super) fn wrong_passphrase() -> Refusal {
    Refusal::Error(Error::key_invalid("DER", "is not decrypted by this passphrase"))
}

fn old_container() -> Refusal {
    Refusal::Error(Error::unsupported(
        "the encryption of this key",
        "only PBES2 with AES and HMAC-SHA-2 is read; convert it, for a PKCS#8 key with `openssl pkcs8 -topk8 -v2 aes256 \
         -v2prf hmacWithSHA256`, for PKCS#12 with `openssl pkcs12 -legacy -nodes` and then `-export`",
    ))
}
