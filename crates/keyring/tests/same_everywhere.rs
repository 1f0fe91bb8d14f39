//! The same rows and instant give the same phases in every process, in whatever order they were read.

#![allow(clippy::disallowed_methods, reason = "the test starts itself again; the crate may not")]

mod helper;

use std::process::Command;

use helper::{Rows, policy, secs};
use keyring::{EventKind, Ring, RingPolicy, Span, Use};

fn rows(use_: Use) -> Rows {
    let longer = RingPolicy { max_lifetime: Some(Span::from_secs(20)), ..policy(90) };
    let horizon = EventKind::Horizon { until: secs(150) };
    Rows::new(use_)
        .policies(vec![policy(0), longer, policy(200)])
        .made(0, 0)
        .made(0, 60)
        .made(60, 120)
        .made(121, 180)
        .event(1, 30, horizon)
        .event(2, 75, EventKind::Revoked)
        .event(4, 130, EventKind::Hastened { until: secs(170) })
}

/// Every phase, signer and set at every tenth of a second.
fn story(ring: &Ring) -> String {
    let mut story = String::new();
    for t in (-10..3_000).map(|tenths| helper::us(tenths * 100_000)) {
        let phases: Vec<_> = (1..=4).map(|n| ring.phase(n, t)).collect();
        let signer = ring.signer(t).map(|generation| generation.n);
        story += &format!("{phases:?} {signer:?} {:?} {:?}\n", ring.shown(t), ring.open(t));
    }
    story
}

/// KR-01: another process, which reads the rows the other way round, tells the same story to the letter; and the crate
/// is held by lint not to name a clock.
#[test]
fn another_process_tells_the_same_story() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_tells_its_story", "--nocapture", "--quiet"])
        .env("KEYRING_TEST_TELLS", "yes")
        .env("TZ", "Pacific/Kiritimati")
        .output()
        .unwrap();
    let told = String::from_utf8(child.stdout).unwrap();
    for use_ in [Use::Sign, Use::Mac, Use::Decrypt] {
        let own = story(&rows(use_).ring());
        assert!(told.contains(&own), "{use_:?}");
        assert!(own.lines().collect::<std::collections::HashSet<_>>().len() > 5, "the story is not dull");
    }

    let lint = include_str!("../clippy.toml");
    for clock in ["std::time::SystemTime::now", "std::time::Instant::now"] {
        assert!(lint.contains(&format!("path = \"{clock}\"")), "{clock}");
    }
    let workspace = include_str!("../../../Cargo.toml");
    assert!(workspace.contains("disallowed_methods = \"deny\""));
    assert!(include_str!("../Cargo.toml").contains("[lints]\nworkspace = true"));
}

/// The child.
#[test]
fn child_that_tells_its_story() {
    if std::env::var("KEYRING_TEST_TELLS").is_ok() {
        for use_ in [Use::Sign, Use::Mac, Use::Decrypt] {
            println!("\n{}", story(&rows(use_).reversed().ring()));
        }
    }
}
