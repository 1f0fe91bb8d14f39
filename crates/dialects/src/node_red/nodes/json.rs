//! `json`: turns JSON text into values and back, and holds them against `msg.schema` (section 13).

use plan::{Edit, Expr, JsonWay, Op, Path, Slot, Value};

use super::{Lower, NodeType};
use crate::node_red::formats::schema;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::typed;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// Blanks for each level where the text shall be pretty.
const INDENT: u8 = 4;

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "json",
        category: "parser",
        colour: "#debd5c",
        summary: "Turns a property from JSON text into a value, or back.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::new(
                "action",
                "Action",
                "Which way it goes.",
                FieldKind::Choice(&[
                    ("", "Convert between text and value"),
                    ("str", "Always to text"),
                    ("obj", "Always to a value"),
                ]),
            ),
            FieldSpec::text("property", "Property", "What is converted.", "payload"),
            FieldSpec::flag("pretty", "Format JSON text", "Whether the text is broken into lines.", false),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let place = match typed::place(node) {
        Ok(place) => place,
        Err(unfit) => return Op::Raise(*unfit.tell(lowering, node, "property")),
    };
    let way = match node.text("action") {
        "str" => JsonWay::Write,
        "obj" => JsonWay::Read,
        _ => JsonWay::Toggle,
    };
    let indent = if node.flag("pretty") { INDENT } else { 0 };
    Op::Edit(edits(&place, way, indent))
}

/// Where a schema is given: the errors of the value to `msg.schemaError`, raised behind the reading and before the
/// writing of the value; without any the schema is taken out.
fn edits(place: &Slot, way: JsonWay, indent: u8) -> Vec<Edit> {
    let json = |way| Expr::Json { of: Box::new(Expr::Slot(place.clone())), way, indent };
    let member = |name| Expr::Message(Path::keys([name]));
    let with_schema = |then, otherwise| Expr::Choose {
        present: Box::new(Expr::Truthy(Box::new(member("schema")))),
        then: Box::new(then),
        otherwise: Box::new(otherwise),
    };
    let nothing = || Expr::Literal(Value::Undefined);
    let edit = |name, value| Edit { to: Slot::message(Path::keys([name])), value };
    let errors = Expr::Choose {
        present: Box::new(Expr::Slot(place.clone())),
        then: Box::new(Expr::Applied { function: schema::ERRORS, to: vec![json(JsonWay::Read), member("schema")] }),
        otherwise: Box::new(nothing()),
    };
    let failed = || with_schema(member("schemaError"), nothing());
    let value = Expr::Choose {
        present: Box::new(failed()),
        then: Box::new(if way == JsonWay::Write { Expr::Slot(place.clone()) } else { json(JsonWay::Read) }),
        otherwise: Box::new(json(way)),
    };
    let kept = Expr::Choose {
        present: Box::new(Expr::Slot(place.clone())),
        then: Box::new(nothing()),
        otherwise: Box::new(member("schema")),
    };
    vec![
        edit("schemaError", with_schema(errors, member("schemaError"))),
        Edit { to: place.clone(), value },
        edit("schemaError", Expr::Applied { function: schema::RAISE, to: vec![failed(), member("schemaError")] }),
        edit("schema", with_schema(kept, member("schema"))),
    ]
}
