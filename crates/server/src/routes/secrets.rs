//! Secrets of flows: set, drawn and deleted by the id or the name of a node, and not shown again.

use std::sync::Arc;

use http::{Response, StatusCode};
use jose::jwk::Jwk;
use plan::SecretRef;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{Call, Route, ServesAdmin, caller, json_reply};
use crate::deployment::{Caller, Deployments, DrawnKey, NotDrawn, SecretNameError};
use crate::problem::{Body, Problem, Verb};
use crate::vault::{SecretStep, VaultError};

/// What a caller sends: the value itself, or the name of the environment variable that holds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Wish {
    Value(Zeroizing<String>),
    Env(String),
}

/// `GET /secrets`, `PUT /secrets/{node}/{field}` with `{"value": ..}` or `{"env": ..}`, `POST` there for a key that is drawn,
/// `DELETE /secrets/{node}/{field}`.
pub fn routes<L: ServesAdmin>(deployments: &Arc<Deployments>) -> [Route<L>; 4] {
    let [list, set, draw, delete] = std::array::from_fn(|_| Arc::clone(deployments));
    [
        Route::new(Verb::Get, "/secrets", move |_| all(Arc::clone(&list))),
        Route::new(Verb::Put, "/secrets/{node}/{field}", move |call| put(Arc::clone(&set), call)),
        Route::new(Verb::Post, "/secrets/{node}/{field}", move |call| generate(Arc::clone(&draw), call)),
        Route::new(Verb::Delete, "/secrets/{node}/{field}", move |call| remove(Arc::clone(&delete), call)),
    ]
}

async fn all(deployments: Arc<Deployments>) -> Result<Response<Body>, Problem> {
    let secrets = blocking(move || deployments.vault().secrets()).await?;
    let names: Vec<Json> =
        secrets.iter().map(|secret| json!({ "node": &*secret.owner, "field": &*secret.field })).collect();
    Ok(json_reply(StatusCode::OK, &json!({ "secrets": names })))
}

async fn put(deployments: Arc<Deployments>, call: Call) -> Result<Response<Body>, Problem> {
    let by = caller(call.peer);
    let named = deployments.secret_named(call.captures.get("node"), call.captures.get("field"));
    let body = call.body().await?;
    let secret = match named {
        Ok(secret) => secret,
        Err(error) => return Ok(unnamed(&error)),
    };
    let wish: Wish = serde_json::from_slice(&body).map_err(|_| Problem::Malformed)?;
    let step = match wish {
        Wish::Value(text) => SecretStep::of_text(&text),
        Wish::Env(name) => match SecretStep::of_variable(&name) {
            Some(step) => Some(step),
            None => return Err(Problem::Malformed),
        },
    };
    let Some(step) = step else { return Ok(done(&secret, "unchanged")) };
    change(deployments, secret, step, by).await
}

/// What the other holder of the key needs is in the answer, this once: a shared secret whole, of a pair the public half.
async fn generate(deployments: Arc<Deployments>, call: Call) -> Result<Response<Body>, Problem> {
    let by = caller(call.peer);
    let secret = match deployments.secret_named(call.captures.get("node"), call.captures.get("field")) {
        Ok(secret) => secret,
        Err(error) => return Ok(unnamed(&error)),
    };
    let (house, wanted) = (Arc::clone(&deployments), secret.clone());
    let drawn = tokio::task::spawn_blocking(move || house.draw_key(&wanted)).await.map_err(|_| Problem::Internal)?;
    let DrawnKey { step, shared } = match drawn {
        Ok(drawn) => drawn,
        Err(NotDrawn::Key(_)) => return Err(Problem::Internal),
        Err(error) => return Ok(refused(StatusCode::CONFLICT, "not_drawn", &error)),
    };
    change(deployments, secret, step, by).await?;
    let mut text = Zeroizing::new(Vec::new());
    match &shared {
        Jwk::Private(shared) => shared.write_private(&mut text),
        Jwk::Public(public) => public.write(&mut text),
    }
    let key: Json = serde_json::from_slice(&text).map_err(|_| Problem::Internal)?;
    Ok(json_reply(StatusCode::OK, &key))
}

async fn remove(deployments: Arc<Deployments>, call: Call) -> Result<Response<Body>, Problem> {
    let (node, field) = (call.captures.get("node"), call.captures.get("field"));
    // What a vanished node has left behind goes by its id.
    let left_behind = || SecretRef { owner: node.into(), field: field.into() };
    let secret = match deployments.secret_named(node, field) {
        Ok(secret) => secret,
        Err(SecretNameError::Unknown { .. }) => left_behind(),
        Err(error @ SecretNameError::Several { .. }) => return Ok(unnamed(&error)),
    };
    change(deployments, secret, SecretStep::Delete, caller(call.peer)).await
}

async fn change(
    deployments: Arc<Deployments>,
    secret: SecretRef,
    step: SecretStep,
    by: Caller,
) -> Result<Response<Body>, Problem> {
    let deletes = matches!(step, SecretStep::Delete);
    let (owned, wanted) = (secret.clone(), step);
    let changed = blocking(move || deployments.vault().change_secret(&owned, &wanted, &by.by())).await?;
    match (deletes, changed) {
        (true, true) => Ok(done(&secret, "deleted")),
        (true, false) => Err(Problem::NotFound),
        (false, _) => Ok(done(&secret, "set")),
    }
}

fn done(secret: &SecretRef, what: &str) -> Response<Body> {
    json_reply(StatusCode::OK, &json!({ "node": &*secret.owner, "field": &*secret.field, "secret": what }))
}

fn unnamed(error: &SecretNameError) -> Response<Body> {
    let (status, code) = match error {
        SecretNameError::Unknown { .. } => (StatusCode::NOT_FOUND, "node_unknown"),
        SecretNameError::Several { .. } => (StatusCode::CONFLICT, "node_ambiguous"),
    };
    refused(status, code, error)
}

fn refused(status: StatusCode, code: &str, error: &dyn std::error::Error) -> Response<Body> {
    json_reply(status, &json!({ "error": code, "error_description": error.to_string() }))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Problem::Internal)?.map_err(|_| Problem::Unavailable)
}
