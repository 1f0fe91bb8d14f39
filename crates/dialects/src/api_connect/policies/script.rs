//! `gatewayscript`: the author's own JavaScript, over the surface of section 11.

use std::sync::{Arc, LazyLock};

use jose::json::write_text;
use plan::{NodeIx, Op, ScriptIx, ScriptPlan, Severity, Text};

use crate::api_connect::lower::{Lowering, Step, Telling};
use crate::api_connect::shape::recognise;

/// The modules that a script may ask for.
const MODULES: [&str; 9] = [
    "apim",
    "./apim.custom.js",
    "local:///isp/policy/apim.custom.js",
    "buffer",
    "url",
    "querystring",
    "util",
    "urlopen",
    "header-metadata",
];
/// Processor time of one call, in milliseconds (security contract, section 5).
const CPU_MS: u32 = 100;

pub(super) fn lower(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "source"]);
    let source = step.block.text("source").unwrap_or_default();
    tell_modules(lowering, step, &source);
    let shape = recognise(&source, &lowering.names);
    let script = script(lowering, step, (source.into(), "{}".into()), 1);
    let op = match shape {
        Some(steps) => Op::Shape { steps, otherwise: script },
        None => Op::Script(script),
    };
    lowering.step(step, op, next)
}

/// Tells of modules that a script asks for and does not get.
fn tell_modules(lowering: &mut Lowering<'_>, step: &Step<'_>, source: &str) {
    for (at, call) in source.match_indices("require(") {
        let argument = source[at + call.len()..].trim_start();
        let Some(mark) = argument.chars().next().filter(|mark| matches!(mark, '"' | '\'')) else { continue };
        let Some((module, _)) = argument[1..].split_once(mark) else { continue };
        if !MODULES.contains(&module) {
            let at = step.block.get("source").unwrap_or_else(|| step.block.clone());
            let message = format!("The script asks for the module `{module}`, which is not available; it fails there.");
            lowering.tell(Severity::Stopped, "module_unsupported", (&at, step.kind), message, "Do without it.");
        }
    }
}

/// A step that leaves by the output of its first expression that is true, or by the last.
pub(super) fn choice(
    lowering: &mut Lowering<'_>,
    step: &Step<'_>,
    expressions: &[String],
    outputs: Vec<Vec<NodeIx>>,
) -> NodeIx {
    let mut facts = b"{\"cases\":[".to_vec();
    for (at, expression) in expressions.iter().enumerate() {
        if at > 0 {
            facts.push(b',');
        }
        write_text(&mut facts, expression);
    }
    facts.extend_from_slice(b"]}");
    let facts = String::from_utf8(facts).expect("the writer writes UTF-8");
    let count = u32::try_from(outputs.len()).expect("a document holds at most 200 000 values");
    let script = script(lowering, step, (Text::default(), facts.into()), count);
    lowering.step_told(step, Op::Script(script), outputs, &Telling::Own)
}

fn script(lowering: &mut Lowering<'_>, step: &Step<'_>, (source, facts): (Text, Text), outputs: u32) -> ScriptIx {
    lowering.add_script(ScriptPlan {
        origin: step.origin,
        surface: surface(),
        reader: surface(),
        source,
        initialize: Text::default(),
        finalize: Text::default(),
        facts,
        outputs,
        cpu_ms: CPU_MS,
        shares: false,
    })
}

fn surface() -> Arc<str> {
    static SURFACE: LazyLock<Arc<str>> = LazyLock::new(|| include!("../surface/whole.in").into());
    Arc::clone(&SURFACE)
}
