//! `mint` and `verify` with the key rings of a store.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::server::Server;
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
/// name, by tenant and name, and by the name of the algorithm alone, and the same ring verifies; in its store, and the
/// same while a server has that open.
#[test]
fn a_ring_signs_and_verifies() {
    let data = store();
    signs_and_verifies(&data);
    let _server = Server::start(data.path(), &[]);
    signs_and_verifies(&data);
}

fn signs_and_verifies(data: &tempfile::TempDir) {
    for arguments in [
        ["mint", "--key", "ring:es256", "--sub", "alice"].as_slice(),
        &["mint", "--key", "ring:public/es256", "--sub", "alice"],
        &["mint", "--alg", "ES256", "--sub", "alice"],
    ] {
        let minted = on(data, arguments);
        assert_eq!(minted.code, 0, "{arguments:?}: {minted:?}");
        assert!(minted.stderr.contains("kid ") && minted.stderr.contains("in 1 h"), "{}", minted.stderr);
        let verified = on(data, &["verify", minted.stdout.trim(), "--key", "ring:es256"]);
        assert_eq!(verified.code, 0, "{verified:?}");
        assert!(verified.stdout.contains(r#""sub":"alice""#), "{}", verified.stdout);
        let other = on(data, &["verify", minted.stdout.trim(), "--key", "ring:eddsa"]);
        assert_eq!((other.code, other.stdout.as_str()), (1, ""), "another ring: {other:?}");
    }
    let unknown = on(data, &["mint", "--key", "ring:nobody"]);
    assert_eq!(unknown.code, 66, "{unknown:?}");
    assert!(unknown.stderr.contains("public/es256"), "{}", unknown.stderr);
    assert_eq!(on(data, &["mint", "--key", "ring:es256", "--alg", "RS256"]).code, 2);
    assert_eq!(on(data, &["mint", "--key", "ring:es256", "--kid", "mine"]).code, 2);
    assert_eq!(on(data, &["mint", "--key", "ring:es256", "--now", "1700000000"]).code, 2, "the store has a clock");
    assert_eq!(on(data, &["mint", "--key", "hunter2"]).code, 2, "a literal secret");
}

/// The claims, header and digits of a token are the same whoever signs.
#[test]
fn a_server_signs_what_the_flags_say() {
    let data = store();
    let big = "big=123456789012345678901234567890";
    let flags = ["--iss", "i", "--aud", "a", "--aud", "b", "--iat", "1700000000", "--exp", "+10m", "--jti=j"];
    let more =
        ["--claim", "t=\u{e4}\"/", "--claim-json", big, "--claim-json", "n=null", "--header", "x=y", "--typ", "at+jwt"];
    let arguments = [&["mint", "--key", "ring:es256"], flags.as_slice(), &more].concat();
    let parts = |ran: Ran| -> Vec<String> {
        assert_eq!(ran.code, 0, "{ran:?}");
        let decoded = ran.stdout.trim().split('.').take(2).map(|part| jose::base64url::decode(part).unwrap());
        decoded.map(|octets| String::from_utf8(octets).unwrap()).collect()
    };
    let exp = |claims: &str| claims.split_once(r#""exp":"#).unwrap().1[..10].to_owned();
    let stored = parts(on(&data, &arguments));
    let _server = Server::start(data.path(), &[]);
    let served = parts(on(&data, &arguments));
    assert_eq!(served[0], stored[0]);
    assert_eq!(served[1].replace(&exp(&served[1]), ""), stored[1].replace(&exp(&stored[1]), ""));
    assert!(served[1].contains("123456789012345678901234567890") && served[1].contains(r#""aud":["a","b"]"#));
    let folder = data.path().join("data");
    let batch = ["mint", "--key", "ring:es256", "--batch", "-", "--data", folder.to_str().unwrap()];
    let minted = chancery_in(&[], &batch, "{\"sub\":\"a\"}\nbad\n{\"sub\":\"b\"}\n");
    assert_eq!(minted.code, 1, "{minted:?}");
    let lines: Vec<usize> = minted.stdout.lines().map(|line| line.split('.').count()).collect();
    assert_eq!(lines, [3, 1, 3], "{minted:?}");
}

/// JO-80: a ring that cuts `exp` says so on stderr, and one that refuses a token without `exp` is exit 1 with its code;
/// in its store, and the same while a server has that open.
#[test]
fn a_ring_says_how_long_a_token_lives() {
    let data = store();
    says_how_long(&data);
    let _server = Server::start(data.path(), &[]);
    says_how_long(&data);
}

fn says_how_long(data: &tempfile::TempDir) {
    let cut = on(data, &["mint", "--key", "ring:es256", "--ttl", "3650d", "--quiet"]);
    assert_eq!(cut.code, 0, "{cut:?}");
    assert!(cut.stderr.contains("cut `exp` to 20"), "{}", cut.stderr);
    let refused = on(data, &["mint", "--key", "ring:es256", "--no-exp", "--json"]);
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
