//! Where a PostgreSQL store is, read from a `postgres://` URL and never shown with its password.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use url::{Host as UrlHost, Url};

use super::limits;
use crate::Error;

/// The longest URL, in octets.
const URL_BYTES_MAX: usize = 4_096;
/// What a URL may say behind its `?`, besides how the connection is protected.
const OPTIONS: [&str; 3] = ["host", "application_name", "channel_binding"];

/// The address of a PostgreSQL store.
#[derive(Clone)]
pub struct Address {
    pub(super) config: Config,
    pub(super) protection: Protection,
    pub(super) statement: Duration,
    pub(super) idle_in_transaction: Duration,
    shown: String,
}

/// How a connection is protected on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// It stays on this machine, or the URL says `sslmode=disable`.
    Plain,
    /// TLS, and the server's certificate must be for its name, under these roots or the public ones.
    Tls { roots: Option<PathBuf> },
}

impl Address {
    /// Reads a URL such as `postgres://chancery@db.example/chancery`. Without a `sslmode` a connection that leaves this
    /// machine is protected by TLS; `require` and `verify-full` are the same here, since TLS towards somebody unknown
    /// protects nothing. `sslrootcert=FILE` names a CA of one's own.
    ///
    /// # Errors
    /// [`Error::Address`], which repeats nothing of the URL.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let refuse = |why| Error::Address { why };
        if url.len() > URL_BYTES_MAX {
            return Err(refuse("it has more than 4096 octets"));
        }
        let mut parsed = Url::parse(url).map_err(|_| refuse("it is no URL"))?;
        if !["postgres", "postgresql"].contains(&parsed.scheme()) {
            return Err(refuse("it does not begin with postgres://"));
        }
        let (mut kept, mut ssl_mode, mut roots) = (Vec::new(), None, None);
        for (name, value) in parsed.query_pairs().into_owned() {
            match name.as_str() {
                "sslmode" => ssl_mode = Some(value),
                "sslrootcert" => roots = Some(PathBuf::from(value)),
                name if OPTIONS.contains(&name) => kept.push((name.to_owned(), value)),
                _ => return Err(refuse("it has an option besides sslmode, sslrootcert, host and application_name")),
            }
        }
        parsed.set_query(None);
        if !kept.is_empty() {
            parsed.query_pairs_mut().extend_pairs(kept);
        }
        let mut config = Config::from_str(parsed.as_str()).map_err(|_| refuse("it cannot be read as a connection"))?;
        let protection = protection(ssl_mode.as_deref(), roots, &config)?;
        bound(&mut config, &protection);
        let (statement, idle_in_transaction) = (limits::STATEMENT, limits::IDLE_IN_TRANSACTION);
        Ok(Self { config, protection, statement, idle_in_transaction, shown: shown(&parsed) })
    }

    /// The same with this password, in place of the one in the URL.
    #[must_use]
    pub fn with_password(mut self, password: &[u8]) -> Self {
        self.config.password(password);
        self
    }

    /// The same with shorter waits for a statement and for the next one of an open transaction: what bounds X, for a store
    /// whose write window is shorter than the usual minute.
    #[must_use]
    pub fn with_limits(mut self, statement: Duration, idle_in_transaction: Duration) -> Self {
        self.statement = statement.min(limits::STATEMENT);
        self.idle_in_transaction = idle_in_transaction.min(limits::IDLE_IN_TRANSACTION);
        self
    }

    /// Whether the URL itself holds a password.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// As it stands in messages about a place in the file system.
    pub(crate) fn as_place(&self) -> PathBuf {
        PathBuf::from(&self.shown)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

fn protection(mode: Option<&str>, roots: Option<PathBuf>, config: &Config) -> Result<Protection, Error> {
    match mode {
        Some("disable") => Ok(Protection::Plain),
        Some("require" | "verify-full") => Ok(Protection::Tls { roots }),
        Some(_) => Err(Error::Address { why: "its sslmode is none of disable, require and verify-full" }),
        None if roots.is_none() && config.get_hosts().iter().all(stays_here) => Ok(Protection::Plain),
        None => Ok(Protection::Tls { roots }),
    }
}

fn stays_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
    }
}

/// Only a primary counts, and nothing is waited for longer than the contract says.
fn bound(config: &mut Config, protection: &Protection) {
    config.ssl_mode(match protection {
        Protection::Plain => SslMode::Disable,
        Protection::Tls { .. } => SslMode::Require,
    });
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    config.connect_timeout(limits::CONNECT);
    config.tcp_user_timeout(limits::TCP_USER);
    if config.get_application_name().is_none() {
        config.application_name("chancery");
    }
}

fn shown(url: &Url) -> String {
    let user = if url.username().is_empty() { String::new() } else { format!("{}@", url.username()) };
    let host = match url.host() {
        None => String::new(),
        Some(UrlHost::Domain(name)) => name.to_owned(),
        Some(UrlHost::Ipv4(address)) => address.to_string(),
        Some(UrlHost::Ipv6(address)) => format!("[{address}]"),
    };
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("postgres://{user}{host}{port}{}", url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protection_of(url: &str) -> Protection {
        Address::parse(url).unwrap().protection
    }

    #[test]
    fn what_leaves_the_machine_is_protected() {
        let tls = Protection::Tls { roots: None };
        for here in ["127.0.0.1:5432", "localhost", "[::1]:5432", "%2Fvar%2Frun%2Fpostgresql"] {
            assert_eq!(protection_of(&format!("postgres://u@{here}/d")), Protection::Plain, "{here}");
        }
        assert_eq!(protection_of("postgres:///d?host=/var/run/postgresql"), Protection::Plain);
        for there in ["db.example", "10.0.0.7:5433", "127.0.0.1,db.example"] {
            assert_eq!(protection_of(&format!("postgres://u@{there}/d")), tls, "{there}");
        }
        assert_eq!(protection_of("postgres://u@127.0.0.1/d?sslmode=require"), tls);
        assert_eq!(protection_of("postgres://u@db.example/d?sslmode=disable"), Protection::Plain);
        let roots = Some(PathBuf::from("/ca.pem"));
        let own = "postgres://u@db.example/d?sslmode=verify-full&sslrootcert=/ca.pem";
        assert_eq!(protection_of(own), Protection::Tls { roots });
    }

    #[test]
    fn a_password_is_never_shown() {
        let address = Address::parse("postgres://me:s3cret@db.example:6432/rings?application_name=a").unwrap();
        assert!(address.has_password());
        for shown in [address.to_string(), format!("{address:?}")] {
            assert_eq!(shown, "postgres://me@db.example:6432/rings");
        }
        for wrong in ["s3cret", "mysql://u:s3cret@h/d", "postgres://u:s3cret@h:port/d", "postgres://u:s3cret@h/d?x=1"] {
            let refusal = Address::parse(wrong).unwrap_err().to_string();
            assert!(!refusal.contains("s3cret"), "{refusal}");
        }
        for mode in ["prefer", "allow", "verify-ca", ""] {
            assert!(Address::parse(&format!("postgres://h/d?sslmode={mode}")).is_err(), "{mode}");
        }
        assert!(!Address::parse("postgres://me@h/d").unwrap().has_password());
    }
}
