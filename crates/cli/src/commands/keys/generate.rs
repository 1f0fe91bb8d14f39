//! `keys generate`: a new key of every kind.

use jose::jwa::{EcCurve, KeyAlgorithm, KeyShape, OkpCurve};
use jose::jwk::{Jwk, KeyParameters};
use jose::{KeyKind, PrivateJwk, RsaBits};
use signer::RandomPool;
use zeroize::Zeroizing;

use super::written::{self, Destination};
use crate::args::keys::{BitsArgument, CurveArgument, GenerateArguments};
use crate::args::names::Purpose;
use crate::commands::key::{refused, switches};
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(arguments: &GenerateArguments, voice: Voice) -> Result<ExitCode, Failure> {
    let inputs = Inputs::default();
    let destination =
        Destination::new(arguments.form, &arguments.file, Some(&arguments.private), &inputs)?.for_private(voice)?;
    let kind = kind(arguments)?;
    if matches!(kind, KeyKind::Oct(_)) {
        destination.needs_json("a symmetric key")?;
    }
    let (name, use_) = match arguments.alg {
        Purpose::Sign(row) => (row.name, "sig"),
        Purpose::Encrypt(row) => (row.name, "enc"),
    };
    let parameters = KeyParameters {
        kid: arguments.kid.clone(),
        alg: Some(name.to_owned()),
        use_: Some(use_.to_owned()),
        ..KeyParameters::default()
    };
    let random = &mut RandomPool::new();
    let made = PrivateJwk::generate(kind, random).map_err(|error| refused(&error))?;
    let mut jwk = made.with_parameters(parameters);
    jwk.ensure_kid(random).map_err(|error| refused(&error))?;
    check_import(&jwk)?;
    written::write(&[Jwk::Private(jwk)], &destination, voice)
}

/// A key that its own reader refuses never leaves; what was typed can only have spoilt the `kid`.
fn check_import(jwk: &PrivateJwk) -> Result<(), Failure> {
    let mut written = Zeroizing::new(Vec::new());
    jwk.write_private(&mut written);
    Jwk::parse(&written).map(drop).map_err(Failure::usage)
}

fn kind(arguments: &GenerateArguments) -> Result<KeyKind, Failure> {
    let switches = switches(&arguments.allow);
    let kind = match arguments.alg {
        Purpose::Sign(row) => row.permit(switches).map(|()| Some(KeyKind::for_signature(row))),
        Purpose::Encrypt(row) => row.permit(switches).map(|()| for_encryption(row, arguments)),
    };
    let kind = kind.map_err(Failure::usage)?;
    let kind = kind.ok_or_else(|| {
        Failure::usage("PBES2 takes a password and no key").hint("Any text of your own is one; nothing needs making.")
    })?;
    Ok(match kind {
        KeyKind::Rsa(_) => KeyKind::Rsa(bits(arguments.bits)),
        KeyKind::Oct(_) | KeyKind::Ec(_) | KeyKind::Okp(_) | KeyKind::Akp(_) => kind,
    })
}

fn for_encryption(row: &KeyAlgorithm, arguments: &GenerateArguments) -> Option<KeyKind> {
    if row.key != KeyShape::Agreement {
        return KeyKind::for_encryption(row, arguments.enc);
    }
    Some(match arguments.crv {
        CurveArgument::P256 => KeyKind::Ec(EcCurve::P256),
        CurveArgument::P384 => KeyKind::Ec(EcCurve::P384),
        CurveArgument::P521 => KeyKind::Ec(EcCurve::P521),
        CurveArgument::X25519 => KeyKind::Okp(OkpCurve::X25519),
    })
}

fn bits(bits: BitsArgument) -> RsaBits {
    match bits {
        BitsArgument::Bits2048 => RsaBits::Bits2048,
        BitsArgument::Bits3072 => RsaBits::Bits3072,
        BitsArgument::Bits4096 => RsaBits::Bits4096,
        BitsArgument::Bits8192 => RsaBits::Bits8192,
    }
}
