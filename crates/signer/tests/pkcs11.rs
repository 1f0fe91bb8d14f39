//! Keys in a PKCS#11 token (SoftHSM), through a module that can be spoilt while it is used.
//!
//! Each test runs in a process of its own, since a module takes its settings from the environment and lives as long as the
//! process.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jose::RsaBits;
use jose::jwa::SignatureAlgorithm;
use jose::jws::{HeaderPlan, ProtectedHeader};
use signer::{Error, Hsm, HsmFault, HsmSettings, OpenKey, RingKey, SIGN_DEADLINE, Secret, Unsigned};

/// Where Debian and others put SoftHSM's module.
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
/// Names the folder of a test to its process.
const FOLDER: &str = "CHANCERY_TEST_TOKEN";
const LABEL: &str = "chancery-test";
const PIN: &str = "98765432";

/// A token in a folder of its own, behind the module that can be spoilt.
struct Token {
    folder: PathBuf,
}

/// Runs the body in a process that has a fresh token.
fn with_token(name: &str, body: impl FnOnce(&Token)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return body(&Token { folder: folder.into() });
    }
    let folder = tempfile::tempdir().unwrap();
    let real = MODULES.iter().find(|module| Path::new(module).exists());
    let real = real.expect("SoftHSM is missing: install the package softhsm2");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("tokens")).unwrap();
    std::fs::write(path("softhsm2.conf"), format!("directories.tokendir = {}\n", path("tokens").display())).unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faulty_module.c");
    run(Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(path("module.so")).args([source, "-ldl"]));
    let conf = ("SOFTHSM2_CONF", path("softhsm2.conf"));
    let init = ["--init-token", "--free", "--label", LABEL, "--so-pin", "12345678", "--pin", PIN];
    run(Command::new("softhsm2-util").args(init).env(conf.0, &conf.1));
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", name, "--nocapture"]).env(FOLDER, folder.path()).env(conf.0, conf.1);
    run(test.env("P11_REAL", real).env("P11_FAULT", path("fault")).env("P11_CALLS", path("calls")));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}:\n{text}");
}

impl Token {
    fn open(&self) -> Arc<Hsm> {
        let hsm = self.named(LABEL, PIN);
        hsm.check().unwrap();
        hsm
    }

    fn named(&self, label: &str, pin: &str) -> Arc<Hsm> {
        let pin = Secret::new(pin.as_bytes().to_vec());
        Hsm::load(HsmSettings { module: self.folder.join("module.so"), token: label.to_owned(), pin }).unwrap()
    }

    /// Spoils what comes next; an empty text mends it.
    fn spoil(&self, how: &str) {
        let path = self.folder.join("fault");
        if how.is_empty() { drop(std::fs::remove_file(path)) } else { std::fs::write(path, how).unwrap() }
    }

    /// How often the module was asked to sign so far.
    fn signatures(&self) -> usize {
        self.called('s')
    }

    /// How often somebody tried to log in so far.
    fn logins(&self) -> usize {
        self.called('l')
    }

    fn called(&self, what: char) -> usize {
        let calls = std::fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        calls.chars().filter(|call| *call == what).count()
    }
}

/// A key as a ring has it: made in the token and opened from what its row says.
fn key(hsm: &Arc<Hsm>, alg: &str) -> (RingKey, OpenKey) {
    let algorithm = SignatureAlgorithm::by_name(alg).unwrap();
    let made = RingKey::generate_in(hsm, algorithm, RsaBits::Bits2048, "", "test").unwrap();
    let public = jose::jwk::PublicJwk::parse(made.public_jwk().unwrap().as_bytes()).unwrap();
    let open = OpenKey::in_token(hsm, made.signer_ref().unwrap(), algorithm, &public).unwrap();
    (made, open)
}

fn mint(key: &OpenKey) -> Result<String, Unsigned> {
    let header: ProtectedHeader = key.header(&HeaderPlan::jwt()).unwrap();
    key.mint(&header, br#"{"sub":"x"}"#)
}

fn fault(minted: Result<String, Unsigned>) -> HsmFault {
    match minted {
        Err(Unsigned::Hsm(fault)) => fault,
        Err(Unsigned::Key(fault)) => panic!("{fault}"),
        Ok(token) => panic!("{token}"),
    }
}

/// KR-27 (part): every kind of key signs, several at once, and no private half can be read out of the token.
#[test]
fn keys_of_every_kind_sign_in_a_token() {
    with_token("keys_of_every_kind_sign_in_a_token", |token| {
        let hsm = token.open();
        let keys: Vec<_> = ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA", "ES256", "ES256"]
            .map(|alg| (alg, key(&hsm, alg)))
            .into_iter()
            .collect();
        for (alg, (made, open)) in &keys {
            let token = mint(open).unwrap_or_else(|why| panic!("{alg}: {why}"));
            let public = jose::jwk::PublicJwk::parse(made.public_jwk().unwrap().as_bytes()).unwrap();
            let algorithm = SignatureAlgorithm::by_name(alg).unwrap();
            let check = jose::VerifyingKey::new(algorithm, &public, jose::jwa::Switches::NONE).unwrap();
            let (input, signature) = token.rsplit_once('.').unwrap();
            check.verify(input.as_bytes(), &jose::base64url::decode(signature).unwrap()).unwrap();
        }
        let held = hsm.held().unwrap();
        assert_eq!(held.len(), keys.len());
        assert!(held.iter().all(|pair| pair.has_private && pair.has_public && pair.label == "test"));
        let unknown = SignatureAlgorithm::by_name("HS256").unwrap();
        let refused = RingKey::generate_in(&hsm, unknown, RsaBits::Bits2048, "", "test").map(drop);
        assert!(matches!(refused, Err(Error::Hsm(HsmFault::Refused(_)))));
        hsm.destroy(&held[0].id).unwrap();
        assert_eq!(hsm.held().unwrap(), held[1..]);
    });
}

/// KR-56: a device error, a dead session and an absent token are each met by a new session, the key found again, and one
/// more try; what fails on and on is left alone for a moment, and serves again after it.
#[test]
fn a_failing_token_is_asked_once_more_and_then_left_alone() {
    with_token("a_failing_token_is_asked_once_more_and_then_left_alone", |token| {
        let hsm = token.open();
        let (_, key) = key(&hsm, "ES256");
        for how in ["once error", "once session", "once absent"] {
            token.spoil(how);
            mint(&key).unwrap_or_else(|why| panic!("{how}: {why}"));
        }
        token.spoil("error");
        let before = token.signatures();
        for _ in 0..5 {
            assert_eq!(fault(mint(&key)).code(), "hsm_away");
        }
        assert_eq!(token.signatures() - before, 10, "each try has one more");
        assert_eq!(fault(mint(&key)).code(), "hsm_away");
        assert_eq!(token.signatures() - before, 10, "a token at rest is not asked");
        token.spoil("");
        std::thread::sleep(Duration::from_millis(1_100));
        mint(&key).unwrap();
    });
}

/// KR-57 (part): a token that hangs costs a caller the deadline and no more, its threads are replaced up to a bound, and
/// when it comes back it serves.
#[test]
fn a_token_that_hangs_costs_no_more_than_the_deadline() {
    with_token("a_token_that_hangs_costs_no_more_than_the_deadline", |token| {
        let hsm = token.open();
        let (_, key) = key(&hsm, "ES256");
        token.spoil("hang");
        let begun = Instant::now();
        let faults: Vec<_> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..12).map(|_| scope.spawn(|| fault(mint(&key)).code())).collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(begun.elapsed() >= SIGN_DEADLINE);
        // Four threads hang; whoever found none free was turned away before.
        let count = |code: &str| faults.iter().filter(|fault| **fault == code).count();
        assert_eq!((count("hsm_timeout"), count("hsm_busy")), (4, 8), "{faults:?}");
        // Four others took their places and hang as well; after five failures the token is left alone.
        let more: Vec<_> = (0..2).map(|_| fault(mint(&key)).code()).collect();
        assert_eq!(more, ["hsm_timeout", "hsm_away"]);
        token.spoil("");
        std::thread::sleep(Duration::from_millis(1_200));
        mint(&key).unwrap();
    });
}

/// KR-58 (part): behind a slow token nobody waits long; who finds no session free in time is turned away.
#[test]
fn behind_a_slow_token_the_queue_is_bounded() {
    with_token("behind_a_slow_token_the_queue_is_bounded", |token| {
        let hsm = token.open();
        let (_, key) = key(&hsm, "ES256");
        token.spoil("slow 500");
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..120).map(|_| scope.spawn(|| mint(&key).err().map(|_| ()))).collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let signed = outcomes.iter().filter(|outcome| outcome.is_none()).count();
        assert!((4..=12).contains(&signed), "{signed} of 120 by a token that signs four in half a second");
        token.spoil("");
        std::thread::sleep(Duration::from_millis(600));
        mint(&key).unwrap();
    });
}

/// KR-59: the token's storage goes and comes back; the keys are found anew by the same process.
#[test]
fn storage_that_comes_back_is_found_again() {
    with_token("storage_that_comes_back_is_found_again", |token| {
        let hsm = token.open();
        let (_, key) = key(&hsm, "ES256");
        let (here, away) = (token.folder.join("tokens"), token.folder.join("away"));
        std::fs::rename(&here, &away).unwrap();
        std::fs::create_dir(&here).unwrap();
        let gone = mint(&key).map_err(|why| match why {
            Unsigned::Hsm(fault) => fault.code(),
            Unsigned::Key(_) => "key",
        });
        assert!(matches!(gone, Err("hsm_away" | "hsm_no_key")), "{gone:?}");
        std::fs::remove_dir(&here).unwrap();
        std::fs::rename(&away, &here).unwrap();
        std::thread::sleep(Duration::from_millis(1_100));
        mint(&key).unwrap();
    });
}

/// KR-60 (part): half a pair is told as half, a wrong PIN is shown once and not again, and what is no token is said.
#[test]
fn halves_are_told_and_a_wrong_pin_is_shown_once() {
    with_token("halves_are_told_and_a_wrong_pin_is_shown_once", |token| {
        let wrong = token.named(LABEL, "11111111");
        for _ in 0..5 {
            assert_eq!(wrong.check(), Err(HsmFault::PinRefused));
        }
        assert_eq!(token.logins(), 1);
        assert!(matches!(token.named("other", PIN).check(), Err(HsmFault::Away(_))));
        let (module, label, pin) = ("/none.so".into(), LABEL.to_owned(), Secret::new(PIN.as_bytes().to_vec()));
        let missing = Hsm::load(HsmSettings { module, token: label, pin });
        assert!(matches!(missing.map(drop), Err(HsmFault::Refused(_))));
        let hsm = token.open();
        let (made, _) = key(&hsm, "RS256");
        let tool = ["--token-label", LABEL, "--login", "--pin", PIN, "--delete-object", "--type", "pubkey", "--id"];
        let module = token.folder.join("module.so");
        run(Command::new("pkcs11-tool").arg("--module").arg(module).args(tool).arg(made.signer_ref().unwrap()));
        let held = hsm.held().unwrap();
        assert_eq!(held.len(), 1);
        assert!(held[0].has_private && !held[0].has_public);
    });
}
