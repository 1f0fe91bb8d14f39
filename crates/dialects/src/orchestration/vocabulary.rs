//! What the variables of a flow mean before any request comes: what a caller sends, and what an answer is made of.

use plan::{Path, ReplyIx, Segment, Value};

use super::lower::{ANSWER, REPLY};
use crate::minting::{Answer, Body, Part, Sent, Symbol, behind};

/// The variables of a request (section 6).
pub(crate) fn sent() -> Symbol {
    Symbol::sent(["flow", "user"])
}

/// The answer that an end node makes ready (section 8).
pub(crate) fn answer(reply: ReplyIx, message: &Symbol) -> Answer {
    let at = |way: &[&str]| {
        let way: Vec<Segment> = [REPLY].iter().chain(way).map(|name| Segment::Key((*name).into())).collect();
        if reply == ANSWER { message.read(&way) } else { Symbol::Known(Value::Undefined) }
    };
    let text = at(&["body", "text"]);
    let body = if text.is_nothing() { Body::Json(at(&["body", "json"])) } else { Body::Text(text) };
    Answer { status: at(&["status"]), body, headers: at(&["headers"]), cookies: at(&["cookies"]) }
}

/// What a caller sends there.
pub(crate) fn sent_at(path: &Path) -> Option<Sent> {
    const ROOTS: &[(&[&str], Part)] = &[
        (&["flow", "request", "body"], Part::Body),
        (&["flow", "request", "query"], Part::Query),
        (&["flow", "request", "headers"], Part::Headers),
        (&["flow", "request", "params"], Part::Parameters),
        (&["flow", "request", "cookies"], Part::Cookies),
        (&["flow", "request", "method"], Part::Method),
        (&["flow", "request", "path"], Part::Path),
    ];
    behind(path, ROOTS)
}
