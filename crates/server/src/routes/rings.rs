//! Key rings for operators: made, listed, rotated, revoked, brought in and taken out; and a token signed by one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Response, StatusCode};
use jose::jwa::{SignatureAlgorithm, Switch, Switches};
use jose::jwk::{Jwk, PublicJwk};
use keyring::{OverLife, Span, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use signer::HeldPair;
use zeroize::Zeroizing;

use super::{Call, Route, ServesAdmin, caller, json_reply};
use crate::deployment::Caller;
use crate::problem::{Body, Problem, Verb};
use crate::rings::{
    LiveRing, Made, NewRingSpec, Reconciled, RingReader, RingSigner, Rings, RingsError, Rotation, Timing, TimingWish,
};
use crate::vault::ServedKey;

/// A ring to be made, as it is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingWish {
    /// Its name.
    pub name: String,
    /// Whose it is.
    #[serde(default = "public")]
    pub tenant: String,
    /// The algorithm.
    pub alg: String,
    /// How long a generation signs, in seconds; none for a static ring.
    pub rotation_period_secs: Option<i64>,
    /// Whether RSA keys have 2 048 bits in place of 3 072.
    #[serde(default)]
    pub rsa_2048: bool,
    /// Whether it signs for five minutes at most without news from its store.
    #[serde(default)]
    pub strict_revocation: bool,
    /// Whether the keys are made in the PKCS#11 token that the settings name, and stay there.
    #[serde(default)]
    pub in_hsm: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    key: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    key: Zeroizing<String>,
    /// Switches that open what is closed by default, by name.
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    reader: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Republished {
    #[serde(default = "public")]
    tenant: String,
    /// None for every key that was served from here.
    keys: Option<Vec<String>>,
    until_secs: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Backup {
    file: PathBuf,
}

/// Another timing, as it is asked for; what is not named stays.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimingAsked {
    /// How long a generation signs, in seconds.
    pub rotation_period_secs: Option<i64>,
    /// How long a token may live, in seconds.
    pub max_lifetime_secs: Option<i64>,
    /// `cut`, `refuse` or `keep`: what becomes of a token that asks for more.
    pub over_life: Option<String>,
}

type Answered = Result<Json, RingsError>;

/// `GET /rings`, `POST /rings`, and `POST /rings/{tenant}/{name}/rotate`, `/revoke`, `/import`, `/export`, `/read`,
/// `/timing`; `POST /rings-republished`, `GET /hsm/reconciliation`, `GET /audit/verification`, `POST /backup`.
pub fn routes<L: ServesAdmin>(rings: &Arc<Rings>) -> [Route<L>; 12] {
    let route = |verb, path, work: fn(&Rings, &str, &[u8], &Caller) -> Result<Answered, Problem>| {
        let rings = Arc::clone(rings);
        Route::new(verb, path, move |call| answer(Arc::clone(&rings), call, work))
    };
    [
        route(Verb::Get, "/rings", |rings, _, _, _| Ok(list(rings))),
        route(Verb::Post, "/rings", |rings, _, body, by| Ok(make(rings, parse(body)?, by))),
        route(Verb::Post, "/rings/{tenant}/{name}/rotate", |rings, ring, body, by| {
            let Reason { reason } = parse(body)?;
            Ok(rotate(rings, ring, &reason, by))
        }),
        route(Verb::Post, "/rings/{tenant}/{name}/revoke", |rings, ring, body, by| {
            let Revocation { key, reason } = parse(body)?;
            Ok(revoke(rings, ring, &key, &reason, by))
        }),
        route(Verb::Post, "/rings/{tenant}/{name}/import", |rings, ring, body, by| {
            let Import { key, allow } = parse(body)?;
            let allow = allow.iter().map(|name| Switch::ALL.into_iter().find(|switch| switch.name() == *name));
            let allow = allow.collect::<Option<Vec<_>>>().ok_or(Problem::Malformed)?;
            let switches = allow.into_iter().fold(Switches::NONE, Switches::with);
            Ok(import(rings, ring, key.as_bytes(), switches, by))
        }),
        route(Verb::Post, "/rings/{tenant}/{name}/timing", |rings, ring, body, by| {
            let asked: TimingAsked = parse(body)?;
            Ok(set_timing(rings, ring, &asked, by))
        }),
        route(Verb::Post, "/rings/{tenant}/{name}/read", |rings, ring, body, by| {
            let Read { reader } = parse(body)?;
            Ok(read(rings, ring, &reader, by))
        }),
        route(Verb::Post, "/rings/{tenant}/{name}/export", |rings, ring, body, by| {
            let Export { key } = parse(body)?;
            Ok(export(rings, ring, &key, by))
        }),
        route(Verb::Post, "/rings-republished", |rings, _, body, by| {
            let Republished { tenant, keys, until_secs } = parse(body)?;
            Ok(match keys {
                Some(keys) => republish(rings, &tenant, &keys, until_secs, by),
                None => republish_served(rings, until_secs, by),
            })
        }),
        route(Verb::Get, "/hsm/reconciliation", |rings, _, _, _| Ok(reconcile(rings))),
        route(Verb::Get, "/audit/verification", |rings, _, _, _| Ok(verify(rings))),
        route(Verb::Post, "/backup", |rings, _, body, by| {
            let Backup { file } = parse(body)?;
            Ok(backup(rings, &file, by))
        }),
    ]
}

/// Every ring with its generations and their phases.
///
/// # Errors
/// [`RingsError`]. So for all of these: they block, and say in JSON what they did.
pub fn list(rings: &Rings) -> Answered {
    rings.refresh().map_err(RingsError::Vault)?;
    let (snapshot, t) = rings.snapshot().map_err(|refusal| RingsError::Away(refusal.to_string()))?;
    let listed: Result<Vec<Json>, RingsError> =
        snapshot.rings().map(|live| Ok(listed(live, &rings.readers(live)?, t))).collect();
    Ok(json!({ "rings": listed? }))
}

/// Makes a ring and its first generation.
///
/// # Errors
/// As [`list`].
pub fn make(rings: &Rings, wish: RingWish, by: &Caller) -> Answered {
    let algorithm = SignatureAlgorithm::by_name(&wish.alg).map_err(|error| RingsError::Refused(error.to_string()))?;
    let timing = wish.rotation_period_secs.map_or(Timing::Static, |secs| Timing::Rotating(Span::from_secs(secs)));
    let spec = NewRingSpec {
        tenant: wish.tenant,
        name: wish.name,
        algorithm,
        kid_prefix: "",
        timing,
        signer: match (wish.in_hsm, wish.rsa_2048) {
            (true, true) => return Err(RingsError::Refused("RSA keys in a token have 3 072 bits".to_owned())),
            (true, false) => RingSigner::Pkcs11,
            (false, true) => RingSigner::Software2048,
            (false, false) => RingSigner::Software,
        },
        is_strict: wish.strict_revocation,
    };
    Ok(json!({ "made": made(&rings.make(&[spec], &by.by())?) }))
}

/// Lets a ring rotate.
///
/// # Errors
/// As [`list`].
pub fn rotate(rings: &Rings, ring_id: &str, reason: &str, by: &Caller) -> Answered {
    let Rotation { made: new, hastened, laggards, readers_behind } = rings.rotate(ring_id, reason, &by.by())?;
    let haste = hastened.map(|rotated| {
        json!({
            "n": rotated.haste.n,
            "signs_from": instant(rotated.haste.until),
            "old_leaves_at": instant(rotated.old_removed_at),
        })
    });
    let made = made(new.as_slice());
    Ok(json!({
        "ring": ring_id, "made": made, "hastened": haste, "laggards": laggards, "readers_behind": readers_behind,
    }))
}

/// Ends the trust in a generation.
///
/// # Errors
/// As [`list`].
pub fn revoke(rings: &Rings, ring_id: &str, key: &str, reason: &str, by: &Caller) -> Answered {
    let revoked = rings.revoke(ring_id, key, reason, &by.by())?;
    let (snapshot, t) = rings.snapshot().map_err(|refusal| RingsError::Away(refusal.to_string()))?;
    let live = snapshot.ring(ring_id).ok_or_else(|| RingsError::NoRing(ring_id.to_owned()))?;
    let successor = live.signing.and_then(|signing| {
        let row = live.rows.generations.iter().find(|row| row.n == signing.n)?;
        let age_secs = (t - row.created_at).as_us() / 1_000_000;
        Some(json!({ "n": row.n, "kid": row.kid, "published_for_secs": age_secs }))
    });
    let cached_secs = live.ring.policy(t).assumed_cache.as_us() / 1_000_000;
    Ok(json!({ "ring": ring_id, "revoked": revoked, "accepted_up_to_secs": cached_secs, "signer": successor }))
}

/// Brings a private key in: a JWK, PEM or DER text, with what is opened for it.
///
/// # Errors
/// As [`list`].
pub fn import(rings: &Rings, ring_id: &str, key: &[u8], switches: Switches, by: &Caller) -> Answered {
    let private = match Jwk::import(key).map_err(|error| RingsError::Refused(error.to_string()))? {
        Jwk::Private(private) => private,
        Jwk::Public(_) => {
            return Err(RingsError::Refused("the key is public; a ring signs with private ones".to_owned()));
        }
    };
    let (new, acted) = rings.import(ring_id, private, switches, &by.by())?;
    let acted: Vec<&str> = acted.iter().map(Switch::name).collect();
    Ok(json!({ "made": made(new.as_slice()), "acted": acted }))
}

/// Gives a ring another timing.
///
/// # Errors
/// As [`list`].
pub fn set_timing(rings: &Rings, ring_id: &str, asked: &TimingAsked, by: &Caller) -> Answered {
    let over_life = match asked.over_life.as_deref() {
        None => None,
        Some(name) => {
            let known = OverLife::ALL.into_iter().find(|over_life| over_life.name() == name);
            Some(known.ok_or_else(|| RingsError::Refused(format!("`{name}` is none of cut, refuse and keep")))?)
        }
    };
    let span = |secs: Option<i64>| secs.map(|secs| Span::from_us(secs.saturating_mul(1_000_000)));
    let (rotation_period, max_lifetime) = (span(asked.rotation_period_secs), span(asked.max_lifetime_secs));
    let policy = rings.set_timing(ring_id, TimingWish { rotation_period, max_lifetime, over_life }, &by.by())?;
    let secs = |span: Span| span.as_us() / 1_000_000;
    Ok(json!({
        "ring": ring_id,
        "rotation_period_secs": policy.rotation_period.map(secs),
        "publish_lead_secs": secs(policy.publish_lead),
        "max_lifetime_secs": policy.max_lifetime.map(secs),
        "over_life": policy.over_life.name(),
    }))
}

/// The shared secrets of a ring as a JWK Set, for the consumer of this name.
///
/// # Errors
/// As [`list`].
pub fn read(rings: &Rings, ring_id: &str, reader: &str, by: &Caller) -> Answered {
    let set = rings.read_secrets(ring_id, reader, &by.by())?;
    serde_json::from_slice(set.expose()).map_err(|error| RingsError::Refused(error.to_string()))
}

/// Takes a private half out.
///
/// # Errors
/// As [`list`].
pub fn export(rings: &Rings, ring_id: &str, key: &str, by: &Caller) -> Answered {
    let secret = rings.export(ring_id, key, &by.by())?;
    serde_json::from_slice(secret.expose()).map_err(|error| RingsError::Refused(error.to_string()))
}

/// Shows public keys again that no ring has, until then, in seconds since 1970.
///
/// # Errors
/// As [`list`].
pub fn republish(rings: &Rings, tenant: &str, keys: &[String], until_secs: i64, by: &Caller) -> Answered {
    let until = Time::from_us(until_secs.saturating_mul(1_000_000));
    let mut republished = 0;
    for text in keys {
        let public = PublicJwk::parse(text.as_bytes()).map_err(|error| RingsError::Refused(error.to_string()))?;
        let kid = public.kid_or_thumbprint();
        let is_new = rings.vault().store().change(&by.by(), |change| change.republish(tenant, &kid, text, until))?;
        republished += u32::from(is_new);
    }
    rings.refresh().map_err(RingsError::Vault)?;
    Ok(json!({ "republished": republished }))
}

/// Shows every public key again that was served from this folder, was not revoked, and that no ring has.
///
/// # Errors
/// As [`list`].
pub fn republish_served(rings: &Rings, until_secs: i64, by: &Caller) -> Answered {
    let until = Time::from_us(until_secs.saturating_mul(1_000_000));
    let served = rings.vault().served_keys()?;
    let mut republished = 0;
    for ServedKey { tenant, kid, public_jwk } in &served {
        let again = rings.vault().store().change(&by.by(), |change| change.republish(tenant, kid, public_jwk, until));
        republished += u32::from(again?);
    }
    rings.refresh().map_err(RingsError::Vault)?;
    Ok(json!({ "republished": republished, "served": served.len() }))
}

/// Walks every chain of the store.
///
/// # Errors
/// As [`list`]; a chain that breaks names its first wrong row.
pub fn verify(rings: &Rings) -> Answered {
    let head = rings.vault().store().verify_audit()?;
    let events = rings.vault().store().verify_rings()?;
    Ok(json!({ "rows": head.seq, "events": events, "hash": jose::base64url::encode(&head.hash.0) }))
}

/// Copies the store into a file that is not there yet.
///
/// # Errors
/// As [`list`].
pub fn backup(rings: &Rings, file: &Path, by: &Caller) -> Answered {
    let head = rings.vault().store().back_up(file, &by.by())?;
    Ok(json!({ "file": file, "rows": head.seq, "hash": jose::base64url::encode(&head.hash.0) }))
}

/// Holds what the PKCS#11 token keeps against the rows.
///
/// # Errors
/// As [`list`].
pub fn reconcile(rings: &Rings) -> Answered {
    let Reconciled { whole, orphans, halves, missing } = rings.reconcile()?;
    let pair = |pair: &HeldPair| json!({ "id": pair.id, "label": pair.label, "private": pair.has_private, "public": pair.has_public });
    let pairs = |pairs: &[HeldPair]| pairs.iter().map(pair).collect::<Vec<_>>();
    Ok(json!({ "whole": whole, "orphans": pairs(&orphans), "halves": pairs(&halves), "missing": missing }))
}

async fn answer(
    rings: Arc<Rings>,
    call: Call,
    work: fn(&Rings, &str, &[u8], &Caller) -> Result<Answered, Problem>,
) -> Result<Response<Body>, Problem> {
    let by = caller(call.peer);
    let ring_id = format!("{}/{}", call.captures.get("tenant"), call.captures.get("name"));
    let body = call.body().await?;
    let done = tokio::task::spawn_blocking(move || work(&rings, &ring_id, &body, &by)).await;
    Ok(match done.map_err(|_| Problem::Internal)?? {
        Ok(done) => json_reply(StatusCode::OK, &done),
        Err(error) => refused(&error),
    })
}

/// Details go to whoever asks: this is the admin side, not the network.
pub(super) fn refused(error: &RingsError) -> Response<Body> {
    let (status, code) = error.outcome();
    json_reply(status, &json!({ "error": code, "error_description": error.to_string() }))
}

pub(super) fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Problem> {
    serde_json::from_slice(if body.is_empty() { b"{}" } else { body }).map_err(|_| Problem::Malformed)
}

fn listed(live: &LiveRing, readers: &[RingReader], t: Time) -> Json {
    let generation = |row: &store::GenerationRow| {
        json!({
            "n": row.n,
            "kid": row.kid,
            "phase": live.ring.phase(row.n, t).map(keyring::Phase::name),
            "created_at": instant(row.created_at),
            "starts_at": live.ring.start(row.n).map(instant),
            "leaves_at": live.ring.remove_at(row.n).map(instant),
            "imported": row.is_imported,
        })
    };
    let reader = |RingReader { reader, lacks_standby }: &RingReader| {
        let (name, last_read) = (&reader.name, instant(reader.last_read));
        json!({ "reader": name, "keys": reader.generations, "read_at": last_read, "lacks_standby": lacks_standby })
    };
    let generations: Vec<Json> = live.rows.generations.iter().rev().map(generation).collect();
    json!({
        "ring": live.rows.ring_id,
        "alg": live.rows.alg,
        "rotation_period_secs": live.ring.policy(t).rotation_period.map(|period| period.as_us() / 1_000_000),
        "epoch": live.rows.epoch,
        "generations": generations,
        "readers": readers.iter().map(reader).collect::<Vec<_>>(),
    })
}

fn made(made: &[Made]) -> Vec<Json> {
    let one = |made: &Made| json!({ "ring": made.ring_id, "n": made.row.n, "kid": made.row.kid, "signs_from": instant(made.row.activate_at) });
    made.iter().map(one).collect()
}

/// An instant as RFC 3339, in whole seconds; none for one that never comes.
fn instant(t: Time) -> Json {
    let timestamp = jiff::Timestamp::from_second(t.whole_secs()).ok().filter(|_| t < Time::NEVER);
    timestamp.map_or(Json::Null, |timestamp| Json::String(timestamp.to_string()))
}

fn public() -> String {
    crate::vault::TENANT.to_owned()
}
