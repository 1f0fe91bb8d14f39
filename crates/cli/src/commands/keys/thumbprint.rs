//! `keys thumbprint`: what a key is known by wherever it goes (RFC 7638, RFC 9278).

use serde_json::json;

use super::read_all;
use crate::args::keys::ThumbprintArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(arguments: &ThumbprintArguments, voice: Voice) -> Result<ExitCode, Failure> {
    for key in read_all(&arguments.key, &Inputs::default())? {
        let public = key.public().ok_or_else(|| {
            // RFC 7638 section 7: a hash over a secret helps whoever guesses at it.
            Failure::new(
                ExitCode::Unreadable,
                "key_unfit",
                "the thumbprint of a symmetric key would tell of its secret",
            )
            .at(&arguments.key.key)
        })?;
        let (thumbprint, uri) = (public.thumbprint(), public.thumbprint_uri());
        voice.result(if voice.is_json() {
            json!({ "thumbprint": thumbprint, "uri": uri, "kid": public.parameters.kid }).to_string()
        } else if arguments.uri {
            uri
        } else {
            thumbprint
        })?;
    }
    Ok(ExitCode::Done)
}
