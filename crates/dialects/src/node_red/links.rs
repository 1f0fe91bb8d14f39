//! The wires that link nodes stand for (section 7: the lists of both ends count).

use std::collections::HashMap;

use jose::json::Value as Json;
use plan::{NodeIx, Text};

use super::syntax::Node;

/// A link in node that can be called.
pub(super) struct LinkIn {
    /// Its id.
    pub(super) id: Text,
    /// Its name; empty if it has none.
    pub(super) name: Text,
    /// The tab it stands in.
    pub(super) section: Text,
    /// Its node in the flow.
    pub(super) place: NodeIx,
}

/// The link in nodes behind each link out node: its own list first, then those that name it in theirs.
pub(super) fn targets<'n>(nodes: impl Iterator<Item = &'n Node> + Clone) -> HashMap<Text, Vec<Text>> {
    let mut all: HashMap<Text, Vec<Text>> = HashMap::new();
    let mut add = |from: Text, to: Text| {
        let list = all.entry(from).or_default();
        if !list.contains(&to) {
            list.push(to);
        }
    };
    for node in nodes.clone().filter(|node| &*node.kind == "link out") {
        links(node).for_each(|to| add(node.id.clone(), to));
    }
    for node in nodes.filter(|node| &*node.kind == "link in") {
        links(node).for_each(|from| add(from, node.id.clone()));
    }
    all
}

fn links(node: &Node) -> impl Iterator<Item = Text> {
    let links = node.get("links").and_then(Json::as_array).unwrap_or_default();
    links.iter().filter_map(Json::as_text).map(Text::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_red::syntax;

    /// NR-69: links count from either end, and once.
    #[test]
    fn the_lists_of_both_ends_count() {
        let flow = br#"[{"id":"o","type":"link out","z":"t","links":["a","b"]},{"id":"a","type":"link in","z":"t","links":["o"]},
            {"id":"c","type":"link in","z":"t","links":["o"]}]"#;
        let document = syntax::read(flow).unwrap();
        let expected: Vec<Text> = ["a", "b", "c"].map(Text::from).into();
        assert_eq!(targets(document.nodes.iter()).get("o"), Some(&expected));
    }
}
