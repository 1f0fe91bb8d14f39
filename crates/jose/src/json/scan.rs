//! Finds where a run of characters that need no escape ends; reader and writer share it.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Octets of `text` before the first `"`, `\` or control character (U+0000 to U+001F).
pub(super) fn plain_len(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("the slice has 8 octets"));
        let stops = stops(word);
        if stops != 0 {
            return at + (stops.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + text[at..].iter().take_while(|&&octet| is_plain(octet)).count()
}

/// The high bit of each octet of `word` that is not plain. An octet above the first hit may be marked wrongly
/// (borrow of the subtraction), the lowest mark is always right, and only that one is used.
fn stops(word: u64) -> u64 {
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    let quote = zero_octets(word ^ (LOW * 0x22));
    let backslash = zero_octets(word ^ (LOW * 0x5C));
    (control | quote | backslash) & HIGH
}

fn zero_octets(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word
}

fn is_plain(octet: u8) -> bool {
    octet >= 0x20 && octet != b'"' && octet != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_at_every_place_is_told_as_the_plain_loop_tells_it() {
        for octet in 0..=255_u8 {
            for at in 0..24 {
                for follower in [b'a', 0x00, b'"', 0xFF] {
                    let mut text = vec![b'a'; 24];
                    text[at] = octet;
                    if at + 1 < text.len() {
                        text[at + 1] = follower;
                    }
                    let expected = text.iter().position(|&o| !is_plain(o)).unwrap_or(24);
                    assert_eq!(plain_len(&text), expected, "octet {octet:#x} at {at}");
                }
            }
        }
    }
}
