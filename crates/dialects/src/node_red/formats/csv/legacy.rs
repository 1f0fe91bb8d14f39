//! The old rules: quotes open and close wherever they stand.

use std::sync::LazyLock;

use plan::{Fault, Map, Number, Text, Value};
use regex::Regex;

use super::options::Options;
use super::{names_any, push_row};

/// What reads as a number, but for a zero before other digits, which is told apart beside it.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^-?[0-9]*\.?[0-9]*([eE]-?\+?)?[0-9]+$").expect("the pattern is well-formed"));

/// The rows of a text, and the names of the columns.
///
/// # Errors
///
/// A text with too many cells.
pub(super) fn rows(text: &str, options: &Options) -> Result<(Vec<Value>, String), Fault> {
    let chars: Vec<char> = text.chars().collect();
    let template = names(&options.template, ',');
    let mut reader =
        Reader { options, is_given: names_any(&template), template, cell: Some(String::new()), at: 0, row: Map::new() };
    let (mut rows, mut cells) = (Vec::new(), 0);
    let (mut outside, mut lines, mut header) = (true, 0, String::new());
    let mut is_first = true;
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let is_last = at + 1 == chars.len();
        let ends_line = matches!(c, '\n' | '\r');
        if is_first && lines < options.skip {
            lines += usize::from(c == '\n');
        } else if options.has_header && is_first {
            if !ends_line || is_last {
                header.push(c);
            }
            if ends_line || is_last {
                reader.name(names(&header, options.separator));
                is_first = false;
            }
        } else if c == '"' {
            outside = !outside;
            if before == Some('"') && !outside {
                reader.add('"');
            }
        } else if c == options.separator && outside {
            reader.end_cell(before.is_none_or(|before| before == options.separator || before == '\n'));
            reader.at += 1;
            reader.cell = (!is_last).then(String::new);
        } else if ends_line && outside {
            reader.end_cell(before == Some(options.separator));
            push_row(&mut rows, std::mem::take(&mut reader.row), &mut cells)?;
            (reader.at, reader.cell) = (0, Some(String::new()));
        } else {
            reader.add(c);
        }
    }
    reader.end_cell(false);
    push_row(&mut rows, std::mem::take(&mut reader.row), &mut cells)?;
    Ok((rows, shown(&reader.template, true)))
}

/// The names of columns in a line.
pub(super) fn names(line: &str, separator: char) -> Vec<Text> {
    let line = line.trim();
    let mut quotes_left = line.matches('"').count();
    let mut names = vec![String::new()];
    for c in line.chars() {
        quotes_left -= usize::from(c == '"');
        match names.last_mut() {
            Some(_) if c == separator && quotes_left.is_multiple_of(2) => names.push(String::new()),
            Some(name) if c != '"' => name.push(c),
            Some(_) | None => {}
        }
    }
    names.iter().map(|name| name.trim().into()).collect()
}

/// The names in one line, those with a comma in quotes.
pub(super) fn shown(template: &[Text], drops_empty: bool) -> String {
    let quoted = |name: &Text| if name.contains(',') { format!("\"{name}\"") } else { name.to_string() };
    let kept = template.iter().filter(|name| !drops_empty || !name.is_empty());
    kept.map(quoted).collect::<Vec<_>>().join(",")
}

struct Reader<'o> {
    options: &'o Options,
    template: Vec<Text>,
    /// Whether the names are the author's or the header's, and not made up.
    is_given: bool,
    /// The cell so far; none if nothing at all stands there.
    cell: Option<String>,
    at: usize,
    row: Map,
}

impl Reader<'_> {
    fn name(&mut self, template: Vec<Text>) {
        self.is_given = names_any(&template);
        self.template = template;
    }

    fn add(&mut self, c: char) {
        self.cell.get_or_insert_default().push(c);
    }

    fn end_cell(&mut self, is_nothing: bool) {
        if !self.is_given {
            self.template.resize((self.at + 1).max(self.template.len()), "".into());
            self.template[self.at] = format!("col{}", self.at + 1).into();
        }
        let Some(name) = self.template.get(self.at).filter(|name| !name.is_empty()) else { return };
        let value = match self.cell.take().filter(|_| !is_nothing) {
            None if !self.options.keeps_null => return,
            None => Value::Null,
            Some(cell) => match number(cell.trim()).filter(|_| self.options.reads_numbers) {
                Some(number) => number,
                None if cell.is_empty() && !self.options.keeps_empty => return,
                None => Value::text(cell),
            },
        };
        self.row.insert(name.clone(), value);
    }
}

fn number(cell: &str) -> Option<Value> {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let leads_with_zero = digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit());
    if leads_with_zero || digits.starts_with(['e', 'E']) || !NUMBER.is_match(cell) {
        return None;
    }
    let whole = cell.split(['e', 'E']).next().unwrap_or_default();
    cell.parse().or_else(|_| whole.parse()).ok().map(|number| Value::Number(Number::Float(number)))
}
