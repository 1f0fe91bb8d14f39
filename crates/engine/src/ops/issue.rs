//! Minting a token: its claims are written here, and signed elsewhere.

use jose::json::{write_integer, write_text};
use plan::{
    AbsentClaim, ClaimPlan, Fault, FaultKind, Flow, Lifetime, MintRequest, Op, Text, TokenIx, TokenPlan, Unwritable,
    Value, write_json,
};

use crate::eval::Scope;
use crate::work::{Delivery, Work};

/// The largest NumericDate that every reader of JSON holds exactly: 2^53 - 1 seconds (RFC 7519 section 2).
const NUMERIC_DATE_MAX: i64 = (1 << 53) - 1;
/// What is set aside for claims before they are written; more is taken as needed.
const CLAIMS_BYTES_USUAL: usize = 512;

/// The claims for this message, to be signed.
///
/// # Errors
///
/// A claim that is missing or cannot be written, or an `exp` beyond 2^53 - 1.
pub(crate) fn request(plan: &TokenPlan, token: TokenIx, scope: &Scope<'_>) -> Result<MintRequest, Fault> {
    let issued_at = scope.now_epoch_ms.div_euclid(1000);
    let mut claims = Vec::with_capacity(CLAIMS_BYTES_USUAL);
    claims.push(b'{');
    for claim in &plan.claims {
        write_claim(&mut claims, claim, plan.lifetime, issued_at, scope)?;
    }
    claims.push(b'}');
    Ok(MintRequest { token, key: plan.key.clone(), claims })
}

/// Writes the token into the message and sends it on.
pub(crate) fn signed(flow: &Flow, work: &mut Work, delivery: Delivery, token: Text) {
    let Op::Issue { into, .. } = &flow.nodes[delivery.to.0 as usize].op else { return };
    work.write_and_forward(flow, delivery, into, Value::Text(token));
}

fn write_claim(
    out: &mut Vec<u8>,
    claim: &ClaimPlan,
    lifetime: Lifetime,
    issued_at: i64,
    scope: &Scope<'_>,
) -> Result<(), Fault> {
    match claim {
        ClaimPlan::Constant(name, value) => {
            write_member(out, name, value)?;
        }
        ClaimPlan::From { name, value, absent } => {
            if !write_member(out, name, &scope.eval(value)?)?
                && let AbsentClaim::Raise(fault) = absent
            {
                return Err((**fault).clone());
            }
        }
        ClaimPlan::IssuedAt => {
            write_name(out, "iat");
            write_integer(out, issued_at);
        }
        ClaimPlan::Expires => write_expiry(out, lifetime, issued_at)?,
    }
    Ok(())
}

/// Writes `exp` (RFC 7519 section 4.1.4). No other function does.
fn write_expiry(out: &mut Vec<u8>, lifetime: Lifetime, issued_at: i64) -> Result<(), Fault> {
    let expires = match lifetime {
        Lifetime::Seconds(seconds) => issued_at.checked_add(seconds),
        Lifetime::Until(epoch_secs) => Some(epoch_secs),
        Lifetime::Unbounded => return Ok(()),
    };
    let expires = expires.filter(|at| (-NUMERIC_DATE_MAX..=NUMERIC_DATE_MAX).contains(at));
    let Some(expires) = expires else { return Err(Fault::new(FaultKind::ExpiryInvalid, "")) };
    write_name(out, "exp");
    write_integer(out, expires);
    Ok(())
}

/// Writes a member; nothing, and false, if its value is undefined.
fn write_member(out: &mut Vec<u8>, name: &str, value: &Value) -> Result<bool, Fault> {
    let start = out.len();
    write_name(out, name);
    let written = write_json(out, value).map_err(|why| match why {
        Unwritable::Circular => Fault::new(FaultKind::Circular, ""),
        Unwritable::BigInteger => Fault::new(FaultKind::BigInteger, ""),
    })?;
    if !written {
        out.truncate(start);
    }
    Ok(written)
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    if out.len() > 1 {
        out.push(b',');
    }
    write_text(out, name);
    out.push(b':');
}
