//! Rings over a store on a disk that fails: the file is away, another lies in its place, rows are altered, the disk is full,
//! the process is killed. The clocks are the test's.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::process::{Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};
use signer::MasterSource;
use store::DATABASE_FILE;

use super::tests::{BY, DAY, HOUR, kids, mint, spec, verifies, weekly};
use super::{Freshness, NewRingSpec, RingToken, Rings, SetKind, Ticks};
use crate::rotator::round;
use crate::vault::{Vault, VaultError};

const FOLDER: &str = "RINGS_TEST_FOLDER";
const PASSED_SECS: &str = "RINGS_TEST_PASSED_SECS";

/// A store on a disk, and how much time has passed since it was made.
struct Disk {
    folder: PathBuf,
    passed_us: Arc<AtomicI64>,
    _owned: Option<tempfile::TempDir>,
}

impl Disk {
    /// A new store with these rings, and no process on it.
    fn with(rings: &[NewRingSpec]) -> Self {
        let owned = tempfile::tempdir().unwrap();
        drop(Vault::init(owned.path(), source(owned.path()), rings, &BY).unwrap());
        Self { _owned: Some(owned), ..Self::at(Path::new("")) }.moved()
    }

    /// The ring `public/r` of Ed25519 keys.
    fn new() -> Self {
        Self::with(&[spec("r", "EdDSA", weekly())])
    }

    fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), passed_us: Arc::default(), _owned: None }
    }

    fn moved(mut self) -> Self {
        self.folder = self._owned.as_ref().unwrap().path().to_owned();
        self
    }

    /// A second after its first key was made, by its own word.
    fn start_us(&self) -> i64 {
        let raw = rusqlite::Connection::open(self.folder.join(DATABASE_FILE)).unwrap();
        let sql = "SELECT created_at FROM generation WHERE ring_id = 'public/r' AND n = 1";
        raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() + 1_000_000
    }

    /// A process on it.
    fn open(&self) -> Result<Arc<Rings>, VaultError> {
        let start_us = self.start_us();
        let (passed, ticking) = (Arc::clone(&self.passed_us), Arc::clone(&self.passed_us));
        let clock = Arc::new(move || start_us + passed.load(Ordering::Relaxed));
        let vault = Vault::open_at(&self.folder, source(&self.folder), clock)?;
        let ticks = move || {
            let boot_us = ticking.load(Ordering::Relaxed);
            Ticks { boot_us, wall_us: boot_us + start_us }
        };
        Rings::with_ticks(Arc::new(vault), Box::new(ticks))
    }

    /// A process whose rotator has done its first round.
    fn served(&self) -> Arc<Rings> {
        let rings = self.open().unwrap();
        assert!(round(&rings).untended.is_none());
        rings
    }

    fn pass_secs(&self, secs: i64) {
        self.passed_us.fetch_add(secs * 1_000_000, Ordering::Relaxed);
    }

    fn file(&self) -> PathBuf {
        self.folder.join(DATABASE_FILE)
    }

    /// The octets that an alteration names, with one bit of them another, in hexadecimal digits.
    fn flipped(&self, alteration: &str) -> String {
        let Some((before, _)) = alteration.split_once(" = x'FLIPPED'") else { return String::new() };
        let (table, column) = before.trim_start_matches("UPDATE ").split_once(" SET ").unwrap();
        let (_, row) = alteration.trim_end_matches(';').split_once("WHERE").unwrap();
        let raw = rusqlite::Connection::open(self.file()).unwrap();
        let sql = format!("SELECT {column} FROM {table} WHERE {row}");
        let mut octets: Vec<u8> = raw.query_row(&sql, [], |row| row.get(0)).unwrap();
        octets[7] ^= 4;
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// The file without the store's rules, while nobody has it open.
    fn alter(&self, statements: &str) {
        let raw = rusqlite::Connection::open(self.file()).unwrap();
        let free = "PRAGMA foreign_keys = OFF; DROP TRIGGER IF EXISTS generation_no_update;";
        raw.execute_batch(&format!("{free} {statements}")).unwrap();
    }
}

fn source(folder: &Path) -> MasterSource {
    MasterSource::File(folder.join("master.key"))
}

fn generations(rings: &Rings) -> usize {
    rings.vault().store().rings().unwrap().rings.iter().map(|rows| rows.generations.len()).sum()
}

/// Whether both are shown and verify now, by the clock of the store.
fn verify_now(rings: &Rings, tokens: &[&RingToken]) {
    let t = rings.snapshot().unwrap().1.whole_secs();
    for token in tokens {
        assert!(verifies(rings, token, t), "{}", token.kid);
    }
}

/// Runs one test of this file as a child of its own.
fn child(test: &str, disk: &Disk) -> Output {
    // Without the trap the first write beyond a limit would be a signal.
    Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("rings::disk_tests::{test}"), "--nocapture", "--quiet"])
        .env(FOLDER, &disk.folder)
        .env(PASSED_SECS, (disk.passed_us.load(Ordering::Relaxed) / 1_000_000).to_string())
        .output()
        .unwrap()
}

/// The disk that a child was told, at the time that it was told.
fn told() -> Option<Disk> {
    let disk = Disk::at(Path::new(&std::env::var(FOLDER).ok()?));
    disk.pass_secs(std::env::var(PASSED_SECS).ok()?.parse().unwrap());
    Some(disk)
}

/// KR-50: the file is deleted while it is served: the next refresh sees it, memory serves, admin writes are 503. KR-36:
/// without its store for 1 min, 1 h, 20 h tokens and sets go on, admin writes are 503, it is told; 15 s after the store is
/// back everything is as before.
#[test]
fn a_file_that_is_away_is_served_from_memory() {
    for away_secs in [60, HOUR, 20 * HOUR] {
        let disk = Disk::new();
        let rings = disk.served();
        let (before, shown) = (mint(&rings, 60).unwrap(), kids(&rings, SetKind::Runtime));
        let elsewhere = disk.folder.join("elsewhere");
        std::fs::rename(disk.file(), &elsewhere).unwrap();
        disk.pass_secs(10);
        let told = round(&rings);
        assert!(told.store_away.unwrap().contains("chancery.db"), "seen at the next refresh");
        disk.pass_secs(away_secs - 10);
        let within = mint(&rings, 60).unwrap();
        assert_eq!((&within.kid, kids(&rings, SetKind::Runtime)), (&before.kid, shown.clone()));
        for refused in [
            rings.rotate("public/r", "test", &BY).unwrap_err(),
            rings.revoke("public/r", "1", "test", &BY).unwrap_err(),
            rings.make(&[spec("other", "EdDSA", weekly())], &BY).unwrap_err(),
        ] {
            assert_eq!(refused.outcome().0.as_u16(), 503, "{refused}");
        }
        assert!(!disk.file().exists(), "nothing is made in its place");
        std::fs::rename(&elsewhere, disk.file()).unwrap();
        disk.pass_secs(15);
        let told = round(&rings);
        assert!(told.store_away.is_none() && told.untended.is_none());
        assert_eq!(rings.freshness(), Freshness::Fresh);
        rings.rotate("public/r", "test", &BY).unwrap();
        verify_now(&rings, &[&within, &mint(&rings, 60).unwrap()]);
    }
}

/// KR-41: an older file is put in the place of the served one: the newer set goes on and `epoch_regressed` is told. Once the
/// store has another key under the number of one that was lost, both are shown, and the stored one signs.
#[test]
fn a_store_that_lost_commits_takes_no_key_away() {
    let disk = Disk::new();
    let rings = disk.served();
    let copy = disk.folder.join("copy.db");
    rings.vault().store().back_up(&copy, &BY).unwrap();
    disk.pass_secs(7 * DAY);
    round(&rings);
    let lost = rings.vault().store().rings().unwrap().rings[0].generations[2].clone();
    let signed = mint(&rings, HOUR).unwrap();
    std::fs::rename(&copy, disk.file()).unwrap();
    let shown = kids(&rings, SetKind::Runtime);
    let told = round(&rings).store_away.unwrap();
    assert!(told.starts_with("epoch_regressed"), "{told}");
    assert_eq!(kids(&rings, SetKind::Runtime), shown, "the newer set goes on");
    verify_now(&rings, &[&signed, &mint(&rings, HOUR).unwrap()]);

    let start_us = rings.snapshot().unwrap().1.as_us() - disk.passed_us.load(Ordering::Relaxed);
    let ticking = Arc::clone(&disk.passed_us);
    let ticks = move || Ticks { boot_us: ticking.load(Ordering::Relaxed), wall_us: start_us };
    let other = Rings::with_ticks(Arc::clone(rings.vault()), Box::new(ticks)).unwrap();
    assert_eq!(other.tend(&BY).unwrap().len(), 1, "the third generation is made anew");
    let stored = rings.vault().store().rings().unwrap().rings[0].generations[2].clone();
    assert_ne!(stored.kid, lost.kid);
    assert!(round(&rings).store_away.is_none());
    let shown = kids(&rings, SetKind::Runtime);
    assert!(shown.contains(&stored.kid) && shown.contains(&lost.kid), "{shown:?}");
    disk.pass_secs(7 * DAY);
    round(&rings);
    assert_eq!(mint(&rings, HOUR).unwrap().kid, stored.kid);
}

/// KR-53: the box of one key under another, and a bit flipped in any column of a key's row or box: that key is set aside and
/// the ring beside it goes on. ST-68: a sealed key that was moved to another kid opens nothing.
#[test]
fn an_altered_key_is_set_aside_alone() {
    let owner = |n: u32| format!("owner = 'ring-key/public/r/{n}'");
    let (one, two) = (owner(1), owner(2));
    let swap = format!(
        "UPDATE sealed SET owner = 'x' WHERE {one}; UPDATE sealed SET owner = 'ring-key/public/r/1' WHERE {two};"
    );
    let mut alterations = vec![swap];
    for set in ["nonce = x'FLIPPED'", "box = x'FLIPPED'", "aead = 'A256GCM'", "box = x''"] {
        alterations.push(format!("UPDATE sealed SET {set} WHERE {one};"));
    }
    for set in [
        "kid = 'other'",
        "thumbprint = 'other'",
        "public_jwk = replace(public_jwk, 'OKP', 'OKQ')",
        "public_jwk = (SELECT public_jwk FROM generation WHERE ring_id = 'public/beside' AND n = 1)",
        "origin = 'imported'",
        "signer_ref = 'x'",
        "created_at = created_at - 1",
        "activate_at = activate_at + 1",
        "row_digest = x'FLIPPED'",
        "tenant = 'other'",
    ] {
        alterations.push(format!("UPDATE generation SET {set} WHERE ring_id = 'public/r' AND n = 1;"));
    }
    for alteration in alterations {
        let disk = Disk::with(&[spec("r", "EdDSA", weekly()), spec("beside", "EdDSA", weekly())]);
        drop(disk.served());
        disk.alter(&alteration.replace("FLIPPED", &disk.flipped(&alteration)));
        let rings = disk.open().unwrap();
        let aside: Vec<String> = rings.quarantined().into_iter().map(|(key, _)| key).collect();
        assert!(aside.contains(&"public/r/1".to_owned()), "{alteration}");
        assert!(aside.iter().all(|key| key.starts_with("public/r/")), "{alteration}: {aside:?}");
        mint(&rings, 60).unwrap_err();
        let beside = rings.mint("public/beside", &jose::jws::HeaderPlan::jwt(), |_| Ok(b"{}".to_vec()));
        beside.unwrap_or_else(|refusal| panic!("{alteration}: {refusal}"));
    }
}

/// KR-33: every process is killed at a switch: after the restart the key signs that signs without, and nothing is lost.
#[test]
fn a_kill_at_a_switch_changes_nothing() {
    let disk = Disk::new();
    drop(disk.served());
    for passed_secs in [7 * DAY - 1, 7 * DAY, 7 * DAY + 1] {
        disk.passed_us.store(passed_secs * 1_000_000, Ordering::Relaxed);
        let killed = child("child_that_is_killed_at_a_switch", &disk);
        assert_eq!(killed.status.signal(), Some(9), "{}", String::from_utf8_lossy(&killed.stdout));
        let said = String::from_utf8(killed.stdout).unwrap();
        let line = said.lines().find_map(|line| line.split_once("minted ")).unwrap().1;
        let (kid, token) = line.split_once(' ').unwrap();
        let theirs = RingToken { token: token.to_owned(), kid: kid.to_owned(), exp_cut: false };
        let rings = disk.served();
        let ours = mint(&rings, 60).unwrap();
        assert_eq!(ours.kid, theirs.kid, "{passed_secs}");
        verify_now(&rings, &[&theirs, &ours]);
        rings.vault().store().verify_rings().unwrap();
    }
}

/// The child.
#[test]
fn child_that_is_killed_at_a_switch() {
    let Some(disk) = told() else { return };
    let rings = disk.served();
    let token = mint(&rings, HOUR).unwrap();
    println!("minted {} {}", token.kid, token.token);
    kill_process(getpid(), Signal::KILL).unwrap();
}

/// KR-47: the disk is full as a ring rotates: nothing of it is kept, the old key goes on, it is told; with room again the
/// rotation is made.
#[test]
fn a_full_disk_holds_up_a_rotation_alone() {
    let disk = Disk::new();
    drop(disk.served());
    let done = child("child_whose_disk_is_full", &disk);
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("the rotation is made"), "{said}");
    disk.pass_secs(7 * DAY);
    let rings = disk.open().unwrap();
    assert_eq!(generations(&rings), 3);
    rings.vault().store().verify_rings().unwrap();
    rings.vault().store().verify_audit().unwrap();
}

/// The child: the limit on file sizes stands for the disk.
#[test]
fn child_whose_disk_is_full() {
    let Some(disk) = told() else { return };
    let rings = disk.served();
    disk.pass_secs(7 * DAY);
    let limit = |octets| {
        setrlimit(Resource::Fsize, Rlimit { current: octets, ..getrlimit(Resource::Fsize) }).unwrap();
    };
    limit(Some(4_096));
    let told = round(&rings);
    assert!(told.untended.is_some() || told.store_away.is_some(), "it is told");
    let signer = mint(&rings, 60).unwrap();
    limit(None);
    assert_eq!(generations(&rings), 2, "nothing of it is kept");
    verify_now(&rings, &[&signer]);
    disk.pass_secs(10);
    let told = round(&rings);
    assert!(told.untended.is_none() && told.store_away.is_none(), "{:?} {:?}", told.untended, told.store_away);
    assert_eq!(generations(&rings), 3);
    println!("the rotation is made");
}

/// A store that was put back to an earlier state is refused by whoever saw the later one; so is one whose journal was cut
/// off, which SQLite alone would take for whole. KR-49: and nothing is made in its place.
#[test]
fn a_store_that_lacks_what_was_there_is_refused() {
    let disk = Disk::new();
    let rings = disk.served();
    let copy = disk.folder.join("copy.db");
    rings.vault().store().back_up(&copy, &BY).unwrap();
    rings.rotate("public/r", "test", &BY).unwrap();
    drop(rings);
    std::fs::rename(&copy, disk.file()).unwrap();
    let refused = |disk: &Disk| match disk.open() {
        Err(error @ VaultError::RolledBack { .. }) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    };
    assert!(refused(&disk).contains("its audit lacks row"), "{}", refused(&disk));
    drop(Vault::open_rolled_back(&disk.folder, source(&disk.folder), &BY).unwrap());
    let rings = disk.open().unwrap();
    let audited = rings.vault().store().audit_rows(0, 100).unwrap();
    assert_eq!(audited.last().unwrap().action, "rollback_accept");
    drop(rings);

    let killed = child("child_that_is_killed_after_a_rotation", &disk);
    assert_eq!(killed.status.signal(), Some(9), "{}", String::from_utf8_lossy(&killed.stdout));
    let journal = disk.folder.join("chancery.db-wal");
    let octets = std::fs::read(&journal).unwrap();
    assert!(octets.len() > 4_096, "the journal holds the rotation");
    let whole = disk.folder.join("whole");
    std::fs::copy(disk.file(), &whole).unwrap();
    for length in [octets.len() / 2, 33, 0] {
        std::fs::copy(&whole, disk.file()).unwrap();
        std::fs::write(&journal, &octets[..length]).unwrap();
        let why = refused(&disk);
        assert!(why.contains("rolled back"), "{why}");
    }
    std::fs::copy(&whole, disk.file()).unwrap();
    std::fs::write(&journal, &octets).unwrap();
    disk.open().unwrap();
}

/// The child.
#[test]
fn child_that_is_killed_after_a_rotation() {
    let Some(disk) = told() else { return };
    let rings = disk.served();
    rings.make(&[spec("later", "EdDSA", weekly())], &BY).unwrap();
    kill_process(getpid(), Signal::KILL).unwrap();
}

/// What was served is kept beside the store: a backup that lacks it shows it again, but for what was revoked.
#[test]
fn what_was_served_is_shown_again() {
    let disk = Disk::new();
    let rings = disk.served();
    let copy = disk.folder.join("copy.db");
    rings.vault().store().back_up(&copy, &BY).unwrap();
    rings.make(&[spec("later", "EdDSA", weekly())], &BY).unwrap();
    let plan = jose::jws::HeaderPlan::jwt();
    let signed = rings.mint("public/later", &plan, |_| Ok(b"{}".to_vec())).unwrap();
    let revoked = rings.vault().store().rings().unwrap().rings[0].generations[1].kid.clone();
    rings.revoke("public/later", &revoked, "leaked", &BY).unwrap();
    drop(rings);
    std::fs::rename(&copy, disk.file()).unwrap();
    drop(Vault::open_rolled_back(&disk.folder, source(&disk.folder), &BY).unwrap());
    let rings = disk.open().unwrap();
    assert!(!kids(&rings, SetKind::Runtime).contains(&signed.kid));
    let by = crate::deployment::Caller { actor: "test".to_owned() };
    let until_secs = rings.snapshot().unwrap().1.whole_secs() + HOUR;
    crate::routes::rings::republish_served(&rings, until_secs, &by).unwrap();
    let shown = kids(&rings, SetKind::Runtime);
    assert!(shown.contains(&signed.kid) && !shown.contains(&revoked), "{shown:?}");
    disk.pass_secs(HOUR + 1);
    rings.refresh().unwrap();
    assert!(!kids(&rings, SetKind::Runtime).contains(&signed.kid), "until its end");
}

/// KR-38: a store that is away is served from its snapshot: signed and shown as before, not changed, and as old as the
/// snapshot is: beyond T it is refused.
#[test]
fn a_snapshot_serves_for_as_long_as_t() {
    let disk = Disk::new();
    let rings = disk.served();
    rings.vault().write_snapshot().unwrap();
    let (signed, shown) = (mint(&rings, HOUR).unwrap(), kids(&rings, SetKind::Runtime));
    drop(rings);
    let start_us = disk.start_us();
    std::fs::rename(disk.file(), disk.folder.join("elsewhere")).unwrap();
    assert!(Vault::open(&*disk.folder, source(&disk.folder)).is_err(), "the store is away");
    let open = || {
        let (passed, ticking) = (Arc::clone(&disk.passed_us), Arc::clone(&disk.passed_us));
        let clock = Arc::new(move || start_us + passed.load(Ordering::Relaxed));
        let vault = Vault::open_snapshot_at(&disk.folder, source(&disk.folder), clock).unwrap();
        let ticks = move || {
            let boot_us = ticking.load(Ordering::Relaxed);
            Ticks { boot_us, wall_us: boot_us + start_us }
        };
        Rings::with_ticks(Arc::new(vault), Box::new(ticks)).unwrap()
    };
    disk.pass_secs(HOUR / 2);
    let rings = open();
    assert_eq!(rings.freshness(), Freshness::Degraded);
    assert_eq!(kids(&rings, SetKind::Runtime), shown);
    verify_now(&rings, &[&signed, &mint(&rings, HOUR).unwrap()]);
    assert_eq!(rings.rotate("public/r", "test", &BY).unwrap_err().outcome().0.as_u16(), 503);
    let told = round(&rings);
    assert!(told.store_away.is_none() && told.untended.is_none());
    disk.pass_secs(22 * HOUR - HOUR / 2);
    round(&rings);
    mint(&rings, HOUR).unwrap();
    disk.pass_secs(1);
    round(&rings);
    assert_eq!(mint(&rings, HOUR).unwrap_err(), super::RingRefusal::Stale, "a refresh makes it no younger");
    drop(rings);
    assert_eq!(open().freshness(), Freshness::Stale, "what `serve` refuses to start with");
}
