//! The table of ratios, and whether the marks are reached.

use std::fmt::Write;

use crate::measure::{Both, Findings, Plan};

/// One line of the table.
struct Row {
    what: String,
    node_red: String,
    chancery: String,
    ratio: String,
    /// What is aimed at, and whether it is reached.
    mark: Option<(String, bool)>,
}

/// The text of `bench/RESULTS.md`.
pub(crate) fn write(findings: &Findings, machine: &str, plan: &Plan) -> String {
    let mut text = format!(
        "# Beside a real Node-RED\n\n\
         Written by `cargo xtask bench`; do not edit. The seed flow (`GET /jwt/generate`) on Node-RED 5.0.7 with\n\
         `@cgignite/ignite-auth` 1.0.13 and on Chancery: both at once on the loopback interface, asked by turns with the\n\
         same client over connections that stay open, {} pairs of turns of {} s at each number of connections; medians.\n\
         Processor time and memory (PSS) count a program's children. Machine: {machine}.\n\n\
         | | Node-RED | Chancery | ratio | mark |\n|---|---|---|---|---|\n",
        plan.pairs,
        plan.turn.as_secs_f64(),
    );
    for row in rows(findings) {
        let mark = row.mark.map_or_else(String::new, |(mark, reached)| {
            format!("{mark}: {}", if reached { "reached" } else { "missed" })
        });
        let Row { what, node_red, chancery, ratio, .. } = row;
        writeln!(text, "| {what} | {node_red} | {chancery} | {ratio} | {mark} |").expect("text grows");
    }
    text
}

/// An error that names the marks that are missed.
pub(crate) fn missed(findings: &Findings) -> Result<(), String> {
    let missed: Vec<String> = rows(findings)
        .into_iter()
        .filter_map(|row| row.mark.filter(|(_, reached)| !reached).map(|(mark, _)| format!("{} ({mark})", row.what)))
        .collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join("; "))) }
}

fn rows(findings: &Findings) -> Vec<Row> {
    let mut rows = Vec::new();
    for load in &findings.loaded {
        let at = format!("{} connection{}", load.connections, if load.connections == 1 { "" } else { "s" });
        let requests = load.requests_per_cpu_second;
        let speed = ratio_up(requests);
        rows.push(row(
            &format!("requests per second of processor time, {at}"),
            requests,
            0,
            speed,
            Some(("10 times", speed >= 10.0)),
        ));
        rows.push(row(
            &format!("requests per second, {at}"),
            load.requests_per_second,
            0,
            ratio_up(load.requests_per_second),
            None,
        ));
        rows.push(row(&format!("p99 in ms, {at}"), load.p99_ms, 2, ratio_down(load.p99_ms), None));
    }
    let idle = findings.idle_mib;
    let reached = ratio_down(idle) >= 5.0 && idle.chancery <= 30.0;
    rows.push(row("idle memory in MiB", idle, 1, ratio_down(idle), Some(("a fifth, at most 30 MiB", reached))));
    rows.push(row("memory after load in MiB", findings.after_load_mib, 1, ratio_down(findings.after_load_mib), None));
    let first = findings.first_answer_ms;
    rows.push(row(
        "start to first answer in ms",
        first,
        0,
        ratio_down(first),
        Some(("at most 100 ms", first.chancery <= 100.0)),
    ));
    rows
}

fn row(what: &str, both: Both, digits: usize, ratio: f64, mark: Option<(&str, bool)>) -> Row {
    Row {
        what: what.to_owned(),
        node_red: format!("{:.digits$}", both.node_red),
        chancery: format!("{:.digits$}", both.chancery),
        ratio: format!("{ratio:.1}"),
        mark: mark.map(|(text, reached)| (text.to_owned(), reached)),
    }
}

/// How many times more Chancery has of what is better when greater.
fn ratio_up(both: Both) -> f64 {
    both.chancery / both.node_red
}

/// How many times less Chancery has of what is better when smaller.
fn ratio_down(both: Both) -> f64 {
    both.node_red / both.chancery
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Loaded;

    fn findings(speed: f64, idle_mib: f64, first_answer_ms: f64) -> Findings {
        let both = |node_red, chancery| Both { node_red, chancery };
        Findings {
            loaded: vec![Loaded {
                connections: 1,
                requests_per_cpu_second: both(1000.0, 1000.0 * speed),
                requests_per_second: both(900.0, 9000.0),
                p99_ms: both(2.0, 0.5),
            }],
            idle_mib: both(140.0, idle_mib),
            after_load_mib: both(150.0, 25.0),
            first_answer_ms: both(1200.0, first_answer_ms),
        }
    }

    #[test]
    fn the_table_has_ratios_and_marks() {
        let text = write(&findings(12.5, 20.0, 60.0), "a machine", &Plan::FULL);
        for line in [
            "| requests per second of processor time, 1 connection | 1000 | 12500 | 12.5 | 10 times: reached |",
            "| p99 in ms, 1 connection | 2.00 | 0.50 | 4.0 |  |",
            "| idle memory in MiB | 140.0 | 20.0 | 7.0 | a fifth, at most 30 MiB: reached |",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn each_missed_mark_is_named() {
        assert!(missed(&findings(10.0, 28.0, 100.0)).is_ok());
        for (findings, name) in [
            (findings(9.9, 20.0, 60.0), "processor time"),
            (findings(12.0, 29.0, 60.0), "idle memory"),
            (findings(12.0, 20.0, 101.0), "first answer"),
        ] {
            assert!(missed(&findings).unwrap_err().contains(name));
        }
    }
}
