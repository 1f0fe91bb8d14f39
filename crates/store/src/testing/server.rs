//! A PostgreSQL server for tests: on a free port of this machine, in a folder of its own, gone with the process that started it.
#![allow(dead_code, unreachable_pub, reason = "each test program that has this file needs a part of it")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How long a server may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);
/// What runs it: once our end of the pipe is closed, however this process ended, the server is ended and its folder with it.
const KEEPER: &str = r#""$@" & pid=$!; read _; kill -QUIT $pid 2>/dev/null; wait $pid; [ -e "${PGDATA%/data}/keep" ] || rm -rf "${PGDATA%/data}""#;

/// A server.
pub struct Server {
    folder: PathBuf,
    port: u16,
    keeper: Mutex<Option<Child>>,
}

/// The server that the tests of this process share, each with a database of its own.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(Server::start)
}

impl Server {
    /// A new, empty one.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("chancery-pg.").tempdir().unwrap().keep();
        if is_root() {
            succeed(Command::new("chown").arg("postgres").arg(&folder));
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { folder, port, keeper: Mutex::new(None) };
        let data = server.data();
        succeed(
            server
                .program("initdb")
                .args(["--no-sync", "--no-locale", "-E", "UTF8", "-A", "trust", "-U", "test", "-D"])
                .arg(data),
        );
        server.go_on();
        server
    }

    /// The URL of a new, empty database.
    pub fn fresh_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://test@127.0.0.1:{}/{database}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a statement prints, run by the server's own client.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let output = self.psql(database, statement);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Ends it at once, as a crash would.
    pub fn crash(&self) {
        fs::write(self.folder.join("keep"), "").unwrap();
        let mut keeper = self.keeper.lock().unwrap().take().unwrap();
        drop(keeper.stdin.take());
        keeper.wait().unwrap();
    }

    /// Starts it again where it was.
    pub fn go_on(&self) {
        let _ = fs::remove_file(self.folder.join("keep"));
        let mut server = Command::new("sh");
        server.args(["-c", KEEPER, "keeper"]);
        let program = self.program("postgres");
        server.arg(program.get_program()).args(program.get_args());
        server.args(["-D".as_ref(), self.data().as_os_str(), "-k".as_ref(), self.folder.as_os_str()]);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        server.args(["-p", &self.port.to_string()]).env("PGDATA", self.data());
        server.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(fs::File::create(self.folder.join("log")).unwrap());
        *self.keeper.lock().unwrap() = Some(server.spawn().unwrap());
        let begun = Instant::now();
        while !self.psql("postgres", "SELECT 1").status.success() {
            assert!(begun.elapsed() < START, "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Has it speak TLS with this certificate and key, too.
    pub fn serve_tls(&self, certificate: &Path, key: &Path) {
        let words = ["-m", "600", if is_root() { "-opostgres" } else { "-C" }];
        for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
            succeed(Command::new("install").args(words).arg(from).arg(self.data().join(to)));
        }
        self.sql("postgres", "ALTER SYSTEM SET ssl = on");
        self.sql("postgres", "SELECT pg_reload_conf()");
        // The server reads its settings a little later.
        let begun = Instant::now();
        while self.sql("postgres", "SHOW ssl") != "on" {
            assert!(begun.elapsed() < START, "the server takes no certificate");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The numbers of all its processes.
    pub fn processes(&self) -> Vec<u32> {
        let note = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let first: u32 = note.lines().next().unwrap().parse().unwrap();
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap();
        let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
        std::iter::once(first).chain(children).collect()
    }

    fn psql(&self, database: &str, statement: &str) -> Output {
        let port = self.port.to_string();
        let words =
            ["-h", "127.0.0.1", "-p", &port, "-U", "test", "-d", database, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c"];
        Command::new(bin("psql")).args(words).arg(statement).output().unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of the server, which refuses to run as root.
    fn program(&self, name: &str) -> Command {
        if !is_root() {
            return Command::new(bin(name));
        }
        let mut as_postgres = Command::new("setpriv");
        as_postgres.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(bin(name));
        as_postgres.current_dir(&self.folder);
        as_postgres
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.lock().unwrap().take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What is acknowledged survives the server's process, though not the machine's.
const SETTINGS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "full_page_writes=off",
    "max_connections=100",
    "shared_buffers=16MB",
    "log_min_messages=warning",
];

/// A program of PostgreSQL: the newest that the system has installed, or the one on the path.
fn bin(name: &str) -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = installed.map(|version| version.path().join("bin").join(name)).collect();
    versions.retain(|program| program.exists());
    versions.sort();
    versions.pop().unwrap_or_else(|| Path::new(name).to_owned())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; `apt-get install postgresql`"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
