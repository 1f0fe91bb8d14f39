//! The library touches nothing but its arguments: its own source is searched for what would.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "this test reads the source")]

use std::{fs, path::Path};

/// What would reach into the world, beside the lint on calls (`clippy.toml`), which sees through no macro.
const WORDS: [&str; 12] = [
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::io",
    "thread_local!",
    "getrandom",
    "rand::fill",
    "SystemRandom",
];
/// The backend's signature calls ask for a source and do not use it; this file hands one in and says so.
const EXCEPT: (&str, &str) = ("rsassa.rs", "SystemRandom");

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// JO-51: no clock, file, socket, environment, thread or ambient randomness is named.
#[test]
fn nothing_ambient_is_named() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 40);
    for (name, text) in &files {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let named = WORDS.iter().find(|word| line.contains(**word) && (name.as_str(), **word) != EXCEPT);
            assert_eq!(named, None, "{name}: {line}");
        }
    }
}
