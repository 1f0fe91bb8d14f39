//! Documents as the command line meets them: files whose kind is told by their content.

use std::collections::BTreeMap;
use std::path::Path;

use dialects::node_red::LowerSettings;
use dialects::{Lowered, Settings, orchestration};
use plan::{Diagnostic, Severity};
use server::deployment::ApiSettings;
use store::DOCUMENT_BYTES_MAX;

use crate::exit::{ExitCode, Failure};
use crate::input::read_file;

/// A file that was read.
pub(super) struct Document {
    /// The name it is deployed under: the file's, without its last extension.
    pub(super) name: String,
    /// What stands in it.
    pub(super) octets: Vec<u8>,
}

impl Document {
    /// Reads a file of at most 64 MiB.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let octets = read_file(path, DOCUMENT_BYTES_MAX as u64)?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, octets })
    }

    /// Lowers the document as a deploy would, with the environment of this process.
    ///
    /// # Errors
    ///
    /// Every diagnostic, if one of them refuses the document.
    pub(super) fn lower(&self) -> Result<Lowered, Vec<Diagnostic>> {
        let kind = dialects::detect(&self.octets).ok_or_else(|| vec![unknown_kind()])?;
        with_settings(|settings| dialects::lower(kind, &self.name, &self.octets, settings))
    }
}

/// Calls this with the settings of a deploy and the environment of this process.
pub(super) fn with_settings<T>(call: impl FnOnce(&Settings<'_>) -> T) -> T {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let apis = ApiSettings::default();
    let node_red = LowerSettings { environment: &environment, jwt_any_hmac: false };
    let orchestration = orchestration::LowerSettings { host: &apis.host };
    call(&Settings { node_red, api_connect: apis.lowering(), orchestration })
}

/// The document could not be lowered: a failure that says why.
pub(super) fn refused(document: &Document, diagnostics: &[Diagnostic]) -> Failure {
    let told: Vec<_> = diagnostics.iter().map(Diagnostic::to_string).collect();
    Failure::new(ExitCode::Usage, "document_refused", format!("{} is refused\n{}", document.name, told.join("\n")))
}

fn unknown_kind() -> Diagnostic {
    Diagnostic::new(
        Severity::Error,
        "unknown_kind",
        plan::Place::default(),
        "The document is of no kind that is known here.",
    )
    .hint("A Node-RED flow file is a JSON array of nodes, as its editor exports it; an API definition says `swagger` or `openapi`.")
}
