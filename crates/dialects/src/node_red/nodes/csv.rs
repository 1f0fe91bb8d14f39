//! `csv`: turns CSV text into objects and back.

use plan::{Expr, Op, Path, Severity, Slot, Value};

use super::{Lower, NodeType};
use crate::node_red::formats::csv;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::typed;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The properties that say how CSV is read and written.
const SETTINGS: [&str; 11] = [
    "temp",
    "sep",
    "ret",
    "multi",
    "hdrin",
    "hdrout",
    "skip",
    "strings",
    "include_empty_strings",
    "include_null_values",
    "spec",
];

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "csv",
        category: "parser",
        colour: "#debd5c",
        summary: "Turns `msg.payload` from CSV text into objects, or back.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec { name: "name", label: "Name", summary: "What the node is called.", kind: FieldKind::Text("") },
            FieldSpec {
                name: "spec",
                label: "Parser",
                summary: "The rules that are followed.",
                kind: FieldKind::Choice(&[("rfc", "RFC 4180"), ("", "Legacy")]),
            },
            FieldSpec {
                name: "temp",
                label: "Columns",
                summary: "Names, with commas between.",
                kind: FieldKind::Text(""),
            },
            FieldSpec {
                name: "sep",
                label: "Separator",
                summary: "What stands between cells.",
                kind: FieldKind::Text(","),
            },
            FieldSpec {
                name: "skip",
                label: "Skip first",
                summary: "Lines that are skipped.",
                kind: FieldKind::Number(0),
            },
            FieldSpec {
                name: "hdrin",
                label: "First row contains column names",
                summary: "Whether the first line names the columns.",
                kind: FieldKind::Flag(false),
            },
            FieldSpec {
                name: "strings",
                label: "Parse numerical values",
                summary: "Whether cells that look like numbers are numbers.",
                kind: FieldKind::Flag(true),
            },
            FieldSpec {
                name: "include_empty_strings",
                label: "Include empty strings",
                summary: "Whether empty cells in quotes are members.",
                kind: FieldKind::Flag(false),
            },
            FieldSpec {
                name: "include_null_values",
                label: "Include null values",
                summary: "Whether empty cells are `null` members.",
                kind: FieldKind::Flag(false),
            },
            FieldSpec {
                name: "multi",
                label: "Output",
                summary: "Whether each row is a message, or all are one.",
                kind: FieldKind::Choice(&[("one", "a message per row"), ("mult", "a single message")]),
            },
            FieldSpec {
                name: "hdrout",
                label: "Column names",
                summary: "Whether a line of names is written.",
                kind: FieldKind::Choice(&[
                    ("none", "never"),
                    ("all", "always"),
                    ("once", "always; once is not served"),
                ]),
            },
            FieldSpec {
                name: "ret",
                label: "Line ending",
                summary: "What ends a line that is written.",
                kind: FieldKind::Text("\\r\\n"),
            },
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    if node.text("hdrout") == "once" {
        let message = "The names of the columns are written for each message, not only for the first.";
        let hint = "Choose `always`, or `never` and write the first line in another node.";
        lowering.tell(Severity::Warning, "csv_header_once", node.spot_of("hdrout"), message, hint);
    }
    let set = SETTINGS.iter().filter_map(|name| Some((*name, typed::value_of(node.get(name)?))));
    let settings = Expr::Literal(Value::map(set));
    let member = |name| Expr::Message(Path::keys([name]));
    let to = vec![member("payload"), member("columns"), member("_msgid"), settings];
    let into = ["payload", "columns", "parts"].map(|name| (name.into(), Slot::message(Path::keys([name]))));
    Op::Each { items: Expr::Applied { function: csv::CONVERT, to }, into: into.to_vec() }
}
