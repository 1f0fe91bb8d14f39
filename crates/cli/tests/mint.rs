//! `chancery mint` and `chancery verify`, as a person sees them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{Ran, chancery, chancery_in};

const NOW: &str = "1700000000";
const SECRET: (&str, &str) = ("SECRET", "0123456789abcdef0123456789abcdef");

fn hs256(more: &[&str]) -> Ran {
    let base = ["mint", "--key", "env:SECRET", "--alg", "HS256", "--now", NOW];
    chancery_in(&[SECRET], &[&base, more].concat(), "")
}

fn verify(token: &str, more: &[&str]) -> Ran {
    let base = ["verify", token, "--key", "env:SECRET", "--alg", "HS256", "--now", NOW];
    chancery_in(&[SECRET], &[&base, more].concat(), "")
}

fn claims(token: &str) -> String {
    let payload = token.trim().split('.').nth(1).unwrap();
    String::from_utf8(jose::base64url::decode(payload).unwrap()).unwrap()
}

/// JO-75: one line on stdout, kid and expiry on stderr; `--quiet` leaves only warnings.
/// Walkthrough D of ARCHITECTURE.md: no dialect, two ops, one token.
#[test]
fn the_token_stands_alone_on_stdout() {
    let ran = chancery(&["mint", "--alg", "ES256", "--ephemeral", "--sub", "alice", "--ttl", "15m"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stdout.lines().count(), 1);
    assert_eq!(ran.stdout.trim().split('.').count(), 3);
    assert!(ran.stderr.contains("kid ") && ran.stderr.contains("in 15 min"), "{}", ran.stderr);
    assert!(ran.stderr.contains(r#""kty":"EC""#), "{}", ran.stderr);
    let quiet = hs256(&["--quiet", "--allow", "allow_weak_hmac"]);
    assert_eq!(quiet.stderr, "", "nothing was weak, so nothing is warned of");
}

/// JO-76: the registered claims in their order, then the others as given; a name twice is a usage error.
#[test]
fn claims_stand_in_the_stated_order() {
    let ran = hs256(&[
        "--claim",
        "role=admin",
        "--claim-json",
        "level=3",
        "--aud",
        "api",
        "--sub",
        "alice",
        "--iss",
        "me",
        "--nbf",
        NOW,
        "--jti=one",
    ]);
    let expected = r#"{"iss":"me","sub":"alice","aud":"api","exp":1700003600,"nbf":1700000000,"iat":1700000000,"jti":"one","role":"admin","level":3}"#;
    assert_eq!(claims(&ran.stdout), expected, "{ran:?}");
    for twice in [["--claim", "sub=x", "--sub", "y"], ["--claim", "a=1", "--claim-json", "a=1"]] {
        assert_eq!(hs256(&twice).code, 2, "{twice:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.json");
    std::fs::write(&path, r#"{"b":[1],"a":12345678901234567890}"#).unwrap();
    let merged = hs256(&["--claims", path.to_str().unwrap(), "--no-exp", "--claim", "z=1"]);
    assert_eq!(claims(&merged.stdout), r#"{"iat":1700000000,"z":"1","b":[1],"a":12345678901234567890}"#);
    std::fs::write(&path, r#"{"z":1}"#).unwrap();
    assert_eq!(hs256(&["--claims", path.to_str().unwrap(), "--claim", "z=1"]).code, 2);
}

/// JO-77: one hour unless something else is said; times in three forms; `--exp` with `--ttl` is a usage error.
#[test]
fn the_end_of_a_token_is_said_in_three_ways() {
    let exp = |more: &[&str]| {
        let claims = claims(&hs256(more).stdout);
        claims.split(r#""exp":"#).nth(1).unwrap().split(',').next().unwrap().to_owned()
    };
    assert_eq!(exp(&[]), "1700003600");
    assert_eq!(exp(&["--exp", "1800000000"]), "1800000000");
    assert_eq!(exp(&["--exp", "2027-01-15T08:00:00Z"]), "1800000000");
    assert_eq!(exp(&["--exp", "+15m"]), "1700000900");
    assert!(claims(&hs256(&["--nbf", "+15m"]).stdout).contains(r#""nbf":1700000900"#));
    assert_eq!(hs256(&["--exp", "+1h", "--ttl", "1h"]).code, 2);
    assert_eq!(hs256(&["--no-exp", "--ttl", "1h"]).code, 2);
}

/// JO-78: no key and no store is exit 66 with both ways out; with `--ephemeral` the token verifies.
#[test]
fn without_a_key_both_ways_out_are_named() {
    let ran = chancery(&["mint", "--alg", "ES256", "--sub", "a"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (66, ""));
    assert!(ran.stderr.contains("--key") && ran.stderr.contains("--ephemeral"), "{}", ran.stderr);
    let minted = chancery(&["mint", "--alg", "ES256", "--ephemeral", "--sub", "a"]);
    let folder = tempfile::tempdir().unwrap();
    let jwk = folder.path().join("public.jwk");
    std::fs::write(&jwk, minted.stderr.lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
    let verified = chancery(&["verify", minted.stdout.trim(), "--key", jwk.to_str().unwrap(), "--alg", "ES256"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    assert!(verified.stdout.contains(r#""sub":"a""#), "{}", verified.stdout);
}

/// JO-81: 0 with the claims on stdout; refused, expired and malformed tokens: 1, empty stdout, the reason on stderr.
#[test]
fn a_refused_token_prints_no_claims() {
    let token = hs256(&["--sub", "alice", "--aud", "api"]).stdout.trim().to_owned();
    let good = verify(&token, &["--aud", "api"]);
    assert_eq!(good.code, 0, "{good:?}");
    assert_eq!(good.stdout.trim(), claims(&token));
    let mut forged = token.clone();
    forged.replace_range(
        token.len() - 2..token.len() - 1,
        if &token[token.len() - 2..token.len() - 1] == "A" { "B" } else { "A" },
    );
    let later = ["verify", &token, "--key", "env:SECRET", "--alg", "HS256", "--now", "1800000000"];
    for (ran, why) in [
        (verify(&forged, &[]), "signature"),
        (chancery_in(&[SECRET], &later, ""), "expired"),
        (verify("a.b", &[]), "three parts"),
        (verify(&token, &["--aud", "other"]), "aud"),
        (verify(&token, &["--iss", "somebody"]), "iss"),
    ] {
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{why}: {ran:?}");
        assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
    }
}

/// JO-82: without rows to go by, the names that fit are listed; a leading `Bearer ` is dropped.
#[test]
fn verify_asks_for_the_algorithms_it_may_accept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.jwk");
    std::fs::write(&path, r#"{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}"#).unwrap();
    let token = hs256(&[]).stdout.trim().to_owned();
    let ran = chancery(&["verify", &token, "--key", path.to_str().unwrap(), "--now", NOW]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("HS256"), "{}", ran.stderr);
    let bearer = verify(&format!("Bearer {token}"), &[]);
    assert_eq!(bearer.code, 0, "{bearer:?}");
}

/// JO-90: the same instant and the same key of a deterministic algorithm give the same token twice.
#[test]
fn a_fixed_clock_and_a_deterministic_key_repeat_the_token() {
    let folder = tempfile::tempdir().unwrap();
    for alg in ["RS256", "EdDSA"] {
        let path = folder.path().join(alg);
        std::fs::write(&path, test_key(alg)).unwrap();
        let mint = || chancery(&["mint", "--alg", alg, "--key", path.to_str().unwrap(), "--now", NOW]).stdout;
        assert_eq!(mint(), mint());
        assert_eq!(mint().trim().split('.').count(), 3, "{alg}");
    }
    assert_eq!(hs256(&[]).stdout, hs256(&[]).stdout);
}

/// A new private key of that algorithm, as a JWK.
fn test_key(alg: &str) -> Vec<u8> {
    let row = jose::jwa::SignatureAlgorithm::by_name(alg).unwrap();
    let kind = jose::KeyKind::for_signature(row);
    let mut jwk = Vec::new();
    jose::PrivateJwk::generate(kind, &mut signer::RandomPool::new()).unwrap().write_private(&mut jwk);
    jwk
}

#[test]
fn a_short_secret_needs_its_switch_and_warns() {
    let short = [("SECRET", "short")];
    let base = ["mint", "--key", "env:SECRET", "--alg", "HS256"];
    let refused = chancery_in(&short, &base, "");
    assert_eq!((refused.code, refused.stdout.as_str()), (65, ""), "{refused:?}");
    let allowed = chancery_in(&short, &[base.as_slice(), &["--quiet", "--allow", "allow_weak_hmac"]].concat(), "");
    assert_eq!(allowed.code, 0, "{allowed:?}");
    assert!(allowed.stderr.contains("warning: allow_weak_hmac"), "{}", allowed.stderr);
}

/// JO-79 (part): a literal secret as an argument is refused with a hint; stdin, environment and file work.
#[test]
fn a_secret_is_never_an_argument() {
    let literal = chancery(&["mint", "--alg", "HS256", "--key", "hunter2hunter2hunter2hunter2hunter2"]);
    assert_eq!(literal.code, 2, "{literal:?}");
    assert!(literal.stderr.contains("env:NAME"), "{}", literal.stderr);
    assert!(!literal.stdout.contains("hunter2"));
    let stdin = chancery_in(&[], &["mint", "--alg", "HS256", "--key", "-", "--now", NOW], SECRET.1);
    assert_eq!(stdin.stdout, hs256(&[]).stdout);
    assert_eq!(chancery(&["mint", "--alg", "HS256", "--key", "env:NOT_SET"]).code, 66);
    assert_eq!(chancery(&["mint", "--alg", "HS256", "--key", "./nowhere.jwk"]).code, 66);
}

#[test]
fn a_header_member_of_ours_is_refused_by_name() {
    let ran = hs256(&["--header", "alg=none"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("alg"), "{}", ran.stderr);
}
