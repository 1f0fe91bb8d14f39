//! The programs that are measured: how each is started on what it serves, and ended.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::answer::{Connection, Question};
use crate::load;
use crate::process;

/// The seed flow, below the root of the workspace.
pub(crate) const FLOW: &str = "examples/node-red/generate-jwt.json";
const CONFIG_NODE: &str = "766dcb94.6ebc04";
const SECRET: &str = "the secret of the bench";
const START_MAX: Duration = Duration::from_secs(30);
const STOP_MAX: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(1);

/// Which program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    NodeRed,
    Chancery,
}

/// A running program. Dropping it ends it.
pub(crate) struct Peer {
    child: Child,
    question: Question,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first token.
    pub(crate) first_answer: Duration,
    _folder: TempDir,
}

impl Peer {
    /// Starts the program on the seed flow and waits for its first token.
    pub(crate) fn start(root: &Path, kind: Kind) -> Result<Self, String> {
        Self::start_on(root, kind, &root.join(FLOW))
    }

    /// Starts the program on this document, which holds the seed flow, and waits for its first token.
    pub(crate) fn start_on(root: &Path, kind: Kind, document: &Path) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let address = free_address().map_err(|error| format!("no free port: {error}"))?;
        let mut command = match kind {
            Kind::NodeRed => node_red(root, folder.path(), document, address)?,
            Kind::Chancery => chancery(root, document, address)?,
        };
        Self::spawn(&format!("{kind:?}"), &mut command, address, Question::SEED, folder)
    }

    /// Starts this command, which shall answer the question at this address, and waits for its first token.
    pub(crate) fn spawn(
        name: &str,
        command: &mut Command,
        address: SocketAddr,
        question: Question,
        folder: TempDir,
    ) -> Result<Self, String> {
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        let mut peer = Self { child, question, address, first_answer: Duration::ZERO, _folder: folder };
        peer.first_answer = peer.wait_for_token(name, started)?;
        Ok(peer)
    }

    fn wait_for_token(&mut self, name: &str, started: Instant) -> Result<Duration, String> {
        while started.elapsed() < START_MAX {
            if self.body().is_ok() {
                return Ok(started.elapsed());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{name} ended with {status}"));
            }
            std::thread::sleep(POLL);
        }
        Err(format!("{name} gave no token within {START_MAX:?}"))
    }

    /// The body of one answer.
    pub(crate) fn body(&self) -> std::io::Result<Vec<u8>> {
        self.body_of(self.question)
    }

    /// The body of one answer to this question.
    pub(crate) fn body_of(&self, question: Question) -> std::io::Result<Vec<u8>> {
        Connection::open(self.address, question)?.ask().map(<[u8]>::to_vec)
    }

    /// Asks over this many connections for this long.
    pub(crate) fn load(&self, connections: usize, length: Duration) -> Result<load::Turn, String> {
        self.load_of(self.question, connections, length)
    }

    /// The same with this question.
    pub(crate) fn load_of(
        &self,
        question: Question,
        connections: usize,
        length: Duration,
    ) -> Result<load::Turn, String> {
        load::run(self.address, question, connections, length)
    }

    /// What is asked of it.
    pub(crate) fn question(&self) -> Question {
        self.question
    }

    /// Processor time so far, its children's included.
    pub(crate) fn cpu_time(&self) -> Duration {
        process::cpu_time(self.child.id())
    }

    /// Memory now, its children's included.
    pub(crate) fn memory_kib(&self) -> u64 {
        process::memory_kib(self.child.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let asked = Instant::now();
        while asked.elapsed() < STOP_MAX && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn chancery(root: &Path, document: &Path, address: SocketAddr) -> Result<Command, String> {
    let binary = present(root.join("target/release/chancery"), "`cargo build --release --package cli`")?;
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .arg(document)
        .arg("--ephemeral")
        .args(["--runtime", &address.to_string()])
        .args(["--secret", &format!("{CONFIG_NODE}.tokensecret=env:BENCH_SECRET")])
        .env("BENCH_SECRET", SECRET);
    Ok(command)
}

/// Node-RED as it comes, without its editor page and its news.
fn node_red(root: &Path, folder: &Path, flow: &Path, address: SocketAddr) -> Result<Command, String> {
    let packages = root.join("conformance/node-red/node_modules");
    let node = present(packages.join(".bin/node"), "`npm ci` in conformance/node-red")?;
    let settings = format!(
        r#"module.exports = {{uiHost: "{}", uiPort: {}, flowFile: "flows.json", credentialSecret: false, disableEditor: true,
        telemetry: {{enabled: false, updateNotification: false}}, logging: {{console: {{level: "warn"}}}}}};"#,
        address.ip(),
        address.port(),
    );
    let credentials = format!(r#"{{"{CONFIG_NODE}": {{"tokensecret": "{SECRET}"}}}}"#);
    fs::copy(flow, folder.join("flows.json")).map_err(|error| format!("{}: {error}", flow.display()))?;
    for (name, text) in [("settings.js", settings), ("flows_cred.json", credentials)] {
        fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    let mut command = Command::new(node);
    command
        .arg(packages.join("node-red/red.js"))
        .arg("--userDir")
        .arg(folder)
        .arg("--settings")
        .arg(folder.join("settings.js"));
    Ok(command)
}

pub(crate) fn present(path: PathBuf, made_by: &str) -> Result<PathBuf, String> {
    if path.exists() { Ok(path) } else { Err(format!("{} is not there; run {made_by}", path.display())) }
}

pub(crate) fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
