//! The core API beside bare signatures and a bare HTTP handler, and fast signatures beside a neighbour's slow ones.

mod bare;
mod report;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::answer::{Connection, Question};
use crate::machine;
use crate::measure::{Turn, median, turn_of};
use crate::peer::{Peer, free_address, present};

pub(crate) use bare::serve as serve_bare;

/// Open connections while load runs.
const CONNECTIONS: usize = 32;
/// Those of whoever asks for fast signatures beside a neighbour.
const QUIET_CONNECTIONS: usize = 4;
const API_KEY: &str = "the-key-of-the-bench-alone";

/// How long everything takes.
pub(crate) struct Plan {
    pairs: usize,
    turn: Duration,
    warm_up: Duration,
    /// Whether the outcome is held to its marks and written to `bench/CORE.md`.
    is_kept: bool,
}

impl Plan {
    pub(crate) const FULL: Self =
        Self { pairs: 3, turn: Duration::from_secs(4), warm_up: Duration::from_secs(1), is_kept: true };
    pub(crate) const QUICK: Self =
        Self { pairs: 1, turn: Duration::from_millis(300), warm_up: Duration::from_millis(100), is_kept: false };
}

/// What one thing came to, by two clocks; medians over the pairs.
#[derive(Clone, Copy)]
struct Rate {
    /// In a second of its own processor time.
    per_cpu_second: f64,
    /// In a second of ours. For a server the client takes its share of the same cores.
    per_second: f64,
}

/// A server, and what it is held against.
struct Beside {
    server: Rate,
    bare: Rate,
}

/// The 99th percentile of fast signatures, in milliseconds.
struct Quiet {
    alone_ms: f64,
    beside_ms: f64,
}

struct Findings {
    rs256: Beside,
    es256: Beside,
    jwks: Beside,
    quiet: Quiet,
    /// How often the server turned to its database in all turns, by tokens that it issued and by seconds.
    store_calls: u64,
    tokens: u64,
    secs: f64,
}

/// Measures, reports, and says whether a mark is missed. The short form shows that everything answers.
///
/// # Errors
/// What does not start or does not answer, and marks that are missed.
pub(crate) fn run(root: &Path, plan: &Plan) -> Result<(), String> {
    let machine = machine::describe();
    let findings = measured(&binary(root)?, plan)?;
    let text = report::write(&findings, plan, &machine);
    println!("{text}");
    if !plan.is_kept {
        println!("1 passed, 0 failed");
        return Ok(());
    }
    std::fs::write(root.join("bench/CORE.md"), &text).map_err(|error| format!("bench/CORE.md: {error}"))?;
    report::missed(&findings)
}

/// The release build, or the program that the test run names.
fn binary(root: &Path) -> Result<PathBuf, String> {
    let named = std::env::var_os("CHANCERY").map(PathBuf::from);
    named.map_or_else(|| present(root.join("target/release/chancery"), "`cargo build --release --package cli`"), Ok)
}

fn measured(binary: &Path, plan: &Plan) -> Result<Findings, String> {
    let core = Core::start(binary)?;
    let body = core.peer.body_of(Question::JWKS).map_err(|error| format!("no key set: {error}"))?;
    let hyper = start_bare(&body)?;
    for question in [Question::RS256, Question::ES256, Question::JWKS] {
        core.peer.load_of(question, CONNECTIONS, plan.warm_up)?;
    }
    hyper.load_of(Question::JWKS, CONNECTIONS, plan.warm_up)?;
    let (begun, calls) = (std::time::Instant::now(), core.store_calls()?);
    let mut tokens = 0;
    let rs256 = beside(plan, || core.tokens(Question::RS256, plan, &mut tokens), || bare::rs256(plan.turn))?;
    let es256 = beside(plan, || core.tokens(Question::ES256, plan, &mut tokens), || bare::es256(plan.turn))?;
    let (store_calls, secs) = (core.store_calls()? - calls, begun.elapsed().as_secs_f64());
    let jwks = beside(
        plan,
        || turn_of(&core.peer, Question::JWKS, CONNECTIONS, plan.turn).map(rate),
        || turn_of(&hyper, Question::JWKS, CONNECTIONS, plan.turn).map(rate),
    )?;
    let quiet = core.quiet(plan)?;
    Ok(Findings { rs256, es256, jwks, quiet, store_calls, tokens, secs })
}

/// Turns of both, one after the other.
fn beside(
    plan: &Plan,
    mut server: impl FnMut() -> Result<Rate, String>,
    mut bare: impl FnMut() -> Result<Rate, String>,
) -> Result<Beside, String> {
    let mut turns = (Vec::new(), Vec::new());
    for _ in 0..plan.pairs {
        turns.0.push(server()?);
        turns.1.push(bare()?);
    }
    Ok(Beside { server: Rate::median(&turns.0), bare: Rate::median(&turns.1) })
}

impl Beside {
    /// How much of the bare thing the server has, by processor time.
    fn share(&self) -> f64 {
        self.server.per_cpu_second / self.bare.per_cpu_second
    }
}

impl Rate {
    fn median(of: &[Rate]) -> Rate {
        Rate {
            per_cpu_second: median(of.iter().map(|rate| rate.per_cpu_second).collect()),
            per_second: median(of.iter().map(|rate| rate.per_second).collect()),
        }
    }
}

fn rate(turn: Turn) -> Rate {
    Rate { per_cpu_second: turn.per_cpu_second, per_second: turn.per_second }
}

/// A server with a store of its own on the disk.
struct Core {
    peer: Peer,
    health: std::net::SocketAddr,
}

impl Core {
    fn start(binary: &Path) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let free = || free_address().map_err(|error| format!("no free port: {error}"));
        let (address, health) = (free()?, free()?);
        let mut command = Command::new(binary);
        command
            .args(["serve", "--init", "--runtime", "off", "--studio", "off"])
            .args(["--core", &address.to_string(), "--health", &health.to_string()])
            .arg("--data")
            .arg(folder.path().join("data"))
            .env("CHANCERY_CORE__API_KEYS", API_KEY)
            .env("CHANCERY_CORE__ALGORITHMS", "ES256");
        let peer = Peer::spawn("Chancery", &mut command, address, Question::RS256, folder)?;
        Ok(Self { peer, health })
    }

    fn tokens(&self, question: Question, plan: &Plan, tokens: &mut u64) -> Result<Rate, String> {
        let turn = turn_of(&self.peer, question, CONNECTIONS, plan.turn)?;
        *tokens += turn.answered as u64;
        Ok(rate(turn))
    }

    /// Fast signatures alone, and beside a neighbour who asks for slow ones as fast as he can.
    fn quiet(&self, plan: &Plan) -> Result<Quiet, String> {
        let p99 = || turn_of(&self.peer, Question::ES256, QUIET_CONNECTIONS, plan.turn).map(|turn| turn.p99_ms);
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..plan.pairs {
            alone.push(p99()?);
            let of_both = std::thread::scope(|scope| {
                let neighbour = scope.spawn(|| self.peer.load_of(Question::RS256, CONNECTIONS, plan.turn));
                let of_ours = p99();
                neighbour.join().map_err(|_| "a client thread died".to_owned())??;
                of_ours
            });
            beside.push(of_both?);
        }
        Ok(Quiet { alone_ms: median(alone), beside_ms: median(beside) })
    }

    /// How often the server turned to its database since it began.
    fn store_calls(&self) -> Result<u64, String> {
        let asked =
            Connection::open(self.health, Question::METRICS).and_then(|mut open| open.ask().map(<[u8]>::to_vec));
        let text = asked.map_err(|error| format!("no metrics: {error}"))?;
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().find_map(|line| line.strip_prefix("chancery_store_calls_total "));
        line.and_then(|count| count.parse().ok()).ok_or_else(|| "the metrics tell no store calls".to_owned())
    }
}

/// This program again, as a server that does nothing but answer.
fn start_bare(body: &[u8]) -> Result<Peer, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let address = free_address().map_err(|error| format!("no free port: {error}"))?;
    let own = std::env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
    let body = String::from_utf8_lossy(body).into_owned();
    let mut command = Command::new(own);
    command.args(["bare-handler", &address.to_string(), &body]);
    Peer::spawn("the bare handler", &mut command, address, Question::JWKS, folder)
}

impl Question {
    const RS256: Self = Self {
        request: b"POST /recipe/jwt HTTP/1.1\r\nHost: localhost\r\ncdi-version: 5.4\r\nContent-Type: application/json; charset=utf-8\r\n\
            api-key: the-key-of-the-bench-alone\r\nrid: jwt\r\nContent-Length: 156\r\n\r\n\
            {\"payload\":{\"sub\":\"u1\",\"source\":\"microservice\"},\"validity\":3153600000,\"useStaticSigningKey\":true,\
            \"algorithm\":\"RS256\",\"jwksDomain\":\"https://api.example.com\"}",
        body_start: br#"{"status":"OK","jwt":"eyJ"#,
        body_bytes: None,
    };
    const ES256: Self = Self {
        request: b"POST /recipe/jwt HTTP/1.1\r\nHost: localhost\r\ncdi-version: 5.4\r\nContent-Type: application/json; charset=utf-8\r\n\
            api-key: the-key-of-the-bench-alone\r\nrid: jwt\r\nContent-Length: 156\r\n\r\n\
            {\"payload\":{\"sub\":\"u1\",\"source\":\"microservice\"},\"validity\":3153600000,\"useStaticSigningKey\":true,\
            \"algorithm\":\"ES256\",\"jwksDomain\":\"https://api.example.com\"}",
        ..Self::RS256
    };
    const JWKS: Self = Self {
        request: b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
        body_start: br#"{"keys":[{"#,
        body_bytes: None,
    };
    const METRICS: Self =
        Self { request: b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", body_start: b"# HELP", body_bytes: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_say_how_long_their_bodies_are() {
        for question in [Question::RS256, Question::ES256] {
            let text = std::str::from_utf8(question.request).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{}", body.len());
            assert!(head.contains(&format!("\r\napi-key: {API_KEY}\r\n")));
        }
    }
}
