//! `chancery serve` and `chancery secret`, from outside: real processes, real sockets.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use house::server::Server;
use house::{chancery, chancery_in};

const SECRET: &str = "a secret of at least thirty-two octets";
const CONFIG: &str = "766dcb94.6ebc04";

fn example(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("examples/node-red").join(name).to_str().unwrap().to_owned()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path: PathBuf = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn token(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

/// A flow that answers GET `path` by running `body` in a function node.
fn function_flow(id: &str, path: &str, body: &str) -> String {
    serde_json::json!([
        { "id": format!("{id}i"), "type": "http in", "z": id, "url": path, "method": "get", "wires": [[format!("{id}f")]] },
        { "id": format!("{id}f"), "type": "function", "z": id, "func": body, "outputs": 1, "wires": [[format!("{id}o")]] },
        { "id": format!("{id}o"), "type": "http response", "z": id, "wires": [] },
    ])
    .to_string()
}

/// NR-28: `secret set` reads standard input and the next request uses it; a value argument is refused.
#[test]
fn a_secret_set_from_stdin_counts_from_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").to_str().unwrap().to_owned();
    let server = Server::start(folder.path(), &["--init", &example("generate-jwt.json")]);
    assert_eq!(server.get("/jwt/generate").status, 500, "no secret yet");
    let set = |secret: &str| chancery_in(&[], &["--data", &data, "secret", "set", CONFIG, "tokensecret"], secret);
    let ran = set(SECRET);
    assert_eq!(ran.code, 0, "{ran:?}\n{}", server.log());
    let first = token(&server.get("/jwt/generate").body);
    let verify = |token: &str, secret: &str| {
        chancery_in(&[("S", secret)], &["verify", token, "--key", "env:S", "--alg", "HS256"], "").code
    };
    assert_eq!(verify(&first, SECRET), 0);
    let second_secret = "another secret of at least thirty-two octets";
    assert_eq!(set(second_secret).code, 0);
    let second = token(&server.get("/jwt/generate").body);
    assert_eq!((verify(&second, SECRET), verify(&second, second_secret)), (1, 0));
    let argument = chancery(&["--data", &data, "secret", "set", CONFIG, "tokensecret", SECRET]);
    assert_eq!(argument.code, 2, "{argument:?}");
    let list = chancery(&["--data", &data, "secret", "list"]);
    assert!(list.stdout.contains(CONFIG) && !list.stdout.contains("another"), "{list:?}");
    let by_name = chancery(&["--data", &data, "secret", "delete", "igniteadmin", "tokensecret"]);
    assert_eq!(by_name.code, 0, "{by_name:?}");
    assert_eq!(server.get("/jwt/generate").status, 500, "the secret is gone");
}

/// JG-26: the key of a token node is drawn as the node asks, by the server or in its store; what the other side needs is written
/// once, and never over a file.
#[test]
fn a_key_is_drawn_for_a_token_node() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, document, public, shared) = (at("data"), at("issue.json"), at("public.jwk"), at("shared.jwk"));
    let layers = serde_json::json!({
        "signature": { "type": "asymmetric", "asymmetric": { "keyType": "EC", "ecAlgorithm": "ES384" } },
        "encryption": { "type": "symmetric", "symmetric": { "jwk": { "$secret": "issue/g#encryption/symmetric/jwk" } } },
        "claims": { "sub": "s" },
    });
    let flow = serde_json::json!({
        "format": "chancery.orchestration/1", "id": "issue", "category": "API",
        "trigger": { "type": "api", "method": "GET", "path": "/issue", "authentication": "none" },
        "nodes": [
            { "id": "s", "type": "start", "exits": { "Next": "g" } },
            { "id": "g", "type": "jwt-generator", "name": "Gen", "config": layers, "exits": { "True": "e", "Failure": "e" } },
            { "id": "e", "type": "end-success", "config": { "body": { "text": "{{jwt.token}}" } } },
        ],
    });
    std::fs::write(&document, flow.to_string()).unwrap();
    let mut server = Server::start(folder.path(), &["--init", &document]);
    let generate = |field: &str, more: &[&str]| {
        chancery(&[&["--data", &data, "secret", "generate", "Gen", field][..], more].concat())
    };
    assert_ne!(server.get("/issue").status, 200, "no key yet");
    assert_eq!(generate("encryption/symmetric/jwk", &["--out", &shared]).code, 0);
    let first = generate("signature/asymmetric/privateKey", &[]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.stdout.contains("P-384") && !first.stdout.contains("\"d\""), "{first:?}");
    std::fs::write(&public, &first.stdout).unwrap();
    let verified =
        |token: &str| chancery(&["verify", token, "--key", &public, "--alg", "ES384", "--decrypt-key", &shared]).code;
    assert_eq!(verified(&server.get("/issue").body), 0);
    let refused = generate("signature/asymmetric/privateKey", &["--out", &shared]);
    assert!(refused.code != 0 && refused.stderr.contains("exists already"), "{refused:?}");
    assert_eq!(verified(&server.get("/issue").body), 0, "and nothing was drawn");
    assert_ne!(generate("signature/symmetric/password", &[]).code, 0, "the node does not sign with that");
    assert!(server.terminate().success(), "{}", server.log());

    let offline = generate("signature/asymmetric/privateKey", &["--json"]);
    assert_eq!(offline.code, 0, "{offline:?}");
    let written: serde_json::Value = serde_json::from_str(&offline.stdout).unwrap();
    assert_eq!((&written["format"], &written["key"]["crv"]), (&serde_json::json!("jwk"), &serde_json::json!("P-384")));
    let again = Server::start(folder.path(), &[]);
    let token = again.get("/issue").body;
    assert_eq!(verified(&token), 1, "signed with another key");
    std::fs::write(&public, written["key"].to_string()).unwrap();
    assert_eq!(verified(&token), 0);
}

#[test]
fn a_store_is_made_once_and_serves_again_what_was_deployed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").to_str().unwrap().to_owned();
    let mut server = Server::start(folder.path(), &["--init", &example("generate-jwt.json")]);
    assert_eq!(chancery_in(&[], &["--data", &data, "secret", "set", CONFIG, "tokensecret"], SECRET).code, 0);
    assert_eq!(server.get("/jwt/generate").status, 200);
    assert!(server.terminate().success(), "{}", server.log());
    let offline = chancery(&["--data", &data, "secret", "list"]);
    assert!(offline.stdout.contains(CONFIG), "the store is opened when no server runs: {offline:?}");
    let again = Server::start(folder.path(), &[]);
    assert_eq!(again.get("/jwt/generate").status, 200, "{}", again.log());
    let (status, said) = Server::refused(folder.path(), &[]);
    assert!(!status.success() && said.contains("use"), "a second server on one folder is refused: {said}");
}

#[test]
fn a_secret_for_one_run_is_given_by_id_or_name_and_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "secret.txt", &format!("{SECRET}\n"));
    for name in [CONFIG, "igniteadmin"] {
        let secret = format!("{name}.tokensecret=file:{file}");
        let server = Server::start(folder.path(), &["--ephemeral", &example("generate-jwt.json"), "--secret", &secret]);
        let issued = token(&server.get("/jwt/generate").body);
        let ran = chancery_in(&[("S", SECRET)], &["verify", &issued, "--key", "env:S", "--alg", "HS256"], "");
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!server.log().contains(SECRET));
    }
    assert!(!folder.path().join("data").exists(), "an ephemeral server leaves nothing");
}

#[test]
fn documents_that_cannot_be_served_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let broken = write(folder.path(), "broken.json", "[{\"id\":\"a\",\n  \"type\": }]");
    let stranger = write(folder.path(), "stranger.json", "{\"hello\": 1}");
    let clash = write(folder.path(), "clash.json", &function_flow("z", "/jwt/generate", "return msg;"));
    for (documents, words) in [
        (vec![broken.as_str()], vec!["broken", "line 2"]),
        (vec![stranger.as_str()], vec!["stranger", "kind"]),
        (vec!["/nonexistent.json"], vec!["nonexistent"]),
        (vec![&example("generate-jwt.json"), clash.as_str()], vec!["/jwt/generate", "clash", "generate-jwt"]),
    ] {
        let (status, said) = Server::refused(folder.path(), &[&["--ephemeral"], documents.as_slice()].concat());
        assert!(!status.success(), "{documents:?}");
        for word in words {
            assert!(said.contains(word), "{word} in {said}");
        }
    }
}

#[test]
fn a_document_of_a_hundred_megabytes_is_refused_by_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let huge = folder.path().join("huge.json");
    std::fs::File::create(&huge).unwrap().set_len(100 * 1024 * 1024).unwrap();
    let (status, said) = Server::refused(folder.path(), &["--ephemeral", huge.to_str().unwrap()]);
    assert!(!status.success() && said.contains("larger than"), "{said}");
}

#[test]
fn ten_thousand_nodes_deploy_and_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut nodes: Vec<serde_json::Value> = serde_json::from_str(&function_flow("z", "/first", "return msg;")).unwrap();
    for at in 0..2_500 {
        let tab = function_flow(&format!("t{at}"), &format!("/t{at}"), "msg.payload = {ok: true}\nreturn msg;");
        nodes.extend(serde_json::from_str::<Vec<serde_json::Value>>(&tab).unwrap());
        nodes.push(serde_json::json!({ "id": format!("t{at}"), "type": "tab", "label": "" }));
    }
    let large = write(folder.path(), "large.json", &serde_json::to_string(&nodes).unwrap());
    let server = Server::start(folder.path(), &["--ephemeral", &large]);
    assert_eq!(server.get("/t2499").body, r#"{"ok":true}"#, "{}", server.log());
}

/// A circle of wires, an endless script and one that eats memory each end by their own bound; other requests go on.
#[test]
fn what_misbehaves_ends_and_leaves_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    let circle = serde_json::json!([
        { "id": "ci", "type": "http in", "z": "c", "url": "/circle", "method": "get", "wires": [["ca"]] },
        { "id": "ca", "type": "junction", "z": "c", "wires": [["cb"]] },
        { "id": "cb", "type": "junction", "z": "c", "wires": [["ca"]] },
    ]);
    let documents = [
        example("generate-jwt.json"),
        write(folder.path(), "circle.json", &circle.to_string()),
        write(folder.path(), "endless.json", &function_flow("e", "/endless", "for (;;) {}")),
        write(
            folder.path(),
            "eater.json",
            &function_flow("m", "/eater", "let a = []; for (;;) a.push(new Array(1e6).fill(1));"),
        ),
    ];
    let file = write(folder.path(), "secret.txt", SECRET);
    let secret = format!("igniteadmin.tokensecret=file:{file}");
    let mut arguments = vec!["--ephemeral", "--secret", &secret];
    arguments.extend(documents.iter().map(String::as_str));
    let server = Server::start(folder.path(), &arguments);
    std::thread::scope(|scope| {
        let bad: Vec<_> = ["/circle", "/endless", "/eater"].map(|path| scope.spawn(|| server.get(path))).into();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            assert_eq!(server.get("/jwt/generate").status, 200);
        }
        for (path, reply) in ["/circle", "/endless", "/eater"].iter().zip(bad) {
            let reply = reply.join().unwrap();
            assert_eq!(reply.status, 500, "{path}: {reply:?}\n{}", server.log());
            assert!(reply.body.contains("flow_error") && !reply.body.contains("stack"), "{path}: {reply:?}");
        }
    });
}

/// A server that is killed while documents are deployed has every document that it acknowledged.
#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let path = format!("/r{round}");
        let document = write(
            folder.path(),
            &format!("r{round}.json"),
            &function_flow(&format!("r{round}"), &path, "msg.payload = {ok: true}\nreturn msg;"),
        );
        let mut server = Server::start(folder.path(), &["--init", &document]);
        assert_eq!(server.get(&path).status, 200, "{}", server.log());
        server.kill();
    }
    let server = Server::start(folder.path(), &[]);
    for round in 0..3 {
        assert_eq!(server.get(&format!("/r{round}")).body, r#"{"ok":true}"#, "{}", server.log());
    }
}

/// NR-17, NR-25 as a client sees them: what one document issues another accepts, and nothing altered.
#[test]
fn a_token_of_the_example_passes_its_verify_counterpart() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "secret.txt", SECRET);
    let secret = format!("igniteadmin.tokensecret=file:{file}");
    let server = Server::start(
        folder.path(),
        &["--ephemeral", &example("generate-jwt.json"), &example("verify-jwt.json"), "--secret", &secret],
    );
    let token = token(&server.get("/jwt/generate").body);
    assert_eq!(server.get_as("/jwt/verify", &token).status, 200, "{}", server.log());
    let forged = format!("{}x", &token[..token.len() - 1]);
    assert_eq!(server.get_as("/jwt/verify", &forged).status, 401);
    assert_eq!(server.get("/jwt/verify").status, 401);
}
