//! Wishes: what takes its time is asked for, others run meanwhile, and the script goes on when it comes.
mod support;

use std::time::Duration;

use plan::{Cells, ScriptEvent, ScriptPlan, Value};
use sandbox::{Conversation, Pool, Said, ScriptKey};
use support::{fault, function, json, listen, pool_of, until};

/// A surface whose scripts are functions of a message and of `ask(wish, callback)`; each answer is sent.
const SURFACE: &str = "(function (host, script) {
  host.equip(Uint8Array.prototype);
  const run = host.compile('source', '(function (msg, ask) {', script.source, '})');
  return {
    begin(call, alone) { if (alone) host.settle(call); },
    enter(call, msg) {
      run(msg, (wish) => host.wish(call, wish, (error, value) => {
        if (value === 'throw') throw new Error('thrown');
        host.send(call, [[error === undefined ? value : 'error: ' + error]]);
      }));
      host.settle(call);
    },
    end(call) { host.settle(call); },
    flush() {},
  };
})";

fn script(pool: &Pool, source: &str) -> ScriptKey {
    pool.register("document", &ScriptPlan { surface: SURFACE.into(), reader: SURFACE.into(), ..function(source) })
}

fn ask(pool: &Pool, key: ScriptKey, wish: &str) -> Conversation {
    pool.call(key, &Value::text(wish), &Cells::default())
}

/// The wish that a call tells, and its number.
async fn wish(conversation: &mut Conversation) -> (u32, Value) {
    loop {
        match conversation.next().await {
            Said::Wish { id, wish } => return (id, wish),
            Said::Paused => {}
            other @ (Said::Event(_) | Said::Question(_)) => panic!("{other:?}"),
        }
    }
}

fn sent(events: &[ScriptEvent]) -> Vec<String> {
    let outputs =
        |event: &ScriptEvent| if let ScriptEvent::Send(outputs) = event { Some(json(&outputs[0][0])) } else { None };
    events.iter().filter_map(outputs).collect()
}

#[tokio::test]
async fn others_run_in_the_worker_while_a_wish_is_open() {
    let pool = pool_of(1, Duration::from_secs(30));
    let key = script(&pool, "ask(msg)");
    let (mut first, mut second) = (ask(&pool, key, "one"), ask(&pool, key, "two"));
    let (one, two) = (wish(&mut first).await, wish(&mut second).await);
    assert_eq!((json(&one.1), json(&two.1)), ("\"one\"".to_owned(), "\"two\"".to_owned()));
    second.fulfil(two.0, Ok(Value::text("late")));
    assert_eq!(sent(&listen(second).await), ["\"late\""]);
    first.fulfil(one.0, Err("nobody is there".into()));
    assert_eq!(sent(&listen(first).await), ["\"error: nobody is there\""]);
    assert_eq!(pool.worker_ids().len(), 1);
}

#[tokio::test]
async fn a_call_rests_when_all_its_wishes_are_fulfilled_each_once() {
    let pool = pool_of(1, Duration::from_secs(30));
    let key = script(&pool, "ask(1); ask(2)");
    let mut conversation = ask(&pool, key, "");
    let (one, _) = wish(&mut conversation).await;
    let (two, _) = wish(&mut conversation).await;
    for _ in 0..2 {
        conversation.fulfil(two, Ok(Value::text("b")));
    }
    conversation.fulfil(u32::MAX, Ok(Value::text("never asked for")));
    conversation.fulfil(one, Ok(Value::text("a")));
    assert_eq!(sent(&listen(conversation).await), ["\"b\"", "\"a\""]);
}

#[tokio::test]
async fn what_a_callback_throws_is_a_fault_of_its_call() {
    let pool = pool_of(1, Duration::from_secs(30));
    let mut conversation = ask(&pool, script(&pool, "ask(1)"), "");
    let (id, _) = wish(&mut conversation).await;
    conversation.fulfil(id, Ok(Value::text("throw")));
    assert_eq!(&*fault(&listen(conversation).await).message, "Error: thrown");
}

#[tokio::test]
async fn a_script_has_so_many_wishes_open_and_no_more() {
    let pool = pool_of(1, Duration::from_secs(30));
    let refused = ask(&pool, script(&pool, "for (let at = 0; at < 33; at++) ask(at)"), "");
    assert!(fault(&listen(refused).await).message.contains("32 things"));
    let taken = ask(&pool, script(&pool, "for (let at = 0; at < 32; at++) ask(at)"), "");
    assert_eq!(sent(&listen(taken).await).len(), 32);
}

/// Nobody who has gone is waited for: the worker ends once it has nothing to do.
#[tokio::test]
async fn a_wish_ends_with_its_conversation() {
    let pool = pool_of(1, Duration::from_millis(100));
    let mut conversation = ask(&pool, script(&pool, "ask(1)"), "");
    wish(&mut conversation).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(pool.worker_ids().len(), 1, "a worker stays while a wish is open");
    drop(conversation);
    until(|| pool.worker_ids().is_empty()).await;
}
