//! Multipart bodies (RFC 7578) taken apart into fields and files, named as Express's `multer` names them.

use plan::{Map, Number, Value};

use super::media_type::MediaType;

/// Most parts of one body.
const PARTS_MAX: usize = 1_000;
/// The largest field that is not a file.
const FIELD_BYTES_MAX: usize = 1024 * 1024;
/// Deepest nesting of one field's name.
const NAME_DEPTH_MAX: usize = 32;
/// The largest index in a field's name.
const INDEX_MAX: usize = 1_000;

/// What a multipart body holds.
pub(super) struct Parts {
    /// The fields.
    pub(super) fields: Value,
    /// The files, in order.
    pub(super) files: Value,
}

/// One part.
struct Part<'b> {
    name: Option<String>,
    file_name: Option<String>,
    media_type: String,
    transfer_encoding: String,
    content: &'b [u8],
}

/// Takes a body apart; none if it is broken or beyond the bounds.
pub(super) fn read(octets: &[u8], boundary: &str) -> Option<Parts> {
    let mut fields = Value::from(Map::new());
    let mut files = Vec::new();
    for part in split(octets, boundary)? {
        let part = parse(part)?;
        let Some(name) = &part.name else { continue };
        match part.file_name.as_deref().filter(|name| !name.is_empty()) {
            Some(file_name) => files.push(file(name, file_name, &part)),
            None if part.content.len() > FIELD_BYTES_MAX => return None,
            None => add_field(&mut fields, name, String::from_utf8_lossy(part.content).into_owned())?,
        }
    }
    Some(Parts { fields, files: Value::list(files) })
}

/// The parts between the boundaries, without the line end before each boundary.
fn split<'b>(octets: &'b [u8], boundary: &str) -> Option<Vec<&'b [u8]>> {
    let delimiter = format!("--{boundary}");
    let finder = memchr::memmem::Finder::new(delimiter.as_bytes());
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(found) = finder.find(&octets[at..]).map(|found| at + found) {
        at = found + delimiter.len();
        if found != 0 && !octets[..found].ends_with(b"\r\n") {
            continue;
        }
        if let Some(start) = start {
            parts.push(octets.get(start..found - 2)?);
        }
        match octets.get(at..at + 2)? {
            b"--" => return Some(parts),
            b"\r\n" if parts.len() < PARTS_MAX => start = Some(at + 2),
            _ => return None,
        }
    }
    None
}

fn parse(part: &[u8]) -> Option<Part<'_>> {
    let (head, content) = match memchr::memmem::find(part, b"\r\n\r\n") {
        Some(end) => (&part[..end], &part[end + 4..]),
        None => (&[][..], part.strip_prefix(b"\r\n")?),
    };
    let mut parsed = Part {
        name: None,
        file_name: None,
        media_type: "text/plain".to_owned(),
        transfer_encoding: "7bit".to_owned(),
        content,
    };
    for line in String::from_utf8_lossy(head).split("\r\n") {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" => (parsed.name, parsed.file_name) = disposition(value)?,
            "content-type" => {
                parsed.media_type = MediaType::parse(value).map_or(parsed.media_type, |read| read.essence)
            }
            "content-transfer-encoding" => parsed.transfer_encoding = value.to_ascii_lowercase(),
            _ => {}
        }
    }
    Some(parsed)
}

/// The name and the file name of `form-data; name="..."; filename="..."`.
fn disposition(value: &str) -> Option<(Option<String>, Option<String>)> {
    // The grammar of parameters is that of media types; a kind in front makes it one.
    let parsed = MediaType::parse(&format!("disposition/{value}"))?;
    let is_form_data = parsed.essence == "disposition/form-data";
    let parameter = |name: &str| parsed.parameters.get(name).filter(|_| is_form_data).cloned();
    Some((parameter("name"), parameter("filename")))
}

fn file(name: &str, file_name: &str, part: &Part<'_>) -> Value {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    Value::map([
        ("fieldname", Value::text(name)),
        ("originalname", Value::text(base)),
        ("encoding", Value::text(&part.transfer_encoding)),
        ("mimetype", Value::text(&part.media_type)),
        ("buffer", Value::Bytes(part.content.into())),
        ("size", Value::Number(Number::Integer(i64::try_from(part.content.len()).unwrap_or(i64::MAX)))),
    ])
}

/// Adds a field under its name: `a`, `a[]`, `a[0]`, `a[b][c]`. A name that nests otherwise is taken as it stands.
fn add_field(fields: &mut Value, name: &str, text: String) -> Option<()> {
    let (way, append) = way(name).unwrap_or_else(|| (vec![Step::Name(name)], false));
    let mut at = fields;
    if way.len() > NAME_DEPTH_MAX {
        return None;
    }
    for step in way {
        at = child(at, &step)?;
    }
    let text = Value::text(text);
    *at = match (std::mem::take(at), append) {
        (Value::Undefined, true) => Value::list(vec![text]),
        (Value::Undefined, false) => text,
        (Value::List(items), _) => Value::list(items.iter().cloned().chain([text]).collect()),
        (standing, _) => Value::list(vec![standing, text]),
    };
    Some(())
}

enum Step<'n> {
    Name(&'n str),
    Index(usize),
}

/// The steps of a name, and whether it ends in `[]`.
fn way(name: &str) -> Option<(Vec<Step<'_>>, bool)> {
    let first = name.find('[').unwrap_or(name.len());
    let (mut steps, mut rest) = (vec![Step::Name(&name[..first])], &name[first..]);
    while !rest.is_empty() {
        let (inner, behind) = rest.strip_prefix('[')?.split_once(']')?;
        match inner {
            "" if behind.is_empty() => return Some((steps, true)),
            "" => return None,
            digits if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
                steps.push(Step::Index(digits.parse().ok()?))
            }
            name => steps.push(Step::Name(name)),
        }
        rest = behind;
    }
    (first > 0).then_some((steps, false))
}

/// The place one step further, made if nothing stands there.
fn child<'v>(at: &'v mut Value, step: &Step<'_>) -> Option<&'v mut Value> {
    let name = match step {
        Step::Index(index) if matches!(at, Value::Undefined | Value::List(_)) => return element(at, *index),
        Step::Index(index) => index.to_string(),
        Step::Name(name) => (*name).to_owned(),
    };
    if at.as_map().is_none() {
        *at = as_members(std::mem::take(at)).into();
    }
    let Value::Map(map) = at else { return None };
    let map = std::sync::Arc::make_mut(map);
    if map.get(&name).is_none() {
        map.insert(name.as_str().into(), Value::Undefined);
    }
    map.get_mut(&name)
}

/// What stood where members are needed: elements by their index, a single value without a name.
fn as_members(value: Value) -> Map {
    if let Value::List(items) = &value {
        return items.iter().enumerate().map(|(at, item)| (at.to_string().into(), item.clone())).collect();
    }
    if value.is_undefined() { Map::new() } else { Map::from_iter([("".into(), value)]) }
}

fn element(at: &mut Value, index: usize) -> Option<&mut Value> {
    if at.is_undefined() {
        *at = Value::list(Vec::new());
    }
    let Value::List(items) = at else { return None };
    let items = std::sync::Arc::make_mut(items);
    if index > INDEX_MAX {
        return None;
    }
    if items.len() <= index {
        items.resize(index + 1, Value::Undefined);
    }
    items.get_mut(index)
}
