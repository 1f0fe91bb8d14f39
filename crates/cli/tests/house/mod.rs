//! The one helper that knows how to run the command.
#![allow(dead_code, unreachable_pub, reason = "each test file uses the part of the helper that it needs")]

pub mod server;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// What a run of the command left behind.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// What stands on stdout.
    pub stdout: String,
    /// What was said to people.
    pub stderr: String,
}

/// Runs `chancery` with these arguments and this text on stdin, in an environment of nothing but `env`.
pub fn chancery_in(env: &[(&str, &str)], arguments: &[&str], stdin: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chancery"))
        .args(arguments)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that refuses its arguments closes stdin unread; that is no failure of the test.
    let _ = child.stdin.take().expect("stdin is piped").write_all(stdin.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the binary ends");
    let text = |octets| String::from_utf8(octets).expect("the command speaks UTF-8");
    Ran { code: status.code().expect("the command is not killed"), stdout: text(stdout), stderr: text(stderr) }
}

/// Runs `chancery` with these arguments, nothing on stdin and nothing in the environment.
pub fn chancery(arguments: &[&str]) -> Ran {
    chancery_in(&[], arguments, "")
}

/// Runs a program with a pseudo-terminal as stdin, stdout and stderr; gives its exit code and what it showed.
pub fn on_a_terminal(program: &[&str]) -> (i32, String) {
    const PTY: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let output = Command::new("python3").args(["-c", PTY]).args(program).output().expect("Python 3 is installed");
    let shown = String::from_utf8(output.stdout).expect("a terminal shows text");
    (output.status.code().expect("Python is not killed"), shown)
}
