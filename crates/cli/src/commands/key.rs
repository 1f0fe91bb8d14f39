//! Keys that are handed to a command: read in whatever form they have, bound to an algorithm.

use jose::PrivateJwk;
use jose::jwa::{KeyAlgorithm, KeyShape, SignatureAlgorithm, SignatureFamily, Switches};
use jose::jwk::{Jwk, JwkSet};
use zeroize::Zeroizing;

use crate::args::keys::ReadingArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::{Inputs, KeyArgument, SwitchArgument};
use crate::voice::Voice;

/// How the octets of a key are to be taken.
pub(super) struct Reading<'a> {
    /// What was said about passphrases and secrets.
    pub(super) arguments: &'a ReadingArguments,
    /// Which key of a JWK Set is meant.
    pub(super) kid: Option<&'a str>,
    /// Under an HMAC algorithm, octets that are no JWK are the secret itself.
    pub(super) algorithm: Option<&'a SignatureAlgorithm>,
}

/// Reads the one key that is meant.
pub(super) fn read(inputs: &Inputs, from: &KeyArgument, how: &Reading<'_>) -> Result<Jwk, Failure> {
    let octets = inputs.key(from)?;
    let at = |error| unreadable(from, &octets, error);
    if JwkSet::is_in(&octets) {
        return JwkSet::pick(&octets, how.kid).map_err(at);
    }
    one(inputs, &octets, how)?.map_err(at)
}

/// Reads a key of encryption. Under an algorithm of symmetric keys, octets that are no JWK are the key itself.
pub(super) fn read_for_encryption(
    from: &KeyArgument,
    algorithm: Option<&KeyAlgorithm>,
    inputs: &Inputs,
) -> Result<Jwk, Failure> {
    let symmetric = algorithm.is_some_and(|row| matches!(row.key, KeyShape::OctExact(_) | KeyShape::OctCek));
    let octets = inputs.key(from)?;
    let jwk = match (JwkSet::is_in(&octets), symmetric && !is_json(&octets)) {
        (true, _) => JwkSet::pick(&octets, None),
        (false, true) => PrivateJwk::from_octets(&octets).map(Jwk::Private),
        (false, false) => Jwk::import(&octets),
    };
    jwk.map_err(|error| unreadable(from, &octets, error))
}

/// Reads every key of a set, or the one key of any other form; each is refused by itself.
pub(super) fn read_each(
    inputs: &Inputs,
    from: &KeyArgument,
    how: &Reading<'_>,
) -> Result<Vec<Result<Jwk, Failure>>, Failure> {
    let octets = inputs.key(from)?;
    let at = |error| unreadable(from, &octets, error);
    if JwkSet::is_in(&octets) && how.kid.is_none() {
        let keys = JwkSet::each(&octets).map_err(at)?.into_iter().enumerate();
        let named = |(index, key): (usize, Result<Jwk, jose::Error>)| {
            key.map_err(|error| refused(&error).at(format!("{from}, key {index} of the set")))
        };
        return Ok(keys.map(named).collect());
    }
    if JwkSet::is_in(&octets) {
        return Ok(vec![JwkSet::pick(&octets, how.kid).map_err(at)]);
    }
    Ok(vec![one(inputs, &octets, how)?.map_err(at)])
}

/// The row of signatures that a key names by its own `alg`.
pub(super) fn own_algorithm(jwk: &Jwk) -> Result<Option<&'static SignatureAlgorithm>, Failure> {
    jwk.alg().map(SignatureAlgorithm::by_name).transpose().map_err(|error| refused(&error))
}

/// The row of key management that a key names by its own `alg`.
pub(super) fn own_key_algorithm(jwk: &Jwk) -> Result<Option<&'static KeyAlgorithm>, Failure> {
    jwk.alg().map(KeyAlgorithm::by_name).transpose().map_err(|error| refused(&error))
}

/// The switches that the command line throws.
pub(super) fn switches(allowed: &[SwitchArgument]) -> Switches {
    allowed.iter().fold(Switches::NONE, |switches, switch| switches.with(switch.0))
}

/// Warns of every switch without which a key would have been refused.
pub(super) fn warn_of(acted: Switches, voice: Voice) {
    for switch in acted.iter() {
        voice.warn(format!("{switch} acted: without it this key or algorithm would have been refused"));
    }
}

/// A key that cannot be used.
pub(super) fn refused(error: &jose::Error) -> Failure {
    Failure::new(ExitCode::Unreadable, error.code(), error)
}

/// A passphrase, without one final newline.
pub(super) fn passphrase(inputs: &Inputs, from: &KeyArgument) -> Result<Zeroizing<String>, Failure> {
    let octets = inputs.key(from)?;
    let text = octets.strip_suffix(b"\n").unwrap_or(&octets);
    match std::str::from_utf8(text) {
        Ok("") => Err(Failure::new(ExitCode::Unreadable, "unreadable", format!("{from}: the passphrase is empty"))),
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::new(ExitCode::Unreadable, "unreadable", format!("{from}: the passphrase is not UTF-8"))),
    }
}

/// The outer failure is that of a passphrase that is not there.
fn one(inputs: &Inputs, octets: &[u8], how: &Reading<'_>) -> Result<Result<Jwk, jose::Error>, Failure> {
    let secret = octets.strip_suffix(b"\n").unwrap_or(octets);
    if let Some(form) = how.arguments.secret {
        return Ok(PrivateJwk::from_secret(secret, form.into()).map(Jwk::Private));
    }
    if let Some(from) = &how.arguments.passphrase {
        return Ok(Jwk::import_encrypted(octets, &passphrase(inputs, from)?));
    }
    let hmac = how.algorithm.is_some_and(|row| matches!(row.family, SignatureFamily::Hmac(_)));
    if hmac && !is_json(octets) {
        return Ok(PrivateJwk::from_octets(secret).map(Jwk::Private));
    }
    Ok(Jwk::import(octets))
}

fn is_json(octets: &[u8]) -> bool {
    octets.trim_ascii_start().starts_with(b"{")
}

/// Names the file, and for broken JSON the place in it.
fn unreadable(from: &KeyArgument, octets: &[u8], error: jose::Error) -> Failure {
    let told = refused(&error).hint(hint(&error));
    if let jose::Error::Malformed { json: Some(json), .. } = &error {
        return told.at(format!("{from}, {}", json.position(octets)));
    }
    told.at(from)
}

fn hint(error: &jose::Error) -> &'static str {
    if let jose::Error::KeyInvalid { member, .. } = error
        && matches!(&**member, "DER" | "PEM")
    {
        return "A key is a JWK, JWK Set, PEM or DER; encrypted ones and PKCS#12 need --passphrase, a bare secret --secret.";
    }
    match error.code() {
        "unsupported" if error.to_string().contains("passphrase") => "Say where it is with --passphrase.",
        "no_key" => "--kid names it; a key without such a flag must be alone in its file.",
        _ => "",
    }
}
