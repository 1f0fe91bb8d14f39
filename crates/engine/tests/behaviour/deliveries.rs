//! In which order messages are delivered, who hears of what, and where a run ends.

use crate::support::{NOW, Sketch, drive, logged, payload, sends};
use engine::{Run, Step, Told};
use plan::{
    Answer, Cells, EventField, Expr, Fault, FaultKind, FaultText, Handle, LogLevel, NodeIx, Op, Path, ReplyIx,
    ScriptEvent, ShapeStep, TriggerIx, Value,
};

fn set(name: &str, value: Expr) -> ShapeStep {
    ShapeStep::Set(Path::keys([name]), value)
}

fn text(text: &str) -> Value {
    Value::text(text)
}

/// NR-57: messages a and b over wires 1 and 2 arrive as 1a 1b 2a 2b, and outputs are served in ascending order.
#[test]
fn outputs_then_wires_then_messages() {
    let sketch = Sketch::default().script(&[&[1, 2], &[3]]).log("payload").log("payload").log("payload");
    let both = vec![payload(text("a")), payload(text("b"))];
    let told = sketch.run(payload(Value::Null), |_| sends(vec![both.clone(), vec![payload(text("c"))]]));
    let expected = [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (3, "c")].map(|(node, it)| (node, text(it)));
    assert_eq!(logged(&told), expected);
}

/// NR-56: what one branch writes into its message the other does not see, and what stands behind a handle both see.
#[test]
fn branches_have_messages_of_their_own_and_share_handles() {
    let change = Op::Assign(vec![
        set("payload", Expr::Literal(text("changed"))),
        ShapeStep::Set(Path::keys(["req", "seen"]), Expr::Literal(Value::Bool(true))),
    ]);
    let look = Op::Log {
        level: LogLevel::Info,
        value: Expr::List(vec![Expr::Message(Path::keys(["payload"])), Expr::Message(Path::keys(["req", "seen"]))]),
    };
    let flow = Sketch::default().node(Op::Pass, &[&[1, 2]]).node(change, &[]).node(look, &[]).valid();
    let message = Value::map([("payload", text("as it was")), ("req", Value::Handle(Handle(0)))]);
    let mut run = Run::start(&flow, TriggerIx(0), message, Cells::new(vec![Value::map::<&str>([])]));
    let told = drive(&mut run, |_| vec![]);
    assert_eq!(logged(&told), [(2, Value::list(vec![text("as it was"), Value::Bool(true)]))]);
}

/// NR-62: the first group that has members takes a fault, all of its members hear of it, later groups do not.
#[test]
fn the_first_group_with_members_takes_the_fault() {
    let fault = Fault::new(FaultKind::Script, "broken").with_code("E");
    let dress = vec![
        set("message", Expr::Event(EventField::Message)),
        set("code", Expr::Event(EventField::Code)),
        set("id", Expr::Event(EventField::SourceId)),
        set("count", Expr::Event(EventField::SourceCount)),
    ];
    let told = Sketch::default()
        .node(Op::Raise(fault), &[])
        .on_error(&[&[], &[1, 2, 3, 4], &[5]], dress)
        .log("message")
        .log("code")
        .log("id")
        .log("count")
        .log("payload")
        .run_alone(payload(Value::Null));
    let expected = [(1, text("broken")), (2, text("E")), (3, text("n0")), (4, Value::integer(1))];
    assert_eq!(logged(&told), expected);
}

#[test]
fn a_fault_that_nobody_takes_is_told_in_the_words_of_the_dialect() {
    let mut sketch = Sketch::default().node(Op::Raise(Fault::new(FaultKind::KeyMissing, "n7.secret")), &[]);
    let words = FaultText { code: "ERR_NO_KEY".into(), message: "No key is set.".into() };
    sketch.flow.faults.insert(FaultKind::KeyMissing, words);
    let told = sketch.run_alone(payload(Value::Null));
    let [Told::Uncaught { fault, .. }] = told.as_slice() else { panic!("one fault: {told:?}") };
    assert_eq!(fault.code.as_deref(), Some("ERR_NO_KEY"));
    assert_eq!(&*fault.message, "No key is set. (n7.secret)");
}

/// NR-63: a handler that leads back to the node that fails is cut off at its tenth fault, which is told once.
#[test]
fn the_tenth_fault_in_a_row_is_dropped() {
    let told = Sketch::default()
        .node(Op::Raise(Fault::new(FaultKind::Script, "again")), &[])
        .on_error(&[&[1]], vec![set("count", Expr::Event(EventField::SourceCount))])
        .node(Op::Pass, &[&[2, 0]])
        .log("count")
        .run_alone(payload(Value::Null));
    let (loops, lines): (Vec<_>, Vec<_>) = told.into_iter().partition(|it| matches!(it, Told::FaultLoop { .. }));
    assert_eq!(loops.len(), 1);
    let counts = logged(&lines).into_iter().map(|(_, count)| count);
    assert!(counts.eq((1..=9).map(Value::integer)));
}

/// NR-63: the row is counted even if a script on the way sends a message of its own.
#[test]
fn a_new_message_inherits_the_count() {
    let told = Sketch::default()
        .node(Op::Raise(Fault::new(FaultKind::Script, "again")), &[])
        .on_error(&[&[1]], vec![])
        .script(&[&[0]])
        .run(payload(Value::Null), |_| sends(vec![vec![payload(text("fresh"))]]));
    assert!(matches!(told.as_slice(), [Told::FaultLoop { .. }]), "{told:?}");
}

/// NR-68: done is heard after the message went on, status with a message that starts from nothing.
#[test]
fn done_and_status_edges() {
    let told = Sketch::default()
        .script(&[&[1]])
        .on_done(&[&[2]], vec![set("from", Expr::Event(EventField::SourceId))])
        .on_status(&[&[3]], vec![set("status", Expr::Event(EventField::Status))])
        .log("payload")
        .log("from")
        .node(Op::Log { level: LogLevel::Info, value: Expr::Message(Path::default()) }, &[])
        .run(payload(text("in")), |_| {
            let mut said = vec![Answer::Script(ScriptEvent::Status(text("green")))];
            said.extend(sends(vec![vec![payload(text("out"))]]));
            said.insert(2, Answer::Script(ScriptEvent::Done(None)));
            said
        });
    let shown = Value::map([("status", text("green"))]);
    assert_eq!(logged(&told), [(0, text("green")), (3, shown), (1, text("out")), (2, text("n0"))]);
}

#[test]
fn a_circle_that_never_waits_ends_and_names_the_node() {
    let told = Sketch::default().node(Op::Pass, &[&[1]]).node(Op::Pass, &[&[0]]).run_alone(payload(Value::Null));
    assert_endless(&told);
}

#[test]
fn messages_that_multiply_end_the_run() {
    let told = Sketch::default().node(Op::Pass, &[&[0, 0]]).run_alone(payload(Value::Null));
    assert_endless(&told);
}

/// A step that puts copies of the payload into a new one.
fn wrap(copies: usize) -> Op {
    let payload = || Expr::Message(Path::keys(["payload"]));
    Op::Assign(vec![set("payload", Expr::List((0..copies).map(|_| payload()).collect()))])
}

#[test]
fn a_message_that_is_put_into_itself_again_and_again_goes_no_further() {
    for copies in [1, 2, 1_000] {
        let told = Sketch::default().node(wrap(copies), &[&[0]]).run_alone(payload(Value::Null));
        let [Told::Uncaught { fault, .. }] = told.as_slice() else { panic!("one fault: {told:?}") };
        assert_eq!(fault.kind, FaultKind::Oversized, "{copies}");
    }
}

#[test]
fn a_message_may_grow_up_to_the_bound() {
    let told = Sketch::default().node(wrap(300), &[&[1]]).node(wrap(300), &[&[2]]).log("payload");
    assert!(matches!(told.run_alone(payload(Value::Null)).as_slice(), [Told::Log { .. }]));
    let told = Sketch::default().node(wrap(320), &[&[1]]).node(wrap(320), &[&[2]]).log("payload");
    assert!(matches!(told.run_alone(payload(Value::Null)).as_slice(), [Told::Uncaught { .. }]));
}

fn assert_endless(told: &[Told]) {
    let [Told::Uncaught { fault, .. }] = told else { panic!("one fault: {told:?}") };
    assert_eq!(fault.kind, FaultKind::Endless);
}

#[test]
fn a_circle_that_waits_goes_on() {
    let flow = Sketch::default().script(&[&[0]]).valid();
    let mut run = Run::start(&flow, TriggerIx(0), payload(Value::Null), Cells::default());
    let mut now = NOW;
    for _ in 0..engine::DELIVERIES_UNWAITED_MAX + 10 {
        let Step::Ask(id, _) = run.step(&now) else { panic!("the script is called again") };
        now.now_epoch_ms += engine::WAIT_MS_MIN;
        for said in sends(vec![vec![payload(Value::Null)]]) {
            run.answer(id, said, &now).unwrap();
        }
    }
}

#[test]
fn an_open_ask_holds_only_its_own_message() {
    let flow = Sketch::default().node(Op::Pass, &[&[1, 2]]).script(&[]).log("payload").valid();
    let mut run = Run::start(&flow, TriggerIx(0), payload(text("on")), Cells::default());
    let Step::Ask(id, _) = run.step(&NOW) else { panic!("the script is called") };
    assert!(matches!(run.step(&NOW), Step::Told(Told::Log { .. })));
    assert!(matches!(run.step(&NOW), Step::Waiting));
    run.answer(id, Answer::Script(ScriptEvent::Rest), &NOW).unwrap();
    assert!(matches!(run.step(&NOW), Step::Rest));
    assert!(run.answer(id, Answer::Script(ScriptEvent::Rest), &NOW).is_err(), "the ask is closed");
}

#[test]
fn an_answer_of_another_kind_is_refused_and_leaves_the_ask_open() {
    let flow = Sketch::default().node(Op::Reply(ReplyIx(0)), &[]).valid();
    let mut run = Run::start(&flow, TriggerIx(0), payload(Value::Null), Cells::default());
    let Step::Ask(id, _) = run.step(&NOW) else { panic!("a reply is asked for") };
    assert!(run.answer(id, Answer::Signed("t".into()), &NOW).is_err());
    assert!(matches!(run.step(&NOW), Step::Waiting));
    run.answer(id, Answer::Replied, &NOW).unwrap();
    assert!(matches!(run.step(&NOW), Step::Rest));
}

/// NR-83: a second reply that fails reaches the handlers; a message that leads to nobody only warns.
#[test]
fn a_reply_may_fail_or_be_declined() {
    let sketch = || Sketch::default().node(Op::Reply(ReplyIx(0)), &[]).on_error(&[&[1]], vec![]).log("payload");
    let again = Fault::new(FaultKind::AlreadyReplied, "");
    let told = sketch().run(payload(text("late")), |_| vec![Answer::Failed(again.clone())]);
    assert_eq!(logged(&told), [(1, text("late"))]);
    let told = sketch().run(payload(text("late")), |_| vec![Answer::Declined("nobody waits".into())]);
    assert!(matches!(told.as_slice(), [Told::Log { level: LogLevel::Warn, .. }]), "{told:?}");
}

#[test]
fn a_run_may_begin_at_any_node() {
    let flow = Sketch::default().log("payload").node(Op::Pass, &[&[2]]).log("payload").valid();
    let told = |node| drive(&mut Run::at(&flow, NodeIx(node), payload(text("in"))), |_| vec![]);
    assert_eq!(logged(&told(1)), [(2, text("in"))]);
    assert_eq!(told(3), [], "there is no such node");
}

/// What has no place is a fault of the dialect's own words, raised behind what was done before; nothing on the way is lost.
#[test]
fn a_value_without_a_place_is_a_fault() {
    let place = |way: &[&str]| ShapeStep::Place {
        to: Path(way.iter().map(|name| plan::Segment::Key((*name).into())).collect()),
        value: Expr::Literal(text("new")),
        otherwise: Box::new(Fault::new(FaultKind::ValueUnfit, "no place")),
    };
    let run = |way: &[&str], message: Value| {
        let sketch =
            Sketch::default().node(Op::Assign(vec![set("before", Expr::Literal(text("done"))), place(way)]), &[&[1]]);
        let dress = vec![set("payload", Expr::Message(Path::keys(["before"])))];
        logged(&sketch.on_error(&[&[2]], dress).log("payload").log("payload").run_alone(message))
    };
    let made = Value::map([("a", Value::map([("b", text("new"))]))]);
    assert_eq!(run(&["payload", "a", "b"], Value::map::<&str>([])), [(1, made)]);
    for leaf in [text("leaf"), Value::Null, Value::integer(1), Value::list(vec![])] {
        assert_eq!(run(&["payload", "a"], payload(leaf)), [(2, text("done"))]);
    }
}

/// Steps that stand for a script leave the untouched message to it where one of them cannot be taken.
#[test]
fn a_step_without_a_place_leaves_all_to_the_script() {
    let place = ShapeStep::Place {
        to: Path::keys(["payload", "a"]),
        value: Expr::Literal(text("new")),
        otherwise: Box::new(Fault::new(FaultKind::ValueUnfit, "never told")),
    };
    let run = |message: Value| {
        let mut asked = Vec::new();
        let mut sketch = Sketch::default().script(&[&[1]]);
        let steps = vec![set("before", Expr::Literal(text("done"))), place.clone()];
        sketch.flow.nodes[0].op = Op::Shape { steps, otherwise: plan::ScriptIx(0) };
        let told = sketch.log("payload").run(message, |ask| {
            let plan::Ask::Script { message, .. } = ask else { panic!("{ask:?}") };
            asked.push(message.clone());
            sends(vec![vec![payload(text("by script"))]])
        });
        (logged(&told), asked)
    };
    let (told, asked) = run(payload(text("leaf")));
    assert_eq!((told, asked), (vec![(1, text("by script"))], vec![payload(text("leaf"))]));
    let (told, asked) = run(Value::map::<&str>([]));
    assert_eq!((told, asked.len()), (vec![(1, Value::map([("a", text("new"))]))], 0));
}
