//! The keywords of JSON Schema that ask something of the items of a list or the members of an object.

use std::collections::HashMap;

use plan::ecmascript::number_of;
use plan::{Fault, Map, Parts, Text, Value};

use super::check::{At, Check, is_of, one, types};
use super::text;

impl Check<'_> {
    pub(super) fn items(
        &mut self,
        keyword: &'static str,
        asked: &Value,
        schema: &Map,
        items: &[Value],
        at: &At,
    ) -> Result<(), Fault> {
        match (keyword, asked) {
            ("items", Value::List(schemas)) => {
                for (index, (schema, item)) in schemas.iter().zip(items).enumerate() {
                    self.schema(schema, item, &at.below(keyword).at_index(index).into(&index.to_string()))?;
                }
            }
            ("items", one) => self.rest(keyword, one, items, 0, at)?,
            ("additionalItems", Value::Bool(allowed)) => {
                let Some(Value::List(fixed)) = schema.get("items") else { return Ok(()) };
                if !allowed && items.len() > fixed.len() {
                    let message = format!("must NOT have more than {} items", fixed.len());
                    self.error(at, keyword, one("limit", Value::integer(fixed.len() as i64)), &message);
                }
            }
            ("additionalItems", further) => {
                let Some(Value::List(fixed)) = schema.get("items") else { return Ok(()) };
                self.rest(keyword, further, items, fixed.len(), at)?;
            }
            ("contains", wanted) => self.contains(wanted, items, at)?,
            (_, Value::Bool(true)) => self.unique(schema, items, at)?,
            (_, _) => {}
        }
        Ok(())
    }

    fn rest(
        &mut self,
        keyword: &'static str,
        schema: &Value,
        items: &[Value],
        from: usize,
        at: &At,
    ) -> Result<(), Fault> {
        for (index, item) in items.iter().enumerate().skip(from) {
            self.schema(schema, item, &at.below(keyword).into(&index.to_string()))?;
        }
        Ok(())
    }

    fn contains(&mut self, wanted: &Value, items: &[Value], at: &At) -> Result<(), Fault> {
        let before = self.errors.len();
        for (index, item) in items.iter().enumerate() {
            if self.schema(wanted, item, &at.below("contains").into(&index.to_string()))? {
                self.errors.truncate(before);
                return Ok(());
            }
        }
        self.error(at, "contains", one("minContains", Value::integer(1)), "must contain at least 1 valid item(s)");
        Ok(())
    }

    fn unique(&mut self, schema: &Map, items: &[Value], at: &At) -> Result<(), Fault> {
        let plain = schema.get("items").and_then(Value::as_map).map(types).unwrap_or_default();
        let is_plain = !plain.is_empty() && !plain.contains(&"object") && !plain.contains(&"array");
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut found = None;
        for (at, item) in items.iter().enumerate() {
            // Of plain types only those are compared, and the library counts them from the end.
            let is_compared = !is_plain || plain.iter().any(|kind| is_of(item, kind));
            if let Some(before) = is_compared.then(|| seen.insert(canonical(item), at)).flatten() {
                found = found.max(Some(if is_plain { (before, at) } else { (at, before) }));
            }
        }
        if let Some((i, j)) = found {
            let message = format!("must NOT have duplicate items (items ## {j} and {i} are identical)");
            let mut params = one("i", Value::integer(i as i64));
            params.insert("j".into(), Value::integer(j as i64));
            self.error(at, "uniqueItems", params, &message);
        }
        Ok(())
    }

    pub(super) fn members(
        &mut self,
        keyword: &'static str,
        asked: &Value,
        schema: &Map,
        members: &Map,
        at: &At,
    ) -> Result<(), Fault> {
        let rules = || asked.as_map().into_iter().flat_map(Map::iter);
        match keyword {
            "required" => {
                let Value::List(names) = asked else { return Ok(()) };
                for name in names.iter().filter_map(Value::as_text).filter(|name| members.get(name).is_none()) {
                    let message = format!("must have required property '{name}'");
                    self.error(at, keyword, one("missingProperty", text(name)), &message);
                }
            }
            "propertyNames" => {
                for (name, _) in members.iter() {
                    let below = at.below(keyword).of_name(name.clone());
                    if !self.schema(asked, &text(name.clone()), &below)? {
                        self.error(at, keyword, one("propertyName", text(name.clone())), "property name must be valid");
                    }
                }
            }
            "additionalProperties" => self.additional(asked, schema, members, at)?,
            "dependencies" => {
                let (lists, schemas): (Vec<_>, Vec<_>) = rules().partition(|(_, rule)| matches!(rule, Value::List(_)));
                for (name, rule) in lists.into_iter().chain(schemas).filter(|(name, _)| members.get(name).is_some()) {
                    self.dependency(name, rule, members, at)?;
                }
            }
            "properties" => {
                for (name, rule) in rules() {
                    if let Some(member) = members.get(name) {
                        self.schema(rule, member, &at.below(keyword).under(name).into(name))?;
                    }
                }
            }
            _ => {
                for (pattern, rule) in rules() {
                    for (name, member) in members.iter() {
                        self.look()?;
                        if self.matches(pattern, name) {
                            self.schema(rule, member, &at.below(keyword).under(pattern).into(name))?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn additional(&mut self, asked: &Value, schema: &Map, members: &Map, at: &At) -> Result<(), Fault> {
        let rules = |name: &str| schema.get(name).and_then(Value::as_map);
        let (named, patterns) = (rules("properties"), rules("patternProperties"));
        for (name, member) in members.iter() {
            self.look()?;
            let is_named = named.is_some_and(|named| named.get(name).is_some());
            let by_pattern = || patterns.is_some_and(|all| all.iter().any(|(pattern, _)| self.matches(pattern, name)));
            if is_named || by_pattern() {
                continue;
            }
            if let Value::Bool(false) = asked {
                let params = one("additionalProperty", text(name.clone()));
                self.error(at, "additionalProperties", params, "must NOT have additional properties");
            } else {
                self.schema(asked, member, &at.below("additionalProperties").into(name))?;
            }
        }
        Ok(())
    }

    fn dependency(&mut self, name: &Text, rule: &Value, members: &Map, at: &At) -> Result<(), Fault> {
        let Value::List(needed) = rule else {
            let below = at.below("dependencies").under(name);
            return self.schema(rule, &members.clone().into(), &below).map(drop);
        };
        let needed: Vec<&str> = needed.iter().filter_map(Value::as_text).collect();
        let noun = if needed.len() == 1 { "property" } else { "properties" };
        let all = needed.join(", ");
        for missing in needed.iter().filter(|needed| members.get(needed).is_none()) {
            let mut params = one("property", text(name.clone()));
            params.insert("missingProperty".into(), text(*missing));
            params.insert("depsCount".into(), Value::integer(needed.len() as i64));
            params.insert("deps".into(), text(all.as_str()));
            let message = format!("must have {noun} {all} when property {name} is present");
            self.error(at, "dependencies", params, &message);
        }
        Ok(())
    }
}

/// A text that two values share if and only if they are equal: members by name, numbers by what they are worth.
fn canonical(value: &Value) -> String {
    match value.parts() {
        Parts::List(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Parts::Map(map) => {
            let mut members: Vec<_> =
                map.iter().map(|(name, member)| format!("{name:?}:{}", canonical(member))).collect();
            members.sort_unstable();
            format!("{{{}}}", members.join(","))
        }
        Parts::None if value.as_number().is_some() => (number_of(value) + 0.0).to_string(),
        Parts::None => format!("{value:?}"),
    }
}
