//! Requests into messages: what Node-RED 5.0.7 was seen to make of the same requests (contract section 11).

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;

use bytes::Bytes;
use dialects::node_red::{self, Accepted, BODY_BYTES_MAX, Found, LowerSettings, Peer, RouteTable};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::{Method, Request, Response};
use plan::{Handle, Path, Value};

const NODES: &str = r#"[
    {"id":"get","type":"http in","method":"get","url":"/:a?"},
    {"id":"post","type":"http in","method":"post","url":"/:a?"},
    {"id":"put","type":"http in","method":"put","url":"/:a?"},
    {"id":"upload","type":"http in","method":"post","url":"/the/upload","upload":true},
    {"id":"raw","type":"http in","method":"post","url":"/the/raw","skipBodyParsing":true}]"#;

fn table() -> RouteTable<()> {
    let settings = LowerSettings { environment: &Default::default(), jwt_any_hmac: false };
    let routes = node_red::lower("case", NODES.as_bytes(), &settings).unwrap().routes;
    RouteTable::new(routes.into_iter().map(|route| (route, ())))
}

fn request(method: Method, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::copy_from_slice(body)).unwrap()
}

fn accepted(request: &Request<Bytes>) -> Result<Accepted, Box<Response<Bytes>>> {
    let table = table();
    let Found::Route { route, parameters, .. } = table.find(request.method(), request.uri().path()) else {
        panic!("no route for {}", request.uri())
    };
    let peer = Peer { address: "127.0.0.1".to_owned(), encrypted: false };
    node_red::accept(route, parameters, request, &peer, "0123456789abcdef")
}

fn json(value: &Value) -> String {
    let mut out = Vec::new();
    if plan::write_json(&mut out, value).unwrap() { String::from_utf8(out).unwrap() } else { "undefined".to_owned() }
}

fn read(accepted: &Accepted, names: &[&str]) -> String {
    let path = Path(names.iter().map(|name| plan::Segment::Key((*name).into())).collect());
    json(path.read(&accepted.message, &accepted.cells))
}

/// The payload of a POST with that body, or the status it is refused with.
fn payload_of(headers: &[(&str, &str)], body: &[u8]) -> Result<String, u16> {
    let length = body.len().to_string();
    let headers: Vec<_> = headers.iter().copied().chain([("content-length", length.as_str())]).collect();
    match accepted(&request(Method::POST, "/", &headers, body)) {
        Ok(accepted) => Ok(read(&accepted, &["payload"])),
        Err(answer) => Err(answer.status().as_u16()),
    }
}

fn typed(kind: &str, body: &[u8]) -> Result<String, u16> {
    payload_of(&[("content-type", kind)], body)
}

fn text(text: &str) -> Result<String, u16> {
    Ok(json(&Value::text(text)))
}

fn octets(octets: &[u8]) -> Result<String, u16> {
    Ok(json(&Value::Bytes(octets.into())))
}

#[test]
fn a_message_has_its_id_the_two_handles_and_the_payload() {
    let accepted = accepted(&request(Method::GET, "/x?a=1&a=2&o[k]=v", &[], b"")).unwrap();
    let names: Vec<_> = accepted.message.as_map().unwrap().iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["_msgid", "req", "res", "payload"]);
    assert_eq!(accepted.message.as_map().unwrap().get("req"), Some(&Value::Handle(Handle(0))));
    assert_eq!(accepted.message.as_map().unwrap().get("res"), Some(&Value::Handle(Handle(1))));
    assert_eq!(read(&accepted, &["payload"]), r#"{"a":["1","2"],"o":{"k":"v"}}"#);
    assert_eq!(node_red::message_id([0, 0, 0, 0, 0, 0, 0, 255]), "00000000000000ff");
}

#[test]
fn the_request_object_holds_what_came() {
    let headers = [
        ("Host", "flows.test:8080"),
        ("X-One", "first"),
        ("X-Two", "a"),
        ("X-Two", "b"),
        ("Authorization", "Bearer a"),
        ("Authorization", "Bearer b"),
        ("Cookie", "a=1"),
        ("Cookie", "b=j:[1]"),
        ("X-Requested-With", "XMLHttpRequest"),
    ];
    let accepted = accepted(&request(Method::GET, "/a%2Fb?x=1", &headers, b"")).unwrap();
    let expected = [
        (&["headers", "x-one"][..], r#""first""#),
        (&["headers", "x-two"], r#""a, b""#),
        (&["headers", "authorization"], r#""Bearer a""#),
        (&["headers", "host"], r#""flows.test:8080""#),
        (&["cookies"], r#"{"a":"1","b":[1]}"#),
        (&["params"], r#"{"a":"a/b"}"#),
        (&["query"], r#"{"x":"1"}"#),
        (&["body"], "{}"),
        (&["method"], r#""GET""#),
        (&["url"], r#""/a%2Fb?x=1""#),
        (&["originalUrl"], r#""/a%2Fb?x=1""#),
        (&["path"], r#""/a%2Fb""#),
        (&["hostname"], r#""flows.test""#),
        (&["ip"], r#""127.0.0.1""#),
        (&["protocol"], r#""http""#),
        (&["secure"], "false"),
        (&["xhr"], "true"),
        (&["files"], "undefined"),
    ];
    for (names, value) in expected {
        assert_eq!(read(&accepted, &[&["req"], names].concat()), value, "{names:?}");
    }
}

#[test]
fn an_absolute_target_stays_absolute_and_its_host_counts_if_no_header_names_one() {
    let accepted = accepted(&request(Method::GET, "http://flows.test/abs?x", &[], b"")).unwrap();
    assert_eq!(read(&accepted, &["req", "url"]), r#""http://flows.test/abs?x""#);
    assert_eq!(read(&accepted, &["req", "path"]), r#""/abs""#);
    assert_eq!(read(&accepted, &["req", "hostname"]), r#""flows.test""#);
}

/// NR-72: payloads by type.
#[test]
fn a_body_becomes_what_its_type_says() {
    let cases = [
        (
            "application/json",
            r#"{"a":1,"b":[true,null,"ü"],"c":{"d":1.50}}"#,
            r#"{"a":1,"b":[true,null,"ü"],"c":{"d":1.5}}"#,
        ),
        ("application/json; charset=utf-8", "  \n [1]", "[1]"),
        ("APPLICATION/JSON", "\u{feff}{}", "{}"),
        ("application/json", r#"{"b":1,"2":2,"1":1}"#, r#"{"1":1,"2":2,"b":1}"#),
        (
            "application/json",
            r#"{"big":12345678901234567890,"neg":-0,"e":1E3}"#,
            r#"{"big":12345678901234567000,"neg":0,"e":1000}"#,
        ),
        ("application/json", "", "{}"),
        ("application/x-www-form-urlencoded", "a=1&b=x+y%26z&o[k]=v", r#"{"a":"1","b":"x y&z","o":{"k":"v"}}"#),
        ("application/x-www-form-urlencoded", "", "{}"),
    ];
    for (kind, body, expected) in cases {
        assert_eq!(typed(kind, body.as_bytes()).as_deref(), Ok(expected), "{kind} {body}");
    }
    for kind in [
        "text/plain",
        "text/html",
        "text/csv; header=present",
        "text/xml",
        "application/xml",
        "application/soap+xml",
        "image/svg+xml",
        "application/vnd.api+json",
        "application/problem+json",
        "application/x-thing",
        "",
    ] {
        assert_eq!(typed(kind, "<ä/>".as_bytes()), text("<ä/>"), "{kind}");
    }
    for kind in [
        "application/octet-stream",
        "image/png",
        "audio/ogg",
        "application/cbor",
        "application/x-protobuf",
        "multipart/form-data; boundary=b",
    ] {
        assert_eq!(typed(kind, b"\x00\xff"), octets(b"\x00\xff"), "{kind}");
    }
    assert_eq!(payload_of(&[], b"hello"), text("hello"));
    assert_eq!(payload_of(&[], b"\xff\xfe\x00"), text("\u{fffd}\u{fffd}\0"));
    let nothing = accepted(&request(Method::POST, "/", &[("content-type", "application/json")], b"")).unwrap();
    assert_eq!(read(&nothing, &["payload"]), r#""""#);
}

#[test]
fn a_get_keeps_its_query_as_payload_and_parses_json_beside_it() {
    let headers = [("content-type", "application/json"), ("content-length", "7")];
    let accepted_get = accepted(&request(Method::GET, "/?q=1", &headers, br#"{"a":1}"#)).unwrap();
    assert_eq!(read(&accepted_get, &["payload"]), r#"{"q":"1"}"#);
    assert_eq!(read(&accepted_get, &["req", "body"]), r#"{"a":1}"#);
    assert_eq!(accepted(&request(Method::GET, "/", &headers, b"{")).unwrap_err().status(), 400);
    let nonsense = [("content-type", "nonsense"), ("content-length", "1")];
    assert!(accepted(&request(Method::GET, "/", &nonsense, b"x")).is_ok());
}

/// NR-73: what is refused, with the page of section 11.
#[test]
fn broken_bodies_are_refused() {
    for body in
        ["\"text\"", "7", "null", "true", r#"{"a":"#, r#"{"a":1,}"#, "{'a':1}", "   ", r#"{"a":1,"a":2}"#, "nope"]
    {
        assert_eq!(typed("application/json", body.as_bytes()), Err(400), "{body}");
    }
    for kind in ["nonsense", "application/json; charset", "a b/c"] {
        assert_eq!(typed(kind, b"{}"), Err(400), "{kind}");
    }
    for kind in [
        "application/json; charset=iso-8859-1",
        "application/json; charset=x-unknown",
        "application/x-www-form-urlencoded; charset=koi8-r",
    ] {
        assert_eq!(typed(kind, b"{}"), Err(415), "{kind}");
    }
    let answer =
        accepted(&request(Method::POST, "/", &[("content-type", "application/json"), ("content-length", "1")], b"{"));
    let answer = answer.unwrap_err();
    assert_eq!(answer.headers()["content-security-policy"], "default-src 'none'");
    assert_eq!(answer.headers()["content-length"], "138");
    assert!(answer.body().ends_with(b"<pre>Bad Request</pre>\n</body>\n</html>\n"));
}

/// NR-73: content encodings, and charsets that are known.
#[test]
fn encodings_are_undone_or_refused() {
    let encoded = |encoding: &str, body: &[u8]| {
        payload_of(&[("content-type", "application/json"), ("content-encoding", encoding)], body)
    };
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(br#"{"a":1}"#).unwrap();
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(br#"{"a":1}"#).unwrap();
    assert_eq!(encoded("gzip", &gzip.finish().unwrap()).as_deref(), Ok(r#"{"a":1}"#));
    assert_eq!(encoded("Deflate", &deflate.finish().unwrap()).as_deref(), Ok(r#"{"a":1}"#));
    assert_eq!(encoded("identity", br#"{"a":1}"#).as_deref(), Ok(r#"{"a":1}"#));
    assert_eq!(encoded("gzip", br#"{"a":1}"#), Err(400));
    for unknown in ["br", "rot13", "gzip, gzip"] {
        assert_eq!(encoded(unknown, br#"{"a":1}"#), Err(415), "{unknown}");
    }
    let utf16: Vec<u8> = r#"{"a":"ü"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(typed("application/json; charset=utf-16le", &utf16).as_deref(), Ok(r#"{"a":"ü"}"#));
}

/// NR-73: 5 MiB pass, one octet more does not, whatever the type, also when it inflates to that.
#[test]
fn every_body_has_a_limit() {
    let json_of = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length - 8)).into_bytes();
    let whole = vec![b'x'; BODY_BYTES_MAX];
    for kind in ["text/plain", "application/octet-stream", "application/x-www-form-urlencoded"] {
        assert!(typed(kind, &whole).is_ok(), "{kind}");
        assert_eq!(typed(kind, &[&whole[..], b"x"].concat()), Err(413), "{kind}");
    }
    assert!(typed("application/json", &json_of(BODY_BYTES_MAX)).is_ok());
    assert_eq!(typed("application/json", &json_of(BODY_BYTES_MAX + 1)), Err(413));
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    bomb.write_all(&json_of(BODY_BYTES_MAX + 1)).unwrap();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    assert_eq!(payload_of(&headers, &bomb.finish().unwrap()), Err(413));
    assert_eq!(typed("application/x-www-form-urlencoded", "a=1&".repeat(1_000).as_bytes()), Err(413));
}

fn upload(body: &str) -> Result<(String, String), u16> {
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("content-length", "1")];
    let accepted = accepted(&request(Method::POST, "/the/upload", &headers, body.as_bytes()));
    let accepted = accepted.map_err(|answer| answer.status().as_u16())?;
    Ok((read(&accepted, &["payload"]), read(&accepted, &["req", "files"])))
}

fn part(disposition: &str, more: &str, content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n{content}\r\n")
}

/// NR-74: fields in the payload, files beside it.
#[test]
fn uploads_are_taken_apart() {
    let fields = |parts: &[(&str, &str)]| {
        let body: String = parts.iter().map(|(name, value)| part(&format!("name=\"{name}\""), "", value)).collect();
        upload(&(body + "--b--\r\n")).map(|(payload, _)| payload)
    };
    assert_eq!(fields(&[("a", "1"), ("b", "zwei")]).as_deref(), Ok(r#"{"a":"1","b":"zwei"}"#));
    assert_eq!(fields(&[("a", "1"), ("a", "2")]).as_deref(), Ok(r#"{"a":["1","2"]}"#));
    assert_eq!(fields(&[("o[k]", "v"), ("o[l][m]", "w")]).as_deref(), Ok(r#"{"o":{"k":"v","l":{"m":"w"}}}"#));
    assert_eq!(fields(&[("a[]", "1"), ("b[1]", "2")]).as_deref(), Ok(r#"{"a":["1"],"b":[null,"2"]}"#));
    assert_eq!(fields(&[("a[", "1"), ("[b]", "2")]).as_deref(), Ok(r#"{"a[":"1","[b]":"2"}"#));
    assert_eq!(fields(&[("a", "1"), ("a[k]", "2")]).as_deref(), Ok(r#"{"a":{"":"1","k":"2"}}"#));
    assert_eq!(fields(&[]).as_deref(), Ok("{}"));
    let file = |name: &str, kind: &str| {
        upload(&(part(&format!("name=\"f\"; filename=\"{name}\""), kind, "hello") + "--b--\r\n"))
    };
    let shown = |name: &str, kind: &str| {
        let buffer = json(&Value::Bytes(b"hello".as_slice().into()));
        format!(
            r#"[{{"fieldname":"f","originalname":"{name}","encoding":"7bit","mimetype":"{kind}","buffer":{buffer},"size":5}}]"#
        )
    };
    assert_eq!(file("x.txt", "Content-Type: text/plain\r\n"), Ok(("{}".to_owned(), shown("x.txt", "text/plain"))));
    assert_eq!(file("z", ""), Ok(("{}".to_owned(), shown("z", "text/plain"))));
    assert_eq!(file("a/b/../c.bin", "Content-Type: a/b\r\n"), Ok(("{}".to_owned(), shown("c.bin", "a/b"))));
    assert_eq!(file("", ""), Ok((r#"{"f":"hello"}"#.to_owned(), "[]".to_owned())));
}

/// NR-74: what is broken or beyond the bounds.
#[test]
fn broken_uploads_are_refused() {
    for body in
        ["--b", "", "--b\r\nno header\r\n\r\nx\r\n--b--", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx"]
    {
        assert_eq!(upload(body), Err(500), "{body}");
    }
    let field = part("name=\"a\"", "", "1");
    assert!(upload(&(field.repeat(1_000) + "--b--\r\n")).is_ok());
    assert_eq!(upload(&(field.repeat(1_001) + "--b--\r\n")), Err(500));
    let long = part("name=\"a\"", "", &"x".repeat(1024 * 1024 + 1));
    assert_eq!(upload(&(long + "--b--\r\n")), Err(500));
    let deep = part(&format!("name=\"a{}\"", "[b]".repeat(32)), "", "1");
    assert_eq!(upload(&(deep + "--b--\r\n")), Err(500));
    let far = part("name=\"a[1000000]\"", "", "1");
    assert_eq!(upload(&(far + "--b--\r\n")), Err(500));
}

/// NR-75: nothing is parsed.
#[test]
fn a_body_may_be_left_alone() {
    let headers = [("content-type", "application/json"), ("content-length", "5")];
    let raw = accepted(&request(Method::POST, "/the/raw", &headers, br#"{"a":"#)).unwrap();
    assert_eq!(read(&raw, &["payload"]), json(&Value::Bytes(br#"{"a":"#.as_slice().into())));
}
