//! The one helper that knows the server's interface: starts a listener, and speaks to it in raw octets.

#![allow(dead_code, clippy::unwrap_used, reason = "tests; and every test binary takes what it needs of the one helper")]

pub(crate) mod chancery;
pub(crate) mod core;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use server::accept::{self, Bind, Handler, House, Intake, Limits, Listener, Peer, Shutdown};
use server::log::{Form, Level, Log, LogGuard};
use server::metrics::Metrics;
use server::problem::Body;
use server::routes::LiveFlows;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A log that tests read.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A listener at work.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: Shutdown,
    memory: Memory,
    guard: Option<LogGuard>,
    task: Option<JoinHandle<()>>,
}

/// Serves `handler` on a free port of both loopback addresses.
pub(crate) fn start<H: Handler>(handler: H, limits: Limits) -> Running {
    start_on(&[Bind::Loopback(0)], handler, limits)
}

/// Serves `handler` where told.
pub(crate) fn start_on<H: Handler>(places: &[Bind], handler: H, limits: Limits) -> Running {
    let memory = Memory::default();
    let (log, guard) = Log::start(Level::Debug, Form::Json, memory.clone()).unwrap();
    let house = House { log, metrics: Arc::default(), shutdown: Shutdown::default() };
    let listener = Listener::bind(places).unwrap();
    let addresses = listener.addresses();
    let (metrics, shutdown) = (Arc::clone(&house.metrics), house.shutdown.clone());
    let task = tokio::spawn(accept::serve(listener, handler, limits, house));
    Running {
        address: addresses.first().copied().unwrap_or_else(|| ([0, 0, 0, 0], 0).into()),
        addresses,
        metrics,
        shutdown,
        memory,
        guard: Some(guard),
        task: Some(task),
    }
}

impl Running {
    pub(crate) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends a request on a connection of its own and returns everything that comes back.
    pub(crate) async fn ask(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut client = self.connect().await;
        client.send(request).await;
        client.reply().await
    }

    /// `GET` with a `Host` that everybody knows.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(get(path)).await
    }

    /// Waits for the listener to end and returns how long that took.
    pub(crate) async fn stop(&mut self) -> Duration {
        let began = Instant::now();
        self.shutdown.begin();
        self.task.take().unwrap().await.unwrap();
        began.elapsed()
    }

    /// Everything logged so far; nothing is logged afterwards.
    pub(crate) fn log(&mut self) -> String {
        drop(self.guard.take());
        self.memory.text()
    }
}

/// A `GET` that keeps its connection.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// One raw connection.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.0.write_all(octets.as_ref()).await.unwrap();
    }

    /// The next reply, by its `Content-Length`.
    pub(crate) async fn reply(&mut self) -> Reply {
        let mut octets = Vec::new();
        loop {
            if let Some(reply) = Reply::parse(&octets) {
                return reply;
            }
            let read = tokio::time::timeout(Duration::from_secs(10), self.0.read_buf(&mut octets));
            let read = read.await.expect("a reply in time").unwrap();
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&octets));
        }
    }

    /// What still comes until the server closes, and how long that takes.
    pub(crate) async fn rest(&mut self) -> (String, Duration) {
        let began = Instant::now();
        let mut octets = Vec::new();
        let all = self.0.read_to_end(&mut octets);
        let read = tokio::time::timeout(Duration::from_secs(10), all);
        read.await.expect("closed in time").unwrap();
        (String::from_utf8_lossy(&octets).into_owned(), began.elapsed())
    }
}

/// Memory of this process, in octets.
pub(crate) fn resident_bytes() -> usize {
    #[allow(clippy::disallowed_methods, reason = "the kernel tells it in a file")]
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

/// A parsed reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn parse(octets: &[u8]) -> Option<Reply> {
        let text = std::str::from_utf8(octets).unwrap();
        let (head, rest) = text.split_once("\r\n\r\n")?;
        let head = format!("{}\r\n", head.to_ascii_lowercase());
        let length = head
            .split_once("content-length: ")
            .map_or(0, |(_, tail)| tail.split_once("\r\n").unwrap().0.parse().unwrap());
        (rest.len() >= length).then(|| Reply {
            status: head[9..12].parse().unwrap(),
            body: rest[..length].to_owned(),
            head,
        })
    }

    /// The value of a header field, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.head.contains(&format!("\r\n{field}\r\n"))
    }
}

/// Flows that test the house around them, by path.
pub(crate) struct Flows;

impl LiveFlows for Flows {
    async fn answer(&self, request: Request<Intake>, _peer: Peer) -> Response<Body> {
        match request.uri().path() {
            "/hello" => Response::new(Full::from("hello")),
            "/panic" => panic!("canary: the handler's own words"),
            "/slow" => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Response::new(Full::from("slow"))
            }
            "/length" => match request.into_body().read().await {
                Ok(body) => Response::new(Full::from(body.len().to_string())),
                Err(problem) => problem.to_json(server::problem::RequestId::fresh()),
            },
            path => {
                let mut response = Response::new(Full::from(Bytes::from(format!("no flow {path}"))));
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        }
    }
}
