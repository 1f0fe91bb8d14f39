//! Checking the signature of a token; what its claims say is the engine's matter.

use plan::{Answer, Refusal, VerifyPlan};
use signer::TokenVerifier;

use super::key_fault;
use crate::limits::TOKEN_CHARS_MAX;
use crate::vault::Vault;

/// Compiles a policy. A key that is missing or does not fit is told by its checks, not here.
pub(crate) fn compile(vault: &Vault, plan: &VerifyPlan) -> TokenVerifier {
    vault.signer().verifier(&vault.key(&plan.key), plan.algorithms.clone(), plan.switches)
}

/// Checks a token. Every check is fast enough to be done at once.
pub(crate) fn check(verifier: &TokenVerifier, token: &str) -> Answer {
    // A token beyond the bound is looked at no further, but a key that is missing is still told first.
    let token = if token.len() > TOKEN_CHARS_MAX { "" } else { token };
    match verifier.verify(token) {
        Ok(payload) => Answer::Verified(payload.into()),
        Err(signer::Refusal::Token(error)) => Answer::Refused(Refusal::Token(error.to_string().into())),
        Err(signer::Refusal::Key(fault)) => {
            let (kind, text) = key_fault(fault);
            Answer::Refused(Refusal::Key(kind, text))
        }
    }
}
