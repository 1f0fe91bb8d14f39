//! Asking somebody outside: what the answer leads to.

use plan::{Answer, Ask, Expr, Fault, FaultKind, FetchIx, Fetched, Op, Path, Value};

use super::support::{Sketch, logged, payload};

fn fetching(told: &[&[u32]]) -> Sketch {
    let (to, busy) = (Expr::Message(Path::keys(["payload"])), Value::text("busy"));
    let mut sketch = Sketch::default().node(Op::Fetch { fetch: FetchIx(0), to, busy }, told);
    sketch.flow.fetches = 1;
    sketch
}

fn answer(fault: Option<&str>, message: Option<Value>) -> Vec<Answer> {
    let fault = fault.map(|text| Fault::new(FaultKind::FetchFailed, text));
    vec![Answer::Fetched(Box::new(Fetched {
        warnings: vec!["w".into()],
        fault,
        faulty: None,
        status: Value::text("free"),
        message,
    }))]
}

/// What the node itself says while it asks: its statuses, and the warning between them.
fn said() -> Vec<(u32, Value)> {
    ["busy", "w", "free"].map(|text| (0, Value::text(text))).to_vec()
}

#[test]
fn what_came_back_goes_on_after_what_went_wrong() {
    let mut asked = Vec::new();
    let told = fetching(&[&[1]]).on_error(&[&[2]], Vec::new()).log("payload").log("payload").run(
        payload(Value::text("there")),
        |ask| {
            let Ask::Fetch { to, .. } = ask else { panic!("{ask:?}") };
            asked.push(to.clone());
            answer(Some("late"), Some(payload(Value::text("came"))))
        },
    );
    assert_eq!(asked, [Value::text("there")]);
    let led_to = [(2, Value::text("there")), (1, Value::text("came"))];
    assert_eq!(logged(&told), [&said()[..], &led_to].concat());
}

#[test]
fn a_fault_may_bring_the_message_that_it_is_raised_on() {
    let fault = Some(Fault::new(FaultKind::FetchFailed, "refused"));
    let faulty = Some(payload(Value::text("what came back")));
    let mut answers = vec![Answer::Fetched(Box::new(Fetched { fault, faulty, ..Fetched::default() }))];
    let told = fetching(&[&[2]])
        .on_error(&[&[1]], Vec::new())
        .log("payload")
        .log("payload")
        .run(payload(Value::text("there")), |_| std::mem::take(&mut answers));
    assert_eq!(logged(&told), [(0, Value::text("busy")), (1, Value::text("what came back"))]);
}

#[test]
fn a_node_is_done_though_nothing_is_sent_on() {
    let told = fetching(&[&[1]])
        .on_done(&[&[1]], Vec::new())
        .log("payload")
        .run(payload(Value::text("there")), |_| answer(None, None));
    assert_eq!(logged(&told), [&said()[..], &[(1, Value::text("there"))]].concat());
}

#[test]
fn the_status_says_that_it_waits_and_that_it_is_over() {
    let status = vec![plan::ShapeStep::Set(Path::keys(["payload"]), Expr::Event(plan::EventField::Status))];
    let told =
        fetching(&[]).on_status(&[&[1]], status).log("payload").run(payload(Value::Null), |_| answer(None, None));
    let led_to = [(1, Value::text("busy")), (1, Value::text("free"))];
    assert_eq!(logged(&told), [&said()[..], &led_to].concat());
}
