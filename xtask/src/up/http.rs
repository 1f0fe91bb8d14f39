//! One GET over HTTP/1.1, so that a task needs no client to be installed.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const WAIT_MAX: Duration = Duration::from_secs(5);
const REPLY_BYTES_MAX: u64 = 1 << 20;

/// A reply's status and body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Asks `address` for `path` and reads the whole reply.
///
/// # Errors
/// Nobody listens, the reply takes longer than five seconds, or it is no HTTP.
pub(super) fn get(address: &str, path: &str) -> io::Result<Reply> {
    let address = address.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("no such address"))?;
    let mut stream = TcpStream::connect_timeout(&address, WAIT_MAX)?;
    stream.set_read_timeout(Some(WAIT_MAX))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.take(REPLY_BYTES_MAX).read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| io::Error::other(format!("not HTTP: {text:.100}")))
}

fn parse(text: &str) -> Option<Reply> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Reply { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_from_a_socket() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut octet = [0];
                stream.read_exact(&mut octet).unwrap();
                head.push(octet[0]);
            }
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nbody").unwrap();
            String::from_utf8(head).unwrap()
        });
        assert_eq!(get(&address, "/a/b").unwrap(), Reply { status: 404, body: "body".to_owned() });
        assert!(server.join().unwrap().starts_with("GET /a/b HTTP/1.1\r\n"));
    }

    #[test]
    fn what_is_no_http_is_refused() {
        assert_eq!(parse("SSH-2.0\r\n\r\n"), None);
    }
}
