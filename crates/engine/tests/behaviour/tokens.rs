//! Claims that a message brings along, and what becomes of messages whose token does not hold.

use engine::Told;
use jose::jwa::Switches;
use plan::{
    AbsentClaim, AfterRefusal, Answer, Ask, ClaimPlan, Clash, Date, EventField, Expr, FaultKind, KeySource, Lifetime,
    LogLevel, Op, Path, PolicyIx, Refusal, Refused, ShapeStep, TokenFlaw, TokenIx, TokenPlan, Value, VerifyPlan,
};

use crate::support::{Sketch, hs256, logged, payload, policy};

fn message(name: &str) -> Expr {
    Expr::Message(Path::keys([name]))
}

/// The claims that are signed for `msg.payload`, or the fault.
fn claims(clash: Clash, lifetime: Lifetime, given: &str, wish: Value) -> Result<String, FaultKind> {
    let given = plan::read_json(given.as_bytes(), jose::json::Limits::REQUEST, plan::JsonRules::Ecmascript).unwrap();
    let mut sketch = Sketch::default().node(Op::Issue { token: TokenIx(0), into: Path::keys(["token"]) }, &[&[]]);
    let audience = ClaimPlan::From { name: "aud".into(), value: message("aud"), absent: AbsentClaim::LeaveOut };
    sketch.flow.tokens.push(TokenPlan {
        algorithm: hs256(),
        switches: Switches::NONE,
        header: vec![],
        claims: vec![
            ClaimPlan::Given { of: message("payload"), clash },
            ClaimPlan::IssuedAt,
            ClaimPlan::Expires,
            audience,
        ],
        lifetime,
        key: KeySource::Given("k".into()),
    });
    let mut signed = None;
    let message = Value::map([("payload", given), ("wish", wish), ("aud", Value::text("office"))]);
    let told = sketch.run(message, |ask| {
        let Ask::Mint(request) = ask else { panic!("a signature: {ask:?}") };
        signed = Some(String::from_utf8(request.claims.clone()).unwrap());
        vec![Answer::Signed("a.b.c".into())]
    });
    match (signed, told.as_slice()) {
        (Some(claims), []) => Ok(claims),
        (None, [Told::Uncaught { fault, .. }]) => Err(fault.kind),
        other => panic!("either a token or a fault: {other:?}"),
    }
}

fn refusing(given: &str) -> Result<String, FaultKind> {
    claims(Clash::Refuse, Lifetime::Seconds(60), given, Value::Undefined)
}

/// NR-39: the given map itself is the claims, in its order, with `iat` and `exp` behind.
#[test]
fn given_claims_come_first() {
    assert_eq!(
        refusing(r#"{"b":1,"a":[2]}"#).unwrap(),
        r#"{"b":1,"a":[2],"iat":1700000000,"exp":1700000060,"aud":"office"}"#
    );
}

#[test]
fn a_given_time_of_issue_stands_and_the_lifetime_counts_from_it() {
    assert_eq!(refusing(r#"{"iat":100,"a":1}"#).unwrap(), r#"{"iat":100,"a":1,"exp":160,"aud":"office"}"#);
    assert_eq!(refusing(r#"{"iat":0,"a":1}"#).unwrap(), r#"{"iat":1700000000,"a":1,"exp":1700000060,"aud":"office"}"#);
}

#[test]
fn claims_that_clash_or_are_none_are_refused() {
    let refused =
        [r#"{"exp":5}"#, r#"{"aud":"x"}"#, r#"{"iat":"x"}"#, r#"{"nbf":"x"}"#, r#"{"nbf":1e300}"#, r#""text""#, "[1]"];
    for given in refused {
        assert_eq!(refusing(given), Err(FaultKind::ClaimsInvalid), "{given}");
    }
}

#[test]
fn where_the_plan_wins_its_values_take_the_given_places() {
    let replaced = claims(Clash::Replace, Lifetime::Seconds(60), r#"{"exp":5,"aud":"x","iat":100}"#, Value::Undefined);
    assert_eq!(replaced.unwrap(), r#"{"exp":1700000060,"aud":"office","iat":100}"#);
}

/// NR-41: a message asks for whole seconds, or for milliseconds by digits as text; other wishes end without `exp`.
#[test]
fn a_message_asks_for_a_lifetime() {
    let asked = |wish| {
        let lifetime = Lifetime::Asked { by: message("wish"), otherwise_secs: 86_400 };
        claims(Clash::Refuse, lifetime, "{}", wish)
    };
    let end = |seconds: i64| format!(r#"{{"iat":1700000000,"exp":{},"aud":"office"}}"#, 1_700_000_000 + seconds);
    assert_eq!(asked(Value::Undefined), Ok(end(86_400)));
    assert_eq!(asked(Value::integer(60)), Ok(end(60)));
    assert_eq!(asked(Value::text("60000")), Ok(end(60)));
    for endless in [Value::integer(-1), Value::text("1h")] {
        assert_eq!(asked(endless), Ok(r#"{"iat":1700000000,"aud":"office"}"#.to_owned()));
    }
    assert_eq!(asked(Value::Number(plan::Number::Float(1.5))), Err(FaultKind::ExpiryInvalid));
    let given = claims(Clash::Refuse, Lifetime::Unbounded, r#"{"exp":1800000000}"#, Value::Undefined);
    assert_eq!(given.unwrap(), r#"{"exp":1800000000,"iat":1700000000,"aud":"office"}"#);
}

/// What becomes of a token under this policy; node 1 logs what leaves output 0, node 2 what leaves output 1.
fn checked(policy: VerifyPlan, token: Value, answer: Answer) -> Vec<Told> {
    let whole = || Op::Log { level: LogLevel::Info, value: Expr::Message(Path::default()) };
    let check = Op::Verify { policy: PolicyIx(0), into: Path::keys(["claims"]) };
    let mut sketch = Sketch::default().node(check, &[&[1], &[2]]).node(whole(), &[]).node(whole(), &[]);
    sketch.flow.policies.push(policy);
    let mut answer = Some(answer);
    sketch.run(payload(token), |_| vec![answer.take().unwrap()])
}

fn dressed(flaw: TokenFlaw, then: AfterRefusal) -> VerifyPlan {
    let dress = vec![
        ShapeStep::Set(Path::keys(["why"]), Expr::Literal(Value::text("told"))),
        ShapeStep::SetPresent(Path::keys(["at"]), Expr::Event(EventField::Instant)),
    ];
    let mut policy = policy(message("payload"));
    policy.refused.insert(flaw, Refused { dress, then });
    policy
}

fn refusal(flaw: TokenFlaw) -> Answer {
    Answer::Refused(Refusal::Token(flaw, "".into()))
}

/// NR-40: by its flaw a message is dressed, and sent on or raised as a fault with the policy's own words.
#[test]
fn a_refused_token_is_dressed_by_its_flaw() {
    let token = || Value::text("a.b.c");
    let expected = Value::map([("payload", token()), ("why", Value::text("told"))]);
    let sent = checked(dressed(TokenFlaw::Signature, AfterRefusal::Send(0)), token(), refusal(TokenFlaw::Signature));
    assert_eq!(logged(&sent), [(1, expected)]);
    let raise = || AfterRefusal::Raise(message("why"));
    let raised = checked(dressed(TokenFlaw::Signature, raise()), token(), refusal(TokenFlaw::Signature));
    let [Told::Uncaught { fault, .. }] = raised.as_slice() else { panic!("{raised:?}") };
    assert_eq!((fault.kind, &*fault.message), (FaultKind::TokenRefused, "told"));
    let other = checked(dressed(TokenFlaw::Signature, raise()), token(), refusal(TokenFlaw::Algorithm));
    assert_eq!(logged(&other), [(2, payload(token()))]);
}

#[test]
fn what_is_no_text_is_told_apart_from_nothing() {
    for (token, flaw) in [
        (Value::Undefined, TokenFlaw::Absent),
        (Value::text(""), TokenFlaw::Absent),
        (Value::integer(5), TokenFlaw::NotText),
    ] {
        let told = checked(dressed(flaw, AfterRefusal::Send(0)), token, refusal(TokenFlaw::Malformed));
        assert_eq!(logged(&told)[0].0, 1, "{flaw:?}");
    }
}

#[test]
fn the_instant_that_refused_a_token_is_told() {
    for (claims, flaw, at) in [
        (r#"{"exp":1}"#, TokenFlaw::Expired, Some(1_000.0)),
        (r#"{"nbf":1800000000}"#, TokenFlaw::NotYet, Some(1_800_000_000_000.0)),
        (r#"{"exp":"1"}"#, TokenFlaw::ExpiryInvalid, None),
        (r#"{"nbf":null}"#, TokenFlaw::NotBeforeInvalid, None),
        ("[1]", TokenFlaw::Undecodable, None),
    ] {
        let policy = dressed(flaw, AfterRefusal::Send(0));
        let told = checked(policy, Value::text("a.b.c"), Answer::Verified(claims.as_bytes().into()));
        let (node, message) = logged(&told).remove(0);
        let instant = at.map_or(Value::Undefined, |epoch_ms| Value::Date(Date { epoch_ms }));
        assert_eq!((node, message.as_map().unwrap().get("at").cloned().unwrap_or_default()), (1, instant), "{claims}");
    }
}

/// NR-41: the audience and the role that a policy asks for.
#[test]
fn an_audience_and_a_list_are_asked_for() {
    let asking = |flaw| VerifyPlan {
        audience: Some("office".into()),
        listed: Some(("roles".into(), "admin".into())),
        ..dressed(flaw, AfterRefusal::Send(1))
    };
    for (claims, flaw) in [
        (r#"{"aud":"other","roles":["admin"]}"#, TokenFlaw::Audience),
        (r#"{"roles":["admin"]}"#, TokenFlaw::Audience),
        (r#"{"aud":["office"]}"#, TokenFlaw::ListAbsent),
        (r#"{"aud":"office","roles":"admin"}"#, TokenFlaw::ListAbsent),
        (r#"{"aud":"office","roles":["user"]}"#, TokenFlaw::Unlisted),
    ] {
        let told = checked(asking(flaw), Value::text("a.b.c"), Answer::Verified(claims.as_bytes().into()));
        let (node, message) = logged(&told).remove(0);
        assert_eq!((node, message.as_map().unwrap().get("why")), (2, Some(&Value::text("told"))), "{claims}");
    }
    let good = br#"{"aud":["x","office"],"roles":["admin"]}"#.as_slice();
    let told = checked(asking(TokenFlaw::Unlisted), Value::text("a.b.c"), Answer::Verified(good.into()));
    assert_eq!(logged(&told)[0].0, 1);
}

/// NR-40: the token of a header counts only behind a scheme that is known, in two parts.
#[test]
fn a_scheme_is_asked_for_before_the_token() {
    let header = || Box::new(message("payload"));
    let schemes = vec![Expr::Literal(Value::text("Bearer")), message("prefix")];
    let after = Expr::AfterScheme { schemes, of: header() };
    let found = Expr::Choose {
        present: header(),
        then: Box::new(after),
        otherwise: Box::new(Expr::Literal(Value::text("elsewhere"))),
    };
    for (header, expected) in [
        (Value::text("Bearer a.b.c"), Value::text("a.b.c")),
        (Value::text("bearer a.b.c"), Value::Undefined),
        (Value::text("Bearer a b"), Value::Undefined),
        (Value::text("a.b.c"), Value::Undefined),
        (Value::Undefined, Value::text("elsewhere")),
    ] {
        let op = Op::Log { level: LogLevel::Info, value: found.clone() };
        let told = Sketch::default().node(op, &[]).run_alone(payload(header.clone()));
        assert_eq!(logged(&told), [(0, expected)], "{header:?}");
    }
}

#[test]
fn claims_that_are_no_map_count_only_where_the_policy_takes_any() {
    let token = || Value::text("a.b.c");
    let left_by = |any_claims, claims: &str| {
        let policy = VerifyPlan { any_claims, ..policy(message("payload")) };
        let told = checked(policy, token(), Answer::Verified(claims.as_bytes().into()));
        logged(&told)[0].0
    };
    for claims in ["[1,2]", r#""text""#, "7", "false"] {
        assert_eq!((left_by(true, claims), left_by(false, claims)), (1, 2), "{claims}");
    }
    assert_eq!((left_by(true, "null"), left_by(true, "no JSON")), (2, 2));
    let audience = VerifyPlan { any_claims: true, audience: Some("a".into()), ..policy(message("payload")) };
    assert_eq!(logged(&checked(audience, token(), Answer::Verified(b"[1]".as_slice().into())))[0].0, 2);
}
