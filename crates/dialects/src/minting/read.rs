//! Token plans, read for the message that arrives at them.

use jose::jwa::Switch;
use plan::{
    AbsentClaim, ClaimPlan, Expr, HeaderForm, HeaderMember, KidFrom, Lifetime, Protection, SealPlan, TokenPlan, Value,
};

use super::eval::eval;
use super::symbol::Symbol;
use super::{Absent, Claim, ClaimSource, Key, Kid, Layer, Life, Token, keys};
use crate::Lowered;

/// What an op mints whose token plan was compiled.
pub(super) fn issued(plan: &TokenPlan, message: &Symbol, key: Key) -> Token {
    let text = |text: &str| Symbol::Known(Value::text(text));
    let (mut kid, mut typ) = (Kid::Nowhere, None);
    for member in &plan.header {
        match member {
            HeaderMember::KeyId => kid = Kid::Key,
            HeaderMember::KeyIdNamed(name) => kid = Kid::Named(text(name)),
            HeaderMember::Type(name) => typ = Some(name.clone()),
            HeaderMember::Algorithm | HeaderMember::Constant(..) => {}
        }
    }
    let signature = Layer {
        algorithm: text(plan.algorithm.name),
        content: None,
        key,
        kid,
        typ,
        allows_weak: plan.switches.has(Switch::WeakHmac),
    };
    let (claims, lifetime) = (claims(&plan.claims, message), life(&plan.lifetime, message));
    Token { claims, lifetime, signature: Some(signature), encryption: None }
}

/// What an op mints whose keys the message may bring along.
pub(super) fn sealed(plan: &SealPlan, message: &Symbol, lowered: &Lowered) -> Token {
    let layer = |layer: &Protection| self::layer(layer, message, lowered);
    Token {
        claims: claims(&plan.claims, message),
        lifetime: life(&plan.lifetime, message),
        signature: plan.signature.as_ref().map(layer),
        encryption: plan.encryption.as_ref().map(layer),
    }
}

fn layer(layer: &Protection, message: &Symbol, lowered: &Lowered) -> Layer {
    let named = |name: &Expr| eval(name, message);
    Layer {
        algorithm: layer.algorithm.as_ref().map_or(Symbol::NOTHING, named),
        content: layer.content.as_ref().map(named),
        key: keys::of_from(&layer.key, message, lowered),
        kid: match &layer.kid {
            KidFrom::Nowhere => Kid::Nowhere,
            KidFrom::Key => Kid::Key,
            KidFrom::Made => Kid::Made,
            KidFrom::Text(text) => Kid::Named(eval(text, message)),
        },
        typ: match layer.header {
            HeaderForm::KidFirst => None,
            HeaderForm::Typed => Some("JWT".into()),
        },
        allows_weak: layer.switches.has(Switch::WeakHmac),
    }
}

fn life(lifetime: &Lifetime, message: &Symbol) -> Life {
    match lifetime {
        Lifetime::Seconds(seconds) => Life::Seconds(*seconds),
        Lifetime::Until(epoch_secs) => Life::Until(*epoch_secs),
        Lifetime::Asked { by, otherwise_secs } => Life::Asked(eval(by, message), *otherwise_secs),
        Lifetime::Unbounded => Life::Unbounded,
    }
}

fn claims(plans: &[ClaimPlan], message: &Symbol) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    for plan in plans {
        match plan {
            ClaimPlan::Given { of, .. } => {
                let own = |name: &str| plans.iter().any(|plan| plan.name() == Some(name));
                let given = given(eval(of, message)).into_iter();
                claims.extend(given.filter(|claim| !claim.name.as_deref().is_some_and(own)));
            }
            ClaimPlan::Constant(name, value) => {
                let from = ClaimSource::Symbol(Symbol::Known(value.clone()));
                claims.push(Claim { name: Some(name.clone()), from, absent: Absent::Never });
            }
            ClaimPlan::From { name, value, absent } => {
                let symbol = eval(value, message);
                let absent = match absent {
                    _ if symbol.is_certain() => Absent::Never,
                    AbsentClaim::LeaveOut | AbsentClaim::Warn(_) if symbol.is_required() => Absent::Refused,
                    AbsentClaim::LeaveOut | AbsentClaim::Warn(_) => Absent::LeftOut,
                    AbsentClaim::Raise(_) => Absent::Refused,
                };
                claims.push(Claim { name: Some(name.clone()), from: ClaimSource::Symbol(symbol), absent });
            }
            ClaimPlan::IssuedAt => {
                claims.push(Claim { name: Some("iat".into()), from: ClaimSource::IssuedAt, absent: Absent::Never });
            }
            ClaimPlan::Expires => {
                claims.push(Claim { name: Some("exp".into()), from: ClaimSource::Expires, absent: Absent::Never });
            }
        }
    }
    claims
}

/// The claims of a map that the message brings along.
fn given(map: Symbol) -> Vec<Claim> {
    let claim = |name, symbol: Symbol| {
        let absent = if symbol.is_certain() { Absent::Never } else { Absent::LeftOut };
        Claim { name, from: ClaimSource::Symbol(symbol), absent }
    };
    match map.members() {
        Some(members) => members.into_iter().map(|(name, member)| claim(Some(name), member)).collect(),
        None if map == Symbol::NOTHING => Vec::new(),
        None => vec![claim(None, map)],
    }
}
