//! The layers of a token that is verified: signed, or encrypted around that; compact or JSON.

use jose::jwa::{KeyAlgorithm, KeyFamily, Switches};
use jose::jwe::Decrypter;
use jose::jwk::Jwk;
use jose::jws::{Keys, Quorum, Verified, Verifier};
use jose::jwt::NestedReader;
use jose::{DecryptionKey, Error};
use signer::RandomPool;

use crate::args::verify::VerifyArguments;
use crate::commands::key;
use crate::exit::{ExitCode, Failure};
use crate::input::{Inputs, KeyArgument};
use crate::voice::Voice;

/// Opens encrypted tokens with one key, under one algorithm each.
pub(super) struct Opener(Vec<(Decrypter, DecryptionKey)>);

/// Verifies a token that is signed and nothing else.
pub(super) fn signed(token: &str, verifier: &Verifier, keys: Keys<'_>) -> Result<Verified, Error> {
    if !is_json(token) {
        if token.bytes().filter(|octet| *octet == b'.').count() == 4 {
            return Err(Error::Nesting { why: "the token is encrypted, and no --decrypt-key opens it" });
        }
        return verifier.verify(token, keys);
    }
    let report = verifier.verify_json(token, keys)?;
    let payload = report.payload(Quorum::Any)?.to_vec();
    let mut held = report.signatures.into_iter().filter_map(|signature| signature.outcome.ok());
    let held = held.next().expect("the payload is given only when a signature holds");
    Ok(Verified { header: held.header, payload, key_index: held.key_index })
}

impl Opener {
    /// The decryption key that is named, if one is.
    pub(super) fn read(arguments: &VerifyArguments, inputs: &Inputs, voice: Voice) -> Result<Option<Self>, Failure> {
        let Some(from) = &arguments.decrypt_key else { return Ok(None) };
        let switches = key::switches(&arguments.allow);
        let keys = decryption_keys(from, &arguments.key_alg, switches, inputs)?;
        keys.iter().for_each(|key| key::warn_of(key.acted(), voice));
        let with_reader = |key: DecryptionKey| Ok((Decrypter::new(&[key.algorithm()], &arguments.enc)?, key));
        let readers = keys.into_iter().map(with_reader).collect::<Result<_, _>>();
        readers.map(|readers| Some(Self(readers))).map_err(|error| key::refused(&error))
    }

    /// Decrypts, then verifies; a token that is only signed is refused.
    pub(super) fn verify(&self, token: &str, verifier: &Verifier, keys: Keys<'_>) -> Result<Verified, Error> {
        let mut refusal = Error::CannotDecrypt;
        for (decrypter, key) in &self.0 {
            let reader = NestedReader::new(decrypter.clone(), verifier.clone());
            let random = &mut RandomPool::new();
            let opened = if is_json(token) {
                reader.read_json(token, key, keys, random)
            } else {
                reader.read(token, key, keys, random)
            };
            match opened {
                Err(error @ Error::NotAllowed { .. }) => refusal = error,
                outcome => return outcome.map(|opened| opened.inner),
            }
        }
        Err(refusal)
    }
}

/// The key bound to each algorithm that was named, or to the one that it names itself.
fn decryption_keys(
    from: &KeyArgument,
    named: &[&'static KeyAlgorithm],
    switches: Switches,
    inputs: &Inputs,
) -> Result<Vec<DecryptionKey>, Failure> {
    let bound = |key: Result<DecryptionKey, Error>| key.map_err(|error| key::refused(&error).at(from));
    if named.iter().any(|row| matches!(row.family, KeyFamily::Pbes2(..))) {
        let password = key::passphrase(inputs, from)?;
        let bind =
            |row: &&'static KeyAlgorithm| bound(DecryptionKey::from_password(row, password.as_bytes(), switches));
        return named.iter().map(bind).collect();
    }
    let jwk = key::read_for_encryption(from, named.first().copied(), inputs)?;
    let rows = match (named, key::own_key_algorithm(&jwk)?) {
        ([], Some(own)) => vec![own],
        ([], None) => {
            let fitting = KeyAlgorithm::ALL.iter().filter(|row| row.key.takes(jwk.shape())).map(|row| row.name);
            let fitting: Vec<_> = fitting.collect();
            return Err(Failure::usage(format!(
                "{from} does not say which algorithm it is for, and --key-alg is not given"
            ))
            .hint(format!("This key fits {}; name those that may have encrypted.", fitting.join(", "))));
        }
        (named, _) => named.to_vec(),
    };
    let Jwk::Private(jwk) = jwk else {
        return Err(Failure::new(
            ExitCode::Unreadable,
            "key_invalid",
            "the key is public, and only a private one decrypts",
        )
        .at(from));
    };
    rows.into_iter().map(|row| bound(DecryptionKey::new(row, &jwk, switches))).collect()
}

fn is_json(token: &str) -> bool {
    token.starts_with('{')
}
