//! Whether the time of a refusal tells why: ten faults under RSA1_5, and where a MAC or tag is wrong.
//!
//! JO-62, SE-45: the ten faults over 100 000 runs. JO-63: first and last octet of an HMAC and of both kinds of tag. The
//! runs of all classes come in random order, so that a rank test is exact whatever the machine does meanwhile. A sound
//! pair is beneath p = 0.01 in one run of a hundred, one that differs in every run: only three in a row fail. A last
//! pair does differ, by one block of SHA-256; a bench that does not see it proves nothing and fails. What it found stands
//! in `bench/TIMING.md`.

#![allow(clippy::print_stdout, reason = "a bench prints its table")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench stops at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and draws")]

#[path = "../tests/it/rsa_faults.rs"]
mod rsa_faults;

use std::{hint::black_box, process::ExitCode, time::Instant};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use jose::{
    DecryptionKey, EncryptionKey, KeyKind, PrivateJwk, Random, RandomError, RsaBits, SigningKey, VerifyingKey,
    base64url,
    jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, Switch, Switches},
    jwe::{Decrypter, EncryptionOptions, EncryptionPlan},
    jws::{HeaderPlan, ProtectedHeader, Verifier},
};

const RUNS: usize = 100_000;
/// Different tokens of each class, so that no single one's octets count.
const TOKENS_OF_A_CLASS: usize = 64;
const P_MIN: f64 = 0.01;
const ATTEMPTS: usize = 3;

/// Classes of tokens of one length, and what refuses each of them.
struct Trial {
    name: &'static str,
    classes: Vec<Vec<String>>,
    refuse: Box<dyn FnMut(&str)>,
}

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let sound = [rsa(), hmac(), tag("A128CBC-HS256"), tag("A128GCM")].map(|mut trial| is_even(&mut trial));
    let seen = !is_even(&mut control());
    if sound == [true; 4] && seen { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_even(trial: &mut Trial) -> bool {
    for _ in 0..ATTEMPTS {
        let times = measured(trial);
        let p = probability(&times);
        let medians: Vec<String> = times.iter().map(|times| median(times).to_string()).collect();
        println!("{:<40} p {p:<8.4} medians in ns: {}", trial.name, medians.join(" "));
        if p > P_MIN {
            return true;
        }
    }
    false
}

/// Nanoseconds of each run, by class.
fn measured(trial: &mut Trial) -> Vec<Vec<u64>> {
    let mut times = vec![Vec::new(); trial.classes.len()];
    // Every token is read from one place.
    let mut place = String::with_capacity(trial.classes[0][0].len());
    let mut dice = Dice(1);
    for run in 0..RUNS + RUNS / 100 {
        let class = dice.below(times.len());
        place.clear();
        place.push_str(&trial.classes[class][dice.below(TOKENS_OF_A_CLASS)]);
        let start = Instant::now();
        (trial.refuse)(black_box(&place));
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap();
        // The first hundredth warms up.
        if run >= RUNS / 100 {
            times[class].push(nanos);
        }
    }
    times
}

/// Ten faults of a token under RSA1_5, its switch on.
fn rsa() -> Trial {
    let jwk = PrivateJwk::generate(KeyKind::Rsa(RsaBits::Bits2048), &mut System).unwrap();
    let row = KeyAlgorithm::by_name("RSA1_5").unwrap();
    let key = DecryptionKey::new(row, &jwk, Switches::NONE.with(Switch::Rsa1_5)).unwrap();
    let reader = Decrypter::new(&[row], &[ContentEncryption::by_name("A128GCM").unwrap()]).unwrap();
    let class = |fault| (0..TOKENS_OF_A_CLASS).map(|_| rsa_faults::broken(fault, &jwk, &mut System)).collect();
    Trial {
        name: "RSA1_5, ten faults",
        classes: (0..rsa_faults::FAULTS.len()).map(class).collect(),
        refuse: Box::new(move |token| assert!(reader.decrypt(token, &key, &mut System).is_err())),
    }
}

/// HS256: the first and the last octet of the MAC.
fn hmac() -> Trial {
    let (reader, key) = hmac_reader();
    Trial {
        name: "HS256, first or last octet",
        classes: first_and_last(&(0..TOKENS_OF_A_CLASS).map(|_| signed(100)).collect::<Vec<_>>()),
        refuse: Box::new(move |token| assert!(reader.verify(token, &key).is_err())),
    }
}

/// The same fault in each, but a block more to hash.
fn control() -> Trial {
    let (reader, key) = hmac_reader();
    let class = |octets| first_and_last(&(0..TOKENS_OF_A_CLASS).map(|_| signed(octets)).collect::<Vec<_>>()).remove(0);
    Trial {
        name: "(control: 48 octets more under HS256)",
        classes: vec![class(100), class(148)],
        refuse: Box::new(move |token| assert!(reader.verify(token, &key).is_err())),
    }
}

/// A shared key: the first and the last octet of the tag.
fn tag(enc: &'static str) -> Trial {
    let (row, enc) = (KeyAlgorithm::by_name("dir").unwrap(), ContentEncryption::by_name(enc).unwrap());
    let jwk = PrivateJwk::from_octets(&vec![7; enc.cek_octets]).unwrap();
    let sealing = EncryptionKey::from_secret(row, &jwk, Switches::NONE).unwrap();
    let options = EncryptionOptions::default();
    let plan = EncryptionPlan::new(&sealing, enc, &HeaderPlan::encrypted(), options, Switches::NONE).unwrap();
    let token = || {
        let mut token = Vec::new();
        plan.encrypt_compact(&sealing, &[b'x'; 100], &mut System, &mut token).unwrap();
        String::from_utf8(token).unwrap()
    };
    let key = DecryptionKey::new(row, &jwk, Switches::NONE).unwrap();
    let reader = Decrypter::new(&[row], &[enc]).unwrap();
    Trial {
        name: enc.name,
        classes: first_and_last(&(0..TOKENS_OF_A_CLASS).map(|_| token()).collect::<Vec<_>>()),
        refuse: Box::new(move |token| assert!(reader.decrypt(token, &key, &mut System).is_err())),
    }
}

fn hmac_key() -> (&'static SignatureAlgorithm, PrivateJwk) {
    (SignatureAlgorithm::by_name("HS256").unwrap(), PrivateJwk::from_octets(&[7; 32]).unwrap())
}

fn hmac_reader() -> (Verifier, VerifyingKey) {
    let (row, jwk) = hmac_key();
    (Verifier::new(&[row]).unwrap(), VerifyingKey::from_private(row, &jwk, Switches::NONE).unwrap())
}

fn signed(octets: usize) -> String {
    let (row, jwk) = hmac_key();
    let header = ProtectedHeader::encode(&HeaderPlan::jwt(), row, None, None).unwrap();
    let (mut payload, mut token) = (vec![0; octets], Vec::new());
    System.fill(&mut payload).unwrap();
    SigningKey::new(row, &jwk, Switches::NONE).unwrap().sign_compact(&header, &payload, &mut token).unwrap();
    String::from_utf8(token).unwrap()
}

/// Each token with the first, and each with the last octet of its last part touched.
fn first_and_last(tokens: &[String]) -> Vec<Vec<String>> {
    let touched = |token: &String, is_last: bool| {
        let (rest, last) = token.rsplit_once('.').unwrap();
        let mut octets = base64url::decode(last).unwrap();
        let at = if is_last { octets.len() - 1 } else { 0 };
        octets[at] ^= 1;
        format!("{rest}.{}", base64url::encode(&octets))
    };
    [false, true].map(|is_last| tokens.iter().map(|token| touched(token, is_last)).collect()).into()
}

/// The probability of ranks as uneven as these if the classes take the same time (Kruskal and Wallis, ties counted).
fn probability(classes: &[Vec<u64>]) -> f64 {
    let mut all: Vec<(u64, usize)> =
        classes.iter().enumerate().flat_map(|(class, times)| times.iter().map(move |time| (*time, class))).collect();
    all.sort_unstable();
    let (count, mut sums) = (all.len() as f64, vec![0.0; classes.len()]);
    let (mut before, mut ties) = (0.0, 0.0);
    for equal in all.chunk_by(|left, right| left.0 == right.0) {
        let many = equal.len() as f64;
        equal.iter().for_each(|(_, class)| sums[*class] += before + (many + 1.0) / 2.0);
        before += many;
        ties += many.powi(3) - many;
    }
    let squares: f64 = sums.iter().zip(classes).map(|(sum, times)| sum * sum / times.len() as f64).sum();
    let uneven = 12.0 / (count * (count + 1.0)) * squares - 3.0 * (count + 1.0);
    chi_square_above(uneven / (1.0 - ties / (count.powi(3) - count)), classes.len() - 1)
}

/// The chance of a chi-square of an odd number of degrees of freedom above `value`.
fn chi_square_above(value: f64, degrees: usize) -> f64 {
    let half = value.max(0.0) / 2.0;
    let (mut above, mut term) = (complement_of_error(half.sqrt()), (half / std::f64::consts::PI).sqrt() * 2.0);
    for step in 0..degrees / 2 {
        above += term * (-half).exp();
        term *= half / (step as f64 + 1.5);
    }
    above.min(1.0)
}

/// `erfc`, to seven digits (Abramowitz and Stegun 7.1.26 in the form of Press et al.).
fn complement_of_error(x: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x);
    let sum = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    t * (sum - x * x).exp()
}

fn median(times: &[u64]) -> u64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// Which class comes next; nothing here is a secret.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

struct System;

impl Random for System {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        SystemRandom::new().fill(out).map_err(|_| RandomError)
    }
}
