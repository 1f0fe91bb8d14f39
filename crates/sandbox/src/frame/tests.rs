//! Frames there and back, and frames that no honest worker writes.
#![allow(clippy::unwrap_used, reason = "tests")]

use plan::{Date, Fault, FaultKind, Handle, LogLevel, Number, Path, ScriptEvent, Segment, Unencodable, Value};
use proptest::prelude::*;

use super::{
    FRAME_VALUES_MAX, FrameFault, FromWorker, Program, SCRIPT_FRAME_BYTES_MAX, ToWorker, VALUE_DEPTH_MAX, read, write,
};
use crate::speech::{Part, Question, Reach, SyntaxFault};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::integer),
        any::<f64>()
            .prop_filter("equal to itself", |float| !float.is_nan())
            .prop_map(|f| Value::Number(Number::Float(f))),
        "[0-9]{1,30}".prop_map(|digits| Value::Number(Number::Literal(digits.into()))),
        ".*".prop_map(Value::text),
        any::<Vec<u8>>().prop_map(|octets| Value::Bytes(octets.into())),
        any::<f64>().prop_map(|epoch_ms| Value::Date(Date { epoch_ms })),
        any::<u32>().prop_map(|handle| Value::Handle(Handle(handle))),
        Just(Value::Unencodable(Unencodable::Circular)),
        "[0-9]{1,30}".prop_map(|digits| Value::Unencodable(Unencodable::BigInt(digits.into()))),
        Just(Value::Unencodable(Unencodable::Function)),
        ("[a-z]{0,9}", "[gi]{0,2}")
            .prop_map(|(source, flags)| { Value::from(plan::Regexp { source: source.into(), flags: flags.into() }) }),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::list),
            proptest::collection::vec((".{0,8}", inner), 0..8).prop_map(Value::map),
        ]
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    let kinds = [FaultKind::Script, FaultKind::ScriptTimeout, FaultKind::ScriptMemory, FaultKind::ScriptUnavailable];
    let texts = (proptest::option::of(".{0,9}"), ".{0,9}", proptest::option::of(".{0,9}"));
    (proptest::sample::select(kinds.to_vec()), texts, value(), value()).prop_map(
        |(kind, (code, message, stack), cause, thrown)| Fault {
            kind,
            code: code.map(Into::into),
            message: message.into(),
            stack: stack.map(Into::into),
            cause,
            thrown,
        },
    )
}

fn said() -> impl Strategy<Value = FromWorker> {
    let event = prop_oneof![
        proptest::collection::vec(proptest::collection::vec(value(), 0..3), 0..3).prop_map(ScriptEvent::Send),
        (fault(), proptest::option::of(value())).prop_map(|(fault, message)| ScriptEvent::Fault { fault, message }),
        ".*".prop_map(|text| ScriptEvent::Log { level: LogLevel::Warn, text: text.into() }),
        value().prop_map(ScriptEvent::Status),
        (any::<u32>(), value()).prop_map(|(handle, value)| ScriptEvent::Cell { handle, value }),
        proptest::option::of(value()).prop_map(ScriptEvent::Done),
        Just(ScriptEvent::Rest),
    ];
    let path = proptest::collection::vec(
        prop_oneof![".*".prop_map(|name| Segment::Key(name.into())), any::<u32>().prop_map(Segment::Index)],
        0..4,
    )
    .prop_map(|segments| Path(segments.into()));
    let question = prop_oneof![
        path.clone().prop_map(|path| Question::Read { reach: Reach::Node, store: "".into(), path }),
        (path, value()).prop_map(|(path, value)| Question::Write {
            reach: Reach::Section,
            store: "file".into(),
            path,
            value
        }),
        Just(Question::Keys { reach: Reach::Document, store: "".into() }),
    ];
    let broken = SyntaxFault { part: Part::Finalize, line: 3, message: "m".into() };
    prop_oneof![
        (any::<u64>(), event).prop_map(|(call, event)| FromWorker::Said { call, event }),
        (any::<u64>(), question).prop_map(|(call, question)| FromWorker::Asked { call, question }),
        Just(FromWorker::Checked(Ok(()))),
        Just(FromWorker::Checked(Err(broken))),
        proptest::option::of(any::<u32>()).prop_map(|due_ms| FromWorker::Paused { due_ms }),
        (any::<u64>(), any::<u32>(), value()).prop_map(|(call, id, wish)| FromWorker::Wished { call, id, wish }),
    ]
}

fn told() -> impl Strategy<Value = ToWorker> {
    let program = (".*", ".*", any::<u32>()).prop_map(|(surface, source, cpu_ms)| Program {
        surface: surface.into(),
        source: source.into(),
        cpu_ms,
        ..Program::default()
    });
    prop_oneof![
        (any::<u32>(), any::<u32>(), program.clone()).prop_map(|(script, surface, program)| ToWorker::Load {
            script,
            surface,
            program
        }),
        (any::<u32>(), ".*").prop_map(|(surface, text)| ToWorker::Surface { surface, text: text.into() }),
        (any::<u32>(), any::<u64>()).prop_map(|(script, call)| ToWorker::Begin { script, call }),
        (any::<u32>(), any::<u64>(), value(), proptest::collection::vec(value(), 0..3))
            .prop_map(|(script, call, message, cells)| ToWorker::Message { script, call, message, cells }),
        (any::<u32>(), any::<u64>()).prop_map(|(script, call)| ToWorker::End { script, call }),
        program.prop_map(|program| ToWorker::Check { program }),
        Just(ToWorker::Tick),
        value().prop_map(|value| ToWorker::Answer(Ok(value))),
        ".*".prop_map(|why| ToWorker::Answer(Err(why.into()))),
        (any::<u32>(), any::<u64>(), any::<u32>(), value()).prop_map(|(script, call, id, value)| ToWorker::Fulfil {
            script,
            call,
            id,
            outcome: Ok(value)
        }),
        any::<u64>().prop_map(|call| ToWorker::Drop { call }),
        any::<u32>().prop_map(|script| ToWorker::Forget { script }),
    ]
}

fn written(said: &FromWorker) -> Vec<u8> {
    let mut octets = Vec::new();
    write(&mut octets, said).unwrap();
    octets
}

proptest! {
    #[test]
    fn what_a_worker_says_comes_back(said in said()) {
        let octets = written(&said);
        prop_assert_eq!(read::<FromWorker>(&octets).unwrap(), Some((said, octets.len())));
    }

    #[test]
    fn what_a_worker_is_told_comes_back(told in told()) {
        let mut octets = vec![1, 2, 3];
        write(&mut octets, &told).unwrap();
        prop_assert_eq!(read::<ToWorker>(&octets[3..]).unwrap(), Some((told, octets.len() - 3)));
    }

    /// A frame that is cut is no frame yet, and one whose body is cut is none at all.
    #[test]
    fn a_frame_is_read_whole_or_not_at_all(said in said(), cut in any::<prop::sample::Index>()) {
        let octets = written(&said);
        let kept = cut.index(octets.len());
        prop_assert_eq!(read::<FromWorker>(&octets[..kept]).unwrap(), None);
        let mut shortened = octets[..kept.max(4)].to_vec();
        let body = u32::try_from(shortened.len() - 4).unwrap();
        shortened[..4].copy_from_slice(&body.to_le_bytes());
        prop_assert!(read::<FromWorker>(&shortened).is_err());
    }

    /// SE-63: whatever a worker writes, the reader says what is wrong with it or reads a frame that is one.
    #[test]
    fn garbage_is_refused_or_means_something(body in proptest::collection::vec(prop_oneof![0u8..16, any::<u8>()], 0..200)) {
        let mut octets = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
        octets.extend(body);
        if let Ok(Some((said, taken))) = read::<FromWorker>(&octets) {
            prop_assert_eq!(taken, octets.len());
            prop_assert!(read::<FromWorker>(&written(&said)).is_ok());
        }
    }
}

fn nested(depth: u32) -> Value {
    (0..depth).fold(Value::Null, |inner, _| Value::list(vec![inner]))
}

#[test]
fn each_bound_passes_what_reaches_it_and_refuses_one_more() {
    let mut out = Vec::new();
    assert_eq!(write(&mut out, &ToWorker::Answer(Ok(nested(VALUE_DEPTH_MAX)))), Ok(()));
    assert!(read::<ToWorker>(&out).is_ok());
    let before = out.clone();
    assert_eq!(write(&mut out, &ToWorker::Answer(Ok(nested(VALUE_DEPTH_MAX + 1)))), Err(FrameFault::TooDeep));
    let many = |count: u32| ToWorker::Answer(Ok(Value::list(vec![Value::Null; count as usize - 1])));
    assert_eq!(write(&mut out, &many(FRAME_VALUES_MAX + 1)), Err(FrameFault::TooMany));
    assert_eq!(out, before, "a refused frame leaves nothing behind");
    assert_eq!(write(&mut out, &many(FRAME_VALUES_MAX)), Ok(()));
    // Two tags and four octets of length stand before the text.
    let text = |bytes: usize| ToWorker::Answer(Ok(Value::text("x".repeat(bytes))));
    assert_eq!(write(&mut out, &text(SCRIPT_FRAME_BYTES_MAX - 7)), Ok(()));
    assert_eq!(write(&mut out, &text(SCRIPT_FRAME_BYTES_MAX - 6)), Err(FrameFault::TooLarge));
}

#[test]
fn shared_subtrees_do_not_grow_a_frame_without_bound() {
    let doubled = (0..60).fold(Value::Null, |inner, _| Value::list(vec![inner.clone(), inner]));
    let outcome = write(&mut Vec::new(), &ToWorker::Answer(Ok(doubled)));
    assert_eq!(outcome, Err(FrameFault::TooMany));
}

/// SE-63: a frame that promises more than the bound, or more values than octets, is refused before room is made for it.
#[test]
fn promises_beyond_the_bounds_are_refused_at_once() {
    let oversized = u32::try_from(SCRIPT_FRAME_BYTES_MAX + 1).unwrap().to_le_bytes();
    assert_eq!(read::<FromWorker>(&oversized).unwrap_err(), FrameFault::TooLarge);
    // `Said`, call 0, `Status`, a list of 2^60 values.
    let body = [0, 0, 3, 10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
    let frame: Vec<u8> = 13u32.to_le_bytes().into_iter().chain(body).collect();
    assert_eq!(read::<FromWorker>(&frame).unwrap_err(), FrameFault::Short);
}

/// SE-63: a worker cannot claim a fault that only the engine may raise.
#[test]
fn a_worker_may_only_raise_faults_of_scripts() {
    let fault = Fault::new(FaultKind::KeyMissing, "x");
    let event = ScriptEvent::Fault { fault, message: None };
    assert_eq!(write(&mut Vec::new(), &FromWorker::Said { call: 0, event }), Err(FrameFault::Tag));
}
