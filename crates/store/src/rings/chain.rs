//! The events of a ring: a hash chain each, so that none can be altered or left out unseen.

use keyring::{Event, EventKind, Time};

use crate::canonical::Canonical;
use crate::sql::{Row, Session, params};
use crate::{Digest, Error};

const COLUMNS: &str = "seq, kind, n, at, until, reason, digest, prev_hash, hash";

/// What happened to a ring, as its rows name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Created,
    Hastened,
    Horizon,
    Revoked,
    Destroyed,
    Policy,
}

/// An event to be.
pub(crate) struct NewEvent<'a> {
    pub(crate) kind: Kind,
    pub(crate) n: Option<u32>,
    pub(crate) at: Time,
    pub(crate) until: Option<Time>,
    pub(crate) reason: &'a str,
    pub(crate) digest: Option<Digest>,
}

/// An event as stored.
pub(crate) struct EventRow {
    seq: u64,
    kind: String,
    pub(crate) n: Option<u32>,
    at: i64,
    until: Option<i64>,
    reason: String,
    pub(crate) digest: Option<Digest>,
    prev_hash: Digest,
    hash: Digest,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Created, Self::Hastened, Self::Horizon, Self::Revoked, Self::Destroyed, Self::Policy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Hastened => "hastened",
            Self::Horizon => "horizon",
            Self::Revoked => "revoked",
            Self::Destroyed => "destroyed",
            Self::Policy => "policy",
        }
    }
}

impl EventRow {
    pub(crate) fn kind(&self) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == self.kind)
    }

    /// As the arithmetic of rings has it; none for what does not move a phase.
    pub(crate) fn scheduled(&self) -> Option<Event> {
        let until = self.until.map(Time::from_us);
        let kind = match self.kind()? {
            Kind::Created | Kind::Policy => return None,
            Kind::Hastened => EventKind::Hastened { until: until? },
            Kind::Horizon => EventKind::Horizon { until: until? },
            Kind::Revoked => EventKind::Revoked,
            Kind::Destroyed => EventKind::Destroyed,
        };
        Some(Event { n: self.n?, at: Time::from_us(self.at), kind })
    }
}

/// Appends to the chain of a ring. Its number is a fence: of two that append at once, one is told so.
pub(crate) fn append(session: Session<'_>, store_id: &str, ring_id: &str, event: &NewEvent<'_>) -> Result<(), Error> {
    let last = format!("SELECT {COLUMNS} FROM key_event WHERE ring_id = ?1 ORDER BY seq DESC LIMIT 1");
    let last = session.query_one(&last, params![ring_id])?.as_ref().map(read).transpose()?;
    let (seq, prev_hash) = last.map_or_else(|| (0, genesis(store_id, ring_id)), |last| (last.seq, last.hash));
    let row = EventRow {
        seq: seq + 1,
        kind: event.kind.name().to_owned(),
        n: event.n,
        at: event.at.as_us(),
        until: event.until.map(Time::as_us),
        reason: event.reason.to_owned(),
        digest: event.digest,
        prev_hash,
        hash: prev_hash,
    };
    let sql = "INSERT INTO key_event (ring_id, seq, kind, n, at, until, reason, digest, prev_hash, hash) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let hash = hash(&row);
    let EventRow { seq, kind, n, at, until, reason, digest, prev_hash, hash: _ } = &row;
    let digest = digest.as_ref();
    session.execute(sql, params![ring_id, *seq, kind, *n, *at, *until, reason, digest, prev_hash, &hash])?;
    Ok(())
}

/// The events of one ring, in order.
pub(crate) fn events(session: Session<'_>, ring_id: &str) -> Result<Vec<EventRow>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM key_event WHERE ring_id = ?1 ORDER BY seq");
    session.query(&sql, params![ring_id])?.iter().map(read).collect()
}

/// Walks the chain of one ring from its first event and gives the last hash.
pub(crate) fn follow_events(store_id: &str, ring_id: &str, events: &[EventRow]) -> Result<(u64, Digest), Error> {
    let mut last = (0, genesis(store_id, ring_id));
    for row in events {
        let broken = |why| Err(Error::RingBroken { ring_id: ring_id.to_owned(), seq: last.0 + 1, why });
        if row.seq != last.0 + 1 {
            return broken("the event is missing");
        }
        if row.prev_hash != last.1 {
            return broken("it does not follow the event before it");
        }
        if row.hash != hash(row) {
            return broken("its columns do not give its hash");
        }
        last = (row.seq, row.hash);
    }
    Ok(last)
}

fn read(row: &Row) -> Result<EventRow, Error> {
    Ok(EventRow {
        seq: row.get(0)?,
        kind: row.get(1)?,
        n: row.get(2)?,
        at: row.get(3)?,
        until: row.get(4)?,
        reason: row.get(5)?,
        digest: row.get(6)?,
        prev_hash: row.get(7)?,
        hash: row.get(8)?,
    })
}

fn genesis(store_id: &str, ring_id: &str) -> Digest {
    let mut canonical = Canonical::default();
    canonical.text("chancery-ring-1");
    canonical.text(store_id);
    canonical.text(ring_id);
    canonical.digest()
}

fn hash(row: &EventRow) -> Digest {
    let mut canonical = Canonical::default();
    canonical.octets(&row.prev_hash.0);
    canonical.octets(&row.seq.to_be_bytes());
    canonical.text(&row.kind);
    canonical.optional(row.n.map(u32::to_be_bytes).as_ref().map(|octets| &octets[..]));
    canonical.integer(row.at);
    canonical.optional(row.until.map(i64::to_be_bytes).as_ref().map(|octets| &octets[..]));
    canonical.text(&row.reason);
    canonical.optional(row.digest.as_ref().map(|digest| &digest.0[..]));
    canonical.digest()
}
