//! JSON: what the reader takes, what it refuses and where, what the writer writes.

use jose::json::{Event, JsonErrorKind, Limits, Position, Reader, Value, write_number, write_value};

const LIMITS: Limits = Limits { depth: 4, members: 3, values: 20 };

fn refusal(input: &[u8]) -> (JsonErrorKind, usize) {
    let error = Value::parse(input, LIMITS).expect_err(&String::from_utf8_lossy(input));
    (error.kind, error.offset)
}

fn rewritten(input: &str) -> String {
    let value = Value::parse(input.as_bytes(), Limits::REQUEST).unwrap();
    let mut out = Vec::new();
    write_value(&mut out, &value);
    String::from_utf8(out).unwrap()
}

#[test]
fn each_kind_of_value_is_read_and_written_as_it_was() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E400",
        "123456789012345678901234567890",
        "\"\"",
        "\"a/b \u{7f} \u{2028} ä 😀\"",
        "[]",
        "{}",
        r#"{"z":[1,{"a":null}],"b":{},"a":[[],[]]}"#,
    ] {
        assert_eq!(rewritten(text), text);
    }
}

/// JO-44, B-55: order, integer text, Unicode, `/` unescaped, null and empty values.
#[test]
fn escapes_are_resolved_and_written_as_json_stringify_does() {
    assert_eq!(
        rewritten(r#" [ "\"\\\/\b\f\n\r\t\u00e4\uD83D\uDE00\u0000\u001f" ] "#),
        "[\"\\\"\\\\/\\b\\f\\n\\r\\tä😀\\u0000\\u001f\"]"
    );
    assert_eq!(
        rewritten(r#"{"b":1000000000000000000000000000000,"a":1e21,"":"","n":null}"#),
        r#"{"b":1000000000000000000000000000000,"a":1e21,"":"","n":null}"#
    );
}

#[test]
fn what_is_not_json_is_refused_at_its_place() {
    use JsonErrorKind::{ByteOrderMark, Control, End, Escape, Number, Surrogate, Trailing, Unexpected, Utf8};
    let value = Unexpected { expected: "a value" };
    let end_value = End { expected: "a value" };
    let in_array = Unexpected { expected: "`,` or `]`" };
    let name = Unexpected { expected: "the name of a member, in double quotes" };
    let quote = End { expected: "the closing quote of a text" };
    let cases: &[(&[u8], JsonErrorKind, usize)] = &[
        (b"", end_value, 0),
        (b"  ", end_value, 2),
        (b"\xEF\xBB\xBF{}", ByteOrderMark, 0),
        (b"\"a\xFF\"", Utf8, 2),
        (b"\"\xED\xA0\x80\"", Utf8, 1),
        (b"{\0}", name, 1),
        (b"nul", value, 0),
        (b"True", value, 0),
        (b"NaN", value, 0),
        (b"+1", value, 0),
        (b"01", Number, 1),
        (b"-", Number, 1),
        (b"1.", Number, 2),
        (b".5", value, 0),
        (b"1e", Number, 2),
        (b"-Infinity", Number, 1),
        (b"1 2", Trailing, 2),
        (b"{}}", Trailing, 2),
        (b"[1,]", value, 3),
        (b"[1 2]", in_array, 3),
        (b"[1}", in_array, 2),
        (b"[", end_value, 1),
        (b"{\"a\"}", Unexpected { expected: "`:`" }, 4),
        (b"{\"a\":}", value, 5),
        (b"{\"a\":1,}", name, 7),
        (b"{\"a\":1]", Unexpected { expected: "`,` or `}`" }, 6),
        (b"{'a':1}", name, 1),
        (b"{a:1}", name, 1),
        (b"\"a", quote, 2),
        (b"\"\\n", quote, 3),
        (b"\"a\nb\"", Control, 2),
        (b"\"\\x41\"", Escape, 1),
        (b"\"\\u12g4\"", Escape, 1),
        (b"\"\\u12", Escape, 1),
        (b"\"\\", Escape, 1),
        (b"\"\\uD800\"", Surrogate, 1),
        (b"\"\\uD800\\n\"", Surrogate, 1),
        (b"\"\\uD800\\uD800\"", Surrogate, 1),
        (b"\"\\uDC00\"", Surrogate, 1),
        (b"[1]/*x*/", Trailing, 3),
    ];
    for (input, kind, offset) in cases {
        assert_eq!(refusal(input), (*kind, *offset), "{}", String::from_utf8_lossy(input));
    }
}

/// SE-31 (part): a member twice is refused at any depth, however its name is spelled; the second one is named.
#[test]
fn a_repeated_member_is_refused_at_the_second() {
    assert_eq!(refusal(br#"{"a":1,"b":2,"a":3}"#), (JsonErrorKind::Duplicate, 13));
    assert_eq!(refusal(br#"[{"x":{"a":1,"\u0061":2}}]"#), (JsonErrorKind::Duplicate, 13));
    let mut wide: String = (0..40).map(|n| format!("\"m{n}\":0,")).collect();
    wide = format!("{{{wide}\"m7\":1,\"m3\":1}}");
    let error = Value::parse(wide.as_bytes(), Limits::REQUEST).unwrap_err();
    assert_eq!((error.kind, error.offset), (JsonErrorKind::Duplicate, wide.find("\"m7\":1").unwrap()));
}

/// JO-57, SE-32: depth, members and values at the limit pass, one beyond is refused.
#[test]
fn limits_hold_exactly() {
    assert!(Value::parse(b"[[[[]]]]", LIMITS).is_ok());
    assert_eq!(refusal(b"[[[[[]]]]]"), (JsonErrorKind::Depth { max: 4 }, 4));
    assert!(Value::parse(br#"{"a":1,"b":1,"c":1}"#, LIMITS).is_ok());
    assert_eq!(refusal(br#"{"a":1,"b":1,"c":1,"d":1}"#).0, JsonErrorKind::Members { max: 3 });
    let array = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    assert!(Value::parse(array(19).as_bytes(), LIMITS).is_ok());
    assert_eq!(refusal(array(20).as_bytes()).0, JsonErrorKind::Values { max: 20 });
}

/// SE-32: a depth of 100 000 neither overflows the reader's stack nor that of a tree.
#[test]
fn bottomless_nesting_costs_no_stack() {
    let limits = Limits { depth: usize::MAX, members: 10, values: usize::MAX };
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let mut reader = Reader::new(deep.as_bytes(), limits).unwrap();
    reader.skip_value().unwrap();
    assert_eq!(reader.next_event().unwrap(), None);
    assert!(matches!(Value::parse(deep.as_bytes(), limits).unwrap_err().kind, JsonErrorKind::Depth { .. }));
}

#[test]
fn events_borrow_and_know_their_place() {
    let text = br#"{"a": [12, "x\ty"]}"#;
    let mut reader = Reader::new(text, Limits::REQUEST).unwrap();
    let mut seen = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        seen.push((event, reader.offset()));
    }
    let expected = [
        (Event::ObjectStart, 0),
        (Event::Name("a".into()), 1),
        (Event::ArrayStart, 6),
        (Event::Number("12"), 7),
        (Event::Text("x\ty".into()), 11),
        (Event::ArrayEnd, 17),
        (Event::ObjectEnd, 18),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn skipping_passes_over_one_value() {
    let mut reader = Reader::new(br#"{"a":{"b":[1,{}]},"c":2}"#, Limits::REQUEST).unwrap();
    assert_eq!(reader.next_event().unwrap(), Some(Event::ObjectStart));
    assert_eq!(reader.next_event().unwrap(), Some(Event::Name("a".into())));
    reader.skip_value().unwrap();
    assert_eq!(reader.next_event().unwrap(), Some(Event::Name("c".into())));
    reader.skip_value().unwrap();
    assert_eq!(reader.next_event().unwrap(), Some(Event::ObjectEnd));
    assert_eq!(reader.next_event().unwrap(), None);
}

#[test]
fn places_count_lines_and_characters() {
    let text = "{\n  \"ä\": x".as_bytes();
    let error = Value::parse(text, Limits::REQUEST).unwrap_err();
    assert_eq!(error.position(text), Position { line: 2, column: 8 });
    assert_eq!(error.position(text).to_string(), "line 2, column 8");
}

/// B-55: NaN and the infinities have no text.
#[test]
fn doubles_are_written_as_javascript_writes_them() {
    let written = |number: f64| {
        let mut out = Vec::new();
        write_number(&mut out, number).then(|| String::from_utf8(out).unwrap())
    };
    assert_eq!(written(1e21).unwrap(), "1e+21");
    assert_eq!(written(1_760_000_000.0).unwrap(), "1760000000");
    assert_eq!(written(-0.0).unwrap(), "0");
    assert_eq!(written(0.1).unwrap(), "0.1");
    assert_eq!(written(f64::NAN), None);
    assert_eq!(written(f64::INFINITY), None);
}
