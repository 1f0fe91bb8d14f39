//! `delay`: holds messages back, by time or by pace (section 16).

use plan::{Fault, FaultKind, HoldMembers, HoldMode, HoldPlan, Op};

use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::number::number_of;
use crate::node_red::syntax::Node;
use crate::node_red::typed::Unfit;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

const UNITS: FieldKind = FieldKind::Choice(&[
    ("milliseconds", "Milliseconds"),
    ("seconds", "Seconds"),
    ("minutes", "Minutes"),
    ("hours", "Hours"),
    ("days", "Days"),
]);

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "delay",
        category: "function",
        colour: "#e6e0f8",
        summary: "Holds messages back for a time, or lets so many through within one.",
        inputs: 1,
        outputs: Outputs::Field("outputs"),
        fields: FIELDS,
    },
    lower: Lower::Op(lower),
};

const FIELDS: &[FieldSpec] = &[
    FieldSpec::NAME,
    FieldSpec::new(
        "pauseType",
        "Action",
        "What holds messages back.",
        FieldKind::Choice(&[
            ("delay", "Fixed delay"),
            ("random", "Random delay"),
            ("delayv", "Override delay with msg.delay"),
            ("rate", "Rate limit: all messages"),
            ("queue", "Rate limit per topic: one topic at a time"),
            ("timed", "Rate limit per topic: all topics at once"),
            ("burst", "Limit bursts"),
        ]),
    ),
    FieldSpec::text("timeout", "For", "How long a message waits.", "5"),
    FieldSpec::new("timeoutUnits", "Unit", "The unit of that time.", UNITS),
    FieldSpec::text("randomFirst", "Between", "The shortest wait.", "1"),
    FieldSpec::text("randomLast", "and", "The longest wait.", "5"),
    FieldSpec::new("randomUnits", "Unit", "The unit of both.", UNITS),
    FieldSpec::text("rate", "Rate", "How many messages go on.", "1"),
    FieldSpec::text("nbRateUnits", "per", "In how many units.", "1"),
    FieldSpec::new(
        "rateUnits",
        "Unit",
        "The unit of the rate.",
        FieldKind::Choice(&[("second", "Second"), ("minute", "Minute"), ("hour", "Hour"), ("day", "Day")]),
    ),
    FieldSpec::flag(
        "drop",
        "Drop intermediate messages",
        "Whether messages beyond the rate are turned aside instead of waiting.",
        false,
    ),
    FieldSpec::flag(
        "allowrate",
        "Allow msg.rate to override the rate",
        "Whether a message may change the rate, in milliseconds from one message to the next.",
        false,
    ),
    FieldSpec::new(
        "outputs",
        "Outputs",
        "Two, if messages that are turned aside go over the second.",
        FieldKind::Number(1),
    ),
];

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let mode = match mode(node) {
        Ok(mode) => mode,
        Err(unfit) => return Op::Raise(*unfit.tell(lowering, node, "pauseType")),
    };
    let (waits, paced) = (node.text("pauseType") == "delayv", node.flag("allowrate"));
    let orders = HoldMembers {
        empty: "reset".into(),
        release: "flush".into(),
        wait: waits.then(|| "delay".into()),
        pace: paced.then(|| "rate".into()),
        front: "toFront".into(),
        topic: "topic".into(),
        always: "_msgid".into(),
    };
    let overfull = Fault::new(FaultKind::ValueUnfit, "too many pending messages in delay node");
    Op::Hold(Box::new(HoldPlan { mode, orders, overfull }))
}

fn mode(node: &Node) -> Result<HoldMode, Unfit> {
    let number = |name| number_of(node.get(name)).unwrap_or(f64::NAN);
    let unit_ms = |name| match node.text(name) {
        "milliseconds" => 1.0,
        "minute" | "minutes" => 60_000.0,
        "hour" | "hours" => 3_600_000.0,
        "day" | "days" => 86_400_000.0,
        _ => 1_000.0,
    };
    let wait_ms = number("timeout") * unit_ms("timeoutUnits");
    let units = Some(number("nbRateUnits")).filter(|units| *units > 0.0).unwrap_or(1.0);
    let within_ms = unit_ms("rateUnits") * units;
    let every_ms = within_ms / number("rate");
    Ok(match node.text("pauseType") {
        "delay" | "delayv" => HoldMode::Each { from_ms: wait_ms, to_ms: wait_ms },
        "random" => {
            let unit_ms = unit_ms("randomUnits");
            HoldMode::Each { from_ms: number("randomFirst") * unit_ms, to_ms: number("randomLast") * unit_ms }
        }
        "rate" if node.flag("drop") => HoldMode::Thin { every_ms },
        "rate" => HoldMode::Line { every_ms },
        "burst" => HoldMode::Burst { most: number("rate"), within_ms },
        "queue" => HoldMode::Topics { every_ms, all: false },
        "timed" => HoldMode::Topics { every_ms, all: true },
        other => {
            let message = format!("There is no delay of type `{other}`.");
            return Err(Unfit { code: "type_unknown", message });
        }
    })
}
