//! Rings, read from their rows.

use std::collections::HashMap;

use keyring::{OverLife, RingPolicy, Span, Standby, StorePolicy, Time, Use};

use super::chain::{self, EventRow, Kind};
use super::{Epochs, GenerationRow, RingRows, RingWorld, VerifyOnlyRow, row_digest};
use crate::sql::{Row, Session, params};
use crate::{Digest, Error, Store};

const RING: &str = "SELECT ring_id, tenant, name, key_use, alg, kid_prefix, signer, epoch \
                    FROM ring JOIN ring_epoch USING (ring_id)";

impl Store {
    /// Every ring, read at one instant.
    ///
    /// # Errors
    /// [`Error::Database`] or [`Error::Damaged`] if the rows cannot be read.
    pub fn rings(&self) -> Result<RingWorld, Error> {
        let connection = self.connection()?;
        crate::transaction::read_at_once(connection.session(), world)
    }

    /// The change counters alone.
    ///
    /// # Errors
    /// [`Error::Database`] if they cannot be read.
    pub fn epochs(&self) -> Result<Epochs, Error> {
        let connection = self.connection()?;
        let session = connection.session();
        let of_rings = session.query("SELECT ring_id, epoch FROM ring_epoch ORDER BY ring_id", &[])?;
        let of_rings = of_rings.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, Error>>()?;
        let verify_only = session.query_one("SELECT count(*) FROM verify_only", &[])?;
        let verify_only = verify_only.map_or(Ok(0), |row| row.get(0))?;
        Ok(Epochs { now: Time::from_us(session.read_clock()?), of_rings, verify_only })
    }

    /// Walks the chain of each ring, and holds each generation to its `created` event.
    ///
    /// # Errors
    /// [`Error::RingBroken`] names the ring and the first event that is missing or altered.
    pub fn verify_rings(&self) -> Result<u64, Error> {
        let connection = self.connection()?;
        let session = connection.session();
        let mut walked = 0;
        for row in session.query(&format!("{RING} ORDER BY ring_id"), &[])? {
            let rows = ring(session, &row)?;
            let events = chain::events(session, &rows.ring_id)?;
            walked += chain::follow_events(self.store_id(), &rows.ring_id, &events)?.0;
            if let Some(altered) = rows.generations.iter().find(|generation| !generation.is_whole) {
                let place = events.iter().position(|event| is_creation_of(event, altered.n)).unwrap_or(events.len());
                let seq = place as u64 + 1;
                return Err(Error::RingBroken { ring_id: rows.ring_id, seq, why: "its generation is another" });
            }
        }
        Ok(walked)
    }
}

/// Reads everything in the caller's transaction.
pub(crate) fn world(session: Session<'_>) -> Result<RingWorld, Error> {
    let rows = session.query(&format!("{RING} ORDER BY ring_id"), &[])?;
    let rings = rows.iter().map(|row| ring(session, row)).collect::<Result<_, _>>()?;
    let verify_only = session.query("SELECT tenant, public_jwk, until FROM verify_only ORDER BY tenant, kid", &[])?;
    Ok(RingWorld {
        now: Time::from_us(session.read_clock()?),
        store_policies: store_policies(session)?,
        rings,
        verify_only: verify_only.iter().map(read_verify_only).collect::<Result<_, _>>()?,
    })
}

/// The rings of one tenant.
pub(crate) fn of_tenant(session: Session<'_>, tenant: &str) -> Result<Vec<RingRows>, Error> {
    let rows = session.query(&format!("{RING} WHERE tenant = ?1 ORDER BY ring_id"), params![tenant])?;
    rows.iter().map(|row| ring(session, row)).collect()
}

/// One ring, by its id.
pub(crate) fn by_id(session: Session<'_>, ring_id: &str) -> Result<RingRows, Error> {
    let row = session.query_one(&format!("{RING} WHERE ring_id = ?1"), params![ring_id])?;
    ring(session, &row.ok_or_else(|| Error::NoRing { ring_id: ring_id.to_owned() })?)
}

pub(crate) fn store_policies(session: Session<'_>) -> Result<Vec<StorePolicy>, Error> {
    let sql =
        "SELECT created_at, fresh_for, refresh_every, clock_error, write_window FROM store_policy ORDER BY version";
    let read = |row: &Row| {
        Ok(StorePolicy {
            created_at: Time::from_us(row.get(0)?),
            fresh_for: Span::from_us(row.get(1)?),
            refresh_every: Span::from_us(row.get(2)?),
            clock_error: Span::from_us(row.get(3)?),
            write_window: Span::from_us(row.get(4)?),
        })
    };
    session.query(sql, &[])?.iter().map(read).collect()
}

fn ring(session: Session<'_>, row: &Row) -> Result<RingRows, Error> {
    let ring_id: String = row.get(0)?;
    let tenant: String = row.get(1)?;
    let events = chain::events(session, &ring_id)?;
    let created: HashMap<u32, Digest> = events.iter().filter_map(creation).collect();
    Ok(RingRows {
        name: row.get(2)?,
        use_: read_use(&row.get::<String>(3)?)?,
        alg: row.get(4)?,
        kid_prefix: row.get(5)?,
        signer: row.get(6)?,
        epoch: row.get(7)?,
        policies: policies(session, &ring_id)?,
        generations: generations(session, &ring_id, &created)?,
        events: events.iter().filter_map(EventRow::scheduled).collect(),
        ring_id,
        tenant,
    })
}

fn policies(session: Session<'_>, ring_id: &str) -> Result<Vec<RingPolicy>, Error> {
    let sql = "SELECT created_at, rotation_period, publish_lead, max_lifetime, assumed_cache, jwks_max_age, \
               max_staleness, leeway, over_life, standby FROM ring_policy WHERE ring_id = ?1 ORDER BY version";
    let span = |row: &Row, at| row.get(at).map(Span::from_us);
    let optional = |row: &Row, at| row.get::<Option<i64>>(at).map(|us| us.map(Span::from_us));
    let read = |row: &Row| {
        Ok(RingPolicy {
            created_at: Time::from_us(row.get(0)?),
            rotation_period: optional(row, 1)?,
            publish_lead: span(row, 2)?,
            max_lifetime: optional(row, 3)?,
            assumed_cache: span(row, 4)?,
            jwks_max_age: span(row, 5)?,
            max_staleness: span(row, 6)?,
            leeway: span(row, 7)?,
            over_life: named(&row.get::<String>(8)?, &OverLife::ALL, |choice| choice.name())?,
            standby: named(&row.get::<String>(9)?, &Standby::ALL, |choice| choice.name())?,
        })
    };
    session.query(sql, params![ring_id])?.iter().map(read).collect()
}

fn generations(
    session: Session<'_>,
    ring_id: &str,
    created: &HashMap<u32, Digest>,
) -> Result<Vec<GenerationRow>, Error> {
    let sql = "SELECT n, kid, thumbprint, public_jwk, origin, signer_ref, created_at, activate_at, row_digest, tenant \
               FROM generation WHERE ring_id = ?1 ORDER BY n";
    let read = |row: &Row| {
        let mut generation = GenerationRow {
            n: row.get(0)?,
            kid: row.get(1)?,
            thumbprint: row.get(2)?,
            public_jwk: row.get(3)?,
            is_imported: row.get::<String>(4)? == "imported",
            signer_ref: row.get(5)?,
            created_at: Time::from_us(row.get(6)?),
            activate_at: Time::from_us(row.get(7)?),
            is_whole: true,
        };
        let stored: Digest = row.get(8)?;
        let digest = row_digest(ring_id, &row.get::<String>(9)?, &generation);
        generation.is_whole = stored == digest && created.get(&generation.n) == Some(&digest);
        Ok(generation)
    };
    session.query(sql, params![ring_id])?.iter().map(read).collect()
}

fn creation(event: &EventRow) -> Option<(u32, Digest)> {
    let n = event.n.filter(|_| event.kind() == Some(Kind::Created))?;
    Some((n, event.digest?))
}

fn is_creation_of(event: &EventRow, n: u32) -> bool {
    event.kind() == Some(Kind::Created) && event.n == Some(n)
}

fn read_verify_only(row: &Row) -> Result<VerifyOnlyRow, Error> {
    Ok(VerifyOnlyRow { tenant: row.get(0)?, public_jwk: row.get(1)?, until: Time::from_us(row.get(2)?) })
}

fn read_use(name: &str) -> Result<Use, Error> {
    named(name, &[Use::Sign, Use::Mac, Use::Decrypt], super::use_name)
}

fn named<T: Copy>(name: &str, all: &[T], name_of: impl Fn(T) -> &'static str) -> Result<T, Error> {
    let found = all.iter().copied().find(|choice| name_of(*choice) == name);
    found.ok_or_else(|| Error::Damaged { detail: format!("a row says `{name}`, which the store never wrote") })
}
