//! SE-60: a confined process that tries to get out. Not a libtest: the program starts itself once for each attempt.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a test with its own main")]

use std::fs::File;
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};

/// Ways out, each of which must end in `SIGSYS`.
const ATTEMPTS: [(&str, fn()); 9] = [
    ("open a file", || drop(File::open("/etc/passwd"))),
    ("create a file", || drop(File::create("/tmp/escaped"))),
    ("list a folder", || drop(std::fs::read_dir("/"))),
    ("connect", || drop(TcpStream::connect("127.0.0.1:9"))),
    ("listen", || drop(TcpListener::bind("127.0.0.1:0"))),
    ("send a datagram", || drop(UdpSocket::bind("127.0.0.1:0"))),
    ("start a process", || drop(Command::new("/bin/true").spawn())),
    ("signal its parent", || {
        let parent = rustix::process::getppid().unwrap();
        let _ = rustix::process::kill_process(parent, rustix::process::Signal::WINCH);
    }),
    ("start a thread", || drop(std::thread::Builder::new().spawn(|| {}))),
];

/// A script that has got past every guard of the engine still cannot open a file, a socket or a process.
fn main() -> ExitCode {
    if let Some(name) = std::env::args().nth(1) {
        return attempt(&name);
    }
    let own = std::env::current_exe().unwrap();
    let run = |name: &str| {
        Command::new(&own).arg(name).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).output().unwrap()
    };
    for (name, _) in ATTEMPTS {
        let status = run(name).status;
        assert_eq!(status.signal(), Some(libc::SIGSYS), "{name}: {status}");
        println!("{name}: killed");
    }
    let quiet = run("nothing");
    assert!(quiet.status.success(), "a confined process that does nothing wrong goes on: {}", quiet.status);
    assert_eq!(String::from_utf8(quiet.stdout).unwrap(), "confined");
    ExitCode::SUCCESS
}

fn attempt(name: &str) -> ExitCode {
    assert_eq!(std::env::vars_os().count(), 0);
    sandbox::worker::confine().unwrap();
    assert_eq!(rustix::fs::stat("/proc/self/exe").err(), Some(rustix::io::Errno::NOENT), "nothing can be seen");
    if let Some((_, attempt)) = ATTEMPTS.iter().find(|(known, _)| *known == name) {
        attempt();
        return ExitCode::SUCCESS;
    }
    std::io::stdout().write_all(b"confined").unwrap();
    ExitCode::SUCCESS
}
