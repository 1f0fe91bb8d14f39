//! What a call of a script costs: the hop to a worker and back, beside what its message and its request add.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use plan::{Cells, Handle, OriginIx, ScriptEvent, ScriptPlan, Value};
use sandbox::{Pool, PoolSettings, Said};
use tokio::runtime::Runtime;

const SURFACE: &str = include!("../../dialects/src/node_red/surface/whole.in");

fn script(surface: &str, source: &str) -> ScriptPlan {
    ScriptPlan {
        origin: OriginIx(0),
        surface: surface.into(),
        reader: surface.into(),
        source: source.into(),
        initialize: "".into(),
        finalize: "".into(),
        facts: r#"{"id":"fn","name":"fn","path":"tab/fn"}"#.into(),
        outputs: 1,
        cpu_ms: 10_000,
        shares: false,
    }
}

/// The least a surface can be: it settles every call at once.
const BARE: &str = "(function (host) { host.equip(Uint8Array.prototype); return {
    begin() {}, end() {}, flush() {}, enter(call) { host.settle(call); } } })";

fn message() -> Value {
    Value::map([
        ("_msgid", Value::text("0123456789abcdef")),
        ("payload", Value::map([("name", Value::text("alice")), ("offices", Value::list(vec![Value::integer(1)]))])),
    ])
}

/// A request as a browser sends it.
fn request() -> Value {
    let headers = (0..12).map(|at| (format!("x-header-{at}"), Value::text("some value of a usual length")));
    let names = ["method", "url", "originalUrl", "path", "hostname", "ip", "protocol"];
    let parts = names.map(|name| (name.to_owned(), Value::text("/a/path?with=a&query")));
    Value::map(parts.into_iter().chain([("headers".to_owned(), Value::map(headers))]))
}

fn hop(bench: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime can be built");
    let program = env!("CARGO_BIN_EXE_script-worker").into();
    let pool = Pool::new(PoolSettings { program, arguments: Vec::new(), ..PoolSettings::default() });
    let mut run = |name: &str, script: &ScriptPlan, message: &Value, cells: &Cells| {
        let key = pool.register("document", script);
        bench.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                let mut call = pool.call(key, message, cells);
                while black_box(call.next().await) != Said::Event(ScriptEvent::Rest) {}
            });
        });
    };
    let with_request = Value::map([
        ("_msgid", Value::text("0123456789abcdef")),
        ("payload", Value::text("x")),
        ("req", Value::Handle(Handle(0))),
    ]);
    run("hop alone", &script(BARE, ""), &Value::Null, &Cells::default());
    run("hop with a message", &script(BARE, ""), &message(), &Cells::default());
    run("function node", &script(SURFACE, "return msg;"), &message(), &Cells::default());
    run("function node of a request", &script(SURFACE, "return msg;"), &with_request, &Cells::new(vec![request()]));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = hop
}
criterion_main!(benches);
