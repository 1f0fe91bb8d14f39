//! One wish in four dialects: over HTTP they give equal claims under one key.
//!
//! An intent is a folder of `testdata/confluence`: `flow.json`, `flows.json`, `api.json` and `call.json`, each the same wish in its
//! vendor's words. `$KEY` is the one private key as a text of JSON, `$KEK` a secret of 32 octets. `claims.json` says what the claims
//! are beside `iat` and `exp`. A `kid` of the author's own is, for the call, the `kid` that the key was brought in with: its
//! vendor's calls cannot name one.

#![allow(clippy::disallowed_methods, reason = "intents are files")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dialects::intent::{Target, convert};
use dialects::node_red::LowerSettings;
use dialects::{Kind, Settings, orchestration};
use house::chancery::{Chancery, Options, caller};
use house::{core, start};
use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, Switches};
use jose::jwe::{Decrypter, DecryptionKeys};
use jose::jwk::KeyParameters;
use jose::jws::{Keys, Verifier};
use jose::{DecryptionKey, KeyKind, PrivateJwk, RsaBits, SecretForm, VerifyingKey, base64url};
use serde_json::{Value, json};
use server::accept::{Limits, ListenerKind};
use server::deployment::ApiSettings;
use server::limits::QUEUE_MAX;
use server::log::{Form, Level, Log};
use server::rings::{NewRingSpec, RingSigner, Rings, Timing};
use server::routes::core::Core;
use server::vault::{SecretStep, Vault};
use signer::RandomPool;

const KEK: &str = "thirty-two octets of a secret!!!";

/// What a vendor has no words for: calls of the fourth make signed tokens, and nothing encrypts them.
const WITHOUT_WORDS: [(&str, &str); 1] = [("nested", "call.json")];
const OWN_KID: &str = "my-kid";

/// The one key, and the same as text.
fn key() -> (PrivateJwk, String) {
    let key = PrivateJwk::generate(KeyKind::Rsa(RsaBits::Bits2048), &mut RandomPool::new()).unwrap();
    let mut text = Vec::new();
    key.write_private(&mut text);
    (key, String::from_utf8(text).unwrap())
}

fn copy(text: &str) -> PrivateJwk {
    match jose::jwk::Jwk::parse(text.as_bytes()).unwrap() {
        jose::jwk::Jwk::Private(private) => private,
        jose::jwk::Jwk::Public(_) => panic!("private"),
    }
}

/// A file of an intent with the keys in it; none if the vendor has no words for the wish.
fn read(intent: &Path, name: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(intent.join(name)).ok()?;
    let quoted = json!(key).to_string();
    Some(text.replace("$KEY", quoted.trim_matches('"')).replace("$KEK", KEK))
}

fn ring() -> NewRingSpec {
    NewRingSpec {
        tenant: "public".to_owned(),
        name: "wish".to_owned(),
        algorithm: SignatureAlgorithm::by_name("RS256").unwrap(),
        kid_prefix: "",
        timing: Timing::Rotating(keyring::Span::from_secs(604_800)),
        signer: RingSigner::Software2048,
        is_strict: false,
    }
}

/// The token that a document answers `GET /wish` with, under a ring of this key.
async fn token_of(document: &str, key: &str) -> String {
    let chancery = Chancery::with(Options::default());
    chancery.rings.declare(&[ring()], &caller().by()).unwrap();
    chancery.rings.import("public/wish", copy(key), Switches::NONE, &caller().by()).unwrap();
    chancery.deploy_as("wish", document).await.unwrap();
    if let Ok(secret) = chancery.deployments.secret_named("gen", "signature/asymmetric/privateKey") {
        let step = SecretStep::of_text(key).unwrap();
        chancery.deployments.vault().change_secret(&secret, &step, &caller().by()).unwrap();
        let kek = plan::SecretRef { owner: secret.owner, field: "encryption/symmetric/password".into() };
        chancery.deployments.vault().change_secret(&kek, &SecretStep::of_text(KEK).unwrap(), &caller().by()).unwrap();
    }
    let reply = chancery.get("/wish").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body.trim_start_matches("Bearer ").to_owned()
}

/// The token that the fourth vendor's core API answers this call with, signed by this key.
async fn token_of_call(call: &str, key: PrivateJwk) -> String {
    let settings = core::settings("").core;
    let (log, _guard) = Log::start(Level::Error, Form::Json, house::Memory::default()).unwrap();
    let rings = Rings::open(Arc::new(Vault::ephemeral(&caller().by()).unwrap())).unwrap();
    let specs = NewRingSpec::of_apps(&settings);
    rings.declare(&specs, &caller().by()).unwrap();
    let prefix = if call.contains("\"useStaticSigningKey\": true") { "public/s-" } else { "public/d-" };
    let ids: Vec<String> =
        specs.iter().filter(|spec| spec.algorithm.name == "RS256").map(NewRingSpec::ring_id).collect();
    let ring_id = ids.iter().find(|id| id.starts_with(prefix)).unwrap();
    rings.import(ring_id, key, Switches::NONE, &caller().by()).unwrap();
    let running = start(Core::new(&settings, rings, QUEUE_MAX, None, log), Limits::of(ListenerKind::Core));
    let head = format!("POST /recipe/jwt HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", call.len());
    let reply = running.ask(format!("{head}{call}")).await;
    let body: Value = serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body));
    body["jwt"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

/// Header and claims of a token, decrypted if it is encrypted, that verifies with the key.
fn opened(token: &str, key: &PrivateJwk) -> (Value, Value) {
    let mut token = token.to_owned();
    if token.split('.').count() == 5 {
        let secret = PrivateJwk::from_secret(KEK.as_bytes(), SecretForm::AsIs).unwrap();
        let row = KeyAlgorithm::by_name("A256KW").unwrap();
        let decrypting = DecryptionKey::new(row, &secret, Switches::NONE).unwrap();
        let decrypter = Decrypter::new(&[row], &[ContentEncryption::by_name("A256GCM").unwrap()]).unwrap();
        let opened = decrypter.decrypt(&token, DecryptionKeys::One(&decrypting), &mut RandomPool::new()).unwrap();
        token = String::from_utf8(opened.plaintext.to_vec()).unwrap();
    }
    let row = SignatureAlgorithm::by_name("RS256").unwrap();
    let verifying = VerifyingKey::from_private(row, key, Switches::NONE).unwrap();
    let verified = Verifier::new(&[row]).unwrap().verify(&token, Keys::One(&verifying)).unwrap();
    let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
    (serde_json::from_slice(&header).unwrap(), serde_json::from_slice(&verified.payload).unwrap())
}

fn intents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/confluence");
    let mut intents: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    intents.sort();
    intents
}

#[tokio::test]
async fn one_wish_gives_equal_claims_under_one_key() {
    let (private, text) = key();
    let (mut compared, mut missing, intents) = (0, Vec::new(), intents());
    for intent in &intents {
        let expected: Value = serde_json::from_slice(&fs::read(intent.join("claims.json")).unwrap()).unwrap();
        let intent_name = intent.file_name().unwrap().to_str().unwrap();
        for name in ["flow.json", "flows.json", "api.json", "call.json"] {
            let Some(document) = read(intent, name, &text) else {
                missing.push((intent_name.to_owned(), name));
                continue;
            };
            let kid = (intent_name == "own-kid").then(|| OWN_KID.to_owned());
            let token = if name == "call.json" {
                let brought = copy(&text).with_parameters(KeyParameters { kid, ..KeyParameters::default() });
                token_of_call(&document, brought).await
            } else {
                token_of(&document, &text).await
            };
            let (header, mut claims) = opened(&token, &private);
            let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            for time in ["iat", "exp"] {
                claims.as_object_mut().unwrap().shift_remove(time);
            }
            assert_eq!((claims, life), (expected.clone(), 600), "{intent_name} {name}");
            if intent_name == "own-kid" {
                assert_eq!(header["kid"], OWN_KID, "{name}");
            }
            assert!(intent_name != "rotating" || header["kid"].is_string(), "{name}: a token of a ring names its key");
            compared += 1;
        }
    }
    assert_eq!(missing, WITHOUT_WORDS.map(|(intent, name)| (intent.to_owned(), name)));
    assert_eq!((intents.len(), compared), (6, 23));
}

/// What a document is called by in [`dialects::intent`], and what it is written in.
const DIALECTS: [(&str, Target); 4] = [
    ("flow.json", Target::Document(Kind::Orchestration)),
    ("flows.json", Target::Document(Kind::NodeRed)),
    ("api.json", Target::Document(Kind::ApiConnect)),
    ("call.json", Target::Request),
];

/// The document in another dialect, without its keys; none if that has no words for the wish.
fn in_another(document: &str, to: Target) -> Option<String> {
    let apis = ApiSettings::default();
    let environment = BTreeMap::new();
    let settings = Settings {
        node_red: LowerSettings { environment: &environment, jwt_any_hmac: false },
        api_connect: apis.lowering(),
        orchestration: orchestration::LowerSettings { host: &apis.host },
    };
    let converted = convert("wish", document.as_bytes(), to, &settings).ok()?;
    Some(String::from_utf8(converted.octets).unwrap())
}

/// The token of a document that was written anew: its keys are given as the conversion says, and it is called as it says.
async fn token_of_converted(document: &str, key: &str) -> String {
    let chancery = Chancery::with(Options::default());
    let name = if document.contains("d-rs256") { "d-rs256" } else { "wish" };
    let ring = NewRingSpec { name: name.to_owned(), ..ring() };
    chancery.rings.declare(std::slice::from_ref(&ring), &caller().by()).unwrap();
    chancery.rings.import(&ring.ring_id(), copy(key), Switches::NONE, &caller().by()).unwrap();
    chancery.deploy_as("wish", document).await.unwrap();
    let kek = json!({"kty": "oct", "k": base64url::encode(KEK.as_bytes())}).to_string();
    for (owner, field, text) in [
        ("gen", "signature/asymmetric/privateKey", key),
        ("gen", "encryption/symmetric/password", KEK),
        ("wish/g", "signature/asymmetric/privateKey", key),
        ("wish/g", "encryption/symmetric/password", KEK),
        ("wish", "key", key),
        ("wish", "kek", &kek),
    ] {
        let secret = plan::SecretRef { owner: owner.into(), field: field.into() };
        let step = SecretStep::of_text(text).unwrap();
        chancery.deployments.vault().change_secret(&secret, &step, &caller().by()).unwrap();
    }
    let reply = if document.contains("/recipe/jwt") {
        chancery.running.ask("POST /recipe/jwt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").await
    } else {
        chancery.get("/wish").await
    };
    assert_eq!(reply.status, 200, "{} {document}", reply.body);
    match serde_json::from_str::<Value>(&reply.body) {
        Ok(body) => body["jwt"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned(),
        Err(_) => reply.body.trim_start_matches("Bearer ").to_owned(),
    }
}

/// Issue text, "convert": each document, written in each other dialect that has words for it and served, mints the same claims
/// under the same key.
#[tokio::test]
async fn a_converted_document_mints_the_same_claims() {
    let (private, text) = key();
    let mut minted = 0;
    for intent in intents() {
        let expected: Value = serde_json::from_slice(&fs::read(intent.join("claims.json")).unwrap()).unwrap();
        for (name, _) in DIALECTS {
            let Some(document) = read(&intent, name, &text) else { continue };
            for (_, to) in DIALECTS {
                let Some(converted) = in_another(&document, to) else { continue };
                assert!(!converted.contains(KEK) && !converted.contains("\\\"d\\\""), "{converted}");
                let token = if to == Target::Request {
                    token_of_call(&converted, copy(&text)).await
                } else {
                    token_of_converted(&converted, &text).await
                };
                let (header, mut claims) = opened(&token, &private);
                let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
                for time in ["iat", "exp"] {
                    claims.as_object_mut().unwrap().shift_remove(time);
                }
                assert_eq!((claims, life), (expected.clone(), 600), "{} {name} {to:?}", intent.display());
                // What a core was asked has the name of the key, whatever that is.
                if intent.ends_with("own-kid") && name != "call.json" {
                    assert_eq!(header["kid"], OWN_KID, "{name} {to:?}");
                }
                minted += 1;
            }
        }
    }
    assert_eq!(minted, 86);
}
