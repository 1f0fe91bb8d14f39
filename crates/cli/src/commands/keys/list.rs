//! `keys list`: the rings, who signs, and what is published.

use std::path::Path;

use http::Method;
use serde_json::Value as Json;
use server::routes::rings;

use super::super::rings::Ask;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    for ring in read(folder)? {
        voice.result(if voice.is_json() { ring.to_string() } else { line(&ring) })?;
    }
    Ok(ExitCode::Done)
}

/// Every ring, as the server describes it.
pub(super) fn read(folder: &Path) -> Result<Vec<Json>, Failure> {
    let (method, path, body) = (Method::GET, "/rings".to_owned(), Json::Null);
    let ask = Ask { method, path, body, offline: |rings: &_, _: &_| rings::list(rings), folder };
    Ok(ask.answer()?["rings"].as_array().cloned().unwrap_or_default())
}

fn line(ring: &Json) -> String {
    let text = |value: &Json| value.as_str().unwrap_or("nobody").to_owned();
    let generations = ring["generations"].as_array().cloned().unwrap_or_default();
    let in_phase = |phase: &str| generations.iter().filter(|row| row["phase"] == phase).collect::<Vec<_>>();
    let signer = in_phase("active").first().map_or_else(|| "nobody".to_owned(), |row| text(&row["kid"]));
    let shown = in_phase("published").len() + in_phase("active").len() + in_phase("retiring").len();
    let turns = match ring["rotation_period_secs"].as_i64() {
        Some(secs) => format!("rotates every {} h", secs / 3_600),
        None => "static".to_owned(),
    };
    format!("{}  {}  {turns}  {signer} signs, {shown} published", text(&ring["ring"]), text(&ring["alg"]))
}
