//! Writes an object as XML.

use plan::ecmascript::text_of as ecmascript_text;
use plan::{Map, Text, Value};

use super::rules::Rules;

/// How deep elements may stand in each other.
const DEPTH_MAX: usize = 200;
/// The longest text that is written, in octets.
const TEXT_BYTES_MAX: usize = 5 << 20;

/// The value as a document of one element.
///
/// # Errors
///
/// Why there is none, without the full stop.
pub(super) fn text_of(value: &Value, rules: &Rules) -> Result<String, String> {
    if *value == Value::Null {
        return Err("it is null".to_owned());
    }
    let (name, content) = outermost(value).filter(|_| &*rules.root == "root").unwrap_or((&*rules.root, value));
    let mut tree = Element::named(name)?;
    let mut room = TEXT_BYTES_MAX;
    fill(&mut tree, content, rules, DEPTH_MAX, &mut room)?;
    let mut out = String::new();
    if !rules.headless {
        out.push_str(r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#);
        out.push_str(if rules.indent.is_some() { "\n" } else { "" });
    }
    tree.write(&mut out, rules.indent.as_deref(), 0);
    Ok(out)
}

/// The only member of an object, or the only item of a list by its index, which is no name and is refused as such.
fn outermost(value: &Value) -> Option<(&str, &Value)> {
    if let Value::List(items) = value {
        return items.first().filter(|_| items.len() == 1).map(|item| ("0", item));
    }
    let map = value.as_map().filter(|map| map.len() == 1)?;
    map.iter().next().map(|(name, value)| (&**name, value))
}

struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Child>,
}

enum Child {
    Element(Element),
    Text(String),
}

impl Element {
    fn named(name: &str) -> Result<Self, String> {
        let first = |c: char| c.is_alphabetic() || c == '_' || c == ':' || !c.is_ascii();
        let later = |c: char| first(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
        if !name.starts_with(first) || !name.chars().all(later) {
            return Err(format!("`{name}` is no name of an element or attribute"));
        }
        Ok(Self { name: name.to_owned(), attributes: Vec::new(), children: Vec::new() })
    }

    fn write(&self, out: &mut String, indent: Option<&str>, level: usize) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.extend([" ", name, "=\"", value, "\""]);
        }
        if self.children.iter().all(|child| matches!(child, Child::Text(text) if text.is_empty())) {
            return out.push_str("/>");
        }
        out.push('>');
        let is_lone_text = matches!(&*self.children, [Child::Text(_)]);
        let indent = indent.filter(|_| !is_lone_text);
        for child in &self.children {
            line(out, indent, level + 1);
            match child {
                Child::Element(element) => element.write(out, indent, level + 1),
                Child::Text(text) => out.push_str(text),
            }
        }
        line(out, indent, level);
        out.extend(["</", &self.name, ">"]);
    }
}

fn line(out: &mut String, indent: Option<&str>, level: usize) {
    if let Some(indent) = indent {
        out.push('\n');
        out.push_str(&indent.repeat(level));
    }
}

fn fill(element: &mut Element, value: &Value, rules: &Rules, levels: usize, room: &mut usize) -> Result<(), String> {
    if levels == 0 {
        return Err(format!("it is more than {DEPTH_MAX} elements deep"));
    }
    if let Value::List(items) = value {
        let mut members = items.iter().filter_map(Value::as_map).flat_map(Map::iter);
        return members.try_for_each(|(name, child)| add(element, name, child, rules, levels, room));
    }
    if let Some(members) = value.as_map() {
        return members.iter().try_for_each(|(name, member)| fill_member(element, name, member, rules, levels, room));
    }
    if !matches!(value, Value::Null | Value::Date(_)) {
        element.children.push(Child::Text(escaped(value, false, room)?));
    }
    Ok(())
}

/// Puts a member in its place: attributes and text by their names, the others as elements.
fn fill_member(
    element: &mut Element,
    name: &Text,
    member: &Value,
    rules: &Rules,
    levels: usize,
    room: &mut usize,
) -> Result<(), String> {
    if *name == rules.attributes {
        for (name, value) in member.as_map().into_iter().flat_map(Map::iter) {
            element.attributes.push((Element::named(name)?.name, escaped(value, true, room)?));
        }
        return Ok(());
    }
    if *name == rules.text {
        element.children.push(Child::Text(escaped(member, false, room)?));
        return Ok(());
    }
    if let Value::List(items) = member {
        return items.iter().try_for_each(|item| add(element, name, item, rules, levels, room));
    }
    add(element, name, member, rules, levels, room)
}

fn add(
    element: &mut Element,
    name: &str,
    value: &Value,
    rules: &Rules,
    levels: usize,
    room: &mut usize,
) -> Result<(), String> {
    let mut child = Element::named(name)?;
    spend(room, name.len() * 2 + 5)?;
    if !value.is_undefined() {
        fill(&mut child, value, rules, levels - 1, room)?;
    }
    element.children.push(Child::Element(child));
    Ok(())
}

/// A value as text in an element or attribute.
fn escaped(value: &Value, in_attribute: bool, room: &mut usize) -> Result<String, String> {
    if let Value::Handle(_) | Value::Unencodable(_) | Value::Bytes(_) = value {
        return Err("it holds something that XML has no word for".to_owned());
    }
    let text = ecmascript_text(value);
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' if !in_attribute => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\t' if in_attribute => out.push_str("&#x9;"),
            '\n' if in_attribute => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c if (c < ' ' && c != '\t' && c != '\n') || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {
                return Err("a text holds a character that XML does not allow".to_owned());
            }
            c => out.push(c),
        }
    }
    spend(room, out.len())?;
    Ok(out)
}

fn spend(room: &mut usize, bytes: usize) -> Result<(), String> {
    *room = room.checked_sub(bytes).ok_or_else(|| format!("it is longer than {TEXT_BYTES_MAX} octets"))?;
    Ok(())
}
