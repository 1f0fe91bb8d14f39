//! The configuration of a `JWT - Verifier` (contract section 8): read, and lowered to three ops.

mod fields;

use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm, Switches};
use plan::{
    Decryption, Expected, ExpiryRules, Expr, KeyForm, Op, OpenPlan, Path, SecretRef, ShapeStep, Text, Value,
    Verification,
};

pub(crate) use fields::VERIFIER;

use super::form::Form;
use super::layers::{
    Block, CONTENTS, EC_KEYS, EC_SIGNATURES, HMACS, KEY_TYPES, Layer, RSA_KEYS, RSA_SIGNATURES, SECRET_KEYS, empty,
    layer, ring,
};
use super::material::{Keeping, public};
use super::save::Save;
use super::template::Template;
use super::who::Who;
use super::{Ops, WORK, attributes, checks, template_at};

/// The most seconds that a clock may be wrong by.
const TOLERANCE_SECS_MAX: i64 = 300;
/// The most claims that may be required.
const REQUIRED_MAX: usize = 50;
const TYPES: &[&str] = &["symmetric", "asymmetric", "none"];

/// The configuration of a `JWT - Verifier`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verifier {
    token: Template,
    signature: Option<Layer>,
    encryption: Option<Layer>,
    issuer: Option<Template>,
    audience: Option<Template>,
    required: Vec<Text>,
    tolerance_secs: u16,
    save: Save,
}

impl Verifier {
    /// Reads a configuration; none if what is wrong with it was told.
    pub(crate) fn read(mut config: Form<'_>, keeping: &Keeping) -> Option<Self> {
        let told = config.told();
        let (jwt, at_jwt) = (config.text("jwt").unwrap_or_default(), config.at("jwt"));
        if jwt.is_empty() {
            told.refuse(
                "value_illegal",
                &at_jwt,
                "The node needs a token.",
                "Refer to it, as `{{flow.request.body.token}}`.",
            );
        }
        let token = template_at(told, &at_jwt, jwt, "jwt");
        let signature = signature(&mut config, keeping);
        let encryption = encryption(&mut config, keeping);
        if signature.is_none() && encryption.is_none() {
            let message = "Signature and encryption are both `none`, and then anybody could have made the token.";
            told.refuse("key.missing", &config.at("signature"), message, "Name the key of one of them, or of both.");
        }
        let (issuer, audience, required) = expected(&mut config);
        let tolerance = config.integer("clockTolerance", 0..=TOLERANCE_SECS_MAX, 0);
        let save = Save::read(&mut config, attributes::ATTRIBUTES, &["claims"], "jwt");
        config.close();
        let tolerance_secs = u16::try_from(tolerance).unwrap_or_default();
        Some(Self { token: token?, signature, encryption, issuer, audience, required, tolerance_secs, save })
    }

    /// The ops of the node.
    pub(crate) fn ops(&self, who: &Who) -> Ops {
        let work = |name: &str| Path::keys([WORK, name]);
        let expected =
            |template: &Option<Template>| template.as_ref().map(|text| Expected::Equal(text.expr_in_text(who)));
        let plan = OpenPlan {
            token: Expr::Message(work("token")),
            decryption: self.encryption.as_ref().map(|layer| decryption(layer, who)),
            verification: self.signature.as_ref().map(|layer| verification(layer, who)),
            issuer: expected(&self.issuer),
            audience: expected(&self.audience),
            required: self.required.clone(),
            times: ExpiryRules { exp_required: false, iat_checked: false, leeway_secs: self.tolerance_secs },
        };
        Ops {
            prepare: Op::Assign(vec![ShapeStep::Set(work("token"), bare(self.token.expr(who)))]),
            token: Op::Open { plan: Box::new(plan), into: work("claims"), known: Some(work("known")) },
            save: self.save.op(who),
        }
    }

    /// The secrets without which it opens no token.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        self.signature.iter().chain(&self.encryption).filter_map(Layer::secret)
    }
}

/// Reads the signature; none for tokens that are only encrypted.
fn signature(config: &mut Form<'_>, keeping: &Keeping) -> Option<Layer> {
    let spot = config.at("signature");
    let Some(mut form) = config.object("signature") else {
        let later = keeping.secret("signature/symmetric/password");
        return Some(Layer { opens: true, ..layer("signature", None, empty(HMACS[0]), later) });
    };
    let kind = form.choice("type", TYPES);
    let allows_weak = form.flag("allowWeakHmac", false);
    let symmetric = form.object("symmetric").map(|form| secret_block(form, keeping, "signature/symmetric", HMACS));
    let asymmetric = form.object("asymmetric").map(public_block);
    let told = form.told();
    form.close();
    let (block, usual, name) = match kind {
        "none" => return None,
        "symmetric" => (symmetric, HMACS[0], "password"),
        _ => (asymmetric, RSA_SIGNATURES[0], "publicKey"),
    };
    let later = keeping.secret(&format!("signature/{kind}/{name}"));
    let layer = layer("signature", None, block.unwrap_or_else(|| empty(usual)), later);
    let layer = Layer { allows_weak, opens: true, ..layer };
    checks::check(&layer, &spot.below(kind), told);
    Some(layer)
}

/// Reads the encryption; none for tokens that are only signed.
fn encryption(config: &mut Form<'_>, keeping: &Keeping) -> Option<Layer> {
    let spot = config.at("encryption");
    let mut form = config.object("encryption")?;
    let kind = form.choice("type", &["none", "symmetric", "asymmetric"]);
    let content = form.choice("contentEncryption", CONTENTS);
    let symmetric =
        form.object("symmetric").map(|form| secret_block(form, keeping, "encryption/symmetric", SECRET_KEYS));
    let asymmetric = form.object("asymmetric").map(|form| private_block(form, keeping));
    let told = form.told();
    form.close();
    let (block, usual, name) = match kind {
        "none" => return None,
        "symmetric" => (symmetric, SECRET_KEYS[0], "password"),
        _ => (asymmetric, RSA_KEYS[0], "privateKey"),
    };
    let later = keeping.secret(&format!("encryption/{kind}/{name}"));
    let layer = layer("encryption", Some(content), block.unwrap_or_else(|| empty(usual)), later);
    let layer = Layer { opens: true, ..layer };
    checks::check(&layer, &spot.below(kind), told);
    Some(layer)
}

/// Symmetric Key (Password).
fn secret_block(mut form: Form<'_>, keeping: &Keeping, block: &str, algorithms: &'static [&'static str]) -> Block {
    let algorithm = form.choice("algorithm", algorithms);
    let views = [("password", KeyForm::Octets), ("jwk", KeyForm::Jwk)];
    let views = views.map(|(name, how)| keeping.read(&mut form, name, block, how));
    let views: Vec<_> = views.into_iter().flatten().collect();
    let ring = if block.starts_with("signature") { ring(&mut form, &views, None) } else { None };
    form.close();
    Block { ring, views, ..empty(algorithm) }
}

/// Asymmetric Key of a signature: the signer's public one.
fn public_block(mut form: Form<'_>) -> Block {
    let algorithm = algorithm(&mut form, RSA_SIGNATURES, EC_SIGNATURES);
    let views = ["publicKey", "publicJwk"].map(|name| public(&mut form, name, "signature/asymmetric"));
    let views: Vec<_> = views.into_iter().flatten().collect();
    let ring = ring(&mut form, &views, None);
    form.close();
    Block { ring, views, ..empty(algorithm) }
}

/// Asymmetric Key of an encryption: the recipient's private one.
fn private_block(mut form: Form<'_>, keeping: &Keeping) -> Block {
    let algorithm = algorithm(&mut form, RSA_KEYS, EC_KEYS);
    let key = keeping.read(&mut form, "privateKey", "encryption/asymmetric", KeyForm::JwkOrPem);
    form.close();
    Block { views: key.into_iter().collect(), ..empty(algorithm) }
}

fn algorithm(form: &mut Form<'_>, of_rsa: &'static [&'static str], of_ec: &'static [&'static str]) -> &'static str {
    let is_rsa = form.choice("keyType", KEY_TYPES) == "RSA";
    let (rsa, ec) = (form.choice("rsaAlgorithm", of_rsa), form.choice("ecAlgorithm", of_ec));
    if is_rsa { rsa } else { ec }
}

/// `expected`: issuer, audience, and the claims that must be there.
fn expected(config: &mut Form<'_>) -> (Option<Template>, Option<Template>, Vec<Text>) {
    let Some(mut form) = config.object("expected") else { return (None, None, Vec::new()) };
    let told = form.told();
    let [issuer, audience] = [("iss", "expected/iss"), ("aud", "expected/aud")].map(|(name, field)| {
        let text = form.text(name).filter(|text| !text.is_empty())?;
        template_at(told, &form.at(name), text, field)
    });
    let mut required = Vec::new();
    for (name, at) in form.list("claims", REQUIRED_MAX) {
        match name.as_text().filter(|name| !name.is_empty()) {
            Some(name) => required.push(Text::from(name)),
            None => told.refuse("value_illegal", &at, "The name of a claim belongs here.", ""),
        }
    }
    form.close();
    (issuer, audience, required)
}

fn verification(layer: &Layer, who: &Who) -> Verification<plan::KeyFrom> {
    let algorithm = SignatureAlgorithm::by_name(layer.algorithm).expect("every choice of the form is a row");
    Verification {
        key: layer.key.from(who, layer.block),
        also: layer.also.as_ref().map(|also| also.from(who, layer.block)),
        algorithm: Some(algorithm),
        switches: layer.switches(),
    }
}

fn decryption(layer: &Layer, who: &Who) -> Decryption<plan::KeyFrom> {
    let rows = KeyAlgorithm::by_name(layer.algorithm)
        .and_then(|row| Ok((row, ContentEncryption::by_name(layer.content.unwrap_or(CONTENTS[0]))?)));
    Decryption {
        key: layer.key.from(who, layer.block),
        also: layer.also.as_ref().map(|also| also.from(who, layer.block)),
        algorithms: Some(rows.expect("every choice of the form is a row")),
        switches: Switches::NONE,
    }
}

/// The token without `Bearer` before it, as callers send it in a header.
fn bare(token: Expr) -> Expr {
    let scheme = |name: &str| Expr::Literal(Value::text(name));
    let schemes = ["Bearer", "bearer"].map(scheme).into();
    let behind = Box::new(Expr::AfterScheme { schemes, of: Box::new(token.clone()) });
    Expr::Choose { present: behind.clone(), then: behind, otherwise: Box::new(token) }
}
