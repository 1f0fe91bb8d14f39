//! Log lines: one event each, fields from a fixed list, written by a thread of their own.

mod field;

use std::io::{IsTerminal as _, Write};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

pub use field::Field;
pub(crate) use field::SECRET_HEADERS;

/// Lines that may wait for the writer. Beyond: dropped and counted, so that a stuck terminal never holds up a request.
const QUEUE_LINES_MAX: usize = 8_192;

/// How much an event matters; each level includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody must act.
    Error,
    /// Somebody should look.
    Warn,
    /// The course of the server's life.
    #[default]
    Info,
    /// Every request.
    Debug,
}

impl Level {
    /// The word in lines and settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        [Level::Error, Level::Warn, Level::Info, Level::Debug]
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| "one of error, warn, info, debug".to_owned())
    }
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line, for machines.
    Json,
    /// `time level event name=value ...`, for people.
    Text,
}

impl Form {
    /// Text when standard error is a terminal, else JSON.
    #[must_use]
    pub fn for_stderr() -> Form {
        if std::io::stderr().is_terminal() { Form::Text } else { Form::Json }
    }
}

/// A handle to the log: cheap to clone, never waits.
#[derive(Clone, Debug)]
pub struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    level: Level,
    form: Form,
    queue: SyncSender<Entry>,
    dropped: AtomicU64,
}

/// Ends the log: dropping it writes every line that was accepted, then stops the writer.
#[derive(Debug)]
pub struct LogGuard {
    log: Log,
    writer: Option<JoinHandle<()>>,
}

enum Entry {
    Line(Vec<u8>),
    End,
}

impl Log {
    /// Starts the writer thread over `sink`, usually standard error.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(level: Level, form: Form, sink: impl Write + Send + 'static) -> std::io::Result<(Log, LogGuard)> {
        let (queue, lines) = sync_channel(QUEUE_LINES_MAX);
        let log = Log(Arc::new(Inner { level, form, queue, dropped: AtomicU64::new(0) }));
        let inner = Arc::clone(&log.0);
        let writer =
            std::thread::Builder::new().name("log".to_owned()).spawn(move || write_lines(&lines, &inner, sink))?;
        let guard = LogGuard { log: log.clone(), writer: Some(writer) };
        Ok((log, guard))
    }

    /// Whether a line of this level would be written; ask before gathering costly fields.
    #[must_use]
    pub fn enabled(&self, level: Level) -> bool {
        level <= self.0.level
    }

    /// Writes an error: somebody must act.
    pub fn error(&self, event: &'static str, fields: &[Field<'_>]) {
        self.write(Level::Error, event, fields);
    }

    /// Writes a warning: somebody should look.
    pub fn warn(&self, event: &'static str, fields: &[Field<'_>]) {
        self.write(Level::Warn, event, fields);
    }

    /// Writes a step in the course of the server's life.
    pub fn info(&self, event: &'static str, fields: &[Field<'_>]) {
        self.write(Level::Info, event, fields);
    }

    /// Writes what happens with every request.
    pub fn debug(&self, event: &'static str, fields: &[Field<'_>]) {
        self.write(Level::Debug, event, fields);
    }

    /// From now on a panic anywhere in the process becomes an `error` line instead of text on standard error.
    pub fn take_panics(&self) {
        let log = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string);
            log.error(
                "panic",
                &[Field::Cause(panic_text(panic.payload())), Field::Place(place.as_deref().unwrap_or("unknown"))],
            );
        }));
    }

    fn write(&self, level: Level, event: &'static str, fields: &[Field<'_>]) {
        if !self.enabled(level) {
            return;
        }
        let line = field::line(self.0.form, level, event, fields);
        match self.0.queue.try_send(Entry::Line(line)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => {
                self.0.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without text")
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        // A send to a writer that is gone, and its panic, have nobody left to tell.
        let _ = self.log.0.queue.send(Entry::End);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Writes line by line until the end; a sink that fails loses its lines, the server goes on.
fn write_lines(lines: &Receiver<Entry>, inner: &Inner, mut sink: impl Write) {
    while let Ok(Entry::Line(line)) = lines.recv() {
        let _ = sink.write_all(&line);
        tell_dropped(inner, &mut sink);
    }
    tell_dropped(inner, &mut sink);
    let _ = sink.flush();
}

fn tell_dropped(inner: &Inner, sink: &mut impl Write) {
    if inner.dropped.load(Ordering::Relaxed) == 0 {
        return;
    }
    let count = inner.dropped.swap(0, Ordering::Relaxed);
    let fields = [Field::Count(count)];
    let _ = sink.write_all(&field::line(inner.form, Level::Warn, "log_lines_dropped", &fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Condvar, Mutex};

    /// A sink that tests read back; while it is shut, the writer waits in it.
    #[derive(Clone, Default)]
    struct Memory(Arc<(Mutex<Contents>, Condvar)>);

    #[derive(Default)]
    struct Contents {
        octets: Vec<u8>,
        shut: bool,
    }

    impl Memory {
        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().octets.clone()).unwrap()
        }

        fn set_shut(&self, shut: bool) {
            self.0.0.lock().unwrap().shut = shut;
            self.0.1.notify_all();
        }
    }

    impl Write for Memory {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            let state = self.0.0.lock().unwrap();
            let mut state = self.0.1.wait_while(state, |state| state.shut).unwrap();
            state.octets.extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(form: Form, write: impl FnOnce(&Log)) -> String {
        let memory = Memory::default();
        let (log, guard) = Log::start(Level::Info, form, memory.clone()).unwrap();
        write(&log);
        drop(guard);
        memory.text()
    }

    #[test]
    fn a_line_is_one_json_object_with_time_level_event_and_fields() {
        let text = written(Form::Json, |log| {
            log.info("listening", &[Field::Listener("runtime"), Field::Count(2)]);
            log.debug("unwanted", &[]);
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["level"], "info");
        assert_eq!(line["event"], "listening");
        assert_eq!(line["listener"], "runtime");
        assert_eq!(line["count"], 2);
        assert!(line["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
        assert_eq!(text.lines().count(), 1);
    }

    /// SE-55: line breaks, escape sequences and a mebibyte in one field stay one line, escaped and cut at 1 024 octets.
    #[test]
    fn nothing_in_a_field_breaks_out_of_its_line() {
        let hostile = "a\r\n{\"level\":\"error\"}\u{1b}[2J\u{9b}\u{2028}\u{7f} event=forged".to_owned();
        let huge = format!("\u{1b}é{}", "x".repeat(1024 * 1024));
        for form in [Form::Json, Form::Text] {
            let text = written(form, |log| {
                log.warn(
                    "odd",
                    &[Field::Path(&hostile), Field::Cause(&huge), Field::Header { name: &hostile, value: &hostile }],
                );
            });
            assert_eq!(text.lines().count(), 1, "{text:?}");
            assert!(text.ends_with('\n'));
            assert!(!text.trim_end_matches('\n').chars().any(char::is_control), "{text:?}");
            assert!(!text.contains('\u{2028}') && !text.contains(" event=forged "), "{text:?}");
            assert!(text.contains("\\u001b") && text.contains("\\u000a") | text.contains("\\n"));
            assert!(text.contains("[+1047555 octets]"), "{}", text.len());
            assert!(text.len() < 2_048, "{}", text.len());
        }
    }

    #[test]
    fn secrets_in_headers_and_tokens_never_print() {
        let text = written(Form::Json, |log| {
            for name in ["Authorization", "COOKIE", "set-cookie", "Api-Key", "proxy-authorization"] {
                log.info("header", &[Field::Header { name, value: "canary" }]);
            }
            log.info("header", &[Field::Header { name: "accept", value: "text/html" }]);
            log.info("token", &[Field::Token { kid: Some("k1"), jti: None, token: "abc" }]);
        });
        assert!(!text.contains("canary"));
        assert!(text.contains("Authorization: ***"));
        assert!(text.contains("accept: text/html"));
        // SHA-256("abc") begins ba7816bf (FIPS 180-4 appendix).
        assert!(text.contains(r#""token":"kid=k1 sha256=ba7816bf""#), "{text}");
        assert!(!text.contains("abc"));
    }

    #[test]
    fn a_stuck_sink_costs_lines_and_says_how_many() {
        let memory = Memory::default();
        let (log, guard) = Log::start(Level::Info, Form::Json, memory.clone()).unwrap();
        memory.set_shut(true);
        for count in 0..QUEUE_LINES_MAX as u64 + 100 {
            log.info("line", &[Field::Count(count)]);
        }
        memory.set_shut(false);
        drop(guard);
        let text = memory.text();
        let kept = text.lines().filter(|l| l.contains(r#""line""#)).count() as u64;
        let told: u64 = text
            .lines()
            .filter(|line| line.contains("log_lines_dropped"))
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["count"].as_u64().unwrap())
            .sum();
        assert!(told > 0);
        assert_eq!(kept + told, QUEUE_LINES_MAX as u64 + 100);
    }

    #[test]
    fn every_accepted_line_is_written_before_the_guard_is_gone() {
        let text = written(Form::Text, |log| {
            for count in 0..5_000 {
                log.info("line", &[Field::Count(count)]);
            }
        });
        assert_eq!(text.lines().count(), 5_000);
        assert!(text.lines().last().unwrap().ends_with("line count=4999"));
    }
}
