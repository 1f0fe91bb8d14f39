//! `function`: the author's own JavaScript (section 12).

use jose::json::{Object, Value as Json, write_value};
use plan::{Op, ScriptPlan, Text};

use super::{Lower, NodeType, Obstacle};
use crate::node_red::environment;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::number::{milliseconds_of, number_of};
use crate::node_red::shape;
use crate::node_red::surface;
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// Processor time of one call if the node sets none.
const CPU_MS: u32 = 10_000;
/// The most processor time that a node may set for one call.
const CPU_MS_MAX: u32 = 120_000;
/// Most outputs that a function may have.
const OUTPUTS_MAX: f64 = 1_000.0;
/// The modules that come with the surface.
const MODULES: [&str; 3] = ["crypto", "node:crypto", "jsonwebtoken"];

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "function",
        category: "function",
        colour: "#fdd0a2",
        summary: "Runs JavaScript on each message.",
        inputs: 1,
        outputs: Outputs::Field("outputs"),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "func",
                "On Message",
                "The body of a function that is called with each message as `msg`.",
                FieldKind::Script,
            ),
            FieldSpec::new("initialize", "On Start", "Runs before the first message.", FieldKind::Script),
            FieldSpec::new("finalize", "On Stop", "Runs when the flow is taken away.", FieldKind::Script),
            FieldSpec::new("outputs", "Outputs", "How many outputs there are.", FieldKind::Number(1)),
            FieldSpec::new(
                "timeout",
                "Timeout",
                "Seconds of processor time for one message; 0 for the usual 10.",
                FieldKind::Number(0),
            ),
            FieldSpec::new(
                "libs",
                "Modules",
                "Modules that the function uses, each with the name it has there.",
                FieldKind::Assignments,
            ),
        ],
    },
    lower: Lower::Op(lower),
};

/// A function that asks for a module which is not there stops its tab (section 16).
pub(super) fn obstacle(node: &Node) -> Option<Obstacle> {
    let missing = libs(node).find(|lib| !MODULES.contains(&lib.module))?;
    Some(Obstacle {
        code: "missing_module",
        message: format!("The function asks for the module `{}`, which is not available here", missing.module),
        hint: "`crypto` and `jsonwebtoken` are. Remove the module from the function, or disable the node.",
    })
}

/// A module that a function asks for, and the name that it shall have there.
struct Lib<'n> {
    name: &'n str,
    module: &'n str,
}

/// What the function asks for; a module without a name, or a name without a module, asks for nothing.
fn libs(node: &Node) -> impl Iterator<Item = Lib<'_>> {
    let libs = node.get("libs").and_then(Json::as_array).unwrap_or_default();
    libs.iter().filter_map(Json::as_object).filter_map(|lib| {
        let text = |name| lib.get(name).and_then(Json::as_text).filter(|text| !text.is_empty());
        Some(Lib { name: text("var")?, module: text("module")? })
    })
}

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let outputs = number_of(node.get("outputs")).filter(|count| (0.0..=OUTPUTS_MAX).contains(count)).unwrap_or(1.0);
    let cpu_ms = milliseconds_of(node.get("timeout")).map_or(CPU_MS, |ms| u32::try_from(ms).unwrap_or(CPU_MS_MAX));
    // What runs before the first message may hold it back, so only a body that stands alone is looked at.
    let alone = ["initialize", "finalize"].iter().all(|name| node.text(name).trim().is_empty());
    let steps = shape::recognise(node.text("func")).filter(|_| alone && outputs >= 1.0);
    // Behind the author's own outputs. A body that only shapes data answers nobody.
    let answers = (steps.is_none() && mentions(node, "res")).then(|| node.wires.len().max(outputs as usize));
    if let Some(output) = answers {
        lowering.answer_by_hand(live, output);
    }
    let script = lowering.add_script(ScriptPlan {
        origin: live.origin,
        // Reading the modules costs each function time and memory, so only those get them that can reach them.
        surface: if libs(node).next().is_some() || mentions(node, "global") {
            surface::with_modules()
        } else {
            surface::plain()
        },
        reader: surface::reader(),
        source: node.text("func").into(),
        initialize: node.text("initialize").into(),
        finalize: node.text("finalize").into(),
        facts: facts(lowering, live, answers),
        outputs: outputs as u32,
        cpu_ms: cpu_ms.min(CPU_MS_MAX),
        shares: ["flow", "global", "context"].iter().any(|word| mentions(node, word)),
    });
    match steps {
        Some(steps) => Op::Shape { steps, otherwise: script },
        None => Op::Script(script),
    }
}

/// Whether any of the node's scripts holds this word: without it, they cannot name what it names.
fn mentions(node: &Node, word: &str) -> bool {
    ["func", "initialize", "finalize"].iter().any(|name| node.text(name).contains(word))
}

/// What the surface is told: `{id, name?, path, env?, libs?, complete?, answers?}`. The variables come along only if the
/// source may ask, `complete` only if somebody hears of completed messages, `answers` only if it may answer by itself.
pub(super) fn facts(lowering: &Lowering<'_>, live: &Live, answers: Option<usize>) -> Text {
    let node = &live.node;
    let mut facts = Object::new();
    let mut add = |name: &str, value| {
        let _none = facts.insert(name.to_owned(), value);
    };
    add("id", Json::Text(node.id.to_string()));
    if !node.name.is_empty() {
        add("name", Json::Text(node.name.to_string()));
    }
    add("path", Json::Text(environment::path(node)));
    if mentions(node, "env") {
        let mut variables = Object::new();
        for (name, value) in lowering.variables(node) {
            let _none = variables.insert(name, value);
        }
        add("env", Json::Object(variables));
    }
    let modules: Vec<Json> = libs(node).map(|lib| described(&lib)).collect();
    if !modules.is_empty() {
        add("libs", Json::Array(modules));
    }
    if !live.handling.on_done.0.is_empty() {
        add("complete", Json::Bool(true));
    }
    if let Some(output) = answers {
        add("answers", Json::Number(output.to_string()));
    }
    let mut text = Vec::new();
    write_value(&mut text, &Json::Object(facts));
    String::from_utf8(text).expect("the writer writes UTF-8").into()
}

/// `{var, module}`, as the document has it.
fn described(lib: &Lib<'_>) -> Json {
    let mut members = Object::new();
    for (name, value) in [("var", lib.name), ("module", lib.module)] {
        let _none = members.insert(name.to_owned(), Json::Text(value.to_owned()));
    }
    Json::Object(members)
}
