//! Whatever comes in, an answer or a refusal comes out.

#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use dialects::node_red::{self, Exchange, Found, LowerSettings, Peer, ResponseNode, RouteTable};
use http::{HeaderValue, Method, Request};
use plan::{Cells, Handle, Map, Value};
use proptest::prelude::*;

fn lower(document: &[u8]) -> Option<node_red::Lowered> {
    let environment = [("A".to_owned(), "${B}".to_owned())].into();
    node_red::lower("case", document, &LowerSettings { environment: &environment, jwt_any_hmac: true }).ok()
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    jose::json::write_text(&mut out, text);
    String::from_utf8(out).unwrap()
}

/// Text that is likely to look like something.
fn telling() -> impl Strategy<Value = String> {
    let pieces = [
        "msg",
        ".",
        "payload",
        " = ",
        "{",
        "}",
        "[",
        "]",
        "\"a\"",
        ":",
        ",",
        ";",
        "return",
        "delete ",
        "\n",
        "//",
        "/*",
        "*/",
        "-",
        "1",
        "0",
        ".5",
        "\\",
        "'",
        "(",
        ")",
        "?",
        "*",
        "/",
        "+",
        "$",
        "|",
        "^",
        ":a",
        "(?<n>",
        "(?:",
        "ü",
        "😀",
        "%",
        "%C3",
        "%zz",
        "&",
        "=",
        "a[b]",
        "[]",
        "[1]",
        "__proto__",
        "--b",
        "\r\n",
        "Content-Disposition: form-data; name=\"a\"",
        "; ",
        "charset=",
        "utf-8",
        "j:",
        "${A}",
        "$(",
        ")",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        Just(Value::Handle(Handle(1))),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(|value| Value::Number(plan::Number::Float(value))),
        any::<i64>().prop_map(Value::integer),
        any::<f64>().prop_map(|epoch_ms| Value::Date(plan::Date { epoch_ms })),
        telling().prop_map(Value::text),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let names =
            prop::sample::select(vec!["value", "maxAge", "path", "expires", "sameSite", "content-type", "etag", "a"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            prop::collection::vec((names, inner), 0..4).prop_map(Value::map),
        ]
    })
}

proptest! {
    #[test]
    fn of_a_document(document in telling()) {
        lower(document.as_bytes());
        lower(format!("[{document}]").as_bytes());
        dialects::detect(document.as_bytes());
    }

    #[test]
    fn of_a_node(kind in prop::sample::select(node_red::palette().map(|spec| spec.kind).collect::<Vec<_>>()), texts in prop::collection::vec(telling(), 8)) {
        let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
        let [a, b, c, d, e, f, g, h] = texts.try_into().unwrap();
        let document = format!(
            r#"[{{"id":"n","type":"{kind}","z":{a},"x":1,"y":1,"name":{b},"func":{c},"url":{d},"method":"get","scope":[{e}],"complete":{f},"console":true,
                "props":[{{"p":{e},"v":{f},"vt":"json"}},{{"p":{g},"v":{h}}}],"repeat":{g},"statusCode":{g},"timeout":{h},"jwtconfig":"c","wires":[["n"]]}},
               {{"id":"c","type":"jwt-config","algorithm":"HS256","expiresin":{h}}}]"#
        );
        if let Some(lowered) = lower(document.as_bytes()) {
            prop_assert!(plan::validate(lowered.flow).is_ok());
        }
    }

    #[test]
    fn of_a_request(pattern in telling(), path in "/[a-z%/:.+-]{0,12}", query in telling(), kind in telling(), cookie in telling(), body in telling(), upload in any::<bool>()) {
        let document = format!(r#"[{{"id":"n","type":"http in","url":{},"method":"post","upload":{upload}}}]"#, quoted(&pattern));
        let Some(lowered) = lower(document.as_bytes()) else { return Ok(()) };
        let query = query.replace(|c: char| !c.is_ascii_graphic() || c == '#', "");
        let Ok(uri) = format!("{path}?{query}").parse::<http::Uri>() else { return Ok(()) };
        let kind = if upload { format!("multipart/form-data; boundary=b{kind}") } else { kind };
        let mut request = Request::builder().method(Method::POST).uri(uri).body(Bytes::from(body.into_bytes())).unwrap();
        for (name, text) in [("content-type", &kind), ("cookie", &cookie)] {
            if let Ok(value) = HeaderValue::from_str(text) {
                request.headers_mut().insert(name, value);
            }
        }
        request.headers_mut().insert("content-length", HeaderValue::from(1));
        let table = RouteTable::new(lowered.routes.into_iter().map(|route| (route, ())));
        if let Found::Route { route, parameters, .. } = table.find(&Method::POST, request.uri().path()) {
            let peer = Peer { address: String::new(), encrypted: true };
            let _outcome = node_red::accept(route, parameters, &request, &peer, "");
        }
    }

    #[test]
    fn of_a_message(payload in value(), headers in value(), cookies in value(), status in value()) {
        let message = Value::map([
            ("res", Value::Handle(Handle(1))), ("payload", payload), ("headers", headers), ("cookies", cookies), ("statusCode", status),
        ]);
        let cells = Cells::new(vec![Map::new().into(), Map::new().into()]);
        let _outcome = node_red::render(&ResponseNode::default(), &message, &cells, &mut Exchange::default(), i64::MAX);
    }
}
