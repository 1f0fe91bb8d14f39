//! The load: a number of connections that ask for tokens without a pause until the time is up.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::answer::{Connection, Question};

/// What one turn of load came to.
pub(crate) struct Turn {
    /// Requests answered with a token.
    pub(crate) answered: usize,
    /// The time that 99 of 100 answers did not exceed.
    pub(crate) p99: Duration,
    pub(crate) took: Duration,
}

/// Asks over `connections` connections for `length`. One wrong or missing answer fails the turn.
pub(crate) fn run(
    address: SocketAddr,
    question: Question,
    connections: usize,
    length: Duration,
) -> Result<Turn, String> {
    let started = Instant::now();
    let until = started + length;
    let latencies = std::thread::scope(|scope| {
        let askers: Vec<_> =
            (0..connections).map(|_| scope.spawn(move || ask_until(address, question, until))).collect();
        let mut all = Vec::new();
        for asker in askers {
            all.append(&mut asker.join().map_err(|_| "a client thread died".to_owned())??);
        }
        Ok::<_, String>(all)
    })?;
    let took = started.elapsed();
    Ok(Turn { answered: latencies.len(), p99: percentile(latencies, 99), took })
}

fn ask_until(address: SocketAddr, question: Question, until: Instant) -> Result<Vec<Duration>, String> {
    let mut connection = Connection::open(address, question).map_err(|error| format!("{address} refused: {error}"))?;
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let sent = Instant::now();
        connection.ask().map_err(|error| format!("after {} answers: {error}", latencies.len()))?;
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

fn percentile(mut latencies: Vec<Duration>, percent: usize) -> Duration {
    latencies.sort_unstable();
    let last = latencies.len().saturating_sub(1);
    latencies.get(last * percent / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times = (0..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(times, 99), Duration::from_millis(99));
        assert_eq!(percentile(Vec::new(), 99), Duration::ZERO);
    }

    #[test]
    fn a_server_that_is_not_there_fails_the_turn() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(run(free, Question::SEED, 2, Duration::from_millis(10)).is_err());
    }
}
