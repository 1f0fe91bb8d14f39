//! Canaries in the secret fields of flows: whatever becomes of them, nobody is told.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use dialects::spec::NodeSpec;
use house::chancery::{Chancery, Options};
use jose::jwa::EcCurve;
use jose::{KeyForm, KeyKind, PrivateJwk, base64url};
use serde_json::{Value, json};
use signer::RandomPool;

/// What stands in a secret field, and the texts of it that nobody else may see.
struct Canary {
    material: String,
    algorithm: Value,
    parts: Vec<String>,
}

impl Canary {
    fn new(material: &str, algorithm: Value, parts: &[&str]) -> Self {
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        Self { material: material.to_owned(), algorithm, parts }
    }

    /// One that serves as the key of this field, and two that cannot.
    fn all_of(field: &str) -> Vec<Self> {
        let torn = Self::new("{\"kty\":\"oct\",\"k\":\"canary-torn", json!({}), &["canary-torn"]);
        let short = Self::new("canary-short", json!({}), &["canary-short"]);
        let octets = "canary-of-thirty-two-octets-at-1";
        let of_octets = if field.starts_with("encryption") { "A256KW" } else { "HS256" };
        let fitting = match field.rsplit('/').next().unwrap() {
            "jwk" => {
                let k = base64url::encode(octets.as_bytes());
                let jwk = json!({"kty": "oct", "k": k}).to_string();
                Self::new(&jwk, json!({"algorithm": of_octets}), &[octets, &k])
            }
            "password" if field.contains("/symmetric/") => {
                Self::new(octets, json!({"algorithm": of_octets}), &[octets, &base64url::encode(octets.as_bytes())])
            }
            "privateKey" | "password" => Self::of_private_key(field),
            other => panic!("{other} is a secret field that this test does not know"),
        };
        vec![fitting, torn, short]
    }

    fn of_private_key(field: &str) -> Self {
        let key = PrivateJwk::generate(KeyKind::Ec(EcCurve::P256), &mut RandomPool::new()).unwrap();
        let mut jwk = Vec::new();
        key.write_private(&mut jwk);
        let jwk: Value = serde_json::from_slice(&jwk).unwrap();
        let pem = key.to_pem(KeyForm::Pkcs8).unwrap();
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let algorithm = if field.starts_with("encryption") {
            json!({"keyType": "EC", "ecAlgorithm": "ECDH-ES"})
        } else {
            json!({"keyType": "EC", "ecAlgorithm": "ES256"})
        };
        let mut canary = Self::new(&pem, algorithm, &lines);
        canary.parts.push(jwk["d"].as_str().unwrap().to_owned());
        canary
    }
}

/// A flow whose only node of that type has the material in that field.
fn flow(spec: &NodeSpec, field: &str, canary: &Canary) -> String {
    let (layer, _) = field.split_once('/').unwrap();
    let mut block = canary.algorithm.clone();
    let names: Vec<&str> = field.split('/').collect();
    block[names[2]] = json!(canary.material);
    let mut config = json!({ layer: {"type": names[1], names[1]: block} });
    if layer == "encryption" {
        config["signature"] = json!({"type": "none"});
    }
    match spec.kind {
        "jwt-verifier" => config["jwt"] = json!("{{flow.request.body.token}}"),
        _ => config["claims"] = json!({"sub": "s"}),
    }
    json!({
        "format": "chancery.orchestration/1", "id": "f", "category": "API",
        "trigger": {"type": "api", "method": "POST", "path": "/f", "authentication": "none"},
        "nodes": [
            {"id": "s", "type": "start", "exits": {"Next": "n"}},
            {"id": "n", "type": spec.kind, "config": config, "exits": {"True": "e", "Failure": "x"}},
            {"id": "e", "type": "end-success", "config": {"body": {"json": "{{jwt}}"}}},
            {"id": "x", "type": "end-failure", "config": {"status": 422, "body": {"json": "{{flow.error}}"}}},
        ],
    })
    .to_string()
}

/// All that anybody is told while that flow is deployed, called, run in debug and kept; and whether it was taken.
async fn told(document: &str) -> (bool, Vec<String>) {
    let mut chancery = Chancery::with(Options::default());
    let mut told = Vec::new();
    let taken = match chancery.deploy_as("f", document).await {
        Ok(report) => {
            told.push(format!("{:?}", report.diagnostics));
            true
        }
        Err(error) => {
            told.push(format!("{error} {error:?}"));
            false
        }
    };
    let body = json!({"token": "e30.e30."}).to_string();
    let head = "POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let reply = chancery.running.ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    told.extend([reply.head, reply.body]);
    if let Ok((reply, left)) = chancery.deployments.debug("f", &plan::Map::default()).await {
        told.push(format!("{reply:?} {:?} {:?}", left.variables, left.frontend));
    }
    let documents = chancery.deployments.vault().store().documents().unwrap();
    told.extend(documents.into_iter().map(|document| String::from_utf8(document.octets).unwrap()));
    told.push(chancery.log());
    (taken, told)
}

/// JG-43: canaries from every secret field of every node type stand in no message, debug run, log or kept document, whether
/// they serve as keys or not. What `explain`, `convert` and exports tell, the command line's tests show.
#[tokio::test]
async fn nobody_is_told_what_stands_in_a_secret_field() {
    let mut tried = Vec::new();
    for entry in dialects::palette().filter(|entry| entry.dialect == "orchestration") {
        for field in entry.spec.secrets() {
            for (turn, canary) in Canary::all_of(field.name).iter().enumerate() {
                let document = flow(entry.spec, field.name, canary);
                let place = format!("{} {} {turn}", entry.spec.kind, field.name);
                let (taken, told) = told(&document).await;
                assert!(taken || turn > 0, "{place}: {told:?}");
                let serves = turn == 0 && entry.spec.kind == "jwt-generator";
                assert!(!serves || told.iter().any(|told| told.contains("\"eyJ")), "{place} made no token: {told:?}");
                for part in &canary.parts {
                    assert!(document.contains(part.as_str()) || turn == 0, "{place} has no {part}");
                    assert!(!told.iter().any(|told| told.contains(part.as_str())), "{place} tells {part}: {told:?}");
                }
            }
            tried.push((entry.spec.kind, field.name));
        }
    }
    assert!(tried.contains(&("jwt-generator", "signature/asymmetric/privateKey")), "{tried:?}");
    assert!(tried.contains(&("jwt-verifier", "encryption/asymmetric/privateKey")), "{tried:?}");
    assert!(tried.len() >= 10, "{tried:?}");
}
