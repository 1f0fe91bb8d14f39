//! What a message asks for, and what comes of the answer.

use http::{HeaderMap, StatusCode};

use super::*;

fn node() -> RequestNode {
    RequestNode {
        node: "n".into(),
        method: Method::GET,
        method_of_message: MethodOfMessage::Ignored,
        url: "".into(),
        returns: Returns::Text,
        payload_of_get: PayloadOfGet::Ignored,
        headers: Vec::new(),
        scheme: Scheme::Basic,
        only_errors: false,
    }
}

fn prepared(node: &RequestNode, to: &str, message: Value) -> Result<Prepared, Box<Fetched>> {
    prepare(node, &Value::text(to), &message, &Cells::default(), &|_| None)
}

fn request(node: &RequestNode, to: &str, message: Value) -> Request {
    prepared(node, to, message).unwrap().request
}

fn post(payload: Value, kind: Option<&str>) -> Request {
    let kind = kind.map(|kind| ("headers", Value::map([("Content-Type", Value::text(kind))])));
    let message = Value::map([("payload", payload)].into_iter().chain(kind));
    request(&RequestNode { method: Method::POST, ..node() }, "a.test", message)
}

fn text(request: &Request) -> &str {
    std::str::from_utf8(request.body.as_deref().unwrap()).unwrap()
}

#[test]
fn a_payload_becomes_a_body_by_its_type() {
    let object = || Value::map([("a", Value::integer(1)), ("b", Value::list(vec![Value::text("x y"), Value::Null]))]);
    let json = post(object(), None);
    assert_eq!(
        (text(&json), &json.headers["content-type"]),
        (r#"{"a":1,"b":["x y",null]}"#, &"application/json".parse().unwrap())
    );
    assert_eq!(text(&post(object(), Some("application/x-www-form-urlencoded"))), "a=1&b=x%20y&b=");
    assert_eq!(text(&post(Value::integer(7), None)), "7");
    assert!(post(Value::text("x"), None).headers.is_empty());
    assert!(post(Value::Undefined, None).body.is_none());
    assert_eq!(text(&post(Value::Bool(true), None)), "true");
    assert!(request(&node(), "a.test", Value::map([("payload", object())])).body.is_none());
}

#[test]
fn a_form_has_a_part_for_each_member_and_a_boundary_of_its_own() {
    let file = Value::map([
        ("value", Value::Bytes((*b"octets").into())),
        ("options", Value::map([("filename", Value::text("a\"b\r\n.txt"))])),
    ]);
    let payload = Value::map([("plain", Value::text("x")), ("file", file), ("none", Value::Null)]);
    let form = post(payload.clone(), Some("multipart/form-data"));
    let kind = form.headers["content-type"].to_str().unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"plain\"\r\n\r\nx\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b%0D%0A.txt\"\r\n\
         Content-Type: application/octet-stream\r\n\r\noctets\r\n--{boundary}--\r\n"
    );
    assert_eq!(text(&form), expected);
    let other = post(Value::map([("plain", Value::text(boundary))]), Some("multipart/form-data"));
    assert_ne!(other.headers["content-type"], kind, "a part cannot hold the boundary");
}

#[test]
fn members_of_a_payload_go_into_the_query() {
    let node = RequestNode { payload_of_get: PayloadOfGet::Query, ..node() };
    let with = |to: &str| request(&node, to, Value::map([("payload", Value::map([("a b", Value::text("&"))]))])).url;
    assert_eq!(with("a.test"), "http://a.test?a%20b=%26");
    assert_eq!(with("http://a.test/?"), "http://a.test/?a%20b=%26");
    assert_eq!(with("http://a.test/?c"), "http://a.test/?c&a%20b=%26");
    let refused = prepared(&node, "a.test", Value::map([("payload", Value::text("x"))])).unwrap_err();
    assert_eq!(&*refused.fault.unwrap().message, "Invalid payload");
}

#[test]
fn headers_of_the_node_win_and_blank_ones_take_out() {
    let part = |text: &str| HeaderPart::Text(text.into());
    let of_message = || HeaderPart::Message(Path::keys(["token"]).into());
    let node = RequestNode {
        headers: vec![(part("X-Node"), part("n")), (part("x-gone"), part("")), (part("X-Token"), of_message())],
        ..node()
    };
    let given = Value::map([("x-node", Value::text("m")), ("X-Gone", Value::text("m")), ("X-Kept", Value::integer(1))]);
    let sent = request(&node, "a.test", Value::map([("headers", given), ("token", Value::text("t"))])).headers;
    let shown: Vec<_> = sent.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    assert_eq!(shown, ["x-kept: 1", "x-node: n", "x-token: t"]);
    for (name, value) in [("x-split", "a\r\nb: c"), ("x split", "a"), ("x-ü", "a")] {
        let given = Value::map([(name, Value::text(value))]);
        let refused = prepared(&node, "a.test", Value::map([("headers", given)])).unwrap_err();
        assert!(refused.fault.unwrap().message.starts_with("RequestError: "), "{name}");
    }
}

#[test]
fn cookies_of_header_and_message_stand_in_one_line() {
    let cookies = Value::map([
        ("a", Value::text("1 2")),
        ("b", Value::map([("value", Value::text("x=y")), ("encode", Value::Bool(false))])),
        ("gone", Value::Null),
        ("c", Value::text("new")),
    ]);
    let headers = Value::map([("Cookie", Value::text("c=old; d=4"))]);
    let sent = request(&node(), "a.test", Value::map([("headers", headers), ("cookies", cookies)])).headers;
    assert_eq!(sent["cookie"], "c=new; d=4; a=1%202; b=x=y");
}

#[test]
fn credentials_come_from_the_store_then_from_the_url() {
    let secret = |of: &SecretRef| (&*of.field == PASSWORD).then(|| "p".to_owned());
    let signed = |scheme, to: &str, secret: &dyn Fn(&SecretRef) -> Option<String>| {
        let node = RequestNode { scheme, ..node() };
        let sent =
            prepare(&node, &Value::text(to), &Value::map::<&str>([]), &Cells::default(), secret).unwrap().request;
        sent.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(signed(Scheme::Basic, "http://u:x@a.test", &secret).as_deref(), Some("Basic dTpw"));
    assert_eq!(signed(Scheme::Basic, "http://u:x@a.test", &|_| None).as_deref(), Some("Basic dTp4"));
    assert_eq!(signed(Scheme::Bearer, "a.test", &secret).as_deref(), Some("Bearer p"));
    assert_eq!(signed(Scheme::Basic, "a.test", &|_| None), None);
}

#[test]
fn what_is_no_request_says_why() {
    let refused = |to: &str, message: Value| *prepared(&node(), to, message).unwrap_err();
    let nothing = || Value::map::<&str>([]);
    assert_eq!(&*refused("", nothing()).fault.unwrap().message, "No url specified");
    assert_eq!(&*refused("http://a b", nothing()).fault.unwrap().message, "TypeError: Invalid URL");
    let elsewhere = refused("ftp://a.test", nothing());
    assert_eq!((elsewhere.fault, &*elsewhere.warnings[0]), (None, "non-http transport requested"));
    let node = RequestNode { method_of_message: MethodOfMessage::Wins, ..node() };
    let named = |method: &str| prepared(&node, "a.test", Value::map([("method", Value::text(method))]));
    assert_eq!(named("patch").unwrap().request.method, Method::PATCH);
    assert!(named("a b").is_err());
}

#[test]
fn a_time_is_taken_from_the_message_if_it_is_one() {
    let total = |value: Value| {
        let prepared = prepared(&node(), "a.test", Value::map([("requestTimeout", value)])).unwrap();
        (prepared.request.total_ms, prepared.sent.warnings.len())
    };
    assert_eq!(total(Value::integer(50)), (Some(50), 0));
    assert_eq!(total(Value::text("70")), (Some(70), 0));
    assert_eq!(total(Value::text("soon")), (None, 1));
    assert_eq!(total(Value::integer(0)), (None, 1));
    assert_eq!(total(Value::Undefined), (None, 0));
}

fn answered(node: &RequestNode, outcome: Result<Reply, Failure>) -> Fetched {
    prepared(node, "a.test", Value::map([("topic", Value::text("kept"))])).unwrap().split().1.answered(outcome)
}

fn reply(status: StatusCode, headers: &[(&'static str, &str)], body: &str) -> Reply {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.append(*name, value.parse().unwrap());
    }
    let url = "http://a.test/".to_owned();
    Reply { status, headers: all, body: body.to_owned().into(), url, hops: Vec::new() }
}

fn json(value: &Value) -> String {
    let mut out = Vec::new();
    plan::write_json(&mut out, value).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn an_answer_stands_in_the_message() {
    let headers = [("set-cookie", "s=a%20b; Path=/; HttpOnly"), ("x-two", "1"), ("x-two", "2"), ("server", "x")];
    let fetched = answered(&node(), Ok(reply(StatusCode::ACCEPTED, &headers, "hello")));
    assert_eq!(fetched.fault, None);
    let shown = json(&fetched.message.unwrap());
    let (before, behind) = shown.split_once(r#""x-node-red-request-node":""#).unwrap();
    assert_eq!(
        before,
        r#"{"topic":"kept","statusCode":202,"headers":{"set-cookie":["s=a%20b; Path=/; HttpOnly"],"x-two":"1, 2","server":"x","#
    );
    assert_eq!(
        behind.split_once('"').unwrap().1,
        r#"},"responseUrl":"http://a.test/","payload":"hello","redirectList":[],"retry":0,"responseCookies":{"s":{"Path":"/","value":"a b"}}}"#
    );
}

#[test]
fn a_body_is_read_as_the_author_wishes() {
    let payload = |returns, status, body| {
        let fetched = answered(&RequestNode { returns, ..node() }, Ok(reply(status, &[], body)));
        (fetched.message.unwrap().as_map().unwrap().get("payload").unwrap().clone(), fetched.warnings.len())
    };
    assert_eq!(payload(Returns::Value, StatusCode::OK, r#"{"a":1}"#), (Value::map([("a", Value::integer(1))]), 0));
    assert_eq!(payload(Returns::Value, StatusCode::OK, "{nope"), (Value::text("{nope"), 1));
    assert_eq!(payload(Returns::Value, StatusCode::NO_CONTENT, ""), (Value::map::<&str>([]), 0));
    assert_eq!(payload(Returns::Octets, StatusCode::OK, "x"), (Value::Bytes((*b"x").into()), 0));
}

#[test]
fn a_failure_is_an_error_and_a_message_unless_errors_are_enough() {
    let refused = || Failure::ConnectionRefused("127.0.0.1:1".parse().unwrap());
    let fetched = answered(&node(), Err(refused()));
    let fault = fetched.fault.unwrap();
    assert_eq!(&*fault.message, "RequestError: connect ECONNREFUSED 127.0.0.1:1");
    assert_eq!(fault.code.as_deref(), Some("ECONNREFUSED"));
    let expected = r#"{"topic":"kept","payload":"RequestError: connect ECONNREFUSED 127.0.0.1:1 : http://a.test","statusCode":"ECONNREFUSED"}"#;
    assert_eq!(json(&fetched.message.unwrap()), expected);
    assert!(answered(&RequestNode { only_errors: true, ..node() }, Err(refused())).message.is_none());
    let late = answered(&node(), Err(Failure::Timeout(50)));
    assert_eq!(&*late.fault.unwrap().message, "no response from server");
    assert!(json(&late.message.unwrap()).contains("TimeoutError: Timeout awaiting 'request' for 50ms : http://a.test"));
}
