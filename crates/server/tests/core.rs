//! The core listener: what it does beside answering, for its operator and under load. Its answers themselves are held
//! against the real SDKs in `conformance/supertokens`.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::core::{API_KEY, CoreHouse, Options};
use house::get;
use server::token_log::TOKEN_LOG_FILE;

const BODY: &str = r#"{"algorithm":"RS256","jwksDomain":"https://a.example","validity":60,
    "payload":{"sub":"alice","jti":"token-1","canary":"never-in-any-record"}}"#;

/// ST-71: each token leaves a record with the name of the API key, and neither token, payload nor key is in it or in
/// the log. SE-74: it names kid, jti, caller and exp.
#[tokio::test]
async fn each_token_leaves_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("core.api_keys = ['billing:{API_KEY}', 'zyxwvutsrqponmlkjihg']\n");
    let house = CoreHouse::start(&Options { settings: &settings, tokens: Some(folder.path()), ..Options::default() });
    let mut tokens = Vec::new();
    for key in [API_KEY, "zyxwvutsrqponmlkjihg"] {
        let reply = house.create(BODY, key).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        tokens.push(reply.body.split('"').nth(7).unwrap().to_owned());
    }
    assert_eq!(house.create(BODY, "wrong-wrong-wrong-wrong").await.status, 401);
    let log = house.memory.clone();
    drop(house);
    let records = std::fs::read_to_string(folder.path().join(TOKEN_LOG_FILE)).unwrap();
    let records: Vec<&str> = records.lines().collect();
    assert_eq!(records.len(), 2, "one for each token");
    for (record, caller) in records.iter().zip(["billing", "key-2"]) {
        let exp = records_exp(record);
        assert!(record.ends_with(&format!(",\"exp\":{exp}}}")), "{record}");
        for part in [
            &format!("\"caller\":\"{caller}\""),
            "\"kid\":\"s-",
            "\"jti\":\"token-1\"",
            "\"iss\":\"https://a.example\"",
            "127.0.0.1",
        ] {
            assert!(record.contains(part), "{part} is missing in {record}");
        }
    }
    let told = format!("{records:?}{}", log.text());
    let parts = tokens.iter().flat_map(|token| token.split('.'));
    for secret in parts.chain(["never-in-any-record", "alice", API_KEY, "zyxwvutsrqponmlkjihg"]) {
        assert!(!told.contains(secret), "{secret}");
    }
}

/// When the token of a record is issued, and a minute: what the test asked for.
fn records_exp(record: &str) -> i64 {
    let issued_at = record.strip_prefix("{\"issued_at\":").unwrap().split(',').next().unwrap();
    issued_at.parse::<i64>().unwrap() + 60
}

/// ST-72 (part): while as many signatures are waited for as may be, the answer is 429; afterwards it is a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_told_at_once_and_passes() {
    let house = CoreHouse::start(&Options { waiting_max: 2, ..Options::default() });
    let ask = || house.create(BODY, "");
    let replies = futures_util::future::join_all((0..64).map(|_| ask())).await;
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert!(replies.iter().all(|reply| reply.status == 200 || reply.status == 429));
    assert!(!refused.is_empty() && refused.len() < 64, "{} of 64 refused", refused.len());
    for reply in refused {
        assert_eq!(reply.body, "Too many requests; try again later\n");
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    assert_eq!(ask().await.status, 200);
}

/// ST-48: the key set is not sent again to whoever has it, and `HEAD` tells all but the body.
#[tokio::test]
async fn a_key_set_that_is_known_is_not_sent_again() {
    let house = CoreHouse::start(&Options::default());
    let path = "/.well-known/jwks.json";
    let whole = house.running.get(path).await;
    let etag = whole.header("etag").unwrap().to_owned();
    // The helper shows header fields in lower case; the tag itself is not.
    let length = whole.header("content-length").unwrap().to_owned();
    let mut client = house.running.connect().await;
    client.send(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
    let (head, _) = client.rest().await;
    let head = head.to_ascii_lowercase();
    assert!(head.contains(&format!("etag: {etag}")) && head.contains(&format!("content-length: {length}")), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "a body behind {head}");
    let other = house.running.ask(get(path).replace("Host:", "If-None-Match: \"other\"\r\nHost:")).await;
    assert_eq!((other.status, &other.body), (200, &whole.body));
    let any = house.running.ask(get(path).replace("Host:", "If-None-Match: *\r\nHost:")).await;
    assert_eq!((any.status, any.body.as_str(), any.header("etag")), (304, "", Some(&*etag)));
    assert_eq!(any.header("cache-control"), whole.header("cache-control"));
}

/// ST-54 (part): what an SDK tells of itself is told to the log once, and changes no answer.
#[tokio::test]
async fn the_domains_of_a_client_are_told_when_they_change() {
    let mut house = CoreHouse::start(&Options::default());
    let asked = "/apiversion?apiDomain=https%3A%2F%2Fapi.example&websiteDomain=https%3A%2F%2Fweb.example&x=canary";
    let told = house.running.get(asked).await;
    assert_eq!(told.body, house.running.get("/apiversion").await.body);
    house.running.get(asked).await;
    house.running.get("/apiversion?apiDomain=%ff%00&=&&websiteDomain").await;
    house.running.stop().await;
    let memory = house.memory.clone();
    drop(house);
    let log = memory.text();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("core_client")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].contains("https://api.example") && lines[0].contains("https://web.example"), "{}", lines[0]);
    assert!(!log.contains("canary"));
}

/// Tokens and key sets come out of memory: however many are asked for, nothing turns to the store. Only a token that
/// outlives what its key was kept for has that stored first.
#[tokio::test]
async fn no_token_turns_to_the_store() {
    let house = CoreHouse::start(&Options { settings: "core.algorithms = ['ES256']\n", ..Options::default() });
    let before = house.calls.get();
    let fast = BODY.replace("RS256", "ES256");
    let short_lived = fast.replace("{\"alg", "{\"useStaticSigningKey\":false,\"alg");
    for body in [BODY, &fast, &short_lived] {
        for _ in 0..8 {
            assert_eq!(house.create(body, "").await.status, 200);
        }
    }
    for path in ["/.well-known/jwks.json", "/recipe/jwt/jwks", "/apiversion"] {
        assert_eq!(house.running.get(path).await.status, 200, "{path}");
    }
    assert_eq!(house.calls.get(), before);
    let long_lived = short_lived.replace("\"validity\":60", "\"validity\":3153600000");
    assert_eq!(house.create(&long_lived, "").await.status, 200);
    assert!(house.calls.get() > before, "the horizon of its key is stored");
}
