//! The token log: one line for each token that was issued, appended to a file of its own in batches.
//!
//! A line says who got which token, never the token, its payload or a key (docs/contracts/security.md section 10). A
//! record is taken before its token leaves; the file is written a moment later. If it cannot be written, records wait
//! for it, and once [`RECORDS_MAX`] do, tokens wait, too.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use jose::json::{Event, JsonError, Limits, Reader, write_integer, write_text};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::accept::Peer;
use crate::limits::AUDIT_BUFFER_ROWS_MAX;
use crate::log::{Field, Log};

/// The file in the data folder.
pub const TOKEN_LOG_FILE: &str = "tokens.jsonl";

/// Records that wait for the file.
const RECORDS_MAX: usize = AUDIT_BUFFER_ROWS_MAX;
/// How long the file rests after it could not be written.
const RETRY: Duration = Duration::from_secs(1);
/// How long more records are waited for once one has come: they come in crowds, and whoever waits in this way is not
/// woken for each of them.
const GATHER: Duration = Duration::from_millis(5);
/// Octets of a text that comes from outside; more is cut.
const TEXT_BYTES_MAX: usize = 256;

/// Takes records.
#[derive(Clone, Debug)]
pub struct TokenLog(mpsc::Sender<Vec<u8>>);

/// Ends the log when it is dropped, once every record that was taken before is written.
#[derive(Debug)]
pub struct TokenLogGuard {
    sender: mpsc::Sender<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
}

/// What is told of one token.
#[derive(Clone, Debug)]
pub struct TokenRecord<'a> {
    /// When it was issued, in seconds since 1970.
    pub issued_at_secs: i64,
    /// Whose ring signed it.
    pub tenant: &'a str,
    /// Who asked for it: the name of an API key; none where nobody has to say.
    pub caller: Option<&'a str>,
    /// From where.
    pub peer: Peer,
    /// The key.
    pub kid: &'a str,
    /// What is told of the claims.
    pub claims: Claims,
}

/// What is told of the claims of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    iss: Option<String>,
    /// Of the subject, its hash.
    sub: Option<String>,
    jti: Option<String>,
    /// As it stands in the token.
    exp: Option<String>,
}

impl TokenLog {
    /// Opens the log in a data folder, for this user alone.
    ///
    /// # Errors
    /// The file cannot be opened, or there is no thread to write it.
    pub fn open(folder: &Path, log: Log) -> io::Result<(TokenLog, TokenLogGuard)> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join(TOKEN_LOG_FILE))?;
        let (sender, receiver) = mpsc::channel(RECORDS_MAX);
        let thread =
            std::thread::Builder::new().name("token-log".to_owned()).spawn(move || write(file, receiver, &log))?;
        Ok((TokenLog(sender.clone()), TokenLogGuard { sender, thread: Some(thread) }))
    }

    /// Takes one record; waits while too many others do.
    pub async fn record(&self, record: TokenRecord<'_>) {
        // The thread ends only after the last sender, so it is there.
        let _ = self.0.send(record.line()).await;
    }
}

impl Drop for TokenLogGuard {
    fn drop(&mut self) {
        // An empty record is the end. Where none can be put, the file cannot be written, and nobody waits for it.
        if self.sender.try_send(Vec::new()).is_ok()
            && let Some(thread) = self.thread.take()
        {
            // A thread that panicked has told the log why.
            let _ = thread.join();
        }
    }
}

impl Claims {
    /// Reads them from the payload of a token that was written here. Of those that are no text, or in the case of `exp`
    /// no number, nothing is told.
    #[must_use]
    pub fn read(payload: &[u8]) -> Claims {
        Claims::of_events(payload).unwrap_or_default()
    }

    /// Event by event: four members are wanted, and not the whole as a tree.
    fn of_events(payload: &[u8]) -> Result<Claims, JsonError> {
        let (mut claims, mut depth, mut name) = (Claims::default(), 0, Cow::Borrowed(""));
        let mut reader = Reader::new(payload, Limits::CLAIMS)?;
        while let Some(event) = reader.next_event()? {
            match event {
                Event::ObjectStart | Event::ArrayStart => depth += 1,
                Event::ObjectEnd | Event::ArrayEnd => depth -= 1,
                Event::Name(of_member) if depth == 1 => name = of_member,
                Event::Text(text) if depth == 1 => claims.take_text(&name, &text),
                Event::Number(number) if depth == 1 && name == "exp" => claims.exp = Some(number.to_owned()),
                Event::Name(_) | Event::Text(_) | Event::Number(_) | Event::Null | Event::Bool(_) => {}
            }
        }
        Ok(claims)
    }

    fn take_text(&mut self, name: &str, text: &str) {
        match name {
            "iss" => self.iss = Some(cut(text).to_owned()),
            "sub" => self.sub = Some(hash(text)),
            "jti" => self.jti = Some(cut(text).to_owned()),
            _ => {}
        }
    }
}

impl TokenRecord<'_> {
    fn line(&self) -> Vec<u8> {
        let mut line = b"{\"issued_at\":".to_vec();
        write_integer(&mut line, self.issued_at_secs);
        let address = match self.peer {
            Peer::Tcp(address) => address.ip().to_string(),
            Peer::Unix { uid } => format!("uid:{uid}"),
        };
        for (name, value) in [
            ("tenant", Some(self.tenant)),
            ("caller", self.caller),
            ("address", Some(&*address)),
            ("kid", Some(self.kid)),
            ("iss", self.claims.iss.as_deref()),
            ("sub_sha256", self.claims.sub.as_deref()),
            ("jti", self.claims.jti.as_deref()),
        ] {
            let Some(value) = value else { continue };
            line.push(b',');
            write_text(&mut line, name);
            line.push(b':');
            write_text(&mut line, value);
        }
        if let Some(exp) = &self.claims.exp {
            line.extend_from_slice(b",\"exp\":");
            line.extend_from_slice(exp.as_bytes());
        }
        line.extend_from_slice(b"}\n");
        line
    }
}

/// Writes what came since the last time at once, until the end.
fn write(mut file: File, mut records: mpsc::Receiver<Vec<u8>>, log: &Log) {
    let mut batch = Vec::new();
    let mut ended = false;
    while !ended && let Some(record) = records.blocking_recv() {
        ended = record.is_empty();
        batch.extend_from_slice(&record);
        if !ended {
            std::thread::sleep(GATHER);
        }
        while let Ok(record) = records.try_recv() {
            ended |= record.is_empty();
            batch.extend_from_slice(&record);
        }
        while let Err(error) = write_all(&mut file, &mut batch) {
            let cause = error.to_string();
            log.error("token_log_not_written", &[Field::File(TOKEN_LOG_FILE), Field::Cause(&cause)]);
            if ended {
                return;
            }
            std::thread::sleep(RETRY);
        }
    }
}

/// Writes a batch and empties it; after an error what is not written yet is left.
fn write_all(file: &mut File, batch: &mut Vec<u8>) -> io::Result<()> {
    while !batch.is_empty() {
        match file.write(batch) {
            Ok(written) => drop(batch.drain(..written)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The first 16 hexadecimal digits of the SHA-256.
fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|octet| format!("{octet:02x}")).collect()
}

fn cut(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Form, Level};

    fn record(claims: &str) -> TokenRecord<'static> {
        TokenRecord {
            issued_at_secs: 1_700_000_000,
            tenant: "public",
            caller: Some("billing"),
            peer: Peer::Tcp(([127, 0, 0, 1], 1).into()),
            kid: "s-1",
            claims: Claims::read(claims.as_bytes()),
        }
    }

    fn line(claims: &str) -> String {
        String::from_utf8(record(claims).line()).unwrap()
    }

    /// SE-74 (part): a record names key, caller and end, and of the subject only its hash.
    #[test]
    fn a_record_is_one_line_without_what_it_must_not_hold() {
        assert_eq!(
            line(r#"{"exp":1700000010,"iss":"https://a.example","sub":"alice","role":"secret"}"#),
            "{\"issued_at\":1700000000,\"tenant\":\"public\",\"caller\":\"billing\",\"address\":\"127.0.0.1\",\"kid\":\"s-1\",\
             \"iss\":\"https://a.example\",\"sub_sha256\":\"2bd806c97f0e00af\",\"exp\":1700000010}\n"
        );
        let head = "{\"issued_at\":1700000000,\"tenant\":\"public\",\"caller\":\"billing\",\"address\":\"127.0.0.1\",\"kid\":\"s-1\"";
        for odd in [r#"{"exp":null,"iss":["x"],"sub":7}"#, r#"{"a":{"iss":"x","exp":1},"b":[{"sub":"y"}],"exp":"1"}"#] {
            assert_eq!(line(odd), format!("{head}}}\n"));
        }
        let long = line(&format!(r#"{{"iss":"{}"}}"#, "\u{fc}\\n".repeat(1_000)));
        assert!(long.len() < 800 && long.lines().count() == 1, "{long}");
    }

    #[test]
    fn every_record_is_written_by_the_end_and_earlier_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (log, _guard) = Log::start(Level::Error, Form::Json, io::sink()).unwrap();
        for round in 1..=2_u64 {
            let (tokens, guard) = TokenLog::open(folder.path(), log.clone()).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                for _ in 0..500 {
                    tokens.record(record("{}")).await;
                }
            });
            drop((tokens, guard));
            let text = std::fs::read_to_string(folder.path().join(TOKEN_LOG_FILE)).unwrap();
            assert_eq!(text.lines().count() as u64, round * 500);
            assert!(text.lines().all(|line| line.starts_with("{\"issued_at\":") && line.ends_with('}')));
        }
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join(TOKEN_LOG_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
