//! A sink that takes, one that blocks and one that is gone, under both policies, with ten thousand rows.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use jose::jws::HeaderPlan;
use keyring::AskedExp;
use plan::SecretRef;
use serde_json::Value as Json;
use signer::{MasterSource, Secret};
use store::{Action, By, Entry, Outcome};
use tempfile::TempDir;

use super::{SHIPPED_FILE, SinkPlace, SinkPolicy};
use crate::limits::AUDIT_BUFFER_ROWS_MAX;
use crate::rings::{NewRingSpec, Rings};
use crate::vault::{SecretStep, Vault, VaultError};

const BY: By<'_> = By { actor: "test", address: None, request_id: None };
const SOON: Duration = Duration::from_secs(20);

/// A store with one ring, and a place for a sink beside it.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self { folder };
        let master = MasterSource::File(world.folder.path().join("master.key"));
        let rings = NewRingSpec::of_a_new_store(Duration::from_secs(168 * 3_600)).into_iter().take(1);
        drop(Vault::init(world.folder.path(), master, &rings.collect::<Vec<_>>(), &BY).unwrap());
        world
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("sink")
    }

    fn open(&self, place: SinkPlace, policy: SinkPolicy) -> Arc<Rings> {
        let master = MasterSource::File(self.folder.path().join("master.key"));
        let vault = Vault::open(self.folder.path(), master).unwrap();
        let vault = vault.with_audit_sink(self.folder.path(), Some((place, policy))).unwrap();
        let rings = Rings::open(Arc::new(vault)).unwrap();
        rings.tend(&By::ROTATOR).unwrap();
        rings
    }

    fn over_socket(&self, policy: SinkPolicy) -> Arc<Rings> {
        self.open(SinkPlace::Socket(self.path()), policy)
    }

    /// A collector that is there.
    fn listen(&self) -> UnixListener {
        let _ = std::fs::remove_file(self.path());
        UnixListener::bind(self.path()).unwrap()
    }
}

/// The rows that a collector takes, as they come; it goes on until the other end closes.
fn collect(listener: UnixListener) -> (Receiver<Json>, std::thread::JoinHandle<UnixListener>) {
    let (tell, rows) = channel();
    let collector = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = tell.send(serde_json::from_str(&line).unwrap());
        }
        listener
    });
    (rows, collector)
}

fn set_secret(rings: &Rings, node: &str) -> Result<bool, VaultError> {
    let secret = SecretRef { owner: node.into(), field: "secret".into() };
    rings.vault().change_secret(&secret, &SecretStep::Set(Secret::new(b"canary-of-a-secret".to_vec())), &BY)
}

fn is_refused(outcome: &Result<bool, VaultError>) -> bool {
    matches!(outcome, Err(VaultError::Store(store::Error::AuditAway { .. })))
}

fn mints(rings: &Rings) -> bool {
    let claims = |moment: &crate::rings::Moment| {
        let exp = moment.expiry(AskedExp::At(moment.issued_at_secs + 60))?.unwrap_or(moment.issued_at_secs + 60);
        Ok(format!("{{\"exp\":{exp}}}").into_bytes())
    };
    rings.mint("public/es256", &HeaderPlan::jwt(), claims).is_ok()
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < SOON, "not soon: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Writes audit rows until so many wait for the sink.
fn wait_until_waiting(rings: &Rings, rows: usize, shipped: u64) {
    let store = rings.vault().store();
    let missing = (shipped + rows as u64).checked_sub(store.last_change().unwrap()).unwrap();
    let entry = Entry { action: Action::Backup, object: "row", before: None, after: None, outcome: Outcome::Done };
    let filled: Result<(), store::Error> =
        store.change(&By::ROTATOR, |change| (0..missing).try_for_each(|_| change.record(&entry)));
    filled.unwrap();
}

/// KR-63 (part): while the sink is away, `fail_closed` refuses every change that somebody wants and writes nothing; tokens are
/// minted and the rotator goes on. When it is back everything that was written in between arrives, in order and without a gap.
#[test]
fn fail_closed_refuses_while_the_sink_is_away() {
    let world = World::new();
    let (rows, collector) = collect(world.listen());
    let rings = world.over_socket(SinkPolicy::FailClosed);
    set_secret(&rings, "a").unwrap();
    let store = rings.vault().store();
    let last = store.last_change().unwrap();
    let shipped: Vec<Json> = (1..=last).map(|_| rows.recv_timeout(SOON).unwrap()).collect();
    assert!(shipped.iter().map(|row| row["seq"].as_u64().unwrap()).eq(1..=last));
    let stored = store.audit_rows(last - 1, 1).unwrap().remove(0);
    assert_eq!(shipped[last as usize - 1]["hash"], jose::base64url::encode(&stored.hash.0));
    assert!(!format!("{shipped:?}").contains("canary"), "no secret leaves");
    drop(rings);
    let listener = collector.join().unwrap();

    // Nobody accepts and nobody reads: the sink blocks once its buffers are full, and is away once it is closed.
    let rings = world.over_socket(SinkPolicy::FailClosed);
    drop(listener);
    wait_for("the sink is away", || is_refused(&set_secret(&rings, "b")));
    let last = rings.vault().store().last_change().unwrap();
    let refused = rings.make(&[NewRingSpec { name: "more".to_owned(), ..ring() }], &BY);
    assert_eq!(refused.unwrap_err().outcome().1, "audit_sink_away");
    assert!(is_refused(&set_secret(&rings, "b")) && rings.vault().sink_trouble().is_some());
    assert_eq!(rings.vault().store().last_change().unwrap(), last, "nothing was written");
    assert!(mints(&rings));
    wait_until_waiting(&rings, 3, last);

    let (rows, _collector) = collect(world.listen());
    wait_for("the sink is back", || set_secret(&rings, "b").is_ok());
    let last = rings.vault().store().last_change().unwrap();
    let mut expected = None;
    while expected != Some(last + 1) {
        let seq = rows.recv_timeout(SOON).unwrap()["seq"].as_u64().unwrap();
        assert!(expected.is_none_or(|expected| expected == seq), "a gap before {seq}");
        expected = Some(seq + 1);
    }
    wait_for("the trouble is over", || rings.vault().sink_trouble().is_none());
}

/// KR-63: a sink that blocks: `buffer` takes changes until 10 000 rows wait, and refuses the next one; tokens are minted on.
/// SE-73: at 10 000 rows it passes, at 10 001 it is refused; `fail_closed` refuses the first. What waited arrives.
#[test]
fn a_buffer_fills_and_then_refuses() {
    let world = World::new();
    let listener = world.listen();
    let rings = world.over_socket(SinkPolicy::Buffer);
    // The collector accepts and reads nothing: it is there and blocks.
    let (blocked, _) = listener.accept().unwrap();
    wait_until_waiting(&rings, 2_000, rings.vault().store().last_change().unwrap());
    wait_for("it blocks", || rings.vault().sink_trouble().is_some());
    let shipped = shipped_by(&world);
    wait_until_waiting(&rings, AUDIT_BUFFER_ROWS_MAX - 1, shipped);
    assert_eq!(shipped_by(&world), shipped, "it takes nothing more");
    set_secret(&rings, "the last one").unwrap();
    let refused = set_secret(&rings, "one too many");
    assert!(is_refused(&refused), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("10000 rows wait for it"));
    assert!(mints(&rings));
    rings.vault().store().change(&By::ROTATOR, |change| change.rotate_now("public/es256", "service")).unwrap();

    assert!(refuses_the_first(&World::new()), "fail_closed");
    let reader = std::thread::spawn(move || BufReader::new(blocked).lines().map_while(Result::ok).count());
    wait_for("there is room", || set_secret(&rings, "one too many").is_ok());
    let last = rings.vault().store().last_change().unwrap();
    wait_for("all is shipped", || shipped_by(&world) == last);
    drop(rings);
    assert_eq!(reader.join().unwrap() as u64, last, "each row once");
}

/// Whether `fail_closed` refuses the first change while a sink blocks.
fn refuses_the_first(world: &World) -> bool {
    let listener = world.listen();
    let rings = world.over_socket(SinkPolicy::FailClosed);
    let (_blocked, _) = listener.accept().unwrap();
    wait_until_waiting(&rings, 2_000, rings.vault().store().last_change().unwrap());
    wait_for("it blocks", || rings.vault().sink_trouble().is_some());
    is_refused(&set_secret(&rings, "a")) && mints(&rings)
}

fn shipped_by(world: &World) -> u64 {
    let note = std::fs::read(world.folder.path().join(SHIPPED_FILE)).unwrap_or_default();
    serde_json::from_slice::<Json>(&note).map_or(0, |note| note["seq"].as_u64().unwrap())
}

fn ring() -> NewRingSpec {
    NewRingSpec::of_a_new_store(Duration::from_secs(168 * 3_600)).remove(0)
}

#[test]
fn a_file_is_appended_to_and_followed_when_it_is_moved_away() {
    let world = World::new();
    let place = || SinkPlace::File(world.path());
    let lines = |path: &std::path::Path| std::fs::read_to_string(path).unwrap_or_default().lines().count() as u64;
    let rings = world.open(place(), SinkPolicy::FailClosed);
    set_secret(&rings, "a").unwrap();
    let first = rings.vault().store().last_change().unwrap();
    drop(rings);
    assert_eq!(lines(&world.path()), first, "the end waits for its last rows");
    let moved = world.folder.path().join("sink.1");
    std::fs::rename(world.path(), &moved).unwrap();
    let rings = world.open(place(), SinkPolicy::FailClosed);
    set_secret(&rings, "b").unwrap();
    let last = rings.vault().store().last_change().unwrap();
    wait_for("b is shipped", || shipped_by(&world) == last);
    std::fs::remove_file(world.path()).unwrap();
    set_secret(&rings, "c").unwrap();
    let last = rings.vault().store().last_change().unwrap();
    drop(rings);
    assert_eq!(
        (lines(&moved), lines(&world.path())),
        (first, last - first - 1),
        "each row once, the deleted one apart"
    );
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(world.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_named_pipe_without_a_reader_is_away() {
    let world = World::new();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, world.path(), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let rings = world.open(SinkPlace::File(world.path()), SinkPolicy::FailClosed);
    assert!(is_refused(&set_secret(&rings, "a")));
    let path = world.path();
    let reader = std::thread::spawn(move || {
        let pipe = std::fs::File::open(path).unwrap();
        BufReader::new(pipe).lines().map_while(Result::ok).count()
    });
    wait_for("a reader", || set_secret(&rings, "a").is_ok());
    let last = rings.vault().store().last_change().unwrap();
    drop(rings);
    assert_eq!(reader.join().unwrap() as u64, last);
}

#[test]
fn a_note_of_another_chain_counts_for_nothing() {
    let world = World::new();
    let listener = world.listen();
    std::fs::write(world.folder.path().join(SHIPPED_FILE), br#"{"seq":2,"hash":"AAAA"}"#).unwrap();
    let rings = world.over_socket(SinkPolicy::Buffer);
    let (stream, _): (UnixStream, _) = listener.accept().unwrap();
    let first = BufReader::new(stream).lines().next().unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Json>(&first).unwrap()["seq"], 1);
    drop(rings);
}
