//! What all tokens of one command have in common: key, algorithm, header, outer form.

use std::path::Path;

use jose::jwa::SignatureAlgorithm;
use jose::jwk::{Jwk, KeyParameters};
use jose::{KeyKind, PrivateJwk, Random, SigningKey};
use plan::{ClaimPlan, HeaderMember, KeySource, Lifetime, Map, TokenPlan, Value, write_json};
use server::mint::{Envelope, Mint, MintError, RingMint};
use server::rings::RingRefusal;
use server::routes::ring_tokens::{ClaimWish, TokenWish};
use signer::{Keeper, RandomPool, Software};

use super::claims::{Claims, split};
use super::recipient;
use crate::args::mint::MintArguments;
use crate::commands::data;
use crate::commands::found_ring::{self, FoundRing, ServedRing, StoredRing};
use crate::commands::key::{self, Reading};
use crate::exit::{ExitCode, Failure};
use crate::input::{Inputs, KeyArgument};
use crate::voice::Voice;

/// The name of the one key of this command.
const KEY_NAME: &str = "key";

/// Mints tokens that differ in their claims alone.
pub(super) struct Kind {
    /// The row that signs.
    pub(super) algorithm: &'static SignatureAlgorithm,
    claims: Claims,
    signing: Signing,
    envelope: Envelope,
}

/// Who signs.
enum Signing {
    /// A key that was handed in, or made for this command, under its `kid`.
    Key(Box<Mint>, Option<String>),
    /// A ring of the store.
    Ring(Box<RingMint>),
    /// A ring of the server that has the store open, and the header that it writes.
    Served(Box<ServedRing>, String, Vec<(String, String)>),
}

/// A token, and what is said beside it.
pub(super) struct Minted {
    /// As it was asked for: compact or JSON, encrypted or not.
    pub(super) token: String,
    /// The `kid` of the key that signed.
    pub(super) kid: Option<String>,
    /// `exp`, in seconds since 1970.
    pub(super) expiry: Option<i64>,
    /// Whether a ring cut `exp` to what it allows.
    pub(super) exp_cut: bool,
}

impl Kind {
    /// Reads keys and claims, and warns of every switch that acts.
    pub(super) fn read(
        arguments: &MintArguments,
        folder: &Path,
        inputs: &Inputs,
        voice: Voice,
    ) -> Result<Self, Failure> {
        let (algorithm, signing) = match ring_named(arguments, folder) {
            Some(name) => ring_of_store(&name, arguments, folder)?,
            None => key_of_own(arguments, inputs, voice)?,
        };
        let claims = Claims::read(arguments, inputs)?;
        Ok(Self { algorithm, claims, signing, envelope: recipient::envelope(arguments, inputs, voice)? })
    }

    /// Mints one token. What `line` holds wins over what the flags say.
    pub(super) fn mint(&self, line: &Map, now_secs: i64, random: &mut dyn Random) -> Result<Minted, Failure> {
        let minted = match &self.signing {
            Signing::Key(mint, kid) => {
                let planned = self.claims.plan(line, now_secs, random)?;
                let lifetime = planned.expiry.map_or(Lifetime::Unbounded, Lifetime::Until);
                let token = mint.mint(planned.claims, lifetime, now_secs.saturating_mul(1_000)).map_err(failed)?;
                Minted { token, kid: kid.clone(), expiry: planned.expiry, exp_cut: false }
            }
            Signing::Ring(mint) => self.by_ring(mint, line, random)?,
            Signing::Served(ring, typ, header) => {
                let planned = self.claims.plan(line, now_secs, random)?;
                let claims = planned.claims.iter().map(wished).collect::<Result<_, _>>()?;
                let (typ, header) = (typ.clone(), header.clone());
                let told = ring.mint(&TokenWish { typ, header, claims, exp_secs: planned.expiry })?;
                Minted {
                    token: told["token"].as_str().unwrap_or_default().to_owned(),
                    kid: told["kid"].as_str().map(str::to_owned),
                    expiry: told["exp"].as_i64(),
                    exp_cut: told["exp_cut"] == true,
                }
            }
        };
        let token = self.envelope.close(minted.token, random).map_err(|error| key::refused(&error))?;
        Ok(Minted { token, ..minted })
    }

    /// The ring says what time it is, and how long a token may live.
    fn by_ring(&self, mint: &RingMint, line: &Map, random: &mut dyn Random) -> Result<Minted, Failure> {
        let mut failure = None;
        let minted = mint.mint(|now_secs| match self.claims.plan(line, now_secs, random) {
            Ok(planned) => Ok((planned.claims, planned.expiry)),
            Err(told) => {
                let refusal = RingRefusal::Claims(told.message.clone());
                failure = Some(told);
                Err(refusal)
            }
        });
        let minted = minted.map_err(|refusal| failure.unwrap_or_else(|| found_ring::refused(&refusal)))?;
        Ok(Minted { token: minted.token, kid: Some(minted.kid), expiry: minted.exp_secs, exp_cut: minted.exp_cut })
    }
}

/// Whether a ring is to sign.
pub(super) fn is_by_ring(arguments: &MintArguments, folder: &Path) -> bool {
    ring_named(arguments, folder).is_some()
}

/// The ring that is named, or, without any key, the store's ring that is named like the algorithm.
fn ring_named(arguments: &MintArguments, folder: &Path) -> Option<String> {
    match (&arguments.key, arguments.alg) {
        (Some(KeyArgument::Ring(name)), _) => Some(name.clone()),
        (None, Some(row)) if !arguments.ephemeral && data::names_a_store(folder) => Some(row.name.to_ascii_lowercase()),
        _ => None,
    }
}

fn ring_of_store(
    name: &str,
    arguments: &MintArguments,
    folder: &Path,
) -> Result<(&'static SignatureAlgorithm, Signing), Failure> {
    let found = FoundRing::open(folder, name)?;
    let (ring_id, algorithm) = (found.ring_id(), found.algorithm());
    if let Some(named) = arguments.alg.filter(|named| *named != algorithm) {
        return Err(Failure::usage(format!("the ring {ring_id} signs {algorithm} and not {named}")));
    }
    if arguments.kid.is_some() {
        return Err(Failure::usage("a ring gives its keys their `kid`").hint("Leave --kid out."));
    }
    let signing = match found {
        FoundRing::Stored(StoredRing { rings, ring_id, .. }) => {
            // No rotator ran while nobody served: what is due since then is made first.
            rings.tend(&data::by()).map_err(data::ring_failed)?;
            let plan = plan(algorithm, arguments)?;
            Signing::Ring(Box::new(RingMint::new(rings, ring_id, plan).map_err(failed)?))
        }
        FoundRing::Served(ring) => {
            let pair = |text: &String| split(text, "--header").map(|(name, value)| (name.to_owned(), value.to_owned()));
            let header = arguments.header.iter().map(pair).collect::<Result<_, _>>()?;
            Signing::Served(Box::new(ring), arguments.typ.clone(), header)
        }
    };
    Ok((algorithm, signing))
}

/// A claim as a server is asked for it.
fn wished(claim: &ClaimPlan) -> Result<ClaimWish, Failure> {
    match claim {
        ClaimPlan::Constant(name, value) => {
            let mut json = Vec::new();
            write_json(&mut json, value).map_err(|why| internal(&why))?;
            Ok(ClaimWish::Constant(name.to_string(), String::from_utf8_lossy(&json).into_owned()))
        }
        ClaimPlan::IssuedAt => Ok(ClaimWish::IssuedAt),
        ClaimPlan::Expires => Ok(ClaimWish::Expires),
        ClaimPlan::From { .. } | ClaimPlan::Given { .. } => Err(internal(&"flags and lines give constant claims")),
    }
}

fn key_of_own(
    arguments: &MintArguments,
    inputs: &Inputs,
    voice: Voice,
) -> Result<(&'static SignatureAlgorithm, Signing), Failure> {
    let (algorithm, jwk) = signing_key(arguments, inputs)?;
    let plan = plan(algorithm, arguments)?;
    let key = SigningKey::new(algorithm, &jwk, plan.switches).map_err(|error| key::refused(&error))?;
    key::warn_of(key.acted(), voice);
    let (keeper, _) = Keeper::ephemeral().map_err(|error| internal(&error))?;
    let signer = Software::new(keeper, |_| None);
    signer.give_key(KEY_NAME.to_owned(), Jwk::Private(jwk));
    let mint = Mint::new(&signer, plan).map_err(failed)?;
    if let (true, Some(public)) = (arguments.ephemeral, key.public()) {
        voice.say(format!("the key is thrown away now; its public half is\n{}", public.to_json()));
    }
    Ok((algorithm, Signing::Key(Box::new(mint), key.kid().map(str::to_owned))))
}

/// What all tokens share; their claims come with each.
fn plan(algorithm: &'static SignatureAlgorithm, arguments: &MintArguments) -> Result<TokenPlan, Failure> {
    Ok(TokenPlan {
        algorithm,
        switches: key::switches(&arguments.allow),
        header: header(arguments)?,
        claims: Vec::new(),
        lifetime: Lifetime::Unbounded,
        key: KeySource::Given(KEY_NAME.into()),
    })
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
                "no key is named, and no ring of a store to sign with",
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
        MintError::Claims { .. } => Failure::new(ExitCode::Unreadable, "claims_invalid", &error),
        MintError::Internal(_) => internal(&error),
    }
}

fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Internal, "internal", error)
}
