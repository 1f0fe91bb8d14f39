//! The claims of a token: those of the flags, and those of a line of a batch, in their stated order.

use std::sync::Arc;

use jose::json::Limits;
use jose::{Random, base64url};
use plan::{ClaimPlan, JsonRules, Map, Number, Text, Value, read_json};

use crate::args::mint::MintArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::time::TimeArgument;

/// Octets of a random token id.
const JTI_BYTES: usize = 16;
/// The lifetime of a token when nothing is said about it, in seconds.
const TTL_SECS_DEFAULT: i64 = 3_600;
/// The claims that have flags of their own, in the order in which they are written.
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// What the flags say of claims.
pub(super) struct Claims {
    /// `iss`, `sub`, `aud` and a `jti` that is no random one.
    constant: Map,
    jti_is_drawn: bool,
    times: Times,
    rest: Vec<(Text, Value)>,
}

/// What is said of the times of a token, by flags or by a line.
#[derive(Clone, Copy)]
struct Times {
    exp: Option<TimeArgument>,
    nbf: Option<TimeArgument>,
    iat: Option<TimeArgument>,
    ttl_secs: i64,
    no_exp: bool,
}

/// The claims of one token, ready for minting.
pub(super) struct Planned {
    /// In order.
    pub(super) claims: Vec<ClaimPlan>,
    /// `exp`, in seconds since 1970.
    pub(super) expiry: Option<i64>,
}

impl Claims {
    /// Reads the flags, and the file that one of them names.
    pub(super) fn read(arguments: &MintArguments, inputs: &Inputs) -> Result<Self, Failure> {
        let mut constant = Map::new();
        let texts = [("iss", &arguments.iss), ("sub", &arguments.sub)];
        for (name, value) in texts.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            constant.insert(name.into(), Value::text(value));
        }
        match arguments.aud.as_slice() {
            [] => None,
            [one] => constant.insert("aud".into(), Value::text(one)),
            many => constant.insert("aud".into(), Value::list(many.iter().map(Value::text).collect())),
        };
        let jti = arguments.jti.as_deref().filter(|jti| *jti != "auto");
        jti.map(|jti| constant.insert("jti".into(), Value::text(jti)));
        let mut claims = Self {
            constant,
            jti_is_drawn: arguments.jti.is_some() && jti.is_none(),
            times: Times {
                exp: arguments.exp,
                nbf: arguments.nbf,
                iat: arguments.iat,
                ttl_secs: arguments.ttl.map_or(TTL_SECS_DEFAULT, |ttl| ttl.secs),
                no_exp: arguments.no_exp,
            },
            rest: rest(arguments, inputs)?,
        };
        claims.refuse_repeated()?;
        let rest = std::mem::take(&mut claims.rest);
        let (registered, rest): (Vec<_>, _) = rest.into_iter().partition(|(name, _)| REGISTERED.contains(&&**name));
        for (name, value) in registered {
            claims.constant.insert(name, value);
        }
        Ok(Self { rest, ..claims })
    }

    /// The claims of one token. What `line` holds wins over what the flags say.
    pub(super) fn plan(&self, line: &Map, now_secs: i64, random: &mut dyn Random) -> Result<Planned, Failure> {
        let times = self.times.with(line)?;
        let expiry = times.expiry(now_secs);
        let mut claims = Vec::with_capacity(REGISTERED.len() + self.rest.len() + line.len());
        for name in REGISTERED {
            claims.extend(match name {
                "exp" => expiry.map(|_| ClaimPlan::Expires),
                "nbf" => times.nbf.map(|at| instant("nbf", at, now_secs)),
                "iat" => Some(times.iat.map_or(ClaimPlan::IssuedAt, |at| instant("iat", at, now_secs))),
                _ => self.registered(name, line, random)?,
            });
        }
        let own = line.iter().filter(|(name, _)| !REGISTERED.contains(&&***name));
        claims.extend(own.map(|(name, value)| ClaimPlan::Constant(name.clone(), value.clone())));
        let others = self.rest.iter().filter(|(name, _)| line.get(name).is_none());
        claims.extend(others.map(|(name, value)| ClaimPlan::Constant(name.clone(), value.clone())));
        Ok(Planned { claims, expiry })
    }

    fn registered(&self, name: &str, line: &Map, random: &mut dyn Random) -> Result<Option<ClaimPlan>, Failure> {
        let said = line.get(name).or_else(|| self.constant.get(name)).cloned();
        let value = match said {
            None if name == "jti" && self.jti_is_drawn => Some(Value::text(drawn_id(random)?)),
            said => said,
        };
        Ok(value.map(|value| ClaimPlan::Constant(name.into(), value)))
    }

    /// A claim may be given once; `exp`, `nbf` and `iat` by their flags alone.
    fn refuse_repeated(&self) -> Result<(), Failure> {
        for (index, (name, _)) in self.rest.iter().enumerate() {
            let twice = self.rest[..index].iter().any(|(other, _)| other == name);
            let taken = self.constant.get(name).is_some() || (&**name == "jti" && self.jti_is_drawn);
            if twice || taken || REGISTERED[3..6].contains(&&**name) {
                return Err(Failure::usage(format!("the claim `{name}` is given twice"))
                    .hint("exp, nbf and iat have flags of their own; every other name may be given once."));
            }
        }
        Ok(())
    }
}

impl Times {
    /// With what a line says; it says whole seconds since 1970.
    fn with(mut self, line: &Map) -> Result<Self, Failure> {
        let said = |name: &str| match line.get(name) {
            None => Ok(None),
            Some(Value::Number(Number::Integer(secs))) => Ok(Some(TimeArgument::Epoch(*secs))),
            Some(_) => Err(invalid(format!("the claim `{name}` must be whole seconds since 1970"))),
        };
        if let Some(exp) = said("exp")? {
            (self.exp, self.no_exp) = (Some(exp), false);
        }
        self.nbf = said("nbf")?.or(self.nbf);
        self.iat = said("iat")?.or(self.iat);
        Ok(self)
    }

    /// The lifetime counts from `iat` where that is said.
    fn expiry(&self, now_secs: i64) -> Option<i64> {
        let issued_secs = self.iat.map_or(now_secs, |at| at.epoch_secs(now_secs));
        let at = || self.exp.map_or(issued_secs.saturating_add(self.ttl_secs), |at| at.epoch_secs(now_secs));
        (!self.no_exp).then(at)
    }
}

/// Reads an object of claims, as a line or a file holds it.
pub(super) fn object(octets: &[u8]) -> Result<Map, Failure> {
    let Value::Map(map) = json_value(octets).map_err(invalid)? else {
        return Err(invalid("the claims are no JSON object"));
    };
    Ok(Arc::unwrap_or_clone(map))
}

fn rest(arguments: &MintArguments, inputs: &Inputs) -> Result<Vec<(Text, Value)>, Failure> {
    let mut rest = Vec::new();
    for text in &arguments.claim {
        let (name, value) = split(text, "--claim")?;
        rest.push((Text::from(name), Value::text(value)));
    }
    for text in &arguments.claim_json {
        let (name, json) = split(text, "--claim-json")?;
        let value = json_value(json.as_bytes()).map_err(|why| invalid(format!("--claim-json: {why}")))?;
        rest.push((name.into(), value));
    }
    if let Some(path) = &arguments.claims {
        let object = object(&inputs.text(path)?).map_err(|failure| failure.at(path.display()))?;
        rest.extend(object.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Ok(rest)
}

/// The two sides of the first `=`.
pub(super) fn split<'t>(text: &'t str, flag: &str) -> Result<(&'t str, &'t str), Failure> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Failure::usage(format!("{flag} takes NAME=VALUE, and `{text}` has no name or no `=`")))
}

fn instant(name: &str, at: TimeArgument, now_secs: i64) -> ClaimPlan {
    ClaimPlan::Constant(name.into(), Value::integer(at.epoch_secs(now_secs)))
}

fn drawn_id(random: &mut dyn Random) -> Result<String, Failure> {
    let mut octets = [0_u8; JTI_BYTES];
    random.fill(&mut octets).map_err(|error| Failure::new(ExitCode::Internal, "random", error))?;
    Ok(base64url::encode(&octets))
}

fn json_value(octets: &[u8]) -> Result<Value, String> {
    read_json(octets, Limits::REQUEST, JsonRules::Exact).map_err(|error| {
        let at = error.position(octets);
        format!("{}, line {}, column {}", error.kind, at.line, at.column)
    })
}

fn invalid(message: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Unreadable, "claims_invalid", message)
}
