//! Base64url without padding (RFC 7515 section 2), strict: one text for each octet string and no other.

/// The text is not unpadded base64url: padding, a blank, `+`, `/`, a length of 4n + 1, or stray last bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not unpadded base64url")]
pub struct Base64UrlError;

const URL: base64_simd::Base64 = base64_simd::URL_SAFE_NO_PAD;

/// The text of `octets`.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    URL.encode_to_string(octets)
}

/// Appends the text of `octets` to `out`.
pub fn encode_append(octets: &[u8], out: &mut Vec<u8>) {
    URL.encode_append(octets, out);
}

/// Characters that `octets` octets become.
#[must_use]
pub const fn encoded_len(octets: usize) -> usize {
    octets / 3 * 4 + [0, 2, 3][octets % 3]
}

/// The octets of `text`.
///
/// # Errors
/// [`Base64UrlError`] for everything that [`encode`] would not have written.
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, Base64UrlError> {
    URL.decode_to_vec(text).map_err(|_| Base64UrlError)
}

/// Appends the octets of `text` to `out`, which is left alone on error.
///
/// # Errors
/// As [`decode`].
pub fn decode_append(text: impl AsRef<[u8]>, out: &mut Vec<u8>) -> Result<(), Base64UrlError> {
    URL.decode_append(text, out).map_err(|_| Base64UrlError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// The plainest decoder one can write, as RFC 4648 reads.
    fn plain_decode(text: &[u8]) -> Option<Vec<u8>> {
        let (mut bits, mut held, mut out) = (0_u32, 0, Vec::new());
        for octet in text {
            bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|a| a == octet)?).ok()?;
            held += 6;
            if held >= 8 {
                held -= 8;
                out.push(u8::try_from(bits >> held & 0xFF).ok()?);
            }
        }
        (held < 6 && bits & ((1 << held) - 1) == 0).then_some(out)
    }

    #[test]
    fn rfc_7515_section_2_and_appendix_c() {
        assert_eq!(encode(&[3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(decode("A-z_4ME").unwrap(), [3, 236, 255, 224, 193]);
        assert!(decode("").unwrap().is_empty());
    }

    /// B-43: padding, the other alphabet, blanks, NUL and wrong last bits are refused, at every length.
    #[test]
    fn everything_but_the_one_text_is_refused() {
        for text in ["A", "AA=", "AA==", "AAA=", "AAAAA", "A+z_", "A/z_", "AA A", "AA\n", "\0AAA", "AB", "AAB", "ä"] {
            assert_eq!(decode(text), Err(Base64UrlError), "{text:?}");
        }
    }

    /// JO-74: the wide decoder equals the plain one on every short length and on long random input.
    #[test]
    fn last_bits_are_checked_at_every_length() {
        for octets in 0..120_usize {
            let good = encode(&vec![0xA5; octets]);
            assert_eq!(good.len(), encoded_len(octets));
            for last in ALPHABET {
                let mut text = good.clone().into_bytes();
                let Some(end) = text.last_mut() else { continue };
                *end = *last;
                assert_eq!(decode(&text).ok(), plain_decode(&text), "{octets} octets, last {last}");
            }
        }
    }

    proptest! {
        /// JO-74
        #[test]
        fn wide_and_plain_agree(text in proptest::collection::vec(prop_oneof![
            40 => proptest::sample::select(ALPHABET.to_vec()), 1 => any::<u8>()], 0..200)) {
            prop_assert_eq!(decode(&text).ok(), plain_decode(&text));
        }

        #[test]
        fn round_trip(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut out = b"x".to_vec();
            decode_append(encode(&octets), &mut out).unwrap();
            prop_assert_eq!(&out[1..], &octets[..]);
        }
    }
}
