//! What may be typed: every command, flag and example of the command line, in one place.

pub(crate) mod kek;
pub(crate) mod keys;
pub(crate) mod mint;
pub(crate) mod names;
pub(crate) mod rings;
pub(crate) mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use kek::KekCommand;
use keys::{FileArguments, KeysCommand};
use mint::MintArguments;
use rings::{AuditCommand, BackupArguments, RestoreArguments};
use verify::VerifyArguments;

use crate::input::KeyArgument;
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
    Serve(Box<ServeArguments>),
    /// Make a data folder with its store and master key.
    Init(InitArguments),
    /// Read documents and say what would stand against deploying them.
    Check(CheckArguments),
    /// Say what a document mints, and what else holds and why.
    Explain(ExplainArguments),
    /// Write what a document wishes for in another dialect, and say what is not as it was.
    Convert(ConvertArguments),
    /// Mint a token from flags, or one for each line of a file. The token goes to stdout, all else to stderr.
    Mint(Box<MintArguments>),
    /// Check a token. Its claims go to stdout; a refused token prints nothing there.
    Verify(Box<VerifyArguments>),
    /// Show what is in a token, without checking it.
    Inspect(InspectArguments),
    /// Make, check and convert keys; keep the key rings.
    #[command(subcommand)]
    Keys(Box<KeysCommand>),
    /// Renew the keys that the store is sealed with.
    #[command(subcommand)]
    Kek(KekCommand),
    /// Set, list and delete the secrets of deployed documents.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Bring flows in from Node-RED with their credentials, and out again.
    #[command(subcommand)]
    Flow(FlowCommand),
    /// Check that nobody altered what was done.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copy the store of a data folder into a file, while it is in use.
    Backup(BackupArguments),
    /// Put a backup into a data folder that has no store.
    Restore(RestoreArguments),
    /// Move the store of a data folder into a PostgreSQL database, for several servers.
    Move(MoveArguments),
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
Example:
  chancery move postgres://chancery@db.example/chancery

No server may run on the folder. Everything is copied in one transaction and checked there; the file stays beside it as
chancery.db.moved, and chancery.toml names the database from then on. The master key stays what it is.")]
pub(crate) struct MoveArguments {
    /// The database, which must have no store yet. Its password stands in store.password, never here.
    #[arg(value_name = "URL")]
    pub(crate) to: String,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery init
  chancery init --store postgres://chancery@db.example/chancery

The second writes the URL into the settings file of the data folder. A password never stands in it: store.password in
the same file says where it is, as file:PATH or env:NAME.")]
pub(crate) struct InitArguments {
    /// Keep everything in this PostgreSQL database, which other servers may share: postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
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
    /// Keep everything in this PostgreSQL database, which other servers may share: postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "URL", conflicts_with = "ephemeral")]
    pub(crate) store: Option<String>,
    /// Go on with a store that is older than the one this folder has seen.
    #[arg(long, conflicts_with = "ephemeral")]
    pub(crate) accept_rollback: bool,
    /// Serve read-only from the last snapshot in the data folder, where the store itself is away.
    #[arg(long, conflicts_with_all = ["ephemeral", "init", "accept_rollback"])]
    pub(crate) start_from_snapshot: bool,
    /// How long to wait for a master key whose place is not there yet.
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub(crate) master_key_wait: DurationArgument,
    /// Supply a secret for this run.
    #[arg(long, value_name = "NODE.FIELD=env:NAME|file:PATH")]
    pub(crate) secret: Vec<String>,
    #[command(flatten)]
    pub(crate) apis: ApiArguments,
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

/// What API definitions run with.
#[derive(Args, Debug)]
pub(crate) struct ApiArguments {
    /// Catalog whose values of an API's properties count.
    #[arg(long, value_name = "NAME", default_value = "sandbox")]
    pub(crate) catalog: String,
    /// What `$(catalog.host)` stands for in an API; the listen address without it.
    #[arg(long, value_name = "HOST")]
    pub(crate) catalog_host: Option<String>,
    /// Set a property of every API for this run.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) property: Vec<String>,
    /// Bind a key to a crypto object of an API: PEM, DER, JWK, or a shared secret. NAME may hold * for any text.
    #[arg(long, value_name = "NAME=FILE|env:VARIABLE")]
    pub(crate) crypto: Vec<String>,
    /// Call this server in place of a back end of an API. HOST may have a port, or be * for every host.
    #[arg(long, value_name = "HOST=URL", conflicts_with = "stub")]
    pub(crate) backend: Vec<String>,
    /// Answer every call of an API to a back end with what was called: method, path, headers and body.
    #[arg(long)]
    pub(crate) stub: bool,
    /// Let only named clients call APIs, each with its secret if it has one. Without any, everybody may, on loopback alone.
    #[arg(long, value_name = "ID[=FILE|=env:VARIABLE]")]
    pub(crate) client: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  chancery check flow.json && echo deployable")]
pub(crate) struct CheckArguments {
    /// Documents to read. Nothing is deployed, no key is needed, nothing is sent.
    #[arg(required = true, value_name = "DOCUMENT")]
    pub(crate) documents: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  chancery convert flow.json --to api-connect > api.json
  chancery convert api.yaml --to orchestration | chancery check /dev/stdin

The document goes to stdout, what is not as it was to stderr. What would mint another token is refused, and nothing is
written. No key goes along: what to give where is said.")]
pub(crate) struct ConvertArguments {
    /// A flow file, an API definition, an orchestration flow, or the body of a `POST /recipe/jwt`.
    #[arg(value_name = "DOCUMENT")]
    pub(crate) document: PathBuf,
    /// The dialect to write.
    #[arg(long, value_name = "DIALECT")]
    pub(crate) to: Dialect,
}

/// A dialect that can be written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Dialect {
    /// A flow file of Node-RED.
    NodeRed,
    /// An API definition of API Connect.
    ApiConnect,
    /// An orchestration flow.
    Orchestration,
    /// The body of a request to a core of SuperTokens.
    Supertokens,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  chancery explain flow.json
  chancery explain --json api.yaml | jq '.warnings[].message'

For each place of the document that mints: its claims and where they come from, algorithm, key, lifetime, where the
token goes, and what RFC 8725 warns of. Nothing is deployed, no key is needed, no secret is shown.")]
pub(crate) struct ExplainArguments {
    /// A flow file, an API definition, an orchestration flow, or the body of a `POST /recipe/jwt`.
    #[arg(value_name = "DOCUMENT")]
    pub(crate) document: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) subject: Option<ExplainSubject>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExplainSubject {
    /// Every setting, its value, and where the value comes from.
    #[command(after_help = "Example:\n  chancery explain settings --data /var/lib/chancery")]
    Settings,
    /// Every algorithm: what it takes, whether it is offered, where it is defined.
    #[command(after_help = "Example:\n  chancery explain algorithms")]
    Algorithms,
    /// What a document is lowered to: triggers, ops, token plans.
    #[command(after_help = "Example:\n  chancery explain plan flow.json")]
    Plan {
        /// The document.
        document: PathBuf,
    },
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
    /// Draw the key of a JWT - Generator as its configuration asks, and store it.
    #[command(after_help = "\
Examples:
  chancery secret generate issue-token/n2 signature/asymmetric/privateKey > public.jwk
  chancery secret generate \"JWT - Generator\" signature/symmetric/password --out shared.jwk

Of a pair the public half is written. A shared secret is written whole, this once.")]
    Generate(GenerateSecretArguments),
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

#[derive(Args, Debug)]
pub(crate) struct GenerateSecretArguments {
    /// The id of the node, or its name where only one node has it.
    pub(crate) node: String,
    /// The field, such as signature/symmetric/password.
    pub(crate) field: String,
    /// Show a shared secret on a terminal.
    #[arg(long)]
    pub(crate) show_private: bool,
    #[command(flatten)]
    pub(crate) file: FileArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FlowCommand {
    /// Deploy a flow file with its credentials, or an orchestration flow.
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
  chancery flow export api --portable > api.yaml
  chancery flow export flows --credentials flows_cred.json --credential-secret env:NODE_RED_SECRET > flows.json")]
pub(crate) struct ExportArguments {
    /// The name of the document.
    pub(crate) name: String,
    /// Leave out of an API definition what only runs here, and say what: the rest is as its vendor takes it.
    #[arg(long, conflicts_with = "credentials")]
    pub(crate) portable: bool,
    /// Write the credentials to this file as well, encrypted as Node-RED does it.
    #[arg(long, value_name = "FILE", requires = "credential_secret")]
    pub(crate) credentials: Option<PathBuf>,
    /// Where the credentialSecret is that will open them.
    #[arg(long, value_name = "env:NAME|file:PATH", requires = "credentials")]
    pub(crate) credential_secret: Option<KeyArgument>,
}
