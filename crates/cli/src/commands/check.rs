//! `check`: what would stand against deploying a document. No key, no store, no network.

use dialects::Lowered;
use dialects::api_connect::{Gateway, Survey};
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
        let (lowered, diagnostics) = match document.lower() {
            Ok(lowered) => {
                let diagnostics = lowered.diagnostics().to_vec();
                (Some(lowered), diagnostics)
            }
            Err(diagnostics) => (None, diagnostics),
        };
        tell(&document.name, lowered.as_ref(), &diagnostics, voice)?;
        let exit = diagnostics.iter().map(|told| exit_for(told.severity)).max();
        worst = worst.max(exit.unwrap_or(ExitCode::Done));
        let lacks_values = survey(lowered.as_ref()).is_some_and(|survey| !survey.unset.is_empty());
        worst = worst.max(if lacks_values { ExitCode::Refused } else { ExitCode::Done });
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

fn survey(lowered: Option<&Lowered>) -> Option<&Survey> {
    match lowered? {
        Lowered::NodeRed(_) | Lowered::Orchestration(_) => None,
        Lowered::ApiConnect(lowered) => Some(&lowered.survey),
    }
}

fn tell(document: &str, lowered: Option<&Lowered>, diagnostics: &[Diagnostic], voice: Voice) -> Result<(), Failure> {
    if voice.is_json() {
        if let (Some(lowered), Some(survey)) = (lowered, survey(lowered)) {
            voice.result(survey_as_json(document, lowered, survey).to_string())?;
        }
        for told in diagnostics {
            voice.result(as_json(document, told).to_string())?;
        }
        return Ok(());
    }
    match (lowered, survey(lowered)) {
        (None, _) => voice.result(format!("{document}: refused"))?,
        (Some(lowered), None) => {
            let (nodes, served) = (lowered.flow().nodes.len(), served(lowered).join(", "));
            voice.result(format!("{document}: {nodes} nodes; {served}"))?;
        }
        (Some(lowered), Some(survey)) => {
            lines(document, lowered, survey).into_iter().try_for_each(|line| voice.result(line))?;
        }
    }
    diagnostics.iter().try_for_each(|told| voice.result(told.to_string()))
}

fn served(lowered: &Lowered) -> Vec<String> {
    lowered.served().into_iter().map(|(method, path)| format!("{method} {path}")).collect()
}

/// A definition at a glance; a line that would say nothing is left out.
fn lines(document: &str, lowered: &Lowered, survey: &Survey) -> Vec<String> {
    let joined = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(", ");
    let steps = survey.unsupported.iter().map(|step| {
        let title = if step.title.is_empty() { String::new() } else { format!(" \"{}\"", step.title) };
        format!("{}{title} at {}", step.policy, step.pointer)
    });
    let parts = [
        ("operations", joined(&mut served(lowered).into_iter())),
        ("policies", joined(&mut survey.policies.iter().map(|(policy, steps)| format!("{policy} {steps}")))),
        ("crypto objects without a key", joined(&mut survey.crypto_unbound.iter().cloned())),
        ("variables and properties that nothing sets", joined(&mut survey.unset.iter().cloned())),
        ("steps that do not run", joined(&mut steps.into_iter())),
    ];
    let head = format!("{document}: API definition in OpenAPI {} for the {}", openapi(survey), gateway(survey));
    let parts = parts.into_iter().filter(|(_, text)| !text.is_empty());
    std::iter::once(head).chain(parts.map(|(name, text)| format!("  {name}: {text}"))).collect()
}

fn openapi(survey: &Survey) -> &'static str {
    if survey.is_openapi_3 { "3" } else { "2" }
}

fn gateway(survey: &Survey) -> &'static str {
    match survey.gateway {
        Gateway::V5 => "DataPower Gateway (v5 compatible)",
        Gateway::Api => "DataPower API Gateway",
    }
}

fn survey_as_json(document: &str, lowered: &Lowered, survey: &Survey) -> serde_json::Value {
    let steps = survey.unsupported.iter();
    json!({
        "document": document,
        "kind": "api-connect",
        "openapi": openapi(survey),
        "gateway": match survey.gateway {
            Gateway::V5 => "datapower-gateway",
            Gateway::Api => "datapower-api-gateway",
        },
        "operations": served(lowered),
        "policies": survey.policies,
        "crypto_unbound": survey.crypto_unbound,
        "unset": survey.unset,
        "unsupported": steps.map(|step| json!({ "policy": step.policy, "title": step.title, "pointer": step.pointer }))
            .collect::<Vec<_>>(),
    })
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
