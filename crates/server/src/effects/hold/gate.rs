//! Who of those that are held back goes on, and when; a gate is told the time and knows its messages by tickets alone.

use std::collections::VecDeque;

use plan::{HoldMode, HoldOrder, Passage, Value};

/// The longest time that a timer holds, in milliseconds.
const WAIT_MS_MAX: f64 = 2_147_483_647.0;

/// One gate, for all messages of one node.
pub(super) struct Gate<T> {
    mode: HoldMode,
    waiting: VecDeque<Held<T>>,
    /// The period that messages have changed it to.
    pace_ms: Option<f64>,
    /// When the line moves next; it stands still otherwise.
    moves_at_ms: Option<f64>,
    /// When the last message went on.
    last_ms: Option<f64>,
    /// When each place of a burst is free again.
    taken_until_ms: VecDeque<f64>,
}

struct Held<T> {
    ticket: T,
    topic: Value,
    says_more: bool,
    due_ms: f64,
}

/// What became of messages, in order.
pub(super) type Passed<T> = Vec<(T, Passage)>;

impl<T> Gate<T> {
    pub(super) fn new(mode: HoldMode) -> Self {
        let (waiting, taken_until_ms) = (VecDeque::new(), VecDeque::new());
        Self { mode, waiting, pace_ms: None, moves_at_ms: None, last_ms: None, taken_until_ms }
    }

    /// How many messages are held.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Forgets tickets that nobody waits for any more.
    pub(super) fn forget(&mut self, is_gone: impl Fn(&T) -> bool) {
        self.waiting.retain(|held| !is_gone(&held.ticket));
    }

    /// Takes a message in. `share`, from 0 to 1, decides where between two times it waits.
    pub(super) fn enter(&mut self, ticket: T, order: &HoldOrder, now_ms: f64, share: f64) -> Passed<T> {
        let mut passed = Vec::new();
        let held = |ticket, due_ms| Held { ticket, topic: order.topic.clone(), says_more: order.says_more, due_ms };
        match self.mode {
            HoldMode::Each { from_ms, to_ms } => {
                let wait_ms = order.wait_ms.unwrap_or(from_ms + (to_ms - from_ms) * share);
                self.keep_each(held(ticket, now_ms + positive(wait_ms)), order, &mut passed);
            }
            HoldMode::Line { .. } => self.line_up(held(ticket, now_ms), order, now_ms, &mut passed),
            HoldMode::Thin { .. } => passed.push((ticket, self.thin(order, now_ms))),
            HoldMode::Burst { most, within_ms } => passed.push((ticket, self.burst(order, now_ms, most, within_ms))),
            HoldMode::Topics { .. } => self.take_place(held(ticket, now_ms), order, now_ms, &mut passed),
        }
        passed
    }

    /// When something happens by itself next.
    pub(super) fn due_ms(&self) -> Option<f64> {
        match self.mode {
            HoldMode::Each { .. } => self.waiting.iter().map(|held| held.due_ms).reduce(f64::min),
            HoldMode::Line { .. } | HoldMode::Topics { .. } => self.moves_at_ms,
            HoldMode::Thin { .. } | HoldMode::Burst { .. } => None,
        }
    }

    /// Does what is due by now.
    pub(super) fn tick(&mut self, now_ms: f64) -> Passed<T> {
        let mut passed = Vec::new();
        match self.mode {
            HoldMode::Each { .. } => self.let_due_go(now_ms, &mut passed),
            HoldMode::Line { .. } => self.move_line(now_ms, &mut passed),
            HoldMode::Topics { all, .. } => self.move_topics(now_ms, all, &mut passed),
            HoldMode::Thin { .. } | HoldMode::Burst { .. } => {}
        }
        passed
    }

    fn keep_each(&mut self, held: Held<T>, order: &HoldOrder, passed: &mut Passed<T>) {
        if order.says_more {
            self.waiting.push_back(held);
        } else {
            passed.push((held.ticket, Passage::Away));
        }
        if order.empties {
            self.empty(passed);
        } else if let Some(count) = order.releases {
            self.release(count, passed);
        }
    }

    fn let_due_go(&mut self, now_ms: f64, passed: &mut Passed<T>) {
        let (mut due, later): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(|held| held.due_ms <= now_ms);
        self.waiting = later.into();
        due.sort_by(|a, b| a.due_ms.total_cmp(&b.due_ms));
        passed.extend(due.into_iter().map(|held| (held.ticket, Passage::Through)));
    }

    fn line_up(&mut self, held: Held<T>, order: &HoldOrder, now_ms: f64, passed: &mut Passed<T>) {
        if !order.says_more {
            passed.push((held.ticket, Passage::Away));
        } else if self.moves_at_ms.is_some() {
            if order.pace_ms.is_some_and(|pace_ms| Some(pace_ms) != self.pace_ms) {
                self.pace_ms = order.pace_ms;
                self.moves_at_ms = Some(now_ms + self.every_ms());
            }
            if order.front { self.waiting.push_front(held) } else { self.waiting.push_back(held) }
        } else {
            self.pace_ms = order.pace_ms.or(self.pace_ms);
            match (order.empties, order.releases) {
                (true, Some(_)) => self.waiting.push_back(held),
                (true, None) => passed.push((held.ticket, Passage::Away)),
                (false, _) => passed.push((held.ticket, Passage::Through)),
            }
            self.moves_at_ms = Some(now_ms + self.every_ms());
        }
        if let Some(count) = order.releases {
            let moves = !self.waiting.is_empty() && count > 0;
            self.release(count, passed);
            self.moves_at_ms = moves.then(|| now_ms + self.every_ms());
        }
        if order.empties {
            self.empty(passed);
            self.pace_ms = None;
            if order.releases.is_none() {
                self.moves_at_ms = None;
            }
        }
    }

    fn move_line(&mut self, now_ms: f64, passed: &mut Passed<T>) {
        while let Some(at_ms) = self.moves_at_ms.filter(|at_ms| *at_ms <= now_ms) {
            let first = self.waiting.pop_front();
            self.moves_at_ms = first.is_some().then(|| at_ms + self.every_ms());
            passed.extend(first.map(|held| (held.ticket, Passage::Through)));
        }
    }

    fn thin(&mut self, order: &HoldOrder, now_ms: f64) -> Passage {
        if order.empties {
            self.pace_ms = None;
            if order.releases.is_none() {
                self.last_ms = None;
            }
            return Passage::Away;
        }
        self.pace_ms = order.pace_ms.or(self.pace_ms);
        if self.last_ms.is_some_and(|last_ms| now_ms - last_ms <= self.every_ms()) {
            return Passage::Aside;
        }
        self.last_ms = Some(now_ms);
        Passage::Through
    }

    fn burst(&mut self, order: &HoldOrder, now_ms: f64, most: f64, within_ms: f64) -> Passage {
        if order.empties {
            self.taken_until_ms.clear();
            return Passage::Away;
        }
        self.taken_until_ms.retain(|until_ms| *until_ms > now_ms);
        if self.taken_until_ms.len() as f64 >= most {
            return Passage::Aside;
        }
        self.taken_until_ms.push_back(now_ms + within_ms);
        Passage::Through
    }

    fn take_place(&mut self, held: Held<T>, order: &HoldOrder, now_ms: f64, passed: &mut Passed<T>) {
        if order.pace_ms.is_some_and(|pace_ms| Some(pace_ms) != self.pace_ms) {
            self.pace_ms = order.pace_ms;
            self.moves_at_ms = None;
        }
        match self.waiting.iter_mut().find(|other| other.topic == held.topic) {
            Some(place) => passed.push((std::mem::replace(place, held).ticket, Passage::Aside)),
            None => self.waiting.push_back(held),
        }
        if let Some(count) = order.releases {
            self.release(count, passed);
        }
        if order.empties {
            self.empty(passed);
            self.pace_ms = None;
        }
        if self.moves_at_ms.is_none() {
            self.moves_at_ms = Some(now_ms + self.every_ms());
        }
    }

    fn move_topics(&mut self, now_ms: f64, all: bool, passed: &mut Passed<T>) {
        while let Some(at_ms) = self.moves_at_ms.filter(|at_ms| *at_ms <= now_ms) {
            let count = if all { self.waiting.len() } else { self.waiting.len().min(1) };
            passed.extend(self.waiting.drain(..count).map(|held| (held.ticket, Passage::Through)));
            self.moves_at_ms = (!self.waiting.is_empty()).then(|| at_ms + self.every_ms());
        }
    }

    fn release(&mut self, count: u64, passed: &mut Passed<T>) {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.waiting.len());
        let passage = |says_more| if says_more { Passage::Through } else { Passage::Away };
        passed.extend(self.waiting.drain(..count).map(|held| (held.ticket, passage(held.says_more))));
    }

    fn empty(&mut self, passed: &mut Passed<T>) {
        passed.extend(self.waiting.drain(..).map(|held| (held.ticket, Passage::Away)));
    }

    /// The period of the line.
    fn every_ms(&self) -> f64 {
        let planned_ms = match self.mode {
            HoldMode::Line { every_ms } | HoldMode::Thin { every_ms } | HoldMode::Topics { every_ms, .. } => every_ms,
            HoldMode::Each { .. } | HoldMode::Burst { .. } => 0.0,
        };
        positive(self.pace_ms.unwrap_or(planned_ms)).max(1.0)
    }
}

/// A time that a timer can hold.
fn positive(ms: f64) -> f64 {
    if ms.is_nan() { 0.0 } else { ms.clamp(0.0, WAIT_MS_MAX) }
}

#[cfg(test)]
mod tests {
    use plan::Passage::{Aside, Away, Through};

    use super::*;

    fn say() -> HoldOrder {
        HoldOrder { says_more: true, ..HoldOrder::default() }
    }

    fn each(from_ms: f64, to_ms: f64) -> Gate<u32> {
        Gate::new(HoldMode::Each { from_ms, to_ms })
    }

    fn line() -> Gate<u32> {
        Gate::new(HoldMode::Line { every_ms: 100.0 })
    }

    #[test]
    fn each_waits_by_itself_between_two_times() {
        let mut gate = each(100.0, 300.0);
        assert!(gate.enter(1, &say(), 0.0, 1.0).is_empty());
        assert!(gate.enter(2, &say(), 0.0, 0.5).is_empty());
        assert!(gate.enter(3, &HoldOrder { wait_ms: Some(-5.0), ..say() }, 10.0, 0.5).is_empty());
        assert_eq!(gate.due_ms(), Some(10.0));
        assert_eq!(gate.tick(250.0), [(3, Through), (2, Through)]);
        assert_eq!((gate.due_ms(), gate.len()), (Some(300.0), 1));
        assert_eq!(gate.tick(300.0), [(1, Through)]);
        assert_eq!(gate.due_ms(), None);
    }

    #[test]
    fn orders_release_or_turn_away_what_is_held() {
        let mut gate = each(1_000.0, 1_000.0);
        for ticket in 1..=4 {
            gate.enter(ticket, &say(), 0.0, 0.0);
        }
        let release = |count, says_more| HoldOrder { releases: Some(count), says_more, ..HoldOrder::default() };
        assert_eq!(gate.enter(5, &release(2, false), 0.0, 0.0), [(5, Away), (1, Through), (2, Through)]);
        assert_eq!(gate.enter(6, &release(u64::MAX, true), 0.0, 0.0), [(3, Through), (4, Through), (6, Through)]);
        gate.enter(7, &say(), 0.0, 0.0);
        assert_eq!(gate.enter(8, &HoldOrder { empties: true, ..say() }, 0.0, 0.0), [(7, Away), (8, Away)]);
    }

    #[test]
    fn a_line_moves_at_its_pace_and_stands_still_when_it_was_empty_once() {
        let mut gate = line();
        assert_eq!(gate.enter(1, &say(), 0.0, 0.0), [(1, Through)]);
        assert!(gate.enter(2, &say(), 10.0, 0.0).is_empty());
        assert!(gate.enter(3, &HoldOrder { front: true, ..say() }, 20.0, 0.0).is_empty());
        assert_eq!(gate.tick(100.0), [(3, Through)]);
        assert_eq!(gate.tick(200.0), [(2, Through)]);
        assert!(gate.enter(4, &say(), 250.0, 0.0).is_empty(), "the line still moves");
        assert_eq!(gate.tick(300.0), [(4, Through)]);
        assert!(gate.tick(400.0).is_empty());
        assert_eq!(gate.due_ms(), None);
        assert_eq!(gate.enter(5, &say(), 450.0, 0.0), [(5, Through)]);
    }

    #[test]
    fn a_line_hears_its_orders() {
        let mut gate = line();
        gate.enter(1, &say(), 0.0, 0.0);
        gate.enter(2, &HoldOrder { pace_ms: Some(10.0), ..say() }, 0.0, 0.0);
        assert_eq!(gate.due_ms(), Some(10.0));
        gate.enter(3, &say(), 0.0, 0.0);
        let release = HoldOrder { releases: Some(1), ..HoldOrder::default() };
        assert_eq!(gate.enter(4, &release, 5.0, 0.0), [(4, Away), (2, Through)]);
        assert_eq!(gate.due_ms(), Some(15.0));
        let empties = HoldOrder { empties: true, ..HoldOrder::default() };
        assert_eq!(gate.enter(5, &empties, 6.0, 0.0), [(5, Away), (3, Away)]);
        assert_eq!(gate.due_ms(), None);
        assert_eq!(gate.enter(6, &say(), 7.0, 0.0), [(6, Through)]);
        assert_eq!(gate.due_ms(), Some(107.0), "the pace is the planned one again");
    }

    #[test]
    fn those_beyond_the_pace_are_turned_aside() {
        let mut gate = Gate::new(HoldMode::Thin { every_ms: 100.0 });
        let passed: Vec<_> =
            [0.0, 100.0, 101.0, 150.0].into_iter().flat_map(|now| gate.enter((), &say(), now, 0.0)).collect();
        assert_eq!(passed, [((), Through), ((), Aside), ((), Through), ((), Aside)]);
        assert_eq!(gate.enter((), &HoldOrder { empties: true, ..say() }, 160.0, 0.0), [((), Away)]);
        assert_eq!(gate.enter((), &say(), 161.0, 0.0), [((), Through)]);
        let mut gate = Gate::new(HoldMode::Burst { most: 2.0, within_ms: 100.0 });
        let passed: Vec<_> =
            [0.0, 10.0, 20.0, 100.0, 105.0].into_iter().flat_map(|now| gate.enter((), &say(), now, 0.0)).collect();
        assert_eq!(passed, [((), Through), ((), Through), ((), Aside), ((), Through), ((), Aside)]);
    }

    #[test]
    fn a_topic_has_one_place() {
        let of = |topic: &str| HoldOrder { topic: Value::text(topic), ..say() };
        for (all, first, second) in
            [(false, vec![(3, Through)], vec![(2, Through)]), (true, vec![(3, Through), (2, Through)], vec![])]
        {
            let mut gate = Gate::new(HoldMode::Topics { every_ms: 100.0, all });
            assert!(gate.enter(1, &of("a"), 0.0, 0.0).is_empty());
            assert!(gate.enter(2, &of("b"), 1.0, 0.0).is_empty());
            assert_eq!(gate.enter(3, &of("a"), 2.0, 0.0), [(1, Aside)]);
            assert_eq!(gate.tick(100.0), first);
            assert_eq!(gate.tick(200.0), second);
        }
    }
}
