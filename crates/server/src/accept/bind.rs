//! Where a listener listens: TCP addresses and Unix sockets, from the text of a setting to bound sockets.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::task::Poll;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::Peer;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1_024;

/// One place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// 127.0.0.1 and ::1 on the same port; the second is left out on a machine without IPv6.
    Loopback(u16),
    /// One address.
    Tcp(SocketAddr),
    /// A Unix socket of mode 0600.
    Unix(PathBuf),
}

impl Bind {
    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Bind::Loopback(_) | Bind::Unix(_) => true,
            Bind::Tcp(address) => address.ip().to_canonical().is_loopback(),
        }
    }
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Bind, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err("a path after unix:".to_owned());
            }
            return Ok(Bind::Unix(PathBuf::from(path)));
        }
        if let Ok(port) = text.strip_prefix("localhost:").unwrap_or(text).parse() {
            return Ok(Bind::Loopback(port));
        }
        text.parse().map(Bind::Tcp).map_err(|_| {
            "a port (8080: both loopback addresses), an address with its port (127.0.0.1:8080, [::1]:8080, 0.0.0.0:8080), \
             or unix:PATH"
                .to_owned()
        })
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bind::Loopback(port) => write!(f, "localhost:{port}"),
            Bind::Tcp(address) => address.fmt(f),
            Bind::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The bound sockets of one listener; they share its limits.
#[derive(Debug)]
pub struct Listener {
    tcp: Vec<TcpListener>,
    unix: Vec<UnixListener>,
}

/// An accepted connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A place where nothing can listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {bind}: {cause}")]
pub struct BindError {
    bind: Bind,
    cause: io::Error,
}

impl Listener {
    /// Binds all places.
    ///
    /// # Errors
    /// A place is taken, not ours, or not of this machine; then none stays bound.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn bind(places: &[Bind]) -> Result<Listener, BindError> {
        let mut listener = Listener { tcp: Vec::new(), unix: Vec::new() };
        for bind in places {
            listener.add(bind).map_err(|cause| BindError { bind: bind.clone(), cause })?;
        }
        Ok(listener)
    }

    /// The TCP addresses, with the ports that the system chose where a place said 0.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.tcp.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// The next connection on any of the sockets. One loop takes from all, so that their limits are one.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        poll_fn(|cx| {
            for socket in &self.tcp {
                if let Poll::Ready(accepted) = socket.poll_accept(cx) {
                    return Poll::Ready(accepted.map(from_tcp));
                }
            }
            for socket in &self.unix {
                if let Poll::Ready(accepted) = socket.poll_accept(cx) {
                    return Poll::Ready(accepted.and_then(from_unix));
                }
            }
            Poll::Pending
        })
        .await
    }

    fn add(&mut self, bind: &Bind) -> io::Result<()> {
        match bind {
            Bind::Tcp(address) => self.tcp.push(tcp(*address)?),
            Bind::Unix(path) => self.unix.push(unix(path)?),
            Bind::Loopback(port) => {
                let first = tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), *port))?;
                let port = first.local_addr()?.port();
                self.tcp.push(first);
                match tcp(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port)) {
                    Ok(second) => self.tcp.push(second),
                    Err(error) if has_no_ipv6(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

fn from_tcp((stream, address): (TcpStream, SocketAddr)) -> (Stream, Peer) {
    // A socket that takes no option is about to fail anyway, with a better error.
    let _ = stream.set_nodelay(true);
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    (Stream::Tcp(stream), Peer::Tcp(address))
}

fn from_unix((stream, _): (UnixStream, tokio::net::unix::SocketAddr)) -> io::Result<(Stream, Peer)> {
    let uid = stream.peer_cred()?.uid();
    Ok((Stream::Unix(stream), Peer::Unix { uid }))
}

fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn has_no_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let absent = [Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| absent.contains(&code))
}

/// Binds a Unix socket for this user alone. A socket file that nobody listens on is left over and replaced.
fn unix(path: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};

    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
