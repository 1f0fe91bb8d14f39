//! `chancery.toml`: read, bounded, and flattened into dotted names with their lines.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FILE_BYTES_MAX, SettingsError, Source};

/// One assignment in the file.
pub(super) struct Entry {
    pub(super) name: String,
    /// Its values as text, or nothing if no setting takes a value of this kind.
    pub(super) values: Option<Vec<String>>,
    pub(super) place: Source,
}

/// The assignments of the file, in its order; none if there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, SettingsError> {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => {
            return Err(SettingsError::Unreadable { path: path.to_owned(), cause });
        }
    };
    let table = DeTable::parse(&text).map_err(|error| SettingsError::NotToml {
        path: path.to_owned(),
        line: line_of(&text, error.span().map_or(0, |span| span.start)),
        why: error.message().to_owned(),
    })?;
    let mut flat = Flat { path, text: &text, entries: Vec::new() };
    flat.table("", table.get_ref());
    Ok(flat.entries)
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok(text)
}

struct Flat<'a> {
    path: &'a Path,
    text: &'a str,
    entries: Vec<Entry>,
}

impl Flat<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            if let DeValue::Table(inner) = value.get_ref() {
                self.table(&format!("{name}."), inner);
            } else {
                let place = Source::File { path: self.path.to_owned(), line: line_of(self.text, key.span().start) };
                let values = values(value);
                self.entries.push(Entry { name, values, place });
            }
        }
    }
}

fn values(value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    if let DeValue::Array(items) = value.get_ref() {
        return items.iter().map(scalar).collect();
    }
    scalar(value).map(|text| vec![text])
}

fn scalar(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}
