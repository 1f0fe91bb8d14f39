//! Which route a request takes (section 11): the first that was registered, by path and method.

use std::collections::HashMap;

use http::Method;
use plan::Map;

use super::pattern::{Match, plain_key};
use crate::node_red::lowered::Route;

/// The routes of one or more documents, in the order in which they were registered, each with what it leads to.
#[derive(Clone, Debug)]
pub struct RouteTable<T> {
    routes: Vec<(Route, T)>,
    plain: HashMap<String, Vec<usize>>,
    expressions: Vec<usize>,
}

/// Where a request leads.
#[derive(Debug)]
pub enum Found<'t, T> {
    /// To this route.
    Route {
        /// The route.
        route: &'t Route,
        /// What it leads to.
        to: &'t T,
        /// The parameters of its path.
        parameters: Map,
    },
    /// To no route, but `OPTIONS` may be told which methods there are, as `GET,HEAD`.
    Options(String),
    /// A parameter of its path cannot be decoded.
    Undecodable,
    /// Nowhere.
    Nothing,
}

impl<T> RouteTable<T> {
    /// A table of these routes.
    pub fn new(routes: impl IntoIterator<Item = (Route, T)>) -> Self {
        let routes: Vec<_> = routes.into_iter().collect();
        let (mut plain, mut expressions) = (HashMap::<_, Vec<_>>::new(), Vec::new());
        for (at, (route, _)) in routes.iter().enumerate() {
            match route.pattern.plain() {
                Some(key) => plain.entry(key.to_owned()).or_default().push(at),
                None => expressions.push(at),
            }
        }
        Self { routes, plain, expressions }
    }

    /// The routes and what they lead to, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Route, &T)> {
        self.routes.iter().map(|(route, to)| (route, to))
    }

    /// Finds the way for a request by its method and its path, still percent-encoded.
    pub fn find(&self, method: &Method, path: &str) -> Found<'_, T> {
        let mut allowed = Allowed::default();
        for at in self.candidates(path) {
            let (route, to) = &self.routes[at];
            match route.pattern.matches(path) {
                Match::No => {}
                Match::Undecodable => return Found::Undecodable,
                Match::Yes(parameters) if serves(route, method) => return Found::Route { route, to, parameters },
                Match::Yes(_) => allowed.add(&route.method),
            }
        }
        if *method == Method::OPTIONS && !allowed.0.is_empty() {
            return Found::Options(allowed.0.join(","));
        }
        Found::Nothing
    }

    /// The routes that may match, in their order.
    fn candidates(&self, path: &str) -> Vec<usize> {
        let mut candidates = self.plain.get(&plain_key(path)).cloned().unwrap_or_default();
        if !self.expressions.is_empty() {
            candidates.extend(&self.expressions);
            candidates.sort_unstable();
        }
        candidates
    }
}

/// `HEAD` is served by `GET`.
fn serves(route: &Route, method: &Method) -> bool {
    route.method == *method || (route.method == Method::GET && *method == Method::HEAD)
}

/// The methods of a path, each once.
#[derive(Default)]
struct Allowed(Vec<String>);

impl Allowed {
    fn add(&mut self, method: &Method) {
        let head = (*method == Method::GET).then_some(Method::HEAD);
        for method in [Some(method.clone()), head].into_iter().flatten() {
            if !self.0.iter().any(|known| known == method.as_str()) {
                self.0.push(method.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_red::accept::Pattern;
    use crate::node_red::lowered::Serve;

    fn table(routes: &[(Method, &str)]) -> RouteTable<usize> {
        RouteTable::new(routes.iter().enumerate().map(|(at, (method, path))| {
            let route = Route {
                method: method.clone(),
                path: (*path).into(),
                pattern: Pattern::parse(path).unwrap(),
                serve: Serve::Stopped,
                upload: false,
                skip_body_parsing: false,
                node: "n".into(),
            };
            (route, at)
        }))
    }

    fn found(table: &RouteTable<usize>, method: &Method, path: &str) -> String {
        match table.find(method, path) {
            Found::Route { to, .. } => to.to_string(),
            Found::Options(allow) => allow,
            Found::Undecodable => "undecodable".to_owned(),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    /// NR-70: the first registered wins, a parameter that cannot be decoded is refused before later routes are tried.
    #[test]
    fn the_first_registered_route_wins() {
        let table = table(&[
            (Method::POST, "/:a"),
            (Method::GET, "/x"),
            (Method::GET, "/:b"),
            (Method::GET, "/X/"),
            (Method::PUT, "/x"),
        ]);
        assert_eq!(found(&table, &Method::GET, "/X/"), "1");
        assert_eq!(found(&table, &Method::GET, "/y"), "2");
        assert_eq!(found(&table, &Method::POST, "/x"), "0");
        assert_eq!(found(&table, &Method::HEAD, "/x"), "1");
        assert_eq!(found(&table, &Method::DELETE, "/x"), "nothing");
        assert_eq!(found(&table, &Method::GET, "/%zz"), "undecodable");
        assert_eq!(found(&table, &Method::OPTIONS, "/x"), "POST,GET,HEAD,PUT");
        assert_eq!(found(&table, &Method::OPTIONS, "/x/y"), "nothing");
    }
}
