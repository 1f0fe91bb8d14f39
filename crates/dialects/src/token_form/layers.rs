//! Signature and encryption of a `JWT - Generator` (contract sections 3 and 4): read, and held against what stands inline.

use jose::RsaBits;
use jose::jwa::{Switch, Switches};
use plan::{Expr, HeaderForm, KeyForm, KidFrom, Protection, SecretRef, Severity, Value};

use super::checks;
use super::form::{Form, Spot};
use super::material::{self, Keeping, Material};
use super::template::Template;
use super::template_at;
use super::who::Who;

/// `type` of a layer: by which kind of key.
const SIGNATURE_TYPES: &[&str] = &["symmetric", "asymmetric", "none"];
const ENCRYPTION_TYPES: &[&str] = &["none", "symmetric", "asymmetric"];
pub(crate) const HMACS: &[&str] = &["HS256", "HS384", "HS512"];
pub(crate) const KEY_TYPES: &[&str] = &["RSA", "EC"];
pub(crate) const RSA_SIGNATURES: &[&str] = &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
pub(crate) const EC_SIGNATURES: &[&str] = &["ES256", "ES384", "ES512"];
pub(crate) const CURVES: &[&str] = &["P-256", "P-384", "P-521"];
pub(crate) const CONTENTS: &[&str] =
    &["A256GCM", "A128GCM", "A192GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"];
pub(crate) const SECRET_KEYS: &[&str] = &["A256KW", "A128KW", "A192KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir"];
pub(crate) const RSA_KEYS: &[&str] = &["RSA-OAEP-256", "RSA-OAEP"];
pub(crate) const EC_KEYS: &[&str] = &["ECDH-ES+A256KW", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW"];

/// One layer of a token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    /// Its block: `signature` or `encryption`.
    pub(crate) block: &'static str,
    /// Its algorithm.
    pub(crate) algorithm: &'static str,
    /// The content encryption, of an encryption.
    pub(crate) content: Option<&'static str>,
    /// Its key.
    pub(crate) key: Material,
    /// The same key once more.
    pub(crate) also: Option<Material>,
    /// The size that an RSA key must have.
    pub(crate) rsa_bits: Option<RsaBits>,
    /// What stands in the header as `kid`; none leaves it to the key.
    pub(crate) kid: Option<Template>,
    /// Whether a short HMAC secret is taken.
    pub(crate) allows_weak: bool,
    /// Whether it is there to open tokens.
    pub(crate) opens: bool,
}

/// The members of one of the two key blocks.
pub(super) struct Block {
    pub(super) algorithm: &'static str,
    pub(super) ring: Option<Material>,
    pub(super) views: Vec<Material>,
    pub(super) kid: Option<Template>,
    pub(super) rsa_bits: Option<RsaBits>,
}

/// Reads the signature; none for tokens that are only encrypted.
pub(crate) fn signature(config: &mut Form<'_>, keeping: &Keeping) -> Option<Layer> {
    let spot = config.at("signature");
    let Some(mut form) = config.object("signature") else {
        return Some(layer("signature", None, empty(HMACS[0]), keeping.secret("signature/symmetric/password")));
    };
    let kind = form.choice("type", SIGNATURE_TYPES);
    let allows_weak = form.flag("allowWeakHmac", false);
    let symmetric = form.object("symmetric").map(|form| secret_block(form, keeping, "signature/symmetric", HMACS));
    let asymmetric = form.object("asymmetric").map(|form| pair_block(form, keeping));
    let told = form.told();
    form.close();
    let (block, usual, name) = match kind {
        "none" => return None,
        "symmetric" => (symmetric, HMACS[0], "password"),
        _ => (asymmetric, RSA_SIGNATURES[0], "privateKey"),
    };
    let secret = keeping.secret(&format!("signature/{kind}/{name}"));
    let mut layer = layer("signature", None, block.unwrap_or_else(|| empty(usual)), secret);
    layer.allows_weak = allows_weak;
    checks::check(&layer, &spot.below(kind), told);
    Some(layer)
}

/// Reads the encryption; none for tokens that are only signed.
pub(crate) fn encryption(config: &mut Form<'_>, keeping: &Keeping) -> Option<Layer> {
    let spot = config.at("encryption");
    let mut form = config.object("encryption")?;
    let kind = form.choice("type", ENCRYPTION_TYPES);
    let content = form.choice("contentEncryption", CONTENTS);
    let symmetric =
        form.object("symmetric").map(|form| secret_block(form, keeping, "encryption/symmetric", SECRET_KEYS));
    let asymmetric = form.object("asymmetric").map(recipient_block);
    let told = form.told();
    form.close();
    let (block, usual, name) = match kind {
        "none" => return None,
        "symmetric" => (symmetric, SECRET_KEYS[0], "password"),
        _ => (asymmetric, RSA_KEYS[0], "publicKey"),
    };
    let secret = keeping.secret(&format!("encryption/{kind}/{name}"));
    let layer = layer("encryption", Some(content), block.unwrap_or_else(|| empty(usual)), secret);
    checks::check(&layer, &spot.below(kind), told);
    Some(layer)
}

impl Layer {
    /// The layer of a plan.
    pub(crate) fn protection(&self, who: &Who) -> Protection {
        let name = |name: &str| Expr::Literal(Value::text(name));
        Protection {
            key: self.key.from(who, self.block),
            also: self.also.as_ref().map(|also| also.from(who, self.block)),
            rsa_bits: self.rsa_bits,
            algorithm: Some(name(self.algorithm)),
            content: self.content.map(name),
            kid: self.kid.as_ref().map_or(KidFrom::Made, |kid| KidFrom::Text(kid.expr_in_text(who))),
            header: HeaderForm::Typed,
            switches: self.switches(),
        }
    }

    /// The secret without which it is nothing, if that is kept sealed.
    pub(crate) fn secret(&self) -> Option<&SecretRef> {
        match &self.key {
            Material::Sealed(secret, ..) => Some(secret),
            Material::Ring(_) | Material::Template(..) | Material::Public(_) => None,
        }
    }

    /// What is taken beyond the usual.
    pub(super) fn switches(&self) -> Switches {
        if self.allows_weak { Switches::NONE.with(Switch::WeakHmac) } else { Switches::NONE }
    }
}

/// A block of which nothing is written.
pub(super) fn empty(algorithm: &'static str) -> Block {
    Block { algorithm, ring: None, views: Vec::new(), kid: None, rsa_bits: None }
}

/// A block without material waits for a secret that is set later.
pub(super) fn layer(block: &'static str, content: Option<&'static str>, of: Block, later: SecretRef) -> Layer {
    let form = if later.field.ends_with("/password") {
        KeyForm::Octets
    } else if later.field.ends_with("/publicKey") {
        KeyForm::Public
    } else {
        KeyForm::JwkOrPem
    };
    let mut views = of.views.into_iter();
    let key = of.ring.or_else(|| views.next()).unwrap_or(Material::Sealed(later, form, None));
    let (algorithm, also, rsa_bits, kid) = (of.algorithm, views.next(), of.rsa_bits, of.kid);
    Layer { block, algorithm, content, key, also, rsa_bits, kid, allows_weak: false, opens: false }
}

/// Symmetric Key (Password).
fn secret_block(mut form: Form<'_>, keeping: &Keeping, block: &str, algorithms: &'static [&'static str]) -> Block {
    let algorithm = form.choice("algorithm", algorithms);
    let kid = kid(&mut form, block);
    let views = [("password", KeyForm::Octets), ("jwk", KeyForm::Jwk)];
    let views: Vec<_> =
        views.map(|(name, how)| keeping.read(&mut form, name, block, how)).into_iter().flatten().collect();
    let ring = if block.starts_with("signature") { ring(&mut form, &views, kid.as_ref()) } else { None };
    form.close();
    Block { algorithm, ring, views, kid, rsa_bits: None }
}

/// Asymmetric Key of a signature.
fn pair_block(mut form: Form<'_>, keeping: &Keeping) -> Block {
    let block = "signature/asymmetric";
    let (algorithm, rsa_bits) = algorithm(&mut form, RSA_SIGNATURES, EC_SIGNATURES);
    let kid = kid(&mut form, block);
    let private = keeping.read(&mut form, "privateKey", block, KeyForm::JwkOrPem);
    let password = keeping.read(&mut form, "password", block, KeyForm::JwkOrPem);
    if private.is_some() && password.is_some() {
        let message = "Password is another name of Private Key here, and both are given.";
        form.told().refuse("key.mismatch", &form.at("password"), message, "Keep one of them.");
    }
    let views: Vec<_> =
        private.or(password).into_iter().chain(material::public(&mut form, "publicKey", block)).collect();
    if let ([Material::Public(_)], true) = (views.as_slice(), form.has("publicKey")) {
        form.told().refuse(
            "key.missing",
            form.spot(),
            "signature: a Public Key alone does not sign.",
            "Give the Private Key.",
        );
    }
    let ring = ring(&mut form, &views, kid.as_ref());
    form.close();
    Block { algorithm, ring, views, kid, rsa_bits }
}

/// Asymmetric Key of an encryption: the recipient's.
fn recipient_block(mut form: Form<'_>) -> Block {
    let block = "encryption/asymmetric";
    let (algorithm, rsa_bits) = algorithm(&mut form, RSA_KEYS, EC_KEYS);
    let kid = kid(&mut form, block);
    let views = ["publicKey", "publicJwk"].map(|name| material::public(&mut form, name, block));
    form.close();
    Block { algorithm, ring: None, views: views.into_iter().flatten().collect(), kid, rsa_bits }
}

/// The algorithm by the key's type, and the size that an RSA key must have, if it is named.
fn algorithm(
    form: &mut Form<'_>,
    of_rsa: &'static [&'static str],
    of_ec: &'static [&'static str],
) -> (&'static str, Option<RsaBits>) {
    let is_rsa = form.choice("keyType", KEY_TYPES) == "RSA";
    let (rsa, ec) = (form.choice("rsaAlgorithm", of_rsa), form.choice("ecAlgorithm", of_ec));
    let names_size = form.has("keySize");
    let bits = match form.integer("keySize", 2_048..=4_096, 3_072) {
        2_048 => Some(RsaBits::Bits2048),
        3_072 => Some(RsaBits::Bits3072),
        4_096 => Some(RsaBits::Bits4096),
        _ => {
            form.told().refuse("value_illegal", &form.at("keySize"), "The key size is 2048, 3072 or 4096.", "");
            None
        }
    };
    let curve = form.has("curve").then(|| form.choice("curve", CURVES));
    if let (Some(curve), Some(fixed), false) = (curve, curve_of(ec), is_rsa)
        && curve != fixed
    {
        let message = format!("signature: the curve {curve} does not match {ec}, which asks for {fixed}.");
        form.told().refuse("key.mismatch", &form.at("curve"), message, "Leave the curve out: the algorithm fixes it.");
    }
    if is_rsa { (rsa, bits.filter(|_| names_size)) } else { (ec, None) }
}

/// The curve that an algorithm fixes, if it does.
pub(crate) fn curve_of(algorithm: &str) -> Option<&'static str> {
    EC_SIGNATURES.iter().position(|name| *name == algorithm).map(|at| CURVES[at])
}

fn kid(form: &mut Form<'_>, block: &str) -> Option<Template> {
    let text = form.text("kid").filter(|text| !text.is_empty())?;
    template_at(form.told(), &form.at("kid"), text, format!("{block}/kid"))
}

/// `keyRef`: a ring instead of material and KID.
pub(super) fn ring(form: &mut Form<'_>, views: &[Material], kid: Option<&Template>) -> Option<Material> {
    let name = form.text("keyRef")?;
    let at: Spot = form.at("keyRef");
    if !views.is_empty() || kid.is_some() {
        let message = "A ring stands instead of key material and KID, and both are given.";
        form.told().refuse("key.mismatch", &at, message, "Keep one of them.");
    }
    if name.is_empty() || name.contains('/') {
        form.told().tell(Severity::Error, "value_illegal", &at, "`keyRef` is the name of a key ring.", "");
    }
    Some(Material::Ring(name.into()))
}
