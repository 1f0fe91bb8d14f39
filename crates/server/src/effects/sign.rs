//! Minting: token plans are compiled at deploy, and their claims signed when a run asks.

use std::sync::{Arc, LazyLock};

use jose::json::{Limits, Value as Json};
use jose::jws::{HeaderMember, HeaderPlan};
use plan::{Answer, FaultKind, Refusal, TokenPlan};
use signer::{KeyName, Minted, Minter, Software};

use super::pool::{Pool, Undone};
use super::{Begun, refused};
use crate::limits::QUEUE_MAX;

/// Where the slow work of flows is done.
static SLOW: LazyLock<Pool> = LazyLock::new(|| Pool::new(QUEUE_MAX));
/// Where signatures of a PKCS#11 token are waited for: one that hangs takes no place from what is computed.
static OUTSIDE: LazyLock<Pool> = LazyLock::new(|| Pool::for_a_token(QUEUE_MAX));

/// Compiles a token plan that signs with this key. A key that is missing or does not fit is told by its tokens, not here.
///
/// # Errors
/// Why there can be no such header.
pub fn compile(signer: &Software, key: &KeyName, plan: &TokenPlan) -> Result<Minter, jose::Error> {
    Ok(signer.minter(key, plan.algorithm, header(&plan.header)?, plan.switches))
}

/// The header of a token plan.
///
/// # Errors
/// Why there can be no such header.
pub(crate) fn header(members: &[plan::HeaderMember]) -> Result<HeaderPlan, jose::Error> {
    HeaderPlan::new(members.iter().map(header_member).collect::<Result<_, _>>()?)
}

/// Signs claims: at once, or on a thread of its own if the algorithm is slow.
pub fn mint(minter: &Arc<Minter>, claims: Vec<u8>) -> Begun {
    if !minter.is_slow() {
        return Begun::Done(answer(minter.mint(&claims)));
    }
    let minter = Arc::clone(minter);
    slowly(move || answer(minter.mint(&claims)))
}

/// Does slow work on a thread of its own, or says that too much of it waits already.
pub(super) fn slowly(work: impl FnOnce() -> Answer + Send + 'static) -> Begun {
    on(&SLOW, work)
}

/// The same for work that waits for a PKCS#11 token.
pub(super) fn outside(work: impl FnOnce() -> Answer + Send + 'static) -> Begun {
    on(&OUTSIDE, work)
}

fn on(pool: &'static Pool, work: impl FnOnce() -> Answer + Send + 'static) -> Begun {
    Begun::Later(Box::pin(async move {
        match pool.run(work).await {
            Ok(answer) => answer,
            Err(Undone::Full) => {
                let text = format!("{QUEUE_MAX} messages wait already").into();
                Answer::Refused(Refusal::Key(FaultKind::Busy, text))
            }
            Err(Undone::Died) => away("the signer failed; the log says how"),
        }
    }))
}

fn answer(minted: Result<Minted, signer::Fault>) -> Answer {
    match minted {
        Ok(minted) => Answer::Signed(minted.token.into()),
        Err(fault) => refused(fault),
    }
}

fn away(why: &str) -> Answer {
    Answer::Refused(Refusal::Key(FaultKind::KeyAway, why.into()))
}

fn header_member(member: &plan::HeaderMember) -> Result<HeaderMember, jose::Error> {
    Ok(match member {
        plan::HeaderMember::Algorithm => HeaderMember::Alg,
        plan::HeaderMember::Type(typ) => HeaderMember::Typ(typ.to_string()),
        plan::HeaderMember::KeyId => HeaderMember::Kid,
        plan::HeaderMember::KeyIdNamed(kid) => HeaderMember::KidNamed(kid.to_string()),
        plan::HeaderMember::Constant(name, value) => HeaderMember::Other(name.to_string(), json(name, value)?),
    })
}

/// A literal of the plan as a header holds it.
fn json(name: &str, value: &plan::Value) -> Result<Json, jose::Error> {
    let mut text = Vec::new();
    match plan::write_json(&mut text, value) {
        Ok(true) => Ok(Json::parse(&text, Limits::REQUEST)?),
        Ok(false) | Err(_) => {
            Err(jose::Error::Header { member: name.to_owned().into(), why: "has a value that JSON cannot hold".into() })
        }
    }
}
