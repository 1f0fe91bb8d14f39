//! Keys that are handed to a command: read, told apart, bound to an algorithm.

use jose::PrivateJwk;
use jose::jwa::{SignatureAlgorithm, SignatureFamily, Switches};
use jose::jwk::Jwk;

use crate::exit::{ExitCode, Failure};
use crate::input::{Inputs, KeyArgument, SwitchArgument};
use crate::voice::Voice;

/// Reads a key. Under an HMAC algorithm, octets that are no JWK are the secret itself, without one final newline.
pub(super) fn read(
    inputs: &Inputs,
    from: &KeyArgument,
    algorithm: Option<&SignatureAlgorithm>,
) -> Result<Jwk, Failure> {
    let octets = inputs.key(from)?;
    let hmac = algorithm.is_some_and(|row| matches!(row.family, SignatureFamily::Hmac(_)));
    if hmac && !octets.trim_ascii_start().starts_with(b"{") {
        let secret = octets.strip_suffix(b"\n").unwrap_or(&octets);
        return PrivateJwk::from_octets(secret).map(Jwk::Private).map_err(refused);
    }
    Jwk::import(&octets).map_err(|error| {
        refused(error).hint("A key is a JWK, PEM or DER; an HMAC secret needs --alg HS256, HS384 or HS512.")
    })
}

/// The row of an algorithm's name, permitted by these switches.
pub(super) fn algorithm(name: &str) -> Result<&'static SignatureAlgorithm, Failure> {
    SignatureAlgorithm::by_name(name).map_err(|error| {
        let names: Vec<_> = SignatureAlgorithm::ALL.iter().map(|row| row.name).collect();
        Failure::usage(error).hint(format!("The names are {}.", names.join(", ")))
    })
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
pub(super) fn refused(error: jose::Error) -> Failure {
    Failure::new(ExitCode::Unreadable, error.code(), error)
}
