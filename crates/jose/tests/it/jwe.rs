//! JWE: every pair of algorithms, every serialization, every broken part.

use jose::{
    DecryptionKey, EncryptionKey, Error, KeyKind, PrivateJwk, base64url,
    json::{Object, Value},
    jwa::{ContentEncryption, EcCurve, Grade, KeyAlgorithm, KeyFamily, KeyShape, OkpCurve, Switch, Switches},
    jwe::{
        Decrypted, Decrypter, DecryptionKeys, EncryptionOptions, EncryptionPlan, INFLATED_BYTES_MAX, RECIPIENTS_MAX,
        encrypt_general,
    },
    jws::HeaderPlan,
};

use crate::support::{
    System, all_switches, code, json_of, object, octets, private, private_json, rsa_2048, text, vectors,
};

const PLAINTEXT: &[u8] = b"Live long and prosper.";

fn key_row(name: &str) -> &'static KeyAlgorithm {
    KeyAlgorithm::by_name(name).unwrap()
}

fn enc_row(name: &str) -> &'static ContentEncryption {
    ContentEncryption::by_name(name).unwrap()
}

/// Both halves of a key for an algorithm.
struct Pair {
    encryption: EncryptionKey,
    decryption: DecryptionKey,
}

impl Pair {
    fn of(algorithm: &'static KeyAlgorithm, jwk: &PrivateJwk) -> Self {
        let switches = all_switches();
        if algorithm.key == KeyShape::Password {
            return Self {
                encryption: EncryptionKey::from_password(algorithm, b"entrap_o-peter", switches).ok().unwrap(),
                decryption: DecryptionKey::from_password(algorithm, b"entrap_o-peter", switches).ok().unwrap(),
            };
        }
        let encryption = match jwk.public() {
            Some(public) => EncryptionKey::new(algorithm, &public, switches),
            None => EncryptionKey::from_secret(algorithm, jwk, switches),
        };
        Self {
            encryption: encryption.ok().unwrap(),
            decryption: DecryptionKey::new(algorithm, jwk, switches).ok().unwrap(),
        }
    }

    fn new(algorithm: &'static KeyAlgorithm, enc: &ContentEncryption) -> Self {
        Self::of(algorithm, &jwk_for(algorithm, enc, EcCurve::P256))
    }
}

fn jwk_for(algorithm: &KeyAlgorithm, enc: &ContentEncryption, curve: EcCurve) -> PrivateJwk {
    if algorithm.key == KeyShape::Rsa {
        return private(&rsa_2048());
    }
    let kind = match algorithm.family {
        KeyFamily::AesKw(size) | KeyFamily::AesGcmKw(size) => KeyKind::Oct(size.octets()),
        KeyFamily::EcdhEs(_) => KeyKind::Ec(curve),
        KeyFamily::Direct | KeyFamily::Pbes2(..) | KeyFamily::Rsa1_5 | KeyFamily::RsaOaep(_) => {
            KeyKind::Oct(enc.cek_octets)
        }
    };
    PrivateJwk::generate(kind, &mut System).unwrap()
}

fn encrypt(
    pair: &Pair,
    enc: &'static ContentEncryption,
    plaintext: &[u8],
    options: EncryptionOptions,
) -> Result<String, Error> {
    let plan = EncryptionPlan::new(&pair.encryption, enc, &HeaderPlan::encrypted(), options, all_switches())?;
    let mut out = Vec::new();
    plan.encrypt_compact(&pair.encryption, plaintext, &mut System, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn reader(pair: &Pair, enc: &'static ContentEncryption) -> Decrypter {
    Decrypter::new(&[pair.decryption.algorithm()], &[enc]).unwrap()
}

fn decrypt(pair: &Pair, enc: &'static ContentEncryption, token: &str) -> Result<Vec<u8>, Error> {
    reader(pair, enc).decrypt(token, &pair.decryption, &mut System).map(|read| read.plaintext.to_vec())
}

/// JO-02, JO-33: every pair of `alg` and `enc` round-trips, compact and flattened, at lengths around a block.
#[test]
fn every_pair_round_trips() {
    for algorithm in KeyAlgorithm::ALL {
        for enc in ContentEncryption::ALL {
            let pair = Pair::new(algorithm, enc);
            let lengths: &[usize] = if algorithm.key == KeyShape::Password { &[3] } else { &[0, 1, 15, 16, 17, 200] };
            for length in lengths {
                let plaintext = vec![7; *length];
                let token = encrypt(&pair, enc, &plaintext, EncryptionOptions::default()).unwrap();
                assert_eq!(decrypt(&pair, enc, &token).unwrap(), plaintext, "{algorithm} {enc} {length}");
            }
            let plan = EncryptionPlan::new(
                &pair.encryption,
                enc,
                &HeaderPlan::encrypted(),
                EncryptionOptions::default(),
                all_switches(),
            )
            .unwrap();
            let mut out = Vec::new();
            plan.encrypt_flattened(&pair.encryption, PLAINTEXT, Some(b"seen"), &mut System, &mut out).unwrap();
            let token = String::from_utf8(out).unwrap();
            let read = reader(&pair, enc).decrypt_json(&token, &pair.decryption, &mut System).ok().unwrap();
            assert_eq!(*read.plaintext, PLAINTEXT, "{algorithm} {enc}");
            let other = token.replace(&base64url::encode(b"seen"), &base64url::encode(b"Seen"));
            let touched = reader(&pair, enc).decrypt_json(&other, &pair.decryption, &mut System);
            assert_eq!(code(touched), "cannot_decrypt");
        }
    }
}

/// JO-45: agreement on every curve, with `apu` and `apv`; `epk` differs for every token.
#[test]
fn agreement_on_every_curve() {
    for kind in [
        KeyKind::Ec(EcCurve::P256),
        KeyKind::Ec(EcCurve::P384),
        KeyKind::Ec(EcCurve::P521),
        KeyKind::Okp(OkpCurve::X25519),
    ] {
        for name in ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"] {
            let pair = Pair::of(key_row(name), &PrivateJwk::generate(kind, &mut System).unwrap());
            let options = EncryptionOptions { apu: b"Alice".to_vec(), apv: b"Bob".to_vec(), ..Default::default() };
            let seal = || encrypt(&pair, enc_row("A128CBC-HS256"), PLAINTEXT, options.clone()).unwrap();
            let (first, second) = (seal(), seal());
            assert_eq!(decrypt(&pair, enc_row("A128CBC-HS256"), &first).unwrap(), PLAINTEXT);
            assert_ne!(header_of(&first).get("epk"), header_of(&second).get("epk"));
            assert_eq!(text(&header_of(&first), "apu"), "QWxpY2U");
        }
    }
}

fn header_of(token: &str) -> Object {
    let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
    object(std::str::from_utf8(&header).unwrap())
}

/// JO-03: RFC 7516 appendix A and RFC 7520 section 5 are read, in each serialization they have.
#[test]
fn rfc_vectors_are_read() {
    let encs: Vec<_> = ContentEncryption::ALL.iter().collect();
    let rows: Vec<_> = KeyAlgorithm::ALL.iter().collect();
    let reader = Decrypter::new(&rows, &encs).unwrap().allowing_zip();
    for vector in vectors(include_str!("../vectors/rfc7516.json")) {
        let jwk = private(&json_of(vector.get("jwk").unwrap()));
        let keys = keys_of(&jwk);
        let read = match vector.get("json").and_then(Value::as_text) {
            Some(token) => reader.decrypt_json(token, DecryptionKeys::Set(&keys), &mut System),
            None => reader.decrypt(text(&vector, "token"), DecryptionKeys::Set(&keys), &mut System),
        };
        assert_eq!(
            read.ok().unwrap().plaintext.as_slice(),
            text(&vector, "plaintext").as_bytes(),
            "{}",
            text(&vector, "section")
        );
    }
    let cookbook = vectors(include_str!("../vectors/rfc7520.json"));
    let jwes: Vec<_> = cookbook.iter().filter(|vector| text(vector, "kind") == "jwe").collect();
    assert_eq!(jwes.len(), 12);
    for vector in jwes {
        let keys = match vector.get("password").and_then(Value::as_text) {
            Some(password) => password_keys(password),
            None => keys_of(&private(&json_of(&vector.get("keys").unwrap().as_array().unwrap()[0]))),
        };
        for (form, token) in vector.get("forms").unwrap().as_object().unwrap().iter() {
            let token = token.as_text().unwrap();
            let read = match form {
                "compact" => reader.decrypt(token, DecryptionKeys::Set(&keys), &mut System),
                _ => reader.decrypt_json(token, DecryptionKeys::Set(&keys), &mut System),
            };
            let read = read.unwrap_or_else(|error| panic!("{} {form}: {error}", text(vector, "section")));
            assert_eq!(*read.plaintext, octets(vector, "payload"), "{} {form}", text(vector, "section"));
        }
    }
}

/// A key for every algorithm that the JWK fits.
fn keys_of(jwk: &PrivateJwk) -> Vec<DecryptionKey> {
    KeyAlgorithm::ALL.iter().filter_map(|row| DecryptionKey::new(row, jwk, all_switches()).ok()).collect()
}

fn password_keys(password: &str) -> Vec<DecryptionKey> {
    KeyAlgorithm::ALL
        .iter()
        .filter_map(|row| DecryptionKey::from_password(row, password.as_bytes(), all_switches()).ok())
        .collect()
}

/// JO-07, JO-12, JO-43: grade O names and `zip` wait for their switch, on both sides; the refusal names it.
#[test]
fn opt_in_algorithms_wait_for_their_switch() {
    for algorithm in KeyAlgorithm::ALL {
        let Grade::OptIn(switch) = algorithm.grade else { continue };
        let jwk = jwk_for(algorithm, enc_row("A256GCM"), EcCurve::P256);
        let refusals = if algorithm.key == KeyShape::Password {
            [
                EncryptionKey::from_password(algorithm, b"x", Switches::NONE).err(),
                DecryptionKey::from_password(algorithm, b"x", Switches::NONE).err(),
            ]
        } else {
            [
                EncryptionKey::from_secret(algorithm, &jwk, Switches::NONE).err(),
                DecryptionKey::new(algorithm, &jwk, Switches::NONE).err(),
            ]
        };
        for refusal in refusals {
            let refusal = refusal.unwrap();
            assert_eq!(refusal.code(), "not_allowed");
            assert!(refusal.to_string().contains(switch.name()), "{refusal}");
        }
    }
    let pair = Pair::new(key_row("A128KW"), enc_row("A128GCM"));
    let zip = EncryptionOptions { zip: true, ..Default::default() };
    let plan = EncryptionPlan::new(
        &pair.encryption,
        enc_row("A128GCM"),
        &HeaderPlan::encrypted(),
        zip,
        Switches::NONE.with(Switch::Pbes2),
    );
    assert_eq!(code(plan), "not_allowed");
}

/// JO-12: PBES2 writes 8 192 rounds.
#[test]
fn pbes2_writes_its_count() {
    let pair = Pair::new(key_row("PBES2-HS256+A128KW"), enc_row("A128GCM"));
    let token = encrypt(&pair, enc_row("A128GCM"), PLAINTEXT, EncryptionOptions::default()).unwrap();
    assert_eq!(header_of(&token).get("p2c").unwrap().as_number(), Some("8192"));
    assert_eq!(octets(&header_of(&token), "p2s").len(), 16);
}

/// JO-43, B-23, B-24, SE-46: `zip` is read with the switch alone; a bomb stops at the bound.
#[test]
fn compression_is_bounded() {
    let (enc, pair) = (enc_row("A256GCM"), shared_pair());
    let zip = || EncryptionOptions { zip: true, ..Default::default() };
    let full = vec![b'a'; INFLATED_BYTES_MAX];
    let token = encrypt(&pair, enc, &full, zip()).unwrap();
    assert_eq!(code(decrypt(&pair, enc, &token)), "not_allowed");
    let open = |token: &str| reader(&pair, enc).allowing_zip().decrypt(token, &pair.decryption, &mut System);
    assert_eq!(*open(&token).ok().unwrap().plaintext, full);
    assert_eq!(code(encrypt(&pair, enc, &vec![b'a'; INFLATED_BYTES_MAX + 1], zip())), "too_large");
    let zipped = |plaintext: &[u8]| by_hand(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#, plaintext);
    let deflate = |octets: usize| miniz_oxide::deflate::compress_to_vec(&vec![0; octets], 9);
    assert_eq!(code(open(&zipped(&deflate(INFLATED_BYTES_MAX)))), "accepted");
    assert_eq!(code(open(&zipped(&deflate(INFLATED_BYTES_MAX + 1)))), "too_large");
    assert_eq!(code(open(&zipped(&deflate(40_000_000)))), "too_large");
    assert_eq!(code(open(&zipped(&[0xFF; 50]))), "malformed");
    for other in [r#""GZ""#, "null", "true"] {
        let token = by_hand(&format!(r#"{{"alg":"dir","enc":"A256GCM","zip":{other}}}"#), b"x");
        assert_eq!(code(open(&token)), "header", "{other}");
    }
}

const KNOWN_OCTETS: [u8; 32] = [9; 32];

/// A `dir` key whose octets the tests know.
fn shared_pair() -> Pair {
    Pair::of(key_row("dir"), &PrivateJwk::from_octets(&KNOWN_OCTETS).unwrap())
}

/// A token under that key and A256GCM whose header is written by hand.
fn by_hand(header: &str, plaintext: &[u8]) -> String {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let header = base64url::encode(header.as_bytes());
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &KNOWN_OCTETS).unwrap());
    let mut text = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key([5; 12]);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut text).unwrap();
    [&header, "", &base64url::encode(&[5; 12]), &base64url::encode(&text), &base64url::encode(tag.as_ref())].join(".")
}

/// The same with A128CBC-HS256, padding included in `padded`.
fn cbc_by_hand(padded: &[u8]) -> String {
    use aws_lc_rs::{
        cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey},
        hmac,
        iv::FixedLength,
    };
    let header = base64url::encode(br#"{"alg":"dir","enc":"A128CBC-HS256"}"#);
    let (mac, aes) = KNOWN_OCTETS.split_at(16);
    let mut text = padded.to_vec();
    let key = EncryptingKey::cbc(UnboundCipherKey::new(&AES_128, aes).unwrap()).unwrap();
    if padded.len().is_multiple_of(16) {
        key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(FixedLength::from(&[5; 16]))).unwrap();
    }
    let bits = (header.len() as u64 * 8).to_be_bytes();
    let covered = [header.as_bytes(), &[5; 16], &text, &bits].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, mac), &covered);
    [&header, "", &base64url::encode(&[5; 16]), &base64url::encode(&text), &base64url::encode(&tag.as_ref()[..16])]
        .join(".")
}

/// `token` with its part `index` exchanged.
fn with_part(token: &str, index: usize, octets: &[u8]) -> String {
    let part = base64url::encode(octets);
    let parts: Vec<&str> =
        token.split('.').enumerate().map(|(at, old)| if at == index { part.as_str() } else { old }).collect();
    parts.join(".")
}

fn part(token: &str, index: usize) -> Vec<u8> {
    base64url::decode(token.split('.').nth(index).unwrap()).unwrap()
}

/// JO-53, B-16 to B-20: every touched, shortened or lengthened part gives one and the same answer.
#[test]
fn every_fault_is_one_answer() {
    let algorithms = KeyAlgorithm::ALL.iter().filter(|row| row.key != KeyShape::Password);
    for (algorithm, enc) in algorithms.flat_map(|row| [(row, enc_row("A128CBC-HS256")), (row, enc_row("A256GCM"))]) {
        let pair = Pair::new(algorithm, enc);
        let token = encrypt(&pair, enc, PLAINTEXT, EncryptionOptions::default()).unwrap();
        let has_key = !part(&token, 1).is_empty();
        for index in if has_key { 1..5 } else { 2..5 } {
            let good = part(&token, index);
            let mut flipped = good.clone();
            flipped[0] ^= 1;
            let mut last = good.clone();
            *last.last_mut().unwrap() ^= 0x80;
            let longer = [&good[..], &[0; 8]].concat();
            let doubled = [&good[..], &good[..]].concat();
            for bad in [
                &flipped[..],
                &last,
                &good[1..],
                &good[..good.len() - 1],
                &good[..good.len() / 2],
                &longer,
                &doubled,
                &[],
                &[1],
            ] {
                let outcome = decrypt(&pair, enc, &with_part(&token, index, bad));
                assert_eq!(outcome, Err(Error::CannotDecrypt), "{algorithm} {enc} part {index}, {} octets", bad.len());
            }
        }
        let other = Pair::new(algorithm, enc);
        if algorithm.key != KeyShape::Rsa {
            assert_eq!(decrypt(&other, enc, &token), Err(Error::CannotDecrypt), "{algorithm}");
        }
    }
}

/// B-18: a right MAC over wrong padding, over no whole blocks, over nothing.
#[test]
fn padding_faults_are_the_same_answer() {
    let (pair, enc) = (shared_pair(), enc_row("A128CBC-HS256"));
    assert_eq!(decrypt(&pair, enc, &cbc_by_hand(&[16; 16])).unwrap(), b"");
    for padded in [&[0; 16][..], &[17; 16], &[2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2], &[1; 15], &[1; 17], &[]]
    {
        assert_eq!(decrypt(&pair, enc, &cbc_by_hand(padded)), Err(Error::CannotDecrypt), "{padded:?}");
    }
}

/// B-16: a CEK of the wrong length inside a sound encrypted key.
#[test]
fn a_cek_of_the_wrong_length() {
    for name in ["A128KW", "RSA-OAEP-256", "RSA1_5", "A128GCMKW", "ECDH-ES+A128KW"] {
        let pair = Pair::new(key_row(name), enc_row("A128GCM"));
        let token = encrypt(&pair, enc_row("A128GCM"), PLAINTEXT, EncryptionOptions::default()).unwrap();
        let header = String::from_utf8(part(&token, 0)).unwrap().replace("A128GCM\"", "A256GCM\"");
        let token = with_part(&token, 0, header.as_bytes());
        assert_eq!(decrypt(&pair, enc_row("A256GCM"), &token), Err(Error::CannotDecrypt), "{name}");
    }
}

/// B-13 to B-15, B-17, B-21, B-32, SE-43, SE-47, SE-48: broken members of the header. Had a refused `p2c` been
/// derived, this test would take hours.
#[test]
fn broken_header_members() {
    let epk = |x: &str| {
        format!(r#""epk":{{"kty":"EC","crv":"P-256","x":"{x}","y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"}}"#)
    };
    let good_x = "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ";
    let p384 = PrivateJwk::generate(KeyKind::Ec(EcCurve::P384), &mut System).unwrap().public().unwrap().to_json();
    let salt = r#""p2s":"AAAAAAAAAAAAAAAAAAAAAA""#;
    let ecdh = "ECDH-ES+A128KW";
    let pbes2 = "PBES2-HS256+A128KW";
    let long_salt = format!(r#""p2s":"{}","p2c":1000"#, base64url::encode(&[0; 65]));
    let cases: Vec<(&str, String, &str)> = vec![
        (ecdh, epk("AAAAy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"), "cannot_decrypt"),
        (ecdh, epk(good_x).replace(good_x, "AAAA"), "cannot_decrypt"),
        (ecdh, format!(r#""epk":{p384}"#), "cannot_decrypt"),
        (ecdh, r#""x":1"#.into(), "header"),
        (ecdh, r#""epk":[]"#.into(), "header"),
        (ecdh, r#""epk":{"kty":"oct","k":"AAAA"}"#.into(), "header"),
        (ecdh, epk(good_x).replace("{", r#"{"d":"AAAA","#), "header"),
        (ecdh, format!(r#"{},"apu":"!""#, epk(good_x)), "header"),
        (ecdh, format!(r#"{},"apv":5"#, epk(good_x)), "header"),
        (ecdh, format!(r#"{},"apv":"{}""#, epk(good_x), "A".repeat(1_000_000)), "too_large"),
        ("A128GCMKW", r#""iv":"","tag":"AAAAAAAAAAAAAAAAAAAAAA""#.into(), "header"),
        ("A128GCMKW", r#""iv":"AAAAAAAAAAAAAAA","tag":"AAAAAAAAAAAAAAAAAAAAAA""#.into(), "header"),
        ("A128GCMKW", r#""iv":"AAAAAAAAAAAAAAAA","tag":"AAAAAAAAAAAAAAAAAAAA""#.into(), "header"),
        ("A128GCMKW", r#""iv":"AAAAAAAAAAAAAAAA""#.into(), "header"),
        ("A128GCMKW", r#""iv":"AAAAAAAAAAAAAAAA","tag":"AAAAAAAAAAAAAAAAAAAAAA""#.into(), "cannot_decrypt"),
        (pbes2, format!(r#"{salt},"p2c":2147483648"#), "header"),
        (pbes2, format!(r#"{salt},"p2c":1000000000"#), "header"),
        (pbes2, format!(r#"{salt},"p2c":-1"#), "header"),
        (pbes2, format!(r#"{salt},"p2c":1.5"#), "header"),
        (pbes2, format!(r#"{salt},"p2c":"1000""#), "header"),
        (pbes2, salt.into(), "header"),
        (pbes2, format!(r#"{salt},"p2c":1"#), "header"),
        (pbes2, format!(r#"{salt},"p2c":999"#), "header"),
        (pbes2, format!(r#"{salt},"p2c":1000"#), "cannot_decrypt"),
        (pbes2, format!(r#"{salt},"p2c":10000"#), "cannot_decrypt"),
        (pbes2, format!(r#"{salt},"p2c":10001"#), "header"),
        (pbes2, r#""p2s":"AAAAAAAAAA","p2c":1000"#.into(), "header"),
        (pbes2, long_salt, "header"),
        (pbes2, r#""p2c":1000"#.into(), "header"),
    ];
    for (name, members, expected) in cases {
        let pair = Pair::new(key_row(name), enc_row("A128GCM"));
        let header = format!(r#"{{"alg":"{name}","enc":"A128GCM",{members}}}"#);
        let token = format!(
            "{}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA",
            base64url::encode(header.as_bytes())
        );
        assert_eq!(
            code(decrypt(&pair, enc_row("A128GCM"), &token)),
            expected,
            "{name} {}",
            &members[..members.len().min(80)]
        );
    }
    let token = |header: &str| format!("{}.AA.AA.AA.AA", base64url::encode(header.as_bytes()));
    let pair = Pair::new(key_row("A128KW"), enc_row("A128GCM"));
    for (header, expected) in [
        (r#"{"alg":"HPKE-0","enc":"A128GCM"}"#, "unsupported"),
        (r#"{"alg":"A128KW"}"#, "header"),
        (r#"{"enc":"A128GCM"}"#, "header"),
        (r#"{"alg":"A129KW","enc":"A128GCM"}"#, "unsupported"),
        (r#"{"alg":"A128KW","enc":"a128gcm"}"#, "unsupported"),
        (r#"{"alg":"none","enc":"A128GCM"}"#, "not_allowed"),
        (r#"{"alg":"A256KW","enc":"A128GCM"}"#, "not_allowed"),
        (r#"{"alg":"A128KW","enc":"A256GCM"}"#, "not_allowed"),
        (r#"{"alg":"A128KW","enc":"A128GCM","crit":["x"],"x":1}"#, "critical"),
    ] {
        assert_eq!(code(decrypt(&pair, enc_row("A128GCM"), &token(header))), expected, "{header}");
    }
}

/// B-15: `dir` and `ECDH-ES` with an encrypted key; B-31: three parts where five belong.
#[test]
fn parts_that_do_not_belong() {
    for name in ["dir", "ECDH-ES"] {
        let pair = Pair::new(key_row(name), enc_row("A128GCM"));
        let token = encrypt(&pair, enc_row("A128GCM"), PLAINTEXT, EncryptionOptions::default()).unwrap();
        assert_eq!(code(decrypt(&pair, enc_row("A128GCM"), &with_part(&token, 1, &[1]))), "malformed");
    }
    let pair = shared_pair();
    for token in ["", "....", ".....", "a.b.c", "a.b.c.d", "e30.AA.AA.AA.!", "{}"] {
        assert!(matches!(code(decrypt(&pair, enc_row("A256GCM"), token)), "malformed" | "header"), "{token}");
    }
    assert_eq!(code(decrypt(&pair, enc_row("A256GCM"), &"a".repeat(65_537))), "too_large");
}

/// X25519 with a peer of low order agrees on nothing (B-13, SE-43).
#[test]
fn low_order_points_agree_on_nothing() {
    let pair =
        Pair::of(key_row("ECDH-ES"), &PrivateJwk::generate(KeyKind::Okp(OkpCurve::X25519), &mut System).unwrap());
    for x in [
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA",
    ] {
        let header = format!(r#"{{"alg":"ECDH-ES","enc":"A128GCM","epk":{{"kty":"OKP","crv":"X25519","x":"{x}"}}}}"#);
        let token = format!("{}..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA", base64url::encode(header.as_bytes()));
        assert_eq!(decrypt(&pair, enc_row("A128GCM"), &token), Err(Error::CannotDecrypt), "{x}");
    }
}

/// JO-56, SE-36: of every algorithm against every kind of key only the fitting pairs work; a password is no key.
#[test]
fn only_fitting_pairs_work() {
    let kinds = [
        KeyKind::Oct(16),
        KeyKind::Oct(24),
        KeyKind::Oct(32),
        KeyKind::Oct(48),
        KeyKind::Oct(33),
        KeyKind::Ec(EcCurve::P256),
        KeyKind::Ec(EcCurve::Secp256k1),
        KeyKind::Okp(OkpCurve::X25519),
        KeyKind::Okp(OkpCurve::Ed25519),
    ];
    let mut jwks: Vec<(String, PrivateJwk)> =
        kinds.iter().map(|kind| (format!("{kind:?}"), PrivateJwk::generate(*kind, &mut System).unwrap())).collect();
    jwks.push(("Rsa".into(), private(&rsa_2048())));
    for algorithm in KeyAlgorithm::ALL {
        for (name, jwk) in &jwks {
            let fits = match (algorithm.family, jwk.shape()) {
                (KeyFamily::Rsa1_5 | KeyFamily::RsaOaep(_), shape) => shape == KeyShape::Rsa,
                (KeyFamily::AesKw(size) | KeyFamily::AesGcmKw(size), shape) => {
                    shape == KeyShape::OctExact(size.octets())
                }
                (KeyFamily::Direct, KeyShape::OctExact(octets)) => octets != 33,
                (KeyFamily::EcdhEs(_), shape) => {
                    matches!(shape, KeyShape::Ec(EcCurve::P256) | KeyShape::Okp(OkpCurve::X25519))
                }
                (KeyFamily::Direct | KeyFamily::Pbes2(..), _) => false,
            };
            let expected = if fits { "accepted" } else { "key_unfit" };
            assert_eq!(code(DecryptionKey::new(algorithm, jwk, all_switches())), expected, "{algorithm} {name}");
            assert_eq!(
                code(EncryptionKey::from_secret(algorithm, jwk, all_switches())),
                expected,
                "{algorithm} {name}"
            );
        }
        let password = DecryptionKey::from_password(algorithm, b"secret", all_switches());
        assert_eq!(code(password), if algorithm.key == KeyShape::Password { "accepted" } else { "key_unfit" });
    }
    assert_eq!(code(EncryptionKey::from_password(key_row("PBES2-HS256+A128KW"), b"", all_switches())), "key_invalid");
}

/// JO-33, B-22, B-29 to B-31, JO-57: general JSON to several recipients, and its broken forms.
#[test]
fn general_serialization() {
    let enc = enc_row("A256GCM");
    let names = ["RSA-OAEP-256", "A128KW", "ECDH-ES+A256KW", "A192GCMKW", "PBES2-HS256+A128KW"];
    let pairs: Vec<Pair> = names.iter().map(|name| Pair::new(key_row(name), enc)).collect();
    let write = |keys: &[&EncryptionKey]| {
        let mut out = Vec::new();
        encrypt_general(keys, enc, None, PLAINTEXT, &mut System, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    let keys: Vec<&EncryptionKey> = pairs.iter().map(|pair| &pair.encryption).collect();
    let token = write(&keys).unwrap();
    let read = |pair: &Pair, token: &str| -> Result<Decrypted, Error> {
        reader(pair, enc).decrypt_json(token, &pair.decryption, &mut System)
    };
    for (index, pair) in pairs.iter().enumerate() {
        let found = read(pair, &token).unwrap_or_else(|error| panic!("{}: {error}", names[index]));
        assert_eq!((found.recipient_index, found.plaintext.as_slice()), (index, PLAINTEXT));
    }
    assert_eq!(code(write(&[])), "malformed");
    assert_eq!(code(write(&[&shared_pair().encryption])), "key_unfit");
    let many = vec![keys[1]; RECIPIENTS_MAX];
    assert_eq!(code(read(&pairs[1], &write(&many).unwrap())), "accepted");
    assert_eq!(code(write(&[keys[1]; RECIPIENTS_MAX + 1])), "too_large");
    let members = object(&token);
    let recipients = json_of(members.get("recipients").unwrap());
    let recipient = json_of(&members.get("recipients").unwrap().as_array().unwrap()[1]);
    let with = |new: &str| token.replace(&recipients, new);
    assert_eq!(code(read(&pairs[1], &with("[]"))), "malformed");
    assert_eq!(code(read(&pairs[1], &with("[1]"))), "malformed");
    assert_eq!(code(read(&pairs[1], &with(&format!("[{}]", vec![recipient.as_str(); 17].join(","))))), "too_large");
    assert_eq!(code(read(&pairs[1], &token.replacen('{', r#"{"encrypted_key":"AA","#, 1))), "malformed");
    assert_eq!(code(read(&pairs[1], &token.replacen('{', r#"{"unprotected":{"enc":"A256GCM"},"#, 1))), "header");
    assert_eq!(code(read(&pairs[1], &token.replacen('{', r#"{"unprotected":{"zip":"DEF"},"#, 1))), "header");
    assert_eq!(code(read(&pairs[1], &token.replacen('{', r#"{"unprotected":{"crit":["x"]},"#, 1))), "critical");
    assert_eq!(code(read(&pairs[1], &token.replacen(r#""ciphertext""#, r#""text""#, 1))), "malformed");
    let pbes2 = r#"{"header":{"alg":"PBES2-HS256+A128KW","p2s":"AAAAAAAAAAAAAAAAAAAAAA","p2c":5001},"encrypted_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    assert_eq!(code(read(&pairs[4], &with(&format!("[{pbes2},{pbes2}]")))), "too_large");
}

/// JO-46: of 10 000 encryptions under one key no initialization vector and no encrypted key repeats.
#[test]
fn nothing_drawn_repeats() {
    let pair = Pair::new(key_row("A128KW"), enc_row("A128GCM"));
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let token = encrypt(&pair, enc_row("A128GCM"), b"", EncryptionOptions::default()).unwrap();
        assert!(seen.insert(part(&token, 1)) && seen.insert(part(&token, 2)));
    }
}

/// JO-50, B-58: with a recorded source everything that draws from it alone repeats; a broken source gives no token.
#[test]
fn tokens_come_from_the_source_handed_in() {
    for algorithm in KeyAlgorithm::ALL.iter().filter(|row| row.key != KeyShape::Rsa) {
        let pair = Pair::new(algorithm, enc_row("A256GCM"));
        let plan = EncryptionPlan::new(
            &pair.encryption,
            enc_row("A256GCM"),
            &HeaderPlan::encrypted(),
            EncryptionOptions::default(),
            all_switches(),
        )
        .unwrap();
        let seal = |random: &mut dyn jose::Random| {
            let mut out = Vec::new();
            let outcome = plan.encrypt_compact(&pair.encryption, PLAINTEXT, random, &mut out);
            outcome.map(|()| out)
        };
        let recorded = || seal(&mut crate::support::Recorded(3)).unwrap();
        assert_eq!(recorded(), recorded(), "{algorithm}");
        assert_eq!(code(seal(&mut crate::support::Broken)), "random", "{algorithm}");
    }
}

/// JO-25: the `kid` of the key stands in the header, and chooses among keys.
#[test]
fn kid_chooses_the_key() {
    let enc = enc_row("A128GCM");
    let pairs: Vec<Pair> = (0..3)
        .map(|index| {
            let jwk = jwk_for(key_row("A128KW"), enc, EcCurve::P256);
            let json = private_json(&jwk).replacen('{', &format!(r#"{{"kid":"k{index}","#), 1);
            Pair::of(key_row("A128KW"), &private(&json))
        })
        .collect();
    let token = encrypt(&pairs[2], enc, PLAINTEXT, EncryptionOptions::default()).unwrap();
    let keys: Vec<DecryptionKey> = pairs.into_iter().map(|pair| pair.decryption).collect();
    let reader = Decrypter::new(&[key_row("A128KW")], &[enc]).unwrap();
    assert_eq!(reader.decrypt(&token, DecryptionKeys::Set(&keys), &mut System).ok().unwrap().key_index, 2);
    assert_eq!(code(reader.decrypt(&token, DecryptionKeys::Set(&keys[..2]), &mut System)), "no_key");
    assert_eq!(code(Decrypter::new(&[], &[enc])), "not_allowed");
    assert_eq!(code(Decrypter::new(&[key_row("A128KW")], &[])), "not_allowed");
}
