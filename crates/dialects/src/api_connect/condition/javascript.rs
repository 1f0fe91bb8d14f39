//! Conditions in JavaScript: `$(name)` is a value there, never code.

/// JavaScript in which `$(name)` is a value: outside of texts by its type, inside of one as a part of the text.
pub(super) fn with_values(text: &str) -> String {
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
            ("request.verb === 'GET'", "request.verb === 'GET'"),
            ("$(a.b) == 1", "$value(\"a.b\") == 1"),
            ("'x$(a)y' == z", "('x' + $text(\"a\") + 'y') == z"),
            ("\"$(a)\" === \"it's\"", "(\"\" + $text(\"a\") + \"\") === \"it's\""),
            ("'\\'$(a)'", "('\\'' + $text(\"a\") + '')"),
            ("$(a\"+evil) == 1", "$value(\"a\\\"+evil\") == 1"),
        ] {
            assert_eq!(with_values(text), expected, "{text}");
        }
    }
}
