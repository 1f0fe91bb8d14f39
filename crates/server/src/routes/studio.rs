//! The studio listener's own page and rules: known hosts only, and the headers that keep a browser from helping anybody.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Response};
use http_body_util::Full;

use super::{Listener, Route};
use crate::accept::{ListenerKind, Peer};
use crate::problem::{Body, Problem, Verb};

/// The names of this machine to itself.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// As docs/contracts/studio.md section 4 states it.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// Studio and the admin API.
#[derive(Clone, Debug)]
pub struct Studio {
    hosts: Vec<String>,
}

impl Studio {
    /// Answers under the loopback names and `hosts`, with any port: a page that made its own name point here
    /// (DNS rebinding) is told 421.
    #[must_use]
    pub fn new(hosts: &[String]) -> Studio {
        let hosts = hosts.to_vec();
        Studio { hosts }
    }

    fn knows(&self, authority: &str) -> bool {
        let name = without_port(authority);
        let known = LOOPBACK_NAMES.into_iter().chain(self.hosts.iter().map(String::as_str));
        known.into_iter().any(|host| host.eq_ignore_ascii_case(name))
    }
}

impl Listener for Studio {
    const KIND: ListenerKind = ListenerKind::Studio;

    /// Every name that the request gives, in its target or in `Host`, must be one of ours, and it must give one.
    fn admit(&self, head: &Parts, _peer: Peer) -> Result<(), Problem> {
        let in_target = head.uri.authority().map(|name| Ok(name.as_str()));
        let in_fields = head.headers.get_all(HOST).iter().map(HeaderValue::to_str);
        let mut names = in_target.into_iter().chain(in_fields).peekable();
        let named = names.peek().is_some();
        if named && names.all(|name| name.is_ok_and(|name| self.knows(name))) {
            Ok(())
        } else {
            Err(Problem::Misdirected)
        }
    }

    fn finish(&self, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// `name:port` without its port; the brackets of an IPv6 address stay.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => authority,
    }
}

/// The page at `/`: where the flows answer, and that this build has no editor.
#[must_use]
pub fn routes(runtime_urls: &[String]) -> [Route<Studio>; 1] {
    let page = Bytes::from(page(runtime_urls));
    let get = Route::new(Verb::Get, "/", move |_| {
        let mut response = Response::new(Full::from(page.clone()));
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, html);
        std::future::ready(Ok(response))
    });
    [get]
}

fn page(runtime_urls: &[String]) -> String {
    let mut places = String::new();
    for url in runtime_urls {
        let url = escape(url);
        places.push_str(&format!("<li><code>{url}</code></li>\n"));
    }
    if places.is_empty() {
        places.push_str("<li>nowhere: the runtime listener is off</li>\n");
    }
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chancery</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}</style>
<h1>Chancery</h1>
<p>The server runs. Its flows answer at:</p>
<ul>
{places}</ul>
<p>The visual editor is not part of this build. Deploy a flow with <code>chancery serve FLOW.json</code>, set the secret
of a node with <code>chancery secret set NODE FIELD</code>, and see what the server counts at
<a href="/metrics">/metrics</a>.</p>
</html>
"#
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
