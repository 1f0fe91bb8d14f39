//! API definitions over a real socket: what comes in, and what goes out.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use dialects::api_connect;
use house::Reply;
use house::chancery::{Chancery, Options, caller};
use jose::base64url;
use server::deployment::ApiSettings;
use server::vault::SecretStep;

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

/// A definition whose keys stand in its properties in every way: as text, as an object, as base64, in a catalog.
fn with_canaries() -> String {
    let key = |name: &str| format!(r#"{{"kty":"oct","kid":"{name}","k":"Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LQ"}}"#);
    let encoded = base64_simd::STANDARD.encode_to_string(key("base64"));
    let properties = format!(
        "    key: {{value: '{}'}}\n    object: {{value: {}}}\n    base64: {{encoded: true, value: {encoded}}}\n    \
         catalog: {{value: none}}\n  catalogs: {{sandbox: {{properties: {{catalog: '{}'}}}}}}\n",
        key("text"),
        key("object"),
        key("catalog"),
    );
    let one = |name: &str| {
        format!(
            "            - operations: [{{verb: get, path: /{name}}}]\n              execute:\n                - jwt-generate: \
             {{jwt: message.body, iss-claim: iss.claim, exp-claim: 60, jws-jwk: {name}, jws-alg: HS256}}\n"
        )
    };
    let names = ["key", "object", "base64", "catalog"];
    let paths: String = names.iter().map(|name| format!("  /{name}: {{get: {{}}}}\n")).collect();
    format!(
        "swagger: '2.0'\nbasePath: /api\npaths:\n{paths}x-ibm-configuration:\n  gateway: datapower-api-gateway\n  \
         properties:\n{properties}  assembly:\n    execute:\n      - set-variable: {{actions: [{{set: iss.claim, value: me}}]}}\n      \
         - operation-switch:\n          case:\n{}",
        names.map(one).concat()
    )
}

/// The `kid` of each token that the definition makes, or the status of its failure.
async fn kids(chancery: &Chancery) -> Vec<String> {
    let mut kids = Vec::new();
    for name in ["key", "object", "base64", "catalog"] {
        let reply = chancery.get(&format!("/api/{name}")).await;
        let token = reply.body.strip_prefix("Bearer ").map(str::to_owned);
        kids.push(token.map_or_else(|| reply.status.to_string(), |token| parts(&token)[0].clone()));
    }
    kids
}

/// Keys in properties are kept as secrets: neither the stored document nor the plan has an octet of them. What was stored
/// serves as before, and a key that is set later counts from the next request on.
#[tokio::test]
async fn keys_in_properties_are_kept_as_secrets() {
    let document = with_canaries();
    let mut chancery = serving(&document).await;
    let header = |kid: &str| format!(r#"{{"kid":"{kid}","alg":"HS256"}}"#);
    let all: Vec<String> = ["text", "object", "base64", "catalog"].map(header).into();
    assert_eq!(kids(&chancery).await, all);
    let vault = chancery.deployments.vault();
    let kept = String::from_utf8(vault.store().document("public", "api").unwrap().unwrap().octets).unwrap();
    let settings = ApiSettings::default();
    let lowered = api_connect::lower("api", document.as_bytes(), &settings.lowering()).unwrap();
    let dumped = format!("{}\n{:?}", plan::dump(&lowered.flow), lowered);
    for canary in ["Y2FuYXJ5", "canary", "Q2FuYXJ5", "WTJGdVlYSjV"] {
        assert!(document.contains("Y2FuYXJ5"), "the search finds what is there");
        assert!(!kept.contains(canary) && !dumped.contains(canary), "{canary}\n{kept}\n{dumped}");
    }
    assert_eq!(kept.matches("chancery:sealed").count(), 4, "{kept}");
    // What is stored is what a restart or an export has; deployed again it keeps the secrets.
    chancery.deploy_as("api", &kept).await.unwrap();
    assert_eq!(kids(&chancery).await, all);
    let secret = chancery.deployments.secret_named("api", "key").unwrap();
    let other =
        SecretStep::of_text(r#"{"kty":"oct","kid":"later","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}"#);
    chancery.deployments.vault().change_secret(&secret, &other.unwrap(), &caller().by()).unwrap();
    assert_eq!(kids(&chancery).await, [header("later"), all[1].clone(), all[2].clone(), all[3].clone()]);
    chancery.deployments.vault().change_secret(&secret, &SecretStep::Delete, &caller().by()).unwrap();
    assert_eq!(kids(&chancery).await[0], "500");
    let report = chancery.deploy_as("api", &kept).await.unwrap();
    assert_eq!(report.diagnostics.iter().map(|told| told.code).collect::<Vec<_>>(), ["secret_missing"]);
    assert!(!chancery.log().contains("canary"), "the log");
}
