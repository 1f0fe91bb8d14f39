//! What the software signer does with secrets that come, change and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jose::jwa::{SignatureAlgorithm, Switch, Switches};
use jose::jwk::Jwk;
use jose::jws::HeaderPlan;
use jose::{KeyForm, PrivateJwk, SecretForm};

use crate::{FaultKind, Keeper, KeyName, Label, Minter, Refusal, SealedBox, Secret, Software, TokenVerifier};

const CLAIMS: &[u8] = br#"{"sub":"alice"}"#;
const STRONG: &[u8] = b"a secret of at least thirty-two octets";

fn software() -> Software {
    Software::new(Keeper::ephemeral().unwrap().0, |name| match name {
        "JWT_SECRET" => Some(Secret::new(STRONG.to_vec())),
        "CHANCERY_SECRET" => Some(Secret::new(STRONG.to_vec())),
        "BLANK" => Some(Secret::new(b" \n".to_vec())),
        _ => None,
    })
}

/// Whose secret the tests are about.
const OWNER: &str = "766dcb94.6ebc04/tokensecret";

fn secret_key() -> KeyName {
    KeyName::Secret(OWNER.to_owned())
}

fn sealed_for(software: &Software, owner: &str, secret: &[u8]) -> SealedBox {
    let label = Label { owner, ..Label::default() };
    software.keeper().seal(&label, &Secret::new(secret.to_vec())).unwrap()
}

fn row(alg: &str) -> &'static SignatureAlgorithm {
    SignatureAlgorithm::by_name(alg).unwrap()
}

fn minter(software: &Software, alg: &str) -> Minter {
    let weak = Switches::NONE.with(Switch::WeakHmac);
    software.minter(&secret_key(), row(alg), HeaderPlan::jwt(), weak)
}

fn verifier(software: &Software, algs: &[&str]) -> TokenVerifier {
    let weak = Switches::NONE.with(Switch::WeakHmac);
    software.verifier(&secret_key(), algs.iter().map(|alg| row(alg)).collect(), weak)
}

fn set(software: &Software, secret: &[u8]) {
    software.set(sealed_for(software, OWNER, secret));
}

fn kind(minter: &Minter) -> Option<FaultKind> {
    minter.mint(CLAIMS).err().map(|fault| fault.kind)
}

/// The same token, made without this crate's help.
fn expected(alg: &str, secret: &[u8]) -> String {
    let algorithm = match alg {
        "HS256" => aws_lc_rs::hmac::HMAC_SHA256,
        "HS384" => aws_lc_rs::hmac::HMAC_SHA384,
        "HS512" => aws_lc_rs::hmac::HMAC_SHA512,
        other => panic!("{other}"),
    };
    let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
    let encode = jose::base64url::encode;
    let input = format!("{}.{}", encode(header.as_bytes()), encode(CLAIMS));
    let mac = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(algorithm, secret), input.as_bytes());
    format!("{input}.{}", encode(mac.as_ref()))
}

fn ec_pem() -> (Vec<u8>, Vec<u8>) {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    pem(pkcs8.as_ref())
}

fn rsa_pem() -> (Vec<u8>, Vec<u8>) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    pem(der.as_ref())
}

/// The private and the public half.
fn pem(pkcs8: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let Jwk::Private(private) = Jwk::from_der(pkcs8).unwrap() else { panic!("a public key") };
    let public = private.public().unwrap().to_pem(KeyForm::Spki).unwrap();
    (private.to_pem(KeyForm::Pkcs8).unwrap().as_bytes().to_vec(), public.into_bytes())
}

#[test]
fn a_secret_signs_with_its_octets_as_they_stand() {
    let software = software();
    for secret in
        [STRONG, b"short", "  süß \n".as_bytes(), b"$JWT_SECRET", b"pre${JWT_SECRET}", b"a2V5LWluLWJhc2U2NA=="]
    {
        set(&software, secret);
        for alg in ["HS256", "HS384", "HS512"] {
            assert_eq!(minter(&software, alg).mint(CLAIMS).unwrap().token, expected(alg, secret));
        }
    }
}

#[test]
fn a_secret_counts_from_the_next_message_on() {
    let software = software();
    let (minter, verifier) = (minter(&software, "HS256"), verifier(&software, &["HS256"]));
    assert_eq!(kind(&minter), Some(FaultKind::Missing));
    assert!(matches!(verifier.verify("a.b.c"), Err(Refusal::Key(fault)) if fault.kind == FaultKind::Missing));

    set(&software, b"first");
    let first = minter.mint(CLAIMS).unwrap().token;
    assert_eq!(first, expected("HS256", b"first"));
    assert_eq!(verifier.verify(&first).unwrap(), CLAIMS);

    set(&software, b"second");
    assert_eq!(minter.mint(CLAIMS).unwrap().token, expected("HS256", b"second"));
    assert!(matches!(verifier.verify(&first), Err(Refusal::Token(jose::Error::BadSignature))));

    software.delete(OWNER);
    assert_eq!(kind(&minter), Some(FaultKind::Missing));
    assert!(software.check(OWNER).is_err());
}

#[test]
fn a_secret_for_this_run_wins_over_the_stored_one() {
    let software = software();
    set(&software, b"stored");
    let minter = minter(&software, "HS256");
    software.give(OWNER.to_owned(), Secret::new(b"given".to_vec()));
    assert_eq!(minter.mint(CLAIMS).unwrap().token, expected("HS256", b"given"));
    software.delete(OWNER);
    assert_eq!(minter.mint(CLAIMS).unwrap().token, expected("HS256", b"given"));
}

#[test]
fn a_blank_secret_counts_as_missing() {
    let software = software();
    let (minter, verifier) = (minter(&software, "HS256"), verifier(&software, &["HS256"]));
    for blank in [&b""[..], b" ", b"\t\r\n "] {
        set(&software, blank);
        assert_eq!(kind(&minter), Some(FaultKind::Missing));
        assert!(matches!(verifier.verify("a.b.c"), Err(Refusal::Key(fault)) if fault.kind == FaultKind::Missing));
    }
}

#[test]
fn a_variable_of_the_environment_stands_for_the_secret() {
    let software = software();
    let minter = minter(&software, "HS256");
    for reference in ["${JWT_SECRET}", "$(JWT_SECRET)"] {
        set(&software, reference.as_bytes());
        assert_eq!(minter.mint(CLAIMS).unwrap().token, expected("HS256", STRONG));
    }
    for reference in ["${UNSET}", "$(UNSET)", "${BLANK}", "${CHANCERY_SECRET}"] {
        set(&software, reference.as_bytes());
        let fault = minter.mint(CLAIMS).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Missing, "{reference}");
        assert!(fault.text.contains(&reference[2..reference.len() - 1]), "{fault}");
        let forged = expected("HS256", reference.as_bytes());
        assert!(verifier(&software, &["HS256"]).verify(&forged).is_err(), "{reference} verifies nothing");
    }
}

#[test]
fn a_weak_secret_warns_once() {
    let software = software();
    set(&software, b"weak");
    let minter = minter(&software, "HS256");
    let acted: Vec<bool> = (0..3).map(|_| minter.mint(CLAIMS).unwrap().acted.has(Switch::WeakHmac)).collect();
    assert_eq!(acted, [true, false, false]);
    set(&software, STRONG);
    let strict = software.minter(&secret_key(), row("HS256"), HeaderPlan::jwt(), Switches::NONE);
    assert_eq!(strict.mint(CLAIMS).unwrap().acted, Switches::NONE);
    set(&software, b"weak");
    assert_eq!(kind(&strict), Some(FaultKind::Unusable), "without the switch it is refused");
}

#[test]
fn a_private_key_signs_and_its_secret_verifies() {
    let software = software();
    for (alg, pem) in [("ES256", ec_pem()), ("RS256", rsa_pem()), ("PS256", rsa_pem())] {
        set(&software, &pem.0);
        let token = minter(&software, alg).mint(CLAIMS).unwrap().token;
        assert_eq!(verifier(&software, &[alg]).verify(&token).unwrap(), CLAIMS, "{alg}");
        set(&software, &pem.1);
        assert_eq!(verifier(&software, &[alg]).verify(&token).unwrap(), CLAIMS, "{alg} by the public half");
        assert_eq!(kind(&minter(&software, alg)), Some(FaultKind::Unfit), "{alg}");
    }
}

#[test]
fn a_key_of_the_wrong_kind_is_told_and_never_used() {
    let software = software();
    let (ec, rsa) = (ec_pem(), rsa_pem());
    for (secret, alg, expected) in [
        (&ec.0[..], "HS256", FaultKind::Unfit),
        (&rsa.1[..], "HS256", FaultKind::Unfit),
        (&ec.0[..], "RS256", FaultKind::Unfit),
        (&rsa.0[..], "ES256", FaultKind::Unfit),
        (&ec.0[..], "ES384", FaultKind::Unfit),
        (b"no key at all", "RS256", FaultKind::Unusable),
        (&rsa.0[..200], "RS256", FaultKind::Unusable),
    ] {
        set(&software, secret);
        assert_eq!(kind(&minter(&software, alg)), Some(expected), "{alg}");
        let refusal = verifier(&software, &[alg]).verify("e30.e30.AA").unwrap_err();
        assert!(matches!(refusal, Refusal::Key(fault) if fault.kind == expected), "{alg}");
    }
}

#[test]
fn each_listed_algorithm_verifies_and_no_other() {
    let software = software();
    set(&software, STRONG);
    let tokens = ["HS256", "HS384", "HS512"].map(|alg| expected(alg, STRONG));
    let any = verifier(&software, &["HS256", "HS384", "HS512"]);
    let one = verifier(&software, &["HS384"]);
    let held = |verifier: &TokenVerifier| tokens.clone().map(|token| verifier.verify(&token).is_ok());
    assert_eq!(held(&any), [true, true, true]);
    assert_eq!(held(&one), [false, true, false]);
    let unsigned = format!("{}.{}.", jose::base64url::encode(br#"{"alg":"none"}"#), jose::base64url::encode(CLAIMS));
    assert!(matches!(any.verify(&unsigned), Err(Refusal::Token(jose::Error::NotAllowed { .. }))));
    let nothing = verifier(&software, &[]);
    assert!(matches!(nothing.verify(&tokens[0]), Err(Refusal::Key(_))));
}

#[test]
fn a_box_that_was_moved_is_of_no_use() {
    let software = software();
    let moved = SealedBox { owner: OWNER.to_owned(), ..sealed_for(&software, "another", STRONG) };
    software.set(moved);
    assert_eq!(kind(&minter(&software, "HS256")), Some(FaultKind::Unusable));
}

#[test]
fn a_key_that_was_given_needs_no_store() {
    let software = software();
    let mut key = PrivateJwk::from_secret(STRONG, SecretForm::AsIs).unwrap();
    key.ensure_kid(&mut crate::RandomPool::new()).unwrap();
    let kid = key.parameters().kid.clone().unwrap();
    software.give_key("k.jwk".to_owned(), Jwk::Private(key));
    let given = KeyName::Given("k.jwk".to_owned());
    let token = software.minter(&given, row("HS256"), HeaderPlan::jwt(), Switches::NONE).mint(CLAIMS).unwrap().token;
    let header = jose::base64url::decode(token.split('.').next().unwrap()).unwrap();
    assert_eq!(String::from_utf8(header).unwrap(), format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{kid}"}}"#));
    let verifier = software.verifier(&given, vec![row("HS256")], Switches::NONE);
    assert_eq!(verifier.verify(&token).unwrap(), CLAIMS);
    let unknown = KeyName::Given("other.jwk".to_owned());
    let minter = software.minter(&unknown, row("HS256"), HeaderPlan::jwt(), Switches::NONE);
    assert_eq!(kind(&minter), Some(FaultKind::Missing));
}

#[test]
fn faults_name_no_octet_of_the_secret() {
    let software = software();
    let marked = b"MARKED-NOT-A-KEY-MARKED-NOT-A-KEY";
    set(&software, marked);
    for alg in ["RS256", "ES256", "EdDSA"] {
        let fault = minter(&software, alg).mint(CLAIMS).unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains("MARKED"), "{fault}");
    }
}

#[test]
fn a_secret_changed_under_load_is_old_or_new_but_never_mixed() {
    let software = software();
    set(&software, b"first");
    let minter = minter(&software, "HS256");
    let (first, second) = (expected("HS256", b"first"), expected("HS256", b"second"));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let token = minter.mint(CLAIMS).unwrap().token;
                    assert!(token == first || token == second);
                }
            });
        }
        for _ in 0..50 {
            set(&software, b"second");
            assert_eq!(minter.mint(CLAIMS).unwrap().token, second);
            set(&software, b"first");
            assert_eq!(minter.mint(CLAIMS).unwrap().token, first);
        }
    });
}

/// A type that has the trait makes this ambiguous, hence no program.
macro_rules! assert_has_none_of {
    ($type:ty: $($trait:path),+) => {
        $(const _: fn() = || {
            trait Ambiguous<A> { fn here() {} }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Has;
            impl<T: ?Sized + $trait> Ambiguous<Has> for T {}
            let _ = <$type as Ambiguous<_>>::here;
        };)+
    };
}

assert_has_none_of!(Secret: std::fmt::Debug, std::fmt::Display, Clone);
assert_has_none_of!(Keeper: std::fmt::Debug, std::fmt::Display, Clone);
assert_has_none_of!(crate::MasterSource: std::fmt::Debug, std::fmt::Display, Clone);
assert_has_none_of!(Software: std::fmt::Debug, std::fmt::Display, Clone);
assert_has_none_of!(Minter: std::fmt::Debug, std::fmt::Display, Clone);

/// A plan may name a variable itself: one that documents may see and that is not blank.
#[test]
fn a_variable_signs_as_a_secret_does() {
    let software = software();
    set(&software, STRONG);
    let by_variable = |name: &str| {
        let key = KeyName::Variable(name.to_owned());
        software.minter(&key, row("HS256"), HeaderPlan::jwt(), Switches::NONE)
    };
    let token = by_variable("JWT_SECRET").mint(CLAIMS).unwrap().token;
    assert_eq!(token, minter(&software, "HS256").mint(CLAIMS).unwrap().token);
    for absent in ["CHANCERY_SECRET", "BLANK", "UNSET"] {
        assert_eq!(kind(&by_variable(absent)), Some(FaultKind::Missing), "{absent}");
    }
}

/// JO-71: 10 000 tokens read, parse and bind their key once, and encode their header with it: both are done together,
/// and nothing else asks for the key.
#[test]
fn ten_thousand_tokens_parse_one_key() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let software = Software::new(Keeper::ephemeral().unwrap().0, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Some(Secret::new(STRONG.to_vec()))
    });
    let key = KeyName::Variable("JWT_SECRET".to_owned());
    let minter = software.minter(&key, row("HS256"), HeaderPlan::jwt(), Switches::NONE);
    for _ in 0..10_000 {
        minter.mint(CLAIMS).unwrap();
    }
    assert_eq!(reads.load(Ordering::Relaxed), 1);
}
