//! HTTP/2 over cleartext in raw frames (RFC 9113): requests, limits, silence and floods.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::time::Duration;

use house::{Client, Flows, Running, start};
use server::accept::{Limits, ListenerKind};
use server::limits::{
    BODY_RUNTIME_BYTES_MAX, H2_LOCAL_RESETS_MAX, H2_PENDING_RESETS_MAX, H2_STREAMS_MAX, HEAD_BYTES_MAX, HEADERS_MAX,
    URI_BYTES_MAX,
};
use server::routes::RuntimeRouter;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn server_with(change: impl FnOnce(&mut Limits)) -> Running {
    let mut limits = Limits::of(ListenerKind::Runtime);
    change(&mut limits);
    start(RuntimeRouter::new(Flows), limits)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header block (RFC 7541) without the dynamic table: GET or POST, http, a path, and more fields.
fn block(post: bool, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = vec![if post { 0x83 } else { 0x82 }, 0x86];
    let text = |text: &str, block: &mut Vec<u8>| {
        let mut length = text.len();
        if length < 127 {
            block.push(length as u8);
        } else {
            block.push(127);
            length -= 127;
            while length >= 128 {
                block.push((length % 128 + 128) as u8);
                length /= 128;
            }
            block.push(length as u8);
        }
        block.extend_from_slice(text.as_bytes());
    };
    block.push(0x04);
    text(path, &mut block);
    block.push(0x01);
    text("localhost", &mut block);
    for (name, value) in fields {
        block.push(0x00);
        text(name, &mut block);
        text(value, &mut block);
    }
    block
}

/// One HTTP/2 connection.
struct Http2(Client);

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// The code at the end of the fixed part of RST_STREAM and GOAWAY.
    fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// The status, which begins every block of a reply: indexed, or literal with an indexed name.
    fn status(&self) -> u16 {
        let is_table_size = |octet: &&u8| **octet & 0xe0 == 0x20;
        let block: Vec<u8> = self.payload.iter().copied().skip_while(|octet| is_table_size(&octet)).collect();
        match block[0] {
            0x88 => 200,
            0x8c => 400,
            0x8d => 404,
            0x8e => 500,
            _ => {
                let (huffman, length) = (block[1] & 0x80 != 0, usize::from(block[1] & 0x7f));
                decode_digits(huffman, &block[2..2 + length])
            }
        }
    }
}

/// Three digits, as text or in Huffman's code, where 0 to 2 are five bits and 3 to 9 are six (RFC 7541 appendix B).
fn decode_digits(huffman: bool, octets: &[u8]) -> u16 {
    if !huffman {
        return std::str::from_utf8(octets).unwrap().parse().unwrap();
    }
    let bits: String = octets.iter().map(|octet| format!("{octet:08b}")).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let short = u16::from_str_radix(&bits[at..at + 5], 2).unwrap();
        if short < 3 {
            (at, number) = (at + 5, number * 10 + short);
        } else {
            let long = u16::from_str_radix(&bits[at..at + 6], 2).unwrap();
            (at, number) = (at + 6, number * 10 + long - 0b01_1001 + 3);
        }
    }
    number
}

impl Http2 {
    async fn connect(server: &Running) -> Http2 {
        let mut client = server.connect().await;
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        // HEADER_TABLE_SIZE 0: replies are to be read without a dynamic table.
        client.send(frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0])).await;
        Http2(client)
    }

    /// Sends without minding whether the server still listens.
    async fn push(&mut self, octets: &[u8]) -> bool {
        self.0.0.write_all(octets).await.is_ok()
    }

    async fn get(&mut self, stream: u32, path: &str, fields: &[(&str, &str)]) {
        let octets = frame(HEADERS, END_STREAM | END_HEADERS, stream, &block(false, path, fields));
        assert!(self.push(&octets).await);
    }

    /// The next frame of one of these kinds; acknowledges what must be on the way. `None` when the server closed.
    async fn next(&mut self, kinds: &[u8]) -> Option<Frame> {
        loop {
            let frame = tokio::time::timeout(Duration::from_secs(10), self.read()).await.expect("a frame in time")?;
            if frame.kind == PING && frame.flags & ACK == 0 {
                self.push(&self::frame(PING, ACK, 0, &frame.payload)).await;
            }
            if kinds.contains(&frame.kind) {
                return Some(frame);
            }
        }
    }

    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(head[5..9].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    async fn status(&mut self) -> u16 {
        self.next(&[HEADERS]).await.expect("a reply").status()
    }

    /// Reads until GOAWAY or the end, and returns the code if there was one.
    async fn ending(&mut self) -> Option<u32> {
        let goaway = self.next(&[GOAWAY]).await?;
        Some(goaway.code())
    }
}

#[tokio::test]
async fn streams_are_answered_and_bodies_bounded() {
    let server = server_with(|_| {});
    let mut client = Http2::connect(&server).await;
    client.get(1, "/hello", &[]).await;
    assert_eq!(client.status().await, 200);
    let data = client.next(&[DATA]).await.unwrap();
    assert_eq!((data.stream, data.payload.as_slice()), (1, &b"hello"[..]));
    client.get(3, "/panic", &[]).await;
    assert_eq!(client.status().await, 500);

    let length = (BODY_RUNTIME_BYTES_MAX + 1).to_string();
    let head = block(true, "/length", &[("content-length", &length)]);
    client.push(&frame(HEADERS, END_HEADERS, 5, &head)).await;
    assert_eq!(client.status().await, 413);
}

#[tokio::test]
async fn heads_are_bounded_as_in_http1() {
    let server = server_with(|_| {});
    let mut client = Http2::connect(&server).await;
    let fields = vec![("a", "b"); HEADERS_MAX + 1];
    client.get(1, "/hello", &fields[1..]).await;
    assert_eq!(client.status().await, 200);
    client.get(3, "/hello", &fields).await;
    assert_eq!(client.status().await, 431);
    let path = format!("/{}", "a".repeat(URI_BYTES_MAX));
    // The authority counts as a part of the target.
    client.get(5, &path[..URI_BYTES_MAX - "localhost".len()], &[]).await;
    assert_eq!(client.status().await, 404);
    client.get(7, &path, &[]).await;
    assert_eq!(client.status().await, 414);
    client.get(9, "/hello", &[("a", &"b".repeat(HEAD_BYTES_MAX - 200))]).await;
    assert_eq!(client.status().await, 431);
}

#[tokio::test]
async fn no_more_than_so_many_streams_at_once() {
    let server = server_with(|_| {});
    let mut client = Http2::connect(&server).await;
    for n in 0..=H2_STREAMS_MAX {
        client.get(2 * n + 1, "/slow", &[]).await;
    }
    let refused = client.next(&[RST_STREAM, HEADERS]).await.unwrap();
    assert_eq!((refused.kind, refused.stream), (RST_STREAM, 2 * H2_STREAMS_MAX + 1));
    assert_eq!(refused.code(), REFUSED_STREAM);
    for _ in 0..H2_STREAMS_MAX {
        assert_eq!(client.status().await, 200);
    }
}

/// SE-25: a connection without streams is told GOAWAY at the idle limit; one with a stream is not.
#[tokio::test]
async fn silence_ends_in_goaway() {
    let idle = Duration::from_millis(300);
    let server = server_with(|limits| limits.idle = idle);
    let mut client = Http2::connect(&server).await;
    client.get(1, "/slow", &[]).await;
    assert_eq!(client.status().await, 200);
    client.next(&[DATA]).await;
    let asked = std::time::Instant::now();
    client.get(3, "/hello", &[]).await;
    assert_eq!(client.status().await, 200);
    assert_eq!(client.ending().await, Some(0));
    let took = asked.elapsed();
    assert!(took >= idle && took < Duration::from_secs(3), "{took:?}");
    while client.next(&[GOAWAY]).await.is_some() {}
}

#[tokio::test]
async fn a_body_that_drips_in_a_stream_is_408() {
    let server = server_with(|limits| limits.body = Duration::from_millis(200));
    let mut client = Http2::connect(&server).await;
    client.push(&frame(HEADERS, END_HEADERS, 1, &block(true, "/length", &[]))).await;
    client.push(&frame(DATA, 0, 1, b"a")).await;
    assert_eq!(client.status().await, 408);
}

fn resident_octets() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

/// Runs one abuse often, and says by how much memory grew over the second half of it.
async fn growth(server: &Running, abuse: impl AsyncFn(Http2)) -> usize {
    let rounds = async |count: usize| {
        for _ in 0..count {
            abuse(Http2::connect(server).await).await;
        }
    };
    rounds(50).await;
    let before = resident_octets();
    rounds(50).await;
    resident_octets().saturating_sub(before)
}

const GROWTH_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// SE-25: streams that are opened and reset at once end the connection, and memory stays flat.
#[tokio::test]
async fn rapid_reset_ends_the_connection() {
    let server = server_with(|_| {});
    let flood: Vec<u8> = (0..1_000)
        .flat_map(|n| {
            let open = frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, &block(false, "/slow", &[]));
            [open, frame(RST_STREAM, 0, 2 * n + 1, &8_u32.to_be_bytes())].concat()
        })
        .collect();
    let few = &flood[..flood.len() / 1_000 * (H2_PENDING_RESETS_MAX / 2)];
    let mut client = Http2::connect(&server).await;
    client.push(few).await;
    client.get(2_001, "/hello", &[]).await;
    assert_eq!(client.status().await, 200, "a few resets are a client's right");

    let grown = growth(&server, async |mut client| {
        client.push(&flood).await;
        let code = client.ending().await;
        assert!(matches!(code, Some(ENHANCE_YOUR_CALM) | None), "{code:?}");
        assert!(client.next(&[HEADERS, DATA]).await.is_none(), "still served");
    })
    .await;
    assert!(grown < GROWTH_BYTES_MAX, "{grown}");
}

/// SE-25: a head that never ends ends the connection, and memory stays flat.
#[tokio::test]
async fn continuation_flood_ends_the_connection() {
    let server = server_with(|_| {});
    let more = frame(CONTINUATION, 0, 1, &block(false, "/x", &[("a", &"b".repeat(1_000))])[2..]);
    let flood = more.repeat(1_000);
    let grown = growth(&server, async |mut client| {
        client.push(&frame(HEADERS, END_STREAM, 1, &block(false, "/hello", &[]))).await;
        client.push(&flood).await;
        let code = client.ending().await;
        assert!(code != Some(0), "{code:?}");
        assert!(client.next(&[HEADERS, DATA]).await.is_none(), "still served");
    })
    .await;
    assert!(grown < GROWTH_BYTES_MAX, "{grown}");
}

#[tokio::test]
async fn streams_that_we_must_reset_end_the_connection_in_the_end() {
    let server = server_with(|_| {});
    let mut client = Http2::connect(&server).await;
    // A field of a connection makes a request malformed (RFC 9113 section 8.2.2), which is an error of its stream.
    for n in 0..=H2_LOCAL_RESETS_MAX as u32 {
        client.get(2 * n + 1, "/hello", &[("connection", "close")]).await;
    }
    assert_eq!(client.ending().await, Some(ENHANCE_YOUR_CALM));
}
