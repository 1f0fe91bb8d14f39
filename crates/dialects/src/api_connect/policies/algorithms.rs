//! The names of algorithms that the two JWT policies take, and the properties in which a key is named (sections 2 and 6).

use plan::{Expr, Fault, FaultKind, Function, KeyForm, KeyFrom, Severity, Value};

use super::own;
use crate::api_connect::lower::{Lowering, Step};
use crate::api_connect::name::whole;

/// The names that a property takes.
pub(super) struct Legal {
    pub(super) names: &'static [&'static str],
    /// Holds what a variable names to them.
    pub(super) check: Function,
}

/// The name that only a document itself may hold.
const UNSIGNED: &str = "none";

/// `jws-alg`.
pub(super) const SIGNATURES: Legal = Legal {
    names: &[
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512",
        UNSIGNED,
    ],
    check: Function { name: "jws-alg", run: |arguments| checked(arguments, SIGNATURES.names) },
};
/// `jwe-enc`.
pub(super) const CONTENTS: Legal = Legal {
    names: &["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"],
    check: Function { name: "jwe-enc", run: |arguments| checked(arguments, CONTENTS.names) },
};
/// `jwe-alg`.
pub(super) const KEYS: Legal = Legal {
    names: &["RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "dir", "A128KW", "A192KW", "A256KW"],
    check: Function { name: "jwe-alg", run: |arguments| checked(arguments, KEYS.names) },
};

/// The algorithm that a property names: one of the list, or a variable that is read for each request. None if the property is
/// absent or empty.
pub(super) fn named(lowering: &mut Lowering<'_>, step: &Step<'_>, property: &str, legal: &Legal) -> Option<Expr> {
    let written = step.block.text(property)?;
    if whole(&written).is_some() {
        return Some(Expr::Applied { function: legal.check, to: vec![lowering.names.variable(&written)] });
    }
    if !legal.names.contains(&written.as_str()) {
        let at = step.block.get(property).unwrap_or_else(|| step.block.clone());
        let message = format!("`{property}` is `{written}`, which is none of {}.", legal.names.join(", "));
        let hint = "Write one of these, or `$(variable)`.";
        lowering.tell(Severity::Error, "value_illegal", (&at, step.kind), message, hint);
    }
    Some(Expr::Literal(Value::text(written)))
}

/// Whether a function gives the name that it was given, if that is legal.
pub(in crate::api_connect) fn is_check(function: &Function) -> bool {
    [SIGNATURES, CONTENTS, KEYS, own::SIGNATURES].iter().any(|legal| legal.check.name == function.name)
}

/// What a variable names, if that is legal. What it leaves open is told by whoever needs it.
pub(super) fn checked(arguments: &[Value], legal: &[&str]) -> Result<Value, Fault> {
    let named = arguments.first().cloned().unwrap_or_default();
    let is_legal = |name: &str| name.is_empty() || (name != UNSIGNED && legal.contains(&name));
    if named.as_text().is_none_or(is_legal) {
        return Ok(named);
    }
    let legal: Vec<&str> = legal.iter().copied().filter(|name| *name != UNSIGNED).collect();
    let why = format!("the variable names an algorithm that is none of {}", legal.join(", "));
    Err(Fault::new(FaultKind::AlgorithmUnsupported, why))
}

/// The key that two properties name: a crypto object, which wins, or a variable with a JWK. None if both are absent or empty.
pub(super) fn key(lowering: &mut Lowering<'_>, step: &Step<'_>, crypto: &str, jwk: &str) -> Option<KeyFrom> {
    if let Some(name) = step.block.text(crypto) {
        return Some(KeyFrom::Given(bound(lowering, step, crypto, &name).into()));
    }
    let variable = step.block.text(jwk)?;
    if variable.trim_start().starts_with(['{', '[']) {
        let at = step.block.get(jwk).unwrap_or_else(|| step.block.clone());
        let message = format!("`{jwk}` holds a key itself, where the name of a variable belongs.");
        let hint = "Put the JWK into a property of the API, set a variable from it, and name that variable.";
        lowering.tell(Severity::Error, "key_in_place", (&at, step.kind), message, hint);
    }
    let told = format!("the variable `{variable}` of `{jwk}` holds no key");
    let absent = Box::new(Fault::new(FaultKind::KeyMissing, told));
    Some(KeyFrom::Brought { of: lowering.names.variable(&variable), form: KeyForm::Jwk, absent })
}

/// The name that a key is bound to for this crypto object: its own, or the first with `*` that fits.
fn bound(lowering: &mut Lowering<'_>, step: &Step<'_>, property: &str, name: &str) -> String {
    let names = lowering.settings.crypto;
    let found = names.iter().find(|bound| *bound == name).or_else(|| names.iter().find(|bound| fits(bound, name)));
    if let Some(found) = found {
        return given(found);
    }
    let at = step.block.get(property).unwrap_or_else(|| step.block.clone());
    let message = format!("No key is bound to the crypto object `{name}`; every request that needs it fails.");
    let hint = format!("Bind one: `--crypto {name}=FILE`.");
    lowering.tell(Severity::Stopped, "crypto_unbound", (&at, step.kind), message, &hint);
    given(name)
}

/// The name under which the signer holds the key of a crypto object.
pub(in crate::api_connect) fn given(name: &str) -> String {
    format!("crypto/{name}")
}

/// Whether a name is one that a pattern with `*` for any text stands for.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("org_sandbox_tlsp-*-key", "org_sandbox_tlsp-mineV1.0.0-key", true),
            ("*", "anything", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*", "ba", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
