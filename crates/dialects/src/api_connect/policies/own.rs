//! Our own members of `jwt-generate`: what the vendor's block cannot say (section 16).

use jose::jwa::Switch;
use plan::{
    AbsentClaim, ClaimPlan, Expr, Fault, FaultKind, Function, KeyFrom, KidFrom, SealPlan, Severity, Text, Value,
};

use super::algorithms::{self, Legal, checked};
use crate::api_connect::lower::{Lowering, Step};
use crate::api_connect::values::{listed_of, plain_of, required_of};

/// The members that there are.
pub(super) const KNOWN: [&str; 7] = [STRICT, AUDIENCE_LIST, TOKEN_ID, KID, ALGORITHM, PREFIX, RING];
const STRICT: &str = "x-chancery-strict";
const AUDIENCE_LIST: &str = "x-chancery-aud-array";
const TOKEN_ID: &str = "x-chancery-jti";
const KID: &str = "x-chancery-kid";
const ALGORITHM: &str = "x-chancery-jws-alg";
const PREFIX: &str = "x-chancery-token-prefix";
const RING: &str = "x-chancery-key-ring";
/// The algorithms that the vendor does not have.
pub(super) const SIGNATURES: Legal = Legal {
    names: &["EdDSA", "ES256K"],
    check: Function { name: ALGORITHM, run: |arguments| checked(arguments, SIGNATURES.names) },
};

/// Does to the token what the step's own members say; without any it stays as the vendor's make it.
pub(super) fn apply(lowering: &mut Lowering<'_>, step: &Step<'_>, plan: &mut SealPlan) {
    if let Some(variable) = step.block.text(TOKEN_ID) {
        let told = format!("the variable `{variable}` of `{TOKEN_ID}`");
        let value = plain_of(lowering.names.variable(&variable), &told);
        let absent = AbsentClaim::Warn(format!("{told} is not set").into());
        plan.claims.retain(|claim| !is_named(claim, "jti"));
        plan.claims.insert(0, ClaimPlan::From { name: "jti".into(), value, absent });
    }
    if flag(lowering, step, AUDIENCE_LIST) {
        plan.claims.iter_mut().filter(|claim| is_named(claim, "aud")).for_each(as_list);
    }
    if let Some(signature) = &mut plan.signature
        && let Some(algorithm) = algorithms::named(lowering, step, ALGORITHM, &SIGNATURES)
    {
        signature.algorithm = Some(algorithm);
        signature.switches = signature.switches.with(Switch::Es256k);
    }
    let outermost = plan.signature.as_mut().or(plan.encryption.as_mut());
    if let (Some(kid), Some(layer)) = (step.block.text(KID), outermost) {
        let variable = Box::new(lowering.names.variable(&kid));
        let otherwise = Box::new(Expr::Literal(Value::text(kid)));
        layer.kid = KidFrom::Text(Expr::Choose { present: variable.clone(), then: variable, otherwise });
    }
    if let Some(prefix) = prefix(lowering, step) {
        plan.prefix = prefix;
    }
    if flag(lowering, step, STRICT) {
        let private = step.block.text("private-claims").unwrap_or_default();
        plan.claims.iter_mut().for_each(|claim| make_required(claim, &private));
    }
}

/// The key ring that signs, if the step names one in the place of a key.
pub(super) fn ring(lowering: &mut Lowering<'_>, step: &Step<'_>) -> Option<KeyFrom> {
    let name = step.block.text(RING)?;
    let at = step.block.get(RING).unwrap_or_else(|| step.block.clone());
    if name.is_empty() || name.contains('/') {
        let message = format!("`{RING}` is `{name}`, which is no name of a key ring.");
        lowering.tell(Severity::Error, "value_illegal", (&at, step.kind), message, "`chancery keys list` shows them.");
    }
    if ["jws-jwk", "jws-crypto"].iter().any(|property| step.block.get(property).is_some()) {
        let message = format!("`{RING}` stands in the place of a key, and `jws-jwk` or `jws-crypto` names one, too.");
        lowering.tell(Severity::Error, "key_twice", (&at, step.kind), message, "Keep one of them.");
    }
    Some(KeyFrom::Ring(name.into()))
}

fn is_named(claim: &ClaimPlan, wanted: &str) -> bool {
    matches!(claim, ClaimPlan::From { name, .. } if &**name == wanted)
}

fn as_list(claim: &mut ClaimPlan) {
    if let ClaimPlan::From { value, .. } = claim {
        *value = listed_of(value.clone());
    }
}

/// A claim whose variable is not set fails the token.
fn make_required(claim: &mut ClaimPlan, private: &str) {
    match claim {
        ClaimPlan::From { absent, .. } => {
            if let AbsentClaim::Warn(told) = absent {
                let why = told.split("; ").next().unwrap_or_default();
                let fault = Fault::new(FaultKind::ClaimsInvalid, why).with_code("RuntimeError");
                *absent = AbsentClaim::Raise(Box::new(fault));
            }
        }
        ClaimPlan::Given { of, .. } => {
            *of = required_of(of.clone(), &format!("the variable `{private}` of `private-claims` is not set"));
        }
        ClaimPlan::Constant(..) | ClaimPlan::IssuedAt | ClaimPlan::Expires => {}
    }
}

fn flag(lowering: &mut Lowering<'_>, step: &Step<'_>, name: &str) -> bool {
    let flag = step.block.flag(name);
    if let (None, Some(written)) = (flag, step.block.text(name)) {
        illegal(lowering, step, name, &written, "true or false");
    }
    flag == Some(true)
}

fn prefix(lowering: &mut Lowering<'_>, step: &Step<'_>) -> Option<Text> {
    let written = step.block.text(PREFIX)?;
    match written.as_str() {
        "none" => Some("".into()),
        "bearer" => Some("Bearer ".into()),
        _ => {
            illegal(lowering, step, PREFIX, &written, "`none` or `bearer`");
            None
        }
    }
}

fn illegal(lowering: &mut Lowering<'_>, step: &Step<'_>, name: &str, written: &str, legal: &str) {
    let at = step.block.get(name).unwrap_or_else(|| step.block.clone());
    let message = format!("`{name}` is `{written}`, which is not {legal}.");
    lowering.tell(Severity::Error, "value_illegal", (&at, step.kind), message, "Write one of these.");
}
