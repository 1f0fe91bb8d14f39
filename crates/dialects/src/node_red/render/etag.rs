//! Entity tags as Express 4 makes them, and whether a client's copy is still fresh (section 11).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64_simd::STANDARD_NO_PAD;

use crate::node_red::accept::Conditions;

/// The weak entity tag of a body: its length in hexadecimal digits and its SHA-1 in base64.
pub(super) fn weak_etag(body: &[u8]) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, body);
    format!("W/\"{:x}-{}\"", body.len(), STANDARD_NO_PAD.encode_to_string(hash))
}

/// Whether the copy that the client has is the one that would be sent.
pub(super) fn is_fresh(conditions: &Conditions, etag: Option<&str>, last_modified: Option<&str>) -> bool {
    let conditional = conditions.if_none_match.is_some() || conditions.if_modified_since.is_some();
    if !conditions.may_be_fresh || !conditional || conditions.no_cache {
        return false;
    }
    let matched = conditions.if_none_match.as_deref().is_none_or(|wanted| {
        let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        wanted == "*" || etag.is_some_and(|etag| wanted.split(',').any(|tag| opaque(tag.trim()) == opaque(etag)))
    });
    let unmodified = conditions.if_modified_since.as_deref().is_none_or(|since| {
        let date = |text: &str| httpdate::parse_http_date(text).ok();
        last_modified.and_then(date).zip(date(since)).is_some_and(|(modified, since)| modified <= since)
    });
    matched && unmodified
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(if_none_match: Option<&str>, if_modified_since: Option<&str>) -> Conditions {
        Conditions {
            may_be_fresh: true,
            if_none_match: if_none_match.map(str::to_owned),
            if_modified_since: if_modified_since.map(str::to_owned),
            ..Conditions::default()
        }
    }

    /// NR-81: tags equal those that Node-RED 5.0.7 was seen to send.
    #[test]
    fn tags_are_those_of_express() {
        assert_eq!(weak_etag(br#"{"access_token":{}}"#), "W/\"13-kZaShhyJ11gbUvVcrkbutD81U3k\"");
        assert_eq!(weak_etag(b""), "W/\"0-2jmj7l5rSw0yVb/vlWAYkK/YBwk\"");
    }

    #[test]
    fn a_copy_is_fresh_if_its_tag_and_date_say_so() {
        let tag = Some("W/\"a\"");
        for matching in ["W/\"a\"", "\"a\"", "\"b\", W/\"a\"", "*"] {
            assert!(is_fresh(&asking(Some(matching), None), tag, None), "{matching}");
        }
        assert!(!is_fresh(&asking(Some("\"b\""), None), tag, None));
        assert!(!is_fresh(&asking(None, None), tag, None));
        assert!(!is_fresh(&asking(Some("\"a\""), None), None, None));
        let no_cache = Conditions { no_cache: true, ..asking(Some("*"), None) };
        assert!(!is_fresh(&no_cache, tag, None));
        let (early, late) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT");
        assert!(is_fresh(&asking(None, Some(late)), None, Some(early)));
        assert!(!is_fresh(&asking(None, Some(early)), None, Some(late)));
        assert!(!is_fresh(&asking(None, Some(late)), None, None));
    }
}
