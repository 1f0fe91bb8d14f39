//! Who calls: the client id of a request, taken as it comes or held against a list (section 15).

use std::collections::BTreeMap;

use http::HeaderMap;
use plan::Value;

/// The client id of a caller that names none, where any is taken.
const DEMO: &str = "demo-client";
/// Where a caller names itself.
const ID_HEADER: &str = "x-ibm-client-id";
const SECRET_HEADER: &str = "x-ibm-client-secret";
const ID_QUERY: &str = "client_id";

/// Which clients may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// Any: the id that is sent, or `demo-client`.
    #[default]
    Any,
    /// These ids alone, each with the secret that it must send, if it has one.
    Registered(BTreeMap<String, Option<ClientSecret>>),
}

/// The digest of a client's secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret([u8; 32]);

impl ClientSecret {
    /// Keeps the digest of a secret, and nothing else of it.
    pub fn of(secret: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 octets"))
    }
}

impl std::fmt::Debug for ClientSecret {
    /// Shows that there is one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

impl Clients {
    /// The `client` root of the context; none for a caller that may not call.
    pub(super) fn root(&self, headers: &HeaderMap, query: &[(String, String)]) -> Option<Value> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let from_query = || query.iter().find(|(name, _)| name == ID_QUERY).map(|(_, value)| value.clone());
        let (id, secret) = (header(ID_HEADER).or_else(from_query), header(SECRET_HEADER));
        let id = match self {
            Self::Any => id.unwrap_or_else(|| DEMO.to_owned()),
            Self::Registered(known) => {
                let id = id?;
                let held = known.get(&id)?;
                let fits = |held: &ClientSecret| secret.as_deref().is_some_and(|sent| ClientSecret::of(sent) == *held);
                if !held.as_ref().is_none_or(fits) {
                    return None;
                }
                id
            }
        };
        let mut app = vec![("id", Value::text(&id)), ("name", Value::text(&id))];
        app.extend(secret.map(|secret| ("secret", Value::text(secret))));
        let org = Value::map([("id", Value::text("")), ("name", Value::text(""))]);
        Some(Value::map([("app", Value::map(app)), ("org", org)]))
    }
}
