//! One worker as the crew sees it: its turn, its calls, what it has loaded.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plan::Text;
use tokio::sync::{mpsc, oneshot};

use super::framed;
use super::link::Link;
use crate::frame::ToWorker;
use crate::speech::{Said, SyntaxFault};

/// Scripts that one worker keeps built.
const SCRIPTS_PER_WORKER_MAX: usize = 64;
/// Calls after which a worker is replaced, once nothing waits in it (security contract, section 9).
pub(super) const RUNS_MAX: u32 = 1_000;
/// Octets a worker may send in one turn; an honest one stays below by itself.
pub(super) const TURN_BYTES_MAX: usize = 80 << 20;

/// Who hears what comes of a job.
pub(super) enum Listener {
    Call(mpsc::UnboundedSender<Said>),
    Check(oneshot::Sender<Result<(), SyntaxFault>>),
}

/// A worker, and what is going on in it.
pub(super) struct Worker {
    pub(super) link: Arc<Link>,
    pub(super) pin: Option<Text>,
    pub(super) turn: Option<Turn>,
    /// The surfaces it was told.
    pub(super) surfaces: HashSet<u32>,
    /// The scripts it was given, least recently used first.
    pub(super) loaded: Vec<u32>,
    pub(super) runs: u32,
    pub(super) calls: HashMap<u64, Open>,
    pub(super) dropped: Vec<u64>,
    /// Calls whose wishes are fulfilled, with the script and the frame that says so, in order.
    pub(super) fulfilled: VecDeque<(u64, u32, Vec<u8>)>,
    pub(super) due: Option<Instant>,
    pub(super) ticked: bool,
    pub(super) used: Instant,
    /// When whoever tends it looks after it next.
    pub(super) watched: Instant,
}

/// A call that is not at rest.
pub(super) struct Open {
    pub(super) script: Option<u32>,
    pub(super) listener: Listener,
    pub(super) is_last: bool,
}

/// A turn that a worker was given and has not ended.
pub(super) struct Turn {
    /// Whose turn; none for a timer's.
    pub(super) call: Option<u64>,
    pub(super) script: Option<u32>,
    pub(super) ends: Instant,
    pub(super) asked: Option<(u64, Instant)>,
    pub(super) bytes: usize,
}

impl Worker {
    pub(super) fn new(link: Arc<Link>, pin: Option<Text>) -> Self {
        let now = Instant::now();
        Self {
            link,
            pin,
            turn: None,
            surfaces: HashSet::new(),
            loaded: Vec::new(),
            runs: 0,
            calls: HashMap::new(),
            dropped: Vec::new(),
            fulfilled: VecDeque::new(),
            due: None,
            ticked: false,
            used: now,
            watched: now,
        }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.pin.is_none() && self.runs >= RUNS_MAX
    }

    pub(super) fn begin_turn(&mut self, call: Option<u64>, script: Option<u32>, wall_ms: u32) {
        let now = Instant::now();
        let ends = now + Duration::from_millis(u64::from(wall_ms));
        self.used = now;
        self.turn = Some(Turn { call, script, ends, asked: None, bytes: 0 });
        if ends < self.watched {
            self.link.wake();
        }
    }

    pub(super) fn pause(&mut self, due_ms: Option<u32>) {
        let now = Instant::now();
        self.turn = None;
        self.used = now;
        self.due = due_ms.map(|ms| now + Duration::from_millis(u64::from(ms)));
        self.tell_dropped();
    }

    pub(super) fn tell_dropped(&mut self) {
        for call in self.dropped.drain(..) {
            self.link.send(&framed(&ToWorker::Drop { call }).expect("a number fits a frame"));
        }
    }

    pub(super) fn tell(&self, call: u64, said: Said) {
        if let Some(Open { listener: Listener::Call(speaker), .. }) = self.calls.get(&call) {
            // Whoever does not listen any more does not miss it.
            let _ = speaker.send(said);
        }
    }

    /// Whether the script must be loaded first. The one used least goes when there are too many.
    pub(super) fn make_room_for(&mut self, script: u32) -> bool {
        let known = self.loaded.iter().position(|loaded| *loaded == script);
        if let Some(at) = known {
            self.loaded.remove(at);
        } else if self.pin.is_none() && self.loaded.len() >= SCRIPTS_PER_WORKER_MAX {
            let in_use = |key: &u32| self.calls.values().any(|open| open.script == Some(*key));
            if let Some(at) = self.loaded.iter().position(|key| !in_use(key)) {
                let script = self.loaded.remove(at);
                self.link.send(&framed(&ToWorker::Forget { script }).expect("a number fits a frame"));
            }
        }
        self.loaded.push(script);
        known.is_none()
    }
}
