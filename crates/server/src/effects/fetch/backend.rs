//! What stands for the back ends of API definitions (docs/contracts/api-connect.md section 15).

use std::collections::BTreeMap;

use dialects::outward::{Reply, Request as Wish};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Bytes;
use url::Url;

/// The name that stands for every host.
const ANY: &str = "*";

/// Where the requests of API definitions go instead of where they are addressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backends {
    stub: bool,
    /// By host, with its port or without; [`ANY`] for all others.
    urls: BTreeMap<String, Url>,
}

/// What a request meets in place of its back end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Instead {
    /// Its back end.
    Nothing,
    /// An answer that shows the request itself.
    Echo,
    /// The same path at another host.
    Url { url: String, host: String, port: u16 },
}

impl Backends {
    /// Every request is answered with what it was.
    pub fn stub() -> Self {
        Self { stub: true, urls: BTreeMap::new() }
    }

    /// Those of these texts, `HOST=URL` each; `HOST` may have a port, or be `*` for every host.
    ///
    /// # Errors
    ///
    /// The first text that is no such pair; the URL has scheme and authority alone.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let pair = |entry: &String| {
            let (host, url) = entry.split_once('=').filter(|(host, _)| !host.is_empty())?;
            let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            (url.path() == "/" && url.query().is_none() && url.fragment().is_none())
                .then(|| (host.to_ascii_lowercase(), url))
        };
        let urls = entries.iter().map(|entry| pair(entry).ok_or_else(|| entry.clone()));
        Ok(Self { stub: false, urls: urls.collect::<Result<_, _>>()? })
    }

    /// What a request to this URL meets.
    pub(super) fn instead(&self, url: &Url) -> Instead {
        if self.stub {
            return Instead::Echo;
        }
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}")).unwrap_or_default();
        let found = [with_port.as_str(), host, ANY].into_iter().find_map(|name| self.urls.get(name));
        let Some(to) = found else { return Instead::Nothing };
        let (Some(host), Some(port)) = (to.host_str(), to.port_or_known_default()) else { return Instead::Nothing };
        let authority = &to[..url::Position::AfterPort];
        let rest = &url[url::Position::BeforePath..url::Position::AfterQuery];
        Instead::Url { url: format!("{authority}{rest}"), host: host.to_owned(), port }
    }
}

/// An answer that shows method, path, headers and body of the request.
pub(super) fn echo(wish: &Wish) -> Reply {
    let path = Url::parse(&wish.url).map(|url| url[url::Position::BeforePath..url::Position::AfterQuery].to_owned());
    let headers = wish.headers.keys().map(|name| {
        let lines: Vec<_> =
            wish.headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        (name.as_str().to_owned(), serde_json::Value::from(lines.join(", ")))
    });
    let headers: serde_json::Map<_, _> = headers.collect();
    let body = String::from_utf8_lossy(wish.body.as_deref().unwrap_or_default());
    let shown = serde_json::json!({
        "method": wish.method.as_str(), "path": path.unwrap_or_default(), "headers": headers, "body": body,
    });
    let kind = HeaderValue::from_static("application/json");
    Reply {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
        body: Bytes::from(shown.to_string()),
        url: wish.url.clone(),
        hops: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instead(entries: &[&str], url: &str) -> Option<String> {
        let backends = Backends::parse(&entries.iter().map(|&entry| entry.into()).collect::<Vec<_>>()).unwrap();
        match backends.instead(&Url::parse(url).unwrap()) {
            Instead::Url { url, .. } => Some(url),
            Instead::Nothing | Instead::Echo => None,
        }
    }

    #[test]
    fn a_back_end_takes_the_place_of_scheme_and_authority() {
        let entries = ["gone.test=http://127.0.0.1:9000", "gone.test:8443=http://[::1]:1", "*=https://all.test"];
        for (url, expected) in [
            ("https://gone.test/a?b=c", "http://127.0.0.1:9000/a?b=c"),
            ("https://GONE.test:8443/", "http://[::1]:1/"),
            ("http://other.test/x", "https://all.test/x"),
        ] {
            assert_eq!(instead(&entries, url).as_deref(), Some(expected));
        }
        assert_eq!(instead(&entries[..1], "http://other.test/x"), None);
    }

    #[test]
    fn an_entry_names_a_host_and_no_path() {
        for wrong in ["gone.test", "=http://a.test", "a=ftp://b.test", "a=http://b.test/c", "a=http://b.test?c", "a=b"]
        {
            assert_eq!(Backends::parse(&[wrong.to_owned()]).unwrap_err(), wrong);
        }
    }
}
