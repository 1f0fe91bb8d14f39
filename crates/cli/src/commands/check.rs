//! `check`: what would stand against deploying a document. No key, no store, no network.

use plan::{Diagnostic, Severity};
use serde_json::json;

use super::document::Document;
use crate::args::CheckArguments;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

/// Exit 0 if all of every document runs, 1 if only a part does, 2 if one is refused.
pub(super) fn run(arguments: &CheckArguments, voice: Voice) -> Result<ExitCode, Failure> {
    let mut worst = ExitCode::Done;
    for path in &arguments.documents {
        let document = Document::read(path)?;
        let (summary, diagnostics) = match document.lower() {
            Ok(lowered) => {
                let served = lowered.served().into_iter().map(|(method, path)| format!("{method} {path}"));
                let (nodes, served) = (lowered.flow().nodes.len(), served.collect::<Vec<_>>().join(", "));
                (format!("{}: {nodes} nodes; {served}", document.name), lowered.diagnostics().to_vec())
            }
            Err(diagnostics) => (format!("{}: refused", document.name), diagnostics),
        };
        tell(&document.name, &summary, &diagnostics, voice)?;
        let exit = diagnostics.iter().map(|told| exit_for(told.severity)).max();
        worst = worst.max(exit.unwrap_or(ExitCode::Done));
    }
    Ok(worst)
}

fn exit_for(severity: Severity) -> ExitCode {
    match severity {
        Severity::Warning => ExitCode::Done,
        Severity::Stopped => ExitCode::Refused,
        Severity::Error => ExitCode::Usage,
    }
}

fn tell(document: &str, summary: &str, diagnostics: &[Diagnostic], voice: Voice) -> Result<(), Failure> {
    if voice.is_json() {
        for told in diagnostics {
            voice.result(as_json(document, told).to_string())?;
        }
        return Ok(());
    }
    voice.result(summary)?;
    diagnostics.iter().try_for_each(|told| voice.result(told.to_string()))
}

fn as_json(document: &str, told: &Diagnostic) -> serde_json::Value {
    json!({
        "document": document,
        "severity": told.severity.to_string(),
        "code": told.code,
        "node": &*told.place.node,
        "type": &*told.place.kind,
        "flow": &*told.place.section,
        "pointer": told.place.pointer,
        "line": told.place.line_column.map(|(line, _)| line),
        "column": told.place.line_column.map(|(_, column)| column),
        "message": told.message,
        "hint": told.hint,
    })
}
