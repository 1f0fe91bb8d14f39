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
            FieldSpec::NAME,
            FieldSpec::new(
                "spec",
                "Parser",
                "The rules that are followed.",
                FieldKind::Choice(&[("rfc", "RFC 4180"), ("", "Legacy")]),
            ),
            FieldSpec::text("temp", "Columns", "Names, with commas between.", ""),
            FieldSpec::text("sep", "Separator", "What stands between cells.", ","),
            FieldSpec::new("skip", "Skip first", "Lines that are skipped.", FieldKind::Number(0)),
            FieldSpec::flag(
                "hdrin",
                "First row contains column names",
                "Whether the first line names the columns.",
                false,
            ),
            FieldSpec::flag(
                "strings",
                "Parse numerical values",
                "Whether cells that look like numbers are numbers.",
                true,
            ),
            FieldSpec::flag(
                "include_empty_strings",
                "Include empty strings",
                "Whether empty cells in quotes are members.",
                false,
            ),
            FieldSpec::flag(
                "include_null_values",
                "Include null values",
                "Whether empty cells are `null` members.",
                false,
            ),
            FieldSpec::new(
                "multi",
                "Output",
                "Whether each row is a message, or all are one.",
                FieldKind::Choice(&[("one", "a message per row"), ("mult", "a single message")]),
            ),
            FieldSpec::new(
                "hdrout",
                "Column names",
                "Whether a line of names is written.",
                FieldKind::Choice(&[("none", "never"), ("all", "always"), ("once", "always; once is not served")]),
            ),
            FieldSpec::text("ret", "Line ending", "What ends a line that is written.", "\\r\\n"),
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
