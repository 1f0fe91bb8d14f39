//! Checking the signature of a token; what its claims say is the engine's matter.

use plan::{Answer, Refusal, VerifyPlan};
use signer::{KeyName, Software, TokenVerifier};

use super::refused;
use crate::limits::TOKEN_CHARS_MAX;

/// Compiles a policy that checks with this key. A key that is missing or does not fit is told by its checks, not here.
pub fn compile(signer: &Software, key: &KeyName, plan: &VerifyPlan) -> TokenVerifier {
    signer.verifier(key, plan.algorithms.clone(), plan.switches)
}

/// Checks a token. Every check is fast enough to be done at once.
pub fn check(verifier: &TokenVerifier, token: &str) -> Answer {
    // A token beyond the bound is looked at no further, but a key that is missing is still told first.
    let token = if token.len() > TOKEN_CHARS_MAX { "" } else { token };
    match verifier.verify(token) {
        Ok(payload) => Answer::Verified(payload.into()),
        Err(signer::Refusal::Token(error)) => Answer::Refused(Refusal::Token(error.to_string().into())),
        Err(signer::Refusal::Key(fault)) => refused(fault),
    }
}
