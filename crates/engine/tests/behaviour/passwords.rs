//! Passwords: what is asked for a message, and where it goes on.

use plan::{Answer, Ask, Expr, Fault, FaultKind, Op, PasswordAsk, PasswordPlan, Path, SecretRef, Value};

use super::support::{Sketch, logged, payload};

fn signing_in() -> Sketch {
    let plan = PasswordPlan::SignIn {
        shown: Expr::Message(Path::keys(["payload"])),
        user: "ann".into(),
        password: SecretRef { owner: "o".into(), field: "f".into() },
        missing: Box::new(Fault::new(FaultKind::Configuration, "none set")),
    };
    let dress = vec![plan::ShapeStep::Set(Path::keys(["payload"]), Expr::Event(plan::EventField::Message))];
    let sketch = Sketch::default().node(Op::Password(Box::new(plan)), &[&[1], &[2]]).on_error(&[&[3]], dress);
    sketch.log("payload").log("payload").log("payload")
}

/// NR-45 (part): who signs in leaves output 1 and everybody else output 2; without a password nobody leaves either.
#[test]
fn signing_in_chooses_the_output() {
    let told = |outcome: Value| {
        logged(&signing_in().run(payload(Value::text("x")), |_| vec![Answer::Password(outcome.clone())]))
    };
    assert_eq!(told(Value::Bool(true)), [(1, Value::text("x"))]);
    assert_eq!(told(Value::Bool(false)), [(2, Value::text("x"))]);
    assert_eq!(told(Value::Undefined), [(3, Value::text("none set"))]);
}

#[test]
fn what_is_no_text_shows_nothing_and_is_not_hashed() {
    signing_in().run(payload(Value::integer(1)), |ask| {
        assert!(matches!(ask, Ask::Password(PasswordAsk::SignIn { shown, .. }) if shown.is_empty()), "{ask:?}");
        vec![Answer::Password(Value::Bool(false))]
    });
    let of = Expr::Message(Path::keys(["payload"]));
    let plan = PasswordPlan::Hash { of, cost: 4, into: Path::keys(["payload"]) };
    let told = Sketch::default().node(Op::Password(Box::new(plan)), &[&[]]).run_alone(payload(Value::integer(1)));
    assert!(format!("{told:?}").contains("Illegal arguments: number, string"), "{told:?}");
}
