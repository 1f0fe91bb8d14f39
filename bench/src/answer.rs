//! One request of the bench over a connection that stays open, and the check that its answer is a token.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const REQUEST: &[u8] = b"GET /jwt/generate HTTP/1.1\r\nHost: localhost\r\n\r\n";
const BODY_START: &[u8] = br#"{"access_token":"eyJ"#;
/// The seed flow's body, by contract (node-red.md section 1).
const BODY_BYTES: usize = 412;
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A connection that asks for tokens, one after the other.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    /// Connects to a server on the loopback interface.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        Ok(Self { stream: BufReader::new(stream), body: Vec::with_capacity(BODY_BYTES) })
    }

    /// Asks once. Anything but a 200 with a token of the seed flow's length is an error.
    pub(crate) fn ask(&mut self) -> io::Result<()> {
        self.stream.get_mut().write_all(REQUEST)?;
        let (status, length) = self.head()?;
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        if status == 200 && length == BODY_BYTES && self.body.starts_with(BODY_START) {
            return Ok(());
        }
        Err(io::Error::other(format!("answered {status}: {}", String::from_utf8_lossy(&self.body))))
    }

    fn head(&mut self) -> io::Result<(u16, usize)> {
        let mut line = String::new();
        let mut status = 0;
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => return Ok((status, length)),
                text if text.starts_with("HTTP/1.1 ") => status = number(&text[9..12])?,
                text => {
                    if let Some((name, value)) = text.split_once(':')
                        && name.eq_ignore_ascii_case("content-length")
                    {
                        length = number(value)?;
                    }
                }
            }
        }
    }
}

fn number<T: std::str::FromStr>(text: &str) -> io::Result<T> {
    text.trim().parse().map_err(|_| io::Error::other(format!("not a number: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Answers one connection with `answer`, whatever it asks.
    fn asked(answer: String) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        Connection::open(address)?.ask()
    }

    fn token_answer(status: u16, length: usize) -> String {
        let body = format!("{:x<length$}", r#"{"access_token":"eyJ"#);
        format!("HTTP/1.1 {status} X\r\ncontent-LENGTH: {length}\r\n\r\n{body}")
    }

    #[test]
    fn a_token_of_the_right_length_counts() {
        asked(token_answer(200, 412)).unwrap();
    }

    #[test]
    fn anything_else_is_an_error() {
        let other_body = format!("HTTP/1.1 200 OK\r\nContent-Length: 412\r\n\r\n{}", "x".repeat(412));
        for answer in [token_answer(500, 412), token_answer(200, 411), other_body, String::new()] {
            assert!(asked(answer.clone()).is_err(), "{answer}");
        }
    }
}
