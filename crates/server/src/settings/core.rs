//! Settings of the core listener: apps and their API keys, of which only digests are kept, and the names that upstream gives them.

use std::collections::BTreeMap;
use std::time::Duration;

use dialects::supertokens::{PUBLIC, Version, Versions, is_app_name};
use jose::jwa::SignatureAlgorithm;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use super::value;
use crate::accept::Bind;

/// Characters that an API key has at least (docs/contracts/supertokens.md section 3.5).
const API_KEY_CHARS_MIN: usize = 20;
/// Characters that the name of an API key has at most.
const KEY_NAME_CHARS_MAX: usize = 64;
/// For how long a rotating key signs if nothing is said about it, in seconds.
const ROTATION_PERIOD_SECS: u64 = 168 * 3_600;
/// The shortest time for which a rotating key signs, in seconds: upstream takes no less.
const ROTATION_PERIOD_SECS_MIN: u64 = 3_600;
/// The longest, in seconds: ten years.
const ROTATION_PERIOD_SECS_MAX: u64 = 315_576_000;
/// The longest time for which a key set may be kept, in seconds.
const JWKS_SECS_MAX: u64 = 86_400;
/// What an app may be given besides RS256, which each has.
const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// Settings of the core listener.
#[derive(Clone, Debug, Default)]
pub struct CoreSettings {
    /// Where it listens; nowhere if empty.
    pub bind: Vec<Bind>,
    /// What precedes all paths: empty, or `/` and names in lower case without a slash at the end.
    pub base_path: String,
    /// The apps besides `public`.
    pub apps: Vec<String>,
    /// The API keys of all apps.
    pub api_keys: Vec<ApiKey>,
    /// What apps sign with besides RS256.
    pub algorithms: Vec<OfApp<&'static SignatureAlgorithm>>,
    /// For how long the rotating key of an app signs; that of a later entry counts.
    pub rotation_periods: Vec<OfApp<Duration>>,
    /// The longest time for which verifiers are told to keep a key set.
    pub jwks_max_age: Duration,
    /// The least version of the interface that is answered.
    pub cdi_min: Option<Version>,
    /// The greatest version of the interface that is advertised.
    pub cdi_max: Option<Version>,
}

/// A value that belongs to one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfApp<T> {
    /// The app.
    pub app: String,
    /// The value.
    pub value: T,
}

/// An API key of one app. The key itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The app that it opens.
    pub app: String,
    /// Its name, for records: its own, or `key-1` for the first of all and so on.
    pub name: String,
    digest: [u8; 32],
}

impl ApiKey {
    /// Which of these keys is shown, by its place. Every one of them is compared, and each takes as long as any other.
    pub fn find(keys: &[ApiKey], shown: &str) -> Option<usize> {
        let digest: [u8; 32] = Sha256::digest(shown).into();
        let (mut found, mut place) = (subtle::Choice::from(0), 0_u32);
        for (at, key) in (0_u32..).zip(keys) {
            let equal = key.digest.ct_eq(&digest);
            place.conditional_assign(&at, equal);
            found |= equal;
        }
        bool::from(found).then_some(place as usize)
    }
}

impl CoreSettings {
    /// Every app, `public` first.
    pub fn app_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(PUBLIC).chain(self.apps.iter().map(String::as_str))
    }

    /// What an app signs with, RS256 first.
    #[must_use]
    pub fn algorithms_of(&self, app: &str) -> Vec<&'static SignatureAlgorithm> {
        let mut rows = vec![row("RS256").expect("RS256 is a row of the table")];
        for of in self.algorithms.iter().filter(|of| of.app == app) {
            if !rows.iter().any(|known| known.name == of.value.name) {
                rows.push(of.value);
            }
        }
        rows
    }

    /// For how long the rotating key of an app signs, 168 hours if nothing is said about it.
    #[must_use]
    pub fn rotation_period_of(&self, app: &str) -> Duration {
        let own = self.rotation_periods.iter().rev().find(|of| of.app == app);
        own.map_or(Duration::from_secs(ROTATION_PERIOD_SECS), |of| of.value)
    }

    /// The versions of the interface that are spoken.
    #[must_use]
    pub fn versions(&self) -> Versions {
        // Bounds that leave none are refused when the settings are read.
        Versions::between(self.cdi_min.clone(), self.cdi_max.clone()).unwrap_or_default()
    }

    /// The first setting that names an app which there is not, with the name of the app.
    pub(super) fn stranger(&self) -> Option<(&'static str, &str)> {
        let keys = self.api_keys.iter().map(|key| ("core.api_keys", key.app.as_str()));
        let algorithms = self.algorithms.iter().map(|of| ("core.algorithms", of.app.as_str()));
        let periods = self.rotation_periods.iter().map(|of| ("core.rotation_period", of.app.as_str()));
        let mut named = keys.chain(algorithms).chain(periods);
        named.find(|(_, app)| !self.app_names().any(|known| known == *app))
    }

    /// The first app that anybody can use: it has no API key.
    pub(super) fn open_app(&self) -> Option<&str> {
        self.app_names().find(|app| !self.api_keys.iter().any(|key| key.app == *app))
    }

    /// Whether any advertised version is left between the bounds.
    pub(super) fn speaks(&self) -> bool {
        Versions::between(self.cdi_min.clone(), self.cdi_max.clone()).is_some()
    }
}

/// `/auth/core/` as it is compared: `/auth/core`.
pub(super) fn base_path(values: &[String]) -> Result<String, String> {
    let path = value::one(values)?.trim_matches('/').to_ascii_lowercase();
    let named =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    match path.as_str() {
        "" => Ok(String::new()),
        path if path.split('/').all(named) => Ok(format!("/{path}")),
        _ => Err("a path of letters, digits, - . _ and ~ between slashes".to_owned()),
    }
}

pub(super) fn apps(values: &[String]) -> Result<Vec<String>, String> {
    match values.iter().all(|name| is_app_name(name) && name != PUBLIC) {
        true => Ok(values.to_vec()),
        false => Err("names of lower-case letters, digits and hyphens other than public".to_owned()),
    }
}

/// Every value is `KEY`, `NAME:KEY`, `APP/KEY` or `APP/NAME:KEY`.
pub(super) fn api_keys(values: &[String]) -> Result<Vec<ApiKey>, String> {
    (1..).zip(values).map(|(number, value)| api_key(number, value)).collect()
}

fn api_key(number: usize, value: &str) -> Result<ApiKey, String> {
    const FORM: &str = "[APP/][NAME:]KEY, or several with commas between them";
    let OfApp { app, value } = of_app(value);
    let (name, key) = value.split_once(':').unwrap_or(("", value));
    let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'=' || c == b'-';
    if !key.bytes().all(allowed) {
        return Err(format!(
            "{FORM}. Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)"
        ));
    }
    if key.len() < API_KEY_CHARS_MIN {
        return Err(format!("{FORM}. One of the API keys is too short. Please use at least 20 characters"));
    }
    let named = |c: u8| c.is_ascii_alphanumeric() || b"-._".contains(&c);
    if name.len() > KEY_NAME_CHARS_MAX || !name.bytes().all(named) {
        return Err(format!("{FORM}, each NAME of letters, digits, - . and _"));
    }
    let name = if name.is_empty() { format!("key-{number}") } else { name.to_owned() };
    Ok(ApiKey { app, name, digest: Sha256::digest(key).into() })
}

pub(super) fn algorithms(values: &[String]) -> Result<Vec<OfApp<&'static SignatureAlgorithm>>, String> {
    let parse = |value: &String| {
        let OfApp { app, value } = of_app(value);
        let row = row(value).ok_or_else(|| format!("[APP/]NAME with one of {}", ALGORITHMS.join(", ")))?;
        Ok(OfApp { app, value: row })
    };
    values.iter().map(parse).collect()
}

pub(super) fn rotation_periods(values: &[String]) -> Result<Vec<OfApp<Duration>>, String> {
    let parse = |value: &String| {
        let OfApp { app, value } = of_app(value);
        let period = value::duration(&[value.to_owned()], ROTATION_PERIOD_SECS_MAX).ok();
        let period = period.filter(|period| period.as_secs() >= ROTATION_PERIOD_SECS_MIN);
        let period = period.ok_or("[APP/]TIME such as 168h, from 1h to ten years")?;
        Ok(OfApp { app, value: period })
    };
    values.iter().map(parse).collect()
}

pub(super) fn jwks_max_age(values: &[String]) -> Result<Duration, String> {
    let age = value::duration(values, JWKS_SECS_MAX)?;
    (age.as_secs() > 0).then_some(age).ok_or_else(|| "a duration of at least 1s".to_owned())
}

/// A version, or none for no text.
pub(super) fn version(values: &[String]) -> Result<Option<Version>, String> {
    match value::one(values)? {
        "" => Ok(None),
        text => Version::parse(text).map(Some).ok_or_else(|| "a version such as 5.4".to_owned()),
    }
}

/// The settings that upstream's own names stand for: name, value, and the variable that says so.
pub(super) fn upstream(environment: &BTreeMap<String, String>) -> Vec<(&'static str, String, &'static str)> {
    let get = |variable: &str| environment.get(variable).filter(|value| !value.trim().is_empty()).cloned();
    let mut found = Vec::new();
    let (host, port) = (get("SUPERTOKENS_HOST"), get("SUPERTOKENS_PORT"));
    let variable = if host.is_some() { "SUPERTOKENS_HOST" } else { "SUPERTOKENS_PORT" };
    if host.is_some() || port.is_some() {
        let port = port.unwrap_or_else(|| "3567".to_owned());
        let host = host
            .map_or(String::new(), |host| if host.contains(':') { format!("[{host}]:") } else { format!("{host}:") });
        found.push(("core.bind", format!("{host}{port}"), variable));
    }
    let hours = "ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL";
    found.extend(get("API_KEYS").map(|keys| ("core.api_keys", keys, "API_KEYS")));
    found.extend(get("BASE_PATH").map(|path| ("core.base_path", path, "BASE_PATH")));
    found.extend(get(hours).map(|count| ("core.rotation_period", format!("{}h", count.trim()), hours)));
    found
}

fn of_app(value: &str) -> OfApp<&str> {
    let (app, value) = value.split_once('/').unwrap_or((PUBLIC, value));
    OfApp { app: app.to_owned(), value }
}

fn row(name: &str) -> Option<&'static SignatureAlgorithm> {
    ALGORITHMS.contains(&name).then(|| SignatureAlgorithm::by_name(name).ok()).flatten()
}
