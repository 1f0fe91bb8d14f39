//! JWS in the compact serialization: written, read, and refused.

use std::sync::Arc;

use jose::{
    SigningKey, VerifyingKey, base64url,
    json::Value,
    jwa::{Grade, SignatureAlgorithm, Switch, Switches},
    jws::{
        HeaderMember, HeaderPlan, Keys, ProtectedHeader, Remote, TOKEN_CHARS_MAX, Template, Verifier, write_unsigned,
    },
};

use crate::support::{
    all_switches, code, json_of, key_for, octets, private, row, signed, signed_by_hand, signer, text, vectors,
    verified, verifier,
};

const CLAIMS: &[u8] = br#"{"sub":"alice","exp":4102444800}"#;

fn usable() -> impl Iterator<Item = &'static SignatureAlgorithm> {
    SignatureAlgorithm::ALL.iter().filter(|row| !matches!(row.grade, Grade::Gap(_)))
}

/// JO-03: RFC 7515 A.1 to A.4 are read; A.1 and A.2, which draw nothing, are written to the octet (JO-14).
#[test]
fn rfc_7515_appendix_a() {
    for vector in vectors(include_str!("../vectors/rfc7515.json")) {
        let (section, name) = (text(&vector, "section"), text(&vector, "alg"));
        let jwk = private(&json_of(vector.get("jwk").unwrap()));
        let (header, payload) = (octets(&vector, "header"), octets(&vector, "payload"));
        let token = ["header", "payload", "signature"].map(|part| text(&vector, part)).join(".");
        assert_eq!(verified(&token, &verifier(name, &jwk)).unwrap().payload, payload, "{section}");
        if matches!(section, "A.1" | "A.2") {
            let header = String::from_utf8(header).unwrap();
            assert_eq!(signed_by_hand(&signer(name, &jwk), &header, &payload), token, "{section}");
        }
    }
}

/// JO-03: RFC 8037 A.4 is written to the octet and A.5 read.
#[test]
fn rfc_8037_appendix_a() {
    let jwk = private(
        r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    );
    let expected = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let token = signed_by_hand(&signer("EdDSA", &jwk), r#"{"alg":"EdDSA"}"#, b"Example of Ed25519 signing");
    assert_eq!(token, expected);
    assert_eq!(verified(expected, &verifier("EdDSA", &jwk)).unwrap().payload, b"Example of Ed25519 signing");
}

/// JO-14: HS*, RS* and EdDSA repeat to the octet; PS*, ES* and ML-DSA differ; all verify, and none once touched.
#[test]
fn every_algorithm_signs_and_verifies() {
    for algorithm in usable() {
        let jwk = key_for(algorithm);
        let (signing, verifying) = (signer(algorithm.name, &jwk), verifier(algorithm.name, &jwk));
        let (first, second) = (signed(&signing, CLAIMS), signed(&signing, CLAIMS));
        let repeats = ["HS", "RS", "Ed"].iter().any(|prefix| algorithm.name.starts_with(prefix));
        assert_eq!(first == second, repeats, "{algorithm}");
        assert_eq!(verified(&first, &verifying).unwrap().payload, CLAIMS, "{algorithm}");
        for at in [0, first.find('.').unwrap() + 2, first.rfind('.').unwrap() + 3] {
            let mut touched = first.clone().into_bytes();
            touched[at] = if touched[at] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(touched).unwrap();
            assert_ne!(code(verified(&touched, &verifying)), "accepted", "{algorithm} at {at}");
        }
    }
}

/// JO-06: one Ed25519 key verifies under both names, each only when the list has it.
#[test]
fn eddsa_has_two_names() {
    let jwk = key_for(row("EdDSA"));
    for name in ["EdDSA", "Ed25519"] {
        let token = signed(&signer(name, &jwk), CLAIMS);
        for bound in ["EdDSA", "Ed25519"] {
            let key = verifier(bound, &jwk);
            for listed in ["EdDSA", "Ed25519"] {
                let outcome = Verifier::new(&[row(listed)]).unwrap().verify(&token, &key);
                assert_eq!(code(outcome), if listed == name { "accepted" } else { "not_allowed" });
            }
        }
    }
}

/// JO-05, JO-08, JO-13, B-01, B-02, B-32: names are case-sensitive, gaps and drafts unsupported, `none` never allowed.
#[test]
fn names_of_algorithms() {
    let cases = [
        ("rs256", "unsupported"),
        ("RS257", "unsupported"),
        ("Ed448", "unsupported"),
        ("HPKE-0", "unsupported"),
        ("none", "not_allowed"),
        ("None", "not_allowed"),
        ("nOnE", "not_allowed"),
        ("NONE", "not_allowed"),
        ("", "not_allowed"),
    ];
    let jwk = key_for(row("HS256"));
    let (signing, verifying) = (signer("HS256", &jwk), verifier("HS256", &jwk));
    for (name, expected) in cases {
        assert_eq!(code(SignatureAlgorithm::by_name(name)), expected, "{name}");
        let token = signed_by_hand(&signing, &format!("{{\"alg\":\"{name}\"}}"), CLAIMS);
        assert_eq!(code(verified(&token, &verifying)), expected, "{name}");
        let bare = format!(
            "{}.{}.",
            base64url::encode(format!("{{\"alg\":\"{name}\"}}").as_bytes()),
            base64url::encode(CLAIMS)
        );
        assert_eq!(code(verified(&bare, &verifying)), expected, "{name}");
    }
    for header in ["{}", r#"{"alg":null}"#, r#"{"alg":5}"#, r#"{"alg":["HS256"]}"#] {
        assert_eq!(code(verified(&signed_by_hand(&signing, header, CLAIMS), &verifying)), "header", "{header}");
    }
}

/// JO-07: grade O names are refused until a switch is on, and the refusal names it; each key then tells that it acted.
#[test]
fn opt_in_algorithms_wait_for_their_switch() {
    for algorithm in usable() {
        let Grade::OptIn(switch) = algorithm.grade else {
            continue;
        };
        let jwk = key_for(algorithm);
        let refusal = SigningKey::new(algorithm, &jwk, Switches::NONE).err().unwrap();
        assert_eq!(refusal.code(), "not_allowed");
        assert!(refusal.to_string().contains(switch.name()), "{refusal}");
        let key = SigningKey::new(algorithm, &jwk, Switches::NONE.with(switch)).ok().unwrap();
        assert!(key.acted().has(switch));
        assert_eq!(code(VerifyingKey::from_private(algorithm, &jwk, Switches::NONE)), "not_allowed");
    }
}

/// JO-56, SE-36: of every algorithm against every kind of key only the fitting pairs work.
#[test]
fn only_fitting_pairs_work() {
    let kinds: Vec<_> = usable().map(|algorithm| (algorithm, key_for(algorithm))).collect();
    for algorithm in usable() {
        for (owner, jwk) in &kinds {
            let fits = match (algorithm.key, owner.key) {
                (jose::jwa::KeyShape::OctAtLeast(_), jose::jwa::KeyShape::OctAtLeast(_)) => true,
                (wanted, found) => wanted == found,
            };
            let expected = if fits { "accepted" } else { "key_unfit" };
            let context = format!("{algorithm} with a key for {owner}");
            assert_eq!(code(SigningKey::new(algorithm, jwk, all_switches())), expected, "{context}");
            assert_eq!(code(VerifyingKey::from_private(algorithm, jwk, all_switches())), expected, "{context}");
        }
    }
}

/// JO-58: a reader without algorithms cannot be made.
#[test]
fn no_reader_without_a_list() {
    assert_eq!(code(Verifier::new(&[])), "not_allowed");
}

/// JO-34: the order of the plan holds to the octet.
#[test]
fn header_members_come_in_the_order_of_the_plan() {
    let encoded = |members: Vec<HeaderMember>| {
        let plan = HeaderPlan::new(members).unwrap();
        let header = ProtectedHeader::encode(&plan, row("RS256"), Some("k/1"), None).unwrap();
        String::from_utf8(base64url::decode(header.encoded()).unwrap()).unwrap()
    };
    let typ = || HeaderMember::Typ("JWT".into());
    use HeaderMember::{Alg, Critical, Kid, KidNamed, Other};
    assert_eq!(encoded(vec![Alg, typ(), Kid]), r#"{"alg":"RS256","typ":"JWT","kid":"k/1"}"#);
    assert_eq!(encoded(vec![Kid, Alg]), r#"{"kid":"k/1","alg":"RS256"}"#);
    assert_eq!(encoded(vec![Kid, typ(), Alg]), r#"{"kid":"k/1","typ":"JWT","alg":"RS256"}"#);
    assert_eq!(encoded(vec![KidNamed("other".into())]), r#"{"alg":"RS256","kid":"other"}"#);
    assert_eq!(
        encoded(vec![Other("ä/".into(), Value::Bool(true)), Critical("exp".into(), Value::Number("1".into()))]),
        r#"{"alg":"RS256","ä/":true,"exp":1,"crit":["exp"]}"#
    );
}

/// JO-35, B-27, B-28: a member of ours, a member twice, a private `jwk`, a `kid` with controls are refused by name.
#[test]
fn what_a_plan_may_not_hold() {
    use HeaderMember::{Critical, Kid, KidNamed, Other};
    let text = |name: &str| Other(name.into(), Value::Text("x".into()));
    for name in
        ["alg", "enc", "crit", "b64", "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c", "typ", "kid", "x5c"]
    {
        let refusal = HeaderPlan::new(vec![text(name)]).unwrap_err();
        assert_eq!(refusal.code(), "header");
        assert!(refusal.to_string().contains(name), "{refusal}");
        assert_eq!(code(HeaderPlan::new(vec![Critical(name.into(), Value::Null)])), "header", "{name}");
    }
    assert_eq!(code(HeaderPlan::new(vec![text("a"), text("a")])), "header");
    assert_eq!(code(HeaderPlan::new(vec![Kid, Kid])), "header");
    let secret = Value::parse(br#"{"kty":"oct","k":"AAAA"}"#, jose::json::Limits::REQUEST).unwrap();
    assert_eq!(code(HeaderPlan::new(vec![Other("jwk".into(), secret)])), "header");
    for kid in ["a\nb", &"k".repeat(257)] {
        let encoded = ProtectedHeader::encode(&HeaderPlan::jwt(), row("HS256"), Some(kid), None);
        assert_eq!(code(encoded), "header");
        assert_eq!(code(HeaderPlan::new(vec![KidNamed(kid.into())])), "header");
    }
    assert_eq!(code(HeaderPlan::new(vec![Kid, KidNamed("k".into())])), "header");
}

/// JO-39, B-25, B-26: `crit` is honoured when understood, and refused in every broken form.
#[test]
fn critical_extensions() {
    let jwk = key_for(row("HS256"));
    let (signing, key) = (signer("HS256", &jwk), verifier("HS256", &jwk));
    let plan = HeaderPlan::new(vec![HeaderMember::Critical("urn:x".into(), Value::Number("1".into()))]).unwrap();
    let header = ProtectedHeader::encode(&plan, row("HS256"), None, None).unwrap();
    let mut token = Vec::new();
    signing.sign_compact(&header, CLAIMS, &mut token).unwrap();
    let token = String::from_utf8(token).unwrap();
    let plain = Verifier::new(&[row("HS256")]).unwrap();
    assert_eq!(code(plain.verify(&token, &key)), "critical");
    let knowing = plain.understanding("urn:x").understanding("alg");
    assert_eq!(code(knowing.verify(&token, &key)), "accepted");
    for members in [
        r#""crit":[]"#,
        r#""crit":"urn:x","urn:x":1"#,
        r#""crit":[1]"#,
        r#""crit":["urn:x"]"#,
        r#""crit":["urn:x","urn:x"],"urn:x":1"#,
        r#""crit":["alg"]"#,
        r#""crit":["urn:y"],"urn:y":1"#,
        r#""crit":null"#,
        r#""b64":false"#,
        r#""b64":false,"crit":["b64"]"#,
    ] {
        let token = signed_by_hand(&signing, &format!("{{\"alg\":\"HS256\",{members}}}"), CLAIMS);
        assert_eq!(code(knowing.verify(&token, &key)), "critical", "{members}");
    }
}

/// B-24, B-28, B-35 to B-37, B-44 to B-46, SE-38 to SE-41, JO-57: broken headers and shapes, each by its code; what
/// points elsewhere changes nothing, and nothing here could follow it.
#[test]
fn broken_headers_and_shapes() {
    let jwk = key_for(row("HS256"));
    let (signing, key) = (signer("HS256", &jwk), verifier("HS256", &jwk));
    let long_kid = format!(r#""kid":"{}""#, "k".repeat(257));
    let huge = format!(r#""x":"{}""#, "x".repeat(8192));
    let deep = format!(r#""x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000));
    let cases = [
        (r#""zip":"DEF""#, "header"),
        (r#""kid":7"#, "header"),
        (&long_kid, "header"),
        (&huge, "too_large"),
        (&deep, "too_large"),
        (r#""alg":"none""#, "malformed"),
        (r#""x":{"a":1,"a":2}"#, "malformed"),
        (r#""typ":1"#, "header"),
        (r#""jwk":{"kty":"oct","k":"AAAA"}"#, "header"),
        (
            r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#,
            "header",
        ),
        (r#""jwk":"x""#, "header"),
        (r#""x5c":[]"#, "header"),
        (r#""x5c":["!"]"#, "header"),
        (r#""x5c":["AAAA"]"#, "header"),
        (r#""jku":"http://127.0.0.1:1/","x5u":"file:///etc/passwd""#, "accepted"),
        (r#""x":1,"kid":"../../etc/passwd' OR 1=1 --\u0000""#, "accepted"),
    ];
    for (member, expected) in cases {
        let token = signed_by_hand(&signing, &format!("{{\"alg\":\"HS256\",{member}}}"), CLAIMS);
        assert_eq!(code(verified(&token, &key)), expected, "{}", &member[..member.len().min(60)]);
    }
    for header in ["[1]", "\"x\"", "null", "", "{", "\u{FEFF}{\"alg\":\"HS256\"}"] {
        assert_eq!(code(verified(&signed_by_hand(&signing, header, CLAIMS), &key)), "malformed", "{header}");
    }
    let good = signed(&signing, CLAIMS);
    for shape in ["", ".", "..", "...", "a.b", "a.b.c.d", "a.b.c.d.e", &format!("{good}.x"), &good.replace('.', "")] {
        assert_eq!(code(verified(shape, &key)), "malformed", "{shape}");
    }
    assert_eq!(code(verified(&format!("{good}~WyJzYWx0IiwiYSIsMV0~"), &key)), "unsupported");
    for spoiled in [format!("{good}="), format!("{good} "), format!("\n{good}"), good.replacen('.', "\0.", 1)] {
        assert_eq!(code(verified(&spoiled, &key)), "malformed");
    }
}

/// SE-51, B-44, JO-57: a token of the longest length is read, one character more is refused before any decoding.
#[test]
fn the_length_of_a_token_is_bounded() {
    let jwk = key_for(row("HS256"));
    let (signing, key) = (signer("HS256", &jwk), verifier("HS256", &jwk));
    let overhead = signed_by_hand(&signing, r#"{"alg":"HS256"}"#, b"").len();
    let payload = vec![b'x'; (TOKEN_CHARS_MAX - overhead) / 4 * 3];
    let mut token = signed_by_hand(&signing, r#"{"alg":"HS256"}"#, &payload);
    assert!(token.len() > TOKEN_CHARS_MAX - 4);
    assert_eq!(code(verified(&token, &key)), "accepted");
    token.push_str(&"!".repeat(TOKEN_CHARS_MAX - token.len()));
    assert_eq!(code(verified(&token, &key)), "malformed");
    token.push('!');
    assert_eq!(code(verified(&token, &key)), "too_large");
    assert_eq!(code(verified(&".".repeat(10_000_000), &key)), "too_large");
}

/// B-06, B-08: signatures of another length or form, and with r or s out of range.
#[test]
fn misshapen_signatures() {
    for algorithm in usable() {
        let jwk = key_for(algorithm);
        let key = verifier(algorithm.name, &jwk);
        let mut good = Vec::new();
        signer(algorithm.name, &jwk).sign(b"input", &mut good).unwrap();
        assert!(key.verify(b"input", &good).is_ok());
        let zero_r = [&vec![0; good.len() / 2], &good[good.len() / 2..]].concat();
        let zero_s = [&good[..good.len() / 2], &vec![0; good.len() / 2]].concat();
        let high_s = [&good[..good.len() / 2], &vec![0xFF; good.len() / 2]].concat();
        let longer = [&good[..], &[0]].concat();
        let padded = [&[0], &good[..]].concat();
        for bad in [&good[1..], &good[..good.len() - 1], &longer, &padded, &zero_r, &zero_s, &high_s, &[]] {
            assert_eq!(code(key.verify(b"input", bad)), "bad_signature", "{algorithm}");
        }
    }
}

/// JO-30, B-37, B-38: choosing among keys by `kid` and algorithm, and at most eight without `kid`.
#[test]
fn choosing_among_keys() {
    let jwks: Vec<_> = (0..9).map(|_| key_for(row("HS256"))).collect();
    let named = |index: usize, kid: Option<&str>| {
        let parameters = jose::jwk::KeyParameters { kid: kid.map(str::to_owned), ..Default::default() };
        private(&crate::support::private_json(&jwks[index])).with_parameters(parameters)
    };
    let keys: Vec<_> = (0..9).map(|index| verifier("HS256", &named(index, Some(&format!("k{index}"))))).collect();
    let reader = Verifier::new(&[row("HS256")]).unwrap();
    let with_kid = signed(&signer("HS256", &named(8, Some("k8"))), CLAIMS);
    assert_eq!(reader.verify(&with_kid, Keys::Set(&keys)).unwrap().key_index, 8);
    let wrong_kid = signed(&signer("HS256", &named(8, Some("k7"))), CLAIMS);
    assert_eq!(code(reader.verify(&wrong_kid, Keys::Set(&keys))), "bad_signature");
    let unknown = signed(&signer("HS256", &named(8, Some("../k8"))), CLAIMS);
    assert_eq!(code(reader.verify(&unknown, Keys::Set(&keys))), "no_key");
    let eighth = signed(&signer("HS256", &named(7, None)), CLAIMS);
    assert_eq!(reader.verify(&eighth, Keys::Set(&keys)).unwrap().key_index, 7);
    let ninth = signed(&signer("HS256", &named(8, None)), CLAIMS);
    assert_eq!(code(reader.verify(&ninth, Keys::Set(&keys))), "no_key");
    assert_eq!(code(reader.verify(&ninth, Keys::Set(&keys[..8]))), "bad_signature");
    assert_eq!(code(reader.verify(&ninth, Keys::Set(&[]))), "no_key");
}

/// JO-48: signing by parts gives the token of the local key; a wrong length or signature is refused.
#[test]
fn remote_signing_gives_the_same_token() {
    for name in ["HS256", "RS256", "EdDSA"] {
        let jwk = key_for(row(name));
        let (key, check) = (signer(name, &jwk), verifier(name, &jwk));
        let header = ProtectedHeader::encode(&HeaderPlan::jwt(), row(name), None, None).unwrap();
        let begin = || Remote::begin(&header, CLAIMS, key.signature_octets()).unwrap();
        let mut signature = Vec::new();
        key.sign(begin().input(), &mut signature).unwrap();
        let mut local = Vec::new();
        key.sign_compact(&header, CLAIMS, &mut local).unwrap();
        assert_eq!(begin().finish(&signature, Some(&check)).unwrap(), local, "{name}");
        assert_eq!(code(begin().finish(&signature[1..], None)), "self_check");
        signature[5] ^= 1;
        assert_eq!(code(begin().finish(&signature, Some(&check))), "self_check");
    }
}

/// A buffer that is used again holds both tokens, and a refusal leaves it as it was.
#[test]
fn tokens_are_appended() {
    let key = signer("HS256", &key_for(row("HS256")));
    let header = ProtectedHeader::encode(&HeaderPlan::jwt(), row("HS256"), None, None).unwrap();
    let other = ProtectedHeader::encode(&HeaderPlan::jwt(), row("HS384"), None, None).unwrap();
    let mut out = b"x".to_vec();
    key.sign_compact(&header, CLAIMS, &mut out).unwrap();
    let once = out.len();
    assert_eq!(code(key.sign_compact(&other, CLAIMS, &mut out)), "key_unfit");
    assert_eq!(code(key.sign_compact(&header, &vec![0; 2_000_000], &mut out)), "too_large");
    assert_eq!(out.len(), once);
}

/// JO-72, JO-74: a template and a batch give the tokens of single minting for every cut of the payload, in order;
/// one that fails fails alone.
#[test]
fn templates_and_batches_give_the_same_tokens() {
    for name in ["HS256", "HS384", "HS512", "RS256", "EdDSA"] {
        let key = Arc::new(signer(name, &key_for(row(name))));
        let header = ProtectedHeader::encode(&HeaderPlan::jwt(), row(name), Some("k"), None).unwrap();
        let single = |payload: &[u8]| {
            let mut out = Vec::new();
            key.sign_compact(&header, payload, &mut out).unwrap();
            out
        };
        let payload: Vec<u8> = (0..120).collect();
        for cut in 0..payload.len() {
            let template = Template::new(Arc::clone(&key), &header, &payload[..cut]).unwrap();
            for end in [cut, cut + 1, cut + 2, payload.len()].map(|end| end.min(payload.len())) {
                let mut out = Vec::new();
                template.mint(&payload[cut..end], &mut out).unwrap();
                assert_eq!(out, single(&payload[..end]), "{name} {cut} {end}");
            }
        }
        let template = Template::new(Arc::clone(&key), &header, b"{").unwrap();
        for count in [1, 7, 8, 9, if name == "RS256" { 20 } else { 1_000 }] {
            let mut tails: Vec<Vec<u8>> = (0..count).map(|index| format!("\"n\":{index}}}").into_bytes()).collect();
            tails[count / 2] = vec![b'x'; 2_000_000];
            let mut tokens = Vec::new();
            template.mint_batch(tails.iter().map(Vec::as_slice), |token| tokens.push(token.map(<[u8]>::to_vec)));
            assert_eq!(tokens.len(), count);
            for (index, token) in tokens.into_iter().enumerate() {
                if index == count / 2 {
                    assert_eq!(code(token), "too_large");
                } else {
                    assert_eq!(token.unwrap(), single(&[b"{", &tails[index][..]].concat()));
                }
            }
        }
        let mut signatures = Vec::new();
        key.sign_batch([&b"a"[..], b"b"], |signature| signatures.push(signature.unwrap().to_vec()));
        let mut first = Vec::new();
        key.sign(b"a", &mut first).unwrap();
        assert_eq!((signatures.len(), &signatures[0]), (2, &first));
    }
}

/// JO-13, SE-37: an unsigned token is written with its switch alone, and no reader takes it.
#[test]
fn unsigned_tokens_are_written_and_never_read() {
    let mut out = Vec::new();
    let refusal = write_unsigned(CLAIMS, Switches::NONE, &mut out).unwrap_err();
    assert_eq!((refusal.code(), out.len()), ("not_allowed", 0));
    assert!(refusal.to_string().contains("allow_unsigned"), "{refusal}");
    write_unsigned(CLAIMS, Switches::NONE.with(Switch::Unsigned), &mut out).unwrap();
    let token = String::from_utf8(out).unwrap();
    assert_eq!(token, format!("eyJhbGciOiJub25lIn0.{}.", base64url::encode(CLAIMS)));
    for algorithm in usable() {
        assert_eq!(code(verified(&token, &verifier(algorithm.name, &key_for(algorithm)))), "not_allowed");
    }
}
