//! One request of a bench over a connection that stays open, and the check that its answer is a token.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// What is asked, and what a right answer is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) request: &'static [u8],
    pub(crate) body_start: &'static [u8],
    /// How long a right body is, in octets; none if tokens differ in length.
    pub(crate) body_bytes: Option<usize>,
}

impl Question {
    /// The seed flow's, whose body has its length by contract (node-red.md section 1).
    pub(crate) const SEED: Self = Self {
        request: b"GET /jwt/generate HTTP/1.1\r\nHost: localhost\r\n\r\n",
        body_start: br#"{"access_token":"eyJ"#,
        body_bytes: Some(412),
    };
    /// That of `bench/api-connect`.
    pub(crate) const API: Self = Self {
        request: b"GET /bench/token HTTP/1.1\r\nHost: localhost\r\nX-IBM-Client-Id: shop\r\n\r\n",
        body_start: b"Bearer eyJ",
        body_bytes: None,
    };
}

const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A connection that asks for tokens, one after the other.
pub(crate) struct Connection {
    question: Question,
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    /// Connects to a server on the loopback interface.
    pub(crate) fn open(address: SocketAddr, question: Question) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        Ok(Self { question, stream: BufReader::new(stream), body: Vec::new() })
    }

    /// Asks once and gives the body. Anything but a 200 with a token is an error.
    pub(crate) fn ask(&mut self) -> io::Result<&[u8]> {
        self.send()?;
        self.answer()
    }

    /// Sends the request.
    pub(crate) fn send(&mut self) -> io::Result<()> {
        self.stream.get_mut().write_all(self.question.request)
    }

    /// Reads the answer of a request that was sent. Anything but a 200 with a token is an error.
    pub(crate) fn answer(&mut self) -> io::Result<&[u8]> {
        let (status, length) = self.head()?;
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)?;
        let is_long_enough = self.question.body_bytes.is_none_or(|bytes| bytes == length);
        if status == 200 && is_long_enough && self.body.starts_with(self.question.body_start) {
            return Ok(&self.body);
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

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.get_ref().as_fd()
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
        Connection::open(address, Question::SEED)?.ask().map(drop)
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
