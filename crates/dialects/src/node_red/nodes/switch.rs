//! `switch`: sends messages over the outputs whose rules hold (section 13).

use jose::json::{Object, Value as Json};
use plan::ecmascript::number_of_text;
use plan::{
    BranchPlan, Expr, Fault, FaultKind, Op, Path, Pattern, Root, Scope, Severity, Slot, Test, Value, ValueType,
};

use super::{Lower, NodeType};
use crate::node_red::jsonata;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::typed::{self, Unfit};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The name of the node's own variable that holds the value of the message before.
const PREVIOUS: &str = "previous";

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "switch",
        category: "function",
        colour: "#e2d96e",
        summary: "Sends each message over the outputs whose rules hold for a property.",
        inputs: 1,
        outputs: Outputs::Field("outputs"),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::text("property", "Property", "What the rules are held against.", "payload"),
            FieldSpec::new("rules", "Rules", "One rule for each output.", FieldKind::Assignments),
            FieldSpec::new(
                "checkall",
                "Rules that are checked",
                "All rules, or only up to the first that holds.",
                FieldKind::Choice(&[("true", "all"), ("false", "up to the first match")]),
            ),
            FieldSpec::flag(
                "repair",
                "Recreate message sequences",
                "Whether sequences are numbered anew; not served yet.",
                false,
            ),
            FieldSpec::new("outputs", "Outputs", "How many outputs there are.", FieldKind::Number(1)),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    if node.flag("repair") {
        let message = "Message sequences are not numbered anew, so their parts stay as they were.";
        lowering.tell(Severity::Warning, "switch_repair", node.spot_of("repair"), message, "Switch it off.");
    }
    let on = match property(lowering, live) {
        Ok(on) => on,
        Err(unfit) => return Op::Raise(*unfit.tell(lowering, node, "property")),
    };
    let rules: Vec<_> = node.get("rules").and_then(Json::as_array).unwrap_or_default().iter().collect();
    let rules = rules.into_iter().filter_map(Json::as_object);
    let asks_back =
        |rule: &Object| ["vt", "v2t"].iter().any(|kind| rule.get(kind).and_then(Json::as_text) == Some("prev"));
    let remembers = rules.clone().any(asks_back);
    let tests = rules.map(|rule| {
        let test = test(lowering, live, rule);
        test.unwrap_or_else(|unfit| Test::Refuse(unfit.tell(lowering, node, "rules")))
    });
    let tests = tests.collect();
    let remember = remembers.then(|| (Scope::Node(node.id.clone()), PREVIOUS.into()));
    Op::Branch(Box::new(BranchPlan { on, tests, all: node.text("checkall") != "false", remember }))
}

fn property(lowering: &mut Lowering<'_>, live: &Live) -> Result<Expr, Unfit> {
    let node = &live.node;
    let kind = Some(node.text("propertyType")).filter(|kind| !kind.is_empty()).unwrap_or("msg");
    if kind == "msg" && node.get("property").is_some() && node.text("property").is_empty() {
        return Ok(Expr::Literal(Value::Undefined));
    }
    let payload = Json::Text("payload".to_owned());
    typed::expr_or_jsonata(lowering, live, kind, Some(node.get("property").unwrap_or(&payload)))
}

fn test(lowering: &mut Lowering<'_>, live: &Live, rule: &Object) -> Result<Test, Unfit> {
    let mut operand = |value, kind| operand(lowering, live, rule, value, kind);
    let mut v = || operand("v", "vt");
    let name = typed::text(rule.get("t"));
    Ok(match if name.is_empty() { "eq" } else { &name } {
        "eq" => Test::Equal(v()?),
        "neq" => Test::NotEqual(v()?),
        "lt" => Test::Less(v()?),
        "lte" => Test::LessOrEqual(v()?),
        "gt" => Test::Greater(v()?),
        "gte" => Test::GreaterOrEqual(v()?),
        "btwn" => Test::Between(v()?, operand("v2", "v2t")?),
        "cont" => Test::Contains(v()?),
        "regex" => pattern(v()?, rule.get("case").and_then(Json::as_bool).unwrap_or_default())?,
        "true" => Test::Is(true),
        "false" => Test::Is(false),
        "null" => Test::Nothing,
        "nnull" => Test::Something,
        "empty" => Test::Empty,
        "nempty" => Test::NotEmpty,
        "istype" => Test::Type(value_type(rule)?),
        "hask" => Test::Has(v()?),
        "head" => position(Test::Less(v()?)),
        "index" => position(Test::All(vec![Test::GreaterOrEqual(v()?), Test::LessOrEqual(operand("v2", "v2t")?)])),
        "else" => Test::Otherwise,
        "jsonata_exp" => Test::Holds(jsonata::expr(lowering, live, &typed::text(rule.get("v")))),
        other => {
            let message = format!("Rules of type `{other}` are not served here.");
            return Err(Unfit { code: "switch_rule_unsupported", message });
        }
    })
}

/// What a rule compares with. Without a type, what reads as a number is one.
fn operand(lowering: &mut Lowering<'_>, live: &Live, rule: &Object, value: &str, kind: &str) -> Result<Expr, Unfit> {
    let value = rule.get(value);
    let usual = if number_of_text(&typed::text(value)).is_nan() { "str" } else { "num" };
    match rule.get(kind).and_then(Json::as_text).filter(|kind| !kind.is_empty()).unwrap_or(usual) {
        "prev" => {
            let own = Root::Cell(Scope::Node(live.node.id.clone()));
            let previous = Box::new(Expr::Slot(Slot { root: own, way: Path::keys([PREVIOUS]).into() }));
            // Before the first message it is null, which numbers are compared with as with 0.
            let nothing = Box::new(Expr::Literal(Value::Null));
            Ok(Expr::Choose { present: previous.clone(), then: previous, otherwise: nothing })
        }
        // Node-RED compares with this very word (10-switch.js).
        "json" if kind == "vt" => Ok(Expr::Literal(Value::text("json"))),
        kind => typed::expr_or_jsonata(lowering, live, kind, value),
    }
}

fn pattern(operand: Expr, ignore_case: bool) -> Result<Test, Unfit> {
    let Expr::Literal(value) = &operand else { return Ok(Test::MatchesText { pattern: operand, ignore_case }) };
    let source = plan::ecmascript::text_of(value);
    let unfit = |error| Unfit {
        code: "pattern_invalid",
        message: format!("The expression `{source}` does not run here: {error}."),
    };
    Pattern::new(&source, ignore_case).map(Test::Matches).map_err(unfit)
}

fn value_type(rule: &Object) -> Result<ValueType, Unfit> {
    let named = [rule.get("v"), rule.get("vt")].into_iter().map(typed::text).find(|name| !name.is_empty());
    Ok(match named.as_deref().unwrap_or_default() {
        "string" => ValueType::Text,
        "number" => ValueType::Number,
        "boolean" => ValueType::Boolean,
        "array" => ValueType::List,
        "buffer" => ValueType::Octets,
        "object" => ValueType::Object,
        "json" => ValueType::Json,
        "null" => ValueType::Null,
        "undefined" => ValueType::Undefined,
        other => return Err(Unfit::value(format!("`{other}` is no type of values."))),
    })
}

fn position(test: Test) -> Test {
    let at = Expr::Slot(Slot::message(Path::keys(["parts", "index"])));
    let fault = Fault::new(FaultKind::ValueUnfit, "TypeError: The message is not part of a sequence.");
    Test::Position { at, test: Box::new(test), fault: Box::new(fault) }
}
