//! What `serve` was told of API definitions: catalog, properties, keys of crypto objects, clients.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use dialects::api_connect::{ClientSecret, Clients, crypto_key};
use jose::jwk::Jwk;
use jose::{PrivateJwk, SecretForm};
use server::accept::Bind;
use server::deployment::ApiSettings;
use server::effects::fetch::Backends;
use server::settings::Settings;
use server::vault::Vault;

use crate::args::ApiArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::{Inputs, KeyArgument};

/// Reads all that was named, and hands the keys to the signer.
pub(super) fn settings(arguments: &ApiArguments, settings: &Settings, vault: &Vault) -> Result<ApiSettings, Failure> {
    let bind = &settings.runtime.bind;
    let inputs = Inputs::default();
    let mut crypto = Vec::new();
    for argument in &arguments.crypto {
        let (name, place) = named(argument, "--crypto takes NAME=FILE or NAME=env:VARIABLE; NAME may hold *")?;
        vault.signer().give_key(crypto_key(name), key(name, &inputs.key(&place)?)?);
        crypto.push(name.to_owned());
    }
    Ok(ApiSettings {
        catalog: arguments.catalog.clone(),
        host: arguments.catalog_host.clone().unwrap_or_else(|| host(bind)),
        properties: properties(&arguments.property)?,
        crypto,
        backends: Arc::new(backends(arguments)?),
        clients: clients(&arguments.client, &inputs)?,
        allow_unsigned: settings.apis.allow_unsigned,
        strict: settings.apis.strict,
        is_public: bind.iter().any(|bind| !bind.is_local()),
    })
}

fn backends(arguments: &ApiArguments) -> Result<Backends, Failure> {
    if arguments.stub {
        return Ok(Backends::stub());
    }
    let usage = |entry| Failure::usage(format!("--backend takes HOST=URL, the URL without a path; not {entry}"));
    Backends::parse(&arguments.backend).map_err(usage)
}

fn properties(arguments: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |argument: &String| {
        let pair = argument.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = pair.ok_or_else(|| Failure::usage("--property takes NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    arguments.iter().map(pair).collect()
}

/// The clients that may call; any, if none is named.
fn clients(arguments: &[String], inputs: &Inputs) -> Result<Clients, Failure> {
    let mut known = BTreeMap::new();
    for argument in arguments {
        if argument.contains('=') {
            let (id, place) = named(argument, "--client takes ID, ID=FILE or ID=env:VARIABLE")?;
            let secret = inputs.key(&place)?;
            let text = std::str::from_utf8(&secret).map_err(|_| Failure::usage("a client's secret is text"))?;
            known.insert(id.to_owned(), Some(ClientSecret::of(text.trim_end_matches(['\r', '\n']))));
        } else {
            known.insert(argument.clone(), None);
        }
    }
    Ok(if known.is_empty() { Clients::Any } else { Clients::Registered(known) })
}

fn named<'a>(argument: &'a str, usage: &'static str) -> Result<(&'a str, KeyArgument), Failure> {
    let (name, place) =
        argument.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| Failure::usage(usage))?;
    let place = match place.split_once(':') {
        Some(("env", variable)) => KeyArgument::Env(variable.to_owned()),
        Some(("file", path)) => KeyArgument::File(PathBuf::from(path)),
        Some(_) | None => KeyArgument::File(PathBuf::from(place)),
    };
    Ok((name, place))
}

/// A key in PEM, DER or JWK; anything else is a shared secret, octet for octet, but for the line's end.
fn key(name: &str, octets: &[u8]) -> Result<Jwk, Failure> {
    let begins = |mark: &[u8]| octets.trim_ascii_start().starts_with(mark);
    let read = if begins(b"-----BEGIN") || begins(b"{") {
        Jwk::import(octets)
    } else {
        let bare = octets.strip_suffix(b"\n").unwrap_or(octets);
        Jwk::import(octets).or_else(|_| PrivateJwk::from_secret(bare, SecretForm::AsIs).map(Jwk::Private))
    };
    read.map_err(|error| Failure::new(ExitCode::Refused, "key_unusable", format!("--crypto {name}: {error}")))
}

/// The listen address, as a caller would write it.
fn host(bind: &[Bind]) -> String {
    match bind.first() {
        Some(Bind::Loopback(port)) => format!("localhost:{port}"),
        Some(Bind::Tcp(address)) => address.to_string(),
        Some(Bind::Unix(_)) | None => "localhost".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_it_looks_like() {
        let shape = |octets: &[u8]| match key("n", octets) {
            Ok(Jwk::Private(key)) => format!("{:?}", key.shape()),
            Ok(Jwk::Public(_)) => "public".to_owned(),
            Err(_) => "refused".to_owned(),
        };
        assert_eq!(shape(b"secret\n"), "OctExact(6)");
        assert_eq!(shape(br#"{"kty":"oct","k":"AAAA"}"#), "OctExact(3)");
        assert_eq!(shape(b"-----BEGIN NONSENSE"), "refused");
    }

    #[test]
    fn clients_are_any_until_one_is_named() {
        let inputs = Inputs::default();
        assert_eq!(clients(&[], &inputs).ok(), Some(Clients::Any));
        let one = clients(&["me".to_owned()], &inputs).ok();
        assert_eq!(one, Some(Clients::Registered([("me".to_owned(), None)].into())));
    }
}
