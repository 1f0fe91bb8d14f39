//! Checking the signature of a token; what its claims say is the engine's matter.

use jose::Error;
use plan::{Answer, Refusal, TokenFlaw, VerifyPlan};
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
        Err(signer::Refusal::Token(error)) => {
            Answer::Refused(Refusal::Token(flaw(token, &error), error.to_string().into()))
        }
        Err(signer::Refusal::Key(fault)) => refused(fault),
    }
}

/// Which flaw it is that an error tells of.
fn flaw(token: &str, error: &Error) -> TokenFlaw {
    let signature = match token.split('.').collect::<Vec<_>>()[..] {
        [_, _, signature] => signature,
        _ => return TokenFlaw::Malformed,
    };
    match error {
        Error::BadSignature | Error::NotAllowed { .. } | Error::Unsupported { .. } if signature.trim().is_empty() => {
            TokenFlaw::Unsigned
        }
        Error::BadSignature => TokenFlaw::Signature,
        Error::NotAllowed { .. } | Error::Unsupported { .. } => TokenFlaw::Algorithm,
        Error::TooLarge { .. }
        | Error::Malformed { .. }
        | Error::Header { .. }
        | Error::Critical { .. }
        | Error::KeyInvalid { .. }
        | Error::KeyUnfit { .. }
        | Error::NoKey { .. }
        | Error::CannotDecrypt
        | Error::ClaimMissing { .. }
        | Error::ClaimType { .. }
        | Error::Expired { .. }
        | Error::NotYet { .. }
        | Error::Issuer
        | Error::Audience
        | Error::WrongType { .. }
        | Error::Nesting { .. }
        | Error::Random
        | Error::SelfCheck { .. } => TokenFlaw::Undecodable,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jose::base64url::encode;
    use jose::jwa::{SignatureAlgorithm, Switch, Switches};
    use plan::{ExpiryRules, Expr, JsonRules, KeySource, SecretRef, Value};
    use signer::Secret;
    use store::By;

    use super::*;
    use crate::vault::Vault;

    const BY: By<'_> = By { actor: "test", address: None, request_id: None };
    const WEAK: Switches = Switches::NONE.with(Switch::WeakHmac);

    fn row(name: &str) -> &'static SignatureAlgorithm {
        SignatureAlgorithm::by_name(name).unwrap()
    }

    fn plan(key: KeySource) -> VerifyPlan {
        VerifyPlan {
            token: Expr::Literal(Value::Undefined),
            algorithms: vec![row("HS256")],
            switches: WEAK,
            key,
            times: ExpiryRules { exp_required: false, iat_checked: false, leeway_secs: 0 },
            audience: None,
            listed: None,
            claims: JsonRules::Exact,
            any_claims: false,
            prepare: Vec::new(),
            refused: BTreeMap::new(),
        }
    }

    fn compiled(vault: &Vault, plan: &VerifyPlan) -> TokenVerifier {
        compile(vault.signer(), &vault.key(&plan.key), plan)
    }

    fn signed(vault: &Vault, key: &KeySource, algorithm: &str) -> String {
        let minter = vault.signer().minter(&vault.key(key), row(algorithm), jose::jws::HeaderPlan::jwt(), WEAK);
        minter.mint(b"{}").unwrap().token
    }

    /// NR-40: each way in which a token fails is told apart.
    #[test]
    fn every_flaw_has_its_name() {
        let vault = Vault::ephemeral(&BY).unwrap();
        let name = |owner: &str| SecretRef { owner: owner.into(), field: "secret".into() };
        vault.give(&name("ours"), Secret::new(b"ours".to_vec()));
        vault.give(&name("other"), Secret::new(b"other".to_vec()));
        let ours = KeySource::Secret(name("ours"));
        let verifier = compiled(&vault, &plan(ours.clone()));
        let good = signed(&vault, &ours, "HS256");
        assert!(matches!(check(&verifier, &good), Answer::Verified(_)));
        let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
        let none = format!("{}.{}.", encode(br#"{"alg":"none"}"#), encode(b"{}"));
        for (token, flaw) in [
            ("x".to_owned(), TokenFlaw::Malformed),
            ("a".repeat(TOKEN_CHARS_MAX + 1), TokenFlaw::Malformed),
            ("a.b.c".to_owned(), TokenFlaw::Undecodable),
            (unsigned, TokenFlaw::Unsigned),
            (none, TokenFlaw::Unsigned),
            (signed(&vault, &ours, "HS512"), TokenFlaw::Algorithm),
            (signed(&vault, &KeySource::Secret(name("other")), "HS256"), TokenFlaw::Signature),
        ] {
            let Answer::Refused(Refusal::Token(found, _)) = check(&verifier, &token) else { panic!("{flaw:?}") };
            assert_eq!(found, flaw);
        }
    }

    /// A variable that is not set, or that documents may not see, is a key that is missing.
    #[test]
    fn a_variable_that_is_not_there() {
        let vault = Vault::ephemeral(&BY).unwrap();
        for variable in ["CHANCERY_NOBODY_MAY_SEE_THIS", "NOBODY_HAS_SET_THIS_VARIABLE"] {
            let verifier = compiled(&vault, &plan(KeySource::Variable(variable.into())));
            let answer = check(&verifier, "a.b.c");
            assert!(matches!(answer, Answer::Refused(Refusal::Key(plan::FaultKind::KeyMissing, _))), "{variable}");
        }
    }
}
