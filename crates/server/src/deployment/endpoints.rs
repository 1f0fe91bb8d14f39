//! Which orchestration flow a request is for, and what of a new one is served already.

use std::sync::Arc;

use dialects::api_connect::Found;
use dialects::orchestration::Endpoint;
use http::Method;
use plan::{Diagnostic, Place, Severity};

use super::LiveDocument;
use super::report::RESERVED_PATHS;
use crate::front::Front;

/// An endpoint that a request was found for, with the parameters of its path.
pub(crate) type Called<'t> = (&'t Arc<LiveDocument>, &'t Endpoint, Vec<(String, String)>);

impl super::Table {
    /// The flow that a request is for.
    pub(crate) fn endpoint(&self, method: &Method, path: &str) -> Option<Called<'_>> {
        self.documents.iter().find_map(|entry| {
            let endpoint = entry.live.front().endpoint().filter(|endpoint| endpoint.method == *method)?;
            Some((&entry.live, endpoint, endpoint.matches(path)?))
        })
    }
}

/// Why a new flow may not have its id beside a live one: secrets are kept by it.
pub(super) fn taken_id(owner: &str, live: &Front, new: &Front) -> Option<Diagnostic> {
    let id = |front: &Front| front.facts()?.first()?.1.as_text().map(str::to_owned);
    let new = id(new)?;
    (id(live)? == new).then(|| {
        let message =
            format!("A flow of the id `{new}` stands in the document `{owner}` already, and owns its secrets.");
        let place = Place { pointer: "/id".to_owned(), ..Place::default() };
        let hint = format!("Give it another id, or take the document `{owner}` away.");
        Diagnostic::new(Severity::Error, "flow_id_taken", place, message).hint(hint)
    })
}

/// Why a new document may not be served beside a live one.
pub(super) fn taken(owner: &str, live: &Front, new: &Front) -> Option<Diagnostic> {
    let (endpoint, other) = match (live.endpoint(), new.endpoint()) {
        (None, None) => return None,
        (Some(endpoint), None) => (endpoint, new),
        (_, Some(endpoint)) => (endpoint, live),
    };
    serves(other, endpoint).then(|| {
        let message = format!("{} {} is served by the document `{owner}` already.", endpoint.method, endpoint.path);
        let hint = format!("Choose another path, or take the document `{owner}` away.");
        Diagnostic::new(Severity::Error, "route_taken", Place::default(), message).hint(hint)
    })
}

/// A path that the server keeps for itself.
pub(super) fn reserved(new: &Front) -> Option<Diagnostic> {
    let endpoint = new.endpoint()?;
    RESERVED_PATHS.iter().any(|path| path.eq_ignore_ascii_case(&endpoint.path)).then(|| {
        let message = format!("The path {} belongs to the server itself.", endpoint.path);
        Diagnostic::new(Severity::Error, "route_reserved", Place::default(), message).hint("Choose another path.")
    })
}

/// Whether requests for this endpoint would be answered by another document, too.
fn serves(other: &Front, endpoint: &Endpoint) -> bool {
    let is_taken = |method: &Method, path: &str| *method == endpoint.method && bare(path) == bare(&endpoint.path);
    let by_flow = other.endpoint().is_some_and(|other| is_taken(&other.method, &other.path));
    let by_route = other.routes().iter().any(|route| is_taken(&route.method, &route.path));
    let by_api = other.api().is_some_and(|api| {
        api.serves(&endpoint.path) && !matches!(api.find(&endpoint.method, &endpoint.path), Found::Nothing)
    });
    by_flow || by_route || by_api
}

fn bare(path: &str) -> &str {
    path.trim_matches('/')
}
