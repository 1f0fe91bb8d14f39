//! Writes values as YAML in blocks, two blanks a level.

use base64_simd::STANDARD;
use plan::ecmascript::text_of as ecmascript_text;
use plan::{Fault, FaultKind, Map, Number, Value};

use super::scalar;

/// The longest text that is written, in octets.
const TEXT_BYTES_MAX: usize = 5 << 20;
/// How deep values may stand in each other.
const DEPTH_MAX: usize = 200;
/// The longest key that stands in front of its value without a mark.
const KEY_PLAIN_MAX: usize = 1024;

/// The value as YAML text.
///
/// # Errors
///
/// A value that YAML has no word for, or too much of it.
pub(super) fn text_of(value: &Value) -> Result<String, Fault> {
    let mut writer = Writer { bytes_left: TEXT_BYTES_MAX };
    Ok(writer.node(value, 0, true)?.map_or_else(String::new, |text| text + "\n"))
}

struct Writer {
    bytes_left: usize,
}

impl Writer {
    /// The text of a value at this level; none if it is undefined. `compact`: it may begin in the line of its dash.
    fn node(&mut self, value: &Value, level: usize, compact: bool) -> Result<Option<String>, Fault> {
        if level > DEPTH_MAX {
            return Err(Fault::new(FaultKind::Oversized, format!("The value is more than {DEPTH_MAX} levels deep.")));
        }
        let text = match value {
            Value::Undefined => return Ok(None),
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number_text(number),
            Value::Text(text) => scalar::text_of(text, level, false),
            Value::Date(date) => date.to_iso_text().ok_or_else(|| unfit("The value holds a date that is none."))?,
            Value::Bytes(octets) => format!("!!binary {}", STANDARD.encode_to_string(octets)),
            Value::List(items) if items.is_empty() => "[]".to_owned(),
            Value::List(items) => return self.list(items, level, compact).map(Some),
            Value::Map(members) => return self.map(members, level, compact).map(Some),
            Value::Handle(_) | Value::Unencodable(_) => {
                return Err(unfit("The value holds something that YAML has no word for."));
            }
        };
        self.spend(text.len())?;
        Ok(Some(text))
    }

    fn list(&mut self, items: &[Value], level: usize, compact: bool) -> Result<String, Fault> {
        let mut out = String::new();
        for item in items {
            let text = self.node(item, level + 1, true)?.unwrap_or_else(|| "null".to_owned());
            self.line(&mut out, level, compact)?;
            out.push_str(if text.starts_with('\n') { "-" } else { "- " });
            out.push_str(&text);
        }
        Ok(out)
    }

    fn map(&mut self, members: &Map, level: usize, compact: bool) -> Result<String, Fault> {
        let mut out = String::new();
        for (name, member) in members.iter() {
            let key = scalar::text_of(name, level + 1, true);
            let is_marked = key.len() > KEY_PLAIN_MAX;
            let Some(text) = self.node(member, level + 1, is_marked)? else { continue };
            self.spend(key.len())?;
            self.line(&mut out, level, compact)?;
            if is_marked {
                out.push_str("? ");
            }
            out.push_str(&key);
            if is_marked {
                out.push('\n');
                out.push_str(&"  ".repeat(level));
            }
            out.push_str(if text.starts_with('\n') { ":" } else { ": " });
            out.push_str(&text);
        }
        Ok(if out.is_empty() { "{}".to_owned() } else { out })
    }

    /// Begins a line of this level, unless it is the first and may stand where it is.
    fn line(&mut self, out: &mut String, level: usize, compact: bool) -> Result<(), Fault> {
        if !compact || !out.is_empty() {
            self.spend(2 * level + 3)?;
            out.push('\n');
            out.push_str(&"  ".repeat(level));
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = self.bytes_left.checked_sub(bytes);
        let too_much = || Fault::new(FaultKind::Oversized, format!("The YAML is longer than {TEXT_BYTES_MAX} octets."));
        self.bytes_left = left.ok_or_else(too_much)?;
        Ok(())
    }
}

fn unfit(why: &str) -> Fault {
    Fault::new(FaultKind::ValueUnfit, why)
}

fn number_text(number: &Number) -> String {
    let float = number.as_f64();
    if float.is_nan() {
        return ".nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    if float == 0.0 && float.is_sign_negative() {
        return "-0.0".to_owned();
    }
    let text = ecmascript_text(&Value::Number(number.clone()));
    let has_dot = text.contains('.') || float.fract() == 0.0;
    if has_dot { text } else { text.replacen('e', ".e", 1) }
}
