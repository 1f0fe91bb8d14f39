//! From the text of a setting to its value; an error says what the setting takes.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::{MasterKeyPlace, PasswordPlace};
use crate::accept::Bind;
use crate::log::Form;

pub(super) fn one(values: &[String]) -> Result<&str, String> {
    match values {
        [value] => Ok(value),
        _ => Err("one value".to_owned()),
    }
}

pub(super) fn all<T: FromStr>(values: &[String], wanted: &str) -> Result<Vec<T>, String> {
    let parse = |value: &String| value.parse().map_err(|_| wanted.to_owned());
    values.iter().map(parse).collect()
}

pub(super) fn binds(values: &[String]) -> Result<Vec<Bind>, String> {
    if values == ["off"] {
        return Ok(Vec::new());
    }
    let parse = |value: &String| value.parse().map_err(|wanted: String| format!("off, or {wanted}"));
    values.iter().map(parse).collect()
}

pub(super) fn flag(values: &[String]) -> Result<bool, String> {
    one(values)?.parse().map_err(|_| "true or false".to_owned())
}

pub(super) fn whole(values: &[String], range: RangeInclusive<usize>) -> Result<usize, String> {
    let number = one(values)?.parse().ok();
    number
        .filter(|n| range.contains(n))
        .ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
}

/// `1500ms`, `30s`, `15m`, `1h`; a bare number counts seconds.
pub(super) fn duration(values: &[String], secs_max: u64) -> Result<Duration, String> {
    let text = one(values)?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let number = number.parse::<u64>().ok();
    let millis = millis.zip(number).and_then(|(unit, n)| n.checked_mul(unit));
    millis
        .filter(|millis| (1..=secs_max * 1_000).contains(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("a duration such as 500ms, 30s or 1m, at most {secs_max}s"))
}

/// A path, or none if it is empty.
pub(super) fn folder(values: &[String]) -> Result<Option<PathBuf>, String> {
    one(values).map(|path| (!path.is_empty()).then(|| PathBuf::from(path)))
}

pub(super) fn form(values: &[String]) -> Result<Option<Form>, String> {
    match one(values)? {
        "auto" => Ok(None),
        "json" => Ok(Some(Form::Json)),
        "text" => Ok(Some(Form::Text)),
        _ => Err("json, text or auto".to_owned()),
    }
}

pub(super) fn master_key(values: &[String]) -> Result<MasterKeyPlace, String> {
    let wanted = "file:PATH, env:NAME, passphrase-file:PATH or passphrase-env:NAME";
    let (scheme, rest) = one(values)?.split_once(':').ok_or(wanted)?;
    match (scheme, rest) {
        (_, "") => Err(wanted.to_owned()),
        ("file", path) => Ok(MasterKeyPlace::File(PathBuf::from(path))),
        ("env", name) => Ok(MasterKeyPlace::Environment(name.to_owned())),
        ("passphrase-file", path) => Ok(MasterKeyPlace::PassphraseFile(PathBuf::from(path))),
        ("passphrase-env", name) => Ok(MasterKeyPlace::PassphraseEnvironment(name.to_owned())),
        (_, _) => Err(wanted.to_owned()),
    }
}

/// A `postgres://` URL, or none if it is empty.
pub(super) fn address(values: &[String]) -> Result<Option<store::Address>, String> {
    match one(values)? {
        "" => Ok(None),
        url => store::Address::parse(url).map(Some).map_err(|error| format!("postgres://USER@HOST/DATABASE; {error}")),
    }
}

pub(super) fn password(values: &[String]) -> Result<Option<PasswordPlace>, String> {
    match one(values)?.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(Some(PasswordPlace::File(PathBuf::from(path)))),
        Some(("env", name)) if !name.is_empty() => Ok(Some(PasswordPlace::Environment(name.to_owned()))),
        None if values == [""] => Ok(None),
        Some(_) | None => Err("file:PATH or env:NAME".to_owned()),
    }
}
