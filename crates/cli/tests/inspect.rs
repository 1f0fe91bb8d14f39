//! `chancery inspect`, as a person sees it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{chancery, chancery_in};
use jose::base64url;

const NOW: &str = "1700083880";

fn token(header: &str, claims: &str) -> String {
    format!("{}.{}.c2lnbmF0dXJl", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()))
}

/// JO-83: header, claims, times in UTC and in words, sizes of the parts; never the signature; "not verified".
#[test]
fn a_jws_is_shown_without_its_signature() {
    let token = token(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"alice","aud":"api","exp":1700086400}"#);
    let ran = chancery_in(&[], &["inspect", "--now", NOW], &format!("Bearer {token}\n"));
    assert_eq!(ran.code, 0, "{ran:?}");
    for shown in [
        "JWS, compact; characters: header 36, payload 59, signature 12",
        r#"alg  "HS256""#,
        r#"sub  "alice""#,
        "exp  1700086400  2023-11-15T22:13:20Z, in 42 min",
    ] {
        assert!(ran.stdout.contains(shown), "{shown} in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("c2lnbmF0dXJl"));
    assert!(ran.stderr.contains("not verified"));
}

/// JO-83: of a JWE the header and the sizes.
#[test]
fn a_jwe_shows_header_and_sizes() {
    let token = format!("{}..aaaa.bbbb.cccc", base64url::encode(br#"{"alg":"dir","enc":"A256GCM"}"#));
    let ran = chancery(&["inspect", &token]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("encrypted key 0, iv 4, ciphertext 4, tag 4"), "{}", ran.stdout);
    assert!(ran.stdout.contains(r#"enc  "A256GCM""#), "{}", ran.stdout);
}

#[test]
fn json_is_one_line_with_the_same_facts() {
    let token = token(r#"{"alg":"none"}"#, r#"{"n":12345678901234567890}"#);
    let ran = chancery(&["--json", "inspect", &token]);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(ran.stdout.starts_with(r#"{"kind":"JWS","verified":false,"header":{"alg":"none"},"#), "{}", ran.stdout);
    assert!(ran.stdout.contains(r#""claims":{"n":12345678901234567890}"#), "{}", ran.stdout);
    assert!(ran.stdout.contains("`alg` is none"), "{}", ran.stdout);
}

#[test]
fn what_is_no_token_is_refused_with_nothing_on_stdout() {
    for (text, why) in [("a.b", "3 parts or 5"), ("!!.e30.x", "base64url"), ("W10.e30.x", "no JSON object")] {
        let ran = chancery(&["inspect", text]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{text}");
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}

#[test]
fn completions_and_manual_pages_come_from_the_same_source() {
    let folder = tempfile::tempdir().unwrap();
    let ran = chancery(&["man", folder.path().to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let page = std::fs::read_to_string(folder.path().join("chancery-mint.1")).unwrap();
    assert!(page.contains("Mint a token from flags"), "{page}");
    assert!(chancery(&["completions", "bash"]).stdout.contains("--ephemeral"));
    assert_eq!(chancery(&["man", "/nonexistent"]).code, 74);
}
