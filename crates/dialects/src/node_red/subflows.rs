//! Subflows: every instance becomes a copy of the nodes in its definition, with ids and variables of its own (section 7).

use std::collections::{HashMap, HashSet};

use jose::json::{Object, Value as Json};
use plan::Text;

use super::syntax::{Document, Node, Spot};

/// What the type of an instance begins with, in front of the id of its definition.
pub(super) const INSTANCE: &str = "subflow:";
/// Most nodes that the instances of a document may come to together.
const COPIES_MAX: usize = 100_000;
/// How deep instances may stand in each other.
const NESTED_MAX: usize = 32;

/// Why an instance cannot be made.
pub(super) struct Refused {
    /// The code of the diagnostic.
    pub(super) code: &'static str,
    /// One sentence.
    pub(super) message: String,
    /// The instance.
    pub(super) spot: Spot,
}

/// Puts the nodes of each instance behind it. What cannot be made comes back beside the document.
pub(super) fn inline(mut document: Document) -> (Document, Vec<Refused>) {
    let of_kind = |kind: &'static str| document.nodes.iter().filter(move |node| &*node.kind == kind);
    let definitions: HashMap<Text, Node> = of_kind("subflow").map(|node| (node.id.clone(), node.clone())).collect();
    if definitions.is_empty() {
        return (document, Vec::new());
    }
    let mut inner: HashMap<Text, Vec<Node>> = HashMap::new();
    for node in document.nodes.iter().filter(|node| node.placed && definitions.contains_key(&node.section)) {
        inner.entry(node.section.clone()).or_default().push(node.clone());
    }
    let mut inliner = Inliner { definitions, inner, nodes: Vec::new(), copies: 0, refused: Vec::new() };
    for node in std::mem::take(&mut document.nodes) {
        if inliner.definitions.contains_key(&node.section) {
            inliner.nodes.push(node);
        } else {
            inliner.add(node, &mut Vec::new());
        }
    }
    document.nodes = inliner.nodes;
    (document, inliner.refused)
}

struct Inliner {
    definitions: HashMap<Text, Node>,
    /// The nodes of each definition.
    inner: HashMap<Text, Vec<Node>>,
    nodes: Vec<Node>,
    copies: usize,
    refused: Vec<Refused>,
}

impl Inliner {
    /// Adds a node; behind an instance its copies, those of instances within it included.
    fn add(&mut self, node: Node, within: &mut Vec<Text>) {
        let definition = node.kind.strip_prefix(INSTANCE).and_then(|id| self.definitions.get(id)).cloned();
        let Some(definition) = definition.filter(|_| !node.disabled) else { return self.nodes.push(node) };
        if within.contains(&definition.id) {
            let message = format!("The subflow `{}` contains itself.", definition.id);
            return self.refuse("subflow_recursive", message, &node);
        }
        self.copies += self.inner.get(&definition.id).map_or(0, Vec::len);
        if self.copies > COPIES_MAX || within.len() >= NESTED_MAX {
            let message = format!(
                "The instances of subflows come to more than {COPIES_MAX} nodes, or stand more than {NESTED_MAX} deep in each other."
            );
            return self.refuse("subflow_too_large", message, &node);
        }
        let inner = self.inner.get(&definition.id).cloned().unwrap_or_default();
        let (instance, copies) = instantiate(node, &definition, inner);
        self.nodes.push(instance);
        within.push(definition.id);
        for copy in copies {
            self.add(copy, within);
        }
        within.pop();
    }

    fn refuse(&mut self, code: &'static str, message: String, node: &Node) {
        if self.refused.is_empty() {
            self.refused.push(Refused { code, message, spot: node.spot() });
        }
    }
}

/// The instance, wired to the copies that messages enter at, and the copies, wired to what the instance leads to.
fn instantiate(mut instance: Node, definition: &Node, inner: Vec<Node>) -> (Node, Vec<Node>) {
    let ids: HashSet<Text> = inner.iter().map(|node| node.id.clone()).collect();
    let own = |id: &Text| if ids.contains(id) { format!("{}-{id}", instance.id).into() } else { id.clone() };
    let mut copies: Vec<Node> = inner.into_iter().map(|node| copied(node, &instance.id, &own)).collect();
    let mut entered: Vec<Text> = ends(definition, "in").first().into_iter().flatten().map(|(id, _)| own(id)).collect();
    for (output, sources) in ends(definition, "out").iter().enumerate() {
        let targets = instance.wires.get(output).cloned().unwrap_or_default();
        for (id, port) in sources {
            if *id == definition.id {
                entered.extend(targets.iter().cloned());
            } else if let Some(copy) = copies.iter_mut().find(|copy| copy.id == own(id)) {
                copy.wires.resize(copy.wires.len().max(port + 1), Vec::new());
                copy.wires[*port].extend(targets.iter().cloned());
            }
        }
    }
    instance.wires = vec![entered];
    let variables = variables(definition, &instance);
    instance.set("env", variables);
    (instance, copies)
}

fn copied(mut node: Node, instance: &Text, own: &impl Fn(&Text) -> Text) -> Node {
    node.id = own(&node.id);
    node.section = instance.clone();
    node.group = own(&node.group);
    node.wires.iter_mut().flatten().for_each(|id| *id = own(id));
    node.credentials = Object::new();
    for list in ["scope", "links"] {
        let Some(Json::Array(ids)) = node.get(list) else { continue };
        let owned = |id: &Json| id.as_text().map_or_else(|| id.clone(), |id| Json::Text(own(&id.into()).to_string()));
        let ids = Json::Array(ids.iter().map(owned).collect());
        node.set(list, ids);
    }
    node
}

/// The inner ends of a definition's inputs or outputs: for each, nodes with one of their ports.
fn ends(definition: &Node, of: &str) -> Vec<Vec<(Text, usize)>> {
    /// Ports beyond this are no ports of any node.
    const PORT_MAX: usize = 1_000;
    let end = |wire: &Json| {
        let wire = wire.as_object()?;
        let port = wire.get("port").and_then(Json::as_number).and_then(|port| port.parse().ok()).unwrap_or(0);
        Some((wire.get("id")?.as_text()?.into(), port)).filter(|(_, port)| *port <= PORT_MAX)
    };
    let wires =
        |entry: &Json| entry.as_object()?.get("wires")?.as_array().map(|all| all.iter().filter_map(end).collect());
    let entries = definition.get(of).and_then(Json::as_array).unwrap_or_default();
    entries.iter().map(|entry| wires(entry).unwrap_or_default()).collect()
}

/// The variables of the instance: its own, and those of the definition that it does not override.
fn variables(definition: &Node, instance: &Node) -> Json {
    let list = |node: &Node| node.get("env").and_then(Json::as_array).unwrap_or_default().to_vec();
    let name = |entry: &Json| entry.as_object().and_then(|entry| entry.get("name")).cloned();
    let own = list(instance);
    let inherited = list(definition).into_iter().filter(|entry| own.iter().all(|other| name(other) != name(entry)));
    Json::Array(inherited.chain(own.iter().cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_red::syntax;

    /// Definitions `s0` to `s<depth>`, each with this many instances of the next, and one instance of the first.
    fn nested(depth: usize, width: usize) -> String {
        let mut nodes = vec![r#"{"id":"i","type":"subflow:s0","z":"t","x":1,"y":1,"wires":[]}"#.to_owned()];
        for level in 0..=depth {
            nodes.push(format!(r#"{{"id":"s{level}","type":"subflow","in":[],"out":[]}}"#));
            let instance =
                |at| format!(r#"{{"id":"n{level}-{at}","type":"subflow:s{}","z":"s{level}","x":1,"y":1}}"#, level + 1);
            nodes.extend((0..width).filter(|_| level < depth).map(instance));
        }
        format!("[{}]", nodes.join(","))
    }

    fn refused(flow: &str) -> Vec<&'static str> {
        let (_, refused) = inline(syntax::read(flow.as_bytes()).unwrap());
        refused.into_iter().map(|refused| refused.code).collect()
    }

    /// NR-52: instances within instances are made, up to a bound in number and in depth.
    #[test]
    fn instances_are_bounded() {
        assert_eq!(refused(&nested(NESTED_MAX - 1, 1)), [""; 0]);
        assert_eq!(refused(&nested(NESTED_MAX, 1)), ["subflow_too_large"]);
        assert_eq!(refused(&nested(6, 10)), ["subflow_too_large"]);
    }
}
