//! The accept loop over real sockets: limits, timeouts, refusals, panics, drain.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::net::SocketAddr;
use std::time::Duration;

use house::{Client, Flows, Running, get, start, start_on};
use server::accept::{Bind, Limits, ListenerKind};
use server::limits::{
    BODY_RUNTIME_BYTES_MAX, CONNECTIONS_ADDRESS_MAX, CONNECTIONS_MAX, HEAD_BYTES_MAX, HEADERS_MAX, URI_BYTES_MAX,
};
use server::routes::RuntimeRouter;
use tokio::net::TcpSocket;

fn runtime() -> Running {
    start(RuntimeRouter::new(Flows), Limits::of(ListenerKind::Runtime))
}

fn runtime_with(change: impl FnOnce(&mut Limits)) -> Running {
    let mut limits = Limits::of(ListenerKind::Runtime);
    change(&mut limits);
    start(RuntimeRouter::new(Flows), limits)
}

const fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test]
async fn one_connection_carries_many_requests_also_pipelined() {
    let server = runtime();
    let mut client = server.connect().await;
    for _ in 0..3 {
        client.send(get("/hello")).await;
        assert_eq!(client.reply().await.body, "hello");
    }
    let mut client = server.connect().await;
    let post = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
    let last = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    client.send(format!("{post}{}{post}{last}", get("/hello"))).await;
    let (all, _) = client.rest().await;
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 4, "{all}");
    assert_eq!(all.matches("\r\n\r\n4").count(), 2, "{all}");
}

#[tokio::test]
async fn both_loopback_addresses_answer() {
    let server = runtime();
    assert!(server.addresses[0].is_ipv4());
    for address in &server.addresses {
        assert_eq!(address.port(), server.address.port());
        let mut client = Client(tokio::net::TcpStream::connect(address).await.unwrap());
        client.send(get("/hello")).await;
        assert_eq!(client.reply().await.status, 200);
    }
}

#[tokio::test]
async fn a_unix_socket_answers_and_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runtime.sock");
    let limits = Limits::of(ListenerKind::Runtime);
    let mut server = start_on(&[Bind::Unix(path.clone())], RuntimeRouter::new(Flows), limits);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut client = tokio::net::UnixStream::connect(&path).await.unwrap();
    client.write_all(b"GET /hello HTTP/1.0\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.0 200 OK") && reply.ends_with("hello"), "{reply}");
    server.stop().await;
    // What a dead process leaves behind is replaced.
    let again = start_on(&[Bind::Unix(path)], RuntimeRouter::new(Flows), limits);
    drop(again);
}

/// The head of a request for `/hello` that is `octets` long.
fn head_of(octets: usize) -> String {
    let (begin, end) = ("GET /hello HTTP/1.1\r\nHost: x\r\nA: ", "\r\n\r\n");
    format!("{begin}{}{end}", "a".repeat(octets - begin.len() - end.len()))
}

#[tokio::test]
async fn head_bytes_max_passes_and_one_more_is_431() {
    let server = runtime();
    assert_eq!(server.ask(head_of(HEAD_BYTES_MAX)).await.status, 200);
    assert_eq!(server.ask(head_of(HEAD_BYTES_MAX + 1)).await.status, 431);
    // In two pieces the parser's buffer grows in another way; the bound stays.
    for (octets, status) in [(HEAD_BYTES_MAX, 200), (HEAD_BYTES_MAX + 1, 431)] {
        let mut client = server.connect().await;
        let head = head_of(octets);
        client.send(&head[..9_000]).await;
        tokio::time::sleep(millis(30)).await;
        client.send(&head[9_000..]).await;
        assert_eq!(client.reply().await.status, status);
    }
}

#[tokio::test]
async fn headers_max_pass_and_one_more_is_431() {
    let server = runtime();
    let with = |count: usize| {
        let fields: String = (1..count).map(|n| format!("h{n}: v\r\n")).collect();
        format!("GET /hello HTTP/1.1\r\nHost: x\r\n{fields}\r\n")
    };
    assert_eq!(server.ask(with(HEADERS_MAX)).await.status, 200);
    assert_eq!(server.ask(with(HEADERS_MAX + 1)).await.status, 431);
}

#[tokio::test]
async fn uri_bytes_max_pass_and_one_more_is_414() {
    let server = runtime();
    let path = |octets: usize| format!("/{}", "a".repeat(octets - 1));
    let fits = server.get(&path(URI_BYTES_MAX)).await;
    assert_eq!((fits.status, &fits.body[..9]), (404, "no flow /"));
    let reply = server.get(&path(URI_BYTES_MAX + 1)).await;
    assert_eq!(reply.status, 414);
    assert!(reply.body.starts_with(r#"{"error":"uri_too_long","#), "{}", reply.body);
}

#[tokio::test]
async fn body_runtime_bytes_max_pass_and_one_more_is_413() {
    let server = runtime();
    let sized = |octets: usize| {
        let body = "b".repeat(octets);
        format!("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: {octets}\r\n\r\n{body}")
    };
    let reply = server.ask(sized(BODY_RUNTIME_BYTES_MAX)).await;
    assert_eq!((reply.status, reply.body), (200, BODY_RUNTIME_BYTES_MAX.to_string()));
    // The reply arrives although the body was sent and never read.
    assert_eq!(server.ask(sized(BODY_RUNTIME_BYTES_MAX + 1)).await.status, 413);

    let chunked = |octets: usize| {
        let body = "b".repeat(octets);
        format!(
            "POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{octets:x}\r\n{body}\r\n0\r\n\r\n"
        )
    };
    let reply = server.ask(chunked(BODY_RUNTIME_BYTES_MAX)).await;
    assert_eq!((reply.status, reply.body), (200, BODY_RUNTIME_BYTES_MAX.to_string()));
    assert_eq!(server.ask(chunked(BODY_RUNTIME_BYTES_MAX + 1)).await.status, 413);
}

#[tokio::test]
async fn trace_and_connect_are_405_and_end_the_connection() {
    let server = runtime();
    for request in ["TRACE /hello HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut client = server.connect().await;
        client.send(format!("{request}{}", get("/hello"))).await;
        let reply = client.reply().await;
        assert_eq!(reply.status, 405, "{request}");
        assert!(reply.has("connection: close"));
        assert!(reply.has("allow: get, head, post, put, delete"), "{reply:?}");
        assert_eq!(client.rest().await.0, "");
    }
}

#[tokio::test]
async fn a_connection_that_brings_no_head_is_closed_in_time() {
    let limit = millis(300);
    let server = runtime_with(|limits| limits.first_request = limit);
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for begun in ["", "G", "\r\n", "PRI", &preface[..12], &preface[..23], preface, "GET /hello HTTP/1.1\r\nHost: x\r\n"]
    {
        let asked = std::time::Instant::now();
        let mut client = server.connect().await;
        client.send(begun).await;
        let (sent, _) = client.rest().await;
        let took = asked.elapsed();
        assert!(!sent.contains("HTTP/1.1"), "{begun:?}: {sent:?}");
        assert!(took >= limit && took < millis(3_000), "{begun:?}: {took:?}");
    }
}

/// SE-24: one octet at a time in a head or a body is ended by the limit of a head or a body; others go on meanwhile.
#[tokio::test]
async fn dripping_is_ended_by_the_limit_of_what_drips() {
    let server = runtime_with(|limits| {
        limits.first_request = millis(400);
        limits.body = millis(600);
    });
    let drip = |mut client: Client, begun: &'static str| async move {
        let began = std::time::Instant::now();
        client.send(begun).await;
        let (mut read, mut write) = client.0.into_split();
        let dripping = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt as _;
            while write.write_all(b"a").await.is_ok() {
                tokio::time::sleep(millis(20)).await;
            }
        });
        let mut octets = Vec::new();
        use tokio::io::AsyncReadExt as _;
        let end = read.read_to_end(&mut octets).await;
        dripping.abort();
        (String::from_utf8(octets).unwrap(), began.elapsed(), end.is_ok())
    };
    let head = tokio::spawn(drip(server.connect().await, "GET /hello HTTP/1.1\r\nHost: "));
    let mut body = server.connect().await;
    body.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n").await;
    let began = std::time::Instant::now();
    let late = tokio::spawn(async move {
        for _ in 0..1_000 {
            body.send("a").await;
            let reply = tokio::time::timeout(millis(20), body.reply()).await;
            if let Ok(reply) = reply {
                return (reply, began.elapsed());
            }
        }
        panic!("the body was taken");
    });
    while !head.is_finished() || !late.is_finished() {
        let asked = std::time::Instant::now();
        assert_eq!(server.get("/hello").await.status, 200);
        assert!(asked.elapsed() < millis(1_000));
        tokio::time::sleep(millis(20)).await;
    }
    let (answer, took, _) = head.await.unwrap();
    assert_eq!(answer, "");
    assert!(took > millis(300) && took < millis(3_000), "{took:?}");
    let (reply, took) = late.await.unwrap();
    assert_eq!(reply.status, 408);
    assert!(took > millis(500) && took < millis(3_000), "{took:?}");
}

/// SE-26: an idle connection lives until the idle limit and is closed after it, cleanly: no reset, so that a client
/// that notices can ask again on a new one.
#[tokio::test]
async fn keep_alive_lasts_as_long_as_it_may() {
    let idle = millis(1_500);
    let server = runtime_with(|limits| limits.idle = idle);
    let mut client = server.connect().await;
    client.send(get("/hello")).await;
    assert_eq!(client.reply().await.status, 200);
    tokio::time::sleep(idle / 2).await;
    let asked = std::time::Instant::now();
    client.send(get("/hello")).await;
    assert_eq!(client.reply().await.status, 200);
    let (sent, _) = client.rest().await;
    let took = asked.elapsed();
    assert_eq!(sent, "");
    assert!(took >= idle && took < 3 * idle, "{took:?}");
    let mut client = server.connect().await;
    client.send(get("/hello")).await;
    assert_eq!(client.reply().await.status, 200);
}

#[tokio::test]
async fn a_long_request_is_not_idle() {
    let server = runtime_with(|limits| {
        limits.idle = millis(200);
        limits.first_request = millis(400);
    });
    assert_eq!(server.get("/slow").await.body, "slow");
}

#[tokio::test]
async fn a_late_reply_is_told_and_logged() {
    let mut server = runtime_with(|limits| limits.reply = millis(100));
    let reply = server.get("/slow").await;
    assert_eq!(reply.status, 504);
    let id = reply.body.split('"').nth(11).expect("a request id").to_owned();
    assert_eq!(id.len(), 16);
    let log = server.log();
    let line = log.lines().find(|line| line.contains("reply_late")).unwrap();
    assert!(line.contains(&id), "{line}");
}

#[tokio::test]
async fn a_panic_is_a_500_and_its_words_stay_in_the_log() {
    let mut server = runtime();
    let mut client = server.connect().await;
    client.send(get("/panic")).await;
    let reply = client.reply().await;
    assert_eq!(reply.status, 500);
    assert!(!reply.body.contains("canary") && !reply.head.contains("canary"));
    // The same connection and others go on.
    client.send(get("/hello")).await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(server.get("/hello").await.status, 200);
    let counts = server.metrics.listener(ListenerKind::Runtime);
    assert_eq!((counts.replies(5), counts.replies(2)), (1, 2));
    let log = server.log();
    let line = log.lines().find(|line| line.contains("canary")).unwrap();
    assert!(line.contains("request_panicked") && line.contains("request_id"));
}

/// SE-29: heads that two servers could read in two ways are 400, the connection ends, and nothing behind them is served.
#[tokio::test]
async fn smuggling_is_400_and_the_end() {
    let server = runtime();
    let behind = get("/hello");
    for (what, head, body) in [
        ("CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\nG"),
        ("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4", "5c\r\n"),
        ("TE.TE", "Transfer-Encoding: chunked\r\nTransfer-encoding: cow", "0\r\n\r\n"),
        ("TE.TE, same", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("TE obscure", "Transfer-Encoding: \x0bchunked", "0\r\n\r\n"),
        ("TE list", "Transfer-Encoding: identity, chunked", "0\r\n\r\n"),
        ("TE blank", "Transfer-Encoding : chunked", "0\r\n\r\n"),
        ("double CL", "Content-Length: 0\r\nContent-Length: 44", ""),
        ("double CL, same", "Content-Length: 0\r\nContent-Length: 0", ""),
        ("CL list", "Content-Length: 0, 0", ""),
        ("CL sign", "Content-Length: +0", ""),
        ("obs-fold", "A: b\r\n c", ""),
        ("obs-fold of CL", "Content-Length:\r\n 0", ""),
        ("bare LF", "A: b\nContent-Length: 0", ""),
        ("bare CR", "A: b\rContent-Length: 0", ""),
        ("NUL", "A: b\0", ""),
    ] {
        for pieces in [1, 7] {
            let request = format!("POST /length HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{body}{behind}");
            let mut client = server.connect().await;
            for piece in request.as_bytes().chunks(request.len().div_ceil(pieces)) {
                client.send(piece).await;
                tokio::time::sleep(millis(2)).await;
            }
            let (all, took) = client.rest().await;
            assert!(all.starts_with("HTTP/1.1 400 "), "{what}: {all}");
            assert_eq!(all.matches("HTTP/1.1").count(), 1, "{what}: {all}");
            assert!(took < millis(3_000), "{what}: {took:?}");
        }
    }
    assert_eq!(server.get("/hello").await.status, 200);
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = runtime();
    for (fields, status) in [("Host: x\r\n", 200), ("Host:\r\n", 200), ("", 400), ("Host: x\r\nHost: x\r\n", 400)] {
        let reply = server.ask(format!("GET /hello HTTP/1.1\r\n{fields}\r\n")).await;
        assert_eq!(reply.status, status, "{fields:?}");
    }
    assert_eq!(server.ask("GET /hello HTTP/1.0\r\n\r\n").await.status, 200);
}

#[tokio::test]
async fn a_chunked_request_is_answered_and_is_the_last() {
    let server = runtime();
    let mut client = server.connect().await;
    let chunked = "POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    client.send(format!("{chunked}{}", get("/hello"))).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "3"));
    assert!(reply.has("connection: close"));
    assert_eq!(client.rest().await.0, "");
}

async fn connect_from(ip: [u8; 4], to: SocketAddr) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((ip, 0).into()).unwrap();
    Client(socket.connect(to).await.unwrap())
}

/// Connections of one test process stand on both ends, so it needs twice the descriptors.
fn raise_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

#[tokio::test]
async fn connections_max_idle_leave_each_open_one_usable_and_the_next_waiting() {
    raise_descriptors();
    let server = runtime_with(|limits| limits.first_request = Duration::from_secs(60));
    let mut clients = Vec::new();
    for n in 0..CONNECTIONS_MAX {
        let ip = [127, 0, 1, (n / CONNECTIONS_ADDRESS_MAX) as u8];
        clients.push(connect_from(ip, server.address).await);
    }
    for at in [0, 1_000, CONNECTIONS_MAX - 1] {
        clients[at].send(get("/hello")).await;
        assert_eq!(clients[at].reply().await.status, 200);
    }
    let mut waiting = connect_from([127, 0, 2, 1], server.address).await;
    waiting.send(get("/hello")).await;
    let early = tokio::time::timeout(millis(100), waiting.reply()).await;
    assert!(early.is_err(), "one more was accepted");
    clients.truncate(CONNECTIONS_MAX - 1);
    assert_eq!(waiting.reply().await.status, 200);
}

#[tokio::test]
async fn one_address_has_its_share_and_the_next_connection_is_closed() {
    raise_descriptors();
    let server = runtime();
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS_ADDRESS_MAX {
        clients.push(server.connect().await);
    }
    let last = clients.last_mut().unwrap();
    last.send(get("/hello")).await;
    assert_eq!(last.reply().await.status, 200);
    let mut refused = server.connect().await;
    assert_eq!(refused.rest().await.0, "");
    let counts = server.metrics.listener(ListenerKind::Runtime);
    assert_eq!(counts.connections_refused.get(), 1);
    assert_eq!(counts.connections.get(), CONNECTIONS_ADDRESS_MAX as i64);
    // Another address is not touched, and one that leaves makes room.
    let mut other = connect_from([127, 0, 0, 9], server.address).await;
    other.send(get("/hello")).await;
    assert_eq!(other.reply().await.status, 200);
    clients.pop();
    tokio::time::sleep(millis(50)).await;
    assert_eq!(server.get("/hello").await.status, 200);
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_place() {
    let server = runtime();
    let open = || server.metrics.listener(ListenerKind::Runtime).connections.get();
    let mut client = server.connect().await;
    client.send(get("/hello")).await;
    assert_eq!(client.reply().await.status, 200);
    let mut busy = server.connect().await;
    busy.send(get("/slow")).await;
    while open() < 2 {
        tokio::time::sleep(millis(5)).await;
    }
    drop((client, busy));
    let left = async {
        while open() > 0 {
            tokio::time::sleep(millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), left).await.expect("both are gone");
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish_and_closes_idle_connections() {
    let mut server = runtime();
    let mut idle = server.connect().await;
    idle.send(get("/hello")).await;
    idle.reply().await;
    let fresh = server.connect().await;
    let mut busy = server.connect().await;
    busy.send(get("/slow")).await;
    tokio::time::sleep(millis(100)).await;
    let took = server.stop().await;
    assert!(took > millis(200) && took < millis(3_000), "{took:?}");
    assert_eq!(busy.reply().await.body, "slow");
    assert_eq!(idle.rest().await.0, "");
    drop(fresh);
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_drain_that_takes_too_long_is_cut_short() {
    let mut server = runtime_with(|limits| limits.drain = millis(100));
    let mut busy = server.connect().await;
    busy.send(get("/slow")).await;
    tokio::time::sleep(millis(50)).await;
    let took = server.stop().await;
    assert!(took > millis(50) && took < millis(3_000), "{took:?}");
    assert_eq!(busy.rest().await.0, "");
    assert!(server.log().contains("drain_cut_short"));
}
