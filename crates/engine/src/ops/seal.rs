//! Tokens whose keys the message brings along: what is asked for is worked out here, made elsewhere.

use plan::{
    Ask, AskId, Expr, Fault, FaultKind, Flow, KeyForm, KeyFrom, KeyHeld, KidFrom, Known, Layer, LogLevel, Op,
    Protection, SealLayer, SealPlan, SealRequest, Text, Unwritable, Value, write_json,
};

use super::issue;
use crate::eval::Scope;
use crate::work::{Delivery, Told, Work};

/// Asks for a token of this message's claims.
pub(crate) fn seal(flow: &Flow, work: &mut Work, delivery: Delivery, plan: &SealPlan) -> Option<(AskId, Ask)> {
    let tells = matches!(&flow.nodes[delivery.to.0 as usize].op, Op::Seal { known: Some(_), .. });
    let request = sealed_by(plan, tells, &work.scope(&delivery.message));
    let request = request.map(|(request, warnings)| {
        warn(work, &delivery, warnings);
        Ask::Seal(Box::new(request))
    });
    work.ask_or_raise(flow, delivery, request)
}

/// Writes the token that was made and sends the message on.
pub(crate) fn sealed(
    flow: &Flow,
    work: &mut Work,
    mut delivery: Delivery,
    token: &str,
    (warnings, told): (Vec<Text>, Option<Box<Known>>),
) {
    let Op::Seal { plan, into, known } = &flow.nodes[delivery.to.0 as usize].op else { return };
    warn(work, &delivery, warnings);
    if let (Some(place), Some(told)) = (known, told)
        && !place.write(&mut delivery.message, &mut work.cells, known_of(*told))
    {
        return work.raise(
            flow,
            delivery,
            Fault::new(FaultKind::Configuration, "the message has no place for the result"),
        );
    }
    let token = Value::Text(format!("{}{token}", plan.prefix).into());
    work.write_and_forward(flow, delivery, into, token);
}

/// The fault of a key that neither makes nor opens its layer.
pub(crate) fn fault(layer: SealLayer, kind: FaultKind, detail: &str) -> Fault {
    let name = match layer {
        SealLayer::Signature => "signature",
        SealLayer::Encryption => "encryption",
    };
    Fault { thrown: Value::map([("layer", Value::text(name))]), ..Fault::new(kind, detail) }
}

/// What is known of a token, as a map.
pub(crate) fn known_of(known: Known) -> Value {
    let Known { claims, signed, key } = known;
    let members = [("claims", Some(claims)), ("signed", signed), ("key", key)];
    Value::map(members.into_iter().filter_map(|(name, text)| Some((name, Value::Text(text?)))))
}

fn warn(work: &mut Work, delivery: &Delivery, warnings: Vec<Text>) {
    let told = warnings.into_iter().map(Value::Text);
    work.told.extend(told.map(|value| Told::Log { node: delivery.to, level: LogLevel::Warn, value }));
}

fn sealed_by(plan: &SealPlan, tells: bool, scope: &Scope<'_>) -> Result<(SealRequest, Vec<Text>), Fault> {
    let layer = |layer: &Option<Protection>| layer.as_ref().map(|layer| layer_of(layer, scope)).transpose();
    let (signature, encryption) = (layer(&plan.signature)?, layer(&plan.encryption)?);
    let issue::Written { claims, times, warnings } = issue::claims(&plan.claims, &plan.lifetime, scope)?;
    Ok((SealRequest { claims, times, tells, signature, encryption, unsecured: plan.unsecured }, warnings))
}

fn layer_of(layer: &Protection, scope: &Scope<'_>) -> Result<Layer, Fault> {
    let kid = match &layer.kid {
        KidFrom::Nowhere => KidFrom::Nowhere,
        KidFrom::Key => KidFrom::Key,
        KidFrom::Made => KidFrom::Made,
        KidFrom::Text(text) => KidFrom::Text(named("kid", text, scope)?),
    };
    let name = |what: &str, name: &Option<Expr>| name.as_ref().map(|name| named(what, name, scope)).transpose();
    Ok(Layer {
        key: key_of(&layer.key, scope)?,
        also: layer.also.as_ref().map(|also| key_of(also, scope)).transpose()?,
        rsa_bits: layer.rsa_bits,
        algorithm: name("alg", &layer.algorithm)?,
        content: name("enc", &layer.content)?,
        kid,
        header: layer.header,
        switches: layer.switches,
    })
}

/// A name that the message decides. One that it leaves open is a fault: nothing is chosen in its place.
fn named(what: &str, name: &Expr, scope: &Scope<'_>) -> Result<Text, Fault> {
    let value = scope.eval(name)?;
    if let Value::Text(name) = &value
        && !name.is_empty()
    {
        return Ok(name.clone());
    }
    let found = if value.as_text().is_some() || value.is_undefined() { "nothing" } else { "no text" };
    let why = format!("the variable that names `{what}` holds {found}");
    Err(Fault::new(FaultKind::AlgorithmUnsupported, why))
}

/// The key that this message names.
///
/// # Errors
/// If it names none, or something that is no text of a key.
pub(crate) fn key_of(from: &KeyFrom, scope: &Scope<'_>) -> Result<KeyHeld, Fault> {
    let (of, form, absent) = match from {
        KeyFrom::Given(name) => return Ok(KeyHeld::Given(name.clone())),
        KeyFrom::Secret(secret, form) => return Ok(KeyHeld::Secret(secret.clone(), *form)),
        KeyFrom::Ring(name) => return Ok(KeyHeld::Ring(name.clone())),
        KeyFrom::Brought { of, form, absent } => (of, *form, absent),
    };
    let key = scope.eval(of)?;
    let is_absent =
        matches!(key, Value::Undefined | Value::Null) || key.as_text().is_some_and(|text| text.trim().is_empty());
    if is_absent {
        return Err((**absent).clone());
    }
    let text = match (key, form) {
        (Value::Text(text), _) => text,
        (key, KeyForm::Jwk | KeyForm::JwkOrPem | KeyForm::Public) => written(&key)?,
        (_, KeyForm::Octets) => return Err(Fault::new(FaultKind::KeyUnusable, "the secret is no text")),
    };
    Ok(KeyHeld::Text(text, form))
}

fn written(value: &Value) -> Result<Text, Fault> {
    let mut out = Vec::new();
    match write_json(&mut out, value) {
        Ok(true) => Ok(String::from_utf8(out).expect("the writer writes UTF-8").into()),
        Ok(false) | Err(Unwritable::Circular | Unwritable::BigInteger) => {
            Err(Fault::new(FaultKind::KeyUnusable, "the variable of the key holds what JSON cannot"))
        }
    }
}
