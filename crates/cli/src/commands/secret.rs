//! `secret`: sets, draws, lists and deletes the secrets of documents, through the running server or in its store.

mod offline;
pub(super) mod online;

use std::io::{IsTerminal as _, stdin};
use std::path::Path;

use serde_json::json;
use server::control::Client;
use zeroize::Zeroizing;

use super::data;
use super::keys::written::{self, Destination};
use crate::args::{GenerateSecretArguments, SecretCommand};
use crate::exit::{ExitCode, Failure};
use crate::input::{Inputs, KeyArgument};
use crate::voice::Voice;

/// What a secret is set to.
enum Wish {
    /// This text.
    Value(Zeroizing<String>),
    /// Whatever this environment variable of the server holds.
    Env(String),
}

pub(super) fn run(command: &SecretCommand, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    match (command, data::running(folder)?) {
        (SecretCommand::Set { node, field, env }, client) => {
            let wish = wish(node, field, env.as_deref())?;
            match client {
                Some(client) => online::set(client, node, field, &wish)?,
                None => offline::set(folder, node, field, &wish)?,
            }
            voice.say(format!("{node}.{field} is set; it counts from the next message on"));
        }
        (SecretCommand::Generate(arguments), client) => return generate(arguments, client, folder, voice),
        (SecretCommand::List, Some(client)) => list(&online::list(client)?, voice)?,
        (SecretCommand::List, None) => list(&offline::list(folder)?, voice)?,
        (SecretCommand::Delete { node, field }, client) => {
            match client {
                Some(client) => online::delete(client, node, field)?,
                None => offline::delete(folder, node, field)?,
            }
            voice.say(format!("{node}.{field} is deleted"));
        }
    }
    Ok(ExitCode::Done)
}

/// The value: from stdin, or asked for without echo where a person sits there.
fn wish(node: &str, field: &str, env: Option<&str>) -> Result<Wish, Failure> {
    if let Some(name) = env {
        return Ok(Wish::Env(name.to_owned()));
    }
    if stdin().is_terminal() {
        return rpassword::prompt_password(format!("{node}.{field}: "))
            .map(|text| Wish::Value(Zeroizing::new(text)))
            .map_err(|error| Failure::new(ExitCode::Missing, "no_value", format!("no value was typed: {error}")));
    }
    let octets = Inputs::default().key(&KeyArgument::Stdin)?;
    let text = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let text = std::str::from_utf8(text)
        .map_err(|_| Failure::new(ExitCode::Unreadable, "unreadable", "the secret on stdin is not UTF-8 text"))?;
    Ok(Wish::Value(Zeroizing::new(text.to_owned())))
}

/// Looks first where what is shared will go: it is shown this once.
fn generate(
    arguments: &GenerateSecretArguments,
    client: Option<Client>,
    folder: &Path,
    voice: Voice,
) -> Result<ExitCode, Failure> {
    let GenerateSecretArguments { node, field, show_private, file } = arguments;
    let destination = Destination::of_jwk(file, *show_private)?.for_private(voice)?;
    let shared = match client {
        Some(client) => online::generate(client, node, field)?,
        None => offline::generate(folder, node, field)?,
    };
    voice.say(format!("{node}.{field} is set; it counts from the next message on"));
    written::write(&[shared], &destination, voice)
}

fn list(names: &[(String, String)], voice: Voice) -> Result<(), Failure> {
    names.iter().try_for_each(|(node, field)| {
        voice.result(if voice.is_json() {
            json!({ "node": node, "field": field, "set": true }).to_string()
        } else {
            format!("{node}.{field}")
        })
    })
}
