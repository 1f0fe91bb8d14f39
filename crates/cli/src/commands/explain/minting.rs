//! `explain DOCUMENT`: each place of a document that mints, for people or as JSON.

mod json;

use std::path::Path;

use dialects::minting::{
    self, Absent, Claim, ClaimSource, Delivery, Destination, Key, KeyOrigin, Kid, Layer, Life, Minting,
};
use plan::Value;

use super::source;
use crate::commands::document::{Document, refused};
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

/// Writes what each place mints; a document that mints nowhere says so.
pub(super) fn run(path: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let document = Document::read(path)?;
    let mintings = match minting::of_request(&document.octets) {
        Some(read) => vec![read.map_err(|why| Failure::new(ExitCode::Usage, "document_refused", why))?],
        None => {
            let lowered = document.lower().map_err(|diagnostics| refused(&document, &diagnostics))?;
            lowered.diagnostics().iter().for_each(|told| voice.warn(told.to_string()));
            minting::mintings(&lowered)
        }
    };
    for minting in &mintings {
        let lines = || lines(minting).join("\n");
        voice.result(if voice.is_json() { json::of(&document.name, minting).to_string() } else { lines() })?;
    }
    if mintings.is_empty() {
        voice.say(format!("{} mints nowhere", document.name));
    }
    Ok(ExitCode::Done)
}

fn lines(minting: &Minting) -> Vec<String> {
    let at = &minting.at;
    let name = if at.name.is_empty() { String::new() } else { format!(" \"{}\"", at.name) };
    let mut lines = vec![format!("{} {}{name}", at.kind, at.id).trim().to_owned()];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:10}  {text}"));
    line("called by", if minting.callers.is_empty() { "nobody".to_owned() } else { minting.callers.join(", ") });
    if let Some(token) = &minting.token {
        for (index, claim) in token.claims.iter().enumerate() {
            let name = claim.name.as_deref().unwrap_or("(any)");
            line(if index == 0 { "claims" } else { "" }, format!("{name}: {}", claim_text(claim)));
        }
        line("lifetime", life_text(&token.lifetime));
        for (label, layer) in [("signed", &token.signature), ("encrypted", &token.encryption)] {
            layer.iter().for_each(|layer| line(label, layer_text(layer)));
        }
    } else {
        line("claims", "whatever the script signs".to_owned());
    }
    minting.deliveries.iter().for_each(|delivery| line("delivered", delivery_text(delivery)));
    if minting.deliveries.is_empty() {
        line("delivered", "nowhere that is followed here".to_owned());
    }
    for warning in &minting.warnings {
        line("warning", format!("{} ({})", warning.message, warning.section));
    }
    lines
}

fn claim_text(claim: &Claim) -> String {
    let source = match &claim.from {
        ClaimSource::IssuedAt => "the clock".to_owned(),
        ClaimSource::Expires => "the clock, and the lifetime".to_owned(),
        ClaimSource::Symbol(symbol) => source::text(symbol),
    };
    match claim.absent {
        Absent::Never => source,
        Absent::LeftOut => format!("{source}; left out without a value"),
        Absent::Refused => format!("{source}; no token without a value"),
    }
}

fn life_text(life: &Life) -> String {
    match life {
        Life::Seconds(seconds) => format!("{seconds} s"),
        Life::Until(epoch_secs) => format!("until {epoch_secs} s after 1970"),
        Life::Asked(by, otherwise_secs) => format!("{} s, or {otherwise_secs} s", source::text(by)),
        Life::Unbounded => "without end".to_owned(),
    }
}

fn layer_text(layer: &Layer) -> String {
    let algorithm = if layer.algorithm.is_nothing() { "what the key says".to_owned() } else { name(&layer.algorithm) };
    let content = layer.content.as_ref().map(|content| format!(", {}", name(content))).unwrap_or_default();
    let Key { from, size } = &layer.key;
    let size = size.as_ref().map(|size| format!(", {size}")).unwrap_or_default();
    let typ = layer.typ.as_ref().map(|typ| format!("; typ {typ}")).unwrap_or_default();
    format!("{algorithm}{content} with {}{size}; kid {}{typ}", key_text(from), kid_text(&layer.kid))
}

/// The name of an algorithm: a text without quotes, if it is known.
fn name(symbol: &minting::Symbol) -> String {
    let known = symbol.value();
    known.as_ref().and_then(Value::as_text).map_or_else(|| source::text(symbol), str::to_owned)
}

fn key_text(from: &KeyOrigin) -> String {
    match from {
        KeyOrigin::Secret(secret) => format!("the secret {} of {}", secret.field, secret.owner),
        KeyOrigin::Ring(name) => format!("the key ring {name}"),
        KeyOrigin::Bound(name) => format!("the key that is bound to {name}"),
        KeyOrigin::Variable(name) => format!("the variable {name} of the process"),
        KeyOrigin::Document => "a key in the document".to_owned(),
        KeyOrigin::Message(symbol) => source::text(symbol),
    }
}

fn kid_text(kid: &Kid) -> String {
    match kid {
        Kid::Nowhere => "none".to_owned(),
        Kid::Key => "the key's own".to_owned(),
        Kid::Made => "the key's own, or made of it".to_owned(),
        Kid::Named(symbol) => source::text(symbol),
    }
}

fn delivery_text(delivery: &Delivery) -> String {
    let Delivery { by, to, way, behind } = delivery;
    let place = match to {
        Destination::Body => "the body of the answer",
        Destination::Header => "a header of the answer",
        Destination::Cookie => "a cookie of the answer",
        Destination::Request => "a request to somebody outside",
        Destination::Log => "the log",
    };
    let way = if way.is_empty() { String::new() } else { format!(" at {way}") };
    let behind = if behind.is_empty() { String::new() } else { format!(", behind {behind:?}") };
    let by = if by.id.is_empty() { String::new() } else { format!(", by {} {}", by.kind, by.id) };
    format!("{place}{way}{behind}{by}")
}
