//! Calls that return, that do not, and that nobody answers to.

use std::collections::BTreeMap;

use crate::support::{NOW, Sketch, logged, payload, sends};
use engine::{Run, Step, Told};
use plan::{Answer, Ask, Callee, Cells, Expr, Fault, FaultKind, NodeIx, Op, Path, TriggerIx, Value};

fn pending() -> Path {
    Path::keys(["calls"])
}

fn fault(kind: FaultKind, text: &str) -> Box<Fault> {
    Box::new(Fault::new(kind, text))
}

fn call(callee: Callee) -> Op {
    Op::Call { callee, pending: pending(), timeout_ms: 30, overdue: fault(FaultKind::CallOverdue, "timeout") }
}

/// Node 0 calls node 1, a script; node 2 gives back; node 3 hears of what came back, node 4 of faults.
fn calling(callee: Callee) -> Sketch {
    Sketch::default()
        .node(call(callee), &[&[3]])
        .on_error(&[&[4]], vec![])
        .script(&[&[2]])
        .node(Op::Return { pending: pending() }, &[])
        .log("payload")
        .log("payload")
}

fn node() -> Callee {
    Callee::Node(NodeIx(1))
}

/// Steps until nothing more comes; scripts send what they get, changed, this often.
fn go(run: &mut Run, times: usize, elapse: bool) -> Vec<Told> {
    let mut told = Vec::new();
    let mut waits = Vec::new();
    loop {
        match run.step(&NOW) {
            Step::Ask(id, Ask::Wait { delay_ms: 30 }) => waits.push(id),
            Step::Ask(id, Ask::Script { message, .. }) => {
                let mut changed = message;
                Path::keys(["payload"]).write(&mut changed, &mut Cells::default(), Value::text("served"));
                for answer in sends(vec![vec![changed; times]]) {
                    run.answer(id, answer, &NOW).unwrap();
                }
            }
            Step::Ask(_, other) => panic!("only waits and scripts: {other:?}"),
            Step::Told(it) => told.push(it),
            Step::Waiting if elapse => waits.drain(..).for_each(|id| run.answer(id, Answer::Elapsed, &NOW).unwrap()),
            Step::Waiting | Step::Rest => {
                waits.drain(..).for_each(|id| run.answer(id, Answer::Elapsed, &NOW).unwrap());
                return told;
            }
        }
    }
}

fn started(sketch: Sketch) -> Run {
    Run::start(&sketch.valid(), TriggerIx(0), payload(Value::text("asked")), Cells::default())
}

/// NR-69: a call comes back to its caller, and the time that was set for it means nothing any more.
#[test]
fn a_call_returns_to_its_caller() {
    let mut run = started(calling(node()));
    assert_eq!(logged(&go(&mut run, 1, false)), [(3, Value::text("served"))]);
    assert!(matches!(run.step(&NOW), Step::Rest));
}

/// NR-69: what comes back a second time is sent on, too.
#[test]
fn a_second_return_is_sent_on() {
    let served = || (3, Value::text("served"));
    assert_eq!(logged(&go(&mut started(calling(node())), 2, false)), [served(), served()]);
}

/// NR-69: a call that is lost is a fault on the message as it was sent, once its time is over.
#[test]
fn a_lost_call_is_a_fault() {
    assert_eq!(logged(&go(&mut started(calling(node())), 0, true)), [(4, Value::text("asked"))]);
}

/// NR-69: a name that nobody has, or two have, is a catchable fault that tells the name.
#[test]
fn a_call_by_name() {
    let by = |name: &str| Callee::Named {
        name: Expr::Literal(Value::text(name)),
        nodes: BTreeMap::from([("one".into(), vec![NodeIx(1)]), ("two".into(), vec![NodeIx(1), NodeIx(2)])]).into(),
        unknown: fault(FaultKind::CalleeUnknown, "no '{name}'"),
        ambiguous: fault(FaultKind::CalleeUnknown, "many '{name}'"),
    };
    assert_eq!(logged(&go(&mut started(calling(by("one"))), 1, false)), [(3, Value::text("served"))]);
    for (name, message) in [("none", "no 'none'"), ("two", "many 'two'")] {
        let mut sketch = calling(by(name));
        sketch.flow.nodes[0].on_error = plan::Handlers::default();
        let told = go(&mut started(sketch), 1, false);
        assert!(matches!(&told[..], [Told::Uncaught { fault, .. }] if &*fault.message == message), "{told:?}");
    }
}

#[test]
fn a_return_without_a_call_only_warns() {
    let sketch = Sketch::default().node(Op::Return { pending: pending() }, &[]);
    let [(0, _)] = &logged(&sketch.run_alone(payload(Value::Null)))[..] else { panic!("one warning") };
}
