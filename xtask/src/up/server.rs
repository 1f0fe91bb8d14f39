//! The serving process of a trial: started, waited for, and ended with the task.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::example::{Example, MissingSecret};
use super::http::{self, Reply};
use super::{FOLDER, LOG};
use crate::failure::{Failure, Outcome};

const START_MAX: Duration = Duration::from_secs(20);
const ASK_AGAIN: Duration = Duration::from_millis(25);
const LOG_LINES_SHOWN: usize = 20;

/// A running `chancery serve`. Dropping it ends the process.
pub(super) struct Server<'a> {
    child: Child,
    root: &'a Path,
    binary: &'a Path,
    address: &'a str,
    example: &'a Example,
}

impl<'a> Server<'a> {
    pub(super) fn start(root: &'a Path, binary: &'a Path, address: &'a str, example: &'a Example) -> Outcome<Self> {
        let started = File::create(root.join(LOG)).and_then(|log| {
            Command::new(binary)
                .args(["serve", example.document, "--init", "--data", FOLDER])
                .args(["--runtime", address, "--core", "off", "--studio", "off"])
                .current_dir(root)
                .stdin(Stdio::null())
                .stderr(log)
                .spawn()
        });
        match started {
            Ok(child) => Ok(Self { child, root, binary, address, example }),
            Err(error) => Err(Failure::new(
                format!("{} does not start: {error}", binary.display()),
                "delete the folder `target` and run the task again",
            )),
        }
    }

    /// Asks the example's route until an answer comes, whatever it is.
    pub(super) fn wait_for_answer(&mut self) -> Outcome {
        let started = Instant::now();
        while started.elapsed() < START_MAX {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failed(format!("chancery ended with {status}")));
            }
            if http::get(self.address, &self.example.route).is_ok() {
                return Ok(());
            }
            std::thread::sleep(ASK_AGAIN);
        }
        Err(self.failed(format!("no answer from {} within {START_MAX:?}", self.address)))
    }

    /// Gives the running server the secret that its flow lacks, as a person would: over standard input.
    pub(super) fn supply(&self, secret: &str) -> Outcome {
        let MissingSecret { id, field, .. } = &self.example.secret;
        let set = Command::new(self.binary)
            .args(["secret", "set", id, field, "--quiet", "--data", FOLDER])
            .current_dir(self.root)
            .stdin(Stdio::piped())
            .spawn()
            .and_then(|mut child| {
                child.stdin.take().expect("stdin was piped").write_all(secret.as_bytes())?;
                child.wait()
            });
        match set {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failed(format!("`chancery secret set` ended with {status}"))),
            Err(error) => Err(self.failed(format!("`chancery secret set` cannot be run: {error}"))),
        }
    }

    /// Asks the example's route once; the answer must be a token.
    pub(super) fn expect_token(&self) -> Outcome {
        let route = &self.example.route;
        match http::get(self.address, route) {
            Ok(reply) if is_token(&reply) => Ok(()),
            Ok(reply) => Err(self.failed(format!("{route} answered {}: {}", reply.status, reply.body))),
            Err(error) => Err(self.failed(format!("{route} did not answer: {error}"))),
        }
    }

    /// Keeps serving until the process ends, by Ctrl-C as a rule.
    pub(super) fn wait(&mut self) -> Outcome {
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failed(format!("chancery ended with {status}"))),
            Err(error) => Err(self.failed(format!("chancery cannot be waited for: {error}"))),
        }
    }

    fn failed(&self, what: String) -> Failure {
        let log = fs::read_to_string(self.root.join(LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
        Failure::new(
            format!("{what}\n{tail}"),
            "the lines above say why; if the address is taken, choose another: `cargo xtask up --runtime 127.0.0.1:8081`",
        )
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // A process that has ended already cannot be ended again; both calls then do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the reply is what the recipe promises: an access token of three parts.
fn is_token(reply: &Reply) -> bool {
    let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let parts = body["access_token"].as_str().unwrap_or_default().split('.');
    reply.status == 200 && parts.filter(|part| !part.is_empty()).count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_signed_token_counts() {
        let reply = |status, body: &str| Reply { status, body: body.to_owned() };
        assert!(is_token(&reply(200, r#"{"access_token":"a.b.c"}"#)));
        assert!(!is_token(&reply(200, r#"{"access_token":"a.b."}"#)));
        assert!(!is_token(&reply(200, r#"{"access_token":{}}"#)));
        assert!(!is_token(&reply(500, r#"{"access_token":"a.b.c"}"#)));
    }
}
