//! Which worker has which script, which call runs where, and which ones wait: state and decisions, no waiting.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plan::{FaultKind, ScriptEvent, Text};

use super::framed;
use super::hand::{Listener, Open, RUNS_MAX, TURN_BYTES_MAX, Turn, Worker};
use super::link::Link;
use crate::frame::{FromWorker, ToWorker};
use crate::speech::Said;

/// Calls that may wait for a worker.
const WAITING_MAX: usize = 4_096;
/// What a turn may last beyond its processor time (security contract, section 5).
const WALL_SPARE_MS: u32 = 1_000;
/// What a turn may last longer still that has to build its script first.
const BUILD_WALL_MS: u32 = 3_000;
/// The pause after a worker died: the first, and the longest. It doubles while workers die within a second.
const RESTART_PAUSE_MIN: Duration = Duration::from_millis(10);
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(1);

/// A script that was registered.
pub(super) struct Script {
    /// Which of the surfaces that the crew knows it stands on.
    pub(super) surface: u32,
    /// The frame that gives it to a worker, or why there is none.
    pub(super) load: Result<Vec<u8>, String>,
    /// The document in whose one worker it must run.
    pub(super) pin: Option<Text>,
    /// Processor time of one turn.
    pub(super) cpu_ms: u32,
    /// Whether it has an `initialize`.
    pub(super) begins: bool,
    /// Whether it has a `finalize`.
    pub(super) ends: bool,
}

/// A turn that wants a worker.
pub(super) struct Job {
    /// The script; none for a check or an expression, which bring their own.
    pub(super) script: Option<u32>,
    /// Processor time, if there is no script that says it.
    pub(super) cpu_ms: u32,
    pub(super) call: u64,
    pub(super) frame: Vec<u8>,
    pub(super) listener: Listener,
    /// Whether the script is forgotten when this call is at rest.
    pub(super) is_last: bool,
}

/// Where a job can go.
pub(super) enum Place {
    Worker(u64),
    New(Option<Text>),
    Later,
}

/// What whoever tends a worker has to do.
pub(super) enum Chore {
    /// Nothing before that moment.
    Wait(Instant),
    /// Its turn has lasted too long.
    Kill,
    /// Nothing is left for it to do.
    Dismiss,
}

#[derive(Default)]
pub(super) struct Crew {
    last_call: u64,
    last_script: u32,
    last_worker: u64,
    surfaces: Vec<Text>,
    scripts: HashMap<u32, Script>,
    workers: HashMap<u64, Worker>,
    waiting: VecDeque<Job>,
    restart: Restart,
}

#[derive(Default)]
struct Restart {
    died: Option<Instant>,
    pause: Duration,
}

/// A worker broke the rules of the conversation.
pub(super) struct Misbehaved;

impl Crew {
    pub(super) fn next_call(&mut self) -> u64 {
        self.last_call += 1;
        self.last_call
    }

    pub(super) fn register(&mut self, script: impl FnOnce(u32) -> Script) -> u32 {
        self.last_script += 1;
        self.scripts.insert(self.last_script, script(self.last_script));
        self.last_script
    }

    /// The number of a surface; scripts of one dialect share it, so that its text is kept and told once.
    pub(super) fn surface(&mut self, text: &Text) -> u32 {
        let known = self.surfaces.iter().position(|known| Arc::ptr_eq(known, text) || known == text);
        let number = known.unwrap_or_else(|| {
            self.surfaces.push(text.clone());
            self.surfaces.len() - 1
        });
        u32::try_from(number).expect("there are a few dialects")
    }

    pub(super) fn script(&self, script: u32) -> Option<&Script> {
        self.scripts.get(&script)
    }

    pub(super) fn worker_ids(&self) -> Vec<u32> {
        self.workers.values().filter_map(|worker| worker.link.process_id()).collect()
    }

    /// Where this job can run now.
    pub(super) fn place(&self, job: &Job, workers_max: usize) -> Place {
        let pin = self.pin(job);
        let crew = || self.workers.iter().filter(|(_, worker)| worker.pin.as_ref() == pin);
        if pin.is_none() && self.turns_of(job.script) >= share_max(workers_max) {
            return Place::Later;
        }
        let idle = || crew().filter(|(_, worker)| worker.turn.is_none() && !worker.is_spent());
        let has_it = |worker: &Worker| job.script.is_some_and(|script| worker.loaded.contains(&script));
        if let Some((id, _)) = idle().find(|(_, worker)| has_it(worker)).or_else(|| idle().next()) {
            return Place::Worker(*id);
        }
        let seats = if pin.is_some() { 1 } else { workers_max };
        if crew().filter(|(_, worker)| !worker.is_spent()).count() < seats && self.restart.left().is_none() {
            return Place::New(pin.cloned());
        }
        Place::Later
    }

    /// How long no worker may be started.
    pub(super) fn restart_pause(&self) -> Option<Duration> {
        self.restart.left()
    }

    /// Takes in a job that no worker can take now.
    pub(super) fn keep(&mut self, job: Job) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(job);
        } else {
            job.listener.give_up(FaultKind::ScriptUnavailable, "too many calls wait for a script already");
        }
    }

    /// The first waiting job that can run now, with its place.
    pub(super) fn take_ready(&mut self, workers_max: usize) -> Option<(Job, Place)> {
        let found = self.waiting.iter().enumerate().find_map(|(at, job)| match self.place(job, workers_max) {
            Place::Later => None,
            place @ (Place::Worker(_) | Place::New(_)) => Some((at, place)),
        });
        let (at, place) = found?;
        Some((self.waiting.remove(at).expect("it was found there"), place))
    }

    /// Takes in a worker that was started.
    pub(super) fn hire(&mut self, link: Arc<Link>, pin: Option<Text>) -> u64 {
        self.last_worker += 1;
        self.workers.insert(self.last_worker, Worker::new(link, pin));
        self.last_worker
    }

    /// Starts a job on a worker that has no turn.
    pub(super) fn start(&mut self, worker: u64, job: Job) {
        let Some(hand) = self.workers.get_mut(&worker) else { return };
        let (mut load, mut wall_ms) = (None, WALL_SPARE_MS + job.cpu_ms);
        if let Some(key) = job.script {
            match self.scripts.get(&key) {
                None => return job.listener.give_up(FaultKind::ScriptUnavailable, "the script was taken away"),
                Some(Script { load: Err(why), .. }) => {
                    return job.listener.give_up(FaultKind::ScriptUnavailable, why);
                }
                Some(Script { load: Ok(frame), cpu_ms, surface, .. }) => {
                    wall_ms += cpu_ms;
                    load = hand.make_room_for(key).then_some((frame, *surface));
                }
            }
        }
        if load.is_some() || job.script.is_none() {
            wall_ms += BUILD_WALL_MS;
        }
        if let Some((load, surface)) = load {
            if hand.surfaces.insert(surface) {
                let text = self.surfaces[surface as usize].clone();
                let frame = framed(&ToWorker::Surface { surface, text });
                hand.link.send(&frame.expect("a larger surface was refused with its script"));
            }
            hand.link.send(load);
        }
        hand.runs += 1;
        hand.calls.insert(job.call, Open { script: job.script, listener: job.listener, is_last: job.is_last });
        hand.begin_turn(Some(job.call), job.script, wall_ms);
        hand.link.send(&job.frame);
    }

    /// Takes in what a worker said.
    pub(super) fn hear(&mut self, worker: u64, frame: FromWorker, bytes: usize) -> Result<(), Misbehaved> {
        let hand = self.workers.get_mut(&worker).ok_or(Misbehaved)?;
        let turn = hand.turn.as_mut().ok_or(Misbehaved)?;
        turn.bytes += bytes;
        if turn.bytes > TURN_BYTES_MAX {
            return Err(Misbehaved);
        }
        match frame {
            FromWorker::Said { call, event: ScriptEvent::Rest } => self.rest(worker, call),
            FromWorker::Said { call, event } => hand.tell(call, Said::Event(event)),
            FromWorker::Asked { call, question } => {
                if turn.asked.is_some() {
                    return Err(Misbehaved);
                }
                turn.asked = Some((call, Instant::now()));
                if hand.calls.contains_key(&call) {
                    hand.tell(call, Said::Question(question));
                } else {
                    self.answer(call, &nobody());
                }
            }
            FromWorker::Wished { call, id, wish } => hand.tell(call, Said::Wish { id, wish }),
            FromWorker::Checked(outcome) => {
                let open = turn.call.and_then(|call| hand.calls.remove(&call)).ok_or(Misbehaved)?;
                let Listener::Check(listener) = open.listener else { return Err(Misbehaved) };
                // Whoever does not wait any more does not miss it.
                let _ = listener.send(outcome);
            }
            FromWorker::Paused { due_ms } => {
                if let Some(call) = turn.call {
                    hand.tell(call, Said::Paused);
                }
                hand.pause(due_ms);
            }
        }
        Ok(())
    }

    /// Answers the question that a call has asked.
    pub(super) fn answer(&mut self, call: u64, frame: &[u8]) {
        let asking = self.workers.values_mut().find_map(|worker| {
            let turn = worker.turn.as_mut()?;
            let (_, since) = turn.asked.take_if(|(asking, _)| *asking == call)?;
            turn.ends += since.elapsed();
            Some(&worker.link)
        });
        if let Some(link) = asking {
            link.send(frame);
        }
    }

    /// Passes on what came of a wish, once the worker of the call has time for it; `frame` takes its script's number.
    pub(super) fn fulfil(&mut self, call: u64, frame: impl FnOnce(u32) -> Vec<u8>) {
        let Some(hand) = self.workers.values_mut().find(|worker| worker.calls.contains_key(&call)) else { return };
        let Some(script) = hand.calls.get(&call).and_then(|open| open.script) else { return };
        hand.fulfilled.push_back((call, script, frame(script)));
        hand.link.wake();
    }

    /// Nobody listens to this call any more.
    pub(super) fn drop_call(&mut self, call: u64) {
        self.waiting.retain(|job| job.call != call || job.is_last);
        self.answer(call, &nobody());
        let Some(hand) = self.workers.values_mut().find(|worker| worker.calls.contains_key(&call)) else { return };
        // The last call of a script runs to its end, listened to or not.
        if hand.calls.get(&call).is_some_and(|open| open.is_last) {
            return;
        }
        hand.calls.remove(&call);
        hand.dropped.push(call);
        if hand.turn.is_none() {
            hand.tell_dropped();
        }
    }

    /// Forgets a script and what workers have of it.
    pub(super) fn forget(&mut self, script: u32) {
        let Some(forgotten) = self.scripts.remove(&script) else { return };
        let alone = forgotten
            .pin
            .as_ref()
            .is_some_and(|pin| !self.scripts.values().any(|other| other.pin.as_ref() == Some(pin)));
        let frame = framed(&ToWorker::Forget { script }).expect("a number fits a frame");
        for hand in self.workers.values_mut() {
            if hand.loaded.contains(&script) {
                hand.loaded.retain(|loaded| *loaded != script);
                hand.link.send(&frame);
            }
            if alone && hand.pin == forgotten.pin {
                hand.pin = None;
                hand.runs = RUNS_MAX;
                hand.link.wake();
            }
        }
    }

    /// Lets a worker whose turn is over go on by itself: with a wish that is fulfilled or a timer that is due, after at most
    /// one other turn.
    pub(super) fn tick(&mut self, worker: u64) {
        let Some(hand) = self.workers.get_mut(&worker) else { return };
        if hand.turn.is_some() {
            return;
        }
        while let Some((call, script, frame)) = hand.fulfilled.pop_front() {
            if hand.calls.contains_key(&call) {
                let cpu_ms = self.scripts.get(&script).map(|script| script.cpu_ms).unwrap_or_default();
                hand.ticked = true;
                hand.begin_turn(None, Some(script), cpu_ms + WALL_SPARE_MS);
                return hand.link.send(&frame);
            }
        }
        if hand.due.is_none_or(|due| due > Instant::now()) {
            return;
        }
        let slowest_ms = hand.loaded.iter().filter_map(|key| self.scripts.get(key)).map(|script| script.cpu_ms).max();
        hand.due = None;
        hand.ticked = true;
        hand.begin_turn(None, None, slowest_ms.unwrap_or_default() + WALL_SPARE_MS);
        hand.link.send(&framed(&ToWorker::Tick).expect("a tag fits a frame"));
    }

    /// Whether the worker's last turn was a timer's, so that others come first now.
    pub(super) fn has_ticked(&mut self, worker: u64) -> bool {
        self.workers.get_mut(&worker).is_some_and(|hand| std::mem::take(&mut hand.ticked))
    }

    /// What has to be done for a worker, and when to look again.
    pub(super) fn chore(&mut self, worker: u64, idle: Duration, watch: Duration) -> Chore {
        let Some(hand) = self.workers.get_mut(&worker) else { return Chore::Dismiss };
        let now = Instant::now();
        let rested = hand.turn.is_none() && hand.calls.is_empty() && hand.due.is_none();
        let end = match (&hand.turn, hand.due) {
            (Some(Turn { asked: Some(_), .. }), _) => now + watch,
            (Some(turn), _) if turn.ends <= now => return Chore::Kill,
            (Some(turn), _) => turn.ends,
            (None, Some(due)) => due,
            // A call that waits for what comes of a wish keeps its worker beyond that.
            (None, None) => (hand.used + idle).max(now + watch),
        };
        if rested && hand.pin.is_none() && (hand.is_spent() || hand.used + idle <= now) {
            return Chore::Dismiss;
        }
        let fresh = now < hand.used + watch;
        hand.watched = if fresh || end <= now { end.min(now + watch) } else { end };
        Chore::Wait(hand.watched)
    }

    /// Takes a worker that is gone off the list, and tells all whose calls were in it.
    pub(super) fn lose(&mut self, worker: u64, expected: bool, cause: &str) {
        let Some(hand) = self.workers.remove(&worker) else { return };
        if !expected {
            self.restart.note();
        }
        let overdue = hand.turn.as_ref().is_some_and(|turn| turn.ends <= Instant::now());
        for (call, open) in hand.calls {
            let own = hand.turn.as_ref().is_some_and(|turn| turn.call.is_none_or(|own| own == call));
            let kind = if own && overdue { FaultKind::ScriptTimeout } else { FaultKind::ScriptUnavailable };
            open.listener.give_up(kind, cause);
            if let (true, Some(script)) = (open.is_last, open.script) {
                self.forget(script);
            }
        }
    }

    fn rest(&mut self, worker: u64, call: u64) {
        let Some(open) = self.workers.get_mut(&worker).and_then(|hand| hand.calls.remove(&call)) else { return };
        if let Listener::Call(speaker) = open.listener {
            // Whoever does not listen any more does not miss it.
            let _ = speaker.send(Said::Event(ScriptEvent::Rest));
        }
        if let (true, Some(script)) = (open.is_last, open.script) {
            self.forget(script);
        }
    }

    fn pin(&self, job: &Job) -> Option<&Text> {
        job.script.and_then(|script| self.scripts.get(&script)).and_then(|script| script.pin.as_ref())
    }

    /// How many workers have a turn of this script.
    fn turns_of(&self, script: Option<u32>) -> usize {
        let turns = self.workers.values().filter_map(|worker| worker.turn.as_ref());
        turns.filter(|turn| turn.script.is_some() && turn.script == script).count()
    }
}

impl Restart {
    fn note(&mut self) {
        let now = Instant::now();
        let again = self.died.is_some_and(|died| now < died + RESTART_PAUSE_MAX);
        self.pause = if again { (self.pause * 2).min(RESTART_PAUSE_MAX) } else { RESTART_PAUSE_MIN };
        self.died = Some(now);
    }

    fn left(&self) -> Option<Duration> {
        let until = self.died? + self.pause;
        until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

/// One script may not take every worker: the share that is left is for the others.
fn share_max(workers_max: usize) -> usize {
    (workers_max / 2).max(1)
}

fn nobody() -> Vec<u8> {
    framed(&ToWorker::Answer(Err("nobody answers any more".into()))).expect("a short text fits a frame")
}
