//! Settings of the PKCS#11 token that may keep the keys of rings.

use std::path::PathBuf;

use super::value::one;

/// The token; none is asked for as long as no module is named.
#[derive(Clone, Debug, Default)]
pub struct HsmSettings {
    /// The vendor's module, a shared library.
    pub module: Option<PathBuf>,
    /// The label of the token.
    pub token: String,
    /// Where the user's PIN is.
    pub pin: PinPlace,
}

/// Where a PIN is. Paths are relative to the data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinPlace {
    /// `file:PATH`: in a file of its own.
    File(PathBuf),
    /// `env:NAME`: in an environment variable.
    Environment(String),
}

impl Default for PinPlace {
    fn default() -> Self {
        Self::File(PathBuf::from("hsm.pin"))
    }
}

pub(super) fn pin(values: &[String]) -> Result<PinPlace, String> {
    match one(values)?.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(PinPlace::File(PathBuf::from(path))),
        Some(("env", name)) if !name.is_empty() => Ok(PinPlace::Environment(name.to_owned())),
        _ => Err("file:PATH or env:NAME".to_owned()),
    }
}
