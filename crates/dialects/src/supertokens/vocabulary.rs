//! A request to mint as a document: how it is told, what its key is called here, and which algorithms a core may offer.

use jose::json::{Limits, Value as Json};
use jose::jwa::SignatureAlgorithm;

use super::{CreateJwt, KeyKind, Version};

/// What a request is sent to (section 3.3).
pub(crate) const OPERATION: &str = "POST /recipe/jwt";
/// The algorithms that an app of a core may have; the first it always has (`core.algorithms`).
pub(crate) const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// Whether octets are the body of such a request.
pub(crate) fn is_request(octets: &[u8]) -> bool {
    let json = Json::parse(octets, Limits::REQUEST).ok();
    let object = json.as_ref().and_then(Json::as_object);
    object.is_some_and(|object| ["algorithm", "jwksDomain", "payload"].iter().all(|name| object.get(name).is_some()))
}

/// Reads such a request as the newest version means it, and finds its algorithm.
///
/// # Errors
/// Why it is refused, in the vendor's words.
pub(crate) fn read_request(octets: &[u8]) -> Result<(CreateJwt, &'static SignatureAlgorithm), String> {
    let newest = Version::parse("5.6").ok_or("no version")?;
    let request = CreateJwt::read(octets, &newest).map_err(|refusal| refusal.text().into_owned())?;
    let rows: Vec<_> = ALGORITHMS.iter().filter_map(|name| SignatureAlgorithm::by_name(name).ok()).collect();
    let row = request.algorithm_among(&rows);
    let row = row.ok_or_else(|| format!("UNSUPPORTED_ALGORITHM_ERROR: a core has {}", ALGORITHMS.join(", ")))?;
    Ok((request, row))
}

/// The name of the ring with the key of that kind, among those of its app.
pub(crate) fn ring_name(kind: KeyKind, algorithm: &str) -> String {
    format!("{}{}", kind.kid_prefix(), algorithm.to_ascii_lowercase())
}
