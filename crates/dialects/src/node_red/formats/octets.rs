//! What the `file in` node's library makes of octets that are said to be text, and of the name of a file.

use std::fmt::Write as _;

use base64_simd::STANDARD;
use encoding_rs::{UTF_8, UTF_16LE};
use plan::ecmascript::text_of;
use plan::{Fault, Function, Value};

/// What a message calls a file (first argument) as a name: a text without tabs and line ends.
pub(in crate::node_red) const FILE_NAME: Function = Function { name: "file name", run: file_name };

/// What octets become in each encoding that is known here, by its name without signs.
const ENCODINGS: [(&[&str], Function); 7] = [
    (
        &["", "none"],
        Function { name: "text", run: |given| decode(given, |octets| String::from_utf8_lossy(octets).into()) },
    ),
    (
        &["utf8"],
        Function { name: "utf8", run: |given| decode(given, |octets| UTF_8.decode_with_bom_removal(octets).0.into()) },
    ),
    (&["ucs2", "utf16le"], Function { name: "utf16le", run: |given| decode(given, utf16le) }),
    (&["ascii"], Function { name: "ascii", run: |given| decode(given, ascii) }),
    (
        &["binary", "latin1", "iso88591"],
        Function {
            name: "latin1",
            run: |given| decode(given, |octets| octets.iter().copied().map(char::from).collect()),
        },
    ),
    (&["base64"], Function { name: "base64", run: |given| decode(given, |octets| STANDARD.encode_to_string(octets)) }),
    (&["hex"], Function { name: "hex", run: |given| decode(given, hex) }),
];

/// What octets (first argument) become that stand in this encoding; none if it is not known here.
pub(in crate::node_red) fn text_in(encoding: &str) -> Option<Function> {
    let plain: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    ENCODINGS.iter().find(|(names, _)| names.contains(&plain.as_str())).map(|(_, function)| *function)
}

fn file_name(arguments: &[Value]) -> Result<Value, Fault> {
    let name = arguments.first().filter(|name| !matches!(name, Value::Undefined | Value::Null));
    Ok(Value::Text(name.map(text_of).unwrap_or_default().replace(['\t', '\r', '\n'], "").into()))
}

fn decode(arguments: &[Value], text: fn(&[u8]) -> String) -> Result<Value, Fault> {
    Ok(match arguments {
        [Value::Bytes(octets), ..] => Value::Text(text(octets).into()),
        _ => Value::Undefined,
    })
}

/// Half a unit at the end is left out.
fn utf16le(octets: &[u8]) -> String {
    UTF_16LE.decode_with_bom_removal(&octets[..octets.len() & !1]).0.into()
}

fn ascii(octets: &[u8]) -> String {
    octets.iter().map(|octet| if octet.is_ascii() { char::from(*octet) } else { char::REPLACEMENT_CHARACTER }).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        let _infallible = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoding: &str, octets: &[u8]) -> String {
        let function = text_in(encoding).unwrap();
        text_of(&(function.run)(&[Value::Bytes(octets.into())]).unwrap())
    }

    #[test]
    fn octets_become_text_as_their_encoding_says() {
        assert_eq!(read("none", b"\xEF\xBB\xBFa\xFF"), "\u{FEFF}a\u{FFFD}");
        assert_eq!(read("utf8", b"\xEF\xBB\xBFa\xC3\xBC"), "aü");
        assert_eq!(read("UTF-16LE", b"\xFF\xFEa\0\xFC\0\0"), "aü");
        assert_eq!(read("ISO-8859-1", b"\x80\xFC"), "\u{80}ü");
        assert_eq!(read("ascii", b"a\x80"), "a\u{FFFD}");
        assert_eq!(read("base64", b"ab"), "YWI=");
        assert_eq!(read("hex", b"\x00\xAB"), "00ab");
        assert!(text_in("Shift_JIS").is_none());
    }

    #[test]
    fn names_are_texts_without_tabs_and_line_ends() {
        let name = |value: Value| text_of(&file_name(&[value]).unwrap());
        assert_eq!(name(Value::text("a\t b\r\n")), "a b");
        assert_eq!(name(Value::integer(0)), "0");
        assert_eq!(name(Value::Null) + &name(Value::Undefined), "");
    }
}
