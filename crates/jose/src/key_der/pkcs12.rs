//! PKCS#12 (RFC 7292): the one private key of a file whose MAC holds.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Refusal, encrypted::encrypted_pkcs8, pbes2, private};
use crate::{
    Error,
    der::{self, Der, tag},
    jwa::{Sha2, hmac::HmacKey},
    jwk::Jwk,
};

const DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x06];
const KEY_BAG: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x0A, 0x01, 0x01];
const SHROUDED_KEY_BAG: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x0A, 0x01, 0x02];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA_384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA_512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
const VERSION: &[u8] = &[3];
/// RFC 7292 appendix B.3: this derivation is for a MAC.
const MAC_PURPOSE: u8 = 3;

/// `PFX`: the MAC first, then the bags.
pub(super) fn read(octets: &[u8], passphrase: &str) -> Result<Jwk, Refusal> {
    let mut file = der::whole(octets)?;
    if file.unsigned()? != VERSION {
        return Err(Refusal::OtherForm);
    }
    let safe = data_content(file.sequence()?)?.ok_or(Refusal::OtherForm)?;
    let mac = file.optional(tag::SEQUENCE)?.ok_or_else(|| invalid("has no MAC, without which it is not read"))?;
    file.end()?;
    check_mac(Der::new(mac), safe, passphrase)?;
    let mut keys = Vec::new();
    let mut contents = der::whole(safe)?;
    while !contents.is_empty() {
        let content = contents.sequence()?;
        match data_content(content)? {
            Some(bags) => collect(bags, passphrase, &mut keys)?,
            None => collect(&encrypted_content(content, passphrase)?, passphrase, &mut keys)?,
        }
    }
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        (None, _) => Err(invalid("holds no private key")),
        (Some(_), false) => Err(invalid("holds two private keys; keep one a file")),
    }
}

/// The octets of a `ContentInfo` of type data; `None` for any other type.
fn data_content(mut content: Der<'_>) -> Result<Option<&[u8]>, Refusal> {
    if content.value(tag::OID)? != DATA {
        return Ok(None);
    }
    Ok(Some(Der::new(content.value(tag::explicit(0))?).value(tag::OCTET_STRING)?))
}

fn encrypted_content(mut content: Der<'_>, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if content.value(tag::OID)? != ENCRYPTED_DATA {
        return Err(Refusal::Error(Error::unsupported(
            "a PKCS#12 file under a public key",
            "only passphrases are taken",
        )));
    }
    let mut data = Der::new(content.value(tag::explicit(0))?).sequence()?;
    data.unsigned()?;
    let mut inner = data.sequence()?;
    inner.value(tag::OID)?;
    let identifier = inner.sequence()?;
    pbes2::decrypt(identifier, inner.value(tag::implicit(0))?, passphrase.as_bytes())
}

/// The private keys among the bags; certificates and the rest are passed over.
fn collect(bags: &[u8], passphrase: &str, keys: &mut Vec<Jwk>) -> Result<(), Refusal> {
    let mut bags = der::whole(bags)?;
    while !bags.is_empty() {
        let mut bag = bags.sequence()?;
        let kind = bag.value(tag::OID)?;
        let content = bag.value(tag::explicit(0))?;
        match kind {
            KEY_BAG => keys.push(private::pkcs8(content)?),
            SHROUDED_KEY_BAG => keys.push(encrypted_pkcs8(content, passphrase.as_bytes())?),
            _ => {}
        }
    }
    Ok(())
}

/// `MacData` over the authenticated safe.
fn check_mac(mut mac: Der<'_>, safe: &[u8], passphrase: &str) -> Result<(), Refusal> {
    let mut info = mac.sequence()?;
    let (hash, backend, block_octets) = match info.sequence()?.value(tag::OID)? {
        SHA_256 => (Sha2::Sha256, &SHA256, 64),
        SHA_384 => (Sha2::Sha384, &SHA384, 128),
        SHA_512 => (Sha2::Sha512, &SHA512, 128),
        _ => {
            let why = "only SHA-2 is taken; export the file again with a recent tool";
            return Err(Refusal::Error(Error::unsupported("the MAC of this PKCS#12 file", why)));
        }
    };
    let stated = info.value(tag::OCTET_STRING)?;
    let salt = mac.value(tag::OCTET_STRING)?;
    let rounds = match mac.optional(tag::INTEGER)? {
        Some(rounds) => pbes2::rounds(rounds)?.get(),
        None => 1,
    };
    let key = derive(backend, block_octets, salt, passphrase, rounds);
    let holds: bool = HmacKey::new(hash, &key).mac(safe).as_ref().ct_eq(stated).into();
    if holds { Ok(()) } else { Err(pbes2::wrong_passphrase()) }
}

/// RFC 7292 appendix B.2, for one hash of output: purpose, salt and passphrase in whole blocks, hashed again and again.
fn derive(
    hash: &'static digest::Algorithm,
    block_octets: usize,
    salt: &[u8],
    passphrase: &str,
    rounds: u32,
) -> Zeroizing<Vec<u8>> {
    let terminated = passphrase.encode_utf16().chain([0]).flat_map(u16::to_be_bytes);
    let passphrase = Zeroizing::new(terminated.collect::<Vec<u8>>());
    let mut input = Zeroizing::new(vec![MAC_PURPOSE; block_octets]);
    for part in [salt, &passphrase] {
        let octets = part.len().next_multiple_of(block_octets);
        input.extend(part.iter().cycle().take(if part.is_empty() { 0 } else { octets }));
    }
    let mut key = Zeroizing::new(digest::digest(hash, &input).as_ref().to_vec());
    for _ in 1..rounds {
        let next = digest::digest(hash, &key);
        key.copy_from_slice(next.as_ref());
    }
    key
}

fn invalid(why: &'static str) -> Refusal {
    Refusal::Error(Error::key_invalid("PKCS#12", why))
}
