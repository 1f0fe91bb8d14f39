//! Conditions: the expressions of `switch` and `if`, in either of the vendor's two languages, as JavaScript (section 10).

use super::syntax::Gateway;

/// The functions of JSONata and of the vendor that a condition may call; the surface holds them under these names.
const CALLS: [&str; 19] = [
    "apiCtx",
    "boolean",
    "contains",
    "count",
    "exists",
    "header",
    "httpVerb",
    "length",
    "lowercase",
    "not",
    "number",
    "operationID",
    "operationPath",
    "queryParameter",
    "statusCode",
    "string",
    "trim",
    "uppercase",
    "urlParameter",
];
/// What only stands in JavaScript.
const JAVASCRIPT_ALONE: [&str; 5] = ["===", "!==", "==", "&&", "||"];

/// A condition, ready to be run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// An expression in the language of its gateway.
    Usual(String),
    /// An expression in the other gateway's language.
    Other(String),
    /// Nothing that runs here.
    Neither,
}

/// Reads a condition. On v5 it is JavaScript; on the API gateway JSONata, of which comparisons, paths, `and`, `or`, brackets
/// and calls of [`CALLS`] run here.
pub(super) fn read(text: &str, gateway: Gateway) -> Condition {
    let text = text.trim().trim_end_matches(';').trim_end();
    match gateway {
        Gateway::V5 => Condition::Usual(javascript(text)),
        Gateway::Api => match jsonata(text) {
            Some(expression) => Condition::Usual(expression),
            None if JAVASCRIPT_ALONE.iter().any(|mark| text.contains(mark)) => Condition::Other(javascript(text)),
            None => Condition::Neither,
        },
    }
}

/// JavaScript in which `$(name)` is a value: outside of texts by its type, inside of one as a part of the text.
fn javascript(text: &str) -> String {
    let (mut out, mut rest, mut quote) = (String::new(), text, None);
    // Where the text began that is open, so that it can be put in brackets once it turns out to have parts.
    let mut opened = 0;
    let mut has_parts = false;
    while let Some(c) = rest.chars().next() {
        let reference = rest.strip_prefix("$(").and_then(|inner| inner.split_once(')'));
        match (quote, reference) {
            (None, Some((name, behind))) => {
                out.push_str(&format!("$value({})", quoted(name)));
                rest = behind;
                continue;
            }
            (Some(mark), Some((name, behind))) => {
                out.push_str(&format!("{mark} + $text({}) + {mark}", quoted(name)));
                has_parts = true;
                rest = behind;
                continue;
            }
            (None, None) if matches!(c, '"' | '\'') => {
                (quote, opened, has_parts) = (Some(c), out.len(), false);
            }
            (Some(_), None) if c == '\\' => {
                let escaped = rest.chars().nth(1).map_or(1, |next| 1 + next.len_utf8());
                out.push_str(&rest[..escaped]);
                rest = &rest[escaped..];
                continue;
            }
            (Some(mark), None) if c == mark => {
                quote = None;
                out.push(c);
                if has_parts {
                    out.insert(opened, '(');
                    out.push(')');
                }
                rest = &rest[c.len_utf8()..];
                continue;
            }
            (_, None) => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// The part of JSONata that conditions are made of, as JavaScript; none for anything else.
fn jsonata(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let taken = token(rest, &mut out)?;
        out.push(' ');
        rest = rest[taken..].trim_start();
    }
    Some(out)
}

/// Writes the first token of the text; gives its length.
fn token(text: &str, out: &mut String) -> Option<usize> {
    let first = text.chars().next()?;
    if let Some((name, behind)) = text.strip_prefix("$(").and_then(|inner| inner.split_once(')')) {
        out.push_str(&format!("$value({})", quoted(name)));
        return Some(text.len() - behind.len());
    }
    if let Some(called) = text.strip_prefix('$') {
        let end = called.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(called.len());
        let name = CALLS.iter().find(|name| **name == &called[..end])?;
        called[end..].trim_start().starts_with('(').then(|| out.push_str(&format!("$call.{name}")))?;
        return Some(1 + end);
    }
    for (mark, written) in [("!=", "!=="), ("<=", "<="), (">=", ">="), ("=", "==="), ("<", "<"), (">", ">")] {
        if text.starts_with(mark) && !text.starts_with("==") {
            out.push_str(written);
            return Some(mark.len());
        }
    }
    match first {
        '(' | ')' | ',' => {
            out.push(first);
            Some(1)
        }
        '"' | '\'' => {
            let end = text[1..].find(first)? + 2;
            let inner = &text[1..end - 1];
            (!inner.contains('\\')).then(|| out.push_str(&quoted(inner)))?;
            Some(end)
        }
        '0'..='9' => {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            out.push_str(&text[..end]);
            Some(end)
        }
        _ => name(text, out),
    }
}

/// A word, or a path from the root of the context; a step in back ticks may hold anything.
fn name(text: &str, out: &mut String) -> Option<usize> {
    let (mut path, mut at) = (String::new(), 0);
    while let Some(c) = text[at..].chars().next() {
        if c == '`' {
            let end = at + 1 + text[at + 1..].find('`')?;
            path.push_str(&format!("['{}']", &text[at + 1..end]));
            at = end + 1;
        } else if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']') {
            path.push(c);
            at += 1;
        } else {
            break;
        }
    }
    match path.as_str() {
        "" => return None,
        "and" => out.push_str("&&"),
        "or" => out.push_str("||"),
        "true" | "false" | "null" => out.push_str(&path),
        _ => out.push_str(&format!("$value({})", quoted(&path.replace(".[", "[")))),
    }
    Some(at)
}

/// The text as JavaScript writes it.
fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    jose::json::write_text(&mut out, text);
    String::from_utf8(out).expect("the writer writes UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AC-76 (part): a reference becomes a call with its name as data, whether it stands alone or in a text.
    #[test]
    fn a_reference_is_never_code() {
        for (text, expected) in [
            ("request.verb === 'GET';", "request.verb === 'GET'"),
            ("$(a.b) == 1", "$value(\"a.b\") == 1"),
            ("'x$(a)y' == z", "('x' + $text(\"a\") + 'y') == z"),
            ("\"$(a)\" === \"it's\"", "(\"\" + $text(\"a\") + \"\") === \"it's\""),
            ("'\\'$(a)'", "('\\'' + $text(\"a\") + '')"),
            ("$(a\"+evil) == 1", "$value(\"a\\\"+evil\") == 1"),
        ] {
            assert_eq!(read(text, Gateway::V5), Condition::Usual(expected.to_owned()), "{text}");
        }
    }

    /// AC-75 (part): JSONata on the API gateway, JavaScript there with a warning, and what is neither.
    #[test]
    fn the_api_gateway_reads_jsonata() {
        let usual = |text: &str| match read(text, Gateway::Api) {
            Condition::Usual(expression) => expression.split_whitespace().collect::<Vec<_>>().join(" "),
            strange @ (Condition::Other(_) | Condition::Neither) => format!("{strange:?}"),
        };
        assert_eq!(
            usual("$httpVerb() = \"GET\" and $statusCode() >= 200"),
            "$call.httpVerb ( ) === \"GET\" && $call.statusCode ( ) >= 200"
        );
        assert_eq!(usual("message.headers.`x-a` != 'b'"), "$value(\"message.headers['x-a']\") !== \"b\"");
        assert_eq!(usual("$not($exists(a.b[0])) or true"), "$call.not ( $call.exists ( $value(\"a.b[0]\") ) ) || true");
        assert_eq!(read("request.verb === 'GET'", Gateway::Api), Condition::Other("request.verb === 'GET'".to_owned()));
        for text in ["$sum(a)", "a & b", "a ~> $f", "{\"a\": 1}", "'open"] {
            assert_eq!(read(text, Gateway::Api), Condition::Neither, "{text}");
        }
    }
}
