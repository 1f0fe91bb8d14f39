//! A document that is being written: JSON with two blanks for each level, and what its writer has to say.

use jose::json::{Limits, Object, Value as Json, write_text};
use plan::Value;

use super::Change;

/// A written document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    root: Json,
    notes: Vec<Change>,
}

impl Page {
    pub(crate) fn new(root: Json, notes: Vec<Change>) -> Self {
        Self { root, notes }
    }

    /// The text.
    pub(super) fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, &self.root, 0);
        out.push(b'\n');
        out
    }

    pub(super) fn into_notes(self) -> Vec<Change> {
        self.notes
    }
}

/// An object of these members.
pub(crate) fn object(members: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    let mut object = Object::new();
    for (name, value) in members {
        let _none = object.insert(name.to_owned(), value);
    }
    Json::Object(object)
}

/// A text.
pub(crate) fn text(text: impl AsRef<str>) -> Json {
    Json::Text(text.as_ref().to_owned())
}

/// A list.
pub(crate) fn list(items: impl IntoIterator<Item = Json>) -> Json {
    Json::Array(items.into_iter().collect())
}

/// A constant of a plan; none if JSON cannot hold it.
pub(crate) fn json_of(value: &Value) -> Option<Json> {
    let mut out = Vec::new();
    let is_written = plan::write_json(&mut out, value).ok()?;
    Json::parse(&out, Limits::DOCUMENT).ok().filter(|_| is_written)
}

fn write(out: &mut Vec<u8>, value: &Json, depth: usize) {
    match value {
        Json::Null => out.extend(b"null"),
        Json::Bool(value) => out.extend(value.to_string().as_bytes()),
        Json::Number(text) => out.extend(text.as_bytes()),
        Json::Text(text) => write_text(out, text),
        Json::Array(items) => write_all(out, b"[]", depth, items, |out, item| write(out, item, depth + 1)),
        Json::Object(object) => {
            write_all(out, b"{}", depth, object.iter(), |out, (name, value)| {
                write_text(out, name);
                out.extend(b": ");
                write(out, value, depth + 1);
            });
        }
    }
}

/// The parts, each on a line of its own between the two brackets.
fn write_all<T>(
    out: &mut Vec<u8>,
    brackets: &[u8; 2],
    depth: usize,
    parts: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 2 * depth));
    };
    out.push(brackets[0]);
    let mut is_first = true;
    for part in parts {
        if !std::mem::replace(&mut is_first, false) {
            out.push(b',');
        }
        line(out, depth + 1);
        write(out, part);
    }
    if !is_first {
        line(out, depth);
    }
    out.push(brackets[1]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_it_was_meant() {
        let json = Json::parse(br#"{"a":[1,{},[],"\u0000x"],"b":{"c":null,"d":true}}"#, Limits::DOCUMENT).unwrap();
        let written = Page::new(json.clone(), Vec::new()).octets();
        assert_eq!(Json::parse(&written, Limits::DOCUMENT).unwrap(), json);
        assert!(String::from_utf8(written).unwrap().starts_with("{\n  \"a\": [\n    1,\n    {},\n    [],\n"));
    }
}
