//! Passwords: what is asked for a message, and where it goes on.

use plan::{Fault, Flow, Op, PasswordAsk, PasswordPlan, Value};

use crate::eval::Scope;
use crate::work::{Delivery, Work};

/// What is asked for this message.
///
/// # Errors
///
/// A password or a hash is no text, or there is nobody who could show one.
pub(crate) fn ask(scope: &Scope<'_>, plan: &PasswordPlan) -> Result<PasswordAsk, Fault> {
    Ok(match plan {
        PasswordPlan::SignIn { shown, user, password, .. } => {
            let shown = scope.eval(shown)?.as_text().unwrap_or_default().into();
            PasswordAsk::SignIn { shown, user: user.clone(), password: password.clone() }
        }
        PasswordPlan::Hash { of, cost, .. } => {
            let of = scope.eval(of)?;
            // The salt, which is a text, is what a hash takes beside the password.
            let Value::Text(of) = &of else { return Err(PasswordPlan::unfit(&[&of, &Value::text("")])) };
            PasswordAsk::Hash { of: of.clone(), cost: *cost }
        }
        PasswordPlan::Check { of, hash, .. } => match (scope.eval(of)?, scope.eval(hash)?) {
            (Value::Text(of), Value::Text(hash)) => PasswordAsk::Check { of, hash },
            (of, hash) => return Err(PasswordPlan::unfit(&[&of, &hash])),
        },
    })
}

/// Takes in what came of it.
pub(crate) fn done(flow: &Flow, work: &mut Work, delivery: Delivery, outcome: Value) {
    let Op::Password(plan) = &flow.nodes[delivery.to.0 as usize].op else { return };
    match &**plan {
        PasswordPlan::SignIn { missing, .. } if outcome.is_undefined() => {
            work.raise(flow, delivery, (**missing).clone())
        }
        PasswordPlan::SignIn { .. } => {
            let output = usize::from(outcome != Value::Bool(true));
            work.forward(flow, delivery, output);
        }
        PasswordPlan::Hash { into, .. } | PasswordPlan::Check { into, .. } => {
            work.write_and_forward(flow, delivery, into, outcome);
        }
    }
}
