//! How workers are kept, ended and replaced: section 9 of the security contract.
mod support;

use std::time::{Duration, Instant};

use plan::{Cells, FaultKind, ScriptEvent, Value};
use rustix::process::Signal;
use sandbox::{Part, Pool, PoolSettings, SCRIPT_FRAME_BYTES_MAX, SCRIPT_SOURCE_BYTES_MAX, Said};
use support::{call, fault, function, json, listen, message, payload, pool, pool_of, until};

fn limited(source: &str, cpu_ms: u32) -> plan::ScriptPlan {
    plan::ScriptPlan { cpu_ms, ..function(source) }
}

/// Section 9: while one function loops, as often as it is called, others answer at once.
#[tokio::test]
async fn a_looping_script_does_not_hold_up_others() {
    let pool = pool_of(4, Duration::from_secs(30));
    let looping = pool.register("document", &limited("for (;;);", 3_000));
    let other = pool.register("document", &function("return msg;"));
    call(&pool, other).await;
    let loops: Vec<_> = (0..4).map(|_| pool.call(looping, &message(&[]), &Cells::default())).collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        let started = Instant::now();
        assert_eq!(support::sends(&call(&pool, other).await).len(), 1);
        slowest = slowest.max(started.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "none waited for a loop to end: {slowest:?}");
    for conversation in loops {
        assert_eq!(fault(&listen(conversation).await).kind, FaultKind::ScriptTimeout);
    }
}

/// SE-58: each row of the contract's table is one fault of its own kind, and the next call finds a script that works.
#[tokio::test]
async fn every_way_to_run_wild_is_one_fault_and_the_next_call_works() {
    use FaultKind::{Script, ScriptMemory, ScriptTimeout};
    let regex = "/^(a+)+$/.test('a'.repeat(40) + 'b')";
    for (source, kind) in [
        ("for (;;) { try { for (;;); } catch (_) {} finally { continue } }", ScriptTimeout),
        (regex, ScriptTimeout),
        ("[3, 2, 1].sort(() => { for (;;); })", ScriptTimeout),
        ("'x'.replace(/x/, () => { for (;;); })", ScriptTimeout),
        ("(function f() { f() })()", Script),
        ("JSON.parse('['.repeat(1e5))", Script),
        ("'x'.repeat(2 ** 30)", Script),
        ("2n ** (2n ** 40n)", Script),
        ("const all = []; for (;;) all.push(new Array(1e4).fill(all.length))", ScriptMemory),
        ("(async () => { for (;;) await 0 })()", ScriptTimeout),
    ] {
        let pool = pool();
        let key = pool.register("document", &limited(&format!("if (msg.wild) {{ {source} }}\nreturn msg;"), 300));
        let wild = message(&[("wild", Value::Bool(true))]);
        let events = listen(pool.call(key, &wild, &Cells::default())).await;
        assert_eq!(fault(&events).kind, kind, "{source}: {events:?}");
        assert_eq!(support::sends(&call(&pool, key).await).len(), 1, "{source}");
    }
}

/// SE-58: what does not listen to the engine's own limits is ended from outside.
#[tokio::test]
async fn what_heeds_no_limit_is_killed_by_the_clock() {
    let pool = pool();
    let key = pool.register("document", &limited("if (msg.wild) new Array(1e9) + ''; return msg;", 100));
    let wild = message(&[("wild", Value::Bool(true))]);
    let started = Instant::now();
    let events = listen(pool.call(key, &wild, &Cells::default())).await;
    assert!(matches!(fault(&events).kind, FaultKind::ScriptTimeout | FaultKind::ScriptMemory), "{events:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(support::sends(&call(&pool, key).await).len(), 1);
}

/// SE-58: a worker that is killed, or that breaks, is one fault for the call in it, and is replaced.
#[tokio::test]
async fn a_killed_worker_is_one_fault_and_is_replaced() {
    for signal in [Signal::KILL, Signal::SEGV] {
        die_of(signal).await;
    }
}

async fn die_of(signal: Signal) {
    let pool = pool();
    let key = pool.register(
        "document",
        &function("if (msg.wait) await new Promise(done => setTimeout(done, 60000)); return msg;"),
    );
    let waiting = pool.call(key, &message(&[("wait", Value::Bool(true))]), &Cells::default());
    until(|| !pool.worker_ids().is_empty()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    support::kill_workers_by(&pool, signal).await;
    let events = listen(waiting).await;
    assert_eq!(fault(&events).kind, FaultKind::ScriptUnavailable);
    assert_eq!(support::sends(&call(&pool, key).await).len(), 1);
}

/// SE-58: running out of memory again and again leaves the worker as small as it was.
#[tokio::test]
async fn memory_stays_flat_over_scripts_that_exhaust_it() {
    let pool = pool();
    let key =
        pool.register("document", &function("const all = []; for (;;) all.push(new Array(1e4).fill(all.length))"));
    let mut resident_kib = Vec::new();
    for _ in 0..12 {
        assert_eq!(fault(&call(&pool, key).await).kind, FaultKind::ScriptMemory);
        let status = std::fs::read_to_string(format!("/proc/{}/status", pool.worker_ids()[0])).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident_kib.push(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap());
    }
    assert!(resident_kib[11] < resident_kib[1] + 8 * 1_024, "{resident_kib:?}");
}

/// Section 9: a worker is started with an empty environment.
#[tokio::test]
async fn a_worker_has_no_environment() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let pool = played(&format!("wc -c < /proc/$$/environ > {}", file.path().display()));
    call(&pool, pool.register("document", &function("return msg;"))).await;
    assert_eq!(std::fs::read_to_string(file.path()).unwrap().trim(), "0");
}

#[tokio::test]
async fn no_worker_lives_before_the_first_call_nor_long_after_the_last() {
    let pool = pool_of(4, Duration::from_millis(200));
    let key = pool.register("document", &function("return msg;"));
    assert!(pool.worker_ids().is_empty());
    call(&pool, key).await;
    assert_eq!(pool.worker_ids().len(), 1);
    until(|| pool.worker_ids().is_empty()).await;
    call(&pool, key).await;
}

#[tokio::test]
async fn a_worker_that_shares_state_stays_until_its_scripts_go() {
    let pool = pool_of(4, Duration::from_millis(100));
    let mut script = function("msg.payload = globalThis.count = (globalThis.count || 0) + 1; return msg;");
    script.shares = true;
    let keys = [pool.register("one", &script), pool.register("one", &script), pool.register("two", &script)];
    for key in keys {
        call(&pool, key).await;
    }
    assert_eq!(pool.worker_ids().len(), 2, "one for each document");
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(json(&payload(&call(&pool, keys[0]).await)), "2");
    for key in keys {
        assert!(pool.end(key).is_none(), "it has no finalize");
    }
    until(|| pool.worker_ids().is_empty()).await;
}

/// Section 9: a worker is replaced after a thousand runs, and nobody notices.
#[tokio::test]
async fn a_worker_is_replaced_after_a_thousand_runs() {
    let pool = pool();
    let key = pool.register("document", &function("return msg;"));
    call(&pool, key).await;
    let first = pool.worker_ids();
    for _ in 0..1_010 {
        assert_eq!(support::sends(&call(&pool, key).await).len(), 1);
    }
    until(|| pool.worker_ids() != first && pool.worker_ids().len() == 1).await;
}

/// SE-62: what one script leaves behind no other script finds. A node's own realm lasts, as section 9 has it.
#[tokio::test]
async fn one_script_sees_nothing_of_another() {
    let pool = pool_of(1, Duration::from_secs(30));
    let leaves = "globalThis.left = 1; implied = 2; Object.prototype.polluted = 3; Array.prototype.map = () => 'mine';
                  setInterval(() => { globalThis.left++ }, 1); return msg;";
    let first = pool.register("one", &function(leaves));
    let conversation = pool.call(first, &message(&[]), &Cells::default());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let looks = "msg.payload = [typeof left, typeof implied, typeof {}.polluted, [1].map(x => x + 1)]; return msg;";
    let second = pool.register("two", &function(looks));
    assert_eq!(json(&payload(&call(&pool, second).await)), r#"["undefined","undefined","undefined",[2]]"#);
    assert_eq!(pool.worker_ids().len(), 1, "both ran in one process");
    drop(conversation);
}

#[tokio::test]
async fn a_timer_ends_with_the_conversation_it_speaks_under() {
    let pool = pool_of(1, Duration::from_millis(100));
    let key = pool.register("one", &function("setInterval(() => node.send({payload: 1}), 5);"));
    let mut conversation = pool.call(key, &message(&[]), &Cells::default());
    for _ in 0..5 {
        loop {
            if matches!(conversation.next().await, Said::Event(ScriptEvent::Send(_))) {
                break;
            }
        }
    }
    drop(conversation);
    until(|| pool.worker_ids().is_empty()).await;
}

#[tokio::test]
async fn calls_that_wait_do_not_take_a_worker_each() {
    let pool = pool_of(2, Duration::from_secs(30));
    let key = pool.register("one", &function("await new Promise(done => setTimeout(done, 300)); return msg;"));
    let started = Instant::now();
    let calls: Vec<_> = (0..50).map(|_| pool.call(key, &message(&[]), &Cells::default())).collect();
    for conversation in calls {
        assert_eq!(support::sends(&listen(conversation).await).len(), 1);
    }
    assert!(started.elapsed() < Duration::from_secs(5), "they wait side by side: {:?}", started.elapsed());
}

#[tokio::test]
async fn a_call_says_when_its_first_turn_is_over_unless_it_rests_then() {
    let pool = pool();
    let waits = pool
        .register("one", &function("await new Promise(done => setTimeout(done, 20)); node.warn('w'); return null;"));
    let mut conversation = pool.call(waits, &message(&[]), &Cells::default());
    let mut said = Vec::new();
    while said.last() != Some(&Said::Event(ScriptEvent::Rest)) {
        said.push(conversation.next().await);
    }
    let warned = ScriptEvent::Log { level: plan::LogLevel::Warn, text: "w".into() };
    let events = [warned, ScriptEvent::Done(None), ScriptEvent::Rest].map(Said::Event);
    assert_eq!(said[0], Said::Paused);
    assert_eq!(said[1..], events);
    let rests = pool.register("one", &function("return null;"));
    let mut conversation = pool.call(rests, &message(&[]), &Cells::default());
    assert_eq!(conversation.next().await, Said::Event(ScriptEvent::Done(None)));
    assert_eq!(conversation.next().await, Said::Event(ScriptEvent::Rest));
}

/// Section 12, D20: the part, the line and what stands there.
#[tokio::test]
async fn a_broken_source_is_told_with_its_line() {
    let pool = pool();
    assert_eq!(pool.check(&function("return msg;")).await, Ok(()));
    let broken = pool.check(&function("const a = 1;\nlet b = ;\nreturn msg;")).await.unwrap_err();
    assert_eq!((broken.part, broken.line), (Part::Source, 2), "{broken}");
    let open = pool.check(&function("if (msg) {\nreturn msg;\n")).await.unwrap_err();
    assert_eq!((open.part, open.line), (Part::Source, 2), "{open}");
    let mut script = function("return msg;");
    script.initialize = "await 1;\n\n)".into();
    let broken = pool.check(&script).await.unwrap_err();
    assert_eq!((broken.part, broken.line), (Part::Initialize, 3), "{broken}");
    let faults = fault(&call(&pool, pool.register("document", &function("let b = ;"))).await);
    assert_eq!(faults.kind, FaultKind::ScriptUnavailable);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_any_worker_sees_it() {
    let pool = pool();
    let source = " ".repeat(SCRIPT_SOURCE_BYTES_MAX);
    assert_eq!(pool.check(&function(&source)).await, Ok(()));
    assert!(pool.check(&function(&format!("{source} "))).await.is_err());
    let key = pool.register("document", &function("return msg;"));
    let large = |bytes: usize| message(&[("payload", Value::text("x".repeat(bytes)))]);
    let fits = listen(pool.call(key, &large(SCRIPT_FRAME_BYTES_MAX - 200), &Cells::default())).await;
    assert_eq!(support::sends(&fits).len(), 1);
    let refused = listen(pool.call(key, &large(SCRIPT_FRAME_BYTES_MAX), &Cells::default())).await;
    assert_eq!(fault(&refused).kind, FaultKind::Script, "{refused:?}");
    let grows = pool.register("document", &function("msg.payload = msg.payload + msg.payload; return msg;"));
    let refused = listen(pool.call(grows, &large(SCRIPT_FRAME_BYTES_MAX / 2), &Cells::default())).await;
    assert_eq!(fault(&refused).kind, FaultKind::Script, "{refused:?}");
}

/// SE-64: whatever is thrown is one fault, and its text is a text.
#[tokio::test]
async fn whatever_is_thrown_is_a_fault_of_a_fixed_form() {
    for (source, text) in [
        ("throw null", "The function used up its memory"),
        ("throw undefined", "undefined"),
        ("throw Symbol('s')", "Symbol(s)"),
        (
            "throw new Proxy({}, {get() { throw 1 }, has() { throw 1 }, ownKeys() { throw 1 }})",
            "The function threw what cannot be shown",
        ),
        ("throw {get a() { throw 1 }}", "The function threw what cannot be shown"),
        ("throw {toJSON() { throw 1 }}", "The function threw what cannot be shown"),
        ("throw Object.assign(new Error('x'), {toString() { throw 1 }})", "The function threw what cannot be shown"),
        (
            "throw Object.defineProperty(new Error('x'), 'stack', {get() { throw 1 }})",
            "The function threw what cannot be shown",
        ),
        ("msg.payload = {get a() { throw new Error('getter') }}; return msg;", "Error: getter"),
        ("node.send({payload: {get a() { throw new Error('getter') }}}, false)", "Error: getter"),
    ] {
        let fault = fault(&support::run(source).await);
        assert_eq!(&*fault.message, text, "{source}");
    }
}

fn played(role: &str) -> Pool {
    let arguments = vec!["-c".into(), role.into()];
    Pool::new(PoolSettings { program: "/bin/sh".into(), arguments, workers_max: 1, idle: Duration::from_secs(1) })
}

/// SE-63: a worker that writes anything but honest frames is ended; the call in it is one fault.
#[tokio::test]
async fn a_hostile_worker_harms_nobody() {
    for role in [
        "exit 0",
        "kill -SEGV $$",
        // Frames: a length beyond the bound; a tag that is none; a turn's end that says more than it holds; garbage.
        r"printf '\377\377\377\377' >&0; sleep 9",
        r"printf '\001\000\000\000\011' >&0; sleep 9",
        r"printf '\005\000\000\000\003\000\000\000\000' >&0; sleep 9",
        "head -c 100000 /dev/urandom >&0; sleep 9",
        // It claims a fault that only the engine may raise.
        r"printf '\007\000\000\000\000\001\001\012\000\000\000' >&0; sleep 9",
    ] {
        let pool = played(role);
        let key = pool.register("document", &function("return msg;"));
        let events = call(&pool, key).await;
        assert_eq!(fault(&events).kind, FaultKind::ScriptUnavailable, "{role}");
        until(|| pool.worker_ids().is_empty()).await;
    }
}

/// Section 9: workers that die at once are started again ever more slowly.
#[tokio::test]
async fn restarts_back_off() {
    let pool = played("exit 1");
    let key = pool.register("document", &function("return msg;"));
    let started = Instant::now();
    for _ in 0..5 {
        assert_eq!(fault(&call(&pool, key).await).kind, FaultKind::ScriptUnavailable);
    }
    // After the first there are pauses of 10, 20, 40 and 80 ms.
    assert!(started.elapsed() >= Duration::from_millis(150), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_a_fault() {
    let settings = PoolSettings { program: "/nonexistent".into(), ..PoolSettings::default() };
    let pool = Pool::new(settings);
    let key = pool.register("document", &function("return msg;"));
    assert_eq!(fault(&call(&pool, key).await).kind, FaultKind::ScriptUnavailable);
    assert!(pool.check(&function("")).await.is_err());
}
