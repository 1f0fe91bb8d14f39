//! `chancery flow`, from outside: flows of a real Node-RED come in with their credentials, and go out again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::path::Path;

use house::server::Server;
use house::{Ran, chancery, chancery_in};

/// The secret that `seed_cred.json` holds; Node-RED 5.0.7 wrote that file under `correct horse`.
const SECRET: &str = "a secret of at least thirty-two octets";
const HORSE: [(&str, &str); 1] = [("HORSE", "correct horse")];

fn file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../").join(name).to_str().unwrap().to_owned()
}

struct Folder {
    folder: tempfile::TempDir,
    data: String,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").to_str().unwrap().to_owned();
        assert_eq!(chancery(&["--data", &data, "init"]).code, 0);
        Self { folder, data }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn import(&self, credentials: &str, further: &[&str]) -> Ran {
        let flow = file("examples/node-red/generate-jwt.json");
        let mut arguments = vec!["--data", &self.data, "flow", "import", &flow, "--credentials", credentials];
        arguments.extend(further);
        chancery_in(&HORSE, &arguments, "")
    }

    fn serve(&self) -> Server {
        Server::start(self.folder.path(), &[])
    }
}

/// Whether the seed's flow answers with a token that this secret signed.
fn signs_with(server: &Server, secret: &str) -> bool {
    let reply = server.get("/jwt/generate");
    let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    let Some(token) = body["access_token"].as_str() else { return false };
    chancery_in(&[("S", secret)], &["verify", token, "--key", "env:S", "--alg", "HS256"], "").code == 0
}

/// NR-31: flow, credentials and credentialSecret of a Node-RED come in, and the first request succeeds.
#[test]
fn an_encrypted_credentials_file_comes_in_with_its_flow() {
    let folder = Folder::new();
    let sealed = file("testdata/node-red/flows-cred/seed_cred.json");
    let ran = folder.import(&sealed, &["--credential-secret", "env:HORSE"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stderr.contains(SECRET), "{ran:?}");
    assert!(signs_with(&folder.serve(), SECRET));
}

#[test]
fn the_secret_of_a_runtime_configuration_opens_it_too() {
    let folder = Folder::new();
    let runtime = folder.write(".config.runtime.json", r#"{"_credentialSecret":"correct horse"}"#);
    let ran = folder.import(&file("testdata/node-red/flows-cred/seed_cred.json"), &["--credential-secret", &runtime]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// A wrong secret changes nothing: neither the store nor the file.
#[test]
fn a_wrong_secret_is_refused_before_anything_changes() {
    let folder = Folder::new();
    let sealed = file("testdata/node-red/flows-cred/seed_cred.json");
    let before = std::fs::read(&sealed).unwrap();
    let wrong = folder.write("wrong.txt", "wrong\n");
    for further in [["--credential-secret", wrong.as_str()].as_slice(), &[]] {
        let ran = folder.import(&sealed, further);
        assert!(ran.code == 1 && ran.stderr.contains("credentials"), "{ran:?}");
    }
    assert_eq!(std::fs::read(&sealed).unwrap(), before);
    let list = chancery(&["--data", &folder.data, "secret", "list"]);
    assert!(list.stdout.is_empty(), "{list:?}");
}

/// NR-37: a plain file comes in with a warning; what is set stays unless it is to be replaced, in a running server too.
#[test]
fn a_plain_file_comes_in_with_a_warning() {
    let folder = Folder::new();
    let plain = |secret: &str| format!(r#"{{"766dcb94.6ebc04":{{"tokensecret":"{secret}"}}}}"#);
    let first = folder.write("first.json", &plain("the first secret of thirty-two octets"));
    let second = folder.write("second.json", &plain(SECRET));
    let ran = folder.import(&first, &[]);
    assert!(ran.code == 0 && ran.stderr.contains("not encrypted"), "{ran:?}");
    assert_eq!(folder.import(&second, &[]).code, 0);
    let server = folder.serve();
    assert!(signs_with(&server, "the first secret of thirty-two octets"));
    assert_eq!(folder.import(&second, &[]).code, 0);
    assert!(signs_with(&server, "the first secret of thirty-two octets"), "kept in the running server");
    assert_eq!(folder.import(&second, &["--replace"]).code, 0);
    assert!(signs_with(&server, SECRET), "replaced in the running server");
}

/// NR-36: flow and credentials go out, and come in elsewhere. NR-38: credentials without a node do not.
#[test]
fn a_flow_goes_out_with_its_credentials_on_request() {
    let folder = Folder::new();
    let sealed = file("testdata/node-red/flows-cred/seed_cred.json");
    assert_eq!(folder.import(&sealed, &["--credential-secret", "env:HORSE"]).code, 0);
    let bare = chancery(&["--data", &folder.data, "flow", "export", "generate-jwt"]);
    let original = std::fs::read_to_string(file("examples/node-red/generate-jwt.json")).unwrap();
    assert_eq!((bare.code, bare.stdout.trim_end()), (0, original.trim_end()));
    let out = folder.folder.path().join("out.json").to_str().unwrap().to_owned();
    let export = |data: &str| {
        let arguments = ["--data", data, "flow", "export", "generate-jwt", "--credentials", &out];
        let ran = chancery_in(&HORSE, &[&arguments[..], &["--credential-secret", "env:HORSE"]].concat(), "");
        assert_eq!(ran.code, 0, "{ran:?}");
        std::fs::read_to_string(&out).unwrap()
    };
    let written = export(&folder.data);
    assert!(written.starts_with(r#"{"$":""#) && !written.contains(SECRET), "{written}");
    let other = Folder::new();
    assert_eq!(other.import(&out, &["--credential-secret", "env:HORSE"]).code, 0);
    assert!(signs_with(&other.serve(), SECRET));
    let without = folder.write("generate-jwt.json", r#"[{"id":"c","type":"comment"}]"#);
    assert_eq!(chancery(&["--data", &folder.data, "flow", "import", &without]).code, 0);
    let opened = folder.write("opened.json", &export(&folder.data));
    let other = Folder::new();
    let ran = other.import(&opened, &["--credential-secret", "env:HORSE"]);
    assert!(ran.code == 0 && ran.stderr.contains("0 of 0"), "{ran:?}");
}

/// What stands in a file after `flow import`, `flow export`.
fn through(document: &str) -> String {
    let folder = Folder::new();
    let path = folder.write("flows.json", document);
    let ran = chancery(&["--data", &folder.data, "flow", "import", &path]);
    assert_eq!(ran.code, 0, "{ran:?}");
    chancery(&["--data", &folder.data, "flow", "export", "flows"]).stdout
}

/// NR-48: ids are opaque: dotted ones and stranger ones come back letter for letter, and tell their nodes apart.
#[test]
fn ids_come_back_letter_for_letter() {
    let ids = ["766dcb94.6ebc04", "a.b.c", "0", "00", "-1e3", "__proto__", r"é\u2028🦀", "a b", "A.B.C", "x/../y"];
    let node = |id: &&str| format!(r#"{{"id":"{id}","type":"comment","z":"{id}","wires":[["{id}"]]}}"#);
    let document = format!("[{}]", ids.iter().map(node).collect::<Vec<_>>().join(","));
    assert_eq!(through(&document).trim_end(), document);
}

/// NR-01 (part): both arrays that the recipe is published as come in unmodified, and go out so.
#[test]
fn the_published_arrays_come_in_unmodified() {
    let bare = std::fs::read_to_string(file("examples/node-red/generate-jwt.json")).unwrap();
    let whole = format!(
        r#"{{"flows":{},"rev":"585f65f71d7b50a638ec5f664d542842d8797193f4e7c14fbf428d7a2673f4f1"}}"#,
        bare.trim()
    );
    for document in [bare.trim(), &whole] {
        assert_eq!(through(document).trim_end(), document);
    }
}

/// An orchestration flow that signs with this secret, every member of its form among them.
fn orchestration(password: &str) -> String {
    serde_json::json!({
        "format": "chancery.orchestration/1", "id": "issue", "name": "Ünicode \u{1F600}", "category": "API", "active": true,
        "description": "d", "tags": ["a"], "default": true, "nodeTracking": "always", "keepIds": true, "version": "1",
        "trigger": {"type": "api", "method": "GET", "path": "/issue", "authentication": "none"}, "nodes": [
        {"id": "s", "type": "start", "exits": {"Next": "g"}, "position": {"x": 1, "y": 2}},
        {"id": "g", "type": "jwt-generator", "config": {"claims": {"sub": "a"},
            "signature": {"type": "symmetric", "symmetric": {"password": password}}}, "exits": {"True": "e", "Failure": "e"}},
        {"id": "e", "type": "end-success", "config": {"body": {"text": "{{jwt.token}}"}}}]
    })
    .to_string()
}

/// JG-53: what is exported and imported elsewhere with the same ids is the same document, and its export the same octets.
///
/// JG-44 (part): an export has references in the place of secrets, and sending one back keeps the secret.
#[test]
fn an_orchestration_flow_goes_out_and_comes_in_the_same() {
    let (here, there) = (Folder::new(), Folder::new());
    let written = here.write("issue.json", &orchestration(SECRET));
    let run = |folder: &Folder, arguments: &[&str]| {
        let ran = chancery(&[&["--data", &folder.data, "flow"], arguments].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!ran.stderr.contains(SECRET) && !ran.stdout.contains(SECRET), "{ran:?}");
        ran.stdout
    };
    run(&here, &["import", &written]);
    let first = run(&here, &["export", "issue"]);
    let reference = r#"{"$secret":"issue/g#signature/symmetric/password"}"#;
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(json(&first), json(&orchestration("in its place").replace("\"in its place\"", reference)));
    // The reference comes back: document and secret stay as they are.
    run(&here, &["import", &here.write("issue.json", &first)]);
    assert_eq!(run(&here, &["export", "issue"]), first);
    let token = here.serve().get("/issue").body;
    assert_eq!(
        chancery_in(&[("S", SECRET)], &["verify", &token, "--key", "env:S", "--alg", "HS256"], "").code,
        0,
        "{token}"
    );
    // Elsewhere it is the same document; its secret did not go along.
    run(&there, &["import", &there.write("issue.json", &first)]);
    let second = run(&there, &["export", "issue"]);
    assert_eq!(second, first);
    assert!(!there.serve().get("/issue").body.starts_with("eyJ"));
}
