//! Path templates: `/orders/{id}`.

use percent_encoding::percent_decode_str;

use super::syntax::Operation;

/// Where a request leads within an API.
#[derive(Debug)]
pub enum Found<'a> {
    /// To this operation.
    Operation(Called<'a>),
    /// To a path that is there under other methods alone.
    OtherMethod,
    /// It asks whether a page of another origin may call.
    Preflight,
    /// Nowhere.
    Nothing,
}

/// An operation that was called.
#[derive(Debug)]
pub struct Called<'a> {
    pub(super) operation: &'a Operation,
    /// The parameters of its path, in their order.
    pub(super) parameters: Vec<(String, String)>,
}

/// A template, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A parameter, with what stands before and behind it in its step of the path.
    Parameter {
        before: String,
        name: String,
        behind: String,
    },
    /// All that is left of the path.
    Rest(String),
}

impl Template {
    pub(super) fn new(template: &str) -> Self {
        Self(template.trim_matches('/').split('/').map(Part::new).collect())
    }

    /// How many of its parts are literal: the more, the earlier it is taken.
    pub(super) fn literals(&self) -> usize {
        self.0.iter().filter(|part| matches!(part, Part::Literal(_))).count()
    }

    /// The parameters, if this path is one of the template's.
    pub(super) fn matches(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        let mut steps = path.trim_matches('/').split('/');
        for part in &self.0 {
            if let Part::Rest(name) = part {
                let rest: Vec<String> = steps.map(decoded).collect();
                found.push((name.clone(), rest.join("/")));
                return Some(found);
            }
            found.extend(part.matches(&decoded(steps.next()?))?);
        }
        steps.next().is_none().then_some(found)
    }
}

impl Part {
    fn new(step: &str) -> Self {
        let Some((before, (name, behind))) =
            step.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        else {
            return if step == "*" { Self::Rest(String::new()) } else { Self::Literal(step.to_owned()) };
        };
        match name.strip_prefix('+').or_else(|| name.strip_suffix('*')) {
            Some(rest) => Self::Rest(rest.to_owned()),
            None => Self::Parameter { before: before.to_owned(), name: name.to_owned(), behind: behind.to_owned() },
        }
    }

    fn matches(&self, step: &str) -> Option<Option<(String, String)>> {
        match self {
            Self::Literal(literal) => (literal == step).then_some(None),
            Self::Parameter { before, name, behind } => {
                let value = step.strip_prefix(before.as_str())?.strip_suffix(behind.as_str())?;
                (!value.is_empty()).then(|| Some((name.clone(), value.to_owned())))
            }
            Self::Rest(_) => None,
        }
    }
}

fn decoded(step: &str) -> String {
    percent_decode_str(step).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_takes_its_parameters() {
        let matched = |template: &str, path: &str| {
            Template::new(template).matches(path).map(|found| {
                found.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
            })
        };
        assert_eq!(matched("/token", "/token").as_deref(), Some(""));
        assert_eq!(matched("/token", "/token/").as_deref(), Some(""));
        assert_eq!(matched("/token", "/tokens"), None);
        assert_eq!(matched("/a/{id}/c", "/a/x%20y/c").as_deref(), Some("id=x y"));
        assert_eq!(matched("/a/{id}", "/a"), None);
        assert_eq!(matched("/a/v{n}.json", "/a/v2.json").as_deref(), Some("n=2"));
        assert_eq!(matched("/a/{+rest}", "/a/b/c").as_deref(), Some("rest=b/c"));
        assert_eq!(matched("/", "/").as_deref(), Some(""));
    }
}
