//! `jwt-generate`: a token of variables, signed, encrypted or both (sections 2 to 8).

use jose::jwa::{Switch, Switches};
use plan::{
    AbsentClaim, ClaimPlan, Clash, Expr, Fault, FaultKind, HeaderForm, KeyFrom, KidFrom, Lifetime, NodeIx, Op, Path,
    Protection, SealPlan, Severity, Value,
};

use super::forms::{ISSUER, JWT_GENERATE, LIFETIME_SECS};
use super::{algorithms, own};
use crate::api_connect::lower::{Lowering, Step, Telling};
use crate::api_connect::name::path;
use crate::api_connect::values::{audience_of, claims_of, plain_of};

/// Properties that name variables, and how long such a name may be.
const NAMES: [&str; 6] =
    ["iss-claim", "sub-claim", "aud-claim", "private-claims", "custom-kid-value-jws", "custom-kid-value-jwe"];
const NAME_CHARS_MAX: usize = 256;
/// Lifetimes that may be named.
const LIFETIMES_SECS: std::ops::RangeInclusive<i64> = 1..=31_622_400;
/// How an error is told.
const TELLING: Telling = Telling::General {
    variable: "jwt-generate",
    reason: "Invalid-JWT-Generate",
    text: "The token could not be created.",
};

pub(super) fn lower(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    let known: Vec<&str> = JWT_GENERATE.fields.iter().map(|field| field.name).chain(own::KNOWN).collect();
    lowering.tell_unknown(step, &known);
    check_names(lowering, step);
    let (claims, lifetime) = (claims(lowering, step), lifetime(lowering, step));
    let (signature, encryption) = (signature(lowering, step), encryption(lowering, step));
    let is_none = step.block.text("jws-alg").as_deref() == Some("none");
    let (into, prefix) = delivery(lowering, step);
    let op = match (signature, encryption) {
        // Claims that shall not be signed are only ever written into an encryption.
        (_, None) if is_none && !lowering.settings.allow_unsigned => Op::Raise(unsigned_refused(lowering, step)),
        (None, None) if !is_none => Op::Raise(refusal("no key is named, neither to sign nor to encrypt with")),
        (signature, encryption) => {
            let signature = signature.filter(|_| !is_none);
            let unsecured = signature.is_none() && encryption.is_none();
            if unsecured {
                tell_unsigned(lowering, step);
            }
            let mut plan = SealPlan { claims, lifetime, signature, encryption, unsecured, prefix: prefix.into() };
            own::apply(lowering, step, &mut plan);
            Op::Seal { plan: Box::new(plan), into, known: None }
        }
    };
    lowering.step_told(step, op, vec![vec![next]], &TELLING)
}

/// A token without signature or encryption is made only where the operator allows it.
fn unsigned_refused(lowering: &mut Lowering<'_>, step: &Step<'_>) -> Fault {
    let at = step.block.get("jws-alg").unwrap_or_else(|| step.block.clone());
    let message =
        "`jws-alg` is `none`, and a token that nobody signed is not made here; a request that comes to it fails.";
    let hint = "Name an algorithm and a key. The setting `apis.allow_unsigned` would let anybody write such tokens.";
    lowering.tell(Severity::Stopped, "unsigned_refused", (&at, step.kind), message, hint);
    refusal("`jws-alg` is `none`, and `apis.allow_unsigned` is off")
}

fn tell_unsigned(lowering: &mut Lowering<'_>, step: &Step<'_>) {
    let at = step.block.get("jws-alg").unwrap_or_else(|| step.block.clone());
    let message = "`jws-alg` is `none`: nobody signs these tokens, and anybody can write or change one.";
    let hint = "Name an algorithm and a key, and turn `apis.allow_unsigned` off.";
    lowering.tell(Severity::Warning, "unsigned", (&at, step.kind), message, hint);
}

/// Where the token goes, and what stands before it (section 4).
fn delivery(lowering: &Lowering<'_>, step: &Step<'_>) -> (Path, &'static str) {
    match step.block.text("jwt") {
        None => (path("message.headers.authorization"), "Bearer "),
        Some(variable) if lowering.is_v5() => (path(&variable), ""),
        Some(variable) => (path(&variable), "Bearer "),
    }
}

/// The claims in their order: `jti`, `iss`, `sub`, `aud`, `exp`, `iat`, then private ones (section 3).
fn claims(lowering: &mut Lowering<'_>, step: &Step<'_>) -> Vec<ClaimPlan> {
    let mut claims = Vec::new();
    if step.block.flag("jti-claim") == Some(true) {
        let absent = AbsentClaim::LeaveOut;
        claims.push(ClaimPlan::From { name: "jti".into(), value: Expr::FreshUuid, absent });
    }
    let issuer = step.block.text("iss-claim").unwrap_or_else(|| {
        let message = format!("`iss-claim` is missing; the variable `{ISSUER}` is taken.");
        lowering.tell(Severity::Warning, "issuer_missing", (&step.block, step.kind), message, "Name the variable.");
        ISSUER.to_owned()
    });
    let absent = refusal(&format!("the variable `{issuer}` of `iss-claim` is not set"));
    claims.push(text_claim(lowering, "iss", &issuer, AbsentClaim::Raise(Box::new(absent))));
    if let Some(subject) = step.block.text("sub-claim") {
        let absent = AbsentClaim::Warn(unset("sub-claim", &subject).into());
        claims.push(text_claim(lowering, "sub", &subject, absent));
    }
    if let Some(audience) = step.block.text("aud-claim") {
        let variables = audience.split(',').map(str::trim).filter(|name| !name.is_empty());
        let value = audience_of(variables.map(|name| lowering.names.variable(name)).collect());
        let absent = AbsentClaim::Warn(unset("aud-claim", &audience).into());
        claims.push(ClaimPlan::From { name: "aud".into(), value, absent });
    }
    claims.extend([ClaimPlan::Expires, ClaimPlan::IssuedAt]);
    if let Some(private) = step.block.text("private-claims") {
        let of = claims_of(lowering.names.variable(&private));
        claims.push(ClaimPlan::Given { of, clash: Clash::Drop });
    }
    claims
}

fn text_claim(lowering: &Lowering<'_>, name: &str, variable: &str, absent: AbsentClaim) -> ClaimPlan {
    let value = plain_of(lowering.names.variable(variable), &format!("the variable `{variable}` of `{name}-claim`"));
    ClaimPlan::From { name: name.into(), value, absent }
}

fn lifetime(lowering: &mut Lowering<'_>, step: &Step<'_>) -> Lifetime {
    let Some(written) = step.block.text("exp-claim") else {
        let message = format!("`exp-claim` is missing; the token is valid for {LIFETIME_SECS} seconds.");
        lowering.tell(Severity::Warning, "lifetime_missing", (&step.block, step.kind), message, "Name the seconds.");
        return Lifetime::Seconds(LIFETIME_SECS.into());
    };
    let seconds = written.parse::<i64>().ok().filter(|seconds| LIFETIMES_SECS.contains(seconds));
    if seconds.is_none() {
        let at = step.block.get("exp-claim").unwrap_or_else(|| step.block.clone());
        let (least, most) = (LIFETIMES_SECS.start(), LIFETIMES_SECS.end());
        let message = format!("`exp-claim` is `{written}`, which is no whole number from {least} to {most}.");
        lowering.tell(Severity::Error, "value_illegal", (&at, step.kind), message, "Write the seconds as a number.");
    }
    Lifetime::Seconds(seconds.unwrap_or(LIFETIME_SECS.into()))
}

fn signature(lowering: &mut Lowering<'_>, step: &Step<'_>) -> Option<Protection> {
    let algorithm = algorithms::named(lowering, step, "jws-alg", &algorithms::SIGNATURES);
    let key = match own::ring(lowering, step) {
        Some(ring) => ring,
        None => algorithms::key(lowering, step, "jws-crypto", "jws-jwk")?,
    };
    let kid = kid(lowering, step, "custom-kid-value-jws", &key);
    Some(protection(key, algorithm, None, kid))
}

/// `jwe-enc` and `jwe-alg` without a key encrypt nothing (section 6).
fn encryption(lowering: &mut Lowering<'_>, step: &Step<'_>) -> Option<Protection> {
    let content = algorithms::named(lowering, step, "jwe-enc", &algorithms::CONTENTS);
    let algorithm = algorithms::named(lowering, step, "jwe-alg", &algorithms::KEYS);
    let key = algorithms::key(lowering, step, "jwe-crypto", "jwe-jwk")?;
    let kid = kid(lowering, step, "custom-kid-value-jwe", &key);
    Some(protection(key, algorithm, content, kid))
}

fn protection(key: KeyFrom, algorithm: Option<Expr>, content: Option<Expr>, kid: KidFrom<Expr>) -> Protection {
    let switches = Switches::NONE.with(Switch::WeakHmac).with(Switch::Rsa1_5);
    Protection { key, also: None, rsa_bits: None, algorithm, content, kid, header: HeaderForm::KidFirst, switches }
}

/// `kid` on the API gateway: the custom value, else the JWK's own; never on v5 (section 3).
fn kid(lowering: &mut Lowering<'_>, step: &Step<'_>, property: &str, key: &KeyFrom) -> KidFrom<Expr> {
    let custom = step.block.text(property);
    if lowering.is_v5() {
        if let (Some(_), Some(at)) = (&custom, step.block.get(property)) {
            let message = format!("`{property}` is ignored: the v5 gateway writes no `kid`.");
            lowering.tell(Severity::Warning, "kid_ignored", (&at, step.kind), message, "Take it out.");
        }
        return KidFrom::Nowhere;
    }
    match (custom, key) {
        (Some(custom), _) => {
            let variable = Box::new(lowering.names.variable(&custom));
            let otherwise = Box::new(Expr::Literal(Value::text(&custom)));
            KidFrom::Text(Expr::Choose { present: variable.clone(), then: variable, otherwise })
        }
        (None, KeyFrom::Brought { .. }) => KidFrom::Key,
        (None, KeyFrom::Given(_) | KeyFrom::Secret(..) | KeyFrom::Ring(_)) => KidFrom::Nowhere,
    }
}

fn check_names(lowering: &mut Lowering<'_>, step: &Step<'_>) {
    for property in NAMES {
        let Some(at) = step.block.get(property) else { continue };
        if at.node.scalar_text().is_some_and(|text| text.chars().count() > NAME_CHARS_MAX) {
            let message = format!("`{property}` is longer than {NAME_CHARS_MAX} characters.");
            lowering.tell(Severity::Error, "value_illegal", (&at, step.kind), message, "Name a shorter variable.");
        }
    }
}

fn unset(property: &str, variable: &str) -> String {
    format!("the variable `{variable}` of `{property}` is not set; the token goes without the claim")
}

fn refusal(why: &str) -> Fault {
    Fault::new(FaultKind::ClaimsInvalid, why).with_code("RuntimeError")
}
