//! Certificates in headers, and RSA keys of every size.

use jose::{
    PrivateJwk, VerifyingKey, base64url,
    jwa::Switches,
    jwk::{Jwk, KeyParameters},
    jws::{HeaderMember, HeaderPlan, ProtectedHeader, Verifier},
    x509,
};

use crate::support::{code, json_of, object, private, row, signed_by_hand, signer, text, vectors, verified, verifier};

const CLAIMS: &[u8] = b"{}";

struct Maker {
    jwk: PrivateJwk,
    certificate: Vec<u8>,
}

/// A key of another maker with its certificate.
fn maker(name: &str) -> Maker {
    let all = vectors(include_str!("../vectors/openssl_keys.json"));
    let vector = all.iter().find(|vector| text(vector, "name") == name).unwrap();
    let pem = text(vector.get("pem").unwrap().as_object().unwrap(), "certificate");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let certificate = base64_simd::STANDARD.decode_to_vec(body).unwrap();
    Maker { jwk: private(&json_of(vector.get("private").unwrap())), certificate }
}

fn with_chain(jwk: PrivateJwk, chain: Vec<Vec<u8>>) -> PrivateJwk {
    jwk.with_parameters(KeyParameters { x5c: chain, ..KeyParameters::default() })
}

/// JO-41: leaf and thumbprint in the header belong to the signing key; a chain of another key is refused when writing.
#[test]
fn chains_belong_to_their_key() {
    let plan = HeaderPlan::new(vec![HeaderMember::Alg, HeaderMember::X5c, HeaderMember::X5tS256]).unwrap();
    for (name, alg) in [("P-256", "ES256"), ("RSA 2056", "RS256"), ("Ed25519", "EdDSA")] {
        let Maker { jwk, certificate } = maker(name);
        let jwk = with_chain(jwk, vec![certificate.clone()]);
        let key = signer(alg, &jwk);
        let header = ProtectedHeader::encode(&plan, row(alg), None, key.public()).unwrap();
        let mut token = Vec::new();
        key.sign_compact(&header, CLAIMS, &mut token).unwrap();
        let token = String::from_utf8(token).unwrap();
        let read = verified(&token, &verifier(alg, &jwk)).unwrap();
        assert_eq!(text(read.header.members(), "x5t#S256"), x509::thumbprint(&certificate));
        let written = String::from_utf8(base64url::decode(header.encoded()).unwrap()).unwrap();
        assert!(written.contains(&base64_simd::STANDARD.encode_to_string(&certificate)), "{name}");
        let other = with_chain(maker("P-384").jwk, vec![certificate]);
        assert_eq!(code(ProtectedHeader::encode(&plan, row("ES384"), None, other.public().as_ref())), "header");
    }
    let long = with_chain(maker("P-256").jwk, vec![maker("P-256").certificate; 9]);
    assert_eq!(code(ProtectedHeader::encode(&plan, row("ES256"), None, long.public().as_ref())), "too_large");
}

/// B-29: a chain of another key, and a thumbprint of another certificate, are refused when reading.
#[test]
fn foreign_chains_are_refused() {
    let (own, other) = (maker("P-256"), maker("P-384"));
    let key = signer("ES256", &own.jwk);
    let text = |certificate: &[u8]| base64_simd::STANDARD.encode_to_string(certificate);
    let judge = |members: String| {
        let token = signed_by_hand(&key, &format!(r#"{{"alg":"ES256",{members}}}"#), CLAIMS);
        code(verified(&token, &verifier("ES256", &own.jwk)))
    };
    let (good, bad) = (text(&own.certificate), text(&other.certificate));
    let (fits, differs) = (x509::thumbprint(&own.certificate), x509::thumbprint(&other.certificate));
    assert_eq!(judge(format!(r#""x5c":["{good}","{bad}"]"#)), "accepted");
    assert_eq!(judge(format!(r#""x5c":["{bad}"]"#)), "header");
    assert_eq!(judge(format!(r#""x5c":["{good}"],"x5t#S256":"{fits}""#)), "accepted");
    assert_eq!(judge(format!(r#""x5c":["{good}"],"x5t#S256":"{differs}""#)), "header");
    assert_eq!(judge(format!(r#""x5c":[{}]"#, vec![format!("\"{good}\""); 9].join(","))), "header");
}

/// JO-18: RSA keys of 2048, 2056, 3072, 4096, 4098 and 8192 bits sign and verify; 4098 gives 513 octets.
#[test]
fn rsa_of_every_size() {
    let mut sizes = Vec::new();
    for vector in
        vectors(include_str!("../vectors/openssl_keys.json")).iter().filter(|v| text(v, "name").starts_with("RSA"))
    {
        let jwk = private(&json_of(vector.get("private").unwrap()));
        for alg in ["RS256", "PS512"] {
            let (key, mut signature) = (signer(alg, &jwk), Vec::new());
            key.sign(b"input", &mut signature).unwrap();
            assert_eq!(code(verifier(alg, &jwk).verify(b"input", &signature)), "accepted");
            sizes.push(signature.len());
        }
    }
    let rsa_2048 = private(&crate::support::rsa_2048());
    let mut signature = Vec::new();
    signer("RS256", &rsa_2048).sign(b"input", &mut signature).unwrap();
    sizes.push(signature.len());
    sizes.sort_unstable();
    sizes.dedup();
    assert_eq!(sizes, [256, 257, 384, 512, 513, 1024]);
}

/// B-10, JO-23: a modulus whose primes can be found is refused.
#[test]
fn findable_primes_are_refused() {
    let primes: [u128; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
    let product: u128 = primes.iter().product();
    let mut octets = vec![0xF1; 256];
    let rest = octets.iter().fold(0_u128, |rest, octet| (rest * 256 + u128::from(*octet)) % product);
    // The modulus becomes 1 modulo the product; it is odd, for the product is odd and its multiple is chosen so.
    let mut lift = product + 1 - rest;
    if lift % 2 == 1 {
        lift += product;
    }
    for octet in octets.iter_mut().rev() {
        lift += u128::from(*octet);
        *octet = (lift & 0xFF) as u8;
        lift >>= 8;
    }
    let marked = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, base64url::encode(&octets));
    let refusal = Jwk::parse(marked.as_bytes()).err().unwrap();
    assert_eq!(refusal.code(), "key_invalid");
    assert!(refusal.to_string().contains("CVE-2017-15361"), "{refusal}");
    assert_eq!(object(&marked).len(), 3);
}

/// A list of rows is the caller's own: a chain in the header never adds a key.
#[test]
fn a_chain_is_never_the_key() {
    let own = maker("P-256");
    let attacker = maker("P-384");
    let header =
        format!(r#"{{"alg":"ES384","x5c":["{}"]}}"#, base64_simd::STANDARD.encode_to_string(&attacker.certificate));
    let token = signed_by_hand(&signer("ES384", &attacker.jwk), &header, CLAIMS);
    let key = VerifyingKey::from_private(row("ES256"), &own.jwk, Switches::NONE).ok().unwrap();
    let reader = Verifier::new(&[row("ES256"), row("ES384")]).unwrap();
    assert_eq!(code(reader.verify(&token, &key)), "no_key");
}
