//! `http request`: asks a server outside and sends its answer on (section 16).

use http::Method;
use jose::json::{Object, Value as Json};
use plan::{Expr, Op, Path, Severity, Template, TemplateSource, Text, Value};

use super::{Lower, NodeType};
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::request::{
    HeaderPart, MethodOfMessage, PASSWORD, PayloadOfGet, RequestNode, Returns, Scheme, USER, busy,
};
use crate::node_red::syntax::Node;
use crate::node_red::typed::{self, Unfit};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "http request",
        category: "network",
        colour: "#e7e7ae",
        summary: "Sends an HTTP request and sends on what comes back.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: FIELDS,
    },
    lower: Lower::Op(lower),
};

const FIELDS: &[FieldSpec] = &[
    FieldSpec::NAME,
    FieldSpec::new(
        "method",
        "Method",
        "The method of the request.",
        FieldKind::Choice(&[
            ("GET", "GET"),
            ("POST", "POST"),
            ("PUT", "PUT"),
            ("DELETE", "DELETE"),
            ("PATCH", "PATCH"),
            ("HEAD", "HEAD"),
            ("use", "- set by msg.method -"),
        ]),
    ),
    FieldSpec::text("url", "URL", "Where to; a mustache template, or left empty for `msg.url`.", ""),
    FieldSpec::new(
        "paytoqs",
        "Payload",
        "What becomes of the payload of a GET.",
        FieldKind::Choice(&[
            ("ignore", "Ignore"),
            ("query", "Append to query-string parameters"),
            ("body", "Send as request body"),
        ]),
    ),
    FieldSpec::new(
        "authType",
        "Authentication",
        "How it signs in, once a username or password is set.",
        FieldKind::Choice(&[("", "None"), ("basic", "Basic authentication"), ("bearer", "Bearer authentication")]),
    ),
    FieldSpec::new(USER, "Username", "Who signs in.", FieldKind::Secret),
    FieldSpec::new(
        PASSWORD,
        "Password or token",
        "What proves it; for bearer authentication, the token.",
        FieldKind::Secret,
    ),
    FieldSpec::new("headers", "Headers", "Headers to send; they win over `msg.headers`.", FieldKind::Pairs),
    FieldSpec::flag(
        "senderr",
        "Only send non-2xx responses to Catch node",
        "Whether a request that failed is only an error, or is sent on as well.",
        false,
    ),
    FieldSpec::new(
        "ret",
        "Return",
        "What becomes of the body that comes back.",
        FieldKind::Choice(&[("txt", "a UTF-8 string"), ("bin", "a binary buffer"), ("obj", "a parsed JSON object")]),
    ),
];

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    if let Err(unfit) = known_scheme(node) {
        return Op::Raise(*unfit.tell(lowering, node, "authType"));
    }
    let to = match target(node) {
        Ok(to) => to,
        Err(unfit) => return Op::Raise(*unfit.tell(lowering, node, "url")),
    };
    if node.flag("insecureHTTPParser") {
        let message = "Replies are always read strictly here, so `insecureHTTPParser` changes nothing.";
        let hint = "Turn it off, and mend the server if its replies are refused.";
        lowering.tell(Severity::Warning, "setting_ignored", node.spot_of("insecureHTTPParser"), message, hint);
    }
    let fetch = lowering.add_request(request(node));
    Op::Fetch { fetch, to, busy: busy() }
}

fn request(node: &Node) -> RequestNode {
    let written = node.text("method");
    let upper = written.to_uppercase();
    RequestNode {
        node: node.id.clone(),
        method: Method::from_bytes(upper.as_bytes()).unwrap_or(Method::GET),
        method_of_message: match written {
            "" => MethodOfMessage::Ignored,
            "use" => MethodOfMessage::Wins,
            _ => MethodOfMessage::Warns,
        },
        url: node.text("url").into(),
        returns: match node.text("ret") {
            "bin" => Returns::Octets,
            "obj" => Returns::Value,
            _ => Returns::Text,
        },
        payload_of_get: match (node.get("paytoqs"), node.text("paytoqs")) {
            (Some(Json::Bool(true)), _) | (_, "query") => PayloadOfGet::Query,
            (_, "body") => PayloadOfGet::Body,
            (_, _) => PayloadOfGet::Ignored,
        },
        headers: headers(node),
        scheme: if node.text("authType") == "bearer" { Scheme::Bearer } else { Scheme::Basic },
        only_errors: node.flag("senderr"),
    }
}

fn known_scheme(node: &Node) -> Result<(), Unfit> {
    match node.text("authType") {
        "" | "basic" | "bearer" => Ok(()),
        other => {
            let message = format!("Signing in by `{other}` is not supported, so nothing is asked.");
            Err(Unfit { code: "auth_unsupported", message })
        }
    }
}

/// Where to: a template is filled in with the message.
fn target(node: &Node) -> Result<Expr, Unfit> {
    let url = node.text("url");
    if url.is_empty() {
        return Ok(Expr::Message(Path::keys(["url"])));
    }
    if !url.contains("{{") {
        return Ok(Expr::Literal(Value::text(url)));
    }
    let template = Template::parse(url);
    let template = template.map_err(|error| Unfit {
        code: "template_invalid",
        message: format!("The URL cannot be filled in: {error}."),
    })?;
    let template = TemplateSource::Ready(template);
    Ok(Expr::Rendered { template, constants: Value::Undefined, variables: Vec::new(), json_texts: false })
}

fn headers(node: &Node) -> Vec<(HeaderPart, HeaderPart)> {
    let rows = node.get("headers").and_then(Json::as_array).unwrap_or_default();
    let rows = rows.iter().filter_map(Json::as_object);
    rows.map(|row| (part(row, "keyType", "keyValue"), part(row, "valueType", "valueValue"))).collect()
}

/// A name or value: of a type that says where it is, or the type is the text itself.
fn part(row: &Object, kind: &str, value: &str) -> HeaderPart {
    let value = typed::text(row.get(value));
    match typed::text(row.get(kind)).as_str() {
        "other" => HeaderPart::Text(value.into()),
        "msg" => match crate::node_red::property::way(&value) {
            Some(way) => HeaderPart::Message(way),
            None => HeaderPart::Text(Text::from("")),
        },
        known => HeaderPart::Text(known.into()),
    }
}
