//! What may be typed behind `chancery verify`.

use std::path::PathBuf;

use clap::Args;
use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm};

use super::keys::ReadingArguments;
use super::names;
use crate::input::{KeyArgument, SwitchArgument};
use crate::time::DurationArgument;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery verify \"$T\" --key public.pem --alg RS256 --iss https://me.example
  chancery verify - --key env:SECRET --alg HS256 < token.txt
  chancery verify \"$T\" --jwks jwks.json --alg ES256 --decrypt-key mine.jwk --aud api && echo good")]
pub(crate) struct VerifyArguments {
    /// The token, or - for stdin. A leading `Bearer ` is dropped.
    #[arg(default_value = "-")]
    pub(crate) token: String,
    /// The key that must have signed: FILE, env:NAME or fd:N holding a JWK, PEM, DER or PKCS#12 file, or an HMAC
    /// secret; or ring:NAME, a ring of the store.
    #[arg(long, value_name = "KEY", required_unless_present = "jwks")]
    pub(crate) key: Option<KeyArgument>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// A file with a JWK Set; the token's kid and algorithm choose.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) jwks: Option<PathBuf>,
    /// An algorithm that may have signed. Without it the key's own `alg` member counts.
    #[arg(long, value_parser = names::signature_algorithm())]
    pub(crate) alg: Vec<&'static SignatureAlgorithm>,
    /// The key that opens an encrypted token; a token that is only signed is then refused.
    #[arg(long, value_name = "KEY")]
    pub(crate) decrypt_key: Option<KeyArgument>,
    /// An algorithm that may have encrypted the content key. Without it the decryption key's own `alg` member counts.
    #[arg(long, value_parser = names::key_algorithm(), requires = "decrypt_key")]
    pub(crate) key_alg: Vec<&'static KeyAlgorithm>,
    /// An algorithm that may have encrypted the content.
    #[arg(long, value_parser = names::content_encryption(), default_value = "A256GCM", requires = "decrypt_key")]
    pub(crate) enc: Vec<&'static ContentEncryption>,
    /// The issuer that must stand there.
    #[arg(long)]
    pub(crate) iss: Option<String>,
    /// The audience that must stand there.
    #[arg(long)]
    pub(crate) aud: Option<String>,
    /// The subject that must stand there.
    #[arg(long)]
    pub(crate) sub: Option<String>,
    /// The `typ` that must stand in the header.
    #[arg(long)]
    pub(crate) typ: Option<String>,
    /// A claim that must be there.
    #[arg(long, value_name = "NAME")]
    pub(crate) require: Vec<String>,
    /// Tolerance for clocks that differ: 0 to 300 seconds.
    #[arg(long, value_name = "DURATION")]
    pub(crate) leeway: Option<DurationArgument>,
    /// The oldest `iat` that may stand there.
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<DurationArgument>,
    /// Open what is closed by default, such as allow_weak_hmac; each weakens something, and warns.
    #[arg(long, value_name = "SWITCH")]
    pub(crate) allow: Vec<SwitchArgument>,
}
