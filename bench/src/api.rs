//! An API definition beside a service of Express and npm `jose` that does the same, and beside bare RSA signatures.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use jose::KeyForm;
use jose::jwk::Jwk;
use rustix::time::{ClockId, clock_gettime};

use crate::answer::Question;
use crate::machine;
use crate::measure::{median, turn};
use crate::peer::{Peer, free_address, present};

/// Open connections while load runs.
const CONNECTIONS: usize = 32;
/// How often HS256 shall do the service's requests in the same processor time.
const HS256_TIMES_MIN: f64 = 3.0;
/// How much of the speed of bare signatures RS256 shall have.
const RS256_SHARE_MIN: f64 = 0.9;
/// A JWK for this bench alone.
const SECRET: &str = r#"{"kty":"oct","kid":"bench","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}"#;
/// The shortest key that signs: whatever a request costs beside its signature weighs most here.
const RSA_BITS: &str = "2048";
/// Octets that a signature covers: about what a token's header and claims have.
const SIGNED_BYTES: usize = 260;

/// How long everything takes.
pub(crate) struct Plan {
    pairs: usize,
    turn: Duration,
    warm_up: Duration,
    /// Whether the outcome is held to its marks and written to `bench/API-CONNECT.md`.
    is_kept: bool,
}

impl Plan {
    pub(crate) const FULL: Self =
        Self { pairs: 3, turn: Duration::from_secs(4), warm_up: Duration::from_secs(2), is_kept: true };
    pub(crate) const QUICK: Self =
        Self { pairs: 1, turn: Duration::from_millis(300), warm_up: Duration::from_millis(100), is_kept: false };
}

/// Requests per second of processor time.
struct Findings {
    hs256: Both,
    rs256: Both,
    /// Bare signatures with the key of `rs256`, made between its turns.
    raw: f64,
}

struct Both {
    service: f64,
    chancery: f64,
}

/// Measures, reports, and says whether a mark is missed. The short form shows that both do the same work.
///
/// # Errors
/// What does not start or does not answer, answers that differ, and marks that are missed.
pub(crate) fn run(root: &Path, plan: &Plan) -> Result<(), String> {
    let machine = machine::describe();
    let chancery = chancery(root)?;
    let rsa = generated(&chancery)?;
    let pair = key_pair(&rsa)?;
    let mut raw = Vec::new();
    let hs256 = measured(root, &chancery, ("HS256", SECRET), plan, || Ok(()))?;
    let rs256 = measured(root, &chancery, ("RS256", &rsa), plan, || {
        raw.push(bare_signatures(&pair, plan.turn)?);
        Ok(())
    })?;
    let findings = Findings { hs256, rs256, raw: median(raw) };
    let report = report(&findings, plan, &machine);
    println!("{report}");
    if !plan.is_kept {
        println!("2 passed, 0 failed");
        return Ok(());
    }
    std::fs::write(root.join("bench/API-CONNECT.md"), &report)
        .map_err(|error| format!("bench/API-CONNECT.md: {error}"))?;
    missed(&findings)
}

/// The release build, or the program that the test run names.
fn chancery(root: &Path) -> Result<PathBuf, String> {
    let named = std::env::var_os("CHANCERY").map(PathBuf::from);
    named.map_or_else(|| present(root.join("target/release/chancery"), "`cargo build --release --package cli`"), Ok)
}

/// A fresh RSA key as a JWK.
fn generated(chancery: &Path) -> Result<String, String> {
    let arguments = ["keys", "generate", "--alg", "RS256", "--bits", RSA_BITS];
    let output = Command::new(chancery).args(arguments).output();
    let output = output.map_err(|error| format!("{} does not start: {error}", chancery.display()))?;
    let text = String::from_utf8(output.stdout).map_err(|_| "the key is no text".to_owned())?;
    if output.status.success() { Ok(text.trim().to_owned()) } else { Err("no key was made".to_owned()) }
}

/// Both by turns, and something of the caller's after each pair.
fn measured(
    root: &Path,
    chancery: &Path,
    key: (&str, &str),
    plan: &Plan,
    mut between: impl FnMut() -> Result<(), String>,
) -> Result<Both, String> {
    let (service, chancery) = (start_service(root, key)?, start_chancery(root, chancery, key)?);
    alike(&service, &chancery)?;
    for peer in [&service, &chancery] {
        peer.load(CONNECTIONS, plan.warm_up)?;
    }
    let mut turns = (Vec::new(), Vec::new());
    for _ in 0..plan.pairs {
        turns.0.push(turn(&service, CONNECTIONS, plan.turn)?.per_cpu_second);
        turns.1.push(turn(&chancery, CONNECTIONS, plan.turn)?.per_cpu_second);
        between()?;
    }
    Ok(Both { service: median(turns.0), chancery: median(turns.1) })
}

fn start_service(root: &Path, (algorithm, key): (&str, &str)) -> Result<Peer, String> {
    let place = root.join("bench/api-connect");
    present(place.join("node_modules"), "`npm ci` in bench/api-connect")?;
    let address = free_address().map_err(|error| format!("no free port: {error}"))?;
    let mut command = Command::new("node");
    command.arg(place.join("service.mjs")).args([algorithm, key, &address.port().to_string()]);
    command.env("NODE_ENV", "production");
    Peer::spawn("the service", &mut command, address, Question::API, folder()?)
}

fn start_chancery(root: &Path, binary: &Path, (algorithm, key): (&str, &str)) -> Result<Peer, String> {
    let address = free_address().map_err(|error| format!("no free port: {error}"))?;
    let mut command = Command::new(binary);
    command
        .arg("serve")
        .arg(root.join("bench/api-connect/api.yaml"))
        .args(["--ephemeral", "--core", "off", "--studio", "off", "--runtime", &address.to_string()])
        .args(["--property", &format!("algorithm={algorithm}"), "--property", &format!("signing-jwk={key}")]);
    Peer::spawn("Chancery", &mut command, address, Question::API, folder()?)
}

fn folder() -> Result<tempfile::TempDir, String> {
    tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))
}

/// Both answer with the same header, and with tokens of one length: the same claims under other ids and times.
fn alike(service: &Peer, chancery: &Peer) -> Result<(), String> {
    let body = |peer: &Peer| peer.body().map_err(|error| error.to_string());
    let (service, chancery) = (body(service)?, body(chancery)?);
    let header = |token: &[u8]| token.split(|octet| *octet == b'.').next().map(<[u8]>::to_vec);
    if header(&service) == header(&chancery) && service.len() == chancery.len() {
        return Ok(());
    }
    let text = |token: &[u8]| String::from_utf8_lossy(token).into_owned();
    Err(format!("the answers differ:\n{}\n{}", text(&service), text(&chancery)))
}

/// The same key as the backend itself takes it.
fn key_pair(jwk: &str) -> Result<KeyPair, String> {
    let Ok(Jwk::Private(key)) = Jwk::parse(jwk.as_bytes()) else { return Err("no private key was made".to_owned()) };
    let key = key.to_der(KeyForm::Pkcs8).map_err(|error| error.to_string())?;
    KeyPair::from_pkcs8(&key).map_err(|error| error.to_string())
}

/// How many signatures of this key this thread makes in a second of its processor time.
fn bare_signatures(key: &KeyPair, length: Duration) -> Result<f64, String> {
    let failed = |_| "no RSA signature can be made".to_owned();
    let (random, octets) = (SystemRandom::new(), [b'x'; SIGNED_BYTES]);
    let mut signature = vec![0; key.public_modulus_len()];
    let (begun, mut made) = (own_time(), 0);
    while own_time() - begun < length.as_secs_f64() {
        key.sign(&RSA_PKCS1_SHA256, &random, &octets, &mut signature).map_err(failed)?;
        made += 1;
    }
    Ok(f64::from(made) / (own_time() - begun))
}

fn own_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

impl Findings {
    fn hs256_times(&self) -> f64 {
        self.hs256.chancery / self.hs256.service
    }

    fn rs256_share(&self) -> f64 {
        self.rs256.chancery / self.raw
    }
}

fn report(findings: &Findings, plan: &Plan, machine: &str) -> String {
    let reached = |is: bool| if is { "reached" } else { "missed" };
    let (times, share) = (findings.hs256_times(), findings.rs256_share());
    format!(
        "# An API beside a service of Express\n\n\
         Written by `cargo xtask bench api-connect`; do not edit. One operation with set-variable, gatewayscript and jwt-generate,\n\
         beside a service of Express 5 with npm `jose` 6 that issues the same token: both at once on the loopback interface,\n\
         asked by turns over {CONNECTIONS} connections that stay open, {pairs} pairs of turns of {turn} s; medians. Processor time\n\
         counts a program's children. Bare signatures: the same RSA key of {RSA_BITS} bits in a loop of the same backend, between the turns. Machine: {machine}.\n\n\
         | requests per second of processor time | Express | Chancery | ratio | mark |\n|---|---|---|---|---|\n\
         | HS256 | {:.0} | {:.0} | {times:.1} | at least {HS256_TIMES_MIN} times: {} |\n\
         | RS256 | {:.0} | {:.0} | {:.1} | |\n\n\
         RS256 has {share:.2} of the {:.0} bare signatures per second of processor time; mark {RS256_SHARE_MIN}: {}.\n",
        findings.hs256.service,
        findings.hs256.chancery,
        reached(times >= HS256_TIMES_MIN),
        findings.rs256.service,
        findings.rs256.chancery,
        findings.rs256.chancery / findings.rs256.service,
        findings.raw,
        reached(share >= RS256_SHARE_MIN),
        pairs = plan.pairs,
        turn = plan.turn.as_secs_f64(),
    )
}

/// An error that names the marks that are missed.
fn missed(findings: &Findings) -> Result<(), String> {
    let (times, share) = (findings.hs256_times(), findings.rs256_share());
    let hs256 = (times < HS256_TIMES_MIN).then(|| format!("HS256 {times:.1} of {HS256_TIMES_MIN} times"));
    let rs256 = (share < RS256_SHARE_MIN).then(|| format!("RS256 {share:.2} of {RS256_SHARE_MIN}"));
    let missed: Vec<String> = hs256.into_iter().chain(rs256).collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join("; "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(hs256: f64, rs256: f64) -> Findings {
        let both = |chancery| Both { service: 10_000.0, chancery };
        Findings { hs256: both(hs256), rs256: both(rs256), raw: 2_000.0 }
    }

    #[test]
    fn each_mark_is_held_by_itself() {
        assert_eq!(missed(&findings(30_000.0, 1_800.0)), Ok(()));
        assert_eq!(missed(&findings(29_000.0, 1_800.0)), Err("missed: HS256 2.9 of 3 times".to_owned()));
        assert_eq!(missed(&findings(30_000.0, 1_700.0)), Err("missed: RS256 0.85 of 0.9".to_owned()));
        let text = report(&findings(35_000.0, 1_700.0), &Plan::FULL, "a machine");
        assert!(text.contains("| HS256 | 10000 | 35000 | 3.5 | at least 3 times: reached |"), "{text}");
        assert!(
            text.contains("RS256 has 0.85 of the 2000 bare signatures") && text.contains("mark 0.9: missed"),
            "{text}"
        );
    }

    #[test]
    fn bare_signatures_are_counted() {
        let key = KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        assert!(bare_signatures(&key, Duration::from_millis(5)).is_ok_and(|speed| speed > 1.0));
    }
}
