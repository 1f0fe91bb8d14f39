//! Conditions: the expressions of `switch` and `if`, each in one of the vendor's two languages (section 10).

mod javascript;
mod jsonata;

use super::syntax::Gateway;
pub(super) use jsonata::{Jsonata, PRELUDE, context_of, truth_of};

/// A condition, ready to be run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// An expression of JavaScript, in which references are calls of `$value` and `$text`.
    JavaScript(String),
    /// An expression of JSONata.
    Jsonata(Jsonata),
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The condition.
    pub(super) condition: Condition,
    /// Whether it is written in the other gateway's language.
    pub(super) is_foreign: bool,
}

/// Reads a condition: JavaScript on v5, JSONata on the API gateway, unless it can only be the other.
///
/// # Errors
/// Why it does not run here.
pub(super) fn read(text: &str, gateway: Gateway) -> Result<Read, String> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let signs = Signs::of(text);
    let is_javascript = match gateway {
        Gateway::V5 => signs.javascript || !signs.jsonata,
        Gateway::Api => signs.javascript && !signs.jsonata,
    };
    let condition = if is_javascript {
        Condition::JavaScript(javascript::with_values(text))
    } else {
        Condition::Jsonata(jsonata::read(text)?)
    };
    Ok(Read { condition, is_foreign: is_javascript != (gateway == Gateway::V5) })
}

/// Whether there is something in a text, outside of its quotes, that only one of the languages has.
struct Signs {
    javascript: bool,
    jsonata: bool,
}

impl Signs {
    fn of(text: &str) -> Self {
        let bare = without_quoted(text);
        let has = |marks: &[&str]| marks.iter().any(|mark| bare.contains(mark));
        let words: Vec<&str> = bare.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$').collect();
        let has_word = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        let negates = bare.split('!').skip(1).any(|behind| !behind.starts_with('='));
        Self {
            javascript: negates
                || has(&["==", "&&", "||", "=>"])
                || has_word(&["typeof", "instanceof", "apim", "context"]),
            jsonata: has(&["`", "~>", ":="])
                || has_word(&["and", "or"])
                || words.iter().any(|word| word.len() > 1 && word.starts_with('$')),
        }
    }
}

/// The text with nothing in its quotes, and without references.
fn without_quoted(text: &str) -> String {
    let (mut out, mut quote, mut escaped, mut is_reference) = (String::new(), None, false, false);
    for (at, c) in text.char_indices() {
        is_reference |= quote.is_none() && text[at..].starts_with("$(");
        if is_reference {
            is_reference = c != ')';
            continue;
        }
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(mark) if c == mark => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(text: &str, gateway: Gateway) -> (&'static str, bool) {
        let Read { condition, is_foreign } = read(text, gateway).unwrap();
        (if matches!(condition, Condition::JavaScript(_)) { "javascript" } else { "jsonata" }, is_foreign)
    }

    /// AC-75 (part): each gateway has its language, and takes the other where a condition can be nothing else.
    #[test]
    fn a_condition_is_in_the_language_of_its_gateway_unless_it_cannot_be() {
        for (text, language_of_v5, language_of_api) in [
            ("request.verb === 'GET'", ("javascript", false), ("javascript", true)),
            ("a && b", ("javascript", false), ("javascript", true)),
            ("request.headers.x", ("javascript", false), ("jsonata", false)),
            ("a > 1", ("javascript", false), ("jsonata", false)),
            // An assignment, which is what JavaScript makes of it.
            ("a = 'x == y'", ("javascript", false), ("jsonata", false)),
            ("$statusCode() >= 200", ("jsonata", true), ("jsonata", false)),
            ("a and b", ("jsonata", true), ("jsonata", false)),
            ("$(a.b) == 1", ("javascript", false), ("javascript", true)),
            ("apim.getvariable('a')", ("javascript", false), ("javascript", true)),
            ("!$(flag)", ("javascript", false), ("javascript", true)),
            ("$(either.or) > 1", ("javascript", false), ("jsonata", false)),
        ] {
            assert_eq!(language(text, Gateway::V5), language_of_v5, "{text}");
            assert_eq!(language(text, Gateway::Api), language_of_api, "{text}");
        }
    }
}
