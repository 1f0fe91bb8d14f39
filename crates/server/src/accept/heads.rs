//! Watches HTTP/1 request heads for what two servers could read in two ways, the stuff of request smuggling.
//!
//! hyper accepts a bare LF as a line end, both `Content-Length` and `Transfer-Encoding`, and a repeated equal
//! `Content-Length`; by the time a service sees the request the evidence is gone. docs/contracts/security.md section 6
//! refuses all of them, so the octets are watched before the parser gets them. The watch follows `Content-Length`
//! bodies itself; a chunked request is the last of its connection (`exchange.rs`), so chunks need no second parser.

use memchr::{memchr, memchr2};

/// The watch over one connection.
#[derive(Default)]
pub(super) struct Heads {
    state: State,
    /// The beginning of a line whose end has not come yet. The parser bounds it: it reads no more than `head_bytes`.
    line: Vec<u8>,
    content_length: Option<u64>,
    is_chunked: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Before or in a request line.
    #[default]
    RequestLine,
    Fields,
    /// In a body, with so many octets to come.
    Body(u64),
    /// After the head of the last request.
    Last,
}

/// A line that makes the head refused.
struct Dubious;

impl Heads {
    /// Looks at the next octets. If a head goes wrong among them, returns the offset up to which they were right.
    pub(super) fn inspect(&mut self, octets: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < octets.len() {
            let rest = &octets[at..];
            match self.state {
                State::RequestLine | State::Fields => {
                    let Some(end) = memchr(b'\n', rest) else {
                        self.line.extend_from_slice(rest);
                        return None;
                    };
                    if self.end_line(&rest[..end]).is_err() {
                        self.state = State::Last;
                        return Some(at + end);
                    }
                    at += end + 1;
                }
                State::Body(left) => {
                    let here = left.min(rest.len() as u64);
                    self.state = match left - here {
                        0 => State::RequestLine,
                        left => State::Body(left),
                    };
                    // Not above the length of `rest`.
                    at += here as usize;
                }
                State::Last => return None,
            }
        }
        None
    }

    /// Whether the last request has come whole and the next has not begun, as far as one can know.
    pub(super) fn is_between_requests(&self) -> bool {
        self.state == State::RequestLine && self.line.is_empty()
    }

    fn end_line(&mut self, tail: &[u8]) -> Result<(), Dubious> {
        if self.line.is_empty() {
            return self.read_line(tail);
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(tail);
        let read = self.read_line(&line);
        line.clear();
        self.line = line;
        read
    }

    /// Reads a line that ended in LF; its CR must be the only one in it.
    fn read_line(&mut self, line: &[u8]) -> Result<(), Dubious> {
        let Some((b'\r', line)) = line.split_last() else {
            return Err(Dubious);
        };
        if memchr2(b'\r', 0, line).is_some() {
            return Err(Dubious);
        }
        match self.state {
            State::RequestLine if line.is_empty() => {} // RFC 9112 section 2.2 allows it before a request.
            State::RequestLine => self.state = State::Fields,
            State::Fields if line.is_empty() => self.end_head(),
            State::Fields => self.read_field(line)?,
            State::Body(_) | State::Last => {}
        }
        Ok(())
    }

    fn end_head(&mut self) {
        let length = self.content_length.take().unwrap_or(0);
        self.state = match (self.is_chunked, length) {
            (true, _) => State::Last,
            (false, 0) => State::RequestLine,
            (false, length) => State::Body(length),
        };
    }

    fn read_field(&mut self, line: &[u8]) -> Result<(), Dubious> {
        match line[0] {
            b' ' | b'\t' => return Err(Dubious), // Obsolete line folding.
            b'c' | b'C' | b't' | b'T' => {}
            _ => return Ok(()),
        }
        let Some(colon) = memchr(b':', line) else {
            return Err(Dubious);
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.last().is_some_and(u8::is_ascii_whitespace) {
            return Err(Dubious);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            self.refuse_second_framing()?;
            self.content_length = Some(digits(value).ok_or(Dubious)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.refuse_second_framing()?;
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Dubious);
            }
            self.is_chunked = true;
        }
        Ok(())
    }

    fn refuse_second_framing(&self) -> Result<(), Dubious> {
        if self.is_chunked || self.content_length.is_some() {
            return Err(Dubious);
        }
        Ok(())
    }
}

fn digits(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the watch cuts, fed in pieces of every size; all sizes must agree.
    fn cut(octets: &str) -> Option<usize> {
        let octets = octets.as_bytes();
        let cuts: Vec<Option<usize>> = (1..=octets.len())
            .map(|size| {
                let mut heads = Heads::default();
                octets.chunks(size).enumerate().find_map(|(i, piece)| heads.inspect(piece).map(|at| i * size + at))
            })
            .collect();
        assert!(cuts.windows(2).all(|pair| pair[0] == pair[1]), "{cuts:?} for {octets:?}");
        cuts[0]
    }

    #[test]
    fn plain_requests_pass_one_after_the_other() {
        let get = "GET /a HTTP/1.1\r\nHost: x\r\nCookie: a\r\n\r\n";
        let post = "POST /a HTTP/1.1\r\ncontent-length: 5 \r\n\r\na\nb\rc";
        assert_eq!(cut(&format!("\r\n{get}{post}{get}{post}\r\n{get}")), None);
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nanything\nat all";
        assert_eq!(cut(&format!("{get}{chunked}")), None);
    }

    #[test]
    fn a_dubious_line_is_cut_before_its_end() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\n";
        for line in [
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding:\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Content-Length:\r\n",
            "Content-Length\r\n",
            "Content-Length : 1\r\n",
            "Transfer-Encoding\t: chunked\r\n",
            "A: b\r\n folded: c\r\n",
            "A: b\r\n\tc\r\n",
            "A: b\n",
            "A: b\rc\r\n",
            "A: b\r\r\n",
            "A: b\0c\r\n",
            "\n",
        ] {
            let text = format!("{head}{line}\r\n");
            assert_eq!(cut(&text), Some(head.len() + line.len() - 1), "{line:?}");
        }
        assert_eq!(cut("GET / HTTP/1.1\n"), Some(14));
        assert_eq!(cut("\nGET / HTTP/1.1\r\n"), Some(0));
    }

    #[test]
    fn the_watch_finds_the_next_head_behind_a_body() {
        let post = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\n\n";
        let bad = "GET / HTTP/1.1\r\nA: b\n";
        assert_eq!(cut(&format!("{post}{bad}")), Some(post.len() + bad.len() - 1));
    }
}
