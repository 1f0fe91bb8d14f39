//! `explain`: what holds, and why.

use std::path::Path;

use serde_json::json;

use super::data;
use super::document::{Document, refused};
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

/// Writes what a document is lowered to.
pub(super) fn plan(path: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let document = Document::read(path)?;
    let lowered = document.lower().map_err(|diagnostics| refused(&document, &diagnostics))?;
    let plan = plan::dump(lowered.flow());
    voice.result(if voice.is_json() {
        json!({ "document": document.name, "plan": plan }).to_string()
    } else {
        plan.trim_end().to_owned()
    })?;
    Ok(ExitCode::Done)
}

/// Writes every setting, its value, and who says so.
pub(super) fn settings(folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let settings = data::settings(folder, &[])?;
    for held in settings.explain() {
        let line = if voice.is_json() {
            let source = held.source.to_string();
            json!({ "name": held.name, "value": held.value, "source": source, "about": held.about }).to_string()
        } else {
            format!("{} = {}\n    {}\n    from: {}", held.name, held.value, held.about, held.source)
        };
        voice.result(line)?;
    }
    Ok(ExitCode::Done)
}
