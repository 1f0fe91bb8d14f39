//! Scripts of assemblies and the steps around them: what scripts may do, and what is told of steps that do not run.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery::{Chancery, Options};
use house::{Reply, resident_bytes};
use serde_json::{Value, json};
use server::deployment::ApiSettings;

/// What bodies that are refused may leave behind.
const GROWTH_BYTES_MAX: usize = 64 << 20;

fn definition(gateway: &str, execute: &Value) -> Value {
    let catch = json!([{"default": [
        {"set-variable": {"actions": [{"set": "message.body", "value": "$(error.name): $(error.message)"}]}},
    ]}]);
    json!({
        "swagger": "2.0", "info": {"title": "Scripts", "version": "1"},
        "paths": {"/t": {"get": {}, "post": {"operationId": "posted"}}},
        "x-ibm-configuration": {
            "gateway": gateway, "properties": {"prop": {"value": "of the api"}},
            "assembly": {"execute": execute, "catch": catch},
        },
    })
}

async fn serving(definition: &Value) -> Chancery {
    let chancery = Chancery::with(Options::default());
    chancery.deploy_as("api", &definition.to_string()).await.unwrap();
    chancery
}

fn script(source: &str) -> Value {
    json!([{"gatewayscript": {"source": source}}])
}

/// What a script answers to a POST with this body.
async fn posted(source: &str, kind: &str, body: &str) -> Reply {
    let request = format!(
        "POST /t?q=1&q=2 HTTP/1.1\r\nHost: l\r\nX-Mixed: in\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    serving(&definition("datapower-gateway", &script(source))).await.running.ask(request).await
}

/// AC-79: each call of section 11 (`urlopen` stands in `api_calls.rs`), in scripts that read, write and answer; a step ends when
/// its callbacks have run, and what they throw is its error.
#[tokio::test]
async fn the_calls_of_the_surface_work() {
    for (source, expected) in [
        ("session.output.write(apim.getvariable('request.verb') + apim.getvariable('api.operation.id'))", "POSTposted"),
        (
            "apim.setvariable('l', 1, 'add'); apim.setvariable('l', 2, 'add'); session.output.write(JSON.stringify(apim.getvariable('l')))",
            "[1,2]",
        ),
        (
            "apim.setvariable('l', 1); apim.setvariable('l', '', 'clear'); session.output.write(String(context.get('l')))",
            "undefined",
        ),
        ("context.set('a.b', 1); context.clear('a.b'); session.output.write(JSON.stringify(context.get('a')))", "{}"),
        (
            "session.output.write(context.get('prop') + '/' + apim.getvariable('api.properties.prop'))",
            "of the api/of the api",
        ),
        ("context.message.body.readAsJSON(function (e, j) { session.output.write('got ' + j.k); })", "got v"),
        ("apim.readInputAsJSON(function (e, j) { session.output.write('got ' + j.k); })", "got v"),
        (
            "context.message.body.readAsBuffer(function (e, b) { session.output.write(b.toString('hex').slice(0, 4)); })",
            "7b22",
        ),
        (
            "session.input.readAsBuffers(function (e, b) { session.output.write(b.toBuffer().toString()); })",
            "{\"k\":\"v\"}",
        ),
        (
            "context.message.body.readAsXML(function (e) { session.output.write(String(e.message)); })",
            "XML cannot be read by scripts here",
        ),
        ("session.output.write(context.request.header.get('x-MIXED') + context.message.header.get('X-Mixed'))", "inin"),
        (
            "context.message.header.remove('X-Mixed'); session.output.write(String(context.message.header.get('x-mixed')))",
            "undefined",
        ),
        (
            "session.output.write(new Buffer('aGk=', 'base64').toString() + Buffer.from('69', 'hex') + decodeURIComponent('%C3%BC'))",
            "hiiü",
        ),
        (
            "var u = new URL('https://a.test/p?x=1'); session.output.write(u.pathname + require('url').parse('/p?x=1', true).query.x)",
            "/p1",
        ),
        ("var m = require('header-metadata'); session.output.write(m.current.get('x-mixed'))", "in"),
        (
            "let f = (a, ...b) => `${a}${b.length}`; class A { get x() { return f(...[1, 2, 3]); } } session.output.write(new A().x)",
            "12",
        ),
        ("session.name('_apimgmt').setVar('k', 'v'); session.output.write(session.name('_apimgmt').getVar('k'))", "v"),
        ("setTimeout(function () { session.output.write('later'); }, 5)", "later"),
        ("Promise.resolve(1).then(function (v) { session.output.write('then ' + v); })", "then 1"),
        ("context.reject('Mine', 'the text')", "Mine: the text"),
        ("throw new TypeError('oops')", "JavaScriptError: TypeError: oops"),
        (
            "context.message.body.readAsJSON(function () { throw new Error('in a callback'); })",
            "JavaScriptError: Error: in a callback",
        ),
    ] {
        assert_eq!(posted(source, "application/json", r#"{"k":"v"}"#).await.body, expected, "{source}");
    }
    let reply = posted(
        "context.message.statusCode = '202 As You Like'; apim.output('text/x-own'); session.output.write('x')",
        "text/plain",
        "b",
    )
    .await;
    assert!(reply.head.starts_with("http/1.1 202 as you like\r\n"), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/x-own"));
    let empty = posted(
        "context.message.body.readAsJSON(function (e, j) { session.output.write(e ? 'error' : 'none'); })",
        "application/json",
        "",
    )
    .await;
    assert_eq!(empty.body, "error");
}

/// AC-80: no files, no processes, no clock to run on for ever, no memory without end, and nothing of one request in the next.
#[tokio::test]
async fn scripts_do_no_harm() {
    for source in [
        "require('fs').readFileSync('/etc/passwd')",
        "require('child_process').exec('id')",
        "require('net'); session.output.write('net')",
        "process.exit(1)",
        "eval('1')",
        "new Function('return 1')()",
        "for (;;) {}",
        "var a = []; for (;;) a.push(new Array(1e6).fill(1))",
        "(function f() { f(); })()",
    ] {
        let reply = posted(source, "text/plain", "b").await;
        assert!(reply.body.starts_with("JavaScriptError"), "{source}: {reply:?}");
    }
    let keeping = "if (typeof kept !== 'undefined' || typeof own !== 'undefined' || JSON.own) throw new Error('kept'); \
        kept = 1; this.own = 1; try { JSON.own = 1; } catch (e) {} try { Array.prototype.push = null; } catch (e) {} \
        session.output.write('clean')";
    let chancery = serving(&definition("datapower-api-gateway", &script(keeping))).await;
    for _ in 0..4 {
        assert_eq!(chancery.get("/t").await.body, "clean");
    }
}

/// A module that scripts do not get is told when the definition is deployed, by its name and with a way out.
#[tokio::test]
async fn modules_that_are_not_there_are_told() {
    let source = "var apim = require('./apim.custom.js'), u = require('urlopen'), s = require( \"service-metadata\" ), fs = require('fs'), m = require(name);";
    let chancery = Chancery::with(Options::default());
    let document = definition("datapower-gateway", &script(source)).to_string();
    let report = chancery.deploy_as("api", &document).await.unwrap();
    let told: Vec<String> = report.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("`service-metadata`") && told[1].contains("`fs`"), "{told:?}");
}

/// AC-82 (part): a log policy writes one line where its mode sends, and none where it only gathers.
#[tokio::test]
async fn a_log_policy_writes_a_line() {
    let steps = json!([{"log": {}}, {"log": {"mode": "gather-only"}}, {"log": {"mode": "gather-and-send"}}]);
    let mut chancery = serving(&definition("datapower-api-gateway", &steps)).await;
    assert_eq!(chancery.get("/t").await.status, 200);
    let log = chancery.log();
    assert_eq!(log.matches("activity: GET /t ").count(), 1, "{log}");
}

/// What a deploy tells of steps that do not run, by their places.
async fn stopped(document: &Value) -> Vec<String> {
    let chancery = Chancery::with(Options::default());
    let report = chancery.deploy_as("api", &document.to_string()).await.unwrap();
    let told = report.diagnostics.into_iter().filter(|told| told.code == "policy_unsupported");
    told.map(|told| told.place.pointer.trim_start_matches("/x-ibm-configuration/assembly/").to_owned()).collect()
}

/// AC-92: shapes of the first tier run as they stand; those of native OAuth and of v5's OAuth provider load, and each step that
/// does not run is listed.
#[tokio::test]
async fn every_tier_loads() {
    let answer = json!({"set-variable": {"actions": [{"set": "message.body", "value": "ran"}]}});
    let first = json!([
        {"switch": {"version": "1.0.0", "title": "switch", "case": [
            {"condition": "request.verb==='GET'", "execute": [
                {"set-variable": {"title": "v", "actions": [{"set": "iss.claim", "value": "me", "type": "string"}]}},
                {"gatewayscript": {"version": "1.0.0", "title": "g", "source": "apim.setvariable('sub.claim', 'you')"}},
                {"jwt-generate": {"version": "1.0.0", "title": "j", "jwt": "generated.jwt", "jti-claim": true, "iss-claim": "iss.claim",
                    "sub-claim": "sub.claim", "exp-claim": 3600, "jws-jwk": "prop", "jws-alg": "HS256"}},
            ]},
            {"otherwise": []},
        ]}},
        {"operation-switch": {"title": "o", "case": [{"operations": [{"verb": "get", "path": "/t"}], "execute": [answer.clone()]}], "otherwise": []}},
    ]);
    let mut document = definition("datapower-gateway", &first);
    document["x-ibm-configuration"]["properties"]["prop"]["value"] =
        json!(r#"{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE"}"#);
    assert_eq!(stopped(&document).await, Vec::<String>::new());
    assert_eq!(serving(&document).await.get("/t").await.body, "ran");

    let native = json!([
        {"user-security": {"version": "2.0.0", "title": "user"}},
        {"oauth": {"version": "2.0.0", "title": "components", "oauth-provider-settings-ref": {"literal": "x"}}},
        {"jwt-generate": {"version": "2.0.0", "iss-claim": "iss.claim", "exp-claim": 60, "jws-jwk": "prop"}},
        {"switch": {"case": [{"condition": "$httpVerb() = 'GET'", "execute": [{"oauth": {"title": "token"}}]}]}},
    ]);
    let native = definition("datapower-api-gateway", &native);
    let listed = ["execute/0/user-security", "execute/1/oauth", "execute/3/switch/case/0/execute/0/oauth"];
    assert_eq!(stopped(&native).await, listed);
    let wrapped = json!({"native_provider": {"api": native}});
    assert_eq!(stopped(&wrapped).await.len(), 3);

    let mut provider = definition(
        "datapower-gateway",
        &json!([
            {"xslt": {"title": "x", "input": false, "source": "<xsl:stylesheet/>"}},
            {"redact": {"actions": []}}, {"validate": {"definition": "#/d"}}, {"ratelimit": {"source": "plan"}}, {"proxy": {"target-url": "https://a.test"}},
            {"my-own-policy": {"version": "1.0.0"}},
        ]),
    );
    provider["x-ibm-configuration"]["oauth2"] = json!({"client-type": "confidential", "grants": ["application"]});
    let listed = ["0/xslt", "1/redact", "2/validate", "3/ratelimit", "4/proxy", "5/my-own-policy"]
        .map(|at| format!("execute/{at}"));
    assert_eq!(stopped(&provider).await, listed);
    let reply = serving(&provider).await.get("/t").await;
    assert_eq!(reply.body, "RuntimeError: The policy xslt is not supported.");
}

/// AC-92 (part): with `apis.strict`, a definition of which something does not run is refused, and names it.
#[tokio::test]
async fn a_strict_server_takes_what_runs_whole() {
    let strict = || {
        Chancery::with(Options { apis: ApiSettings { strict: true, ..ApiSettings::default() }, ..Options::default() })
    };
    let broken = definition("datapower-gateway", &json!([{"xslt": {"title": "x", "source": "<xsl:stylesheet/>"}}]));
    let refused = strict().deploy_as("api", &broken.to_string()).await.unwrap_err().to_string();
    assert!(refused.contains("policy_unsupported") && refused.contains("`xslt`"), "{refused}");
    let whole = definition("datapower-gateway", &script("session.output.write('ran')"));
    assert!(strict().deploy_as("api", &whole.to_string()).await.is_ok());
}

/// AC-75 (part): a condition in JSONata that fails is an error of its policy, and no JavaScriptError; one in JavaScript is.
#[tokio::test]
async fn a_condition_that_fails_is_an_error() {
    let condition = |condition: &str| json!([{"if": {"condition": condition, "execute": []}}]);
    let jsonata = definition("datapower-api-gateway", &condition("$number('x') > 1"));
    let told = serving(&jsonata).await.get("/t").await.body;
    assert!(told.starts_with("RuntimeError: The condition failed: "), "{told}");
    let javascript = definition("datapower-gateway", &condition("not.there.at.all"));
    let told = serving(&javascript).await.get("/t").await.body;
    assert!(told.starts_with("JavaScriptError: "), "{told}");
}

/// SE-33: XML with a document type, entities of its own or without end is refused where a body is read as XML, at once; a
/// definition as YAML is held to the same in `admin.rs`.
#[tokio::test]
async fn xml_bombs_are_refused_at_once() {
    let chancery = serving(&definition("datapower-gateway", &json!([{"xml-to-json": {}}]))).await;
    let laughs = (1..10).fold("<!ENTITY l0 \"lol\">".to_owned(), |text, level| {
        format!("{text}<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10))
    });
    assert_eq!(chancery.get("/t").await.status, 200);
    let flat = resident_bytes();
    for body in [
        format!("<!DOCTYPE a [{laughs}]><a>&l9;</a>"),
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>".to_owned(),
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"http://127.0.0.1:1/x\">]><a>&e;</a>".to_owned(),
        "<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/x\"> %p;]><a/>".to_owned(),
        "<a>&own;</a>".to_owned(),
        "<a x='&own;'/>".to_owned(),
        format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000)),
        format!("<a>{}</a>", "<b/>".repeat(20_000)),
        format!("<a {}/>", (0..100).map(|at| format!("x{at}='1' ")).collect::<String>()),
    ] {
        let before = std::time::Instant::now();
        let length = body.len();
        let head = format!("POST /t HTTP/1.1\r\nHost: l\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n");
        let reply = chancery.running.ask(head + &body).await;
        let shown: String = body.chars().take(60).collect();
        assert!(reply.body.starts_with("RuntimeError: the body is no XML: "), "{shown}: {reply:?}");
        assert!(!reply.body.contains("root:") && !reply.body.contains("lol"), "{reply:?}");
        assert!(before.elapsed().as_secs() < 5, "{shown} took {:?}", before.elapsed());
    }
    let grown = resident_bytes().saturating_sub(flat);
    assert!(grown < GROWTH_BYTES_MAX, "{grown} octets more than before");
}
