//! Reads a flow file into nodes that know where they stand in it.

use std::ops::Range;

use jose::json::{Event, JsonError, Limits, Object, Reader, Value as Json};
use plan::{Diagnostic, Place, Severity, Text};

use super::nodes::open_secret;

/// The members of a wrapping object that hold nodes: an export with credentials, and a single flow.
const NODE_LISTS: [&str; 3] = ["flows", "nodes", "configs"];

/// A flow file as it is written.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Everything in it that has an id and a type, in order.
    pub(super) nodes: Vec<Node>,
    /// Credentials that stand beside the nodes, by node id (contract section 7).
    pub(super) credentials: Object,
    /// Where key material stands: cut out, the rest is still the same flow file.
    pub(super) cuts: Vec<Range<usize>>,
}

/// One object of a flow file.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Its id, opaque.
    pub(super) id: Text,
    /// Its type.
    pub(super) kind: Text,
    /// Its name; empty if it has none.
    pub(super) name: Text,
    /// The tab or subflow it stands in; empty if it stands in none.
    pub(super) section: Text,
    /// The group it stands in; empty if it stands in none.
    pub(super) group: Text,
    /// `d`: it is not created.
    pub(super) disabled: bool,
    /// It has a place on the canvas (`x` and `y`).
    pub(super) placed: bool,
    /// Its outputs, each with the ids it is wired to.
    pub(super) wires: Vec<Vec<Text>>,
    /// Every property, `credentials` without its value.
    pub(super) properties: Vec<Property>,
    /// What stood under `credentials`.
    pub(super) credentials: Object,
    /// Where it stands: octets before it, and its JSON pointer.
    offset: usize,
    pointer: String,
}

/// One property of a node.
#[derive(Clone, Debug)]
pub(super) struct Property {
    /// Its name.
    pub(super) name: Text,
    /// What it holds.
    pub(super) value: Json,
    offset: usize,
}

/// A place in the document, before lines and columns are counted.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// Octets before it.
    pub(super) offset: usize,
    /// The place as the diagnostic tells it, still without line and column.
    pub(super) place: Place,
}

/// Whether the octets begin like a flow file: an array of objects, or an object with a list of nodes.
pub(super) fn begins_like_a_flow_file(octets: &[u8]) -> bool {
    let Ok(mut reader) = Reader::new(octets, Limits::DOCUMENT) else { return false };
    match reader.next_event() {
        Ok(Some(Event::ArrayStart)) => matches!(reader.next_event(), Ok(Some(Event::ObjectStart | Event::ArrayEnd))),
        Ok(Some(Event::ObjectStart)) => has_node_list(&mut reader),
        Ok(_) | Err(_) => false,
    }
}

fn has_node_list(reader: &mut Reader<'_>) -> bool {
    while let Ok(Some(Event::Name(name))) = reader.next_event() {
        if matches!(&*name, "flows" | "nodes") {
            return matches!(reader.next_event(), Ok(Some(Event::ArrayStart)));
        }
        if reader.skip_value().is_err() {
            return false;
        }
    }
    false
}

/// Reads a flow file.
///
/// # Errors
/// What makes it no flow file, told at its place.
pub(super) fn read(octets: &[u8]) -> Result<Document, Box<Diagnostic>> {
    let mut parser = Parser { octets, document: Document::default() };
    match parser.document() {
        Ok(()) => Ok(parser.document),
        Err(Stop::Json(error)) => Err(Box::new(not_json(octets, &error))),
        Err(Stop::Told(diagnostic)) => Err(diagnostic),
    }
}

impl Node {
    /// What a property holds.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.properties.iter().find(|property| &*property.name == name).map(|property| &property.value)
    }

    /// Gives a property another value; a new one stands where the node does.
    pub(super) fn set(&mut self, name: &str, value: Json) {
        match self.properties.iter_mut().find(|property| &*property.name == name) {
            Some(property) => property.value = value,
            None => self.properties.push(Property { name: name.into(), value, offset: self.offset }),
        }
    }

    /// A property's text; empty if it holds none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Json::as_text).unwrap_or_default()
    }

    /// Whether a property is `true`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Json::as_bool).unwrap_or_default()
    }

    /// A secret that stands in the open in this property; none if nothing but blanks stands there.
    pub(super) fn open_secret(&self, name: &str) -> Option<&Json> {
        let held = self.get(name).filter(|_| open_secret(&self.kind) == Some(name));
        held.filter(|value| value.as_text().is_some_and(|text| !text.trim().is_empty()))
    }

    /// Whether a property other than those that say what the node is holds this id (section 7).
    pub(super) fn refers_to(&self, id: &str) -> bool {
        let own = |name: &str| matches!(name, "id" | "type" | "wires" | "_users");
        self.properties.iter().any(|property| !own(&property.name) && property.value.as_text() == Some(id))
    }

    /// Where the node stands.
    pub(super) fn spot(&self) -> Spot {
        self.spot_at(self.offset, self.pointer.clone())
    }

    /// Where a property of it stands; the node itself if it has no such property.
    pub(super) fn spot_of(&self, name: &str) -> Spot {
        match self.properties.iter().find(|property| &*property.name == name) {
            Some(property) => self.spot_at(property.offset, member_pointer(&self.pointer, name)),
            None => self.spot(),
        }
    }

    fn spot_at(&self, offset: usize, pointer: String) -> Spot {
        let place = Place {
            node: self.id.clone(),
            kind: self.kind.clone(),
            section: self.section.clone(),
            pointer,
            line_column: None,
        };
        Spot { offset, place }
    }
}

/// A JSON pointer one member further (RFC 6901 section 3).
fn member_pointer(of: &str, name: &str) -> String {
    format!("{of}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn not_json(octets: &[u8], error: &JsonError) -> Diagnostic {
    let at = error.position(octets);
    let place = Place { line_column: Some((at.line, at.column)), ..Place::default() };
    Diagnostic::new(Severity::Error, "json_invalid", place, format!("The document is not valid JSON: {}.", error.kind))
        .hint("Export the flow again, or repair the text at this place.")
}

struct Parser<'a> {
    octets: &'a [u8],
    document: Document,
}

enum Stop {
    Json(JsonError),
    Told(Box<Diagnostic>),
}

impl From<JsonError> for Stop {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), Stop> {
        let mut reader = Reader::new(self.octets, Limits::DOCUMENT)?;
        match reader.next_event()? {
            Some(Event::ArrayStart) => self.nodes(&mut reader, "")?,
            Some(Event::ObjectStart) => self.wrapper(&mut reader)?,
            Some(_) | None => return Err(self.told(0, "", "not_a_flow", "A flow file is an array of nodes.")),
        }
        reader.next_event()?;
        Ok(())
    }

    /// An object around the nodes: `{flows, credentials, rev}` or `{id, label, nodes, configs}`.
    fn wrapper(&mut self, reader: &mut Reader<'_>) -> Result<(), Stop> {
        let mut own = Vec::new();
        let mut cutter = Cutter::default();
        let mut lists = 0;
        while let Some(Event::Name(name)) = reader.next_event()? {
            let offset = reader.offset();
            let is_list = NODE_LISTS.contains(&&*name);
            if is_list {
                lists += 1;
                if reader.next_event()? != Some(Event::ArrayStart) {
                    let pointer = member_pointer("", &name);
                    return Err(self.told(offset, &pointer, "not_a_flow", "This must be an array of nodes."));
                }
                self.nodes(reader, &member_pointer("", &name))?;
            } else {
                own.push(Property { name: (&*name).into(), value: Json::read(reader)?, offset });
            }
            cutter.member(&name, offset, reader.end_offset());
        }
        cutter.finish(reader.offset(), |name| name == "credentials", &mut self.document.cuts);
        if lists == 0 {
            return Err(self.told(
                0,
                "",
                "not_a_flow",
                "The object holds no list of nodes: neither `flows` nor `nodes`.",
            ));
        }
        self.adopt(own)
    }

    /// What a wrapping object says beside its nodes: credentials, and the tab of a single flow.
    fn adopt(&mut self, own: Vec<Property>) -> Result<(), Stop> {
        let find = |name: &str| own.iter().find(|property| &*property.name == name).map(|property| &property.value);
        if let Some(Json::Object(credentials)) = find("credentials") {
            self.document.credentials = credentials.clone();
        }
        let (Some(id), true) = (find("id").and_then(Json::as_text), find("label").is_some()) else { return Ok(()) };
        let tab = Node { id: id.into(), kind: "tab".into(), properties: own.clone(), ..Node::default() };
        self.document.nodes.insert(0, tab);
        Ok(())
    }

    fn nodes(&mut self, reader: &mut Reader<'_>, list: &str) -> Result<(), Stop> {
        for index in 0.. {
            let event = reader.next_event()?;
            let (offset, pointer) = (reader.offset(), format!("{list}/{index}"));
            match event {
                Some(Event::ObjectStart) => self.node(reader, offset, pointer)?,
                Some(Event::ArrayEnd) | None => break,
                Some(_) => return Err(self.told(offset, &pointer, "not_a_node", "A node is an object.")),
            }
        }
        Ok(())
    }

    fn node(&mut self, reader: &mut Reader<'_>, offset: usize, pointer: String) -> Result<(), Stop> {
        let mut node = Node { offset, pointer, ..Node::default() };
        let mut cutter = Cutter::default();
        while let Some(Event::Name(name)) = reader.next_event()? {
            let offset = reader.offset();
            let property = Property { name: (&*name).into(), value: Json::read(reader)?, offset };
            cutter.member(&name, offset, reader.end_offset());
            self.property(&mut node, property)?;
        }
        let is_cut = |name: &str| name == "credentials" || node.open_secret(name).is_some();
        cutter.finish(reader.offset(), is_cut, &mut self.document.cuts);
        self.checked(node)
    }

    fn property(&self, node: &mut Node, mut property: Property) -> Result<(), Stop> {
        if node.properties.iter().any(|other| other.name == property.name) {
            let pointer = member_pointer(&node.pointer, &property.name);
            return Err(self.told(property.offset, &pointer, "property_repeated", "The node has this property twice."));
        }
        let text = || Text::from(property.value.as_text().unwrap_or_default());
        match &*property.name {
            "id" => node.id = text(),
            "type" => node.kind = text(),
            "z" => node.section = text(),
            "g" => node.group = text(),
            "d" => node.disabled = property.value.as_bool().unwrap_or_default(),
            "wires" => node.wires = self.wires(node, &property)?,
            "name" => node.name = text(),
            "credentials" => {
                if let Json::Object(credentials) = std::mem::replace(&mut property.value, Json::Null) {
                    node.credentials = credentials;
                }
            }
            _ => {}
        }
        node.properties.push(property);
        Ok(())
    }

    fn wires(&self, node: &Node, property: &Property) -> Result<Vec<Vec<Text>>, Stop> {
        let outputs = property.value.as_array().map(|outputs| outputs.iter().map(output).collect::<Option<Vec<_>>>());
        outputs.flatten().ok_or_else(|| {
            let pointer = member_pointer(&node.pointer, "wires");
            self.told(
                property.offset,
                &pointer,
                "wires_invalid",
                "Wires are a list of outputs, each a list of node ids.",
            )
        })
    }

    fn checked(&mut self, mut node: Node) -> Result<(), Stop> {
        for (missing, name) in [(node.id.is_empty(), "id"), (node.kind.is_empty(), "type")] {
            if missing {
                let message = format!("The node has no `{name}`, or it is not a text.");
                return Err(self.told(node.offset, &node.pointer, "not_a_node", &message));
            }
        }
        node.placed = node.get("x").is_some() && node.get("y").is_some();
        self.document.nodes.push(node);
        Ok(())
    }

    fn told(&self, offset: usize, pointer: &str, code: &'static str, message: &str) -> Stop {
        let at = jose::json::Position::of(self.octets, offset);
        let place = Place { pointer: pointer.to_owned(), line_column: Some((at.line, at.column)), ..Place::default() };
        Stop::Told(Box::new(Diagnostic::new(Severity::Error, code, place, message)))
    }
}

fn output(output: &Json) -> Option<Vec<Text>> {
    match output {
        Json::Null => Some(Vec::new()),
        Json::Array(ids) => ids.iter().map(|id| id.as_text().map(Text::from)).collect(),
        Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => None,
    }
}

/// Finds the octets to cut so that an object loses members and stays JSON.
#[derive(Default)]
struct Cutter {
    /// Each member's name, the octet where it begins and the one behind its value.
    members: Vec<(Text, usize, usize)>,
}

impl Cutter {
    /// A member from its name at `start` to the end of its value at `end`.
    fn member(&mut self, name: &str, start: usize, end: usize) {
        self.members.push((name.into(), start, end));
    }

    /// The object ends with the brace at `brace`. A cut takes the comma before it; at the beginning, the one behind.
    fn finish(self, brace: usize, is_cut: impl Fn(&str) -> bool, cuts: &mut Vec<Range<usize>>) {
        let mut kept_end = None;
        for (at, (name, start, end)) in self.members.iter().enumerate() {
            if !is_cut(name) {
                kept_end = Some(*end);
                continue;
            }
            let next = self.members.get(at + 1).map_or(brace, |(_, next, _)| *next);
            match kept_end {
                Some(before) => cuts.push(before..*end),
                None => cuts.push(*start..next),
            }
            kept_end = kept_end.map(|_| *end);
        }
    }
}
