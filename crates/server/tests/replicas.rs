//! Several processes on one PostgreSQL store: who makes a key, who waits for whom, and what happens when the database goes.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../store/src/testing/server.rs"]
mod postgres;
mod replicas {
    pub(crate) mod proxy;
    pub(crate) mod world;
}

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use http::StatusCode;
use keyring::Span;
use replicas::proxy::{Proxy, Way};
use replicas::world::{BY, DAY, HOUR, World, kids, made_by, mint, spec, verifies};
use server::accept::Shutdown;
use server::log::{Form, Level, Log};
use server::rings::{Freshness, RingRefusal, Rings, Timing};
use server::rotator;
use store::News;

const WORLD: &str = "REPLICA_OF";

/// KR-34, ST-62: eight processes that begin on an empty database make one store with one key, and one standby when that
/// is due; what the others drew is nowhere.
#[test]
fn eight_at_once_make_one_key_of_a_kind() {
    let world = World::empty(postgres::shared());
    let at_once = Arc::new(Barrier::new(8));
    let replicas: Vec<Arc<Rings>> = in_parallel(8, || {
        at_once.wait();
        world.init_or_open(&[spec("r", Timing::Rotating(Span::from_secs(7 * DAY)))])
    });
    let made: usize = tend_at_once(&replicas).into_iter().sum();
    assert_eq!(made, 1, "one standby");
    world.pass_secs(7 * DAY);
    assert_eq!(tend_at_once(&replicas).into_iter().sum::<usize>(), 1, "and the next when that one signs");
    for rings in &replicas {
        rings.refresh().unwrap();
        assert_eq!(kids(rings), kids(&replicas[0]));
    }
    assert_eq!(kids(&replicas[0]).len(), 3);
    let store = replicas[0].vault().store();
    assert_eq!(store.list_sealed("ring-key/").unwrap().len(), 3, "no half of a key that lost");
    store.verify_audit().unwrap();
    store.verify_rings().unwrap();
}

fn tend_at_once(replicas: &[Arc<Rings>]) -> Vec<usize> {
    let at_once = Barrier::new(replicas.len());
    std::thread::scope(|scope| {
        let tend = |rings: &Arc<Rings>| {
            let (rings, at_once) = (Arc::clone(rings), &at_once);
            scope.spawn(move || {
                rings.refresh().unwrap();
                at_once.wait();
                rings.tend(&BY).unwrap().len()
            })
        };
        let tending: Vec<_> = replicas.iter().map(tend).collect();
        tending.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn in_parallel<T: Send>(count: usize, work: impl Fn() -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let begun: Vec<_> = (0..count).map(|_| scope.spawn(&work)).collect();
        begun.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// KR-35 (part): a process stops in the middle of a rotation, with the lock and before its INSERT; another rotates
/// meanwhile. The late INSERT meets the fence: its key is not stored, and nothing is there twice.
#[test]
fn a_late_insert_meets_the_fence() {
    let world = World::with_ring(postgres::shared());
    let (slow, quick) = (world.replica(), world.replica());
    let sealed = slow.vault().store().sealed("install-salt").unwrap().unwrap();
    world.pass_secs(7 * DAY);
    quick.refresh().unwrap();
    let mut tries = 0;
    let late = slow.vault().store().change(&BY, |change| {
        tries += 1;
        if tries == 1 {
            // What it sees is old by the time it writes, and the lock is its own all the while.
            assert_eq!(quick.tend(&BY).unwrap().len(), 1, "nobody waits for the holder");
        }
        made_by(change, 3, &sealed)
    });
    assert!(late.unwrap().is_none(), "somebody made it first");
    assert_eq!(tries, 2, "the fence was met, and then seen");
    quick.refresh().unwrap();
    assert_eq!(kids(&quick).len(), 3);
    assert_eq!(quick.vault().store().list_sealed("ring-key/").unwrap().len(), 3);
    quick.vault().store().verify_rings().unwrap();
    quick.vault().store().verify_audit().unwrap();
}

/// KR-35: a process that stopped for longer than a transaction may idle, as one that is stopped for ten minutes, finds its
/// transaction gone: another has rotated, and nothing of the late one is there.
#[test]
fn a_holder_that_stopped_for_long_has_lost_its_turn() {
    let world = World::with_ring(postgres::shared());
    let (slow, quick) = (world.replica(), world.replica());
    let sealed = slow.vault().store().sealed("install-salt").unwrap().unwrap();
    world.pass_secs(7 * DAY);
    quick.refresh().unwrap();
    let mut tries = 0;
    let late = slow.vault().store().change(&BY, |change| {
        tries += 1;
        if tries == 1 {
            // The lock is taken; ten seconds are what the server bears.
            assert_eq!(quick.tend(&BY).unwrap().len(), 1, "nobody waits for the holder");
            std::thread::sleep(Duration::from_millis(10_500));
        }
        made_by(change, 3, &sealed)
    });
    assert_eq!(late.unwrap_err().code(), "store_away");
    quick.refresh().unwrap();
    assert_eq!(kids(&quick).len(), 3);
    quick.vault().store().verify_audit().unwrap();
}

/// KR-12, ST-63: a new ring signs nowhere until every replica shows its first key, and nowhere later than F.
#[test]
fn a_new_ring_waits_for_every_replica() {
    let world = World::with_ring(postgres::shared());
    let (one, other) = (world.replica(), world.replica());
    one.report().unwrap();
    other.report().unwrap();
    one.make(&[spec("new", Timing::Rotating(Span::from_secs(7 * DAY)))], &BY).unwrap();
    let refusal = mint(&one, "public/new", 60).unwrap_err();
    assert_eq!((refusal.code(), refusal.status()), ("ring_not_ready", StatusCode::SERVICE_UNAVAILABLE));
    other.refresh().unwrap();
    assert_eq!(mint(&other, "public/new", 60).unwrap_err(), RingRefusal::NotReady, "the first has not said so yet");
    one.report().unwrap();
    other.report().unwrap();
    for rings in [&one, &other] {
        rings.refresh().unwrap();
        let token = mint(rings, "public/new", 60).unwrap();
        for shown in [&one, &other] {
            assert!(verifies(shown, &token), "no verifier meets an unknown kid");
        }
    }
    // A third that died before it heard of anything is waited for no longer than F.
    world.replica().report().unwrap();
    one.make(&[spec("newer", Timing::Rotating(Span::from_secs(7 * DAY)))], &BY).unwrap();
    assert_eq!(mint(&one, "public/newer", 60).unwrap_err(), RingRefusal::NotReady);
    world.pass_secs(61);
    one.refresh().unwrap();
    mint(&one, "public/newer", 60).unwrap();
}

/// KR-09: a rotation now names the replicas that do not show the next key yet, and none once they do.
#[test]
fn a_rotation_names_who_lags() {
    let world = World::with_ring(postgres::shared());
    let (one, other) = (world.replica(), world.replica());
    one.report().unwrap();
    other.report().unwrap();
    world.pass_secs(7 * DAY);
    one.refresh().unwrap();
    one.tend(&BY).unwrap();
    other.report().unwrap();
    let rotation = one.rotate("public/r", "test", &BY).unwrap();
    assert_eq!(rotation.laggards, [other.replica_id().to_owned()]);
    other.refresh().unwrap();
    other.report().unwrap();
    assert_eq!(one.rotate("public/r", "test", &BY).unwrap().laggards, [""; 0]);
}

/// KR-28: a server that refuses LISTEN and advisory locks is one on which keys are made and seen all the same.
#[test]
fn a_server_without_hints_and_locks_will_do() {
    let world = World::with_ring(postgres::shared());
    let proxy = Proxy::to(postgres::shared().port());
    proxy.set(Way::RefuseHints);
    let there = world.through(proxy.port());
    let heard = there.vault().store().listen(|| {}).unwrap();
    world.pass_secs(7 * DAY);
    there.refresh().unwrap();
    assert_eq!(there.tend(&BY).unwrap().len(), 1, "rotation works");
    let here = world.replica();
    here.rotate("public/r", "test", &BY).unwrap();
    there.refresh().unwrap();
    assert_eq!(kids(&there), kids(&here), "polling works");
    let refused = || matches!(heard.state(), News::None { .. });
    assert!(within(Duration::from_secs(5), refused), "{:?}", heard.state());
    assert!(proxy.refused() >= 2, "a lock and a LISTEN were asked for");
}

/// KR-42: notifications that something on the way takes away are missed at the start, which is told, and later nobody
/// needs them: polling finds the change within R.
#[tokio::test(flavor = "multi_thread")]
async fn lost_notifications_are_told_and_not_needed() {
    let world = World::with_ring(postgres::shared());
    let proxy = Proxy::to(postgres::shared().port());
    proxy.set(Way::LoseNotifications);
    let there = world.through(proxy.port());
    let (memory, shutdown) = (replicas::world::Memory::default(), Shutdown::default());
    let (log, guard) = Log::start(Level::Info, Form::Json, memory.clone()).unwrap();
    let running = tokio::spawn(rotator::run(Arc::clone(&there), log, shutdown.clone()));
    let here = world.replica();
    let told = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(2));
        here.make(&[spec("later", Timing::Static)], &BY).unwrap();
        // R is ten seconds.
        within(Duration::from_secs(12), || kids(&there).len() == kids(&here).len())
    });
    assert!(told.await.unwrap(), "polling finds it");
    shutdown.begin();
    running.await.unwrap();
    drop(guard);
    assert!(memory.text().contains("listen_no_echo"), "{}", memory.text());
}

/// The other half of the last: where nothing is lost, a change is heard of at once.
#[test]
fn a_change_elsewhere_is_heard_of_at_once() {
    let world = World::with_ring(postgres::shared());
    let (one, other) = (world.replica(), world.replica());
    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let heard = one
        .vault()
        .store()
        .listen(move || {
            let _ = tell.lock().unwrap().send(());
        })
        .unwrap();
    assert!(within(Duration::from_secs(5), || heard.state() == News::Heard), "{:?}", heard.state());
    other.make(&[spec("later", Timing::Static)], &BY).unwrap();
    told.recv_timeout(Duration::from_secs(2)).unwrap();
}

/// KR-36, ST-67 (part): the database is away for a minute, an hour and twenty: tokens are signed and the set is shown, a
/// change is refused as 503; when it comes back all of it goes on. KR-37: beyond T there are neither, and no token from
/// before is lost.
#[test]
fn a_database_that_is_away_stops_nobody_for_t() {
    let server = postgres::Server::start();
    let world = World::with_ring(&server);
    let rings = world.replica();
    let (memory, shutdown) = (replicas::world::Memory::default(), Shutdown::default());
    let (log, guard) = Log::start(Level::Info, Form::Json, memory.clone()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.spawn(rotator::run(Arc::clone(&rings), log, shutdown.clone()));
    let first = mint(&rings, "public/r", HOUR).unwrap();
    let mut away_secs = 0;
    server.crash();
    for until_secs in [60, HOUR, 20 * HOUR] {
        world.pass_secs_alone(until_secs - away_secs);
        away_secs = until_secs;
        assert!(rings.refresh().unwrap_err().to_string().contains("does not answer"));
        let token = mint(&rings, "public/r", 60).unwrap();
        assert!(verifies(&rings, &token), "after {until_secs} s");
        let made = rings.make(&[spec("other", Timing::Static)], &BY).unwrap_err();
        assert_eq!(made.outcome().0, StatusCode::SERVICE_UNAVAILABLE, "{made}");
    }
    assert_eq!(rings.freshness(), Freshness::Degraded);
    server.go_on();
    world.set_database_clock();
    let begun = Instant::now();
    // Nobody asks here: it is the server that looks whether the database is back.
    assert!(within(Duration::from_secs(15), || rings.freshness() == Freshness::Fresh), "{:?}", begun.elapsed());
    shutdown.begin();
    runtime.block_on(running).unwrap();
    drop(guard);
    let told = memory.text();
    assert!(told.contains("store_away") && told.contains("store_back"), "{told}");
    rings.make(&[spec("other", Timing::Static)], &BY).unwrap();

    let last = mint(&rings, "public/r", HOUR).unwrap();
    server.crash();
    world.pass_secs_alone(22 * HOUR + 1);
    assert_eq!(mint(&rings, "public/r", 60).unwrap_err(), RingRefusal::Stale);
    assert_eq!(RingRefusal::Stale.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(rings.served("public", server::rings::SetKind::Runtime).unwrap_err(), RingRefusal::Stale);
    assert_eq!(rings.freshness(), Freshness::Stale);
    server.go_on();
    world.set_database_clock();
    assert!(within(Duration::from_secs(15), || rings.refresh().is_ok()));
    for token in [first, last] {
        assert!(verifies(&rings, &token), "its key is still shown");
    }
}

/// KR-40: a server that is stopped, and a network that swallows everything: a statement ends within 5 s, the next ones at
/// once, and no token waits.
#[test]
fn a_database_that_hangs_holds_nobody_up() {
    let server = postgres::Server::start();
    let world = World::with_ring(&server);
    let proxy = Proxy::to(server.port());
    let (direct, through) = (world.replica(), world.through(proxy.port()));
    signal(&server.processes(), "-STOP");
    hangs(&direct);
    signal(&server.processes(), "-CONT");
    assert!(within(Duration::from_secs(15), || direct.refresh().is_ok()));
    through.refresh().unwrap();
    proxy.set(Way::Swallow);
    hangs(&through);
    proxy.set(Way::Pass);
    assert!(within(Duration::from_secs(15), || through.refresh().is_ok()));
}

fn hangs(rings: &Arc<Rings>) {
    let slowest_of = |count: u32| {
        let timed = (0..count).map(|_| {
            let begun = Instant::now();
            mint(rings, "public/r", 60).unwrap();
            begun.elapsed()
        });
        let mut timed: Vec<Duration> = timed.collect();
        timed.sort_unstable();
        timed[timed.len() * 99 / 100]
    };
    let waiting = Arc::clone(rings);
    let asked = std::thread::spawn(move || {
        let begun = Instant::now();
        assert!(waiting.refresh().is_err());
        begun.elapsed()
    });
    let p99 = slowest_of(1_000);
    assert!(p99 < Duration::from_millis(50), "{p99:?} while a statement hangs");
    let took = asked.join().unwrap();
    assert!(took < Duration::from_millis(6_500), "{took:?}");
    let begun = Instant::now();
    assert!(rings.refresh().is_err());
    assert!(begun.elapsed() < Duration::from_millis(500), "the breaker is open");
}

fn signal(processes: &[u32], which: &str) {
    let pids = processes.iter().map(u32::to_string);
    assert!(Command::new("kill").arg(which).args(pids).status().unwrap().success());
}

/// KR-33: every replica is killed as the next key begins to sign: after the restart that key signs, and each token that
/// anybody was given verifies.
#[test]
fn all_replicas_are_killed_at_a_switch() {
    let world = World::with_ring(postgres::shared());
    let rings = world.replica();
    let [first, second] = <[String; 2]>::try_from(replicas::world::signing_order(&rings)).unwrap();
    world.pass_secs(7 * DAY - 6);
    let mut children: Vec<_> = (0..3)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child_that_mints_until_it_is_killed", "--nocapture", "--quiet"])
                .env(WORLD, world.as_text())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut given = Vec::new();
    let begun = Instant::now();
    let readers: Vec<_> = children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap())).collect();
    let reading: Vec<_> = readers
        .into_iter()
        .map(|reader| {
            std::thread::spawn(move || {
                reader
                    .lines()
                    .map_while(Result::ok)
                    .filter_map(|line| line.split_once("token ").map(|(_, t)| t.to_owned()))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    while world.now_secs(&rings) < world.switch_secs(&rings) {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    reading.into_iter().for_each(|thread| given.extend(thread.join().unwrap()));
    let again = world.replica();
    let next = mint(&again, "public/r", 60).unwrap();
    assert_eq!(next.kid, second);
    let parsed: Vec<_> = given.iter().map(|token| replicas::world::parse(token)).collect();
    let signed_by = |kid: &str| parsed.iter().filter(|token| token.kid == kid).count();
    assert!(signed_by(&first) > 3 && signed_by(&second) > 0, "{} {}", signed_by(&first), signed_by(&second));
    assert!(parsed.iter().all(|token| verifies(&again, token)), "none is lost");
}

#[test]
fn child_that_mints_until_it_is_killed() {
    let Ok(text) = std::env::var(WORLD) else {
        return;
    };
    let rings = World::of_text(&text).replica();
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        let token = mint(&rings, "public/r", 60).unwrap();
        // One write a line: what is read is whole or not there.
        std::io::stdout().write_all(format!("token {}\n", token.token).as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// KR-39: one replica is cut off for twelve hours, across a switch: it says that it is not fresh, signs with the key that
/// its rows give and with no other, and every token of both sides verifies on either.
#[test]
fn a_replica_that_is_cut_off_follows_its_rows() {
    let world = World::with_ring(postgres::shared());
    let proxy = Proxy::to(postgres::shared().port());
    let (here, there) = (world.replica(), world.through(proxy.port()));
    let mut tokens = vec![mint(&here, "public/r", HOUR).unwrap(), mint(&there, "public/r", HOUR).unwrap()];
    world.pass_secs(7 * DAY - 6 * HOUR);
    for rings in [&here, &there] {
        rings.refresh().unwrap();
    }
    proxy.set(Way::Cut);
    for _ in 0..12 {
        world.pass_secs(HOUR);
        here.refresh().unwrap();
        here.tend(&BY).unwrap();
        there.refresh().unwrap_err();
        assert_eq!((here.freshness(), there.freshness()), (Freshness::Fresh, Freshness::Degraded));
        let pair = [mint(&here, "public/r", HOUR).unwrap(), mint(&there, "public/r", HOUR).unwrap()];
        assert_eq!(pair[0].kid, pair[1].kid, "both are where the rows say");
        for token in &pair {
            assert!(verifies(&here, token) && verifies(&there, token));
        }
        tokens.extend(pair);
    }
    assert_ne!(tokens[2].kid, tokens.last().unwrap().kid, "across a switch");
    proxy.set(Way::Pass);
    assert!(within(Duration::from_secs(15), || there.refresh().is_ok()));
    assert_eq!(kids(&there), kids(&here));
}

fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}
