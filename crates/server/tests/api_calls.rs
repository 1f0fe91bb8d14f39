//! API definitions that call back ends, and the callers that they let in.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::sync::Arc;

use dialects::api_connect::{ClientSecret, Clients};
use house::Reply;
use house::chancery::{Chancery, Options};
use server::deployment::ApiSettings;
use server::effects::fetch::Backends;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A definition for this gateway whose operations are `/t` and `/o/{id}`, with this assembly behind `assembly:`.
fn api(gateway: &str, assembly: &str) -> String {
    format!(
        "swagger: '2.0'\ninfo: {{title: T, version: 1.0.0}}\nbasePath: /api\npaths:\n  /t: {{get: {{}}, post: {{}}}}\n  \
         /o/{{id}}: {{get: {{}}, delete: {{}}}}\nx-ibm-configuration:\n  gateway: {gateway}\n  properties:\n    \
         target: {{value: 'https://gone.test/v1'}}\n    \
         key: {{value: '{{\"kty\":\"oct\",\"kid\":\"K\",\"k\":\"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE\"}}'}}\n  \
         assembly:\n{assembly}\n"
    )
}

const API_GATEWAY: &str = "datapower-api-gateway";
const V5: &str = "datapower-gateway";

async fn serving(apis: ApiSettings, document: &str) -> Chancery {
    let chancery = Chancery::with(Options { apis, ..Options::default() });
    chancery.deploy_as("api", document).await.unwrap();
    chancery
}

fn backed(backends: Backends) -> ApiSettings {
    ApiSettings { backends: Arc::new(backends), ..ApiSettings::default() }
}

/// The definition over the built-in echo.
async fn echoing(gateway: &str, assembly: &str) -> Chancery {
    serving(backed(Backends::stub()), &api(gateway, assembly)).await
}

fn echoed(reply: &Reply) -> serde_json::Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::from_str(&reply.body).unwrap()
}

/// A back end that gives each caller this answer; gives its port.
async fn back_end(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    port
}

fn at(port: u16) -> ApiSettings {
    backed(Backends::parse(&[format!("gone.test=http://127.0.0.1:{port}")]).unwrap())
}

/// AC-33, AC-85: without `jwt`, or with an empty one, the next invoke carries the token; the echo shows what it sent although
/// the back end is gone.
#[tokio::test]
async fn a_token_without_a_place_goes_to_the_back_end() {
    for (gateway, jwt) in [(API_GATEWAY, ""), (API_GATEWAY, "jwt: '', "), (V5, "")] {
        let assembly = format!(
            "    execute:\n      - set-variable: {{actions: [{{set: iss.claim, value: me}}]}}\n      \
             - jwt-generate: {{{jwt}iss-claim: iss.claim, exp-claim: 60, jws-jwk: key, jws-alg: HS256}}\n      \
             - invoke: {{target-url: $(target)/orders}}"
        );
        let reply = echoing(gateway, &assembly).await.get("/api/t").await;
        let sent = echoed(&reply);
        assert!(sent["headers"]["authorization"].as_str().unwrap().starts_with("Bearer eyJ"), "{sent}");
        assert_eq!((sent["method"].as_str(), sent["path"].as_str()), (Some("GET"), Some("/v1/orders")));
        // What went to the back end does not come back to the caller.
        assert_eq!(reply.header("authorization"), None);
    }
}

/// AC-78 (part): variables stand in the URL as they are, parameters escaped; the query stays behind unless it is let along.
#[tokio::test]
async fn the_url_is_filled_in_for_each_request() {
    let assembly = "    execute:\n      - set-variable: {actions: [{set: way, value: a/b}]}\n      \
        - invoke: {target-url: '$(target)/$(way)/{id}/{other}$(request.search)'}";
    let chancery = echoing(API_GATEWAY, assembly).await;
    let sent = echoed(&chancery.get("/api/o/x%2Fy%20z?q=1").await);
    assert_eq!(sent["path"], "/v1/a/b/x%2Fy%20z/%7Bother%7D?q=1");
    let chancery = echoing(V5, "    execute:\n      - invoke: {target-url: '$(target)/{id}', verb: POST}").await;
    let sent = echoed(
        &chancery.running.ask("DELETE /api/o/7?q=1 HTTP/1.1\r\nHost: l\r\nX-IBM-Client-Id: me\r\nX-A: b\r\n\r\n").await,
    );
    assert_eq!((sent["method"].as_str(), sent["path"].as_str()), (Some("POST"), Some("/v1/7")));
    assert_eq!(sent["headers"]["x-a"], "b");
    assert_eq!(sent["headers"].get("x-ibm-client-id"), None);
}

/// AC-78: the answer of a real back end becomes the reply, or stands where `output` says, readable by its members; an error of
/// the back end goes on unless it is named.
#[tokio::test]
async fn a_back_end_answers() {
    let found = back_end(
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-Of: back\r\nContent-Length: 9\r\n\r\n{\"a\":[7]}",
    )
    .await;
    let invoke = "    execute:\n      - invoke: {target-url: $(target)/x}";
    let reply = serving(at(found), &api(API_GATEWAY, invoke)).await.get("/api/t").await;
    assert_eq!((reply.status, reply.header("x-of"), reply.body.as_str()), (201, Some("back"), r#"{"a":[7]}"#));
    let apart = "    execute:\n      - invoke: {target-url: $(target)/x, output: found}\n      \
        - set-variable: {actions: [{set: message.body, value: '$(found.body.a[0]) $(found.statusCode) $(found.headers.x-of)'}]}";
    assert_eq!(serving(at(found), &api(V5, apart)).await.get("/api/t").await.body, "7 201 back");

    let refusing =
        back_end("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnone").await;
    let reply = serving(at(refusing), &api(API_GATEWAY, invoke)).await.get("/api/t").await;
    assert_eq!((reply.status, reply.body.as_str()), (404, "none"));
    let caught = "    execute:\n      - invoke: {target-url: $(target)/x, stop-on-error: [OperationError]}\n    catch:\n      \
        - errors: [OperationError]\n        execute:\n          \
        - set-variable: {actions: [{set: message.body, value: '$(error.name) $(message.status.code) $(message.body)'}]}";
    let reply = serving(at(refusing), &api(API_GATEWAY, caught)).await.get("/api/t").await;
    assert_eq!(reply.body, "OperationError 404 none");
}

/// A media type that the back end and the caller share is the back end's, not an echo of the caller's.
#[tokio::test]
async fn headers_of_an_answer_are_its_own() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>";
    let port = back_end(answer).await;
    let chancery = serving(at(port), &api(V5, "    execute:\n      - invoke: {target-url: $(target)/x}")).await;
    let request = "POST /api/t HTTP/1.1\r\nHost: l\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<b/>";
    let reply = chancery.running.ask(request).await;
    assert_eq!((reply.header("content-type"), reply.body.as_str()), (Some("text/xml"), "<a/>"));
}

/// AC-78: a back end that is away is a `ConnectionError`: raised where it is named, and else told by the status.
#[tokio::test]
async fn a_back_end_that_is_away_is_told() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let on = "    execute:\n      - invoke: {target-url: $(target)/x}";
    let reply = serving(at(nobody), &api(API_GATEWAY, on)).await.get("/api/t").await;
    assert!(reply.head.starts_with("http/1.1 500 url open error\r\n"), "{reply:?}");
    let stops = "    execute:\n      - invoke: {target-url: $(target)/x, stop-on-error: [ConnectionError]}";
    let reply = serving(at(nobody), &api(API_GATEWAY, stops)).await.get("/api/t").await;
    let expected =
        r#"{"httpCode":"500","httpMessage":"URL Open error","moreInformation":"Could not connect to endpoint"}"#;
    assert_eq!(reply.body, expected);
}

/// A gatewayscript step of this source, which holds no quotation mark of that kind.
fn script(source: &str) -> String {
    format!("    execute:\n      - gatewayscript: {{source: \"{source}\"}}")
}

/// AC-79: a script asks a server itself, several at a time; the step ends behind its callbacks, and others go on meanwhile.
#[tokio::test]
async fn a_script_asks_a_server_itself() {
    let port = back_end(
        "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-Of: Back\r\nContent-Length: 9\r\n\r\n{\"a\":[7]}",
    )
    .await;
    let open = "var urlopen = require('urlopen'); context.set('target2', context.get('target') + '/x'); ";
    for (body, expected) in [
        (
            "urlopen.open({target: context.get('target2'), method: 'get'}, function (error, response) { \
             response.readAsJSON(function (wrong, json) { session.output.write([error, response.statusCode, \
             response.reasonPhrase, response.headers['x-of'], response.get('X-OF'), json.a[0]].join(' ')); }); });",
            " 201 Created Back Back 7",
        ),
        (
            "urlopen.open(context.get('target2'), function (e, r) { r.readAsBuffer(function (w, b) { \
             session.output.write(b.toString()); }); }); session.output.write('early');",
            r#"{"a":[7]}"#,
        ),
        (
            "var ask = () => new Promise((done, fail) => urlopen.open({target: context.get('target2')}, (e, r) => e ? fail(e) : \
             done(r.statusCode))); (async () => { session.output.write(String(await ask() + await ask())); })();",
            "402",
        ),
        (
            "urlopen.open({target: context.get('target2')}, function () { throw new Error('in a callback'); });",
            "JavaScriptError",
        ),
        ("urlopen.open({target: context.get('target2')}, function (e, r) { context.reject('Mine', 'no'); });", "Mine"),
    ] {
        let catch =
            "\n    catch:\n      - default: [{set-variable: {actions: [{set: message.body, value: $(error.name)}]}}]";
        let document = api(V5, &format!("{}{catch}", script(&format!("{open}{body}").replace('"', "'"))));
        let reply = serving(at(port), &document).await.get("/api/t").await;
        assert_eq!(reply.body, expected, "{body}");
    }
}

/// AC-79, AC-87 (part): what a script sends goes as it says, to hosts of the file alone; the echo shows it although the back end
/// is gone, and what cannot be asked comes to the callback.
#[tokio::test]
async fn a_script_asks_as_an_invoke_may() {
    let answer = "function (e, r) { if (e) return session.output.write('failed: ' + e.errorMessage); \
        r.readAsBuffer(function (w, b) { session.output.write(b); }); }";
    let open = |options: &str| script(&format!("require('urlopen').open({options}, {answer});"));
    let post =
        "{target: context.get('target') + '/p?q=1', method: 'post', data: {k: [1]}, headers: {'X-Own': 5}, timeout: 3}";
    let sent = echoed(&echoing(V5, &open(post)).await.get("/api/t").await);
    assert_eq!(
        (&sent["method"], &sent["path"], &sent["body"]),
        (&"POST".into(), &"/v1/p?q=1".into(), &r#"{"k":[1]}"#.into())
    );
    assert_eq!(
        (&sent["headers"]["x-own"], &sent["headers"]["content-type"]),
        (&"5".into(), &"application/json".into())
    );
    let text = "{target: context.get('target'), method: 'PUT', data: 'text', contentType: 'text/x-own'}";
    let sent = echoed(&echoing(V5, &open(text)).await.get("/api/t").await);
    assert_eq!((&sent["headers"]["content-type"], &sent["body"]), (&"text/x-own".into(), &"text".into()));

    for (options, why) in [
        ("{target: 'http://' + context.get('request.headers.x-host') + '/x'}", "is not written in the document"),
        ("{target: 'local:///secret'}", "URL"),
        ("{}", "URL"),
        ("{target: context.get('target'), method: 'G T'}", "method"),
        ("{target: context.get('target'), headers: {'a b': 1}}", "header"),
        ("{target: context.get('target')}", "cannot be resolved"),
    ] {
        let chancery = serving(ApiSettings::default(), &api(V5, &open(options))).await;
        let reply = chancery.running.ask("GET /api/t HTTP/1.1\r\nHost: l\r\nX-Host: other.test\r\n\r\n").await;
        assert!(reply.body.starts_with("failed: ") && reply.body.contains(why), "{options}: {reply:?}");
    }
}

/// AC-87: a host that only the request names is not called, nor one of this machine that nobody has named; a listener that
/// others can reach takes no API that anybody may call.
#[tokio::test]
async fn only_hosts_of_the_file_are_called_and_only_by_known_clients() {
    let port = back_end("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret").await;
    let from_request = "    execute:\n      - invoke: {target-url: 'http://$(request.headers.x-host)/x'}";
    let mut chancery = serving(ApiSettings::default(), &api(API_GATEWAY, from_request)).await;
    let request = format!("GET /api/t HTTP/1.1\r\nHost: l\r\nX-Host: 127.0.0.1:{port}\r\n\r\n");
    let reply = chancery.running.ask(request).await;
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(!reply.body.contains("secret") && !reply.body.contains("127.0.0.1"), "{reply:?}");
    assert!(chancery.log().contains("is not written in the document"), "the log names the cause");
    // Whoever catches it answers without the headers that came in.
    let catch = "\n    catch:\n      - default: [{set-variable: {actions: [{set: message.body, value: caught}]}}]";
    let chancery = serving(ApiSettings::default(), &api(API_GATEWAY, &format!("{from_request}{catch}"))).await;
    let request = format!("GET /api/t HTTP/1.1\r\nHost: l\r\nX-Host: 127.0.0.1:{port}\r\n\r\n");
    let reply = chancery.running.ask(request).await;
    assert_eq!((reply.body.as_str(), reply.header("x-host")), ("caught", None));

    let written = format!("    execute:\n      - invoke: {{target-url: 'http://127.0.0.1:{port}/x'}}");
    let reply = serving(ApiSettings::default(), &api(API_GATEWAY, &written)).await.get("/api/t").await;
    assert_eq!(reply.status, 500, "an inner address needs the operator's word: {reply:?}");

    let open = Chancery::with(Options {
        apis: ApiSettings { is_public: true, ..ApiSettings::default() },
        ..Options::default()
    });
    let refused = open.deploy_as("api", &api(API_GATEWAY, "    execute: []")).await.unwrap_err();
    assert!(refused.to_string().contains("--client"), "{refused}");
}

/// AC-86: any client is taken at its word, or `demo-client`; where clients are registered, others and wrong secrets get 401.
#[tokio::test]
async fn a_client_is_taken_at_its_word_or_known() {
    let assembly = "    execute:\n      - set-variable: {actions: [{set: message.body, value: $(client.app.id)}]}";
    let any = serving(ApiSettings::default(), &api(V5, assembly)).await;
    assert_eq!(any.get("/api/t").await.body, "demo-client");
    assert_eq!(any.get("/api/t?client_id=q").await.body, "q");
    let known = [("a".to_owned(), None), ("b".to_owned(), Some(ClientSecret::of("pw")))];
    let settings =
        ApiSettings { clients: Clients::Registered(known.into()), is_public: true, ..ApiSettings::default() };
    let known = serving(settings, &api(V5, assembly)).await;
    let ask = async |headers: &str| known.running.ask(format!("GET /api/t HTTP/1.1\r\nHost: l\r\n{headers}\r\n")).await;
    assert_eq!(ask("X-IBM-Client-Id: a\r\n").await.body, "a");
    assert_eq!(ask("X-IBM-Client-Id: b\r\nX-IBM-Client-Secret: pw\r\n").await.body, "b");
    for headers in
        ["", "X-IBM-Client-Id: c\r\n", "X-IBM-Client-Id: b\r\n", "X-IBM-Client-Id: b\r\nX-IBM-Client-Secret: no\r\n"]
    {
        let reply = ask(headers).await;
        assert_eq!(reply.status, 401, "{headers}");
        assert!(reply.body.contains("Invalid client id or secret."), "{reply:?}");
    }
}

/// A security scheme that nobody checks here is told; where clients are registered, an operation that needs it is not served.
#[tokio::test]
async fn a_scheme_that_is_not_checked_opens_nothing() {
    let document = api(V5, "    execute:\n      - set-variable: {actions: [{set: message.body, value: ran}]}");
    let schemes =
        "securityDefinitions:\n  id: {type: apiKey, in: header, name: X-IBM-Client-Id}\n  token: {type: oauth2}\n";
    let asking = |root: &str| format!("{document}{schemes}security: {root}\n");
    let own = asking("[{token: []}]").replace("get: {}", "get: {security: [{id: []}]}");
    for (definition, told, any, registered) in [
        (asking("[{id: []}]"), 0, 200, 200),
        (asking("[{id: [], token: []}]"), 1, 200, 501),
        (asking("[{id: [], token: []}, {id: []}]"), 0, 200, 200),
        (asking("[{token: []}, {}]"), 0, 200, 200),
        (asking("[]"), 0, 200, 200),
        (own, 1, 200, 200),
    ] {
        let known = Clients::Registered([("a".to_owned(), None)].into());
        for (clients, status) in [(Clients::Any, any), (known, registered)] {
            let chancery = Chancery::with(Options {
                apis: ApiSettings { clients, ..ApiSettings::default() },
                ..Options::default()
            });
            let report = chancery.deploy_as("api", &definition).await.unwrap();
            let unchecked = report.diagnostics.iter().filter(|one| one.code == "security_unchecked").count();
            assert_eq!(unchecked, told, "{definition}");
            let request = "GET /api/t HTTP/1.1\r\nHost: l\r\nX-IBM-Client-Id: a\r\n\r\n";
            assert_eq!(chancery.running.ask(request).await.status, status, "{definition}");
        }
    }
}
