//! What all tokens of one command have in common: key, algorithm, header, outer form.

use jose::jwa::SignatureAlgorithm;
use jose::jwk::{Jwk, KeyParameters};
use jose::{KeyKind, PrivateJwk, Random, SigningKey};
use plan::{HeaderMember, KeySource, Lifetime, Map, TokenPlan, Value};
use server::mint::{Envelope, Mint, MintError};
use signer::{Keeper, RandomPool, Software};

use super::claims::{Claims, split};
use super::recipient;
use crate::args::mint::MintArguments;
use crate::commands::key::{self, Reading};
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

/// The name of the one key of this command.
const KEY_NAME: &str = "key";

/// Mints tokens that differ in their claims alone.
pub(super) struct Kind {
    /// The `kid` of the signing key.
    pub(super) kid: Option<String>,
    /// The row that signs.
    pub(super) algorithm: &'static SignatureAlgorithm,
    claims: Claims,
    mint: Mint,
    envelope: Envelope,
}

/// A token, and when it ends.
pub(super) struct Minted {
    /// As it was asked for: compact or JSON, encrypted or not.
    pub(super) token: String,
    /// `exp`, in seconds since 1970.
    pub(super) expiry: Option<i64>,
}

impl Kind {
    /// Reads keys and claims, and warns of every switch that acts.
    pub(super) fn read(arguments: &MintArguments, inputs: &Inputs, voice: Voice) -> Result<Self, Failure> {
        let (algorithm, jwk) = signing_key(arguments, inputs)?;
        let switches = key::switches(&arguments.allow);
        let key = SigningKey::new(algorithm, &jwk, switches).map_err(|error| key::refused(&error))?;
        key::warn_of(key.acted(), voice);
        let claims = Claims::read(arguments, inputs)?;
        let plan = TokenPlan {
            algorithm,
            switches,
            header: header(arguments)?,
            claims: Vec::new(),
            lifetime: Lifetime::Unbounded,
            key: KeySource::Given(KEY_NAME.into()),
        };
        let (keeper, _) = Keeper::ephemeral().map_err(|error| internal(&error))?;
        let signer = Software::new(keeper, |_| None);
        signer.give_key(KEY_NAME.to_owned(), Jwk::Private(jwk));
        let mint = Mint::new(&signer, plan).map_err(failed)?;
        let envelope = recipient::envelope(arguments, inputs, voice)?;
        if let (true, Some(public)) = (arguments.ephemeral, key.public()) {
            voice.say(format!("the key is thrown away now; its public half is\n{}", public.to_json()));
        }
        Ok(Self { kid: key.kid().map(str::to_owned), algorithm, claims, mint, envelope })
    }

    /// Mints one token. What `line` holds wins over what the flags say.
    pub(super) fn mint(&self, line: &Map, now_secs: i64, random: &mut dyn Random) -> Result<Minted, Failure> {
        let planned = self.claims.plan(line, now_secs, random)?;
        let now_epoch_ms = now_secs.saturating_mul(1_000);
        let signed = self.mint.mint(planned.claims, planned.lifetime, now_epoch_ms).map_err(failed)?;
        let token = self.envelope.close(signed, random).map_err(|error| key::refused(&error))?;
        Ok(Minted { token, expiry: planned.expiry })
    }
}

/// The key and the algorithm it signs with: handed in, or made for this token.
fn signing_key(
    arguments: &MintArguments,
    inputs: &Inputs,
) -> Result<(&'static SignatureAlgorithm, PrivateJwk), Failure> {
    let named = arguments.alg;
    let jwk = match (&arguments.key, named) {
        (Some(from), _) => {
            let how = Reading { arguments: &arguments.reading, kid: arguments.kid.as_deref(), algorithm: named };
            key::read(inputs, from, &how)?
        }
        (None, Some(row)) if arguments.ephemeral => {
            let made = PrivateJwk::generate(KeyKind::for_signature(row), &mut RandomPool::new());
            made.map(Jwk::Private).map_err(|error| key::refused(&error))?
        }
        (None, _) => {
            return Err(Failure::new(
                ExitCode::Missing,
                "key_missing",
                "no key is named, and there is no store to take one from",
            )
            .hint(
                "Name one with --key FILE, or try --ephemeral --alg ES256 for a key that is made now and thrown away.",
            ));
        }
    };
    let algorithm = named
        .or(key::own_algorithm(&jwk)?)
        .or_else(|| SignatureAlgorithm::default_for(jwk.shape()))
        .ok_or_else(|| Failure::usage("the key does not say which algorithm it is for, and --alg is not given"))?;
    Ok((algorithm, with_kid(private(jwk)?, arguments.kid.as_deref())?))
}

fn private(jwk: Jwk) -> Result<PrivateJwk, Failure> {
    match jwk {
        Jwk::Private(jwk) => Ok(jwk),
        Jwk::Public(_) => {
            Err(Failure::new(ExitCode::Unreadable, "key_invalid", "the key is public, and only a private one signs"))
        }
    }
}

/// The key under the `kid` that was asked for, else its own, else one that its kind gives it.
fn with_kid(mut jwk: PrivateJwk, kid: Option<&str>) -> Result<PrivateJwk, Failure> {
    if let Some(kid) = kid {
        let parameters = KeyParameters { kid: Some(kid.to_owned()), ..jwk.parameters().clone() };
        return Ok(jwk.with_parameters(parameters));
    }
    if jwk.public().is_some() {
        jwk.ensure_kid(&mut RandomPool::new()).map_err(|error| key::refused(&error))?;
    }
    Ok(jwk)
}

/// The header: `alg`, `typ`, `kid`, then the others as given.
fn header(arguments: &MintArguments) -> Result<Vec<HeaderMember>, Failure> {
    let mut members = vec![HeaderMember::Algorithm];
    if !arguments.typ.is_empty() {
        members.push(HeaderMember::Type(arguments.typ.as_str().into()));
    }
    members.push(HeaderMember::KeyId);
    for text in &arguments.header {
        let (name, value) = split(text, "--header")?;
        members.push(HeaderMember::Constant(name.into(), Value::text(value)));
    }
    Ok(members)
}

fn failed(error: MintError) -> Failure {
    match error {
        MintError::Header(_) => Failure::usage(&error).hint("alg, kid and typ have flags of their own."),
        MintError::Key(_) => Failure::new(ExitCode::Unreadable, "key_invalid", &error),
        MintError::Claims(_) => Failure::new(ExitCode::Unreadable, "claims_invalid", &error),
        MintError::Internal(_) => internal(&error),
    }
}

fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Internal, "internal", error)
}
