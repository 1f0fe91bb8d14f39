//! `jwt-validate`: opens a token and hands its claims out, or fails (section 9).

use plan::{Expr, Fault, FaultKind, NodeIx, Op, OpenPlan, Pattern, Severity, Value};

use super::algorithms;
use crate::api_connect::lower::{Lowering, Step, Telling};
use crate::api_connect::name::path;

/// The properties that the vendor has.
const KNOWN: &[&str] = &[
    "title",
    "description",
    "version",
    "jwt",
    "output-claims",
    "iss-claim",
    "aud-claim",
    "jws-jwk",
    "jws-crypto",
    "jwe-jwk",
    "jwe-crypto",
];
/// Where the token stands, and where its claims go, if the policy names nothing.
const TOKEN: &str = "request.headers.authorization";
const CLAIMS: &str = "decoded.claims";
/// The longest pattern, in characters.
const PATTERN_CHARS_MAX: usize = 256;
/// How an error is told.
const TELLING: Telling = Telling::General {
    variable: "jwt-validate",
    reason: "Invalid-JWT-Validate",
    text: "The token could not be validated.",
};

pub(super) fn lower(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, KNOWN);
    let token = lowering.names.variable(&step.block.text("jwt").unwrap_or_else(|| TOKEN.to_owned()));
    let into = path(&step.block.text("output-claims").unwrap_or_else(|| CLAIMS.to_owned()));
    let verification = algorithms::key(lowering, step, "jws-crypto", "jws-jwk");
    let decryption = algorithms::key(lowering, step, "jwe-crypto", "jwe-jwk");
    let (issuer, audience) = (pattern(lowering, step, "iss-claim"), pattern(lowering, step, "aud-claim"));
    let op = if verification.is_none() && decryption.is_none() {
        let why = "no key is named, neither to verify nor to decrypt with";
        Op::Raise(Fault::new(FaultKind::KeyMissing, why).with_code("RuntimeError"))
    } else {
        Op::Open { plan: Box::new(OpenPlan { token: bare(token), decryption, verification, issuer, audience }), into }
    };
    lowering.step_told(step, op, vec![vec![next]], &TELLING)
}

/// The token without `Bearer `, if that stands before it.
fn bare(token: Expr) -> Expr {
    let scheme = |name: &str| Expr::Literal(Value::text(name));
    let schemes = ["Bearer", "bearer", "BEARER"].map(scheme).into();
    let behind = Box::new(Expr::AfterScheme { schemes, of: Box::new(token.clone()) });
    Expr::Choose { present: behind.clone(), then: behind, otherwise: Box::new(token) }
}

/// A pattern that must match the whole value.
fn pattern(lowering: &mut Lowering<'_>, step: &Step<'_>, property: &str) -> Option<Pattern> {
    let written = step.block.text(property)?;
    let at = step.block.get(property)?;
    let compiled = if written.chars().count() > PATTERN_CHARS_MAX {
        Err(format!("it is longer than {PATTERN_CHARS_MAX} characters"))
    } else {
        Pattern::new(&format!("^(?:{written})$"), false).map_err(|error| error.to_string())
    };
    match compiled {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let message = format!("`{property}` is no pattern that can be matched: {why}.");
            lowering.tell(Severity::Error, "pattern_invalid", (&at, step.kind), message, "Write a plainer pattern.");
            None
        }
    }
}
