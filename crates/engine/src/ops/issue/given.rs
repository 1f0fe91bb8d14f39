//! Claims that the message brings along, and who wins where the plan writes them too.

use std::sync::Arc;

use plan::{ClaimPlan, Clash, Fault, FaultKind, Map, Value};

use super::{NUMERIC_DATE_MAX, Writer, end_secs};
use crate::eval::Scope;
use plan::ecmascript::is_truthy;

/// The claims of a message.
pub(super) struct Given {
    claims: Arc<Map>,
    clash: Clash,
    /// The given `iat`, if it stands and the lifetime counts from it.
    pub(super) counts_from: Option<i64>,
}

/// What the message brings along; none if the plan does not ask for it.
///
/// # Errors
///
/// [`FaultKind::ClaimsInvalid`] if that is no map, or holds a time that is none.
pub(super) fn claims(claims: &[ClaimPlan], scope: &Scope<'_>) -> Result<Option<Given>, Fault> {
    let asked = claims.iter().find_map(|claim| match claim {
        ClaimPlan::Given { of, clash } => Some((of, *clash)),
        ClaimPlan::Constant(..) | ClaimPlan::From { .. } | ClaimPlan::IssuedAt | ClaimPlan::Expires => None,
    });
    let Some((of, clash)) = asked else { return Ok(None) };
    let given = scope.eval(of)?;
    if given.is_undefined() && clash == Clash::Drop {
        return Ok(None);
    }
    let Value::Map(claims) = given else { return Err(invalid("they are no map")) };
    let times: &[&str] = if clash == Clash::Drop { &[] } else { &["iat", "nbf", "exp"] };
    for name in times.iter().copied() {
        let stands = claims.get(name).filter(|value| name != "iat" || is_truthy(value));
        if stands.is_some_and(|value| !value.is_undefined() && seconds(value).is_none()) {
            return Err(invalid(&format!("`{name}` is no number of seconds")));
        }
    }
    let iat = claims.get("iat").filter(|value| is_truthy(value)).and_then(seconds);
    let counts_from = iat.filter(|_| clash == Clash::Refuse).map(|iat| iat.floor() as i64);
    Ok(Some(Given { claims, clash, counts_from }))
}

impl Given {
    /// Whether a claim of the plan's own is written among the given ones, in the place of one of them.
    pub(super) fn writes(&self, own: &ClaimPlan) -> bool {
        self.clash != Clash::Drop
            && own.name().is_some_and(|name| self.claims.get(name).is_some_and(|value| !value.is_undefined()))
    }

    /// Writes the given claims in their order.
    ///
    /// # Errors
    ///
    /// [`FaultKind::ClaimsInvalid`] if the plan writes one of them too, and may not; what a claim itself can raise.
    pub(super) fn write(&self, writer: &mut Writer<'_>, minted_at: i64) -> Result<(), Fault> {
        for (name, value) in self.claims.iter().filter(|(_, value)| !value.is_undefined()) {
            match (&**name, plans_own(writer, name)?) {
                (_, Some(_)) if self.clash == Clash::Drop => {
                    let told = format!("a given claim `{name}` is left out: the policy sets it");
                    writer.warnings.push(told.into());
                }
                ("iat", Some(_)) if is_truthy(value) => {
                    writer.member("iat", value)?;
                }
                ("iat", Some(_)) => writer.times.issued_at = Some(writer.integer("iat", minted_at)),
                ("exp", None) => writer.expiry(seconds(value).map(|exp| exp.floor() as i64))?,
                (_, None) => {
                    writer.member(name, value)?;
                }
                (_, Some(own)) if self.clash == Clash::Replace => writer.claim(own)?,
                (_, Some(_)) => return Err(invalid(&format!("`{name}` is given, and written here, too"))),
            }
        }
        Ok(())
    }
}

/// The plan's own claim of that name, if it writes one for this message.
fn plans_own<'w>(writer: &Writer<'w>, wanted: &str) -> Result<Option<&'w ClaimPlan>, Fault> {
    let Some(own) = writer.claims.iter().find(|claim| claim.name() == Some(wanted)) else { return Ok(None) };
    let writes = match own {
        ClaimPlan::From { value, .. } => !writer.scope.eval(value)?.is_undefined(),
        ClaimPlan::Expires => end_secs(writer.lifetime, writer.issued_at, writer.scope)?.is_some(),
        ClaimPlan::Constant(..) | ClaimPlan::IssuedAt | ClaimPlan::Given { .. } => true,
    };
    Ok(writes.then_some(own))
}

fn seconds(value: &Value) -> Option<f64> {
    let Value::Number(number) = value else { return None };
    let seconds = number.as_f64();
    (seconds.abs() <= NUMERIC_DATE_MAX as f64).then_some(seconds)
}

fn invalid(why: &str) -> Fault {
    Fault::new(FaultKind::ClaimsInvalid, why)
}
