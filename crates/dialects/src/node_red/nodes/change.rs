//! `change`: sets, changes, moves and deletes properties (section 13).

use jose::json::{Object, Value as Json};
use plan::{Edit, Expr, Op, Path, Pattern, Severity, Slot, Value};

use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::syntax::Node;
use crate::node_red::typed::{self, Unfit};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// Where a value waits while it is moved.
const MOVED: &str = "_temp_move";

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "change",
        category: "function",
        colour: "#e2d96e",
        summary: "Sets, changes, moves and deletes properties of each message, and variables.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new("rules", "Rules", "What is done, one rule after the other.", FieldKind::Assignments),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let mut edits = Vec::new();
    for rule in rules(node) {
        match edits_of(lowering, live, &Rule(&rule)) {
            Ok(more) => edits.extend(more),
            Err(unfit) => return Op::Raise(*unfit.tell(lowering, node, "rules")),
        }
    }
    Op::Edit(edits)
}

/// The rules; an old node has a single one, spread over its own properties.
fn rules(node: &Node) -> Vec<Object> {
    if let Some(rules) = node.get("rules").and_then(Json::as_array) {
        return rules.iter().filter_map(Json::as_object).cloned().collect();
    }
    let action = if node.text("action") == "replace" { "set" } else { node.text("action") };
    let mut rule = Object::new();
    let mut add = |name: &str, value: Json| {
        let _none = rule.insert(name.to_owned(), value);
    };
    add("t", Json::Text(action.to_owned()));
    for (name, property) in [("p", "property"), ("from", "from"), ("to", "to")] {
        add(name, Json::Text(node.text(property).to_owned()));
    }
    if node.flag("reg") {
        add("fromt", Json::Text("re".to_owned()));
    }
    vec![rule]
}

struct Rule<'r>(&'r Object);

impl Rule<'_> {
    fn text(&self, name: &str) -> String {
        typed::text(self.0.get(name))
    }

    fn kind<'k>(&'k self, name: &str, usual: &'k str) -> &'k str {
        self.0.get(name).and_then(Json::as_text).filter(|kind| !kind.is_empty()).unwrap_or(usual)
    }
}

fn edits_of(lowering: &mut Lowering<'_>, live: &Live, rule: &Rule<'_>) -> Result<Vec<Edit>, Unfit> {
    let node = &live.node;
    let Some(place) = place(lowering, node, rule.kind("pt", "msg"), &rule.text("p")) else { return Ok(Vec::new()) };
    let nothing = || Expr::Literal(Value::Undefined);
    let edit = |to: &Slot, value: Expr| Edit { to: to.clone(), value };
    match rule.kind("t", "") {
        "set" => Ok(vec![edit(&place, new_value(lowering, live, rule)?)]),
        "delete" => Ok(vec![edit(&place, nothing())]),
        "move" => {
            let target = self::place(lowering, node, rule.kind("tot", "msg"), &rule.text("to"));
            let Some(target) = target else { return Ok(Vec::new()) };
            let moved = Slot::message(Path::keys([MOVED]));
            Ok(vec![
                edit(&moved, Expr::Slot(place.clone())),
                edit(&place, nothing()),
                edit(&target, Expr::Slot(moved.clone())),
                edit(&moved, nothing()),
            ])
        }
        "change" => Ok(vec![edit(&place, changed(lowering, live, rule, &place)?)]),
        other => Err(Unfit::value(format!("`{other}` is nothing that a rule can do."))),
    }
}

/// Where a rule works. A rule without a path that can be read does nothing, as in Node-RED.
fn place(lowering: &mut Lowering<'_>, node: &Node, kind: &str, text: &str) -> Option<Slot> {
    match typed::slot(node, kind, text) {
        Ok(slot) => Some(slot),
        Err(unfit) => {
            let hint = "Name a property, or remove the rule; as it is, it does nothing.";
            lowering.tell(Severity::Warning, unfit.code, node.spot_of("rules"), unfit.message, hint);
            None
        }
    }
}

fn new_value(lowering: &mut Lowering<'_>, live: &Live, rule: &Rule<'_>) -> Result<Expr, Unfit> {
    let text = rule.text("to");
    match text.strip_prefix("msg.") {
        // Nodes from before values had types.
        Some(path) if rule.0.get("tot").is_none() && rule.kind("t", "") == "set" => {
            typed::slot(&live.node, "msg", path).map(Expr::Slot)
        }
        Some(_) | None => typed::expr_or_jsonata(lowering, live, rule.kind("tot", "str"), rule.0.get("to")),
    }
}

fn changed(lowering: &mut Lowering<'_>, live: &Live, rule: &Rule<'_>, place: &Slot) -> Result<Expr, Unfit> {
    let of = Box::new(Expr::Slot(place.clone()));
    let with = Box::new(new_value(lowering, live, rule)?);
    let from = rule.text("from");
    let whole = |also| (Expr::Literal(Value::text(&from)), also);
    let usual = if rule.0.get("re").and_then(Json::as_bool) == Some(true) { "re" } else { "str" };
    let (find, also) = match rule.kind("fromt", usual) {
        "re" => {
            let unfit = |error| Unfit {
                code: "pattern_invalid",
                message: format!("The expression `{from}` does not run here: {error}."),
            };
            return Ok(Expr::Rewritten { of, find: Pattern::new(&from, false).map_err(unfit)?, with });
        }
        "msg" | "flow" | "global" => (typed::slot(&live.node, rule.kind("fromt", ""), &from).map(Expr::Slot)?, None),
        "num" => whole(Some(Value::Number(typed::number(&from)))),
        "bool" => whole(Some(Value::Bool(from == "true"))),
        "env" => (typed::expr(lowering, &live.node, "env", rule.0.get("from"))?, None),
        _ => whole(None),
    };
    Ok(Expr::Replaced { of, find: Box::new(find), also, with })
}
