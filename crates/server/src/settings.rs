//! Every setting of the server as one typed struct: `chancery.toml`, then the environment, then flags, and where each came from.

mod audit;
mod core;
mod file;
mod hsm;
mod rows;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::accept::Bind;
use crate::effects::fetch::AllowList;
use crate::log::{Form, Level};
pub use audit::AuditSettings;
pub use core::{ApiKey, CoreSettings, OfApp};
pub use hsm::{HsmSettings, PinPlace};
use rows::{ROWS, Row};

/// The file in the data folder.
pub const SETTINGS_FILE: &str = "chancery.toml";

/// The longest settings file, in octets.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;

/// What the names of environment variables begin with.
const ENVIRONMENT_PREFIX: &str = "CHANCERY_";

/// Variables under our prefix that are not settings: the command line reads them.
const NOT_SETTINGS: [&str; 1] = ["CHANCERY_DATA"];

/// What holds for this run.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The runtime listener.
    pub runtime: RuntimeSettings,
    /// The core listener.
    pub core: CoreSettings,
    /// The studio listener.
    pub studio: StudioSettings,
    /// The health listener.
    pub health: HealthSettings,
    /// Flows.
    pub flows: FlowSettings,
    /// API definitions.
    pub apis: ApiDefinitionSettings,
    /// The store.
    pub store: StoreSettings,
    /// The PKCS#11 token.
    pub hsm: HsmSettings,
    /// Copies of the audit.
    pub audit: AuditSettings,
    /// The log.
    pub log: LogSettings,
    /// Whether a flow may answer with the detail of an error (docs/contracts/security.md section 8).
    pub expose_errors: bool,
    held: Vec<Held>,
}

/// Settings of the runtime listener.
#[derive(Clone, Debug, Default)]
pub struct RuntimeSettings {
    /// Where it listens; nowhere if empty.
    pub bind: Vec<Bind>,
}

/// Settings of the studio listener.
#[derive(Clone, Debug, Default)]
pub struct StudioSettings {
    /// Where it listens; nowhere if empty.
    pub bind: Vec<Bind>,
    /// Host names that it answers under, besides those of loopback.
    pub hosts: Vec<String>,
    /// Addresses of the proxies that end TLS in front of it.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Settings of the health listener.
#[derive(Clone, Debug, Default)]
pub struct HealthSettings {
    /// Where it listens; nowhere if empty.
    pub bind: Vec<Bind>,
}

/// Settings of flows.
#[derive(Clone, Debug, Default)]
pub struct FlowSettings {
    /// How long an HTTP request waits for a flow's reply, at most `REPLY_FLOW_SECS_MAX`.
    pub http_reply_timeout: Duration,
    /// Whether a `jwt` node verifies with any HMAC algorithm, whatever its configuration names (node-red.md D4).
    pub compat_jwt_any_hmac: bool,
    /// What flows may reach although it is not public.
    pub fetch_allow: AllowList,
    /// The folder whose files flows may read; none if they may read no file.
    pub files_folder: Option<PathBuf>,
    /// Processor time of one Node-RED function call that names none itself.
    pub script_cpu: Duration,
    /// Octets of a script's heap.
    pub script_heap_bytes: usize,
}

/// Settings of API definitions.
#[derive(Clone, Debug, Default)]
pub struct ApiDefinitionSettings {
    /// Whether one may name `none` as what signs its tokens (api-connect.md section 3).
    pub allow_unsigned: bool,
    /// Whether one of which something does not run here is refused whole (api-connect.md section 10).
    pub strict: bool,
}

/// Settings of the store.
#[derive(Clone, Debug, Default)]
pub struct StoreSettings {
    /// The PostgreSQL database that it lies in; none for the data folder.
    pub url: Option<store::Address>,
    /// Where the password of that database is, if not in its URL.
    pub password: Option<PasswordPlace>,
    /// Where the master key comes from.
    pub master_key: MasterKeyPlace,
}

/// Where a password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordPlace {
    /// `file:PATH`, relative to the data folder.
    File(PathBuf),
    /// `env:NAME`: an environment variable.
    Environment(String),
}

/// Where the master key comes from (docs/contracts/keys.md section 10). Paths are relative to the data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKeyPlace {
    /// `file:PATH`: a file of its own.
    File(PathBuf),
    /// `env:NAME`: an environment variable.
    Environment(String),
    /// `passphrase-file:PATH`: a passphrase in a file.
    PassphraseFile(PathBuf),
    /// `passphrase-env:NAME`: a passphrase in an environment variable.
    PassphraseEnvironment(String),
}

impl Default for MasterKeyPlace {
    fn default() -> MasterKeyPlace {
        MasterKeyPlace::File(PathBuf::from("master.key"))
    }
}

/// Settings of the log.
#[derive(Clone, Debug, Default)]
pub struct LogSettings {
    /// The least important level that is written.
    pub level: Level,
    /// What a line looks like; by default text on a terminal, else JSON.
    pub form: Option<Form>,
}

/// One setting as it holds: what `chancery explain settings` prints.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its dotted name.
    pub name: &'static str,
    /// Its value as it was given; of a secret only whether there is one.
    pub value: String,
    /// Who says so.
    pub source: Source,
    /// What it does.
    pub about: &'static str,
}

/// Who set a value. Later ones win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody: it is the default.
    Default,
    /// A line of the settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Source::Environment(name) => write!(f, "environment, {name}"),
            Source::Flag(name) => write!(f, "flag, {name}"),
        }
    }
}

/// A setting that cannot hold, with its place.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The settings file cannot be read.
    #[error("{path}: {cause}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The settings file is not TOML.
    #[error("{path}, line {line}: this is not TOML: {why}", path = path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        why: String,
    },
    /// There is no such setting.
    #[error("{place}: there is no setting `{name}`{hint}")]
    Unknown {
        /// Where it stands.
        place: Source,
        /// What it is called there.
        name: String,
        /// `; did you mean ...?`, or nothing.
        hint: String,
    },
    /// The value is not of the kind that the setting takes.
    #[error("{place}: `{name}` takes {wanted}")]
    Invalid {
        /// Where it stands.
        place: Source,
        /// The setting.
        name: &'static str,
        /// What it takes.
        wanted: String,
    },
    /// The value would open a listener to others without protection (docs/contracts/security.md section 2).
    #[error("{place}: `{name}` is {value}, which others can reach: {remedy}")]
    Exposed {
        /// Where it stands.
        place: Source,
        /// The setting.
        name: &'static str,
        /// The address.
        value: String,
        /// What to do.
        remedy: &'static str,
    },
}

impl Settings {
    /// Reads the settings file of a data folder, if there is one, then `environment`, then `flags`, pairs of a setting's
    /// name and its value.
    ///
    /// # Errors
    /// [`SettingsError`], for the first setting that cannot hold, with its place.
    pub fn load(
        data_folder: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Settings, SettingsError> {
        let mut settings = Settings::default();
        for row in ROWS {
            settings.hold(row, row.default_values(), Source::Default)?;
        }
        for entry in file::read(&data_folder.join(SETTINGS_FILE))? {
            let row = row_of(&entry.name, &entry.place)?;
            let values = entry.values.ok_or_else(|| row.refuse(&entry.place))?;
            settings.hold(row, values, entry.place)?;
        }
        settings.read_environment(environment)?;
        for (name, value) in flags {
            let place = Source::Flag(format!("--{}", name.trim_end_matches(".bind").trim_end_matches(".url")));
            let row = row_of(name, &place)?;
            settings.hold(row, row.split(value), place)?;
        }
        settings.refuse_strangers()?;
        settings.refuse_password_in_flag()?;
        settings.refuse_exposed()?;
        Ok(settings)
    }

    /// Every setting, its value and who set it, in the order of the manual.
    #[must_use]
    pub fn explain(&self) -> &[Held] {
        &self.held
    }

    fn read_environment(
        &mut self,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), SettingsError> {
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        for (name, value, variable) in core::upstream(&environment) {
            let place = Source::Environment(variable.to_owned());
            let row = row_of(name, &place)?;
            self.hold(row, row.split(&value), place)?;
        }
        let mut strangers = Vec::new();
        for (name, value) in environment {
            if !name.starts_with(ENVIRONMENT_PREFIX) || NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            match ROWS.iter().find(|row| row.variable() == name) {
                Some(row) => self.hold(row, row.split(&value), Source::Environment(name))?,
                None => strangers.push(name),
            }
        }
        strangers.retain(|name| !self.is_secret_variable(name));
        match strangers.into_iter().next() {
            Some(name) => Err(rows::unknown_variable(name)),
            None => Ok(()),
        }
    }

    /// Whether a setting names this variable as the place of the master key or of the store's password.
    fn is_secret_variable(&self, variable: &str) -> bool {
        let of_master_key = match &self.store.master_key {
            MasterKeyPlace::Environment(name) | MasterKeyPlace::PassphraseEnvironment(name) => name == variable,
            MasterKeyPlace::File(_) | MasterKeyPlace::PassphraseFile(_) => false,
        };
        let of_password = matches!(&self.store.password, Some(PasswordPlace::Environment(name)) if name == variable);
        of_master_key || of_password
    }

    fn hold(&mut self, row: &'static Row, values: Vec<String>, source: Source) -> Result<(), SettingsError> {
        (row.set)(self, &values).map_err(|wanted| SettingsError::Invalid {
            place: source.clone(),
            name: row.name,
            wanted,
        })?;
        let held = Held { name: row.name, value: row.show(&values), source, about: row.about };
        match self.held.iter_mut().find(|known| known.name == row.name) {
            Some(known) => *known = held,
            None => self.held.push(held),
        }
        Ok(())
    }

    /// What the settings of the core say must fit together.
    fn refuse_strangers(&self) -> Result<(), SettingsError> {
        if let Some((name, app)) = self.core.stranger() {
            return Err(
                self.unfit(name, format!("entries of apps that `core.apps` names, and `{app}` is none of them"))
            );
        }
        if !self.core.speaks() {
            return Err(
                self.unfit("core.cdi_max", "a version from 2.7 to 5.6, and not below `core.cdi_min`".to_owned())
            );
        }
        Ok(())
    }

    /// What stands on a command line can be read by everybody on the machine.
    fn refuse_password_in_flag(&self) -> Result<(), SettingsError> {
        let held = self.held.iter().find(|held| held.name == "store.url");
        let by_flag = held.is_some_and(|held| matches!(held.source, Source::Flag(_)));
        if by_flag && self.store.url.as_ref().is_some_and(store::Address::has_password) {
            return Err(self.unfit(
                "store.url",
                "no password in an argument, where others can read it; `store.password` says where it is".to_owned(),
            ));
        }
        Ok(())
    }

    fn unfit(&self, name: &'static str, wanted: String) -> SettingsError {
        let held = self.held.iter().find(|held| held.name == name);
        SettingsError::Invalid { place: held.map_or(Source::Default, |held| held.source.clone()), name, wanted }
    }

    /// SE-02's rule: what others can reach is protected, or the server does not start.
    fn refuse_exposed(&self) -> Result<(), SettingsError> {
        if self.studio.trusted_proxies.is_empty() {
            self.refuse_public(
                "studio.bind",
                &self.studio.bind,
                "listen on loopback, or name the proxy that ends TLS in `studio.trusted_proxies`",
            )?;
        }
        if self.core.open_app().is_some() {
            self.refuse_public(
                "core.bind",
                &self.core.bind,
                "listen on loopback, or set `core.api_keys` for each app",
            )?;
        }
        Ok(())
    }

    fn refuse_public(&self, name: &'static str, places: &[Bind], remedy: &'static str) -> Result<(), SettingsError> {
        let Some(public) = places.iter().find(|bind| !bind.is_local()) else {
            return Ok(());
        };
        let held = self.held.iter().find(|held| held.name == name);
        Err(SettingsError::Exposed {
            place: held.map_or(Source::Default, |held| held.source.clone()),
            name,
            value: public.to_string(),
            remedy,
        })
    }
}

fn row_of(name: &str, place: &Source) -> Result<&'static Row, SettingsError> {
    ROWS.iter().find(|row| row.name == name).ok_or_else(|| SettingsError::Unknown {
        place: place.clone(),
        name: name.to_owned(),
        hint: rows::did_you_mean(name),
    })
}

#[cfg(test)]
mod tests;
