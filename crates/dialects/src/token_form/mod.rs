//! The configurations of a `JWT - Generator`, which two dialects have, and of a `JWT - Verifier`: read strictly, and lowered
//! to three ops.
//!
//! The contract is `docs/contracts/jwt-generator.md`; a section named in this module is a section of that contract.

mod attributes;
mod checks;
mod claims;
mod failure;
mod fields;
mod form;
mod layers;
mod literal;
mod material;
mod save;
mod template;
mod typed;
mod verifier;
mod who;
mod write;

use plan::{Function, Op, Path, SealPlan, SecretRef, ShapeStep};

use crate::minting::Meaning;

pub(crate) use claims::{Row, read_rows};
pub(crate) use failure::failure;
pub(crate) use fields::GENERATOR;
pub(crate) use form::{Form, Spot, Told};
pub(crate) use literal::Literal;
pub(crate) use material::{Inline, Keeping, sealed_json};
pub(crate) use save::{FRONTEND, Save, saved_in};
pub(crate) use template::{Template, shown};
pub(crate) use typed::kind_of;
pub(crate) use verifier::{VERIFIER, Verifier};
pub(crate) use who::{Who, fault_of};
pub(crate) use write::{config, escaped, kept, variable};

use claims::Claims;
use layers::Layer;

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
    /// Makes the token, or opens it.
    pub(crate) token: Op,
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
        Ops {
            prepare: Op::Assign(vec![ShapeStep::Set(work("claims"), self.claims.prepared(who))]),
            token: Op::Seal { plan: Box::new(plan), into: work("token"), known: Some(work("known")) },
            save: self.save.op(who),
        }
    }

    /// The secrets without which it makes no token.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        self.signature.iter().chain(&self.encryption).filter_map(Layer::secret)
    }
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

/// The text of a field, taken apart; told if it cannot be.
pub(crate) fn template_at(told: &Told, at: &Spot, text: &str, field: impl Into<String>) -> Option<Template> {
    let template = Template::new(text, field);
    template.map_err(|why| told.refuse("template_invalid", at, why, "Write references as `{{name.member}}`.")).ok()
}
