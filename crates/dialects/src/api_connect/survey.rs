//! What stands in a definition at a glance: its kind, its policies, and what it asks for that it does not have (section 15).

use std::collections::{BTreeMap, BTreeSet};

use plan::Diagnostic;

use super::syntax::{Definition, Gateway};
use super::tree::{Cursor, NodeKind};

/// Properties of the two JWT policies that name variables.
const VARIABLES: [&str; 6] = ["iss-claim", "sub-claim", "aud-claim", "private-claims", "jws-jwk", "jwe-jwk"];
/// Properties in which a step names the variable that it writes.
const WRITTEN: [&str; 6] = ["set", "add", "clear", "jwt", "output-claims", "output"];
/// Where every request brings variables along, or a policy that is not told apart here may leave some (section 12).
const ROOTS: [&str; 16] = [
    "_apimgmt",
    "api",
    "catalog",
    "client",
    "decoded",
    "env",
    "error",
    "generated",
    "jwt-generate",
    "jwt-validate",
    "message",
    "oauth",
    "plan",
    "request",
    "system",
    "user",
];
/// How a property may be named in full.
const PROPERTIES: &str = "api.properties.";

/// A definition at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The gateway that it is written for.
    pub gateway: Gateway,
    /// Whether it is written in OpenAPI 3, else in OpenAPI 2.
    pub is_openapi_3: bool,
    /// Its policies in the order of their names, each with how many steps have it.
    pub policies: BTreeMap<String, usize>,
    /// The crypto objects that it names and that no key is bound to.
    pub crypto_unbound: BTreeSet<String>,
    /// The properties and variables that it reads and that nothing sets.
    pub unset: BTreeSet<String>,
    /// The steps that do not run here.
    pub unsupported: Vec<Unsupported>,
}

/// A step that does not run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Its policy.
    pub policy: String,
    /// Its title; empty if it has none.
    pub title: String,
    /// The JSON pointer (RFC 6901) to it.
    pub pointer: String,
}

impl Survey {
    /// Looks through a definition of which this was told when it was lowered.
    pub(super) fn of(definition: &Definition<'_>, root: &Cursor<'_>, told: &[Diagnostic]) -> Self {
        let coded = |code: &'static str| told.iter().filter(move |told| told.code == code);
        let name = |told: &Diagnostic| root.follow(&told.place.pointer)?.node.scalar_text();
        let mut found = Found::default();
        for part in ["execute", "catch", "finally"] {
            definition.assembly.as_ref().and_then(|assembly| assembly.get(part)).iter().for_each(|at| found.look(at));
        }
        Self {
            gateway: definition.gateway,
            is_openapi_3: definition.is_openapi_3,
            crypto_unbound: coded("crypto_unbound").filter_map(name).collect(),
            unset: found.unset(definition),
            unsupported: coded("policy_unsupported").map(|told| unsupported(root, told)).collect(),
            policies: found.policies,
        }
    }
}

fn unsupported(root: &Cursor<'_>, told: &Diagnostic) -> Unsupported {
    let pointer = told.place.pointer.clone();
    let title = root.follow(&pointer).and_then(|step| step.text("title")).unwrap_or_default();
    Unsupported { policy: told.place.kind.to_string(), title, pointer }
}

/// What the steps of an assembly read and write.
#[derive(Default)]
struct Found {
    policies: BTreeMap<String, usize>,
    read: BTreeSet<String>,
    /// The first parts of names that steps write.
    written: BTreeSet<String>,
    scripts: String,
}

impl Found {
    /// Looks at a list of steps or of clauses, and at whatever stands below it.
    fn look(&mut self, at: &Cursor<'_>) {
        for item in at.items() {
            for (name, block) in item.members() {
                match &block.node.kind {
                    // A clause: its steps stand in a list under its name, or under `execute` beside its condition.
                    NodeKind::List(_) => self.look(&block),
                    NodeKind::Map(_) => self.step(name, &block),
                    NodeKind::Null | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) => {
                        self.references(&block)
                    }
                }
            }
        }
    }

    fn step(&mut self, policy: &str, block: &Cursor<'_>) {
        *self.policies.entry(policy.to_owned()).or_default() += 1;
        let is_token = matches!(policy, "jwt-generate" | "jwt-validate");
        for (name, value) in block.members() {
            match (name, value.node.scalar_text()) {
                ("execute" | "otherwise" | "case", _) => self.look(&value),
                ("source", Some(script)) => self.scripts.push_str(&script),
                (_, Some(variables)) if is_token && VARIABLES.contains(&name) && is_claim(policy, name) => {
                    self.read.extend(variables.split(',').map(|variable| bare(variable).to_owned()));
                }
                _ => self.references(&value),
            }
            self.writes(name, &value);
        }
    }

    /// Every `$(name)` in the texts below.
    fn references(&mut self, at: &Cursor<'_>) {
        for (name, value) in at.members() {
            self.references(&value);
            self.writes(name, &value);
        }
        at.items().iter().for_each(|item| self.references(item));
        let text = at.node.scalar_text().unwrap_or_default();
        let names = text.split("$(").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        self.read.extend(names.map(str::to_owned));
    }

    fn writes(&mut self, name: &str, value: &Cursor<'_>) {
        let variable = WRITTEN.contains(&name).then(|| value.node.scalar_text()).flatten();
        self.written.extend(variable.map(|variable| first(bare(&variable)).to_owned()));
    }

    fn unset(&self, definition: &Definition<'_>) -> BTreeSet<String> {
        let has_value = |name: &str| {
            let is_sealed = definition.sealed.iter().any(|sealed| &*sealed.name == name);
            is_sealed || definition.properties.get(name).is_some_and(|value| !value.is_undefined())
        };
        let is_set = |name: &&String| match name.strip_prefix(PROPERTIES) {
            Some(property) => has_value(property),
            None => has_value(name) || ROOTS.contains(&first(name)) || self.is_written(name),
        };
        self.read.iter().filter(|name| !name.is_empty() && !is_set(name)).cloned().collect()
    }

    /// Whether a step or a script of the assembly may set the variable.
    fn is_written(&self, name: &str) -> bool {
        self.written.contains(first(name)) || self.scripts.contains(first(name))
    }
}

/// Whether the property of that policy names a variable: in `jwt-validate` the claims are patterns.
fn is_claim(policy: &str, property: &str) -> bool {
    policy == "jwt-generate" || matches!(property, "jws-jwk" | "jwe-jwk")
}

/// A name, `$( )` around it left away.
fn bare(name: &str) -> &str {
    let name = name.trim();
    name.strip_prefix("$(").and_then(|inner| inner.strip_suffix(')')).unwrap_or(name)
}

/// The first part of a name.
fn first(name: &str) -> &str {
    name.split(['.', '[']).next().unwrap_or(name)
}
