//! `split`: makes a sequence of messages of one.

use jose::json::{Limits, Value as Json};
use plan::{Expr, Op, Path, Slot, Value};

use super::{Lower, NodeType};
use crate::node_red::formats::split;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::number::parse_int_of;
use crate::node_red::syntax::Node;
use crate::node_red::typed::{self, Unfit};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// What stands for a control character in a separator.
const ESCAPES: [(&str, &str); 6] =
    [("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\e", "e"), ("\\f", "\u{C}"), ("\\0", "\0")];

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "split",
        category: "sequence",
        colour: "#E2D96E",
        summary: "Makes a message of each piece of a text, a list, an object or octets.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: FIELDS,
    },
    lower: Lower::Op(lower),
};

const FIELDS: &[FieldSpec] = &[
    FieldSpec::NAME,
    FieldSpec::text("property", "Split", "What is split.", "payload"),
    FieldSpec::new(
        "spltType",
        "Split using",
        "How texts and octets are cut.",
        FieldKind::Choice(&[("str", "a text"), ("bin", "octets"), ("len", "a fixed length")]),
    ),
    FieldSpec::text("splt", "Separator", "Where texts and octets are cut, or the length of a piece.", "\\n"),
    FieldSpec::new("arraySplt", "Fixed length", "How many elements of a list make a piece.", FieldKind::Number(1)),
    FieldSpec::text("addname", "Copy key to", "Where the name of an object's member goes.", ""),
    FieldSpec::flag("stream", "Handle as a stream of messages", "Not served: each message is split by itself.", false),
];

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    match op(node) {
        Ok(op) => op,
        Err((property, unfit)) => Op::Raise(*unfit.tell(lowering, node, property)),
    }
}

fn op(node: &Node) -> Result<Op, (&'static str, Unfit)> {
    if node.flag("stream") {
        let message = "Streams of messages are not split here: a text goes on in the next message.".to_owned();
        return Err(("stream", Unfit { code: "split_stream", message }));
    }
    let mut settings = cut(node).map_err(|unfit| ("splt", unfit))?;
    let most = node.get("arraySplt").map_or(Some(1.0), |most| parse_int_of(Some(most)));
    settings.push(("arrayLength", length(most).map_err(|unfit| ("arraySplt", unfit))?));
    let property = node.text("property");
    if !matches!(property, "" | "payload") {
        settings.push(("property", Value::text(property)));
    }
    let place = typed::place(node).map_err(|unfit| ("property", unfit))?;
    let parts = Path::keys(["parts"]);
    let to = vec![
        Expr::Slot(place.clone()),
        Expr::Message(parts.clone()),
        Expr::FreshId,
        Expr::FreshId,
        Expr::Literal(Value::map(settings)),
    ];
    let mut into = vec![("value".into(), place)];
    let name = node.text("addname");
    if !name.is_empty() {
        into.push(("key".into(), typed::slot(node, "msg", name).map_err(|unfit| ("addname", unfit))?));
    }
    into.push(("parts".into(), Slot::message(parts)));
    into.push(("_msgid".into(), Slot::message(Path::keys(["_msgid"]))));
    Ok(Op::Each { items: Expr::Applied { function: split::SPLIT, to }, into })
}

/// How texts and octets are cut, as the function takes it.
fn cut(node: &Node) -> Result<Vec<(&'static str, Value)>, Unfit> {
    match node.text("spltType") {
        "" | "str" => {
            let written = Some(node.text("splt")).filter(|text| !text.is_empty()).unwrap_or("\\n");
            let text = unescaped(written);
            let octets = Value::Bytes(text.as_bytes().into());
            Ok(vec![("text", Value::text(&text)), ("octets", octets), ("told", Value::text(text))])
        }
        "bin" => {
            let written = node.text("splt");
            let told = Json::parse(written.as_bytes(), Limits::DOCUMENT).ok();
            let (Some(told @ Json::Array(_)), Some(Value::Bytes(octets))) = (told, typed::octets(written)) else {
                return Err(Unfit::value(format!("`{written}` is no list of octets.")));
            };
            let text = Value::text(String::from_utf8_lossy(&octets));
            Ok(vec![("text", text), ("octets", Value::Bytes(octets)), ("told", typed::value_of(&told))])
        }
        "len" => Ok(vec![("length", length(parse_int_of(node.get("splt")))?)]),
        other => Err(Unfit { code: "type_unknown", message: format!("There is no split of type `{other}`.") }),
    }
}

/// A separator with the control characters that it spells.
pub(super) fn unescaped(separator: &str) -> String {
    ESCAPES.iter().fold(separator.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// A length of pieces, which is at least one.
fn length(length: Option<f64>) -> Result<Value, Unfit> {
    let length = length.filter(|length| *length >= 1.0);
    let length = length.ok_or_else(|| Unfit::value("The length of a piece is a number from 1.".to_owned()))?;
    Ok(Value::integer(length.min(f64::from(u32::MAX)) as i64))
}
