//! What edits and branches do to a message, and what they ask for.

use crate::support::{Sketch, logged, payload};
use engine::Told;
use plan::{
    Answer, Ask, BranchPlan, Edit, Expr, ExpressionIx, Fault, FaultKind, JsonWay, Op, Path, Root, Scope, Segment, Slot,
    Template, TemplateSource, Test, Turn, Value, ValueType, Variable, Way,
};

fn at(names: &[&str]) -> Slot {
    Slot::message(Path(names.iter().map(|name| Segment::Key((*name).into())).collect()))
}

fn variable(name: &str) -> Slot {
    Slot { root: Root::Cell(Scope::Document), way: Path::keys([name]).into() }
}

fn editing(edits: Vec<Edit>) -> Sketch {
    Sketch::default()
        .node(Op::Edit(edits), &[&[1]])
        .node(Op::Log { level: plan::LogLevel::Info, value: Expr::Message(Path::default()) }, &[])
}

/// The message behind these edits.
fn edited(edits: Vec<Edit>, message: Value) -> Value {
    let [(1, message)] = &logged(&editing(edits).run_alone(message))[..] else { panic!("one message") };
    message.clone()
}

fn set(to: Slot, value: Expr) -> Edit {
    Edit { to, value }
}

fn text(value: &str) -> Expr {
    Expr::Literal(Value::text(value))
}

/// NR-93: undefined takes out what stands there, unless it was read from the members of nothing; what is missing is made on the way, with gaps in lists.
#[test]
fn an_edit_writes_and_takes_out() {
    let deep = Way([Turn::To(Segment::Key("payload".into())), Turn::To(Segment::Index(2))].into());
    let message = edited(
        vec![
            set(Slot { root: Root::Message, way: deep }, text("v")),
            set(at(&["gone"]), Expr::Slot(at(&["none"]))),
            set(at(&["kept"]), Expr::Slot(at(&["none", "deeper"]))),
        ],
        Value::map([("gone", Value::Null), ("kept", Value::Null)]),
    );
    let list = Value::list(vec![Value::Undefined, Value::Undefined, Value::text("v")]);
    assert_eq!(message, Value::map([("kept", Value::Null), ("payload", list)]));
}

/// NR-95: a way through `__proto__` writes nothing, and says so.
#[test]
fn nothing_is_written_through_the_prototype() {
    let edits = vec![set(at(&["payload", "__proto__", "x"]), text("v")), set(at(&["__proto__"]), text("v"))];
    let told = editing(edits).run_alone(payload(Value::map::<&str>([])));
    let [(0, _), (0, _), (1, message)] = &logged(&told)[..] else { panic!("two warnings, one message: {told:?}") };
    assert_eq!(*message, payload(Value::map::<&str>([])));
}

/// Variables are asked for one after the other, in the order of the edits.
#[test]
fn variables_are_read_and_written_by_asking() {
    let edits =
        vec![set(variable("kept"), Expr::Slot(at(&["payload"]))), set(at(&["payload"]), Expr::Slot(variable("other")))];
    let mut asked = Vec::new();
    let told = editing(edits).run(payload(Value::integer(7)), |ask| {
        if let Ask::Write(variable, value) = ask {
            asked.push(("write", variable.clone(), value.clone()));
            return vec![Answer::Written];
        }
        let Ask::Read(variable) = ask else { panic!("only variables: {ask:?}") };
        asked.push(("read", variable.clone(), Value::Undefined));
        vec![Answer::Value(Value::text("x"))]
    });
    let named = |name: &str| Variable { scope: Scope::Document, path: Path::keys([name]) };
    assert_eq!(asked, [("write", named("kept"), Value::integer(7)), ("read", named("other"), Value::Undefined)]);
    assert_eq!(logged(&told), [(1, payload(Value::text("x")))]);
}

fn evaluated(expression: u32) -> Expr {
    Expr::Evaluated { expression: ExpressionIx(expression), input: Box::new(Expr::Message(Path::keys(["payload"]))) }
}

/// Each edit's expression sees the message as the edits before have left it; its fault is the node's.
#[test]
fn an_expression_is_asked_for_what_it_makes_of_the_message() {
    let edits = || vec![set(at(&["payload"]), evaluated(0)), set(at(&["twice"]), evaluated(1))];
    let mut asked = Vec::new();
    let told = editing(edits()).expressions(2).run(payload(Value::integer(1)), |ask| {
        let Ask::Evaluate { expression, input } = ask else { panic!("only expressions: {ask:?}") };
        asked.push((expression.0, input.clone()));
        vec![Answer::Value(Value::integer(5))]
    });
    assert_eq!(asked, [(0, Value::integer(1)), (1, Value::integer(5))]);
    let message = Value::map([("payload", Value::integer(5)), ("twice", Value::integer(5))]);
    assert_eq!(logged(&told), [(1, message)]);
    let failing = |_: &Ask| vec![Answer::Failed(Fault::new(FaultKind::Script, "no"))];
    let told = editing(edits()).expressions(2).run(payload(Value::Null), failing);
    assert!(matches!(&told[..], [Told::Uncaught { fault, .. }] if fault.kind == FaultKind::Script), "{told:?}");
}

/// Only what is needed to decide is asked for, and only `true` holds.
#[test]
fn a_branch_evaluates_up_to_the_first_test_that_holds() {
    let decided = |answers: [Value; 2]| {
        let tests = vec![Test::Holds(evaluated(0)), Test::Holds(evaluated(1)), Test::Otherwise];
        let plan = BranchPlan { on: text("x"), tests, all: false, remember: None };
        let outputs: [&[u32]; 3] = [&[1], &[2], &[3]];
        let sketch = Sketch::default().node(Op::Branch(Box::new(plan)), &outputs).expressions(2);
        let mut asked = 0;
        let told = sketch.log("payload").log("payload").log("payload").run(payload(Value::Null), |ask| {
            let Ask::Evaluate { expression, .. } = ask else { panic!("only expressions: {ask:?}") };
            asked += 1;
            vec![Answer::Value(answers[expression.0 as usize].clone())]
        });
        (asked, logged(&told)[0].0)
    };
    assert_eq!(decided([Value::Bool(true), Value::Bool(true)]), (1, 1));
    assert_eq!(decided([Value::integer(1), Value::Bool(true)]), (2, 2));
    assert_eq!(decided([Value::text("true"), Value::Undefined]), (2, 3));
}

fn rendered(template: &str, message: Value) -> Result<Value, FaultKind> {
    let value = Expr::Rendered {
        template: TemplateSource::Ready(Template::parse(template).unwrap()),
        constants: Value::map([("env", Value::map([("E", Value::text("e"))]))]),
        variables: vec![("flow".into(), Scope::Section("s".into()))],
        json_texts: false,
    };
    let told = editing(vec![set(at(&["out"]), value)]).run(message, |ask| {
        let Ask::Read(variable) = ask else { panic!("a variable: {ask:?}") };
        assert_eq!(*variable, Variable { scope: Scope::Section("s".into()), path: Path::keys(["k", "l"]) });
        vec![Answer::Value(Value::integer(7))]
    });
    match &told[..] {
        [Told::Log { value, .. }] => Ok(value.as_map().unwrap().get("out").unwrap().clone()),
        [Told::Uncaught { fault, .. }] => Err(fault.kind),
        other => panic!("a message or a fault: {other:?}"),
    }
}

/// NR-94: `/` is escaped too, what is absent is empty, sections repeat; variables and constants come last.
#[test]
fn a_template_is_filled_in() {
    let list = Value::list(vec![Value::map([("a", Value::integer(1))]), Value::map([("a", Value::integer(2))])]);
    let message = || Value::map([("payload", list.clone()), ("t", Value::text("</'\">`=&"))]);
    for (template, expected) in [
        ("{{t}}", "&lt;&#x2F;&#39;&quot;&gt;&#x60;&#x3D;&amp;"),
        ("{{{t}}}{{&t}}", "</'\">`=&</'\">`=&"),
        ("[{{none}}{{none.deeper}}{{payload.a}}]", "[]"),
        ("{{#payload}}<{{a}}{{{t}}}{{/payload}}", "<1</'\">`=&<2</'\">`=&"),
        ("{{^payload}}x{{/payload}}{{payload.length}}{{^none}}y{{/none}}", "2y"),
        ("{{env.E}}{{flow.k.l}}{{flow[memory].k.l}}", "e77"),
    ] {
        assert_eq!(rendered(template, message()), Ok(Value::text(expected)), "{template}");
    }
}

#[test]
fn a_template_that_writes_without_end_is_stopped() {
    let list = || Value::list(vec![Value::Bool(true); 2_000]);
    let template = "{{#a}}{{#b}}{{/b}}{{#b}}{{/b}}{{/a}}";
    let nested = "{{#a}}{{#b}}{{^a}}{{/a}}{{/b}}{{/a}}";
    assert!(rendered(template, Value::map([("a", list()), ("b", list())])).is_ok());
    assert_eq!(rendered(nested, Value::map([("a", list()), ("b", list())])), Err(FaultKind::Oversized));
}

#[test]
fn text_that_doubles_for_ever_ends_the_message() {
    let twice = Expr::Rendered {
        template: TemplateSource::Ready(Template::parse("{{{payload}}}{{{payload}}}").unwrap()),
        constants: Value::Undefined,
        variables: vec![],
        json_texts: false,
    };
    let told = Sketch::default()
        .node(Op::Edit(vec![set(at(&["payload"]), twice)]), &[&[0]])
        .run_alone(payload(Value::text("x".repeat(1_000))));
    assert!(matches!(&told[..], [Told::Uncaught { fault, .. }] if fault.kind == FaultKind::Oversized), "{told:?}");
}

/// NR-94: JSON both ways; what is no JSON is a fault and the message ends.
#[test]
fn json_is_read_and_written() {
    let go = |way, value: Value| {
        let json = Expr::Json { of: Box::new(Expr::Slot(at(&["payload"]))), way, indent: 0 };
        editing(vec![set(at(&["payload"]), json)]).run_alone(payload(value))
    };
    let done = |way, value| match &logged(&go(way, value))[..] {
        [(1, message)] => message.as_map().unwrap().get("payload").cloned(),
        other => panic!("one message: {other:?}"),
    };
    let map = || Value::map([("a", Value::list(vec![Value::Bool(true)]))]);
    let json = || Value::text(r#"{"a":[true]}"#);
    assert_eq!(done(JsonWay::Toggle, json()), Some(map()));
    assert_eq!(done(JsonWay::Toggle, map()), Some(json()));
    assert_eq!(done(JsonWay::Toggle, Value::Null), Some(Value::text("null")));
    assert_eq!(done(JsonWay::Read, map()), Some(map()));
    assert_eq!(done(JsonWay::Read, Value::Bytes(b"[1]".as_slice().into())), Some(Value::list(vec![Value::integer(1)])));
    assert_eq!(done(JsonWay::Write, json()), Some(json()));
    let told = go(JsonWay::Read, Value::text("{"));
    assert!(matches!(&told[..], [Told::Uncaught { fault, .. }] if fault.kind == FaultKind::ValueUnfit));
}

/// The outputs that a value takes.
fn branched(tests: Vec<Test>, all: bool, message: Value) -> Vec<u32> {
    let outputs: Vec<Vec<u32>> = (1..=u32::try_from(tests.len()).unwrap()).map(|to| vec![to]).collect();
    let wires: Vec<&[u32]> = outputs.iter().map(Vec::as_slice).collect();
    let plan = BranchPlan { on: Expr::Slot(at(&["payload"])), tests, all, remember: None };
    let mut sketch = Sketch::default().node(Op::Branch(Box::new(plan)), &wires);
    for _ in &outputs {
        sketch = sketch.log("payload");
    }
    logged(&sketch.run_alone(message)).into_iter().map(|(node, _)| node).collect()
}

fn number(value: i64) -> Expr {
    Expr::Literal(Value::integer(value))
}

/// NR-93: loose comparisons, the other case, and the first or all.
#[test]
fn a_message_takes_the_outputs_whose_tests_hold() {
    let compared =
        || vec![Test::Equal(number(1)), Test::Less(text("2")), Test::Between(number(9), number(0)), Test::Otherwise];
    assert_eq!(branched(compared(), true, payload(Value::text("1"))), [1, 2, 3]);
    assert_eq!(branched(compared(), false, payload(Value::text("1"))), [1]);
    assert_eq!(branched(compared(), true, payload(Value::text("x"))), [4]);
    let again = vec![Test::Otherwise, Test::Equal(number(1)), Test::Otherwise, Test::Something, Test::Otherwise];
    assert_eq!(branched(again.clone(), true, payload(Value::integer(1))), [1, 2, 4]);
    assert_eq!(branched(again, true, payload(Value::integer(2))), [1, 4]);
}

/// NR-93: types, emptiness and members.
#[test]
fn values_are_told_apart() {
    let tests = || {
        vec![
            Test::Empty,
            Test::NotEmpty,
            Test::Nothing,
            Test::Type(ValueType::Object),
            Test::Type(ValueType::Json),
            Test::Has(text("length")),
            Test::Has(text("0")),
            Test::Is(true),
        ]
    };
    let taken = |value: Value| branched(tests(), true, payload(value));
    assert_eq!(taken(Value::text("")), [1, 6]);
    assert_eq!(taken(Value::text("{}")), [2, 5, 6, 7]);
    assert_eq!(taken(Value::Null), [3, 5]);
    assert_eq!(taken(Value::map([("length", Value::Undefined)])), [2, 4, 6]);
    assert_eq!(taken(Value::list(vec![Value::integer(1)])), [2, 5, 6, 7]);
    assert_eq!(taken(Value::Bytes([5].as_slice().into())), [2, 7]);
    assert_eq!(taken(Value::Bool(true)), [5, 8]);
}

#[test]
fn a_test_that_refuses_ends_the_message() {
    let refuse = Test::Refuse(Box::new(Fault::new(FaultKind::Configuration, "no")));
    let plan = BranchPlan { on: text("x"), tests: vec![Test::Something, refuse], all: true, remember: None };
    let told = Sketch::default()
        .node(Op::Branch(Box::new(plan)), &[&[1], &[1]])
        .log("payload")
        .run_alone(payload(Value::Null));
    assert!(matches!(&told[..], [Told::Uncaught { .. }]), "nothing is sent before every test is decided: {told:?}");
}

/// NR-93: a branch may compare with the value of the message before.
#[test]
fn a_branch_remembers_its_value() {
    let scope = || Scope::Node("n0".into());
    let previous = Slot { root: Root::Cell(scope()), way: Path::keys(["previous"]).into() };
    let plan = BranchPlan {
        on: Expr::Slot(at(&["payload"])),
        tests: vec![Test::Equal(Expr::Slot(previous))],
        all: true,
        remember: Some((scope(), "previous".into())),
    };
    let mut kept = Value::Undefined;
    let mut taken = Vec::new();
    for value in [1, 1, 2] {
        let sketch = Sketch::default().node(Op::Branch(Box::new(plan.clone())), &[&[1]]).log("payload");
        let told = sketch.run(payload(Value::integer(value)), |ask| {
            if let Ask::Write(_, value) = ask {
                kept = value.clone();
                return vec![Answer::Written];
            }
            assert!(matches!(ask, Ask::Read(_)), "only variables: {ask:?}");
            vec![Answer::Value(kept.clone())]
        });
        taken.push(told.len());
    }
    assert_eq!(taken, [0, 1, 0]);
}
