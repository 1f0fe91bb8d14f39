//! Minting: token plans are compiled at deploy, and their claims signed when a run asks.

use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use jose::jws::{HeaderMember, HeaderPlan};
use plan::{Answer, FaultKind, Refusal, TokenPlan};
use signer::{Minted, Minter};
use tokio::sync::Semaphore;

use super::{Begun, key_fault};
use crate::limits::QUEUE_MAX;
use crate::vault::Vault;

/// Places for slow signatures: as many at a time as there are cores, the rest wait up to `QUEUE_MAX`.
static SLOW: LazyLock<Slow> = LazyLock::new(|| Slow {
    waiting: Semaphore::new(QUEUE_MAX),
    working: Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get)),
});

struct Slow {
    waiting: Semaphore,
    working: Semaphore,
}

/// Compiles a token plan. A key that is missing or does not fit is told by its tokens, not here.
pub(crate) fn compile(vault: &Vault, plan: &TokenPlan) -> Result<Minter, jose::Error> {
    let header = HeaderPlan::new(plan.header.iter().map(header_member).collect::<Result<_, _>>()?)?;
    Ok(vault.signer().minter(&vault.key(&plan.key), plan.algorithm, header, plan.switches))
}

/// Signs claims: at once, or on a thread of its own if the algorithm is slow.
pub(crate) fn mint(minter: &Arc<Minter>, claims: Vec<u8>) -> Begun {
    if !minter.is_slow() {
        return Begun::Done(answer(minter.mint(&claims)));
    }
    let Ok(place) = SLOW.waiting.try_acquire() else {
        return Begun::Done(Answer::Refused(Refusal::Key(
            FaultKind::KeyAway,
            format!("{QUEUE_MAX} messages wait for a signature already").into(),
        )));
    };
    let minter = Arc::clone(minter);
    Begun::Later(Box::pin(async move {
        let work = SLOW.working.acquire().await.expect("this semaphore is never closed");
        let signed = tokio::task::spawn_blocking(move || answer(minter.mint(&claims))).await;
        drop((work, place));
        signed.unwrap_or_else(|_| {
            Answer::Refused(Refusal::Key(FaultKind::KeyAway, "the signer failed; the log says how".into()))
        })
    }))
}

fn answer(minted: Result<Minted, signer::Fault>) -> Answer {
    match minted {
        Ok(minted) => Answer::Signed(minted.token.into()),
        Err(fault) => {
            let (kind, text) = key_fault(fault);
            Answer::Refused(Refusal::Key(kind, text))
        }
    }
}

fn header_member(member: &plan::HeaderMember) -> Result<HeaderMember, jose::Error> {
    Ok(match member {
        plan::HeaderMember::Algorithm => HeaderMember::Alg,
        plan::HeaderMember::Type(typ) => HeaderMember::Typ(typ.to_string()),
        plan::HeaderMember::KeyId => HeaderMember::Kid,
        plan::HeaderMember::Constant(name, value) => HeaderMember::Other(name.to_string(), json(value)?),
    })
}

/// A literal of the plan as a header holds it.
fn json(value: &plan::Value) -> Result<jose::json::Value, jose::Error> {
    let mut text = Vec::new();
    let written = plan::write_json(&mut text, value);
    if !matches!(written, Ok(true)) {
        text = b"null".to_vec();
    }
    Ok(jose::json::Value::parse(&text, jose::json::Limits::REQUEST)?)
}
