//! Conditions in JSONata: names as the vendor writes them, its own functions, and `$(name)` as a value.

use std::sync::Arc;

use plan::{Expr, Fault, Function, Map, Text, Value};

/// The vendor's functions, by what they find in the context.
pub(in crate::api_connect) const PRELUDE: &str = "
$apiCtx := function(){$$};
$header := function($n){$lookup($$.message.headers, $lowercase($n))};
$httpVerb := function(){$$.request.verb};
$operationID := function(){$$.api.operation.id};
$operationPath := function(){$$.api.operation.path};
$urlParameter := function($n){($p := $lookup($$.request.parameters, $n); $type($p) = \"object\" ? $p.values[0] : $p)};
$queryParameter := function($n){$urlParameter($n)};
$statusCode := function(){$$.message.status.code};
$storageType := function(){($b := $$.message.body; $t := $type($b);
  $exists($b) = false ? \"empty\" : $t = \"object\" or $t = \"array\" ? \"json\" :
  $t = \"string\" and $substring($trim($b), 0, 1) = \"<\" ? \"xml\" : \"binary\")};
";
/// Functions that the vendor leaves out of the language, and one that would need a reader of XPath.
const REFUSED: [&str; 10] = ["assert", "each", "error", "eval", "filter", "map", "reduce", "sift", "single", "xpath"];
/// Roots whose members are named without regard to capitals.
const HEADERS: [&str; 2] = ["request.headers.", "message.headers."];
/// The member of the context that holds what references stand for.
const REFERENCES: &str = "$()";
/// The context with what references stand for, and with properties of the API where nothing else has their name.
const CONTEXT: Function = Function { name: "context", run: context };
/// Whether a value of JSONata counts as true.
const TRUTH: Function = Function { name: "truth", run: truth };

/// An expression, and the names that it refers to by `$(name)`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::api_connect) struct Jsonata {
    /// The expression; the reference of number n is the member of that name below `$()`.
    pub(in crate::api_connect) source: String,
    /// The names, in the order of their numbers.
    pub(in crate::api_connect) references: Vec<String>,
}

/// What an expression is evaluated for: the context, beside it the values of references and properties.
pub(in crate::api_connect) fn context_of(references: Vec<Expr>, properties: Map) -> Expr {
    let whole = Expr::Message(plan::Path::default());
    if references.is_empty() && properties.is_empty() {
        return whole;
    }
    let to = [whole, Expr::Literal(properties.into())].into_iter().chain(references).collect();
    Expr::Applied { function: CONTEXT, to }
}

/// Whether the value of an expression counts as true.
pub(in crate::api_connect) fn truth_of(value: Expr) -> Expr {
    Expr::Applied { function: TRUTH, to: vec![value] }
}

/// Reads an expression.
///
/// # Errors
/// Why it does not run here.
pub(super) fn read(text: &str) -> Result<Jsonata, String> {
    let mut reader = Reader { out: String::new(), references: Vec::new() };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '"' | '\'' => reader.quoted(rest, c),
            '$' => reader.dollar(rest)?,
            '/' if rest.starts_with("/*") => rest.split_once("*/").map_or("", |(_, behind)| behind),
            '`' => reader.name(rest),
            c if c.is_alphabetic() || c == '_' => reader.name(rest),
            c => {
                reader.out.push(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    Ok(Jsonata { source: reader.out, references: reader.references })
}

struct Reader {
    out: String,
    references: Vec<String>,
}

impl Reader {
    /// A text, whose references are put between its parts.
    fn quoted<'t>(&mut self, text: &'t str, mark: char) -> &'t str {
        let (mut part, mut parts, mut rest) = (String::new(), Vec::new(), &text[1..]);
        while let Some(c) = rest.chars().next() {
            if c == mark {
                rest = &rest[1..];
                break;
            }
            if let Some((name, behind)) = reference(rest) {
                parts.push(format!("{mark}{}{mark}", std::mem::take(&mut part)));
                parts.push(self.number(name));
                rest = behind;
                continue;
            }
            let taken =
                if c == '\\' { rest.chars().nth(1).map_or(1, |next| 1 + next.len_utf8()) } else { c.len_utf8() };
            part.push_str(&rest[..taken]);
            rest = &rest[taken..];
        }
        parts.push(format!("{mark}{part}{mark}"));
        let joined = parts.join(" & ");
        self.out.push_str(&if parts.len() > 1 { format!("({joined})") } else { joined });
        rest
    }

    /// `$(name)`, or a variable or function of the language.
    fn dollar<'t>(&mut self, text: &'t str) -> Result<&'t str, String> {
        if let Some((name, behind)) = reference(text) {
            let number = self.number(name);
            self.out.push_str(&number);
            return Ok(behind);
        }
        let end = text[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(text.len(), |end| end + 1);
        let (name, behind) = text.split_at(end);
        if REFUSED.contains(&&name[1..]) && behind.trim_start().starts_with('(') {
            return Err(format!("`{name}` is not among the functions of a condition"));
        }
        self.out.push_str(name);
        if name == "$" {
            // `$$` is the context itself.
            self.out.push_str(if behind.starts_with('$') { "$" } else { "" });
            return Ok(behind.strip_prefix('$').unwrap_or(behind));
        }
        Ok(behind)
    }

    /// A path of names. Headers are held in small letters, and the status by another name than some write it.
    fn name<'t>(&mut self, text: &'t str) -> &'t str {
        let (mut path, mut rest) = (String::new(), text);
        loop {
            let (step, behind) = step(rest);
            let is_header = HEADERS.contains(&path.as_str());
            path.push_str(&if is_header { step.to_lowercase() } else { step.to_owned() });
            rest = behind;
            match rest.strip_prefix('.') {
                Some(behind) if behind.starts_with(|c: char| c == '`' || c.is_alphabetic() || c == '_') => {
                    path.push('.');
                    rest = behind;
                }
                Some(_) | None => break,
            }
        }
        let alias = |name: &str, member: &str| {
            let rest = path.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with('.')).then(|| format!("{member}{rest}"))
        };
        let written = alias("message.statusCode", "message.status.code")
            .or_else(|| alias("message.statusReason", "message.status.reason"));
        self.out.push_str(&written.unwrap_or(path));
        rest
    }

    fn number(&mut self, name: &str) -> String {
        self.references.push(name.to_owned());
        format!("$$.`{REFERENCES}`.`{}`", self.references.len() - 1)
    }
}

/// The name in `$(name)` at the beginning of a text, and what stands behind it.
fn reference(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("$(")?.split_once(')')
}

/// One name at the beginning of a text, in back ticks or plain, and what stands behind it.
fn step(text: &str) -> (&str, &str) {
    let end = match text.strip_prefix('`') {
        Some(inner) => inner.find('`').map_or(text.len(), |end| end + 2),
        None => text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len()),
    };
    text.split_at(end)
}

fn context(arguments: &[Value]) -> Result<Value, Fault> {
    let [whole, properties, references @ ..] = arguments else { return Ok(Value::Undefined) };
    let Value::Map(members) = whole else { return Ok(whole.clone()) };
    let mut members = Arc::clone(members);
    let context = Arc::make_mut(&mut members);
    for (name, value) in properties.as_map().into_iter().flat_map(Map::iter) {
        if context.get(name).is_none() {
            context.insert(name.clone(), value.clone());
        }
    }
    let numbered = references.iter().enumerate().filter(|(_, value)| !value.is_undefined());
    let numbered: Map = numbered.map(|(at, value)| (Text::from(at.to_string()), value.clone())).collect();
    context.insert(REFERENCES.into(), numbered.into());
    Ok(Value::Map(members))
}

/// What `$boolean` of JSONata 2 makes of a value: nothing that is empty or zero counts, nor a list of such.
fn truth(arguments: &[Value]) -> Result<Value, Fault> {
    fn counts(value: &Value) -> bool {
        match value {
            Value::Undefined | Value::Null | Value::Handle(_) | Value::Unencodable(_) => false,
            Value::Bool(truth) => *truth,
            Value::Number(number) => number.as_f64() != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Bytes(octets) => !octets.is_empty(),
            Value::Date(_) => true,
            Value::List(items) => items.iter().any(counts),
            Value::Map(map) => map.iter().next().is_some(),
        }
    }
    Ok(Value::Bool(arguments.first().is_some_and(counts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> String {
        read(text).unwrap().source
    }

    /// AC-76 (part): a reference stands for its value by a number, whether it stands alone or in a text.
    #[test]
    fn a_reference_is_never_code() {
        let read = read("$(a.b) = 1 and \"x$(c\")\" = 'it`s'").unwrap();
        assert_eq!(read.source, "$$.`$()`.`0` = 1 and (\"x\" & $$.`$()`.`1` & \"\") = 'it`s'");
        assert_eq!(read.references, ["a.b", "c\""]);
        assert_eq!(source(r#""a\"$(b)" = c"#), r#"("a\"" & $$.`$()`.`0` & "") = c"#);
    }

    #[test]
    fn headers_are_named_in_any_case() {
        for (text, expected) in [
            ("message.headers.`Content-Type`", "message.headers.`content-type`"),
            ("request.headers.Host = 'A.B'", "request.headers.host = 'A.B'"),
            ("message.body.Name.X", "message.body.Name.X"),
            ("message.statusCode >= 200", "message.status.code >= 200"),
            ("message.statusCodes", "message.statusCodes"),
            ("$$.a[0].b /* c */ & $apiCtx().d", "$$.a[0].b  & $apiCtx().d"),
            ("a.*.b", "a.*.b"),
        ] {
            assert_eq!(source(text), expected);
        }
    }

    /// AC-75 (part): what the vendor leaves out of the language is refused by name.
    #[test]
    fn some_functions_are_refused_by_name() {
        for name in REFUSED {
            assert!(read(&format!("1 + ${name} (a)")).unwrap_err().contains(name));
        }
        assert!(read("$mapping(a)").is_ok() && read("map(a)").is_ok());
    }

    #[test]
    fn empty_things_count_as_false() {
        let truth = |value: Value| truth(&[value]) == Ok(Value::Bool(true));
        for value in [
            Value::text("a"),
            Value::integer(2),
            Value::map([("a", Value::Null)]),
            Value::list(vec![Value::Bool(true)]),
        ] {
            assert!(truth(value.clone()), "{value:?}");
        }
        for value in
            [Value::Undefined, Value::Null, Value::text(""), Value::integer(0), Value::list(vec![Value::integer(0)])]
        {
            assert!(!truth(value.clone()), "{value:?}");
        }
    }

    #[test]
    fn a_property_never_takes_the_place_of_a_variable() {
        let whole = Value::map([("a", Value::integer(1))]);
        let properties = Value::map([("a", Value::integer(9)), ("b", Value::integer(2))]);
        let made = context(&[whole, properties, Value::Undefined, Value::text("r")]).unwrap();
        let expected =
            [("a", Value::integer(1)), ("b", Value::integer(2)), ("$()", Value::map([("1", Value::text("r"))]))];
        assert_eq!(made, Value::map(expected));
    }
}
