//! Rings over a real store in memory, with clocks that the test moves: hours pass in no time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use jose::VerifyingKey;
use jose::jwa::{SignatureAlgorithm, Switches};
use jose::jwk::JwkSet;
use jose::jws::{HeaderPlan, Verifier};
use jose::jwt::{NumericDate, Policy};
use keyring::{AskedExp, ExpiryRefusal, OverLife, RingPolicy, Span};
use store::By;

use super::{NewRingSpec, RingRefusal, RingSigner, RingToken, Rings, SetKind, Ticks, Timing};
use crate::accept::Shutdown;
use crate::problem::Body;
use crate::routes::health::Condition;
use crate::routes::jwks::{self, Manner};
use crate::vault::Vault;

pub(super) const BY: By<'_> = By { actor: "test", address: None, request_id: None };
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;
const START_SECS: i64 = 1_700_000_000;

/// A store, its clock, and the machines around it, whose clocks run with it.
pub(super) struct World {
    pub(super) vault: Arc<Vault>,
    passed_us: Arc<AtomicI64>,
}

impl World {
    pub(super) fn new() -> Self {
        let passed_us = Arc::new(AtomicI64::new(0));
        let passed = Arc::clone(&passed_us);
        let clock = Arc::new(move || START_SECS * 1_000_000 + passed.load(Ordering::Relaxed));
        Self { vault: Arc::new(Vault::ephemeral_at(&BY, clock).unwrap()), passed_us }
    }

    pub(super) fn pass_secs(&self, secs: i64) {
        self.passed_us.fetch_add(secs * 1_000_000, Ordering::Relaxed);
    }

    fn now_secs(&self) -> i64 {
        START_SECS + self.passed_us.load(Ordering::Relaxed) / 1_000_000
    }

    /// A process on this store, whose wall clock is wrong by so much.
    pub(super) fn replica(&self, wrong_secs: i64) -> Arc<Rings> {
        let passed = Arc::clone(&self.passed_us);
        let ticks = move || {
            let boot_us = passed.load(Ordering::Relaxed);
            Ticks { boot_us, wall_us: boot_us + (START_SECS + wrong_secs) * 1_000_000 }
        };
        Rings::with_ticks(Arc::clone(&self.vault), Box::new(ticks)).unwrap()
    }
}

impl Rings {
    /// Gives each ring so many more keys, all in one transaction.
    pub(crate) fn fill_for_tests(&self, more: u32, by: &By<'_>) {
        let (snapshot, _) = self.snapshot().unwrap();
        let keeper = self.vault().signer().keeper();
        let filled: Result<(), crate::vault::VaultError> = self.vault().store().change(by, |change| {
            for live in snapshot.rings() {
                let rows = &live.rows;
                let from = rows.generations.len() as u32 + 1;
                for n in from..from + more {
                    let key = signer::RingKey::generate(keeper, live.algorithm, jose::RsaBits::Bits2048, "")?;
                    let at = super::change::At { ring_id: &rows.ring_id, alg: &rows.alg, signer: &rows.signer, n };
                    super::change::insert(change, keeper, &at, &key, super::change::Origin::Made, "test")?;
                }
            }
            Ok(())
        });
        filled.unwrap();
        self.refresh().unwrap();
    }
}

pub(super) fn spec(name: &str, alg: &str, timing: Timing) -> NewRingSpec {
    NewRingSpec {
        tenant: "public".to_owned(),
        name: name.to_owned(),
        algorithm: SignatureAlgorithm::by_name(alg).unwrap(),
        kid_prefix: match timing {
            Timing::Static => super::STATIC_PREFIX,
            Timing::Dynamic(_) => super::DYNAMIC_PREFIX,
            Timing::Rotating(_) => "",
        },
        timing,
        signer: RingSigner::Software2048,
        is_strict: false,
    }
}

fn manner(kind: SetKind) -> Manner {
    match kind {
        SetKind::Runtime => Manner::Runtime,
        SetKind::Core => Manner::Core { age_secs_max: 600 },
    }
}

const DYNAMIC: Timing = Timing::Dynamic(Span::from_secs(7 * DAY));

pub(super) fn weekly() -> Timing {
    Timing::Rotating(Span::from_secs(7 * DAY))
}

/// A world with the ring `public/r` of Ed25519 keys, and one process.
fn with_ring(timing: Timing) -> (World, Arc<Rings>) {
    let world = World::new();
    let rings = world.replica(0);
    rings.make(&[spec("r", "EdDSA", timing)], &BY).unwrap();
    (world, rings)
}

/// A token that asks for this life.
pub(super) fn mint(rings: &Rings, life_secs: i64) -> Result<RingToken, RingRefusal> {
    rings.mint("public/r", &HeaderPlan::jwt(), |moment| {
        let iat = moment.issued_at_secs;
        let exp = moment.expiry(AskedExp::At(iat + life_secs))?.unwrap_or(iat + life_secs);
        Ok(format!(r#"{{"iat":{iat},"exp":{exp}}}"#).into_bytes())
    })
}

pub(super) fn set(rings: &Rings, kind: SetKind) -> Response<Body> {
    jwks::reply(rings, "public", manner(kind), &HeaderMap::new()).unwrap()
}

pub(super) fn body(response: Response<Body>) -> String {
    let collected = futures_util::FutureExt::now_or_never(response.into_body().collect());
    String::from_utf8(collected.unwrap().unwrap().to_bytes().to_vec()).unwrap()
}

pub(super) fn kids(rings: &Rings, kind: SetKind) -> Vec<String> {
    let set = JwkSet::parse(body(set(rings, kind)).as_bytes()).unwrap();
    set.keys.into_iter().map(|key| key.parameters.kid.unwrap()).collect()
}

/// Whether a verifier that fetches the set now takes the token.
pub(super) fn verifies(rings: &Rings, token: &RingToken, now_secs: i64) -> bool {
    let set = JwkSet::parse(body(set(rings, SetKind::Runtime)).as_bytes()).unwrap();
    let row = SignatureAlgorithm::by_name("EdDSA").unwrap();
    let key = set.keys.iter().find(|key| key.parameters.kid.as_ref() == Some(&token.kid));
    let Some(key) = key.map(|key| VerifyingKey::new(row, key, Switches::NONE).unwrap()) else {
        return false;
    };
    let Ok(read) = Verifier::new(&[row]).unwrap().verify(&token.token, &key) else { return false };
    let now = NumericDate::from_secs(now_secs.unsigned_abs());
    Policy::default().validate(read.header.typ(), &read.payload, now).is_ok()
}

fn with_policy(rings: &Rings, change: impl Fn(RingPolicy) -> RingPolicy) {
    let (snapshot, t) = rings.snapshot().unwrap();
    let policy = change(*snapshot.ring("public/r").unwrap().ring.policy(t));
    rings.vault().store().change(&BY, |part| part.set_ring_policy("public/r", policy)).unwrap();
    rings.refresh().unwrap();
}

/// KR-08: the standby is there in time under both settings; without a rotator it is told as overdue, and signing goes on.
#[test]
fn a_standby_is_made_in_time() {
    let (world, rings) = with_ring(weekly());
    assert_eq!(kids(&rings, SetKind::Runtime).len(), 2, "at once");
    world.pass_secs(7 * DAY);
    rings.refresh().unwrap();
    let first = mint(&rings, 60).unwrap();
    rings.tend(&BY).unwrap();
    assert_eq!(kids(&rings, SetKind::Runtime).len(), 3);
    assert_eq!(kids(&rings, SetKind::Runtime)[1], first.kid, "the second signs");

    let (world, rings) = with_ring(DYNAMIC);
    assert_eq!(kids(&rings, SetKind::Core).len(), 1, "a fresh one shows one key");
    world.pass_secs(6 * DAY - 1);
    rings.refresh().unwrap();
    assert_eq!(rings.tend(&BY).unwrap().len(), 0);
    world.pass_secs(1);
    rings.refresh().unwrap();
    assert_eq!(rings.tend(&BY).unwrap().len(), 1, "D 7 d less P 24 h");
    let overdue = |rings: &Rings| {
        let (snapshot, t) = rings.snapshot().unwrap();
        snapshot.ring("public/r").unwrap().ring.is_overdue(t)
    };
    world.pass_secs(DAY + 6 * DAY + 300);
    rings.refresh().unwrap();
    assert!(!overdue(&rings));
    world.pass_secs(1);
    assert!(overdue(&rings));
    mint(&rings, 60).unwrap();
}

/// KR-09 (part): rotate now: a young standby waits for the caches, an old one signs at once; the old key stays.
#[test]
fn rotate_now_waits_for_caches_alone() {
    let (world, rings) = with_ring(weekly());
    let rotated = rings.rotate("public/r", "test", &BY).unwrap().hastened;
    let rotated = rotated.unwrap();
    assert_eq!(rotated.haste.until.whole_secs(), world.now_secs() + 3_670);
    let old = mint(&rings, 60).unwrap().kid;
    world.pass_secs(3_670);
    rings.refresh().unwrap();
    let new = mint(&rings, 60).unwrap().kid;
    assert_ne!(old, new);
    rings.tend(&BY).unwrap();
    world.pass_secs(DAY);
    rings.refresh().unwrap();
    let rotated = rings.rotate("public/r", "test", &BY).unwrap().hastened;
    assert_eq!(rotated.unwrap().haste.until.whole_secs(), world.now_secs(), "P old");
    assert_ne!(mint(&rings, 60).unwrap().kid, new);
    assert!(kids(&rings, SetKind::Runtime).contains(&new), "for the hold, a life and the tolerances");
}

/// KR-14: beyond the ceiling `cut` gives it and says so, `refuse` refuses, `keep` stores one event and then needs none.
#[test]
fn beyond_the_ceiling() {
    let (world, rings) = with_ring(weekly());
    let cut = mint(&rings, 2 * HOUR).unwrap();
    assert!(cut.exp_cut);
    assert_eq!(rings.exp_cut_count(), 1);
    assert!(!mint(&rings, HOUR).unwrap().exp_cut);
    world.pass_secs(HOUR - 1);
    assert!(verifies(&rings, &cut, world.now_secs()));
    world.pass_secs(1);
    assert!(!verifies(&rings, &cut, world.now_secs()), "its end was cut to an hour");

    with_policy(&rings, |policy| RingPolicy { over_life: OverLife::Refuse, ..policy });
    let refusal = mint(&rings, 2 * HOUR).unwrap_err();
    assert!(matches!(refusal, RingRefusal::Expiry(ExpiryRefusal::ExceedsRing { .. })), "{refusal}");

    with_policy(&rings, |policy| RingPolicy { over_life: OverLife::Keep, ..policy });
    let events = || rings.vault().store().rings().unwrap().rings[0].events.len();
    assert_eq!(events(), 0);
    let kept = mint(&rings, 20 * DAY).unwrap();
    assert_eq!(events(), 1);
    for _ in 0..50 {
        mint(&rings, 20 * DAY).unwrap();
    }
    assert_eq!(events(), 1, "one step covers them");
    for _ in 0..3 {
        world.pass_secs(6 * DAY);
        rings.refresh().unwrap();
        rings.tend(&BY).unwrap();
    }
    assert!(verifies(&rings, &kept, world.now_secs()), "its key is long retired and still shown");
}

/// KR-16: 3 153 600 000 s are exact on static and dynamic rings and verify ten rotations on; the key of short tokens is gone
/// two hours after it stopped. ST-64, ST-65: the same for a SuperTokens app, whose rings these are.
#[test]
fn a_hundred_years_are_exact() {
    for timing in [Timing::Static, DYNAMIC] {
        let (world, rings) = with_ring(timing);
        let token = mint(&rings, 3_153_600_000).unwrap();
        let claims = jose::base64url::decode(token.token.split('.').nth(1).unwrap()).unwrap();
        let (iat, exp) = (world.now_secs(), world.now_secs() + 3_153_600_000);
        assert_eq!(String::from_utf8(claims).unwrap(), format!(r#"{{"iat":{iat},"exp":{exp}}}"#));
        for _ in 0..80 {
            world.pass_secs(DAY);
            rings.refresh().unwrap();
            rings.tend(&BY).unwrap();
        }
        assert!(verifies(&rings, &token, world.now_secs()), "{timing:?}");
        let signer = rings.snapshot().unwrap().0.ring("public/r").unwrap().signing.unwrap().n;
        assert!(signer > 10 || timing == Timing::Static, "{signer} signs");
    }
    let (world, rings) = with_ring(DYNAMIC);
    let short = mint(&rings, 60).unwrap().kid;
    world.pass_secs(6 * DAY);
    rings.refresh().unwrap();
    rings.tend(&BY).unwrap();
    // The lead, then two hours after it stopped.
    world.pass_secs(DAY + 2 * HOUR - 1);
    rings.refresh().unwrap();
    assert!(kids(&rings, SetKind::Core).contains(&short));
    world.pass_secs(1);
    assert!(!kids(&rings, SetKind::Core).contains(&short), "without any write");
}

/// KR-15: payload, lifetime field or default: whoever writes the `exp`, one ceiling holds; and what is no date is none.
#[test]
fn what_is_no_date_is_refused() {
    let (_world, rings) = with_ring(weekly());
    let asked = |asked| {
        let minted = rings.mint("public/r", &HeaderPlan::jwt(), |moment| {
            moment.expiry(asked)?;
            Ok(b"{}".to_vec())
        });
        minted.map(drop).map_err(|refusal| refusal.code())
    };
    assert_eq!(asked(AskedExp::Nothing), Err("exp_required"));
    assert_eq!(asked(AskedExp::Invalid), Err("exp_invalid"));
    assert_eq!(asked(AskedExp::At(i64::MAX)), Err("exp_invalid"));
    for past in [0, -5] {
        assert_eq!(asked(AskedExp::At(past)), Ok(()));
    }
}

/// KR-19: the headers of both listeners to the letter, 304, and an `ETag` that changes at a removal without a write.
#[test]
fn a_set_says_how_long_it_may_be_kept() {
    let (world, rings) = with_ring(weekly());
    let field = |response: &Response<Body>, name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let runtime = set(&rings, SetKind::Runtime);
    assert_eq!(field(&runtime, "cache-control"), "public, max-age=900, stale-if-error=900");
    assert_eq!(field(&runtime, "access-control-allow-origin"), "*");
    assert_eq!(field(&runtime, "content-type"), "application/json");
    let etag = field(&runtime, "etag");
    for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
        let asked = HeaderMap::from_iter([(http::header::IF_NONE_MATCH, known.parse().unwrap())]);
        let reply = jwks::reply(&rings, "public", Manner::Runtime, &asked).unwrap();
        assert_eq!((reply.status().as_u16(), body(reply).as_str()), (304, ""), "{known}");
    }
    // The second key signs after seven days; the first leaves L 1 h, V 60 s and twice S later.
    world.pass_secs(7 * DAY + HOUR + 70 - 1);
    rings.refresh().unwrap();
    let before = field(&set(&rings, SetKind::Runtime), "etag");
    world.pass_secs(1);
    assert_ne!(field(&set(&rings, SetKind::Runtime), "etag"), before);

    rings.make(&[spec("s", "EdDSA", Timing::Static)], &BY).unwrap();
    assert_eq!(field(&set(&rings, SetKind::Core), "cache-control"), "max-age=600, must-revalidate");
    assert!(jwks::reply(&rings, "nobody", manner(SetKind::Core), &HeaderMap::new()).is_err());
}

/// KR-20: no private member and no shared secret in any set, for every kind of key.
#[test]
fn a_set_holds_public_members_alone() {
    let world = World::new();
    let rings = world.replica(0);
    let algorithms = ["ES256", "ES384", "ES512", "EdDSA", "RS256", "PS256", "HS256", "HS512"];
    let specs: Vec<_> = algorithms.iter().map(|alg| spec(&alg.to_ascii_lowercase(), alg, weekly())).collect();
    rings.make(&specs, &BY).unwrap();
    for alg in ["HS256", "RS256"] {
        let ring = format!("public/{}", alg.to_ascii_lowercase());
        rings.mint(&ring, &HeaderPlan::jwt(), |_| Ok(b"{}".to_vec())).unwrap();
    }
    let text = body(set(&rings, SetKind::Runtime));
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(!text.contains(&format!("\"{member}\":")), "{member}");
    }
    assert!(!text.contains("oct") && !text.contains("HS256"));
    assert_eq!(JwkSet::parse(text.as_bytes()).unwrap().keys.len(), 12, "two of each ring that publishes");
}

/// KR-36 (part): without its store for 1 min, 1 h, 20 h a process signs and shows on; KR-37: beyond T it answers 503 to both,
/// from then on, and no token that it signed before is unverifiable when the store is back.
#[test]
fn an_outage_is_served_from_memory() {
    let feels = |rings: &Arc<Rings>| {
        let condition = Condition::with_rings(Shutdown::default(), Arc::clone(rings));
        condition.set_serving();
        (condition.readiness().1, condition.freshness().1)
    };
    for outage_secs in [60, HOUR, 20 * HOUR] {
        let (world, rings) = with_ring(weekly());
        world.pass_secs(outage_secs);
        let token = mint(&rings, 60).unwrap();
        assert!(verifies(&rings, &token, world.now_secs()));
        let degraded = outage_secs > 60;
        let cache = set(&rings, SetKind::Runtime).headers()["cache-control"].to_str().unwrap().to_owned();
        assert_eq!(cache, if degraded { "public, max-age=30" } else { "public, max-age=900, stale-if-error=900" });
        assert_eq!(feels(&rings), if degraded { ("degraded", "stale") } else { ("ready", "fresh") });
    }
    let (world, rings) = with_ring(weekly());
    world.pass_secs(22 * HOUR);
    let last = mint(&rings, HOUR).unwrap();
    world.pass_secs(1);
    for later_secs in [0, 1_000] {
        world.pass_secs(later_secs);
        let refusal = mint(&rings, HOUR).unwrap_err();
        assert_eq!((refusal.status().as_u16(), refusal.code()), (503, "stale_ring"));
        for kind in [SetKind::Runtime, SetKind::Core] {
            let unshown = jwks::reply(&rings, "public", manner(kind), &HeaderMap::new()).unwrap_err();
            assert_eq!(unshown.to_json(crate::problem::RequestId::fresh()).status().as_u16(), 503);
        }
        assert_eq!(feels(&rings), ("stale", "stale"));
    }
    rings.refresh().unwrap();
    assert!(verifies(&rings, &last, world.now_secs()));
    mint(&rings, HOUR).unwrap();
}

/// KR-39: one process cut off for twelve hours across a switch is not fresh after F, signs with what was fixed before while
/// that is legal, and all verify.
#[test]
fn a_process_that_is_cut_off_across_a_switch_loses_nothing() {
    let (world, fresh) = with_ring(weekly());
    world.pass_secs(7 * DAY - 6 * HOUR);
    fresh.refresh().unwrap();
    let cut_off = world.replica(3);
    let feels = |rings: &Arc<Rings>| {
        let condition = Condition::with_rings(Shutdown::default(), Arc::clone(rings));
        condition.set_serving();
        (condition.readiness().0.as_u16(), condition.freshness().0.as_u16())
    };
    world.pass_secs(60);
    assert_eq!(feels(&cut_off), (200, 200));
    world.pass_secs(1);
    assert_eq!(feels(&cut_off), (200, 503), "beyond F");
    let mut tokens = Vec::new();
    for _ in 0..12 {
        world.pass_secs(HOUR);
        fresh.refresh().unwrap();
        fresh.tend(&BY).unwrap();
        tokens.push((mint(&cut_off, 1_800).unwrap(), mint(&fresh, 1_800).unwrap()));
        let (theirs, ours) = tokens.last().unwrap();
        assert_eq!(theirs.kid, ours.kid, "both take the switch at its time");
        for rings in [&cut_off, &fresh] {
            assert!(verifies(rings, theirs, world.now_secs()) && verifies(rings, ours, world.now_secs()));
        }
    }
    assert_ne!(tokens[0].0.kid, tokens[11].0.kid);
    world.pass_secs(10 * HOUR);
    assert_eq!(mint(&cut_off, 1_800).unwrap_err(), RingRefusal::Stale, "22 hours are over");
    assert_eq!(feels(&cut_off), (503, 503));
}

/// KR-43: a process whose clock is an hour off is put right by the store: its `iat` is the store's.
#[test]
fn a_wrong_clock_is_put_right() {
    let (world, _rings) = with_ring(weekly());
    let wrong = world.replica(HOUR);
    let token = mint(&wrong, 60).unwrap().token;
    let claims = jose::base64url::decode(token.split('.').nth(1).unwrap()).unwrap();
    assert!(String::from_utf8(claims).unwrap().starts_with(&format!(r#"{{"iat":{},"#, world.now_secs())));
}

/// KR-45: the store's clock leaps: service goes on by our own, nothing is scheduled and nothing removed, and it is told.
#[test]
fn a_leap_of_the_store_moves_nothing() {
    for leap_secs in [8 * DAY, -HOUR] {
        let (world, rings) = with_ring(weekly());
        let before = kids(&rings, SetKind::Runtime);
        let signer = mint(&rings, 60).unwrap().kid;
        let world_clock = Arc::clone(&world.passed_us);
        // The machine's clocks do not leap with it.
        let passed = world_clock.load(Ordering::Relaxed);
        let ticks = move || Ticks { boot_us: passed, wall_us: passed + START_SECS * 1_000_000 };
        let steady = Rings::with_ticks(Arc::clone(&world.vault), Box::new(ticks)).unwrap();
        world.pass_secs(leap_secs);
        steady.refresh().unwrap();
        let troubles = crate::rotator::round(&steady);
        assert!(troubles.clock_leapt && troubles.store_away.is_none() && troubles.untended.is_none());
        assert_eq!(steady.tend(&BY).unwrap().len(), 0);
        assert_eq!(steady.vault().store().rings().unwrap().rings[0].generations.len(), 2, "no rotation");
        assert_eq!(kids(&steady, SetKind::Runtime), before);
        assert_eq!(mint(&steady, 60).unwrap().kid, signer);
    }
}

/// KR-34 (part): eight processes make the same generation at once: one has, the others throw theirs away.
#[test]
fn of_eight_that_rotate_one_does() {
    let (world, rings) = with_ring(weekly());
    world.pass_secs(7 * DAY);
    rings.refresh().unwrap();
    let replicas: Vec<_> = (0..8).map(|_| world.replica(0)).collect();
    std::thread::scope(|scope| {
        for replica in &replicas {
            scope.spawn(|| replica.tend(&BY).unwrap());
        }
    });
    let world = rings.vault().store().rings().unwrap();
    assert_eq!(world.rings[0].generations.len(), 3);
    assert_eq!(rings.vault().store().list_sealed("ring-key/").unwrap().len(), 3, "no half without its row");
    rings.vault().store().verify_rings().unwrap();
}

/// KR-10 (part), KR-61 (part): a revoked signer signs nothing more and is shown no more; its successor was shown before.
#[test]
fn a_revoked_signer_is_replaced_at_once() {
    let (_world, rings) = with_ring(weekly());
    let shown = kids(&rings, SetKind::Runtime);
    let old = mint(&rings, 60).unwrap();
    assert!(rings.revoke("public/r", &old.kid, "leaked", &BY).unwrap());
    let new = mint(&rings, 60).unwrap();
    assert!(shown.contains(&new.kid) && new.kid != old.kid);
    assert!(!kids(&rings, SetKind::Runtime).contains(&old.kid));
    assert_eq!(rings.vault().store().sealed(&store::key_owner("public/r", 1)).unwrap(), None, "its half is gone");
    assert_eq!(kids(&rings, SetKind::Runtime).len(), 2, "and the next standby is there");
}

/// KR-18: a key that is revoked while it signs: no token of that key leaves.
#[test]
fn a_key_revoked_during_its_signature_signs_nothing() {
    let (_world, rings) = with_ring(weekly());
    let first = mint(&rings, 60).unwrap().kid;
    let mut asked = 0;
    let minted = rings.mint("public/r", &HeaderPlan::jwt(), |_| {
        asked += 1;
        if asked == 1 {
            rings.revoke("public/r", "1", "in the middle", &BY).unwrap();
        }
        Ok(b"{}".to_vec())
    });
    assert_ne!(minted.unwrap().kid, first);
    assert_eq!(asked, 2);
}

/// KR-17: ten thousand tokens ask the database nothing; on `keep` the first step does, once.
#[test]
fn tokens_ask_the_database_nothing() {
    let (_world, rings) = with_ring(DYNAMIC);
    mint(&rings, 20 * DAY).unwrap();
    // A store that is held by somebody else answers nobody.
    let held = rings.vault().store();
    let blocked: Result<(), store::Error> = held.change(&BY, |_| {
        for _ in 0..10_000 {
            mint(&rings, 20 * DAY).unwrap();
        }
        Ok(())
    });
    blocked.unwrap();
}

/// KR-25 (part): an imported key keeps its kid, is known once, and comes out as it went in.
#[test]
fn an_imported_key_waits_for_the_lead_and_comes_out_again() {
    let (_world, rings) = with_ring(weekly());
    let text = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","kid":"mine"}"#;
    let import = || {
        let jose::jwk::Jwk::Private(key) = jose::jwk::Jwk::parse(text).unwrap() else { panic!("a public key") };
        rings.import("public/r", key, Switches::NONE, &BY).map(|(made, _)| made)
    };
    let made = import().unwrap().unwrap();
    assert_eq!((made.row.n, made.row.kid.as_str()), (3, "mine"));
    assert!(made.row.activate_at > made.row.created_at, "it waits");
    assert!(import().unwrap_err().to_string().contains("generation 3 of ring public/r"));
    let out = rings.export("public/r", "mine", &BY).unwrap();
    assert!(out.expose().windows(10).any(|part| part == b"nWGxne_9Wm"));
    let audited = rings.vault().store().audit_rows(0, 100).unwrap();
    assert_eq!(audited.last().unwrap().action, "key_export");
}

/// ST-61: a new dynamic key is in the set of the core listener a full lead before it signs, and the old one stays after the
/// switch.
#[test]
fn a_dynamic_key_is_shown_a_lead_before_it_signs() {
    let (world, rings) = with_ring(DYNAMIC);
    let old = mint(&rings, 60).unwrap();
    assert_eq!(kids(&rings, SetKind::Core), [old.kid.as_str()], "one key stands there while the ring is new");
    world.pass_secs(6 * DAY);
    rings.refresh().unwrap();
    rings.tend(&BY).unwrap();
    let shown = kids(&rings, SetKind::Core);
    assert_eq!(shown.len(), 2, "the new one is the first of them");
    assert_eq!(shown[1], old.kid);
    world.pass_secs(DAY - 1);
    rings.refresh().unwrap();
    assert_eq!(mint(&rings, 60).unwrap().kid, old.kid, "a second before its lead is over");
    world.pass_secs(1);
    rings.refresh().unwrap();
    assert_eq!(mint(&rings, 60).unwrap().kid, shown[0]);
    assert!(kids(&rings, SetKind::Core).contains(&old.kid));
}

/// ST-66: a static ring that rotates signs with its new key only after the lead, and tokens of both verify.
#[test]
fn a_static_key_that_is_rotated_waits_for_the_lead() {
    let (world, rings) = with_ring(Timing::Static);
    let old = mint(&rings, 10 * DAY).unwrap();
    let new = rings.rotate("public/r", "test", &BY).unwrap().made.unwrap().row;
    let lead = (new.activate_at - new.created_at).as_us() / 1_000_000;
    assert!(lead > HOUR, "{lead} s are less than caches keep");
    world.pass_secs(lead - 1);
    rings.refresh().unwrap();
    assert_eq!(mint(&rings, 10 * DAY).unwrap().kid, old.kid);
    world.pass_secs(1);
    let later = mint(&rings, 10 * DAY).unwrap();
    assert_eq!(later.kid, new.kid);
    for token in [&old, &later] {
        assert!(verifies(&rings, token, world.now_secs()), "{}", token.kid);
    }
}

/// KR-44: the machine's clock steps ten minutes either way, or sleeps, just before a switch: the store is asked first, `iat`
/// is the store's, and no key signs early.
#[test]
fn a_step_of_the_clock_brings_no_early_switch() {
    for (step_secs, sleep_secs) in [(600, 0), (-600, 0), (0, 120)] {
        let (world, rings) = with_ring(weekly());
        let old = mint(&rings, 60).unwrap().kid;
        let (stepped_us, passed) = (Arc::new(AtomicI64::new(0)), Arc::clone(&world.passed_us));
        let step = Arc::clone(&stepped_us);
        let ticks = move || {
            let boot_us = passed.load(Ordering::Relaxed);
            Ticks { boot_us, wall_us: boot_us + START_SECS * 1_000_000 + step.load(Ordering::Relaxed) }
        };
        let stepping = Rings::with_ticks(Arc::clone(&world.vault), Box::new(ticks)).unwrap();
        world.pass_secs(7 * DAY - 300);
        stepping.refresh().unwrap();
        stepped_us.store(step_secs * 1_000_000, Ordering::Relaxed);
        world.pass_secs(sleep_secs);
        let token = mint(&stepping, 60).unwrap();
        assert_eq!(token.kid, old, "{step_secs} s");
        let claims = jose::base64url::decode(token.token.split('.').nth(1).unwrap()).unwrap();
        assert!(String::from_utf8(claims).unwrap().starts_with(&format!(r#"{{"iat":{},"#, world.now_secs())));
        stepped_us.fetch_add(600_000_000, Ordering::Relaxed);
        world.pass_secs(300 - sleep_secs);
        assert_ne!(mint(&stepping, 60).unwrap().kid, old, "the switch comes at its time");
    }
}

/// KR-46: a verifier whose clock is 60 s off either way takes a token at its first and its last second; no `nbf` stands in
/// it.
#[test]
fn a_verifier_may_be_a_minute_off() {
    let (world, rings) = with_ring(weekly());
    let token = mint(&rings, HOUR).unwrap();
    let claims = jose::base64url::decode(token.token.split('.').nth(1).unwrap()).unwrap();
    assert!(!String::from_utf8(claims).unwrap().contains("nbf"));
    let set = JwkSet::parse(body(set(&rings, SetKind::Runtime)).as_bytes()).unwrap();
    let row = SignatureAlgorithm::by_name("EdDSA").unwrap();
    let key = set.keys.iter().find(|key| key.parameters.kid.as_ref() == Some(&token.kid)).unwrap();
    let key = VerifyingKey::new(row, key, Switches::NONE).unwrap();
    let read = Verifier::new(&[row]).unwrap().verify(&token.token, &key).unwrap();
    let at = |now_secs: i64| {
        let policy = Policy {
            iat: jose::jwt::IatRule::NotAhead,
            leeway: jose::jwt::Leeway::from_secs(60).unwrap(),
            ..Policy::default()
        };
        policy.validate(read.header.typ(), &read.payload, NumericDate::from_secs(now_secs.unsigned_abs())).is_ok()
    };
    let now = world.now_secs();
    for (secs, takes) in [(-61, false), (-60, true), (0, true), (HOUR - 1 + 60, true), (HOUR + 60, false)] {
        assert_eq!(at(now + secs), takes, "{secs} s");
    }
}

/// KR-61: a signer that is revoked while everybody signs: from R on no fresh process signs with it, no set shows it, and
/// the audit says so. No token of it leaves the process that revoked it, from the revocation on.
#[test]
fn a_signer_is_revoked_under_load() {
    let (world, rings) = with_ring(weekly());
    let other = world.replica(0);
    let old = mint(&rings, 60).unwrap().kid;
    let revoked = std::sync::atomic::AtomicBool::new(false);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let is_over = revoked.load(Ordering::SeqCst);
                    let token = mint(&rings, 60).unwrap();
                    assert!(!is_over || token.kid != old, "a token of the revoked key left");
                }
            });
        }
        rings.revoke("public/r", "1", "leaked", &BY).unwrap();
        revoked.store(true, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(100));
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(mint(&other, 60).unwrap().kid, old, "it has not heard yet");
    world.pass_secs(rings.refresh_every().as_us() / 1_000_000);
    assert!(crate::rotator::round(&other).store_away.is_none());
    for fresh in [&rings, &other] {
        assert_ne!(mint(fresh, 60).unwrap().kid, old);
        assert!(!kids(fresh, SetKind::Runtime).contains(&old));
    }
    let audited = rings.vault().store().audit_rows(0, 100).unwrap();
    assert!(audited.iter().any(|row| row.action == "key_revoke" && row.object == "key public/r/1"));
}

/// KR-62: a key is revoked while one process is cut off: that one is not fresh after F, and in a ring with strict
/// revocation it signs for five minutes at most, in another one up to T.
#[test]
fn a_strict_ring_hears_of_a_revocation_or_stops() {
    let world = World::new();
    let rings = world.replica(0);
    let strict = NewRingSpec { is_strict: true, ..spec("strict", "EdDSA", weekly()) };
    rings.make(&[strict, spec("r", "EdDSA", weekly())], &BY).unwrap();
    let cut_off = world.replica(0);
    let condition = Condition::with_rings(Shutdown::default(), Arc::clone(&cut_off));
    condition.set_serving();
    let signs = |name: &str| cut_off.mint(&format!("public/{name}"), &HeaderPlan::jwt(), |_| Ok(b"{}".to_vec()));
    for name in ["strict", "r"] {
        rings.revoke(&format!("public/{name}"), "1", "leaked", &BY).unwrap();
    }
    world.pass_secs(61);
    assert_eq!(condition.freshness().0.as_u16(), 503);
    world.pass_secs(300 - 61);
    signs("strict").unwrap();
    world.pass_secs(1);
    assert_eq!(signs("strict").unwrap_err(), RingRefusal::Stale);
    signs("r").unwrap();
    world.pass_secs(22 * HOUR - 301);
    signs("r").unwrap();
    world.pass_secs(1);
    assert_eq!(signs("r").unwrap_err(), RingRefusal::Stale);
}
