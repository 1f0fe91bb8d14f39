//! Functions of live flows that run in workers: in which order, and on what they share.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery::{Chancery, flow, function};
use serde_json::json;

/// Notes on the request, which all copies of the message share, that it was here; the fourth answers with all notes.
fn marks(id: &str) -> serde_json::Value {
    let body = format!(
        "const seen = msg.req.seen = msg.req.seen || [];\nseen.push(msg.tag + '{id}');\n\
         if (seen.length === 4) {{ msg.payload = seen.join(' '); return msg; }}"
    );
    function(id, &body, json!([["out"]]))
}

/// Section 9: scripts of one run see the request as the one before has left it, in the order of their messages, though
/// each could run in a worker of its own.
#[tokio::test]
async fn scripts_of_one_message_run_one_after_the_other() {
    let sends = function("n0", "return [[{...msg, tag: 'a'}, {...msg, tag: 'b'}]];", json!([["1", "2"]]));
    let chancery = Chancery::serving(&flow(&[sends, marks("1"), marks("2")])).await;
    assert_eq!(chancery.get("/x").await.body, "a1 b1 a2 b2");
}

/// A script that waits lets the others go on.
#[tokio::test]
async fn a_script_that_waits_holds_up_nobody() {
    let slow = "await new Promise(done => setTimeout(done, 60000)); return msg;";
    let sends = function("n0", "return [msg, {...msg, payload: 'fast'}];", json!([["slow"], ["fast"]]));
    let nodes =
        [sends, function("slow", slow, json!([["out"]])), function("fast", "await 0; return msg;", json!([["out"]]))];
    let chancery = Chancery::serving(&flow(&nodes)).await;
    assert_eq!(chancery.get("/x").await.body, "fast");
}
