//! What an invoke sends, and what it makes of answers.

use http::{HeaderMap, StatusCode};
use plan::read_json;

use super::*;
use crate::api_connect::name::path;

fn invoke() -> Invoke {
    Invoke {
        output: Path::keys(["message"]),
        stops_at: Vec::new(),
        headers: Control::Block(Vec::new()),
        parameters: Control::Allow(Vec::new()),
        total_ms: 1_000,
        keeps_payload: false,
        follows: false,
        drops_client_id: false,
    }
}

fn value(json: &str) -> Value {
    read_json(json.as_bytes(), jose::json::Limits::REQUEST, plan::JsonRules::Exact).unwrap()
}

/// A message of a POST with a query, some headers and a body.
fn message() -> Value {
    value(
        r#"{"request": {"verb": "POST", "querystring": "a=1&b=%202&c"},
            "message": {"headers": {"host": "api.test", "authorization": "Bearer t", "x-ibm-client-id": "me",
                "content-length": "7", "x-list": ["1", "2"]}, "body": {"k": 1.50}}}"#,
    )
}

fn asked(invoke: &Invoke, to: &str) -> Result<Request, Fault> {
    request(invoke, &Arc::default(), &value(to), &message())
}

fn pattern(source: &str) -> Vec<Pattern> {
    vec![Pattern::new(source, true).unwrap()]
}

fn names(request: &Request) -> Vec<&str> {
    request.headers.keys().map(http::HeaderName::as_str).collect()
}

fn reply(status: u16, kind: &str, body: &'static str) -> Result<Reply, Failure> {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
    let status = StatusCode::from_u16(status).unwrap();
    Ok(Reply { status, headers, body: body.into(), url: String::new(), hops: Vec::new() })
}

fn answered(invoke: Invoke, outcome: Result<Reply, Failure>) -> Fetched {
    Sent { invoke, message: message() }.answered(outcome)
}

/// AC-78 (part): the verb is kept, the message's headers go along but for the connection's own, and its body as JSON.
#[test]
fn a_message_goes_out_as_it_stands() {
    let sent = asked(&invoke(), r#"{"url": "http://b.test/x?own=1"}"#).unwrap();
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("POST", "http://b.test/x?own=1"));
    assert_eq!(names(&sent), ["authorization", "x-ibm-client-id", "x-list", "content-type"]);
    assert_eq!(sent.headers.get_all("x-list").iter().count(), 2);
    assert_eq!(sent.body.unwrap(), r#"{"k":1.50}"#);
    let got = asked(&invoke(), r#"{"url": "http://b.test", "verb": "get"}"#).unwrap();
    assert_eq!((got.method, got.body), (Method::GET, None));
    let deleted =
        |keeps_payload| asked(&Invoke { keeps_payload, ..invoke() }, r#"{"url": "http://b.test", "verb": "DELETE"}"#);
    assert!(deleted(false).unwrap().body.is_none() && deleted(true).unwrap().body.is_some());
}

/// AC-78 (part): lists of headers and of parameters let through or hold back, and v5 keeps the client id.
#[test]
fn what_goes_along_is_controlled() {
    let to = r#"{"url": "http://b.test/?o"}"#;
    let sent =
        asked(&Invoke { headers: Control::Allow(pattern("^X-")), drops_client_id: true, ..invoke() }, to).unwrap();
    assert_eq!(names(&sent), ["x-list", "content-type"]);
    let sent = asked(&Invoke { headers: Control::Block(pattern("^x-")), ..invoke() }, to).unwrap();
    assert_eq!(names(&sent), ["authorization", "content-type"]);
    let sent = asked(&Invoke { parameters: Control::Block(pattern("^b$")), ..invoke() }, to).unwrap();
    assert_eq!(sent.url, "http://b.test/?o&a=1&c");
    let sent = asked(&Invoke { parameters: Control::Allow(pattern("b")), ..invoke() }, to).unwrap();
    assert_eq!(sent.url, "http://b.test/?o&b=%202");
}

#[test]
fn what_no_request_can_be_made_of_is_a_property_error() {
    for to in [r#"{"url": "/relative"}"#, r#"{"url": ""}"#, r#"{"url": "http://b.test", "verb": "no verb"}"#] {
        assert_eq!(asked(&invoke(), to).unwrap_err().code.as_deref(), Some("PropertyError"), "{to}");
    }
    let signed_in = asked(&invoke(), r#"{"url": "http://b.test", "user": "u", "password": "p"}"#).unwrap();
    assert_eq!(signed_in.headers["authorization"], "Basic dTpw");
}

/// AC-78 (part): the answer takes the message's place, or fills the variable that `output` names.
#[test]
fn an_answer_stands_where_output_says() {
    let to_message = answered(invoke(), reply(201, "application/json", r#"{"a":[1]}"#)).message.unwrap();
    let expected = r#"{"headers": {"content-type": "application/json"}, "body": {"a": [1]},
        "status": {"code": 201, "reason": "Created"}}"#;
    assert_eq!(to_message.as_map().unwrap().get("message"), Some(&value(expected)));
    let apart = Invoke { output: path("back.end"), ..invoke() };
    let apart = answered(apart, reply(200, "text/plain", "hi")).message.unwrap();
    let expected = r#"{"body": "hi", "headers": {"content-type": "text/plain"},
        "status": {"code": 200, "reason": "OK"}, "statusCode": 200}"#;
    assert_eq!(path("back.end").read(&apart, &Cells::default()), &value(expected));
    assert_eq!(path("message").read(&apart, &Cells::default()), path("message").read(&message(), &Cells::default()));
}

/// AC-78 (part): errors go on unless `stop-on-error` names them; each has a name of its own.
#[test]
fn errors_stop_where_they_are_named() {
    let soap = "<e:Envelope xmlns:e='x'><e:Body><e:Fault/></e:Body></e:Envelope>";
    for (name, outcome) in [
        ("ConnectionError", Err(Failure::Closed)),
        ("ConnectionError", Err(Failure::Timeout(1))),
        ("OperationError", reply(404, "text/plain", "none")),
        ("SOAPError", reply(500, "text/xml; charset=utf-8", soap)),
    ] {
        let goes_on = answered(invoke(), outcome.clone());
        assert!(goes_on.fault.is_none() && goes_on.message.is_some(), "{name}");
        let stops = answered(Invoke { stops_at: vec![name.into()], ..invoke() }, outcome);
        assert_eq!(stops.fault.unwrap().code.as_deref(), Some(name));
        assert!(stops.message.is_none());
        // Whoever catches it finds what came back.
        assert_eq!(stops.faulty, goes_on.message, "{name}");
    }
    let unreached = answered(invoke(), Err(Failure::Closed)).message.unwrap();
    assert_eq!(path("message.status.code").read(&unreached, &Cells::default()), &Value::integer(500));
}

/// AC-87 (part): a host that may not be called is an error that no list lets pass.
#[test]
fn a_host_that_may_not_be_called_is_never_passed_over() {
    let unnamed = Failure::Unnamed { host: "x.test".into(), port: 80 };
    let fetched = answered(invoke(), Err(unnamed));
    assert_eq!(fetched.fault.unwrap().code.as_deref(), Some("RuntimeError"));
    assert!(fetched.message.is_none());
}
