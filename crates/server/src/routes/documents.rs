//! Documents: deployed, listed and taken away.

use std::sync::Arc;

use bytes::Bytes;
use dialects::orchestration::Left;
use http::{Response, StatusCode};
use jose::json::Limits;
use plan::{Diagnostic, JsonRules, Value, read_json, write_json};
use serde_json::{Value as Json, json};

use super::{Call, Route, ServesAdmin, caller, json_reply};
use crate::deployment::{DeployError, Deployments, Listed, ProbeError, Report};
use crate::problem::{Body, Problem, Verb};

/// `GET /documents`, `PUT /documents/{name}` with the document as its body, `DELETE /documents/{name}`,
/// `POST /documents/{name}/debug` with the variables of an orchestration flow as its body.
pub fn routes<L: ServesAdmin>(deployments: &Arc<Deployments>) -> [Route<L>; 4] {
    let (list, deploy, undeploy) = (Arc::clone(deployments), Arc::clone(deployments), Arc::clone(deployments));
    let debugged = Arc::clone(deployments);
    [
        Route::new(Verb::Get, "/documents", move |_| std::future::ready(Ok(all(&list)))),
        Route::new(Verb::Put, "/documents/{name}", move |call| put(Arc::clone(&deploy), call)),
        Route::new(Verb::Delete, "/documents/{name}", move |call| delete(Arc::clone(&undeploy), call)),
        Route::new(Verb::Post, "/documents/{name}/debug", move |call| debug(Arc::clone(&debugged), call)),
    ]
}

fn all(deployments: &Deployments) -> Response<Body> {
    let documents: Vec<Json> = deployments.list().iter().map(listed).collect();
    json_reply(StatusCode::OK, &json!({ "documents": documents }))
}

async fn put(deployments: Arc<Deployments>, call: Call) -> Result<Response<Body>, Problem> {
    let (name, by) = (call.captures.get("name").to_owned(), caller(call.peer));
    let octets = call.body().await?;
    Ok(match deployments.deploy(&name, octets, &by).await {
        Ok(report) => json_reply(StatusCode::OK, &reported(&report)),
        Err(error) => refused(&error),
    })
}

async fn delete(deployments: Arc<Deployments>, call: Call) -> Result<Response<Body>, Problem> {
    match deployments.undeploy(call.captures.get("name"), &caller(call.peer)).await {
        Ok(true) => Ok(json_reply(StatusCode::OK, &json!({}))),
        Ok(false) => Err(Problem::NotFound),
        Err(error) => Ok(refused(&error)),
    }
}

async fn debug(deployments: Arc<Deployments>, call: Call) -> Result<Response<Body>, Problem> {
    let name = call.captures.get("name").to_owned();
    let octets = call.body().await?;
    let variables = read_json(&octets, Limits::REQUEST, JsonRules::Exact).unwrap_or_default();
    let Some(variables) = variables.as_map() else {
        let told =
            json!({ "error": "body_invalid", "error_description": "The variables of the run are a JSON object." });
        return Ok(json_reply(StatusCode::BAD_REQUEST, &told));
    };
    match deployments.debug(&name, variables).await {
        Ok((reply, left)) => Ok(json_reply(StatusCode::OK, &debugged(&reply, &left))),
        Err(ProbeError::NoDocument(_)) => Err(Problem::NotFound),
        Err(error) => {
            let told = json!({ "error": "document_kind_unfit", "error_description": error.to_string() });
            Ok(json_reply(StatusCode::UNPROCESSABLE_ENTITY, &told))
        }
    }
}

fn debugged(reply: &Response<Bytes>, left: &Left) -> Json {
    let headers =
        reply.headers().iter().map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]));
    let (headers, body) = (headers.collect::<Vec<_>>(), String::from_utf8_lossy(reply.body()));
    let status = reply.status().as_u16();
    json!({
        "status": status, "headers": headers, "body": body,
        "variables": shown(&left.variables), "frontend": shown(&left.frontend),
    })
}

/// A value as JSON; `null` if it holds what JSON cannot.
fn shown(value: &Value) -> Json {
    let mut text = Vec::new();
    match write_json(&mut text, value) {
        Ok(true) => serde_json::from_slice(&text).unwrap_or_default(),
        Ok(false) | Err(_) => Json::Null,
    }
}

fn listed(listed: &Listed) -> Json {
    let Listed { name, revision, diagnostics } = listed;
    json!({ "name": name, "revision": revision, "diagnostics": told(diagnostics) })
}

fn reported(report: &Report) -> Json {
    let routes = report.routes.iter().map(|(method, path)| json!({ "method": method.as_str(), "path": path }));
    let routes: Vec<Json> = routes.collect();
    json!({ "revision": report.revision, "routes": routes, "diagnostics": told(&report.diagnostics) })
}

/// Details go to whoever deploys: this is the admin side, not the network.
fn refused(error: &DeployError) -> Response<Body> {
    let (status, code) = match error {
        DeployError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "document_too_large"),
        DeployError::UnknownKind => (StatusCode::UNPROCESSABLE_ENTITY, "document_kind_unknown"),
        DeployError::Refused(_) | DeployError::Token(_) => (StatusCode::UNPROCESSABLE_ENTITY, "document_refused"),
        DeployError::Flawed(_) | DeployError::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        DeployError::Vault(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_failed"),
    };
    let diagnostics =
        if let DeployError::Refused(diagnostics) = error { told(diagnostics) } else { Json::Array(vec![]) };
    let description = error.to_string();
    json_reply(status, &json!({ "error": code, "error_description": description, "diagnostics": diagnostics }))
}

fn told(diagnostics: &[Diagnostic]) -> Json {
    diagnostics.iter().map(diagnostic).collect()
}

fn diagnostic(diagnostic: &Diagnostic) -> Json {
    let Diagnostic { severity, code, place, message, hint } = diagnostic;
    let (line, column) = place.line_column.unzip();
    json!({
        "severity": severity.to_string(),
        "code": code,
        "node": &*place.node,
        "type": &*place.kind,
        "flow": &*place.section,
        "pointer": place.pointer,
        "line": line,
        "column": column,
        "message": message,
        "hint": hint,
    })
}
