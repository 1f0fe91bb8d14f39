//! Keys: read in every form, refused when they are wrong, never shown.

use jose::{
    KeyForm, KeyKind, PrivateJwk, RsaBits, SecretForm, SigningKey, VerifyingKey, base64url,
    jwa::{EcCurve, MlDsaSet, OkpCurve, Switch, Switches},
    jwk::{Jwk, JwkSet, KeyParameters, PublicJwk},
};

use crate::support::{
    System, all_switches, code, json_of, new_rsa, private, private_json, public_verifier, row, rsa_2048, text, vectors,
};

const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn kinds() -> Vec<KeyKind> {
    let ec = EcCurve::ALL.map(KeyKind::Ec);
    let akp = MlDsaSet::ALL.map(KeyKind::Akp);
    let mut kinds = vec![
        KeyKind::Oct(32),
        KeyKind::Rsa(RsaBits::Bits2048),
        KeyKind::Okp(OkpCurve::Ed25519),
        KeyKind::Okp(OkpCurve::X25519),
    ];
    kinds.extend(ec);
    kinds.extend(akp);
    kinds
}

/// JO-03, JO-24: RFC 7638 section 3.1 and RFC 8037 appendix A.3, and RFC 9278's form.
#[test]
fn thumbprints() {
    let rsa = PublicJwk::parse(br#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#).unwrap();
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(
        rsa.thumbprint_uri(),
        "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(rsa.kid_or_thumbprint(), "2011-04-29");
    let okp = private(ED25519).public().unwrap();
    assert_eq!(okp.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// JO-16, JO-26, JO-24: a new key of every kind passes its own import in each form it has, with the same thumbprint.
#[test]
fn every_kind_round_trips_in_every_form() {
    for kind in kinds() {
        let jwk = PrivateJwk::generate(kind, &mut System).unwrap();
        let json = private_json(&jwk);
        assert_eq!(private_json(&private(&json)), json, "{kind:?}");
        let Some(public) = jwk.public() else { continue };
        assert_eq!(PublicJwk::parse(public.to_json().as_bytes()).unwrap(), public);
        for form in [KeyForm::Pkcs8, KeyForm::Pkcs1, KeyForm::Sec1, KeyForm::Spki] {
            let fits_private = match form {
                KeyForm::Pkcs8 => true,
                KeyForm::Pkcs1 => matches!(kind, KeyKind::Rsa(_)),
                KeyForm::Sec1 => matches!(kind, KeyKind::Ec(_)),
                KeyForm::Spki => false,
            };
            let fits_public = form == KeyForm::Spki || (form == KeyForm::Pkcs1 && fits_private);
            let written = jwk.to_der(form).map(|der| (Jwk::from_der(&der), Jwk::import(&der)));
            assert_eq!(written.is_ok(), fits_private, "{kind:?} {form:?}");
            for read in written
                .into_iter()
                .flat_map(|(a, b)| [a, b])
                .chain(jwk.to_pem(form).map(|pem| Jwk::import(pem.as_bytes())))
            {
                let Jwk::Private(read) = read.unwrap() else { panic!("public") };
                assert_eq!(private_json(&read), json, "{kind:?} {form:?}");
            }
            let written = public.to_der(form).map(|der| Jwk::from_der(&der));
            assert_eq!(written.is_ok(), fits_public, "{kind:?} {form:?}");
            for read in written.into_iter().chain(public.to_pem(form).map(|pem| Jwk::from_pem(pem.as_bytes()))) {
                assert_eq!(read.unwrap().public().unwrap().thumbprint(), public.thumbprint(), "{kind:?} {form:?}");
            }
        }
    }
}

/// JO-32: CRLF, text before the block and blocks that hold no key are passed over; two keys in one file are refused.
#[test]
fn pem_as_people_keep_it() {
    let jwk = private(&rsa_2048());
    let pem = jwk.to_pem(KeyForm::Pkcs8).unwrap();
    let other = private(ED25519).to_pem(KeyForm::Pkcs8).unwrap();
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    for text in [
        pem.replace('\n', "\r\n"),
        format!("Bag Attributes\n  x: y\n{}", *pem),
        format!("{parameters}{}", *pem),
        format!("  {}\n\n", *pem),
    ] {
        assert_eq!(
            Jwk::from_pem(text.as_bytes()).unwrap().public().unwrap().thumbprint(),
            jwk.public().unwrap().thumbprint()
        );
    }
    assert_eq!(code(Jwk::from_pem(format!("{}{}", *pem, *other).as_bytes())), "key_invalid");
    assert_eq!(code(Jwk::from_pem(b"nothing here")), "key_invalid");
    assert_eq!(code(Jwk::from_pem(pem.replace("-----END", "-----EN").as_bytes())), "key_invalid");
    assert_eq!(code(Jwk::from_pem(pem.replacen("MII", "M!I", 1).as_bytes())), "key_invalid");
    assert_eq!(code(Jwk::from_pem(pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY").as_bytes())), "unsupported");
}

/// JO-17, B-12: an RSA key of `n`, `e` and `d` alone signs the octets of the full key.
#[test]
fn rsa_primes_are_recovered() {
    for jwk in [private(&rsa_2048()), new_rsa(RsaBits::Bits2048)] {
        let full = private_json(&jwk);
        let object = crate::support::object(&full);
        let bare = format!(
            r#"{{"kty":"RSA","n":"{}","e":"{}","d":"{}"}}"#,
            text(&object, "n"),
            text(&object, "e"),
            text(&object, "d")
        );
        let sign = |jwk: &PrivateJwk| {
            let mut out = Vec::new();
            crate::support::signer("RS256", jwk).sign(b"input", &mut out).unwrap();
            out
        };
        assert_eq!(sign(&private(&bare)), sign(&jwk));
    }
}

/// A key that fits nothing is refused at the price of one that does: `n` a prime, a square, a product of three primes, or `d` of
/// another key, each of which every power of every base would go along with or none.
#[test]
#[allow(clippy::disallowed_methods, reason = "a hostile key must not cost more than a second")]
fn what_is_no_product_of_two_primes_is_refused_in_time() {
    use crypto_bigint::{BoxedUint, ConcatenatingMul, NonZero};
    let keys = [(); 2].map(|()| crate::support::object(&private_json(&new_rsa(RsaBits::Bits4096))));
    let number = |octets: &[u8]| BoxedUint::from_be_slice_vartime(octets);
    let member = |key: usize, name: &str| number(&crate::support::octets(&keys[key], name));
    let (one, e) = (number(&[1]), number(&[1, 0, 1]));
    let [p, q, other] = [member(0, "p"), member(0, "q"), member(1, "p")];
    let below = |prime: &BoxedUint| prime.wrapping_sub(&one);
    let inverse = |order: &BoxedUint| {
        let width = order.bits_precision();
        crypto_bigint::Resize::resize(&e, width).invert_mod(&NonZero::new(order.clone()).unwrap()).unwrap()
    };
    let square = p.concatenating_mul(&p);
    let three = p.concatenating_mul(&q).concatenating_mul(&other);
    let order = |primes: [&BoxedUint; 3]| {
        primes.map(below).iter().skip(1).fold(below(primes[0]), |all, next| all.concatenating_mul(next))
    };
    for (what, n, d) in [
        ("prime", p.clone(), inverse(&below(&p))),
        ("square", square, inverse(&below(&p).concatenating_mul(&p))),
        ("three primes", three, inverse(&order([&p, &q, &other]))),
        ("another d", member(0, "n"), member(1, "d")),
        ("d too large by one", member(0, "n"), member(0, "d").wrapping_add(&one)),
        ("no d", member(0, "n"), one.clone()),
    ] {
        let text = |number: &BoxedUint| base64url::encode(&number.to_be_bytes_trimmed_vartime());
        let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB","d":"{}"}}"#, text(&n), text(&d));
        let began = std::time::Instant::now();
        assert_eq!(code(Jwk::parse(jwk.as_bytes())), "key_invalid", "{what}");
        assert!(began.elapsed() < std::time::Duration::from_secs(1), "{what}: {:?}", began.elapsed());
    }
}

/// JO-17: 1 000 keys of random primes factor, and none fails; half of them with `d` modulo each common multiple.
#[test]
fn a_thousand_random_keys_factor() {
    use crypto_bigint::BoxedUint;
    let bits = |octets: &[u8]| BoxedUint::from_be_slice(octets, 2048).unwrap();
    let keys: Vec<_> = (0..23).map(|_| crate::support::object(&private_json(&new_rsa(RsaBits::Bits2048)))).collect();
    let prime = |key: &jose::json::Object, name: &str| bits(&crate::support::octets(key, name));
    let primes: Vec<BoxedUint> = keys.iter().flat_map(|key| [prime(key, "p"), prime(key, "q")]).collect();
    let pairs = (0..primes.len()).flat_map(|first| (first + 1..primes.len()).map(move |second| (first, second)));
    let e = bits(&[1, 0, 1]);
    let one = bits(&[1]);
    let mut factored = 0;
    for (index, (first, second)) in pairs.take(1_000).enumerate() {
        let (p, q) = (&primes[first], &primes[second]);
        let n = p.wrapping_mul(q);
        let phi = p.wrapping_sub(&one).wrapping_mul(q.wrapping_sub(&one));
        // The order of the group is half of it at most: `d` may be taken modulo that, too.
        let order = if index % 2 == 0 { phi } else { phi.shr(1) };
        let d = e.invert_mod(&crypto_bigint::NonZero::new(order).unwrap()).unwrap();
        let member = |number: &BoxedUint| base64url::encode(&number.to_be_bytes_trimmed_vartime());
        let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB","d":"{}"}}"#, member(&n), member(&d));
        let object = crate::support::object(&private_json(&private(&jwk)));
        let found = [prime(&object, "p"), prime(&object, "q")];
        assert!(found.contains(p) && found.contains(q));
        factored += 1;
    }
    assert_eq!(factored, 1_000);
}

/// JO-23, B-11: every private member of an RSA key with one bit flipped, `oth`, and some of the five CRT members.
#[test]
fn mixed_up_rsa_members_are_refused() {
    let full = rsa_2048();
    let object = crate::support::object(&full);
    for member in ["d", "p", "q", "dp", "dq", "qi", "n"] {
        let old = text(&object, member);
        let mut octets = base64url::decode(old).unwrap();
        let middle = octets.len() / 2;
        octets[middle] ^= 0x10;
        let spoiled = full.replace(old, &base64url::encode(&octets));
        assert_eq!(code(Jwk::parse(spoiled.as_bytes())), "key_invalid", "{member}");
        let without = full.replace(&format!("\"{member}\":\"{old}\""), "\"x\":1");
        if !matches!(member, "d" | "n") {
            assert_eq!(code(Jwk::parse(without.as_bytes())), "key_invalid", "without {member}");
        }
    }
    assert_eq!(code(Jwk::parse(full.replacen('{', "{\"oth\":[],", 1).as_bytes())), "key_invalid");
    let bare = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB","d":"AAECAwQF"}}"#, text(&object, "n"));
    assert_eq!(code(Jwk::parse(bare.as_bytes())), "key_invalid");
}

fn rsa_public(bits: usize, e: &[u8]) -> String {
    let mut n = vec![0xFF; bits.div_ceil(8)];
    n[0] = 0xFF >> (n.len() * 8 - bits);
    format!(r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#, base64url::encode(&n), base64url::encode(e))
}

/// JO-19, JO-22, SE-44, B-10: sizes of the modulus, exponents, leading zeros; bits found and allowed are named.
#[test]
fn rsa_sizes_and_exponents() {
    let usable = |json: &str| {
        PublicJwk::parse(json.as_bytes()).and_then(|jwk| VerifyingKey::new(row("RS256"), &jwk, Switches::NONE))
    };
    for bits in [512, 1024, 2047, 8193, 16384] {
        let refusal = usable(&rsa_public(bits, &[1, 0, 1])).err().unwrap();
        assert_eq!(refusal.code(), "key_invalid");
        assert!(refusal.to_string().contains(&format!("{bits} bits; allowed are 2048 to 8192")), "{refusal}");
    }
    for bits in [2048, 2056, 4098, 8192] {
        assert_eq!(code(usable(&rsa_public(bits, &[1, 0, 1]))), "accepted", "{bits}");
    }
    let long = vec![0xFF; 512];
    for e in [&[1][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1], &[0, 3], &[], &long] {
        assert_eq!(code(usable(&rsa_public(2048, e))), "key_invalid", "{:?}", &e[..e.len().min(5)]);
    }
    assert_eq!(code(usable(&rsa_public(2048, &[3]))), "accepted");
    assert_eq!(code(usable(&rsa_public(2048, &[0xFF, 0xFF, 0xFF, 0xFF]))), "accepted");
    let leading = rsa_public(2048, &[3]).replace("\"n\":\"_", "\"n\":\"AP");
    assert_eq!(code(Jwk::parse(leading.as_bytes())), "key_invalid");
}

/// JO-20: with its switch a key of 1024 bits verifies RS256 and RS512 alone, and never signs.
#[test]
fn rsa_1024_verifies_by_switch() {
    let jwk = PublicJwk::parse(rsa_public(1024, &[1, 0, 1]).as_bytes()).unwrap();
    let switch = Switches::NONE.with(Switch::Rsa1024);
    for name in ["RS256", "RS512"] {
        let key = VerifyingKey::new(row(name), &jwk, switch).ok().unwrap();
        assert!(key.acted().has(Switch::Rsa1024));
    }
    for name in ["RS384", "PS256", "PS384", "PS512"] {
        assert_eq!(code(VerifyingKey::new(row(name), &jwk, switch)), "key_invalid", "{name}");
    }
}

/// JO-22, B-11, SE-43: coordinates and scalars of another length, points off the curve, halves that do not match.
#[test]
fn misshapen_curve_keys() {
    for curve in EcCurve::ALL {
        let jwk = PrivateJwk::generate(KeyKind::Ec(curve), &mut System).unwrap();
        let other = PrivateJwk::generate(KeyKind::Ec(curve), &mut System).unwrap();
        let (json, other) = (private_json(&jwk), crate::support::object(&private_json(&other)));
        let object = crate::support::object(&json);
        let zero = base64url::encode(&vec![0; curve.octets()]);
        for member in ["x", "y", "d"] {
            let old = text(&object, member);
            let octets = base64url::decode(old).unwrap();
            let short = base64url::encode(&octets[1..]);
            let long = base64url::encode(&[&[0], &octets[..]].concat());
            for new in [&short, &long, &zero, text(&other, member)] {
                assert_eq!(code(Jwk::parse(json.replace(old, new).as_bytes())), "key_invalid", "{curve:?} {member}");
            }
        }
        let infinity = json.replace(text(&object, "x"), &zero).replace(text(&object, "y"), &zero);
        assert_eq!(code(Jwk::parse(infinity.as_bytes())), "key_invalid");
        let order = vec![0xFF; curve.octets()];
        assert_eq!(
            code(Jwk::parse(json.replace(text(&object, "d"), &base64url::encode(&order)).as_bytes())),
            "key_invalid"
        );
    }
    let small_order = r#"{"kty":"OKP","crv":"Ed25519","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    assert_eq!(code(Jwk::parse(small_order.as_bytes())), "key_invalid");
    let mismatch = ED25519.replace("nWGx", "nWGy");
    assert_eq!(code(Jwk::parse(mismatch.as_bytes())), "key_invalid");
}

/// JO-09, B-41: AKP keys without `alg`, with a seed of another length, with the public half of another seed.
#[test]
fn misshapen_akp_keys() {
    let jwk = private_json(&PrivateJwk::generate(KeyKind::Akp(MlDsaSet::MlDsa44), &mut System).unwrap());
    let other = private_json(&PrivateJwk::generate(KeyKind::Akp(MlDsaSet::MlDsa44), &mut System).unwrap());
    let seed = |json: &str| text(&crate::support::object(json), "priv").to_owned();
    assert_eq!(code(Jwk::parse(jwk.replace("\"alg\":\"ML-DSA-44\"", "\"x\":1").as_bytes())), "key_invalid");
    assert_eq!(code(Jwk::parse(jwk.replace(&seed(&jwk), "AAAA").as_bytes())), "key_invalid");
    assert_eq!(code(Jwk::parse(jwk.replace(&seed(&jwk), &seed(&other)).as_bytes())), "key_invalid");
    assert_eq!(code(Jwk::parse(jwk.replace("ML-DSA-44", "ML-DSA-65").as_bytes())), "key_invalid");
    assert_eq!(code(Jwk::parse(jwk.replace("ML-DSA-44", "ML-KEM-768").as_bytes())), "unsupported");
}

/// JO-08: Ed448 and X448 keys are read, have a thumbprint and may lie in a set; using one is unsupported.
#[test]
fn curve448_keys_are_kept() {
    for (crv, octets) in [("Ed448", 57), ("X448", 56)] {
        let x = base64url::encode(&vec![7; octets]);
        let public = format!(r#"{{"kty":"OKP","crv":"{crv}","x":"{x}"}}"#);
        let jwk = PublicJwk::parse(public.as_bytes()).unwrap();
        assert_eq!(jwk.thumbprint().len(), 43);
        assert_eq!(JwkSet::parse(format!(r#"{{"keys":[{public}]}}"#).as_bytes()).unwrap().keys.len(), 1);
        assert_eq!(code(public_verifier("EdDSA", &jwk)), "key_unfit");
        private(&public.replace("\"x\"", &format!("\"d\":\"{x}\",\"x\"")));
    }
}

/// JO-21, B-04, SE-44: short HMAC secrets wait for their switch, empty ones never pass.
#[test]
fn hmac_secrets_at_their_lengths() {
    for (name, octets) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let key = |octets: usize, switches| {
            PrivateJwk::from_octets(&vec![0x61; octets]).and_then(|jwk| SigningKey::new(row(name), &jwk, switches))
        };
        let weak = Switches::NONE.with(Switch::WeakHmac);
        assert_eq!(code(key(octets, Switches::NONE)), "accepted");
        assert_eq!(code(key(200, Switches::NONE)), "accepted");
        assert!(!key(octets, weak).ok().unwrap().acted().has(Switch::WeakHmac));
        for short in [1, octets - 1] {
            let refusal = key(short, Switches::NONE).err().unwrap();
            assert_eq!(refusal.code(), "key_invalid");
            assert!(refusal.to_string().contains("allow_weak_hmac"), "{refusal}");
            assert!(key(short, weak).ok().unwrap().acted().has(Switch::WeakHmac));
        }
        assert_eq!(code(key(0, all_switches())), "key_invalid");
    }
}

/// B-03, SE-35: what is really a public or private key never becomes an HMAC secret.
#[test]
fn other_keys_are_no_hmac_secret() {
    let rsa = private(&rsa_2048());
    let ec = PrivateJwk::generate(KeyKind::Ec(EcCurve::P256), &mut System).unwrap();
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for jwk in [&rsa, &ec, &private(ED25519)] {
        let public = jwk.public().unwrap();
        let pem = public.to_pem(KeyForm::Spki).unwrap();
        let json = public.to_json();
        secrets.extend([
            pem.clone().into_bytes(),
            format!("\n\t {pem}").into_bytes(),
            format!("my key:\n{pem}").into_bytes(),
            public.to_der(KeyForm::Spki).unwrap(),
            jwk.to_der(KeyForm::Pkcs8).unwrap().to_vec(),
            format!(" {json}").into_bytes(),
            format!("x={json};").into_bytes(),
            format!(r#"{{"keys":[{json}]}}"#).into_bytes(),
            private_json(jwk).into_bytes(),
        ]);
    }
    secrets.push(rsa.public().unwrap().to_der(KeyForm::Pkcs1).unwrap());
    let jose::jwk::PublicKey::Ec(point) = ec.public().unwrap().key else { panic!("no point") };
    secrets.push(point.point());
    for secret in secrets {
        let jwk = PrivateJwk::from_octets(&secret).unwrap();
        let context = String::from_utf8_lossy(&secret[..secret.len().min(40)]).into_owned();
        assert_eq!(code(SigningKey::new(row("HS256"), &jwk, all_switches())), "key_unfit", "{context}");
        assert_eq!(code(VerifyingKey::from_private(row("HS256"), &jwk, all_switches())), "key_unfit", "{context}");
    }
    let json = PrivateJwk::from_octets(br#"{"user":"alice","padding":"xxxxxxxxxxxxxxxx"}"#).unwrap();
    assert_eq!(code(SigningKey::new(row("HS256"), &json, Switches::NONE)), "accepted");
}

/// A symmetric secret stands for its octets in the form that is named; nothing is guessed.
#[test]
fn forms_of_a_secret() {
    let k = |text: &str, form| PrivateJwk::from_secret(text.as_bytes(), form).map(|jwk| text_of_k(&jwk));
    assert_eq!(k("00ff", SecretForm::Hex).unwrap(), [0, 255]);
    assert_eq!(k("00ff", SecretForm::AsIs).unwrap(), b"00ff");
    assert_eq!(k("AP8=", SecretForm::Base64).unwrap(), [0, 255]);
    assert_eq!(k("AP8", SecretForm::Base64Url).unwrap(), [0, 255]);
    for (text, form) in [
        ("0f0", SecretForm::Hex),
        ("zz", SecretForm::Hex),
        ("AP8", SecretForm::Base64),
        ("AP8=", SecretForm::Base64Url),
        ("", SecretForm::AsIs),
    ] {
        assert_eq!(code(k(text, form)), "key_invalid", "{text}");
    }
}

fn text_of_k(jwk: &PrivateJwk) -> Vec<u8> {
    base64url::decode(text(&crate::support::object(&private_json(jwk)), "k")).unwrap()
}

/// JO-25: `kid` is the JWK's own, else the thumbprint, else random and never drawn from the secret.
#[test]
fn kids() {
    let mut own = private(&ED25519.replacen('{', "{\"kid\":\"mine\",", 1));
    assert_eq!(own.ensure_kid(&mut crate::support::Broken).unwrap(), "mine");
    let mut thumb = private(ED25519);
    assert_eq!(thumb.ensure_kid(&mut crate::support::Broken).unwrap(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let mut first = PrivateJwk::from_octets(&[1; 32]).unwrap();
    let mut second = PrivateJwk::from_octets(&[1; 32]).unwrap();
    let kid = first.ensure_kid(&mut System).unwrap().to_owned();
    assert_eq!(base64url::decode(&kid).unwrap().len(), 16);
    assert_ne!(second.ensure_kid(&mut System).unwrap(), kid);
    let mut third = PrivateJwk::from_octets(&[1; 32]).unwrap();
    assert_eq!(code(third.ensure_kid(&mut crate::support::Broken).map(str::to_owned)), "random");
}

/// JO-31, B-05, B-39: `alg`, `use` and `key_ops` that contradict refuse; cleared they work; an operation twice is invalid.
#[test]
fn members_that_contradict() {
    let with = |members: &str| private(&ED25519.replacen('{', &format!("{{{members},"), 1));
    for (members, signs, verifies) in [
        (r#""alg":"EdDSA""#, "accepted", "accepted"),
        (r#""alg":"Ed25519""#, "accepted", "accepted"),
        (r#""alg":"ES256""#, "key_unfit", "key_unfit"),
        (r#""use":"sig""#, "accepted", "accepted"),
        (r#""use":"enc""#, "key_unfit", "key_unfit"),
        (r#""key_ops":["sign"]"#, "accepted", "accepted"),
        (r#""key_ops":["sign","verify"]"#, "accepted", "accepted"),
        (r#""key_ops":["encrypt"]"#, "key_unfit", "key_unfit"),
        (r#""key_ops":[]"#, "key_unfit", "key_unfit"),
    ] {
        let jwk = with(members);
        assert_eq!(code(SigningKey::new(row("EdDSA"), &jwk, Switches::NONE)), signs, "{members}");
        assert_eq!(code(VerifyingKey::from_private(row("EdDSA"), &jwk, Switches::NONE)), verifies, "{members}");
        let cleared = jwk.parameters().clone().without_restrictions();
        let jwk = jwk.with_parameters(cleared);
        assert_eq!(code(SigningKey::new(row("EdDSA"), &jwk, Switches::NONE)), "accepted", "{members}");
    }
    for broken in [r#""key_ops":["sign","sign"]"#, r#""key_ops":"sign""#, r#""use":1"#, r#""alg":1"#, r#""kid":7"#] {
        let text = ED25519.replacen('{', &format!("{{{broken},"), 1);
        assert_eq!(code(Jwk::parse(text.as_bytes())), "key_invalid", "{broken}");
    }
}

/// JO-29, B-38, SE-50 (part): sets with unusable keys, too many keys, repeated `kid`s, private and symmetric members.
#[test]
fn sets_of_keys() {
    let public = private(ED25519).public().unwrap();
    let named = |kid: &str| {
        let parameters = KeyParameters { kid: Some(kid.into()), ..KeyParameters::default() };
        PublicJwk { parameters, ..public.clone() }.to_json()
    };
    let set = |keys: &[String]| JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes());
    let read = set(&[
        named("a"),
        r#"{"kty":"XYZ","kid":"b"}"#.into(),
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.into(),
        named("c"),
    ])
    .unwrap();
    assert_eq!(read.keys.len(), 2);
    assert_eq!(
        read.skipped.iter().map(|skipped| (skipped.index, skipped.reason.code())).collect::<Vec<_>>(),
        [(1, "unsupported"), (2, "key_invalid")]
    );
    assert_eq!(read.skipped[0].kid.as_deref(), Some("b"));
    let many = |count: usize| (0..count).map(|index| named(&index.to_string())).collect::<Vec<_>>();
    assert_eq!(set(&many(256)).unwrap().keys.len(), 256);
    assert_eq!(code(set(&many(257))), "too_large");
    assert_eq!(code(JwkSet::parse(&vec![b' '; 256 * 1024 + 1])), "too_large");
    assert_eq!(code(set(&[named("a"), named("a")])), "key_invalid");
    assert_eq!(code(set(&[named("a"), r#"{"kty":"oct","k":"AAAA"}"#.into()])), "key_invalid");
    assert_eq!(code(set(&[ED25519.into()])), "key_invalid");
    assert_eq!(code(set(&[r#"{"kty":"XYZ","d":"AA"}"#.into()])), "key_invalid");
    assert_eq!(code(JwkSet::parse(b"{}")), "malformed");
    let mut written = Vec::new();
    read.write(&mut written);
    assert_eq!(JwkSet::parse(&written).unwrap().keys, read.keys);
    let file = format!(r#"{{"keys":[{},{}]}}"#, named("a"), ED25519.replacen('{', "{\"kid\":\"b\",", 1));
    assert!(matches!(JwkSet::pick(file.as_bytes(), Some("b")), Ok(Jwk::Private(_))));
    assert_eq!(code(JwkSet::pick(file.as_bytes(), Some("z"))), "no_key");
    assert_eq!(code(JwkSet::pick(file.as_bytes(), None)), "no_key");
    let only = format!(r#"{{"keys":[{ED25519}]}}"#);
    assert!(matches!(JwkSet::pick(only.as_bytes(), None), Ok(Jwk::Private(_))));
    let each = JwkSet::each(format!(r#"{{"keys":[{},{{"kty":"XYZ"}},1]}}"#, named("a")).as_bytes()).unwrap();
    let codes: Vec<_> = each.into_iter().map(|key| key.err().map(|error| error.code())).collect();
    assert_eq!(codes, [None, Some("unsupported"), Some("malformed")]);
}

/// JO-16: a certificate gives its public key; files of the RFCs and of OpenSSL give the same key in each form.
#[test]
fn keys_of_other_makers() {
    for vector in vectors(include_str!("../vectors/openssl_keys.json")) {
        let name = text(&vector, "name");
        let expected = PublicJwk::parse(json_of(vector.get("jwk").unwrap()).as_bytes()).unwrap().thumbprint();
        for (form, pem) in vector.get("pem").unwrap().as_object().unwrap().iter() {
            let jwk =
                Jwk::import(pem.as_text().unwrap().as_bytes()).unwrap_or_else(|error| panic!("{name} {form}: {error}"));
            assert_eq!(jwk.public().unwrap().thumbprint(), expected, "{name} {form}");
        }
    }
}

/// B-44, JO-57: a key beyond 64 KiB is refused unread.
#[test]
fn keys_are_bounded() {
    let mut text = ED25519.to_owned();
    text.push_str(&" ".repeat(64 * 1024 - text.len()));
    assert_eq!(code(Jwk::parse(text.as_bytes())), "accepted");
    text.push(' ');
    for read in [Jwk::parse(text.as_bytes()), Jwk::from_pem(text.as_bytes()), Jwk::from_der(text.as_bytes())] {
        assert_eq!(code(read), "too_large");
    }
}

/// JO-50: a recorded source gives the same keys again; B-58: a broken one gives none.
#[test]
fn keys_come_from_the_source_handed_in() {
    for kind in kinds().into_iter().filter(|kind| !matches!(kind, KeyKind::Rsa(_))) {
        let generate = || private_json(&PrivateJwk::generate(kind, &mut crate::support::Recorded(7)).unwrap());
        assert_eq!(generate(), generate(), "{kind:?}");
        assert_eq!(code(PrivateJwk::generate(kind, &mut crate::support::Broken)), "random", "{kind:?}");
    }
}

/// JO-16: encrypted PKCS#8 and PKCS#12 of another maker give the key under their passphrase alone; what is encrypted
/// in an old way, without a MAC or with too many rounds is refused.
#[test]
fn encrypted_keys_of_other_makers() {
    let vector = &vectors(include_str!("../vectors/openssl_encrypted.json"))[0];
    let passphrase = text(vector, "passphrase");
    let expected = Jwk::import(text(vector, "plain").as_bytes()).unwrap().public().unwrap().thumbprint();
    let members = |name: &str| {
        let object = vector.get(name).unwrap().as_object().unwrap();
        object.iter().map(|(name, file)| (name.to_owned(), file.as_text().unwrap().to_owned())).collect::<Vec<_>>()
    };
    let decoded = |file: &str| base64_simd::STANDARD.decode_to_vec(file).unwrap();
    for (name, file) in members("pem") {
        let read = Jwk::import_encrypted(file.as_bytes(), passphrase).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.public().unwrap().thumbprint(), expected, "{name}");
        assert_eq!(code(Jwk::import_encrypted(file.as_bytes(), "geheim")), "key_invalid", "{name}");
        assert_eq!(code(Jwk::import(file.as_bytes())), "unsupported", "{name}");
    }
    for (name, file) in members("pkcs12") {
        let read = Jwk::import_encrypted(&decoded(&file), passphrase).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.public().unwrap().thumbprint(), expected, "{name}");
        let mut touched = decoded(&file);
        touched[60] ^= 1;
        for wrong in [Jwk::import_encrypted(&decoded(&file), "x"), Jwk::import_encrypted(&touched, passphrase)] {
            assert_eq!(code(wrong), "key_invalid", "{name}");
        }
    }
    for ((name, file), expected) in members("refused_pem").into_iter().zip(["unsupported", "unsupported", "too_large"])
    {
        assert_eq!(code(Jwk::import_encrypted(file.as_bytes(), passphrase)), expected, "{name}");
    }
    for ((name, file), expected) in
        members("refused_pkcs12").into_iter().zip(["unsupported", "key_invalid", "key_invalid"])
    {
        assert_eq!(code(Jwk::import_encrypted(&decoded(&file), passphrase)), expected, "{name}");
    }
    let jwk = private(ED25519);
    let written = jwk.to_encrypted_pem(passphrase, &mut System).unwrap();
    let Jwk::Private(read) = Jwk::import_encrypted(written.as_bytes(), passphrase).unwrap() else { panic!("public") };
    assert_eq!(private_json(&read), private_json(&jwk));
    assert_eq!(code(Jwk::import_encrypted(written.as_bytes(), "geheim")), "key_invalid");
    assert_eq!(code(jwk.to_encrypted_der(passphrase, &mut crate::support::Broken)), "random");
}
