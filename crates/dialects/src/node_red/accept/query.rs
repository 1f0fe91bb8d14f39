//! Query strings and forms, with nesting in brackets, as Express 4 reads them (section 11).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use plan::{Map, Value};

use super::percent::decode_component;

/// Most pairs of one query or form; a query is cut there, a form refused.
pub(super) const PAIRS_MAX: usize = 1_000;
/// From this index on an element is a member of an object, in a query.
const QUERY_INDICES: usize = 1_000;
/// The same in a small form; a form of more pairs may have as many elements as pairs.
const FORM_INDICES_MIN: usize = 100;
/// Brackets of one name that nest in a query; what is deeper stays one name.
const QUERY_DEPTH: usize = 5;
/// Brackets of one name that nest in a form; deeper is refused.
const FORM_DEPTH_MAX: usize = 32;

/// Why a form is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormError {
    /// More than [`PAIRS_MAX`] pairs.
    TooManyPairs,
    /// Deeper than [`FORM_DEPTH_MAX`].
    TooDeep,
}

/// Reads a query string, without its `?`.
pub(super) fn query(text: &str) -> Value {
    let rules = Rules { indices: QUERY_INDICES, depth: QUERY_DEPTH, refuse_deeper: false };
    // A query that goes too deep is read, so there is nothing to refuse.
    parse(text, rules).unwrap_or_default()
}

/// Reads a form.
pub(super) fn form(text: &str) -> Result<Value, FormError> {
    let pairs = 1 + memchr::memchr_iter(b'&', text.as_bytes()).count();
    if pairs > PAIRS_MAX {
        return Err(FormError::TooManyPairs);
    }
    let rules = Rules { indices: pairs.max(FORM_INDICES_MIN), depth: FORM_DEPTH_MAX, refuse_deeper: true };
    parse(text, rules)
}

#[derive(Clone, Copy)]
struct Rules {
    indices: usize,
    depth: usize,
    refuse_deeper: bool,
}

/// A value that is still being put together: lists have holes.
enum Part {
    Text(String),
    List(BTreeMap<usize, Part>),
    Map(IndexMap<String, Part>),
}

fn parse(text: &str, rules: Rules) -> Result<Value, FormError> {
    let mut root = IndexMap::new();
    for (name, values) in pairs(text) {
        let Some(segments) = segments(&name, rules)? else { continue };
        if let Part::Map(members) = nest(&segments, values, rules) {
            root = merge_members(root, members);
        }
    }
    Ok(Part::Map(root).finish())
}

/// The pairs in the order of their names, each name with all its values.
fn pairs(text: &str) -> Vec<(String, Vec<String>)> {
    let mut all: IndexMap<String, Vec<String>> = IndexMap::new();
    let text = text.replace("%5B", "[").replace("%5b", "[").replace("%5D", "]").replace("%5d", "]");
    for part in text.split('&').take(PAIRS_MAX) {
        let equals = part.find("]=").map(|at| at + 1).or_else(|| part.find('='));
        let (name, value) = equals.map_or((part, ""), |at| (&part[..at], &part[at + 1..]));
        all.entry(decode(name)).or_default().push(decode(value));
    }
    let mut all: Vec<_> = all.into_iter().filter(|(name, _)| !name.is_empty()).collect();
    all.sort_by_key(|(name, _)| index(name).unwrap_or(usize::MAX));
    all
}

fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    decode_component(&text).unwrap_or(text)
}

/// The number that a name spells, if it is written as numbers are.
fn index(name: &str) -> Option<usize> {
    let digits = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_digit());
    let canonical = digits && (name == "0" || !name.starts_with('0'));
    if canonical {
        name.parse::<u32>().ok().filter(|index| *index != u32::MAX).map(|index| index as usize)
    } else {
        None
    }
}

/// `a[b][c]` as `a`, `[b]`, `[c]`; what stands in no pair of brackets stays one segment.
fn segments(name: &str, rules: Rules) -> Result<Option<Vec<String>>, FormError> {
    let mut open = name.find('[');
    let parent = &name[..open.unwrap_or(name.len())];
    let mut segments: Vec<String> = if parent.is_empty() { Vec::new() } else { vec![parent.to_owned()] };
    let mut depth = 0;
    while let Some(start) = open {
        let close = closing_bracket(&name[start..]).map(|at| start + at);
        let Some(close) = close.filter(|_| depth < rules.depth) else {
            if close.is_some() && rules.refuse_deeper {
                return Err(FormError::TooDeep);
            }
            segments.push(format!("[{}]", &name[start..]));
            return Ok(Some(segments));
        };
        segments.push(name[start..=close].to_owned());
        depth += 1;
        open = name[close + 1..].find('[').map(|at| close + 1 + at);
    }
    Ok((!segments.is_empty()).then_some(segments))
}

/// Where the bracket that `text` begins with is closed.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut level = 0_usize;
    text.bytes().position(|octet| {
        level += usize::from(octet == b'[');
        level -= usize::from(octet == b']');
        octet == b']' && level == 0
    })
}

/// The values under their segments, from the innermost outwards.
fn nest(segments: &[String], values: Vec<String>, rules: Rules) -> Part {
    let mut values: Vec<Part> = values.into_iter().map(Part::Text).collect();
    let leaf = if values.len() == 1 { values.remove(0) } else { Part::list(values) };
    segments.iter().rev().fold(leaf, |leaf, segment| {
        let inner = segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match (inner, inner.and_then(index)) {
            (Some(""), _) => match leaf {
                Part::List(items) => Part::List(items),
                one @ (Part::Text(_) | Part::Map(_)) => Part::list(vec![one]),
            },
            (Some(_), Some(index)) if index < rules.indices => Part::List([(index, leaf)].into()),
            (inner, _) => match inner.unwrap_or(segment) {
                "__proto__" => Part::Map(IndexMap::new()),
                name => Part::Map([(name.to_owned(), leaf)].into()),
            },
        }
    })
}

fn merge_members(mut target: IndexMap<String, Part>, source: IndexMap<String, Part>) -> IndexMap<String, Part> {
    for (name, value) in source {
        let merged = match target.get_mut(&name) {
            Some(old) => merge(std::mem::replace(old, Part::Text(String::new())), value),
            None => value,
        };
        target.insert(name, merged);
    }
    target
}

fn merge(target: Part, source: Part) -> Part {
    match (target, source) {
        (target, Part::Text(text)) if text.is_empty() => target,
        (Part::List(mut items), text @ Part::Text(_)) => {
            items.insert(next_index(&items), text);
            Part::List(items)
        }
        (target @ (Part::Map(_) | Part::Text(_)), text @ Part::Text(_)) => Part::list(vec![target, text]),
        (text @ Part::Text(_), Part::List(items)) => {
            Part::List([(0, text)].into_iter().chain(items.into_iter().map(|(at, item)| (at + 1, item))).collect())
        }
        (text @ Part::Text(_), map @ Part::Map(_)) => Part::list(vec![text, map]),
        (Part::List(target), Part::List(source)) => Part::List(merge_items(target, source)),
        (Part::List(target), Part::Map(source)) => Part::Map(merge_members(named(target), source)),
        (Part::Map(target), Part::List(source)) => Part::Map(merge_members(target, named(source))),
        (Part::Map(target), Part::Map(source)) => Part::Map(merge_members(target, source)),
    }
}

fn merge_items(mut target: BTreeMap<usize, Part>, source: BTreeMap<usize, Part>) -> BTreeMap<usize, Part> {
    for (at, item) in source {
        match target.remove(&at) {
            None => drop(target.insert(at, item)),
            Some(old) if matches!((&old, &item), (Part::Text(_), _) | (_, Part::Text(_))) => {
                target.insert(at, old);
                target.insert(next_index(&target), item);
            }
            Some(old) => drop(target.insert(at, merge(old, item))),
        }
    }
    target
}

fn next_index(items: &BTreeMap<usize, Part>) -> usize {
    items.last_key_value().map_or(0, |(last, _)| last + 1)
}

fn named(items: BTreeMap<usize, Part>) -> IndexMap<String, Part> {
    items.into_iter().map(|(at, item)| (at.to_string(), item)).collect()
}

impl Part {
    fn list(items: Vec<Self>) -> Self {
        Self::List(items.into_iter().enumerate().collect())
    }

    /// The value: holes closed, members in the order in which JavaScript lists them.
    fn finish(self) -> Value {
        match self {
            Self::Text(text) => Value::text(text),
            Self::List(items) => Value::list(items.into_values().map(Self::finish).collect()),
            Self::Map(members) => {
                let members = members.into_iter().map(|(name, part)| (name.into(), part.finish()));
                members.collect::<Map>().indices_first().into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &Value) -> String {
        let mut out = Vec::new();
        plan::write_json(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// NR-71: repeats become arrays, brackets nest. The expected values are what Node-RED 5.0.7 was seen to answer.
    #[test]
    fn a_query_is_read_as_express_reads_it() {
        let cases = [
            ("", "{}"),
            ("a=1", r#"{"a":"1"}"#),
            ("a=1&a=2&a=3", r#"{"a":["1","2","3"]}"#),
            ("o[k]=v&o[l][m]=w", r#"{"o":{"k":"v","l":{"m":"w"}}}"#),
            ("a[]=1&a[]=2", r#"{"a":["1","2"]}"#),
            ("a[1]=x&a[0]=y", r#"{"a":["y","x"]}"#),
            ("a[21]=x", r#"{"a":["x"]}"#),
            ("a[1000]=x", r#"{"a":{"1000":"x"}}"#),
            ("a=b+c%20d%26e", r#"{"a":"b c d&e"}"#),
            ("a&b=", r#"{"a":"","b":""}"#),
            ("=x", "{}"),
            ("a=1&&b=2", r#"{"a":"1","b":"2"}"#),
            ("a=%zz&b=%E0%A4%A", r#"{"a":"%zz","b":"%E0%A4%A"}"#),
            ("%C3%BC=%E2%82%AC", r#"{"ü":"€"}"#),
            ("a=1&a[b]=2", r#"{"a":["1",{"b":"2"}]}"#),
            ("a.b=1", r#"{"a.b":"1"}"#),
            ("a[b][c][d][e][f][g]=1", r#"{"a":{"b":{"c":{"d":{"e":{"f":{"[g]":"1"}}}}}}}"#),
            (
                "__proto__[x]=1&constructor=2&toString=3&hasOwnProperty=4",
                r#"{"constructor":"2","toString":"3","hasOwnProperty":"4"}"#,
            ),
            ("a=1;b=2", r#"{"a":"1;b=2"}"#),
            ("a=b=c", r#"{"a":"b=c"}"#),
            ("o%5Bk%5D=v", r#"{"o":{"k":"v"}}"#),
            ("a[b=1", r#"{"a":{"[b":"1"}}"#),
            ("a[0][b]=1&a[1][b]=2", r#"{"a":[{"b":"1"},{"b":"2"}]}"#),
            ("b=1&2=x&1=y", r#"{"1":"y","2":"x","b":"1"}"#),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&query(text)), expected, "{text}");
        }
    }

    /// NR-71: forms likewise.
    #[test]
    fn a_form_is_read_as_a_query_and_has_its_bounds() {
        let read = |text: &str| form(text).map(|value| shown(&value));
        let read_well = read("a=1&a=2&o[k]=v&l[]=1&l[]=2");
        assert_eq!(read_well.as_deref(), Ok(r#"{"a":["1","2"],"o":{"k":"v"},"l":["1","2"]}"#));
        assert_eq!(read(&"a=1&".repeat(999)).map(|text| text.len()), Ok(999 * 4 + 7));
        assert_eq!(read(&"a=1&".repeat(1_000)), Err(FormError::TooManyPairs));
        assert!(read(&format!("a{}=1", "[b]".repeat(32))).is_ok());
        assert_eq!(read(&format!("a{}=1", "[b]".repeat(33))), Err(FormError::TooDeep));
    }
}
