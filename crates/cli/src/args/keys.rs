//! What may be typed behind `chancery keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jose::jwa::ContentEncryption;
use jose::{KeyForm, SecretForm};

use super::names::{self, Purpose};
use super::rings::RingCommand;
use crate::input::{KeyArgument, SwitchArgument};

/// What may be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a new key and write its private JWK to stdout or a file.
    Generate(GenerateArguments),
    /// Read a key and say what it is and what it is good for.
    Check(CheckKeyArguments),
    /// Write the public half of a key.
    Public(PublicArguments),
    /// Write the RFC 7638 thumbprint of a key.
    Thumbprint(ThumbprintArguments),
    /// Write a key in another form.
    Convert(ConvertArguments),
    #[command(flatten)]
    OfRings(RingCommand),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery keys generate --alg ES256 --out k.jwk
  chancery keys generate --alg RS256 --bits 4096 --format pem --out key.pem
  chancery keys generate --alg EdDSA --format pem --new-passphrase env:PASSPHRASE --out key.pem

The key carries its `alg` and a `kid`, which goes to stderr.")]
pub(crate) struct GenerateArguments {
    /// The algorithm the key is for.
    #[arg(long, value_parser = names::purpose())]
    pub(crate) alg: Purpose,
    /// For `dir`: the content encryption that the key is as long as.
    #[arg(long, value_parser = names::content_encryption(), default_value = "A256GCM")]
    pub(crate) enc: &'static ContentEncryption,
    /// For ECDH-ES: the curve.
    #[arg(long, value_enum, default_value_t = CurveArgument::P256)]
    pub(crate) crv: CurveArgument,
    /// For RSA: bits of the modulus.
    #[arg(long, value_enum, default_value_t = BitsArgument::Bits3072)]
    pub(crate) bits: BitsArgument,
    /// The `kid`, in place of the thumbprint, or of 128 random bits for a symmetric key.
    #[arg(long)]
    pub(crate) kid: Option<String>,
    #[command(flatten)]
    pub(crate) form: FormArguments,
    #[command(flatten)]
    pub(crate) private: PrivateArguments,
    #[command(flatten)]
    pub(crate) file: FileArguments,
    /// Open what is closed by default, such as allow_ml_dsa.
    #[arg(long, value_name = "SWITCH")]
    pub(crate) allow: Vec<SwitchArgument>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery keys check key.pem
  chancery keys check jwks.json
  chancery keys check store.p12 --passphrase env:PASSPHRASE")]
pub(crate) struct CheckKeyArguments {
    #[command(flatten)]
    pub(crate) key: KeyFileArguments,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery keys public k.jwk > k.pub.jwk
  chancery keys public key.pem --format jwks --out jwks.json")]
pub(crate) struct PublicArguments {
    #[command(flatten)]
    pub(crate) key: KeyFileArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
    #[command(flatten)]
    pub(crate) file: FileArguments,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery keys thumbprint certificate.pem
  chancery keys thumbprint k.jwk --uri")]
pub(crate) struct ThumbprintArguments {
    #[command(flatten)]
    pub(crate) key: KeyFileArguments,
    /// Write it as a URI (RFC 9278).
    #[arg(long)]
    pub(crate) uri: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery keys convert key.pem --out k.jwk
  chancery keys convert k.jwk --format der --form sec1 --out key.der
  chancery keys convert store.p12 --passphrase env:OLD --format pem --new-passphrase env:NEW --out key.pem")]
pub(crate) struct ConvertArguments {
    #[command(flatten)]
    pub(crate) key: KeyFileArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
    #[command(flatten)]
    pub(crate) private: PrivateArguments,
    #[command(flatten)]
    pub(crate) file: FileArguments,
}

/// A key that is read.
#[derive(Args, Debug)]
pub(crate) struct KeyFileArguments {
    /// The key: FILE, - (stdin), env:NAME or fd:N with a JWK, JWK Set, PEM, DER or PKCS#12 file.
    #[arg(value_name = "KEY")]
    pub(crate) key: KeyArgument,
    /// The key of this `kid`, out of a JWK Set.
    #[arg(long)]
    pub(crate) kid: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
}

/// How a key is read.
#[derive(Args, Debug, Default)]
pub(crate) struct ReadingArguments {
    /// Where the passphrase is that opens the key: FILE, - (stdin), env:NAME or fd:N.
    #[arg(long, value_name = "PASSPHRASE")]
    pub(crate) passphrase: Option<KeyArgument>,
    /// Take the input for a bare symmetric secret, written like this, and not for a key file.
    #[arg(long, value_name = "FORM", value_enum, conflicts_with = "passphrase")]
    pub(crate) secret: Option<SecretFormArgument>,
}

/// How a key is written.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FormArguments {
    /// The format.
    #[arg(long, value_enum, default_value_t = FormatArgument::Jwk)]
    pub(crate) format: FormatArgument,
    /// The structure inside PEM or DER; pkcs8 for a private key and spki for a public one if nothing is said.
    #[arg(long, value_enum)]
    pub(crate) form: Option<FormArgument>,
}

/// What is said about private keys that are written.
#[derive(Args, Debug)]
pub(crate) struct PrivateArguments {
    /// Show a private key on a terminal.
    #[arg(long)]
    pub(crate) show_private: bool,
    /// Encrypt the PKCS#8 key that is written; the passphrase is in FILE, - (stdin), env:NAME or fd:N.
    #[arg(long, value_name = "PASSPHRASE")]
    pub(crate) new_passphrase: Option<KeyArgument>,
}

/// Where the result goes.
#[derive(Args, Debug)]
pub(crate) struct FileArguments {
    /// Write to this file and not to stdout; a private key with mode 0600.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArgument {
    /// A JSON Web Key.
    Jwk,
    /// A JWK Set.
    Jwks,
    /// PEM (RFC 7468).
    Pem,
    /// DER.
    Der,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormArgument {
    /// Every private key.
    Pkcs8,
    /// RSA alone.
    Pkcs1,
    /// Private EC keys alone.
    Sec1,
    /// Every public key.
    Spki,
}

impl From<FormArgument> for KeyForm {
    fn from(form: FormArgument) -> Self {
        match form {
            FormArgument::Pkcs8 => Self::Pkcs8,
            FormArgument::Pkcs1 => Self::Pkcs1,
            FormArgument::Sec1 => Self::Sec1,
            FormArgument::Spki => Self::Spki,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SecretFormArgument {
    /// The octets themselves, without one final newline.
    AsIs,
    /// Two hexadecimal digits an octet.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64url without padding.
    Base64url,
}

impl From<SecretFormArgument> for SecretForm {
    fn from(form: SecretFormArgument) -> Self {
        match form {
            SecretFormArgument::AsIs => Self::AsIs,
            SecretFormArgument::Hex => Self::Hex,
            SecretFormArgument::Base64 => Self::Base64,
            SecretFormArgument::Base64url => Self::Base64Url,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CurveArgument {
    #[value(name = "P-256")]
    P256,
    #[value(name = "P-384")]
    P384,
    #[value(name = "P-521")]
    P521,
    #[value(name = "X25519")]
    X25519,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BitsArgument {
    #[value(name = "2048")]
    Bits2048,
    #[value(name = "3072")]
    Bits3072,
    #[value(name = "4096")]
    Bits4096,
    #[value(name = "8192")]
    Bits8192,
}
