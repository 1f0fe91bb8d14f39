//! JWS in JSON, detached, and with an unencoded payload.

use jose::{
    SigningKey, VerifyingKey, base64url,
    json::Value,
    jwa::SignatureAlgorithm,
    jws::{HeaderMember, HeaderPlan, Keys, ProtectedHeader, Quorum, SIGNATURES_MAX, Verifier, sign_general},
};

use crate::support::{all_switches, code, json_of, key_for, octets, private, row, signer, text, vectors, verifier};

const PAYLOAD: &[u8] = b"a payload";

fn header(name: &str) -> ProtectedHeader {
    ProtectedHeader::encode(&HeaderPlan::jwt(), row(name), None, None).unwrap()
}

/// The keys of a vector under every algorithm that they fit.
fn keys_of(jwks: &Value) -> Vec<VerifyingKey> {
    let jwks: Vec<_> = jwks.as_array().unwrap().iter().map(|jwk| private(&json_of(jwk))).collect();
    let bind = |jwk| {
        SignatureAlgorithm::ALL.iter().filter_map(move |row| VerifyingKey::from_private(row, jwk, all_switches()).ok())
    };
    jwks.iter().flat_map(bind).collect()
}

/// JO-03: RFC 7515 A.6 and A.7, and RFC 7520 section 4 in every serialization, are read.
#[test]
fn rfc_vectors_are_read() {
    let rows: Vec<_> = SignatureAlgorithm::ALL.iter().collect();
    let reader = Verifier::new(&rows).unwrap();
    for vector in vectors(include_str!("../vectors/rfc7515_json.json")) {
        let keys = keys_of(vector.get("keys").unwrap());
        let without_kid = text(&vector, "token").replace("\"header\":{\"kid\"", "\"header\":{\"x\"");
        let report = reader.verify_json(&without_kid, Keys::Set(&keys)).unwrap();
        assert!(report.payload(Quorum::All).is_ok(), "{}", text(&vector, "section"));
    }
    let cookbook = vectors(include_str!("../vectors/rfc7520.json"));
    let signed: Vec<_> = cookbook.iter().filter(|vector| text(vector, "kind") == "jws").collect();
    assert_eq!(signed.len(), 7);
    for vector in signed {
        let keys = keys_of(vector.get("keys").unwrap());
        for (form, token) in vector.get("forms").unwrap().as_object().unwrap().iter() {
            let token = token.as_text().unwrap();
            let payload = if form == "compact" {
                reader.verify(token, Keys::Set(&keys)).map(|read| read.payload)
            } else {
                reader
                    .verify_json(token, Keys::Set(&keys))
                    .and_then(|report| report.payload(Quorum::Any).map(<[u8]>::to_vec))
            };
            let payload = payload.unwrap_or_else(|error| panic!("{} {form}: {error}", text(vector, "section")));
            assert_eq!(payload, octets(vector, "payload"), "{} {form}", text(vector, "section"));
        }
    }
}

/// JO-33: flattened and detached are written and read.
#[test]
fn flattened_and_detached_round_trip() {
    let jwk = key_for(row("ES256"));
    let (signing, key) = (signer("ES256", &jwk), verifier("ES256", &jwk));
    let reader = Verifier::new(&[row("ES256")]).unwrap();
    let flattened = |detached: bool| {
        let mut out = Vec::new();
        signing.sign_flattened(&header("ES256"), PAYLOAD, detached, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let attached = flattened(false);
    assert_eq!(reader.verify_json(&attached, &key).unwrap().payload(Quorum::All).unwrap(), PAYLOAD);
    assert_eq!(code(reader.verify_json_detached(&attached, PAYLOAD, &key)), "malformed");
    let detached = flattened(true);
    assert_eq!(code(reader.verify_json(&detached, &key)), "malformed");
    let report = |payload: &[u8]| reader.verify_json_detached(&detached, payload, &key).unwrap();
    assert_eq!(report(PAYLOAD).payload(Quorum::All).unwrap(), PAYLOAD);
    assert_eq!(code(report(b"other").payload(Quorum::Any)), "bad_signature");
    let mut compact = Vec::new();
    signing.sign_detached(&header("ES256"), PAYLOAD, &mut compact).unwrap();
    let compact = String::from_utf8(compact).unwrap();
    assert_eq!(reader.verify_detached(&compact, PAYLOAD, &key).unwrap().payload, PAYLOAD);
    assert_eq!(code(reader.verify_detached(&compact, b"other", &key)), "bad_signature");
    assert_eq!(code(reader.verify(&compact, &key)), "bad_signature");
    assert_eq!(code(reader.verify_detached(&compact.replace("..", ".AA."), PAYLOAD, &key)), "malformed");
}

/// JO-47, B-30: of three signatures one is bad; the report names it, and any and all differ.
#[test]
fn general_tells_each_signature_singly() {
    let names = ["HS256", "ES256", "EdDSA"];
    let jwks = names.map(|name| key_for(row(name)));
    let signers: Vec<SigningKey> = names.iter().zip(&jwks).map(|(name, jwk)| signer(name, jwk)).collect();
    let headers = names.map(header);
    let pairs: Vec<_> = signers.iter().zip(&headers).collect();
    let mut out = Vec::new();
    sign_general(&pairs, PAYLOAD, &mut out).unwrap();
    let token = String::from_utf8(out).unwrap();
    let keys: Vec<VerifyingKey> = names.iter().zip(&jwks).map(|(name, jwk)| verifier(name, jwk)).collect();
    let reader = Verifier::new(&names.map(row)).unwrap();
    let report = reader.verify_json(&token, Keys::Set(&keys)).unwrap();
    assert_eq!(report.payload(Quorum::All).unwrap(), PAYLOAD);
    let held: Vec<_> =
        report.signatures.iter().map(|signature| signature.outcome.as_ref().unwrap().key_index).collect();
    assert_eq!(held, [0, 1, 2]);
    let keys = [verifier(names[0], &jwks[0]), verifier("ES256", &key_for(row("ES256"))), verifier(names[2], &jwks[2])];
    let report = reader.verify_json(&token, Keys::Set(&keys)).unwrap();
    let outcomes: Vec<_> = report.signatures.iter().map(|signature| code(signature.outcome.clone())).collect();
    assert_eq!(outcomes, ["accepted", "bad_signature", "accepted"]);
    assert_eq!(report.payload(Quorum::Any).unwrap(), PAYLOAD);
    assert_eq!(code(report.payload(Quorum::All)), "bad_signature");
    let none = reader.verify_json(&token, Keys::Set(&[])).unwrap();
    assert_eq!(code(none.payload(Quorum::Any)), "no_key");
}

/// B-29 to B-31, JO-57: broken JSON serializations.
#[test]
fn broken_serializations() {
    let jwk = key_for(row("HS256"));
    let (signing, key) = (signer("HS256", &jwk), verifier("HS256", &jwk));
    let reader = Verifier::new(&[row("HS256")]).unwrap();
    let mut out = Vec::new();
    signing.sign_flattened(&header("HS256"), PAYLOAD, false, &mut out).unwrap();
    let good = String::from_utf8(out).unwrap();
    let verify = |token: &str| {
        code(reader.verify_json(token, &key).and_then(|report| report.payload(Quorum::All).map(<[u8]>::to_vec)))
    };
    assert_eq!(verify(&good), "accepted");
    let add = |members: &str| good.replacen('{', &format!("{{{members},"), 1);
    for (token, expected) in [
        (add(r#""signatures":[]"#), "malformed"),
        (add(r#""payload":"AA""#), "malformed"),
        (add(r#""header":1"#), "malformed"),
        (add(r#""header":{"alg":"HS256"}"#), "header"),
        (add(r#""header":{"crit":["x"],"x":1}"#), "critical"),
        (add(r#""header":{"b64":false}"#), "critical"),
        (add(r#""header":{"x":1}"#), "accepted"),
        (r#"{"payload":"AA","signatures":[]}"#.into(), "malformed"),
        (r#"{"payload":"AA","signatures":[1]}"#.into(), "malformed"),
        (r#"{"payload":"AA"}"#.into(), "malformed"),
        (r#"{"payload":7,"signature":"AA"}"#.into(), "malformed"),
        ("[]".into(), "malformed"),
        ("a.b.c".into(), "malformed"),
        (" ".repeat(65_537), "too_large"),
    ] {
        assert_eq!(verify(&token), expected, "{}", &token[..token.len().min(80)]);
    }
    assert_eq!(code(reader.verify(&good, &key)), "malformed");
    let header = header("HS256");
    let many = |count: usize| {
        let mut out = Vec::new();
        sign_general(&vec![(&signing, &header); count], PAYLOAD, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(verify(&many(SIGNATURES_MAX).unwrap()), "accepted");
    assert_eq!(code(many(SIGNATURES_MAX + 1)), "too_large");
    assert_eq!(code(many(0)), "malformed");
    let one = good.split_once("\"protected\"").unwrap().1;
    let entry = format!("{{\"protected\"{one}");
    assert_eq!(
        verify(&format!(r#"{{"payload":"AA","signatures":[{}]}}"#, vec![entry.as_str(); 17].join(","))),
        "too_large"
    );
}

/// JO-40, B-26, B-27: RFC 7797 section 4.2 is written to the octet and read; attached and in a JWT it is refused.
#[test]
fn unencoded_payload() {
    let jwk = private(
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
    );
    let (signing, key) = (signer("HS256", &jwk), verifier("HS256", &jwk));
    let plan = HeaderPlan::new(vec![]).unwrap();
    let header = ProtectedHeader::encode_unencoded_payload(&plan, row("HS256"), None, None).unwrap();
    let mut out = Vec::new();
    signing.sign_unencoded(&header, b"$.02", &mut out).unwrap();
    let expected =
        "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let reader = Verifier::new(&[row("HS256")]).unwrap();
    assert_eq!(reader.verify_detached(expected, b"$.02", &key).unwrap().payload, b"$.02");
    assert_eq!(code(reader.verify_detached(expected, b"$.03", &key)), "bad_signature");
    assert_eq!(code(reader.verify(&expected.replace("..", ".JC4wMg."), &key)), "critical");
    let mut attached = Vec::new();
    assert_eq!(code(signing.sign_compact(&header, PAYLOAD, &mut attached)), "critical");
    assert_eq!(code(signing.sign_unencoded(&crate::jws_json::header("HS256"), PAYLOAD, &mut attached)), "critical");
    assert_eq!(code(HeaderPlan::new(vec![HeaderMember::Other("b64".into(), Value::Bool(false))])), "header");
    let not_critical = crate::support::signed_by_hand(&signing, r#"{"alg":"HS256","b64":false}"#, PAYLOAD);
    let (input, signature) = not_critical.rsplit_once('.').unwrap();
    let detached = format!("{}..{signature}", input.split_once('.').unwrap().0);
    assert_eq!(code(reader.verify_detached(&detached, PAYLOAD, &key)), "critical");
    assert!(base64url::decode(signature).is_ok());
}
