//! Unsecured JWS (RFC 7515 appendix A.5): written where a document and a switch both ask for it, read nowhere.

use super::MINT_CHARS_MAX;
use crate::{
    Error, base64url,
    jwa::{Switch, Switches},
};

/// Appends `payload` under `{"alg":"none"}`, with an empty signature.
///
/// # Errors
/// [`Error::NotAllowed`] without the switch `allow_unsigned`, [`Error::TooLarge`] beyond [`MINT_CHARS_MAX`].
pub fn write_unsigned(payload: &[u8], switches: Switches, out: &mut Vec<u8>) -> Result<(), Error> {
    if !switches.has(Switch::Unsigned) {
        return Err(Error::not_allowed(
            "a token without a signature",
            format!("it is written only when `{}` is set", Switch::Unsigned),
        ));
    }
    let header = base64url::encode(br#"{"alg":"none"}"#);
    if header.len() + base64url::encoded_len(payload.len()) + 2 > MINT_CHARS_MAX {
        return Err(Error::TooLarge { what: "the token", max: MINT_CHARS_MAX, unit: "characters" });
    }
    out.extend_from_slice(header.as_bytes());
    out.push(b'.');
    base64url::encode_append(payload, out);
    out.push(b'.');
    Ok(())
}
