//! The SuperTokens core API: what the core listener answers, and nothing else does.
//!
//! What a request means and in which words it is refused stands in `dialects::supertokens`; here it meets the keys, the
//! API keys and the world. It has no [`Route`](super::Route)s: its paths carry prefixes, and its order of checks is its
//! vendor's.

mod create;
mod reply;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialects::supertokens::{Admitted, CreateJwt, Endpoint, KeyKind, Pass, Refusal, Rules, header, render};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use jose::jwa::SignatureAlgorithm;
use jose::jws::HeaderPlan;
use percent_encoding::percent_decode_str;

use self::create::{Created, Order, Uncreated};
use super::jwks::{self, Manner};
use crate::accept::{Handler, Intake, ListenerKind, Peer};
use crate::effects::pool::{Pool, Undone};
use crate::effects::sign;
use crate::log::{Field, Log};
use crate::problem::{Body, Problem, RequestId};
use crate::rings::{Pace, Rings, SetKind, app_ring_id};
use crate::settings::{ApiKey, CoreSettings};
use crate::token_log::{TokenLog, TokenRecord};

/// How often it is looked whether the first keys are there.
const READY_PAUSE: Duration = Duration::from_millis(20);
/// How long they are waited for.
const READY_MAX: Duration = Duration::from_secs(10);

/// The core API of all apps.
pub struct Core {
    rules: Rules,
    apps: BTreeMap<String, App>,
    rings: Arc<Rings>,
    /// The header of every token.
    header: Arc<HeaderPlan>,
    jwks_age_secs_max: i64,
    pool: Pool,
    token_pool: Pool,
    tokens: Option<TokenLog>,
    log: Log,
}

/// One app: who may use its keys, and for what.
struct App {
    api_keys: Vec<ApiKey>,
    algorithms: Vec<&'static SignatureAlgorithm>,
    /// The API domain and the website domain that an SDK told last.
    domains: Mutex<[String; 2]>,
}

/// Who asks: the name of an API key; none where an app asks for no key.
type Caller = Option<String>;

/// Why there is no answer: the vendor's words, or a bound that all listeners have.
enum Stop {
    Refusal(Refusal),
    Problem(Problem),
    /// Our own fault; the log tells it under this id.
    Failed(RequestId),
}

impl Core {
    /// The core API of the apps of these settings, with the rings that are theirs. Up to `waiting_max` slow signatures are
    /// made or waited for at a time. Tokens are told to `tokens`, if there is such a log.
    #[must_use]
    pub fn new(
        settings: &CoreSettings,
        rings: Arc<Rings>,
        waiting_max: usize,
        tokens: Option<TokenLog>,
        log: Log,
    ) -> Core {
        let app = |name: &str| App {
            api_keys: settings.api_keys.iter().filter(|key| key.app == name).cloned().collect(),
            algorithms: settings.algorithms_of(name),
            domains: Mutex::default(),
        };
        Core {
            rules: Rules { base_path: settings.base_path.clone(), versions: settings.versions() },
            apps: settings.app_names().map(|name| (name.to_owned(), app(name))).collect(),
            rings,
            header: Arc::new(sign::header(&header()).expect("three members of different names are a header")),
            jwks_age_secs_max: i64::try_from(settings.jwks_max_age.as_secs()).unwrap_or(i64::MAX),
            pool: Pool::new(waiting_max),
            token_pool: Pool::for_a_token(waiting_max),
            tokens,
            log,
        }
    }

    /// Waits until every app has its keys, as it has but in the first second of a new store; ten seconds at most.
    pub async fn ready(&self) {
        let wait = async {
            while !self.has_keys() {
                tokio::time::sleep(READY_PAUSE).await;
            }
        };
        // Whoever comes too early is told that there is no key.
        let _ = tokio::time::timeout(READY_MAX, wait).await;
    }

    fn has_keys(&self) -> bool {
        let Ok((snapshot, _)) = self.rings.snapshot() else { return false };
        let signs = |ring_id: &str| snapshot.ring(ring_id).is_some_and(|ring| ring.signing.is_some());
        self.apps.iter().all(|(name, app)| {
            let of_kind =
                |kind: KeyKind| app.algorithms.iter().map(move |row| app_ring_id(name, kind.kid_prefix(), row));
            KeyKind::ALL.into_iter().flat_map(of_kind).all(|ring_id| signs(&ring_id))
        })
    }

    async fn answer(&self, head: &Parts, body: Intake, peer: Peer) -> Result<Response<Body>, Stop> {
        let admitted = self.rules.admit(head, |app, key| self.pass(app, key))?;
        let app = self.apps.get(&admitted.address.app).expect("an app that is not there lets nobody pass");
        match admitted.address.endpoint {
            Endpoint::Hello => Ok(reply::text(render::HELLO)),
            Endpoint::Jwks => self.key_set(&admitted.address.app, &head.headers),
            Endpoint::RecipeJwks => {
                admitted.ask_of_app()?;
                self.recipe_key_set(&admitted.address.app)
            }
            Endpoint::ApiVersion => {
                admitted.ask_of_app()?;
                self.note_domains(&admitted.address.app, app, head.uri.query().unwrap_or_default());
                Ok(reply::json(render::api_versions(self.rules.versions.listed())))
            }
            Endpoint::CreateJwt => self.create(&admitted, app, body, peer).await,
        }
    }

    fn pass(&self, app: &str, shown: Option<&str>) -> Pass<Caller> {
        let Some(app) = self.apps.get(app) else { return Pass::NoApp };
        if app.api_keys.is_empty() {
            return Pass::Granted(None);
        }
        let found = shown.and_then(|shown| ApiKey::find(&app.api_keys, shown));
        found.map_or(Pass::Refused, |place| Pass::Granted(Some(app.api_keys[place].name.clone())))
    }

    fn key_set(&self, app: &str, asked: &HeaderMap) -> Result<Response<Body>, Stop> {
        let manner = Manner::Core { age_secs_max: self.jwks_age_secs_max };
        let mut response = jwks::reply(&self.rings, app, manner, asked)?;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(render::JSON));
        Ok(response)
    }

    fn recipe_key_set(&self, app: &str) -> Result<Response<Body>, Stop> {
        let served = self.rings.served(app, SetKind::Core).ok().flatten().ok_or(Refusal::Away)?;
        Ok(reply::json(render::recipe_key_set(&served.set.body)))
    }

    async fn create(
        &self,
        admitted: &Admitted<Caller>,
        app: &App,
        body: Intake,
        peer: Peer,
    ) -> Result<Response<Body>, Stop> {
        let request = CreateJwt::read(&body.read().await?, &admitted.version)?;
        admitted.ask_of_app()?;
        let Some(algorithm) = request.algorithm_among(&app.algorithms) else {
            return Ok(reply::json(render::UNSUPPORTED_ALGORITHM));
        };
        let tenant = &*admitted.address.app;
        let ring_id = app_ring_id(tenant, request.key.kid_prefix(), algorithm);
        let pool = self.pool_for(&ring_id);
        let (rings, header) = (Arc::clone(&self.rings), Arc::clone(&self.header));
        let order = Order { rings, ring_id, header, request, algorithm };
        let created = match pool {
            Some(pool) => pool.run(move || order.create()).await,
            None => Ok(order.create()),
        };
        let Created { token, kid, issued_at_secs, claims } = match created {
            Ok(Ok(created)) => created,
            Ok(Err(Uncreated::Refusal(refusal))) => return Err(refusal.into()),
            Ok(Err(Uncreated::Fault(code, cause))) => return Err(self.fail(code, &cause)),
            Ok(Err(Uncreated::Away(code, cause))) => {
                self.fail(code, &cause);
                return Err(Refusal::Away.into());
            }
            Err(Undone::Full) => return Err(Refusal::Overload.into()),
            Err(Undone::Died) => return Err(self.fail("signer_died", "a signature ended in a panic")),
        };
        if let Some(tokens) = &self.tokens {
            let caller = admitted.caller.as_ref().and_then(Option::as_deref);
            tokens.record(TokenRecord { issued_at_secs, tenant, caller, peer, kid: &kid, claims }).await;
        }
        Ok(reply::json(render::created(&token)))
    }

    /// Where a signature of this ring is waited for; none if it is made on the spot. What a token keeps waiting takes no
    /// place from what is computed.
    fn pool_for(&self, ring_id: &str) -> Option<&Pool> {
        match self.rings.pace(ring_id) {
            Pace::Fast => None,
            Pace::Slow => Some(&self.pool),
            Pace::Token => Some(&self.token_pool),
        }
    }

    fn fail(&self, code: &'static str, cause: &str) -> Stop {
        let id = RequestId::fresh();
        let fields = [Field::RequestId(id), Field::Code(code), Field::Cause(cause)];
        self.log.error("core_token_failed", &fields);
        Stop::Failed(id)
    }

    /// Remembers which domains an SDK serves and tells the log when they change; nothing hangs on it.
    fn note_domains(&self, name: &str, app: &App, query: &str) {
        let domains = ["apiDomain", "websiteDomain"].map(|wanted| value_of(query, wanted));
        let mut last = app.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if domains == *last || domains.iter().all(String::is_empty) {
            return;
        }
        let [api, website] = &domains;
        let fields = [Field::Tenant(name), Field::Url(api), Field::Message(website)];
        self.log.info("core_client", &fields);
        *last = domains;
    }
}

impl Handler for Core {
    const KIND: ListenerKind = ListenerKind::Core;

    async fn handle(&self, request: Request<Intake>, peer: Peer) -> Response<Body> {
        let (head, body) = request.into_parts();
        match self.answer(&head, body, peer).await {
            Ok(response) => response,
            Err(Stop::Refusal(refusal)) => reply::refused(&refusal),
            Err(Stop::Problem(problem)) => self.refuse(problem, RequestId::fresh()),
            Err(Stop::Failed(id)) => reply::failed(id),
        }
    }

    fn refuse(&self, problem: Problem, id: RequestId) -> Response<Body> {
        reply::of_problem(problem, id)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refusal(refusal)
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Problem(problem)
    }
}

/// The value of this name in a query, decoded; empty if there is none.
fn value_of(query: &str, wanted: &str) -> String {
    let pair = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == wanted);
    pair.map_or(String::new(), |(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
}
