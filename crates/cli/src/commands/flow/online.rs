//! Flows of a running server, over its control socket.

use std::path::Path;

use dialects::FoundSecret;
use http::Method;
use serde_json::json;
use zeroize::Zeroizing;

use super::text_of;
use crate::commands::data;
use crate::commands::document::Document;
use crate::commands::secret::online::{call, encoded, list, path};
use crate::exit::{ExitCode, Failure};

/// Deploys the flow, then sets its credentials; gives how many were set. Those that have a stored value keep it unless
/// they are to be replaced.
pub(super) fn import(
    folder: &Path,
    document: &Document,
    credentials: &[FoundSecret],
    replace: bool,
) -> Result<usize, Failure> {
    let gone = || Failure::new(ExitCode::Away, "server_away", "the server ended before all was done");
    let client = || data::running(folder)?.ok_or_else(gone);
    call(client()?, &Method::PUT, &format!("/documents/{}", encoded(&document.name)), &document.octets)?;
    let stands = list(client()?)?;
    let mut set = 0;
    for found in credentials {
        let (owner, field) = (&*found.secret.owner, &*found.secret.field);
        let kept = !replace && stands.iter().any(|(node, name)| node == owner && name == field);
        let Some(text) = text_of(found).filter(|_| !kept) else { continue };
        let body = Zeroizing::new(json!({ "value": text }).to_string());
        call(client()?, &Method::PUT, &path(owner, field), body.as_bytes())?;
        set += 1;
    }
    Ok(set)
}
