//! `keys show`: every generation of a ring, the newest first.

use std::path::Path;

use serde_json::Value as Json;

use crate::args::rings::RingArgument;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(ring: &RingArgument, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let id = ring.id();
    let found = super::list::read(folder)?.into_iter().find(|found| found["ring"] == *id);
    let found = found.ok_or_else(|| {
        Failure::new(ExitCode::Missing, "no_ring", format!("there is no ring {id}"))
            .hint("`chancery keys list` shows those that are.")
    })?;
    if voice.is_json() {
        voice.result(found.to_string())?;
        return Ok(ExitCode::Done);
    }
    for row in found["generations"].as_array().into_iter().flatten() {
        voice.result(line(row))?;
    }
    for reader in found["readers"].as_array().into_iter().flatten() {
        voice.result(reader_line(reader))?;
    }
    Ok(ExitCode::Done)
}

fn reader_line(reader: &Json) -> String {
    let text = |name: &str| reader[name].as_str().unwrap_or("-").to_owned();
    let lacks = if reader["lacks_standby"] == true { ", and lacks the next one" } else { "" };
    format!("{} read {} at {}{lacks}", text("reader"), reader["keys"], text("read_at"))
}

fn line(row: &Json) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let (n, kid, phase) = (&row["n"], text("kid"), text("phase"));
    format!(
        "{n}  {phase}  {kid}  made {}  signs from {}  leaves {}",
        text("created_at"),
        text("starts_at"),
        text("leaves_at")
    )
}
