//! Secrets that `serve` is given for one run: `NODE.FIELD=env:NAME` or `NODE.FIELD=file:PATH`.

use std::path::PathBuf;

use server::deployment::GivenSecret;
use signer::Secret;

use crate::exit::Failure;
use crate::input::{Inputs, KeyArgument};

/// Reads every secret that was named.
pub(super) fn secrets(arguments: &[String]) -> Result<Vec<GivenSecret>, Failure> {
    let inputs = Inputs::default();
    arguments.iter().map(|argument| secret(argument, &inputs)).collect()
}

fn secret(argument: &str, inputs: &Inputs) -> Result<GivenSecret, Failure> {
    let (owner, field, place) = parse(argument).ok_or_else(|| {
        Failure::usage("--secret takes NODE.FIELD=env:NAME or NODE.FIELD=file:PATH")
            .hint("The last dot before = separates the node's id or name from the field; a value itself is never an argument.")
    })?;
    let mut octets = inputs.key(&place)?;
    if matches!(place, KeyArgument::File(_)) && octets.ends_with(b"\n") {
        octets.pop();
    }
    Ok(GivenSecret { owner: owner.to_owned(), field: field.to_owned(), value: Secret::from(octets) })
}

fn parse(argument: &str) -> Option<(&str, &str, KeyArgument)> {
    let (name, place) = argument.split_once('=')?;
    let (owner, field) = name.rsplit_once('.').filter(|(owner, field)| !owner.is_empty() && !field.is_empty())?;
    let place = match place.split_once(':')? {
        ("env", variable) => KeyArgument::Env(variable.to_owned()),
        ("file", path) => KeyArgument::File(PathBuf::from(path)),
        _ => return None,
    };
    Some((owner, field, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_dot_separates_node_and_field() {
        let parsed = parse("766dcb94.6ebc04.tokensecret=env:JWT_SECRET");
        assert_eq!(parsed, Some(("766dcb94.6ebc04", "tokensecret", KeyArgument::Env("JWT_SECRET".into()))));
        let parsed = parse("igniteadmin.tokensecret=file:/a=b");
        assert_eq!(parsed, Some(("igniteadmin", "tokensecret", KeyArgument::File("/a=b".into()))));
        for wrong in ["igniteadmin.tokensecret=hunter2", "igniteadmin=env:X", ".field=env:X", "a.b", "a.b=fd:3"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
