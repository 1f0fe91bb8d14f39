//! Environment variables of a flow: who defines them, and what `${NAME}` in a property becomes (section 7).

use std::collections::{BTreeMap, HashMap};

use jose::json::{Limits, Value as Json};

use super::subflows::INSTANCE;
use super::syntax::{Document, Node};

/// Variables of Chancery itself; no flow sees them.
const HIDDEN_PREFIX: &str = "CHANCERY_";
/// How often a variable may lead to another one.
const REFERENCES_MAX: u8 = 16;
/// The variables that say where a node stands.
const BUILT_IN: [&str; 9] = [
    "NR_SUBFLOW_ID",
    "NR_SUBFLOW_NAME",
    "NR_NODE_ID",
    "NR_NODE_NAME",
    "NR_NODE_PATH",
    "NR_FLOW_ID",
    "NR_FLOW_NAME",
    "NR_GROUP_ID",
    "NR_GROUP_NAME",
];
/// Properties that are never substituted: they say what the node is.
const FIXED: [&str; 5] = ["id", "type", "z", "g", "wires"];

/// The variables that the nodes of a document see.
pub(super) struct Environment<'d> {
    process: &'d BTreeMap<String, String>,
    scopes: HashMap<&'d str, &'d Node>,
}

/// The name in a text that is wholly `${NAME}` or `$(NAME)`.
pub fn reference(text: &str) -> Option<&str> {
    let braced = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains('}'));
    let round = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    let round = round.filter(|name| !name.contains(char::is_whitespace));
    braced.or(round).filter(|name| !name.is_empty())
}

impl<'d> Environment<'d> {
    /// The variables of a document over those of the process.
    pub(super) fn of(document: &'d Document, process: &'d BTreeMap<String, String>) -> Self {
        let scopes = document
            .nodes
            .iter()
            .filter(|node| matches!(&*node.kind, "tab" | "group") || node.kind.starts_with(INSTANCE));
        Self { process, scopes: scopes.map(|node| (&*node.id, node)).collect() }
    }

    /// The node with every property that is wholly a reference to a set variable replaced by its value.
    pub(super) fn resolve(&self, node: &Node) -> Node {
        let mut resolved = node.clone();
        for property in resolved.properties.iter_mut().filter(|property| !FIXED.contains(&&*property.name)) {
            self.substitute(node, &mut property.value);
        }
        resolved.name = resolved.text("name").into();
        resolved
    }

    /// All variables that the node sees, the nearest definition of each; `$parent.` leads one scope further out.
    pub(super) fn visible(&self, node: &Node) -> BTreeMap<String, Json> {
        let chain = self.chain(node);
        let mut all = BTreeMap::new();
        for outer in 0..=chain.len() {
            let prefix = "$parent.".repeat(outer);
            let seen = self.seen_through(node, &chain[outer..]);
            all.extend(seen.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
        }
        let built_in = BUILT_IN.iter().filter_map(|name| Some((*name, self.built_in(node, name)?)));
        all.extend(built_in.map(|(name, text)| (name.to_owned(), Json::Text(text))));
        all
    }

    /// What is seen through these scopes, the nearest first, and beyond them in the process.
    fn seen_through(&self, node: &Node, chain: &[&Node]) -> BTreeMap<String, Json> {
        let shown = self.process.iter().filter(|(name, _)| !name.starts_with(HIDDEN_PREFIX));
        let mut all: BTreeMap<_, _> = shown.map(|(name, text)| (name.clone(), Json::Text(text.clone()))).collect();
        for scope in chain.iter().rev() {
            for (name, entry) in entries(scope) {
                all.extend(self.value(node, entry, REFERENCES_MAX).map(|value| (name.to_owned(), value)));
            }
        }
        all
    }

    fn substitute(&self, node: &Node, value: &mut Json) {
        match value {
            Json::Text(text) => {
                if let Some(found) = reference(text).and_then(|name| self.lookup(node, name, REFERENCES_MAX)) {
                    *value = found;
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.substitute(node, item)),
            Json::Object(members) => {
                *members =
                    std::mem::take(members).into_iter().fold(Default::default(), |mut all, (name, mut value)| {
                        self.substitute(node, &mut value);
                        let _none = jose::json::Object::insert(&mut all, name, value);
                        all
                    });
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn lookup(&self, node: &Node, name: &str, references_left: u8) -> Option<Json> {
        if let Some(built_in) = self.built_in(node, name) {
            return Some(Json::Text(built_in));
        }
        let mut chain = &self.chain(node)[..];
        let mut name = name;
        while let Some(outer) = name.strip_prefix("$parent.") {
            chain = chain.get(1..).unwrap_or_default();
            name = outer;
        }
        let found = chain.iter().find_map(|scope| entries(scope).find(|(own, _)| *own == name));
        match found {
            Some((_, entry)) => self.value(node, entry, references_left),
            None => self.process.get(name).filter(|_| !name.starts_with(HIDDEN_PREFIX)).cloned().map(Json::Text),
        }
    }

    fn built_in(&self, node: &Node, name: &str) -> Option<String> {
        let group = || self.scopes.get(&*node.group);
        let subflow = || self.scopes.get(&*node.section).filter(|scope| scope.kind.starts_with(INSTANCE));
        let text = match name {
            "NR_NODE_ID" => node.id.to_string(),
            "NR_NODE_NAME" => node.name.to_string(),
            "NR_NODE_PATH" => path(node),
            "NR_FLOW_ID" => node.section.to_string(),
            "NR_FLOW_NAME" => self.scopes.get(&*node.section)?.text("label").to_owned(),
            "NR_SUBFLOW_ID" => subflow()?.id.to_string(),
            "NR_SUBFLOW_NAME" => subflow()?.name.to_string(),
            "NR_GROUP_ID" => group()?.id.to_string(),
            "NR_GROUP_NAME" => group()?.name.to_string(),
            _ => return None,
        };
        Some(text)
    }

    /// The scopes around a node, the nearest first: groups, then the tab, or the instance and what stands around it.
    fn chain(&self, node: &Node) -> Vec<&'d Node> {
        let mut chain: Vec<&Node> = Vec::new();
        let (mut group, mut section) = (&*node.group, &*node.section);
        loop {
            let new = |scope: &&&'d Node| !chain.iter().any(|seen| seen.id == scope.id);
            if let Some(scope) = self.scopes.get(group).filter(new) {
                chain.push(scope);
                group = &scope.group;
            } else if let Some(scope) = self.scopes.get(section).filter(new) {
                chain.push(scope);
                (group, section) = (&scope.group, &scope.section);
            } else {
                return chain;
            }
        }
    }

    /// What an entry `{name, type, value}` of an `env` list holds.
    fn value(&self, node: &Node, entry: &jose::json::Object, references_left: u8) -> Option<Json> {
        let value = entry.get("value")?;
        let text = value.as_text();
        match (entry.get("type").and_then(Json::as_text).unwrap_or("str"), text) {
            ("bool", Some(text)) => Some(Json::Bool(text == "true")),
            ("num" | "json", Some(text)) => Json::parse(text.as_bytes(), Limits::REQUEST).ok(),
            ("env", Some(name)) => self.lookup(node, name, references_left.checked_sub(1)?),
            (_, _) => Some(value.clone()),
        }
    }
}

/// The path that Node-RED gives a node: its tab and its id.
pub(super) fn path(node: &Node) -> String {
    format!("{}/{}", node.section, node.id)
}

fn entries(scope: &Node) -> impl Iterator<Item = (&str, &jose::json::Object)> {
    let list = scope.get("env").and_then(Json::as_array).unwrap_or_default();
    let objects = list.iter().filter_map(Json::as_object);
    objects.filter_map(|entry| Some((entry.get("name")?.as_text()?, entry)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_red::syntax;

    const FLOW: &str = r#"[
        {"id":"t","type":"tab","label":"Tab","env":[{"name":"A","value":"tab","type":"str"},{"name":"N","value":"7","type":"num"}]},
        {"id":"g","type":"group","z":"t","name":"Group","env":[{"name":"A","value":"group","type":"str"},{"name":"L","value":"L","type":"env"}]},
        {"id":"n","type":"x","z":"t","g":"g","name":"Node","a":"${A}","b":"$(A)","c":"x${A}","d2":"${$parent.A}","e":["${N}",{"f":"${P}"}],
         "g2":"${CHANCERY_X}","h":"${NR_FLOW_NAME}/","i":"${NR_NODE_PATH}","j":"${NR_GROUP_NAME}","k":"${UNSET}","l":"${L}"}]"#;

    fn resolved() -> Node {
        let process = [("P", "process"), ("CHANCERY_X", "hidden"), ("A", "outer")];
        let process = process.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let document = syntax::read(FLOW.as_bytes()).unwrap();
        Environment::of(&document, &process).resolve(&document.nodes[2])
    }

    fn shown(node: &Node, name: &str) -> String {
        let mut out = Vec::new();
        jose::json::write_value(&mut out, node.get(name).unwrap());
        String::from_utf8(out).unwrap()
    }

    /// NR-50: group, tab, parent and process; what is unset or embedded stays. NR-51: own variables are hidden.
    #[test]
    fn whole_references_become_the_nearest_value() {
        let node = resolved();
        let expected = [
            ("a", r#""group""#),
            ("b", r#""group""#),
            ("c", r#""x${A}""#),
            ("d2", r#""tab""#),
            ("e", r#"[7,{"f":"process"}]"#),
            ("g2", r#""${CHANCERY_X}""#),
            ("h", r#""${NR_FLOW_NAME}/""#),
            ("i", r#""t/n""#),
            ("j", r#""Group""#),
            ("k", r#""${UNSET}""#),
            ("l", r#""${L}""#),
        ];
        for (name, value) in expected {
            assert_eq!(shown(&node, name), value, "{name}");
        }
    }

    #[test]
    fn a_node_sees_the_nearest_definition_and_those_further_out() {
        let process =
            [("A", "outer"), ("CHANCERY_X", "hidden")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let document = syntax::read(FLOW.as_bytes()).unwrap();
        let seen = Environment::of(&document, &process).visible(&document.nodes[2]);
        let text = |name: &str| seen.get(name).and_then(Json::as_text);
        assert_eq!(text("A"), Some("group"));
        assert_eq!(text("$parent.A"), Some("tab"));
        assert_eq!(text("$parent.$parent.A"), Some("outer"));
        assert_eq!(text("NR_FLOW_NAME"), Some("Tab"));
        assert_eq!(text("CHANCERY_X"), None);
        assert_eq!(seen.get("N"), Some(&Json::Number("7".to_owned())));
    }

    #[test]
    fn a_reference_is_the_whole_text_or_none() {
        assert_eq!(reference("${JWT_SECRET}"), Some("JWT_SECRET"));
        assert_eq!(reference("$(JWT_SECRET)"), Some("JWT_SECRET"));
        for literal in ["pre${JWT_SECRET}", "${JWT_SECRET} ", "$JWT_SECRET", "${}", "$()", "${A}${B}", "$(A B)"] {
            assert_eq!(reference(literal), None, "{literal}");
        }
    }
}
