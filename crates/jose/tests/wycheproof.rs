//! Project Wycheproof's signature vectors, through the keys of this library.

#![allow(clippy::unwrap_used, reason = "tests")]

use jose::{
    PrivateJwk, VerifyingKey, base64url,
    jwa::{SignatureAlgorithm, Switch, Switches},
    jwk::PublicJwk,
};
use wycheproof::{TestResult, ecdsa, eddsa, mac, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify};

fn row(name: &str) -> &'static SignatureAlgorithm {
    SignatureAlgorithm::by_name(name).unwrap()
}

fn switches() -> Switches {
    Switch::ALL.into_iter().fold(Switches::NONE, Switches::with)
}

fn key(name: &str, jwk: &str) -> Result<VerifyingKey, jose::Error> {
    PublicJwk::parse(jwk.as_bytes()).and_then(|jwk| VerifyingKey::new(row(name), &jwk, switches()))
}

/// Counts what was held, so that a test which holds nothing fails.
#[derive(Default)]
struct Tally {
    valid: usize,
    invalid: usize,
}

impl Tally {
    fn hold(&mut self, context: &str, expected: TestResult, accepted: bool) {
        match expected {
            TestResult::Valid => {
                assert!(accepted, "{context}: valid and refused");
                self.valid += 1;
            }
            TestResult::Invalid => {
                assert!(!accepted, "{context}: invalid and accepted");
                self.invalid += 1;
            }
            TestResult::Acceptable => {}
        }
    }

    fn done(self) {
        assert!(self.valid > 20 && self.invalid > 20, "{} valid, {} invalid", self.valid, self.invalid);
    }
}

/// SE-42: HMAC. A truncated MAC is no MAC of ours, whatever the file says of it.
#[test]
fn hmac() {
    use mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
    for (name, file) in [("HS256", HmacSha256), ("HS384", HmacSha384), ("HS512", HmacSha512)] {
        let mut tally = Tally::default();
        let full = row(name).signature;
        for group in mac::TestSet::load(file).unwrap().test_groups {
            let is_full = full == jose::jwa::SignatureLength::Octets(group.tag_size / 8);
            for test in group.tests {
                let Ok(jwk) = PrivateJwk::from_octets(&test.key) else { continue };
                let key = VerifyingKey::from_private(row(name), &jwk, switches()).ok().unwrap();
                let accepted = key.verify(&test.msg, &test.tag).is_ok();
                let expected = if is_full { test.result } else { TestResult::Invalid };
                tally.hold(&format!("{name} {}", test.tc_id), expected, accepted);
            }
        }
        tally.done();
    }
}

/// SE-42, B-06: ECDSA with signatures of fixed length.
#[test]
fn ecdsa() {
    use ecdsa::TestName::{
        EcdsaSecp256k1Sha256P1363, EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363, EcdsaSecp521r1Sha512P1363,
    };
    for (name, curve, octets, file) in [
        ("ES256", "P-256", 32, EcdsaSecp256r1Sha256P1363),
        ("ES384", "P-384", 48, EcdsaSecp384r1Sha384P1363),
        ("ES512", "P-521", 66, EcdsaSecp521r1Sha512P1363),
        ("ES256K", "secp256k1", 32, EcdsaSecp256k1Sha256P1363),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(file).unwrap().test_groups {
            let (x, y) = group.key.key[1..].split_at(octets);
            let (x, y) = (base64url::encode(x), base64url::encode(y));
            let key = key(name, &format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"}}"#)).ok().unwrap();
            for test in group.tests {
                let accepted = key.verify(&test.msg, &test.sig).is_ok();
                tally.hold(&format!("{name} {} {}", test.tc_id, test.comment), test.result, accepted);
            }
        }
        tally.done();
    }
}

/// SE-42, B-07: Ed25519.
#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let x = base64url::encode(&group.key.pk);
        let key = key("EdDSA", &format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)).ok().unwrap();
        for test in group.tests {
            let accepted = key.verify(&test.msg, &test.sig).is_ok();
            tally.hold(&format!("EdDSA {} {}", test.tc_id, test.comment), test.result, accepted);
        }
    }
    tally.done();
}

fn rsa_key(name: &str, n: &[u8], e: &[u8]) -> VerifyingKey {
    let trimmed = |octets: &[u8]| {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        base64url::encode(&octets[zeros..])
    };
    key(name, &format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, trimmed(n), trimmed(e))).ok().unwrap()
}

/// SE-42, B-08, B-09: RSASSA-PKCS1-v1_5 of 2048 to 8192 bits.
#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName as Name;
    for (name, file) in [
        ("RS256", Name::Rsa2048Sha256),
        ("RS384", Name::Rsa2048Sha384),
        ("RS512", Name::Rsa2048Sha512),
        ("RS256", Name::Rsa3072Sha256),
        ("RS512", Name::Rsa4096Sha512),
        ("RS256", Name::Rsa8192Sha256),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(file).unwrap().test_groups {
            let key = rsa_key(name, &group.key.n, &group.key.e);
            for test in group.tests {
                let accepted = key.verify(&test.msg, &test.sig).is_ok();
                tally.hold(&format!("{name} {} {}", test.tc_id, test.comment), test.result, accepted);
            }
        }
        assert!(tally.invalid > 20 && tally.valid > 0);
    }
}

/// SE-42, B-09: RSASSA-PSS; a salt that is not as long as the hash is refused.
#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName as Name;
    for (name, ours, file) in [
        ("PS256", true, Name::RsaPss2048Sha256Mgf1SaltLen32),
        ("PS256", false, Name::RsaPss2048Sha256Mgf1SaltLen0),
        ("PS256", false, Name::RsaPss2048Sha256Mgf1Sha1_20),
        ("PS384", true, Name::RsaPss2048Sha384Mgf1SaltLen48),
        ("PS256", true, Name::RsaPss3072Sha256Mgf1SaltLen32),
        ("PS512", true, Name::RsaPss4096Sha512Mgf1SaltLen64),
        ("PS512", false, Name::RsaPss4096Sha512Mgf1SaltLen32),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(file).unwrap().test_groups {
            let key = rsa_key(name, &group.key.n, &group.key.e);
            for test in group.tests {
                let accepted = key.verify(&test.msg, &test.sig).is_ok();
                // Of another salt length, what the file calls wrong may be right by ours.
                let expected = match (ours, test.result) {
                    (true, result) => result,
                    (false, TestResult::Valid) => TestResult::Invalid,
                    (false, TestResult::Invalid | TestResult::Acceptable) => TestResult::Acceptable,
                };
                tally.hold(&format!("{name} {} {}", test.tc_id, test.comment), expected, accepted);
            }
        }
        assert!(tally.invalid > 0 && (tally.valid > 0) == ours);
    }
}

/// SE-42, JO-09, B-42: ML-DSA; a signature under a context is refused, since ours is empty.
#[test]
fn ml_dsa() {
    use mldsa_verify::TestName::{MlDsa44Verify, MlDsa65Verify, MlDsa87Verify};
    for (name, file) in [("ML-DSA-44", MlDsa44Verify), ("ML-DSA-65", MlDsa65Verify), ("ML-DSA-87", MlDsa87Verify)] {
        let mut tally = Tally::default();
        for group in mldsa_verify::TestSet::load(file).unwrap().test_groups {
            let public = base64url::encode(&group.pubkey);
            let jwk = format!(r#"{{"kty":"AKP","alg":"{name}","pub":"{public}"}}"#);
            let key = key(name, &jwk);
            for test in group.tests {
                let has_context = test.ctx.as_ref().is_some_and(|context| !context.is_empty());
                let expected = if has_context { TestResult::Invalid } else { test.result };
                let accepted = key.as_ref().is_ok_and(|key| key.verify(&test.msg, &test.sig).is_ok());
                tally.hold(&format!("{name} {} {}", test.tc_id, test.comment), expected, accepted);
            }
        }
        assert!(tally.valid > 3 && tally.invalid > 10, "{} {}", tally.valid, tally.invalid);
    }
}
