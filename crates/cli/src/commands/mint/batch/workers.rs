//! Threads that mint: piece after piece of lines in turn to each, taken back in the same turn, so order keeps itself.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signer::RandomPool;

use super::super::claims;
use super::super::kind::{Kind, Minted};
use super::lines::{Line, Lines, Piece};
use crate::exit::{ExitCode, Failure};
use crate::time::Clock;

/// Pieces that wait before each thread, and behind it.
const PIECES_WAITING_MAX: usize = 2;

/// What became of one line.
pub(super) struct Outcome {
    /// Its number, counted from 1.
    pub(super) line: u64,
    /// Its token, or why there is none.
    pub(super) minted: Result<Minted, Failure>,
}

/// What comes next.
pub(super) enum Next {
    /// These lines, and octets read up to them.
    Outcomes(Vec<Outcome>, u64),
    /// Not yet.
    Nothing,
    /// The source cannot be read on, or we are at fault.
    Failed(Failure),
    /// All lines were given.
    End,
}

type Done = Result<(Vec<Outcome>, u64), Failure>;

/// A batch at work. Its threads end with the source, or once nobody takes what they mint.
pub(super) struct Minting {
    workers: Vec<Worker>,
    turn: usize,
}

/// One thread, and what comes back from it.
struct Worker {
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Minting {
    /// Starts so many threads, and one that reads for them.
    pub(super) fn start<R: Read + Send + 'static>(
        kind: &Arc<Kind>,
        lines: Lines<R>,
        jobs: usize,
        clock: Clock,
    ) -> Self {
        let mut to_workers = Vec::new();
        let mut workers = Vec::new();
        for _ in 0..jobs {
            let (to, pieces) = sync_channel(PIECES_WAITING_MAX);
            let (to_writer, done) = sync_channel(PIECES_WAITING_MAX);
            let kind = Arc::clone(kind);
            let thread = thread::spawn(move || work(&kind, &pieces, &to_writer, clock));
            to_workers.push(to);
            workers.push(Worker { done, thread: Some(thread) });
        }
        thread::spawn(move || deal(lines, &to_workers));
        Self { workers, turn: 0 }
    }

    /// The next lines in order, or nothing after a while.
    pub(super) fn next(&mut self, wait_max: Duration) -> Next {
        match self.workers[self.turn].done.recv_timeout(wait_max) {
            Ok(done) => {
                self.turn = (self.turn + 1) % self.workers.len();
                done.map_or_else(Next::Failed, |(outcomes, octets_read)| Next::Outcomes(outcomes, octets_read))
            }
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => self.ended(),
        }
    }

    /// The thread whose turn it is has ended: with the source, unless it broke.
    fn ended(&mut self) -> Next {
        let broke = self.workers[self.turn].thread.take().is_some_and(|thread| thread.join().is_err());
        if broke {
            return Next::Failed(Failure::new(ExitCode::Internal, "internal", "a thread of the batch broke"));
        }
        Next::End
    }
}

fn deal<R: Read>(mut lines: Lines<R>, workers: &[SyncSender<Result<Piece, Failure>>]) {
    for worker in workers.iter().cycle() {
        let Some(piece) = lines.next() else { return };
        if worker.send(piece).is_err() {
            return;
        }
    }
}

fn work(kind: &Kind, pieces: &Receiver<Result<Piece, Failure>>, done: &SyncSender<Done>, clock: Clock) {
    let mut random = RandomPool::new();
    for piece in pieces {
        let minted = piece.map(|piece| {
            let now_secs = clock.now_secs();
            let mut mint = |line: &[u8]| kind.mint(&claims::object(line)?, now_secs, &mut random);
            let outcomes = (piece.first_number..).zip(piece.lines).map(|(line, text)| Outcome {
                line,
                minted: match text {
                    Line::Whole(text) => mint(&text),
                    Line::TooLong => Err(Failure::new(ExitCode::Unreadable, "too_large", "longer than 2 MiB")),
                },
            });
            (outcomes.collect(), piece.octets_read)
        });
        if done.send(minted).is_err() {
            return;
        }
    }
}
