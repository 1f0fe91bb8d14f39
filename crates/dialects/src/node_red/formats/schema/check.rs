//! Holds a value against a schema that is one, keyword by keyword.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use plan::ecmascript::{length, number_of, text_of};
use plan::{Fault, FaultKind, Map, Parts, Pattern, Text, Value};

use super::{referred, text};

/// Keywords that are looked at for one message, all values and schemas together.
const LOOKS_MAX: u32 = 2_000_000;
/// How deep schemas are followed, references included.
const DEPTH_MAX: usize = 200;
/// What `encodeURIComponent` leaves as it is.
const FRAGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A value held against a schema.
pub(super) struct Check<'s> {
    root: &'s Value,
    patterns: &'s HashMap<Text, Pattern>,
    pub(super) errors: Vec<Value>,
    looks_left: u32,
}

/// Where a check stands: the schema's place and the value's.
#[derive(Clone)]
pub(super) struct At {
    schema_path: String,
    instance_path: String,
    /// The member whose name is checked, if one is.
    name: Option<Text>,
    levels: usize,
}

/// The keywords of each group, in the order in which they are checked.
const ANY: [&str; 8] = ["$ref", "const", "enum", "not", "anyOf", "oneOf", "allOf", "if"];
const NUMBER: [&str; 5] = ["maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"];
const TEXT: [&str; 3] = ["maxLength", "minLength", "pattern"];
const LIST: [&str; 6] = ["maxItems", "minItems", "additionalItems", "items", "contains", "uniqueItems"];
const MAP: [&str; 8] = [
    "maxProperties",
    "minProperties",
    "required",
    "propertyNames",
    "additionalProperties",
    "dependencies",
    "properties",
    "patternProperties",
];
const GROUPS: [(&str, &[&str]); 4] = [("number", &NUMBER), ("string", &TEXT), ("array", &LIST), ("object", &MAP)];

impl<'s> Check<'s> {
    pub(super) fn new(root: &'s Value, patterns: &'s HashMap<Text, Pattern>) -> Self {
        Self { root, patterns, errors: Vec::new(), looks_left: LOOKS_MAX }
    }

    /// The errors, in the order in which they are found.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Oversized`] if it takes too long to say, or references go round in circles.
    pub(super) fn run(mut self, value: &Value) -> Result<Vec<Value>, Fault> {
        let start = At { schema_path: "#".into(), instance_path: String::new(), name: None, levels: DEPTH_MAX };
        self.schema(self.root, value, &start)?;
        Ok(self.errors)
    }

    /// Whether the value fits; what does not is added to the errors.
    pub(super) fn schema(&mut self, schema: &Value, value: &Value, at: &At) -> Result<bool, Fault> {
        let before = self.errors.len();
        if let Value::Bool(false) = schema {
            self.error(at, "false schema", Map::new(), "boolean schema is false");
        }
        let Some(map) = schema.as_map() else { return Ok(self.errors.len() == before) };
        let Some(levels) = at.levels.checked_sub(1) else { return Err(too_much("schemas lead too deep")) };
        let at = &At { levels, ..at.clone() };
        let types = types(map);
        let late = match types.as_slice() {
            [only] => {
                GROUPS.iter().find(|(kind, keywords)| kind == only && has_any(map, keywords)).map(|(kind, _)| *kind)
            }
            _ => None,
        };
        if late.is_none() && !types.is_empty() && !types.iter().any(|kind| is_of(value, kind)) {
            self.type_error(map, at);
        }
        self.keywords(&ANY, map, value, at)?;
        for (kind, keywords) in GROUPS {
            if is_of(value, kind) {
                self.keywords(keywords, map, value, at)?;
            } else if late == Some(kind) {
                self.type_error(map, at);
            }
        }
        Ok(self.errors.len() == before)
    }

    fn keywords(&mut self, keywords: &[&'static str], schema: &Map, value: &Value, at: &At) -> Result<(), Fault> {
        for keyword in keywords {
            let Some(asked) = schema.get(keyword) else { continue };
            self.look()?;
            self.keyword(keyword, asked, schema, value, at)?;
        }
        Ok(())
    }

    /// Counts one thing that is looked at.
    pub(super) fn look(&mut self) -> Result<(), Fault> {
        self.looks_left = self.looks_left.checked_sub(1).ok_or_else(|| too_much("there is too much to check"))?;
        Ok(())
    }

    fn keyword(
        &mut self,
        keyword: &'static str,
        asked: &Value,
        schema: &Map,
        value: &Value,
        at: &At,
    ) -> Result<(), Fault> {
        match keyword {
            "$ref" => self.reference(asked, value, at)?,
            "const" | "enum" => self.one_of_values(keyword, asked, value, at),
            "not" | "anyOf" | "oneOf" | "allOf" | "if" => self.composed(keyword, asked, schema, value, at)?,
            "maximum" | "minimum" | "exclusiveMaximum" | "exclusiveMinimum" | "multipleOf" => {
                self.number(keyword, asked, value, at);
            }
            "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties" => {
                self.size(keyword, asked, value, at);
            }
            "pattern" => {
                let source = asked.as_text().unwrap_or_default();
                if !self.matches(source, value.as_text().unwrap_or_default()) {
                    let message = format!("must match pattern \"{source}\"");
                    self.error(at, keyword, one("pattern", asked.clone()), &message);
                }
            }
            "required"
            | "propertyNames"
            | "additionalProperties"
            | "dependencies"
            | "properties"
            | "patternProperties" => {
                if let Some(members) = value.as_map() {
                    self.members(keyword, asked, schema, members, at)?;
                }
            }
            _ => {
                if let Value::List(items) = value {
                    self.items(keyword, asked, schema, items, at)?;
                }
            }
        }
        Ok(())
    }

    fn reference(&mut self, asked: &Value, value: &Value, at: &At) -> Result<(), Fault> {
        let reference = asked.as_text().unwrap_or_default();
        let Some(schema) = referred(self.root, reference) else { return Ok(()) };
        // The node's library begins anew with a schema that refers further.
        let schema_path = if refers(schema) { "#".to_owned() } else { reference.to_owned() };
        self.schema(schema, value, &At { schema_path, ..at.clone() }).map(drop)
    }

    fn one_of_values(&mut self, keyword: &'static str, asked: &Value, value: &Value, at: &At) {
        if keyword == "const" {
            if !equal(asked, value) {
                self.error(at, keyword, one("allowedValue", asked.clone()), "must be equal to constant");
            }
        } else if let Value::List(allowed) = asked
            && !allowed.iter().any(|allowed| equal(allowed, value))
        {
            let message = "must be equal to one of the allowed values";
            self.error(at, keyword, one("allowedValues", asked.clone()), message);
        }
    }

    fn number(&mut self, keyword: &'static str, asked: &Value, value: &Value, at: &At) {
        let (value, limit) = (number_of(value), number_of(asked));
        let (fits, comparison) = match keyword {
            "maximum" => (value <= limit, "<="),
            "minimum" => (value >= limit, ">="),
            "exclusiveMaximum" => (value < limit, "<"),
            "exclusiveMinimum" => (value > limit, ">"),
            _ => ((value / limit).fract() == 0.0, ""),
        };
        if fits {
            return;
        }
        let shown = text_of(asked);
        if comparison.is_empty() {
            return self.error(at, keyword, one(keyword, asked.clone()), &format!("must be multiple of {shown}"));
        }
        let mut params = one("comparison", text(comparison));
        params.insert("limit".into(), asked.clone());
        self.error(at, keyword, params, &format!("must be {comparison} {shown}"));
    }

    fn size(&mut self, keyword: &'static str, asked: &Value, value: &Value, at: &At) {
        let (size, what) = if let Value::Text(text) = value {
            (text.chars().count(), "characters")
        } else if let Value::Map(map) = value {
            (map.len(), "properties")
        } else {
            (length(value).unwrap_or_default(), "items")
        };
        let limit = number_of(asked);
        let (fits, comparison) =
            if keyword.starts_with("max") { (size as f64 <= limit, "more") } else { (size as f64 >= limit, "fewer") };
        if !fits {
            let message = format!("must NOT have {comparison} than {} {what}", text_of(asked));
            self.error(at, keyword, one("limit", asked.clone()), &message);
        }
    }

    fn composed(
        &mut self,
        keyword: &'static str,
        asked: &Value,
        schema: &Map,
        value: &Value,
        at: &At,
    ) -> Result<(), Fault> {
        let before = self.errors.len();
        let list = if let Value::List(schemas) = asked { schemas.as_slice() } else { &[] };
        match keyword {
            "not" => {
                let fits = self.schema(asked, value, &at.below(keyword))?;
                self.errors.truncate(before);
                if fits {
                    self.error(at, keyword, Map::new(), "must NOT be valid");
                }
            }
            "anyOf" => {
                for (index, one) in list.iter().enumerate() {
                    if self.schema(one, value, &at.below(keyword).at_index(index))? {
                        self.errors.truncate(before);
                        return Ok(());
                    }
                }
                self.error(at, keyword, Map::new(), "must match a schema in anyOf");
            }
            "oneOf" => self.exactly_one(list, value, at)?,
            "allOf" => {
                for (index, one) in list.iter().enumerate() {
                    self.schema(one, value, &at.below(keyword).at_index(index))?;
                }
            }
            _ => {
                let fits = self.schema(asked, value, &at.below(keyword))?;
                self.errors.truncate(before);
                let clause = if fits { "then" } else { "else" };
                let Some(then) = schema.get(clause) else { return Ok(()) };
                if !self.schema(then, value, &at.below(clause))? {
                    let message = format!("must match \"{clause}\" schema");
                    self.error(at, keyword, one("failingKeyword", text(clause)), &message);
                }
            }
        }
        Ok(())
    }

    fn exactly_one(&mut self, schemas: &[Value], value: &Value, at: &At) -> Result<(), Fault> {
        let before = self.errors.len();
        let mut passing = Value::Null;
        for (index, schema) in schemas.iter().enumerate() {
            if !self.schema(schema, value, &at.below("oneOf").at_index(index))? {
                continue;
            }
            let index = Value::integer(index as i64);
            if passing != Value::Null {
                passing = Value::list(vec![passing, index]);
                break;
            }
            passing = index;
        }
        if matches!(passing, Value::Number(_)) {
            self.errors.truncate(before);
        } else {
            self.error(at, "oneOf", one("passingSchemas", passing), "must match exactly one schema in oneOf");
        }
        Ok(())
    }

    pub(super) fn matches(&self, source: &str, value: &str) -> bool {
        self.patterns.get(source).is_some_and(|pattern| pattern.is_match(value))
    }

    fn type_error(&mut self, schema: &Map, at: &At) {
        let asked = schema.get("type").cloned().unwrap_or_default();
        let message = format!("must be {}", text_of(&asked));
        self.error(at, "type", one("type", asked), &message);
    }

    pub(super) fn error(&mut self, at: &At, keyword: &str, params: Map, message: &str) {
        let schema_path = format!("{}/{keyword}", at.schema_path);
        let members = [
            ("instancePath", text(at.instance_path.as_str())),
            ("schemaPath", text(schema_path)),
            ("keyword", text(keyword)),
            ("params", params.into()),
            ("message", text(message)),
        ];
        let name = at.name.iter().map(|name| ("propertyName", text(name.clone())));
        self.errors.push(Value::map(members.into_iter().chain(name)));
    }
}

impl At {
    /// The schema that a keyword holds.
    pub(super) fn below(&self, keyword: &str) -> Self {
        Self { schema_path: format!("{}/{keyword}", self.schema_path), ..self.clone() }
    }

    /// The schema of that name in the keyword's map.
    pub(super) fn under(self, name: &str) -> Self {
        let name = pointer(name);
        Self { schema_path: format!("{}/{}", self.schema_path, utf8_percent_encode(&name, FRAGMENT)), ..self }
    }

    /// The name of a member in the place of a value.
    pub(super) fn of_name(self, name: Text) -> Self {
        Self { name: Some(name), ..self }
    }

    /// The schema at that place of the keyword's list.
    pub(super) fn at_index(self, index: usize) -> Self {
        Self { schema_path: format!("{}/{index}", self.schema_path), ..self }
    }

    /// The value's member or element of that name.
    pub(super) fn into(self, name: &str) -> Self {
        Self { instance_path: format!("{}/{}", self.instance_path, pointer(name)), ..self }
    }
}

/// A name as a step of a JSON pointer (RFC 6901 section 3).
fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

pub(super) fn one(name: &str, value: Value) -> Map {
    std::iter::once((Text::from(name), value)).collect()
}

fn too_much(why: &str) -> Fault {
    Fault::new(FaultKind::Oversized, format!("JSON Schema error: {why}"))
}

fn has_any(schema: &Map, keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| schema.get(keyword).is_some())
}

/// The types that a schema names, `null` among them if it says `nullable`.
pub(super) fn types(schema: &Map) -> Vec<&str> {
    let mut types: Vec<&str> = match schema.get("type") {
        Some(Value::List(types)) => types.iter().filter_map(Value::as_text).collect(),
        Some(only) => only.as_text().into_iter().collect(),
        None => Vec::new(),
    };
    if schema.get("nullable") == Some(&Value::Bool(true)) && !types.is_empty() {
        types.push("null");
    }
    types
}

pub(super) fn is_of(value: &Value, kind: &str) -> bool {
    match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(number) => {
            let number = number.as_f64();
            number.is_finite() && (kind == "number" || (kind == "integer" && number.fract() == 0.0))
        }
        Value::Text(_) => kind == "string",
        Value::List(_) => kind == "array",
        Value::Map(_) | Value::Bytes(_) | Value::Date(_) | Value::Handle(_) => kind == "object",
        Value::Undefined | Value::Unencodable(_) => false,
    }
}

/// Whether a reference stands anywhere in the schema.
fn refers(schema: &Value) -> bool {
    match schema.parts() {
        Parts::Map(map) => map.iter().any(|(name, inner)| &**name == "$ref" || refers(inner)),
        Parts::List(items) => items.iter().any(refers),
        Parts::None => false,
    }
}

/// Whether two values say the same, whatever the order of their members.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}
