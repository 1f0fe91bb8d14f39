//! Documents and secrets over the control socket, as the command line sends them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::collections::HashSet;

use house::chancery::{CONFIG, Chancery, Options, SEED};
use house::{Running, resident_bytes, start_on};
use http::{Method, StatusCode};
use jose::jwa::{SignatureAlgorithm, Switches};
use jose::jwk::Jwk;
use jose::jws::{Keys, Verifier};
use jose::{VerifyingKey, base64url};
use serde_json::{Value, json};
use server::accept::{Limits, ListenerKind};
use server::control::{self, Client, Reply};
use server::routes::{Control, Router, documents, palette, secrets};

/// A server with its control socket.
struct Admin {
    chancery: Chancery,
    folder: tempfile::TempDir,
    _control: Running,
}

impl Admin {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let chancery = Chancery::with(Options::default());
        let router = Router::new(Control { uid: rustix::process::getuid().as_raw() })
            .with(documents::routes(&chancery.deployments))
            .with(secrets::routes(&chancery.deployments))
            .with(palette::routes());
        let control = start_on(&[control::bind(folder.path())], router, Limits::of(ListenerKind::Control));
        Self { chancery, folder, _control: control }
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let (folder, path, body) = (self.folder.path().to_owned(), path.to_owned(), body.to_owned());
        let call = move || Client::connect(&folder).unwrap().unwrap().call(&method, &path, body.as_bytes()).unwrap();
        let Reply { status, body } = tokio::task::spawn_blocking(call).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

#[tokio::test]
async fn documents_are_deployed_listed_and_taken_away() {
    let admin = Admin::start();
    let (status, report) = admin.call(Method::PUT, "/documents/seed", SEED).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    assert_eq!(report["revision"], 1);
    assert_eq!(report["routes"], json!([{"method": "GET", "path": "/jwt/generate"}]));
    let warning = &report["diagnostics"][0];
    assert_eq!((&warning["severity"], &warning["code"]), (&json!("warning"), &json!("secret_missing")));
    assert_eq!(warning["node"], CONFIG);
    let (_, list) = admin.call(Method::GET, "/documents", "").await;
    assert_eq!((&list["documents"][0]["name"], &list["documents"][0]["revision"]), (&json!("seed"), &json!(1)));
    let (status, refused) = admin.call(Method::PUT, "/documents/broken", "[{]").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((&refused["error"], &refused["diagnostics"][0]["line"]), (&json!("document_refused"), &json!(1)));
    let twice = admin.call(Method::DELETE, "/documents/seed", "").await.0;
    assert_eq!(
        (twice, admin.call(Method::DELETE, "/documents/seed", "").await.0),
        (StatusCode::OK, StatusCode::NOT_FOUND)
    );
}

/// JG-01: the palette has `JWT - Generator`, BE, in all eight categories, with one input and the outputs True and Failure.
/// AC-96 (part): what a form of `jwt-generate` is drawn of has the vendor's labels and defaults.
#[tokio::test]
async fn the_palette_lists_every_node_type() {
    let admin = Admin::start();
    let (status, palette) = admin.call(Method::GET, "/api/v1/palette", "").await;
    assert_eq!(status, StatusCode::OK);
    let nodes = palette["nodes"].as_array().unwrap();
    let found = |dialect: &str, kind: &str| {
        let mut found = nodes.iter().filter(|node| node["dialect"] == dialect && node["type"] == kind);
        let node = found.next().unwrap();
        assert_eq!(found.next(), None, "{dialect} {kind}");
        node
    };
    let generator = found("orchestration", "jwt-generator");
    assert_eq!((&generator["label"], &generator["badge"]), (&json!("JWT - Generator"), &json!("BE")));
    assert_eq!((&generator["inputs"], &generator["outputs"]), (&json!(1), &json!(["True", "Failure"])));
    let categories = ["API", "Authentication", "Admin", "Self Service", "Consent", "Library", "Custom", "User Defined"];
    assert_eq!(generator["flows"], json!(categories));
    let of = |node: &Value, key: &str| {
        node["fields"].as_array().unwrap().iter().find(|field| field["key"] == key).unwrap().clone()
    };
    assert_eq!(of(generator, "signature/asymmetric/privateKey")["widget"], "secret");
    let policy = found("api-connect", "jwt-generate");
    let period = of(policy, "exp-claim");
    assert_eq!((&period["label"], &period["default"]), (&json!("Validity Period"), &json!(3600)));
    let algorithm = of(policy, "jws-alg");
    assert_eq!(algorithm["label"], "Cryptographic Algorithm");
    assert!(found("node-red", "jwt")["flows"].as_array().unwrap().is_empty());
}

/// The schema is served as it is shipped.
#[tokio::test]
async fn the_schema_of_flow_documents_is_served() {
    let admin = Admin::start();
    let (status, schema) = admin.call(Method::GET, "/api/v1/schemas/orchestration-1", "").await;
    assert_eq!(status, StatusCode::OK);
    let shipped: Value =
        serde_json::from_str(include_str!("../../../docs/schemas/orchestration-1.schema.json")).unwrap();
    assert_eq!(schema, shipped);
    assert_eq!(admin.call(Method::POST, "/api/v1/schemas/orchestration-1", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

/// A flow that nobody calls is run by its author, with variables of the author's choice.
#[tokio::test]
async fn flows_are_run_in_debug() {
    let admin = Admin::start();
    let rows = json!([{"key": "greeting", "value": "hello {{user.id}}"}]);
    let flow = json!({"format": "chancery.orchestration/1", "id": "f", "category": "Consent", "nodes": [
        {"id": "s", "type": "start", "exits": {"Next": "v"}},
        {"id": "v", "type": "set-variable", "config": {"rows": rows, "frontend": true}, "exits": {"Success": "e", "Failure": "e"}},
        {"id": "e", "type": "end-success", "config": {"status": 201, "body": {"text": "{{data.greeting}}"}}}]});
    admin.call(Method::PUT, "/documents/flow", &flow.to_string()).await;
    admin.call(Method::PUT, "/documents/seed", SEED).await;
    let debug =
        async |name: &str, body: &str| admin.call(Method::POST, &format!("/documents/{name}/debug"), body).await;
    let (status, told) = debug("flow", r#"{"user": {"id": "bob"}}"#).await;
    assert_eq!((status, &told["status"], &told["body"]), (StatusCode::OK, &json!(201), &json!("hello bob")), "{told}");
    assert_eq!(told["frontend"], json!({"data": {"greeting": "hello bob"}}));
    assert_eq!((&told["variables"]["user"]["id"], &told["variables"]["flow"]["id"]), (&json!("bob"), &json!("f")));
    assert_eq!(debug("flow", "[]").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(debug("nowhere", "{}").await.0, StatusCode::NOT_FOUND);
    assert_eq!(debug("seed", "{}").await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

/// NR-28, NR-33: a secret is set by the id or the name of its node and counts from the next request on; the editor's
/// placeholder keeps it, blanks delete it, and no answer shows it.
#[tokio::test]
async fn secrets_are_set_listed_and_deleted() {
    let admin = Admin::start();
    let set = |owner: &str| format!("/secrets/{owner}/tokensecret");
    assert_eq!(admin.call(Method::PUT, &set(CONFIG), r#"{"value":"canary"}"#).await.0, StatusCode::NOT_FOUND);
    admin.call(Method::PUT, "/documents/seed", SEED).await;
    for owner in [CONFIG, "igniteadmin"] {
        assert_eq!(admin.chancery.get("/jwt/generate").await.status, 500);
        let (status, told) = admin.call(Method::PUT, &set(owner), r#"{"value":"canary"}"#).await;
        assert_eq!((status, &told["node"]), (StatusCode::OK, &json!(CONFIG)));
        assert_eq!(admin.chancery.get("/jwt/generate").await.status, 200);
        admin.call(Method::PUT, &set(owner), r#"{"value":"__PWRD__"}"#).await;
        assert_eq!(admin.chancery.get("/jwt/generate").await.status, 200, "it is kept");
        let (_, list) = admin.call(Method::GET, "/secrets", "").await;
        assert_eq!(list, json!({"secrets": [{"node": CONFIG, "field": "tokensecret"}]}));
        assert!(!told.to_string().contains("canary"));
        let (status, _) = admin.call(Method::PUT, &set(owner), r#"{"value":"  "}"#).await;
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!(admin.call(Method::DELETE, &set(CONFIG), "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(admin.call(Method::PUT, &set(CONFIG), r#"{"env":"PATH"}"#).await.0, StatusCode::OK);
    assert_eq!(admin.chancery.get("/jwt/generate").await.status, 200);
    assert_eq!(admin.call(Method::DELETE, &set("igniteadmin"), "").await.0, StatusCode::OK);
    for body in ["", "{}", r#"{"value":1}"#, r#"{"value":"a","env":"B"}"#, r#"{"env":"CHANCERY_KEY"}"#] {
        assert_eq!(admin.call(Method::PUT, &set(CONFIG), body).await.0, StatusCode::BAD_REQUEST, "{body}");
    }
}

/// SE-33 (part): YAML that grows without end, has tags of its own, or a second document is refused where it stands, at once.
#[tokio::test]
async fn yaml_bombs_are_refused_at_once() {
    let admin = Admin::start();
    let definition = |more: &str| format!("swagger: '2.0'\npaths: {{}}\n{more}");
    let aliases = |levels: usize, width: usize| {
        (1..levels).fold("a0: &a0 [lol]\n".to_owned(), |text, level| {
            let below = vec![format!("*a{}", level - 1); width].join(", ");
            format!("{text}a{level}: &a{level} [{below}]\n")
        })
    };
    let flat = resident_bytes();
    for (text, told) in [
        (definition(&aliases(40, 9)), "more than 200000 values, aliases expanded"),
        (definition(&aliases(3, 60_000)), "more than 200000 values, aliases expanded"),
        (definition(&format!("x: {}1{}", "[".repeat(40), "]".repeat(40))), "deeper than 32 levels"),
        (definition(&format!("x: {}", "[".repeat(100_000))), "recursion limit"),
        (definition("x: &x [*x]\n"), "an anchor that is still open"),
        (definition("x: !!python/object/apply:os.system ['true']\n"), "no tags of its own"),
        (definition("---\nswagger: '2.0'\n"), "a second document"),
        (definition("paths: {}\n"), "stands twice"),
    ] {
        let before = std::time::Instant::now();
        let (status, refused) = admin.call(Method::PUT, "/documents/bomb", &text).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}: {refused}");
        let diagnostics = refused["diagnostics"].as_array().unwrap();
        assert_eq!(diagnostics.len(), 1, "{refused}");
        assert!(diagnostics[0]["message"].as_str().unwrap().contains(told), "{told}: {refused}");
        assert!(diagnostics[0]["line"].as_u64().unwrap() >= 3, "{refused}");
        assert!(before.elapsed().as_secs() < 10, "{told} took {:?}", before.elapsed());
    }
    let grown = resident_bytes().saturating_sub(flat);
    assert!(grown < 256 << 20, "{grown} octets more than before");
    let (_, list) = admin.call(Method::GET, "/documents", "").await;
    assert_eq!(list["documents"], json!([]));
}

#[tokio::test]
async fn a_name_that_several_nodes_have_is_no_name() {
    let admin = Admin::start();
    admin.call(Method::PUT, "/documents/one", SEED).await;
    let two = SEED.replace(CONFIG, "other.id").replace("/jwt/generate", "/jwt/other");
    admin.call(Method::PUT, "/documents/two", &two).await;
    let (status, told) = admin.call(Method::PUT, "/secrets/igniteadmin/tokensecret", r#"{"value":"s"}"#).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let told = told["error_description"].as_str().unwrap();
    assert!(told.contains(CONFIG) && told.contains("other.id"), "{told}");
}

/// A flow of one token node, whose key stands nowhere yet.
fn flow(signature: &Value, encryption: &Value) -> String {
    let config = json!({"claims": {"iss": "i", "sub": "s"}, "signature": signature, "encryption": encryption,
        "save": {"attributes": ["token", "kid"]}});
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
    .to_string()
}

impl Admin {
    /// The key that is drawn for a field of this flow, and what the flow answers then.
    async fn drawn(&self, flow: &str, field: &str) -> (Value, Value) {
        let (status, told) = self.call(Method::PUT, "/documents/f", flow).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let path = format!("/secrets/f%2Fg/{}", field.replace('/', "%2F"));
        let (status, key) = self.call(Method::POST, &path, "").await;
        assert_eq!(status, StatusCode::OK, "{key}");
        let reply = self.chancery.get("/f").await;
        assert_eq!(reply.status, 200, "{field}: {}", reply.body);
        (key, serde_json::from_str(&reply.body).unwrap())
    }
}

fn verifies(token: &str, alg: &str, key: &Value) -> bool {
    let row = SignatureAlgorithm::by_name(alg).unwrap();
    let key = match Jwk::parse(key.to_string().as_bytes()).unwrap() {
        Jwk::Private(shared) => VerifyingKey::from_private(row, &shared, Switches::NONE).unwrap(),
        Jwk::Public(public) => VerifyingKey::new(row, &public, Switches::NONE).unwrap(),
    };
    Verifier::new(&[row]).unwrap().verify(token, Keys::One(&key)).is_ok()
}

/// JG-26: keys of HS* are drawn as 32, 48 or 64 random octets, whose base64url text is the Password; `k` denotes the octets of that
/// Password, the token that is signed with it verifies under the JWK, and both name it alike.
#[tokio::test]
async fn keys_of_hmacs_are_drawn() {
    let admin = Admin::start();
    let mut seen = HashSet::new();
    for (alg, octets) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        for (field, jwk) in [("password", json!(null)), ("jwk", json!({"$secret": "f/g#signature/symmetric/jwk"}))] {
            let mut block = json!({"algorithm": alg});
            if field == "jwk" {
                block["jwk"] = jwk;
            }
            let flow = flow(&json!({"symmetric": block}), &json!({"type": "none"}));
            for _ in 0..2 {
                let (key, made) = admin.drawn(&flow, &format!("signature/symmetric/{field}")).await;
                let password = base64url::decode(key["k"].as_str().unwrap()).unwrap();
                let drawn = base64url::decode(std::str::from_utf8(&password).unwrap()).unwrap();
                assert_eq!(drawn.len(), octets, "{alg} {field}");
                assert!(seen.insert(drawn), "{alg}");
                assert_eq!(
                    (&key["alg"], &key["use"], &key["kid"]),
                    (&json!(alg), &json!("sig"), &made["kid"]),
                    "{field}"
                );
                assert!(verifies(made["token"].as_str().unwrap(), alg, &key), "{alg} {field}");
                let secret =
                    plan::SecretRef { owner: "f/g".into(), field: format!("signature/symmetric/{field}").into() };
                let kept = admin.chancery.deployments.vault().secret(&secret).unwrap().unwrap();
                match field {
                    "password" => assert_eq!(kept.expose(), password.as_slice()),
                    _ => assert_eq!(serde_json::from_slice::<Value>(kept.expose()).unwrap(), key),
                }
            }
        }
    }
}

/// JG-26: RSA and EC make a pair, of the size or the curve that the node names; its public half is shown, and never the other.
#[tokio::test]
async fn pairs_are_drawn() {
    let admin = Admin::start();
    for (alg, block, shape) in [
        ("RS256", json!({"rsaAlgorithm": "RS256"}), ("n", 3_072 / 8)),
        ("PS384", json!({"rsaAlgorithm": "PS384", "keySize": 2_048}), ("n", 2_048 / 8)),
        ("ES256", json!({"keyType": "EC", "ecAlgorithm": "ES256"}), ("x", 32)),
        ("ES512", json!({"keyType": "EC", "ecAlgorithm": "ES512"}), ("x", 66)),
    ] {
        let flow = flow(&json!({"type": "asymmetric", "asymmetric": block}), &json!({"type": "none"}));
        let (key, made) = admin.drawn(&flow, "signature/asymmetric/privateKey").await;
        assert_eq!(base64url::decode(key[shape.0].as_str().unwrap()).unwrap().len(), shape.1, "{alg}");
        assert_eq!((&key["alg"], &key["use"], &key["kid"]), (&json!(alg), &json!("sig"), &made["kid"]));
        assert!(["d", "p", "q", "dp", "dq", "qi"].iter().all(|member| key.get(member).is_none()), "{key}");
        assert!(verifies(made["token"].as_str().unwrap(), alg, &key), "{alg}");
    }
}

/// Secrets that encrypt are as long as their algorithm asks; what cannot be drawn is told.
#[tokio::test]
async fn keys_of_encryptions_are_drawn_or_refused() {
    let admin = Admin::start();
    let (none, ours) = (json!({"type": "none"}), json!({"$secret": "f/g#encryption/symmetric/jwk"}));
    for (alg, enc, octets) in [("A128KW", "A256GCM", 16), ("A256GCMKW", "A128GCM", 32), ("dir", "A192CBC-HS384", 48)] {
        let block = json!({"algorithm": alg, "jwk": ours});
        let flow = flow(&none, &json!({"type": "symmetric", "contentEncryption": enc, "symmetric": block}));
        let (key, _) = admin.drawn(&flow, "encryption/symmetric/jwk").await;
        assert_eq!(base64url::decode(key["k"].as_str().unwrap()).unwrap().len(), octets, "{alg}");
        assert_eq!((&key["alg"], &key["use"]), (&json!(alg), &json!("enc")));
    }
    let plain = json!({"symmetric": {"algorithm": "HS256"}});
    let twice = json!({"symmetric": {"password": {"$secret": "f/g#signature/symmetric/password"}, "jwk": {"$secret": "f/g#signature/symmetric/jwk"}}});
    for (signature, encryption, field) in [
        (&plain, json!({"type": "symmetric"}), "encryption/symmetric/password"),
        (&plain, json!({"type": "asymmetric"}), "encryption/asymmetric/publicKey"),
        (&plain, none.clone(), "signature/symmetric/jwk"),
        (&twice, none.clone(), "signature/symmetric/jwk"),
        (&twice, none.clone(), "signature/symmetric/password"),
    ] {
        let (status, told) = admin.call(Method::PUT, "/documents/f", &flow(signature, &encryption)).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let path = format!("/secrets/f%2Fg/{}", field.replace('/', "%2F"));
        let (status, told) = admin.call(Method::POST, &path, "").await;
        assert_eq!((status, &told["error"]), (StatusCode::CONFLICT, &json!("not_drawn")), "{field}: {told}");
    }
    let unknown = admin.call(Method::POST, "/secrets/nobody/signature%2Fsymmetric%2Fpassword", "").await;
    assert_eq!((unknown.0, &unknown.1["error"]), (StatusCode::NOT_FOUND, &json!("node_unknown")));
}

/// JG-44: no answer shows the secret that a flow was sent with; its reference sent back keeps it, and a reference to another
/// flow's is refused. That an export has the reference in the secret's place, the command line's tests of `flow` show.
#[tokio::test]
async fn the_secrets_of_a_flow_are_never_shown_and_kept_by_their_reference() {
    const CANARY: &str = "canary-canary-canary-canary-canary";
    let admin = Admin::start();
    let flow = |password: Value| {
        json!({"format": "chancery.orchestration/1", "id": "issue", "category": "API",
            "trigger": {"type": "api", "method": "GET", "path": "/issue", "authentication": "none"}, "nodes": [
            {"id": "s", "type": "start", "exits": {"Next": "g"}},
            {"id": "g", "type": "jwt-generator", "config": {"claims": {"sub": "a"},
                "signature": {"type": "symmetric", "symmetric": {"password": password}}}, "exits": {"True": "e", "Failure": "e"}},
            {"id": "e", "type": "end-success", "config": {"body": {"text": "{{jwt.token}}"}}}]})
        .to_string()
    };
    let mut told = Vec::new();
    let (status, report) = admin.call(Method::PUT, "/documents/issue", &flow(json!(CANARY))).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    told.push(report);
    let token = admin.chancery.get("/issue").await.body;
    assert!(token.starts_with("eyJ"), "{token}");
    let reference = json!({"$secret": "issue/g#signature/symmetric/password"});
    let (status, report) = admin.call(Method::PUT, "/documents/issue", &flow(reference)).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    told.push(report);
    assert!(admin.chancery.get("/issue").await.body.starts_with("eyJ"), "the secret is kept");
    for path in ["/documents", "/secrets"] {
        let (status, listed) = admin.call(Method::GET, path, "").await;
        assert!(status == StatusCode::OK && listed.to_string().contains("issue"), "{listed}");
        told.push(listed);
    }
    let foreign = flow(json!({"$secret": "other/g#signature/symmetric/password"}));
    let (status, refused) = admin.call(Method::PUT, "/documents/issue", &foreign).await;
    assert_eq!(
        (status, &refused["diagnostics"][0]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("secret_unknown"))
    );
    told.push(refused);
    assert!(!json!(told).to_string().contains("canary"), "{told:?}");
}
