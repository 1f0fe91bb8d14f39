//! The one helper that knows how replicas on one database are made, and how their time passes.
#![allow(dead_code, reason = "each test program that has this file needs a part of it")]

use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jose::jwa::SignatureAlgorithm;
use jose::jwk::JwkSet;
use jose::jws::{HeaderPlan, Verifier};
use jose::{VerifyingKey, jwa::Switches};
use keyring::{AskedExp, Span};
use server::rings::{NewRingSpec, RingRefusal, RingSigner, RingToken, Rings, SetKind, Ticks, Timing};
use server::vault::{Vault, VaultError};
use signer::MasterSource;
use store::{Address, By, Change, Error, GenerationRow, NewGeneration, PrivateHalf, SealedBox, Store};
use tempfile::TempDir;

use crate::postgres::Server;

pub(crate) const BY: By<'_> = By { actor: "test", address: None, request_id: None };
/// What the next release does to the tables: it adds.
const NEXT_STEP: &str = "ALTER TABLE generation ADD COLUMN note TEXT; ALTER TABLE ring ADD COLUMN note TEXT;                          CREATE TABLE later (id BIGINT PRIMARY KEY)";

pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A database, the folder with its master key, and by how much its time is ahead of ours.
pub(crate) struct World<'s> {
    server: Option<&'s Server>,
    url: String,
    folder: Folder,
    shift_us: Arc<AtomicI64>,
    /// How long a statement may take, and a transaction idle, where that is not as ever.
    limit: Option<Duration>,
}

enum Folder {
    Ours(TempDir),
    Theirs(std::path::PathBuf),
}

impl<'s> World<'s> {
    /// A database without a store.
    pub(crate) fn empty(server: &'s Server) -> Self {
        let folder = Folder::Ours(tempfile::tempdir().unwrap());
        Self { server: Some(server), url: server.fresh_database(), folder, shift_us: Arc::default(), limit: None }
    }

    /// One with the ring `public/r`, whose signer and standby are there.
    pub(crate) fn with_ring(server: &'s Server) -> Self {
        let world = Self::empty(server);
        let rings = world.init_or_open(&[spec("r", Timing::Rotating(Span::from_secs(7 * DAY)))]);
        rings.tend(&BY).unwrap();
        world
    }

    /// The same with a limit for statements and idle transactions.
    pub(crate) fn with_limits(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// The same world as another process has it.
    pub(crate) fn of_text(text: &str) -> World<'static> {
        let [url, folder, shift, limit] = <[&str; 4]>::try_from(text.split('\n').collect::<Vec<_>>()).unwrap();
        let shift_us = Arc::new(AtomicI64::new(shift.parse().unwrap()));
        let limit = limit.parse().ok().map(Duration::from_millis);
        World { server: None, url: url.to_owned(), folder: Folder::Theirs(folder.into()), shift_us, limit }
    }

    pub(crate) fn as_text(&self) -> String {
        let limit = self.limit.map_or(String::new(), |limit| limit.as_millis().to_string());
        format!("{}\n{}\n{}\n{limit}", self.url, self.path().display(), self.shift_us.load(Ordering::Relaxed))
    }

    /// The same for a process that reaches the database by another port.
    pub(crate) fn through_text(&self, port: u16) -> String {
        let rest = self.as_text();
        let (_, rest) = rest.split_once('\n').unwrap();
        format!("postgres://test@127.0.0.1:{port}/{}\n{rest}", self.database())
    }

    /// The name of the database.
    pub(crate) fn database(&self) -> &str {
        self.url.rsplit_once('/').unwrap().1
    }

    /// A process on this store, if it answers.
    pub(crate) fn try_replica(&self) -> Result<Arc<Rings>, VaultError> {
        Ok(self.rings(Vault::open(&self.address(), self.master())?))
    }

    /// A process of the next release on this store, if it answers.
    pub(crate) fn try_next_release(&self) -> Result<Arc<Rings>, VaultError> {
        let store = Store::open_postgres_as_next(&self.address(), NEXT_STEP, store::SCHEMA)?;
        Ok(self.rings(Vault::of_store(store, self.master())?))
    }

    /// From now on the store is for the next release alone.
    pub(crate) fn break_with_the_past(&self) {
        let sql = format!("UPDATE chancery.meta SET oldest_program = {}", store::SCHEMA + 1);
        self.server.unwrap().sql(self.database(), &sql);
    }

    /// A process on this store.
    pub(crate) fn replica(&self) -> Arc<Rings> {
        self.rings(Vault::open(&self.address(), self.master()).unwrap())
    }

    /// One that reaches it by another port.
    pub(crate) fn through(&self, port: u16) -> Arc<Rings> {
        let address = Address::parse(&format!("postgres://test@127.0.0.1:{port}/{}", self.database())).unwrap();
        self.rings(Vault::open(&address, self.master()).unwrap())
    }

    /// What a process does that begins on whatever is there.
    pub(crate) fn init_or_open(&self, specs: &[NewRingSpec]) -> Arc<Rings> {
        loop {
            let vault = match Vault::init(&self.address(), self.master(), specs, &BY) {
                Err(VaultError::Store(Error::AlreadyInitialized { .. } | Error::Clash { .. })) => {
                    Vault::open(&self.address(), self.master())
                }
                made => made,
            };
            match vault {
                Ok(vault) => return self.rings(vault),
                Err(VaultError::Store(Error::NoStore { .. })) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) fn pass_secs(&self, secs: i64) {
        self.pass_secs_alone(secs);
        self.set_database_clock();
    }

    /// Time passes while nobody can tell the database.
    pub(crate) fn pass_secs_alone(&self, secs: i64) {
        self.shift_us.fetch_add(secs * 1_000_000, Ordering::Relaxed);
    }

    pub(crate) fn set_database_clock(&self) {
        let shift_us = self.shift_us.load(Ordering::Relaxed);
        let statement = format!(
            "CREATE OR REPLACE FUNCTION chancery.now_us() RETURNS BIGINT LANGUAGE sql VOLATILE AS \
             'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + {shift_us}'"
        );
        self.server.unwrap().sql(self.database(), &statement);
    }

    pub(crate) fn now_secs(&self, rings: &Rings) -> i64 {
        rings.snapshot().unwrap().1.whole_secs()
    }

    /// When the second generation of the ring begins to sign.
    pub(crate) fn switch_secs(&self, rings: &Rings) -> i64 {
        let (snapshot, _) = rings.snapshot().unwrap();
        snapshot.ring("public/r").unwrap().ring.start(2).unwrap().whole_secs() + 1
    }

    fn rings(&self, vault: Vault) -> Arc<Rings> {
        let shift_us = Arc::clone(&self.shift_us);
        let ticks = move || {
            let (now, shift_us) = (Ticks::of_the_machine(), shift_us.load(Ordering::Relaxed));
            Ticks { boot_us: now.boot_us + shift_us, wall_us: now.wall_us + shift_us }
        };
        Rings::with_ticks(Arc::new(vault), Box::new(ticks)).unwrap()
    }

    fn address(&self) -> Address {
        let address = Address::parse(&self.url).unwrap();
        self.limit.map_or(address.clone(), |limit| address.with_limits(limit, limit))
    }

    fn master(&self) -> MasterSource {
        MasterSource::File(self.path().join("master.key"))
    }

    fn path(&self) -> &std::path::Path {
        match &self.folder {
            Folder::Ours(folder) => folder.path(),
            Folder::Theirs(folder) => folder,
        }
    }
}

pub(crate) fn spec(name: &str, timing: Timing) -> NewRingSpec {
    NewRingSpec {
        tenant: "public".to_owned(),
        name: name.to_owned(),
        algorithm: SignatureAlgorithm::by_name("EdDSA").unwrap(),
        kid_prefix: "",
        timing,
        signer: RingSigner::Software,
        is_strict: false,
    }
}

/// A token of this life.
pub(crate) fn mint(rings: &Rings, ring_id: &str, life_secs: i64) -> Result<RingToken, RingRefusal> {
    rings.mint(ring_id, &HeaderPlan::jwt(), |moment| {
        let iat = moment.issued_at_secs;
        let exp = moment.expiry(AskedExp::At(iat + life_secs))?.unwrap_or(iat + life_secs);
        Ok(format!(r#"{{"iat":{iat},"exp":{exp}}}"#).into_bytes())
    })
}

/// Makes generation `n` of `public/r` by hand, with a box that nobody opens.
pub(crate) fn made_by(change: &mut Change<'_>, n: u32, sealed: &SealedBox) -> Result<Option<GenerationRow>, Error> {
    let sealed = SealedBox { owner: store::key_owner("public/r", n), ..sealed.clone() };
    change.make_generation(&NewGeneration {
        ring_id: "public/r",
        n,
        kid: "late",
        thumbprint: "late",
        public_jwk: None,
        is_imported: false,
        private: PrivateHalf::Sealed(&sealed),
        reason: "late",
    })
}

/// What the runtime listener shows.
fn set(rings: &Rings) -> JwkSet {
    JwkSet::parse(&rings.served("public", SetKind::Runtime).unwrap().unwrap().set.body).unwrap()
}

pub(crate) fn kids(rings: &Rings) -> Vec<String> {
    set(rings).keys.into_iter().map(|key| key.parameters.kid.unwrap()).collect()
}

/// The kids of the ring, in the order in which they sign.
pub(crate) fn signing_order(rings: &Rings) -> Vec<String> {
    let (snapshot, _) = rings.snapshot().unwrap();
    snapshot.ring("public/r").unwrap().rows.generations.iter().map(|row| row.kid.clone()).collect()
}

/// Whether a verifier that fetches the set of this replica now accepts the signature.
pub(crate) fn verifies(rings: &Rings, token: &RingToken) -> bool {
    let row = SignatureAlgorithm::by_name("EdDSA").unwrap();
    let set = set(rings);
    let key = set.keys.iter().find(|key| key.parameters.kid.as_ref() == Some(&token.kid));
    let Some(key) = key.map(|key| VerifyingKey::new(row, key, Switches::NONE).unwrap()) else { return false };
    Verifier::new(&[row]).unwrap().verify(&token.token, &key).is_ok()
}

/// A token that came as text.
pub(crate) fn parse(token: &str) -> RingToken {
    let header = jose::base64url::decode(token.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    RingToken { token: token.to_owned(), kid: header["kid"].as_str().unwrap().to_owned(), exp_cut: false }
}

/// A log that tests read.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
