//! `file in`: reads a file of the one folder that flows may read (section 13).

use plan::{Expr, FilePlan, Op, Path};

use super::{Lower, NodeType};
use crate::node_red::formats::octets;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::syntax::Node;
use crate::node_red::typed::{self, Unfit};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "file in",
        category: "storage",
        colour: "#deb887",
        summary: "Reads a file of the folder that flows may read.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::text("filename", "Filename", "The file's path below the folder, or where that stands.", ""),
            FieldSpec::new(
                "filenameType",
                "Filename is",
                "What the filename stands for.",
                FieldKind::Choice(&[("str", "A path"), ("msg", "A property"), ("env", "A variable")]),
            ),
            FieldSpec::new(
                "format",
                "Output",
                "What the payload is.",
                FieldKind::Choice(&[("utf8", "A text"), ("", "A buffer")]),
            ),
            FieldSpec::text("encoding", "Encoding", "What the text is encoded in.", "none"),
            FieldSpec::flag(
                "sendError",
                "Send a message on error",
                "Sends the message on with `msg.error` if the file cannot be read.",
                false,
            ),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    match plan(lowering, &live.node) {
        Ok(plan) => Op::ReadFile(Box::new(plan)),
        Err((unfit, field)) => Op::Raise(*unfit.tell(lowering, &live.node, field)),
    }
}

fn plan(lowering: &Lowering<'_>, node: &Node) -> Result<FilePlan, (Unfit, &'static str)> {
    let name = Expr::Applied { function: octets::FILE_NAME, to: vec![name(lowering, node)?] };
    let read_as = match node.text("format") {
        "utf8" => Some(octets::text_in(node.text("encoding")).ok_or_else(|| {
            let message = format!("Texts encoded in `{}` are not read here.", node.text("encoding"));
            (Unfit { code: "encoding_unsupported", message }, "encoding")
        })?),
        format @ ("lines" | "stream") => {
            let message = format!("Files are read whole here, not as `{format}`.");
            return Err((Unfit { code: "format_unsupported", message }, "format"));
        }
        _ => None,
    };
    // A node of before that choice sends a message on, too.
    let sends_errors = node.get("sendError").is_none() || node.flag("sendError");
    Ok(FilePlan {
        name,
        named: Path::keys(["filename"]),
        unnamed: "No filename specified".into(),
        read_as,
        into: Path::keys(["payload"]),
        failed: sends_errors.then(|| Path::keys(["error"])),
    })
}

fn name(lowering: &Lowering<'_>, node: &Node) -> Result<Expr, (Unfit, &'static str)> {
    let (kind, property) = match (node.text("filenameType"), node.text("filename")) {
        ("", "") => return Ok(Expr::Message(Path::keys(["filename"]))),
        ("", _) => ("str", node.get("filename")),
        (kind @ ("flow" | "global" | "jsonata"), _) => {
            let message = format!("A filename of type `{kind}` is not served here.");
            return Err((Unfit { code: "type_unknown", message }, "filenameType"));
        }
        (kind, _) => (kind, node.get("filename")),
    };
    typed::expr(lowering, node, kind, property).map_err(|unfit| (unfit, "filename"))
}
