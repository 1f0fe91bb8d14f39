//! `http-request`: asks a server outside (section 8).

use http::Method;
use plan::{Expr, FetchIx, Op, Severity, Text, Value};

use super::NodeType;
use super::end::{body, headers};
use crate::orchestration::lower::{Live, Lowering};
use crate::orchestration::request::{ATTRIBUTES, DATA, HEADERS, HttpRequest, URL};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};
use crate::token_form::{Form, Save, template_at};

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

pub(super) const TYPE: NodeType = NodeType {
    label: "Backend - HTTP Request",
    spec: NodeSpec {
        kind: "http-request",
        category: "backend",
        colour: "#4a7fb5",
        summary: "Asks a server outside and saves its answer.",
        inputs: 1,
        outputs: Outputs::Labelled(&["Success", "Failure"]),
        fields: &[
            FieldSpec::new("method", "Method", "What is asked for.", FieldKind::Choice(CHOICES)),
            FieldSpec::new(
                "followRedirects",
                "Follow Redirects",
                "Whether redirects are followed.",
                FieldKind::Flag(false),
            ),
            FieldSpec::new("url", "URL", "An absolute URL with http or https.", FieldKind::Text("")),
            FieldSpec::new("headers", "Headers", "Headers of the request.", FieldKind::Rows(&["name", "value"])),
            FieldSpec::new("data/json", "Data (JSON)", "The body, as JSON with references.", FieldKind::Text("")),
            FieldSpec::new("data/text", "Data (text)", "The body, as text with references.", FieldKind::Text("")),
            FieldSpec::new(
                "skipCertificateValidation",
                "Skip certificate validation",
                "Whether anybody may answer for the server: no server permits that here.",
                FieldKind::Flag(false),
            ),
            FieldSpec::new(
                "save/attributes",
                "Attributes",
                "What of the answer is saved.",
                FieldKind::Several(ATTRIBUTES),
            ),
            FieldSpec::new("save/variable", "Variable name", "The variable it is saved in.", FieldKind::Text("http")),
            FieldSpec::new(
                "save/frontend",
                "Available to the frontend",
                "Whether front-end nodes may read it.",
                FieldKind::Flag(false),
            ),
        ],
    },
    lower,
};

const CHOICES: &[(&str, &str)] =
    &[("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE")];

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    lowering.check_exits(live, &["Success", "Failure"]);
    let mut config = live.config(lowering.told());
    let method = config.choice("method", METHODS);
    let follows = config.flag("followRedirects", false);
    let to = to(&mut config, live, method);
    if config.flag("skipCertificateValidation", false) {
        let message = "A request without a check of the certificate needs a permit that this server does not give.";
        let at = config.at("skipCertificateValidation");
        config.told().refuse("certificate_unchecked", &at, message, "Have the server answer with a certificate.");
    }
    let save = Save::read(&mut config, ATTRIBUTES, &["body", "status"], "http");
    config.close();
    let (well, badly) = (lowering.exit(live, "Success"), lowering.exit(live, "Failure"));
    let Some(to) = to else { return };
    let method = method.parse().unwrap_or(Method::GET);
    let fetch: FetchIx = lowering.request(HttpRequest { method, follows, save, who: live.who.clone() });
    let failing = lowering.failing(live, badly);
    lowering.put(live, Op::Fetch { fetch, to, busy: Value::Undefined }, vec![vec![well]], failing);
}

/// What the message decides: URL, headers and data.
fn to(config: &mut Form<'_>, live: &Live<'_, '_>, method: &str) -> Option<Expr> {
    let (told, at) = (config.told(), config.at("url"));
    let url = config.text("url").unwrap_or_default();
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    if !url.starts_with("{{") && !scheme.is_some_and(|scheme| matches!(scheme, "http" | "https")) {
        told.refuse("value_illegal", &at, "The URL begins with `http://` or `https://`.", "Write it whole.");
    }
    let url = template_at(told, &at, url, "url");
    let mut members: Vec<(Text, Expr)> = vec![(HEADERS.into(), headers(config, live))];
    if let Some(data) = body(config, live, DATA) {
        if method == "GET" {
            told.tell(
                Severity::Warning,
                "data_unusual",
                &config.at(DATA),
                "A GET has no data; it is sent all the same.",
                "",
            );
        }
        members.push((DATA.into(), data));
    }
    members.insert(0, (URL.into(), url?.expr_in_text(&live.who)));
    Some(Expr::Map(members))
}
