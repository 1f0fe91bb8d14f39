//! Key material that stands in the document, held against its configuration before anything is deployed.

use jose::jwa::{ContentEncryption, KeyAlgorithm, KeyFamily, KeyShape, SignatureAlgorithm, Switches};
use jose::jwk::{Jwk, PublicKey};
use jose::{DecryptionKey, EncryptionKey, Error, PrivateJwk, RsaBits, SecretForm, SigningKey, VerifyingKey};
use plan::{KeyForm, Severity};

use super::form::{Spot, Told};
use super::layers::Layer;
use super::material::Material;

/// Why material is refused: a code of section 5, and the sentence behind the block's name.
type Refused = (&'static str, String);

/// Tells what of the layer's inline material cannot be right.
pub(super) fn check(layer: &Layer, at: &Spot, told: &Told) {
    let block = layer.block;
    let refuse =
        |(code, why): Refused| told.refuse(code, at, format!("{block}: {why}."), "Change the key or its settings.");
    let read = |material: &Material| material.inline().map(|text| parsed(material, text));
    let (key, also) = (read(&layer.key), layer.also.as_ref().and_then(read));
    let key = match key.transpose() {
        Ok(key) => key,
        Err(why) => return refuse(why),
    };
    match also.transpose() {
        Err(why) => return refuse(why),
        Ok(Some(also)) if key.as_ref().is_some_and(|key| !is_same(key, &also)) => {
            return refuse(("key.mismatch", "the key does not match its other view".to_owned()));
        }
        Ok(_) => {}
    }
    let Some(key) = key else { return };
    let fits = match (block, layer.opens) {
        ("signature", false) => signs(layer, &key),
        ("signature", true) => verifies(layer, &key).map(|()| None),
        (_, false) => encrypts(layer, &key).map(|()| None),
        (_, true) => decrypts(layer, &key).map(|()| None),
    };
    match fits.and_then(|weak| has_size(layer, &key).map(|()| weak)) {
        Err(why) => refuse(why),
        Ok(Some(warning)) => told.tell(Severity::Warning, "key.weak", at, warning, "Use a longer secret."),
        Ok(None) => {}
    }
}

fn parsed(material: &Material, text: &str) -> Result<Jwk, Refused> {
    let read = match material {
        Material::Sealed(_, KeyForm::Octets, _) => {
            PrivateJwk::from_secret(text.as_bytes(), SecretForm::AsIs).map(Jwk::Private)
        }
        Material::Sealed(..) | Material::Public(_) | Material::Ring(_) | Material::Template(..) => {
            Jwk::import(text.as_bytes())
        }
    };
    let key = read.map_err(|error| ("key.invalid", error.to_string()))?;
    if matches!((material, &key), (Material::Public(_), Jwk::Private(_))) {
        return Err(("key.invalid", "the key is private, where a public one belongs".to_owned()));
    }
    Ok(key)
}

/// Whether the key signs; a warning for a secret that is only allowed.
fn signs(layer: &Layer, key: &Jwk) -> Result<Option<String>, Refused> {
    let row = SignatureAlgorithm::by_name(layer.algorithm).map_err(refused)?;
    let Jwk::Private(private) = key else {
        return Err(("key.invalid", "a public key does not sign".to_owned()));
    };
    is_long_enough(layer, row, private)?;
    let signing = SigningKey::new(row, private, layer.switches()).map_err(refused)?;
    let is_weak = signing.acted() != Switches::NONE;
    Ok(is_weak.then(|| format!("The secret of the signature is shorter than the hash of {}.", row.name)))
}

fn verifies(layer: &Layer, key: &Jwk) -> Result<(), Refused> {
    let row = SignatureAlgorithm::by_name(layer.algorithm).map_err(refused)?;
    let made = match key {
        Jwk::Private(private) => {
            is_long_enough(layer, row, private)?;
            VerifyingKey::from_private(row, private, layer.switches())
        }
        Jwk::Public(public) => VerifyingKey::new(row, public, layer.switches()),
    };
    made.map(|_| ()).map_err(refused)
}

fn is_long_enough(layer: &Layer, row: &SignatureAlgorithm, key: &PrivateJwk) -> Result<(), Refused> {
    match (row.key, key.shape()) {
        (KeyShape::OctAtLeast(needed), KeyShape::OctExact(found)) if found < needed && !layer.allows_weak => {
            Err(("key.length", format!("{} needs {needed} octets, has {found}", row.name)))
        }
        (_, _) => Ok(()),
    }
}

fn encrypts(layer: &Layer, key: &Jwk) -> Result<(), Refused> {
    let row = KeyAlgorithm::by_name(layer.algorithm).map_err(refused)?;
    match key {
        Jwk::Private(private) => {
            has_length(layer, row, private)?;
            EncryptionKey::from_secret(row, private, Switches::NONE).map(|_| ()).map_err(refused)
        }
        Jwk::Public(public) => EncryptionKey::new(row, public, Switches::NONE).map(|_| ()).map_err(refused),
    }
}

fn decrypts(layer: &Layer, key: &Jwk) -> Result<(), Refused> {
    let row = KeyAlgorithm::by_name(layer.algorithm).map_err(refused)?;
    let Jwk::Private(private) = key else {
        return Err(("key.invalid", "a public key does not decrypt".to_owned()));
    };
    has_length(layer, row, private)?;
    DecryptionKey::new(row, private, Switches::NONE).map(|_| ()).map_err(refused)
}

/// A shared secret must have exactly the length that its algorithm asks for.
fn has_length(layer: &Layer, row: &KeyAlgorithm, key: &PrivateJwk) -> Result<(), Refused> {
    let content = ContentEncryption::by_name(layer.content.unwrap_or_default()).map_err(refused)?;
    let needed = match row.family {
        KeyFamily::AesKw(size) | KeyFamily::AesGcmKw(size) => size.octets(),
        KeyFamily::Direct => content.cek_octets,
        KeyFamily::Rsa1_5 | KeyFamily::RsaOaep(_) | KeyFamily::EcdhEs(_) | KeyFamily::Pbes2(..) => return Ok(()),
    };
    if let KeyShape::OctExact(found) = key.shape()
        && found != needed
    {
        return Err(("key.length", format!("{} needs {needed} octets, has {found}", row.name)));
    }
    Ok(())
}

fn has_size(layer: &Layer, key: &Jwk) -> Result<(), Refused> {
    let asked = match layer.rsa_bits {
        None => return Ok(()),
        Some(RsaBits::Bits2048) => 2_048,
        Some(RsaBits::Bits3072) => 3_072,
        Some(RsaBits::Bits4096) => 4_096,
        Some(RsaBits::Bits8192) => 8_192,
    };
    match key.public().as_ref().map(|public| &public.key) {
        Some(PublicKey::Rsa(rsa)) if rsa.bits() != asked => {
            Err(("key.mismatch", format!("the key of {} bits does not match the key size of {asked}", rsa.bits())))
        }
        Some(_) | None => Ok(()),
    }
}

fn is_same(one: &Jwk, other: &Jwk) -> bool {
    match (one.public(), other.public()) {
        (Some(one), Some(other)) => one.key == other.key,
        (None, None) => octets(one) == octets(other),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The secret as the text of a JWK without further members.
fn octets(key: &Jwk) -> Vec<u8> {
    let mut text = Vec::new();
    if let Jwk::Private(private) = key {
        private.write_private(&mut text);
    }
    let parsed = jose::json::Value::parse(&text, jose::json::Limits::REQUEST).ok();
    let k = parsed.as_ref().and_then(|parsed| parsed.as_object()?.get("k")?.as_text());
    k.unwrap_or_default().as_bytes().to_vec()
}

fn refused(error: Error) -> Refused {
    let code = if matches!(error, Error::KeyUnfit { .. }) { "key.mismatch" } else { "key.invalid" };
    (code, error.to_string())
}
