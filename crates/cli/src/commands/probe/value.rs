//! Values of messages as JSON: what JSON has no word for is an object whose member `$` says what it is.

use plan::{Date, Map, Number, Regexp, Unencodable, Value};
use serde_json::{Value as Json, json};

/// How deep a message may be nested.
const DEPTH_MAX: usize = 200;

/// A value as JSON.
pub(super) fn written(value: &Value) -> Json {
    match value {
        Value::Undefined => json!({"$": "undefined"}),
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => written_number(number),
        Value::Text(text) => Json::String(text.to_string()),
        Value::Bytes(octets) => json!({"$": "bytes", "of": &octets[..]}),
        Value::Date(Date { epoch_ms }) => json!({"$": "date", "of": epoch_ms}),
        Value::List(items) => items.iter().map(written).collect(),
        Value::Map(map) => {
            let members: Json = map.iter().map(|(name, member)| (name.to_string(), written(member))).collect();
            if map.get("$").is_some() { json!({"$": "map", "of": members}) } else { members }
        }
        Value::Handle(handle) => json!({"$": "handle", "of": handle.0}),
        Value::Unencodable(Unencodable::Circular) => json!({"$": "circular"}),
        Value::Unencodable(Unencodable::BigInt(digits)) => json!({"$": "bigint", "of": &**digits}),
        Value::Unencodable(Unencodable::Function) => json!({"$": "function"}),
        Value::Unencodable(Unencodable::Pattern(regexp)) => {
            json!({"$": "pattern", "of": [&*regexp.source, &*regexp.flags]})
        }
    }
}

/// A value from JSON.
///
/// # Errors
/// What stands there that is no value.
pub(super) fn read(json: &Json) -> Result<Value, String> {
    read_at(json, 0)
}

fn written_number(number: &Number) -> Json {
    match number {
        Number::Integer(integer) => json!(integer),
        Number::Float(float) if float.is_finite() && !(*float == 0.0 && float.is_sign_negative()) => json!(float),
        Number::Float(float) => json!({"$": "number", "of": float.to_string()}),
        Number::Literal(text) => json!({"$": "number", "of": &**text}),
    }
}

fn read_at(json: &Json, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("a message is nested deeper than {DEPTH_MAX}"));
    }
    let inner = |json| read_at(json, depth + 1);
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(flag) => Ok(Value::Bool(*flag)),
        Json::Number(number) => Ok(match number.as_i64() {
            Some(integer) => Value::integer(integer),
            None => Value::Number(Number::Float(number.as_f64().unwrap_or(f64::NAN))),
        }),
        Json::String(text) => Ok(Value::text(text)),
        Json::Array(items) => Ok(Value::list(items.iter().map(inner).collect::<Result<_, _>>()?)),
        Json::Object(members) => match members.get("$") {
            Some(kind) => read_kind(kind.as_str().unwrap_or_default(), members.get("of").unwrap_or(&Json::Null), depth),
            None => read_map(members, depth),
        },
    }
}

fn read_map(members: &serde_json::Map<String, Json>, depth: usize) -> Result<Value, String> {
    let members = members.iter().map(|(name, member)| Ok((name.as_str().into(), read_at(member, depth + 1)?)));
    Ok(members.collect::<Result<Map, String>>()?.into())
}

fn read_kind(kind: &str, of: &Json, depth: usize) -> Result<Value, String> {
    let text = || of.as_str().ok_or_else(|| format!("a {kind} is written as text"));
    match kind {
        "undefined" => Ok(Value::Undefined),
        "bytes" => Ok(Value::Bytes(octets(of).ok_or("bytes are a list of octets")?.into())),
        "date" => Ok(Value::Date(Date { epoch_ms: of.as_f64().unwrap_or(f64::NAN) })),
        "number" => {
            text()?.parse().map(|float| Value::Number(Number::Float(float))).map_err(|_| "no number".to_owned())
        }
        "bigint" => Ok(Value::Unencodable(Unencodable::BigInt(text()?.into()))),
        "circular" => Ok(Value::Unencodable(Unencodable::Circular)),
        "function" => Ok(Value::Unencodable(Unencodable::Function)),
        "pattern" => pattern(of).ok_or_else(|| "a pattern is a list of its source and its flags".to_owned()),
        "map" => read_map(of.as_object().ok_or("a map is an object")?, depth),
        other => Err(format!("no value is called `{other}`")),
    }
}

fn pattern(of: &Json) -> Option<Value> {
    let [source, flags] = &of.as_array()?[..] else { return None };
    let (source, flags) = (source.as_str()?.into(), flags.as_str()?.into());
    Some(Regexp { source, flags }.into())
}

fn octets(list: &Json) -> Option<Vec<u8>> {
    list.as_array()?.iter().map(|octet| u8::try_from(octet.as_u64()?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_comes_back_as_it_went() {
        let float = |float| Value::Number(Number::Float(float));
        let values = [
            Value::Undefined,
            Value::Null,
            Value::Bool(true),
            Value::integer(-7),
            float(1.5),
            float(f64::INFINITY),
            Value::text("\u{e4} \u{1f600}"),
            Value::Bytes([0, 255].into()),
            Value::Date(Date { epoch_ms: 1.0 }),
            Value::Date(Date { epoch_ms: f64::NAN }),
            Value::list(vec![Value::Undefined, Value::map([("$", Value::text("undefined"))])]),
            Value::Unencodable(Unencodable::BigInt("12345678901234567890".into())),
            Value::Unencodable(Unencodable::Circular),
            Value::Unencodable(Unencodable::Function),
            Regexp { source: "a".into(), flags: "g".into() }.into(),
        ];
        for value in values {
            let text = written(&value).to_string();
            assert_eq!(read(&serde_json::from_str(&text).unwrap()), Ok(value), "{text}");
        }
        let nan = read(&written(&float(f64::NAN))).unwrap();
        assert!(matches!(nan, Value::Number(Number::Float(nan)) if nan.is_nan()));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in [r#"{"$":"x"}"#, r#"{"$":1}"#, r#"{"$":"bytes","of":[256]}"#, r#"{"$":"number","of":"x"}"#] {
            assert!(read(&serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
        let deep = (0..=DEPTH_MAX).fold(Json::Null, |inner, _| json!([inner]));
        assert!(read(&deep).is_err());
    }
}
