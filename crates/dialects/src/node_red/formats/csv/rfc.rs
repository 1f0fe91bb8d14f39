//! The rules of RFC 4180: quotes count only around a whole cell.

use plan::ecmascript::number_of_text;
use plan::{Fault, Map, Number, Text, Value};

use super::options::Options;
use super::{CELLS_MAX, names_any, push_row, unfit};

/// A cell; none if nothing at all stands there.
type Cell = Option<String>;

/// The rows of a text, and the names of the columns.
///
/// # Errors
///
/// Names of columns that are not well-formed, or a text with too many cells.
pub(super) fn rows(text: &str, options: &Options) -> Result<(Vec<Value>, String), Fault> {
    let chars: Vec<char> = text.chars().collect();
    let mut cursor = skipped(&chars, options.skip);
    let mut template = names(&options.template)?;
    if options.has_header {
        let mut reader = Reader::new(&chars, cursor, options.separator, true);
        let header = reader.row()?;
        cursor = reader.cursor;
        template = header.unwrap_or_default().into_iter().map(|name| name.unwrap_or_default().into()).collect();
    }
    let mut reader = Reader::new(&chars, cursor, options.separator, false);
    let (mut rows, mut cells) = (Vec::new(), 0);
    while let Some(row) = reader.row()? {
        if !names_any(&template) {
            template = (1..=row.len()).map(|at| format!("col{at}").into()).collect();
        }
        push_row(&mut rows, named(&template, row, options), &mut cells)?;
    }
    Ok((rows, shown(&template, false)))
}

/// The names of columns in a line of the author's; a single empty one if there are none.
///
/// # Errors
///
/// A line that is not well-formed.
pub(super) fn names(line: &str) -> Result<Vec<Text>, Fault> {
    let chars: Vec<char> = line.chars().collect();
    let mut reader = Reader::new(&chars, 0, ',', true);
    let first = reader.row()?;
    let names = first.filter(|_| reader.cursor >= chars.len()).unwrap_or_else(|| vec![None]);
    Ok(names.into_iter().map(|name| name.unwrap_or_default().into()).collect())
}

/// The names in one line, quoted where RFC 4180 asks for it.
pub(super) fn shown(template: &[Text], keeps_empty: bool) -> String {
    let kept = template.iter().filter(|name| keeps_empty || !name.is_empty());
    kept.map(|name| quoted(name, ',')).collect::<Vec<_>>().join(",")
}

/// A cell as it is written between these separators.
pub(super) fn quoted(cell: &str, separator: char) -> String {
    if cell.contains([separator, '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn skipped(chars: &[char], lines: usize) -> usize {
    let mut ends = chars.iter().enumerate().filter(|(_, c)| matches!(c, '\r' | '\n')).map(|(at, _)| at + 1);
    if lines == 0 { 0 } else { ends.nth(lines - 1).unwrap_or(chars.len()) }
}

fn named(template: &[Text], row: Vec<Cell>, options: &Options) -> Map {
    let mut members = Map::new();
    let mut cells = row.into_iter();
    for name in template {
        let cell = cells.next().flatten();
        let value = match cell {
            _ if name.is_empty() => continue,
            None if !options.keeps_null => continue,
            None => Value::Null,
            Some(cell) if cell.is_empty() && !options.keeps_empty => continue,
            Some(cell) => number(&cell).filter(|_| options.reads_numbers).unwrap_or_else(|| Value::text(cell)),
        };
        members.insert(name.clone(), value);
    }
    members
}

/// What `+cell` is, but for a plus or a zero before other digits.
fn number(cell: &str) -> Option<Value> {
    let begin = cell.trim_start_matches(' ');
    let zero = begin.strip_prefix('-').unwrap_or(begin);
    let leads = zero.starts_with('0') && zero[1..].starts_with(|c: char| c.is_ascii_digit());
    let value = number_of_text(cell);
    (!cell.is_empty() && !begin.starts_with('+') && !leads && !value.is_nan())
        .then(|| Value::Number(Number::Float(value)))
}

struct Reader<'c> {
    chars: &'c [char],
    cursor: usize,
    separator: char,
    /// Whether what is not well-formed is an error.
    is_strict: bool,
    cells_left: usize,
}

impl<'c> Reader<'c> {
    fn new(chars: &'c [char], cursor: usize, separator: char, is_strict: bool) -> Self {
        Self { chars, cursor, separator, is_strict, cells_left: CELLS_MAX }
    }

    /// The next row that holds anything; none at the end.
    fn row(&mut self) -> Result<Option<Vec<Cell>>, Fault> {
        let mut row = Vec::new();
        let mut cell: Cell = None;
        while let Some(&c) = self.chars.get(self.cursor) {
            self.cursor += 1;
            if c == '\n' || c == '\r' {
                self.cursor += usize::from(self.chars.get(self.cursor) == Some(&'\n'));
                row.extend(cell.take().filter(|cell| !cell.is_empty()).map(Some));
                if !row.is_empty() {
                    return Ok(Some(row));
                }
            } else if c == self.separator {
                self.cells_left =
                    self.cells_left.checked_sub(1).ok_or_else(|| unfit("The CSV holds too many cells."))?;
                row.push(cell.take());
            } else if c == '"' && cell.is_none() {
                self.quoted_cell(cell.insert(String::new()))?;
            } else if c == '"' {
                self.stray_quote(cell.get_or_insert_default())?;
            } else {
                cell.get_or_insert_default().push(c);
            }
        }
        row.extend(cell.filter(|cell| !cell.is_empty()).map(Some));
        Ok(Some(row).filter(|row| !row.is_empty()))
    }

    /// The rest of a cell whose quote is open.
    fn quoted_cell(&mut self, cell: &mut String) -> Result<(), Fault> {
        while let Some(&c) = self.chars.get(self.cursor) {
            self.cursor += 1;
            if c != '"' {
                cell.push(c);
                continue;
            }
            if self.chars.get(self.cursor) == Some(&'"') {
                cell.push('"');
                self.cursor += 1;
                continue;
            }
            let next = self.chars.get(self.cursor);
            let ends = next.is_none_or(|next| *next == self.separator || matches!(next, '\n' | '\r'));
            if ends {
                return Ok(());
            }
            if self.is_strict {
                return Err(unfit("Data stands behind a closing quote."));
            }
            // The quote counts as a part of the text.
            cell.push('"');
            return Ok(());
        }
        if self.is_strict { Err(unfit("A quote is not closed.")) } else { Ok(()) }
    }

    /// A quote within a cell that does not begin with one.
    fn stray_quote(&mut self, cell: &mut String) -> Result<(), Fault> {
        if self.is_strict {
            return Err(unfit("A quote stands in the middle of a cell without quotes."));
        }
        if self.chars.get(self.cursor).is_some_and(|next| *next != self.separator && !matches!(next, '\n' | '\r')) {
            cell.push('"');
            self.cursor += usize::from(self.chars[self.cursor] == '"');
        }
        Ok(())
    }
}
