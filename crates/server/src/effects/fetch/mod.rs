//! The one door outwards: every request that a flow causes leaves here, to an address that was checked.

mod address;
mod backend;
mod body;
mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dialects::outward::{Failure, Reply, Request as Wish};
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
    USER_AGENT,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use url::{Host, Url};

pub use address::AllowList;
pub use backend::Backends;
use connection::Exchange;

use crate::limits::{FETCH_INVOKE_SECS, FETCH_REDIRECTS_MAX, FETCH_TOTAL_SECS, URI_BYTES_MAX};

/// Requests outwards that may be under way at once; more are refused.
pub const FETCHES_MAX: usize = 256;

/// Who asks, unless the flow says who.
const NAME: &str = concat!("chancery/", env!("CARGO_PKG_VERSION"));
/// Headers that speak of the connection or of the target; the door writes them itself.
const OWN_HEADERS: [http::HeaderName; 3] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING];
/// Headers that never follow a redirect to another host.
const CREDENTIALS: [http::HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// Fetches for flows. One for the whole server.
#[derive(Clone)]
pub struct Fetcher {
    tls: Arc<ClientConfig>,
    allowed: Arc<AllowList>,
    places: Arc<Semaphore>,
}

impl Fetcher {
    /// A door to public addresses, and to what this list names.
    pub fn new(allowed: AllowList) -> Self {
        let places = Arc::new(Semaphore::new(FETCHES_MAX));
        Self { tls: connection::tls_client(), allowed: Arc::new(allowed), places }
    }

    /// Asks, and reads the whole reply.
    ///
    /// # Errors
    ///
    /// [`Failure`]; its text names hosts and bounds, never a header or a body.
    pub async fn fetch(&self, wish: Wish) -> Result<Reply, Failure> {
        self.fetch_within(FETCH_TOTAL_SECS, wish, None).await
    }

    /// Asks a back end of an API, or what stands for it, and reads the whole reply.
    ///
    /// # Errors
    ///
    /// [`Failure`]; its text names hosts and bounds, never a header or a body.
    pub async fn invoke(&self, backends: &Backends, mut wish: Wish) -> Result<Reply, Failure> {
        match backends.instead(&parse(&wish.url)?) {
            backend::Instead::Nothing => self.fetch_within(FETCH_INVOKE_SECS, wish, None).await,
            backend::Instead::Echo => Ok(backend::echo(&wish)),
            backend::Instead::Url { url, host, port } => {
                wish.url = url;
                wish.hosts = wish.hosts.map(|hosts| {
                    let mut hosts = (*hosts).clone();
                    hosts.add(&host, port);
                    Arc::new(hosts)
                });
                self.fetch_within(FETCH_INVOKE_SECS, wish, Some((&host, port))).await
            }
        }
    }

    /// Asks within so many seconds; `named` is a host and port that the operator has named for this request.
    async fn fetch_within(&self, most_secs: u64, wish: Wish, named: Option<(&str, u16)>) -> Result<Reply, Failure> {
        let Ok(_place) = self.places.try_acquire() else { return Err(Failure::Busy) };
        let most_ms = most_secs * 1_000;
        let total_ms = wish.total_ms.map_or(most_ms, |total_ms| total_ms.min(most_ms));
        let followed = tokio::time::timeout(Duration::from_millis(total_ms), self.follow(wish, named)).await;
        followed.unwrap_or(Err(Failure::Timeout(total_ms)))
    }

    async fn follow(&self, mut wish: Wish, named: Option<(&str, u16)>) -> Result<Reply, Failure> {
        for header in OWN_HEADERS {
            wish.headers.remove(header);
        }
        wish.headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(NAME));
        let mut url = parse(&wish.url)?;
        let mut hops = Vec::new();
        loop {
            let exchange = self.once(&url, &wish, named).await?;
            let next = if wish.follows { target(&url, &exchange.reply)? } else { None };
            let Some(next) = next else {
                let (head, body) = exchange.reply.into_parts();
                let body = body::read(&head.headers, body, wish.inflates).await?;
                return Ok(Reply { status: head.status, headers: head.headers, body, url: url.into(), hops });
            };
            if hops.len() == FETCH_REDIRECTS_MAX {
                return Err(Failure::Redirects(FETCH_REDIRECTS_MAX));
            }
            redirect(&mut wish, &url, &next, exchange.reply.status());
            hops.push(exchange.reply.headers().clone());
            url = next;
        }
    }

    async fn once(&self, url: &Url, wish: &Wish, named: Option<(&str, u16)>) -> Result<Exchange, Failure> {
        let host = url.host().ok_or(Failure::Url("it names no host"))?;
        let port = url.port_or_known_default().ok_or(Failure::Url("it names no port"))?;
        let name = host.to_string();
        if wish.hosts.as_ref().is_some_and(|hosts| !hosts.names(&name, port)) {
            return Err(Failure::Unnamed { host: name, port });
        }
        let is_named = named == Some((&*name, port)) || self.allowed.names(&name, port);
        let found = resolve(&host, port).await?;
        let addresses = address::reachable(found, is_named, address::is_own);
        if addresses.is_empty() {
            return Err(Failure::Denied { host: name, port });
        }
        let tls = (url.scheme() == "https").then(|| (&self.tls, name.trim_matches(['[', ']'])));
        connection::exchange(&addresses, tls, request(url, wish)?).await
    }
}

fn parse(text: &str) -> Result<Url, Failure> {
    if text.len() > URI_BYTES_MAX {
        return Err(Failure::Url("it is longer than 8192 octets"));
    }
    let url = Url::parse(text).map_err(|_| Failure::Url("it is no absolute URL"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(Failure::Url("its scheme is neither http nor https")),
    }
}

async fn resolve(host: &Host<&str>, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    match host {
        Host::Ipv4(address) => Ok(vec![(*address, port).into()]),
        Host::Ipv6(address) => Ok(vec![(*address, port).into()]),
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((*name, port)).await;
            found.map(Iterator::collect).map_err(|_| Failure::Unresolved { host: (*name).to_owned() })
        }
    }
}

fn request(url: &Url, wish: &Wish) -> Result<Request<Full<Bytes>>, Failure> {
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = Request::builder()
        .method(&wish.method)
        .uri(target)
        .body(Full::new(wish.body.clone().unwrap_or_default()))
        .map_err(|_| Failure::Url("its path cannot be sent"))?;
    *request.headers_mut() = wish.headers.clone();
    let host = HeaderValue::from_str(authority).map_err(|_| Failure::Url("its host cannot be sent"))?;
    request.headers_mut().insert(HOST, host);
    // A request that could have had a body says that it has none (RFC 9110 section 8.6).
    if wish.body.is_none() && [Method::POST, Method::PUT, Method::PATCH].contains(&wish.method) {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(request)
}

/// Where a reply redirects to, if it does.
fn target(from: &Url, reply: &Response<Incoming>) -> Result<Option<Url>, Failure> {
    let redirects = matches!(
        reply.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let Some(location) = reply.headers().get(LOCATION).filter(|_| redirects) else { return Ok(None) };
    let text = location.to_str().map_err(|_| Failure::Url("a redirect leads to text that is no URL"))?;
    let next = from.join(text).map_err(|_| Failure::Url("a redirect leads to text that is no URL"))?;
    parse(next.as_str()).map(Some)
}

/// Changes the request for its next hop: a 303 turns it into a GET (RFC 9110 section 15.4.4); credentials stay with the
/// host they were meant for.
fn redirect(wish: &mut Wish, from: &Url, to: &Url, status: StatusCode) {
    if status == StatusCode::SEE_OTHER && wish.method != Method::HEAD {
        wish.method = Method::GET;
        wish.body = None;
        wish.headers.remove(CONTENT_TYPE);
    }
    if from.origin() != to.origin() {
        for header in CREDENTIALS {
            wish.headers.remove(header);
        }
    }
}

#[cfg(test)]
mod tests;
