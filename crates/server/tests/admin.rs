//! Documents and secrets over the control socket, as the command line sends them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery::{CONFIG, Chancery, Options, SEED};
use house::{Running, start_on};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::accept::{Limits, ListenerKind};
use server::control::{self, Client, Reply};
use server::routes::{Control, Router, documents, secrets};

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
            .with(secrets::routes(&chancery.deployments));
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
