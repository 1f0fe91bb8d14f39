//! XML as JSON and back, by the BadgerFish convention: `$` is text, `@name` an attribute, `@xmlns` the namespaces.

use plan::ecmascript::text_of;
use plan::{Map, Text, Value};
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// How deep elements may stand in each other, how many of them and of attributes a text may have, and how many attributes
/// an element may (security contract, section 5).
const DEPTH_MAX: usize = 32;
const VALUES_MAX: usize = 10_000;
const ATTRIBUTES_MAX: usize = 64;
/// How deep the elements of an object may stand in each other that is written as XML.
const WRITTEN_DEPTH_MAX: usize = 100;
/// The member that holds an element's text.
const TEXT: &str = "$";
/// The member that holds an element's namespaces, by prefix; the default one is [`TEXT`].
const NAMESPACES: &str = "@xmlns";

/// Which form of the convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api_connect) enum Form {
    /// Each text stands under `$`.
    Strict,
    /// An element of text alone is that text.
    Relaxed,
}

/// How XML is written.
pub(in crate::api_connect) struct Names<'n> {
    /// The element around an object that is no single one.
    pub(in crate::api_connect) root: &'n str,
    /// The element of an item of a list that has no name.
    pub(in crate::api_connect) item: &'n str,
}

/// The object that a text of one element stands for.
///
/// # Errors
/// What is wrong with the text.
pub(in crate::api_connect) fn read(xml: &str, form: Form) -> Result<Value, String> {
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{FEFF}'));
    let mut builder = Builder { form, open: Vec::new(), values: 0, result: None };
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => builder.start(&start)?,
            Event::Empty(start) => {
                builder.start(&start)?;
                builder.end();
            }
            Event::End(_) => builder.end(),
            Event::Text(text) => builder.text(&text)?,
            Event::CData(text) => builder.text(&text)?,
            Event::GeneralRef(name) => {
                let text = unescape(&format!("&{};", &*name)).map_err(|error| error.to_string())?.into_owned();
                builder.text(&text)?;
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err("it has a document type, which is not read".to_owned()),
            Event::Eof if builder.open.is_empty() => break,
            Event::Eof => return Err("it ends within an element".to_owned()),
        }
    }
    builder.result.ok_or_else(|| "it holds no element".to_owned())
}

/// The text of an object as XML.
///
/// # Errors
/// What XML cannot hold.
pub(in crate::api_connect) fn write(value: &Value, names: &Names<'_>) -> Result<String, String> {
    let mut out = String::new();
    let single = value.as_map().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
    match single.filter(|(_, inner)| !matches!(inner, Value::List(_))) {
        Some((name, inner)) => element(&mut out, name, inner, names, WRITTEN_DEPTH_MAX)?,
        None => element(&mut out, names.root, value, names, WRITTEN_DEPTH_MAX)?,
    }
    Ok(out)
}

struct Builder {
    form: Form,
    open: Vec<(Text, Map, String)>,
    values: usize,
    result: Option<Value>,
}

impl Builder {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("it is more than {DEPTH_MAX} elements deep"));
        }
        if self.open.is_empty() && self.result.is_some() {
            return Err("a second element stands behind the first".to_owned());
        }
        let (mut members, mut namespaces) = (Map::new(), Map::new());
        self.count()?;
        for (at, attribute) in start.attributes().enumerate() {
            if at >= ATTRIBUTES_MAX {
                return Err(format!("an element has more than {ATTRIBUTES_MAX} attributes"));
            }
            let attribute = attribute.map_err(|error| error.to_string())?;
            self.count()?;
            let value = Value::text(unescape(&attribute.value).map_err(|error| error.to_string())?);
            let name: &str = attribute.key.as_ref();
            match name.strip_prefix("xmlns") {
                Some("") => drop(namespaces.insert(TEXT.into(), value)),
                Some(prefix) if prefix.starts_with(':') => drop(namespaces.insert(prefix[1..].into(), value)),
                Some(_) | None => drop(members.insert(format!("@{name}").as_str().into(), value)),
            }
        }
        if namespaces.iter().next().is_some() {
            members.insert(NAMESPACES.into(), namespaces.into());
        }
        self.open.push((start.name().as_ref().into(), members, String::new()));
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last_mut() {
            Some((_, _, held)) => held.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("text stands outside of the element".to_owned()),
        }
        Ok(())
    }

    fn end(&mut self) {
        let Some((name, mut members, text)) = self.open.pop() else { return };
        let text = text.trim();
        let is_bare = members.iter().next().is_none();
        let value = if is_bare && self.form == Form::Relaxed && !text.is_empty() {
            Value::text(text)
        } else {
            if !text.is_empty() {
                members.insert(TEXT.into(), Value::text(text));
            }
            members.into()
        };
        let Some((_, around, _)) = self.open.last_mut() else {
            self.result = Some(Value::map([(name, value)]));
            return;
        };
        match around.get_mut(&name) {
            Some(Value::List(items)) => std::sync::Arc::make_mut(items).push(value),
            Some(first) => *first = Value::list(vec![std::mem::take(first), value]),
            None => drop(around.insert(name, value)),
        }
    }

    fn count(&mut self) -> Result<(), String> {
        self.values += 1;
        if self.values > VALUES_MAX { Err(format!("it holds more than {VALUES_MAX} parts")) } else { Ok(()) }
    }
}

fn element(out: &mut String, name: &str, value: &Value, names: &Names<'_>, levels: usize) -> Result<(), String> {
    let levels = levels.checked_sub(1).ok_or("it is too deep")?;
    checked(name)?;
    let Value::Map(map) = value else {
        if let Value::List(items) = value {
            out.push_str(&format!("<{name}>"));
            items.iter().try_for_each(|item| element(out, names.item, item, names, levels))?;
        } else {
            out.push_str(&format!("<{name}>{}", escaped(&scalar(value)?)));
        }
        out.push_str(&format!("</{name}>"));
        return Ok(());
    };
    out.push_str(&format!("<{name}"));
    for (attribute, value) in map.iter().filter_map(|(name, value)| Some((name.strip_prefix('@')?, value))) {
        if attribute == "xmlns" {
            for (prefix, uri) in value.as_map().into_iter().flat_map(Map::iter) {
                let name = if &**prefix == TEXT { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
                attribute_of(out, &name, uri)?;
            }
        } else {
            attribute_of(out, attribute, value)?;
        }
    }
    out.push('>');
    for (name, value) in map.iter().filter(|(name, _)| !name.starts_with('@')) {
        match value {
            _ if &**name == TEXT => out.push_str(&escaped(&scalar(value)?)),
            Value::List(items) => items.iter().try_for_each(|item| element(out, name, item, names, levels))?,
            Value::Undefined
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Bytes(_)
            | Value::Date(_)
            | Value::Map(_)
            | Value::Handle(_)
            | Value::Unencodable(_) => element(out, name, value, names, levels)?,
        }
    }
    out.push_str(&format!("</{name}>"));
    Ok(())
}

fn attribute_of(out: &mut String, name: &str, value: &Value) -> Result<(), String> {
    checked(name)?;
    out.push_str(&format!(" {name}=\"{}\"", escaped(&scalar(value)?)));
    Ok(())
}

/// A name that an element or attribute can have; wider than XML's own where that does no harm.
fn checked(name: &str) -> Result<(), String> {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let is_name = begins && name.chars().all(|c| c.is_alphanumeric() || "_-.:".contains(c));
    if is_name { Ok(()) } else { Err(format!("`{name}` is no name of an element")) }
}

fn scalar(value: &Value) -> Result<String, String> {
    match value {
        Value::Undefined | Value::Null => Ok(String::new()),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Date(_) => Ok(text_of(value)),
        Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Handle(_) | Value::Unencodable(_) => {
            Err("an object stands where a text belongs".to_owned())
        }
    }
}

/// Text as XML holds it; characters that XML has no way to write are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'_> = Names { root: "json", item: "element" };

    fn json(value: &Value) -> String {
        let mut out = Vec::new();
        plan::write_json(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn value(json: &str) -> Value {
        plan::read_json(json.as_bytes(), jose::json::Limits::REQUEST, plan::JsonRules::Exact).unwrap()
    }

    /// AC-82 (part): elements, attributes, lists, text and namespaces, there and back.
    #[test]
    fn both_ways_follow_the_convention() {
        for (xml, strict) in [
            ("<a>b</a>", r#"{"a":{"$":"b"}}"#),
            ("<a x=\"1\"><b>c</b><b>d</b></a>", r#"{"a":{"@x":"1","b":[{"$":"c"},{"$":"d"}]}}"#),
            ("<s:a xmlns=\"u\" xmlns:s=\"v\"><b></b></s:a>", r#"{"s:a":{"@xmlns":{"$":"u","s":"v"},"b":{}}}"#),
            ("<a>&lt;&amp;\u{fc}</a>", r#"{"a":{"$":"<&ü"}}"#),
        ] {
            let read = read(xml, Form::Strict).unwrap();
            assert_eq!(json(&read), strict);
            assert_eq!(write(&read, &NAMES).unwrap(), xml);
        }
        assert_eq!(
            json(&read("<a><b>c</b><d e='f'>g</d></a>", Form::Relaxed).unwrap()),
            r#"{"a":{"b":"c","d":{"@e":"f","$":"g"}}}"#
        );
    }

    #[test]
    fn what_has_no_single_root_gets_one() {
        assert_eq!(
            write(&value(r#"{"a":1,"b":[true,null]}"#), &NAMES).unwrap(),
            "<json><a>1</a><b>true</b><b></b></json>"
        );
        assert_eq!(
            write(&value(r#"[1,{"c":2}]"#), &NAMES).unwrap(),
            "<json><element>1</element><element><c>2</c></element></json>"
        );
    }

    #[test]
    fn broken_and_hostile_texts_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xx\">]><a>x</a>";
        let deep = "<a>".repeat(33);
        let attributes =
            |count: usize| format!("<a {}/>", (0..count).map(|at| format!("x{at}='' ")).collect::<String>());
        let (wide, full) = (attributes(65), format!("<a>{}</a>", "<b/>".repeat(9_999)));
        assert!(read(&attributes(64), Form::Strict).is_ok() && read(&full, Form::Strict).is_ok());
        let (full, nested) = (full.replace("<a>", "<a><b/>"), format!("{}{}", "<a>".repeat(32), "</a>".repeat(32)));
        assert!(read(&nested, Form::Strict).is_ok());
        for xml in [&*wide, &*full, bomb, "<a>", "<a/><b/>", "text", "", deep.as_str(), "<a><b></a>"] {
            assert!(read(xml, Form::Strict).is_err(), "{xml}");
        }
        for json in [r#"{"a b":1}"#, r#"{"<":1}"#, r#"{"a":{"@b":{}}}"#, r#"{"a":{"@x y":"1"}}"#] {
            assert!(write(&value(json), &NAMES).is_err(), "{json}");
        }
    }
}
