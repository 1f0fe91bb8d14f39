//! The measurements: what is run in which order, and what is kept of it.

use std::path::Path;
use std::time::Duration;

use crate::answer::Question;
use crate::peer::{Kind, Peer};

/// How long everything takes.
pub(crate) struct Plan {
    pub(crate) starts: usize,
    pub(crate) pairs: usize,
    pub(crate) turn: Duration,
    pub(crate) warm_up: Duration,
    /// Between the first answer and the look at idle memory.
    pub(crate) settle: Duration,
    /// Whether the table is written to `bench/RESULTS.md`.
    pub(crate) is_kept: bool,
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        starts: 5,
        pairs: 3,
        turn: Duration::from_secs(4),
        warm_up: Duration::from_secs(2),
        settle: Duration::from_secs(2),
        is_kept: true,
    };
    pub(crate) const QUICK: Self = Self {
        starts: 1,
        pairs: 1,
        turn: Duration::from_millis(500),
        warm_up: Duration::from_millis(200),
        settle: Duration::from_millis(500),
        is_kept: false,
    };
}

/// Open connections while load runs.
pub(crate) const CONNECTIONS: [usize; 3] = [1, 32, 128];

/// One measured quantity for both programs, smaller or greater being better as its name says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Both {
    pub(crate) node_red: f64,
    pub(crate) chancery: f64,
}

/// What load at one number of connections showed; medians over the pairs.
pub(crate) struct Loaded {
    pub(crate) connections: usize,
    pub(crate) requests_per_cpu_second: Both,
    pub(crate) requests_per_second: Both,
    pub(crate) p99_ms: Both,
}

/// Everything that was measured.
pub(crate) struct Findings {
    pub(crate) loaded: Vec<Loaded>,
    pub(crate) idle_mib: Both,
    pub(crate) after_load_mib: Both,
    pub(crate) first_answer_ms: Both,
}

/// Runs the whole plan.
pub(crate) fn all(root: &Path, plan: &Plan) -> Result<Findings, String> {
    let first_answer_ms = starts(root, plan)?;
    let node_red = Peer::start(root, Kind::NodeRed)?;
    let chancery = Peer::start(root, Kind::Chancery)?;
    std::thread::sleep(plan.settle);
    let idle_mib = memory_mib(&node_red, &chancery);
    for peer in [&node_red, &chancery] {
        peer.load(CONNECTIONS[1], plan.warm_up)?;
    }
    let loaded = CONNECTIONS
        .iter()
        .map(|&connections| under_load(&node_red, &chancery, connections, plan))
        .collect::<Result<_, _>>()?;
    Ok(Findings { loaded, idle_mib, after_load_mib: memory_mib(&node_red, &chancery), first_answer_ms })
}

fn starts(root: &Path, plan: &Plan) -> Result<Both, String> {
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..plan.starts {
        times.0.push(millis(Peer::start(root, Kind::NodeRed)?.first_answer));
        times.1.push(millis(Peer::start(root, Kind::Chancery)?.first_answer));
    }
    Ok(Both { node_red: median(times.0), chancery: median(times.1) })
}

fn memory_mib(node_red: &Peer, chancery: &Peer) -> Both {
    let mib = |peer: &Peer| peer.memory_kib() as f64 / 1024.0;
    Both { node_red: mib(node_red), chancery: mib(chancery) }
}

/// One program's turn: requests per second of its processor time, per second of ours, and the slow answers.
pub(crate) struct Turn {
    pub(crate) answered: usize,
    pub(crate) per_cpu_second: f64,
    pub(crate) per_second: f64,
    pub(crate) p99_ms: f64,
}

fn under_load(node_red: &Peer, chancery: &Peer, connections: usize, plan: &Plan) -> Result<Loaded, String> {
    let mut turns = (Vec::new(), Vec::new());
    for _ in 0..plan.pairs {
        turns.0.push(turn(node_red, connections, plan.turn)?);
        turns.1.push(turn(chancery, connections, plan.turn)?);
    }
    let both = |of: fn(&Turn) -> f64| Both {
        node_red: median(turns.0.iter().map(of).collect()),
        chancery: median(turns.1.iter().map(of).collect()),
    };
    Ok(Loaded {
        connections,
        requests_per_cpu_second: both(|turn| turn.per_cpu_second),
        requests_per_second: both(|turn| turn.per_second),
        p99_ms: both(|turn| turn.p99_ms),
    })
}

pub(crate) fn turn(peer: &Peer, connections: usize, length: Duration) -> Result<Turn, String> {
    turn_of(peer, peer.question(), connections, length)
}

/// The same with this question.
pub(crate) fn turn_of(peer: &Peer, question: Question, connections: usize, length: Duration) -> Result<Turn, String> {
    let before = peer.cpu_time();
    let turn = peer.load_of(question, connections, length)?;
    let used = peer.cpu_time() - before;
    let answered = turn.answered as f64;
    Ok(Turn {
        answered: turn.answered,
        per_cpu_second: answered / used.as_secs_f64(),
        per_second: answered / turn.took.as_secs_f64(),
        p99_ms: millis(turn.p99),
    })
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
    }
}
