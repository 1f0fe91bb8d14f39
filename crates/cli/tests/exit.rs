//! Every exit code of the command line, each reached by something that can happen.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::fs;
use std::process::Command;

use house::{chancery, chancery_in};

const CHANCERY: &str = env!("CARGO_BIN_EXE_chancery");
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.AAAA";
const SECRET: (&str, &str) = ("SECRET", "0123456789abcdef0123456789abcdef");

/// Runs a line of shell with the command as `$0`.
fn shell(line: &str) -> (i32, String) {
    let output = Command::new("sh").args(["-c", line, CHANCERY]).env(SECRET.0, SECRET.1).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// JO-89: 0 done, 1 refused, 2 usage, 65 unreadable, 66 missing; 130 stands among the tests of batches.
#[test]
fn what_was_typed_and_read() {
    let verify = |token| chancery_in(&[SECRET], &["verify", token, "--key", "env:SECRET", "--alg", "HS256"], "").code;
    assert_eq!(chancery(&["inspect", TOKEN]).code, 0);
    assert_eq!(verify(TOKEN), 1);
    assert_eq!(chancery(&["mint", "--no-such-flag"]).code, 2);
    assert_eq!(chancery_in(&[("SECRET", "short")], &["mint", "--key", "env:SECRET", "--alg", "HS256"], "").code, 65);
    assert_eq!(chancery(&["mint", "--key", "./nowhere.jwk"]).code, 66);
}

/// JO-89: 69, the store cannot be had; 78, the configuration is wrong.
#[test]
fn what_stands_in_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    assert_eq!(chancery(&["init", "--data", data]).code, 0);
    fs::write(folder.path().join("data/chancery.db"), "no database".repeat(1_000)).unwrap();
    let away = chancery(&["secret", "list", "--data", data]);
    assert_eq!(away.code, 69, "{away:?}");
    fs::write(folder.path().join("data/chancery.toml"), "x = [").unwrap();
    let wrong = chancery(&["explain", "settings", "--data", data]);
    assert_eq!(wrong.code, 78, "{wrong:?}");
}

/// JO-89: 70, our fault: here no descriptor is left to listen to signals with. 74, the output cannot be written.
#[test]
fn what_the_system_refuses() {
    let (ours, told) = shell("exec < /dev/null; ulimit -n 4; exec \"$0\" mint --key env:SECRET --alg HS256 --batch -");
    assert_eq!(ours, 70, "{told}");
    for line in ["inspect A.B.C", "mint --key env:SECRET --alg HS256", "keys generate --alg ES256", "completions bash"]
    {
        let line = line.replace("A.B.C", TOKEN);
        let (full, told) = shell(&format!("exec \"$0\" {line} > /dev/full"));
        assert_eq!(full, 74, "{line}: {told}");
        assert!(told.contains("cannot write to stdout"), "{line}: {told}");
    }
    let (batch, told) = shell("echo {} | \"$0\" mint --key env:SECRET --alg HS256 --batch - > /dev/full");
    assert_eq!(batch, 74, "{told}");
}

/// JO-89: a reader that goes away is no error for any command.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("code");
    for line in ["completions bash", "--help", "keys generate --alg ES256"] {
        let (_, told) = shell(&format!("{{ \"$0\" {line}; echo $? > {}; }} | true", seen.display()));
        assert_eq!(told.replace("kid", "").lines().filter(|line| line.contains("rror")).count(), 0, "{line}: {told}");
        assert_eq!(fs::read_to_string(&seen).unwrap().trim(), "0", "{line}");
    }
}
