//! Keys on their way out: in the form that was asked for, to stdout or a file, private ones with care.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jose::KeyForm;
use jose::json::write_text;
use jose::jwk::Jwk;
use signer::RandomPool;
use zeroize::Zeroizing;

use crate::args::keys::{FileArguments, FormArguments, FormatArgument, PrivateArguments};
use crate::commands::key;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

/// The rights of a file with a private key, and of any other.
const MODE_PRIVATE: u32 = 0o600;
const MODE_PUBLIC: u32 = 0o644;

/// In which form a key is written, and where.
pub(in crate::commands) struct Destination<'a> {
    form: FormArguments,
    file: &'a FileArguments,
    show_private: bool,
    passphrase: Option<Zeroizing<String>>,
}

impl<'a> Destination<'a> {
    /// Reads the new passphrase, if one is named.
    pub(super) fn new(
        form: FormArguments,
        file: &'a FileArguments,
        private: Option<&PrivateArguments>,
        inputs: &Inputs,
    ) -> Result<Self, Failure> {
        let is_json = matches!(form.format, FormatArgument::Jwk | FormatArgument::Jwks);
        if is_json && form.form.is_some() {
            return Err(Failure::usage("--form is a structure inside PEM or DER").hint("Add --format pem or der."));
        }
        let passphrase = private.and_then(|private| private.new_passphrase.as_ref());
        let closes = !is_json && form.form.is_none_or(|form| KeyForm::from(form) == KeyForm::Pkcs8);
        if passphrase.is_some() && !closes {
            return Err(Failure::usage("only PKCS#8 in PEM or DER can be encrypted").hint("Add --format pem."));
        }
        let passphrase = passphrase.map(|from| key::passphrase(inputs, from)).transpose()?;
        let show_private = private.is_some_and(|private| private.show_private);
        Ok(Self { form, file, show_private, passphrase })
    }

    /// As a JWK that is to be had once: a file that stands in its way is told before.
    pub(in crate::commands) fn of_jwk(file: &'a FileArguments, show_private: bool) -> Result<Self, Failure> {
        if let Some(path) = file.out.as_ref().filter(|path| !file.force && path.exists()) {
            return Err(exists(path));
        }
        let form = FormArguments { format: FormatArgument::Jwk, form: None };
        Ok(Self { form, file, show_private, passphrase: None })
    }

    /// Refuses to show a private key on a terminal unless that was asked for.
    pub(in crate::commands) fn for_private(self, voice: Voice) -> Result<Self, Failure> {
        if self.file.out.is_none() && !self.show_private && voice.on_a_terminal() {
            return Err(Failure::usage("a private key would be shown on the terminal")
                .hint("Write it to a file with --out FILE, or say --show-private."));
        }
        Ok(self)
    }

    /// Refuses PEM and DER for a key that they have no place for.
    pub(super) fn needs_json(&self, what: &str) -> Result<(), Failure> {
        match self.form.format {
            FormatArgument::Jwk | FormatArgument::Jwks => Ok(()),
            FormatArgument::Pem | FormatArgument::Der => {
                Err(Failure::usage(format!("PEM and DER have no place for {what}")).hint("Write it as --format jwk."))
            }
        }
    }
}

pub(super) fn any_private(keys: &[Jwk]) -> bool {
    keys.iter().any(|key| matches!(key, Jwk::Private(_)))
}

/// Writes the keys and says on stderr which they are.
pub(in crate::commands) fn write(
    keys: &[Jwk],
    destination: &Destination<'_>,
    voice: Voice,
) -> Result<ExitCode, Failure> {
    let octets = encoded(keys, destination)?;
    if let Some(path) = &destination.file.out {
        let mode = if any_private(keys) { MODE_PRIVATE } else { MODE_PUBLIC };
        save(path, &octets, mode, destination.file.force)?;
        voice.say(format!("written to {}", path.display()));
    }
    for kid in keys.iter().filter_map(kid) {
        voice.say(format!("kid {kid}"));
    }
    if voice.is_json() {
        voice.result(&*as_json(keys, &octets, destination))?;
    } else if destination.file.out.is_none() {
        voice.octets(&[&octets])?;
    }
    Ok(ExitCode::Done)
}

fn encoded(keys: &[Jwk], destination: &Destination<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut out = Zeroizing::new(Vec::new());
    match (destination.form.format, keys) {
        (FormatArgument::Jwks, _) => {
            out.extend_from_slice(b"{\"keys\":[");
            for (index, key) in keys.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write_jwk(key, &mut out);
            }
            out.extend_from_slice(b"]}\n");
        }
        (FormatArgument::Jwk, [key]) => {
            write_jwk(key, &mut out);
            out.push(b'\n');
        }
        (FormatArgument::Pem, [key]) => out.extend_from_slice(pem(key, destination)?.as_bytes()),
        (FormatArgument::Der, [key]) => return der(key, destination),
        (FormatArgument::Jwk | FormatArgument::Pem | FormatArgument::Der, keys) => {
            return Err(Failure::usage(format!("the set holds {} keys, and this format one", keys.len()))
                .hint("Name one with --kid, or write --format jwks."));
        }
    }
    Ok(out)
}

fn write_jwk(key: &Jwk, out: &mut Vec<u8>) {
    match key {
        Jwk::Public(jwk) => jwk.write(out),
        Jwk::Private(jwk) => jwk.write_private(out),
    }
}

fn pem(key: &Jwk, destination: &Destination<'_>) -> Result<Zeroizing<String>, Failure> {
    let written = match (key, &destination.passphrase) {
        (Jwk::Private(jwk), Some(passphrase)) => {
            jwk.to_encrypted_pem(passphrase, &mut RandomPool::new()).map(Zeroizing::new)
        }
        (Jwk::Private(jwk), None) => jwk.to_pem(form(key, destination)),
        (Jwk::Public(jwk), _) => jwk.to_pem(form(key, destination)).map(Zeroizing::new),
    };
    written.map_err(|error| key::refused(&error))
}

fn der(key: &Jwk, destination: &Destination<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let written = match (key, &destination.passphrase) {
        (Jwk::Private(jwk), Some(passphrase)) => jwk.to_encrypted_der(passphrase, &mut RandomPool::new()),
        (Jwk::Private(jwk), None) => jwk.to_der(form(key, destination)),
        (Jwk::Public(jwk), _) => jwk.to_der(form(key, destination)).map(Zeroizing::new),
    };
    written.map_err(|error| key::refused(&error))
}

fn form(key: &Jwk, destination: &Destination<'_>) -> KeyForm {
    let usual = match key {
        Jwk::Public(_) => KeyForm::Spki,
        Jwk::Private(_) => KeyForm::Pkcs8,
    };
    destination.form.form.map_or(usual, KeyForm::from)
}

fn kid(key: &Jwk) -> Option<&str> {
    key.parameters().kid.as_deref()
}

/// `kids`, `format`, and either `out`, the file, or `key`: an object, the PEM text, or DER in base64url.
fn as_json(keys: &[Jwk], octets: &[u8], destination: &Destination<'_>) -> Zeroizing<Vec<u8>> {
    let kids: Vec<_> = keys.iter().map(kid).collect();
    let mut out = Zeroizing::new(format!("{{\"kids\":{}", serde_json::json!(kids)).into_bytes());
    let format = match destination.form.format {
        FormatArgument::Jwk => "jwk",
        FormatArgument::Jwks => "jwks",
        FormatArgument::Pem => "pem",
        FormatArgument::Der => "der",
    };
    out.extend_from_slice(format!(",\"format\":\"{format}\"").as_bytes());
    match (&destination.file.out, destination.form.format) {
        (Some(path), _) => {
            out.extend_from_slice(b",\"out\":");
            write_text(&mut out, &path.to_string_lossy());
        }
        (None, FormatArgument::Jwk | FormatArgument::Jwks) => {
            out.extend_from_slice(b",\"key\":");
            out.extend_from_slice(octets.trim_ascii_end());
        }
        (None, FormatArgument::Pem) => {
            out.extend_from_slice(b",\"key\":");
            write_text(&mut out, std::str::from_utf8(octets).expect("PEM is ASCII"));
        }
        (None, FormatArgument::Der) => {
            out.extend_from_slice(b",\"key\":\"");
            jose::base64url::encode_append(octets, &mut out);
            out.push(b'"');
        }
    }
    out.push(b'}');
    out
}

/// Makes the file with its rights from the first octet on. One that exists is replaced whole, or not touched at all.
fn save(path: &Path, octets: &[u8], mode: u32, force: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            return exists(path);
        }
        Failure::new(ExitCode::Output, "output_failed", format!("cannot write {}: {error}", path.display()))
    };
    if !force {
        return create(path, octets, mode).map_err(failed);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".new-{}", std::process::id()));
    let beside = Path::new(&beside);
    create(beside, octets, mode)
        .and_then(|()| fs::rename(beside, path).inspect_err(|_| drop(fs::remove_file(beside))))
        .map_err(failed)
}

fn exists(path: &Path) -> Failure {
    Failure::new(ExitCode::Output, "file_exists", format!("{} exists already", path.display()))
        .hint("Name another file, or replace this one with --force.")
}

fn create(path: &Path, octets: &[u8], mode: u32) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(octets).and_then(|()| file.sync_all()).inspect_err(|_| drop(fs::remove_file(path)))
}
