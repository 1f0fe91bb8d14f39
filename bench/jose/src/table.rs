//! A row of the table: our tokens, the floor and the others, and what must be reached of each.

use crate::measure::{Effort, Work, interleaved};

pub(crate) const HEAD: &str = "\
| token | ours/s | of the floor | against others |
|---|---|---|---|";

pub(crate) struct Row {
    name: String,
    ours: Work,
    /// What must be reached of each other library.
    within: f64,
    others: Vec<Other>,
}

struct Other {
    name: &'static str,
    /// 0 where the contract has no mark.
    mark: f64,
    work: Work,
}

impl Row {
    pub(crate) fn new(name: &str, ours: Work, within: f64) -> Self {
        Self { name: name.to_owned(), ours, within, others: Vec::new() }
    }

    /// The bare primitives, and what must be reached of them.
    pub(crate) fn floor(mut self, mark: f64, work: Work) -> Self {
        self.others.insert(0, Other { name: "floor", mark, work });
        self
    }

    /// Another library, if it has such tokens.
    pub(crate) fn peer(mut self, name: &'static str, work: Option<Work>) -> Self {
        self.others.extend(work.map(|work| Other { name, mark: self.within, work }));
        self
    }

    /// The row as written, and how many marks it misses.
    pub(crate) fn measure(&mut self, effort: Effort) -> (String, usize) {
        let mut works = vec![&mut self.ours];
        works.extend(self.others.iter_mut().map(|other| &mut other.work));
        let times = interleaved(&mut works, effort);
        let (mut floor, mut peers, mut missed) = (String::new(), Vec::new(), 0);
        for (other, time) in self.others.iter().zip(&times[1..]) {
            let ratio = time / times[0];
            let misses = ratio < other.mark;
            missed += usize::from(misses);
            let verdict = if misses { format!(" (missed {:.2})", other.mark) } else { String::new() };
            if other.name == "floor" {
                floor = format!("{ratio:.2}{verdict}");
            } else {
                peers.push(format!("{} {ratio:.2}{verdict}", other.name));
            }
        }
        (format!("| {} | {:.0} | {floor} | {} |", self.name, 1.0 / times[0], peers.join(", ")), missed)
    }
}
