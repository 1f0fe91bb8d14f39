//! `end-success` and `end-failure`: what the caller is told, or the way back from a Library flow.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use plan::{Expr, Fault, Function, Handlers, Op, Path, ShapeStep, Text, Value};

use super::NodeType;
use crate::orchestration::lower::{ANSWER, Live, Lowering, REPLY};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};
use crate::token_form::{Form, Literal, Template, shown, template_at};

const HEADERS_MAX: usize = 100;
const SAME_SITE: &[&str] = &["Lax", "Strict", "None"];
const DELIVERIES: &[&str] = &["Local Storage", "Cookie"];
/// Octets that may not stand in the value of a cookie (RFC 6265 section 4.1.1), and the percent sign.
const COOKIE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\').add(b'%');
/// A `Set-Cookie` line of its name, its value and its attributes.
const SET_COOKIE: Function = Function { name: "set_cookie", run: set_cookie };

const STATUS: &str = "The status of the answer.";
const HEADERS: FieldSpec =
    FieldSpec::new("headers", "Headers", "Headers of the answer.", FieldKind::Rows(&["name", "value"]));
const COOKIES: FieldSpec = FieldSpec::new(
    "cookies",
    "Cookies",
    "Cookies of the answer.",
    FieldKind::Rows(&["name", "value", "path", "maxAge", "secure", "httpOnly", "sameSite"]),
);
const BODY_JSON: FieldSpec =
    FieldSpec::new("body/json", "Body (JSON)", "The body, as JSON with references.", FieldKind::Text(""));
const BODY_TEXT: FieldSpec =
    FieldSpec::new("body/text", "Body (text)", "The body, as text with references.", FieldKind::Text(""));

pub(super) const SUCCESS: NodeType = NodeType {
    label: "Flow - End Success",
    spec: NodeSpec {
        kind: "end-success",
        category: "flow",
        colour: "#2a9d5c",
        summary: "Ends the flow with an answer; a Library flow returns by Nested Success.",
        inputs: 1,
        outputs: Outputs::Labelled(&[]),
        fields: &[
            FieldSpec::new("redirectUrl", "Redirect URL", "Where a login flow leads.", FieldKind::Text("")),
            FieldSpec::new("sessionMinutes", "Session", "Minutes that a session lives.", FieldKind::Number(480)),
            FieldSpec::new("idleMinutes", "Idle", "Minutes that an idle session lives.", FieldKind::Number(240)),
            FieldSpec::new(
                "tokenIn",
                "Token in",
                "Where a login flow puts its token.",
                FieldKind::Choice(&[("Local Storage", "Local Storage"), ("Cookie", "Cookie")]),
            ),
            BODY_JSON,
            BODY_TEXT,
            FieldSpec::new("status", "Status", STATUS, FieldKind::Number(200)),
            HEADERS,
            COOKIES,
        ],
    },
    lower: lower_success,
};

pub(super) const FAILURE: NodeType = NodeType {
    label: "Flow - End Failure",
    spec: NodeSpec {
        kind: "end-failure",
        category: "flow",
        colour: "#c8443a",
        summary: "Ends the flow with a refusal; a Library flow returns by Nested Failure.",
        inputs: 1,
        outputs: Outputs::Labelled(&[]),
        fields: &[
            BODY_JSON,
            BODY_TEXT,
            FieldSpec::new("status", "Status", STATUS, FieldKind::Number(500)),
            HEADERS,
            COOKIES,
        ],
    },
    lower: lower_failure,
};

fn lower_success<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    let mut config = live.config(lowering.told());
    let _ = config.text("redirectUrl");
    let _ = (config.integer("sessionMinutes", 1..=525_600, 480), config.integer("idleMinutes", 1..=525_600, 240));
    let _ = config.choice("tokenIn", DELIVERIES);
    end(lowering, live, config, (200, 0));
}

fn lower_failure<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    let config = live.config(lowering.told());
    end(lowering, live, config, (500, 1));
}

fn end<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>, mut config: Form<'d>, (status, nested): (i64, usize)) {
    lowering.check_exits(live, &[]);
    let status = config.integer("status", 200..=599, status);
    let mut reply: Vec<(Text, Expr)> = vec![("status".into(), Expr::Literal(Value::integer(status)))];
    reply.extend(body(&mut config, live, "body").map(|body| ("body".into(), body)));
    reply.push(("headers".into(), headers(&mut config, live)));
    reply.push(("cookies".into(), cookies(&mut config, live)));
    config.close();
    if let Some(ends) = live.scope.nested {
        return lowering.put(live, Op::Pass, vec![vec![ends[nested]]], Handlers::default());
    }
    let failing = lowering.failing(live, lowering.failed());
    let answer = lowering.add(Op::Reply(ANSWER), live.origin, Vec::new(), failing.clone());
    let made = Op::Assign(vec![ShapeStep::Set(Path::keys([REPLY]), Expr::Map(reply))]);
    lowering.put(live, made, vec![vec![answer]], failing);
}

/// A body, which stands in this member: a map of what it is written as.
pub(super) fn body(config: &mut Form<'_>, live: &Live<'_, '_>, member: &'static str) -> Option<Expr> {
    let mut body = config.object(member)?;
    let (json, text) = (body.text("json"), body.text("text"));
    let told = body.told();
    if json.is_some() && text.is_some() {
        told.refuse("value_illegal", body.spot(), "The body is JSON or text, not both.", "Keep one of them.");
    }
    let (at_json, at_text) = (body.at("json"), body.at("text"));
    body.close();
    let json = json.and_then(|json| match Literal::new(json, &format!("{member}/json")) {
        Ok(literal) => Some(("json".into(), literal.expr(&live.who))),
        Err(why) => {
            told.refuse("value_illegal", &at_json, why, "Mend the JSON.");
            None
        }
    });
    let text = text.and_then(|text| {
        Some(("text".into(), in_text(&template_at(told, &at_text, text, format!("{member}/text"))?, live)))
    });
    json.or(text).map(|member| Expr::Map(vec![member]))
}

/// Headers by their names.
pub(super) fn headers(config: &mut Form<'_>, live: &Live<'_, '_>) -> Expr {
    let mut members = Vec::new();
    for (index, mut row) in config.objects("headers", HEADERS_MAX).into_iter().enumerate() {
        let (name, value) = (row.text("name"), row.text("value").unwrap_or_default());
        let is_name =
            |name: &&str| name.parse::<http::HeaderName>().is_ok() && !name.eq_ignore_ascii_case("set-cookie");
        if name.filter(is_name).is_none() {
            row.told().refuse(
                "value_illegal",
                &row.at("name"),
                "This is no name of a header here.",
                "Cookies have rows of their own.",
            );
        }
        let value = template_at(row.told(), &row.at("value"), value, format!("headers[{index}]/value"));
        members.extend(name.zip(value).map(|(name, value)| (Text::from(name), in_text(&value, live))));
        row.close();
    }
    Expr::Map(members)
}

fn cookies(config: &mut Form<'_>, live: &Live<'_, '_>) -> Expr {
    let mut cookies = Vec::new();
    for (index, mut row) in config.objects("cookies", HEADERS_MAX).into_iter().enumerate() {
        let (name, value) = (row.text("name").unwrap_or_default(), row.text("value").unwrap_or_default());
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c)) {
            row.told().refuse(
                "value_illegal",
                &row.at("name"),
                "The name of a cookie is letters, digits, `_`, `-` and `.`.",
                "",
            );
        }
        let attributes = attributes(&mut row);
        let value = template_at(row.told(), &row.at("value"), value, format!("cookies[{index}]/value"));
        row.close();
        let literal = |text: &str| Expr::Literal(Value::text(text));
        cookies.extend(value.map(|value| {
            let to = vec![literal(name), in_text(&value, live), literal(&attributes)];
            Expr::Applied { function: SET_COOKIE, to }
        }));
    }
    Expr::List(cookies)
}

/// The attributes of a cookie: Secure, HttpOnly and SameSite=Lax unless the author says otherwise.
fn attributes(row: &mut Form<'_>) -> String {
    let path = row.text("path").unwrap_or("/");
    let mut attributes = format!("; Path={path}");
    if row.has("maxAge") {
        attributes.push_str(&format!("; Max-Age={}", row.integer("maxAge", 0..=34_560_000, 0)));
    }
    for (name, member) in [("Secure", "secure"), ("HttpOnly", "httpOnly")] {
        if row.flag(member, true) {
            attributes.push_str(&format!("; {name}"));
        }
    }
    if !path.starts_with('/') || path.contains([';', ',', ' ']) {
        row.told().refuse("value_illegal", &row.at("path"), "The path of a cookie begins with `/`.", "");
    }
    attributes + "; SameSite=" + row.choice("sameSite", SAME_SITE)
}

fn in_text(template: &Template, live: &Live<'_, '_>) -> Expr {
    template.expr_in_text(&live.who)
}

fn set_cookie(arguments: &[Value]) -> Result<Value, Fault> {
    let [name, value, attributes] = arguments else { return Ok(Value::Undefined) };
    let value = shown(value)?;
    let value = utf8_percent_encode(&value, COOKIE);
    Ok(Value::text(format!("{}={value}{}", shown(name)?, shown(attributes)?)))
}
