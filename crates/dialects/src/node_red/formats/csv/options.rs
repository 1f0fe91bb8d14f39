//! The settings of a `csv` node.

use plan::ecmascript::{is_truthy, number_of, text_of};
use plan::{Text, Value};

/// What a node is set to.
pub(super) struct Options {
    /// The names of the columns, as its author wrote them.
    pub(super) template: Text,
    /// What stands between cells.
    pub(super) separator: char,
    /// What ends a line that is written.
    pub(super) line_end: String,
    /// Whether all rows go into one message.
    pub(super) is_whole: bool,
    /// Whether the first line names the columns.
    pub(super) has_header: bool,
    /// Whether a line of names is written.
    pub(super) writes_header: bool,
    /// How many lines are skipped.
    pub(super) skip: usize,
    /// Whether cells that look like numbers are numbers.
    pub(super) reads_numbers: bool,
    /// Whether empty texts are members.
    pub(super) keeps_empty: bool,
    /// Whether cells without anything are `null` members.
    pub(super) keeps_null: bool,
    /// Whether RFC 4180 rules.
    pub(super) is_rfc: bool,
}

impl Options {
    /// The options of a node with these properties.
    pub(super) fn of(settings: &Value) -> Self {
        let get = |name: &str| settings.as_map().and_then(|all| all.get(name));
        let flag = |name: &str| get(name).is_some_and(is_truthy);
        let text =
            |name: &str, usual: &str| get(name).filter(|value| is_truthy(value)).map_or(usual.to_owned(), text_of);
        let unescaped = |text: String| text.replace("\\n", "\n").replace("\\r", "\r");
        let is_rfc = text("spec", "") == "rfc";
        let skip = number_of(get("skip").unwrap_or(&Value::Null));
        Self {
            template: text("temp", "").into(),
            separator: unescaped(text("sep", ",").replace("\\t", "\t")).chars().next().unwrap_or(','),
            line_end: unescaped(text("ret", if is_rfc { "\r\n" } else { "\n" })),
            is_whole: text("multi", "one") != "one",
            has_header: get("hdrin") == Some(&Value::Bool(true)),
            writes_header: flag("hdrout") && text("hdrout", "none") != "none",
            skip: if skip.is_finite() { skip.max(0.0) as usize } else { 0 },
            reads_numbers: get("strings").is_none_or(|value| *value == Value::Bool(true)),
            keeps_empty: flag("include_empty_strings"),
            keeps_null: flag("include_null_values"),
            is_rfc,
        }
    }
}
