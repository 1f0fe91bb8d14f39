//! What the members of a message mean before any message comes: what a caller sends, and what an answer is made of.

use plan::{Path, ScriptPlan, Text, Value};

use super::lowered::ResponseNode;
use crate::minting::{Answer, Body, Part, Sent, Symbol, behind};

/// The module with which a function signs.
const SIGNER: &str = "jsonwebtoken";

/// The message of a request (section 11).
pub(crate) fn sent() -> Symbol {
    Symbol::sent(["_msgid", "payload", "req", "res"])
}

/// The answer that an `http response` makes of a message (section 11).
pub(crate) fn answer(reply: &ResponseNode, message: &Symbol) -> Answer {
    let member = |name: &str| message.read(&Path::keys([name]).0);
    let own = reply.headers.iter().map(|(name, value)| (Text::from(name.to_ascii_lowercase()), value.clone()));
    let own: Vec<_> = own.collect();
    let headers = own.into_iter().fold(member("headers"), |headers, (name, value)| {
        headers.written(&[plan::Segment::Key(name)], Symbol::Known(value))
    });
    let status = match (reply.status_code, member("statusCode")) {
        (Some(code), _) => Symbol::Known(Value::integer(code)),
        (None, Symbol::Known(Value::Undefined)) => Symbol::Known(Value::integer(200)),
        (None, status) => status,
    };
    Answer { status, body: Body::Either(member("payload")), headers, cookies: member("cookies") }
}

/// Whether a function can sign: it asks for the module, or its source names it.
pub(crate) fn signs(script: &ScriptPlan) -> bool {
    script.facts.contains(SIGNER) || script.source.contains(SIGNER)
}

/// What a caller sends there.
pub(crate) fn sent_at(path: &Path) -> Option<Sent> {
    const ROOTS: &[(&[&str], Part)] = &[
        (&["payload"], Part::Payload),
        (&["req", "body"], Part::Body),
        (&["req", "query"], Part::Query),
        (&["req", "headers"], Part::Headers),
        (&["req", "params"], Part::Parameters),
        (&["req", "cookies"], Part::Cookies),
        (&["req", "method"], Part::Method),
        (&["req", "path"], Part::Path),
    ];
    behind(path, ROOTS)
}
