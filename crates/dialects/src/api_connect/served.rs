//! A definition as it is served: where its requests come in, and what of their context is the same for all.

use std::sync::Arc;

use http::Method;
use jose::json::Limits;
use plan::{FetchIx, Fetched, JsonRules, Map, SecretRef, Text, TriggerIx, Value, read_json};

use super::client::Clients;
use super::invoke::{self, Invocation, Invoke};
use super::lower::LowerSettings;
use super::name::Names;
use super::route::{Called, Found, Template};
use super::sealed::{Sealed, SealedFrom};
use super::syntax::{Definition, Gateway, Operation};
use crate::outward::Hosts;

/// A definition as it is served.
#[derive(Clone, Debug)]
pub struct Api {
    pub(super) gateway: Gateway,
    pub(super) is_soap: bool,
    pub(super) base_path: Text,
    pub(super) operations: Vec<(Template, Operation)>,
    pub(super) cors: bool,
    /// Who may call.
    pub clients: Clients,
    /// The one trigger of the flow.
    pub trigger: TriggerIx,
    /// The properties whose values are secrets.
    sealed: Vec<Sealed>,
    /// The members of `api` that no request changes.
    pub(super) facts: Map,
    pub(super) catalog: Value,
    pub(super) invokes: Vec<Invoke>,
    /// The hosts that may be called.
    pub(super) hosts: Arc<Hosts>,
}

impl Api {
    pub(super) fn of(
        definition: &Definition<'_>,
        names: &Names,
        settings: &LowerSettings<'_>,
        trigger: TriggerIx,
    ) -> Self {
        let operations = definition.operations.iter().map(|one| (Template::new(&one.template), one.clone()));
        let properties = names.properties.iter().map(|(name, value)| (name.clone(), value.clone()));
        let catalog = ["id", "name", "path"].map(|name| (name, Value::text(settings.catalog)));
        let facts = [
            ("id", Value::Text(definition.id.clone())),
            ("name", Value::Text(definition.name.clone())),
            ("version", Value::Text(definition.version.clone())),
            ("type", Value::text(if definition.is_soap { "SOAP" } else { "REST" })),
            ("root", Value::text(&definition.base_path)),
            ("org", Value::map(["id", "name"].map(|name| (name, Value::text(""))))),
            ("catalog", Value::map(catalog)),
            ("properties", properties.collect::<Map>().into()),
        ];
        Self {
            gateway: definition.gateway,
            is_soap: definition.is_soap,
            base_path: definition.base_path.as_str().into(),
            operations: operations.collect(),
            cors: definition.cors,
            clients: Clients::Any,
            trigger,
            sealed: definition.sealed.clone(),
            facts: facts.into_iter().map(|(name, value)| (Text::from(name), value)).collect(),
            catalog: Value::text(settings.host),
            invokes: Vec::new(),
            hosts: Arc::default(),
        }
    }

    /// Which gateway the definition was written for.
    pub fn gateway(&self) -> Gateway {
        self.gateway
    }

    /// The path that all of its paths begin with; empty if they begin at the root.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Whether a request of this path is one for it.
    pub fn serves(&self, path: &str) -> bool {
        path.strip_prefix(&*self.base_path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The properties of the API, secrets filled in as `secret` knows them; one that it does not know is not there.
    pub fn properties(&self, secret: impl Fn(&SecretRef) -> Option<String>) -> Value {
        let mut properties = match self.facts.get("properties") {
            Some(Value::Map(properties)) => Map::clone(properties),
            _ => Map::new(),
        };
        for Sealed { name, from } in &self.sealed {
            let value = match from {
                SealedFrom::Given(value) => Some(value.clone()),
                SealedFrom::Secret { secret: named, is_object: false } => secret(named).map(Value::text),
                SealedFrom::Secret { secret: named, is_object: true } => {
                    secret(named).and_then(|text| read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Exact).ok())
                }
            };
            if let Some(value) = value {
                properties.insert(name.clone(), value);
            }
        }
        properties.into()
    }

    /// Method and path of each operation.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = (&Method, String)> {
        self.operations.iter().map(|(_, one)| (&one.method, format!("{}{}", self.base_path, one.template)))
    }

    /// Makes the request of this invoke policy for a message. `to` is what the flow worked out for it.
    ///
    /// # Errors
    /// What comes of a message that no request can be made of.
    pub fn invocation(&self, fetch: FetchIx, to: &Value, message: &Value) -> Result<Invocation, Box<Fetched>> {
        invoke::prepare(&self.invokes[fetch.0 as usize], &self.hosts, to, message)
    }

    /// Whether the answer to this invoke policy takes the place of the message itself.
    pub fn replaces_message(&self, fetch: FetchIx) -> bool {
        self.invokes[fetch.0 as usize].output == plan::Path::keys(["message"])
    }

    /// The operation that a request of this method and path calls, and the parameters of its path.
    pub fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let rest = path.strip_prefix(&*self.base_path).unwrap_or(path);
        let rest = if rest.is_empty() { "/" } else { rest };
        let mut matching: Vec<_> = self
            .operations
            .iter()
            .filter_map(|(template, operation)| Some((template.literals(), operation, template.matches(rest)?)))
            .collect();
        matching.sort_by_key(|(literals, ..)| std::cmp::Reverse(*literals));
        if matching.is_empty() {
            return Found::Nothing;
        }
        match matching.into_iter().find(|(_, operation, _)| operation.method == *method) {
            Some((_, operation, parameters)) => Found::Operation(Called { operation, parameters }),
            None if self.cors && *method == Method::OPTIONS => Found::Preflight,
            None => Found::OtherMethod,
        }
    }
}
