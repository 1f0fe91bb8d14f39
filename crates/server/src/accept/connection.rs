//! One connection: which protocol it speaks, and its life until it is done, silent for too long, or told to end.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::exchange::exchange;
use super::pace::{Pace, Verdict};
use super::wire::{self, Protocol, Wire};
use super::{Door, Handler, Limits, Peer};
use crate::limits::{H2_LOCAL_RESETS_MAX, H2_PENDING_RESETS_MAX, H2_STREAMS_MAX};

/// Octets that one HTTP/2 stream, and one connection, may send ahead of being read: memory a peer can claim.
const H2_STREAM_WINDOW_BYTES: u32 = 64 * 1_024;
const H2_CONNECTION_WINDOW_BYTES: u32 = 512 * 1_024;

pub(super) fn http1_builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.max_header_size(limits.head_bytes).max_buf_size(limits.head_bytes).header_read_timeout(None);
    builder
}

pub(super) fn http2_builder(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_pending_accept_reset_streams(H2_PENDING_RESETS_MAX)
        .max_local_error_reset_streams(H2_LOCAL_RESETS_MAX)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(H2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(H2_CONNECTION_WINDOW_BYTES);
    builder
}

/// Serves one connection to its end.
pub(super) async fn converse<H, S>(mut stream: S, peer: Peer, door: &Arc<Door<H>>)
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let opened = Instant::now();
    let limits = &door.limits;
    let sniffing = timeout_at(opened + limits.first_request, wire::sniff(&mut stream));
    let Some(Ok(Ok(start))) = door.house.shutdown.or(sniffing).await else {
        return;
    };
    let pace = Pace::new(opened, limits.first_request, limits.idle);
    match start.protocol() {
        Some(Protocol::Http1) => {
            let io = TokioIo::new(Wire::http1(stream, start));
            let (door, pace) = (&**door, &pace);
            let service = service_fn(move |request| exchange(door, peer, pace, request));
            let connection = door.http1.serve_connection(io, service);
            let wind_down = http1::Connection::graceful_shutdown;
            attend(connection, wind_down, Farewell::None, door, pace).await;
        }
        Some(Protocol::Http2) => {
            let io = TokioIo::new(Wire::http2(stream, start));
            let pace = Arc::new(pace);
            let (owned_door, owned_pace) = (Arc::clone(door), Arc::clone(&pace));
            let service = service_fn(move |request| {
                let (door, pace) = (Arc::clone(&owned_door), Arc::clone(&owned_pace));
                async move { exchange(&door, peer, &pace, request).await }
            });
            let connection = door.http2.serve_connection(io, service);
            let wind_down = http2::Connection::graceful_shutdown;
            attend(connection, wind_down, Farewell::GoAway, door, &pace).await;
        }
        None => {}
    }
}

/// How a protocol tells a peer that its silence was too long.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Farewell {
    /// It has no word for it: the connection is closed.
    None,
    /// By the frame that winding down sends; the peer has [`Limits::drain`] to take it in.
    GoAway,
}

/// Polls the connection until it ends, tells it to wind down when the server stops, and ends it when it was silent for
/// too long.
async fn attend<C: Future, H>(
    connection: C,
    wind_down: fn(Pin<&mut C>),
    farewell: Farewell,
    door: &Door<H>,
    pace: &Pace,
) {
    let mut connection = pin!(connection);
    let mut alarm = pin!(sleep_until(Instant::now()));
    let mut shutdown = pin!(door.house.shutdown.begun());
    let mut cut = pin!(door.cut.wait());
    let mut listening = false;
    let mut winding = false;
    poll_fn(|cx| {
        if !listening {
            // Once is enough: the task is woken by either, whoever polls it, and the flags below say which. Polling them
            // every time would take their lock for every request.
            listening = true;
            let _ = (shutdown.as_mut().poll(cx), cut.as_mut().poll(cx));
        }
        if door.cut.is_raised() {
            return Poll::Ready(());
        }
        if door.house.shutdown.has_begun() && !winding {
            winding = true;
            wind_down(connection.as_mut());
        }
        loop {
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            match pace.verdict(now) {
                Verdict::Wait(until) => alarm.as_mut().reset(until),
                Verdict::Over if winding || farewell == Farewell::None || pace.is_unused() => {
                    return Poll::Ready(());
                }
                Verdict::Over => {
                    winding = true;
                    wind_down(connection.as_mut());
                    alarm.as_mut().reset(now + door.limits.drain);
                }
            }
        }
    })
    .await;
}
