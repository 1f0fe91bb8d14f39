//! Reads a flow document: its settings, its trigger, and nodes that know where they stand (section 8).

use jose::json::{Event, JsonError, Limits, Object, Position, Reader, Value as Json};
use plan::{Diagnostic, Place, Severity};

use crate::token_form::{Form, Spot, Told};

/// What a document says of its form.
pub(super) const FORMAT: &str = "chancery.orchestration/1";
/// The eight categories of flows (section 8).
pub(crate) const CATEGORIES: &[&str] =
    &["API", "Authentication", "Admin", "Self Service", "Consent", "Library", "Custom", "User Defined"];
const TRACKING: &[&str] = &["always", "if an error", "on flow failure"];
const AUTHENTICATIONS: &[&str] = &["api-key", "bearer", "none"];
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];
const NODES_MAX: usize = 500;
const ID_CHARS_MAX: usize = 128;
/// Library flows that a document may bring along.
const LIBRARIES_MAX: usize = 20;

/// A flow as it is written.
pub(super) struct Document<'d> {
    pub(super) id: &'d str,
    pub(super) name: &'d str,
    pub(super) category: &'static str,
    pub(super) is_active: bool,
    pub(super) trigger: Option<Trigger<'d>>,
    pub(super) nodes: Vec<Node<'d>>,
    /// The Library flows that it calls.
    pub(super) libraries: Vec<Document<'d>>,
    pub(super) spot: Spot,
}

/// What calls a flow.
pub(super) struct Trigger<'d> {
    pub(super) method: &'static str,
    pub(super) path: &'d str,
    pub(super) authentication: &'static str,
    pub(super) spot: Spot,
}

/// A node as it is written.
pub(super) struct Node<'d> {
    pub(super) id: &'d str,
    pub(super) kind: &'d str,
    pub(super) name: &'d str,
    /// Its configuration; an empty one if there is none.
    pub(super) config: Option<&'d Object>,
    /// Where each exit leads, with the place that says so.
    pub(super) exits: Vec<(&'d str, &'d str, Spot)>,
    pub(super) spot: Spot,
}

/// Whether the first members of a text say that it is such a document.
pub(super) fn looks_like_one(octets: &[u8]) -> bool {
    format_of(octets).ok().flatten().is_some_and(|format| format.starts_with("chancery.orchestration/"))
}

/// The JSON of a document.
///
/// # Errors
/// Where it is broken.
pub(super) fn parse(octets: &[u8]) -> Result<Json, Box<Diagnostic>> {
    Json::parse(octets, Limits::DOCUMENT).map_err(|error| Box::new(not_json(octets, &error)))
}

/// Reads a document; what is wrong with it is told.
pub(super) fn read<'d>(json: &'d Json, told: &'d Told) -> Option<Document<'d>> {
    let Some(object) = json.as_object() else {
        told.refuse("document_invalid", &Spot::root(), "The document is no JSON object.", "");
        return None;
    };
    let mut form = Form::new(object, Spot::root(), told);
    if form.text("format") != Some(FORMAT) {
        let message = format!("`format` must be `{FORMAT}`.");
        told.refuse("format_unknown", &form.at("format"), message, "Write the document in a form that is known here.");
    }
    flow(form, true)
}

fn flow<'d>(mut form: Form<'d>, may_bring: bool) -> Option<Document<'d>> {
    let id = identifier(&mut form);
    let name = form.text("name").unwrap_or_default();
    let category = form.choice("category", CATEGORIES);
    let is_active = form.flag("active", true);
    settings(&mut form);
    let trigger = form.object("trigger").and_then(read_trigger);
    let nodes = form.objects("nodes", NODES_MAX).into_iter().filter_map(node).collect();
    let mut libraries = Vec::new();
    if may_bring {
        libraries = form.objects("libraries", LIBRARIES_MAX).into_iter().filter_map(|form| flow(form, false)).collect();
    }
    let spot = form.spot().clone();
    form.close();
    Some(Document { id: id?, name, category, is_active, trigger, nodes, libraries, spot })
}

/// What is kept for people and editors.
fn settings(form: &mut Form<'_>) {
    for name in ["description", "version"] {
        let _ = form.text(name);
    }
    let _ = form.list("tags", 100);
    let _ = form.choice("nodeTracking", TRACKING);
    for name in ["default", "keepIds"] {
        let _ = form.flag(name, false);
    }
}

fn read_trigger(mut form: Form<'_>) -> Option<Trigger<'_>> {
    let _ = form.choice("type", &["api"]);
    let (method, path) = (form.choice("method", METHODS), form.text("path"));
    let authentication = form.choice("authentication", AUTHENTICATIONS);
    let (at, spot, told) = (form.at("path"), form.spot().clone(), form.told());
    form.close();
    let is_path = |path: &&str| path.starts_with('/') && path.len() <= 1_024 && !path.contains(['?', '#', ' ']);
    let path = path.filter(is_path);
    if path.is_none() {
        told.refuse("value_illegal", &at, "The path of a trigger begins with `/`.", "Write it as `/name`.");
    }
    Some(Trigger { method, path: path?, authentication, spot })
}

fn node(mut form: Form<'_>) -> Option<Node<'_>> {
    let id = identifier(&mut form);
    let kind = form.text("type").unwrap_or_default();
    let name = form.text("name").unwrap_or_default();
    let config = form.raw("config");
    let (exits, at, told) = (form.raw("exits"), form.at("exits"), form.told());
    if let Some(mut position) = form.object("position") {
        let _ = (position.any("x"), position.any("y"));
        position.close();
    }
    let spot = form.spot().clone();
    form.close();
    let mut targets = Vec::new();
    for (exit, to) in exits.into_iter().flat_map(Object::iter) {
        match to.as_text() {
            Some(to) => targets.push((exit, to, at.below(exit))),
            None => told.refuse("value_illegal", &at.below(exit), "An exit leads to the id of a node.", ""),
        }
    }
    Some(Node { id: id?, kind, name, config, exits: targets, spot })
}

fn identifier<'d>(form: &mut Form<'d>) -> Option<&'d str> {
    let id = form.text("id");
    let is_id = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let id = id.filter(|id| (1..=ID_CHARS_MAX).contains(&id.len()) && id.chars().all(is_id));
    if id.is_none() {
        let message = format!("An `id` has 1 to {ID_CHARS_MAX} letters, digits, `-`, `_`, `.` and `:`.");
        form.told().refuse("value_illegal", &form.at("id"), message, "Give it one.");
    }
    id
}

/// The member `format` of the outermost object.
fn format_of(octets: &[u8]) -> Result<Option<String>, JsonError> {
    let mut reader = Reader::new(octets, Limits::DOCUMENT)?;
    if reader.next_event()? != Some(Event::ObjectStart) {
        return Ok(None);
    }
    while let Some(Event::Name(name)) = reader.next_event()? {
        if name == "format" {
            return Ok(match reader.next_event()? {
                Some(Event::Text(text)) => Some(text.into_owned()),
                Some(_) | None => None,
            });
        }
        reader.skip_value()?;
    }
    Ok(None)
}

fn not_json(octets: &[u8], error: &JsonError) -> Diagnostic {
    let Position { line, column } = error.position(octets);
    let place = Place { line_column: Some((line, column)), ..Place::default() };
    Diagnostic::new(
        Severity::Error,
        "document_invalid",
        place,
        format!("The document is no JSON that is taken here: {}.", error.kind),
    )
}
