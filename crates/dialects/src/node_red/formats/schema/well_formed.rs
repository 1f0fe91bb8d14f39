//! Whether a schema is one: every keyword known, of its own form, every reference leading somewhere.

use std::collections::HashMap;

use plan::ecmascript::number_of;
use plan::{Map, Pattern, Text, Value};

use super::referred;

/// How deep schemas may stand in each other.
const DEPTH_MAX: usize = 100;
/// What says something about a schema without asking anything of values.
const SILENT: [&str; 16] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "examples",
    "contentMediaType",
    "contentEncoding",
    "contentSchema",
    "$vocabulary",
    "nullable",
    "$async",
];
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "null", "object", "array"];
/// The drafts that the node knows.
const DRAFTS: [&str; 2] = ["http://json-schema.org/draft-07/schema", "http://json-schema.org/draft-06/schema"];

/// The expressions of a schema, compiled.
///
/// # Errors
///
/// Why it is no schema.
pub(super) fn patterns(schema: &Value) -> Result<HashMap<Text, Pattern>, String> {
    let mut reader = Reader { root: schema, patterns: HashMap::new() };
    reader.schema(schema, DEPTH_MAX)?;
    Ok(reader.patterns)
}

struct Reader<'s> {
    root: &'s Value,
    patterns: HashMap<Text, Pattern>,
}

impl Reader<'_> {
    fn schema(&mut self, schema: &Value, levels: usize) -> Result<(), String> {
        if matches!(schema, Value::Bool(_)) {
            return Ok(());
        }
        let map = schema.as_map().ok_or("a schema is an object or a boolean")?;
        if levels == 0 {
            return Err(format!("schemas stand more than {DEPTH_MAX} deep in each other"));
        }
        strict(map)?;
        map.iter().try_for_each(|(name, value)| {
            self.keyword(name, value, levels - 1).map_err(|why| if why.is_empty() { wrong(name) } else { why })
        })
    }

    /// Checks one keyword; an empty error says that its value has not the form that it should.
    fn keyword(&mut self, name: &str, value: &Value, levels: usize) -> Result<(), String> {
        let fits = |fits: bool| if fits { Ok(()) } else { Err(String::new()) };
        match name {
            "type" => {
                fits(is_type(value) || list(value).is_ok_and(|types| !types.is_empty() && types.iter().all(is_type)))
            }
            "maximum" | "minimum" | "exclusiveMaximum" | "exclusiveMinimum" => fits(matches!(value, Value::Number(_))),
            "multipleOf" => fits(matches!(value, Value::Number(_)) && number_of(value) > 0.0),
            "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties" => {
                let number = if matches!(value, Value::Number(_)) { number_of(value) } else { -1.0 };
                fits(number >= 0.0 && number.fract() == 0.0)
            }
            "pattern" => self.pattern(value.as_text().ok_or_else(String::new)?),
            "required" => fits(list(value)?.iter().all(|name| name.as_text().is_some())),
            "uniqueItems" => fits(matches!(value, Value::Bool(_))),
            "enum" => fits(!list(value)?.is_empty()),
            "const" => Ok(()),
            "not"
            | "if"
            | "then"
            | "else"
            | "propertyNames"
            | "additionalProperties"
            | "additionalItems"
            | "contains" => self.schema(value, levels),
            "anyOf" | "oneOf" | "allOf" => self.schemas(value, levels),
            "items" if matches!(value, Value::List(_)) => self.schemas(value, levels),
            "items" => self.schema(value, levels),
            "properties" | "definitions" | "$defs" => members(value)?.try_for_each(|(_, it)| self.schema(it, levels)),
            "patternProperties" => members(value)?.try_for_each(|(pattern, it)| {
                self.pattern(pattern)?;
                self.schema(it, levels)
            }),
            "dependencies" => members(value)?.try_for_each(|(_, it)| {
                if let Value::List(names) = it {
                    return fits(names.iter().all(|name| name.as_text().is_some()));
                }
                self.schema(it, levels)
            }),
            "$ref" => {
                let reference = value.as_text().ok_or_else(String::new)?;
                let leads = referred(self.root, reference).is_some();
                if leads { Ok(()) } else { Err(format!("the reference `{reference}` leads nowhere")) }
            }
            "$schema" => fits(value.as_text().is_some_and(|draft| DRAFTS.contains(&draft.trim_end_matches('#')))),
            "format" => Err(format!("the format {} is not known", plan::ecmascript::text_of(value))),
            silent if SILENT.contains(&silent) => Ok(()),
            other => Err(format!("the keyword `{other}` is not known")),
        }
    }

    fn schemas(&mut self, value: &Value, levels: usize) -> Result<(), String> {
        let schemas = list(value)?;
        if schemas.is_empty() {
            return Err(String::new());
        }
        schemas.iter().try_for_each(|schema| self.schema(schema, levels))
    }

    fn pattern(&mut self, source: &str) -> Result<(), String> {
        if !self.patterns.contains_key(source) {
            let pattern = Pattern::new(source, false).map_err(|why| format!("the expression `{source}`: {why}"))?;
            self.patterns.insert(source.into(), pattern);
        }
        Ok(())
    }
}

/// What the node's library refuses because it would be without effect.
fn strict(schema: &Map) -> Result<(), String> {
    let has = |name| schema.get(name).is_some();
    let needs_if = ["then", "else"].into_iter().find(|clause| has(clause) && !has("if"));
    match needs_if {
        Some(clause) => Err(format!("`{clause}` stands without `if`")),
        None if has("if") && !has("then") && !has("else") => Err("`if` stands without `then` and `else`".to_owned()),
        None if has("additionalItems") && !matches!(schema.get("items"), Some(Value::List(_))) => {
            Err("`additionalItems` stands without a list of `items`".to_owned())
        }
        None => Ok(()),
    }
}

fn wrong(keyword: &str) -> String {
    format!("the value of `{keyword}` has not the form that it should")
}

fn is_type(value: &Value) -> bool {
    value.as_text().is_some_and(|name| TYPES.contains(&name))
}

fn list(value: &Value) -> Result<&[Value], String> {
    if let Value::List(items) = value { Ok(items) } else { Err(String::new()) }
}

fn members(value: &Value) -> Result<impl Iterator<Item = (&Text, &Value)>, String> {
    value.as_map().map(Map::iter).ok_or_else(String::new)
}
