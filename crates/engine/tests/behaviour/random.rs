//! Whatever a valid flow looks like and whatever is answered: the engine never panics, and every run comes to rest.

use engine::{Context, Run, Step};
use jose::jwa::Switches;
use plan::{
    AbsentClaim, Answer, AskId, Cells, ClaimPlan, EventField, ExpiryRules, Expr, Fault, FaultKind, Handle, Handler,
    Handlers, JsonRules, KeySource, Lifetime, LogLevel, Op, Path, PolicyIx, Refusal, ReplyIx, ScriptEvent, ScriptIx,
    Segment, ShapeStep, TokenFlaw, TokenIx, TokenPlan, TriggerIx, Unencodable, ValidFlow, Value, VerifyPlan,
};
use proptest::prelude::*;

use crate::support::{Sketch, hs256, policy, script_plan};

/// Answers that are handed in before a run is left to itself.
const ANSWERS_MAX: usize = 60;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        Just(Value::text("t")),
        any::<i64>().prop_map(Value::integer),
        (0..3_u32).prop_map(|cell| Value::Handle(Handle(cell))),
        Just(Value::Unencodable(Unencodable::Circular)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::list),
            prop::collection::vec((name(), inner), 0..3).prop_map(Value::map),
        ]
    })
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["payload", "req", "a", "b"])
}

fn path() -> impl Strategy<Value = Path> {
    let segment =
        prop_oneof![3 => name().prop_map(|name| Segment::Key(name.into())), 1 => (0..2_u32).prop_map(Segment::Index)];
    prop::collection::vec(segment, 0..4).prop_map(|segments| Path(segments.into()))
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        value().prop_map(Expr::Literal),
        path().prop_map(Expr::Message),
        Just(Expr::Now),
        Just(Expr::Event(EventField::Message)),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            prop::collection::vec((name().prop_map(Into::into), inner.clone()), 0..3).prop_map(Expr::Map),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::List),
            inner.clone().prop_map(|of| Expr::WithoutFirst { cut: "t".into(), of: Box::new(of) }),
            inner.clone().prop_map(|of| Expr::Require { of: Box::new(of), fault: Box::new(fault()) }),
            inner.clone().prop_map(|of| Expr::Truthy(Box::new(of))),
            inner.clone().prop_map(|of| Expr::UncheckedClaims(Box::new(of))),
            inner.clone().prop_map(|of| Expr::Before { cut: "t".into(), of: Box::new(of) }),
            (inner.clone(), inner.clone())
                .prop_map(|(scheme, of)| Expr::AfterScheme { schemes: vec![scheme], of: Box::new(of) }),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(present, then, otherwise)| Expr::Choose {
                present: Box::new(present),
                then: Box::new(then),
                otherwise: Box::new(otherwise)
            }),
            (inner, path()).prop_map(|(of, path)| Expr::Member { of: Box::new(of), path }),
        ]
    })
}

fn steps() -> impl Strategy<Value = Vec<ShapeStep>> {
    let step = prop_oneof![
        (path(), expr()).prop_map(|(to, expr)| ShapeStep::Set(to, expr)),
        (path(), expr()).prop_map(|(to, expr)| ShapeStep::SetPresent(to, expr)),
        (path(), path()).prop_map(|(from, to)| ShapeStep::Move(from, to)),
        path().prop_map(ShapeStep::Delete),
        value().prop_map(ShapeStep::Replace),
    ];
    (prop::collection::vec(step, 0..4), any::<bool>()).prop_map(|(mut steps, drop)| {
        steps.extend(drop.then_some(ShapeStep::Drop));
        steps
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        Just(Op::Pass),
        steps().prop_map(|steps| Op::Shape { steps, otherwise: ScriptIx(0) }),
        steps().prop_map(Op::Assign),
        Just(Op::Script(ScriptIx(0))),
        path().prop_map(|into| Op::Issue { token: TokenIx(0), into }),
        path().prop_map(|into| Op::Verify { policy: PolicyIx(0), into }),
        Just(Op::Reply(ReplyIx(0))),
        expr().prop_map(|value| Op::Log { level: LogLevel::Info, value }),
        Just(Op::Raise(fault())),
    ]
}

fn fault() -> Fault {
    Fault::new(FaultKind::Script, "broken")
}

type Edges = Vec<Vec<u32>>;

fn flow() -> impl Strategy<Value = ValidFlow> {
    let edges = || prop::collection::vec(prop::collection::vec(0..5_u32, 0..3), 0..3);
    let node = (op(), edges(), edges(), steps());
    (prop::collection::vec(node, 5), expr(), expr(), any::<i64>()).prop_map(|(nodes, claim, token, seconds)| {
        let sketch = nodes.into_iter().fold(Sketch::default(), |sketch, (op, wires, handlers, dress)| {
            with_node(sketch, op, &wires, &handlers, &dress)
        });
        with_tables(sketch, claim, token, seconds).valid()
    })
}

fn with_node(sketch: Sketch, op: Op, wires: &Edges, handlers: &Edges, dress: &[ShapeStep]) -> Sketch {
    let served = op.outputs().unwrap_or(wires.len());
    let outputs: Vec<&[u32]> = wires.iter().take(served).map(Vec::as_slice).collect();
    let mut sketch = sketch.node(op, &outputs);
    let handler = |node: &u32| Handler { node: plan::NodeIx(*node), dress: dress.into() };
    let handlers = Handlers(handlers.iter().map(|group| group.iter().map(handler).collect()).collect());
    let node = sketch.flow.nodes.last_mut().unwrap();
    node.on_error = handlers.clone();
    node.on_status = handlers;
    sketch
}

fn with_tables(mut sketch: Sketch, claim: Expr, token: Expr, seconds: i64) -> Sketch {
    let key = KeySource::Given("k".into());
    sketch.flow.scripts.push(script_plan());
    sketch.flow.tokens.push(TokenPlan {
        algorithm: hs256(),
        switches: Switches::NONE,
        header: vec![],
        claims: vec![
            ClaimPlan::From { name: "data".into(), value: claim, absent: AbsentClaim::LeaveOut },
            ClaimPlan::Expires,
            ClaimPlan::IssuedAt,
        ],
        lifetime: Lifetime::Seconds(seconds),
        key,
    });
    let times = ExpiryRules { exp_required: true, iat_checked: true, leeway_secs: 300 };
    sketch.flow.policies.push(VerifyPlan { times, claims: JsonRules::Exact, ..policy(token) });
    sketch
}

/// Any answer, fitting or not; one that does not fit must be refused and change nothing.
fn answer() -> impl Strategy<Value = fn(Value) -> Answer> {
    let answers: Vec<fn(Value) -> Answer> = vec![
        |_| Answer::Signed("a.b.c".into()),
        |_| Answer::Verified(br#"{"exp":1800000000,"iat":1}"#.as_slice().into()),
        |_| Answer::Refused(Refusal::Token(TokenFlaw::Signature, "".into())),
        |_| Answer::Refused(Refusal::Key(FaultKind::KeyMissing, "".into())),
        |_| Answer::Replied,
        |_| Answer::Declined("nobody".into()),
        |_| Answer::Failed(fault()),
        |value| Answer::Script(ScriptEvent::Send(vec![vec![value.clone(), value]])),
        |value| Answer::Script(ScriptEvent::Fault { fault: fault(), message: Some(value) }),
        |value| Answer::Script(ScriptEvent::Status(value)),
        |value| Answer::Script(ScriptEvent::Cell { handle: 0, value }),
        |value| Answer::Script(ScriptEvent::Done(Some(value))),
        |_| Answer::Script(ScriptEvent::Rest),
    ];
    prop::sample::select(answers)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn a_valid_flow_never_panics_and_comes_to_rest(
        flow in flow(),
        message in value(),
        cell in value(),
        answers in prop::collection::vec((answer(), value()), ANSWERS_MAX),
    ) {
        let mut run = Run::start(&flow, TriggerIx(0), message, Cells::new(vec![cell]));
        let mut answers = answers.into_iter();
        let mut now = Context { now_epoch_ms: 1_700_000_000_000, random: 1 };
        let mut open: Vec<AskId> = Vec::new();
        let mut ticks = 1;
        loop {
            now.now_epoch_ms += ticks;
            match run.step(&now) {
                Step::Ask(id, _) => open.push(id),
                Step::Told(_) => {}
                Step::Rest => break,
                Step::Waiting => {
                    let Some((answer, value)) = answers.next() else {
                        // Nobody answers any more: every ask fails at once, and what that leads to is ended in turn.
                        ticks = 0;
                        for id in std::mem::take(&mut open) {
                            let _ = run.answer(id, Answer::Failed(fault()), &now);
                        }
                        continue;
                    };
                    for id in &open {
                        let _ = run.answer(*id, answer(value.clone()), &now);
                    }
                }
            }
        }
    }
}
