//! How this vendor names what the engine itself raises.

use std::collections::BTreeMap;

use plan::{FaultKind, FaultText};

use super::nodes;

/// The codes of section 2 to 4 and 11 for what the engine itself raises.
pub(super) fn faults() -> BTreeMap<FaultKind, FaultText> {
    let table = [
        (FaultKind::KeyMissing, "ERR_JWT_SECRET_MISSING", "No token secret is set for the JWT configuration."),
        (FaultKind::KeyUnusable, "ERR_JWT_KEY_UNUSABLE", "The token secret cannot be used with the algorithm."),
        (FaultKind::KeyUnfit, "ERR_JWT_KEY_UNUSABLE", "The token secret cannot be used with the algorithm."),
        (FaultKind::KeyAway, "ERR_JWT_KEY_UNAVAILABLE", "The token secret cannot be reached now."),
        (FaultKind::Busy, "ERR_JWT_BUSY", "Too many tokens wait for a signature."),
        (
            FaultKind::AlgorithmUnsupported,
            nodes::ALGORITHM_UNSUPPORTED,
            "The algorithm of the JWT configuration is not supported.",
        ),
        (
            FaultKind::ExpiryInvalid,
            nodes::EXPIRESIN_INVALID,
            "The expiry of the JWT configuration gives no point in time.",
        ),
        (FaultKind::ClaimsInvalid, "ERR_JWT_CLAIMS_INVALID", "The claims of the message cannot be put into a token."),
        (
            FaultKind::AlreadyReplied,
            "ERR_HTTP_HEADERS_SENT",
            "Error [ERR_HTTP_HEADERS_SENT]: Cannot set headers after they are sent to the client",
        ),
        (FaultKind::ScriptTimeout, "ERR_SCRIPT_EXECUTION_TIMEOUT", "Error: The function used up its time."),
    ];
    let named =
        |(kind, code, message): (_, &str, &str)| (kind, FaultText { code: code.into(), message: message.into() });
    table.map(named).into()
}
