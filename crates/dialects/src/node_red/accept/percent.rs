//! Percent-encoding as ECMAScript's `decodeURIComponent` and `encodeURIComponent` have it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What `encodeURIComponent` encodes: everything but letters, digits and `- _ . ! ~ * ' ( )`.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// `decodeURIComponent(text)`; none where that throws: a broken escape, or octets that are not UTF-8.
pub(crate) fn decode_component(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'%', rest) {
        octets.extend_from_slice(&rest[..at]);
        let digits = rest.get(at + 1..at + 3)?;
        let digit = |octet: u8| char::from(octet).to_digit(16);
        octets.push(u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?);
        rest = &rest[at + 3..];
    }
    octets.extend_from_slice(rest);
    String::from_utf8(octets).ok()
}

/// `encodeURIComponent(text)`.
pub(crate) fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_strict() {
        assert_eq!(decode_component("a%20b%2Fc%C3%BC+").as_deref(), Some("a b/cü+"));
        for broken in ["%", "%2", "%zz", "%E0%A4%A", "%ff"] {
            assert_eq!(decode_component(broken), None, "{broken}");
        }
    }

    #[test]
    fn encoding_leaves_the_marks_alone() {
        assert_eq!(
            encode_component("aZ09-_.!~*'() ;,/?:@&=+$#ü"),
            "aZ09-_.!~*'()%20%3B%2C%2F%3F%3A%40%26%3D%2B%24%23%C3%BC"
        );
    }
}
