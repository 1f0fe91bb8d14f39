//! Where things stand in the text of a document, by their JSON pointers.

use std::collections::BTreeMap;
use std::ops::Range;

use jose::json::{Event, JsonError, Limits, Position, Reader};
use plan::Diagnostic;

use crate::token_form::{Inline, sealed_json};

/// Adds line and column to what was told.
pub(super) fn place(octets: &[u8], diagnostics: &mut [Diagnostic]) {
    let found = places(octets, diagnostics.iter().map(|told| told.place.pointer.as_str()));
    for told in diagnostics {
        let at = found.get(&told.place.pointer).filter(|_| told.place.line_column.is_none());
        if let Some(at) = at {
            told.place.line_column = Some(line_column(octets, at.start));
        }
    }
}

/// The document with a reference in the place of each secret.
pub(super) fn without(octets: &[u8], found: &[Inline]) -> Vec<u8> {
    let at = places(octets, found.iter().map(|inline| inline.pointer.as_str()));
    let mut cuts: Vec<_> = found.iter().filter_map(|inline| Some((at.get(&inline.pointer)?, &inline.secret))).collect();
    cuts.sort_by_key(|(place, _)| place.start);
    let (mut kept, mut from) = (Vec::with_capacity(octets.len()), 0);
    for (place, secret) in cuts {
        kept.extend_from_slice(&octets[from..place.start]);
        kept.extend_from_slice(&sealed_json(secret));
        from = place.end;
    }
    kept.extend_from_slice(&octets[from..]);
    kept
}

/// The octets of every value whose pointer is asked for; a pointer to nothing is left out.
fn places<'p>(octets: &[u8], pointers: impl Iterator<Item = &'p str>) -> BTreeMap<String, Range<usize>> {
    let mut finder = Finder { wanted: pointers.map(|pointer| (pointer.to_owned(), None)).collect() };
    if let Ok(mut reader) = Reader::new(octets, Limits::DOCUMENT) {
        // A document that is read here was read before.
        let _ = finder.walk(&mut reader, &mut String::new());
    }
    finder.wanted.into_iter().filter_map(|(pointer, found)| Some((pointer, found?))).collect()
}

/// Line and column of a place.
fn line_column(octets: &[u8], at: usize) -> (usize, usize) {
    let Position { line, column } = Position::of(octets, at);
    (line, column)
}

struct Finder {
    wanted: BTreeMap<String, Option<Range<usize>>>,
}

impl Finder {
    /// Walks over one value.
    fn walk(&mut self, reader: &mut Reader<'_>, pointer: &mut String) -> Result<(), JsonError> {
        let Some(event) = reader.next_event()? else { return Ok(()) };
        self.value(reader, &event, pointer)
    }

    fn value(&mut self, reader: &mut Reader<'_>, event: &Event<'_>, pointer: &mut String) -> Result<(), JsonError> {
        let start = reader.offset();
        match event {
            Event::ArrayStart => {
                let mut index = 0_usize;
                while let Some(event) = reader.next_event()?.filter(|event| *event != Event::ArrayEnd) {
                    self.below(pointer, &index.to_string(), |this, pointer| this.value(reader, &event, pointer))?;
                    index += 1;
                }
            }
            Event::ObjectStart => {
                while let Some(Event::Name(name)) = reader.next_event()? {
                    self.below(pointer, &name, |this, pointer| this.walk(reader, pointer))?;
                }
            }
            Event::Null
            | Event::Bool(_)
            | Event::Number(_)
            | Event::Text(_)
            | Event::Name(_)
            | Event::ArrayEnd
            | Event::ObjectEnd => {}
        }
        if let Some(found) = self.wanted.get_mut(pointer.as_str()) {
            *found = Some(start..reader.end_offset());
        }
        Ok(())
    }

    fn below<T>(&mut self, pointer: &mut String, name: &str, walk: impl FnOnce(&mut Self, &mut String) -> T) -> T {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let walked = walk(self, pointer);
        pointer.truncate(length);
        walked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_pointers() {
        let text = br#"{"a": [1, {"b/c": "x"}], "d": {}}"#;
        let found = places(text, ["/a/1/b~1c", "/a/0", "/d", "/e", ""].into_iter());
        let shown = |pointer: &str| found.get(pointer).map(|place| std::str::from_utf8(&text[place.clone()]).unwrap());
        assert_eq!(shown("/a/1/b~1c"), Some("\"x\""));
        assert_eq!(shown("/a/0"), Some("1"));
        assert_eq!(shown("/d"), Some("{}"));
        assert_eq!(shown("/e"), None);
        assert_eq!(shown("").map(str::len), Some(text.len()));
        assert_eq!(line_column(b"{\n \"a\"", 3), (2, 2));
    }
}
