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
    assert!(
        ran.stdout.starts_with(r#"{"kind":"JWS","form":"compact","verified":false,"header":{"alg":"none"},"#),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains(r#""claims":{"n":12345678901234567890}"#), "{}", ran.stdout);
    assert!(ran.stdout.contains("`alg` is none"), "{}", ran.stdout);
}

/// JO-83: flattened and general forms too, each signature and recipient with its header, none with its octets.
#[test]
fn json_serializations_are_shown_as_well() {
    let part = |json: &str| base64url::encode(json.as_bytes());
    let (claims, protected) = (part(r#"{"sub":"alice","exp":1700086400}"#), part(r#"{"alg":"RS256"}"#));
    let flattened = format!(
        r#"{{"payload":"{claims}","protected":"{protected}","header":{{"kid":"a","alg":"x"}},"signature":"c2ln"}}"#
    );
    let ran = chancery_in(&[], &["inspect", "--now", NOW], &flattened);
    assert_eq!(ran.code, 0, "{ran:?}");
    for shown in ["JWS, flattened; characters: payload 43, signature 4", r#"alg  "RS256""#, r#"kid  "a""#, "in 42 min"]
    {
        assert!(ran.stdout.contains(shown), "{shown} in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("c2ln") && !ran.stdout.contains(r#""x""#));
    let general = format!(
        r#"{{"payload":"{claims}","signatures":[{{"protected":"{protected}","signature":"c2ln"}},{{"header":{{"alg":"none","jku":"x"}},"signature":""}}]}}"#
    );
    let ran = chancery_in(&[], &["inspect", "-"], &general);
    for shown in
        ["JWS, general; characters: payload 43, signature 1 4, signature 2 0", "header of signature 2\n  alg  \"none\""]
    {
        assert!(ran.stdout.contains(shown), "{shown} in {}", ran.stdout);
    }
    assert!(ran.stderr.contains("`alg` is none") && ran.stderr.contains("`jku`"), "{}", ran.stderr);
    let jwe = format!(
        r#"{{"protected":"{}","recipients":[{{"header":{{"alg":"A128KW","kid":"a"}},"encrypted_key":"AAAA"}}],"iv":"AA","ciphertext":"AAAA","tag":"AA"}}"#,
        part(r#"{"enc":"A128GCM"}"#)
    );
    let ran = chancery_in(&[], &["inspect"], &jwe);
    for shown in [
        "JWE, general; characters: iv 2, ciphertext 4, tag 2, encrypted key 1 4",
        "header\n  enc  \"A128GCM\"",
        "header of recipient 1\n  alg  \"A128KW\"",
        "sealed",
    ] {
        assert!(ran.stdout.contains(shown), "{shown} in {}", ran.stdout);
    }
    for (broken, why) in [
        ("{", "strict JSON"),
        ("{}", "either a `payload` or a `ciphertext`"),
        (r#"{"payload":"","ciphertext":""}"#, "either"),
        (r#"{"payload":"","payload":""}"#, "strict JSON"),
        (r#"{"payload":"","signatures":[]}"#, "no array with an entry"),
        (r#"{"payload":"","signatures":[1]}"#, "no object"),
        (r#"{"payload":"","protected":1}"#, "no text"),
        (r#"{"payload":"","protected":"!"}"#, "base64url"),
        (r#"{"payload":"","header":[]}"#, "no object"),
    ] {
        let ran = chancery_in(&[], &["inspect", "-"], broken);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{broken}");
        assert!(ran.stderr.contains(why), "{broken}: {}", ran.stderr);
    }
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
