//! `flow`: brings flows and their credentials in from another host, and out again.

mod offline;
mod online;

use std::path::Path;

use dialects::api_connect;
use dialects::node_red::{Credentials, runtime_secret};
use dialects::{FoundSecret, Kind, Lowered, SecretChange};
use zeroize::Zeroizing;

use super::data;
use super::document::{self, Document};
use crate::args::{ExportArguments, FlowCommand, ImportArguments};
use crate::exit::{ExitCode, Failure};
use crate::input::{Inputs, KeyArgument, read_file};
use crate::voice::Voice;

/// The most octets of a credentials file.
const CREDENTIALS_BYTES_MAX: u64 = 5 * 1024 * 1024;

pub(super) fn run(command: &FlowCommand, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    match command {
        FlowCommand::Import(arguments) => import(arguments, folder, voice),
        FlowCommand::Export(arguments) => export(arguments, folder, voice),
    }
}

/// Reads and checks everything before anything is changed.
fn import(arguments: &ImportArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let document = Document::read(&arguments.file)?;
    let lowered = document.lower().map_err(|told| document::refused(&document, &told))?;
    if let Lowered::ApiConnect(_) = lowered {
        return Err(Failure::new(ExitCode::Usage, "not_a_flow", "an API definition brings no credentials along")
            .hint("Serve it with `chancery serve FILE`."));
    }
    let credentials = credentials(arguments, &document, voice)?;
    for told in lowered.diagnostics() {
        voice.warn(told.to_string());
    }
    let set = match data::running(folder)? {
        Some(_) => online::import(folder, &document, &credentials, arguments.replace)?,
        None => offline::import(folder, &document, lowered, &credentials, arguments.replace)?,
    };
    voice.say(format!("{} is deployed; {set} of {} credentials of the file are set", document.name, credentials.len()));
    Ok(ExitCode::Done)
}

/// The credentials of the file beside the flow, of those nodes that the flow has.
fn credentials(arguments: &ImportArguments, document: &Document, voice: Voice) -> Result<Vec<FoundSecret>, Failure> {
    let Some(path) = &arguments.credentials else { return Ok(Vec::new()) };
    let octets = Zeroizing::new(read_file(path, CREDENTIALS_BYTES_MAX)?);
    let secret = secret(arguments.credential_secret.as_ref())?;
    let read = Credentials::read(&octets, secret.as_deref().map(String::as_str)).map_err(|error| {
        Failure::new(ExitCode::Refused, "credentials_load_failed", error).hint(
            "Name the credentialSecret of that Node-RED, or its .config.runtime.json, with --credential-secret; \
             nothing was changed.",
        )
    })?;
    if !read.were_encrypted() {
        voice.warn("the credentials file is not encrypted; delete it where nobody needs it any more");
    }
    read.secrets_of(&document.octets).map_err(|told| document::refused(document, &[*told]))
}

/// The credentialSecret: a text, or the one in Node-RED's own `.config.runtime.json`.
fn secret(from: Option<&KeyArgument>) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(from) = from else { return Ok(None) };
    let octets = Inputs::default().key(from)?;
    if let Some(made) = runtime_secret(&octets) {
        return Ok(Some(Zeroizing::new(made)));
    }
    let text = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let text = std::str::from_utf8(text)
        .map_err(|_| Failure::new(ExitCode::Unreadable, "unreadable", "the credentialSecret is not UTF-8 text"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// The flow goes to stdout. Its credentials go to a file of their own, encrypted, and only on request.
fn export(arguments: &ExportArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    if data::running(folder)?.is_some() {
        return Err(
            Failure::new(ExitCode::Away, "server_runs", "a server has this store open").hint("Stop it for the export.")
        );
    }
    let secret = secret(arguments.credential_secret.as_ref())?;
    let exported = offline::export(folder, &arguments.name)?;
    if let (Some(path), Some(secret)) = (&arguments.credentials, &secret) {
        let file = offline::sealed(&exported.credentials, secret)?;
        std::fs::write(path, file).map_err(|error| {
            Failure::new(ExitCode::Output, "output_failed", format!("cannot write {}: {error}", path.display()))
        })?;
    }
    let document = if arguments.portable { portable(&exported, voice)? } else { exported.flow };
    // As it is stored, to the octet: what comes in again is the same document.
    voice.octets(&[document.as_bytes()])?;
    Ok(ExitCode::Done)
}

/// The definition as its vendor takes it. What was left out, and what the vendor will have to be told, goes to stderr.
fn portable(exported: &offline::Exported, voice: Voice) -> Result<String, Failure> {
    if exported.kind != Kind::ApiConnect.name() {
        return Err(Failure::usage("--portable is for API definitions; a flow file is portable as it is"));
    }
    let internal = |why: String| Failure::new(ExitCode::Internal, "internal", why);
    let made = api_connect::portable(exported.flow.as_bytes()).map_err(|told| internal(told.to_string()))?;
    for pointer in made.left_out {
        voice.warn(format!("left out: {pointer}"));
    }
    for pointer in made.sealed {
        voice.warn(format!("a key is kept as a secret and does not go out: {pointer}"));
    }
    String::from_utf8(made.octets).map_err(|error| internal(error.to_string()))
}

/// The text that a credential is set to; none if it says nothing.
fn text_of(found: &FoundSecret) -> Option<&str> {
    match &found.change {
        SecretChange::Set(text) => Some(text),
        SecretChange::Keep | SecretChange::Delete => None,
    }
}
