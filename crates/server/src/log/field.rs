//! The fields that a log line may have, and how they are written; what is not listed here cannot be logged.

use std::fmt::Write as _;
use std::net::SocketAddr;

use sha2::{Digest as _, Sha256};

use super::{Form, Level};
use crate::limits::LOG_FIELD_BYTES_MAX;
use crate::problem::RequestId;

/// Header fields whose values are secrets.
pub(crate) const SECRET_HEADERS: [&str; 5] =
    ["authorization", "cookie", "set-cookie", "api-key", "proxy-authorization"];

/// One field of a log line: the whole list of what may be logged (docs/contracts/security.md section 8).
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// A socket address, ours or a peer's.
    Address(SocketAddr),
    /// What went wrong, in the words of the part that failed.
    Cause(&'a str),
    /// The code of a diagnostic or of a flow's error.
    Code(&'a str),
    /// How many.
    Count(u64),
    /// The name of a document.
    Document(&'a str),
    /// How long it took, in microseconds.
    ElapsedMicros(u64),
    /// A file or socket of the server's own.
    File(&'a str),
    /// A header field; the values of secret ones print as `***`.
    Header {
        /// The field name as received.
        name: &'a str,
        /// The field value as received.
        value: &'a str,
    },
    /// What to do about it.
    Hint(&'a str),
    /// Which key.
    Kid(&'a str),
    /// Which listener.
    Listener(&'a str),
    /// The request method.
    Method(&'a str),
    /// Words of an author, by way of a flow's own logging.
    Message(&'a str),
    /// The node in the author's document.
    NodeId(&'a str),
    /// What its author calls it.
    NodeName(&'a str),
    /// Its type.
    NodeType(&'a str),
    /// The request path, without its query.
    Path(&'a str),
    /// A place in our source or in the author's document.
    Place(&'a str),
    /// Leads from a reply to its line.
    RequestId(RequestId),
    /// The name of a setting.
    Setting(&'a str),
    /// Which key ring.
    Ring(&'a str),
    /// The status of a reply.
    Status(u16),
    /// The tab, assembly or section of the document.
    Tab(&'a str),
    /// Whose keys.
    Tenant(&'a str),
    /// A token: its names and the first eight hexadecimal digits of its SHA-256, never itself.
    Token {
        /// Its `kid`, if it has one.
        kid: Option<&'a str>,
        /// Its `jti`, if it has one.
        jti: Option<&'a str>,
        /// The token itself; only hashed.
        token: &'a str,
    },
    /// An address for people to open.
    Url(&'a str),
    /// The version of this program.
    Version(&'a str),
}

/// The whole line, its newline included.
pub(super) fn line(form: Form, level: Level, event: &'static str, fields: &[Field<'_>]) -> Vec<u8> {
    let now = jiff::Timestamp::now();
    let mut line = String::with_capacity(192);
    // Writing to a String cannot fail.
    let _ = match form {
        Form::Json => write!(line, r#"{{"time":"{now:.3}","level":"{}","event":"{event}""#, level.name()),
        Form::Text => write!(line, "{now:.3} {:5} {event}", level.name()),
    };
    for field in fields {
        field.append(form, &mut line);
    }
    line.push_str(match form {
        Form::Json => "}\n",
        Form::Text => "\n",
    });
    line.into_bytes()
}

impl Field<'_> {
    fn name(&self) -> &'static str {
        match self {
            Field::Address(_) => "address",
            Field::Cause(_) => "cause",
            Field::Code(_) => "code",
            Field::Count(_) => "count",
            Field::Document(_) => "document",
            Field::ElapsedMicros(_) => "elapsed_us",
            Field::File(_) => "file",
            Field::Header { .. } => "header",
            Field::Hint(_) => "hint",
            Field::Kid(_) => "kid",
            Field::Listener(_) => "listener",
            Field::Method(_) => "method",
            Field::Message(_) => "message",
            Field::NodeId(_) => "node",
            Field::NodeName(_) => "node_name",
            Field::NodeType(_) => "node_type",
            Field::Path(_) => "path",
            Field::Place(_) => "place",
            Field::RequestId(_) => "request_id",
            Field::Ring(_) => "ring",
            Field::Setting(_) => "setting",
            Field::Status(_) => "status",
            Field::Tab(_) => "tab",
            Field::Tenant(_) => "tenant",
            Field::Token { .. } => "token",
            Field::Url(_) => "url",
            Field::Version(_) => "version",
        }
    }

    fn append(&self, form: Form, line: &mut String) {
        let name = self.name();
        let _ = match form {
            Form::Json => write!(line, r#","{name}":"#),
            Form::Text => write!(line, " {name}="),
        };
        match *self {
            Field::Count(n) | Field::ElapsedMicros(n) => drop(write!(line, "{n}")),
            Field::Status(n) => drop(write!(line, "{n}")),
            Field::Address(address) => text(form, &address.to_string(), line),
            Field::RequestId(id) => text(form, &id.to_string(), line),
            Field::Header { name, value } => header(form, name, value, line),
            Field::Token { kid, jti, token } => text(form, &fingerprint(kid, jti, token), line),
            Field::Cause(value)
            | Field::Code(value)
            | Field::Document(value)
            | Field::File(value)
            | Field::Hint(value)
            | Field::Kid(value)
            | Field::Listener(value)
            | Field::Method(value)
            | Field::Message(value)
            | Field::NodeId(value)
            | Field::NodeName(value)
            | Field::NodeType(value)
            | Field::Path(value)
            | Field::Place(value)
            | Field::Ring(value)
            | Field::Setting(value)
            | Field::Tab(value)
            | Field::Tenant(value)
            | Field::Url(value)
            | Field::Version(value) => text(form, value, line),
        }
    }
}

fn header(form: Form, name: &str, value: &str, line: &mut String) {
    let secret = SECRET_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
    let value = if secret { "***" } else { value };
    text(form, &format!("{name}: {value}"), line);
}

fn fingerprint(kid: Option<&str>, jti: Option<&str>, token: &str) -> String {
    let hash = Sha256::digest(token);
    let mut shown = String::new();
    if let Some(kid) = kid {
        let _ = write!(shown, "kid={kid} ");
    }
    if let Some(jti) = jti {
        let _ = write!(shown, "jti={jti} ");
    }
    let _ = write!(shown, "sha256={:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
    shown
}

/// Quotes where the form asks for it, escapes what could move a cursor or end a line, cuts what is too long and says so.
fn text(form: Form, value: &str, line: &mut String) {
    let kept = first_octets(value, LOG_FIELD_BYTES_MAX);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@*".contains(c);
    let quoted = form == Form::Json || kept.is_empty() || !kept.chars().all(plain);
    if quoted {
        line.push('"');
    }
    for c in kept.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            c if moves_the_reader(c) => drop(write!(line, "\\u{:04x}", u32::from(c))),
            c => line.push(c),
        }
    }
    if kept.len() < value.len() {
        let _ = write!(line, "…[+{} octets]", value.len() - kept.len());
    }
    if quoted {
        line.push('"');
    }
}

/// As many whole characters as fit into so many octets.
fn first_octets(value: &str, bytes_max: usize) -> &str {
    let ends = (0..=bytes_max.min(value.len())).rev();
    let end = ends.into_iter().find(|end| value.is_char_boundary(*end));
    &value[..end.unwrap_or(0)]
}

/// Control characters, and the separators and direction marks that viewers obey; all lie in the first plane.
fn moves_the_reader(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
