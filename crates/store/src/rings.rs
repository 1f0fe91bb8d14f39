//! Key rings as rows: what is stored of them, how it is read, and how it is told whole from altered.

mod chain;
mod change;
mod read;
mod readers;

use keyring::{BadRows, Event, Ring, RingPolicy, StorePolicy, Time, Use};

pub use change::{NewGeneration, NewRing, PrivateHalf, Rotated};
pub use readers::Reader;

use crate::{Digest, Error};

/// Longest name of a ring or tenant in a ring's id, in octets.
pub const RING_NAME_BYTES_MAX: usize = 64;

/// A ring and everything that happened to it.
#[derive(Clone, Debug)]
pub struct RingRows {
    /// Its id: `tenant/name`.
    pub ring_id: String,
    /// Whose it is.
    pub tenant: String,
    /// Its name among its tenant's.
    pub name: String,
    /// What its keys do.
    pub use_: Use,
    /// The algorithm, by its registered name.
    pub alg: String,
    /// What the kid of each new generation begins with.
    pub kid_prefix: String,
    /// The kind of signer that keeps the private halves.
    pub signer: String,
    /// Every version of its timing, the oldest first.
    pub policies: Vec<RingPolicy>,
    /// Its generations, by number.
    pub generations: Vec<GenerationRow>,
    /// What happened to them, in order.
    pub events: Vec<Event>,
    /// How often it was changed.
    pub epoch: u64,
}

/// One generation as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationRow {
    /// Its number in the ring, from 1.
    pub n: u32,
    /// Its `kid`.
    pub kid: String,
    /// Its RFC 7638 thumbprint; for a shared secret its keyed digest.
    pub thumbprint: String,
    /// The public half as canonical JWK text; none for a shared secret.
    pub public_jwk: Option<String>,
    /// Whether it was brought in and not made here.
    pub is_imported: bool,
    /// Where a signer outside the process keeps it.
    pub signer_ref: Option<String>,
    /// When its row was stored.
    pub created_at: Time,
    /// When it signs unless something happens.
    pub activate_at: Time,
    /// Whether the row is what was written: its digest is that of its columns and of its `created` event.
    pub is_whole: bool,
}

/// All rings of a store at one instant of its clock.
#[derive(Clone, Debug)]
pub struct RingWorld {
    /// The database clock when this was read.
    pub now: Time,
    /// Every version of the timing that all rings share, the oldest first.
    pub store_policies: Vec<StorePolicy>,
    /// The rings, by id.
    pub rings: Vec<RingRows>,
    /// Keys that only verify, by tenant.
    pub verify_only: Vec<VerifyOnlyRow>,
}

/// A key that belongs to no ring any more and verifies until its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyOnlyRow {
    /// Whose set shows it.
    pub tenant: String,
    /// The public half as JWK text.
    pub public_jwk: String,
    /// When it leaves the set.
    pub until: Time,
}

/// The change counters at one instant of the database clock: what a replica polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epochs {
    /// The database clock when this was read.
    pub now: Time,
    /// Each ring's id and counter, by id.
    pub of_rings: Vec<(String, u64)>,
    /// How many keys only verify.
    pub verify_only: u64,
}

impl RingRows {
    /// The ring, to be asked.
    ///
    /// # Errors
    /// [`BadRows`] if rows are missing.
    pub fn ring(&self, store_policies: &[StorePolicy]) -> Result<Ring, BadRows> {
        let generations = self.generations.iter().map(GenerationRow::scheduled).collect();
        Ring::new(self.use_, self.policies.clone(), store_policies.to_vec(), generations, self.events.clone())
    }
}

impl GenerationRow {
    fn scheduled(&self) -> keyring::Generation {
        keyring::Generation { n: self.n, created_at: self.created_at, activate_at: self.activate_at }
    }
}

/// The owner of the box that a generation's private half lies in.
pub fn key_owner(ring_id: &str, n: u32) -> String {
    format!("ring-key/{ring_id}/{n}")
}

fn ring_id(tenant: &str, name: &str) -> String {
    format!("{tenant}/{name}")
}

/// Names that stand in an id, a kid's ring and a URL alike.
fn check_ring_name(what: &'static str, name: &str) -> Result<(), Error> {
    crate::rows::check_size(what, name.len(), RING_NAME_BYTES_MAX)?;
    let fits = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-_.".contains(&octet);
    let starts = name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    if starts && name.bytes().all(fits) { Ok(()) } else { Err(Error::RingName { what, name: name.to_owned() }) }
}

fn use_name(use_: Use) -> &'static str {
    match use_ {
        Use::Sign => "sign",
        Use::Mac => "mac",
        Use::Decrypt => "decrypt",
    }
}

/// What a row's digest covers.
fn row_digest(ring_id: &str, tenant: &str, row: &GenerationRow) -> Digest {
    let mut canonical = crate::canonical::Canonical::default();
    canonical.text("chancery-generation-1");
    canonical.text(ring_id);
    canonical.integer(row.n.into());
    canonical.text(tenant);
    canonical.text(&row.kid);
    canonical.text(&row.thumbprint);
    canonical.optional(row.public_jwk.as_deref().map(str::as_bytes));
    canonical.text(if row.is_imported { "imported" } else { "generated" });
    canonical.optional(row.signer_ref.as_deref().map(str::as_bytes));
    canonical.integer(row.created_at.as_us());
    canonical.integer(row.activate_at.as_us());
    canonical.digest()
}
