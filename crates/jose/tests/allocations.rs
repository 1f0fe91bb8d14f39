//! A test allocator counts what warm minting allocates, and looks for secrets in every block that is given back.

#![allow(unsafe_code, reason = "an allocator is unsafe by its trait")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "it/rsa_faults.rs"]
mod rsa_faults;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use jose::{
    DecryptionKey, KeyForm, KeyKind, PrivateJwk, Random, RandomError, RsaBits, SigningKey, VerifyingKey, base64url,
    jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, Switch, Switches},
    jwe::Decrypter,
    jwk::Jwk,
    jws::{HeaderPlan, ProtectedHeader, Template},
};

/// 24 octets that stand in every secret of these tests, and the same as base64url at a group's border.
const CANARY: &[u8; 24] = b"canary-in-every-secret-1";

struct Watching;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
    static ARMED: Cell<bool> = const { Cell::new(false) };
    static FOUND: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the blocks are only counted and read.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if ARMED.with(Cell::get) {
            // SAFETY: the block is the caller's until it is given back, and has as many octets as its layout says.
            let octets = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            FOUND.with(|found| found.set(found.get() + usize::from(holds_secret(octets))));
        }
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// The secret itself, behind either pad of HMAC, or in base64url.
fn holds_secret(octets: &[u8]) -> bool {
    let hides =
        |mask: u8| octets.windows(CANARY.len()).any(|window| window.iter().zip(CANARY).all(|(a, b)| a ^ mask == *b));
    [0x00, 0x36, 0x5C].into_iter().any(hides) || octets.windows(32).any(|window| window == TEXT)
}

/// base64url of the canary: 24 octets are 32 characters.
const TEXT: &[u8; 32] = b"Y2FuYXJ5LWluLWV2ZXJ5LXNlY3JldC0x";

/// How many blocks that hold the secret `work` gives back.
fn leaks(work: impl FnOnce()) -> usize {
    let before = FOUND.with(Cell::get);
    ARMED.with(|armed| armed.set(true));
    work();
    ARMED.with(|armed| armed.set(false));
    FOUND.with(Cell::get) - before
}

fn row(name: &str) -> &'static SignatureAlgorithm {
    SignatureAlgorithm::by_name(name).unwrap()
}

/// An allocator that finds nothing would prove nothing.
#[test]
fn the_watch_sees_what_is_given_back() {
    assert_eq!(base64url::encode(CANARY).as_bytes(), TEXT);
    assert_eq!(leaks(|| drop(CANARY.to_vec())), 1);
    assert_eq!(leaks(|| drop(base64url::encode(CANARY))), 1);
}

/// JO-28: no block that held a key is given back with the key in it: read, bound, used, exported, dropped.
#[test]
fn key_memory_is_zeroed() {
    let secret = [&CANARY[..], &[7; 24]].concat();
    let octet_jwk = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url::encode(&secret));
    assert_eq!(leaks(|| drop(Jwk::parse(octet_jwk.as_bytes()).map(drop))), 0, "reading a JWK");
    let jwk = PrivateJwk::from_octets(&secret).unwrap();
    assert_eq!(leaks(|| drop(SigningKey::new(row("HS256"), &jwk, Switches::NONE).map(drop))), 0, "HMAC key");
    let bind = || VerifyingKey::from_private(row("HS384"), &jwk, Switches::NONE).map(drop);
    assert_eq!(leaks(|| drop(bind())), 0, "verifying");
    let direct = KeyAlgorithm::by_name("dir").unwrap();
    assert_eq!(leaks(|| drop(DecryptionKey::new(direct, &jwk, Switches::NONE).map(drop))), 0, "dir");
    assert_eq!(leaks(|| drop(jwk)), 0, "the key itself");
    let seed = [&CANARY[..], &[9; 8]].concat();
    let public = public_of(&seed);
    let okp = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{public}","d":"{}"}}"#, base64url::encode(&seed));
    let forms = || {
        let Ok(Jwk::Private(jwk)) = Jwk::parse(okp.as_bytes()) else { panic!("no private key") };
        let key = SigningKey::new(row("EdDSA"), &jwk, Switches::NONE).ok().unwrap();
        let mut signature = Vec::new();
        key.sign(b"input", &mut signature).unwrap();
        let der = jwk.to_der(KeyForm::Pkcs8).unwrap();
        drop(Jwk::from_der(&der).map(drop));
    };
    assert_eq!(leaks(forms), 0, "Ed25519");
}

fn public_of(seed: &[u8]) -> String {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    base64url::encode(Ed25519KeyPair::from_seed_unchecked(seed).unwrap().public_key().as_ref())
}

/// JO-70: a warm HS256 mint into a buffer that is used again allocates nothing, with a template and without.
#[test]
fn warm_minting_allocates_nothing() {
    let jwk = PrivateJwk::from_octets(&[7; 32]).unwrap();
    let key = Arc::new(SigningKey::new(row("HS256"), &jwk, Switches::NONE).ok().unwrap());
    let header = ProtectedHeader::encode(&HeaderPlan::jwt(), row("HS256"), Some("k"), None).unwrap();
    let template = Template::new(Arc::clone(&key), &header, br#"{"iss":"https://issuer.example","#).unwrap();
    let mut token = Vec::new();
    let mint = |token: &mut Vec<u8>| {
        token.clear();
        key.sign_compact(&header, br#"{"iss":"https://issuer.example","sub":"alice"}"#, token).unwrap();
        token.clear();
        template.mint(br#""sub":"alice"}"#, token).unwrap();
    };
    mint(&mut token);
    let before = ALLOCATED.with(Cell::get);
    for _ in 0..100 {
        mint(&mut token);
    }
    assert_eq!(ALLOCATED.with(Cell::get) - before, 0);
}

/// Draws from the system and counts the octets.
struct Counting(usize);

impl Random for Counting {
    #[allow(clippy::disallowed_methods, reason = "a test may draw")]
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0 += out.len();
        SystemRandom::new().fill(out).map_err(|_| RandomError)
    }
}

/// JO-62 (part), SE-45 (part), B-19: ten faults under RSA1_5 give one error after the same draws and the same
/// allocations; `benches/timing.rs` compares their times. Without a fault, or without the switch, it ends otherwise.
#[test]
fn ten_faults_take_one_path() {
    let jwk = PrivateJwk::generate(KeyKind::Rsa(RsaBits::Bits2048), &mut Counting(0)).unwrap();
    let algorithm = KeyAlgorithm::by_name("RSA1_5").unwrap();
    assert_eq!(DecryptionKey::new(algorithm, &jwk, Switches::NONE).map(drop).unwrap_err().code(), "not_allowed");
    let key = DecryptionKey::new(algorithm, &jwk, Switches::NONE.with(Switch::Rsa1_5)).unwrap();
    let reader = Decrypter::new(&[algorithm], &[ContentEncryption::by_name("A128GCM").unwrap()]).unwrap();
    let refused = |fault| {
        let token = rsa_faults::broken(fault, &jwk, &mut Counting(0));
        let (mut random, before) = (Counting(0), ALLOCATED.with(Cell::get));
        let outcome = reader.decrypt(&token, &key, &mut random);
        let allocated = ALLOCATED.with(Cell::get) - before;
        (outcome.map(|opened| opened.plaintext.to_vec()).map_err(|error| error.to_string()), random.0, allocated)
    };
    let first = refused(0);
    assert_eq!((&first.0, first.1), (&Err("the token cannot be decrypted".to_owned()), 16));
    for (fault, name) in rsa_faults::FAULTS.iter().enumerate() {
        assert_eq!(refused(fault), first, "{name}");
    }
    assert_eq!(refused(rsa_faults::FAULTS.len()).0.unwrap(), b"what is encrypted");
}
