//! JSON literals with references: parsed first and filled afterwards, so that no value adds members or leaves its text
//! (contract section 7).

use jose::json::{Event, Limits, Position, Reader as JsonReader};
use plan::{Expr, JsonRules, Map, Text, Value, read_json};

use super::template::{Reference, Template};
use super::who::Who;

/// A JSON text whose values may be, or hold, references.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    root: Node,
    field: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// A reference in the place of a value.
    Reference(Reference),
    /// A text with references in it.
    Text(Template),
    /// A value that refers to nothing.
    Plain(Value),
    List(Vec<Node>),
    Map(Vec<(Text, Node)>),
}

impl Literal {
    /// Reads the literal of a field.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub(crate) fn new(text: &str, field: &str) -> Result<Self, String> {
        let (json, mut places) = without_references(text)?;
        // What stands for a reference is a text; a member of that name would be one, too.
        let mut reader = JsonReader::new(json.as_bytes(), Limits::REQUEST).map_err(|error| error.to_string())?;
        let told = |error: jose::json::JsonError| {
            let Position { line, column } = error.position(json.as_bytes());
            format!("The JSON is broken in line {line}, column {column}: {}.", error.kind)
        };
        read_json(json.as_bytes(), Limits::REQUEST, JsonRules::Exact).map_err(told)?;
        places.reverse();
        let mut reading = Reading { reader: &mut reader, places, texts: 0, field };
        let first = reading.event()?.ok_or("There is no JSON.")?;
        let root = reading.node(first)?;
        Ok(Self { root, field: field.to_owned() })
    }

    /// The value, if it refers to nothing.
    pub(crate) fn as_plain(&self) -> Option<Value> {
        self.root.as_plain()
    }

    /// The value, filled.
    pub(crate) fn expr(&self, who: &Who) -> Expr {
        self.root.expr(who, &self.field)
    }
}

impl Node {
    fn as_plain(&self) -> Option<Value> {
        match self {
            Self::Reference(_) => None,
            Self::Text(text) => text.as_plain().map(Value::text),
            Self::Plain(value) => Some(value.clone()),
            Self::List(items) => items.iter().map(Self::as_plain).collect::<Option<Vec<_>>>().map(Value::list),
            Self::Map(members) => {
                let plain = members.iter().map(|(name, member)| Some((name.clone(), member.as_plain()?)));
                plain.collect::<Option<Map>>().map(Value::from)
            }
        }
    }

    fn expr(&self, who: &Who, field: &str) -> Expr {
        if let Some(plain) = self.as_plain() {
            return Expr::Literal(plain);
        }
        match self {
            Self::Reference(reference) => reference.set(who, field),
            Self::Text(text) => text.expr_in_text(who),
            Self::Plain(value) => Expr::Literal(value.clone()),
            Self::List(items) => Expr::List(items.iter().map(|item| item.expr(who, field)).collect()),
            Self::Map(members) => {
                Expr::Map(members.iter().map(|(name, member)| (name.clone(), member.expr(who, field))).collect())
            }
        }
    }
}

/// The JSON with an empty text in the place of each reference that stands for a value, and which text of all, names among
/// them, that is.
fn without_references(text: &str) -> Result<(String, Vec<(usize, Reference)>), String> {
    let (mut json, mut places, mut texts) = (String::new(), Vec::new(), 0);
    let (mut in_text, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_text && rest.starts_with("{{") && !rest[2..].trim_start().starts_with(['"', '}']) {
            let (reference, behind) = Reference::read(rest)?;
            places.push((texts, reference));
            texts += 1;
            json.push_str("\"\"");
            rest = behind;
            continue;
        }
        if c == '"' && !escaped {
            texts += usize::from(!in_text);
            in_text = !in_text;
        }
        escaped = in_text && c == '\\' && !escaped;
        json.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Ok((json, places))
}

struct Reading<'r, 'j> {
    reader: &'r mut JsonReader<'j>,
    /// The references that are still to come, the next one last.
    places: Vec<(usize, Reference)>,
    /// How many texts and names were read.
    texts: usize,
    field: &'r str,
}

impl<'j> Reading<'_, 'j> {
    fn event(&mut self) -> Result<Option<Event<'j>>, String> {
        self.reader.next_event().map_err(|error| error.to_string())
    }

    fn node(&mut self, event: Event<'j>) -> Result<Node, String> {
        Ok(match event {
            Event::Null => Node::Plain(Value::Null),
            Event::Bool(value) => Node::Plain(Value::Bool(value)),
            Event::Number(text) => {
                Node::Plain(read_json(text.as_bytes(), Limits::REQUEST, JsonRules::Exact).unwrap_or_default())
            }
            Event::Text(text) => match self.reference() {
                Some(reference) => Node::Reference(reference),
                None => Node::Text(Template::new(&text, self.field)?),
            },
            Event::ArrayStart => {
                let mut items = Vec::new();
                while let Some(event) = self.event()?.filter(|event| *event != Event::ArrayEnd) {
                    items.push(self.node(event)?);
                }
                Node::List(items)
            }
            Event::ObjectStart => self.map()?,
            Event::Name(_) | Event::ArrayEnd | Event::ObjectEnd => return Err("The JSON is broken.".to_owned()),
        })
    }

    fn map(&mut self) -> Result<Node, String> {
        let mut members = Vec::new();
        while let Some(Event::Name(name)) = self.event()? {
            if self.reference().is_some() {
                return Err("A reference cannot be the name of a member.".to_owned());
            }
            let event = self.event()?.ok_or("The JSON is broken.")?;
            members.push((Text::from(&*name), self.node(event)?));
        }
        Ok(Node::Map(members))
    }

    /// The reference that the text which was just read stands for, if it does.
    fn reference(&mut self) -> Option<Reference> {
        let at = self.texts;
        self.texts += 1;
        if self.places.last().is_some_and(|(place, _)| *place == at) {
            return self.places.pop().map(|(_, reference)| reference);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Literal, String> {
        Literal::new(text, "f")
    }

    #[test]
    fn a_reference_stands_for_a_value_or_in_a_text() {
        let literal = read(r#"{"a": {{ user.id }}, "b": ["x-{{c}}", {{d[0]}}, null, 1.50], "{{e}}": "\"{{"}"#);
        // An open reference in a text is told.
        assert!(literal.is_err());
        let literal =
            read(r#"{"a": {{ user.id }}, "b": ["x-{{c}}", {{d[0]}}, null, 1.50], "{{e}}": "\"\\{{"}"#).unwrap();
        assert!(literal.as_plain().is_none());
        let Node::Map(members) = &literal.root else { panic!("a map") };
        assert!(matches!(&members[0].1, Node::Reference(reference) if reference.written == "user.id"));
        assert!(matches!(&members[1].1, Node::List(items) if matches!(items[1], Node::Reference(_))));
        assert!(matches!(read("{{a}}").unwrap().root, Node::Reference(_)));
    }

    #[test]
    fn what_refers_to_nothing_is_a_value_in_its_order() {
        let plain = read(r#"{"b":1,"a":[true,null]}"#).unwrap().as_plain().unwrap();
        let names: Vec<_> = plain.as_map().unwrap().iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["b", "a"]);
        assert!(read("\"{{x\"").is_err());
    }

    #[test]
    fn broken_json_is_told_with_its_place() {
        for bad in ["", "[", "a,b", r#"{"a":1,"a":2}"#, r#"{{{a}}: 1}"#, "[1] 2"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read("[\n  1,\n  x]").unwrap_err().contains("line 3, column 3"));
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(32)).is_ok());
        assert!(read(&deep(33)).is_err());
    }
}
