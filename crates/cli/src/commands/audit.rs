//! `audit verify`: walks every chain of the store.

use std::path::Path;

use http::Method;
use serde_json::Value as Json;
use server::routes::rings;

use super::rings::Ask;
use crate::args::rings::AuditCommand;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(command: &AuditCommand, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let AuditCommand::Verify = command;
    let (method, path, body) = (Method::GET, "/audit/verification".to_owned(), Json::Null);
    let done = Ask { method, path, body, offline: |rings: &_, _: &_| rings::verify(rings), folder }.answer()?;
    voice.result(if voice.is_json() {
        done.to_string()
    } else {
        let hash = done["hash"].as_str().unwrap_or_default();
        format!(
            "{} audit rows and {} ring events are what was written; the last row is {hash}",
            done["rows"], done["events"]
        )
    })?;
    Ok(ExitCode::Done)
}
