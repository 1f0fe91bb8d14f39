//! The `Cookie` header of a request (section 11).

use jose::json::Limits;
use plan::ecmascript::is_truthy;
use plan::{JsonRules, Map, Text, Value, read_json};

use super::percent::decode_component;

/// The cookies of a request: the first of a name counts, and a value that begins with `j:` is JSON.
pub(super) fn parse(header: &str) -> Value {
    let mut cookies = Map::new();
    for pair in header.split(';') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        let name = name.trim_matches([' ', '\t']);
        if name != "__proto__" && cookies.get(name).is_none() {
            cookies.insert(Text::from(name), cookie_value(value.trim_matches([' ', '\t'])));
        }
    }
    cookies.indices_first().into()
}

fn cookie_value(written: &str) -> Value {
    let unquoted = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(written);
    let text = decode_component(unquoted).unwrap_or_else(|| unquoted.to_owned());
    let json = text.strip_prefix("j:").and_then(|json| {
        let read = read_json(json.as_bytes(), Limits::REQUEST, JsonRules::Ecmascript).ok();
        read.filter(is_truthy)
    });
    json.unwrap_or_else(|| Value::text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NR-82: what comes in. The expected values are what Node-RED 5.0.7 was seen to answer.
    #[test]
    fn cookies_are_read_as_cookie_parser_reads_them() {
        let cases = [
            ("a=1; b=2", r#"{"a":"1","b":"2"}"#),
            ("a=1; a=2", r#"{"a":"1"}"#),
            ("a=x%20y%3D", r#"{"a":"x y="}"#),
            ("a=%zz", r#"{"a":"%zz"}"#),
            (r#"a="x y""#, r#"{"a":"x y"}"#),
            ("a=j%3A%7B%22b%22%3A1%7D", r#"{"a":{"b":1}}"#),
            ("a=j%3A%7Bnope", r#"{"a":"j:{nope"}"#),
            ("a=j:0", r#"{"a":"j:0"}"#),
            ("a; b=", r#"{"b":""}"#),
            ("a=b=c", r#"{"a":"b=c"}"#),
            ("a=s%3Avalue.signature", r#"{"a":"s:value.signature"}"#),
            ("__proto__=1; constructor=2; x=3", r#"{"constructor":"2","x":"3"}"#),
        ];
        for (header, expected) in cases {
            let mut out = Vec::new();
            plan::write_json(&mut out, &parse(header)).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{header}");
        }
    }
}
