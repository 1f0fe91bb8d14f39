//! The load: a number of connections that ask for tokens without a pause until the time is up.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::answer::{Connection, Question};

/// How long the next answer may take.
const ANSWER_MAX: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// What one turn of load came to.
pub(crate) struct Turn {
    /// Requests answered with a token.
    pub(crate) answered: usize,
    /// The time that 99 of 100 answers did not exceed.
    pub(crate) p99: Duration,
    pub(crate) took: Duration,
}

/// Asks over `connections` connections for `length`. One wrong or missing answer fails the turn.
///
/// One thread does it all: a thread for each connection would be woken for each answer on the cores that the server has.
pub(crate) fn run(
    address: SocketAddr,
    question: Question,
    connections: usize,
    length: Duration,
) -> Result<Turn, String> {
    let started = Instant::now();
    let mut asked = Vec::new();
    for _ in 0..connections {
        asked.push(Asked::first(address, question).map_err(|error| format!("{address} refused: {error}"))?);
    }
    let mut latencies = Vec::new();
    ask_until(started + length, asked, &mut latencies)
        .map_err(|error| format!("after {} answers: {error}", latencies.len()))?;
    let took = started.elapsed();
    Ok(Turn { answered: latencies.len(), p99: percentile(latencies, 99), took })
}

/// A connection that waits for its answer.
struct Asked {
    connection: Connection,
    since: Instant,
}

impl Asked {
    fn first(address: SocketAddr, question: Question) -> io::Result<Self> {
        let mut connection = Connection::open(address, question)?;
        connection.send()?;
        Ok(Self { connection, since: Instant::now() })
    }
}

fn ask_until(until: Instant, mut asked: Vec<Asked>, latencies: &mut Vec<Duration>) -> io::Result<()> {
    while !asked.is_empty() {
        // From the last on, so that those still to come keep their places when one leaves.
        for place in answered(&asked)?.into_iter().rev() {
            let Asked { connection, since } = &mut asked[place];
            connection.answer()?;
            latencies.push(since.elapsed());
            if Instant::now() < until {
                connection.send()?;
                *since = Instant::now();
            } else {
                drop(asked.swap_remove(place));
            }
        }
    }
    Ok(())
}

/// The places of those that have something to read.
fn answered(asked: &[Asked]) -> io::Result<Vec<usize>> {
    let mut watched: Vec<_> = asked.iter().map(|asked| PollFd::new(&asked.connection, PollFlags::IN)).collect();
    let ready = poll(&mut watched, Some(&ANSWER_MAX))?;
    if ready == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let places = watched.iter().enumerate().filter(|(_, watched)| !watched.revents().is_empty());
    Ok(places.map(|(place, _)| place).collect())
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
