//! `chancery keys` without a store, as a person sees it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use house::{Ran, chancery, chancery_in, on_a_terminal};
use serde_json::Value;

const CHANCERY: &str = env!("CARGO_BIN_EXE_chancery");
const PASSPHRASE: (&str, &str) = ("PASSPHRASE", "correct horse");

/// Runs `chancery keys` in a folder of its own.
fn keys(folder: &Path, arguments: &[&str]) -> Ran {
    let inside: Vec<String> = arguments.iter().map(|it| it.replace("./", &format!("{}/", folder.display()))).collect();
    let inside: Vec<&str> = inside.iter().map(String::as_str).collect();
    chancery_in(&[PASSPHRASE], &[&["keys"], inside.as_slice()].concat(), "")
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let ran = keys(folder, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
    ran.stdout
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// JO-84: `--out` makes a file of mode 0600, and another is never written over without `--force`.
#[test]
fn a_private_key_goes_to_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.jwk");
    let ran = keys(folder.path(), &["generate", "--alg", "ES256", "--out", "./k.jwk"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert_eq!(mode(&path), 0o600);
    let first = fs::read_to_string(&path).unwrap();
    let jwk: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        (jwk["kty"].as_str(), jwk["alg"].as_str(), jwk["use"].as_str()),
        (Some("EC"), Some("ES256"), Some("sig"))
    );
    assert!(ran.stderr.contains(&format!("kid {}", jwk["kid"].as_str().unwrap())), "{}", ran.stderr);

    let refused = keys(folder.path(), &["generate", "--alg", "ES256", "--out", "./k.jwk"]);
    assert_eq!(refused.code, 74, "{refused:?}");
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), first, "not touched");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    done(folder.path(), &["generate", "--alg", "ES256", "--out", "./k.jwk", "--force"]);
    assert_ne!(fs::read_to_string(&path).unwrap(), first);
    assert_eq!(mode(&path), 0o600, "also over a file that everybody could read");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(keys(folder.path(), &["generate", "--alg", "ES256", "--out", "./nowhere/k.jwk"]).code, 74);
}

/// JO-84: on a terminal a private key is shown only with `--show-private`; public ones are shown.
#[test]
fn a_terminal_sees_no_private_key_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["generate", "--alg", "ES256", "--out", "./k.jwk"]);
    let file = folder.path().join("k.jwk");
    let file = file.to_str().unwrap();
    for (arguments, code) in [
        (vec!["keys", "generate", "--alg", "ES256"], 2),
        (vec!["keys", "generate", "--alg", "ES256", "--json"], 2),
        (vec!["keys", "convert", file], 2),
        (vec!["keys", "generate", "--alg", "ES256", "--show-private"], 0),
        (vec!["keys", "public", file], 0),
    ] {
        let (ended, shown) = on_a_terminal(&[&[CHANCERY], arguments.as_slice()].concat());
        assert_eq!(ended, code, "{arguments:?}: {shown}");
        assert_eq!(shown.contains("\"d\":"), arguments.contains(&"--show-private"), "{arguments:?}: {shown}");
        assert_eq!(shown.contains("--show-private"), code == 2, "{arguments:?}: {shown}");
    }
}

/// JO-85: each form of each kind of key is converted, and stays the same key; `public`, `thumbprint` and `check` read
/// each of them.
#[test]
fn every_form_is_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let pem = |form| vec!["--format", "pem", "--form", form];
    let der = |form| vec!["--format", "der", "--form", form];
    let ec = [pem("pkcs8"), der("pkcs8"), pem("sec1"), der("sec1"), vec!["--format", "jwks"]];
    let rsa = [pem("pkcs8"), der("pkcs8"), pem("pkcs1"), der("pkcs1"), vec!["--format", "jwk"]];
    let okp = [pem("pkcs8"), der("pkcs8"), vec!["--format", "jwks"]];
    for (alg, forms, kind) in [
        (["--alg", "ES256"].as_slice(), ec.as_slice(), "EC P-256"),
        (&["--alg", "ES512"], &ec, "EC P-521"),
        (&["--alg", "RS256", "--bits", "2048"], &rsa, "RSA 2048 bits"),
        (&["--alg", "EdDSA"], &okp, "OKP Ed25519"),
        (&["--alg", "ECDH-ES", "--crv", "X25519"], &okp, "OKP X25519"),
        (&["--alg", "ML-DSA-44", "--allow", "allow_ml_dsa"], &okp, "AKP ML-DSA-44"),
    ] {
        done(at, &[&["generate", "--out", "./k.jwk", "--force"], alg].concat());
        let thumbprint = done(at, &["thumbprint", "./k.jwk"]);
        assert_eq!(thumbprint.trim().len(), 43, "{thumbprint}");
        let public = done(at, &["public", "./k.jwk"]);
        assert!(!public.contains("\"d\":") && !public.contains("\"priv\":"), "{public}");
        for form in forms {
            done(at, &[&["convert", "./k.jwk", "--out", "./k.other", "--force"], form.as_slice()].concat());
            assert_eq!(mode(&at.join("k.other")), 0o600);
            assert_eq!(done(at, &["thumbprint", "./k.other"]), thumbprint, "{alg:?} {form:?}");
            let check = done(at, &["check", "./k.other"]);
            assert!(check.contains(&format!("private key, {kind}")) && check.contains(thumbprint.trim()), "{check}");
            done(at, &["convert", "./k.other", "--out", "./k.back", "--force"]);
            assert_eq!(done(at, &["thumbprint", "./k.back"]), thumbprint, "{alg:?} {form:?} and back");
        }
        for form in [vec!["--format", "pem"], vec!["--format", "der"], vec!["--format", "jwks"]] {
            done(at, &[&["public", "./k.jwk", "--out", "./k.pub", "--force"], form.as_slice()].concat());
            assert_eq!(mode(&at.join("k.pub")), 0o644);
            assert_eq!(done(at, &["thumbprint", "./k.pub"]), thumbprint, "{alg:?} public {form:?}");
            assert!(done(at, &["check", "./k.pub"]).contains(&format!("public key, {kind}")));
        }
    }
}

/// JO-85: encrypted PKCS#8 is written and read with its passphrase, and refused without it or with another.
#[test]
fn a_passphrase_closes_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for format in ["pem", "der"] {
        let closed = ["--format", format, "--new-passphrase", "env:PASSPHRASE", "--out", "./k.closed", "--force"];
        done(at, &[&["generate", "--alg", "EdDSA"], closed.as_slice()].concat());
        let without = keys(at, &["check", "./k.closed"]);
        assert_eq!(without.code, 65, "{without:?}");
        assert!(without.stderr.contains("k.closed") && without.stderr.contains("--passphrase"), "{}", without.stderr);
        let opened = done(at, &["check", "./k.closed", "--passphrase", "env:PASSPHRASE"]);
        assert!(opened.contains("OKP Ed25519"), "{opened}");
        fs::write(at.join("wrong"), "battery staple\n").unwrap();
        let wrong = keys(at, &["check", "./k.closed", "--passphrase", "./wrong"]);
        assert_eq!((wrong.code, wrong.stdout.as_str()), (65, ""), "{wrong:?}");
    }
    let jwk = keys(at, &["generate", "--alg", "EdDSA", "--new-passphrase", "env:PASSPHRASE"]);
    assert_eq!(jwk.code, 2, "a JWK cannot be encrypted like this: {jwk:?}");
}

/// JO-85: a bad key is exit 65, and the message says in which file, where, and what.
#[test]
fn a_bad_key_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let good = done(at, &["generate", "--alg", "ES256"]);
    for (octets, told) in [
        (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(), vec!["key member `x`", "1 octets"]),
        ("{\"kty\":\"EC\",\n \"kty\":1}".to_owned(), vec!["line 2, column 2"]),
        (good.replace("P-256", "P-999"), vec!["crv"]),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(), vec!["DER"]),
        ("nothing of a key".to_owned(), vec!["DER", "--secret"]),
        (format!(r#"{{"keys":[{},{{"kty":"XYZ"}}]}}"#, good.trim()), vec!["key 1 of the set", "kty"]),
    ] {
        fs::write(at.join("bad"), &octets).unwrap();
        for verb in ["check", "convert", "public", "thumbprint"] {
            let ran = keys(at, &[verb, "./bad"]);
            assert_eq!(ran.code, 65, "{verb} {octets}: {ran:?}");
            assert!(ran.stderr.contains("bad"), "{verb} {octets}: {}", ran.stderr);
            for word in &told {
                assert!(ran.stderr.contains(word), "{verb} {octets}: {word} in {}", ran.stderr);
            }
        }
    }
    assert_eq!(keys(at, &["check", "./nowhere"]).code, 66);
}

#[test]
fn of_a_set_one_key_is_meant_or_all_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let [a, b] = ["a", "b"].map(|kid| done(at, &["generate", "--alg", "ES256", "--kid", kid]).trim().to_owned());
    fs::write(at.join("set"), format!(r#"{{"keys":[{a},{b}]}}"#)).unwrap();
    assert_eq!(done(at, &["convert", "./set", "--kid", "b"]).trim(), b);
    assert_eq!(keys(at, &["convert", "./set"]).code, 2, "several keys, and a format for one");
    assert_eq!(keys(at, &["convert", "./set", "--kid", "c"]).code, 65);
    let public: Value = serde_json::from_str(&done(at, &["public", "./set", "--format", "jwks"])).unwrap();
    assert_eq!(public["keys"].as_array().unwrap().len(), 2);
    assert!(public["keys"][0].get("d").is_none());
    assert_eq!(done(at, &["check", "./set"]).matches("private key, EC P-256").count(), 2);
}

/// A secret is a key too: how it is written is said, never guessed; it has no public half and no thumbprint.
#[test]
fn a_secret_is_read_as_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (text, form) in
        [("secret", "as-is"), ("736563726574", "hex"), ("c2VjcmV0", "base64"), ("c2VjcmV0", "base64url")]
    {
        fs::write(at.join("s"), format!("{text}\n")).unwrap();
        let jwk = done(at, &["convert", "./s", "--secret", form]);
        assert_eq!(jwk.trim(), r#"{"kty":"oct","k":"c2VjcmV0"}"#, "{form}");
    }
    assert_eq!(keys(at, &["check", "./s", "--secret", "hex"]).code, 65);
    done(at, &["generate", "--alg", "HS256", "--out", "./h.jwk"]);
    assert!(done(at, &["check", "./h.jwk"]).contains("oct 256 bits"));
    for arguments in [["public", "./h.jwk"], ["thumbprint", "./h.jwk"]] {
        assert_eq!(keys(at, &arguments).code, 65, "{arguments:?}");
    }
    assert_eq!(keys(at, &["convert", "./h.jwk", "--format", "pem"]).code, 65);
    assert_eq!(keys(at, &["generate", "--alg", "HS256", "--format", "pem"]).code, 2);
}

#[test]
fn generate_refuses_what_makes_no_key() {
    for (arguments, told) in [
        (vec!["--alg", "rs256"], "RS256"),
        (vec!["--alg", "Ed448"], "not supported"),
        (vec!["--alg", "ML-DSA-44"], "allow_ml_dsa"),
        (vec!["--alg", "PBES2-HS256+A128KW", "--allow", "allow_pbes2"], "password"),
        (vec!["--alg", "ES256", "--format", "jwk", "--form", "sec1"], "--form"),
    ] {
        let ran = chancery(&[&["keys", "generate"], arguments.as_slice()].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(told), "{arguments:?}: {}", ran.stderr);
    }
}

/// JO-26 (part): every algorithm's key is made, carries its name, and signs or is read again.
#[test]
fn a_key_of_every_algorithm_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for (alg, kind) in [
        ("HS512", "oct 512 bits"),
        ("ES256K", "EC secp256k1"),
        ("Ed25519", "OKP Ed25519"),
        ("A192KW", "oct 192 bits"),
        ("dir", "oct 256 bits"),
        ("ECDH-ES+A128KW", "EC P-256"),
        ("ML-DSA-87", "AKP ML-DSA-87"),
    ] {
        let allow = ["--allow", "allow_es256k", "--allow", "allow_ml_dsa", "--out", "./k", "--force"];
        done(folder.path(), &[&["generate", "--alg", alg], allow.as_slice()].concat());
        let told = done(folder.path(), &["check", "./k"]);
        assert!(told.contains(kind) && told.contains(&format!("alg         {alg}")), "{told}");
        let fits = told.lines().find(|line| line.contains("fits")).unwrap();
        assert_eq!(fits.trim(), format!("fits        {alg}"));
    }
}
