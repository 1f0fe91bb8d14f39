//! What context variables mean before any request comes: what a caller sends, and what an answer is made of.

use plan::{Path, ReplyIx, SecretRef, Segment, Value};

use super::lower::SUCCESS;
use crate::minting::{Answer, Body, Part, Sent, Symbol, behind};

/// The context of a request (section 12).
pub(crate) fn sent() -> Symbol {
    Symbol::sent(["request", "message", "api", "client", "plan", "env", "system"])
}

/// The answer that is made of `message` (section 10).
pub(crate) fn answer(reply: ReplyIx, message: &Symbol) -> Answer {
    let at = |way: &[&str]| {
        let way: Vec<Segment> = way.iter().map(|name| Segment::Key((*name).into())).collect();
        if reply == SUCCESS { message.read(&way) } else { Symbol::Known(Value::Undefined) }
    };
    let status = at(&["message", "status", "code"]);
    let is_usual = status.is_nothing() || matches!(status, Symbol::Sent(_));
    let status = if is_usual { Symbol::Known(Value::integer(200)) } else { status };
    let cookies = Symbol::Known(Value::Undefined);
    Answer { status, body: Body::Either(at(&["message", "body"])), headers: at(&["message", "headers"]), cookies }
}

/// What a caller sends there.
pub(crate) fn sent_at(path: &Path) -> Option<Sent> {
    const ROOTS: &[(&[&str], Part)] = &[
        (&["request", "body"], Part::Body),
        (&["message", "body"], Part::Body),
        (&["request", "headers"], Part::Headers),
        (&["message", "headers"], Part::Headers),
        (&["request", "parameters"], Part::Parameters),
        (&["request", "querystring"], Part::Query),
        (&["request", "verb"], Part::Method),
        (&["request", "path"], Part::Path),
    ];
    behind(path, ROOTS)
}

/// The secret whose value a request finds there: that of a property.
pub(crate) fn secret_at(path: &Path, secrets: &[SecretRef]) -> Option<SecretRef> {
    let [Segment::Key(api), Segment::Key(properties), Segment::Key(name)] = &*path.0 else { return None };
    let is_property = &**api == "api" && &**properties == "properties";
    let of_property = |secret: &&SecretRef| secret.field.split('@').next() == Some(&**name);
    secrets.iter().find(of_property).filter(|_| is_property).cloned()
}
