//! The table of ratios of the core API, and whether the marks are reached.

use std::fmt::Write;

use super::{Beside, CONNECTIONS, Findings, Plan, QUIET_CONNECTIONS};

/// How much of the speed of bare signatures a token shall have.
const RS256_SHARE_MIN: f64 = 0.9;
const ES256_SHARE_MIN: f64 = 0.6;
/// How much of a bare handler's speed the key set shall have, unless it is served so often in a second.
const JWKS_SHARE_MIN: f64 = 0.7;
const JWKS_PER_SECOND_ENOUGH: f64 = 50_000.0;
/// How many times as long the slowest fast signatures may take beside a neighbour, unless they stay below so much.
const QUIET_TIMES_MAX: f64 = 2.0;
const QUIET_MS_ENOUGH: f64 = 5.0;
/// How often in a second the server may turn to its database, whatever it issues.
const STORE_CALLS_PER_SECOND_MAX: f64 = 10.0;

/// The text of `bench/CORE.md`.
pub(super) fn write(findings: &Findings, plan: &Plan, machine: &str) -> String {
    let mut text = format!(
        "# The core API beside bare signatures and a bare handler\n\n\
         Written by `cargo xtask bench core`; do not edit. A server with a store on the disk and a record of every token; RSA of 2048\n\
         bits; asked by one client thread over {CONNECTIONS} connections that stay open, by turns with the bare thing: {} pairs of turns of {} s; medians.\n\
         Bare signatures: the same backend in a loop on every core at once. The bare handler: hyper, the same body. Per second of\n\
         processor time only what the server itself used counts; per second of time its client has its share of the same cores.\n\
         Machine: {machine}.\n\n\
         | | server | bare | ratio | mark |\n|---|---|---|---|---|\n",
        plan.pairs,
        plan.turn.as_secs_f64(),
    );
    let lines = [
        ("RS256 tokens", "signatures", &findings.rs256, RS256_SHARE_MIN),
        ("ES256 tokens", "signatures", &findings.es256, ES256_SHARE_MIN),
        ("key sets", "answers", &findings.jwks, JWKS_SHARE_MIN),
    ];
    for (what, bare, both, mark) in lines {
        let reached = if is_reached(both, mark, what) { "reached" } else { "missed" };
        let Beside { server, bare: of_bare } = both;
        for (unit, server, of_bare, mark) in [
            ("second of processor time", server.per_cpu_second, of_bare.per_cpu_second, format!("{mark}: {reached}")),
            ("second", server.per_second, of_bare.per_second, String::new()),
        ] {
            let ratio = server / of_bare;
            writeln!(text, "| {what} per {unit} | {server:.0} | {of_bare:.0} {bare} | {ratio:.2} | {mark} |")
                .expect("text grows");
        }
    }
    writeln!(text, "\n{}\n\n{}\n\n{}", possible(findings), quiet(findings), store(findings)).expect("text grows");
    text
}

/// What a token would cost at least: one answer of the bare handler, and one bare signature.
fn possible(findings: &Findings) -> String {
    let of_bare = |both: &Beside| {
        let (signature, handler) = (1.0 / both.bare.per_cpu_second, 1.0 / findings.jwks.bare.per_cpu_second);
        signature / (signature + handler)
    };
    let (rs256, es256) = (of_bare(&findings.rs256), of_bare(&findings.es256));
    format!(
        "The bare handler with one bare signature for each answer would have {rs256:.2} of the bare signatures for RS256 and\n\
         {es256:.2} for ES256; the server makes {:.2} and {:.2} of the tokens that it would make.",
        findings.rs256.share() / rs256,
        findings.es256.share() / es256,
    )
}

/// An error that names the marks that are missed.
pub(super) fn missed(findings: &Findings) -> Result<(), String> {
    let missed: Vec<&str> = [
        (is_reached(&findings.rs256, RS256_SHARE_MIN, "RS256 tokens"), "RS256 tokens"),
        (is_reached(&findings.es256, ES256_SHARE_MIN, "ES256 tokens"), "ES256 tokens"),
        (is_reached(&findings.jwks, JWKS_SHARE_MIN, "key sets"), "key sets"),
        (is_quiet(findings), "ES256 beside RS256"),
        (is_in_memory(findings), "calls of the database"),
    ]
    .into_iter()
    .filter_map(|(is_reached, what)| (!is_reached).then_some(what))
    .collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join("; "))) }
}

fn is_reached(both: &Beside, share_min: f64, what: &str) -> bool {
    let is_enough = what == "key sets" && both.server.per_second >= JWKS_PER_SECOND_ENOUGH;
    is_enough || both.share() >= share_min
}

fn is_quiet(findings: &Findings) -> bool {
    let quiet = &findings.quiet;
    quiet.beside_ms <= QUIET_MS_ENOUGH.max(quiet.alone_ms * QUIET_TIMES_MAX)
}

fn is_in_memory(findings: &Findings) -> bool {
    findings.store_calls as f64 <= findings.secs * STORE_CALLS_PER_SECOND_MAX
}

fn quiet(findings: &Findings) -> String {
    let reached = if is_quiet(findings) { "reached" } else { "missed" };
    format!(
        "ES256 over {QUIET_CONNECTIONS} connections, p99: {:.2} ms alone, {:.2} ms while a neighbour asks for RS256 over {CONNECTIONS}\n\
         (mark: at most {QUIET_TIMES_MAX} times, or {QUIET_MS_ENOUGH} ms: {reached}).",
        findings.quiet.alone_ms, findings.quiet.beside_ms,
    )
}

fn store(findings: &Findings) -> String {
    let reached = if is_in_memory(findings) { "reached" } else { "missed" };
    format!(
        "While {} tokens were issued in {:.0} s the server turned to its database {} times, which are its own looks for news\n\
         (mark: at most {STORE_CALLS_PER_SECOND_MAX} a second, however many tokens: {reached}).",
        findings.tokens, findings.secs, findings.store_calls,
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Quiet, Rate};
    use super::*;

    fn findings(rs256: f64, es256: f64, jwks: f64, beside_ms: f64, store_calls: u64) -> Findings {
        let rate = |per_cpu_second| Rate { per_cpu_second, per_second: 1_000.0 };
        let both = |share: f64| Beside { server: rate(share * 2_000.0), bare: rate(2_000.0) };
        let quiet = Quiet { alone_ms: 3.0, beside_ms };
        Findings {
            rs256: both(rs256),
            es256: both(es256),
            jwks: both(jwks),
            quiet,
            store_calls,
            tokens: 10_000,
            secs: 10.0,
        }
    }

    #[test]
    fn each_mark_is_held_by_itself() {
        assert_eq!(missed(&findings(0.9, 0.6, 0.7, 6.0, 100)), Ok(()));
        for (findings, name) in [
            (findings(0.89, 0.6, 0.7, 6.0, 100), "RS256 tokens"),
            (findings(0.9, 0.59, 0.7, 6.0, 100), "ES256 tokens"),
            (findings(0.9, 0.6, 0.69, 6.0, 100), "key sets"),
            (findings(0.9, 0.6, 0.7, 6.1, 100), "ES256 beside RS256"),
            (findings(0.9, 0.6, 0.7, 6.0, 101), "calls of the database"),
        ] {
            assert_eq!(missed(&findings), Err(format!("missed: {name}")));
        }
    }

    #[test]
    fn a_key_set_that_is_served_fast_enough_needs_no_ratio() {
        let mut fast = findings(0.9, 0.6, 0.1, 6.0, 100);
        fast.jwks.server.per_second = JWKS_PER_SECOND_ENOUGH;
        assert_eq!(missed(&fast), Ok(()));
    }

    #[test]
    fn the_table_has_ratios_and_marks() {
        let text = write(&findings(0.95, 0.5, 0.8, 7.0, 20), &Plan::FULL, "a machine");
        for line in [
            "| RS256 tokens per second of processor time | 1900 | 2000 signatures | 0.95 | 0.9: reached |",
            "| ES256 tokens per second of processor time | 1000 | 2000 signatures | 0.50 | 0.6: missed |",
            "| key sets per second | 1000 | 1000 answers | 1.00 |  |",
            "would have 0.50 of the bare signatures for RS256 and\n0.50 for ES256; the server makes 1.90 and 1.00 of",
            "ES256 over 4 connections, p99: 3.00 ms alone, 7.00 ms while a neighbour asks for RS256 over 32",
            "While 10000 tokens were issued in 10 s the server turned to its database 20 times",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
