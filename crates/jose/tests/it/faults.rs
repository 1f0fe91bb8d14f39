//! A fault in the middle of a signature: a bit flipped in the memory of the process, as a failing machine would.

#![allow(clippy::disallowed_methods, reason = "this test reads and writes its own memory")]

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    sync::Arc,
};

use jose::{
    KeyKind, PrivateJwk, RsaBits, SigningKey,
    jwa::Switches,
    jws::{HeaderPlan, ProtectedHeader, Template},
};

use crate::support::{System, code, object, octets, row};

/// Every place of this process where `needle` stands.
fn places(memory: &File, needle: &[u8]) -> Vec<u64> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let writable = maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw")));
    let mut found = Vec::new();
    for region in writable {
        let (start, end) = region.split(' ').next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|address| u64::from_str_radix(address, 16).unwrap());
        let mut content = vec![0; usize::try_from(end - start).unwrap()];
        if memory.read_exact_at(&mut content, start).is_ok() {
            found.extend(memchr::memmem::find_iter(&content, needle).map(|at| start + at as u64));
        }
    }
    found
}

fn flip_a_bit(memory: &File, place: u64) {
    let mut octet = [0];
    memory.read_exact_at(&mut octet, place).unwrap();
    memory.write_all_at(&[octet[0] ^ 4], place).unwrap();
}

/// B-57: with one CRT half broken nothing leaves, singly, in a batch of tokens and in one of signatures; once it is
/// mended the same key signs again.
#[test]
fn a_broken_half_of_an_rsa_key_gives_no_signature() {
    let jwk = PrivateJwk::generate(KeyKind::Rsa(RsaBits::Bits2048), &mut System).unwrap();
    // The backend computes with limbs, the least one first.
    let mut written = Vec::new();
    jwk.write_private(&mut written);
    let mut half = octets(&object(std::str::from_utf8(&written).unwrap()), "dp");
    half.reverse();
    let memory = OpenOptions::new().read(true).write(true).open("/proc/self/mem").unwrap();
    for name in ["RS256", "PS256"] {
        let key = Arc::new(SigningKey::new(row(name), &jwk, Switches::NONE).ok().unwrap());
        let header = ProtectedHeader::encode(&HeaderPlan::jwt(), row(name), None, None).unwrap();
        let template = Template::new(Arc::clone(&key), &header, b"{").unwrap();
        template.mint(b"}", &mut Vec::new()).unwrap();
        let broken = places(&memory, &half);
        assert!(!broken.is_empty());
        broken.iter().for_each(|place| flip_a_bit(&memory, *place));
        let mut out = b"before".to_vec();
        let single = template.mint(b"}", &mut out);
        let (mut batch, mut signatures) = (Vec::new(), Vec::new());
        template.mint_batch([&b"}"[..]; 9], |token| batch.push(code(token.map(drop))));
        key.sign_batch([&b"input"[..]; 3], |signature| signatures.push(code(signature.map(drop))));
        broken.iter().for_each(|place| flip_a_bit(&memory, *place));
        assert_eq!((code(single), out.as_slice()), ("self_check", &b"before"[..]), "{name}");
        assert_eq!(batch, ["self_check"; 9], "{name}");
        assert_eq!(signatures, ["self_check"; 3], "{name}");
        template.mint(b"}", &mut out).unwrap();
    }
}
