//! Holding messages back: what a message orders, and where it goes on.

use plan::{Answer, Ask, Fault, FaultKind, HoldMembers, HoldMode, HoldOrder, HoldPlan, Op, Passage, Value};

use super::support::{Sketch, logged};

fn holding(mode: HoldMode) -> Sketch {
    let orders = HoldMembers {
        empty: "empty".into(),
        release: "release".into(),
        wait: Some("wait".into()),
        pace: None,
        front: "front".into(),
        topic: "topic".into(),
        always: "id".into(),
    };
    let overfull = Fault::new(FaultKind::ValueUnfit, "full");
    let op = Op::Hold(Box::new(HoldPlan { mode, orders, overfull }));
    Sketch::default().node(op, &[&[1], &[2]]).log("release").log("topic")
}

fn ordered(members: &[(&str, Value)]) -> HoldOrder {
    let mut seen = None;
    let message = Value::map(members.iter().map(|(name, value)| (*name, value.clone())));
    holding(HoldMode::Each { from_ms: 0.0, to_ms: 0.0 }).run(message, |ask| {
        let Ask::Hold { order, .. } = ask else { panic!("{ask:?}") };
        seen = Some(order.clone());
        vec![Answer::Passed(Passage::Away)]
    });
    seen.unwrap()
}

#[test]
fn a_message_orders_by_its_members() {
    assert_eq!(ordered(&[("id", Value::Null)]), HoldOrder::default());
    let order = ordered(&[("wait", Value::text("12ms")), ("topic", Value::text("t")), ("front", Value::Bool(true))]);
    let expected = HoldOrder {
        wait_ms: Some(12.0),
        topic: Value::text("t"),
        front: true,
        says_more: true,
        ..HoldOrder::default()
    };
    assert_eq!(order, expected);
    let order = ordered(&[("empty", Value::Bool(false)), ("release", Value::integer(2)), ("wait", Value::text("x"))]);
    assert_eq!((order.empties, order.releases, order.wait_ms), (true, Some(2), None));
    assert_eq!(ordered(&[("release", Value::Bool(true)), ("id", Value::Null)]).releases, Some(u64::MAX));
    assert!(!ordered(&[("release", Value::Bool(true)), ("id", Value::Null)]).says_more);
}

#[test]
fn a_message_goes_on_aside_or_nowhere() {
    let message = || Value::map([("release", Value::integer(1)), ("topic", Value::text("t"))]);
    let line = || holding(HoldMode::Line { every_ms: 1.0 });
    let each = || holding(HoldMode::Each { from_ms: 0.0, to_ms: 0.0 });
    let told = |sketch: Sketch, passage| logged(&sketch.run(message(), |_| vec![Answer::Passed(passage)]));
    assert_eq!(told(each(), Passage::Through), [(1, Value::integer(1))]);
    assert_eq!(told(line(), Passage::Through), [(1, Value::Undefined)], "its order was obeyed");
    assert_eq!(told(line(), Passage::Aside), [(2, Value::text("t"))]);
    assert_eq!(told(line(), Passage::Away), []);
}
