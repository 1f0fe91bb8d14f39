//! What may happen to rings, each with its event, its epoch and its audit row in one transaction.

use keyring::{Haste, KEYS_MAX, Ring, RingPolicy, Time, Use};

use super::chain::{self, Kind, NewEvent};
use super::{GenerationRow, RingRows, check_ring_name, key_owner, read, ring_id, row_digest, use_name};
use crate::audit::{Action, Entry, Outcome};
use crate::canonical::Canonical;
use crate::sql::params;
use crate::{Change, Digest, Error, SealedBox};

/// A ring to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewRing<'a> {
    /// Whose it is.
    pub tenant: &'a str,
    /// Its name among its tenant's.
    pub name: &'a str,
    /// What its keys do.
    pub use_: Use,
    /// The algorithm, by its registered name.
    pub alg: &'a str,
    /// What the kid of each new generation begins with.
    pub kid_prefix: &'a str,
    /// The kind of signer that keeps the private halves.
    pub signer: &'a str,
    /// Its timing; when it was stored is put in here.
    pub policy: RingPolicy,
}

/// A generation to be made, its key drawn or read already.
#[derive(Clone, Copy, Debug)]
pub struct NewGeneration<'a> {
    /// Its ring.
    pub ring_id: &'a str,
    /// Its number: one more than the last. Whoever else makes the same one loses.
    pub n: u32,
    /// Its `kid`.
    pub kid: &'a str,
    /// Its thumbprint; for a shared secret its keyed digest.
    pub thumbprint: &'a str,
    /// The public half as canonical JWK text; none for a shared secret.
    pub public_jwk: Option<&'a str>,
    /// Whether it was brought in and not made here.
    pub is_imported: bool,
    /// Where the private half is.
    pub private: PrivateHalf<'a>,
    /// Why, for the event.
    pub reason: &'a str,
}

/// Where the private half of a new generation is.
#[derive(Clone, Copy, Debug)]
pub enum PrivateHalf<'a> {
    /// Sealed for [`key_owner`], to be stored with the row.
    Sealed(&'a SealedBox),
    /// With a signer outside, which finds it by this name.
    Elsewhere(&'a str),
}

/// What a rotation on demand did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The generation that signs next, and from when.
    pub haste: Haste,
    /// When the one before it leaves the set; [`Time::NEVER`] in a static ring.
    pub old_removed_at: Time,
}

impl Change<'_> {
    /// Makes a ring without a generation; gives its id.
    ///
    /// # Errors
    /// [`Error::RingExists`], [`Error::RingName`], [`Error::Timing`] for a timing under which a token could be lost.
    pub fn make_ring(&mut self, new: &NewRing<'_>) -> Result<String, Error> {
        check_ring_name("tenant", new.tenant)?;
        check_ring_name("name of the ring", new.name)?;
        self.part(|change| change.insert_ring(new))
    }

    /// Gives a ring another timing.
    ///
    /// # Errors
    /// [`Error::NoRing`], [`Error::Timing`], also where a rotating ring would become static or the reverse.
    pub fn set_ring_policy(&mut self, ring_id: &str, policy: RingPolicy) -> Result<(), Error> {
        self.part(|change| change.insert_later_policy(ring_id, policy))
    }

    /// Makes a generation; when it signs follows from the ring's timing. None if somebody else made this number first:
    /// the new key is to be thrown away then.
    ///
    /// # Errors
    /// [`Error::NoRing`], [`Error::KeySetFull`], [`Error::KeyKnown`] for a kid or key that the tenant has already.
    pub fn make_generation(&mut self, new: &NewGeneration<'_>) -> Result<Option<GenerationRow>, Error> {
        self.part(|change| change.insert_generation(new))
    }

    /// Lets the standby of a ring sign as early as caches allow. None if no standby waits.
    ///
    /// # Errors
    /// [`Error::NoRing`], and those of the database.
    pub fn rotate_now(&mut self, ring_id: &str, reason: &str) -> Result<Option<Rotated>, Error> {
        self.part(|change| change.hasten(ring_id, reason))
    }

    /// Keeps a generation published until then, for a token that lives so long.
    ///
    /// # Errors
    /// [`Error::NoRing`], [`Error::NoGeneration`].
    pub fn set_horizon(&mut self, ring_id: &str, n: u32, until: Time) -> Result<(), Error> {
        self.part(|change| {
            let (_, now) = change.generation_at(ring_id, n)?;
            let reason = "a token was kept beyond the ceiling";
            let event = NewEvent { kind: Kind::Horizon, n: Some(n), at: now, until: Some(until), reason, digest: None };
            change.happen(ring_id, &event, Action::KeyHorizon)
        })
    }

    /// Ends the trust in a generation, at once. False if it had ended before.
    ///
    /// # Errors
    /// [`Error::NoRing`], [`Error::NoGeneration`].
    pub fn revoke(&mut self, ring_id: &str, n: u32, reason: &str) -> Result<bool, Error> {
        self.part(|change| {
            let (rows, now) = change.generation_at(ring_id, n)?;
            if rows.events.iter().any(|event| event.n == n && event.kind == keyring::EventKind::Revoked) {
                return Ok(false);
            }
            let event = NewEvent { kind: Kind::Revoked, n: Some(n), at: now, until: None, reason, digest: None };
            change.happen(ring_id, &event, Action::KeyRevoke)?;
            Ok(true)
        })
    }

    /// Deletes the private half of a generation that is retired or revoked. False if it is not that, or gone already.
    ///
    /// # Errors
    /// [`Error::NoRing`], [`Error::NoGeneration`].
    pub fn destroy(&mut self, ring_id: &str, n: u32) -> Result<bool, Error> {
        self.part(|change| {
            let (rows, now) = change.generation_at(ring_id, n)?;
            if !change.ring(&rows)?.is_destroyable(n, now) {
                return Ok(false);
            }
            change.session.execute("DELETE FROM sealed WHERE owner = ?1", params![&key_owner(ring_id, n)])?;
            let reason = "its time was over";
            let event = NewEvent { kind: Kind::Destroyed, n: Some(n), at: now, until: None, reason, digest: None };
            change.happen(ring_id, &event, Action::KeyDestroy)?;
            Ok(true)
        })
    }

    /// Shows a public half again that no ring has any more, until then. False if the tenant has this kid.
    ///
    /// # Errors
    /// [`Error::KeySetFull`] is not asked here: what verifies old tokens goes before what is made anew.
    pub fn republish(&mut self, tenant: &str, kid: &str, public_jwk: &str, until: Time) -> Result<bool, Error> {
        self.part(|change| change.insert_verify_only(tenant, kid, public_jwk, until))
    }

    fn insert_verify_only(&mut self, tenant: &str, kid: &str, public: &str, until: Time) -> Result<bool, Error> {
        let known = "SELECT 1 FROM generation WHERE tenant = ?1 AND kid = ?2";
        if self.session.query_one(known, params![tenant, kid])?.is_some() {
            return Ok(false);
        }
        let sql = "INSERT INTO verify_only (tenant, kid, public_jwk, until, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT DO NOTHING";
        let now = self.now()?.as_us();
        let is_new = self.session.execute(sql, params![tenant, kid, public, until.as_us(), now])? > 0;
        let object = format!("key {tenant}/{kid}");
        let outcome = if is_new { Outcome::Done } else { Outcome::Unchanged };
        let digest = Some(Digest::of(public.as_bytes()));
        self.append(&Entry { action: Action::KeyRepublish, object: &object, before: None, after: digest, outcome })?;
        Ok(is_new)
    }

    fn insert_ring(&mut self, new: &NewRing<'_>) -> Result<String, Error> {
        let id = ring_id(new.tenant, new.name);
        let policy = RingPolicy { created_at: self.now()?, ..new.policy };
        self.check_policy(&policy)?;
        let sql = "INSERT INTO ring (ring_id, tenant, name, key_use, alg, mode, kid_prefix, signer, created_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
        let mode = if policy.rotation_period.is_some() { "rotating" } else { "static" };
        let NewRing { tenant, name, use_, alg, kid_prefix, signer, .. } = *new;
        let at = policy.created_at.as_us();
        let params = params![&id, tenant, name, use_name(use_), alg, mode, kid_prefix, signer, at];
        if self.session.execute(sql, params)? == 0 {
            return Err(Error::RingExists { ring_id: id });
        }
        self.session.execute("INSERT INTO ring_epoch (ring_id, epoch) VALUES (?1, 0)", params![&id])?;
        self.insert_policy(&id, 1, &policy, Action::RingMake)?;
        Ok(id)
    }

    fn insert_later_policy(&mut self, ring_id: &str, policy: RingPolicy) -> Result<(), Error> {
        let rows = read::by_id(self.session, ring_id)?;
        let last = rows.policies.last().ok_or(Error::Damaged { detail: format!("{ring_id} has no timing") })?;
        if last.rotation_period.is_some() != policy.rotation_period.is_some() {
            return Err(Error::Timing { why: "a static ring stays static, and a rotating one rotating".to_owned() });
        }
        let policy = RingPolicy { created_at: self.now()?, ..policy };
        self.check_policy(&policy)?;
        self.insert_policy(ring_id, rows.policies.len() as u32 + 1, &policy, Action::RingPolicy)
    }

    fn insert_policy(&self, id: &str, version: u32, policy: &RingPolicy, action: Action) -> Result<(), Error> {
        let sql = "INSERT INTO ring_policy (ring_id, version, rotation_period, publish_lead, max_lifetime, \
                   assumed_cache, jwks_max_age, max_staleness, leeway, over_life, standby, created_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        self.session.execute(
            sql,
            params![
                id,
                version,
                policy.rotation_period.map(keyring::Span::as_us),
                policy.publish_lead.as_us(),
                policy.max_lifetime.map(keyring::Span::as_us),
                policy.assumed_cache.as_us(),
                policy.jwks_max_age.as_us(),
                policy.max_staleness.as_us(),
                policy.leeway.as_us(),
                policy.over_life.name(),
                policy.standby.name(),
                policy.created_at.as_us(),
            ],
        )?;
        let digest = Some(policy_digest(id, version, policy));
        let at = policy.created_at;
        let event = NewEvent { kind: Kind::Policy, n: None, at, until: None, reason: "", digest };
        self.happen(id, &event, action)
    }

    fn insert_generation(&mut self, new: &NewGeneration<'_>) -> Result<Option<GenerationRow>, Error> {
        let rows = read::by_id(self.session, new.ring_id)?;
        let now = self.now()?;
        if rows.generations.len() as u32 + 1 != new.n {
            return Ok(None);
        }
        self.refuse_full(&rows, now)?;
        self.refuse_known(&rows.tenant, new)?;
        let row = GenerationRow {
            n: new.n,
            kid: new.kid.to_owned(),
            thumbprint: new.thumbprint.to_owned(),
            public_jwk: new.public_jwk.map(str::to_owned),
            is_imported: new.is_imported,
            signer_ref: match new.private {
                PrivateHalf::Sealed(_) => None,
                PrivateHalf::Elsewhere(signer_ref) => Some(signer_ref.to_owned()),
            },
            created_at: now,
            activate_at: self.ring(&rows)?.activate_at(now),
            is_whole: true,
        };
        let digest = row_digest(new.ring_id, &rows.tenant, &row);
        if !self.insert_generation_row(&rows, &row, digest)? {
            return Ok(None);
        }
        if let PrivateHalf::Sealed(sealed) = new.private {
            self.insert_sealed(sealed)?;
        }
        let NewGeneration { n, reason, .. } = *new;
        let event = NewEvent { kind: Kind::Created, n: Some(n), at: now, until: None, reason, digest: Some(digest) };
        let action = if new.is_imported { Action::KeyImport } else { Action::KeyMake };
        self.happen(new.ring_id, &event, action)?;
        Ok(Some(row))
    }

    /// The fence: false if the number is taken.
    fn insert_generation_row(&self, rows: &RingRows, row: &GenerationRow, digest: Digest) -> Result<bool, Error> {
        let sql = "INSERT INTO generation (ring_id, n, tenant, kid, thumbprint, public_jwk, origin, signer_ref, \
                   created_at, activate_at, row_digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                   ON CONFLICT (ring_id, n) DO NOTHING RETURNING n";
        let origin = if row.is_imported { "imported" } else { "generated" };
        let inserted = self.session.query_one(
            sql,
            params![
                &rows.ring_id,
                row.n,
                &rows.tenant,
                &row.kid,
                &row.thumbprint,
                row.public_jwk.as_ref(),
                origin,
                row.signer_ref.as_ref(),
                row.created_at.as_us(),
                row.activate_at.as_us(),
                &digest,
            ],
        )?;
        Ok(inserted.is_some())
    }

    fn hasten(&mut self, ring_id: &str, reason: &str) -> Result<Option<Rotated>, Error> {
        let rows = read::by_id(self.session, ring_id)?;
        let now = self.now()?;
        let Some(haste) = self.ring(&rows)?.rotate_now(now) else { return Ok(None) };
        let (n, until) = (Some(haste.n), Some(haste.until));
        let event = NewEvent { kind: Kind::Hastened, n, at: now, until, reason, digest: None };
        self.happen(ring_id, &event, Action::KeyHasten)?;
        let ring = self.ring(&read::by_id(self.session, ring_id)?)?;
        let old = ring.signer(now).map(|generation| generation.n);
        let old_removed_at = old.and_then(|n| ring.remove_at(n)).unwrap_or(Time::NEVER);
        Ok(Some(Rotated { haste, old_removed_at }))
    }

    /// Writes the event, raises the epoch and audits it.
    fn happen(&self, ring_id: &str, event: &NewEvent<'_>, action: Action) -> Result<(), Error> {
        chain::append(self.session, self.store_id(), ring_id, event)?;
        self.session.execute("UPDATE ring_epoch SET epoch = epoch + 1 WHERE ring_id = ?1", params![ring_id])?;
        let object = event.n.map_or_else(|| format!("ring {ring_id}"), |n| format!("key {ring_id}/{n}"));
        self.append(&Entry { action, object: &object, before: None, after: event.digest, outcome: Outcome::Done })
    }

    fn generation_at(&self, ring_id: &str, n: u32) -> Result<(RingRows, Time), Error> {
        let rows = read::by_id(self.session, ring_id)?;
        if !rows.generations.iter().any(|generation| generation.n == n) {
            return Err(Error::NoGeneration { ring_id: ring_id.to_owned(), n });
        }
        Ok((rows, self.now()?))
    }

    fn refuse_full(&self, rows: &RingRows, now: Time) -> Result<(), Error> {
        let only = "SELECT count(*) FROM verify_only WHERE tenant = ?1";
        let mut shown = self.number(only, params![&rows.tenant])?;
        for ring in read::of_tenant(self.session, &rows.tenant)?.iter().filter(|ring| ring.use_ != Use::Mac) {
            shown += self.ring(ring)?.shown(now).len() as u64;
        }
        if shown < KEYS_MAX as u64 { Ok(()) } else { Err(Error::KeySetFull { max: KEYS_MAX }) }
    }

    fn refuse_known(&self, tenant: &str, new: &NewGeneration<'_>) -> Result<(), Error> {
        let sql = "SELECT ring_id, n FROM generation WHERE tenant = ?1 AND (kid = ?2 OR thumbprint = ?3) LIMIT 1";
        match self.session.query_one(sql, params![tenant, new.kid, new.thumbprint])? {
            Some(row) => Err(Error::KeyKnown { ring_id: row.get(0)?, n: row.get(1)? }),
            None => Ok(()),
        }
    }

    fn check_policy(&self, policy: &RingPolicy) -> Result<(), Error> {
        let store = read::store_policies(self.session)?;
        let newest = store.last().ok_or(Error::Damaged { detail: "the store has no timing".to_owned() })?;
        policy.check(newest, &self.session.limits()).map_err(|refusal| Error::Timing { why: refusal.to_string() })
    }

    fn ring(&self, rows: &RingRows) -> Result<Ring, Error> {
        let policies = read::store_policies(self.session)?;
        rows.ring(&policies).map_err(|bad| Error::Damaged { detail: format!("{}: {bad}", rows.ring_id) })
    }

    /// The database clock, read in this transaction: what a row and its digest are both made with.
    fn now(&self) -> Result<Time, Error> {
        Ok(Time::from_us(self.session.read_clock()?))
    }
}

fn policy_digest(ring_id: &str, version: u32, policy: &RingPolicy) -> Digest {
    let mut canonical = Canonical::default();
    canonical.text("chancery-policy-1");
    canonical.text(ring_id);
    canonical.integer(version.into());
    for span in [policy.rotation_period, policy.max_lifetime] {
        canonical.optional(span.map(|span| span.as_us().to_be_bytes()).as_ref().map(|octets| &octets[..]));
    }
    let spans = [policy.publish_lead, policy.assumed_cache, policy.jwks_max_age, policy.max_staleness, policy.leeway];
    spans.into_iter().for_each(|span| canonical.integer(span.as_us()));
    canonical.text(policy.over_life.name());
    canonical.text(policy.standby.name());
    canonical.integer(policy.created_at.as_us());
    canonical.digest()
}
