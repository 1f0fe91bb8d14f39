//! Entity tags (RFC 9110 section 8.8.3) of answers that stay the same for long.

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

/// How much of the digest a tag has.
const ETAG_OCTETS: usize = 16;

/// The tag of these octets, made of their SHA-256.
pub(crate) fn of(body: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(body);
    let etag = format!("\"{}\"", jose::base64url::encode(&digest[..ETAG_OCTETS]));
    HeaderValue::try_from(etag).expect("base64url between quotes is a header value")
}

/// Whether the caller has what this tag stands for already (RFC 9110 section 13.1.2).
pub(crate) fn is_known(asked: &HeaderMap, etag: &HeaderValue) -> bool {
    let lists = asked.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes())
}
