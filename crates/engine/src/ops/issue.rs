//! Minting a token: its claims are written here, and signed elsewhere.

mod given;

use std::ops::Range;

use jose::json::{write_integer, write_text};
use plan::{
    AbsentClaim, Cells, ClaimPlan, Fault, FaultKind, Flow, Lifetime, MintRequest, Op, Text, Times, TokenIx, TokenPlan,
    Unwritable, Value, write_json,
};

use crate::Context;
use crate::eval::Scope;
use crate::moment::Moment;
use crate::work::{Delivery, Work};
use plan::ecmascript::is_truthy;

/// The largest NumericDate that every reader of JSON holds exactly: 2^53 - 1 seconds (RFC 7519 section 2).
const NUMERIC_DATE_MAX: i64 = (1 << 53) - 1;
/// What is set aside for claims before they are written; more is taken as needed.
const CLAIMS_BYTES_USUAL: usize = 512;

/// The claims for this message, to be signed.
///
/// # Errors
///
/// A claim that is missing, given where it may not be or cannot be written, or an `exp` beyond 2^53 - 1.
pub(crate) fn request(plan: &TokenPlan, token: TokenIx, scope: &Scope<'_>) -> Result<MintRequest, Fault> {
    let Written { claims, .. } = claims(&plan.claims, &plan.lifetime, scope)?;
    Ok(MintRequest { token, key: plan.key.clone(), claims })
}

/// The claims of a plan that takes nothing from a message, to be signed: for whoever has no flow.
///
/// # Errors
///
/// As in a flow: a claim that cannot be written, or an `exp` beyond 2^53 - 1.
pub fn claims_alone(plan: &TokenPlan, context: &Context) -> Result<Vec<u8>, Fault> {
    let mut moment = Moment::default();
    moment.pass_to(context);
    let (message, cells) = (Value::Undefined, Cells::default());
    let scope = Scope { message: &message, cells: &cells, event: None, moment: &moment, fetched: &[] };
    claims(&plan.claims, &plan.lifetime, &scope).map(|written| written.claims)
}

/// Claims that were written.
pub(super) struct Written {
    /// Their octets.
    pub(super) claims: Vec<u8>,
    /// Where the times stand in them.
    pub(super) times: Times,
    /// What is to be told of them.
    pub(super) warnings: Vec<Text>,
}

/// The same claims at another instant of minting: `iat` is that instant, and `exp` what is given or, without it, as long after
/// that instant as before.
pub fn retimed(claims: &[u8], times: &Times, issued_at_secs: i64, exp_secs: Option<i64>) -> Vec<u8> {
    let exp = exp_secs.unwrap_or_else(|| issued_at_secs.saturating_add(times.lifetime_secs));
    let mut places: Vec<_> = [(&times.issued_at, issued_at_secs), (&times.expires, exp)]
        .into_iter()
        .filter_map(|(place, value)| Some((place.clone()?, value)))
        .collect();
    places.sort_by_key(|(place, _)| place.start);
    let (mut out, mut from) = (Vec::with_capacity(claims.len()), 0);
    for (place, value) in places {
        out.extend_from_slice(&claims[from..place.start]);
        write_integer(&mut out, value);
        from = place.end;
    }
    out.extend_from_slice(&claims[from..]);
    out
}

/// The octets of these claims, and what is to be told of them.
///
/// # Errors
///
/// As [`request`].
pub(super) fn claims(claims: &[ClaimPlan], lifetime: &Lifetime, scope: &Scope<'_>) -> Result<Written, Fault> {
    let minted_at = scope.moment.now_epoch_ms().div_euclid(1000);
    let out = Vec::with_capacity(CLAIMS_BYTES_USUAL);
    let times = Times::default();
    let mut writer = Writer { out, claims, lifetime, scope, issued_at: minted_at, times, warnings: Vec::new() };
    writer.out.push(b'{');
    let given = given::claims(claims, scope)?;
    match &given {
        Some(given) => writer.issued_at = given.counts_from.unwrap_or(minted_at),
        None if claims.iter().any(|claim| matches!(claim, ClaimPlan::Given { .. })) => {
            writer.warnings.push("no claims are given to be added; the token goes without them".into());
        }
        None => {}
    }
    for claim in claims {
        match (&given, claim) {
            (Some(given), ClaimPlan::Given { .. }) => given.write(&mut writer, minted_at)?,
            (Some(given), own) if given.writes(own) => {}
            (_, own) => writer.claim(own)?,
        }
    }
    writer.out.push(b'}');
    Ok(Written { claims: writer.out, times: writer.times, warnings: writer.warnings })
}

/// Writes the token into the message and sends it on.
pub(crate) fn signed(flow: &Flow, work: &mut Work, delivery: Delivery, token: Text) {
    let Op::Issue { into, .. } = &flow.nodes[delivery.to.0 as usize].op else { return };
    work.write_and_forward(flow, delivery, into, Value::Text(token));
}

/// Writes the claims of one token, member by member.
struct Writer<'w> {
    out: Vec<u8>,
    claims: &'w [ClaimPlan],
    lifetime: &'w Lifetime,
    scope: &'w Scope<'w>,
    /// What `iat` is and the lifetime counts from, in seconds since the epoch.
    issued_at: i64,
    times: Times,
    warnings: Vec<Text>,
}

impl Writer<'_> {
    /// Writes a claim of the plan's own.
    fn claim(&mut self, claim: &ClaimPlan) -> Result<(), Fault> {
        match claim {
            ClaimPlan::Constant(name, value) => {
                self.member(name, value)?;
            }
            ClaimPlan::From { name, value, absent } => {
                let value = self.scope.eval(value)?;
                if !self.member(name, &value)? {
                    self.absent(absent)?;
                }
            }
            // Written by whoever holds what was given.
            ClaimPlan::Given { .. } => {}
            ClaimPlan::IssuedAt => self.times.issued_at = Some(self.integer("iat", self.issued_at)),
            ClaimPlan::Expires => {
                if let Some(end) = end_secs(self.lifetime, self.issued_at, self.scope)? {
                    self.expiry(Some(end))?;
                }
            }
        }
        Ok(())
    }

    fn absent(&mut self, absent: &AbsentClaim) -> Result<(), Fault> {
        match absent {
            AbsentClaim::LeaveOut => {}
            AbsentClaim::Warn(text) => self.warnings.push(text.clone()),
            AbsentClaim::Raise(fault) => return Err((**fault).clone()),
        }
        Ok(())
    }

    /// Writes `exp` (RFC 7519 section 4.1.4). No other function does.
    fn expiry(&mut self, at_secs: Option<i64>) -> Result<(), Fault> {
        let at = at_secs.filter(|at| (-NUMERIC_DATE_MAX..=NUMERIC_DATE_MAX).contains(at));
        let at = at.ok_or_else(|| Fault::new(FaultKind::ExpiryInvalid, ""))?;
        self.times.expires = Some(self.integer("exp", at));
        self.times.lifetime_secs = at - self.issued_at;
        Ok(())
    }

    /// Writes a member; gives the place of its value.
    fn integer(&mut self, name: &str, value: i64) -> Range<usize> {
        write_name(&mut self.out, name);
        let start = self.out.len();
        write_integer(&mut self.out, value);
        start..self.out.len()
    }

    /// Writes a member; nothing, and false, if its value is undefined.
    fn member(&mut self, name: &str, value: &Value) -> Result<bool, Fault> {
        write_member(&mut self.out, name, value)
    }
}

/// When a token ends that is issued then, in seconds since the epoch; none if it shall not end.
fn end_secs(lifetime: &Lifetime, issued_at: i64, scope: &Scope<'_>) -> Result<Option<i64>, Fault> {
    let seconds = match lifetime {
        Lifetime::Seconds(seconds) => Some(*seconds),
        Lifetime::Until(epoch_secs) => return Ok(Some(*epoch_secs)),
        Lifetime::Unbounded => None,
        Lifetime::Asked { by, otherwise_secs } => {
            let wish = scope.eval(by)?;
            if is_truthy(&wish) { wished_secs(&wish)? } else { Some(*otherwise_secs) }
        }
    };
    let end = |seconds: i64| issued_at.checked_add(seconds).ok_or_else(|| Fault::new(FaultKind::ExpiryInvalid, ""));
    seconds.map(end).transpose()
}

/// Numbers are seconds, the digits of a text milliseconds; anything else asks for nothing.
fn wished_secs(wish: &Value) -> Result<Option<i64>, Fault> {
    let Some(seconds) = wish.as_number().map(plan::Number::as_f64) else {
        let milliseconds = wish.as_text().and_then(|digits| digits.trim().parse::<u32>().ok());
        return Ok(milliseconds
            .filter(|milliseconds| *milliseconds > 0)
            .map(|milliseconds| i64::from(milliseconds / 1000)));
    };
    let is_whole = seconds.fract() == 0.0 && seconds <= NUMERIC_DATE_MAX as f64;
    match seconds > 0.0 {
        false => Ok(None),
        true if is_whole => Ok(Some(seconds as i64)),
        true => Err(Fault::new(FaultKind::ExpiryInvalid, "whole seconds are needed")),
    }
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
