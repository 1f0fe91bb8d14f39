//! `keys reconcile`: what the PKCS#11 token keeps, held against the rows.

use std::path::Path;

use http::Method;
use serde_json::Value as Json;
use server::routes::rings;

use super::super::rings::Ask;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let (method, path, body) = (Method::GET, "/hsm/reconciliation".to_owned(), Json::Null);
    let found = Ask { method, path, body, offline: |rings: &_, _: &_| rings::reconcile(rings), folder }.answer()?;
    if voice.is_json() {
        voice.result(found.to_string())?;
        return Ok(ExitCode::Done);
    }
    voice.result(format!("{} keys are whole", found["whole"]))?;
    for (kind, what) in [("orphans", "no generation names"), ("halves", "only one half is there of")] {
        for pair in found[kind].as_array().into_iter().flatten() {
            let text = |name: &str| pair[name].as_str().unwrap_or_default().to_owned();
            voice.result(format!("{what} {} ({})", text("id"), text("label")))?;
        }
    }
    for name in found["missing"].as_array().into_iter().flatten() {
        voice.result(format!("the token has no private half for {}", name.as_str().unwrap_or_default()))?;
    }
    Ok(ExitCode::Done)
}
