//! One connection outwards: to an address that was checked, over TLS where the URL says so.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dialects::outward::Failure;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::limits::{FETCH_CONNECT_SECS, HEAD_BYTES_MAX, HEADERS_MAX};

/// The TLS side of every fetch: the public roots, TLS 1.2 and 1.3.
pub(super) fn tls_client() -> Arc<ClientConfig> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// The head of a reply; its body is read from it as long as this is kept.
pub(super) struct Exchange {
    pub(super) reply: Response<Incoming>,
    _connection: Connection,
}

/// A connection that ends when nobody reads from it any more.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends one request over a connection of its own and gives the head of the reply.
///
/// The addresses are tried in order; all of them together get [`FETCH_CONNECT_SECS`].
pub(super) async fn exchange(
    addresses: &[SocketAddr],
    tls: Option<(&Arc<ClientConfig>, &str)>,
    request: Request<Full<Bytes>>,
) -> Result<Exchange, Failure> {
    let limit = Duration::from_secs(FETCH_CONNECT_SECS);
    let stream = timeout(limit, connect(addresses)).await.map_err(|_| Failure::ConnectTimeout)??;
    let Some((config, host)) = tls else { return converse(stream, request).await };
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::Url("the host is no name"))?;
    let handshake = TlsConnector::from(Arc::clone(config)).connect(name, stream);
    let stream = timeout(limit, handshake).await.map_err(|_| Failure::ConnectTimeout)?;
    converse(stream.map_err(|error| Failure::Connect(error.to_string()))?, request).await
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut last = Failure::Connect("the host has no address".to_owned());
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(|error| Failure::Connect(error.to_string()))?;
                return Ok(stream);
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => last = Failure::ConnectionRefused(*address),
            Err(error) => last = Failure::Connect(error.to_string()),
        }
    }
    Err(last)
}

async fn converse<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Exchange, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut client = http1::Builder::new();
    let client = client.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream));
    let (mut sender, connection) = client.await.map_err(|error| failure(&error))?;
    let connection = Connection(tokio::spawn(connection).abort_handle());
    let reply = sender.send_request(request).await.map_err(|error| failure(&error))?;
    Ok(Exchange { reply, _connection: connection })
}

/// What an exchange that failed tells the flow.
fn failure(error: &hyper::Error) -> Failure {
    if error.is_parse() { Failure::Malformed(error.to_string()) } else { Failure::Closed }
}
