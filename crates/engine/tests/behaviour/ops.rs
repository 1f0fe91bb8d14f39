//! What issuing, checking and shaping do to a message.

use crate::support::{Sketch, hs256, logged, payload, policy, script_plan};
use engine::Told;
use jose::jwa::Switches;
use plan::{
    AbsentClaim, Answer, Ask, ClaimPlan, Expr, Fault, FaultKind, KeySource, Lifetime, Op, Path, PolicyIx, Refusal,
    ScriptIx, ShapeStep, Slot, TokenFlaw, TokenIx, TokenPlan, Unencodable, Value,
};

fn issuing(lifetime: Lifetime, absent: AbsentClaim) -> Sketch {
    let data = ClaimPlan::From { name: "data".into(), value: Expr::Message(Path::keys(["payload"])), absent };
    let mut sketch =
        Sketch::default().node(Op::Issue { token: TokenIx(0), into: Path::keys(["payload"]) }, &[&[1]]).log("payload");
    sketch.flow.tokens.push(TokenPlan {
        algorithm: hs256(),
        switches: Switches::NONE,
        header: vec![],
        claims: vec![data, ClaimPlan::Expires, ClaimPlan::IssuedAt],
        lifetime,
        key: KeySource::Given("k".into()),
    });
    sketch
}

/// The claims that are asked to be signed for a message, or the fault that is told.
fn claims_of(sketch: Sketch, message: Value) -> Result<String, FaultKind> {
    let mut claims = None;
    let told = sketch.run(message, |ask| {
        let Ask::Mint(request) = ask else { panic!("a signature: {ask:?}") };
        claims = Some(String::from_utf8(request.claims.clone()).unwrap());
        vec![Answer::Signed("head.body.mac".into())]
    });
    match (claims, told.as_slice()) {
        (Some(claims), [Told::Log { value, .. }]) if value.as_text() == Some("head.body.mac") => Ok(claims),
        (None, [Told::Uncaught { fault, .. }]) => Err(fault.kind),
        other => panic!("either a token or a fault: {other:?}"),
    }
}

fn day() -> Sketch {
    issuing(Lifetime::Seconds(86_400), AbsentClaim::LeaveOut)
}

/// NR-03: the claims are written in the order of the plan, `exp` the lifetime behind `iat`, both whole seconds.
#[test]
fn claims_in_the_order_of_the_plan() {
    let message = payload(Value::map([("b", Value::integer(1)), ("a", Value::Null)]));
    assert_eq!(claims_of(day(), message).unwrap(), r#"{"data":{"b":1,"a":null},"exp":1700086400,"iat":1700000000}"#);
}

/// NR-06: any payload goes under its claim; one that is not there leaves the claim out or raises what the plan says.
#[test]
fn a_claim_without_a_value() {
    assert_eq!(claims_of(day(), payload(Value::Undefined)).unwrap(), r#"{"exp":1700086400,"iat":1700000000}"#);
    let fault = Box::new(Fault::new(FaultKind::Configuration, "no data"));
    let needed = issuing(Lifetime::Unbounded, AbsentClaim::Raise(fault));
    assert_eq!(claims_of(needed, payload(Value::Undefined)), Err(FaultKind::Configuration));
}

/// NR-08: an `exp` that no reader would hold exactly is never written.
#[test]
fn an_expiry_out_of_range() {
    for seconds in [i64::MAX, (1 << 53) - 1, i64::MIN] {
        let sketch = issuing(Lifetime::Seconds(seconds), AbsentClaim::LeaveOut);
        assert_eq!(claims_of(sketch, payload(Value::Null)), Err(FaultKind::ExpiryInvalid), "{seconds}");
    }
    let last = issuing(Lifetime::Seconds((1 << 53) - 1 - 1_700_000_000), AbsentClaim::LeaveOut);
    assert!(claims_of(last, payload(Value::Null)).unwrap().contains(r#""exp":9007199254740991"#));
    let dead = issuing(Lifetime::Seconds(-10), AbsentClaim::LeaveOut);
    assert!(claims_of(dead, payload(Value::Null)).unwrap().contains(r#""exp":1699999990"#));
}

/// NR-14: what JSON cannot hold is a fault, not a token.
#[test]
fn a_payload_that_cannot_be_written() {
    let circular = payload(Value::list(vec![Value::Unencodable(Unencodable::Circular)]));
    assert_eq!(claims_of(day(), circular), Err(FaultKind::Circular));
    let big = payload(Value::Unencodable(Unencodable::BigInt("1".into())));
    assert_eq!(claims_of(day(), big), Err(FaultKind::BigInteger));
}

fn checking(answer: Answer) -> Vec<Told> {
    let mut sketch = Sketch::default()
        .node(Op::Verify { policy: PolicyIx(0), into: Path::keys(["claims"]) }, &[&[1], &[2]])
        .log("claims")
        .node(Op::Log { level: plan::LogLevel::Info, value: Expr::Message(Path::default()) }, &[]);
    sketch.flow.policies.push(policy(Expr::Message(Path::keys(["payload"]))));
    let mut answer = Some(answer);
    sketch.run(payload(Value::text("a.b.c")), |ask| {
        assert!(matches!(ask, Ask::Verify(request) if &*request.token == "a.b.c"));
        vec![answer.take().unwrap()]
    })
}

/// NR-17: a token that holds leaves output 0 with all its claims.
#[test]
fn a_token_that_holds() {
    let octets = br#"{"sub":"s","exp":1700000001}"#.as_slice();
    let claims = Value::map([("sub", Value::text("s")), ("exp", Value::integer(1_700_000_001))]);
    assert_eq!(logged(&checking(Answer::Verified(octets.into()))), [(1, claims)]);
}

/// NR-18: a token that does not hold leaves output 1 with nothing set.
#[test]
fn a_token_that_does_not_hold() {
    let untouched = (2, payload(Value::text("a.b.c")));
    for claims in [r#"{"exp":1700000000}"#, r#"{"exp":null}"#, r#"{"nbf":1700000001}"#, "[1]", "{", r#"{"a":1,"a":2}"#]
    {
        let told = checking(Answer::Verified(claims.as_bytes().into()));
        assert_eq!(logged(&told), std::slice::from_ref(&untouched), "{claims}");
    }
    assert_eq!(logged(&checking(Answer::Refused(Refusal::Token(TokenFlaw::Signature, "bad".into())))), [untouched]);
}

/// NR-22: a key that is missing is a fault of the flow; the message leaves neither output.
#[test]
fn a_key_that_is_missing() {
    let told = checking(Answer::Refused(Refusal::Key(FaultKind::KeyMissing, "n.secret".into())));
    assert!(matches!(told.as_slice(), [Told::Uncaught { fault, .. }] if fault.kind == FaultKind::KeyMissing));
}

fn shaping(steps: Vec<ShapeStep>, message: Value) -> (Vec<Told>, Option<Value>) {
    let mut sketch = Sketch::default()
        .node(Op::Shape { steps, otherwise: ScriptIx(0) }, &[&[1]])
        .node(Op::Log { level: plan::LogLevel::Info, value: Expr::Message(Path::default()) }, &[]);
    sketch.flow.scripts.push(script_plan());
    let mut asked = None;
    let told = sketch.run(message, |ask| {
        let Ask::Script { message, .. } = ask else { panic!("a script: {ask:?}") };
        asked = Some(message.clone());
        vec![Answer::Script(plan::ScriptEvent::Rest)]
    });
    (told, asked)
}

fn set<const N: usize>(names: [&str; N], value: Expr) -> ShapeStep {
    ShapeStep::Set(Path::keys(names), value)
}

#[test]
fn a_shape_changes_the_message_without_a_script() {
    let wrap = Expr::Map(vec![("token".into(), Expr::Message(Path::keys(["payload"])))]);
    let steps = vec![
        set(["payload"], wrap),
        set(["payload", "more"], Expr::Literal(Value::Bool(true))),
        ShapeStep::Delete(Path::keys(["gone"])),
    ];
    let message = Value::map([("gone", Value::Null), ("payload", Value::text("t"))]);
    let inner = Value::map([("token", Value::text("t")), ("more", Value::Bool(true))]);
    assert_eq!(shaping(steps, message), (vec![log_of(payload(inner))], None));
}

#[test]
fn a_shape_that_meets_no_plain_map_leaves_the_untouched_message_to_the_script() {
    let deep = set(["payload", "a"], Expr::Literal(Value::Null));
    let first = set(["other"], Expr::Literal(Value::Null));
    let reading = set(["b"], Expr::Message(Path::keys(["payload", "a", "b"])));
    for step in [deep, reading] {
        for base in [Value::Undefined, Value::text("t"), Value::list(vec![])] {
            let message = payload(base);
            let (told, asked) = shaping(vec![first.clone(), step.clone()], message.clone());
            assert_eq!((told, asked), (vec![], Some(message)));
        }
    }
}

#[test]
fn a_shape_may_end_the_message() {
    let steps = vec![set(["a"], Expr::Literal(Value::Null)), ShapeStep::Drop];
    assert_eq!(shaping(steps, payload(Value::Null)), (vec![], None));
}

fn log_of(value: Value) -> Told {
    Told::Log { node: plan::NodeIx(1), level: plan::LogLevel::Info, value }
}

/// What a node that is told of each item of `msg.list` sends on, by `msg.payload`.
fn each(list: Value) -> Vec<Told> {
    let place = |name: &str| Slot::message(Path([plan::Segment::Key(name.into())].into()));
    let into = vec![("item".into(), place("payload")), ("at".into(), place("index"))];
    let items = Expr::Message(Path::keys(["list"]));
    let sketch = Sketch::default().node(Op::Each { items, into }, &[&[1]]).log("payload");
    sketch.run_alone(Value::map([("payload", Value::text("old")), ("list", list)]))
}

#[test]
fn a_message_is_sent_for_each_item() {
    let item = |text: &str| Value::map([("item", Value::text(text))]);
    let told = each(Value::list(vec![item("a"), Value::map([("at", Value::integer(1))]), item("b")]));
    assert_eq!(logged(&told), ["a", "old", "b"].map(|text| (1, Value::text(text))));
    assert!(each(Value::list(Vec::new())).is_empty());
    let [Told::Uncaught { fault, .. }] = &*each(Value::text("no list")) else { panic!("a fault") };
    assert_eq!(fault.kind, FaultKind::ValueUnfit);
}
