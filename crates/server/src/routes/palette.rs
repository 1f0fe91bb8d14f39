//! What editors draw palettes, forms and hints of: every node type, and the schema of flow documents.

use std::sync::LazyLock;

use bytes::Bytes;
use dialects::spec::{FieldKind, FieldSpec, Outputs};
use dialects::{Listed, orchestration};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use jose::json::write_value;
use serde_json::{Value as Json, json};

use super::{Call, Route, ServesAdmin, etag};
use crate::problem::{Body, Verb};

/// `GET /api/v1/palette` and `GET /api/v1/schemas/orchestration-1`, which change with a release alone and say so by an
/// `ETag` (docs/contracts/studio.md section 2, docs/contracts/jwt-generator.md section 8).
pub fn routes<L: ServesAdmin>() -> [Route<L>; 2] {
    [
        fixed("/api/v1/palette", &PALETTE, "application/json"),
        fixed("/api/v1/schemas/orchestration-1", &SCHEMA, "application/schema+json"),
    ]
}

/// Made when first asked for, since no server's start shall wait for them.
static PALETTE: LazyLock<Bytes> = LazyLock::new(|| {
    let nodes: Vec<Json> = dialects::palette().map(listed).collect();
    Bytes::from(json!({ "nodes": nodes }).to_string())
});
static SCHEMA: LazyLock<Bytes> = LazyLock::new(|| {
    let mut schema = Vec::new();
    write_value(&mut schema, &orchestration::schema());
    Bytes::from(schema)
});

/// A route whose answer is always the same.
fn fixed<L: ServesAdmin>(path: &'static str, body: &'static LazyLock<Bytes>, media_type: &'static str) -> Route<L> {
    Route::new(Verb::Get, path, move |call: Call| {
        let etag = etag::of(body);
        let is_known = etag::is_known(&call.head.headers, &etag);
        let mut response = Response::new(Body::from(if is_known { Bytes::new() } else { Bytes::clone(body) }));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(ETAG, etag);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        std::future::ready(Ok(response))
    })
}

/// A node type. All of them run on the server, so each has the badge BE.
fn listed(entry: Listed) -> Json {
    let spec = entry.spec;
    let outputs = match spec.outputs {
        Outputs::Labelled(labels) => json!(labels),
        Outputs::Field(name) => json!({ "field": name }),
    };
    json!({
        "dialect": entry.dialect, "type": spec.kind, "label": entry.label, "badge": "BE", "category": spec.category,
        "flows": entry.flows, "colour": spec.colour, "help": spec.summary, "inputs": spec.inputs, "outputs": outputs,
        "fields": spec.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

fn field(field: &FieldSpec) -> Json {
    let mut told = json!({ "key": field.name, "label": field.label, "help": field.summary });
    let (widget, name, value) = match field.kind {
        FieldKind::Text(new) => ("text", "default", json!(new)),
        FieldKind::Number(new) => ("number", "default", json!(new)),
        FieldKind::Flag(new) => ("checkbox", "default", json!(new)),
        FieldKind::Choice(choices) => ("select", "options", choices.iter().map(option).collect()),
        FieldKind::Several(choices) => ("multi-select", "options", json!(choices)),
        FieldKind::Rows(members) => ("rule-table", "members", json!(members)),
        FieldKind::Config(kind) => ("reference", "of", json!(kind)),
        FieldKind::Script => ("code", "language", json!("javascript")),
        FieldKind::Pairs => ("pairs", "default", json!({})),
        FieldKind::Texts => ("texts", "default", json!([])),
        FieldKind::Nodes => ("nodes", "default", json!([])),
        FieldKind::Assignments => ("assignments", "default", json!([])),
        FieldKind::Secret => ("secret", "secret", json!(true)),
    };
    told["widget"] = json!(widget);
    told[name] = value;
    told
}

fn option((value, label): &(&str, &str)) -> Json {
    json!({ "value": value, "label": label })
}
