//! What the functions that dialects bring along do to values that are not known yet.

use plan::{Function, Value};

use super::symbol::{ClaimType, Symbol};

/// What a function means for values that are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The texts of all arguments behind each other.
    Joined,
    /// The first argument, or a fault.
    Same,
    /// The first argument, or a fault if there is none.
    Required,
    /// The first argument as a text, or a fault.
    Text,
    /// The first argument as the type that the second names, or a fault.
    Typed,
    /// A map whose member `token` is the first argument.
    Saved,
}

/// What the function makes of these arguments. One that no dialect tells the meaning of makes what is only known by its name.
pub(super) fn applied(function: &Function, to: Vec<Symbol>) -> Symbol {
    if let Some(arguments) = to.iter().map(Symbol::value).collect::<Option<Vec<Value>>>() {
        return (function.run)(&arguments)
            .map_or_else(|fault| Symbol::made(&*fault.message, Vec::new()), Symbol::Known);
    }
    let meaning = crate::token_form::meaning(function).or_else(|| crate::api_connect::meaning(function));
    let first = || to.first().cloned().unwrap_or(Symbol::NOTHING);
    let typed = |kind: ClaimType| {
        let is_text = matches!(first(), Symbol::Joined(_) | Symbol::Fresh | Symbol::Token(..));
        if is_text && kind == ClaimType::Text { first() } else { Symbol::Typed(kind, first().into()) }
    };
    match meaning {
        Some(Meaning::Joined) => Symbol::joined(to),
        Some(Meaning::Same) => first(),
        Some(Meaning::Required) => first().required(),
        Some(Meaning::Text) => typed(ClaimType::Text),
        Some(Meaning::Typed) => match to.get(1).and_then(Symbol::value).as_ref().and_then(Value::as_text) {
            Some(kind) => ClaimType::named(kind).map_or_else(first, typed),
            None => first(),
        },
        Some(Meaning::Saved) => {
            let rest = Symbol::made("what is known of the token", Vec::new());
            rest.written(&plan::Path::keys(["token"]).0, first())
        }
        None => Symbol::made(function.name, to),
    }
}

impl ClaimType {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "string" => Self::Text,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "array" => Self::List,
            "object" => Self::Map,
            _ => return None,
        })
    }
}
