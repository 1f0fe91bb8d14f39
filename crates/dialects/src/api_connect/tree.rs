//! A YAML or JSON text as a tree that remembers where everything stands in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use indexmap::IndexMap;
use jose::json::{Event as JsonEvent, Limits, Position, Reader};
use plan::{Diagnostic, Map, Number, Place, Severity, Text, Value};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

/// Levels of nesting in a document (security contract, section 5).
const DEPTH_MAX: usize = 32;
/// Nodes of a document, aliases expanded (security contract, section 5).
const NODES_MAX: usize = 200_000;

/// The tags of the core schema.
const CORE_TAGS: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];

/// Where something stands: line and column, both from 1.
pub(super) type Spot = (usize, usize);

/// From where to where something stands; the end is behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: Spot,
    end: Spot,
    /// Whether it is a block scalar, whose start is that of its content, behind the line with its sign.
    is_block: bool,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// Members in their order.
    Map(Members),
}

/// The members of a map.
type Members = IndexMap<String, Node>;

/// A value on its way from the root.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'t> {
    pub(super) node: &'t Node,
    /// The JSON pointer (RFC 6901) to it.
    pub(super) pointer: String,
}

/// Why a text is no such tree.
#[derive(Debug)]
pub(super) struct Broken {
    at: Spot,
    why: String,
}

/// Reads a document: JSON if it begins like an object, else YAML.
pub(super) fn read(octets: &[u8]) -> Result<Node, Broken> {
    let text = std::str::from_utf8(octets).map_err(|error| {
        let Position { line, column } = Position::of(octets, error.valid_up_to());
        Broken { at: (line, column), why: "the text is not UTF-8".to_owned() }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') { read_json(text) } else { read_yaml(text) }
}

impl Broken {
    /// As the author is told.
    pub(super) fn told(self) -> Diagnostic {
        let place = Place { line_column: Some(self.at), ..Place::default() };
        Diagnostic::new(Severity::Error, "not_readable", place, format!("The document cannot be read: {}.", self.why))
            .hint("Correct that line; an export from the vendor's own tools is YAML or JSON as it should be.")
    }
}

// ---- YAML ---------------------------------------------------------------------------------------------------------

fn read_yaml(text: &str) -> Result<Node, Broken> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Broken {
            at: (error.marker().line(), error.marker().col() + 1),
            why: error.info().to_owned(),
        })?;
        builder.take(event, spots(&span))?;
    }
    builder.root.ok_or_else(|| Broken { at: (1, 1), why: "it is empty".to_owned() })
}

fn spots(span: &saphyr_parser::Span) -> Span {
    let spot = |mark: &Marker| (mark.line().max(1), mark.col() + 1);
    Span { start: spot(&span.start), end: spot(&span.end), is_block: false }
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

/// A list or map that is not at its end.
struct Open {
    kind: OpenKind,
    at: Spot,
    anchor: usize,
    /// How many nodes there were before it.
    before: usize,
}

enum OpenKind {
    List(Vec<Node>),
    Map(Members, Option<String>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Broken> {
        let at = span.start;
        if let Event::Scalar(.., tag) | Event::SequenceStart(_, tag) | Event::MappingStart(_, tag) = &event
            && let Some(tag) = tag.as_ref().filter(|tag| !is_core(tag))
        {
            return Err(Broken { at, why: format!("it has the tag `{tag}`, and no tags of its own are read") });
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = scalar(text, style, tag.as_deref());
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let span = Span { is_block, ..span };
                self.count(1, at)?;
                self.finish(Node { kind, span }, anchor, 1)
            }
            Event::SequenceStart(anchor, _) => self.open(OpenKind::List(Vec::new()), at, anchor),
            Event::MappingStart(anchor, _) => self.open(OpenKind::Map(Members::new(), None), at, anchor),
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let (node, nodes) = known
                    .ok_or_else(|| Broken { at, why: "an alias names an anchor that is still open".to_owned() })?;
                self.count(nodes, at)?;
                self.finish(node, 0, nodes)
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Broken { at, why: "it holds a second document".to_owned() })
            }
            Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {
                Ok(())
            }
        }
    }

    fn open(&mut self, kind: OpenKind, at: Spot, anchor: usize) -> Result<(), Broken> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Broken { at, why: format!("it is nested deeper than {DEPTH_MAX} levels") });
        }
        self.count(1, at)?;
        self.open.push(Open { kind, at, anchor, before: self.nodes - 1 });
        Ok(())
    }

    fn close(&mut self, end: Spot) -> Result<(), Broken> {
        let Some(Open { kind, at, anchor, before }) = self.open.pop() else { return Ok(()) };
        let kind = match kind {
            OpenKind::List(items) => NodeKind::List(items),
            OpenKind::Map(members, _) => NodeKind::Map(members),
        };
        self.finish(Node { kind, span: Span { start: at, end, is_block: false } }, anchor, self.nodes - before)
    }

    /// Puts a node in its place: an element, a name, the value of a name, or the root.
    fn finish(&mut self, node: Node, anchor: usize, nodes: usize) -> Result<(), Broken> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map(members, name @ None)) => {
                let at = node.span.start;
                let spelt = name_of(node)?;
                if members.contains_key(&spelt) {
                    return Err(Broken { at, why: format!("the member `{spelt}` stands twice") });
                }
                *name = Some(spelt);
            }
            Some(OpenKind::Map(members, name @ Some(_))) => {
                members.extend(name.take().map(|name| (name, node)));
            }
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, at: Spot) -> Result<(), Broken> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(Broken { at, why: format!("it holds more than {NODES_MAX} values, aliases expanded") });
        }
        Ok(())
    }
}

/// Whether a tag is one of the core schema (YAML 1.2.2 section 10.3.1).
fn is_core(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && CORE_TAGS.contains(&tag.suffix.as_str())
}

fn name_of(node: Node) -> Result<String, Broken> {
    match node.kind {
        NodeKind::Text(text) | NodeKind::Number(text) => Ok(text),
        NodeKind::Bool(value) => Ok(value.to_string()),
        NodeKind::Null => Ok("null".to_owned()),
        NodeKind::List(_) | NodeKind::Map(_) => {
            Err(Broken { at: node.span.start, why: "the name of a member is a list or a map".to_owned() })
        }
    }
}

/// What a scalar is worth by the core schema (YAML 1.2.2 section 10.3).
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> NodeKind {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if style != ScalarStyle::Plain || is_text {
        return NodeKind::Text(text.into_owned());
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => NodeKind::Null,
        "true" | "True" | "TRUE" => NodeKind::Bool(true),
        "false" | "False" | "FALSE" => NodeKind::Bool(false),
        number if is_number(number) => NodeKind::Number(text.into_owned()),
        _ => NodeKind::Text(text.into_owned()),
    }
}

/// Whether this is a decimal number as JSON writes it, signs and leading zeros of YAML allowed.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.bytes().any(|digit| digit.is_ascii_digit())
        && digits.bytes().all(|digit| digit.is_ascii_digit() || b".eE+-".contains(&digit))
        && digits.parse::<f64>().is_ok()
}

// ---- JSON ---------------------------------------------------------------------------------------------------------

fn read_json(text: &str) -> Result<Node, Broken> {
    let lines = Lines::of(text);
    let broken = |error: jose::json::JsonError| {
        let Position { line, column } = error.position(text.as_bytes());
        Broken { at: (line, column), why: error.kind.to_string() }
    };
    let mut reader = Reader::new(text.as_bytes(), Limits::DOCUMENT).map_err(broken)?;
    let mut builder = Builder::default();
    while let Some(event) = reader.next_event().map_err(broken)? {
        let event_kind = match event {
            JsonEvent::ObjectStart => Err(OpenKind::Map(Members::new(), None)),
            JsonEvent::ArrayStart => Err(OpenKind::List(Vec::new())),
            JsonEvent::ObjectEnd | JsonEvent::ArrayEnd => {
                builder.close(lines.spot(reader.end_offset()))?;
                continue;
            }
            JsonEvent::Null => Ok(NodeKind::Null),
            JsonEvent::Bool(value) => Ok(NodeKind::Bool(value)),
            JsonEvent::Number(number) => Ok(NodeKind::Number(number.to_owned())),
            JsonEvent::Name(text) | JsonEvent::Text(text) => Ok(NodeKind::Text(text.into_owned())),
        };
        let (at, end) = (lines.spot(reader.offset()), lines.spot(reader.end_offset()));
        match event_kind {
            Ok(kind) => {
                builder.count(1, at)?;
                builder.finish(Node { kind, span: Span { start: at, end, is_block: false } }, 0, 1)?;
            }
            Err(open) => builder.open(open, at, 0)?,
        }
    }
    builder.root.ok_or_else(|| Broken { at: (1, 1), why: "it is empty".to_owned() })
}

/// Where the lines of a text begin.
struct Lines<'t>(&'t str, Vec<usize>);

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self(text, std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn spot(&self, offset: usize) -> Spot {
        let line = self.1.partition_point(|start| *start <= offset);
        let start = self.1[line - 1];
        (line, self.0.get(start..offset).map_or(0, |before| before.chars().count()) + 1)
    }

    fn offset(&self, (line, column): Spot) -> Option<usize> {
        let start = *self.1.get(line - 1)?;
        let mut columns = self.0[start..].char_indices().map(|(at, _)| at).chain([self.0.len() - start]);
        Some(start + columns.nth(column - 1)?)
    }
}

// ---- looking into it ----------------------------------------------------------------------------------------------

impl Span {
    /// The octets that it covers in the text it comes from; none if the text has no such place.
    pub(super) fn octets(self, text: &str) -> Option<Range<usize>> {
        let lines = Lines::of(text);
        let (start, end) = (lines.offset(self.start)?, lines.offset(self.end)?);
        let sign = || text[..start].trim_end().rfind(['|', '>']);
        Some(if self.is_block { sign()? } else { start }..end)
    }
}

impl Node {
    /// What stands at the end of this way below.
    pub(super) fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |at, name| match &at.kind {
            NodeKind::Map(members) => members.get(*name),
            NodeKind::Null | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::List(_) => None,
        })
    }

    /// The same, to be changed.
    pub(super) fn at_mut(&mut self, way: &[&str]) -> Option<&mut Self> {
        way.iter().try_fold(self, |at, name| match &mut at.kind {
            NodeKind::Map(members) => members.get_mut(*name),
            NodeKind::Null | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::List(_) => None,
        })
    }

    /// The members, to be changed, in their order; none if this is no map.
    pub(super) fn members_mut(&mut self) -> impl Iterator<Item = (&String, &mut Self)> {
        let members = if let NodeKind::Map(members) = &mut self.kind { Some(members) } else { None };
        members.into_iter().flatten()
    }

    /// A text, number or boolean as text; none for what is empty or no scalar.
    pub(super) fn scalar_text(&self) -> Option<String> {
        let text = match &self.kind {
            NodeKind::Text(text) | NodeKind::Number(text) => text.clone(),
            NodeKind::Bool(value) => value.to_string(),
            NodeKind::Null | NodeKind::List(_) | NodeKind::Map(_) => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    /// The value as a message holds it.
    pub(super) fn value(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Number(text) => number(text),
            NodeKind::Text(text) => Value::text(text),
            NodeKind::List(items) => Value::list(items.iter().map(Self::value).collect()),
            NodeKind::Map(members) => {
                members.iter().map(|(name, value)| (Text::from(name.as_str()), value.value())).collect::<Map>().into()
            }
        }
    }
}

fn number(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(integer), _) => Value::Number(Number::Integer(integer)),
        (Err(_), Ok(float)) => Value::Number(Number::Float(float)),
        (Err(_), Err(_)) => Value::text(text),
    }
}

impl<'t> Cursor<'t> {
    /// At the root of the document.
    pub(super) fn root(node: &'t Node) -> Self {
        Self { node, pointer: String::new() }
    }

    /// The member of that name.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let NodeKind::Map(members) = &self.node.kind else { return None };
        members.get(name).map(|node| Self { node, pointer: self.pointer_to(name) })
    }

    /// The member at the end of this way.
    pub(super) fn at<const N: usize>(&self, way: [&str; N]) -> Option<Self> {
        way.into_iter().try_fold(self.clone(), |at, name| at.get(name))
    }

    /// What stands at this JSON pointer (RFC 6901) below.
    pub(super) fn follow(&self, pointer: &str) -> Option<Self> {
        pointer.split('/').skip(1).try_fold(self.clone(), |at, step| match &at.node.kind {
            NodeKind::List(_) => at.items().into_iter().nth(step.parse().ok()?),
            NodeKind::Null | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::Map(_) => {
                at.get(&step.replace("~1", "/").replace("~0", "~"))
            }
        })
    }

    /// The members, in their order; none if this is no map.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'t str, Self)> + use<'t> {
        let members = if let NodeKind::Map(members) = &self.node.kind { Some(members) } else { None };
        let here = self.clone();
        let member =
            move |(name, node): (&'t String, &'t Node)| (name.as_str(), Self { node, pointer: here.pointer_to(name) });
        members.into_iter().flatten().map(member)
    }

    fn pointer_to(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    /// The elements, in their order; none if this is no list.
    pub(super) fn items(&self) -> Vec<Self> {
        let items = if let NodeKind::List(items) = &self.node.kind { items.as_slice() } else { &[] };
        let place = |(at, node)| Self { node, pointer: format!("{}/{at}", self.pointer) };
        items.iter().enumerate().map(place).collect()
    }

    /// The text of a member; none if it is absent, empty or no scalar.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.node.scalar_text()
    }

    /// Whether a member is `true`, as a boolean or as text.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The place, as diagnostics name it.
    pub(super) fn place(&self, kind: &str) -> Place {
        Place {
            kind: kind.into(),
            pointer: self.pointer.clone(),
            line_column: Some(self.node.span.start),
            ..Place::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> (Spot, String) {
        let broken = read(text.as_bytes()).unwrap_err();
        (broken.at, broken.why)
    }

    #[test]
    fn yaml_and_json_are_one_tree_with_places() {
        let yaml = "---\n# a\n'b': [1, \"x\"]\nc:\n  d: yes\n  e: true\n";
        let json = "{\"b\": [1, \"x\"],\n \"c\": {\"d\": \"yes\",\n  \"e\": true}}";
        for (text, at) in [(yaml, (6, 6)), (json, (3, 8))] {
            let tree = read(text.as_bytes()).unwrap();
            let root = Cursor::root(&tree);
            assert_eq!(root.text("b"), None);
            assert_eq!(root.get("b").unwrap().items()[1].node.value(), Value::text("x"));
            let e = root.at(["c", "e"]).unwrap();
            assert_eq!((e.pointer.as_str(), e.node.span.start), ("/c/e", at));
            assert_eq!(root.get("c").unwrap().flag("e"), Some(true));
            assert_eq!(root.at(["c", "d"]).unwrap().node.value(), Value::text("yes"));
        }
    }

    #[test]
    fn scalars_are_what_the_core_schema_says() {
        let tree = read(b"a: 1.0.0\nb: 010\nc: -2.5\nd: ~\ne: '5'\nf: .\ng: 1e3\nh: !!str 5\n").unwrap();
        let root = Cursor::root(&tree);
        let value = |name: &str| root.get(name).unwrap().node.value();
        assert_eq!(value("a"), Value::text("1.0.0"));
        assert_eq!(value("b"), Value::integer(10));
        assert_eq!(value("c"), Value::Number(Number::Float(-2.5)));
        assert_eq!(value("d"), Value::Null);
        assert_eq!(value("e"), Value::text("5"));
        assert_eq!(value("f"), Value::text("."));
        assert_eq!(value("h"), Value::text("5"));
    }

    #[test]
    fn what_is_too_much_or_no_tree_is_told_with_its_place() {
        let bomb = (1..12).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
            let aliases = vec![format!("*a{}", level - 1); 9].join(",");
            format!("{text}a{level}: &a{level} [{aliases}]\n")
        });
        assert!(broken(&bomb).1.contains("more than 200000"));
        assert!(broken(&format!("{}1{}", "[".repeat(40), "]".repeat(40))).1.contains("deeper than 32"));
        assert_eq!(broken("a: 1\na: 2\n").0, (2, 1));
        assert_eq!(broken("{\"a\": 1,\n \"a\": 2}").0.0, 2);
        assert!(broken("a: 1\n---\nb: 2\n").1.contains("second document"));
        for tagged in ["a: !own 1\n", "a: !own [1]\n", "!own\na: 1\n", "a: !!js/function 'x'\n"] {
            let (at, why) = broken(tagged);
            assert!(at.0 <= 2 && why.contains("the tag `"), "{tagged}: {why}");
        }
        assert!(broken("a: [1\nb: 2\n").0.0 >= 2);
        assert_eq!(broken("").1, "it is empty");
        assert!(broken("a: *nothing\n").0.0 == 1);
    }
}
