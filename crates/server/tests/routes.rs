//! Every route that exists, on every listener: who answers what, and what no spelling reaches.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::sync::Arc;

use house::{Flows, Reply, Running, start, start_on};
use server::accept::{Limits, ListenerKind, Shutdown};
use server::log::{Form, Level, Log};
use server::metrics::Metrics;
use server::routes::health::{self, Condition};
use server::routes::{Control, Health, Router, RuntimeRouter, Studio, metrics, studio};

/// The five listeners as `serve` mounts them.
struct Everything {
    by_kind: Vec<(ListenerKind, Running)>,
    condition: Arc<Condition>,
    shutdown: Shutdown,
    folder: tempfile::TempDir,
}

impl Everything {
    fn start() -> Everything {
        let folder = tempfile::tempdir().unwrap();
        let shutdown = Shutdown::default();
        let condition = Condition::starting(shutdown.clone());
        let counts = Arc::<Metrics>::default();
        let urls = ["http://127.0.0.1:8080/<b>".to_owned()];
        let control = Control { uid: rustix::process::getuid().as_raw() };
        let limits = Limits::of;
        let (log, _guard) = Log::start(Level::Error, Form::Json, std::io::sink()).unwrap();
        let core = house::core::core(&Default::default(), None, &log);
        use ListenerKind as K;
        let by_kind = vec![
            (K::Runtime, start(RuntimeRouter::new(Flows), limits(K::Runtime))),
            (K::Core, start(core, limits(K::Core))),
            (
                K::Studio,
                start(
                    Router::new(Studio::new(&["studio.example".to_owned()]))
                        .with(studio::routes(&urls))
                        .with(metrics::routes(Arc::clone(&counts))),
                    limits(K::Studio),
                ),
            ),
            (
                K::Control,
                start_on(
                    &[server::control::bind(folder.path())],
                    Router::new(control).with(health::routes(&condition)),
                    limits(K::Control),
                ),
            ),
            (
                K::Health,
                start(
                    Router::new(Health).with(health::routes(&condition)).with(metrics::routes(counts)),
                    limits(K::Health),
                ),
            ),
        ];
        Everything { by_kind, condition, shutdown, folder }
    }

    fn at(&self, kind: ListenerKind) -> &Running {
        &self.by_kind.iter().find(|(known, _)| *known == kind).unwrap().1
    }

    /// `GET path` on one of them, over TCP or the socket.
    async fn get(&self, kind: ListenerKind, path: &str) -> Reply {
        if kind != ListenerKind::Control {
            return self.at(kind).get(path).await;
        }
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let socket = self.folder.path().join(server::control::SOCKET_FILE);
        let mut stream = tokio::net::UnixStream::connect(socket).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).await.unwrap();
        Reply::parse(&octets).unwrap()
    }
}

/// SE-01: each route answers on the listeners that serve it, and is 404 on all others.
#[tokio::test]
async fn every_route_on_every_listener() {
    use ListenerKind::{Control, Core, Health, Runtime, Studio};
    let house = Everything::start();
    house.condition.set_serving();
    let routes: [(&str, &[ListenerKind]); 9] = [
        ("/", &[Core, Studio]),
        ("/metrics", &[Studio, Health]),
        ("/health/live", &[Control, Health]),
        ("/health/ready", &[Control, Health]),
        ("/health/fresh", &[Control, Health]),
        ("/hello", &[Runtime, Core]),
        ("/apiversion", &[Core]),
        ("/recipe/jwt/jwks", &[Core]),
        ("/.well-known/jwks.json", &[Core]),
    ];
    for (path, served) in routes {
        for kind in ListenerKind::ALL {
            let status = house.get(kind, path).await.status;
            let expected = if served.contains(&kind) { 200 } else { 404 };
            assert_eq!(status, expected, "{path} on {}", kind.name());
        }
    }
    for kind in ListenerKind::ALL {
        let reserved = house.get(kind, "/.well-known/jwks.json").await;
        assert!(!reserved.body.contains("no flow"), "a flow was asked for a reserved path");
    }
}

#[tokio::test]
async fn core_refuses_in_the_words_of_supertokens() {
    let house = Everything::start();
    let core = house.at(ListenerKind::Core);
    let reply = core.get("/recipe/session").await;
    assert_eq!((reply.status, reply.body.as_str()), (404, "Not found\n"));
    assert!(reply.has("content-type: text/plain; charset=utf-8") && reply.has("x-content-type-options: nosniff"));
    let reply = core.ask("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((reply.status, reply.body.as_str()), (405, "Method not supported\n"));
}

#[tokio::test]
async fn health_answers_one_word_that_follows_the_server() {
    let house = Everything::start();
    let ask = async |path: &str| {
        let reply = house.get(ListenerKind::Health, path).await;
        (reply.status, reply.body)
    };
    let word = |status, text: &str| (status, text.to_owned());
    assert_eq!(ask("/health/live").await, word(200, "live"));
    assert_eq!(ask("/health/ready").await, word(503, "starting"));
    assert_eq!(ask("/health/fresh").await, word(503, "stale"));
    house.condition.set_serving();
    assert_eq!(ask("/health/ready").await, word(200, "ready"));
    assert_eq!(ask("/health/fresh").await, word(200, "fresh"));
    house.shutdown.begin();
    assert_eq!(ask("/health/live").await, word(200, "live"));
    assert_eq!(ask("/health/ready").await, word(503, "draining"));
    let mut client = house.at(ListenerKind::Health).connect().await;
    client.send("HEAD /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let (head, _) = client.rest().await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn metrics_count_what_the_listeners_did() {
    let house = Everything::start();
    let server = house.at(ListenerKind::Runtime);
    server.get("/hello").await;
    server.get("/nowhere").await;
    let text = server.metrics.render();
    assert!(text.contains(r#"chancery_replies_total{listener="runtime",class="2xx"} 1"#), "{text}");
    assert!(text.contains(r#"chancery_replies_total{listener="runtime",class="4xx"} 1"#), "{text}");
    let reply = house.get(ListenerKind::Studio, "/metrics").await;
    assert!(reply.has("content-type: text/plain; version=0.0.4; charset=utf-8"), "{}", reply.head);
    assert!(reply.body.starts_with("# HELP chancery_info "));
}

#[tokio::test]
async fn the_studio_page_says_where_flows_answer_and_carries_its_headers() {
    let house = Everything::start();
    let reply = house.get(ListenerKind::Studio, "/").await;
    assert!(reply.body.contains("http://127.0.0.1:8080/&lt;b&gt;"), "{}", reply.body);
    assert!(reply.body.contains("not part of this build"));
    for reply in [reply, house.get(ListenerKind::Studio, "/nowhere").await] {
        assert!(reply.head.contains("\r\ncontent-security-policy: default-src 'none'; script-src 'self';"));
        assert!(reply.has("x-content-type-options: nosniff") && reply.has("referrer-policy: no-referrer"));
    }
}

/// SE-03: Studio answers under its own names only, so a page whose name was pointed here reads and writes nothing.
#[tokio::test]
async fn studio_answers_under_its_own_names_only() {
    let house = Everything::start();
    let studio = house.at(ListenerKind::Studio);
    let port = studio.address.port();
    let known = ["localhost", "LocalHost", "127.0.0.1", "[::1]", "studio.example"];
    for host in known.iter().flat_map(|name| [(*name).to_owned(), format!("{name}:{port}")]) {
        let reply = studio.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(reply.status, 200, "{host}");
    }
    for fields in [
        "Host: evil.example\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: evil.example:1880\r\n",
        "Host: 127.0.0.1.evil.example\r\n",
        "Host: 0.0.0.0\r\n",
        "Host: ::1\r\n",
        "Host: \r\n",
        "Host: localhost, evil.example\r\n",
        "Host: evil.example\r\nX-Forwarded-Host: localhost\r\n",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            for path in ["/", "/metrics", "/nowhere"] {
                let reply = studio.ask(format!("{method} {path} HTTP/1.1\r\n{fields}\r\n")).await;
                assert_eq!(reply.status, 421, "{method} {path} {fields:?}");
                assert!(reply.body.contains("misdirected_request"));
            }
        }
    }
    let elsewhere = "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(studio.ask(elsewhere).await.status, 421);
}

/// SE-06: no spelling of a path reaches another route, and none a file.
#[tokio::test]
async fn traversal_spellings_reach_nothing() {
    let house = Everything::start();
    let spellings = [
        "/../etc/passwd",
        "/../../../../etc/passwd",
        "/./metrics",
        "/metrics/.",
        "/metrics/..",
        "/metrics/",
        "//metrics",
        "/metrics//",
        "/x/../metrics",
        "/hello/../metrics",
        "/x/..;/metrics",
        "/..;/metrics",
        "/metrics;x=1",
        "/;x/metrics",
        "/metrics;",
        "/%2e%2e/etc/passwd",
        "/%2e/metrics",
        "/%2e%2e%2fetc%2fpasswd",
        "/..%2fetc%2fpasswd",
        "/..%5cetc%5cpasswd",
        "/%252e%252e/etc/passwd",
        "/x/%2e%2e/metrics",
        "/%2fmetrics",
        "/%2Fmetrics",
        "/metrics%2f",
        "/metrics%00",
        "/%00metrics",
        "/metrics%00.html",
        "/%6detrics",
        "/metric%73",
        "/METRICS",
        "/metrics%20",
        "/metrics%0d%0a",
        "/metrics.",
        "/metrics.json",
        "/\\metrics",
        "/..\\..\\etc\\passwd",
        "/.%c0%af../etc/passwd",
        "/%c0%ae%c0%ae/etc/passwd",
        "/health/../metrics",
        "/%68ello",
        "/hello/",
        "//hello",
        "/HELLO",
        "/file:///etc/passwd",
    ];
    assert!(spellings.len() >= 40);
    for path in spellings {
        for kind in [ListenerKind::Studio, ListenerKind::Core, ListenerKind::Runtime, ListenerKind::Health] {
            let reply = house.get(kind, path).await;
            if kind == ListenerKind::Core && matches!(path, "/hello/" | "/HELLO") {
                assert_eq!(reply.body, "Hello\n", "its paths are read in any case, with a slash at the end or without");
                continue;
            }
            assert!(matches!(reply.status, 400 | 404), "{path} on {}: {}", kind.name(), reply.status);
            assert!(!reply.body.contains("root:") && !reply.body.contains("chancery_info"), "{path}");
        }
    }
    // A path reaches the flows as it was written.
    assert_eq!(house.get(ListenerKind::Runtime, "/a/../b%2F;c//").await.body, "no flow /a/../b%2F;c//");
}
