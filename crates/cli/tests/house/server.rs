//! The one helper that knows how to run `chancery serve` and speak to it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest wait for a server to answer, generous for a machine that compiles beside us.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; dropping it kills it.
pub struct Server {
    child: Child,
    /// Where the live flows answer.
    pub address: String,
    log: PathBuf,
}

/// What a request brought back.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Server {
    /// Starts a server with these further arguments and waits until it answers.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut server = Self::spawn(folder, arguments);
        server.wait_until_it_answers();
        server
    }

    /// Waits until it answers; it must not end before.
    pub fn wait_until_it_answers(&mut self) {
        let started = Instant::now();
        while TcpStream::connect(&self.address).is_err() {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            assert!(started.elapsed() < PATIENCE, "no answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts a server that is expected to end by itself, and gives its status and what it said.
    pub fn refused(folder: &Path, arguments: &[&str]) -> (ExitStatus, String) {
        let mut server = Self::spawn(folder, arguments);
        let status = server.child.wait().expect("the child can be waited for");
        (status, server.log())
    }

    /// Starts a server and waits for nothing.
    pub fn spawn(folder: &Path, arguments: &[&str]) -> Self {
        Self::spawn_in(&[], folder, arguments)
    }

    /// The same with these variables, and no others.
    pub fn spawn_in(env: &[(&str, &str)], folder: &Path, arguments: &[&str]) -> Self {
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
            free.local_addr().expect("it has an address").port()
        };
        let address = format!("127.0.0.1:{port}");
        let log = folder.join(format!("serve-{port}.log"));
        let stderr = std::fs::File::create(&log).expect("the log can be made");
        let child = Command::new(env!("CARGO_BIN_EXE_chancery"))
            .args(["--data", folder.join("data").to_str().expect("the path is text"), "serve"])
            .args(["--runtime", &address, "--core", "off", "--studio", "off"])
            .args(arguments)
            .env_clear()
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts");
        Self { child, address, log }
    }

    /// What the server has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends SIGKILL and waits for the end.
    pub fn kill(&mut self) {
        self.child.kill().expect("the child runs");
        self.child.wait().expect("the child can be waited for");
    }

    /// Sends SIGTERM and waits for the end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(rustix::process::Signal::TERM);
        self.wait()
    }

    /// Sends a signal; one that has ended by itself takes none.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, signal);
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the child can be waited for")
    }

    /// Sends a GET and reads the whole reply.
    pub fn get(&self, path: &str) -> Reply {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    /// Sends a HEAD and reads the whole reply.
    pub fn head(&self, path: &str) -> Reply {
        self.send(&format!("HEAD {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    /// Sends a GET with a bearer token.
    pub fn get_as(&self, path: &str, token: &str) -> Reply {
        let host = &self.address;
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Sends a request with these headers and this body.
    pub fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (host, length) = (&self.address, body.len());
        self.send(&format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    fn send(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.write_all(request.as_bytes()).expect("the request is taken");
        let mut text = Vec::new();
        stream.read_to_end(&mut text).expect("the reply ends");
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A child that was killed already cannot be killed again; both calls then do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
