//! `verify`: whether a token holds, and what it then says.

mod layers;

use std::path::Path;

use jose::VerifyingKey;
use jose::json::{Object, Value, write_text, write_value};
use jose::jwa::{KeyShape, SignatureAlgorithm, SignatureFamily, Switch, Switches};
use jose::jwk::{Jwk, JwkSet, PublicJwk};
use jose::jws::{Keys, Verified, Verifier};
use jose::jwt::{Leeway, NumericDate, Policy};
use server::rings::VERIFY_COMMAND;

use self::layers::Opener;
use super::found_ring::FoundRing;
use super::key::{self, Reading};
use super::keys;
use crate::args::rings::RingArgument;
use crate::args::verify::VerifyArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::{Inputs, KeyArgument, read_file};
use crate::voice::Voice;

/// The most octets of a JWK Set (security contract, section 5).
const JWKS_BYTES_MAX: u64 = 256 * 1024;

pub(super) fn run(
    arguments: &VerifyArguments,
    folder: &Path,
    now_secs: i64,
    voice: Voice,
) -> Result<ExitCode, Failure> {
    let inputs = Inputs::default();
    let keys = Candidates::read(arguments, folder, &inputs)?;
    let opener = Opener::read(arguments, &inputs, voice)?;
    let policy = policy(arguments)?;
    let token = inputs.token(&arguments.token)?;
    for key in &keys.keys {
        key::warn_of(key.acted(), voice);
    }
    let now = NumericDate::from_secs_and_nanos(u64::try_from(now_secs).unwrap_or(0), 0);
    let verified = keys.verify(|verifier, keys| match &opener {
        Some(opener) => opener.verify(&token, &verifier, keys),
        None => layers::signed(&token, &verifier, keys),
    });
    let outcome = verified.and_then(|verified| {
        let claims = policy.validate(verified.header.typ(), &verified.payload, now)?;
        Ok((verified, claims))
    });
    match outcome {
        Ok((verified, claims)) => tell(&verified, claims, voice),
        Err(error) if voice.is_json() => {
            let refusal = serde_json::json!({ "valid": false, "code": error.code(), "message": error.to_string() });
            voice.result(refusal.to_string())?;
            Ok(ExitCode::Refused)
        }
        Err(error) => Err(Failure::new(ExitCode::Refused, error.code(), error)),
    }
}

/// The keys that may have signed, each bound to one algorithm.
struct Candidates {
    keys: Vec<VerifyingKey>,
    /// Whether the token's `kid` chooses among them; one key that was named is tried whatever the token says.
    chosen_by_kid: bool,
}

impl Candidates {
    fn read(arguments: &VerifyArguments, folder: &Path, inputs: &Inputs) -> Result<Self, Failure> {
        let named = &arguments.alg;
        let switches = key::switches(&arguments.allow);
        match (&arguments.key, &arguments.jwks) {
            (Some(KeyArgument::Ring(name)), _) => {
                let ring = FoundRing::open(folder, name)?;
                let rows = if named.is_empty() { vec![ring.algorithm()] } else { named.clone() };
                if matches!(ring.algorithm().family, SignatureFamily::Hmac(_)) {
                    drop(ring);
                    return Self::of_secrets(name, &rows, folder);
                }
                Self::of_set(&ring.public()?, &rows, switches)
            }
            (Some(from), _) => {
                let how = Reading { arguments: &arguments.reading, kid: None, algorithm: named.first().copied() };
                let jwk = key::read(inputs, from, &how)?;
                let keys = rows(&jwk, named)?.into_iter().map(|row| bind(row, &jwk, switches));
                Ok(Self { keys: usable(keys)?, chosen_by_kid: false })
            }
            (None, Some(path)) => {
                let set = JwkSet::parse(&read_file(path, JWKS_BYTES_MAX)?).map_err(|error| key::refused(&error))?;
                Self::of_set(&set, named, switches)
            }
            (None, None) => Err(Failure::usage("name the key that must have signed: --key or --jwks")),
        }
    }

    fn of_set(set: &JwkSet, named: &[&'static SignatureAlgorithm], switches: Switches) -> Result<Self, Failure> {
        let pairs = set
            .keys
            .iter()
            .flat_map(|jwk| rows_of_public(jwk, named).into_iter().map(|row| VerifyingKey::new(row, jwk, switches)));
        Ok(Self { keys: usable(pairs)?, chosen_by_kid: true })
    }

    /// Of a ring that publishes nothing: its secrets are read, which is audited.
    fn of_secrets(ring: &str, rows: &[&'static SignatureAlgorithm], folder: &Path) -> Result<Self, Failure> {
        let secrets = keys::read::secrets(&RingArgument::from(ring), VERIFY_COMMAND, folder)?;
        let switches = Switches::NONE.with(Switch::WeakHmac);
        let pairs = secrets.iter().flat_map(|jwk| rows.iter().map(|row| bind(row, jwk, switches)));
        Ok(Self { keys: usable(pairs)?, chosen_by_kid: true })
    }

    fn verify(
        &self,
        read: impl Fn(Verifier, Keys<'_>) -> Result<Verified, jose::Error>,
    ) -> Result<Verified, jose::Error> {
        if self.chosen_by_kid {
            let rows: Vec<_> = self.keys.iter().map(VerifyingKey::algorithm).collect();
            return read(Verifier::new(&rows)?, Keys::Set(&self.keys));
        }
        let mut refusal = jose::Error::NoKey { why: "no key was given".into() };
        for key in &self.keys {
            match read(Verifier::new(&[key.algorithm()])?, Keys::One(key)) {
                Err(error @ jose::Error::NotAllowed { .. }) => refusal = error,
                outcome => return outcome,
            }
        }
        Err(refusal)
    }
}

/// Those that fit; if none does, why the first does not.
fn usable(keys: impl Iterator<Item = Result<VerifyingKey, jose::Error>>) -> Result<Vec<VerifyingKey>, Failure> {
    let (keys, refusals): (Vec<_>, Vec<_>) = keys.partition(Result::is_ok);
    if let (true, Some(Err(error))) = (keys.is_empty(), refusals.into_iter().next()) {
        return Err(key::refused(&error));
    }
    Ok(keys.into_iter().flatten().collect())
}

fn bind(row: &'static SignatureAlgorithm, jwk: &Jwk, switches: Switches) -> Result<VerifyingKey, jose::Error> {
    match jwk {
        Jwk::Public(jwk) => VerifyingKey::new(row, jwk, switches),
        Jwk::Private(jwk) => VerifyingKey::from_private(row, jwk, switches),
    }
}

/// The rows to go by: those that were named, else the one that the key names.
fn rows(jwk: &Jwk, named: &[&'static SignatureAlgorithm]) -> Result<Vec<&'static SignatureAlgorithm>, Failure> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    match key::own_algorithm(jwk)? {
        Some(row) => Ok(vec![row]),
        None => Err(Failure::usage("the key does not say which algorithm it is for, and --alg is not given")
            .hint(format!("This key fits {}; name those that may have signed.", fitting(jwk.shape()).join(", ")))),
    }
}

fn rows_of_public(jwk: &PublicJwk, named: &[&'static SignatureAlgorithm]) -> Vec<&'static SignatureAlgorithm> {
    let own = jwk.parameters.alg.as_deref().and_then(|name| SignatureAlgorithm::by_name(name).ok());
    if named.is_empty() { own.into_iter().collect() } else { named.to_vec() }
}

fn fitting(shape: KeyShape) -> Vec<&'static str> {
    let fits = SignatureAlgorithm::ALL.iter().filter(|row| row.key.takes(shape));
    fits.map(|row| row.name).collect()
}

fn policy(arguments: &VerifyArguments) -> Result<Policy, Failure> {
    let secs = |duration: Option<crate::time::DurationArgument>| duration.map(|it| it.secs.unsigned_abs());
    Ok(Policy {
        issuers: arguments.iss.iter().cloned().collect(),
        audiences: arguments.aud.iter().cloned().collect(),
        subject: arguments.sub.clone(),
        typ: arguments.typ.clone(),
        required: arguments.require.clone(),
        leeway: Leeway::from_secs(secs(arguments.leeway).unwrap_or(0)).map_err(Failure::usage)?,
        max_age_secs: secs(arguments.max_age),
        ..Policy::default()
    })
}

fn tell(verified: &Verified, claims: Object, voice: Voice) -> Result<ExitCode, Failure> {
    let mut out = Vec::new();
    if voice.is_json() {
        let mut answer = Object::new();
        answer.insert("valid".into(), Value::Bool(true));
        answer.insert("header".into(), Value::Object(verified.header.members().clone()));
        answer.insert("claims".into(), Value::Object(claims));
        write_value(&mut out, &Value::Object(answer));
    } else if voice.to_a_person() {
        write_a_member_a_line(&mut out, &claims);
    } else {
        write_value(&mut out, &Value::Object(claims));
    }
    voice.result(out)?;
    Ok(ExitCode::Done)
}

fn write_a_member_a_line(out: &mut Vec<u8>, claims: &Object) {
    let mut separator = "{\n  ";
    for (name, value) in claims.iter() {
        out.extend_from_slice(separator.as_bytes());
        write_text(out, name);
        out.extend_from_slice(b": ");
        write_value(out, value);
        separator = ",\n  ";
    }
    out.extend_from_slice(if claims.is_empty() { b"{}" } else { b"\n}" });
}
