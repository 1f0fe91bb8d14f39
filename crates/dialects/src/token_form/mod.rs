//! The configuration of a `JWT - Generator`, which two dialects have: read strictly, and lowered to three ops.
//!
//! The contract is `docs/contracts/jwt-generator.md`; a section named in this module is a section of that contract.

mod attributes;
mod checks;
mod claims;
mod fields;
mod form;
mod layers;
mod literal;
mod material;
mod save;
mod template;
mod typed;
mod who;

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{
    EventField, Expr, Fault, FaultKind, FaultText, Function, Op, Path, SealPlan, SecretRef, ShapeStep, Text, Value,
};

use crate::minting::Meaning;

pub(crate) use claims::{Row, read_rows};
pub(crate) use fields::GENERATOR;
pub(crate) use form::{Form, Spot, Told};
pub(crate) use literal::Literal;
pub(crate) use material::{Inline, Keeping, sealed_json};
pub(crate) use save::saved_in;
pub(crate) use template::{Template, shown};
pub(crate) use typed::kind_of;
pub(crate) use who::Who;

use claims::Claims;
use layers::Layer;
use save::Save;

/// What the node is called on the canvas.
pub(crate) const LABEL: &str = "JWT - Generator";
/// The member of the message that holds what is being worked out; no variable may have its name.
pub(crate) const WORK: &str = ".jwt";

/// The configuration of a `JWT - Generator`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Generator {
    claims: Claims,
    signature: Option<Layer>,
    encryption: Option<Layer>,
    save: Save,
}

/// The ops of a node, one behind the other.
pub(crate) struct Ops {
    /// Works out what the message decides.
    pub(crate) prepare: Op,
    /// Makes the token.
    pub(crate) seal: Op,
    /// Saves what is asked for.
    pub(crate) save: Op,
}

impl Generator {
    /// Reads a configuration; none if what is wrong with it was told.
    pub(crate) fn read(mut config: Form<'_>, keeping: &Keeping) -> Option<Self> {
        let claims = claims::read(&mut config);
        let signature = layers::signature(&mut config, keeping);
        let encryption = layers::encryption(&mut config, keeping);
        let save = Save::read(&mut config, attributes::ATTRIBUTES, &["token"], "jwt");
        if signature.is_none() && encryption.is_none() {
            let message = "Signature and encryption are both `none`, and a token without either is not made here.";
            config.told().refuse("key.missing", &config.at("signature"), message, "Sign it, encrypt it, or both.");
        }
        let claims = claims?;
        let ring = signature.as_ref().is_some_and(|layer| matches!(layer.key, material::Material::Ring(_)));
        if ring && !claims.expires() {
            let message = "A token of a key ring must end, and `exp` is excluded.";
            config.told().refuse("claims.no_exp", &config.at("claims"), message, "Include `exp`.");
        }
        config.close();
        Some(Self { claims, signature, encryption, save })
    }

    /// The ops of the node.
    pub(crate) fn ops(&self, who: &Who) -> Ops {
        let work = |name: &str| Path::keys([WORK, name]);
        let plan = SealPlan {
            claims: self.claims.plans(),
            lifetime: self.claims.lifetime(),
            signature: self.signature.as_ref().map(|layer| layer.protection(who)),
            encryption: self.encryption.as_ref().map(|layer| layer.protection(who)),
            unsecured: false,
            prefix: "".into(),
        };
        let wanted = Expr::Literal(Value::list(self.save.attributes.iter().map(Value::text).collect()));
        let at = |name: &str| Expr::Message(work(name));
        let to = vec![at("token"), at("known"), wanted, Expr::Literal(who.value("save"))];
        let saved = Expr::Applied { function: attributes::SAVED, to };
        let mut steps = self.save.steps(saved);
        steps.push(ShapeStep::Delete(Path::keys([WORK])));
        Ops {
            prepare: Op::Assign(vec![ShapeStep::Set(work("claims"), self.claims.prepared(who))]),
            seal: Op::Seal { plan: Box::new(plan), into: work("token"), known: Some(work("known")) },
            save: Op::Assign(steps),
        }
    }

    /// The secrets without which it makes no token.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let layers = self.signature.iter().chain(&self.encryption);
        layers.filter_map(|layer| match &layer.key {
            material::Material::Sealed(secret, ..) => Some(secret),
            material::Material::Ring(_) | material::Material::Template(..) | material::Material::Public(_) => None,
        })
    }
}

/// What is done to a message whose token could not be made: `flow.error` says why (section 5).
pub(crate) fn failure(who: &Who) -> Arc<[ShapeStep]> {
    let thrown = |name: &str| Expr::Member { of: Box::new(Expr::Event(EventField::Thrown)), path: Path::keys([name]) };
    let event = |field: EventField| Expr::Event(field);
    let to = vec![
        Expr::Literal(Value::text(who.prefix())),
        event(EventField::Message),
        event(EventField::Code),
        thrown("layer"),
        thrown("field"),
        Expr::Literal(Value::Text(who.node.clone())),
    ];
    let error = Expr::Applied { function: ERROR, to };
    [ShapeStep::Set(Path::keys(["flow", "error"]), error), ShapeStep::Delete(Path::keys([WORK]))].into()
}

/// What a function means for values that are not known yet.
pub(crate) fn meaning(function: &Function) -> Option<Meaning> {
    let table = [
        (template::FILLED, Meaning::Joined),
        (claims::NAMED, Meaning::Text),
        (claims::TTL, Meaning::Same),
        (typed::TYPED, Meaning::Typed),
        (typed::REGISTERED, Meaning::Same),
        (attributes::SAVED, Meaning::Saved),
    ];
    table.into_iter().find(|(known, _)| std::ptr::fn_addr_eq(known.run, function.run)).map(|(_, meaning)| meaning)
}

/// How the faults of keys are named; their own words follow the block's name.
pub(crate) fn faults() -> BTreeMap<FaultKind, FaultText> {
    let table = [
        (FaultKind::KeyMissing, "key.missing"),
        (FaultKind::KeyUnusable, "key.invalid"),
        (FaultKind::KeyUnfit, "key.mismatch"),
        (FaultKind::KeyLength, "key.length"),
        (FaultKind::KeyAway, "key.unavailable"),
        (FaultKind::Busy, "key.unavailable"),
        (FaultKind::AlgorithmUnsupported, "variable.missing"),
        (FaultKind::ExpiryInvalid, "ttl.invalid"),
        (FaultKind::ClaimsInvalid, "claim.value"),
        (FaultKind::Oversized, "token.too_large"),
    ];
    table.map(|(kind, code)| (kind, FaultText { code: code.into(), message: "".into() })).into()
}

/// The text of a field, taken apart; told if it cannot be.
pub(crate) fn template_at(told: &Told, at: &Spot, text: &str, field: impl Into<String>) -> Option<Template> {
    let template = Template::new(text, field);
    template.map_err(|why| told.refuse("template_invalid", at, why, "Write references as `{{name.member}}`.")).ok()
}

/// Codes that the other dialect gives to faults of keys, and ours.
const OTHER_CODES: [(&str, &str); 3] = [
    ("ERR_JWT_SECRET_MISSING", "key.missing"),
    ("ERR_JWT_KEY_UNUSABLE", "key.invalid"),
    ("ERR_JWT_KEY_UNAVAILABLE", "key.unavailable"),
];
/// `flow.error`, of the node's prefix, the fault's words, code, layer and field, and the node's id.
const ERROR: Function = Function { name: "flow_error", run: error };

fn error(arguments: &[Value]) -> Result<Value, Fault> {
    let [prefix, message, code, layer, field, node] = arguments else { return Ok(Value::Undefined) };
    let (prefix, message) = (prefix.as_text().unwrap_or_default(), message.as_text().unwrap_or_default());
    let code = OTHER_CODES
        .iter()
        .find(|(other, _)| code.as_text() == Some(other))
        .map_or(code.as_text(), |(_, own)| Some(own));
    let code = code.unwrap_or("failed");
    let text = match (layer.as_text(), code) {
        (Some(layer), "key.missing") => format!("{prefix}{layer}: no key"),
        (Some(layer), "key.unavailable") => format!("{prefix}{layer}: key is not available"),
        (Some(layer), _) => format!("{prefix}{layer}: {message}"),
        (None, _) if message.starts_with(prefix) => message.to_owned(),
        (None, _) => format!("{prefix}{message}"),
    };
    let field = if field.is_undefined() { layer.clone() } else { field.clone() };
    let members =
        [("message", Value::text(text)), ("code", Value::text(code)), ("node", node.clone()), ("field", field)];
    Ok(Value::map(
        members.into_iter().filter(|(_, value)| !value.is_undefined()).map(|(name, value)| (Text::from(name), value)),
    ))
}
