//! Messages into answers: what Node-RED 5.0.7 was seen to answer with the same messages (contract section 11).

#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use dialects::node_red::{self, Exchange, Found, LowerSettings, Peer, Rendered, ResponseNode, RouteTable};
use http::{Method, Request, Response};
use plan::{Cells, Date, Fault, FaultKind, Handle, Map, Number, Unencodable, Value};

/// A request to the one route there is, and what its reply is made from.
fn exchange(method: Method, target: &str, headers: &[(&str, &str)]) -> (Value, Cells, Exchange) {
    let nodes = br#"[{"id":"i","type":"http in","method":"get","url":"/"},{"id":"p","type":"http in","method":"post","url":"/"}]"#;
    let settings = LowerSettings { environment: &Default::default(), jwt_any_hmac: false };
    let routes = node_red::lower("case", nodes, &settings).unwrap().routes;
    let table = RouteTable::new(routes.into_iter().map(|route| (route, ())));
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::new()).unwrap();
    let Found::Route { route, parameters, .. } = table.find(request.method(), request.uri().path()) else {
        panic!("no route")
    };
    let peer = Peer { address: "127.0.0.1".to_owned(), encrypted: false };
    let accepted = node_red::accept(route, parameters, &request, &peer, "0123456789abcdef").unwrap();
    (accepted.message, accepted.cells, accepted.exchange)
}

fn with(message: &Value, members: &[(&str, Value)]) -> Value {
    let mut map: Map = message.as_map().unwrap().clone();
    for (name, value) in members {
        map.insert((*name).into(), value.clone());
    }
    map.into()
}

fn rendered(
    node: &ResponseNode,
    members: &[(&str, Value)],
    (message, cells, mut exchange): (Value, Cells, Exchange),
) -> Result<Response<Bytes>, Fault> {
    match node_red::render(node, &with(&message, members), &cells, &mut exchange, 0)? {
        Rendered::Answer(answer) => Ok(answer),
        Rendered::NobodyWaits => panic!("nobody waits"),
    }
}

fn get() -> (Value, Cells, Exchange) {
    exchange(Method::GET, "/", &[])
}

fn answer(members: &[(&str, Value)]) -> Result<Response<Bytes>, Fault> {
    rendered(&ResponseNode::default(), members, get())
}

fn header(answer: &Response<Bytes>, name: &str) -> Option<String> {
    let lines: Vec<_> = answer.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    (!lines.is_empty()).then(|| lines.join(" | "))
}

fn number(value: f64) -> Value {
    Value::Number(Number::Float(value))
}

/// NR-79: bodies and types by the kind of payload.
#[test]
fn a_payload_becomes_a_body_of_its_type() {
    let json = "application/json; charset=utf-8";
    let html = "text/html; charset=utf-8";
    let cases = [
        (Value::map([("a", Value::integer(1))]), json, r#"{"a":1}"#),
        (Value::list(vec![Value::integer(1), Value::text("two"), Value::Undefined]), json, r#"[1,"two",null]"#),
        (Value::Null, json, "null"),
        (Value::Date(Date { epoch_ms: 0.0 }), json, r#""1970-01-01T00:00:00.000Z""#),
        (
            Value::map([("c", number(f64::NAN)), ("d", Value::Unencodable(Unencodable::Function))]),
            json,
            r#"{"c":null}"#,
        ),
        (Value::text("hällo"), html, "hällo"),
        (Value::text(""), html, ""),
        (Value::integer(42), html, "42"),
        (number(-1.5), html, "-1.5"),
        (number(f64::NAN), html, "NaN"),
        (number(f64::INFINITY), html, "Infinity"),
        (Value::Bytes(b"png".as_slice().into()), "application/octet-stream", "png"),
        (Value::Bytes(b"".as_slice().into()), "application/octet-stream", ""),
    ];
    for (payload, kind, body) in cases {
        let answer = answer(&[("payload", payload.clone())]).unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.body().as_ref(), body.as_bytes(), "{payload:?}");
        assert_eq!(header(&answer, "content-type").as_deref(), Some(kind), "{payload:?}");
        assert_eq!(header(&answer, "content-length"), Some(body.len().to_string()));
        assert_eq!(header(&answer, "x-content-type-options").is_some(), kind == json, "{payload:?}");
        assert!(header(&answer, "etag").unwrap().starts_with(&format!("W/\"{:x}-", body.len())));
        assert_eq!(header(&answer, "x-powered-by"), None);
    }
    let nothing = answer(&[("payload", Value::Undefined)]).unwrap();
    assert_eq!((nothing.status().as_u16(), header(&nothing, "content-length").as_deref()), (200, Some("0")));
    assert_eq!((header(&nothing, "content-type"), header(&nothing, "etag")), (None, None));
}

/// NR-79: JSONP.
#[test]
fn a_callback_wraps_json_and_nothing_else() {
    let called = |query: &str, payload: Value| {
        let answer = rendered(
            &ResponseNode::default(),
            &[("payload", payload)],
            exchange(Method::GET, &format!("/?{query}"), &[]),
        );
        let answer = answer.unwrap();
        (header(&answer, "content-type").unwrap(), String::from_utf8(answer.body().to_vec()).unwrap())
    };
    let script = "text/javascript; charset=utf-8".to_owned();
    let object = || Value::map([("a", Value::text("\u{2028}"))]);
    assert_eq!(
        called("callback=f", Value::Null),
        (script.clone(), "/**/ typeof f === 'function' && f(null);".to_owned())
    );
    assert_eq!(
        called("callback=a(b);c[0].d", object()),
        (script.clone(), r#"/**/ typeof abc[0].d === 'function' && abc[0].d({"a":"\u2028"});"#.to_owned())
    );
    assert_eq!(called("callback=f&callback=g", Value::Null).1, "/**/ typeof f === 'function' && f(null);");
    assert_eq!(called("callback=", Value::Null).1, "null");
    assert_eq!(called("callback[a]=f", Value::Null).1, "null");
    assert_eq!(called("callback=f", Value::text("body")), ("text/html; charset=utf-8".to_owned(), "body".to_owned()));
}

/// NR-77: the node's status beats the message's beats 200, both read as `parseInt` reads them.
#[test]
fn the_status_is_the_nodes_or_the_messages_or_200() {
    let status = |of_node: Option<i64>, of_message: Value| {
        let node = ResponseNode { status_code: of_node, ..ResponseNode::default() };
        rendered(&node, &[("payload", Value::text("body")), ("statusCode", of_message)], get())
            .unwrap()
            .status()
            .as_u16()
    };
    let cases = [
        (Value::integer(418), 418),
        (Value::text("202"), 202),
        (Value::text("203 ok"), 203),
        (Value::text("abc"), 200),
        (Value::text(""), 200),
        (Value::Null, 200),
        (number(201.9), 201),
        (Value::integer(0), 200),
        (Value::map([("a", Value::Null)]), 200),
        (Value::list(vec![Value::integer(206)]), 206),
        (Value::Bool(true), 200),
        (Value::integer(999), 999),
    ];
    for (of_message, expected) in cases {
        assert_eq!(status(None, of_message.clone()), expected, "{of_message:?}");
        assert_eq!(status(Some(404), of_message), 404);
    }
}

#[test]
fn answers_without_a_body_have_none() {
    let bare = |code: i64| answer(&[("payload", Value::text("body")), ("statusCode", Value::integer(code))]).unwrap();
    for code in [204, 304] {
        assert_eq!((header(&bare(code), "content-type"), header(&bare(code), "content-length")), (None, None));
        assert!(bare(code).body().is_empty());
    }
    assert_eq!((header(&bare(205), "content-length").as_deref(), bare(205).body().len()), (Some("0"), 0));
    let head =
        rendered(&ResponseNode::default(), &[("payload", Value::text("hällo"))], exchange(Method::HEAD, "/", &[]))
            .unwrap();
    assert_eq!((header(&head, "content-length").as_deref(), head.body().len()), (Some("6"), 0));
}

/// NR-78: the node's headers win by exact name; another case of the name replaces it; types get the charset; lists stay
/// several lines.
#[test]
fn headers_are_merged_as_express_merges_them() {
    let dressed = |own: &[(&str, Value)], of_message: Value| {
        let headers = own.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        let node = ResponseNode { headers, ..ResponseNode::default() };
        rendered(&node, &[("payload", Value::text("body")), ("headers", of_message)], get()).unwrap()
    };
    let one = |name: &str, value: Value| Value::map([(name, value)]);
    let node = [("X-One", Value::text("node"))];
    assert_eq!(header(&dressed(&node, one("X-One", Value::text("msg"))), "x-one").as_deref(), Some("node"));
    assert_eq!(header(&dressed(&node, one("x-one", Value::text("msg"))), "x-one").as_deref(), Some("msg"));
    let shown = |name: &str, value: Value| header(&dressed(&[], one(name, value)), name).unwrap();
    assert_eq!(shown("x-two", Value::integer(2)), "2");
    assert_eq!(shown("x-null", Value::Null), "null");
    assert_eq!(shown("x-undefined", Value::Undefined), "undefined");
    assert_eq!(shown("x-object", one("a", Value::Null)), "[object Object]");
    assert_eq!(
        shown("x-date", Value::Date(Date { epoch_ms: 0.0 })),
        "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"
    );
    assert_eq!(shown("set-cookie", Value::list(vec![Value::text("a=1"), Value::text("b=2")])), "a=1 | b=2");
    assert_eq!(shown("content-length", Value::integer(99)), "4");
    assert_eq!(shown("etag", Value::text("\"mine\"")), "\"mine\"");
    for (given, kind) in [
        ("text/css", "text/css; charset=utf-8"),
        ("text/css; charset=latin1", "text/css; charset=utf-8"),
        ("image/png", "image/png; charset=utf-8"),
        ("x-unknown/x", "x-unknown/x; charset=utf-8"),
    ] {
        assert_eq!(shown("Content-Type", Value::text(given)), kind);
    }
    let buffer =
        [("payload", Value::Bytes(b"x".as_slice().into())), ("headers", one("content-type", Value::text("image/png")))];
    assert_eq!(header(&answer(&buffer).unwrap(), "content-type").as_deref(), Some("image/png"));
    let object =
        [("payload", one("a", Value::Null)), ("headers", one("content-type", Value::text("application/json")))];
    let object = answer(&object).unwrap();
    assert_eq!(header(&object, "content-type").as_deref(), Some("application/json; charset=utf-8"));
    assert_eq!(header(&object, "x-content-type-options"), None);
    assert_eq!(header(&dressed(&[], Value::text("te")), "1").as_deref(), Some("e"));
    assert_eq!(header(&dressed(&[], one("transfer-encoding", Value::text("chunked"))), "transfer-encoding"), None);
}

fn refused(members: &[(&str, Value)]) -> (FaultKind, Option<String>, String) {
    let fault = answer(members).unwrap_err();
    let class = fault.message.split(':').next().unwrap().to_owned();
    (fault.kind, fault.code.map(|code| code.to_string()), class)
}

/// NR-80: what makes no answer is an error for the flow to catch.
#[test]
fn what_makes_no_answer_can_be_caught() {
    let payload = |value: Value| refused(&[("payload", value)]);
    let argument = (FaultKind::ReplyInvalid, Some("ERR_INVALID_ARG_TYPE".to_owned()), "TypeError".to_owned());
    assert_eq!(payload(Value::Bool(true)), argument);
    assert_eq!(payload(Value::Unencodable(Unencodable::BigInt("10".into()))), argument);
    assert_eq!(payload(Value::Unencodable(Unencodable::Function)), argument);
    let big = Value::list(vec![Value::Unencodable(Unencodable::BigInt("10".into()))]);
    assert_eq!(payload(big), (FaultKind::BigInteger, None, "TypeError".to_owned()));
    let circular = (FaultKind::Circular, None, "TypeError".to_owned());
    assert_eq!(payload(Value::list(vec![Value::Unencodable(Unencodable::Circular)])), circular);
    assert_eq!(payload(Value::Handle(Handle(0))), circular);
    let status = (FaultKind::ReplyInvalid, Some("ERR_HTTP_INVALID_STATUS_CODE".to_owned()), "RangeError".to_owned());
    for code in [99, -1, 1000, 100] {
        assert_eq!(refused(&[("payload", Value::text("x")), ("statusCode", Value::integer(code))]), status, "{code}");
    }
    let headed = |name: &str, value: &str| refused(&[("headers", Value::map([(name, Value::text(value))]))]).1.unwrap();
    for value in ["a\r\nx-b: c", "a\0", "\u{20ac}"] {
        assert_eq!(headed("x-a", value), "ERR_INVALID_CHAR", "{value:?}");
    }
    assert_eq!(headed("x a", "b"), "ERR_INVALID_HTTP_TOKEN");
    assert_eq!(answer(&[("res", Value::map([("a", Value::Null)]))]).unwrap_err().kind, FaultKind::ReplyInvalid);
}

#[test]
fn headers_of_a_failed_answer_go_out_with_the_next_one() {
    let (message, cells, mut exchange) = get();
    let failing = with(&message, &[("payload", Value::text("body")), ("statusCode", Value::integer(99))]);
    node_red::render(&ResponseNode::default(), &failing, &cells, &mut exchange, 0).unwrap_err();
    let next = with(&message, &[("payload", Value::Null)]);
    let Ok(Rendered::Answer(answer)) = node_red::render(&ResponseNode::default(), &next, &cells, &mut exchange, 0)
    else {
        panic!("an answer")
    };
    assert_eq!(header(&answer, "content-type").as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(header(&answer, "etag").as_deref(), Some("W/\"4-Agg/RXngimEkJcDBoX7ket14O5Q\""));
    assert_eq!(header(&answer, "content-length").as_deref(), Some("4"));
}

/// NR-83: a message without `res` is no error.
#[test]
fn a_message_without_res_is_answered_to_nobody() {
    let (message, cells, mut exchange) = get();
    for res in [Value::Undefined, Value::Null, Value::Bool(false)] {
        let outcome =
            node_red::render(&ResponseNode::default(), &with(&message, &[("res", res)]), &cells, &mut exchange, 0);
        assert!(matches!(outcome, Ok(Rendered::NobodyWaits)));
    }
}

/// NR-81: a client that has the answer is told so, and only by GET and HEAD.
#[test]
fn a_fresh_copy_is_told_by_304() {
    let tag = "W/\"4-Agg/RXngimEkJcDBoX7ket14O5Q\"";
    let asked = |method: Method, code: i64| {
        let members = [("payload", Value::text("body")), ("statusCode", Value::integer(code))];
        rendered(&ResponseNode::default(), &members, exchange(method, "/", &[("if-none-match", tag)])).unwrap()
    };
    let fresh = asked(Method::GET, 201);
    assert_eq!((fresh.status().as_u16(), header(&fresh, "etag").as_deref(), fresh.body().len()), (304, Some(tag), 0));
    assert_eq!(header(&fresh, "content-type"), None);
    assert_eq!(asked(Method::HEAD, 200).status(), 304);
    assert_eq!(asked(Method::POST, 200).status(), 200);
    assert_eq!(asked(Method::GET, 404).status(), 404);
}
