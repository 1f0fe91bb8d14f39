//! Key rings as the commands reach them: through the running server, or in its store under the lock.

use std::path::Path;
use std::sync::Arc;

use http::Method;
use serde_json::Value as Json;
use server::deployment::Caller;
use server::rings::{Rings, RingsError};

use super::data;
use super::secret::online;
use crate::args::rings::RingArgument;
use crate::exit::Failure;

/// What is asked of the rings, said for both ways.
pub(super) struct Ask<'a, W> {
    /// How a server is asked.
    pub(super) method: Method,
    /// Where.
    pub(super) path: String,
    /// With what.
    pub(super) body: Json,
    /// The same where no server runs.
    pub(super) offline: W,
    /// The data folder.
    pub(super) folder: &'a Path,
}

impl<W: FnOnce(&Rings, &Caller) -> Result<Json, RingsError>> Ask<'_, W> {
    /// Asks the server that runs on the folder, or does it here.
    pub(super) fn answer(self) -> Result<Json, Failure> {
        let Self { method, path, body, offline, folder } = self;
        if let Some(client) = data::running(folder)? {
            let body = if method == Method::GET { String::new() } else { body.to_string() };
            return online::call(client, &method, &path, zeroize::Zeroizing::new(body).as_bytes());
        }
        let vault = data::open(folder, &data::settings(folder, &[])?)?;
        let rings = Rings::open(Arc::new(vault)).map_err(data::failed)?;
        offline(&rings, &Caller { actor: "command line".to_owned() }).map_err(data::ring_failed)
    }
}

/// The path of a verb on a ring.
pub(super) fn path(ring: &RingArgument, verb: &str) -> String {
    let (tenant, name) = ring.parts();
    format!("/rings/{}/{}/{verb}", online::encoded(tenant), online::encoded(name))
}
