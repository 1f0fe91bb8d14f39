//! The table of bad inputs in `docs/contracts/jose.md`, held against the tests that name its rows.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "this test reads the contract and the tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use jose::jwa::{ContentEncryption, Grade, KeyAlgorithm, SignatureAlgorithm};

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The rows that a comment names: `B-07`, or `B-44 to B-46`.
fn named(comment: &str, rows: &mut Vec<u32>) {
    let mut words = comment.split([' ', ',', ':', ';', '.', '(', ')']).filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        let Some(first) = number(word) else { continue };
        let mut last = first;
        if words.peek() == Some(&"to") {
            words.next();
            last = words.next().and_then(number).unwrap_or(first);
        }
        rows.extend(first..=last);
    }
}

fn number(word: &str) -> Option<u32> {
    word.strip_prefix("B-")?.parse().ok()
}

/// The names in the first column of a table, for each row with its grade in the last; rows to read only are not new.
fn graded<'t>(contract: &'t str, head: &str) -> Vec<(&'t str, &'t str)> {
    let rows = contract.split_once(head).unwrap().1.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0], *cells.last().unwrap())
    });
    let read = cells.filter(|(names, grade)| *grade != "R" && *names != "none" && !names.contains("the same over"));
    let known = read.filter(|(names, _)| !names.starts_with("HPKE"));
    known.flat_map(|(names, grade)| names.split(", ").map(move |name| (name, grade))).collect()
}

fn letter(grade: Grade) -> &'static str {
    match grade {
        Grade::Offered => "D",
        Grade::OptIn(_) => "O",
        Grade::Gap(_) => "-",
    }
}

/// JO-04 (part): the tables of the contract list the rows of the code, each with its grade.
#[test]
fn the_contract_lists_the_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let contract = fs::read_to_string(root.join("../../docs/contracts/jose.md")).unwrap();
    let sorted = |mut rows: Vec<(&'static str, &'static str)>| {
        rows.sort_unstable();
        rows
    };
    for (head, rows) in [
        ("| `alg` (JWS) |", SignatureAlgorithm::ALL.iter().map(|row| (row.name, letter(row.grade))).collect()),
        ("| `alg` (JWE) |", KeyAlgorithm::ALL.iter().map(|row| (row.name, letter(row.grade))).collect()),
        ("| `enc` |", ContentEncryption::ALL.iter().map(|row| (row.name, "D")).collect::<Vec<_>>()),
    ] {
        let mut written = graded(&contract, head);
        for (name, _) in &mut written {
            *name = name.trim_end_matches(" (the default)");
        }
        written.sort_unstable();
        assert_eq!(written, sorted(rows), "{head}");
    }
}

/// JO-52, JO-54, JO-55: every row of the table is named by a test.
#[test]
fn every_bad_input_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let contract = fs::read_to_string(root.join("../../docs/contracts/jose.md")).unwrap();
    let rows: Vec<u32> =
        contract.lines().filter_map(|line| number(line.strip_prefix("| ")?.split(' ').next()?)).collect();
    assert_eq!(rows, (1..=58).collect::<Vec<_>>());
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests"), &mut files);
    let mut shown = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("contract.rs")) {
        for line in fs::read_to_string(file).unwrap().lines() {
            if let Some(comment) = line.trim_start().strip_prefix("/// ") {
                named(comment, &mut shown);
            }
        }
    }
    for row in rows {
        assert!(shown.contains(&row), "no test names B-{row:02}");
    }
}
