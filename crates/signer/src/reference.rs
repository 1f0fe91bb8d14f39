//! Names of document secrets, and secrets that only name an environment variable.

use crate::Label;

/// Begins the owner of every sealed document secret.
const PREFIX: &str = "secret";
/// Variables beginning so are ours; no document sees them.
const OWN_VARIABLES: &str = "CHANCERY_";

/// Names a secret of a document: a field of one of its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretRef {
    /// Whose document it is: `public`, or one per application.
    pub tenant: String,
    /// The document's name.
    pub document: String,
    /// The author's id of the node.
    pub node: String,
    /// The field.
    pub field: String,
}

impl SecretRef {
    /// The owner under which the store keeps it: the four parts, percent-encoded where they would not come apart again.
    pub fn owner(&self) -> String {
        let parts = [&self.tenant, &self.document, &self.node, &self.field];
        parts.iter().fold(PREFIX.to_owned(), |owner, part| owner + "/" + &encode(part))
    }

    /// The name behind an owner; none if the box is not a document's secret.
    pub fn from_owner(owner: &str) -> Option<Self> {
        let mut parts = owner.split('/');
        if parts.next() != Some(PREFIX) {
            return None;
        }
        let mut part = || decode(parts.next()?);
        let name = Self { tenant: part()?, document: part()?, node: part()?, field: part()? };
        parts.next().is_none().then_some(name)
    }

    /// How the owners of all secrets of one document begin.
    pub fn owners_of(tenant: &str, document: &str) -> String {
        format!("{PREFIX}/{}/{}/", encode(tenant), encode(document))
    }

    /// What its box belongs to, given its [`Self::owner`].
    pub(crate) fn label(owner: &str) -> Label<'_> {
        Label { owner, ..Label::default() }
    }
}

/// The variable that a secret names: `${NAME}` or `$(NAME)` as the whole text, as Node-RED has it.
pub(crate) fn variable(secret: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(secret).ok()?;
    let inner = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    let name = inner("${", "}").or_else(|| inner("$(", ")"))?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

/// Whether documents may see the variable.
pub(crate) fn is_visible(variable: &str) -> bool {
    !variable.starts_with(OWN_VARIABLES)
}

fn encode(part: &str) -> String {
    part.replace('%', "%25").replace('/', "%2F")
}

fn decode(part: &str) -> Option<String> {
    let decoded = part.replace("%2F", "/").replace("%25", "%");
    (encode(&decoded) == part).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parts: [&str; 4]) -> SecretRef {
        let [tenant, document, node, field] = parts.map(str::to_owned);
        SecretRef { tenant, document, node, field }
    }

    #[test]
    fn every_name_comes_back_and_no_two_share_an_owner() {
        let odd = ["", "/", "%", "%2F", "%25", "a/b", "766dcb94.6ebc04", "%252F", "ü"];
        let mut owners = std::collections::HashSet::new();
        for node in odd {
            for field in odd {
                let name = name(["public", "seed", node, field]);
                assert_eq!(SecretRef::from_owner(&name.owner()).as_ref(), Some(&name));
                assert!(name.owner().starts_with(&SecretRef::owners_of("public", "seed")));
                assert!(owners.insert(name.owner()));
            }
        }
    }

    #[test]
    fn other_boxes_are_no_document_secrets() {
        for owner in
            ["install-salt", "secret", "secret/a/b/c", "secret/a/b/c/d/e", "key/a/b/c/d", "secret/a/b/c/%2f", "secret/%/b/c/d"]
        {
            assert_eq!(SecretRef::from_owner(owner), None, "{owner}");
        }
    }

    #[test]
    fn a_variable_is_named_by_the_whole_text_only() {
        for text in ["${JWT_SECRET}", "$(JWT_SECRET)"] {
            assert_eq!(variable(text.as_bytes()), Some("JWT_SECRET"));
        }
        for text in
            ["pre${JWT_SECRET}", "${JWT_SECRET} ", "${JWT SECRET}", "${}", "$()", "${JWT_SECRET)", "$JWT_SECRET", "{A}", ""]
        {
            assert_eq!(variable(text.as_bytes()), None, "{text}");
        }
        assert_eq!(variable(b"${\xff}"), None);
    }
}
