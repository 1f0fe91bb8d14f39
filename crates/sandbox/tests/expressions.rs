//! Expressions in JSONata: what they give, what they ask, and what holds them.
mod support;

use std::time::{Duration, Instant};

use plan::{Cells, ExpressionFunction, ExpressionPlan, FaultKind, Handle, OriginIx, ScriptEvent, Value};
use sandbox::{Conversation, Question, Said};
use support::{json, pool};

fn expression(source: &str) -> ExpressionPlan {
    let functions = ["stored", "refused"].map(|name| (name.into(), ExpressionFunction::Same));
    ExpressionPlan {
        prelude: "".into(),
        origin: OriginIx(0),
        source: source.into(),
        functions: functions.into(),
        cpu_ms: 500,
        code: None,
        complaint: "".into(),
    }
}

fn input() -> Value {
    let list = Value::list(vec![Value::integer(3), Value::integer(1), Value::integer(2)]);
    Value::map([
        ("list", list),
        ("name", Value::text("Ada")),
        ("octets", Value::Bytes([1, 2].as_slice().into())),
        ("none", Value::Null),
        ("req", Value::Handle(Handle(0))),
    ])
}

fn cells() -> Cells {
    Cells::new(vec![Value::map([("query", Value::map([("a", Value::text("b"))]))])])
}

/// The value, or the kind and text of the fault. The function `stored` gives its argument doubled as a list, `refused`
/// nothing.
async fn outcome(mut conversation: Conversation) -> Result<Value, (FaultKind, String)> {
    let mut outcome = Ok(Value::Undefined);
    loop {
        let said = tokio::time::timeout(Duration::from_secs(60), conversation.next()).await.expect("it rests in time");
        match said {
            Said::Event(ScriptEvent::Rest) => return outcome,
            Said::Event(ScriptEvent::Send(outputs)) => outcome = Ok(outputs[0][0].clone()),
            Said::Event(ScriptEvent::Fault { fault, .. }) => outcome = Err((fault.kind, fault.message.to_string())),
            Said::Question(Question::Call { function, arguments }) if &*function == "stored" => {
                conversation.answer(Ok(Value::list([arguments.clone(), arguments].concat())));
            }
            Said::Question(_) => conversation.answer(Err("it is refused".into())),
            Said::Wish { .. } | Said::Paused => {}
            Said::Event(other) => panic!("{other:?}"),
        }
    }
}

async fn eval(source: &str) -> Result<Value, (FaultKind, String)> {
    outcome(pool().evaluate(&expression(source), &input(), &cells())).await
}

#[tokio::test]
async fn an_expression_gives_a_value() {
    for (source, expected) in [
        ("$sum(list)", "6"),
        ("list^($)[0]", "1"),
        ("{\"n\": $uppercase(name), \"x\": none}", r#"{"n":"ADA","x":null}"#),
        ("req.query.a", "\"b\""),
        ("$random() < 1 and $random() >= 0", "true"),
        ("$stored(name)", r#"["Ada","Ada"]"#),
        ("$type($now())", "\"string\""),
    ] {
        assert_eq!(json(&eval(source).await.unwrap()), expected, "{source}");
    }
    assert_eq!(eval("nothing").await, Ok(Value::Undefined));
    assert_eq!(eval("octets").await, Ok(Value::Bytes([1, 2].as_slice().into())), "octets are passed on");
}

#[tokio::test]
async fn what_goes_wrong_is_a_fault_without_a_code() {
    for (source, told) in [
        ("1 +", "Unexpected end of expression"),
        ("name * 2", "The left side of the * operator must evaluate to a number"),
        ("$error(\"boom\")", "boom"),
        ("$refused(1)", "it is refused"),
        ("$nothing(1)", "Attempted to invoke a non-function"),
    ] {
        let (kind, text) = eval(source).await.unwrap_err();
        assert_eq!(kind, FaultKind::Script, "{source}");
        assert!(text.starts_with(told), "{source}: {text}");
    }
    assert!(pool().check_expression(&expression("1 +")).await.is_err());
    assert_eq!(pool().check_expression(&expression("1 + 1")).await, Ok(()));
}

/// Expressions that would run, call or grow without end: each ends in a fault, and the next evaluation is served.
#[tokio::test]
async fn a_hostile_expression_is_held() {
    let pool = pool();
    let deep = format!("{}1{}", "(".repeat(50_000), ")".repeat(50_000));
    let nested = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    for source in [
        "($f := function($n) { $f($n + 1) }; $f(0))",
        "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
        "$map([1..1000000], function($v) { $map([1..1000000], function($w) { $v * $w }) })",
        "[1..10000000]",
        "($d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) }; $length($d(\"x\", 40)))",
        "$pad(\"x\", 4000000000)",
        "($x := [1..500000]; $x.($x.($x)))",
        "$eval(\"$eval(\\\"1\\\")\") ~> $sort ~> $reduce(function($a, $b) { $a })  ~> $error",
        "$match($pad(\"\", 100000, \"a\"), /(a+)+$/) ~> $count ~> $error",
        &deep,
        &nested,
    ] {
        let begun = Instant::now();
        let told = outcome(pool.evaluate(&expression(source), &input(), &cells())).await;
        let shown: String = source.chars().take(60).collect();
        assert!(told.is_err(), "{shown}: {told:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{shown}: {:?} {told:?}", begun.elapsed());
        let next = outcome(pool.evaluate(&expression("1 + 1"), &input(), &cells())).await;
        assert_eq!(next, Ok(Value::integer(2)), "after {shown}");
    }
}
