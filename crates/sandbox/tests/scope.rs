//! What function nodes find around them, and what they do not: section 12 of the Node-RED contract.
mod support;

use plan::{Cells, Handle, ScriptEvent, Value};
use sandbox::Reach;
use support::{Variables, function, json, listen, listen_with, member, message, payload, pool, run, sends};

/// The payload that this expression makes, as JSON.
async fn eval(expression: &str) -> String {
    let events = run(&format!("msg.payload = {expression}; return msg;")).await;
    if let Some(fault) = events.iter().find(|event| matches!(event, ScriptEvent::Fault { .. })) {
        panic!("{expression}: {fault:?}");
    }
    json(&payload(&events))
}

async fn check(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(&eval(expression).await, expected, "{expression}");
    }
}

/// NR-84: what the contract lists is there; what it excludes is undefined, by name and from the global object of
/// any function's making.
#[tokio::test]
async fn the_scope_is_what_the_contract_lists() {
    let listed = "node context flow global env RED Buffer URL URLSearchParams console util promisify setTimeout \
                  clearTimeout setInterval clearInterval node.id node.name node.path node.outputCount node.log node.warn \
                  node.error node.debug node.trace node.on node.status node.send node.done context.get flow.set \
                  global.keys env.get RED.util.cloneMessage Promise Map Proxy Intl";
    for name in listed.split_whitespace().filter(|name| *name != "Intl") {
        assert_ne!(eval(&format!("typeof {name}")).await, "\"undefined\"", "{name}");
    }
    let excluded = "require process fetch crypto setImmediate TextEncoder TextDecoder structuredClone performance atob btoa \
                    queueMicrotask AbortController Atomics SharedArrayBuffer WebAssembly Worker navigator std os module \
                    exports host script facts";
    for name in excluded.split_whitespace() {
        assert_eq!(eval(&format!("typeof {name}")).await, "\"undefined\"", "{name}");
        let escape = format!("this.constructor.constructor('return typeof {name}')()");
        assert_eq!(eval(&escape).await, "\"undefined\"", "{name}");
        let escape = format!("node.send.constructor('return typeof globalThis.{name}')()");
        assert_eq!(eval(&escape).await, "\"undefined\"", "{name}");
    }
    let imported = run("await import('std'); return msg;").await;
    assert_eq!(sends(&imported), [], "no module can be imported");
}

#[tokio::test]
async fn node_says_who_it_is() {
    check(&[("[node.id, node.name, node.path, node.outputCount]", r#"["fn","A name","tab/fn",1]"#)]).await;
}

#[tokio::test]
async fn names_of_the_scope_may_be_declared_anew() {
    let events =
        run("const util = 1, flow = 2, setTimeout = 3; msg.payload = util + flow + setTimeout; return msg;").await;
    assert_eq!(payload(&events), Value::integer(6));
}

#[tokio::test]
async fn buffers_are_those_of_node_js() {
    check(&[
        ("Buffer.from('h\u{e9}').toString('hex')", r#""68c3a9""#),
        ("Buffer.from('68c3A9zz', 'hex').toString()", "\"h\u{e9}\""),
        ("Buffer.from('_-8', 'base64').toString('base64')", r#""/+8=""#),
        ("Buffer.from('/+8=', 'base64').toString('base64url')", r#""_-8""#),
        ("{toJSON() { return {a: [new Date(0), Buffer.from('x')].length}; }}", r#"{"a":2}"#),
        ("[new URL('http://h/'), {toJSON: () => 5}, {toJSON: 5}]", r#"["http://h/",5,{"toJSON":5}]"#),
        ("{toJSON() { return {toJSON: () => 1}; }}", r#"{}"#),
        ("Buffer.from([256, -1, 1.5]).toJSON()", r#"{"type":"Buffer","data":[0,255,1]}"#),
        ("Buffer.concat([Buffer.from('ab'), Buffer.from('c')]).toString()", r#""abc""#),
        ("Buffer.alloc(3, 'ab').toString()", r#""aba""#),
        ("[Buffer.from('a').equals(Buffer.from('a')), Buffer.compare(Buffer.from('a'), Buffer.from('b'))]", "[true,-1]"),
        ("Buffer.from('abcdef').slice(1, 4).toString()", r#""bcd""#),
        ("Buffer.from('abcabc').indexOf('c', 3)", "5"),
        ("Buffer.byteLength('\u{20ac}')", "3"),
        ("[Buffer.isBuffer(Buffer.from('')), Buffer.isBuffer(new Uint8Array(1)), Buffer.from('a') instanceof Uint8Array]", "[true,false,true]"),
        ("(b => [b.writeUInt32BE(0x01020304, 0), b.readUInt16LE(0), b.readInt8(3), b.readUIntBE(0, 3)])(Buffer.alloc(4))", "[4,513,4,66051]"),
        ("Buffer.from('abc').subarray(1).constructor.name", r#""Buffer""#),
        ("`${Buffer.from('x')}` + Buffer.from(new Uint16Array([1]).buffer).length", r#""x2""#),
    ])
    .await;
}

#[tokio::test]
async fn urls_are_those_of_the_standard() {
    check(&[
        ("new URL('../b?x=1#y', 'HTTP://User@Example.com:80/a/c/').href", r#""http://User@example.com/a/b?x=1#y""#),
        ("(u => { u.searchParams.append('a b', '\u{e9}&'); return u.search })(new URL('http://h/?q=1'))", r#""?q=1&a+b=%C3%A9%26""#),
        ("(u => { u.search = '?z=2'; u.port = '8080'; return [u.searchParams.get('z'), u.host] })(new URL('http://h/'))", r#"["2","h:8080"]"#),
        ("[...new URLSearchParams('a=1&b=2&a=%33+')]", r#"[["a","1"],["b","2"],["a","3 "]]"#),
        ("new URLSearchParams({x: 1, y: [2]}).toString()", r#""x=1&y=2""#),
        ("(() => { try { new URL('nonsense') } catch (e) { return [e.name, e.code] } })()", r#"["TypeError","ERR_INVALID_URL"]"#),
    ])
    .await;
}

#[tokio::test]
async fn util_shows_values_as_node_js_does() {
    check(&[
        (
            "util.inspect({a: 1, 'b c': 'x', d: [1, 'y'], e: undefined, f: null})",
            r#""{ a: 1, 'b c': 'x', d: [ 1, 'y' ], e: undefined, f: null }""#,
        ),
        ("util.inspect({a: {b: {c: {}}}})", r#""{ a: { b: { c: {} } } }""#),
        ("util.inspect({a: {b: {c: {d: 1}}}})", r#""{ a: { b: { c: [Object] } } }""#),
        (
            "util.inspect([new Map([[1, 'a']]), new Set([2]), Buffer.from('ab'), 1n, -0])",
            r#""[ Map(1) { 1 => 'a' }, Set(1) { 2 }, <Buffer 61 62>, 1n, -0 ]""#,
        ),
        ("util.format('%s is %d or %j%%', 'it', '4', {a: 1}, 'more')", r#""it is 4 or {\"a\":1}% more""#),
        ("await util.promisify((x, done) => done(null, x + 1))(1)", "2"),
        ("await setTimeout[util.promisify.custom](1, 'slept')", r#""slept""#),
    ])
    .await;
}

#[tokio::test]
async fn red_util_is_there() {
    check(&[
        ("RED.util.getMessageProperty({a: [{b: 7}]}, 'msg.a[0][\"b\"]')", "7"),
        ("(m => { RED.util.setMessageProperty(m, 'a.b[0].c', 1, true); return m })({})", r#"{"a":{"b":[{"c":1}]}}"#),
        ("(m => { RED.util.setMessageProperty(m, '__proto__.polluted', 1, true); return [{}.polluted === undefined, m] })({})", "[true,{}]"),
        ("RED.util.normalisePropertyExpression('a[msg.k].c', {k: 'x'})", r#"["a","x","c"]"#),
        ("(() => { try { RED.util.normalisePropertyExpression('a..b') } catch (e) { return [e.code, e.message] } })()", r#"["INVALID_EXPR","Invalid property expression: unexpected . at position 2"]"#),
        ("RED.util.cloneMessage({a: [1, {b: new Date(0)}]})", r#"{"a":[1,{"b":"1970-01-01T00:00:00.000Z"}]}"#),
        ("RED.util.compareObjects({a: [1, Buffer.from('x')]}, {a: [1, Buffer.from('x')]})", "true"),
        ("/^[0-9a-f]{16}$/.test(RED.util.generateId())", "true"),
        ("[RED.util.ensureString({a: 1}), RED.util.ensureBuffer('x').length]", r#"["{\"a\":1}",1]"#),
        ("RED.util.evaluateNodeProperty('[1,2]', 'bin').length", "2"),
        ("typeof RED.util.getSetting(node, 'HOME')", r#""undefined""#),
    ])
    .await;
}

/// NR-91: variables of all three reaches, by path, as lists and with callbacks, shared with `initialize`; they stay
/// when the worker does not.
#[tokio::test]
async fn variables_take_paths_lists_and_callbacks() {
    let (pool, variables) = (pool(), Variables::default());
    let mut script = function(
        "flow.set(['x', 'y.z'], [1, 2]);
         global.set('g', {deep: [{a: 1}]}); global.set('g.deep[0].b', 2);
         context.set('n', (context.get('n') || 0) + 1);
         let called; flow.get(['x', 'y'], (error, x, y) => { called = [error === undefined, x, y] });
         flow.set('gone', 1); flow.set('gone', undefined);
         msg.payload = [flow.get(['x', 'y.z', 'none']), global.get('g'), global.get('g.deep.length'), context.get('n'),
           called, flow.keys(), context.flow.get('made'), context.global === global];
         return msg;",
    );
    script.initialize = "flow.set('made', 'before')".into();
    let key = pool.register("document", &script);
    listen_with(pool.begin(key).unwrap(), &variables).await;
    for round in 1..=2 {
        let call = pool.call(key, &message(&[]), &Cells::default());
        let events = listen_with(call, &variables).await;
        let expected = format!(
            r#"[[1,2,null],{{"deep":[{{"a":1,"b":2}}]}},1,{round},[true,1,{{"z":2}}],["made","x","y"],"before",true]"#
        );
        assert_eq!(json(&payload(&events)), expected);
        support::kill_workers(&pool).await;
    }
    assert_eq!(variables.get(Reach::Node, "n"), Value::integer(2));
}

#[tokio::test]
async fn a_variable_is_one_object_within_a_turn_and_keeps_what_is_changed_in_it() {
    let (pool, variables) = (pool(), Variables::default());
    let source = "const list = flow.get('list') || []; flow.set('list', list); list.push(list.length);
                  msg.payload = [flow.get('list') === list, list]; return msg;";
    let key = pool.register("document", &function(source));
    for expected in ["[true,[0]]", "[true,[0,1]]", "[true,[0,1,2]]"] {
        let events = listen_with(pool.call(key, &message(&[]), &Cells::default()), &variables).await;
        assert_eq!(json(&payload(&events)), expected);
    }
    let reads = pool.register("document", &function("flow.get('list').pop(); return msg;"));
    listen_with(pool.call(reads, &message(&[]), &Cells::default()), &variables).await;
    assert_eq!(json(&variables.get(Reach::Section, "list")), "[0,1]");
}

#[tokio::test]
async fn wrong_uses_of_variables_are_errors() {
    for (source, told) in [
        ("flow.get('')", "Error: Invalid context key"),
        ("flow.get('a', 'memory', 1)", "Error: Callback must be a function"),
        ("flow.get('a[')", "Error: Invalid property expression: unterminated expression"),
    ] {
        assert_eq!(&*support::fault(&run(source).await).message, told, "{source}");
    }
}

#[tokio::test]
async fn environment_variables_are_those_the_dialect_names() {
    let pool = pool();
    let mut script = function("msg.payload = ['A', 'NR_NODE_ID', 'HOME', 'constructor'].map(env.get); return msg;");
    script.facts = r#"{"id":"fn","path":"tab/fn","env":{"A":5}}"#.into();
    let key = pool.register("document", &script);
    assert_eq!(json(&payload(&support::call(&pool, key).await)), r#"[5,"fn",null,null]"#);
}

/// The request is one object, whatever copies of the message there are; what a script changes in it is told.
#[tokio::test]
async fn the_request_is_shared_and_its_changes_are_told() {
    let request =
        Value::map([("headers", Value::map([("x-y", Value::text("z"))])), ("params", Value::map::<&str>([]))]);
    let cells = Cells::new(vec![request, Value::map::<&str>([])]);
    let message = message(&[("req", Value::Handle(Handle(0))), ("res", Value::Handle(Handle(1)))]);
    let pool = pool();
    let source = "const copy = RED.util.cloneMessage(msg); copy.req.user = 'u';
                  msg.payload = [msg.req.get('X-Y'), msg.req === copy.req, Object.keys(msg)];
                  node.send(copy); return {payload: msg.payload, kept: msg.req};";
    let events = listen(pool.call(pool.register("d", &function(source)), &message, &cells)).await;
    let ScriptEvent::Cell { handle: 0, value } = &events[0] else { panic!("{events:?}") };
    assert_eq!(json(value), r#"{"headers":{"x-y":"z"},"params":{},"user":"u"}"#);
    let sent = sends(&events);
    let ScriptEvent::Send(copy) = &sent[0] else { panic!() };
    assert_eq!(member(&copy[0][0], "req"), Value::Handle(Handle(0)));
    assert_eq!(member(&copy[0][0], "res"), Value::Handle(Handle(1)));
    let ScriptEvent::Send(returned) = &sent[1] else { panic!() };
    assert_eq!(member(&returned[0][0], "kept"), Value::Handle(Handle(0)));
    assert_eq!(json(&member(&returned[0][0], "payload")), r#"["z",true,["_msgid","req","res"]]"#);
    let unchanged = pool.register("d", &function("msg.req.get('a'); return msg;"));
    let events = listen(pool.call(unchanged, &message, &cells)).await;
    assert!(!events.iter().any(|event| matches!(event, ScriptEvent::Cell { .. })), "{events:?}");
}

#[tokio::test]
async fn status_and_close_listeners() {
    let pool = pool();
    let mut script =
        function("node.status({fill: 'red', text: 5}); node.status('ready'); node.on('close', done => done());");
    script.finalize = "node.warn('bye ' + node.id)".into();
    let key = pool.register("document", &script);
    let shown: Vec<_> = support::call(&pool, key).await;
    let statuses = [
        Value::map([("fill", Value::text("red")), ("text", Value::text("5"))]),
        Value::map([("text", Value::text("ready"))]),
    ];
    assert_eq!(shown[..2], statuses.map(ScriptEvent::Status));
    let ended = listen(pool.end(key).unwrap()).await;
    assert_eq!(ended, [ScriptEvent::Log { level: plan::LogLevel::Warn, text: "bye fn".into() }]);
    assert_eq!(pool.call(key, &message(&[]), &Cells::default()).next().await, gone());
    let listener = run("node.on('input', () => {})").await;
    assert_eq!(&*support::fault(&listener).message, "Error: Cannot add listener to 'input' event within Function");
}

fn gone() -> sandbox::Said {
    let fault = plan::Fault::new(plan::FaultKind::ScriptUnavailable, "the script was taken away");
    sandbox::Said::Event(ScriptEvent::Fault { fault, message: None })
}
