//! `mint`: tokens from flags. The same plan, engine and signer as behind a flow, with no dialect in the room.

mod batch;
mod claims;
mod kind;
mod recipient;

use std::path::Path;

use plan::Map;
use serde_json::json;
use signer::RandomPool;

use self::kind::{Kind, Minted};
use crate::args::mint::MintArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::time::{Clock, in_utc, in_words};
use crate::voice::Voice;

pub(super) fn run(arguments: &MintArguments, folder: &Path, clock: Clock, voice: Voice) -> Result<ExitCode, Failure> {
    let inputs = Inputs::default();
    if clock.is_set() && kind::is_by_ring(arguments, folder) {
        return Err(Failure::usage("a ring signs by the clock of its store, and --now names another instant")
            .hint("Leave --now out; --iat and --exp say what a token shall hold."));
    }
    let kind = Kind::read(arguments, folder, &inputs, voice)?;
    if let Some(path) = &arguments.batch.batch {
        let lines = inputs.stream(path)?;
        return batch::run(kind, lines, &arguments.batch, clock, voice);
    }
    let mut random = RandomPool::new();
    for number in 0..arguments.count {
        let now_secs = clock.now_secs();
        let minted = kind.mint(&Map::new(), now_secs, &mut random)?;
        if number == 0 && !voice.is_json() {
            say(&minted, now_secs, voice);
        }
        warn_of_cut(&minted, None, voice);
        voice.result(if voice.is_json() { as_json(&kind, &minted).to_string() } else { minted.token })?;
    }
    Ok(ExitCode::Done)
}

/// The members that every minted token is told with.
fn as_json(kind: &Kind, minted: &Minted) -> serde_json::Value {
    json!({ "token": minted.token, "kid": minted.kid, "alg": kind.algorithm.name, "exp": minted.expiry })
}

/// Warns of a token that ends sooner than it was asked to.
fn warn_of_cut(minted: &Minted, line: Option<u64>, voice: Voice) {
    if let (true, Some(exp)) = (minted.exp_cut, minted.expiry) {
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let at = in_utc(exp).unwrap_or_else(|| exp.to_string());
        voice.warn(format!("{place}the ring cut `exp` to {at}, as long as its key is shown"));
    }
}

fn say(minted: &Minted, now_secs: i64, voice: Voice) {
    if let Some(kid) = &minted.kid {
        voice.say(format!("kid {kid}"));
    }
    voice.say(match minted.expiry.map(|exp| (exp, in_utc(exp))) {
        Some((exp, Some(utc))) => format!("expires {utc}, {}", in_words(exp, now_secs)),
        Some((exp, None)) => format!("expires at {exp}"),
        None => "never expires".to_owned(),
    });
}
