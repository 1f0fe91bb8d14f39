//! Orchestration flows over HTTP: what a caller sends, and what comes back.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::Reply;
use house::chancery::{Chancery, Options};
use jose::jwa::{SignatureAlgorithm, Switches};
use jose::jwk::Jwk;
use jose::jws::{Keys, Verifier};
use jose::{KeyKind, PrivateJwk, RsaBits, SecretForm, VerifyingKey, base64url};
use keyring::{OverLife, RingPolicy, Span};
use serde_json::{Value, json};
use server::rings::{NewRingSpec, Timing};
use signer::RandomPool;

const PASSWORD: &str = "a shared secret of at least thirty-two octets";
/// Every attribute that a generator saves.
const ATTRIBUTES: &[&str] = &[
    "token",
    "token_type",
    "header",
    "claims",
    "iat",
    "iss",
    "sub",
    "exp",
    "aud",
    "nbf",
    "jti",
    "issued_at",
    "expires_at",
    "expires_in",
    "kid",
    "alg",
    "typ",
    "encrypted",
    "nested",
    "jwe_header",
    "enc_alg",
    "enc",
    "enc_kid",
    "public_jwk",
    "jwk_thumbprint",
];

/// A flow that makes a token by this configuration of a `jwt-generator`, and answers with all that is known of it, or with
/// `flow.error` and 422.
fn flow(config: Value) -> Value {
    let mut config = config;
    config["save"] = json!({"attributes": ATTRIBUTES});
    json!({
        "format": "chancery.orchestration/1", "id": "f", "category": "API",
        "trigger": {"type": "api", "method": "POST", "path": "/f", "authentication": "none"},
        "nodes": [
            {"id": "s", "type": "start", "exits": {"Next": "g"}},
            {"id": "g", "type": "jwt-generator", "name": "G", "config": config, "exits": {"True": "e", "Failure": "x"}},
            {"id": "e", "type": "end-success", "config": {"body": {"json": "{{jwt}}"}}},
            {"id": "x", "type": "end-failure", "config": {"status": 422, "body": {"json": "{{flow.error}}"}}},
        ],
    })
}

/// A configuration that signs with the shared secret.
fn signed(claims: Value) -> Value {
    json!({"claims": claims, "signature": {"symmetric": {"kid": "k1", "password": PASSWORD}}})
}

/// The default claims, with values of their own.
fn plain() -> Value {
    json!({"iss": "https://issuer.test", "sub": "alice"})
}

async fn deployed(document: &Value) -> Chancery {
    let chancery = Chancery::with(Options::default());
    chancery.deploy_as("f", &document.to_string()).await.unwrap();
    chancery
}

async fn post(chancery: &Chancery, body: &Value) -> Reply {
    let body = body.to_string();
    let head = "POST /f HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    chancery.running.ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await
}

/// What a flow of this configuration answers to this body.
async fn answered(config: Value, body: Value) -> (u16, Value) {
    let reply = post(&deployed(&flow(config)).await, &body).await;
    (reply.status, serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body)))
}

/// Why a flow of this configuration is not deployed.
async fn refused(document: &Value) -> String {
    let chancery = Chancery::with(Options::default());
    chancery.deploy_as("f", &document.to_string()).await.err().map(|error| error.to_string()).unwrap_or_default()
}

/// The claims of a token that verifies with the shared secret, as text.
fn verified(token: &str, algorithm: &str, key: &str) -> String {
    let row = SignatureAlgorithm::by_name(algorithm).unwrap();
    let key = match key.starts_with(['{', '-']).then(|| Jwk::import(key.as_bytes()).unwrap()) {
        None => {
            let private = PrivateJwk::from_secret(key.as_bytes(), SecretForm::AsIs).unwrap();
            VerifyingKey::from_private(row, &private, Switches::NONE).unwrap()
        }
        Some(Jwk::Private(private)) => VerifyingKey::from_private(row, &private, Switches::NONE).unwrap(),
        Some(Jwk::Public(public)) => VerifyingKey::new(row, &public, Switches::NONE).unwrap(),
    };
    let verified = Verifier::new(&[row]).unwrap().verify(token, Keys::One(&key)).unwrap();
    String::from_utf8(verified.payload).unwrap()
}

fn header(token: &str) -> String {
    String::from_utf8(base64url::decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

/// JG-03: a node with only a key and `sub` gives the default claims in their order, for 300 seconds.
#[tokio::test]
async fn a_key_and_a_subject_make_a_token() {
    let (status, jwt) = answered(signed(json!({"sub": "alice"})), json!({})).await;
    assert_eq!(status, 200, "{jwt}");
    let token = jwt["token"].as_str().unwrap();
    assert_eq!(header(token), r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#);
    let claims = verified(token, "HS256", PASSWORD);
    let read: Value = serde_json::from_str(&claims).unwrap();
    let (iat, exp) = (read["iat"].as_i64().unwrap(), read["exp"].as_i64().unwrap());
    assert_eq!(exp - iat, 300);
    assert_eq!(claims, format!(r#"{{"iat":{iat},"iss":"http://localhost","sub":"alice","exp":{exp}}}"#));
}

/// JG-04: a TTL is a whole number of seconds within its range, written or in a variable.
#[tokio::test]
async fn a_lifetime_is_whole_seconds() {
    let config = |ttl: Value| {
        let mut config = signed(plain());
        config["ttl"] = ttl;
        config
    };
    for (ttl, body, seconds) in [
        (json!(1), json!({}), 1),
        (json!(31_622_400), json!({}), 31_622_400),
        (json!("{{flow.request.body.v}}"), json!({"v": 60}), 60),
        (json!("{{flow.request.body.v}}"), json!({"v": "60"}), 60),
    ] {
        let (status, jwt) = answered(config(ttl.clone()), body).await;
        assert_eq!((status, &jwt["expires_in"]), (200, &json!(seconds)), "{ttl}");
    }
    let live = deployed(&flow(config(json!("{{flow.request.body.v}}")))).await;
    for v in [json!(0), json!(-1), json!(1.5), json!("abc"), json!(31_622_401), json!("+5"), json!([1])] {
        let reply = post(&live, &json!({"v": v})).await;
        let error: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((reply.status, error["code"].as_str()), (422, Some("ttl.invalid")), "{v}");
        let message = "JWT - Generator \"G\": JWT TTL: whole seconds from 1 to 31622400 needed";
        assert_eq!(error, json!({"message": message, "code": "ttl.invalid", "node": "g", "field": "ttl"}));
    }
    for ttl in [json!(0), json!(-1), json!(1.5), json!("abc"), json!(31_622_401), json!(true)] {
        let told = refused(&flow(config(ttl.clone()))).await;
        assert!(told.contains("ttl.invalid") && told.contains("/nodes/1/config/ttl"), "{ttl}: {told}");
    }
}

/// JG-05: the sixteen combinations of the four flags give exactly the included claims, and a warning without `exp`.
#[tokio::test]
async fn flags_decide_which_claims_stand() {
    let names = ["iat", "iss", "sub", "exp"];
    for bits in 0..16_u8 {
        let is_in = |at: usize| bits & (1 << at) != 0;
        let mut claims = plain();
        claims["include"] = json!({"iat": is_in(0), "iss": is_in(1), "sub": is_in(2), "exp": is_in(3)});
        let chancery = Chancery::with(Options::default());
        let report = chancery.deploy_as("f", &flow(signed(claims)).to_string()).await.unwrap();
        let warned = report.diagnostics.iter().any(|told| told.code == "claims.no_exp");
        assert_eq!(warned, !is_in(3), "{bits}");
        let jwt: Value = serde_json::from_str(&post(&chancery, &json!({})).await.body).unwrap();
        let claims: Value = serde_json::from_str(&verified(jwt["token"].as_str().unwrap(), "HS256", PASSWORD)).unwrap();
        let found: Vec<_> = claims.as_object().unwrap().keys().cloned().collect();
        let expected: Vec<_> = names.iter().enumerate().filter(|(at, _)| is_in(*at)).map(|(_, name)| *name).collect();
        assert_eq!(found, expected, "{bits}");
    }
}

/// JG-08: an unset variable leads to Failure by its path, and nothing is saved.
#[tokio::test]
async fn an_unset_variable_is_a_failure() {
    let mut document = flow(signed(json!({"iss": "i"})));
    document["nodes"][3]["config"]["body"]["json"] = json!("[{{flow.error}}, {{jwt}}]");
    let live = deployed(&document).await;
    let reply = post(&live, &json!({})).await;
    assert_eq!(reply.status, 500, "the answer itself asks for what was not saved: {}", reply.body);
    assert!(reply.body.contains("variable.missing") && reply.body.contains("\\\"jwt\\\""), "{}", reply.body);
    let (status, error) = answered(signed(json!({"iss": "i"})), json!({})).await;
    let message = "JWT - Generator \"G\": claims/sub: variable \"user.id\" is not set";
    let expected = json!({"message": message, "code": "variable.missing", "node": "g", "field": "claims/sub"});
    assert_eq!((status, error), (422, expected));
}

/// The claims behind the default ones, as text, for these rows and this body.
async fn rows(rows: Value, body: Value) -> Result<String, Value> {
    let mut claims = plain();
    claims["include"] = json!({"iat": false, "iss": false, "sub": false, "exp": false});
    claims["custom"] = rows;
    let (status, jwt) = answered(signed(claims), body).await;
    if status == 200 { Ok(verified(jwt["token"].as_str().unwrap(), "HS256", PASSWORD)) } else { Err(jwt) }
}

fn row(kind: &str, value: &str) -> Value {
    json!([{"key": "k", "value": value, "type": kind}])
}

/// What a row of this type makes of a variable: the claim as text, or the code.
async fn made(kind: &str, v: Value) -> String {
    match rows(row(kind, "{{flow.request.body.v}}"), json!({"v": v})).await {
        Ok(claims) => claims.strip_prefix("{\"k\":").unwrap().strip_suffix('}').unwrap().to_owned(),
        Err(error) => format!("{}: {}", error["code"].as_str().unwrap(), error["message"].as_str().unwrap()),
    }
}

/// JG-12, JG-13, JG-14, JG-15, JG-16, JG-18: each type takes what it takes, from a variable of each kind.
#[tokio::test]
async fn rows_are_converted_to_their_types() {
    for (v, text) in [
        (json!("a"), r#""a""#),
        (json!(7), r#""7""#),
        (json!(true), r#""true""#),
        (json!([1]), r#""[1]""#),
        (json!({"a": 1}), r#""{\"a\":1}""#),
    ] {
        assert_eq!(made("String", v).await, text);
    }
    for (v, text) in
        [("42", "42"), (" -3.5 ", "-3.5"), ("1e3", "1e3"), ("18446744073709551615", "18446744073709551615")]
    {
        assert_eq!(made("Number", json!(v)).await, text);
    }
    assert_eq!(made("Number", json!(7)).await, "7");
    assert_eq!(made("Number", json!(u64::MAX)).await, "18446744073709551615");
    for bad in [json!("abc"), json!(""), json!("+1"), json!("01"), json!("1,5"), json!("1e400"), json!(true), json!([])]
    {
        assert!(made("Number", bad.clone()).await.starts_with("claim.type: "), "{bad}");
    }
    for (v, text) in
        [(json!("true"), "true"), (json!("FALSE"), "false"), (json!(" True "), "true"), (json!(false), "false")]
    {
        assert_eq!(made("Boolean", v).await, text);
    }
    for bad in [json!("1"), json!("yes"), json!(1), json!("0"), json!("")] {
        assert!(made("Boolean", bad.clone()).await.starts_with("claim.type: "), "{bad}");
    }
    let list = r#"["a",1,null]"#;
    assert_eq!(made("Array", json!(list)).await, list);
    assert_eq!(made("Array", serde_json::from_str(list).unwrap()).await, list);
    assert!(made("Array", json!("{}")).await.ends_with("claim \"k\": cannot convert String to Array"));
    assert!(made("Array", json!({})).await.ends_with("claim \"k\": cannot convert Object to Array"));
    assert!(made("Array", json!("a,b")).await.starts_with("claim.type: "));
    assert_eq!(made("Object", json!(r#"{"b":1,"a":2}"#)).await, r#"{"b":1,"a":2}"#);
    assert_eq!(made("Object", json!({"b": [1], "a": {"z": null}})).await, r#"{"b":[1],"a":{"z":null}}"#);
    for bad in [json!("[]"), json!("{"), json!(r#"{"a":1,"a":2}"#), json!([])] {
        assert!(made("Object", bad.clone()).await.starts_with("claim.type: "), "{bad}");
    }
    assert!(made("String", Value::Null).await.starts_with("variable.missing: "));
    let mixed = rows(row("String", "x-{{flow.request.body.v}}"), json!({"v": [1, {"a": null}]})).await;
    assert_eq!(mixed.unwrap(), r#"{"k":"x-[1,{\"a\":null}]"}"#);
}

/// JG-19, JG-20: what stands in a variable neither expands nor leaves its text, and literals take values of any kind.
#[tokio::test]
async fn values_do_not_become_syntax() {
    let body = json!({"v": "{{flow.id}}", "w": "\",\"admin\":true,\"x\":\"", "roles": ["r", 1], "id": "u"});
    let literal = r#"{"a": "{{flow.request.body.w}}", "b": {{flow.request.body.v}}}"#;
    let made = rows(row("Object", literal), body.clone()).await.unwrap();
    assert_eq!(made, r#"{"k":{"a":"\",\"admin\":true,\"x\":\"","b":"{{flow.id}}"}}"#);
    let literal = r#"[{{flow.request.body.roles}}, "x-{{flow.request.body.id}}", null]"#;
    assert_eq!(rows(row("Array", literal), body).await.unwrap(), r#"{"k":[["r",1],"x-u",null]}"#);
}

/// JG-09, JG-10, JG-11, JG-17: rows stand in their order, none twice, none against RFC 7519, and what cannot be converted is
/// told at deploy with node and pointer.
#[tokio::test]
async fn rows_are_claims_in_their_order() {
    let three = |order: [&str; 3]| json!(order.map(|key| json!({"key": key, "value": key})));
    assert_eq!(rows(three(["b", "a", "c"]), json!({})).await.unwrap(), r#"{"b":"b","a":"a","c":"c"}"#);
    assert_eq!(rows(three(["c", "b", "a"]), json!({})).await.unwrap(), r#"{"c":"c","b":"b","a":"a"}"#);
    let told = |custom: Value| async move {
        let mut claims = plain();
        claims["custom"] = custom;
        refused(&flow(signed(claims))).await
    };
    assert!(told(three(["a", "b", "a"])).await.contains("key_repeated"));
    assert!(told(json!([{"key": "iss", "value": "x"}])).await.contains("/nodes/1/config/claims/custom/0/key"));
    let excluded = rows(json!([{"key": "iss", "value": "x"}]), json!({})).await;
    assert_eq!(excluded.unwrap(), r#"{"iss":"x"}"#);
    assert!(told(json!([{"key": "nbf", "value": "5"}])).await.contains("claim.value"));
    let times =
        json!([{"key": "nbf", "value": "5", "type": "Number"}, {"key": "exp", "value": "-1", "type": "Number"}]);
    assert!(told(times).await.contains("claim.value"));
    let mut claims = plain();
    claims["include"] = json!({"exp": false});
    for (custom, code) in [
        (json!([{"key": "exp", "value": "5"}]), "claim.value"),
        (json!([{"key": "exp", "value": "1.5", "type": "Number"}]), "claim.value"),
        (json!([{"key": "exp", "value": "-1", "type": "Number"}]), "claim.value"),
        (json!([{"key": "nbf", "value": "-1", "type": "Number"}]), "claim.value"),
        (json!([{"key": "aud", "value": "5", "type": "Number"}]), "claim.value"),
        (json!([{"key": "aud", "value": "{}", "type": "Object"}]), "claim.value"),
        (json!([{"key": "aud", "value": "[\"a\",1]", "type": "Array"}]), "claim.value"),
        (json!([{"key": "aud", "value": "[]", "type": "Array"}]), "claim.value"),
        (json!([{"key": "jti", "value": "5", "type": "Number"}]), "claim.value"),
    ] {
        claims["custom"] = custom.clone();
        assert!(refused(&flow(signed(claims.clone()))).await.contains(code), "{custom}");
    }
    let ends = json!([{"key": "exp", "value": "4102444800", "type": "Number"}]);
    assert_eq!(rows(ends, json!({})).await.unwrap(), r#"{"exp":4102444800}"#);
    let audience = json!([{"key": "aud", "value": "a"}]);
    assert_eq!(rows(audience, json!({})).await.unwrap(), r#"{"aud":"a"}"#);
    let audience = json!([{"key": "aud", "value": "[\"a\",\"b\"]", "type": "Array"}]);
    assert_eq!(rows(audience, json!({})).await.unwrap(), r#"{"aud":["a","b"]}"#);
    let audience = json!([{"key": "aud", "value": "{{flow.request.body.v}}", "type": "Array"}]);
    assert_eq!(rows(audience, json!({"v": ["a", 1]})).await.unwrap_err()["code"], "claim.value");
    let told = told(json!([{"key": "k", "value": "yes", "type": "Boolean"}])).await;
    assert!(
        told.contains("claim.type") && told.contains("node g") && told.contains("/claims/custom/0/value"),
        "{told}"
    );
}

/// A ring of ES256 keys.
fn ring(name: &str) -> NewRingSpec {
    NewRingSpec {
        tenant: "public".to_owned(),
        name: name.to_owned(),
        algorithm: SignatureAlgorithm::by_name("ES256").unwrap(),
        kid_prefix: "",
        timing: Timing::Rotating(Span::from_secs(604_800)),
        signer: server::rings::RingSigner::Software,
        is_strict: false,
    }
}

/// JG-46: the example of the contract answers a token of its ring, and 422 without a user.
#[tokio::test]
async fn the_example_issues_tokens_of_its_ring() {
    let chancery = Chancery::with(Options::default());
    chancery.rings.make(&[ring("es256")], &house::chancery::caller().by()).unwrap();
    let document = include_str!("../../../examples/orchestration/issue-token.json");
    chancery.deploy_as("issue-token", document).await.unwrap();
    let secret = plan::SecretRef { owner: "issue-token".into(), field: "apiKey".into() };
    let step = server::vault::SecretStep::of_text("the key").unwrap();
    chancery.deployments.vault().change_secret(&secret, &step, &house::chancery::caller().by()).unwrap();
    let ask = async |key: &str, body: &str| {
        let head = "POST /issue-token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
        let head = format!("{head}X-API-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        chancery.running.ask(head).await
    };
    assert_eq!(ask("another", "{}").await.status, 401);
    let reply = ask("the key", r#"{"user":"alice"}"#).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    let set: Value = serde_json::from_str(&chancery.rings.public_set("public/es256").unwrap()).unwrap();
    let token = body["access_token"].as_str().unwrap();
    let header: Value = serde_json::from_str(&header(token)).unwrap();
    let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap().to_string();
    let claims: Value = serde_json::from_str(&verified(token, "ES256", &key)).unwrap();
    assert_eq!((&claims["sub"], &claims["admin"]), (&json!("alice"), &json!(false)));
    let reply = ask("the key", "{}").await;
    let message = "JWT - Generator \"JWT - Generator\": claims/sub: variable \"flow.request.body.user\" is not set";
    assert_eq!((reply.status, reply.body), (422, json!({"error": message}).to_string()));
}

/// The fields that the contract marks with a T, but for the rows of claims: those that take references.
fn fields_with_references() -> Vec<String> {
    let contract = include_str!("../../../docs/contracts/jwt-generator.md");
    let sections = [("## 2.", ""), ("## 3.", "signature/"), ("## 4.", "encryption/")];
    let of_section = |(heading, below): (&str, &str)| {
        let section = contract.split_once(heading).unwrap().1.split("\n## ").next().unwrap();
        let cells = section.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let taking = cells.filter(|cells| cells.len() > 5 && cells[4].split([' ', ',', ';']).any(|word| word == "T"));
        taking.map(|cells| format!("{below}{}", cells[2].trim_matches('`'))).collect::<Vec<_>>()
    };
    sections.into_iter().flat_map(of_section).filter(|field| !field.contains("[]")).collect()
}

/// JG-21: an unset or null reference in every field that takes one is a Failure, alone or within a text, naming field and path.
#[tokio::test]
async fn an_unset_reference_names_its_field() {
    let rsa = PrivateJwk::generate(KeyKind::Rsa(RsaBits::Bits2048), &mut RandomPool::new()).unwrap();
    let mut text = Vec::new();
    rsa.write_private(&mut text);
    let text = String::from_utf8(text).unwrap();
    let fields = fields_with_references();
    assert_eq!(fields.len(), 16, "{fields:?}");
    for (field, path) in fields.iter().flat_map(|field| [(field, "nowhere.x"), (field, "flow.request.body.none")]) {
        let reference = json!(format!("{{{{{path}}}}}"));
        let mut config = json!({"claims": plain(), "signature": {"symmetric": {"password": PASSWORD}}});
        let parts: Vec<&str> = field.split('/').collect();
        if let [block, kind, name] = parts[..] {
            config[block]["type"] = json!(kind);
            let usual = match (block, kind) {
                ("signature", "symmetric") => ("password", json!(PASSWORD)),
                ("signature", _) => ("privateKey", json!(text)),
                ("encryption", "symmetric") => ("password", json!(PASSWORD[..32])),
                _ => ("publicKey", json!(rsa.public().unwrap().to_json())),
            };
            let stands_alone = name == "jwk" || field == "signature/asymmetric/password";
            config[block][kind] = if stands_alone { json!({}) } else { json!({usual.0: usual.1}) };
            config[block][kind][name] = reference;
        } else if let [block, name] = parts[..] {
            config[block][name] = reference;
        } else {
            config[field] = reference;
        }
        let (status, error) = answered(config, json!({"none": null})).await;
        let message = format!("JWT - Generator \"G\": {field}: variable \"{path}\" is not set");
        let expected = json!({"message": message, "code": "variable.missing", "node": "g", "field": field});
        assert_eq!((status, error), (422, expected));
    }
    for value in ["[{{nowhere.x}}]", "{{flow.request.body.none}}", "[\"x-{{nowhere.x}}\"]"] {
        let custom = rows(row("Array", value), json!({"none": null})).await.unwrap_err();
        let told = (&custom["code"], &custom["field"]);
        assert_eq!(told, (&json!("variable.missing"), &json!("claims/custom[0]/value")), "{value}: {custom}");
    }
    let within = rows(row("String", "x-{{flow.request.body.none}}"), json!({"none": null})).await.unwrap_err();
    assert_eq!(within["code"], "variable.missing");
}

/// Hostile references: what they lead to is looked up once, in the flow's own variables, and nothing else is reached.
#[tokio::test]
async fn references_reach_variables_alone() {
    let v = json!({"v": {"a.b": 1, "__proto__": 2, "list": [[7]], "deep": {"deep": {"x": "{{flow.request.body.v.list}}"}}}});
    let made = async |value: &str| match rows(row("String", value), v.clone()).await {
        Ok(claims) => serde_json::from_str::<Value>(&claims).unwrap()["k"].as_str().unwrap().to_owned(),
        Err(error) => error["code"].as_str().unwrap().to_owned(),
    };
    assert_eq!(made("{{ flow.request.body.v.list[0][0] }}").await, "7");
    assert_eq!(
        made("{{flow.request.body.v.deep.deep.x}}").await,
        "{{flow.request.body.v.list}}",
        "nothing is filled twice"
    );
    assert_eq!(made("{{flow.request.body.v.__proto__}}").await, "2", "a member like any other");
    assert_eq!(made("\\{{v}} {{flow.id}} $t(a)t$").await, "{{v}} f $t(a)t$");
    for nowhere in [
        "flow.request.body.v.list[1]",
        "flow.request.body.v.list[0][0][0]",
        "flow.request.body.v.list.length",
        "flow.request.body.v.constructor",
        "flow.request.body.v.deep.deep.x.length",
        "flow.request.body.v.deep[0]",
        "env.PATH",
        "user.id",
        "jwt.token",
        "toString",
        // There are no filters: this is a name.
        "flow.request.body.v|upper",
    ] {
        assert_eq!(made(&format!("{{{{{nowhere}}}}}")).await, "variable.missing", "{nowhere}");
    }
    for illegal in [
        "{{a.b.}}",
        "{{a['b']}}",
        "{{a[-1]}}",
        "{{a[*]}}",
        "{{a b}}",
        "{{{a}}}",
        "{{",
        "{{a}",
        "{{.reply}}",
        "{{a..b}}",
    ] {
        let mut claims = plain();
        claims["custom"] = row("String", illegal);
        let told = refused(&flow(signed(claims))).await;
        assert!(told.contains("template_invalid") && told.contains("/claims/custom/0/value"), "{illegal}: {told}");
    }
    let own = json!({"claims": plain(), "signature": {"symmetric": {"kid": "{{flow.request.body.v.list}}", "password": PASSWORD}}});
    let (_, jwt) = answered(own, v.clone()).await;
    assert_eq!(jwt["kid"], "[[7]]");
}

/// JG-45: a token of 65 536 characters passes and a larger one does not; 200 rows and 32 levels pass, 201 and 33 do not, written or
/// brought by a variable.
#[tokio::test]
async fn tokens_rows_and_levels_are_bounded() {
    let mut claims = plain();
    claims["custom"] = row("String", "{{flow.request.body.v}}");
    let live = deployed(&flow(signed(claims))).await;
    let sized = async |characters: usize| {
        let reply = post(&live, &json!({"v": "x".repeat(characters)})).await;
        let jwt: Value = serde_json::from_str(&reply.body).unwrap();
        (reply.status, jwt["token"].as_str().map(str::len), jwt["code"].as_str().map(str::to_owned))
    };
    let one = sized(0).await.1.unwrap();
    // Three characters of a claim are four of the token.
    let most = (65_536 - one) / 4 * 3;
    let near = most..most + 4;
    let mut largest = 0;
    for characters in near {
        match sized(characters).await {
            (200, Some(length), None) => largest = largest.max(length),
            (422, None, Some(code)) => assert_eq!(code, "token.too_large"),
            other => panic!("{characters}: {other:?}"),
        }
    }
    assert!((65_533..=65_536).contains(&largest), "{largest}");
    assert_eq!(sized(most + 4).await, (422, None, Some("token.too_large".to_owned())));

    let many =
        |count: usize| json!((0..count).map(|at| json!({"key": format!("k{at}"), "value": "v"})).collect::<Vec<_>>());
    let read: Value = serde_json::from_str(&rows(many(200), json!({})).await.unwrap()).unwrap();
    assert_eq!(read.as_object().unwrap().len(), 200);
    let mut claims = plain();
    claims["custom"] = many(201);
    assert!(refused(&flow(signed(claims))).await.contains("list_too_long"));

    let levels = |count: usize| (1..count).fold(json!([]), |inner, _| json!([inner]));
    assert_eq!(
        rows(row("Array", &levels(32).to_string()), json!({})).await.unwrap(),
        json!({"k": levels(32)}).to_string()
    );
    let mut claims = plain();
    claims["custom"] = row("Array", &levels(32).to_string());
    let (_, jwt) = answered(signed(claims), json!({})).await;
    assert_eq!(
        (&jwt["claims"]["k"], &jwt["expires_in"]),
        (&levels(32), &json!(300)),
        "what is saved is as deep as the token"
    );
    let mut claims = plain();
    claims["custom"] = row("Array", &levels(33).to_string());
    assert!(refused(&flow(signed(claims))).await.contains("claim.type"));
    for (value, v, code) in [
        // The body of the request is a level of its own.
        ("{{flow.request.body.v}}", levels(31), None),
        ("[{{flow.request.body.v}}]", levels(31), None),
        ("[[{{flow.request.body.v}}]]", levels(31), Some("claim.value")),
        ("{{flow.request.body.v}}", json!(levels(32).to_string()), None),
        ("{{flow.request.body.v}}", json!(levels(33).to_string()), Some("claim.type")),
    ] {
        let made = rows(row("Array", value), json!({"v": v})).await;
        assert_eq!(made.as_ref().err().map(|error| error["code"].as_str().unwrap()), code, "{value} {v}");
    }
}

/// JG-42 (part): codes of a token that is too large, and of a ring that has no key yet.
#[tokio::test]
async fn what_only_a_run_can_tell_is_told_by_its_code() {
    let mut claims = plain();
    claims["custom"] = row("String", "{{flow.request.body.v}}");
    let (status, error) = answered(signed(claims), json!({"v": "x".repeat(70_000)})).await;
    assert_eq!((status, error["code"].as_str()), (422, Some("token.too_large")), "{error}");
    let chancery = Chancery::with(Options::default());
    chancery.rings.declare(&[ring("empty")], &house::chancery::caller().by()).unwrap();
    let config = json!({"claims": plain(), "signature": {"type": "asymmetric", "asymmetric": {"keyType": "EC", "keyRef": "empty"}}});
    chancery.deploy_as("f", &flow(config).to_string()).await.unwrap();
    let error: Value = serde_json::from_str(&post(&chancery, &json!({})).await.body).unwrap();
    let message = "JWT - Generator \"G\": signature: key is not available";
    assert_eq!(error, json!({"message": message, "code": "key.unavailable", "node": "g", "field": "signature"}));
}

/// What the flow of a generator with this ring answers.
async fn of_ring(chancery: &Chancery, include: Value) -> (u16, Value) {
    let claims = json!({"include": include, "iss": "i", "sub": "s"});
    let signature = json!({"type": "asymmetric", "asymmetric": {"keyType": "EC", "keyRef": "short"}});
    let document = flow(json!({"ttl": 300, "claims": claims, "signature": signature}));
    chancery.deploy_as("f", &document.to_string()).await.unwrap();
    let reply = post(chancery, &json!({})).await;
    (reply.status, serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{}", reply.body)))
}

/// A server with the ring `short`, whose tokens may live for so many seconds; what becomes of one that asks for more.
fn with_ring(life_secs: i64, over_life: OverLife) -> Chancery {
    let chancery = Chancery::with(Options::default());
    let (by, rings) = (house::chancery::caller(), &chancery.rings);
    rings.make(&[ring("short")], &by.by()).unwrap();
    let (snapshot, now) = rings.snapshot().unwrap();
    let policy = *snapshot.ring("public/short").unwrap().ring.policy(now);
    let policy = RingPolicy { max_lifetime: Some(Span::from_secs(life_secs)), over_life, ..policy };
    rings.vault().store().change(&by.by(), |change| change.set_ring_policy("public/short", policy)).unwrap();
    rings.refresh().unwrap();
    chancery
}

/// JG-07: a ring whose ceiling is 100 s ahead cuts a TTL of 300, which the log of the run tells with the node, and what is saved
/// shows the end that the token has; a ring that refuses leads to Failure. A token of a ring without `exp` is refused at deploy.
#[tokio::test]
async fn a_ring_bounds_the_lifetime() {
    let mut chancery = with_ring(100, OverLife::Cut);
    let (status, jwt) = of_ring(&chancery, json!({})).await;
    assert_eq!((status, &jwt["expires_in"]), (200, &json!(100)), "{jwt}");
    let payload = base64url::decode(jwt["token"].as_str().unwrap().split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 100);
    assert_eq!((&jwt["claims"], &jwt["exp"]), (&claims, &claims["exp"]));
    let (_, undated) = of_ring(&chancery, json!({"iat": false})).await;
    assert!((0..9).contains(&(undated["exp"].as_i64().unwrap() - claims["exp"].as_i64().unwrap())), "{undated}");
    let told: Vec<Value> = chancery.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_cut = |line: &&Value| line.to_string().contains("`exp` is cut to what the ring short allows");
    assert_eq!(
        told.iter().filter(is_cut).filter(|line| line["node"] == "f/g" && line["level"] == "warn").count(),
        2,
        "{told:?}"
    );

    let (status, error) = of_ring(&with_ring(100, OverLife::Refuse), json!({})).await;
    assert_eq!((status, &error["code"], &error["field"]), (422, &json!("ttl.invalid"), &json!("signature")), "{error}");
    assert_eq!(of_ring(&with_ring(300, OverLife::Refuse), json!({})).await.1["expires_in"], 300);

    let claims = json!({"include": {"exp": false}, "iss": "i", "sub": "s"});
    let config = json!({"claims": claims, "signature": {"type": "asymmetric", "asymmetric": {"keyType": "EC", "keyRef": "short"}}});
    assert!(refused(&flow(config)).await.contains("claims.no_exp"));
}

/// JG-47: an unconnected Failure answers 500 with the message, an unconnected True 204; both are told at deploy.
#[tokio::test]
async fn exits_that_lead_nowhere_answer_by_themselves() {
    let mut document = flow(signed(plain()));
    document["nodes"][1]["exits"] = json!({});
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy_as("f", &document.to_string()).await.unwrap();
    assert_eq!(report.diagnostics.iter().filter(|told| told.code == "exit_unconnected").count(), 2);
    let reply = post(&chancery, &json!({})).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    document["nodes"][1]["config"]["claims"]["sub"] = json!("{{nowhere}}");
    let reply = post(&deployed(&document).await, &json!({})).await;
    let message = "JWT - Generator \"G\": claims/sub: variable \"nowhere\" is not set";
    assert_eq!((reply.status, reply.body), (500, json!({"error": message, "code": "variable.missing"}).to_string()));
}

/// JG-50 (part): Condition and Set variable run before the node and feed it.
#[tokio::test]
async fn other_nodes_feed_the_generator() {
    let mut document = flow(
        json!({"claims": {"iss": "i", "sub": "{{data.who}}"}, "signature": {"symmetric": {"password": PASSWORD}}}),
    );
    document["nodes"][0]["exits"]["Next"] = json!("c");
    let rows = json!([
        {"left": "{{flow.request.body.n}}", "operator": "greater", "right": "10", "exit": "Large"},
        {"left": "{{flow.request.body.n}}", "operator": "exists", "exit": "Small"},
    ]);
    let set = |id: &str, who: &str| json!({"id": id, "type": "set-variable", "config": {"rows": [{"key": "who", "value": who}]}, "exits": {"Success": "g", "Failure": "x"}});
    let nodes = document["nodes"].as_array_mut().unwrap();
    nodes.push(json!({"id": "c", "type": "condition", "config": {"rows": rows}, "exits": {"Large": "l", "Small": "m", "Otherwise": "x"}}));
    nodes.extend([set("l", "large-{{flow.request.body.n}}"), set("m", "small")]);
    document["nodes"][3]["config"]["body"]["json"] = json!("\"otherwise\"");
    let live = deployed(&document).await;
    let sub = async |body: Value| -> Value { serde_json::from_str::<Value>(&post(&live, &body).await.body).unwrap() };
    assert_eq!(sub(json!({"n": 11})).await["sub"], "large-11");
    assert_eq!(sub(json!({"n": 9})).await["sub"], "small");
    assert_eq!(sub(json!({})).await, "otherwise");
}

/// JG-51: end nodes set Status, Headers and Cookies; a Library flow returns by Nested Success and Nested Failure.
#[tokio::test]
async fn ends_answer_or_return() {
    let library = json!({
        "id": "lib", "category": "Library", "nodes": [
            {"id": "s", "type": "start", "exits": {"Next": "c"}},
            {"id": "c", "type": "condition", "config": {"rows": [{"left": "{{flow.request.body.ok}}", "operator": "equals", "right": "true", "exit": "Yes"}]},
                "exits": {"Yes": "e", "Otherwise": "x"}},
            {"id": "e", "type": "end-success"}, {"id": "x", "type": "end-failure"},
        ],
    });
    let cookies = json!([{"name": "t", "value": "a b;{{flow.request.body.ok}}", "maxAge": 5}, {"name": "u", "value": "v", "secure": false}]);
    let headers = json!([{"name": "X-Run", "value": "{{flow.id}}"}]);
    let document = json!({
        "format": "chancery.orchestration/1", "id": "f", "category": "API", "libraries": [library],
        "trigger": {"type": "api", "method": "POST", "path": "/f", "authentication": "none"},
        "nodes": [
            {"id": "s", "type": "start", "exits": {"Next": "l"}},
            {"id": "l", "type": "library-flow", "config": {"flow": "lib"}, "exits": {"Success": "e", "Failure": "x"}},
            {"id": "e", "type": "end-success", "config": {"status": 201, "headers": headers, "cookies": cookies, "body": {"text": "made"}}},
            {"id": "x", "type": "end-failure", "config": {"status": 409, "body": {"json": "{\"no\": true}"}}},
        ],
    });
    let live = deployed(&document).await;
    let reply = post(&live, &json!({"ok": true})).await;
    assert_eq!((reply.status, reply.body.as_str(), reply.header("x-run")), (201, "made", Some("f")));
    let first = "set-cookie: t=a%20b%3btrue; path=/; max-age=5; secure; httponly; samesite=lax";
    assert!(reply.has(first) && reply.has("set-cookie: u=v; path=/; httponly; samesite=lax"), "{}", reply.head);
    let reply = post(&live, &json!({"ok": false})).await;
    assert_eq!((reply.status, reply.body.as_str()), (409, "{\"no\":true}"));
    let mut recursive = document;
    recursive["libraries"][0]["nodes"][2] = json!({"id": "e", "type": "library-flow", "config": {"flow": "lib"}});
    assert!(refused(&recursive).await.contains("library_recursive"));
}

/// The example of a nested token, called as a client would.
#[tokio::test]
async fn the_nested_example_answers_its_callers() {
    let chancery = Chancery::with(Options::default());
    chancery.rings.make(&[ring("es256")], &house::chancery::caller().by()).unwrap();
    let document = include_str!("../../../examples/orchestration/issue-nested.json");
    chancery.deploy_as("issue-nested", document).await.unwrap();
    let caller = house::chancery::caller();
    for (owner, field, value) in
        [("issue-nested", "apiKey", "the key"), ("issue-nested/n2", "encryption/symmetric/password", &PASSWORD[..32])]
    {
        let secret = plan::SecretRef { owner: owner.into(), field: field.into() };
        let step = server::vault::SecretStep::of_text(value).unwrap();
        chancery.deployments.vault().change_secret(&secret, &step, &caller.by()).unwrap();
    }
    let body = r#"{"user":"alice"}"#;
    let head = "POST /issue-nested HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer the key\r\n";
    let reply = chancery.running.ask(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    let token =
        serde_json::from_str::<Value>(&reply.body).unwrap()["access_token"].as_str().unwrap_or_default().to_owned();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(
        header(&token).starts_with(r#"{"alg":"A256KW","enc":"A256GCM","typ":"JWT","cty":"JWT","kid":"#),
        "{}",
        header(&token)
    );
}
