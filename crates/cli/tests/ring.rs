//! `mint` and `verify` with the key rings of a store.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{Ran, chancery_in};

const SECRET: (&str, &str) = ("SECRET", "0123456789abcdef0123456789abcdef");

/// Runs the command on a data folder.
fn on(data: &tempfile::TempDir, arguments: &[&str]) -> Ran {
    let folder = data.path().join("data");
    chancery_in(&[SECRET], &[arguments, &["--data", folder.to_str().unwrap()]].concat(), "")
}

fn store() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(on(&data, &["init"]).code, 0);
    data
}

/// JO-79: stdin, environment, file and inherited descriptor stand among the tests of `mint`; here a ring signs, by its
/// name, by tenant and name, and by the name of the algorithm alone, and the same ring verifies.
#[test]
fn a_ring_signs_and_verifies() {
    let data = store();
    for arguments in [
        ["mint", "--key", "ring:es256", "--sub", "alice"].as_slice(),
        &["mint", "--key", "ring:public/es256", "--sub", "alice"],
        &["mint", "--alg", "ES256", "--sub", "alice"],
    ] {
        let minted = on(&data, arguments);
        assert_eq!(minted.code, 0, "{arguments:?}: {minted:?}");
        assert!(minted.stderr.contains("kid ") && minted.stderr.contains("in 1 h"), "{}", minted.stderr);
        let verified = on(&data, &["verify", minted.stdout.trim(), "--key", "ring:es256"]);
        assert_eq!(verified.code, 0, "{verified:?}");
        assert!(verified.stdout.contains(r#""sub":"alice""#), "{}", verified.stdout);
        let other = on(&data, &["verify", minted.stdout.trim(), "--key", "ring:eddsa"]);
        assert_eq!((other.code, other.stdout.as_str()), (1, ""), "another ring: {other:?}");
    }
    let unknown = on(&data, &["mint", "--key", "ring:nobody"]);
    assert_eq!(unknown.code, 66, "{unknown:?}");
    assert!(unknown.stderr.contains("public/es256"), "{}", unknown.stderr);
    assert_eq!(on(&data, &["mint", "--key", "ring:es256", "--alg", "RS256"]).code, 2);
    assert_eq!(on(&data, &["mint", "--key", "hunter2"]).code, 2, "a literal secret");
}

/// JO-80: a ring that cuts `exp` says so on stderr, and one that refuses a token without `exp` is exit 1 with its code.
#[test]
fn a_ring_says_how_long_a_token_lives() {
    let data = store();
    let cut = on(&data, &["mint", "--key", "ring:es256", "--ttl", "3650d", "--quiet"]);
    assert_eq!(cut.code, 0, "{cut:?}");
    assert!(cut.stderr.contains("cut `exp` to 20"), "{}", cut.stderr);
    let refused = on(&data, &["mint", "--key", "ring:es256", "--no-exp", "--json"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{refused:?}");
    assert!(refused.stderr.contains(r#""code":"exp_required""#), "{}", refused.stderr);
}

/// JO-79: a key behind an inherited descriptor.
#[test]
fn a_descriptor_holds_a_key() {
    let line =
        "exec \"$0\" mint --key fd:3 --alg HS256 --now 1700000000 3<<END\n0123456789abcdef0123456789abcdef\nEND\n";
    let by_descriptor =
        std::process::Command::new("sh").args(["-c", line, env!("CARGO_BIN_EXE_chancery")]).output().unwrap();
    let by_variable =
        chancery_in(&[SECRET], &["mint", "--key", "env:SECRET", "--alg", "HS256", "--now", "1700000000"], "");
    assert_eq!(String::from_utf8(by_descriptor.stdout).unwrap(), by_variable.stdout, "{by_variable:?}");
}
