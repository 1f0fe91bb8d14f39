//! Claims and the policy they are held against.

use jose::{
    Error,
    jwt::{ExpRule, IatRule, JTI_BYTES_MAX, Leeway, NumericDate, Policy, claims},
};

use crate::support::{code, object};

const NOW_SECS: u64 = 1_700_000_000;

fn check(policy: &Policy, claims: &str) -> Result<(), Error> {
    policy.check(&object(claims), NumericDate::from_secs(NOW_SECS))
}

fn lax() -> Policy {
    Policy { exp: ExpRule::Optional, ..Policy::default() }
}

/// JO-59, B-49: `exp`, `nbf` and `iat` at -1, 0 and +1 second, with and without leeway.
#[test]
fn times_at_their_edges() {
    let tolerant = Policy { leeway: Leeway::from_secs(10).unwrap(), ..lax() };
    let cases = [
        ("exp", -1, "expired"),
        ("exp", 0, "expired"),
        ("exp", 1, "accepted"),
        ("nbf", -1, "accepted"),
        ("nbf", 0, "accepted"),
        ("nbf", 1, "not_yet"),
        ("iat", -1, "accepted"),
        ("iat", 0, "accepted"),
        ("iat", 1, "not_yet"),
    ];
    for (claim, offset, expected) in cases {
        let at = |shift: i64| format!(r#"{{"{claim}":{}}}"#, 1_700_000_000 + shift);
        assert_eq!(code(check(&lax(), &at(offset))), expected, "{claim} {offset}");
        let shift = if claim == "exp" { offset - 10 } else { offset + 10 };
        assert_eq!(code(check(&tolerant, &at(shift))), expected, "{claim} {offset} with leeway");
    }
    assert!(Leeway::from_secs(300).is_ok());
    assert_eq!(code(Leeway::from_secs(301)), "too_large");
}

/// JO-59, B-48: fractions count, however small.
#[test]
fn fractions_are_compared_exactly() {
    let at = |claim: &str, text: &str| code(check(&lax(), &format!(r#"{{"{claim}":{text}}}"#)));
    assert_eq!(at("exp", "1700000000.5"), "accepted");
    assert_eq!(at("exp", "1700000000.00000000000000000001"), "accepted");
    assert_eq!(at("exp", "1699999999.99999999999999999999"), "expired");
    assert_eq!(at("nbf", "1700000000.00000000000000000001"), "not_yet");
    assert_eq!(at("nbf", "1.7e9"), "accepted");
}

/// B-47, B-48, B-50, SE-49 (part): a time of the wrong type or range is an error, never absent.
#[test]
fn times_of_the_wrong_type() {
    let wrong = [
        "\"1700000001\"",
        "null",
        "true",
        "[1]",
        "{}",
        "-1",
        "1e999",
        "9007199254740992",
        "9007199254740993",
        "9223372036854775808",
        "18446744073709551616",
        "1e308",
    ];
    for claim in ["exp", "nbf", "iat"] {
        for value in wrong {
            assert_eq!(code(check(&lax(), &format!(r#"{{"{claim}":{value}}}"#))), "claim_type", "{claim} {value}");
        }
    }
    assert_eq!(code(claims(br#"{"exp":NaN}"#)), "malformed");
}

/// JO-60: `exp` is required unless the policy says otherwise.
#[test]
fn exp_is_required_by_default() {
    assert_eq!(check(&Policy::default(), "{}"), Err(Error::ClaimMissing { claim: "exp".into() }));
    assert_eq!(code(check(&lax(), "{}")), "accepted");
}

/// `iat` may be left alone; `max_age` counts from it all the same.
#[test]
fn iat_may_be_ignored() {
    let ignoring = Policy { iat: IatRule::Ignored, ..lax() };
    assert_eq!(code(check(&ignoring, r#"{"iat":1800000000}"#)), "accepted");
    assert_eq!(code(check(&ignoring, r#"{"iat":"x"}"#)), "accepted");
    let young = Policy { max_age_secs: Some(60), ..ignoring };
    assert_eq!(code(check(&young, r#"{"iat":1699999941}"#)), "accepted");
    assert_eq!(check(&young, r#"{"iat":1699999940}"#), Err(Error::Expired { claim: "iat" }));
    assert_eq!(code(check(&young, "{}")), "claim_missing");
    assert_eq!(code(check(&young, r#"{"iat":"x"}"#)), "claim_type");
}

/// JO-61, B-51: audiences.
#[test]
fn audiences() {
    let named = Policy { audiences: vec!["api".into(), "web".into()], ..lax() };
    let cases = [
        ("{}", "audience", "accepted"),
        (r#"{"aud":"api"}"#, "accepted", "accepted"),
        (r#"{"aud":"other"}"#, "audience", "accepted"),
        (r#"{"aud":"apix"}"#, "audience", "accepted"),
        (r#"{"aud":["x","web"]}"#, "accepted", "accepted"),
        (r#"{"aud":["x"]}"#, "audience", "accepted"),
        (r#"{"aud":[]}"#, "audience", "accepted"),
        (r#"{"aud":[""]}"#, "audience", "accepted"),
        (r#"{"aud":[["api"]]}"#, "claim_type", "claim_type"),
        (r#"{"aud":["api",1]}"#, "claim_type", "claim_type"),
        (r#"{"aud":5}"#, "claim_type", "claim_type"),
        (r#"{"aud":null}"#, "claim_type", "claim_type"),
    ];
    for (claims, with_names, without) in cases {
        assert_eq!(code(check(&named, claims)), with_names, "{claims}");
        assert_eq!(code(check(&lax(), claims)), without, "{claims}");
    }
}

/// B-52: issuers by exact text.
#[test]
fn issuers() {
    let policy = Policy { issuers: vec!["https://a.example".into()], ..lax() };
    for (iss, expected) in [
        ("\"https://a.example\"", "accepted"),
        ("\"https://a.example/\"", "issuer"),
        ("\"https://a.exampl\"", "issuer"),
        ("\"https://\u{430}.example\"", "issuer"),
        ("[\"https://a.example\"]", "claim_type"),
        ("null", "claim_type"),
    ] {
        assert_eq!(code(check(&policy, &format!(r#"{{"iss":{iss}}}"#))), expected, "{iss}");
    }
    assert_eq!(code(check(&policy, "{}")), "claim_missing");
}

/// B-53, JO-57: `jti` at its bound; subject, `jti` and required claims.
#[test]
fn other_claims() {
    let jti = |octets: usize| format!(r#"{{"jti":"{}"}}"#, "j".repeat(octets));
    assert_eq!(code(check(&lax(), &jti(JTI_BYTES_MAX))), "accepted");
    assert_eq!(code(check(&lax(), &jti(JTI_BYTES_MAX + 1))), "too_large");
    let policy = Policy { subject: Some("alice".into()), required: vec!["scope".into()], ..lax() };
    assert_eq!(code(check(&policy, r#"{"sub":"alice","scope":null}"#)), "accepted");
    assert_eq!(check(&policy, r#"{"sub":"alice"}"#), Err(Error::ClaimMissing { claim: "scope".into() }));
    assert_eq!(check(&policy, r#"{"sub":"bob","scope":1}"#), Err(Error::WrongType { member: "sub" }));
    assert_eq!(code(check(&policy, r#"{"scope":1}"#)), "claim_missing");
}

/// JO-36, B-34: `typ` with and without `application/`, in any case.
#[test]
fn typ_is_compared_as_a_media_type() {
    let policy = Policy { typ: Some("at+jwt".into()), ..lax() };
    let now = NumericDate::from_secs(NOW_SECS);
    for (typ, expected) in [
        (Some("at+jwt"), "accepted"),
        (Some("application/at+jwt"), "accepted"),
        (Some("APPLICATION/AT+JWT"), "accepted"),
        (Some("JWT"), "wrong_type"),
        (Some("dpop+jwt"), "wrong_type"),
        (Some("application/x/at+jwt"), "wrong_type"),
        (None, "wrong_type"),
    ] {
        assert_eq!(code(policy.validate(typ, b"{}", now)), expected, "{typ:?}");
    }
}

/// B-54: what is bound to disclosures or to a request is no set of claims by itself.
#[test]
fn companions_are_unsupported() {
    let now = NumericDate::from_secs(NOW_SECS);
    let proof = r#"{"jti":"a","htm":"GET","htu":"https://a.example","iat":1700000000,"ath":"x"}"#;
    for typ in
        ["dpop+jwt", "application/dpop+jwt", "DPoP+JWT", "kb+jwt", "dc+sd-jwt", "vc+sd-jwt", "sd-jwt", "x+SD-JWT"]
    {
        assert_eq!(code(lax().validate(Some(typ), proof.as_bytes(), now)), "unsupported", "{typ}");
        let wanted = Policy { typ: Some(typ.into()), ..lax() };
        assert_eq!(code(wanted.validate(Some(typ), proof.as_bytes(), now)), "unsupported", "{typ}");
        assert_eq!(code(wanted.validate(Some("JWT"), proof.as_bytes(), now)), "wrong_type", "{typ}");
    }
    for digests in [
        r#"{"_sd":["CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI"],"_sd_alg":"sha-256"}"#,
        r#"{"_sd_alg":"sha-256"}"#,
        r#"{"address":{"region":{"_sd":[]}}}"#,
        r#"{"nationalities":["DE",{"...":"pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo"}]}"#,
    ] {
        assert_eq!(code(lax().validate(None, digests.as_bytes(), now)), "unsupported", "{digests}");
    }
    for plain in [r#"{"sd":1,"_SD":2,"cnf":{"jkt":"x"},"text":"_sd","list":["..."]}"#, "{}"] {
        for typ in [None, Some("JWT"), Some("jwt"), Some("at+jwt"), Some(""), Some("\u{e9}\u{e9}\u{e9}\u{e9}")] {
            assert_eq!(code(lax().validate(typ, plain.as_bytes(), now)), "accepted", "{plain} {typ:?}");
        }
    }
}

/// B-46, B-28: a payload that is no object, or has a member twice, is no set of claims.
#[test]
fn payloads_that_are_no_claims() {
    for payload in ["[1]", "\"x\"", "null", "", "{", "1", "\u{FEFF}{}", r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"b":1}}"#] {
        assert_eq!(code(claims(payload.as_bytes())), "malformed", "{payload}");
    }
}
