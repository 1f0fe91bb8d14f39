//! What this process knows of all rings, as one value: who signs, and the set that shows it, are swapped together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use jose::jwa::SignatureAlgorithm;
use jose::jwk::PublicJwk;
use keyring::{KeySet, Ring, RingKeys, Signing, Span, StorePolicy, Time, Use, VerifyOnly};
use signer::OpenKey;
use store::{Epochs, RingRows, RingWorld};

use crate::routes::etag;

/// What the kid of a dynamic key begins with (docs/contracts/supertokens.md section 5).
pub const DYNAMIC_PREFIX: &str = "d-";
/// What the kid of a static key begins with.
pub const STATIC_PREFIX: &str = "s-";

/// All rings at an instant, good until the next change.
pub struct Snapshot {
    pub(super) epochs: Epochs,
    pub(super) store_policy: StorePolicy,
    rings: BTreeMap<String, Arc<LiveRing>>,
    sets: HashMap<(String, SetKind), ServedSet>,
    pub(super) next_change: Time,
    not_ready: BTreeSet<String>,
}

/// Which keys of a tenant a listener shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetKind {
    /// Every ring that publishes, by name: the runtime listener.
    Runtime,
    /// The dynamic rings, then the static ones: the core listener.
    Core,
}

/// One ring as it is used.
pub struct LiveRing {
    /// Its rows.
    pub rows: RingRows,
    /// The arithmetic on them.
    pub ring: Ring,
    /// Its algorithm.
    pub algorithm: &'static SignatureAlgorithm,
    /// Who signs now, and how long its tokens may live.
    pub signing: Option<Signing>,
    pub(super) key: Option<Arc<OpenKey>>,
    /// Of a ring that signs with shared secrets those that verify now or soon.
    pub(super) secrets: Vec<Arc<OpenKey>>,
}

/// A key set as it goes out.
#[derive(Clone, Debug)]
pub struct ServedSet {
    /// The body.
    pub body: Bytes,
    /// A digest of it.
    pub etag: HeaderValue,
    /// C; none for an empty set.
    pub max_age: Option<Span>,
    /// T of the ring with the least: beyond it the set is not served.
    pub max_staleness: Span,
}

/// Opened private halves, by ring and number.
pub(super) type OpenKeys = HashMap<(String, u32), Arc<OpenKey>>;

impl Snapshot {
    /// A ring by its id, `tenant/name`.
    pub fn ring(&self, ring_id: &str) -> Option<&Arc<LiveRing>> {
        self.rings.get(ring_id)
    }

    /// Every ring, by id.
    pub fn rings(&self) -> impl Iterator<Item = &Arc<LiveRing>> {
        self.rings.values()
    }

    /// The set of a tenant; none for a tenant without a ring.
    pub fn set(&self, tenant: &str, kind: SetKind) -> Option<&ServedSet> {
        self.sets.get(&(tenant.to_owned(), kind))
    }

    /// Whether a ring has its first key, and some replica does not show it yet: for at most F.
    pub(super) fn waits(&self, ring_id: &str, t: Time) -> bool {
        let created_at = || Some(self.rings.get(ring_id)?.rows.generations.first()?.created_at);
        self.not_ready.contains(ring_id) && created_at().is_some_and(|at| t < at + self.store_policy.fresh_for)
    }

    /// The same value, in which these rings wait.
    pub(super) fn with_waiting(self, not_ready: BTreeSet<String>) -> Self {
        Self { not_ready, ..self }
    }

    /// The octets of every set.
    pub(super) fn bodies(&self) -> impl Iterator<Item = &[u8]> {
        self.sets.values().map(|set| &*set.body)
    }

    /// Makes the value of these rows at `t`.
    pub(super) fn of(
        world: &RingWorld,
        epochs: Epochs,
        rings: Vec<(RingRows, Ring)>,
        open: &OpenKeys,
        t: Time,
    ) -> Self {
        let mut live = BTreeMap::new();
        for (rows, ring) in rings {
            if let Ok(algorithm) = SignatureAlgorithm::by_name(&rows.alg) {
                let signing = ring.signing(t);
                let key = signing.and_then(|signing| open.get(&(rows.ring_id.clone(), signing.n)).cloned());
                let is_shared = rows.use_ == Use::Mac;
                let numbers = if is_shared { ring.open(t) } else { Vec::new() };
                let secrets = numbers.into_iter().filter_map(|n| open.get(&(rows.ring_id.clone(), n)).cloned());
                let secrets = secrets.collect();
                live.insert(rows.ring_id.clone(), Arc::new(LiveRing { rows, ring, algorithm, signing, key, secrets }));
            }
        }
        let mut sets = HashMap::new();
        let changes = live.values().filter_map(|ring: &Arc<LiveRing>| ring.ring.next_change(t));
        let mut next_change = changes.min().unwrap_or(Time::NEVER);
        for tenant in live.values().map(|ring| ring.rows.tenant.clone()) {
            for kind in [SetKind::Runtime, SetKind::Core] {
                let rings = rings_of(&live, &tenant, kind);
                let (set, changes_at) = served(&rings, &verify_only(world, &tenant), t);
                next_change = next_change.min(changes_at);
                sets.insert((tenant.clone(), kind), set);
            }
        }
        let never = Time::from_us(0);
        let store_policy = world.store_policies.last().copied().unwrap_or(StorePolicy::with_defaults(never));
        Self { epochs, store_policy, rings: live, sets, next_change, not_ready: BTreeSet::new() }
    }
}

impl LiveRing {
    /// The keys that verify its tokens at `t`, as the text of a JWK Set.
    pub(super) fn public_set(&self, t: Time) -> String {
        let whole = |row: &store::GenerationRow| if row.is_whole { public(row).ok().flatten() } else { None };
        let halves: Vec<_> = self.rows.generations.iter().map(whole).collect();
        let set = KeySet::at(t, &[RingKeys { ring: &self.ring, public: &halves }], &[]);
        let mut body = Vec::new();
        set.keys.write(&mut body);
        String::from_utf8(body).expect("the JSON writer writes UTF-8")
    }

    /// T, beyond which nothing is signed or shown.
    pub(super) fn max_staleness(&self) -> Span {
        self.rows.policies.last().map_or(Span::ZERO, |policy| policy.max_staleness)
    }
}

/// The public half of a row, none for a shared secret; an error for one that is not what its thumbprint says.
pub(super) fn public(row: &store::GenerationRow) -> Result<Option<PublicJwk>, ()> {
    let Some(text) = &row.public_jwk else { return Ok(None) };
    let public = PublicJwk::parse(text.as_bytes()).map_err(|_| ())?;
    let is_its_own = public.thumbprint() == row.thumbprint && public.parameters.kid.as_deref() == Some(&*row.kid);
    if is_its_own { Ok(Some(public)) } else { Err(()) }
}

fn rings_of<'l>(live: &'l BTreeMap<String, Arc<LiveRing>>, tenant: &str, kind: SetKind) -> Vec<&'l LiveRing> {
    let theirs =
        || live.values().map(Arc::as_ref).filter(|ring| ring.rows.tenant == tenant && ring.rows.use_ != Use::Mac);
    let prefixed = |prefix| theirs().filter(move |ring| ring.rows.kid_prefix == prefix);
    match kind {
        SetKind::Runtime => theirs().collect(),
        SetKind::Core => prefixed(DYNAMIC_PREFIX).chain(prefixed(STATIC_PREFIX)).collect(),
    }
}

fn verify_only(world: &RingWorld, tenant: &str) -> Vec<VerifyOnly> {
    let theirs = world.verify_only.iter().filter(|row| row.tenant == tenant);
    let parsed = theirs.map(|row| PublicJwk::parse(row.public_jwk.as_bytes()).map(|public| (public, row.until)));
    parsed.flatten().map(|(public, until)| VerifyOnly { public, until }).collect()
}

fn served(rings: &[&LiveRing], verify_only: &[VerifyOnly], t: Time) -> (ServedSet, Time) {
    let whole = |row: &store::GenerationRow| if row.is_whole { public(row).ok().flatten() } else { None };
    let halves: Vec<Vec<_>> = rings.iter().map(|ring| ring.rows.generations.iter().map(whole).collect()).collect();
    let keys: Vec<_> = rings.iter().zip(&halves).map(|(ring, public)| RingKeys { ring: &ring.ring, public }).collect();
    let set = KeySet::at(t, &keys, verify_only);
    let mut body = Vec::new();
    set.keys.write(&mut body);
    let etag = etag::of(&body);
    let max_staleness = rings.iter().map(|ring| ring.max_staleness()).min().unwrap_or(Span::ZERO);
    let max_age = set.max_age;
    let changes_at = set.next_change.unwrap_or(Time::NEVER);
    (ServedSet { body: body.into(), etag, max_age, max_staleness }, changes_at)
}
