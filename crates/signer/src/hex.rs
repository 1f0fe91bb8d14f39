//! Hexadecimal digits, without a branch or a table that depends on the octets.

/// Two lower-case digits an octet.
pub(crate) fn encode(octets: &[u8]) -> String {
    octets.iter().flat_map(|octet| [octet >> 4, octet & 15]).map(|half| char::from(digit(half))).collect()
}

/// Fills `out` from exactly twice as many digits of either case; false, and `out` without meaning, otherwise.
pub(crate) fn decode(digits: &[u8], out: &mut [u8]) -> bool {
    if digits.len() != 2 * out.len() {
        return false;
    }
    let mut wrong = 0;
    for (octet, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (value(pair[0]), value(pair[1]));
        wrong |= (high | low) >> 4;
        *octet = high << 4 | low & 15;
    }
    wrong == 0
}

fn digit(half: u8) -> u8 {
    // 'a' - '0' - 10 is 39: added when the half is above 9.
    b'0' + half + 39 * (9_u8.wrapping_sub(half) >> 7)
}

/// 0 to 15, or above for what is no digit.
fn value(digit: u8) -> u8 {
    let decimal = digit.wrapping_sub(b'0');
    let letter = (digit | 0x20).wrapping_sub(b'a');
    within(decimal, 10) & decimal
        | within(letter, 6) & letter.wrapping_add(10)
        | !(within(decimal, 10) | within(letter, 6))
}

/// All ones if the number is below the bound, else zero.
fn within(number: u8, bound: u8) -> u8 {
    0_u8.wrapping_sub(u8::from(number < bound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_goes_there_and_back() {
        let octets: Vec<u8> = (0..=255).collect();
        let digits = encode(&octets);
        assert_eq!(digits, octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
        let mut back = [0; 256];
        assert!(decode(digits.to_uppercase().as_bytes(), &mut back));
        assert_eq!(back, octets[..]);
    }

    #[test]
    fn what_is_no_digit_is_refused() {
        for octet in (0..=255_u8).filter(|octet| !octet.is_ascii_hexdigit()) {
            assert!(!decode(&[octet, b'0'], &mut [0]), "{octet}");
            assert!(!decode(&[b'0', octet], &mut [0]), "{octet}");
        }
        assert!(!decode(b"0", &mut [0]));
        assert!(!decode(b"000", &mut [0]));
    }
}
