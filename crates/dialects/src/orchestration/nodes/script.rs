//! `script`: the author's own JavaScript, which leaves by the exit that it names (section 8).

use std::sync::{Arc, LazyLock};

use jose::json::write_text;
use plan::{Expr, Op, Path, ScriptPlan, Severity, ShapeStep, Text};

use super::NodeType;
use crate::orchestration::lower::{Live, Lowering};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};
use crate::token_form::{Form, saved_in};

/// The modules that a script may ask for.
const MODULES: &[&str] = &["buffer", "url"];
const OUTPUTS_MAX: usize = 50;
const FAILURE: &str = "Failure";
/// The longest source, in octets (security contract, section 5).
const SOURCE_BYTES_MAX: usize = 256 << 10;
/// Processor time of one call, in milliseconds (security contract, section 5).
const CPU_MS: u32 = 100;
/// The member of the message that holds what a script called back with; no variable may have its name.
const DATA: &str = ".script";

pub(super) const TYPE: NodeType = NodeType {
    label: "Backend - Script",
    spec: NodeSpec {
        kind: "script",
        category: "backend",
        colour: "#b5894a",
        summary: "Runs a script in a sandbox, which leaves by `callback({output, data})`.",
        inputs: 1,
        outputs: Outputs::Field("outputs"),
        fields: &[
            FieldSpec::new(
                "scriptUrl",
                "Script execution URL",
                "Where the vendor runs scripts; they run here.",
                FieldKind::Text(""),
            ),
            FieldSpec::new("script", "Script", "The program; it reads `variables`.", FieldKind::Script),
            FieldSpec::new("modules", "Available Node modules", "`buffer` and `url`.", FieldKind::Texts),
            FieldSpec::new("outputs", "Variable Output Table", "The exits that it may name.", FieldKind::Texts),
            FieldSpec::new(
                "save/variable",
                "Variable name",
                "The variable its data is saved in.",
                FieldKind::Text("script"),
            ),
            FieldSpec::new(
                "save/frontend",
                "Available to the frontend",
                "Whether front-end nodes may read it.",
                FieldKind::Flag(false),
            ),
        ],
    },
    lower,
};

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    let told = lowering.told();
    let mut config = live.config(told);
    if config.text("scriptUrl").is_some_and(|url| !url.is_empty()) {
        let message = "Scripts run here, so nothing is asked at the script execution URL.";
        told.tell(Severity::Warning, "script_url_unused", &config.at("scriptUrl"), message, "Leave it out.");
    }
    let (source, at) = (config.text("script").unwrap_or_default(), config.at("script"));
    if source.trim().is_empty() || source.len() > SOURCE_BYTES_MAX {
        let message = format!("A script of 1 to {SOURCE_BYTES_MAX} octets is needed.");
        told.refuse("value_illegal", &at, message, "Write one that ends in `callback({output: …, data: …})`.");
    }
    let modules = names(&mut config, "modules", |name| MODULES.contains(&name));
    let outputs = names(&mut config, "outputs", |name| !name.is_empty() && name != FAILURE);
    if outputs.is_empty() {
        let message = "The script has no exit that it could name.";
        told.refuse("value_illegal", &config.at("outputs"), message, "Name one or more.");
    }
    let data = Expr::Message(Path::keys([DATA]));
    let mut steps = match config.object("save") {
        Some(mut save) => {
            let steps = saved_in(&mut save, "script", data);
            save.close();
            steps
        }
        None => vec![ShapeStep::Set(Path::keys(["script"]), data)],
    };
    steps.push(ShapeStep::Delete(Path::keys([DATA])));
    config.close();
    exits(lowering, live, (source, &modules, &outputs), &steps);
}

/// One way on for each exit that the script may name; each saves the data first.
fn exits<'d>(
    lowering: &mut Lowering<'d>,
    live: &Live<'_, 'd>,
    (source, modules, outputs): (&str, &[&str], &[&str]),
    steps: &[ShapeStep],
) {
    let known: Vec<&str> = outputs.iter().copied().chain([FAILURE]).collect();
    lowering.check_exits(live, &known);
    let badly = lowering.exit(live, FAILURE);
    let failing = lowering.failing(live, badly);
    let mut ways = Vec::new();
    for name in outputs {
        let way = lowering.exit(live, name);
        let save = Op::Assign(steps.to_vec());
        ways.push(vec![lowering.add(save, live.origin, vec![vec![way]], failing.clone())]);
    }
    let script = lowering.script(ScriptPlan {
        origin: live.origin,
        surface: surface(),
        reader: surface(),
        source: source.into(),
        initialize: Text::default(),
        finalize: Text::default(),
        facts: facts(modules, outputs),
        outputs: u32::try_from(outputs.len()).unwrap_or(u32::MAX),
        cpu_ms: CPU_MS,
        shares: false,
    });
    lowering.put(live, Op::Script(script), ways, failing);
}

/// A list of different texts, each of which is one that is taken here.
fn names<'d>(config: &mut Form<'d>, member: &'static str, is_taken: impl Fn(&str) -> bool) -> Vec<&'d str> {
    let (told, mut found) = (config.told(), Vec::new());
    for (item, at) in config.list(member, OUTPUTS_MAX) {
        match item.as_text().filter(|name| is_taken(name) && !found.contains(name)) {
            Some(name) => found.push(name),
            None => {
                let hint =
                    if member == "modules" { "Known are `buffer` and `url`." } else { "`Failure` is there anyway." };
                told.refuse("value_illegal", &at, "This name is not taken here, or stands there twice.", hint);
            }
        }
    }
    found
}

/// What the surface is told about the node.
fn facts(modules: &[&str], outputs: &[&str]) -> Text {
    let mut facts = Vec::new();
    for (opening, names) in [(&b"{\"exits\":["[..], outputs), (b"],\"modules\":[", modules)] {
        facts.extend_from_slice(opening);
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                facts.push(b',');
            }
            write_text(&mut facts, name);
        }
    }
    facts.extend_from_slice(b"]}");
    String::from_utf8(facts).expect("the writer writes UTF-8").into()
}

fn surface() -> Arc<str> {
    static SURFACE: LazyLock<Arc<str>> = LazyLock::new(|| include!("../surface/whole.in").into());
    Arc::clone(&SURFACE)
}
