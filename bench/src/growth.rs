//! Growth: many tabs deployed at once, how long that takes and what an idle flow costs.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::machine;
use crate::measure::{median, millis};
use crate::peer::{FLOW, Kind, Peer};

/// Nodes of each tab, its tab itself not counted.
const NODES_OF_A_TAB: usize = 10;
/// The most that a deploy of all tabs may take.
const DEPLOY_MS_MAX: f64 = 1_000.0;

/// How much is deployed, and how often.
pub(crate) struct Plan {
    tabs: usize,
    starts: usize,
    settle: Duration,
    /// Whether the outcome is held to its mark and written to `bench/GROWTH.md`.
    is_kept: bool,
}

impl Plan {
    pub(crate) const FULL: Self = Self { tabs: 1_000, starts: 5, settle: Duration::from_secs(2), is_kept: true };
    pub(crate) const QUICK: Self = Self { tabs: 20, starts: 1, settle: Duration::from_millis(500), is_kept: false };
}

/// What was found, medians over the starts.
struct Findings {
    deploy_ms: f64,
    kib_of_a_tab: f64,
}

/// Measures, reports, and says whether the mark is missed.
///
/// # Errors
/// What does not start or does not answer, and a mark that is missed.
pub(crate) fn run(root: &Path, plan: &Plan) -> Result<(), String> {
    let machine = machine::describe();
    let findings = measure(root, plan)?;
    let report = report(&findings, plan, &machine);
    println!("{report}");
    if !plan.is_kept {
        return Ok(());
    }
    std::fs::write(root.join("bench/GROWTH.md"), &report).map_err(|error| format!("bench/GROWTH.md: {error}"))?;
    if findings.deploy_ms <= DEPLOY_MS_MAX {
        return Ok(());
    }
    Err(format!("missed: {:.0} ms to deploy, {DEPLOY_MS_MAX} ms at most", findings.deploy_ms))
}

/// Starts on the seed flow alone and on the seed flow behind many tabs, by turns: what differs is due to the tabs.
fn measure(root: &Path, plan: &Plan) -> Result<Findings, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let seed = root.join(FLOW);
    let grown = folder.path().join("grown.json");
    let text = std::fs::read_to_string(&seed).map_err(|error| format!("{}: {error}", seed.display()))?;
    std::fs::write(&grown, document(plan.tabs, &text)).map_err(|error| format!("{}: {error}", grown.display()))?;
    let (mut times, mut memories) = (Vec::new(), Vec::new());
    for _ in 0..plan.starts {
        let alone = start(root, &seed, plan)?;
        let many = start(root, &grown, plan)?;
        times.push(many.0 - alone.0);
        memories.push((many.1 - alone.1) / plan.tabs as f64);
    }
    Ok(Findings { deploy_ms: median(times), kib_of_a_tab: median(memories) })
}

/// Milliseconds to the first token, and KiB when idle.
fn start(root: &Path, document: &Path, plan: &Plan) -> Result<(f64, f64), String> {
    let peer = Peer::start_on(root, Kind::Chancery, document)?;
    std::thread::sleep(plan.settle);
    Ok((millis(peer.first_answer), peer.memory_kib() as f64))
}

/// A flow file with this many tabs before the nodes of `seed`, whose configuration they share. Each has a route, two functions
/// (one that only shapes data, one that needs a script), a change, a switch, a jwt, a template, a response, a catch and a debug.
fn document(tabs: usize, seed: &str) -> String {
    let mut text = "[".to_owned();
    for tab in 0..tabs {
        write!(
            text,
            r#"{{"id":"t{tab}","type":"tab","label":"Tab {tab}"}},
{{"id":"t{tab}a","type":"http in","z":"t{tab}","x":0,"y":0,"url":"/grown/{tab}","method":"get","wires":[["t{tab}b"]]}},
{{"id":"t{tab}b","type":"function","z":"t{tab}","x":0,"y":0,"func":"msg.payload = {{tab: {tab}}};\nreturn msg;","outputs":1,"wires":[["t{tab}c"]]}},
{{"id":"t{tab}c","type":"change","z":"t{tab}","x":0,"y":0,"rules":[{{"t":"set","p":"a","pt":"msg","to":"1","tot":"num"}}],"wires":[["t{tab}d"]]}},
{{"id":"t{tab}d","type":"switch","z":"t{tab}","x":0,"y":0,"property":"a","propertyType":"msg","rules":[{{"t":"eq","v":"1","vt":"num"}},{{"t":"else"}}],"checkall":"true","outputs":2,"wires":[["t{tab}e"],["t{tab}g"]]}},
{{"id":"t{tab}e","type":"function","z":"t{tab}","x":0,"y":0,"func":"let sum = {tab};\nfor (const name of Object.keys(msg.payload)) sum += name.length;\nmsg.payload.sum = sum;\nreturn msg;","outputs":1,"wires":[["t{tab}f"]]}},
{{"id":"t{tab}f","type":"jwt","z":"t{tab}","x":0,"y":0,"jwtconfig":"766dcb94.6ebc04","generatejwt":"true","outputs":1,"wires":[["t{tab}g"]]}},
{{"id":"t{tab}g","type":"template","z":"t{tab}","x":0,"y":0,"field":"payload","template":"Tab {tab} says {{{{payload}}}}","wires":[["t{tab}h"]]}},
{{"id":"t{tab}h","type":"http response","z":"t{tab}","x":0,"y":0,"statusCode":"","headers":{{}},"wires":[]}},
{{"id":"t{tab}i","type":"catch","z":"t{tab}","x":0,"y":0,"scope":null,"uncaught":false,"wires":[["t{tab}j"]]}},
{{"id":"t{tab}j","type":"debug","z":"t{tab}","x":0,"y":0,"active":true,"console":true,"complete":"payload","wires":[]}},
"#
        )
        .expect("text grows");
    }
    text + seed.trim_start().trim_start_matches('[')
}

fn report(findings: &Findings, plan: &Plan, machine: &str) -> String {
    let reached = if findings.deploy_ms <= DEPLOY_MS_MAX { "reached" } else { "missed" };
    format!(
        "# Growth\n\n\
         Written by `cargo xtask bench growth`; do not edit. The seed flow alone and behind {tabs} tabs of {NODES_OF_A_TAB} nodes,\n\
         from the start of the process to the first token, {starts} times each by turns; medians of what the tabs add.\n\
         Memory (PSS) counts the workers. Machine: {machine}.\n\n\
         | | {tabs} tabs, {nodes} nodes | mark |\n|---|---|---|\n\
         | deploy in ms | {deploy:.0} | at most {DEPLOY_MS_MAX} ms: {reached} |\n\
         | memory of an idle tab in KiB | {memory:.1} | |\n",
        tabs = plan.tabs,
        nodes = plan.tabs * NODES_OF_A_TAB,
        starts = plan.starts,
        deploy = findings.deploy_ms,
        memory = findings.kib_of_a_tab,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_holds_every_tab_and_the_seed() {
        let text = document(3, r#"[{"id":"seed"}]"#);
        assert_eq!(text.matches(r#""type":"tab""#).count(), 3);
        assert_eq!(text.matches(r#""z":"t2""#).count(), NODES_OF_A_TAB);
        assert!(text.starts_with(r#"[{"id":"t0""#) && text.ends_with(r#"{"id":"seed"}]"#));
    }

    #[test]
    fn the_report_says_whether_the_mark_is_reached() {
        let text = |deploy_ms| report(&Findings { deploy_ms, kib_of_a_tab: 45.67 }, &Plan::FULL, "a machine");
        assert!(text(900.0).contains("| deploy in ms | 900 | at most 1000 ms: reached |"));
        assert!(text(1100.0).contains("missed"));
        assert!(text(1100.0).contains("| 45.7 |") && text(1.0).contains("10000 nodes"));
    }
}
