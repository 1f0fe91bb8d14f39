//! `chancery serve` on an API whose back end is gone, or stands somewhere else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use house::server::Server;

/// A server of an API that sends its token to a back end.
fn serve(folder: &Path, further: &[&str]) -> Server {
    let definition = "swagger: '2.0'\nbasePath: /api\npaths: {/t: {get: {}}}\nx-ibm-configuration:\n  \
        gateway: datapower-api-gateway\n  properties:\n    jwk: {value: '{\"kty\":\"oct\",\"k\":\"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE\"}'}\n  \
        assembly:\n    execute:\n      - set-variable: {actions: [{set: iss.claim, value: me}]}\n      \
        - jwt-generate: {iss-claim: iss.claim, exp-claim: 60, jws-jwk: jwk, jws-alg: HS256}\n      \
        - invoke: {target-url: 'https://gone.invalid/orders'}\n";
    let api = folder.join("api.yaml");
    std::fs::write(&api, definition).unwrap();
    Server::start(folder, &[&["--ephemeral", api.to_str().unwrap()], further].concat())
}

/// AC-85: `--stub` runs a file whose back end is gone, and shows the header that it would have been sent.
#[test]
fn a_stub_shows_what_the_back_end_would_have_got() {
    let folder = tempfile::tempdir().unwrap();
    let reply = serve(folder.path(), &["--stub"]).get("/api/t");
    let sent: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((&sent["method"], &sent["path"]), (&"GET".into(), &"/orders".into()));
    assert!(sent["headers"]["authorization"].as_str().unwrap().starts_with("Bearer eyJ"), "{sent}");
    let reply = serve(folder.path(), &[]).get("/api/t");
    assert_eq!(reply.status, 500, "without it the back end is gone: {reply:?}");
}

/// AC-33 (part): `--backend` leads to another server, on this machine as well, which gets the token.
#[test]
fn a_back_end_may_stand_somewhere_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut octet = [0];
            stream.read_exact(&mut octet).unwrap();
            head.push(octet[0]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere").unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    });
    let folder = tempfile::tempdir().unwrap();
    let reply = serve(folder.path(), &["--backend", &format!("gone.invalid=http://127.0.0.1:{port}")]).get("/api/t");
    assert_eq!((reply.status, reply.body.as_str()), (200, "there"));
    let heard = heard.join().unwrap();
    assert!(heard.starts_with("get /orders http/1.1\r\n") && heard.contains("authorization: bearer eyj"), "{heard}");
}

#[test]
fn what_is_no_back_end_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.yaml"), "swagger: '2.0'\npaths: {}\n").unwrap();
    let api = folder.path().join("api.yaml");
    for flags in [&["--backend", "gone"][..], &["--backend", "a=http://b/path"], &["--stub", "--backend", "a=http://b"]]
    {
        let (status, said) = Server::refused(folder.path(), &[&["--ephemeral", api.to_str().unwrap()], flags].concat());
        assert_eq!(status.code(), Some(2), "{flags:?}: {said}");
        assert!(said.contains("--backend"), "{flags:?}: {said}");
    }
}
