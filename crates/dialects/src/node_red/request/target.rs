//! Where a request goes, and as whom.

use plan::{Fault, FaultKind, SecretRef};
use url::Url;

use super::headers::Headers;
use super::{RequestNode, Scheme};

/// The credentials that a node may have.
pub(in crate::node_red) const USER: &str = "user";
/// The credentials that a node may have.
pub(in crate::node_red) const PASSWORD: &str = "password";

/// Where a request goes.
pub(super) struct Target {
    /// The URL as text, with its scheme.
    pub(super) text: String,
}

impl Target {
    /// Reads a URL as an author writes it; none if it leads nowhere over HTTP. One without a scheme is `http`.
    ///
    /// # Errors
    /// It is no URL.
    pub(super) fn read(text: &str) -> Result<Option<Self>, Fault> {
        if text.contains("://") && !text.starts_with("http") {
            return Ok(None);
        }
        let has_scheme = text.starts_with("http://") || text.starts_with("https://");
        let text = if has_scheme { text.to_owned() } else { format!("http://{text}") };
        let text = match text.split_once('?') {
            Some((way, query)) if !query.is_empty() => format!("{way}?{}", with_percents(query)),
            Some(_) | None => text,
        };
        match Url::parse(&text) {
            Ok(_) => Ok(Some(Self { text })),
            Err(_) => Err(Fault::new(FaultKind::FetchFailed, "TypeError: Invalid URL").with_code("ERR_INVALID_URL")),
        }
    }

    /// Signs in with the credentials of the node, or those that the URL brings.
    ///
    /// # Errors
    /// They cannot stand in a header.
    pub(super) fn sign_in(
        &self,
        node: &RequestNode,
        headers: &mut Headers,
        secret: &dyn Fn(&SecretRef) -> Option<String>,
    ) -> Result<(), Fault> {
        let url = Url::parse(&self.text).ok();
        let of_url = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
        let stored = |field: &str| secret(&SecretRef { owner: node.node.clone(), field: field.into() });
        let user = stored(USER).or_else(|| of_url(url.as_ref().map(Url::username)));
        let password = stored(PASSWORD).or_else(|| of_url(url.as_ref().and_then(Url::password)));
        if user.is_none() && password.is_none() {
            return Ok(());
        }
        let (user, password) = (user.unwrap_or_default(), password.unwrap_or_default());
        let value = match node.scheme {
            Scheme::Basic => {
                format!("Basic {}", base64_simd::STANDARD.encode_to_string(format!("{user}:{password}")))
            }
            Scheme::Bearer => format!("Bearer {password}"),
        };
        headers.put("authorization", &value);
        Ok(())
    }
}

/// The query with every `%` that begins no escape written as one.
fn with_percents(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    for (at, c) in query.char_indices() {
        out.push(c);
        let escape = query.as_bytes().get(at + 1..at + 3);
        if c == '%' && !escape.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            out.push_str("25");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Target::read(text).unwrap().map(|target| target.text)
    }

    #[test]
    fn a_url_is_read_as_an_author_writes_it() {
        assert_eq!(read("example.test/a").as_deref(), Some("http://example.test/a"));
        assert_eq!(read("https://example.test").as_deref(), Some("https://example.test"));
        assert_eq!(read("http://a.test?b=20%&c=%20%zz").as_deref(), Some("http://a.test?b=20%25&c=%20%25zz"));
        assert_eq!(read("ftp://example.test"), None);
        assert!(Target::read("http://a b/").is_err());
    }
}
