//! `jwt-validate`: opens a token and hands its claims out, or fails (section 9).

use jose::jwa::{Switch, Switches};
use plan::{
    Decryption, Expected, ExpiryRules, Expr, Fault, FaultKind, NodeIx, Op, OpenPlan, Pattern, Severity, Value,
    Verification,
};

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
/// What is taken beyond the usual: the vendor names no algorithms.
const SWITCHES: Switches = Switches::NONE.with(Switch::WeakHmac).with(Switch::Rsa1_5);
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
        let plan = OpenPlan {
            token: bare(token),
            decryption: decryption.map(|key| Decryption { key, also: None, algorithms: None, switches: SWITCHES }),
            verification: verification.map(|key| Verification { key, also: None, algorithm: None, switches: SWITCHES }),
            issuer: issuer.map(Expected::Matching),
            audience: audience.map(Expected::Matching),
            required: Vec::new(),
            times: ExpiryRules { exp_required: false, iat_checked: false, leeway_secs: 0 },
        };
        Op::Open { plan: Box::new(plan), into, known: None }
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
