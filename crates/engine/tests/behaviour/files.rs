//! Files: what is asked for a message, and where it goes on.

use plan::{Answer, Ask, EventField, Expr, Fault, FaultKind, FilePlan, Op, Path, ShapeStep, Value};

use super::support::{Sketch, logged, payload};

/// Node 0 reads the file that the payload names; node 1 logs the payload and node 2 `error`; node 3 logs what is caught.
fn reading(failed: Option<Path>) -> Sketch {
    let plan = FilePlan {
        name: Expr::Message(Path::keys(["payload"])),
        named: Path::keys(["filename"]),
        unnamed: "no name".into(),
        read_as: None,
        into: Path::keys(["payload"]),
        failed,
    };
    let caught = vec![ShapeStep::Set(Path::keys(["payload"]), Expr::Event(EventField::Message))];
    let sketch = Sketch::default().node(Op::ReadFile(Box::new(plan)), &[&[1, 2]]).on_error(&[&[3]], caught);
    sketch.log("payload").log("error").log("payload")
}

#[test]
fn what_stands_in_the_file_goes_on() {
    let told = reading(None).run(payload(Value::text("a.txt")), |ask| {
        assert!(matches!(ask, Ask::ReadFile(name) if &**name == "a.txt"), "{ask:?}");
        vec![Answer::File(Ok(b"octets".as_slice().into()))]
    });
    assert_eq!(logged(&told), [(1, Value::Bytes(b"octets".as_slice().into())), (2, Value::Undefined)]);
}

#[test]
fn a_message_without_a_name_ends_with_a_line_in_the_log() {
    for nothing in [Value::text(""), Value::Undefined] {
        assert_eq!(logged(&reading(None).run_alone(payload(nothing))), [(0, Value::text("no name"))]);
    }
}

#[test]
fn a_failed_read_is_caught_and_goes_on_only_where_it_is_asked_to() {
    let told = |failed| {
        let fault = || Fault::new(FaultKind::FileUnread, "gone").with_code("ENOENT");
        let told = reading(failed).run(payload(Value::text("a")), |_| vec![Answer::File(Err(fault()))]);
        logged(&told)
    };
    assert_eq!(told(None), [(3, Value::text("gone"))]);
    let error = Value::map([("code", Value::text("ENOENT")), ("message", Value::text("gone"))]);
    let mut lines = told(Some(Path::keys(["error"])));
    lines.sort_by_key(|(node, _)| *node);
    assert_eq!(lines, [(1, Value::Undefined), (2, error), (3, Value::text("gone"))]);
}
