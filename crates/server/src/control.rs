//! The control socket in the data folder: where a running server hears the command line of the same user, and the client
//! that speaks to it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::accept::Bind;
use crate::limits::REPLY_ADMIN_SECS;

/// The name of the socket in the data folder.
pub const SOCKET_FILE: &str = "control.sock";

/// The largest reply that the client takes, in octets: a document and the words around it.
const REPLY_BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// The client waits a little longer than the server may take.
const REPLY_WAIT: Duration = Duration::from_secs(REPLY_ADMIN_SECS + 5);

/// Where the server of a data folder listens for the command line.
#[must_use]
pub fn bind(data_folder: &Path) -> Bind {
    Bind::Unix(data_folder.join(SOCKET_FILE))
}

/// A running server, as the command line reaches it. It blocks: the command line has nothing else to do.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
}

/// What the server said.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects to the server of a data folder; `None` if none runs there.
    ///
    /// # Errors
    /// The socket is there and does not let us in, another user's for instance.
    pub fn connect(data_folder: &Path) -> io::Result<Option<Client>> {
        match UnixStream::connect(data_folder.join(SOCKET_FILE)) {
            Ok(stream) => Ok(Some(Client { stream })),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends one request with a JSON body and waits for its reply; a connection serves one request.
    ///
    /// `path` is written as it is: whoever builds it percent-encodes its segments.
    ///
    /// # Errors
    /// The server went away, took too long, or did not speak HTTP.
    pub fn call(mut self, method: &Method, path: &str, body: &[u8]) -> io::Result<Reply> {
        if !path.starts_with('/') || !path.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a path"));
        }
        self.stream.set_read_timeout(Some(REPLY_WAIT))?;
        self.stream.set_write_timeout(Some(REPLY_WAIT))?;
        // HTTP/1.0: the end of the stream is the end of the reply, so there is no framing to parse.
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        self.stream.write_all(head.as_bytes())?;
        self.stream.write_all(body)?;
        let mut octets = Vec::new();
        self.stream.take(REPLY_BYTES_MAX).read_to_end(&mut octets)?;
        parse(octets).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the server's reply is not HTTP"))
    }
}

fn parse(mut octets: Vec<u8>) -> Option<Reply> {
    let head_end = memchr::memmem::find(&octets, b"\r\n\r\n")?;
    let status = octets.strip_prefix(b"HTTP/1.0 ")?.get(..3)?;
    let status = StatusCode::from_bytes(status).ok()?;
    let body = octets.split_off(head_end + 4);
    Some(Reply { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_its_status_and_its_body() {
        let reply = parse(b"HTTP/1.0 201 Created\r\nA: b\r\n\r\nbody\r\n\r\n".to_vec()).unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (StatusCode::CREATED, &b"body\r\n\r\n"[..]));
        for broken in ["", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 99 X\r\n\r\n", "SSH-2.0\r\n\r\n"]
        {
            assert_eq!(parse(broken.as_bytes().to_vec()), None, "{broken}");
        }
    }
}
