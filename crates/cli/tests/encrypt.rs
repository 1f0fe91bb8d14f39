//! Tokens inside tokens: `mint --encrypt-to` and `verify --decrypt-key`, and the JSON serializations of both.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::fs;
use std::path::Path;

use house::{Ran, chancery_in};
use serde_json::Value;

const ENV: [(&str, &str); 2] = [("KEK", "0123456789abcdef"), ("PASSWORD", "correct horse")];
const NOW: &str = "1700000000";

/// Runs `chancery` in a folder with the key files of [`folder`].
fn run(at: &Path, arguments: &[&str], stdin: &str) -> Ran {
    let inside: Vec<String> = arguments.iter().map(|it| it.replace("./", &format!("{}/", at.display()))).collect();
    let inside: Vec<&str> = inside.iter().map(String::as_str).collect();
    chancery_in(&ENV, &inside, stdin)
}

/// Keys to sign and to decrypt with.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, alg, more) in [
        ("sign", "ES256", ["--enc", "A256GCM"]),
        ("rsa", "RSA-OAEP-256", ["--bits", "2048"]),
        ("ec", "ECDH-ES+A128KW", ["--crv", "P-256"]),
        ("x25519", "ECDH-ES", ["--crv", "X25519"]),
        ("other", "RSA-OAEP-256", ["--bits", "2048"]),
    ] {
        let out = format!("./{name}.jwk");
        let made = run(folder.path(), &[&["keys", "generate", "--alg", alg, "--out", &out], &more[..]].concat(), "");
        assert_eq!(made.code, 0, "{made:?}");
        let public =
            run(folder.path(), &["keys", "public", &out, "--format", "pem", "--out", &format!("./{name}.pem")], "");
        assert_eq!(public.code, 0, "{public:?}");
    }
    folder
}

fn mint(at: &Path, more: &[&str]) -> String {
    let base = ["mint", "--key", "./sign.jwk", "--sub", "alice", "--now", NOW, "--quiet"];
    let ran = run(at, &[&base, more].concat(), "");
    assert_eq!(ran.code, 0, "{more:?}: {ran:?}");
    ran.stdout.trim().to_owned()
}

fn verify(at: &Path, token: &str, more: &[&str]) -> Ran {
    run(at, &[&["verify", "--key", "./sign.pem", "--alg", "ES256", "--now", NOW], more].concat(), token)
}

fn header(token: &str) -> Value {
    let part = token.split('.').next().unwrap();
    serde_json::from_slice(&jose::base64url::decode(part).unwrap()).unwrap()
}

/// JO-91: the signed token is encrypted with `cty` `JWT`; the decryption key reads it, and without it, or with another
/// key, it is refused with exit 1 and no claims.
#[test]
fn a_token_for_one_reader() {
    let folder = folder();
    let at = folder.path();
    let token = mint(at, &["--encrypt-to", "./rsa.jwk"]);
    assert_eq!(token.split('.').count(), 5);
    let outer = header(&token);
    assert_eq!(
        (&outer["alg"], &outer["enc"], &outer["cty"]),
        (&"RSA-OAEP-256".into(), &"A256GCM".into(), &"JWT".into())
    );
    let read = verify(at, &token, &["--decrypt-key", "./rsa.jwk"]);
    assert_eq!(
        (read.code, read.stdout.trim()),
        (0, r#"{"sub":"alice","exp":1700003600,"iat":1700000000}"#),
        "{read:?}"
    );
    for (more, told) in [
        (vec![], "--decrypt-key"),
        (vec!["--decrypt-key", "./other.jwk"], "cannot be decrypted"),
        (vec!["--decrypt-key", "./rsa.jwk", "--enc", "A128GCM"], "A256GCM"),
        (vec!["--decrypt-key", "./rsa.jwk", "--key-alg", "RSA-OAEP"], "does not fit"),
    ] {
        let refused = verify(at, &token, &more);
        assert_eq!(refused.stdout, "", "{more:?}");
        assert_eq!(refused.code, if told == "does not fit" { 65 } else { 1 }, "{more:?}: {refused:?}");
        assert!(refused.stderr.contains(told), "{more:?}: {}", refused.stderr);
    }
    let signed = mint(at, &[]);
    let refused = verify(at, &signed, &["--decrypt-key", "./rsa.jwk"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "a token that is only signed: {refused:?}");
}

/// JO-91: every way of naming the recipient and the algorithms.
#[test]
fn recipients_of_every_kind() {
    let folder = folder();
    let at = folder.path();
    for (encrypt, decrypt, alg) in [
        (vec!["--encrypt-to", "./ec.jwk"], vec!["--decrypt-key", "./ec.jwk"], "ECDH-ES+A128KW"),
        (vec!["--encrypt-to", "./x25519.jwk"], vec!["--decrypt-key", "./x25519.jwk"], "ECDH-ES"),
        (
            vec!["--encrypt-to", "./rsa.pem", "--enc", "A128CBC-HS256"],
            vec!["--decrypt-key", "./rsa.jwk", "--enc", "A256GCM", "--enc", "A128CBC-HS256"],
            "RSA-OAEP-256",
        ),
        (
            vec!["--encrypt-to", "./ec.pem"],
            vec!["--decrypt-key", "./ec.jwk", "--key-alg", "ECDH-ES+A128KW", "--key-alg", "ECDH-ES+A256KW"],
            "ECDH-ES+A256KW",
        ),
        (
            vec!["--encrypt-to", "env:KEK", "--key-alg", "A128KW"],
            vec!["--decrypt-key", "env:KEK", "--key-alg", "A128KW"],
            "A128KW",
        ),
        (
            vec!["--encrypt-to", "env:KEK", "--key-alg", "dir", "--enc", "A128GCM"],
            vec!["--decrypt-key", "env:KEK", "--key-alg", "dir", "--enc", "A128GCM"],
            "dir",
        ),
        (
            vec!["--encrypt-to", "env:PASSWORD", "--key-alg", "PBES2-HS256+A128KW", "--allow", "allow_pbes2"],
            vec!["--decrypt-key", "env:PASSWORD", "--key-alg", "PBES2-HS256+A128KW", "--allow", "allow_pbes2"],
            "PBES2-HS256+A128KW",
        ),
    ] {
        // A private JWK that carries two algorithms is told apart by what is named.
        if alg == "ECDH-ES+A256KW" {
            let plain = fs::read_to_string(at.join("ec.jwk")).unwrap().replace(r#","alg":"ECDH-ES+A128KW""#, "");
            fs::write(at.join("ec.jwk"), plain).unwrap();
        }
        let token = mint(at, &encrypt);
        assert_eq!(header(&token)["alg"], alg);
        let read = verify(at, &token, &decrypt);
        assert_eq!(read.code, 0, "{alg}: {read:?}");
    }
    let unnamed = verify(at, "x", &["--decrypt-key", "./ec.jwk"]);
    assert_eq!(unnamed.code, 2, "{unnamed:?}");
    assert!(unnamed.stderr.contains("ECDH-ES+A256KW"), "{}", unnamed.stderr);
    let public = verify(at, "x", &["--decrypt-key", "./rsa.pem", "--key-alg", "RSA-OAEP-256"]);
    assert_eq!(public.code, 65, "a public key decrypts nothing: {public:?}");
}

/// Flattened and general, signed and nested: written and read again; the protected header of each has its `cty`.
#[test]
fn tokens_in_json() {
    let folder = folder();
    let at = folder.path();
    for serialization in ["flattened", "general"] {
        let form = ["--serialization", serialization];
        let signed: Value = serde_json::from_str(&mint(at, &form)).unwrap();
        assert_eq!(signed.get("signatures").is_some(), serialization == "general", "{signed}");
        let read = verify(at, &signed.to_string(), &[]);
        assert_eq!(read.code, 0, "{read:?}");
        let nested: Value =
            serde_json::from_str(&mint(at, &[&form[..], &["--encrypt-to", "./rsa.pem"]].concat())).unwrap();
        assert_eq!(nested.get("recipients").is_some(), serialization == "general", "{nested}");
        assert_eq!(header(nested["protected"].as_str().unwrap())["cty"], "JWT");
        let read = verify(at, &nested.to_string(), &["--decrypt-key", "./rsa.jwk"]);
        assert_eq!(read.code, 0, "{read:?}");
        let tampered = nested.to_string().replace(r#""tag":""#, r#""tag":"A"#);
        assert_eq!(verify(at, &tampered, &["--decrypt-key", "./rsa.jwk"]).code, 1);
    }
}

/// Many tokens of the same claims differ in their random ids, and are one a line.
#[test]
fn count_mints_many() {
    let folder = folder();
    let tokens = mint(folder.path(), &["--count", "3", "--jti"]);
    let mut ids: Vec<&str> = tokens.lines().map(|token| token.split('.').nth(1).unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{tokens}");
    let none = run(folder.path(), &["mint", "--key", "./sign.jwk", "--count", "0"], "");
    assert_eq!(none.code, 2, "{none:?}");
}
