//! Tokens that say little alone: SD-JWT with its disclosures (RFC 9901) and DPoP proofs with their request (RFC 9449).

use super::policy::same_media_type;
use crate::{
    Error,
    json::{Object, Value},
};

/// `typ` of proofs that hold only beside a request or a presentation.
const PROOFS: [&str; 2] = ["dpop+jwt", "kb+jwt"];
/// The ending of every `typ` of an SD-JWT, such as `dc+sd-jwt`.
const DISCLOSING: &str = "sd-jwt";
/// Members that stand for claims which were taken out (RFC 9901 sections 4.1.1 and 4.2.4).
const DIGESTS: [&str; 3] = ["_sd", "_sd_alg", "..."];

/// Refuses what only a reader of the companions may believe. Comparing them comes with a later step.
pub(super) fn refuse(typ: Option<&str>, claims: &Object) -> Result<(), Error> {
    if let Some(typ) = typ {
        if PROOFS.iter().any(|proof| same_media_type(typ, proof)) {
            return Err(later(format!("a token of type `{typ}`"), "what it is bound to has to be compared with it"));
        }
        if typ.get(typ.len().saturating_sub(DISCLOSING.len())..).is_some_and(|end| end.eq_ignore_ascii_case(DISCLOSING))
        {
            return Err(later(format!("a token of type `{typ}`"), "its claims are to be disclosed beside it"));
        }
    }
    match claims.iter().any(|(name, value)| stands_for_others(name) || holds_digests(value)) {
        true => Err(later("a set of claims with digests (SD-JWT)".into(), "some claims are to be disclosed beside it")),
        false => Ok(()),
    }
}

/// The reader bounds the depth.
fn holds_digests(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().any(|(name, inner)| stands_for_others(name) || holds_digests(inner)),
        Value::Array(elements) => elements.iter().any(holds_digests),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => false,
    }
}

fn stands_for_others(name: &str) -> bool {
    DIGESTS.contains(&name)
}

fn later(what: String, why: &str) -> Error {
    Error::unsupported(what, format!("{why}; that comes with a later step"))
}
