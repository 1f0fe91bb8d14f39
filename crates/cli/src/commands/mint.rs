//! `mint`: one token from flags. The same plan, engine and signer as behind a flow, with no dialect in the room.

use jose::json::Limits;
use jose::jwa::SignatureAlgorithm;
use jose::jwk::{Jwk, KeyParameters};
use jose::{KeyKind, PrivateJwk, Random as _, SigningKey, base64url};
use plan::{ClaimPlan, HeaderMember, JsonRules, KeySource, Lifetime, Text, TokenPlan, Value, read_json};
use serde_json::json;
use server::mint::MintError;
use signer::{Keeper, RandomPool, Software};

use super::key::{self, Reading};
use crate::args::MintArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::time::{TimeArgument, in_utc, in_words};
use crate::voice::Voice;

/// The name of the one key of this command.
const KEY_NAME: &str = "key";
/// Octets of a random token id.
const JTI_BYTES: usize = 16;
/// The lifetime of a token when nothing is said about it, in seconds.
const TTL_SECS_DEFAULT: i64 = 3_600;
/// The claims that have flags of their own, in the order in which they are written.
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

pub(super) fn run(arguments: &MintArguments, now_secs: i64, voice: Voice) -> Result<ExitCode, Failure> {
    let inputs = Inputs::default();
    let (algorithm, jwk) = key(arguments, &inputs)?;
    let signing =
        SigningKey::new(algorithm, &jwk, key::switches(&arguments.allow)).map_err(|error| key::refused(&error))?;
    key::warn_of(signing.acted(), voice);
    let plan = TokenPlan {
        algorithm,
        switches: key::switches(&arguments.allow),
        header: header(arguments)?,
        claims: claims(arguments, &inputs, now_secs)?,
        lifetime: lifetime(arguments, now_secs),
        key: KeySource::Given(KEY_NAME.into()),
    };
    let told = Told { kid: signing.kid().map(str::to_owned), algorithm, expiry: expiry(&plan, now_secs) };
    if let (true, Some(public)) = (arguments.ephemeral, signing.public()) {
        voice.say(format!("the key is thrown away now; its public half is\n{}", public.to_json()));
    }
    let token = mint(plan, jwk, now_secs)?;
    told.tell(&token, now_secs, voice)
}

/// The key and the algorithm it signs with: handed in, or made for this token.
fn key(arguments: &MintArguments, inputs: &Inputs) -> Result<(&'static SignatureAlgorithm, PrivateJwk), Failure> {
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

/// Mints with a signer that holds this one key.
fn mint(plan: TokenPlan, jwk: PrivateJwk, now_secs: i64) -> Result<String, Failure> {
    let (keeper, _) = Keeper::ephemeral().map_err(|error| internal(&error))?;
    let signer = Software::new(keeper, |_| None);
    signer.give_key(KEY_NAME.to_owned(), Jwk::Private(jwk));
    server::mint::mint(&signer, plan, now_secs.saturating_mul(1_000)).map_err(|error| match error {
        MintError::Header(_) => Failure::usage(&error).hint("alg, kid and typ have flags of their own."),
        MintError::Key(_) => Failure::new(ExitCode::Unreadable, "key_invalid", &error),
        MintError::Claims(_) => Failure::new(ExitCode::Unreadable, "claims_invalid", &error),
        MintError::Internal(_) => internal(&error),
    })
}

fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Internal, "internal", error)
}

/// What is said about the token beside it.
struct Told {
    kid: Option<String>,
    algorithm: &'static SignatureAlgorithm,
    expiry: Option<i64>,
}

impl Told {
    fn tell(&self, token: &str, now_secs: i64, voice: Voice) -> Result<ExitCode, Failure> {
        if voice.is_json() {
            let answer = json!({ "token": token, "kid": self.kid, "alg": self.algorithm.name, "exp": self.expiry });
            voice.result(answer.to_string())?;
            return Ok(ExitCode::Done);
        }
        if let Some(kid) = &self.kid {
            voice.say(format!("kid {kid}"));
        }
        voice.say(match self.expiry.map(|exp| (exp, in_utc(exp))) {
            Some((exp, Some(utc))) => format!("expires {utc}, {}", in_words(exp, now_secs)),
            Some((exp, None)) => format!("expires at {exp}"),
            None => "never expires".to_owned(),
        });
        voice.result(token)?;
        Ok(ExitCode::Done)
    }
}

fn expiry(plan: &TokenPlan, now_secs: i64) -> Option<i64> {
    match &plan.lifetime {
        Lifetime::Seconds(secs) => Some(now_secs.saturating_add(*secs)),
        Lifetime::Until(epoch_secs) => Some(*epoch_secs),
        // Nobody but a message asks, and there is none here.
        Lifetime::Unbounded | Lifetime::Asked { .. } => None,
    }
}

/// The claims in their stated order: the registered ones first, then the others as given.
fn claims(arguments: &MintArguments, inputs: &Inputs, now_secs: i64) -> Result<Vec<ClaimPlan>, Failure> {
    let mut given = Vec::new();
    for text in &arguments.claim {
        let (name, value) = split(text, "--claim")?;
        given.push((Text::from(name), Value::text(value)));
    }
    for text in &arguments.claim_json {
        let (name, json) = split(text, "--claim-json")?;
        given.push((name.into(), json_value(json.as_bytes(), "--claim-json")?));
    }
    if let Some(path) = &arguments.claims {
        let Value::Map(object) = json_value(&inputs.text(path)?, "--claims")? else {
            return Err(Failure::new(ExitCode::Unreadable, "claims_invalid", "--claims is no JSON object"));
        };
        given.extend(object.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    let mut claims = registered(arguments, now_secs)?;
    for (name, value) in given {
        let taken = claims.iter().any(|claim| claim.name() == Some(&*name));
        if taken || REGISTERED[3..6].contains(&&*name) {
            return Err(Failure::usage(format!("the claim `{name}` is given twice"))
                .hint("exp, nbf and iat have flags of their own; every other name may be given once."));
        }
        claims.push(ClaimPlan::Constant(name, value));
    }
    Ok(claims)
}

fn registered(arguments: &MintArguments, now_secs: i64) -> Result<Vec<ClaimPlan>, Failure> {
    let text = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| ClaimPlan::Constant(name.into(), Value::text(value)))
    };
    let instant = |name: &str, value: Option<TimeArgument>| {
        value.map(|at| ClaimPlan::Constant(name.into(), Value::integer(at.epoch_secs(now_secs))))
    };
    let audience = match arguments.aud.as_slice() {
        [] => None,
        [one] => Some(Value::text(one)),
        many => Some(Value::list(many.iter().map(Value::text).collect())),
    };
    let claims = [
        text("iss", &arguments.iss),
        text("sub", &arguments.sub),
        audience.map(|value| ClaimPlan::Constant("aud".into(), value)),
        (!arguments.no_exp).then_some(ClaimPlan::Expires),
        instant("nbf", arguments.nbf),
        Some(instant("iat", arguments.iat).unwrap_or(ClaimPlan::IssuedAt)),
        jti(arguments)?.map(|id| ClaimPlan::Constant("jti".into(), Value::text(id))),
    ];
    Ok(claims.into_iter().flatten().collect())
}

/// The token id: the text given, or 128 random bits.
fn jti(arguments: &MintArguments) -> Result<Option<String>, Failure> {
    if arguments.jti.as_deref() != Some("auto") {
        return Ok(arguments.jti.clone());
    }
    let mut octets = [0_u8; JTI_BYTES];
    RandomPool::new().fill(&mut octets).map_err(|error| internal(&error))?;
    Ok(Some(base64url::encode(&octets)))
}

/// The lifetime counts from `--iat` where that is given.
fn lifetime(arguments: &MintArguments, now_secs: i64) -> Lifetime {
    let ttl_secs = arguments.ttl.map_or(TTL_SECS_DEFAULT, |ttl| ttl.secs);
    match (arguments.no_exp, arguments.exp, arguments.iat) {
        (true, _, _) => Lifetime::Unbounded,
        (false, Some(exp), _) => Lifetime::Until(exp.epoch_secs(now_secs)),
        (false, None, Some(iat)) => Lifetime::Until(iat.epoch_secs(now_secs).saturating_add(ttl_secs)),
        (false, None, None) => Lifetime::Seconds(ttl_secs),
    }
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

fn split<'t>(text: &'t str, flag: &str) -> Result<(&'t str, &'t str), Failure> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Failure::usage(format!("{flag} takes NAME=VALUE, and `{text}` has no name or no `=`")))
}

fn json_value(octets: &[u8], flag: &str) -> Result<Value, Failure> {
    read_json(octets, Limits::REQUEST, JsonRules::Exact).map_err(|error| {
        let at = error.position(octets);
        Failure::new(
            ExitCode::Unreadable,
            "claims_invalid",
            format!("{flag}: {}, line {}, column {}", error.kind, at.line, at.column),
        )
    })
}
