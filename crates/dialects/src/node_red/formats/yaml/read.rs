//! Builds a value of the events of a YAML parser.

use std::collections::{HashMap, HashSet};

use jose::json::Limits;
use plan::ecmascript::text_of;
use plan::{Map, Text, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::resolve::{self, Resolved};

/// How deep lists and maps may stand in each other.
const DEPTH_MAX: usize = 100;
/// Most maps that one key may merge.
const MERGED_MAX: usize = 100;

/// The value of a text of at most one document: undefined if the text is empty, `null` if only its document is.
///
/// # Errors
///
/// What is wrong with it, without the full stop.
pub(super) fn value_of(text: &str) -> Result<Value, String> {
    let result = if text.is_empty() { Value::Undefined } else { Value::Null };
    let mut builder = Builder { result, ..Builder::default() };
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        builder.take(event)?;
    }
    Ok(builder.result)
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    /// What each anchor names, by its number.
    anchors: HashMap<usize, Value>,
    documents: usize,
    values: usize,
    result: Value,
}

/// A container that is not at its end yet.
struct Open {
    anchor: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Map {
        members: Map,
        /// Members that were merged, so that another may take their place.
        merged: HashSet<Text>,
        /// The key whose value comes next.
        key: Option<Key>,
    },
}

enum Key {
    Member(Text),
    Merge,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 { Err("it holds more than one document".to_owned()) } else { Ok(()) }
            }
            Event::Alias(anchor) => {
                let named = self.anchors.get(&anchor).cloned();
                self.add(Resolved::Value(named.ok_or("an alias names something that encloses it, or nothing")?))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let resolved = resolve::scalar(&text, is_plain, tag.as_deref().map(full_tag).as_deref())?;
                if let Resolved::Value(value) = &resolved {
                    self.name(anchor, value);
                }
                self.add(resolved)
            }
            Event::SequenceStart(anchor, tag) => self.open(anchor, tag.as_deref(), Content::List(Vec::new())),
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map { members: Map::new(), merged: HashSet::new(), key: None };
                self.open(anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, tag, content }) = self.open.pop() else { return Ok(()) };
                let value = match content {
                    Content::List(items) => resolve::list(items, tag.as_deref())?,
                    Content::Map { members, .. } => resolve::map(members.indices_first(), tag.as_deref())?,
                };
                self.name(anchor, &value);
                self.add(Resolved::Value(value))
            }
        }
    }

    fn open(&mut self, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), String> {
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("it is more than {DEPTH_MAX} levels deep"));
        }
        self.open.push(Open { anchor, tag: tag.map(full_tag), content });
        Ok(())
    }

    fn name(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
    }

    fn add(&mut self, resolved: Resolved) -> Result<(), String> {
        self.values += 1;
        if self.values > Limits::REQUEST.values {
            return Err(format!("it holds more than {} values", Limits::REQUEST.values));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.result = resolved.into_value(),
            Some(Content::List(items)) => items.push(resolved.into_value()),
            Some(Content::Map { members, merged, key }) => match key.take() {
                None => {
                    *key = Some(match resolved {
                        Resolved::Merge => Key::Merge,
                        Resolved::Value(value) => Key::Member(key_text(&value)?),
                    });
                }
                Some(Key::Merge) => merge(members, merged, &resolved.into_value())?,
                Some(Key::Member(name)) => {
                    if members.get(&name).is_some() && !merged.remove(&name) {
                        return Err(format!("the key `{name}` stands twice in one map"));
                    }
                    members.insert(name, resolved.into_value());
                }
            },
        }
        Ok(())
    }
}

fn full_tag(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

/// A key as the name of a member.
fn key_text(key: &Value) -> Result<Text, String> {
    if let Value::List(items) = key
        && items.iter().any(|item| matches!(item, Value::List(_)))
    {
        return Err("a list of lists cannot be a key".to_owned());
    }
    Ok(text_of(key).into())
}

fn merge(members: &mut Map, merged: &mut HashSet<Text>, source: &Value) -> Result<(), String> {
    if let Value::List(sources) = source {
        if sources.len() > MERGED_MAX {
            return Err(format!("more than {MERGED_MAX} maps are merged by one key"));
        }
        return sources.iter().try_for_each(|source| merge_one(members, merged, source));
    }
    merge_one(members, merged, source)
}

fn merge_one(members: &mut Map, merged: &mut HashSet<Text>, source: &Value) -> Result<(), String> {
    let source = source.as_map().ok_or("only maps can be merged")?;
    for (name, value) in source.iter() {
        if members.get(name).is_none() {
            members.insert(name.clone(), value.clone());
            merged.insert(name.clone());
        }
    }
    Ok(())
}
