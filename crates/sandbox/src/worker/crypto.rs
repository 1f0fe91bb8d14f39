//! Digests, MACs, key derivation, randomness and comparison for surfaces, each computed by a kept library.

use std::num::NonZeroU32;
use std::rc::Rc;

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use md5::{Digest, Md5};
use rquickjs::{Ctx, Exception, Object, Result, TypedArray, Value as JsValue};

use super::convert::octets_of;
use super::desk::Desk;
use super::host::give;

/// Random octets that one call may draw.
const RANDOM_BYTES_MAX: usize = 16 << 20;
/// Times that one derivation may hash its password: iterations for each block of output. The engine cannot interrupt
/// it, so the bound keeps it far within the processor time of a turn.
const PBKDF2_ROUNDS_MAX: u64 = 10_000_000;
/// Octets that one derivation may give.
const PBKDF2_BYTES_MAX: usize = 64 << 10;

/// A hash by its name, with all that is built on it.
struct Hash {
    name: &'static str,
    digest: &'static digest::Algorithm,
    hmac: Option<hmac::Algorithm>,
    pbkdf2: Option<pbkdf2::Algorithm>,
}

static HASHES: [Hash; 8] = [
    Hash {
        name: "sha1",
        digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
        hmac: Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        pbkdf2: Some(pbkdf2::PBKDF2_HMAC_SHA1),
    },
    Hash { name: "sha224", digest: &digest::SHA224, hmac: Some(hmac::HMAC_SHA224), pbkdf2: None },
    Hash {
        name: "sha256",
        digest: &digest::SHA256,
        hmac: Some(hmac::HMAC_SHA256),
        pbkdf2: Some(pbkdf2::PBKDF2_HMAC_SHA256),
    },
    Hash {
        name: "sha384",
        digest: &digest::SHA384,
        hmac: Some(hmac::HMAC_SHA384),
        pbkdf2: Some(pbkdf2::PBKDF2_HMAC_SHA384),
    },
    Hash {
        name: "sha512",
        digest: &digest::SHA512,
        hmac: Some(hmac::HMAC_SHA512),
        pbkdf2: Some(pbkdf2::PBKDF2_HMAC_SHA512),
    },
    Hash { name: "sha512-256", digest: &digest::SHA512_256, hmac: None, pbkdf2: None },
    Hash { name: "sha3-256", digest: &digest::SHA3_256, hmac: None, pbkdf2: None },
    Hash { name: "sha3-512", digest: &digest::SHA3_512, hmac: None, pbkdf2: None },
];

/// `digest`, `hmac`, `pbkdf2`: undefined for a hash that is not offered. `hashes`: the names of those that are.
/// `random`: fresh octets. `same`: whether two runs of octets are equal, in a time that does not tell where they differ.
pub(super) fn give<'js>(desk: &Rc<Desk>, host: &Object<'js>) -> Result<()> {
    give!(host, desk: "digest" |ctx, hash: String, data: TypedArray<'js, u8>| {
        octets_or_none(desk, ctx, digest_of(&hash, &octets(&data)))
    });
    give!(host, desk: "hmac" |ctx, hash: String, key: TypedArray<'js, u8>, data: TypedArray<'js, u8>| {
        let mac = named(&hash).and_then(|hash| hash.hmac).map(|algorithm| {
            hmac::sign(&hmac::Key::new(algorithm, &octets(&key)), &octets(&data)).as_ref().to_vec()
        });
        octets_or_none(desk, ctx, mac)
    });
    give!(host, desk: "pbkdf2"
        |ctx, hash: String, password: TypedArray<'js, u8>, salt: TypedArray<'js, u8>, iterations: f64, count: f64| {
        let (password, salt) = (octets(&password), octets(&salt));
        let derived = named(&hash).map_or(Ok(None), |hash| derive(hash, &password, &salt, iterations as u32, count as usize));
        octets_or_none(desk, ctx, derived.map_err(|why| Exception::throw_range(ctx, &why))?)
    });
    give!(host, desk: "hashes" |_ctx| {
        let _ = desk;
        Result::Ok(HASHES.iter().map(|hash| hash.name).chain(["md5"]).collect::<Vec<_>>())
    });
    give!(host, desk: "random" |ctx, count: f64| {
        let count = count as usize;
        if count > RANDOM_BYTES_MAX {
            return Err(Exception::throw_range(ctx, &format!("{RANDOM_BYTES_MAX} random octets are the most at a time")));
        }
        let mut drawn = vec![0; count];
        // From the kernel: the backend's own source costs each worker up to a tenth of a second at its first use.
        getrandom::fill(&mut drawn).map_err(|_| Exception::throw_message(ctx, "the source of random octets failed"))?;
        desk.exchange(ctx, 0)?.octets(&drawn)
    });
    give!(host, desk: "same" |_ctx, one: TypedArray<'js, u8>, other: TypedArray<'js, u8>| {
        let _ = desk;
        Result::Ok(constant_time::verify_slices_are_equal(&octets(&one), &octets(&other)).is_ok())
    });
    Ok(())
}

pub(super) fn octets(array: &TypedArray<'_, u8>) -> std::sync::Arc<[u8]> {
    octets_of(array.as_object()).unwrap_or_default()
}

fn octets_or_none<'js>(desk: &Desk, ctx: &Ctx<'js>, octets: Option<Vec<u8>>) -> Result<JsValue<'js>> {
    match octets {
        Some(octets) => desk.exchange(ctx, 0)?.octets(&octets),
        None => Ok(JsValue::new_undefined(ctx.clone())),
    }
}

fn named(name: &str) -> Option<&'static Hash> {
    HASHES.iter().find(|hash| hash.name == name)
}

fn digest_of(name: &str, data: &[u8]) -> Option<Vec<u8>> {
    if name == "md5" {
        return Some(Md5::digest(data).to_vec());
    }
    Some(digest::digest(named(name)?.digest, data).as_ref().to_vec())
}

/// PBKDF2 (RFC 8018 section 5.2); none for a hash that it is not offered with.
fn derive(
    hash: &Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    count: usize,
) -> std::result::Result<Option<Vec<u8>>, String> {
    let Some(algorithm) = hash.pbkdf2 else { return Ok(None) };
    let iterations = NonZeroU32::new(iterations).ok_or("no iterations were asked for")?;
    if count > PBKDF2_BYTES_MAX {
        return Err(format!("{PBKDF2_BYTES_MAX} derived octets are the most"));
    }
    let blocks = count.div_ceil(hash.digest.output_len()) as u64;
    if u64::from(iterations.get()) * blocks > PBKDF2_ROUNDS_MAX {
        return Err(format!("{PBKDF2_ROUNDS_MAX} rounds of hashing are the most"));
    }
    let mut derived = vec![0; count];
    if count > 0 {
        pbkdf2::derive(algorithm, iterations, salt, password, &mut derived);
    }
    Ok(Some(derived))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        for (name, digest) in [
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        ] {
            assert_eq!(hex(&digest_of(name, b"abc").unwrap()), digest, "{name}");
        }
        assert_eq!(digest_of("nope", b"abc"), None);
    }

    /// RFC 6070, the second vector; and the bounds, each passed exactly and refused one beyond.
    #[test]
    fn a_derivation_is_the_standards_and_stays_within_its_bounds() {
        let derive = |iterations, count| {
            derive(named("sha1").unwrap(), b"password", b"salt", iterations, count).map(Option::unwrap)
        };
        assert_eq!(hex(&derive(2, 20).unwrap()), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
        assert_eq!(derive(1, 0), Ok(Vec::new()));
        assert_eq!(derive(1, PBKDF2_BYTES_MAX).map(|derived| derived.len()), Ok(PBKDF2_BYTES_MAX));
        assert!(derive(1, PBKDF2_BYTES_MAX + 1).is_err());
        assert!(derive(0, 20).is_err());
        assert!(derive(PBKDF2_ROUNDS_MAX as u32 + 1, 20).is_err());
        assert!(derive(PBKDF2_ROUNDS_MAX as u32 / 2 + 1, 21).is_err());
    }
}
