//! The serving process of a trial: started, waited for, and ended with the task.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::example::Example;
use super::http::{self, Reply};
use crate::failure::{Failure, Outcome};

const START_MAX: Duration = Duration::from_secs(20);
const ASK_AGAIN: Duration = Duration::from_millis(25);
const LOG_LINES_SHOWN: usize = 20;

/// A running `chancery serve`. Dropping it ends the process.
pub(super) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    pub(super) fn start(
        binary: &Path,
        folder: &Path,
        address: &str,
        example: &Example,
        secret: &Path,
    ) -> Outcome<Self> {
        let log = folder.join("serve.log");
        let started = File::create(&log).and_then(|file| {
            Command::new(binary)
                .arg("serve")
                .arg(example.document)
                .arg("--ephemeral")
                .args(["--runtime", address])
                .arg("--secret")
                .arg(format!("{}.{}=file:{}", example.secret.id, example.secret.field, secret.display()))
                .stdin(Stdio::null())
                .stderr(file)
                .spawn()
        });
        match started {
            Ok(child) => Ok(Self { child, log }),
            Err(error) => Err(Failure::new(
                format!("{} does not start: {error}", binary.display()),
                "delete the folder `target` and run the task again",
            )),
        }
    }

    /// Asks the example's route until a token comes.
    pub(super) fn wait_for_token(&mut self, address: &str, example: &Example) -> Outcome {
        let started = Instant::now();
        while started.elapsed() < START_MAX {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failed(format!("chancery ended with {status}")));
            }
            match http::get(address, &example.route) {
                Ok(reply) if is_token(&reply) => return Ok(()),
                Ok(reply) => {
                    return Err(self.failed(format!("{} answered {}: {}", example.route, reply.status, reply.body)));
                }
                Err(_) => std::thread::sleep(ASK_AGAIN),
            }
        }
        Err(self.failed(format!("no answer from {address} within {START_MAX:?}")))
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
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
        Failure::new(
            format!("{what}\n{tail}"),
            "the lines above say why; if the address is taken, choose another: `cargo xtask up --runtime 127.0.0.1:8081`",
        )
    }
}

impl Drop for Server {
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
