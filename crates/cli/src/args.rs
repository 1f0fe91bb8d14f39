//! What may be typed: every command, flag and example of the command line, in one place.

pub(crate) mod keys;
pub(crate) mod names;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use jose::jwa::SignatureAlgorithm;
use keys::{KeysCommand, ReadingArguments};

use crate::input::{KeyArgument, SwitchArgument};
use crate::time::{DurationArgument, TimeArgument};

/// One mint for every JWT.
#[derive(Debug, Parser)]
#[command(name = "chancery", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  chancery serve flow.json --secret igniteadmin.tokensecret=file:secret.txt
  chancery keys generate --alg ES256 --out k.jwk && chancery mint --key k.jwk --iss https://me.example --sub alice
  chancery mint --alg ES256 --ephemeral --sub alice --ttl 15m | chancery inspect

Exit codes:
  0 done                       66 file, key or store missing    78 configuration
  1 token or document refused  69 server, signer or store away  130 interrupted
  2 usage                      70 our fault
  65 unreadable input          74 output failed")]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// The data folder: store, master key, settings and control socket.
    #[arg(long, global = true, value_name = "FOLDER", env = "CHANCERY_DATA", default_value = "chancery-data")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) voice: VoiceArguments,
}

/// How the command speaks.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct VoiceArguments {
    /// Answer in JSON, one object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but warnings and errors.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// Take this instant for now: seconds since 1970, RFC 3339, or +15m. For repeatable runs.
    #[arg(long, global = true, value_name = "TIME")]
    pub(crate) now: Option<TimeArgument>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve documents: deploy them and answer their requests.
    Serve(ServeArguments),
    /// Make a data folder with its store and master key.
    Init,
    /// Read documents and say what would stand against deploying them.
    Check(CheckArguments),
    /// Say what holds and why.
    #[command(subcommand)]
    Explain(ExplainSubject),
    /// Mint one token from flags. The token goes to stdout, all else to stderr.
    Mint(Box<MintArguments>),
    /// Check a token. Its claims go to stdout; a refused token prints nothing there.
    Verify(VerifyArguments),
    /// Show what is in a token, without checking it.
    Inspect(InspectArguments),
    /// Make, check and convert keys.
    #[command(subcommand)]
    Keys(Box<KeysCommand>),
    /// Set, list and delete the secrets of deployed documents.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Bring flows in from Node-RED with their credentials, and out again.
    #[command(subcommand)]
    Flow(FlowCommand),
    /// Write the completion script of a shell to stdout.
    #[command(after_help = "Example:\n  chancery completions bash > /etc/bash_completion.d/chancery")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual pages into a folder.
    #[command(after_help = "Example:\n  chancery man ./man && man -l ./man/chancery-mint.1")]
    Man {
        /// The folder; it must exist.
        folder: PathBuf,
    },
    /// The body of a script worker; started by `serve` itself.
    #[command(hide = true)]
    ScriptWorker,
    /// Load flows and put messages in, as the lines on stdin say; for tests. Opens no listener and keeps nothing.
    #[command(hide = true)]
    Probe,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery serve flow.json --secret igniteadmin.tokensecret=env:JWT_SECRET
  chancery serve flow.json --ephemeral --runtime 127.0.0.1:9090

A secret is named by the id of its node, or by the node's name where only one has it, then the field:
the last dot separates. Its value is never an argument: env:NAME or file:PATH says where it is.")]
pub(crate) struct ServeArguments {
    /// Documents to deploy; their kind is told by their content. Without any, what was deployed before is served.
    #[arg(value_name = "DOCUMENT")]
    pub(crate) documents: Vec<PathBuf>,
    /// Keep everything in memory and nothing on disk.
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Make the data folder first if there is none.
    #[arg(long, conflicts_with = "ephemeral")]
    pub(crate) init: bool,
    /// Supply a secret for this run.
    #[arg(long, value_name = "NODE.FIELD=env:NAME|file:PATH")]
    pub(crate) secret: Vec<String>,
    /// Address of the runtime listener: live flows. A port alone means loopback; unix:PATH a socket.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) runtime: Option<String>,
    /// Address of the core listener.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) core: Option<String>,
    /// Address of the studio listener.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) studio: Option<String>,
    /// Address of the health listener; off without it.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) health: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  chancery check flow.json && echo deployable")]
pub(crate) struct CheckArguments {
    /// Documents to read. Nothing is deployed, no key is needed, nothing is sent.
    #[arg(required = true, value_name = "DOCUMENT")]
    pub(crate) documents: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExplainSubject {
    /// Every setting, its value, and where the value comes from.
    #[command(after_help = "Example:\n  chancery explain settings --data /var/lib/chancery")]
    Settings,
    /// What a document is lowered to: triggers, ops, token plans.
    #[command(after_help = "Example:\n  chancery explain plan flow.json")]
    Plan {
        /// The document.
        document: PathBuf,
    },
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery mint --alg ES256 --ephemeral --sub alice --ttl 15m
  chancery mint --key k.jwk --iss https://me.example --aud api --claim role=admin --claim-json 'level=3'
  chancery mint --key env:SECRET --alg HS256 --claims claims.json

Claims stand in this order: iss, sub, aud, exp, nbf, iat, jti, then the others as given.")]
pub(crate) struct MintArguments {
    /// The algorithm; may be left out if the key names one, or if its kind has a usual one.
    #[arg(long, value_parser = names::signature_algorithm())]
    pub(crate) alg: Option<&'static SignatureAlgorithm>,
    /// The key that signs: FILE, - (stdin), env:NAME or fd:N holding a JWK, JWK Set, PEM, DER or PKCS#12 file, or an
    /// HMAC secret.
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
    /// Open what is closed by default, such as allow_weak_hmac; each weakens something, and warns.
    #[arg(long, value_name = "SWITCH")]
    pub(crate) allow: Vec<SwitchArgument>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery verify \"$T\" --key public.pem --alg RS256 --iss https://me.example
  chancery verify - --key env:SECRET --alg HS256 < token.txt")]
pub(crate) struct VerifyArguments {
    /// The token, or - for stdin. A leading `Bearer ` is dropped.
    #[arg(default_value = "-")]
    pub(crate) token: String,
    /// The key that must have signed: FILE, env:NAME or fd:N holding a JWK, PEM, DER or PKCS#12 file, or an HMAC
    /// secret.
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

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  chancery mint --alg ES256 --ephemeral --sub alice | chancery inspect")]
pub(crate) struct InspectArguments {
    /// The token, or - for stdin. A leading `Bearer ` is dropped.
    #[arg(default_value = "-")]
    pub(crate) token: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Store a secret; its value comes from stdin or a prompt, never from an argument.
    #[command(after_help = "\
Examples:
  openssl rand -base64 48 | chancery secret set 766dcb94.6ebc04 tokensecret
  chancery secret set igniteadmin tokensecret --env JWT_SECRET")]
    Set {
        /// The id of the node, or its name where only one node has it.
        node: String,
        /// The field, such as tokensecret.
        field: String,
        /// Store a reference to this environment variable of the server in place of a value.
        #[arg(long, value_name = "NAME")]
        env: Option<String>,
    },
    /// List which secrets are set, never their values.
    List,
    /// Delete a secret.
    Delete {
        /// The id of the node, or its name where only one node has it.
        node: String,
        /// The field, such as tokensecret.
        field: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum FlowCommand {
    /// Deploy a flow file with its credentials.
    Import(ImportArguments),
    /// Write a deployed flow to stdout, and its credentials to a file on request.
    Export(ExportArguments),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery flow import flows.json
  chancery flow import flows.json --credentials flows_cred.json --credential-secret env:NODE_RED_SECRET
  chancery flow import flows.json --credentials flows_cred.json --credential-secret .config.runtime.json")]
pub(crate) struct ImportArguments {
    /// The flow file.
    pub(crate) file: PathBuf,
    /// The credentials file that Node-RED keeps beside it, usually flows_cred.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// Where the credentialSecret is that opens it, or the .config.runtime.json that holds one.
    #[arg(long, value_name = "env:NAME|file:PATH", requires = "credentials")]
    pub(crate) credential_secret: Option<KeyArgument>,
    /// Replace secrets that are set already.
    #[arg(long, requires = "credentials")]
    pub(crate) replace: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery flow export flows > flows.json
  chancery flow export flows --credentials flows_cred.json --credential-secret env:NODE_RED_SECRET > flows.json")]
pub(crate) struct ExportArguments {
    /// The name of the document.
    pub(crate) name: String,
    /// Write the credentials to this file as well, encrypted as Node-RED does it.
    #[arg(long, value_name = "FILE", requires = "credential_secret")]
    pub(crate) credentials: Option<PathBuf>,
    /// Where the credentialSecret is that will open them.
    #[arg(long, value_name = "env:NAME|file:PATH", requires = "credentials")]
    pub(crate) credential_secret: Option<KeyArgument>,
}
