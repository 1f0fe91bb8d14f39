//! `http in`: requests enter a flow (section 11).

use http::Method;
use plan::{Severity, Text, TriggerIx};

use super::{Lower, NodeType};
use crate::node_red::accept::{Pattern, PatternError};
use crate::node_red::lower::Lowering;
use crate::node_red::lowered::{Route, Serve};
use crate::node_red::syntax::Node;
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "http in",
        category: "network",
        colour: "#e7e7ae",
        summary: "Listens to requests of one method on one path and sends a message for each.",
        inputs: 0,
        outputs: Outputs::Labelled(&["request"]),
        fields: &[
            FieldSpec::new(
                "method",
                "Method",
                "The method it listens to.",
                FieldKind::Choice(&[
                    ("get", "GET"),
                    ("post", "POST"),
                    ("put", "PUT"),
                    ("delete", "DELETE"),
                    ("patch", "PATCH"),
                ]),
            ),
            FieldSpec::flag(
                "upload",
                "Accept file uploads?",
                "Takes multipart bodies apart into fields and files.",
                false,
            ),
            FieldSpec::flag(
                "skipBodyParsing",
                "Do not parse the body",
                "Leaves the body as the octets that came.",
                false,
            ),
            FieldSpec::text(
                "url",
                "URL",
                "The path, in which `:name`, `?`, `*` and `(pattern)` mean what they mean to Express 4.",
                "",
            ),
            FieldSpec::NAME,
        ],
    },
    lower: Lower::Route(lower),
};

fn lower(lowering: &mut Lowering<'_>, node: &Node) -> Option<Route> {
    let url = node.text("url");
    if url.is_empty() {
        let hint = "Give the node a path, such as /token.";
        lowering.tell(
            Severity::Stopped,
            "http_path_missing",
            node.spot(),
            "The node has no path, so it serves nothing.",
            hint,
        );
        return None;
    }
    let method = match node.text("method") {
        "get" => Method::GET,
        "post" => Method::POST,
        "put" => Method::PUT,
        "delete" => Method::DELETE,
        "patch" => Method::PATCH,
        other => {
            let message = format!("The method `{other}` cannot be listened to, so the node serves nothing.");
            let hint = "Choose get, post, put, delete or patch.";
            lowering.tell(Severity::Stopped, "http_method_unknown", node.spot_of("method"), message, hint);
            return None;
        }
    };
    let path: Text = if url.starts_with('/') { url.into() } else { format!("/{url}").into() };
    let pattern = match Pattern::parse(&path) {
        Ok(pattern) => pattern,
        Err(error) => {
            tell_pattern(lowering, node, &error);
            return None;
        }
    };
    let upload = node.flag("upload") && method == Method::POST;
    let skip_body_parsing = node.flag("skipBodyParsing");
    // The trigger is known to the lowerer alone; until it says so, the route leads nowhere.
    let serve = Serve::Trigger(TriggerIx(0));
    Some(Route { method, path, pattern, serve, upload, skip_body_parsing, node: node.id.clone() })
}

fn tell_pattern(lowering: &mut Lowering<'_>, node: &Node, error: &PatternError) {
    let message = match error {
        PatternError::Divider(text) => {
            format!(
                "Two parameters of the path are divided by `{text}`, so the node serves nothing: one character is the most."
            )
        }
        PatternError::Expression(why) => {
            format!("The path holds an expression that cannot be used, so the node serves nothing: {why}.")
        }
    };
    let hint = "Write the path with `:name`, `*` and plain expressions in parentheses.";
    lowering.tell(Severity::Stopped, "http_path_invalid", node.spot_of("url"), message, hint);
}
