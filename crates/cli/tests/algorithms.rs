//! The names of algorithms, wherever the command line or the documentation lists them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::collections::BTreeSet;

use house::chancery;
use jose::jwa::{ContentEncryption, Grade, KeyAlgorithm, SignatureAlgorithm};

const PAGE: &str = include_str!("../../../docs/algorithms.md");

fn signing() -> Vec<&'static str> {
    SignatureAlgorithm::ALL.iter().filter(|row| !matches!(row.grade, Grade::Gap(_))).map(|row| row.name).collect()
}

fn managing() -> Vec<&'static str> {
    KeyAlgorithm::ALL.iter().filter(|row| !matches!(row.grade, Grade::Gap(_))).map(|row| row.name).collect()
}

fn content() -> Vec<&'static str> {
    ContentEncryption::ALL.iter().map(|row| row.name).collect()
}

/// The possible values that the help of a command lists for a flag, in order.
fn listed(command: &[&str], flag: &str) -> Vec<String> {
    let help = chancery(&[command, &["--help"]].concat()).stdout;
    let from = help.find(&format!("      {flag} <")).unwrap_or_else(|| panic!("no {flag} in {help}"));
    let values = help[from..].split_once("[possible values: ").unwrap().1.split_once(']').unwrap().0;
    values.split(',').map(|name| name.trim().to_owned()).collect()
}

/// JO-04: `--help`, completions, the palette that an editor is given and the page of algorithms list the rows of the
/// table, in its order. The table of the contract is compared beside the rows themselves.
#[test]
fn every_list_of_names_comes_from_the_rows() {
    for (command, flag, names) in [
        (["mint"].as_slice(), "--alg", signing()),
        (&["mint"], "--key-alg", managing()),
        (&["mint"], "--enc", content()),
        (&["verify"], "--alg", signing()),
        (&["verify"], "--key-alg", managing()),
        (&["verify"], "--enc", content()),
        (&["keys", "generate"], "--alg", [signing(), managing()].concat()),
    ] {
        assert_eq!(listed(command, flag), names, "{command:?} {flag}");
    }
    let completions = chancery(&["completions", "bash"]).stdout;
    assert!(completions.contains(&signing().join(" ")) && completions.contains(&managing().join(" ")));
    let told = chancery(&["explain", "algorithms"]).stdout;
    let named: BTreeSet<&str> = told.lines().skip(1).map(|line| line[10..28].trim()).collect();
    let rows: BTreeSet<&str> =
        SignatureAlgorithm::ALL.iter().map(|row| row.name).chain(managing()).chain(content()).collect();
    assert_eq!(named, rows);
    let palette = chancery(&["explain", "algorithms", "--json"]).stdout;
    let offered: Vec<(String, String)> = palette
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|told| ["place", "name"].map(|member| told[member].as_str().unwrap().to_owned()).into())
        .collect();
    let placed = |place: &str, names: Vec<&str>| {
        names.into_iter().map(move |name| (place.to_owned(), name.to_owned())).collect()
    };
    let all: [Vec<(String, String)>; 3] = [
        placed("JWS alg", SignatureAlgorithm::ALL.iter().map(|row| row.name).collect()),
        placed("JWE alg", KeyAlgorithm::ALL.iter().map(|row| row.name).collect()),
        placed("JWE enc", content()),
    ];
    assert_eq!(offered, all.concat());
    assert!(PAGE.contains(&told), "docs/algorithms.md is not what `chancery explain algorithms` writes:\n{told}");
}
