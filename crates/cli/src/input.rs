//! What comes in besides arguments: files, stdin, environment, inherited descriptors. Secrets are never arguments.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jose::jwa::Switch;
use zeroize::Zeroizing;

use crate::exit::{ExitCode, Failure};

/// The most octets read of a key or secret (security contract, section 5).
const KEY_IMPORT_BYTES_MAX: u64 = 64 * 1024;
/// The most octets read of claims or a token; a document from the command line has a bound of its own.
const TEXT_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Where a key or secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyArgument {
    /// In this file.
    File(PathBuf),
    /// On stdin.
    Stdin,
    /// In this environment variable.
    Env(String),
    /// Behind this inherited file descriptor.
    Descriptor(u32),
    /// In the store, as this key ring.
    Ring(String),
}

impl fmt::Display for KeyArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Stdin => f.write_str("stdin"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
            Self::Ring(name) => write!(f, "ring:{name}"),
        }
    }
}

impl FromStr for KeyArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("env:") {
            return Ok(Self::Env(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("ring:") {
            return Ok(Self::Ring(name.to_owned()));
        }
        if let Some(number) = text.strip_prefix("fd:") {
            return number.parse().map(Self::Descriptor).map_err(|_| "write fd: and a number, such as fd:3".to_owned());
        }
        if text == "-" {
            return Ok(Self::Stdin);
        }
        let path = text.strip_prefix("file:").unwrap_or(text);
        if is_literal(path) {
            return Err("a key is never an argument, where every process can see it; write a FILE, - for stdin, \
                        env:NAME, fd:N or ring:NAME"
                .to_owned());
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

/// A switch of the JOSE contract, by the name of its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SwitchArgument(pub(crate) Switch);

impl FromStr for SwitchArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Switch::ALL.into_iter().find(|switch| switch.name() == text);
        let names = || Switch::ALL.map(Switch::name).join(", ");
        found.map(Self).ok_or_else(|| format!("the switches are {}", names()))
    }
}

/// Whether the text is key material and no path: structured like a key, or a bare word that names no file.
fn is_literal(text: &str) -> bool {
    let looks_like_material = text.starts_with('{') || text.contains("-----BEGIN") || text.contains('\n');
    let looks_like_a_path = text.contains(['/', '.']);
    looks_like_material || (!looks_like_a_path && !Path::new(text).exists())
}

/// Reads inputs, stdin at most once.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    stdin_taken: Cell<bool>,
}

impl Inputs {
    /// The octets of a key or secret. Rings are not read here.
    pub(crate) fn key(&self, from: &KeyArgument) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match from {
            KeyArgument::File(path) => read_file(path, KEY_IMPORT_BYTES_MAX).map(Zeroizing::new),
            KeyArgument::Stdin => self.stdin(KEY_IMPORT_BYTES_MAX).map(Zeroizing::new),
            KeyArgument::Descriptor(number) => {
                read_file(Path::new(&format!("/dev/fd/{number}")), KEY_IMPORT_BYTES_MAX).map(Zeroizing::new)
            }
            KeyArgument::Env(name) => std::env::var(name).map(|text| Zeroizing::new(text.into_bytes())).map_err(|_| {
                Failure::new(ExitCode::Missing, "env_missing", format!("the environment variable {name} is not set"))
            }),
            KeyArgument::Ring(name) => {
                Err(Failure::new(ExitCode::Missing, "store_missing", format!("no store holds a ring named {name}")))
            }
        }
    }

    /// A text from a file, or from stdin for `-`.
    pub(crate) fn text(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        if path == Path::new("-") { self.stdin(TEXT_BYTES_MAX) } else { read_file(path, TEXT_BYTES_MAX) }
    }

    /// A file, or stdin for `-`, to be read bit by bit, and its octets where that is known.
    pub(crate) fn stream(&self, path: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>), Failure> {
        if path == Path::new("-") {
            self.take_stdin()?;
            return Ok((Box::new(io::stdin()), None));
        }
        let file = open(path)?;
        let octets = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
        Ok((Box::new(file), octets))
    }

    /// A token: the argument itself, or stdin for `-`; without a leading `Bearer ` and without a final newline.
    pub(crate) fn token(&self, argument: &str) -> Result<String, Failure> {
        let text = if argument == "-" {
            let octets = self.stdin(TEXT_BYTES_MAX)?;
            String::from_utf8(octets).map_err(|_| unreadable("the token on stdin is not text"))?
        } else {
            argument.to_owned()
        };
        let text = text.trim_end_matches(['\n', '\r']);
        Ok(text.strip_prefix("Bearer ").unwrap_or(text).to_owned())
    }

    fn stdin(&self, bytes_max: u64) -> Result<Vec<u8>, Failure> {
        self.take_stdin()?;
        bounded(io::stdin().lock(), bytes_max, "stdin")
    }

    fn take_stdin(&self) -> Result<(), Failure> {
        if self.stdin_taken.replace(true) {
            return Err(Failure::usage("stdin can be read only once, and two arguments name it"));
        }
        Ok(())
    }
}

/// Reads a file of at most `bytes_max` octets.
pub(crate) fn read_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    bounded(open(path)?, bytes_max, &path.display().to_string())
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        Failure::new(ExitCode::Missing, "file_missing", format!("cannot open {}: {error}", path.display()))
    })
}

fn bounded(source: impl Read, bytes_max: u64, name: &str) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    source
        .take(bytes_max + 1)
        .read_to_end(&mut octets)
        .map_err(|error| Failure::new(ExitCode::Missing, "file_missing", format!("cannot read {name}: {error}")))?;
    if octets.len() as u64 > bytes_max {
        return Err(unreadable(format!("{name} is larger than {bytes_max} octets")));
    }
    Ok(octets)
}

fn unreadable(message: impl Into<String>) -> Failure {
    Failure::new(ExitCode::Unreadable, "unreadable", message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_key_has_its_spelling() {
        assert_eq!("env:SECRET".parse(), Ok(KeyArgument::Env("SECRET".into())));
        assert_eq!("ring:es256".parse(), Ok(KeyArgument::Ring("es256".into())));
        assert_eq!("fd:3".parse(), Ok(KeyArgument::Descriptor(3)));
        assert_eq!("-".parse(), Ok(KeyArgument::Stdin));
        assert_eq!("./k.jwk".parse(), Ok(KeyArgument::File("./k.jwk".into())));
    }

    #[test]
    fn a_literal_key_is_refused() {
        for literal in ["hunter2", "{\"kty\":\"oct\"}", "-----BEGIN PRIVATE KEY-----"] {
            assert!(literal.parse::<KeyArgument>().is_err(), "{literal}");
        }
    }

    #[test]
    fn bearer_and_final_newline_are_dropped() {
        assert_eq!(Inputs::default().token("Bearer a.b.c\n").unwrap(), "a.b.c");
    }

    #[test]
    fn what_is_too_large_is_refused() {
        assert_eq!(bounded([0_u8; 9].as_slice(), 8, "it").unwrap_err().exit, ExitCode::Unreadable);
        assert_eq!(bounded([0_u8; 8].as_slice(), 8, "it").unwrap().len(), 8);
    }
}
