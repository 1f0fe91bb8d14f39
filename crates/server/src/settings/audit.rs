//! Settings of the place that a copy of the audit goes to.

use std::path::PathBuf;

use super::value::one;
use crate::audit_sink::{SinkPlace, SinkPolicy};

/// Where copies of audit rows go, and what holds while that place is away.
#[derive(Clone, Debug, Default)]
pub struct AuditSettings {
    /// The place; none if no copies are kept. A path is relative to the data folder.
    pub sink: Option<SinkPlace>,
    /// What becomes of changes while it is away.
    pub policy: SinkPolicy,
}

pub(super) fn sink(values: &[String]) -> Result<Option<SinkPlace>, String> {
    match one(values)?.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(Some(SinkPlace::File(PathBuf::from(path)))),
        Some(("unix", path)) if !path.is_empty() => Ok(Some(SinkPlace::Socket(PathBuf::from(path)))),
        None if values.iter().all(String::is_empty) => Ok(None),
        Some(_) | None => Err("file:PATH, unix:PATH, or nothing".to_owned()),
    }
}

pub(super) fn policy(values: &[String]) -> Result<SinkPolicy, String> {
    match one(values)? {
        "fail_closed" => Ok(SinkPolicy::FailClosed),
        "buffer" => Ok(SinkPolicy::Buffer),
        _ => Err("fail_closed or buffer".to_owned()),
    }
}
