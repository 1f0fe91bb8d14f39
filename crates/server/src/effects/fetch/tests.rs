//! The door outwards against real sockets on loopback, which only an allow-list opens.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use http::HeaderMap;

use super::*;

/// A server that answers each connection with the next of these texts and keeps what it was asked.
struct Upstream {
    address: SocketAddr,
    asked: tokio::task::JoinHandle<Vec<String>>,
}

impl Upstream {
    async fn answering(replies: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let mut asked = Vec::new();
            for reply in replies {
                let (mut stream, _) = listener.accept().await.unwrap();
                asked.push(head(&mut stream).await);
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
            asked
        });
        Self { address, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn get(url: String) -> Wish {
    let (headers, method) = (HeaderMap::new(), Method::GET);
    Wish { method, url, headers, body: None, follows: false, inflates: true, total_ms: None, hosts: None }
}

/// Asks through a door that leads to these addresses too.
async fn fetch(allowed: &[SocketAddr], wish: Wish) -> Result<Reply, Failure> {
    let allowed: Vec<String> = allowed.iter().map(SocketAddr::to_string).collect();
    Fetcher::new(AllowList::parse(&allowed).unwrap()).fetch(wish).await
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn found(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn an_allowed_host_is_asked_and_its_answer_comes_back() {
    let upstream = Upstream::answering(vec![ok("hello")]).await;
    let mut wish = get(upstream.url("/a?b=c"));
    wish.headers.insert("x-own", "1".parse().unwrap());
    wish.headers.insert(HOST, "forged.example".parse().unwrap());
    let fetched = fetch(&[upstream.address], wish).await.unwrap();
    assert_eq!((fetched.status, &*fetched.body), (StatusCode::OK, b"hello".as_slice()));
    let asked = upstream.asked.await.unwrap();
    assert!(asked[0].starts_with("GET /a?b=c HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].contains(&format!("host: {}\r\n", upstream.address)), "{asked:?}");
    assert!(!asked[0].contains("forged"), "{asked:?}");
}

/// SE-65: every spelling of an inner address is refused before anything is sent.
#[tokio::test]
async fn no_spelling_of_an_inner_address_gets_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "127.0.0.1.",
        "localhost",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0x7f000001",
    ] {
        let refused = fetch(&[], get(format!("http://{host}:{port}/"))).await;
        let kept_in = matches!(refused, Err(Failure::Denied { .. } | Failure::Url(_) | Failure::Unresolved { .. }));
        assert!(kept_in, "{host}: {refused:?}");
    }
    let connected = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(connected.is_err(), "something reached the inner listener");
}

#[tokio::test]
async fn redirects_are_off_unless_asked_for() {
    let upstream = Upstream::answering(vec![found("/next")]).await;
    let wish = get(upstream.url("/"));
    assert_eq!(fetch(&[upstream.address], wish).await.unwrap().status, StatusCode::FOUND);
}

/// SE-67: a redirect inwards, to another scheme or one hop too far is refused.
#[tokio::test]
async fn a_redirect_is_checked_like_a_first_request() {
    for location in ["http://169.254.169.254/latest", "file:///etc/passwd", "http://127.0.0.1:1/"] {
        let upstream = Upstream::answering(vec![found(location)]).await;
        let mut wish = get(upstream.url("/"));
        wish.follows = true;
        let refused = fetch(&[upstream.address], wish).await;
        assert!(matches!(refused, Err(Failure::Denied { .. } | Failure::Url(_))), "{location}: {refused:?}");
    }
    let upstream = Upstream::answering((0..4).map(|_| found("/again")).collect()).await;
    let mut wish = get(upstream.url("/"));
    wish.follows = true;
    assert_eq!(fetch(&[upstream.address], wish).await.unwrap_err(), Failure::Redirects(FETCH_REDIRECTS_MAX));
}

/// SE-67: credentials are not forwarded to another host.
#[tokio::test]
async fn credentials_stay_with_their_host() {
    let second = Upstream::answering(vec![ok("there")]).await;
    let first = Upstream::answering(vec![found(&second.url("/"))]).await;
    let mut wish = get(first.url("/"));
    wish.follows = true;
    wish.headers.insert(AUTHORIZATION, "Bearer secret".parse().unwrap());
    wish.headers.insert("x-kept", "1".parse().unwrap());
    let reply = fetch(&[first.address, second.address], wish).await.unwrap();
    assert_eq!((&*reply.body, reply.hops.len(), reply.url), (b"there".as_slice(), 1, second.url("/")));
    assert!(first.asked.await.unwrap()[0].contains("Bearer secret"));
    let asked = second.asked.await.unwrap();
    assert!(!asked[0].contains("Bearer secret") && asked[0].contains("x-kept"), "{asked:?}");
}

/// What a 303 leads to is fetched, not posted to again; what another redirect leads to is sent the same.
#[tokio::test]
async fn only_see_other_turns_a_post_into_a_get() {
    for (status, asked_with) in
        [("303 See Other", "GET /next"), ("302 Found", "POST /next"), ("308 Moved", "POST /next")]
    {
        let moved = format!("HTTP/1.1 {status}\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n");
        let upstream = Upstream::answering(vec![moved, ok("there")]).await;
        let mut wish = get(upstream.url("/"));
        (wish.method, wish.follows) = (Method::POST, true);
        fetch(&[upstream.address], wish).await.unwrap();
        assert!(upstream.asked.await.unwrap()[1].starts_with(asked_with), "{status}");
    }
}

/// An upstream that sends `first`, then `again` every few milliseconds for ever.
async fn dripping(first: String, again: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The reader hangs up in the middle, which is what the test is about.
        let _ = stream.write_all(first.as_bytes()).await;
        while stream.write_all(again.as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    address
}

/// SE-68: silence, one octet at a time, a body or a header block beyond its bound: each ends by its own limit. What a
/// small body inflates to is bounded beside the inflater.
#[tokio::test]
async fn a_hostile_upstream_is_cut_off() {
    let large = format!("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n{}", "x".repeat(2_000_000));
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "X-Many: 1\r\n".repeat(10_000));
    let late = |ended: &Failure| *ended == Failure::Timeout(400);
    let too_large = |ended: &Failure| matches!(ended, Failure::BodyTooLarge { .. });
    let malformed = |ended: &Failure| matches!(ended, Failure::Malformed(_));
    type Expected<'e> = &'e dyn Fn(&Failure) -> bool;
    let cases: [(String, &'static str, Expected<'_>); 5] = [
        (String::new(), "", &late),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_owned(), "x", &late),
        (chunks + &format!("100000\r\n{}\r\n", "y".repeat(1_048_576)), "1\r\nz\r\n", &too_large),
        (large, "x", &too_large),
        (endless, "X-More: 1\r\n", &malformed),
    ];
    for (first, again, expected) in cases {
        let address = dripping(first, again).await;
        let mut wish = get(format!("http://{address}/"));
        wish.total_ms = expected(&Failure::Timeout(400)).then_some(400);
        let ended = fetch(&[address], wish).await.unwrap_err();
        assert!(expected(&ended), "{ended:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_has_its_name() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);
    let url = format!("http://{nobody}/");
    assert_eq!(fetch(&[nobody], get(url)).await.unwrap_err(), Failure::ConnectionRefused(nobody));
    for (reply, expected) in [("", "Closed"), ("SSH-2.0-OpenSSH\r\n\r\n", "Malformed"), (&ok("xyz")[..40], "Cut")] {
        let upstream = Upstream::answering(vec![reply.to_owned()]).await;
        let ended = fetch(&[upstream.address], get(upstream.url("/"))).await.unwrap_err();
        assert!(format!("{ended:?}").starts_with(expected), "{reply:?}: {ended:?}");
    }
}
