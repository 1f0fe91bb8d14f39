//! A ring's token and its public keys, for commands on this machine while this server owns the store.

use std::sync::Arc;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use jose::json::Limits;
use plan::{ClaimPlan, HeaderMember, JsonRules, KeySource, Lifetime, TokenPlan, Value, read_json};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::rings::parse;
use super::{Call, Route, ServesAdmin, json_reply};
use crate::mint::RingMint;
use crate::problem::{Body, Problem, Verb};
use crate::rings::{LiveRing, RingRefusal, Rings, SetKind};

/// A token as a command asks for it. All but the signature, `kid` and what the ring allows is decided there.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenWish {
    /// `typ`; none if empty.
    pub typ: String,
    /// Further header members.
    pub header: Vec<(String, String)>,
    /// The claims, in order.
    pub claims: Vec<ClaimWish>,
    /// The `exp` that is asked for, in seconds since 1970.
    pub exp_secs: Option<i64>,
}

/// One claim, in its place.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimWish {
    /// Its name, and its value as JSON text, so that numbers keep their digits.
    Constant(String, String),
    /// `iat`, by the clock of the store.
    IssuedAt,
    /// `exp`, cut to what the ring allows.
    Expires,
}

type Answered = Result<Json, RingRefusal>;
type Work = fn(&Arc<Rings>, &str, &[u8]) -> Result<Answered, Problem>;

/// `GET /rings/{tenant}/{name}`, `POST /rings/{tenant}/{name}/mint`.
pub fn routes<L: ServesAdmin>(rings: &Arc<Rings>) -> [Route<L>; 2] {
    let route = |verb, path, work: Work| {
        let rings = Arc::clone(rings);
        Route::new(verb, path, move |call| answer(Arc::clone(&rings), call, work))
    };
    [
        route(Verb::Get, "/rings/{tenant}/{name}", |rings, ring, _| Ok(show(rings, ring))),
        route(Verb::Post, "/rings/{tenant}/{name}/mint", |rings, ring, body| Ok(mint(rings, ring, parse(body)?))),
    ]
}

/// The algorithm of a ring, and those of its public keys that are shown now.
fn show(rings: &Arc<Rings>, ring_id: &str) -> Answered {
    let live = found(rings, ring_id)?;
    let set = rings.served(&live.rows.tenant, SetKind::Runtime)?;
    let body = set.map(|served| served.set.body.clone());
    let mut set: Json =
        body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_else(|| json!({ "keys": [] }));
    let is_ours = |key: &Json| live.rows.generations.iter().any(|row| key["kid"] == row.kid.as_str());
    if let Some(keys) = set["keys"].as_array_mut() {
        keys.retain(is_ours);
    }
    Ok(json!({ "ring": ring_id, "alg": live.algorithm.name, "jwks": set }))
}

fn mint(rings: &Arc<Rings>, ring_id: &str, wish: TokenWish) -> Answered {
    let live = found(rings, ring_id)?;
    let claims: Vec<ClaimPlan> = wish.claims.into_iter().map(claim).collect::<Result<_, _>>()?;
    let kind = TokenPlan {
        algorithm: live.algorithm,
        switches: jose::jwa::Switches::NONE,
        header: header(wish.typ, wish.header),
        claims: Vec::new(),
        lifetime: Lifetime::Unbounded,
        key: KeySource::Given(ring_id.into()),
    };
    let by_ring = RingMint::new(Arc::clone(rings), ring_id.to_owned(), kind);
    let by_ring = by_ring.map_err(|error| RingRefusal::Claims(error.to_string()))?;
    let minted = by_ring.mint(|_| Ok((claims.clone(), wish.exp_secs)))?;
    Ok(json!({ "token": minted.token, "kid": minted.kid, "exp": minted.exp_secs, "exp_cut": minted.exp_cut }))
}

fn claim(wish: ClaimWish) -> Result<ClaimPlan, RingRefusal> {
    Ok(match wish {
        ClaimWish::IssuedAt => ClaimPlan::IssuedAt,
        ClaimWish::Expires => ClaimPlan::Expires,
        ClaimWish::Constant(name, json) => {
            let value: Result<Value, _> = read_json(json.as_bytes(), Limits::REQUEST, JsonRules::Exact);
            let value = value.map_err(|error| RingRefusal::Claims(format!("the claim `{name}`: {}", error.kind)))?;
            ClaimPlan::Constant(name.into(), value)
        }
    })
}

fn header(typ: String, others: Vec<(String, String)>) -> Vec<HeaderMember> {
    let mut members = vec![HeaderMember::Algorithm];
    if !typ.is_empty() {
        members.push(HeaderMember::Type(typ.into()));
    }
    members.push(HeaderMember::KeyId);
    members.extend(others.into_iter().map(|(name, value)| HeaderMember::Constant(name.into(), Value::text(value))));
    members
}

fn found(rings: &Rings, ring_id: &str) -> Result<Arc<LiveRing>, RingRefusal> {
    let (snapshot, _) = rings.snapshot()?;
    snapshot.ring(ring_id).cloned().ok_or_else(|| {
        let known: Vec<_> = snapshot.rings().map(|ring| ring.rows.ring_id.clone()).collect();
        RingRefusal::NoRing(format!("{ring_id}; the store has {}", known.join(", ")))
    })
}

async fn answer(rings: Arc<Rings>, call: Call, work: Work) -> Result<Response<Body>, Problem> {
    let ring_id = format!("{}/{}", call.captures.get("tenant"), call.captures.get("name"));
    let body = call.body().await?;
    let done = tokio::task::spawn_blocking(move || work(&rings, &ring_id, &body)).await;
    Ok(match done.map_err(|_| Problem::Internal)?? {
        Ok(done) => json_reply(StatusCode::OK, &done),
        // Whoever asks here is the operator: the ring's own words.
        Err(refusal) => {
            let told = json!({ "error": refusal.code(), "error_description": refusal.to_string() });
            let mut response = json_reply(refusal.status(), &told);
            if response.status() == StatusCode::SERVICE_UNAVAILABLE {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            response
        }
    })
}
