//! Tabs: those that the document names, those that its nodes only refer to, and which of them run.

use std::collections::{HashMap, HashSet};

use plan::Text;

use super::subflows::INSTANCE;
use super::syntax::{Document, Node};

/// The tabs of a document, and which nodes stand in one that runs.
pub(super) struct Sections {
    tabs: Vec<Tab>,
    by_id: HashMap<Text, usize>,
    subflows: HashSet<Text>,
}

struct Tab {
    label: Text,
    disabled: bool,
    stopped: bool,
}

/// What becomes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is created.
    Runs,
    /// It is disabled, or its tab is, or it only belongs to the definition of a subflow.
    Absent,
    /// Its tab is stopped.
    Stopped,
}

impl Sections {
    /// The tabs of the document in order, behind them those that exist only as the `z` of a placed node.
    pub(super) fn of(document: &Document) -> Self {
        let named = |kind: &'static str| document.nodes.iter().filter(move |node| &*node.kind == kind);
        let mut sections = Self {
            tabs: Vec::new(),
            by_id: HashMap::new(),
            subflows: named("subflow").map(|node| node.id.clone()).collect(),
        };
        for tab in named("tab") {
            let label = if tab.text("label").is_empty() { tab.id.clone() } else { tab.text("label").into() };
            sections.add(&tab.id, label, tab.flag("disabled"));
        }
        for node in document.nodes.iter().filter(|node| node.placed && !node.section.is_empty()) {
            if !sections.by_id.contains_key(&node.section) && !sections.subflows.contains(&node.section) {
                sections.add(&node.section, node.section.clone(), false);
            }
            // What stands in an instance of a subflow stands in the tab of the instance.
            if node.kind.starts_with(INSTANCE)
                && let Some(at) = sections.by_id.get(&node.section).copied()
            {
                sections.by_id.insert(node.id.clone(), at);
            }
        }
        sections
    }

    /// What becomes of this node.
    pub(super) fn fate(&self, node: &Node) -> Fate {
        if node.disabled || self.subflows.contains(&node.section) {
            return Fate::Absent;
        }
        match self.tab(node) {
            Some(tab) if tab.disabled => Fate::Absent,
            Some(tab) if tab.stopped => Fate::Stopped,
            Some(_) | None => Fate::Runs,
        }
    }

    /// Stops the tab that this node stands in, and says its label; none if it stands in no tab.
    pub(super) fn stop(&mut self, node: &Node) -> Option<Text> {
        let tab = &mut self.tabs[*self.by_id.get(&node.section)?];
        tab.stopped = true;
        Some(tab.label.clone())
    }

    /// Where the node's tab comes in the order in which tabs start; nodes outside all tabs come first.
    pub(super) fn order(&self, node: &Node) -> usize {
        self.by_id.get(&node.section).map_or(0, |at| at + 1)
    }

    fn tab(&self, node: &Node) -> Option<&Tab> {
        self.by_id.get(&node.section).map(|at| &self.tabs[*at])
    }

    fn add(&mut self, id: &Text, label: Text, disabled: bool) {
        self.by_id.insert(id.clone(), self.tabs.len());
        self.tabs.push(Tab { label, disabled, stopped: false });
    }
}
