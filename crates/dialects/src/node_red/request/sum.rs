//! The mark on the headers of an answer, by which the next request knows that they are not meant for it.

use std::sync::Arc;

use plan::ecmascript::text_of;
use plan::{Map, Parts, Value};

/// The header that holds the mark.
const MARK: &str = "x-node-red-request-node";

/// Marks the headers of an answer.
pub(super) fn mark(headers: &mut Map) {
    let mark = hex(sum(&headers.clone().into()));
    headers.insert(MARK.into(), Value::Text(mark.into()));
}

/// Takes the headers out of a message if they are an answer's, untouched; the mark goes in any case.
pub(super) fn drop_answered_headers(message: &mut Map) {
    let Some(Value::Map(headers)) = message.get_mut("headers") else { return };
    let Some(mark) = Arc::make_mut(headers).remove(MARK) else { return };
    if mark.as_text() == Some(&hex(sum(&Value::Map(headers.clone())))) {
        message.remove("headers");
    }
}

fn hex(sum: i64) -> String {
    format!("{sum:08x}")
}

/// The sum of the package `hash-sum`.
fn sum(value: &Value) -> i64 {
    fold_value(0, "", value)
}

fn fold_value(start: i64, key: &str, value: &Value) -> i64 {
    let (tag, kind) = match value {
        Value::Map(_) => ("[object Object]", "object"),
        Value::List(_) => ("[object Array]", "object"),
        Value::Text(_) => ("[object String]", "string"),
        Value::Number(_) => ("[object Number]", "number"),
        Value::Bool(_) => ("[object Boolean]", "boolean"),
        Value::Null => ("[object Null]", "object"),
        Value::Undefined => ("[object Undefined]", "undefined"),
        Value::Bytes(_) => ("[object Uint8Array]", "object"),
        Value::Date(_) => ("[object Date]", "object"),
        Value::Handle(_) | Value::Unencodable(_) => ("[object Object]", "object"),
    };
    let hash = fold(fold(fold(start, key), tag), kind);
    let hash = match value.parts() {
        Parts::Map(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            members.into_iter().fold(hash, |hash, (name, member)| fold_value(hash, name, member))
        }
        Parts::List(items) => {
            let mut items: Vec<_> = items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect();
            items.sort_by(|(a, _), (b, _)| a.cmp(b));
            items.into_iter().fold(hash, |hash, (at, item)| fold_value(hash, &at, item))
        }
        Parts::None => hash,
    };
    fold(hash, &text_of(value))
}

/// Folds a text into a sum; the result is 32 bits wide, a negative one made positive by doubling it.
fn fold(hash: i64, text: &str) -> i64 {
    let folded = text.encode_utf16().fold(hash, |hash, unit| {
        let shifted = i64::from((hash as i32).wrapping_shl(5));
        i64::from((shifted - hash + i64::from(unit)) as i32)
    });
    if folded < 0 { folded * -2 } else { folded }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums are those of `hash-sum` 2.0.0.
    #[test]
    fn sums_are_those_of_the_package() {
        let headers = Value::map([
            ("content-type", Value::text("text/plain; charset=utf-8")),
            ("set-cookie", Value::list(vec![Value::text("a=1"), Value::text("b=2")])),
            ("content-length", Value::text("5")),
        ]);
        assert_eq!(hex(sum(&headers)), "da6f8f90");
        assert_eq!(hex(sum(&Value::map::<&str>([]))), "59322f29");
    }

    #[test]
    fn only_untouched_headers_of_an_answer_are_dropped() {
        let mut headers: Map = [("a".into(), Value::text("1"))].into_iter().collect();
        mark(&mut headers);
        let message = |headers: Map| -> Map { [("headers".into(), headers.into())].into_iter().collect() };
        let mut untouched = message(headers.clone());
        drop_answered_headers(&mut untouched);
        assert!(untouched.get("headers").is_none());
        headers.insert("b".into(), Value::text("2"));
        let mut touched = message(headers);
        drop_answered_headers(&mut touched);
        let kept = touched.get("headers").and_then(Value::as_map).unwrap();
        assert_eq!(kept.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["a", "b"]);
    }
}
