//! `convert`: the wish of a document in another dialect. No key, no store, no network.

use dialects::Kind;
use dialects::intent::{Change, Target, Unconvertible, convert};

use super::document::{Document, refused, with_settings};
use crate::args::{ConvertArguments, Dialect};
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

/// Writes the document to stdout and each change to stderr; nothing if the token would be another one.
pub(super) fn run(arguments: &ConvertArguments, voice: Voice) -> Result<ExitCode, Failure> {
    let document = Document::read(&arguments.document)?;
    let to = match arguments.to {
        Dialect::NodeRed => Target::Document(Kind::NodeRed),
        Dialect::ApiConnect => Target::Document(Kind::ApiConnect),
        Dialect::Orchestration => Target::Document(Kind::Orchestration),
        Dialect::Supertokens => Target::Request,
    };
    let converted = with_settings(|settings| convert(&document.name, &document.octets, to, settings));
    let converted = converted.map_err(|why| failure(&document, why))?;
    for change in &converted.lost {
        voice.warn(change.to_string());
    }
    voice.octets(&[&converted.octets])?;
    Ok(ExitCode::Done)
}

fn failure(document: &Document, why: Unconvertible) -> Failure {
    match why {
        Unconvertible::Refused(diagnostics) => refused(document, &diagnostics),
        Unconvertible::Request(why) => Failure::new(ExitCode::Usage, "document_refused", why),
        Unconvertible::Changed(changes) => {
            let told: Vec<String> = changes.iter().map(Change::to_string).collect();
            let message = format!("{} is not converted\n{}", document.name, told.join("\n"));
            Failure::new(ExitCode::Refused, "not_convertible", message)
                .hint("`chancery explain` tells what it mints; change that, or choose another dialect.")
        }
    }
}
