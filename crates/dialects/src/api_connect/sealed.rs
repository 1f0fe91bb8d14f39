//! Keys that stand in the properties of a definition: taken out of it, so that neither the kept document nor a plan has them.

use plan::{Diagnostic, SecretRef, Severity, Text, Value, write_json};

use super::syntax::{EXTENSION, WRAPPED};
use super::tree::{Cursor, Node, NodeKind, Span};
use crate::found::{FoundSecret, SecretChange};

/// What stands in the place of a text that is kept as a secret, and of an object that is.
const TEXT: &str = "chancery:sealed";
const OBJECT: &str = "chancery:sealed-object";

/// A property whose value is a secret.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sealed {
    /// The property.
    pub(super) name: Text,
    pub(super) from: SealedFrom,
}

/// Where the value of such a property is.
#[derive(Clone, PartialEq)]
pub(super) enum SealedFrom {
    /// In the store.
    Secret {
        secret: SecretRef,
        /// Whether it is the JSON of an object, which the property holds.
        is_object: bool,
    },
    /// It was given for this run.
    Given(Value),
}

/// A key that was taken out.
pub(super) struct Taken {
    /// The field of the document's secret.
    field: String,
    content: String,
    /// Where it stood.
    span: Span,
    mark: &'static str,
}

impl std::fmt::Debug for SealedFrom {
    /// Shows which secret it is and never what it holds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Secret { secret, .. } => f.debug_tuple("Secret").field(secret).finish(),
            Self::Given(_) => f.write_str("Given(..)"),
        }
    }
}

/// Takes the private keys out of the properties, those of all catalogs too, and leaves a mark in the place of each.
pub(super) fn take(tree: &mut Node) -> Vec<Taken> {
    let mut taken = Vec::new();
    let root = if tree.at(&WRAPPED).is_some() { tree.at_mut(&WRAPPED) } else { Some(tree) };
    let Some(extension) = root.and_then(|root| root.at_mut(&[EXTENSION])) else { return taken };
    let mut encoded = Vec::new();
    for (name, property) in extension.at_mut(&["properties"]).into_iter().flat_map(Node::members_mut) {
        let is_encoded = Cursor::root(property).flag("encoded") == Some(true);
        encoded.extend(is_encoded.then(|| name.clone()));
        let value = property.at_mut(&["value"]);
        taken.extend(value.and_then(|value| taken_from(value, is_encoded, field(name, None))));
    }
    for (catalog, own) in extension.at_mut(&["catalogs"]).into_iter().flat_map(Node::members_mut) {
        for (name, value) in own.at_mut(&["properties"]).into_iter().flat_map(Node::members_mut) {
            let value = if value.at(&["value"]).is_some() { value.at_mut(&["value"]) } else { Some(value) };
            let field = field(name, Some(catalog));
            taken.extend(value.and_then(|value| taken_from(value, encoded.contains(name), field)));
        }
    }
    taken
}

/// The field under which the value of a property is kept: its name, with its catalog if that says another value.
fn field(property: &str, catalog: Option<&str>) -> String {
    catalog.map_or_else(|| property.to_owned(), |catalog| format!("{property}@{catalog}"))
}

fn taken_from(value: &mut Node, is_encoded: bool, field: String) -> Option<Taken> {
    let decoded = |text: &str| {
        let octets = base64_simd::forgiving_decode_to_vec(text.as_bytes()).ok()?;
        String::from_utf8(octets).ok()
    };
    let (content, mark) = match &value.kind {
        NodeKind::Text(text) => {
            let text = if is_encoded { decoded(text)? } else { text.clone() };
            (Some(text).filter(|text| is_private(text))?, TEXT)
        }
        NodeKind::Map(_) | NodeKind::List(_) => {
            let mut octets = Vec::new();
            write_json(&mut octets, &value.value()).ok()?;
            (String::from_utf8(octets).ok().filter(|text| is_private(text))?, OBJECT)
        }
        NodeKind::Null | NodeKind::Bool(_) | NodeKind::Number(_) => return None,
    };
    value.kind = NodeKind::Text(mark.to_owned());
    Some(Taken { field, content, span: value.span, mark })
}

/// Whether a text holds a key that nobody else may know: a private or symmetric JWK, alone or in a set, or a PEM. A text that
/// only nearly is JSON counts, too.
fn is_private(text: &str) -> bool {
    if text.contains("PRIVATE KEY-----") {
        return true;
    }
    if !text.contains("\"kty\"") {
        return false;
    }
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    ["\"d\":", "\"k\":", "\"priv\":"].iter().any(|member| dense.contains(member))
}

/// The secrets of a document of this name that were taken out.
pub(super) fn found(document: &str, taken: Vec<Taken>) -> Vec<FoundSecret> {
    let found = |Taken { field, content, .. }| FoundSecret {
        secret: secret(document, &field),
        change: SecretChange::Set(content),
    };
    taken.into_iter().map(found).collect()
}

fn secret(document: &str, field: &str) -> SecretRef {
    SecretRef { owner: document.into(), field: field.into() }
}

/// The document as it is kept: the author's text with the marks in it. Where that would not read as it should (an alias leads
/// to a key), it is the same document written anew.
pub(super) fn kept(octets: &[u8], taken: &[Taken], marked: &Node) -> Vec<u8> {
    let value = marked.value();
    let reads_so = |text: &String| super::tree::read(text.as_bytes()).is_ok_and(|tree| tree.value() == value);
    let spliced = std::str::from_utf8(octets).ok().and_then(|text| spliced(text, taken)).filter(reads_so);
    spliced.map(String::into_bytes).unwrap_or_else(|| {
        let mut anew = Vec::new();
        let written = write_json(&mut anew, &value);
        debug_assert!(written.is_ok(), "a document holds nothing that JSON cannot");
        anew
    })
}

fn spliced(text: &str, taken: &[Taken]) -> Option<String> {
    let mut places: Vec<_> = taken.iter().map(|one| Some((one.span.octets(text)?, one.mark))).collect::<Option<_>>()?;
    places.sort_by_key(|(place, _)| place.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (place, mark) in places {
        let end = place.start + text.get(place.clone())?.trim_end().len();
        out += text.get(from..place.start)?;
        out += &format!("\"{mark}\"");
        from = end;
    }
    Some(out + text.get(from..)?)
}

/// Whether this text stands in the place of a key.
pub(super) fn is_mark(text: &str) -> bool {
    [TEXT, OBJECT].contains(&text)
}

/// The property of that name, if its value is a secret: one that a mark stands for.
pub(super) fn of(document: &str, name: &str, catalog: Option<&str>, value: &Value) -> Option<Sealed> {
    let is_object = match value.as_text()? {
        TEXT => false,
        OBJECT => true,
        _ => return None,
    };
    let secret = secret(document, &field(name, catalog));
    Some(Sealed { name: name.into(), from: SealedFrom::Secret { secret, is_object } })
}

/// The property of that name that was given for this run, if its value is a key.
pub(super) fn given(name: &str, value: &str) -> Option<Sealed> {
    is_private(value).then(|| Sealed { name: name.into(), from: SealedFrom::Given(Value::text(value)) })
}

/// Tells of each key that stands elsewhere in the definition, where it stays.
pub(super) fn told_elsewhere(at: &Cursor<'_>, told: &mut Vec<Diagnostic>) {
    if at.node.scalar_text().is_some_and(|text| is_private(&text)) {
        let message = "A private key stands here, and the document is kept with it.";
        let hint = "Put it into a property of the API, where it is kept as a secret, and refer to that.";
        told.push(Diagnostic::new(Severity::Warning, "key_in_document", at.place(""), message).hint(hint));
    }
    at.members().for_each(|(_, member)| told_elsewhere(&member, told));
    at.items().iter().for_each(|item| told_elsewhere(item, told));
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = r#"{"kty":"oct","k":"canary"}"#;

    /// The document as it is kept, and the names and contents of what was taken out.
    fn sealed(text: &str) -> (String, Vec<(String, String)>) {
        let mut tree = super::super::tree::read(text.as_bytes()).unwrap();
        let taken = take(&mut tree);
        let kept = String::from_utf8(kept(text.as_bytes(), &taken, &tree)).unwrap();
        (kept, taken.into_iter().map(|one| (one.field, one.content)).collect())
    }

    fn definition(properties: &str) -> String {
        format!("swagger: '2.0'\nx-ibm-configuration:\n  properties:\n{properties}\n  phase: realized # behind\n")
    }

    /// The author's text stays as it is around the mark, however the value was written.
    #[test]
    fn a_key_is_taken_out_of_every_form_of_scalar() {
        let escaped = KEY.replace('"', "\\\"");
        for (before, value, behind) in [
            ("    k: {value: ", format!("'{KEY}'"), "} # ours"),
            ("    k:\n      value: ", format!("\"{escaped}\""), "\n      encoded: false"),
            (
                "    k:\n      value: ",
                "|\n        {\"kty\": \"oct\",\n\n        \"k\": \"canary\"}\n".to_owned(),
                "    j: {value: 1}",
            ),
            (
                "    k:\n      value: ",
                ">-\n        {\"kty\": \"oct\",\n        \"k\": \"canary\"}\n".to_owned(),
                "    # j\n    j: {value: 1}",
            ),
            ("    'k':\n      value: ", "{kty: oct, k: canary}".to_owned(), "\n      description: Gr\u{fc}\u{df}e"),
            ("    k:\n      value:\n        ", "kty: oct\n        k: canary".to_owned(), "\n    j: {value: 1}"),
            ("    \u{fc}: {value: \u{fc}}\n    k:\n      value: ", format!("&key '{KEY}'"), ""),
            ("    k:\n      value: ", "\"-----BEGIN PRIVATE KEY-----\\ncanary\"".to_owned(), ""),
        ] {
            let text = definition(&format!("{before}{value}{behind}"));
            let (kept, taken) = sealed(&text);
            assert!(!kept.contains("canary") && taken.len() == 1 && taken[0].0 == "k", "{text}\n{kept}\n{taken:?}");
            let mark = if taken[0].1.starts_with(r#"{"kty":"oct","k":"canary"}"#) && value.contains("kty: oct") {
                OBJECT
            } else {
                TEXT
            };
            let expected =
                definition(&format!("{before}\"{mark}\"{}{behind}", if value.ends_with('\n') { "\n" } else { "" }));
            assert_eq!(kept, expected);
        }
    }

    /// Catalogs have keys of their own; what is kept as base64 is decoded first; JSON stays JSON.
    #[test]
    fn catalogs_base64_and_json_have_keys_too() {
        let encoded = base64_simd::STANDARD.encode_to_string(KEY);
        let yaml = definition(&format!("    k: {{encoded: true, value: {encoded}}}"))
            + "  catalogs:\n    prod:\n      properties:\n        k: "
            + &encoded
            + "\n        j: {value: '"
            + KEY
            + "'}\n";
        let (kept, taken) = sealed(&yaml);
        let names: Vec<&str> = taken.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["k", "k@prod", "j@prod"]);
        assert!(taken.iter().all(|(_, content)| content == KEY), "{taken:?}");
        assert!(!kept.contains(&encoded) && !kept.contains("canary"), "{kept}");
        let json = format!(
            r#"{{"openapi": "3.0.0", "x-ibm-configuration": {{"properties": {{"k": {{"value": {KEY}}}, "t": {{"value": {:?}}}}}}}}}"#,
            KEY
        );
        let (kept, taken) = sealed(&json);
        assert_eq!(taken.len(), 2);
        assert_eq!(
            kept,
            json.replace(&format!("{KEY:?}"), "\"chancery:sealed\"").replace(KEY, "\"chancery:sealed-object\"")
        );
    }

    /// Where an alias would lead to a mark that stands for something else, the document is written anew.
    #[test]
    fn an_alias_does_not_lose_what_it_means() {
        let text = definition(&format!("    k: {{value: &key '{KEY}'}}")) + "  other: *key\n";
        let (kept, _) = sealed(&text);
        assert!(kept.starts_with(r#"{"swagger":"2.0""#) && kept.contains(r#""other":"{\"kty\""#), "{kept}");
    }

    #[test]
    fn what_is_no_private_key_stays() {
        let text =
            definition("    k: {value: '{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"}'}\n    j: {value: '\"k\": 1'}");
        assert_eq!(sealed(&text), (text, Vec::new()));
    }
}
