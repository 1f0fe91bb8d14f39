//! Keys that a script's own text or message holds: read, described, and used by the rows of `jose`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use jose::jwa::{SignatureAlgorithm, Switch, Switches};
use jose::jwk::{Jwk, PublicJwk, PublicKey};
use jose::{Error, KeyForm, PrivateJwk, SigningKey, VerifyingKey};
use rquickjs::{Ctx, Exception, Object, Result, TypedArray};
use zeroize::Zeroizing;

use super::crypto::octets;
use super::desk::Desk;
use super::host::give;

/// Keys that stay parsed, the least recently used leaving first.
const PARSED_MAX: usize = 8;
/// A secret of any length keys an HMAC, as hosts of scripts have it.
const SWITCHES: Switches = Switches::NONE.with(Switch::WeakHmac);

/// The keys that a script used last, bound to their algorithms.
#[derive(Default)]
pub(super) struct Keys {
    signing: Parsed<SigningKey>,
    verifying: Parsed<VerifyingKey>,
}

struct Parsed<K>(RefCell<VecDeque<Entry<K>>>);

struct Entry<K> {
    algorithm: &'static SignatureAlgorithm,
    octets: Zeroizing<Vec<u8>>,
    key: Rc<K>,
}

impl<K> Default for Parsed<K> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K> Parsed<K> {
    /// The key of these octets for that algorithm, parsed if it is not known yet.
    fn get(
        &self,
        algorithm: &str,
        octets: &[u8],
        parse: impl FnOnce(&'static SignatureAlgorithm) -> std::result::Result<K, Error>,
    ) -> std::result::Result<Rc<K>, Error> {
        let algorithm = SignatureAlgorithm::by_name(algorithm)?;
        let mut parsed = self.0.borrow_mut();
        let is_this = |entry: &Entry<K>| entry.algorithm == algorithm && **entry.octets == *octets;
        let known = parsed.iter().position(is_this);
        let entry = match known.and_then(|at| parsed.remove(at)) {
            Some(entry) => entry,
            None => Entry { algorithm, octets: Zeroizing::new(octets.to_vec()), key: Rc::new(parse(algorithm)?) },
        };
        let key = entry.key.clone();
        parsed.push_front(entry);
        parsed.truncate(PARSED_MAX);
        Ok(key)
    }
}

/// `key`: what the octets in that form (`pem`, `der`, `jwk`) are, undefined if they are no key:
/// `{private, type, bits, curve, der, publicDer}`. `keyJwk`: a key in DER as the text of a JWK. `keyDer`: a key in DER in
/// another form. `sign`, `verify`: by an algorithm of the registry, with a key in DER or the octets of a secret.
pub(super) fn give<'js>(desk: &Rc<Desk>, host: &Object<'js>) -> Result<()> {
    give!(host, desk: "key" |ctx, form: String, key: TypedArray<'js, u8>, passphrase: Option<String>| {
        read(&form, &octets(&key), passphrase.as_deref()).map(|key| describe(desk, ctx, &key)).transpose()
    });
    give!(host, desk: "keyJwk" |ctx, key: TypedArray<'js, u8>| {
        let _ = desk;
        Jwk::from_der(&octets(&key)).map(|key| jwk_text(&key)).map_err(|error| refused(ctx, &error))
    });
    give!(host, desk: "keyDer" |ctx, key: TypedArray<'js, u8>, form: String| {
        let der = Jwk::from_der(&octets(&key)).and_then(|key| in_form(&key, &form)).map_err(|error| refused(ctx, &error))?;
        desk.exchange(ctx, 0)?.octets(&der)
    });
    give!(host, desk: "sign" |ctx, algorithm: String, key: TypedArray<'js, u8>, data: TypedArray<'js, u8>| {
        let key = octets(&key);
        let key = desk.keys.signing.get(&algorithm, &key, |algorithm| SigningKey::new(algorithm, &private(algorithm, &key)?, SWITCHES));
        let mut signature = Vec::new();
        key.and_then(|key| key.sign(&octets(&data), &mut signature)).map_err(|error| refused(ctx, &error))?;
        desk.exchange(ctx, 0)?.octets(&signature)
    });
    give!(host, desk: "verify"
        |ctx, algorithm: String, key: TypedArray<'js, u8>, data: TypedArray<'js, u8>, signature: TypedArray<'js, u8>| {
        let key = octets(&key);
        let key = desk.keys.verifying.get(&algorithm, &key, |algorithm| verifying(algorithm, &key));
        let key = key.map_err(|error| refused(ctx, &error))?;
        Result::Ok(key.verify(&octets(&data), &octets(&signature)).is_ok())
    });
    Ok(())
}

fn refused(ctx: &Ctx<'_>, error: &Error) -> rquickjs::Error {
    Exception::throw_message(ctx, &error.to_string())
}

fn read(form: &str, octets: &[u8], passphrase: Option<&str>) -> Option<Jwk> {
    if let Some(passphrase) = passphrase
        && let Ok(key) = Jwk::import_encrypted(octets, passphrase)
    {
        return Some(key);
    }
    let key = match form {
        "pem" => Jwk::from_pem(octets),
        "der" => Jwk::from_der(octets),
        _ => Jwk::parse(octets),
    };
    // A symmetric JWK is octets, and octets are no key until somebody says so.
    key.ok().filter(|key| key.public().is_some())
}

fn describe<'js>(desk: &Desk, ctx: &Ctx<'js>, key: &Jwk) -> Result<Object<'js>> {
    let told = Object::new(ctx.clone())?;
    let exchange = desk.exchange(ctx, 0)?;
    let public = key.public();
    let (kind, bits, curve) = match public.as_ref().map(|public| &public.key) {
        Some(PublicKey::Rsa(key)) => ("rsa", Some(key.bits() as u32), None),
        Some(PublicKey::Ec(key)) => ("ec", None, Some(key.curve().name())),
        Some(PublicKey::Okp(key)) => ("okp", None, Some(key.curve().name())),
        Some(PublicKey::Akp { .. }) | None => ("akp", None, None),
    };
    told.set("private", matches!(key, Jwk::Private(_)))?;
    told.set("type", kind)?;
    told.set("bits", bits)?;
    told.set("curve", curve)?;
    let own = if matches!(key, Jwk::Private(_)) { "pkcs8" } else { "spki" };
    told.set("der", exchange.octets(&in_form(key, own).map_err(|error| refused(ctx, &error))?)?)?;
    let public = in_form(key, "spki").map_err(|error| refused(ctx, &error))?;
    told.set("publicDer", exchange.octets(&public)?)?;
    Ok(told)
}

/// The key in DER: `pkcs8` and `sec1` are private, `spki` is public, `pkcs1` is what the key is.
fn in_form(key: &Jwk, form: &str) -> std::result::Result<Zeroizing<Vec<u8>>, Error> {
    let named = match form {
        "pkcs8" => KeyForm::Pkcs8,
        "sec1" => KeyForm::Sec1,
        "spki" => KeyForm::Spki,
        _ => KeyForm::Pkcs1,
    };
    match (key, key.public()) {
        (Jwk::Private(key), _) if named != KeyForm::Spki => key.to_der(named),
        (_, Some(public)) => public.to_der(named).map(Zeroizing::new),
        (Jwk::Private(_) | Jwk::Public(_), None) => {
            Err(Error::KeyUnfit { why: "a symmetric key has no such form".into() })
        }
    }
}

fn jwk_text(key: &Jwk) -> String {
    match key {
        Jwk::Public(key) => PublicJwk::new(key.key.clone()).to_json(),
        Jwk::Private(key) => {
            let mut text = Vec::new();
            key.write_private(&mut text);
            String::from_utf8(text).expect("a JWK is written as UTF-8")
        }
    }
}

/// For HMAC the octets are the secret; every other algorithm takes a key in DER.
fn private(algorithm: &SignatureAlgorithm, octets: &[u8]) -> std::result::Result<PrivateJwk, Error> {
    if algorithm.name.starts_with("HS") {
        return PrivateJwk::from_octets(octets);
    }
    match Jwk::from_der(octets)? {
        Jwk::Private(key) => Ok(key),
        Jwk::Public(_) => Err(Error::KeyUnfit { why: "a public key cannot sign".into() }),
    }
}

fn verifying(algorithm: &'static SignatureAlgorithm, octets: &[u8]) -> std::result::Result<VerifyingKey, Error> {
    if algorithm.name.starts_with("HS") {
        return VerifyingKey::from_private(algorithm, &PrivateJwk::from_octets(octets)?, SWITCHES);
    }
    match Jwk::from_der(octets)? {
        Jwk::Public(key) => VerifyingKey::new(algorithm, &key, SWITCHES),
        Jwk::Private(key) => VerifyingKey::from_private(algorithm, &key, SWITCHES),
    }
}
