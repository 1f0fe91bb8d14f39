//! The settings, one row each: name, default, what it does, and how its text becomes its value.

use super::{Settings, SettingsError, Source};
use super::{audit, core, hsm, value};
use crate::effects::fetch::AllowList;
use crate::limits::{REPLY_FLOW_SECS_MAX, SCRIPT_HEAP_BYTES_MAX};

/// One setting.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    default: &'static str,
    kind: Kind,
    /// Parses the values into their field; the error says what the setting takes.
    pub(super) set: fn(&mut Settings, &[String]) -> Result<(), String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    Many,
    /// Many, and none of them is ever shown.
    Secrets,
    /// One address, whose password is never shown.
    Address,
}

/// Every setting, in the order of the manual.
pub(super) const ROWS: &[Row] = &[
    Row {
        name: "runtime.bind",
        about: "where live flows answer",
        default: "localhost:8080",
        kind: Kind::Many,
        set: |settings, values| value::binds(values).map(|binds| settings.runtime.bind = binds),
    },
    Row {
        name: "core.bind",
        about: "where the SuperTokens core API answers",
        default: "localhost:3567",
        kind: Kind::Many,
        set: |settings, values| value::binds(values).map(|binds| settings.core.bind = binds),
    },
    Row {
        name: "core.api_keys",
        about: "keys that callers of the core API must show one of: [APP/][NAME:]KEY",
        default: "",
        kind: Kind::Secrets,
        set: |settings, values| core::api_keys(values).map(|api_keys| settings.core.api_keys = api_keys),
    },
    Row {
        name: "core.base_path",
        about: "what precedes all paths of the core API",
        default: "",
        kind: Kind::One,
        set: |settings, values| core::base_path(values).map(|base_path| settings.core.base_path = base_path),
    },
    Row {
        name: "core.apps",
        about: "apps of the core API besides public, each with keys of its own",
        default: "",
        kind: Kind::Many,
        set: |settings, values| core::apps(values).map(|apps| settings.core.apps = apps),
    },
    Row {
        name: "core.algorithms",
        about: "what the core API signs with besides RS256: [APP/]ES256, [APP/]EdDSA",
        default: "",
        kind: Kind::Many,
        set: |settings, values| core::algorithms(values).map(|algorithms| settings.core.algorithms = algorithms),
    },
    Row {
        name: "core.rotation_period",
        about: "how long a rotating key signs, when an app gets its first one: [APP/]TIME",
        default: "",
        kind: Kind::Many,
        set: |settings, values| {
            core::rotation_periods(values).map(|rotation_periods| settings.core.rotation_periods = rotation_periods)
        },
    },
    Row {
        name: "core.jwks_max_age",
        about: "the longest time for which verifiers are told to keep a key set",
        default: "600s",
        kind: Kind::One,
        set: |settings, values| {
            core::jwks_max_age(values).map(|jwks_max_age| settings.core.jwks_max_age = jwks_max_age)
        },
    },
    Row {
        name: "core.cdi_min",
        about: "the least cdi-version that is answered",
        default: "",
        kind: Kind::One,
        set: |settings, values| core::version(values).map(|cdi_min| settings.core.cdi_min = cdi_min),
    },
    Row {
        name: "core.cdi_max",
        about: "the greatest cdi-version that is advertised",
        default: "",
        kind: Kind::One,
        set: |settings, values| core::version(values).map(|cdi_max| settings.core.cdi_max = cdi_max),
    },
    Row {
        name: "studio.bind",
        about: "where Studio and the admin API answer",
        default: "localhost:1880",
        kind: Kind::Many,
        set: |settings, values| value::binds(values).map(|binds| settings.studio.bind = binds),
    },
    Row {
        name: "studio.hosts",
        about: "host names that Studio answers under, besides those of loopback",
        default: "",
        kind: Kind::Many,
        set: |settings, values| {
            settings.studio.hosts = values.to_vec();
            Ok(())
        },
    },
    Row {
        name: "studio.trusted_proxies",
        about: "addresses of the proxies that end TLS in front of Studio",
        default: "",
        kind: Kind::Many,
        set: |settings, values| {
            value::all(values, "addresses such as 10.0.0.7").map(|proxies| settings.studio.trusted_proxies = proxies)
        },
    },
    Row {
        name: "health.bind",
        about: "where health words and metrics answer",
        default: "off",
        kind: Kind::Many,
        set: |settings, values| value::binds(values).map(|binds| settings.health.bind = binds),
    },
    Row {
        name: "flows.http.reply_timeout",
        about: "how long an HTTP request waits for its flow's reply",
        default: "30s",
        kind: Kind::One,
        set: |settings, values| {
            value::duration(values, REPLY_FLOW_SECS_MAX).map(|timeout| settings.flows.http_reply_timeout = timeout)
        },
    },
    Row {
        name: "flows.compat.jwt_any_hmac",
        about: "verify with HS256, HS384 and HS512 whatever a jwt-config names, as Node-RED does",
        default: "false",
        kind: Kind::One,
        set: |settings, values| value::flag(values).map(|on| settings.flows.compat_jwt_any_hmac = on),
    },
    Row {
        name: "flows.fetch.allow",
        about: "what flows may reach although it is not public, HOST:PORT or HOST:* each",
        default: "",
        kind: Kind::Many,
        set: |settings, values| {
            let wanted =
                |wrong| format!("pairs of HOST:PORT such as 10.0.0.7:8443 or inner.example:443, not `{wrong}`");
            AllowList::parse(values).map(|list| settings.flows.fetch_allow = list).map_err(wanted)
        },
    },
    Row {
        name: "flows.files.folder",
        about: "the folder whose files flows may read; none if empty",
        default: "",
        kind: Kind::One,
        set: |settings, values| value::folder(values).map(|folder| settings.flows.files_folder = folder),
    },
    Row {
        name: "flows.script.cpu",
        about: "processor time of one function call that names none itself",
        default: "10s",
        kind: Kind::One,
        set: |settings, values| value::duration(values, REPLY_FLOW_SECS_MAX).map(|cpu| settings.flows.script_cpu = cpu),
    },
    Row {
        name: "flows.script.heap_bytes",
        about: "memory of one script",
        default: "67108864",
        kind: Kind::One,
        set: |settings, values| {
            let range = 1_024 * 1_024..=16 * SCRIPT_HEAP_BYTES_MAX;
            value::whole(values, range).map(|octets| settings.flows.script_heap_bytes = octets)
        },
    },
    Row {
        name: "apis.allow_unsigned",
        about: "make tokens with alg none where an API definition names it: anybody can write or change one, unnoticed",
        default: "false",
        kind: Kind::One,
        set: |settings, values| value::flag(values).map(|on| settings.apis.allow_unsigned = on),
    },
    Row {
        name: "apis.strict",
        about: "refuse an API definition of which something does not run here, instead of failing the requests that reach it",
        default: "false",
        kind: Kind::One,
        set: |settings, values| value::flag(values).map(|on| settings.apis.strict = on),
    },
    Row {
        name: "store.url",
        about: "the PostgreSQL database that several servers share, postgres://USER@HOST/DATABASE; none: the data folder",
        default: "",
        kind: Kind::Address,
        set: |settings, values| value::address(values).map(|url| settings.store.url = url),
    },
    Row {
        name: "store.password",
        about: "where the password of that database is: file:PATH or env:NAME",
        default: "",
        kind: Kind::One,
        set: |settings, values| value::password(values).map(|place| settings.store.password = place),
    },
    Row {
        name: "store.master_key",
        about: "where the key comes from that everything secret is sealed under",
        default: "file:master.key",
        kind: Kind::One,
        set: |settings, values| value::master_key(values).map(|place| settings.store.master_key = place),
    },
    Row {
        name: "hsm.module",
        about: "the PKCS#11 module of the token that keeps the keys of some rings; empty for none",
        default: "",
        kind: Kind::One,
        set: |settings, values| value::folder(values).map(|path| settings.hsm.module = path),
    },
    Row {
        name: "hsm.token",
        about: "the label of that token",
        default: "chancery",
        kind: Kind::One,
        set: |settings, values| value::one(values).map(|label| settings.hsm.token = label.to_owned()),
    },
    Row {
        name: "hsm.pin",
        about: "where its user's PIN is: file:PATH or env:NAME",
        default: "file:hsm.pin",
        kind: Kind::One,
        set: |settings, values| hsm::pin(values).map(|place| settings.hsm.pin = place),
    },
    Row {
        name: "audit.sink",
        about: "where a copy of each audit row goes, as a line of JSON: file:PATH or unix:PATH; empty for nowhere",
        default: "",
        kind: Kind::One,
        set: |settings, values| audit::sink(values).map(|sink| settings.audit.sink = sink),
    },
    Row {
        name: "audit.sink_policy",
        about: "while that place is away: buffer 10 000 rows and then refuse changes, or fail_closed, at once",
        default: "buffer",
        kind: Kind::One,
        set: |settings, values| audit::policy(values).map(|policy| settings.audit.policy = policy),
    },
    Row {
        name: "log.level",
        about: "the least important lines that are written: error, warn, info, debug",
        default: "info",
        kind: Kind::One,
        set: |settings, values| value::one(values).and_then(str::parse).map(|level| settings.log.level = level),
    },
    Row {
        name: "log.form",
        about: "json, text, or auto: text on a terminal",
        default: "auto",
        kind: Kind::One,
        set: |settings, values| value::form(values).map(|form| settings.log.form = form),
    },
    Row {
        name: "expose_errors",
        about: "whether a flow may answer with the detail of an error",
        default: "false",
        kind: Kind::One,
        set: |settings, values| value::flag(values).map(|on| settings.expose_errors = on),
    },
];

impl Row {
    pub(super) fn default_values(&self) -> Vec<String> {
        self.split(self.default)
    }

    /// The values in a text from the environment or a flag: lists are separated by commas.
    pub(super) fn split(&self, text: &str) -> Vec<String> {
        match self.kind {
            Kind::One | Kind::Address => vec![text.trim().to_owned()],
            Kind::Many | Kind::Secrets => {
                text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
            }
        }
    }

    /// The environment variable of this setting: `flows.http.reply_timeout` is `CHANCERY_FLOWS__HTTP__REPLY_TIMEOUT`.
    pub(super) fn variable(&self) -> String {
        let name = self.name.replace('.', "__").to_ascii_uppercase();
        format!("{}{name}", super::ENVIRONMENT_PREFIX)
    }

    pub(super) fn show(&self, values: &[String]) -> String {
        match self.kind {
            Kind::One | Kind::Many => values.join(", "),
            Kind::Secrets if values.is_empty() => "not set".to_owned(),
            Kind::Secrets => "set".to_owned(),
            Kind::Address => value::address(values).ok().flatten().map_or(String::new(), |url| url.to_string()),
        }
    }

    /// A value of a kind that no setting takes: a table, a float, a date.
    pub(super) fn refuse(&self, place: &Source) -> SettingsError {
        let wanted = match self.kind {
            Kind::One | Kind::Address => "a text, a whole number, true or false",
            Kind::Many | Kind::Secrets => "a text or a list of texts",
        };
        SettingsError::Invalid { place: place.clone(), name: self.name, wanted: wanted.to_owned() }
    }
}

pub(super) fn unknown_variable(name: String) -> SettingsError {
    let nearest = nearest(&name, ROWS.iter().map(Row::variable));
    SettingsError::Unknown { hint: hint(nearest), place: Source::Environment(name.clone()), name }
}

pub(super) fn did_you_mean(name: &str) -> String {
    hint(nearest(name, ROWS.iter().map(|row| row.name.to_owned())))
}

fn hint(nearest: Option<String>) -> String {
    nearest.map_or(String::new(), |name| format!("; did you mean `{name}`?"))
}

/// The name that fewest changes of a letter lead to, if they are few.
fn nearest(wrong: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let near = names.map(|name| (changes(wrong, &name), name));
    near.filter(|(count, _)| *count <= 1 + wrong.len() / 5).min().map(|(_, name)| name)
}

/// Levenshtein's distance.
fn changes(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
