//! A process of the soak: the parent's end, and what runs in the child.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use server::accept::Shutdown;
use server::log::{Form, Level, Log};
use server::rings::{Rings, SetKind};
use server::rotator;

use crate::world::{Memory, World, mint};

const WORLD: &str = "SOAK_OF";
/// Set for a process of the next release.
const NEXT: &str = "SOAK_NEXT";
/// A process that does not answer for so long is passed over.
const ANSWER: Duration = Duration::from_millis(400);
/// A process has all of its memory by then.
const GROWN: Duration = Duration::from_secs(20);

/// A process, asked over its standard input.
pub(crate) struct Replica {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
    asked: u64,
    begun: Instant,
    first_kib: Option<u64>,
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Replica {
    pub(crate) fn start(world: &str) -> Self {
        Self::started(Command::new(std::env::current_exe().unwrap()).env(WORLD, world))
    }

    /// One of the next release.
    pub(crate) fn start_next(world: &str) -> Self {
        Self::started(Command::new(std::env::current_exe().unwrap()).env(WORLD, world).env(NEXT, ""))
    }

    fn started(command: &mut Command) -> Self {
        let mut child = command
            .args(["--exact", "child_that_serves_until_it_is_killed", "--nocapture", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, answers) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let stdin = child.stdin.take().unwrap();
        Self { child, stdin, answers, asked: 0, begun: Instant::now(), first_kib: None }
    }

    /// A token, if it gives one.
    pub(crate) fn mint(&mut self) -> Option<String> {
        if self.first_kib.is_none() && self.begun.elapsed() > GROWN {
            self.first_kib = self.memory_kib();
        }
        self.ask("mint")
    }

    /// Its key set and the seconds for which it may be kept, if it shows one.
    pub(crate) fn set(&mut self) -> Option<(u64, String)> {
        let answer = self.ask("set")?;
        let (secs, set) = answer.split_once(' ')?;
        Some((secs.parse().ok()?, set.to_owned()))
    }

    pub(crate) fn signal(&self, which: &str) {
        Command::new("kill").args([which, &self.child.id().to_string()]).status().unwrap();
    }

    /// Its memory once it had run for a while, and now.
    pub(crate) fn growth(&mut self) -> Option<(u64, u64)> {
        Some((self.first_kib?, self.memory_kib()?))
    }

    fn memory_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    fn ask(&mut self, what: &str) -> Option<String> {
        self.asked += 1;
        writeln!(self.stdin, "{} {what}", self.asked).ok()?;
        let (end, number) = (Instant::now() + ANSWER, format!("answer {} ", self.asked));
        loop {
            let line = self.answers.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
            // The test harness writes lines of its own, and a late answer is nobody's.
            if let Some((_, answer)) = line.split_once(&number) {
                return (!answer.starts_with("refused")).then(|| answer.to_owned());
            }
        }
    }
}

/// What the child does: keeps its rings going, and answers.
pub(crate) fn serve() {
    let Ok(text) = std::env::var(WORLD) else {
        return;
    };
    let world = World::of_text(&text);
    let rings = loop {
        let opened = if std::env::var_os(NEXT).is_some() { world.try_next_release() } else { world.try_replica() };
        match opened {
            Ok(rings) => break rings,
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    };
    let (log, _guard) = Log::start(Level::Error, Form::Json, Memory::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.spawn(rotator::run(Arc::clone(&rings), log, Shutdown::default()));
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let (number, what) = line.split_once(' ').unwrap();
        let answer = if what == "mint" { token(&rings) } else { shown(&rings) };
        let said = format!("answer {number} {answer}\n");
        std::io::stdout().write_all(said.as_bytes()).unwrap();
    }
}

fn token(rings: &Rings) -> String {
    mint(rings, "public/r", 10).map_or_else(|refusal| format!("refused {}", refusal.code()), |token| token.token)
}

fn shown(rings: &Rings) -> String {
    match rings.served("public", SetKind::Runtime) {
        Ok(Some(served)) => {
            let secs = served.max_age.map_or(0, |age| age.as_us() / 1_000_000);
            format!("{secs} {}", String::from_utf8_lossy(&served.set.body))
        }
        Ok(None) => "refused no_ring".to_owned(),
        Err(refusal) => format!("refused {}", refusal.code()),
    }
}
