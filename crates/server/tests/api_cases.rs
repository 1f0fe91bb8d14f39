//! Every case of `testdata/api-connect` answers its requests as stands beside it.
//!
//! A case is a definition (`api.*`), its requests (`requests.txt`, with a line `---` between two), and what comes of them
//! (`exchange.txt`, with what the author is told before it). In answers, tokens are shown as their decoded header and claims,
//! with `exp` as seconds after `iat`. `CHANCERY_GOLDENS=write` writes the answers anew; read the difference.
//!
//! AC-06 is the case `every-property`, AC-24 are `claims-from-everywhere` and `request-body-fields`, AC-44 is `key-forms`, AC-46
//! `rsa-odd-modulus`.

#![allow(clippy::disallowed_methods, reason = "cases are files, and the wish to write them is a variable")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dialects::api_connect::{self, Around, Found};
use dialects::{FoundSecret, SecretChange};
use engine::{Context, Run, Step};
use house::chancery::{Chancery, Options};
use jose::base64url;
use plan::{Ask, Cells};
use server::deployment::ApiSettings;
use server::effects::Begun;
use server::effects::seal::{Holders, seal};
use server::rings::Rings;
use server::vault::Vault;
use store::By;

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/api-connect");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.join("requests.txt").exists());
    cases.sort();
    cases
}

fn definition(case: &Path) -> String {
    let mut files = fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|file| file.file_stem().is_some_and(|stem| stem == "api")).unwrap();
    fs::read_to_string(file).unwrap()
}

/// What is told of the definition, then each request with its answer.
async fn exchanges(case: &Path) -> String {
    let chancery = Chancery::with(Options::default());
    let report = match chancery.deploy_as("api", &definition(case)).await {
        Ok(report) => report,
        Err(error) => return format!("refused\n{error}\n"),
    };
    let mut out = String::new();
    for told in &report.diagnostics {
        writeln!(out, "{told}").unwrap();
    }
    let requests = fs::read_to_string(case.join("requests.txt")).unwrap();
    for request in requests.split("---\n") {
        let (head, body) = request.split_once("\n\n").unwrap_or((request.trim_end(), ""));
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let mut octets = format!("{line} HTTP/1.1\r\nHost: localhost\r\n");
        headers.lines().for_each(|header| write!(octets, "{header}\r\n").unwrap());
        let body = body.trim_end();
        write!(octets, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let reply = chancery.running.ask(octets).await;
        let kept = |line: &&str| !line.starts_with("date:") && !line.starts_with("x-global-transaction-id:");
        let head: Vec<&str> = reply.head.lines().filter(kept).collect();
        writeln!(out, "\n> {line}\n{}\n\n{}", head.join("\n"), shown(&reply.body)).unwrap();
    }
    out
}

/// The text with its tokens decoded.
fn shown(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("eyJ") {
        let end = rest[at..].find(|c| !is_part(c)).map_or(rest.len(), |length| at + length);
        write!(out, "{}{}", &rest[..at], decoded(&rest[at..end])).unwrap();
        rest = &rest[end..];
    }
    out + rest
}

fn decoded(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let text = |part: &str| String::from_utf8(base64url::decode(part).unwrap()).unwrap();
    if parts.len() == 5 {
        return format!("<{}>", text(parts[0]));
    }
    let claims = text(parts[1]);
    let number = |name: &str| {
        let (_, behind) = claims.split_once(&format!("\"{name}\":"))?;
        behind[..behind.find([',', '}'])?].parse::<i64>().ok()
    };
    let (exp, iat) = (number("exp").unwrap_or(0), number("iat").unwrap_or(0));
    let claims = claims.replace(&format!("\"exp\":{exp}"), &format!("\"exp\":iat+{}", exp - iat));
    let claims = claims.replace(&format!("\"iat\":{iat}"), "\"iat\":now");
    format!("<{} {}>", text(parts[0]), without_uuid(&claims))
}

fn without_uuid(claims: &str) -> String {
    let Some((before, behind)) = claims.split_once("\"jti\":\"") else { return claims.to_owned() };
    let Some(uuid) = behind.get(..36).filter(|uuid| !uuid.contains('"')) else { return claims.to_owned() };
    let shape: String = uuid.chars().map(|c| if c.is_ascii_hexdigit() { 'x' } else { c }).collect();
    let version = &behind[14..15];
    format!("{before}\"jti\":\"{shape} v{version}{}", &behind[36..])
}

/// AC-01 (part), AC-02, AC-03, AC-05, AC-07, AC-08, AC-09, AC-10 (part), AC-12, AC-14 (part), AC-16, AC-18, AC-19, AC-20,
/// AC-21 (part), AC-22, AC-27 (part), AC-31, AC-32 (part), AC-37, AC-44 (part), AC-48 (part), AC-49, AC-50, AC-51, AC-52,
/// AC-55 (part), AC-56 (part), AC-57 (part), AC-59, AC-62, AC-64 (part), AC-66, AC-67, AC-69 (part), AC-70 (part), AC-71, AC-72,
/// AC-73 (part), AC-74, AC-75, AC-76, AC-77, AC-79 (part), AC-80 (part), AC-81, AC-82 (part), AC-83, AC-84 (part), AC-93: each
/// case says in its first lines which it is for.
#[tokio::test]
async fn every_case_answers_as_stands_beside_it() {
    let cases = cases();
    assert!(cases.len() >= 20, "{}", cases.len());
    let mut differences = Vec::new();
    for case in cases {
        let (file, actual) = (case.join("exchange.txt"), exchanges(&case).await);
        if std::env::var("CHANCERY_GOLDENS").as_deref() == Ok("write") {
            fs::write(&file, &actual).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if expected != actual {
            differences.push(format!("{}\nexpected:\n{expected}\nactual:\n{actual}", case.display()));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The instant and the randomness of the reference tokens.
const FIXED: Context = Context { now_epoch_ms: 1_700_000_000_999, random: 0 };

/// The key that stood in the document under this name.
fn brought(secrets: &[FoundSecret], wanted: &plan::SecretRef) -> Option<String> {
    secrets.iter().find(|found| found.secret == *wanted).and_then(|found| match &found.change {
        SecretChange::Set(text) => Some(text.clone()),
        SecretChange::Keep | SecretChange::Delete => None,
    })
}

/// The token that a definition for this gateway makes with this key, at the fixed instant.
async fn minted(gateway: &str, algorithm: &str, key: &str) -> String {
    let assembly = serde_json::json!({"execute": [
        {"set-variable": {"actions": [
            {"set": "i", "value": "https://issuer.test/a"},
            {"set": "s", "value": "Grüße/ü \"q\""},
            {"set": "a", "value": "a,b"},
            {"set": "p", "value": r#"{"role":"admin","nested":{"z":1,"a":[true,null,1.50]}}"#},
        ]}},
        {"jwt-generate": {
            "jwt": "message.body", "jti-claim": true, "iss-claim": "i", "sub-claim": "s", "aud-claim": "a",
            "exp-claim": 600, "private-claims": "p", "jws-jwk": "key", "jws-alg": algorithm,
        }},
    ]});
    let extension = serde_json::json!({
        "gateway": gateway, "properties": {"key": {"value": key}}, "assembly": assembly,
    });
    let document = serde_json::json!({
        "swagger": "2.0", "paths": {"/t": {"get": {}}}, "x-ibm-configuration": extension,
    });
    let settings = ApiSettings::default();
    let lowered = api_connect::lower("reference", document.to_string().as_bytes(), &settings.lowering()).unwrap();
    let (flow, api) = (plan::validate(lowered.flow).unwrap(), lowered.api);
    let request = http::Request::get("/t").body(bytes::Bytes::new()).unwrap();
    let Found::Operation(called) = api.find(request.method(), "/t") else { panic!("an operation") };
    let around = Around { transaction: "t", now_epoch_ms: FIXED.now_epoch_ms };
    let properties = api.properties(|secret| brought(&lowered.secrets, secret));
    let message = api_connect::accept(&api, called, &request, properties, around).unwrap().message;
    let vault = Arc::new(Vault::ephemeral(&By { actor: "test", address: None, request_id: None }).unwrap());
    let holders = Holders { signer: Arc::clone(vault.signer()), rings: Rings::open(Arc::clone(&vault)).unwrap() };
    let mut run = Run::start(&flow, api.trigger, message, Cells::default());
    loop {
        match run.step(&FIXED) {
            Step::Ask(id, Ask::Seal(request)) => {
                let answer = match seal(&holders, *request) {
                    Begun::Done(answer) => answer,
                    Begun::Later(answer) => answer.await,
                };
                run.answer(id, answer, &FIXED).unwrap();
            }
            Step::Ask(_, Ask::Reply { message, .. }) => {
                let body = plan::Path::keys(["message", "body"]).read(&message, &Cells::default()).clone();
                return body.as_text().unwrap().trim_start_matches("Bearer ").to_owned();
            }
            strange @ (Step::Ask(..) | Step::Told(_) | Step::Waiting | Step::Rest) => panic!("{strange:?}"),
        }
    }
}

/// AC-29, AC-45: HS256, RS256 and RS512 on both gateways, octet for octet what an independent library wrote; an RSA key
/// without its primes makes the same.
#[tokio::test]
async fn tokens_are_those_of_an_independent_library() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/api-connect/reference");
    let keys: serde_json::Value = serde_json::from_slice(&fs::read(reference.join("keys.json")).unwrap()).unwrap();
    let mut compared = 0;
    for line in fs::read_to_string(reference.join("tokens.txt")).unwrap().lines() {
        let [gateway, algorithm, expected] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let names: &[&str] = if algorithm == "HS256" { &["HS256"] } else { &["full", "bare"] };
        for name in names {
            assert_eq!(
                minted(gateway, algorithm, &keys[name].to_string()).await,
                expected,
                "{gateway} {algorithm} {name}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 10);
}
