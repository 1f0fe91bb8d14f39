//! `chancery serve` on API definitions, from outside: what its flags do, and the examples as their callers see them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::path::Path;

use house::chancery;
use house::server::{Reply, Server};

/// The secret of every key of the examples.
const SECRET: &str = "secret-secret-secret-secret-secret!";

fn file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name).to_str().unwrap().to_owned()
}

/// A folder with a definition whose one operation answers with a token of what the flags may change.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(key: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let definition = format!(
            "swagger: '2.0'\nbasePath: /api\npaths: {{/t: {{get: {{}}}}}}\nx-ibm-configuration:\n  gateway: datapower-gateway\n  \
             properties:\n    audience: {{value: own}}\n    jwk: {{value: ''}}\n  \
             catalogs:\n    sandbox: {{properties: {{audience: of sandbox}}}}\n    prod: {{properties: {{audience: of prod}}}}\n  \
             assembly:\n    execute:\n      - set-variable: {{actions: [{{set: iss.claim, value: 'https://$(catalog.host)'}}]}}\n      \
             - jwt-generate: {{jwt: message.body, iss-claim: iss.claim, sub-claim: client.app.id, aud-claim: audience, \
             exp-claim: 60, {key}}}\n"
        );
        folder.write("api.yaml", &definition);
        folder
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn serve(&self, further: &[&str]) -> Server {
        let api = self.0.path().join("api.yaml");
        Server::start(self.0.path(), &[&["--ephemeral", api.to_str().unwrap()], further].concat())
    }

    /// The exit code of a server that does not start, and what it said.
    fn refused(&self, further: &[&str]) -> (i32, String) {
        let api = self.0.path().join("api.yaml");
        let (status, said) =
            Server::refused(self.0.path(), &[&["--ephemeral", api.to_str().unwrap()], further].concat());
        (status.code().unwrap(), said)
    }

    /// The claims of a token, if the key in this file verifies it.
    fn claims(&self, token: &str, key: &str, alg: &str) -> serde_json::Value {
        let ran = chancery(&["verify", token, "--key", &format!("file:{key}"), "--alg", alg]);
        assert_eq!(ran.code, 0, "{token} {ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

const JWK: &str = "jws-jwk: jwk, jws-alg: HS256";
const PROPERTY: &str = r#"jwk={"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}"#;

/// AC-84 (part): values of the catalog that was chosen, and of the command line over them; `$(catalog.host)` from the flag, else
/// from the listener.
#[test]
fn catalog_host_and_properties_are_chosen_at_the_start() {
    let folder = Folder::new(JWK);
    let secret = folder.write("secret", SECRET);
    for (flags, audience, host) in [
        (vec![], "of sandbox", None),
        (vec!["--catalog", "prod", "--catalog-host", "api.example:8443"], "of prod", Some("api.example:8443")),
        (vec!["--catalog", "nowhere", "--catalog-host", "h"], "own", Some("h")),
        (vec!["--catalog", "prod", "--property", "audience=of the line = so"], "of the line = so", None),
    ] {
        let server = folder.serve(&[&["--property", PROPERTY], &flags[..]].concat());
        let claims = folder.claims(&server.get("/api/t").body, &secret, "HS256");
        let host = host.unwrap_or(&server.address);
        assert_eq!(
            (&claims["aud"], &claims["iss"]),
            (&audience.into(), &format!("https://{host}").into()),
            "{flags:?}"
        );
    }
    for flags in [["--property", "audience"], ["--property", "=x"]] {
        let (code, said) = folder.refused(&flags);
        assert!(code == 2 && said.contains("--property takes NAME=VALUE"), "{flags:?} {code} {said}");
    }
}

/// AC-40 (part), AC-42, AC-43: a crypto object is a secret, a PEM or a JWK in a file, found by its name or by a pattern; one without a
/// key is told at the start and fails by name, even beside a good JWK.
#[test]
fn crypto_objects_are_bound_by_name_and_by_pattern() {
    let object = "jws-crypto: org_cat_tlsp-mineV1.0.0-key";
    let made = chancery(&["keys", "generate", "--alg", "RS256"]).stdout;
    for (alg, key) in [("HS256", SECRET), ("RS256", made.as_str())] {
        let folder = Folder::new(&format!("{object}, {JWK}").replace("HS256", alg));
        let bound = folder.write("bound", key);
        for name in ["org_cat_tlsp-mineV1.0.0-key", "org_*_tlsp-*-key", "*"] {
            let server = folder.serve(&["--crypto", &format!("{name}={bound}"), "--property", PROPERTY]);
            let reply = server.get("/api/t");
            assert_eq!(folder.claims(&reply.body, &bound, alg)["sub"], "demo-client", "{name}");
        }
    }
    let folder = Folder::new(&format!("{object}, {JWK}"));
    let server = folder.serve(&["--crypto", &format!("other_*={}", folder.write("k", SECRET)), "--property", PROPERTY]);
    let reply = server.get("/api/t");
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(
        server.log().contains("No key is bound to the crypto object `org_cat_tlsp-mineV1.0.0-key`"),
        "{}",
        server.log()
    );
    assert!(!reply.body.contains("tlsp") && server.log().matches("tlsp-mine").count() >= 2, "{}", server.log());
}

#[test]
fn a_crypto_object_whose_key_cannot_be_read_is_refused_at_the_start() {
    let folder = Folder::new("jws-crypto: c, jws-alg: RS256");
    let nonsense =
        format!("c={}", folder.write("n", "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n"));
    for (flag, code, what) in [
        (nonsense.as_str(), 1, "--crypto c:"),
        ("c=/nowhere/at/all", 66, "/nowhere/at/all"),
        ("c=env:NOT_SET", 66, "NOT_SET"),
        ("c", 2, "--crypto takes NAME=FILE"),
        ("=x", 2, "--crypto takes NAME=FILE"),
    ] {
        let (found, said) = folder.refused(&["--crypto", flag]);
        assert!(found == code && said.contains(what) && !said.contains("nonsense\n"), "{flag}: {found} {said}");
    }
}

/// AC-86: without `--client` anybody may call, and who says nothing is `demo-client`; with it the listed ones alone, those that have a
/// secret with it.
#[test]
fn clients_are_anybody_or_those_that_are_listed() {
    let folder = Folder::new(JWK);
    let secret = folder.write("secret", SECRET);
    let subject = |reply: Reply| {
        if reply.status == 200 {
            folder.claims(&reply.body, &secret, "HS256")["sub"].clone()
        } else {
            reply.status.into()
        }
    };
    let ask = |server: &Server, path: &str, headers: &[(&str, &str)]| {
        subject(server.ask(&format!("GET {path}"), headers, ""))
    };
    let any = folder.serve(&["--property", PROPERTY]);
    assert_eq!(ask(&any, "/api/t", &[]), "demo-client");
    assert_eq!(ask(&any, "/api/t?client_id=me", &[]), "me");
    assert_eq!(ask(&any, "/api/t?client_id=me", &[("X-IBM-Client-Id", "header")]), "header");
    let password = folder.write("password", "hunter2\n");
    let named = format!("shop={password}");
    let listed = folder.serve(&["--property", PROPERTY, "--client", "till", "--client", &named]);
    let id = ("X-IBM-Client-Id", "shop");
    for (headers, expected) in [
        (vec![("X-IBM-Client-Id", "till")], "till".into()),
        (vec![id, ("X-IBM-Client-Secret", "hunter2")], "shop".into()),
        (vec![id, ("X-IBM-Client-Secret", "hunter3")], 401.into()),
        (vec![id], 401.into()),
        (vec![("X-IBM-Client-Id", "demo-client")], 401.into()),
        (vec![], 401.into()),
    ] as [(_, serde_json::Value); 6]
    {
        assert_eq!(ask(&listed, "/api/t", &headers), expected, "{headers:?}");
    }
    assert_eq!(ask(&listed, "/api/t?client_id=till", &[]), "till");
    let refused = listed.get("/api/t");
    assert!(refused.body.contains("Invalid client id or secret."), "{refused:?}");
    assert!(!listed.log().contains("hunter"), "{}", listed.log());
}

/// What the README of the examples says is what they do, asked as a client would.
#[test]
fn the_examples_answer_as_their_readme_says() {
    let names = ["token", "orders", "nested", "soap", "catch"];
    let readme = std::fs::read_to_string(file("examples/api-connect/README.md")).unwrap();
    let files: Vec<String> = names.iter().map(|name| format!("examples/api-connect/{name}.yaml")).collect();
    assert!(files.iter().all(|name| readme.contains(name.as_str())), "the README names each");
    let files: Vec<String> = files.iter().map(|name| file(name)).collect();
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["--ephemeral"], &files.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
    let server = Server::start(folder.path(), &arguments);

    let bearer = server.get("/auth/token?client_id=me").body;
    let opened = server.ask("GET /orders/mine", &[("Authorization", &bearer)], "");
    assert_eq!((opened.status, opened.body.as_str()), (200, r#"{"orders":[17,42],"of":"me"}"#));
    for token in ["", "Bearer a.b.c", &bearer[..bearer.len() - 2]] {
        let refused = server.ask("GET /orders/mine", &[("Authorization", token)], "");
        assert_eq!((refused.status, refused.body.as_str()), (401, r#"{"error":"invalid_token"}"#), "{token}");
        assert!(refused.head.to_lowercase().contains("www-authenticate: bearer"), "{refused:?}");
    }

    let sealed = server.get("/sealed/token").body;
    assert_eq!(sealed.split('.').count(), 5, "{sealed}");
    let claims = server.ask("GET /sealed/claims", &[("Authorization", &sealed)], "");
    let claims: serde_json::Value = serde_json::from_str(&claims.body).unwrap_or_else(|_| panic!("{claims:?}"));
    assert_eq!((&claims["balance"], &claims["sub"]), (&1200.into(), &"demo-client".into()));
    assert_eq!(server.ask("GET /sealed/claims", &[("Authorization", &bearer)], "").status, 500);

    let ask = |body: &str| server.ask("POST /soap/TokenService", &[("Content-Type", "text/xml")], body);
    let issued = ask("<Envelope><user>alice</user></Envelope>");
    assert!(issued.status == 200 && issued.head.to_lowercase().contains("content-type: text/xml"), "{issued:?}");
    let token = issued.body.split_once("\"urn:example\">").unwrap().1.split('<').next().unwrap();
    assert_eq!(chancery(&["inspect", token]).stdout.matches("alice").count(), 1, "{issued:?}");
    let fault = ask("<Envelope/>");
    assert!(fault.status == 500 && fault.body.contains("Fault>"), "{fault:?}");

    assert_eq!(server.get("/careful/token?alg=HS512").body.split('.').count(), 3);
    let caught = server.get("/careful/token?alg=RS256");
    assert_eq!((caught.status, caught.body.as_str()), (400, r#"{"error":"unsuited algorithm"}"#));
    assert!(caught.head.to_lowercase().contains("cache-control: no-store"), "{caught:?}");
    assert_eq!(server.get("/careful/token").status, 400, "a required parameter");
    assert!(server.log().contains("no token: "), "{}", server.log());
}

/// A definition of every kind of trouble for an export: keys, our own members, comments, and labels that must come back.
const OWN_MEMBERS: &str = r#"swagger: '2.0' # kept
info: {title: "Labels", version: 1.0.0}
basePath: /own
paths: {/t: {get: {}}}
x-ibm-configuration:
  gateway: datapower-api-gateway
  properties:
    key:
      value: '{"kty":"oct","kid":"K","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}'
  assembly:
    execute:
      - jwt-generate:
          title: "Ein: Titel"
          # a comment
          description: >-
            over
            lines
          iss-claim: api.name
          exp-claim: 60
          jws-jwk: key
          jws-alg: HS256
          x-chancery-strict: true # ours
          x-chancery-kid: own
"#;

/// AC-88, AC-96 (part): titles, descriptions and comments come back as they were written; `--portable` leaves our own members
/// out and lists them; a key goes out in neither form. What comes out serves again.
#[test]
fn an_export_is_what_was_deployed_without_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").to_str().unwrap().to_owned();
    let at = folder.path().join("own.yaml");
    std::fs::write(&at, OWN_MEMBERS).unwrap();
    let mut server = Server::start(folder.path(), &["--init", at.to_str().unwrap()]);
    let bearer = |server: &Server| {
        let reply = server.get("/own/t");
        let found = reply.head.lines().find_map(|line| line.split_once(": Bearer ").map(|(_, token)| token.to_owned()));
        found.unwrap_or_else(|| panic!("{reply:?}\n{}", server.log()))
    };
    let signs_with = |server: &Server, name: &str, secret: &str| {
        let key = folder.path().join(name);
        std::fs::write(&key, secret).unwrap();
        chancery(&["verify", &bearer(server), "--key", &format!("file:{}", key.display()), "--alg", "HS256"]).code == 0
    };
    assert!(signs_with(&server, "secret", SECRET));
    server.terminate();
    let export = |further: &[&str]| chancery(&[&["--data", &data, "flow", "export", "own"], further].concat());
    let key = r#"'{"kty":"oct","kid":"K","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}'"#;
    let expected = OWN_MEMBERS.replace(key, "\"chancery:sealed\"");
    let plain = export(&[]);
    assert_eq!((plain.code, plain.stdout.trim_end()), (0, expected.trim_end()), "{plain:?}");
    let portable = export(&["--portable"]);
    let vendors = expected.replace("          x-chancery-strict: true # ours\n          x-chancery-kid: own\n", "");
    assert_eq!((portable.code, portable.stdout.trim_end()), (0, vendors.trim_end()));
    for member in ["strict", "kid"] {
        let pointer = format!("left out: /x-ibm-configuration/assembly/execute/0/jwt-generate/x-chancery-{member}");
        assert!(portable.stderr.contains(&pointer), "{portable:?}");
    }
    assert!(portable.stderr.contains("does not go out: /x-ibm-configuration/properties/key/value"), "{portable:?}");
    let other = folder.path().join("other.jwk");
    std::fs::write(&other, r#"{"kty":"oct","k":"b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI"}"#).unwrap();
    let mut given = Server::start(folder.path(), &["--secret", &format!("own.key=file:{}", other.display())]);
    assert!(signs_with(&given, "other", "other-other-other-other-other-other"), "a key for this run alone");
    given.terminate();
    // What came out is deployed over itself and signs as before.
    std::fs::write(&at, &plain.stdout).unwrap();
    let again = Server::start(folder.path(), &[at.to_str().unwrap()]);
    assert!(signs_with(&again, "secret", SECRET));
}

/// AC-88 (part): a member of ours that is not known is refused, and so is `--portable` for a flow file.
#[test]
fn our_own_members_are_known_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("own.yaml");
    std::fs::write(&at, OWN_MEMBERS.replace("exp-claim: 60", "exp-claim: 60\n          x-chancery-no-such: 1"))
        .unwrap();
    let ran = chancery(&["check", at.to_str().unwrap()]);
    assert!(
        ran.code == 2 && ran.stdout.contains("error[extension_unknown]") && ran.stdout.contains("line 20"),
        "{ran:?}"
    );
    let data = folder.path().join("data").to_str().unwrap().to_owned();
    assert_eq!(chancery(&["--data", &data, "init"]).code, 0);
    assert_eq!(chancery(&["--data", &data, "flow", "import", &file("examples/node-red/generate-jwt.json")]).code, 0);
    let refused = chancery(&["--data", &data, "flow", "export", "generate-jwt", "--portable"]);
    assert!(refused.code == 2 && refused.stderr.contains("for API definitions"), "{refused:?}");
}
