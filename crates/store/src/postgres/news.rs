//! LISTEN: a hint that another process changed something, so that nobody has to wait for the next poll.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::poll_fn;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, SimpleQueryMessage};

use super::address::{Address, Protection};
use super::limits;
use super::tls::Tls;
use super::wire::{away, refused};
use crate::store::Backend;
use crate::{Error, Store};

/// What a change is told under.
pub(super) const CHANNEL: &str = "chancery";
/// How long our own word may take to come back.
const ECHO: Duration = Duration::from_secs(1);
/// What is waited before a lost connection is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// Words that wait to be heard; one of them says as much as all.
const WORDS_MAX: usize = 16;

/// Whether hints come through. Polling is what counts, with or without them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum News {
    /// It was not tried yet.
    #[default]
    Unknown,
    /// Our own word came back.
    Heard,
    /// It did not: something between us and the server takes notifications away.
    NoEcho,
    /// The server does not do it, or is away.
    None {
        /// In its own words.
        why: String,
    },
}

/// Hints, as long as this is kept.
pub struct Listening {
    listener: AbortHandle,
    state: Arc<Mutex<News>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Listening {
    /// How it stands.
    pub fn state(&self) -> News {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store {
    /// Calls `heard` whenever another process, or this one, changed something, and after each lost connection. None for a
    /// store that nobody else has.
    pub fn listen(&self, heard: impl Fn() + Send + Sync + 'static) -> Option<Listening> {
        let Backend::Postgres(pool) = &self.backend else { return None };
        let state = Arc::new(Mutex::default());
        let listener = pool.runtime().spawn(listen_on(pool.address().clone(), Arc::clone(&state), heard));
        Some(Listening { listener: listener.abort_handle(), state })
    }
}

async fn listen_on(address: Address, state: Arc<Mutex<News>>, heard: impl Fn()) {
    loop {
        let ended = listen_once(&address, &state, &heard).await;
        set(&state, News::None { why: ended.map_or_else(|error| error.to_string(), |()| "it was closed".to_owned()) });
        sleep(RETRY).await;
        heard();
    }
}

async fn listen_once(address: &Address, state: &Mutex<News>, heard: &impl Fn()) -> Result<(), Error> {
    let away_from = |error: tokio_postgres::Error| refused(&error);
    match &address.protection {
        Protection::Plain => {
            let (client, connection) = address.config.connect(NoTls).await.map_err(away_from)?;
            hear(client, words(connection), state, heard).await
        }
        Protection::Tls { roots } => {
            let connecting = address.config.connect(Tls::new(roots.as_deref())?);
            let (client, connection) = connecting.await.map_err(away_from)?;
            hear(client, words(connection), state, heard).await
        }
    }
}

/// The payloads of notifications; it ends with the connection.
fn words<S, T>(mut connection: Connection<S, T>) -> impl Stream<Item = String> + Unpin + Send + 'static
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let messages = poll_fn(move |cx| connection.poll_message(cx));
    let taken = messages.take_while(|message| std::future::ready(message.is_ok()));
    let words = taken.filter_map(|message| {
        let word = match message {
            Ok(AsyncMessage::Notification(told)) => Some(told.payload().to_owned()),
            Ok(_) | Err(_) => None,
        };
        std::future::ready(word)
    });
    Box::pin(words)
}

async fn hear(
    client: Client,
    mut words: impl Stream<Item = String> + Unpin + Send + 'static,
    state: &Mutex<News>,
    heard: &impl Fn(),
) -> Result<(), Error> {
    let (tell, mut told) = tokio::sync::mpsc::channel(WORDS_MAX);
    // Polling the words is also what carries the statements.
    let carrier = tokio::spawn(async move {
        while let Some(word) = words.next().await {
            // A full queue holds a hint already.
            drop(tell.try_send(word));
        }
    });
    let _carrier = AbortOnDrop(carrier.abort_handle());
    let echo = format!("echo {}", std::process::id());
    let begun = timeout(limits::STATEMENT, begin(&client, &echo)).await;
    begun.unwrap_or_else(|_| Err(away("it did not answer a statement within 5 s")))?;
    let came_back = async {
        loop {
            match told.recv().await {
                Some(word) if word == echo => return Ok(()),
                Some(_) => {}
                None => return Err(away("it closed the connection that listens")),
            }
        }
    };
    set(state, timeout(ECHO, came_back).await.map_or(Ok(News::NoEcho), |came| came.map(|()| News::Heard))?);
    while told.recv().await.is_some() {
        heard();
    }
    Ok(())
}

async fn begin(client: &Client, echo: &str) -> Result<(), Error> {
    let version = client.simple_query("SELECT version()").await.map_err(|error| refused(&error))?;
    let names_itself = |message: &SimpleQueryMessage| {
        let SimpleQueryMessage::Row(row) = message else { return false };
        row.get(0).is_some_and(|name| name.starts_with("PostgreSQL "))
    };
    if !version.iter().any(names_itself) {
        return Err(away("the server is no PostgreSQL and tells nothing of its own accord"));
    }
    let statements = format!("LISTEN {CHANNEL}; NOTIFY {CHANNEL}, '{echo}'");
    client.batch_execute(&statements).await.map_err(|error| refused(&error))
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn set(state: &Mutex<News>, news: News) {
    *state.lock().unwrap_or_else(PoisonError::into_inner) = news;
}
