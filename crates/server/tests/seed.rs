//! The seed flow over a real socket: exactly the bytes that its author expects.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery::{CONFIG, Chancery, Options, SEED, given};
use jose::base64url;

/// The parts of the one token in a body like `{"access_token":"..."}`.
fn parts(body: &str) -> [String; 3] {
    let token = body.strip_prefix(r#"{"access_token":""#).unwrap().strip_suffix(r#""}"#).unwrap();
    let [head, claims, mac] = <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>()).unwrap();
    [head.to_owned(), claims.to_owned(), mac.to_owned()]
}

fn text(part: &str) -> String {
    String::from_utf8(base64url::decode(part).unwrap()).unwrap()
}

fn hs256(secret: &[u8], input: &str) -> String {
    let key = jose::PrivateJwk::from_secret(secret, jose::SecretForm::AsIs).unwrap();
    let row = jose::jwa::SignatureAlgorithm::by_name("HS256").unwrap();
    let switches = jose::jwa::Switches::NONE.with(jose::jwa::Switch::WeakHmac);
    let mut mac = Vec::new();
    jose::SigningKey::new(row, &key, switches).unwrap().sign(input.as_bytes(), &mut mac).unwrap();
    base64url::encode(&mac)
}

/// NR-01 (part), NR-02: the document is deployed as it is; the answer has these headers and 412 octets.
#[tokio::test]
async fn the_answer_is_what_the_author_expects() {
    let chancery = Chancery::serving(SEED).await;
    let reply = chancery.get("/jwt/generate").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("content-length"), Some("412"));
    assert_eq!(reply.header("x-content-type-options"), None);
    assert!(reply.header("etag").unwrap().starts_with("w/\"19c-"), "{reply:?}");
    assert_eq!(reply.body.len(), 412);
    parts(&reply.body);
}

/// NR-03, NR-04: header and claims in their order, a day's lifetime, and an HMAC keyed by the secret's own octets.
#[tokio::test]
async fn the_token_holds_what_the_function_wrote() {
    let chancery = Chancery::serving(SEED).await;
    let [head, claims, mac] = parts(&chancery.get("/jwt/generate").await.body);
    assert_eq!(text(&head), r#"{"alg":"HS256","typ":"JWT"}"#);
    assert_eq!(mac, hs256(b"s3cret", &format!("{head}.{claims}")));
    let claims = text(&claims);
    let data = r#"{"data":{"name":"CYber Group Inc.","Domain":"Information Technology & Services","Offices":{"Dallas":"12900 Preston Road, Ste 900, Dallas, TX, 75230","India":"30/1 Knowledge Park III, Greater Noida"}},"exp":"#;
    let times = claims.strip_prefix(data).unwrap().strip_suffix('}').unwrap();
    let (exp, iat) = times.split_once(r#","iat":"#).unwrap();
    let (exp, iat): (i64, i64) = (exp.parse().unwrap(), iat.parse().unwrap());
    assert_eq!(exp - iat, 86_400);
}

/// NR-76: `HEAD` has the same headers and no body, `OPTIONS` the methods, other methods and paths the vendor's page.
#[tokio::test]
async fn other_methods_are_answered_as_upstream_does() {
    let chancery = Chancery::serving(SEED).await;
    let ask = |method: &str| format!("{method} /jwt/generate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut client = chancery.running.connect().await;
    client.send(ask("HEAD")).await;
    let (head, _) = client.rest().await;
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\n") && head.to_lowercase().contains("content-length: 412\r\n"),
        "{head}"
    );
    assert!(head.ends_with("\r\n\r\n"), "no body: {head}");
    let options = chancery.running.ask(ask("OPTIONS")).await;
    assert_eq!((options.status, options.header("allow")), (200, Some("get,head")));
    let post = chancery.running.ask(ask("POST")).await;
    assert_eq!(post.status, 404);
    assert!(post.body.contains("<pre>Cannot POST /jwt/generate</pre>"), "{}", post.body);
    assert_eq!(chancery.get("/jwt").await.status, 404);
}

/// NR-09, NR-11: without a secret, or with blanks for one, the deploy warns and names the node, and nothing is issued.
#[tokio::test]
async fn no_secret_no_token() {
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy(SEED).await.unwrap();
    let told: Vec<_> = report.diagnostics.iter().filter(|told| told.code == "secret_missing").collect();
    assert_eq!(told.len(), 1);
    assert_eq!(&*told[0].place.node, CONFIG);
    assert!(told[0].hint.contains("chancery secret set 766dcb94.6ebc04 tokensecret"));
    let reply = chancery.get("/jwt/generate").await;
    assert_eq!(reply.status, 500);
    assert!(reply.body.starts_with(r#"{"error":"flow_error","id":""#), "{}", reply.body);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

/// NR-28: a secret counts from the next message on, and so does its deletion.
#[tokio::test]
async fn a_secret_set_later_counts_at_once() {
    let chancery = Chancery::with(Options::default());
    chancery.deploy(SEED).await.unwrap();
    assert_eq!(chancery.get("/jwt/generate").await.status, 500);
    for secret in ["one", "two"] {
        chancery.set_secret(secret);
        let [head, claims, mac] = parts(&chancery.get("/jwt/generate").await.body);
        assert_eq!(mac, hs256(secret.as_bytes(), &format!("{head}.{claims}")));
    }
    chancery.set_secret("  ");
    assert_eq!(chancery.get("/jwt/generate").await.status, 500);
}

#[tokio::test]
async fn a_secret_may_be_given_for_one_run_by_id_or_name() {
    for owner in [CONFIG, "igniteadmin"] {
        let chancery =
            Chancery::with(Options { given: vec![given(owner, "tokensecret", "run")], ..Options::default() });
        let report = chancery.deploy(SEED).await.unwrap();
        assert!(report.diagnostics.iter().all(|told| told.code != "secret_missing"), "{:?}", report.diagnostics);
        let [head, claims, mac] = parts(&chancery.get("/jwt/generate").await.body);
        assert_eq!(mac, hs256(b"run", &format!("{head}.{claims}")));
        assert!(chancery.deployments.unused_secrets().is_empty());
    }
    let chancery = Chancery::with(Options { given: vec![given("nobody", "f", "v")], ..Options::default() });
    chancery.deploy(SEED).await.unwrap();
    assert_eq!(chancery.deployments.unused_secrets(), ["nobody.f"]);
}
