//! Writes lists and objects as CSV.

use plan::ecmascript::text_of as ecmascript_text;
use plan::{Fault, Map, Text, Value, write_json};

use super::options::Options;
use super::{legacy, names_any, rfc, unfit};

/// The text of a value, and the names of its columns.
///
/// # Errors
///
/// A cell that has no text.
pub(super) fn text_of(value: &Value, columns: &Value, options: &Options) -> Result<(String, String), Fault> {
    let rows = rows(value);
    let mut writer = Writer { options, template: Vec::new() };
    writer.template = writer.names(&options.template)?;
    let given = columns.as_text().filter(|_| !names_any(&writer.template));
    let first_names = || rows.first().and_then(Value::as_map).map(names_of).unwrap_or_default();
    let mut lines = Vec::new();
    if options.writes_header {
        if !names_any(&writer.template) {
            writer.template = given.map_or_else(|| Ok(first_names()), |given| writer.names(given))?;
        }
        lines.push(writer.header());
    }
    for row in &rows {
        let line = if let Value::List(cells) = row {
            writer.list(cells)?
        } else {
            if let Some(given) = given.filter(|_| !names_any(&writer.template)) {
                writer.template = writer.names(given)?;
            }
            let none = Map::new();
            writer.object(row.as_map().unwrap_or(&none), rows.first().and_then(Value::as_map).unwrap_or(&none))?
        };
        lines.push(line);
    }
    let columns =
        if options.is_rfc { rfc::shown(&writer.template, false) } else { legacy::shown(&writer.template, false) };
    Ok((lines.join(&options.line_end) + &options.line_end, columns))
}

/// A lone object is one row, and so is a list of what are no rows.
fn rows(value: &Value) -> Vec<Value> {
    let is_row = |first: &Value| matches!(first, Value::List(_) | Value::Map(_) | Value::Null);
    if let Value::List(items) = value
        && items.first().is_none_or(is_row)
    {
        return items.to_vec();
    }
    vec![value.clone()]
}

struct Writer<'o> {
    options: &'o Options,
    template: Vec<Text>,
}

impl Writer<'_> {
    fn names(&self, line: &str) -> Result<Vec<Text>, Fault> {
        if self.options.is_rfc { rfc::names(line) } else { Ok(legacy::names(line, ',')) }
    }

    fn header(&self) -> String {
        let separator = self.options.separator;
        let name = |name: &Text| match self.options.is_rfc {
            true => rfc::quoted(name, separator),
            false if name.contains(separator) => format!("\"{name}\""),
            false => name.to_string(),
        };
        self.joined(self.template.iter().map(name))
    }

    fn list(&self, cells: &[Value]) -> Result<String, Fault> {
        let text = |cell: &Value| {
            if cell.is_undefined() {
                return Ok(String::new());
            }
            if self.options.is_rfc {
                return cell_text(cell);
            }
            if *cell == Value::Null { Err(unfit("A cell is null.")) } else { Ok(ecmascript_text(cell)) }
        };
        let has_names = self.options.is_rfc && names_any(&self.template);
        let len = if has_names { self.template.len() } else { cells.len() };
        let mut line = Vec::new();
        for at in 0..len {
            let is_left_out = has_names && self.template[at].is_empty();
            let cell = cells.get(at).unwrap_or(&Value::Undefined);
            line.push(if is_left_out { String::new() } else { self.quoted(&text(cell)?) });
        }
        Ok(self.joined(line.into_iter()))
    }

    /// A row by the names of the columns; without any, by those of the first row, where it has plain values.
    fn object(&mut self, row: &Map, first: &Map) -> Result<String, Fault> {
        if names_any(&self.template) {
            let cell = |name: &Text| match row.get(name).filter(|_| !name.is_empty()) {
                None | Some(Value::Undefined) => Ok(String::new()),
                Some(cell) => cell_text(cell).map(|text| self.quoted(&text)),
            };
            let cells: Vec<_> = self.template.iter().map(cell).collect::<Result<_, _>>()?;
            return Ok(self.joined(cells.into_iter()));
        }
        if self.options.is_rfc {
            self.template = names_of(row);
        }
        let is_plain =
            |cell: &&Value| matches!(cell, Value::Undefined | Value::Bool(_) | Value::Number(_) | Value::Text(_));
        let own = first.iter().filter_map(|(name, _)| row.get(name)).filter(is_plain);
        let text = |cell: &Value| if cell.is_undefined() { String::new() } else { self.quoted(&ecmascript_text(cell)) };
        Ok(self.joined(own.map(text)))
    }

    fn quoted(&self, cell: &str) -> String {
        if self.options.is_rfc {
            return rfc::quoted(cell, self.options.separator);
        }
        let asks = cell.contains(['"', '\n', self.options.separator]);
        if asks { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
    }

    fn joined(&self, cells: impl Iterator<Item = String>) -> String {
        cells.collect::<Vec<_>>().join(&self.options.separator.to_string())
    }
}

fn names_of(row: &Map) -> Vec<Text> {
    row.iter().map(|(name, _)| name.clone()).collect()
}

/// A cell as text: lists, maps and `null` as JSON.
fn cell_text(cell: &Value) -> Result<String, Fault> {
    if !matches!(cell, Value::List(_) | Value::Map(_) | Value::Null | Value::Date(_) | Value::Handle(_)) {
        return Ok(ecmascript_text(cell));
    }
    let mut out = Vec::new();
    write_json(&mut out, cell).map_err(|why| unfit(&format!("A cell has no text: {why}.")))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}
