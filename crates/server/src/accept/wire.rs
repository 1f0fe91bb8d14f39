//! The octets of a connection on their way to the HTTP parser: which protocol they begin, and which heads stop here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use super::heads::Heads;

/// What every HTTP/2 connection begins with (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the parser is given in place of a head that must not be served: NUL is an error in every part of a head, and
/// the empty line makes the parser look at once. It answers 400 and closes.
const REFUSAL: &[u8] = b"\0\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// The first octets of a connection: enough to tell its protocol.
pub(super) struct Start {
    octets: [u8; PREFACE.len()],
    len: usize,
}

impl Start {
    /// The protocol, or nothing if the peer left before it could be told.
    pub(super) fn protocol(&self) -> Option<Protocol> {
        let so_far = &self.octets[..self.len];
        if !PREFACE.starts_with(so_far) {
            Some(Protocol::Http1)
        } else if self.len == PREFACE.len() {
            Some(Protocol::Http2)
        } else {
            None
        }
    }
}

/// Reads until the protocol is known or the peer leaves. Whoever calls it keeps the time.
pub(super) async fn sniff(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Start> {
    let mut start = Start { octets: [0; PREFACE.len()], len: 0 };
    while start.protocol().is_none() {
        let read = stream.read(&mut start.octets[start.len..]).await?;
        if read == 0 {
            break;
        }
        start.len += read;
    }
    Ok(start)
}

/// A stream that gives its first octets again, and over HTTP/1 lets no dubious head through.
pub(super) struct Wire<S> {
    stream: S,
    start: Start,
    start_read: usize,
    /// HTTP/1 only: HTTP/2 frames its requests unambiguously.
    heads: Option<Heads>,
    /// What is left to give of [`REFUSAL`], once a head was refused.
    refusal: Option<&'static [u8]>,
}

impl<S> Wire<S> {
    pub(super) fn http1(stream: S, start: Start) -> Wire<S> {
        let heads = Some(Heads::default());
        Wire { heads, ..Wire::http2(stream, start) }
    }

    pub(super) fn http2(stream: S, start: Start) -> Wire<S> {
        Wire { stream, start, start_read: 0, heads: None, refusal: None }
    }

    /// Shows what was read since `before` to the guard, and cuts it where a head goes wrong.
    fn guard(&mut self, buf: &mut ReadBuf<'_>, before: usize) {
        let Some(heads) = &mut self.heads else { return };
        if let Some(at) = heads.inspect(&buf.filled()[before..]) {
            buf.set_filled(before + at);
            self.refusal = Some(give(REFUSAL, buf));
        }
    }

    /// Whether the peer may have sent what nobody is going to read.
    fn leaves_input(&self) -> bool {
        let between = self.heads.as_ref().is_none_or(Heads::is_between_requests);
        self.refusal.is_some() || !between
    }
}

/// Moves as much of `octets` as fits, and returns what is left.
fn give<'a>(octets: &'a [u8], buf: &mut ReadBuf<'_>) -> &'a [u8] {
    let (now, later) = octets.split_at(octets.len().min(buf.remaining()));
    buf.put_slice(now);
    later
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        let before = buf.filled().len();
        if let Some(refusal) = wire.refusal {
            wire.refusal = Some(give(refusal, buf));
        } else if wire.start_read < wire.start.len {
            let octets = &wire.start.octets[wire.start_read..wire.start.len];
            wire.start_read = wire.start.len - give(octets, buf).len();
            wire.guard(buf, before);
        } else {
            ready!(Pin::new(&mut wire.stream).poll_read(cx, buf))?;
            wire.guard(buf, before);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    /// Closes our half, then reads on into nothing until the peer closes its own: a socket closed over unread input is
    /// reset, and the reset may overtake the reply that says why. The connection's deadline ends the wait.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        ready!(Pin::new(&mut wire.stream).poll_shutdown(cx))?;
        let mut scratch = [std::mem::MaybeUninit::uninit(); 4_096];
        while wire.leaves_input() {
            let mut buf = ReadBuf::uninit(&mut scratch);
            ready!(Pin::new(&mut wire.stream).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
