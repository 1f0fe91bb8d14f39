//! `join`: makes one message of a sequence, by what `split` told of it or by its own settings.

use jose::json::{Limits, Object, Value as Json, write_value};
use plan::{Op, ScriptPlan};

use super::split::unescaped;
use super::{Lower, NodeType, function};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::number::{number_of, number_text};
use crate::node_red::property;
use crate::node_red::surface;
use crate::node_red::syntax::Node;
use crate::node_red::typed::Unfit;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// Processor time of one message.
const CPU_MS: u32 = 10_000;
/// The longest time that a timer holds, in milliseconds.
const WAIT_MS_MAX: f64 = 2_147_483_647.0;
/// What is done with each message.
const JOIN: &str = include_str!("../surface/join.js");

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "join",
        category: "sequence",
        colour: "#E2D96E",
        summary: "Makes one message of a sequence of messages.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: FIELDS,
    },
    lower: Lower::Op(lower),
};

const FIELDS: &[FieldSpec] = &[
    FieldSpec::NAME,
    FieldSpec::new(
        "mode",
        "Mode",
        "What says which messages belong together.",
        FieldKind::Choice(&[("auto", "automatic"), ("custom", "manual"), ("reduce", "reduce sequence (not served)")]),
    ),
    FieldSpec::new(
        "build",
        "To create",
        "What the messages become.",
        FieldKind::Choice(&[
            ("array", "a list"),
            ("string", "a text"),
            ("object", "an object of named values"),
            ("buffer", "octets"),
            ("merged", "a merged object"),
        ]),
    ),
    FieldSpec::text("property", "Combine each", "What of each message is put together.", "payload"),
    FieldSpec::new(
        "propertyType",
        "Combine",
        "Whether that is a property or the complete message.",
        FieldKind::Choice(&[("msg", "a property"), ("full", "the complete message")]),
    ),
    FieldSpec::text("key", "Using the value of", "Where the name of a value stands.", "topic"),
    FieldSpec::text("joiner", "Joined using", "What stands between pieces of a text or octets.", "\\n"),
    FieldSpec::new(
        "joinerType",
        "Joined using a",
        "How that is written.",
        FieldKind::Choice(&[("str", "text"), ("bin", "list of octets")]),
    ),
    FieldSpec::flag(
        "useparts",
        "Use existing msg.parts",
        "Whether what the messages tell of their sequence counts.",
        true,
    ),
    FieldSpec::flag(
        "accumulate",
        "And every subsequent message",
        "Whether what was put together is kept for the next one.",
        false,
    ),
    FieldSpec::text("count", "After so many parts", "How many make a message; empty for what the messages tell.", ""),
    FieldSpec::text("timeout", "After a timeout", "Seconds from the first message; empty for none.", ""),
];

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let settings = match settings(node) {
        Ok(settings) => settings,
        Err((property, unfit)) => return Op::Raise(*unfit.tell(lowering, node, property)),
    };
    let mut written = Vec::new();
    write_value(&mut written, &Json::Object(settings));
    let settings = String::from_utf8_lossy(&written);
    let facts = function::facts(lowering, live, None);
    Op::Script(lowering.add_script(ScriptPlan {
        origin: live.origin,
        surface: surface::plain(),
        reader: surface::reader(),
        source: "return globalThis.join(msg, node, setTimeout);".into(),
        initialize: format!("globalThis.join = {}({settings});", JOIN.trim_end()).into(),
        finalize: "".into(),
        facts,
        outputs: 1,
        cpu_ms: CPU_MS,
        shares: true,
    }))
}

/// The settings as the script takes them.
fn settings(node: &Node) -> Result<Object, (&'static str, Unfit)> {
    let or = |name, usual| Some(node.text(name)).filter(|text| !text.is_empty()).unwrap_or(usual);
    let mode = or("mode", "auto");
    if mode == "reduce" {
        let message = "Sequences are not reduced by an expression here.".to_owned();
        return Err(("mode", Unfit { code: "join_reduce", message }));
    }
    let is_whole = node.text("propertyType") == "full";
    let place = if is_whole { "payload" } else { or("property", "payload") };
    let key = or("key", "topic");
    for (name, path) in [("property", place), ("key", key)] {
        let fault = || (name, Unfit::value(format!("`{path}` is no path to a property.")));
        property::way(path).ok_or_else(fault)?;
    }
    let wait_ms = if mode == "auto" { 0.0 } else { number_of(node.get("timeout")).unwrap_or(0.0) * 1_000.0 };
    let text = |text: &str| Json::Text(text.to_owned());
    let number = |number: f64| Json::Number(number_text(number));
    let mut settings = Object::new();
    for (name, value) in [
        ("auto", Json::Bool(mode == "auto")),
        ("named", Json::Bool(mode == "custom")),
        ("whole", Json::Bool(is_whole)),
        ("property", text(place)),
        ("key", text(key)),
        ("build", text(or("build", "array"))),
        ("count", number(number_of(node.get("count")).unwrap_or(0.0))),
        ("inherits", Json::Bool(node.get("count").and_then(Json::as_text) == Some(""))),
        ("useParts", Json::Bool(node.get("useparts").is_none() || node.flag("useparts"))),
        ("accumulate", Json::Bool(node.flag("accumulate"))),
        ("wait_ms", number(wait_ms.clamp(0.0, WAIT_MS_MAX))),
        joiner(node).map_err(|unfit| ("joiner", unfit))?,
    ] {
        let _none = settings.insert(name.to_owned(), value);
    }
    Ok(settings)
}

/// What stands between pieces: a text, or the list of its octets.
fn joiner(node: &Node) -> Result<(&'static str, Json), Unfit> {
    let written = node.text("joiner");
    match node.text("joinerType") {
        "" | "str" => Ok(("joiner", Json::Text(unescaped(written)))),
        "bin" => match Json::parse(if written.is_empty() { b"[]" } else { written.as_bytes() }, Limits::DOCUMENT) {
            Ok(octets @ Json::Array(_)) => Ok(("octets", octets)),
            Ok(_) | Err(_) => Err(Unfit::value(format!("`{written}` is no list of octets."))),
        },
        _ => Ok(("joiner", Json::Text(written.to_owned()))),
    }
}
