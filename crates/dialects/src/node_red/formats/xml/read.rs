//! Builds an object of the events of an XML reader.

use jose::json::Limits;
use plan::{Map, Text, Value};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::rules::Rules;

/// How deep elements may stand in each other.
const DEPTH_MAX: usize = 100;

/// The object that a text of one element stands for; `null` if there is nothing but white space.
///
/// # Errors
///
/// What is wrong with the text, without the full stop.
pub(super) fn value_of(xml: &str, rules: &Rules) -> Result<Value, String> {
    if xml.trim().is_empty() {
        return Ok(Value::Null);
    }
    let mut builder = Builder { rules, open: Vec::new(), values: 0, result: None };
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{FEFF}'));
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => builder.start(&start)?,
            Event::Empty(start) => {
                builder.start(&start)?;
                builder.end()?;
            }
            Event::End(_) => builder.end()?,
            Event::Text(text) => builder.text(&text, false)?,
            Event::CData(text) => builder.text(&text, true)?,
            Event::GeneralRef(name) => builder.text(&entity(&name)?, false)?,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => break,
        }
    }
    if !builder.open.is_empty() {
        return Err("it ends within an element".to_owned());
    }
    builder.result.ok_or_else(|| "it holds no element".to_owned())
}

struct Builder<'r> {
    rules: &'r Rules,
    open: Vec<Element>,
    values: usize,
    result: Option<Value>,
}

/// An element that is not at its end yet.
struct Element {
    name: Text,
    text: String,
    has_cdata: bool,
    members: Map,
}

impl Builder<'_> {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("it is more than {DEPTH_MAX} elements deep"));
        }
        if self.open.is_empty() && self.result.is_some() {
            return Err("a second element stands behind the first".to_owned());
        }
        let name = start.name();
        let name = name.as_ref();
        let name = if self.rules.normalize_tags { name.to_lowercase() } else { name.to_owned() };
        let mut members = Map::new();
        let mut attributes = Map::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            self.count()?;
            let value = Value::text(unescaped(&attribute.value)?);
            let name: Text = attribute.key.as_ref().into();
            if self.rules.merge_attributes {
                push(&mut members, name, value, self.rules);
            } else {
                attributes.insert(name, value);
            }
        }
        if self.rules.ignore_attributes {
            members = Map::new();
        } else if !attributes.is_empty() {
            members.insert(self.rules.attributes.clone(), attributes.into());
        }
        self.count()?;
        self.open.push(Element { name: name.into(), text: String::new(), has_cdata: false, members });
        Ok(())
    }

    fn text(&mut self, text: &str, is_cdata: bool) -> Result<(), String> {
        match self.open.last_mut() {
            Some(element) => {
                element.text.push_str(text);
                element.has_cdata |= is_cdata;
                Ok(())
            }
            None if text.trim().is_empty() && !is_cdata => Ok(()),
            None => Err("text stands outside of the element".to_owned()),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        let element = self.open.pop().ok_or("an end stands without its beginning")?;
        let name = element.name.clone();
        let value = self.closed(element);
        if let Some(around) = self.open.last_mut() {
            push(&mut around.members, name, value, self.rules);
        } else {
            self.result = Some(if self.rules.explicit_root { Value::map([(name, value)]) } else { value });
        }
        Ok(())
    }

    fn closed(&self, Element { text, has_cdata, members, .. }: Element) -> Value {
        let rules = self.rules;
        let is_blank = text.chars().all(plan::ecmascript::is_blank) && !has_cdata;
        if is_blank {
            if members.is_empty() {
                return if rules.empty.is_empty() { Value::text(text) } else { Value::Text(rules.empty.clone()) };
            }
            return members.into();
        }
        let mut text = if rules.trim { text.trim().to_owned() } else { text };
        if rules.normalize {
            text = normalized(&text);
        }
        if members.is_empty() && !rules.explicit_text {
            return Value::text(text);
        }
        let own = std::iter::once((rules.text.clone(), Value::text(text)));
        own.chain(members.iter().map(|(name, value)| (name.clone(), value.clone()))).collect::<Map>().into()
    }

    fn count(&mut self) -> Result<(), String> {
        self.values += 1;
        if self.values > Limits::REQUEST.values {
            return Err(format!("it holds more than {} elements and attributes", Limits::REQUEST.values));
        }
        Ok(())
    }
}

/// Adds a member, which becomes a list if there is one of that name already.
fn push(members: &mut Map, name: Text, value: Value, rules: &Rules) {
    match members.get_mut(&name) {
        None => {
            let value = if rules.explicit_array { Value::list(vec![value]) } else { value };
            members.insert(name, value);
        }
        Some(Value::List(items)) => std::sync::Arc::make_mut(items).push(value),
        Some(only) => *only = Value::list(vec![std::mem::take(only), value]),
    }
}

/// Runs of white space as one blank, none at the ends.
fn normalized(text: &str) -> String {
    let mut out = String::new();
    let mut blanks = String::new();
    for c in text.trim().chars() {
        if plan::ecmascript::is_blank(c) {
            blanks.push(c);
            continue;
        }
        // A single tab or line end stays what it is.
        out.push_str(if blanks.chars().count() > 1 { " " } else { &blanks });
        blanks.clear();
        out.push(c);
    }
    out
}

/// The text with its references replaced.
fn unescaped(raw: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = raw;
    while let Some((before, behind)) = rest.split_once('&') {
        let (name, behind) = behind.split_once(';').ok_or("an `&` begins no reference")?;
        out.push_str(before);
        out.push_str(&entity(name)?);
        rest = behind;
    }
    Ok(out + rest)
}

/// What a reference stands for: a character by its number, or one of XML's own five names.
fn entity(name: &str) -> Result<String, String> {
    let by_number = |digits: &str, radix| {
        u32::from_str_radix(digits, radix).ok().filter(|code| *code != 0).and_then(char::from_u32)
    };
    let found = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix(['x', 'X']) {
                Some(digits) => by_number(digits, 16),
                None => by_number(digits, 10),
            },
            None => None,
        },
    };
    found.map(String::from).ok_or_else(|| format!("the entity `&{name};` is not known"))
}
