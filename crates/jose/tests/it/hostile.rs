//! Octets of an enemy: nothing panics, and what is read was written by somebody who had the key.

use jose::{
    DecryptionKey, EncryptionKey, PrivateJwk, VerifyingKey,
    json::{Limits, Value, write_value},
    jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, Switches},
    jwe::{Decrypter, EncryptionOptions, EncryptionPlan},
    jwk::{Jwk, JwkSet},
    jws::{HeaderPlan, Verifier},
    jwt::NumericDate,
    peek,
};
use proptest::prelude::*;

use crate::support::{System, private, row, rsa_2048, signed, signer, verifier};

/// A text with some of its octets exchanged, cut or repeated.
fn mutated(text: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let text = text.as_bytes().to_vec();
    let length = text.len();
    let change = (0..length, any::<u8>(), 0..4_u8);
    proptest::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut out = text.clone();
        for (at, octet, kind) in changes {
            let at = at.min(out.len().saturating_sub(1));
            match kind {
                0 if !out.is_empty() => out[at] = octet,
                1 => out.insert(at, octet),
                2 if !out.is_empty() => drop(out.remove(at)),
                _ => out.truncate(at + 1),
            }
        }
        out
    })
}

fn seeds() -> Vec<String> {
    let rsa = private(&rsa_2048());
    vec![
        rsa_2048(),
        rsa.to_pem(jose::KeyForm::Pkcs8).unwrap().to_string(),
        rsa.to_pem(jose::KeyForm::Pkcs1).unwrap().to_string(),
        format!(r#"{{"keys":[{}]}}"#, rsa.public().unwrap().to_json()),
        r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","key_ops":["sign"],"x5c":["AAAA"]}"#.into(),
    ]
}

fn kw() -> &'static KeyAlgorithm {
    KeyAlgorithm::by_name("A128KW").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// No import panics, whatever it is given.
    #[test]
    fn imports_never_panic(octets in prop::sample::select(seeds()).prop_flat_map(|seed| mutated(&seed))) {
        let _ = Jwk::import(&octets);
        let _ = Jwk::from_der(&octets);
        let _ = Jwk::from_pem(&octets);
        let _ = JwkSet::parse(&octets);
    }

    /// DER with any of its octets changed is refused or another key, without a panic.
    #[test]
    fn der_never_panics(at in 0..2_000_usize, octet in any::<u8>(), cut in 0..2_000_usize) {
        let rsa = private(&rsa_2048());
        for der in [rsa.to_der(jose::KeyForm::Pkcs8).unwrap().to_vec(), rsa.public().unwrap().to_der(jose::KeyForm::Spki).unwrap()] {
            let mut der = der;
            let place = at % der.len();
            der[place] = octet;
            let _ = Jwk::from_der(&der);
            let _ = Jwk::from_der(&der[..cut % der.len()]);
        }
    }

    /// What is read as JSON is written and read again as the same.
    #[test]
    fn json_survives(octets in prop::sample::select(seeds()).prop_flat_map(|seed| mutated(&seed))) {
        if let Ok(value) = Value::parse(&octets, Limits::REQUEST) {
            let mut written = Vec::new();
            write_value(&mut written, &value);
            prop_assert_eq!(Value::parse(&written, Limits::REQUEST).unwrap(), value);
        }
    }

    /// A touched token is refused, unless it is the same token after all.
    #[test]
    fn touched_tokens_are_refused(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let jwk = PrivateJwk::from_octets(&[7; 32]).unwrap();
        let key = verifier("HS256", &jwk);
        let good = signed(&signer("HS256", &jwk), b"{\"a\":1}");
        let mut touched = good.clone().into_bytes();
        let place = at.index(touched.len());
        touched[place] = octet;
        if let Ok(token) = String::from_utf8(touched) {
            let read = Verifier::new(&[row("HS256")]).unwrap().verify(&token, &key);
            prop_assert_eq!(read.is_ok(), token == good);
            let _ = peek(&token);
        }
    }

    /// The same of encrypted tokens, compact and in JSON.
    #[test]
    fn touched_encrypted_tokens_are_refused(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let jwk = PrivateJwk::from_octets(&[7; 16]).unwrap();
        let enc = ContentEncryption::by_name("A128CBC-HS256").unwrap();
        let key = EncryptionKey::from_secret(kw(), &jwk, Switches::NONE).ok().unwrap();
        let open = DecryptionKey::new(kw(), &jwk, Switches::NONE).ok().unwrap();
        let reader = Decrypter::new(&[kw()], &[enc]).unwrap();
        let plan = EncryptionPlan::new(&key, enc, &HeaderPlan::encrypted(), EncryptionOptions::default(), Switches::NONE).unwrap();
        let (mut compact, mut flattened) = (Vec::new(), Vec::new());
        plan.encrypt_compact(&key, b"plaintext", &mut System, &mut compact).unwrap();
        plan.encrypt_flattened(&key, b"plaintext", None, &mut System, &mut flattened).unwrap();
        let mut touched = compact.clone();
        let place = at.index(touched.len());
        touched[place] = octet;
        if let Ok(token) = std::str::from_utf8(&touched) {
            prop_assert_eq!(reader.decrypt(token, &open, &mut System).is_ok(), touched == compact);
        }
        let place = at.index(flattened.len());
        flattened[place] = octet;
        if let Ok(token) = std::str::from_utf8(&flattened) {
            let _ = reader.decrypt_json(token, &open, &mut System);
        }
    }

    /// NumericDates of every text are read or refused, and ordered as their numbers are.
    #[test]
    fn dates_are_ordered_as_numbers(left in 0..9_007_199_254_740_991_u64, right in 0..9_007_199_254_740_991_u64, text in "[-+0-9eE.]{0,12}") {
        let date = |secs: u64| NumericDate::parse(&secs.to_string()).unwrap();
        prop_assert_eq!(date(left).cmp(&date(right)), left.cmp(&right));
        let _ = NumericDate::parse(&text);
    }

    /// Random texts are no tokens.
    #[test]
    fn noise_is_no_token(parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 3..6)) {
        let rows: Vec<_> = SignatureAlgorithm::ALL.iter().collect();
        let jwk = PrivateJwk::from_octets(&[7; 32]).unwrap();
        let key = VerifyingKey::from_private(row("HS256"), &jwk, Switches::NONE).ok().unwrap();
        prop_assert!(Verifier::new(&rows).unwrap().verify(&parts.join("."), &key).is_err());
    }
}
