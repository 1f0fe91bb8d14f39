//! A `jwt-generator` under a driver of the test's own: with a clock that stands still, and ten thousand times.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::collections::HashSet;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use dialects::orchestration::{self, LowerSettings};
use dialects::{FoundSecret, SecretChange};
use engine::{Context, Run, Step};
use house::chancery::caller;
use jose::{KeyKind, PrivateJwk, RsaBits, base64url};
use plan::{Ask, Cells, TriggerIx, ValidFlow, Value as Message};
use serde_json::{Value, json};
use server::effects::Begun;
use server::effects::seal::{Holders, seal};
use server::rings::Rings;
use server::vault::{SecretStep, Vault};
use signer::RandomPool;

const PASSWORD: &str = "a shared secret of at least sixty-four octets, which is a long one indeed";

/// A flow whose generator takes its key from the message, and saves the token.
fn flow(config: &Value) -> Value {
    json!({
        "format": "chancery.orchestration/1", "id": "f", "category": "API",
        "trigger": {"type": "api", "method": "GET", "path": "/f", "authentication": "none"},
        "nodes": [
            {"id": "s", "type": "start", "exits": {"Next": "g"}},
            {"id": "g", "type": "jwt-generator", "name": "G", "config": config, "exits": {"True": "e", "Failure": "x"}},
            {"id": "e", "type": "end-success", "config": {"body": {"json": "{{jwt}}"}}},
            {"id": "x", "type": "end-failure", "config": {"status": 422, "body": {"json": "{{flow.error}}"}}},
        ],
    })
}

/// The flow, and who makes its tokens.
struct Driver {
    flow: ValidFlow,
    holders: Holders,
    key: String,
}

impl Driver {
    /// A generator of this configuration, in which `{{key}}` is this key.
    fn new(config: &Value, key: &str) -> Self {
        Self::of(&flow(config), key)
    }

    fn of(document: &Value, key: &str) -> Self {
        let (document, settings) = (document.to_string(), LowerSettings { host: "localhost" });
        let lowered = orchestration::lower("f", document.as_bytes(), &settings);
        let (vault, lowered) = (Arc::new(Vault::ephemeral(&caller().by()).unwrap()), lowered.unwrap());
        for FoundSecret { secret, change } in lowered.secrets {
            let SecretChange::Set(value) = change else { panic!("{secret:?}") };
            vault.change_secret(&secret, &SecretStep::of_text(&value).unwrap(), &caller().by()).unwrap();
        }
        let holders = Holders { signer: Arc::clone(vault.signer()), rings: Rings::open(vault).unwrap() };
        Self { flow: plan::validate(lowered.flow).unwrap(), holders, key: key.to_owned() }
    }

    /// The token that is made when the clock stands at this instant.
    async fn token(&self, now_epoch_ms: i64) -> String {
        let message = Message::map([("key", Message::text(&self.key))]);
        let mut run = Run::start(&self.flow, TriggerIx(0), message, Cells::default());
        let clock = Context { now_epoch_ms, random: 1 };
        loop {
            match run.step(&clock) {
                Step::Ask(id, Ask::Seal(request)) => {
                    let answer = match seal(&self.holders, *request) {
                        Begun::Done(answer) => answer,
                        Begun::Later(later) => later.await,
                    };
                    run.answer(id, answer, &clock).unwrap();
                }
                Step::Ask(_, Ask::Reply { message, .. }) => {
                    let jwt = message.as_map().unwrap().get("jwt").unwrap_or_else(|| panic!("{message:?}"));
                    return jwt.as_map().unwrap().get("token").unwrap().as_text().unwrap().to_owned();
                }
                Step::Told(_) => {}
                Step::Ask(..) | Step::Waiting | Step::Rest => panic!("no token, and no reply"),
            }
        }
    }
}

fn part(token: &str, at: usize) -> String {
    String::from_utf8(base64url::decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
}

/// JG-06: under a clock that stands still, times are whole seconds, cut off and not rounded, and keys of HS* and RS* give the same
/// octets twice.
#[tokio::test]
async fn a_fixed_clock_gives_the_same_token_twice() {
    let rsa = PrivateJwk::generate(KeyKind::Rsa(RsaBits::Bits2048), &mut RandomPool::new()).unwrap();
    let rsa = rsa.to_pem(jose::KeyForm::Pkcs8).unwrap().to_string();
    for (alg, kind, key) in [
        ("HS256", "symmetric", PASSWORD),
        ("HS384", "symmetric", PASSWORD),
        ("HS512", "symmetric", PASSWORD),
        ("RS256", "asymmetric", &rsa),
        ("RS384", "asymmetric", &rsa),
        ("RS512", "asymmetric", &rsa),
        ("PS256", "asymmetric", &rsa),
    ] {
        let block = match kind {
            "symmetric" => json!({"kid": "k", "algorithm": alg, "password": "{{key}}"}),
            _ => json!({"kid": "k", "rsaAlgorithm": alg, "privateKey": "{{key}}"}),
        };
        let config = json!({"claims": {"iss": "i", "sub": "s"}, "signature": {"type": kind, kind: block}});
        let driver = Driver::new(&config, key);
        let first = driver.token(1_700_000_000_000).await;
        assert_eq!(part(&first, 0), format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"k"}}"#));
        assert_eq!(part(&first, 1), r#"{"iat":1700000000,"iss":"i","sub":"s","exp":1700000300}"#);
        let second = driver.token(1_700_000_000_999).await;
        // RSASSA-PSS draws a salt for each signature (RFC 8017 section 8.1).
        assert_eq!(first == second, alg != "PS256", "{alg}");
        assert_eq!(part(&second, 1), part(&first, 1), "{alg}");
        let later = driver.token(1_700_000_001_000).await;
        assert_eq!(part(&later, 1), r#"{"iat":1700000001,"iss":"i","sub":"s","exp":1700000301}"#);
    }
}

/// JG-01 (part): the node makes its token in a flow of each of the eight categories, though requests reach API flows alone.
#[tokio::test]
async fn flows_of_every_category_make_tokens() {
    let config =
        json!({"claims": {"iss": "i", "sub": "s"}, "signature": {"symmetric": {"kid": "k", "password": "{{key}}"}}});
    let categories = ["Authentication", "Admin", "Self Service", "API", "Consent", "Library", "Custom", "User Defined"];
    let mut made = HashSet::new();
    for category in categories {
        let mut document = flow(&config);
        document["category"] = json!(category);
        if category != "API" {
            document.as_object_mut().unwrap().remove("trigger");
        }
        made.insert(Driver::of(&document, PASSWORD).token(1_700_000_000_000).await);
    }
    assert_eq!(made.len(), 1, "{made:?}");
}

/// JG-25: Password only, JWK only and both that agree make the same token.
#[tokio::test]
async fn two_views_of_a_key_make_one_token() {
    let jwk = json!({"kty": "oct", "k": base64url::encode(PASSWORD.as_bytes())}).to_string();
    let mut made = HashSet::new();
    for block in [
        json!({"kid": "k", "password": PASSWORD}),
        json!({"kid": "k", "jwk": jwk}),
        json!({"kid": "k", "password": "{{key}}"}),
        json!({"kid": "k", "jwk": jwk, "password": "{{key}}"}),
    ] {
        let config = json!({"claims": {"iss": "i", "sub": "s"}, "signature": {"symmetric": block}});
        made.insert(Driver::new(&config, PASSWORD).token(1_700_000_000_000).await);
    }
    assert_eq!(made.len(), 1, "{made:?}");
}

/// The content key of a token; none where it is the shared secret itself.
fn content_key(alg: &str, token: &str) -> Option<Vec<u8>> {
    let wrapped = base64url::decode(token.split('.').nth(1).unwrap()).unwrap();
    let header: Value = serde_json::from_str(&part(token, 0)).unwrap();
    let of_header = |name: &str| base64url::decode(header[name].as_str().unwrap()).unwrap();
    match alg {
        "dir" => None,
        // AES key wrap draws nothing: under one key, equal content keys have equal wraps (RFC 3394).
        "A256KW" => Some(wrapped),
        _ => {
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &PASSWORD.as_bytes()[..32]).unwrap());
            let nonce = Nonce::try_assume_unique_for_key(&of_header("iv")).unwrap();
            let mut sealed = [wrapped, of_header("tag")].concat();
            Some(key.open_in_place(nonce, Aad::empty(), &mut sealed).unwrap().to_vec())
        }
    }
}

/// JG-38: ten thousand encryptions under one key repeat no IV, neither of the content nor of the wrap, and, but for `dir`, no
/// content key.
#[tokio::test]
async fn nothing_that_is_drawn_comes_twice() {
    const TOKENS: usize = 10_000;
    for (alg, enc) in [("A256KW", "A256GCM"), ("A256GCMKW", "A128CBC-HS256"), ("dir", "A256GCM")] {
        let block = json!({"algorithm": alg, "password": "{{key}}"});
        let encryption = json!({"type": "symmetric", "contentEncryption": enc, "symmetric": block});
        let config =
            json!({"claims": {"iss": "i", "sub": "s"}, "signature": {"type": "none"}, "encryption": encryption});
        let driver = Driver::new(&config, &PASSWORD[..32]);
        let (mut ivs, mut headers, mut keys) = (HashSet::new(), HashSet::new(), HashSet::new());
        for _ in 0..TOKENS {
            let token = driver.token(1_700_000_000_000).await;
            ivs.insert(token.split('.').nth(2).unwrap().to_owned());
            headers.insert(token.split('.').next().unwrap().to_owned());
            keys.extend(content_key(alg, &token));
        }
        assert_eq!(ivs.len(), TOKENS, "{alg}");
        assert_eq!(keys.len(), if alg == "dir" { 0 } else { TOKENS }, "{alg}");
        // The IV of the wrap stands in the header (RFC 7518 section 4.7.1).
        assert_eq!(headers.len(), if alg == "A256GCMKW" { TOKENS } else { 1 }, "{alg}");
    }
}
