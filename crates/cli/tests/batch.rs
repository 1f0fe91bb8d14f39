//! `chancery mint --batch`, as a script and a person see it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use house::{Ran, chancery_in, on_a_terminal};
use serde_json::Value;

const SECRET: (&str, &str) = ("SECRET", "0123456789abcdef0123456789abcdef");
const NOW: &str = "1700000000";
const LINES: usize = 100_000;
/// How much more memory the last lines may need than the first ones, in KiB.
const GROWTH_KIB_MAX: u64 = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

fn batch(lines: &str, more: &[&str]) -> Ran {
    let base = ["mint", "--key", "env:SECRET", "--alg", "HS256", "--now", NOW, "--batch", "-"];
    chancery_in(&[SECRET], &[&base, more].concat(), lines)
}

fn start(more: &[&str]) -> Child {
    let base = ["mint", "--key", "env:SECRET", "--alg", "HS256", "--batch", "-"];
    Command::new(env!("CARGO_BIN_EXE_chancery"))
        .args(base)
        .args(more)
        .env_clear()
        .env(SECRET.0, SECRET.1)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn claims(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap_or_else(|| panic!("no token: {token:?}"));
    String::from_utf8(jose::base64url::decode(payload).unwrap()).unwrap()
}

/// JO-86: 100 000 lines give their tokens in order, and the memory stays as it was after the first tenth.
#[test]
fn a_hundred_thousand_lines_in_order_and_flat() {
    let mut child = start(&["--quiet"]);
    let mut stdin = child.stdin.take().unwrap();
    let (go, first_tenth_is_read) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        for number in 0..LINES {
            writeln!(stdin, r#"{{"n":{number}}}"#).unwrap();
        }
        // The pipe stays open until the memory was looked at.
        first_tenth_is_read.recv().unwrap();
    });
    let mut first = 0;
    let mut tokens = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 0..LINES {
        let token = tokens.next().unwrap().unwrap();
        assert!(claims(&token).contains(&format!(r#""n":{number}}}"#)), "line {number}: {}", claims(&token));
        if number == LINES / 10 {
            first = peak_kib(&child);
        }
    }
    let last = peak_kib(&child);
    go.send(()).unwrap();
    writer.join().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(last <= first + GROWTH_KIB_MAX, "{first} KiB after a tenth, {last} KiB at the end");
}

/// The most memory that the process had so far.
fn peak_kib(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// JO-86: a bad line gives an empty line, its number and its reason; the others go on; exit 1.
#[test]
fn a_bad_line_fails_alone() {
    let lines = "{\"sub\":\"a\"}\n[1]\n\n{\"sub\":\"a\",\"sub\":\"b\"}\n{\"exp\":\"soon\"}\n{\"sub\":\"z\"}";
    let ran = batch(lines, &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let out: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(out.iter().map(|line| !line.is_empty()).collect::<Vec<_>>(), [true, false, false, false, false, true]);
    for (number, reason) in [(2, "object"), (3, "ends"), (4, "member"), (5, "exp")] {
        let told = ran.stderr.lines().find(|line| line.contains(&format!("line {number}: "))).unwrap();
        assert!(told.contains(reason), "{told}");
    }
    assert!(ran.stderr.contains("6 lines, 2 tokens, 4 refused"), "{}", ran.stderr);
    let fast = batch(lines, &["--fail-fast"]);
    assert_eq!((fast.code, fast.stdout.lines().count()), (1, 2), "{fast:?}");
    assert!(!fast.stderr.contains("line 3:"), "{}", fast.stderr);
}

/// JO-86: flags fill what a line lacks, and what it holds wins; the order of claims is that of single minting.
#[test]
fn flags_fill_what_a_line_lacks() {
    let lines = "{\"role\":\"x\",\"sub\":\"line\",\"iat\":1600000000}\n{\"exp\":1800000000,\"aud\":[\"a\",\"b\"]}\n{}";
    let ran = batch(lines, &["--sub", "flag", "--iss", "me", "--claim", "role=y", "--ttl", "10s", "--jobs", "1"]);
    let tokens: Vec<String> = ran.stdout.lines().map(claims).collect();
    assert_eq!(
        tokens,
        [
            r#"{"iss":"me","sub":"line","exp":1600000010,"iat":1600000000,"role":"x"}"#,
            r#"{"iss":"me","sub":"flag","aud":["a","b"],"exp":1800000000,"iat":1700000000,"role":"y"}"#,
            r#"{"iss":"me","sub":"flag","exp":1700000010,"iat":1700000000,"role":"y"}"#,
        ],
        "{ran:?}"
    );
    let single = chancery_in(
        &[SECRET],
        &["mint", "--key", "env:SECRET", "--alg", "HS256", "--now", NOW, "--sub", "flag", "--ttl", "10s"],
        "",
    );
    assert_eq!(batch("{}", &["--sub", "flag", "--ttl", "10s"]).stdout, single.stdout, "the same token");
}

/// JO-87: progress is told on a terminal, and elsewhere by `--progress always` alone; never on stdout.
#[test]
fn progress_is_for_people() {
    let mut child = start(&["--progress", "always"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{}\n{}\n").unwrap();
    let told =
        BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).find(|line| line.ends_with("/s"));
    assert!(told.unwrap().starts_with("2 lines, "));
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);

    let mut unasked = start(&[]);
    let mut stdin = unasked.stdin.take().unwrap();
    stdin.write_all(b"{}\n").unwrap();
    // Longer than a batch must last before anything is told of it.
    std::thread::sleep(Duration::from_millis(1_000));
    drop(stdin);
    let told = String::from_utf8(unasked.wait_with_output().unwrap().stderr).unwrap();
    assert!(!told.contains("/s"), "{told}");

    let folder = tempfile::tempdir().unwrap();
    let (lines, tokens) = (folder.path().join("lines"), folder.path().join("tokens"));
    fs::write(&lines, "{}\n".repeat(60_000)).unwrap();
    let command = format!(
        "SECRET={} {} mint --key env:SECRET --alg HS256 --batch {} > {}",
        SECRET.1,
        env!("CARGO_BIN_EXE_chancery"),
        lines.display(),
        tokens.display()
    );
    let (code, shown) = on_a_terminal(&["sh", "-c", &command]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("/s, ") && shown.contains(" s left"), "{shown}");
    let tokens = fs::read_to_string(tokens).unwrap();
    assert!(tokens.lines().count() == 60_000 && !tokens.contains("left"));
}

/// JO-87: a signal ends a batch with exit 130, and what stands on stdout are whole lines.
#[test]
fn an_interrupted_batch_leaves_whole_lines() {
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let mut child = start(&[]);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&b"{\"sub\":\"alice\"}\n".repeat(50)).unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(rest.is_empty() || rest.ends_with('\n'), "{rest:?}");
        for token in [first.as_str(), &rest].concat().lines() {
            assert_eq!(claims(token).matches("alice").count(), 1);
        }
        drop(stdin);
    }
}

/// JO-89: a closed pipe ends a batch quietly, however much would still come.
#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = start(&[]);
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || while stdin.write_all(&b"{}\n".repeat(1_000)).is_ok() {});
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < PATIENCE, "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

/// JO-88 (part): every line is told as an object with its number.
#[test]
fn a_batch_in_json() {
    let ran = batch("{\"sub\":\"a\"}\nnothing", &["--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:?}");
    let told: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&told[0]["line"], &told[0]["alg"], &told[0]["exp"]),
        (&1.into(), &"HS256".into(), &1_700_003_600.into())
    );
    assert_eq!((&told[1]["line"], &told[1]["code"]), (&2.into(), &"claims_invalid".into()));
    assert_eq!(told.len(), 2);
}
