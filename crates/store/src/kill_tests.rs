//! kill -9 amid changes: what was acknowledged is there, and each change is whole.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::testing::{BY, boxed, document, init, init_postgres, server};
use crate::{Address, Digest, Error, Store, conformance};

const FOLDER: &str = "STORE_TEST_WRITES_TO";
const MOMENT: &str = "STORE_TEST_DIES_AT";
const KILLS: u64 = 20;
/// A child that nobody kills ends by itself after so many changes.
const CHANGES_MAX: u64 = 20_000;

/// KR-67: twenty times a process is killed amid its commits, on either kind of store: nothing acknowledged is lost, nothing
/// is there by half.
#[test]
fn twenty_kills_lose_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    drop(init(folder.path()));
    kill_twenty_times(folder.path().to_str().unwrap());
    let url = server::shared().fresh_database();
    drop(init_postgres(&Address::parse(&url).unwrap()).unwrap());
    kill_twenty_times(&url);
}

fn kill_twenty_times(place: &str) {
    let mut live = 0;
    for kill in 0..KILLS {
        let said = write_and_kill(place, Duration::from_millis(20 + 13 * kill));
        // A child that said nothing found what was live before: nobody has to have heard of that change.
        live = whole(place, said.unwrap_or(live));
    }
    assert!(live > KILLS, "the child hardly wrote");
}

/// The store at a place that a child was told.
fn open(place: &str) -> Store {
    match Address::parse(place) {
        Ok(address) => Store::open_postgres(&address).unwrap(),
        Err(_) => Store::open(Path::new(place)).unwrap(),
    }
}

/// KR-68: a second process on one data folder is refused, and told who has it; once that one dies the folder is free.
#[test]
fn a_second_process_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(init(folder.path()));
    let mut child = start_child(folder.path().to_str().unwrap());
    let mut line = String::new();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    while !line.contains("acknowledged 1") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "the child ended early");
    }
    let refusal = Store::open(folder.path()).err().unwrap();
    assert_eq!(refusal.code(), "store_in_use");
    assert!(refusal.to_string().contains(&format!("in use by process {}", child.id())), "{refusal}");
    child.kill().unwrap();
    child.wait().unwrap();
    Store::open(folder.path()).unwrap();
}

/// The child: writes changes of two parts in a loop and says each number once it is told that it is durable.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let store = open(&folder);
    let from = revision(&store);
    let mut stdout = std::io::stdout().lock();
    for number in from + 1..=from + CHANGES_MAX {
        write(&store, number).unwrap();
        writeln!(stdout, "acknowledged {number}").unwrap();
    }
}

/// KR-30 (part): killed between the key and its INSERT: no row, nothing sealed, and the next run makes it. KR-31: between INSERT and
/// COMMIT: the same. KR-32: after COMMIT, before anybody heard: the standby is there, its schedule as it was stored.
#[test]
fn a_rotation_that_is_killed_is_whole_or_not_there() {
    for (moment, generations) in [("before", 1), ("amid", 1), ("after", 2)] {
        let folder = tempfile::tempdir().unwrap();
        let store = init(folder.path());
        store.change(&BY, |change| change.make_ring(&conformance::new_ring("r"))).unwrap();
        rotate(&store).unwrap();
        drop(store);
        let child = start_named(folder.path(), "kill_tests::child_that_is_killed_in_a_rotation", moment);
        let status = child.wait_with_output().unwrap().status;
        assert_eq!(status.signal(), Some(9), "{moment}");
        let store = Store::open(folder.path()).unwrap();
        let ring = || store.rings().unwrap().rings.remove(0);
        let found = ring();
        assert_eq!(found.generations.len(), generations, "{moment}");
        assert_eq!(store.list_sealed("ring-key/").unwrap().len(), generations, "{moment}");
        assert!(found.generations.iter().all(|generation| generation.is_whole), "{moment}");
        store.verify_rings().unwrap();
        store.verify_audit().unwrap();
        if generations == 1 {
            rotate(&store).unwrap();
        }
        let period = keyring::Span::from_secs(7 * 86_400);
        let [first, second] = ring().generations.try_into().unwrap();
        assert_eq!(second.activate_at, first.activate_at + period, "{moment}");
    }
}

/// The child: makes a generation and ends itself at the moment that it was told.
#[test]
fn child_that_is_killed_in_a_rotation() {
    let (Ok(folder), Ok(moment)) = (std::env::var(FOLDER), std::env::var(MOMENT)) else {
        return;
    };
    let die_at = |now: &str| {
        if moment == now {
            let me = rustix::process::getpid();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
    };
    let store = Store::open(Path::new(&folder)).unwrap();
    die_at("before");
    let made: Result<(), Error> = store.change(&BY, |change| {
        conformance::make_key(change, "public/r")?;
        die_at("amid");
        Ok(())
    });
    made.unwrap();
    die_at("after");
}

fn rotate(store: &Store) -> Result<(), Error> {
    store.change(&BY, |change| conformance::make_key(change, "public/r").map(drop))
}

fn write(store: &Store, number: u64) -> Result<(), Error> {
    let octets = number.to_string().into_bytes();
    store.change(&BY, |change| {
        change.deploy(&document("seed", &octets))?;
        change.put_sealed(&boxed("secret/a", &octets), Digest::of(&octets))
    })
}

/// Lets a child write for a while, kills it and returns the last number it said.
fn write_and_kill(place: &str, after: Duration) -> Option<u64> {
    let mut child = start_child(place);
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| line.rsplit_once("acknowledged ")?.1.parse().ok()).last()
}

fn start_child(place: &str) -> Child {
    start_named(Path::new(place), "kill_tests::child_that_writes_until_it_is_killed", "")
}

fn start_named(folder: &Path, test: &str, moment: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--quiet"])
        .env(FOLDER, folder)
        .env(MOMENT, moment)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The revision that is live: the last one acknowledged, or the one that was on its way, and nothing is there by half.
fn whole(place: &str, acknowledged: u64) -> u64 {
    let store = open(place);
    let live = revision(&store);
    assert!(live >= acknowledged, "{acknowledged} was lost, {live} is live");
    assert!(live <= acknowledged + 1, "{live} is live");
    let secret = store.sealed("secret/a").unwrap();
    let secret = secret.map_or(0, |sealed| number_in(&sealed.octets));
    assert_eq!(secret, live, "a change is there by half");
    let head = store.verify_audit().unwrap();
    assert_eq!(head.seq, 1 + 2 * live, "one row for each part");
    live
}

fn revision(store: &Store) -> u64 {
    let live = store.document("public", "seed").unwrap();
    live.map_or(0, |found| {
        assert_eq!(number_in(&found.octets), found.revision);
        found.revision
    })
}

fn number_in(octets: &[u8]) -> u64 {
    std::str::from_utf8(octets).unwrap().parse().unwrap()
}
