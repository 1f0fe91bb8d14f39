//! Documents: deployed, listed and taken away.

use std::sync::Arc;

use http::{Response, StatusCode};
use plan::Diagnostic;
use serde_json::{Value as Json, json};

use super::{Call, Route, ServesAdmin, caller, json_reply};
use crate::deployment::{DeployError, Deployments, Listed, Report};
use crate::problem::{Body, Problem, Verb};

/// `GET /documents`, `PUT /documents/{name}` with the document as its body, `DELETE /documents/{name}`.
pub fn routes<L: ServesAdmin>(deployments: &Arc<Deployments>) -> [Route<L>; 3] {
    let (list, deploy, undeploy) = (Arc::clone(deployments), Arc::clone(deployments), Arc::clone(deployments));
    [
        Route::new(Verb::Get, "/documents", move |_| std::future::ready(Ok(all(&list)))),
        Route::new(Verb::Put, "/documents/{name}", move |call| put(Arc::clone(&deploy), call)),
        Route::new(Verb::Delete, "/documents/{name}", move |call| delete(Arc::clone(&undeploy), call)),
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
