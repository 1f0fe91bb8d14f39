//! The soak of the key ring contract, section 15: three processes, one database, a key a minute, a fault every twenty seconds.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../../store/src/testing/server.rs"]
mod postgres;
#[path = "replicas/proxy.rs"]
mod proxy;
mod soak {
    pub(crate) mod replica;
    pub(crate) mod verifier;
}
#[path = "replicas/world.rs"]
mod world;

use std::time::{Duration, Instant};

use keyring::{OverLife, RingPolicy, Span, Standby, Time, Use};
use proxy::{Proxy, Way};
use server::rings::{RingToken, Rings};
use soak::replica::Replica;
use soak::verifier::Verifier;
use store::NewRing;
use world::{BY, World, parse};

/// How long the short form takes: two switches and six faults, an upgrade and the way back among them.
const SHORT: Duration = Duration::from_secs(130);
const REPLICAS: usize = 3;
/// The most that a process may grow while it serves, beyond a third of what it began with, in KiB.
const GROWTH_KIB_MAX: u64 = 10_240;

/// What goes wrong, in turn.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    /// One process is replaced by one of the next release, which changes the schema.
    Upgraded,
    DatabaseGone,
    Cut,
    /// And by one of this release again.
    Returned,
    Stopped,
    Swallowed,
    Hastened,
}

const FAULTS: [Fault; 8] = [
    Fault::Killed,
    Fault::Upgraded,
    Fault::DatabaseGone,
    Fault::Cut,
    Fault::Returned,
    Fault::Stopped,
    Fault::Swallowed,
    Fault::Hastened,
];
/// Between two of them.
const FAULT_EVERY: Duration = Duration::from_secs(20);
/// How long one lasts.
const FAULT_LASTS: Duration = Duration::from_secs(5);

/// KR-07: nothing is lost, no generation is there twice, every chain holds, and memory stays flat. `cargo xtask soak 30`
/// is the nightly run; without a word it takes a good two minutes.
/// KR-65: a process of the next release joins two of this one, changes the schema, and is replaced by one of this release again:
/// both read all rows, nothing is lost, and a store that asks for a newer program is refused.
#[test]
fn no_token_is_lost() {
    let minutes = std::env::var("SOAK_MINUTES").ok().map(|text| text.parse::<f64>().unwrap());
    let length = minutes.map_or(SHORT, |minutes| Duration::from_secs_f64(minutes * 60.0));
    let server = postgres::Server::start();
    let world = World::empty(&server).with_limits(Duration::from_millis(600));
    begin(&world, &server);
    let mut house = House {
        proxies: (0..REPLICAS).map(|_| Proxy::to(server.port())).collect(),
        replicas: Vec::new(),
        server: &server,
    };
    house.replicas = house.proxies.iter().map(|proxy| Replica::start(&world.through_text(proxy.port()))).collect();
    let counted = house.run(&world, length);
    println!("{counted:?}");
    assert_eq!(counted.lost, 0);
    assert!(counted.minted > counted.refused, "{counted:?}");
    let rings = world.replica();
    let generations = world::signing_order(&rings).len() as u64;
    assert!(generations > length.as_secs() / 60, "{generations} generations in {length:?}");
    rings.vault().store().verify_audit().unwrap();
    rings.vault().store().verify_rings().unwrap();
    let boxes = rings.vault().store().list_sealed("ring-key/").unwrap().len() as u64;
    assert!(boxes <= generations, "a box without its generation");
    reads_all_rows_in_both_releases(&world);
    let alive = house.replicas.iter_mut().filter_map(Replica::growth);
    for (before, after) in alive {
        assert!(after < before + before / 3 + GROWTH_KIB_MAX, "{before} KiB grew to {after}");
    }
}

/// Holds what the two releases read against each other, and has this one refuse what is too new for it.
fn reads_all_rows_in_both_releases(world: &World<'_>) {
    let read = |rings: &Rings| {
        let store = rings.vault().store();
        (format!("{:?}", store.rings().unwrap().rings), store.verify_audit().unwrap(), store.verify_rings().unwrap())
    };
    assert_eq!(read(&world.replica()), read(&world.try_next_release().unwrap()));
    world.break_with_the_past();
    let refused = world.try_replica().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("run the newer program"), "{refused}");
    assert!(world.try_next_release().is_ok());
}

/// A store with the numbers of section 15, and its ring.
fn begin(world: &World<'_>, server: &postgres::Server) {
    let rings = world.init_or_open(&[]);
    let timing = "INSERT INTO chancery.store_policy VALUES (2, 3000000, 1000000, 1000000, 5000000, chancery.now_us())";
    server.sql(world.database(), timing);
    let secs = Span::from_secs;
    let policy = RingPolicy {
        created_at: Time::from_us(0),
        rotation_period: Some(secs(60)),
        publish_lead: secs(40),
        max_lifetime: Some(secs(10)),
        assumed_cache: secs(20),
        jwks_max_age: secs(10),
        max_staleness: secs(8),
        leeway: secs(1),
        over_life: OverLife::Cut,
        standby: Standby::AtOnce,
    };
    let made = rings.vault().store().change(&BY, |change| {
        let (tenant, name, use_, alg) = ("public", "r", Use::Sign, "EdDSA");
        change.make_ring(&NewRing { tenant, name, use_, alg, kid_prefix: "", signer: "software", policy })
    });
    made.unwrap();
    rings.refresh().unwrap();
    rings.tend(&BY).unwrap();
}

struct House<'s> {
    proxies: Vec<Proxy>,
    replicas: Vec<Replica>,
    server: &'s postgres::Server,
}

#[derive(Debug, Default)]
struct Counted {
    minted: u64,
    refused: u64,
    verified: u64,
    lost: u64,
    faults: u32,
}

impl House<'_> {
    fn run(&mut self, world: &World<'_>, length: Duration) -> Counted {
        let mut counted = Counted::default();
        let mut verifiers = [Verifier::honest(), Verifier::fixed(), Verifier::fixed()];
        let mut open: Vec<(Instant, RingToken)> = Vec::new();
        let (begun, mut wrong) = (Instant::now(), None::<(Fault, Instant)>);
        let mut turn = 0;
        while begun.elapsed() < length {
            turn += 1;
            if begun.elapsed() > FAULT_EVERY * (counted.faults + 1) && wrong.is_none() {
                let fault = FAULTS[counted.faults as usize % FAULTS.len()];
                println!("{:?}: {fault:?}", begun.elapsed());
                self.go_wrong(fault, world, counted.faults as usize);
                wrong = Some((fault, Instant::now()));
                counted.faults += 1;
            }
            if let Some((fault, _)) = wrong.filter(|(_, since)| since.elapsed() > FAULT_LASTS) {
                self.mend(fault, counted.faults as usize - 1);
                wrong = None;
            }
            match self.replicas[turn % REPLICAS].mint() {
                Some(token) => {
                    counted.minted += 1;
                    let token = parse(&token);
                    self.check(&mut verifiers, &token, &mut counted);
                    // A second before its end, when the key may long have stopped.
                    open.push((Instant::now() + Duration::from_secs(8), token));
                }
                None => counted.refused += 1,
            }
            let due = open.iter().position(|(at, _)| *at > Instant::now()).unwrap_or(open.len());
            for (_, token) in open.drain(..due) {
                self.check(&mut verifiers, &token, &mut counted);
            }
            std::thread::sleep(Duration::from_millis(40));
        }
        counted
    }

    fn check(&mut self, verifiers: &mut [Verifier], token: &RingToken, counted: &mut Counted) {
        for verifier in verifiers {
            match verifier.accepts(token, &mut self.replicas) {
                Some(true) => counted.verified += 1,
                Some(false) => {
                    counted.lost += 1;
                    println!("lost: {} by {verifier:?}", token.kid);
                }
                // Nobody gave it a set for so long that it has none: no matter of keys.
                None => {}
            }
        }
    }

    fn go_wrong(&mut self, fault: Fault, world: &World<'_>, nth: usize) {
        let at = nth % REPLICAS;
        match fault {
            Fault::Upgraded => self.replicas[at] = Replica::start_next(&world.through_text(self.proxies[at].port())),
            Fault::Killed | Fault::Returned => {
                self.replicas[at] = Replica::start(&world.through_text(self.proxies[at].port()))
            }
            Fault::DatabaseGone => self.server.crash(),
            Fault::Cut => self.proxies[at].set(Way::Cut),
            Fault::Swallowed => self.proxies[at].set(Way::Swallow),
            Fault::Stopped => self.replicas[at].signal("-STOP"),
            Fault::Hastened => {
                world.replica().rotate("public/r", "soak", &BY).unwrap();
            }
        }
    }

    fn mend(&mut self, fault: Fault, nth: usize) {
        let at = nth % REPLICAS;
        match fault {
            Fault::DatabaseGone => self.server.go_on(),
            Fault::Cut | Fault::Swallowed => self.proxies[at].set(Way::Pass),
            Fault::Stopped => self.replicas[at].signal("-CONT"),
            Fault::Killed | Fault::Upgraded | Fault::Returned | Fault::Hastened => {}
        }
    }
}

#[test]
fn child_that_serves_until_it_is_killed() {
    soak::replica::serve();
}
