//! API definitions over a real socket: what comes in, and what goes out.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::Reply;
use house::chancery::{Chancery, Options};
use jose::base64url;

/// The definition that stands among the examples.
const EXAMPLE: &str = include_str!("../../../examples/api-connect/token.yaml");

/// A definition for this gateway with one operation, GET `/t`, and this assembly behind `execute:`.
fn api(gateway: &str, assembly: &str) -> String {
    let properties =
        r#"    key: {value: '{"kty":"oct","kid":"K","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}'}"#;
    format!(
        "swagger: '2.0'\ninfo: {{title: T, version: 1.0.0}}\nbasePath: /api\npaths:\n  /t:\n    get: {{}}\n    post: {{}}\n\
         x-ibm-configuration:\n  gateway: {gateway}\n  properties:\n{properties}\n  assembly:\n    execute:\n{assembly}\n"
    )
}

async fn serving(document: &str) -> Chancery {
    let chancery = Chancery::with(Options::default());
    chancery.deploy_as("api", document).await.unwrap();
    chancery
}

async fn answer(gateway: &str, assembly: &str) -> Reply {
    serving(&api(gateway, assembly)).await.get("/api/t").await
}

fn parts(token: &str) -> [String; 2] {
    let mut parts = token.split('.').map(|part| String::from_utf8(base64url::decode(part).unwrap()));
    [parts.next().unwrap().unwrap(), parts.next().unwrap().unwrap()]
}

/// AC-24 (part), AC-25, AC-28, AC-35, AC-38 (part), AC-92 (part): the example's token, from its first octet to its last.
#[tokio::test]
async fn the_example_answers_a_token() {
    let reply = serving(EXAMPLE).await.get("/auth/token?client_id=me").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    assert!(reply.header("x-global-transaction-id").is_some());
    let token = reply.body.strip_prefix("Bearer ").unwrap();
    let [header, claims] = parts(token);
    assert_eq!(header, r#"{"kid":"example","alg":"HS256"}"#);
    let times = claims.split_once(r#""exp":"#).unwrap().1.split_once(r#","scope""#).unwrap().0;
    let (exp, iat) = times.split_once(r#","iat":"#).unwrap();
    assert_eq!(exp.parse::<i64>().unwrap() - iat.parse::<i64>().unwrap(), 600);
    let jti = &claims[8..44];
    let expected = format!(
        r#"{{"jti":"{jti}","iss":"https://localhost/auth","sub":"me","aud":"orders","exp":{exp},"iat":{iat},"scope":"orders:read"}}"#
    );
    assert_eq!(claims, expected);
}

const GENERATE: &str = "    - set-variable: {actions: [{set: iss.claim, value: me}]}
    - jwt-generate: {iss-claim: iss.claim, exp-claim: 60, jws-jwk: key, jws-alg: HS256}";

/// AC-34: without a variable the reply itself carries the token.
#[tokio::test]
async fn without_a_variable_the_reply_carries_the_token() {
    let reply = answer("datapower-gateway", &GENERATE.replace("    - ", "      - ")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.header("authorization").unwrap().starts_with("bearer eyj"), "{reply:?}");
}

/// AC-26, AC-36, AC-38: v5 writes no `kid` and no `Bearer `; the body may be the token's place.
#[tokio::test]
async fn each_gateway_has_its_own_header_and_prefix() {
    let assembly = GENERATE.replace("    - ", "      - ").replace("exp-claim", "jwt: message.body, exp-claim");
    for (gateway, prefix, expected) in [
        ("datapower-gateway", "", r#"{"alg":"HS256"}"#),
        ("datapower-api-gateway", "Bearer ", r#"{"kid":"K","alg":"HS256"}"#),
    ] {
        let reply = answer(gateway, &assembly).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/plain")), "{reply:?}");
        assert_eq!(parts(reply.body.strip_prefix(prefix).unwrap())[0], expected);
    }
}

/// AC-13, AC-61, AC-63 (part): the client learns the general text; the log the variable that is not set.
#[tokio::test]
async fn a_failure_is_told_in_general_and_logged_in_detail() {
    let assembly = "      - jwt-generate: {iss-claim: nobody.set.me, exp-claim: 60, jws-jwk: key, jws-alg: HS256}";
    let mut chancery = serving(&api("datapower-api-gateway", assembly)).await;
    let reply = chancery.get("/api/t").await;
    assert!(reply.head.starts_with("http/1.1 500 invalid-jwt-generate\r\n"), "{reply:?}");
    assert_eq!(
        reply.body,
        r#"{"httpCode":"500","httpMessage":"Invalid-JWT-Generate","moreInformation":"The token could not be created."}"#
    );
    let log = chancery.log();
    assert!(log.contains("nobody.set.me") && log.contains("error"), "{log}");
}
