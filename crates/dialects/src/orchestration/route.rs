//! Where requests for a flow come in: its method, its path, and who may call.

use http::Method;
use percent_encoding::percent_decode_str;
use plan::{SecretRef, Text, TriggerIx, Value};

/// Where requests for a flow come in.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, as its author writes it.
    pub path: Text,
    /// Who may call.
    pub authentication: Authentication,
    /// What a request is given to.
    pub trigger: TriggerIx,
    /// The members of `flow` that no request changes.
    pub(super) facts: Vec<(Text, Value)>,
}

/// Who may call a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Everybody.
    Open,
    /// Who sends this key in `X-API-Key`.
    ApiKey(SecretRef),
    /// Who sends this token behind `Authorization: Bearer`.
    Bearer(SecretRef),
}

impl Endpoint {
    /// The parameters of a path, if it is the endpoint's: `{name}` is any one step.
    pub fn matches(&self, path: &str) -> Option<Vec<(String, String)>> {
        let (mut found, mut steps) = (Vec::new(), path.trim_matches('/').split('/'));
        for part in self.path.trim_matches('/').split('/') {
            let step = percent_decode_str(steps.next()?).decode_utf8_lossy().into_owned();
            match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !step.is_empty() => found.push((name.to_owned(), step)),
                Some(_) => return None,
                None if part == step => {}
                None => return None,
            }
        }
        steps.next().is_none().then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_step_by_step() {
        let endpoint = |path: &str| Endpoint {
            method: Method::GET,
            path: path.into(),
            authentication: Authentication::Open,
            trigger: TriggerIx(0),
            facts: Vec::new(),
        };
        let matched = |path: &str, called: &str| endpoint(path).matches(called).map(|found| format!("{found:?}"));
        assert_eq!(matched("/a/{id}", "/a/x%20y").as_deref(), Some("[(\"id\", \"x y\")]"));
        assert_eq!(matched("/a/{id}", "/a/"), None);
        assert_eq!(matched("/a", "/a/").as_deref(), Some("[]"));
        assert_eq!(matched("/a", "/a/b"), None);
        assert_eq!(matched("/a", "/A"), None);
    }
}
