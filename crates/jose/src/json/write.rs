//! The writer: compact JSON, escaped as `JSON.stringify` does, appended to a buffer that is used again.

use super::{Value, scan};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` in quotes. Only `"`, `\` and control characters are escaped; `/` and UTF-8 stay.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    out.push(b'"');
    loop {
        let plain = scan::plain_len(rest);
        out.extend_from_slice(&rest[..plain]);
        let Some(&octet) = rest.get(plain) else { break };
        write_escape(out, octet);
        rest = &rest[plain + 1..];
    }
    out.push(b'"');
}

/// Appends an integer in decimal.
pub fn write_integer(out: &mut Vec<u8>, integer: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
}

/// Appends a finite number as ECMAScript's `Number::toString` writes it (`1e21`, `0.1`, `-0` as `0`).
///
/// Gives false, and appends nothing, for NaN and the infinities: JSON has no text for them.
#[must_use]
pub fn write_number(out: &mut Vec<u8>, number: f64) -> bool {
    if !number.is_finite() {
        return false;
    }
    out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    true
}

/// Appends a tree without blanks.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(text) => out.extend_from_slice(text.as_bytes()),
        Value::Text(text) => write_text(out, text),
        Value::Array(elements) => {
            out.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                separate(out, index);
                write_value(out, element);
            }
            out.push(b']');
        }
        Value::Object(object) => {
            out.push(b'{');
            for (index, (name, member)) in object.iter().enumerate() {
                separate(out, index);
                write_text(out, name);
                out.push(b':');
                write_value(out, member);
            }
            out.push(b'}');
        }
    }
}

fn separate(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

fn write_escape(out: &mut Vec<u8>, octet: u8) {
    let short = match octet {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x0C => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digits = [HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 0xF)]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
