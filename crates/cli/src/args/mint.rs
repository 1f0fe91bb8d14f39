//! What may be typed behind `chancery mint`.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm};

use super::keys::ReadingArguments;
use super::names;
use crate::input::{KeyArgument, SwitchArgument};
use crate::time::{DurationArgument, TimeArgument};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery mint --alg ES256 --ephemeral --sub alice --ttl 15m
  chancery mint --key k.jwk --iss https://me.example --aud api --claim role=admin --claim-json 'level=3'
  chancery mint --key env:SECRET --alg HS256 --claims claims.json
  chancery mint --key k.jwk --sub alice --encrypt-to recipient.pub.jwk
  chancery mint --key env:SECRET --alg HS256 --batch users.ndjson > tokens.txt

Claims stand in this order: iss, sub, aud, exp, nbf, iat, jti, then the others as given.")]
pub(crate) struct MintArguments {
    /// The algorithm; may be left out if the key names one, or if its kind has a usual one.
    #[arg(long, value_parser = names::signature_algorithm())]
    pub(crate) alg: Option<&'static SignatureAlgorithm>,
    /// The key that signs: FILE, - (stdin), env:NAME or fd:N holding a JWK, JWK Set, PEM, DER or PKCS#12 file, or an
    /// HMAC secret; or ring:NAME, a ring of the store. Without a key, the ring named like the algorithm.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<KeyArgument>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Sign with a key made for this token and thrown away; its public JWK goes to stderr.
    #[arg(long, conflicts_with = "key", requires = "alg")]
    pub(crate) ephemeral: bool,
    /// The `kid` of the header, in place of the key's own; out of a JWK Set, the key to take.
    #[arg(long)]
    pub(crate) kid: Option<String>,
    /// The `typ` of the header; empty for none.
    #[arg(long, default_value = "JWT")]
    pub(crate) typ: String,
    /// A further header member, as text.
    #[arg(long, value_name = "NAME=TEXT")]
    pub(crate) header: Vec<String>,
    /// The issuer.
    #[arg(long)]
    pub(crate) iss: Option<String>,
    /// The subject.
    #[arg(long)]
    pub(crate) sub: Option<String>,
    /// An audience; more than one become a list.
    #[arg(long)]
    pub(crate) aud: Vec<String>,
    /// The lifetime: 90s, 15m, 1h, 7d. One hour if nothing is said.
    #[arg(long, value_name = "DURATION")]
    pub(crate) ttl: Option<DurationArgument>,
    /// The instant of expiry: seconds since 1970, RFC 3339, or +15m.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["ttl", "no_exp"])]
    pub(crate) exp: Option<TimeArgument>,
    /// Mint a token that never expires.
    #[arg(long, conflicts_with = "ttl")]
    pub(crate) no_exp: bool,
    /// Not valid before this instant.
    #[arg(long, value_name = "TIME")]
    pub(crate) nbf: Option<TimeArgument>,
    /// The instant of issue, in place of now.
    #[arg(long, value_name = "TIME")]
    pub(crate) iat: Option<TimeArgument>,
    /// A token id: the text given, or 128 random bits for `auto` or nothing.
    #[arg(long, value_name = "TEXT|auto", num_args = 0..=1, default_missing_value = "auto", require_equals = true)]
    pub(crate) jti: Option<String>,
    /// A further claim, as text.
    #[arg(long, value_name = "NAME=TEXT")]
    pub(crate) claim: Vec<String>,
    /// A further claim, as JSON.
    #[arg(long, value_name = "NAME=JSON")]
    pub(crate) claim_json: Vec<String>,
    /// Further claims: a file (or - for stdin) with one JSON object.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) claims: Option<PathBuf>,
    /// How the token is written down; a JWT is always compact.
    #[arg(long, value_enum, default_value_t = SerializationArgument::Compact)]
    pub(crate) serialization: SerializationArgument,
    /// Mint so many tokens, one a line.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "batch")]
    pub(crate) count: u32,
    #[command(flatten)]
    pub(crate) encryption: EncryptionArguments,
    #[command(flatten)]
    pub(crate) batch: BatchArguments,
    /// Open what is closed by default, such as allow_weak_hmac; each weakens something, and warns.
    #[arg(long, value_name = "SWITCH")]
    pub(crate) allow: Vec<SwitchArgument>,
}

/// A layer of encryption around the signed token.
#[derive(Args, Debug)]
#[command(next_help_heading = "Encryption")]
pub(crate) struct EncryptionArguments {
    /// Encrypt the signed token to this key: FILE, - (stdin), env:NAME or fd:N holding a JWK, JWK Set, PEM, DER or
    /// certificate, or the octets of a symmetric key or password.
    #[arg(long, value_name = "KEY")]
    pub(crate) encrypt_to: Option<KeyArgument>,
    /// How its content key is encrypted; may be left out if the key names an algorithm, or if its kind has a usual one.
    #[arg(long, value_parser = names::key_algorithm(), requires = "encrypt_to")]
    pub(crate) key_alg: Option<&'static KeyAlgorithm>,
    /// How the content is encrypted.
    #[arg(long, value_parser = names::content_encryption(), default_value = "A256GCM", requires = "encrypt_to")]
    pub(crate) enc: &'static ContentEncryption,
}

/// Many tokens in one run.
#[derive(Args, Debug)]
#[command(next_help_heading = "Many tokens")]
pub(crate) struct BatchArguments {
    /// Mint a token for each line of a file (or - for stdin): a line holds claims as a JSON object, and flags fill
    /// what it lacks. A bad line gives an empty line.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) batch: Option<PathBuf>,
    /// Use so many cores; all of them if nothing is said.
    #[arg(long, value_name = "N", requires = "batch")]
    pub(crate) jobs: Option<NonZero<usize>>,
    /// Stop at the first bad line.
    #[arg(long, requires = "batch")]
    pub(crate) fail_fast: bool,
    /// Tell on stderr how far it is; if nothing is said, on a terminal.
    #[arg(long, value_enum, value_name = "WHEN", requires = "batch")]
    pub(crate) progress: Option<ProgressArgument>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SerializationArgument {
    /// Parts with a dot between each.
    Compact,
    /// JSON for one signature or recipient.
    Flattened,
    /// JSON for several.
    General,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressArgument {
    /// Also where no person looks.
    Always,
    /// Nowhere.
    Never,
}
