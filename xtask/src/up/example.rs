//! What the example flow says about itself: its route, and the secret that its export left out.

use std::path::Path;

use serde_json::Value;

use crate::failure::{Failure, Outcome};

const DOCUMENT: &str = "examples/node-red/generate-jwt.json";

/// The example as `up` needs it.
pub(super) struct Example {
    /// Its path below the root of the workspace.
    pub(super) document: &'static str,
    pub(super) route: String,
    pub(super) secret: MissingSecret,
}

/// A secret that a node wants and its export does not hold.
pub(super) struct MissingSecret {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) field: &'static str,
}

impl Example {
    /// Reads the example below `root`.
    ///
    /// # Errors
    /// The file is missing, is no flow, or holds its secret.
    pub(super) fn read(root: &Path) -> Outcome<Self> {
        std::fs::read_to_string(root.join(DOCUMENT)).ok().as_deref().and_then(parse).ok_or_else(|| {
            Failure::new(
                format!("{DOCUMENT} is not the example flow: an `http in` node and a `jwt-config` without secret"),
                format!("`git checkout {DOCUMENT}` brings it back; serve your own flow with `chancery serve`"),
            )
        })
    }
}

fn parse(text: &str) -> Option<Example> {
    let nodes: Vec<Value> = serde_json::from_str(text).ok()?;
    let of_type = |kind: &str| nodes.iter().find(|node| node["type"] == kind);
    let config = of_type("jwt-config").filter(|node| node["credentials"]["tokensecret"].is_null())?;
    Some(Example {
        document: DOCUMENT,
        route: of_type("http in")?["url"].as_str()?.to_owned(),
        secret: MissingSecret {
            id: config["id"].as_str()?.to_owned(),
            name: config["name"].as_str()?.to_owned(),
            kind: "jwt-config",
            field: "tokensecret",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_lacks_its_secret() {
        let example = Example::read(&crate::root()).unwrap();
        assert_eq!(example.route, "/jwt/generate");
        assert_eq!((example.secret.id.as_str(), example.secret.name.as_str()), ("766dcb94.6ebc04", "igniteadmin"));
    }

    #[test]
    fn a_flow_with_its_secret_is_none() {
        let text = r#"[{"type":"http in","url":"/a"},{"type":"jwt-config","id":"1","name":"n","credentials":{"tokensecret":"s"}}]"#;
        assert!(parse(text).is_none());
    }
}
