//! Text as octets and back, in the encodings that scripts ask for by name; lenient, as ECMAScript hosts are.

/// How octets stand for text.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
    Latin1,
    Hex,
    Base64,
    Base64Url,
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Encoding {
    /// The encoding of that name, in lower case; none if there is none.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "utf8" | "utf-8" => Self::Utf8,
            "utf16le" | "utf-16le" | "ucs2" | "ucs-2" => Self::Utf16,
            "latin1" | "binary" | "ascii" => Self::Latin1,
            "hex" => Self::Hex,
            "base64" => Self::Base64,
            "base64url" => Self::Base64Url,
            _ => return None,
        })
    }

    /// The octets that this text stands for; ends at, or skips, what it cannot mean.
    pub(super) fn octets(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Latin1 => text.encode_utf16().map(|unit| unit as u8).collect(),
            Self::Hex => hex_octets(text.as_bytes()),
            Self::Base64 | Self::Base64Url => base64_octets(text.as_bytes()),
        }
    }

    /// The text that stands for these octets.
    pub(super) fn text(self, octets: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(octets).into_owned(),
            Self::Utf16 => {
                let units = octets.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
            Self::Latin1 => octets.iter().map(|octet| char::from(*octet)).collect(),
            Self::Hex => octets.iter().flat_map(|octet| [hex_digit(octet >> 4), hex_digit(octet & 15)]).collect(),
            Self::Base64 => base64_text(octets, STANDARD, true),
            Self::Base64Url => base64_text(octets, URL_SAFE, false),
        }
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).expect("four bits are a digit")
}

fn hex_octets(digits: &[u8]) -> Vec<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits.chunks_exact(2).map_while(|pair| Some((value(pair[0])? << 4 | value(pair[1])?) as u8)).collect()
}

/// Both alphabets at once, anything else skipped, ending at the first padding.
fn base64_octets(digits: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(digits.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for value in digits.iter().take_while(|digit| **digit != b'=').filter_map(|digit| base64_value(*digit)) {
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    octets
}

fn base64_value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

fn base64_text(octets: &[u8], alphabet: &[u8; 64], padded: bool) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(alphabet[(bits >> (18 - 6 * place)) as usize & 63]));
        }
        if padded {
            text.extend(std::iter::repeat_n('=', 3 - group.len()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_come_back_from_every_encoding_that_can_hold_them() {
        let octets: Vec<u8> = (0..=255).collect();
        for name in ["latin1", "hex", "base64", "base64url"] {
            let encoding = Encoding::named(name).unwrap();
            for length in [0, 1, 2, 3, 4, 255, 256] {
                assert_eq!(encoding.octets(&encoding.text(&octets[..length])), &octets[..length], "{name} {length}");
            }
        }
    }

    #[test]
    fn base64_is_read_leniently_and_written_strictly() {
        let base64 = Encoding::Base64;
        assert_eq!(base64.octets("_-8\n="), [0xff, 0xef]);
        assert_eq!(base64.text(&[0xff, 0xef]), "/+8=");
        assert_eq!(Encoding::Base64Url.text(&[0xff, 0xef]), "_-8");
    }

    #[test]
    fn hex_ends_at_the_first_pair_that_is_none() {
        assert_eq!(Encoding::Hex.octets("0Aff1"), [0x0a, 0xff]);
        assert_eq!(Encoding::Hex.octets("0axx0b"), [0x0a]);
    }

    #[test]
    fn broken_utf8_shows_replacement_characters() {
        assert_eq!(Encoding::Utf8.text(&[b'a', 0xff]), "a\u{fffd}");
    }
}
