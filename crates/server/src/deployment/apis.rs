//! What API definitions run with, and which of them a request is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use dialects::api_connect::{Api, Clients, LowerSettings};
use plan::{Diagnostic, Place, Severity};

use super::LiveDocument;
use crate::effects::fetch::Backends;
use crate::front::Front;

/// What API definitions run with (docs/contracts/api-connect.md section 15).
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// The catalog whose values of properties count.
    pub catalog: String,
    /// What `$(catalog.host)` stands for.
    pub host: String,
    /// Properties that were set for this run.
    pub properties: BTreeMap<String, String>,
    /// The names of crypto objects whose keys the signer holds, under [`dialects::api_connect::crypto_key`].
    pub crypto: Vec<String>,
    /// What stands for their back ends.
    pub backends: Arc<Backends>,
    /// Who may call.
    pub clients: Clients,
    /// Whether definitions may name `none` as what signs their tokens (`apis.allow_unsigned`).
    pub allow_unsigned: bool,
    /// Whether a definition of which something does not run here is refused whole (`apis.strict`).
    pub strict: bool,
    /// Whether others than this machine can reach the listener: then callers must be known by name.
    pub is_public: bool,
}

impl Default for ApiSettings {
    /// The vendor's own catalog, this machine, no keys, and any client.
    fn default() -> Self {
        Self {
            catalog: "sandbox".to_owned(),
            host: "localhost".to_owned(),
            properties: BTreeMap::new(),
            crypto: Vec::new(),
            backends: Arc::default(),
            clients: Clients::Any,
            allow_unsigned: false,
            strict: false,
            is_public: false,
        }
    }
}

impl ApiSettings {
    /// What lowering a definition depends on.
    pub fn lowering(&self) -> LowerSettings<'_> {
        LowerSettings {
            catalog: &self.catalog,
            host: &self.host,
            properties: &self.properties,
            crypto: &self.crypto,
            allow_unsigned: self.allow_unsigned,
            strict: self.strict,
        }
    }
}

/// Why an API may not be served: everybody may call it, and everybody can.
pub(super) fn refuse_open(settings: &ApiSettings, front: &Front) -> Option<Diagnostic> {
    let is_open = front.api().is_some() && settings.is_public && settings.clients == Clients::Any;
    is_open.then(|| {
        let message = "Any client may call the API, and the runtime listener is not on loopback alone.";
        Diagnostic::new(Severity::Error, "clients_open", Place::default(), message)
            .hint("Name the clients that may call, each with `--client ID`, or listen on loopback.")
    })
}

/// The documents that serve an API, the longest base path first.
pub(super) fn by_base_path<'l>(live: impl Iterator<Item = &'l Arc<LiveDocument>>) -> Vec<Arc<LiveDocument>> {
    let mut apis: Vec<_> = live.filter(|live| live.front().api().is_some()).cloned().collect();
    apis.sort_by_key(|live| std::cmp::Reverse(live.front().api().map_or(0, |api| api.base_path().len())));
    apis
}

impl super::Table {
    /// The document whose API a request of this path is for.
    pub(crate) fn api(&self, path: &str) -> Option<(&Arc<LiveDocument>, &Api)> {
        self.apis.iter().find_map(|live| Some((live, live.front().api().filter(|api| api.serves(path))?)))
    }

    /// Whether there is an API at all.
    pub(crate) fn has_apis(&self) -> bool {
        !self.apis.is_empty()
    }

    /// Whether flow files serve anything at all.
    pub(crate) fn has_routes(&self) -> bool {
        self.routes.iter().len() > 0
    }
}
