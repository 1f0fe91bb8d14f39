//! Nested tokens, peeking, and what neither may become.

use jose::{
    DecryptionKey, EncryptionKey, KeyKind, Layer, PrivateJwk, base64url,
    json::Value,
    jwa::{ContentEncryption, KeyAlgorithm, Switches},
    jwe::{Decrypter, EncryptionOptions, EncryptionPlan},
    jws::{HeaderMember, HeaderPlan, Verifier},
    jwt::NestedReader,
    peek,
};

use crate::support::{System, code, key_for, row, signed, signer, verifier};

const CLAIMS: &[u8] = br#"{"iss":"a","sub":"alice"}"#;

struct House {
    jws: PrivateJwk,
    jwe: PrivateJwk,
}

impl House {
    fn new() -> Self {
        let jwe = PrivateJwk::generate(KeyKind::Oct(16), &mut System).unwrap();
        Self { jws: key_for(row("HS256")), jwe }
    }

    fn sign(&self) -> String {
        signed(&signer("HS256", &self.jws), CLAIMS)
    }

    fn encrypt(&self, plan: &HeaderPlan, plaintext: &str) -> String {
        let key = EncryptionKey::from_secret(kw(), &self.jwe, Switches::NONE).ok().unwrap();
        let plan = EncryptionPlan::new(&key, gcm(), plan, EncryptionOptions::default(), Switches::NONE).unwrap();
        let mut out = Vec::new();
        plan.encrypt_compact(&key, plaintext.as_bytes(), &mut System, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn read(&self, token: &str) -> Result<jose::jwt::Opened, jose::Error> {
        let decrypter = Decrypter::new(&[kw()], &[gcm()]).unwrap();
        let reader = NestedReader::new(decrypter, Verifier::new(&[row("HS256")]).unwrap());
        let key = DecryptionKey::new(kw(), &self.jwe, Switches::NONE).ok().unwrap();
        reader.read(token, &key, &verifier("HS256", &self.jws), &mut System)
    }
}

fn kw() -> &'static KeyAlgorithm {
    KeyAlgorithm::by_name("A128KW").unwrap()
}

fn gcm() -> &'static ContentEncryption {
    ContentEncryption::by_name("A128GCM").unwrap()
}

/// JO-37: nested tokens carry `cty` `JWT`; both layers are read, and the inner one stands alone.
#[test]
fn both_layers_are_read() {
    let house = House::new();
    let inner = house.sign();
    let token = house.encrypt(&HeaderPlan::nested(), &inner);
    let opened = house.read(&token).unwrap();
    assert_eq!(opened.outer.cty(), Some("JWT"));
    assert_eq!(opened.inner.payload, CLAIMS);
    assert_eq!(peek(&token).unwrap().text("cty").unwrap().shown(), "JWT");
}

/// JO-38, B-33, B-34: signed only, encrypted only, without `cty`, nested three deep and more.
#[test]
fn other_shapes_are_refused() {
    let house = House::new();
    assert_eq!(code(house.read(&house.sign())), "nesting");
    assert_eq!(code(house.read(&house.encrypt(&HeaderPlan::nested(), "{}"))), "nesting");
    assert_eq!(code(house.read(&house.encrypt(&HeaderPlan::encrypted(), "{}"))), "nesting");
    assert_eq!(code(house.read(&house.encrypt(&HeaderPlan::encrypted(), &house.sign()))), "header");
    let mut token = house.encrypt(&HeaderPlan::nested(), &house.sign());
    for depth in 3..12 {
        token = house.encrypt(&HeaderPlan::nested(), &token);
        assert_eq!(code(house.read(&token)), "nesting", "{depth}");
    }
}

/// B-29: a claim repeated in the outer header must say the same.
#[test]
fn repeated_claims_must_agree() {
    let house = House::new();
    let plan = |iss: &str| {
        let members = vec![HeaderMember::Cty("JWT".into()), HeaderMember::Other("iss".into(), Value::Text(iss.into()))];
        HeaderPlan::new(members).unwrap()
    };
    assert_eq!(code(house.read(&house.encrypt(&plan("a"), &house.sign()))), "accepted");
    assert_eq!(code(house.read(&house.encrypt(&plan("b"), &house.sign()))), "header");
}

/// JO-49: peeking shows header members and sizes, as text that no policy takes (see the doc test of `Unverified`).
#[test]
fn peeking_shows_the_outside() {
    let house = House::new();
    let token = house.sign();
    let seen = peek(&token).unwrap();
    assert_eq!(seen.layer, Layer::Signed);
    assert_eq!(seen.text("alg").unwrap().shown(), "HS256");
    assert_eq!(seen.header().shown(), r#"{"alg":"HS256","typ":"JWT"}"#);
    let members: Vec<_> = seen.members().map(|(name, value)| format!("{name}={}", value.shown())).collect();
    assert_eq!(members, [r#"alg="HS256""#, r#"typ="JWT""#]);
    assert_eq!(seen.part_chars.iter().sum::<usize>() + 2, token.len());
    assert_eq!(peek(&house.encrypt(&HeaderPlan::encrypted(), "x")).unwrap().layer, Layer::Encrypted);
    for token in ["", "a.b", "a.b.c.d", "a.b.c.d.e.f"] {
        assert_eq!(code(peek(token)), "malformed", "{token}");
    }
    let none = format!("{}.e30.", base64url::encode(br#"{"alg":"none"}"#));
    assert_eq!(peek(&none).unwrap().text("alg").unwrap().shown(), "none");
}
