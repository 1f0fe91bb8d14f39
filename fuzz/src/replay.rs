//! The seeds of a fuzz target, and inputs made from them by small changes, as the tests try them.

use std::path::Path;

/// Inputs that are made of each seed; the fuzzer itself makes millions.
const CHANGES_OF_EACH_SEED: u64 = 60;
/// Octets that mean something in one of the formats.
const TELLING: &[u8] = b"\"\\{}[],.:0a\x00\xff#$";

/// The seeds in a folder, each with its changed copies.
pub(crate) fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(!seeds.is_empty());
    let changed = seeds.iter().enumerate().flat_map(|(at, seed)| {
        let other = &seeds[(at + 1) % seeds.len()];
        (0..CHANGES_OF_EACH_SEED).map(move |number| changed(seed, other, number.wrapping_add((at as u64) << 32)))
    });
    let changed: Vec<_> = changed.collect();
    [seeds, changed].concat()
}

/// One to four changes, decided by the number alone: an octet replaced, some cut out, some doubled, some taken from elsewhere.
fn changed(seed: &[u8], other: &[u8], number: u64) -> Vec<u8> {
    let mut state = number;
    let mut next = move |below: usize| {
        // SplitMix64: spreads neighbouring numbers.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % below.max(1)
    };
    let mut out = seed.to_vec();
    for _ in 0..=next(4) {
        let (from, length) = (next(out.len()), 1 + next(16));
        let to = (from + length).min(out.len());
        match next(5) {
            0 if !out.is_empty() => out[from] = TELLING[next(TELLING.len())],
            1 => drop(out.drain(from.min(to)..to)),
            2 => out.splice(from..from, out[from.min(to)..to].to_vec()).for_each(drop),
            3 => {
                let start = next(other.len());
                out.splice(from..from, other[start..(start + length).min(other.len())].to_vec()).for_each(drop);
            }
            _ => out.truncate(from),
        }
    }
    out
}
