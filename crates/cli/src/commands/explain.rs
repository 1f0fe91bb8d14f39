//! `explain`: what a document mints, and what else holds and why.

mod minting;
mod source;

use std::path::Path;

use serde_json::json;

use super::algorithms;
use super::data;
use super::document::{Document, refused};
use crate::args::{ExplainArguments, ExplainSubject};
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(arguments: &ExplainArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    match (&arguments.subject, &arguments.document) {
        (Some(ExplainSubject::Algorithms), _) => algorithms::explain(voice),
        (Some(ExplainSubject::Plan { document }), _) => plan(document, voice),
        (Some(ExplainSubject::Settings), _) => settings(folder, voice),
        (None, Some(document)) => minting::run(document, voice),
        (None, None) => Err(Failure::usage("name a document, or one of settings, algorithms and plan")),
    }
}

/// Writes what a document is lowered to.
fn plan(path: &Path, voice: Voice) -> Result<ExitCode, Failure> {
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
fn settings(folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
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
