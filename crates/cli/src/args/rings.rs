//! What may be typed behind `chancery keys` about key rings, and behind `audit`, `backup` and `restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keyring::OverLife;

use super::keys::{FileArguments, FormArguments, KeyFileArguments, PrivateArguments};
use crate::input::{KeyArgument, SwitchArgument};
use crate::time::{DurationArgument, TimeArgument};

/// What may be done with the keys of rings.
#[derive(Debug, Subcommand)]
pub(crate) enum RingCommand {
    /// List the key rings, who signs, and what is published.
    List,
    /// Show every generation of a ring.
    Show(RingArgument),
    /// Make a ring and its first generation.
    Create(CreateArguments),
    /// Bring a private key in as the next generation of a ring; where keys are, it waits for the lead.
    Import(ImportKeyArguments),
    /// Write the private half of a generation to a file; that is audited.
    Export(ExportKeyArguments),
    /// Read the shared secrets of an HMAC ring, for a consumer that verifies its tokens; that is audited.
    Read(ReadArguments),
    /// Let a ring rotate: its standby signs as soon as caches allow. A static ring gets its next generation.
    Rotate(RotateArguments),
    /// Change how long the keys of a ring sign, and its tokens live; that is audited.
    Timing(TimingArguments),
    /// End the trust in a generation, at once.
    Revoke(RevokeArguments),
    /// Compare the PKCS#11 token with the rows: orphans, halves, and keys that are missing.
    Reconcile,
    /// Publish public keys again that the store lost, so that their tokens verify.
    Republish(RepublishArguments),
}

/// Names a ring.
#[derive(Args, Clone, Debug)]
pub(crate) struct RingArgument {
    /// The ring: its name, or TENANT/NAME where it is not of `public`.
    #[arg(value_name = "RING")]
    name: String,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery keys create orders --alg ES256
  chancery keys create legacy --alg RS256 --rsa-2048 --static
  chancery keys create hourly --alg EdDSA --rotation-period 1h
  chancery keys create vault --alg RS256 --in-hsm")]
pub(crate) struct CreateArguments {
    #[command(flatten)]
    pub(crate) ring: RingArgument,
    /// The algorithm that it signs with.
    #[arg(long)]
    pub(crate) alg: String,
    /// How long a generation signs; everything else is scaled to it.
    #[arg(long, value_name = "DURATION", default_value = "7d")]
    pub(crate) rotation_period: DurationArgument,
    /// Make generations only when told to; tokens may live for ever.
    #[arg(long = "static", conflicts_with = "rotation_period")]
    pub(crate) is_static: bool,
    /// RSA keys of 2 048 bits in place of 3 072.
    #[arg(long, conflicts_with = "in_hsm")]
    pub(crate) rsa_2048: bool,
    /// Sign for five minutes at most without news from the store, so that a revocation reaches every process.
    #[arg(long)]
    pub(crate) strict_revocation: bool,
    /// Keys are made in the PKCS#11 token that the settings name, and never leave it.
    #[arg(long)]
    pub(crate) in_hsm: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  chancery keys import orders old.pem --passphrase env:PASSPHRASE")]
pub(crate) struct ImportKeyArguments {
    #[command(flatten)]
    pub(crate) ring: RingArgument,
    #[command(flatten)]
    pub(crate) key: KeyFileArguments,
    /// Open what is closed by default, such as allow_weak_hmac; that is audited.
    #[arg(long, value_name = "SWITCH")]
    pub(crate) allow: Vec<SwitchArgument>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  chancery keys read legacy --reader billing --out legacy-secrets.jwks

`keys show` lists the readers of a ring, and who lacks the key that signs next: let them read again before it does.")]
pub(crate) struct ReadArguments {
    #[command(flatten)]
    pub(crate) ring: RingArgument,
    /// The consumer that they are for: small letters, digits, - _ and .
    #[arg(long, value_name = "NAME")]
    pub(crate) reader: String,
    /// Show the secrets on a terminal.
    #[arg(long)]
    pub(crate) show_private: bool,
    #[command(flatten)]
    pub(crate) file: FileArguments,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  chancery keys export orders 2 --format pem --new-passphrase env:PASSPHRASE --out orders-2.pem")]
pub(crate) struct ExportKeyArguments {
    #[command(flatten)]
    pub(crate) ring: RingArgument,
    /// The generation, by its number or its kid.
    #[arg(allow_hyphen_values = true)]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) form: FormArguments,
    #[command(flatten)]
    pub(crate) private: PrivateArguments,
    #[command(flatten)]
    pub(crate) file: FileArguments,
}

#[derive(Args, Debug)]
pub(crate) struct RotateArguments {
    #[command(flatten)]
    pub(crate) ring: RingArgument,
    /// Why, for the record.
    #[arg(long, default_value = "rotated by an operator")]
    pub(crate) reason: String,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery keys timing orders --rotation-period 1d
  chancery keys timing orders --max-lifetime 15m --over-life refuse

No key leaves the published set earlier by it. A longer life counts once every server knows of it.")]
pub(crate) struct TimingArguments {
    #[command(flatten)]
    pub(crate) ring: RingArgument,
    /// How long a generation signs; lead and cache times are scaled to it.
    #[arg(long, value_name = "DURATION", required_unless_present_any = ["max_lifetime", "over_life"])]
    pub(crate) rotation_period: Option<DurationArgument>,
    /// How long a token may live.
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_lifetime: Option<DurationArgument>,
    /// What becomes of a token that asks for more.
    #[arg(long, value_name = "cut|refuse|keep", value_parser = over_life)]
    pub(crate) over_life: Option<OverLife>,
}

fn over_life(name: &str) -> Result<OverLife, String> {
    let known = OverLife::ALL.into_iter().find(|over_life| over_life.name() == name);
    known.ok_or_else(|| "cut, refuse or keep".to_owned())
}

#[derive(Args, Debug)]
pub(crate) struct RevokeArguments {
    #[command(flatten)]
    pub(crate) ring: RingArgument,
    /// The generation, by its number or its kid.
    #[arg(allow_hyphen_values = true)]
    pub(crate) key: String,
    /// Why, for the record.
    #[arg(long, default_value = "revoked by an operator")]
    pub(crate) reason: String,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery keys republish --until +30d
  chancery keys republish old-jwks.json --until +30d")]
pub(crate) struct RepublishArguments {
    /// A JWK Set with the public keys: FILE, - (stdin), env:NAME or fd:N. Without it every key that was served from this
    /// folder, was not revoked, and that no ring has.
    #[arg(value_name = "JWKS")]
    pub(crate) keys: Option<KeyArgument>,
    /// When they leave the set: the end of the last token that they signed.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: TimeArgument,
    /// Whose set shows those of a JWK Set.
    #[arg(long, default_value = "public", requires = "keys")]
    pub(crate) tenant: String,
}

/// What may be done with the audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Walk the audit chain and the events of every ring, and name the first row that is not what was written.
    Verify,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  chancery backup /var/backups/chancery-2026-01-31.db")]
pub(crate) struct BackupArguments {
    /// The file to write; it must not exist. It opens with the master key alone, which is not in it.
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  chancery restore /var/backups/chancery-2026-01-31.db --data fresh-folder")]
pub(crate) struct RestoreArguments {
    /// The backup. The data folder must hold no store.
    pub(crate) file: PathBuf,
    /// Take it although this folder has seen a newer store.
    #[arg(long)]
    pub(crate) accept_rollback: bool,
}

impl From<&str> for RingArgument {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

impl RingArgument {
    /// Its tenant and its name.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.name.split_once('/').unwrap_or((server::vault::TENANT, &self.name))
    }

    /// Its id.
    pub(crate) fn id(&self) -> String {
        let (tenant, name) = self.parts();
        format!("{tenant}/{name}")
    }
}
