//! What stands around a signed token: nothing, JSON, or encryption to a recipient.

use jose::jwa::{ContentEncryption, Switches};
use jose::jwe::{EncryptionOptions, EncryptionPlan, encrypt_general};
use jose::jws::{HeaderPlan, to_flattened, to_general};
use jose::{EncryptionKey, Error, Random};

/// How a token is written down (RFC 7515 section 7, RFC 7516 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serialization {
    /// Parts with a dot between each: the only form of a JWT.
    Compact,
    /// JSON, for one signature or recipient.
    Flattened,
    /// JSON, for several.
    General,
}

/// The outer form of the tokens of one kind.
pub struct Envelope {
    serialization: Serialization,
    encryption: Option<Encryption>,
}

struct Encryption {
    key: EncryptionKey,
    enc: &'static ContentEncryption,
    plan: EncryptionPlan,
}

impl Envelope {
    /// Signed tokens as they are.
    pub fn signed(serialization: Serialization) -> Self {
        Self { serialization, encryption: None }
    }

    /// Signed tokens inside encrypted ones, `cty` `JWT` in their header (RFC 7519 section 5.2).
    ///
    /// # Errors
    /// As [`EncryptionPlan::new`].
    pub fn encrypted(
        key: EncryptionKey,
        enc: &'static ContentEncryption,
        serialization: Serialization,
    ) -> Result<Self, Error> {
        let options = EncryptionOptions::default();
        let plan = EncryptionPlan::new(&key, enc, &HeaderPlan::nested(), options, Switches::NONE)?;
        Ok(Self { serialization, encryption: Some(Encryption { key, enc, plan }) })
    }

    /// Puts a compact signed token into its outer form.
    ///
    /// # Errors
    /// As [`EncryptionPlan::encrypt_compact`].
    pub fn close(&self, token: String, random: &mut dyn Random) -> Result<String, Error> {
        let Some(Encryption { key, enc, plan }) = &self.encryption else {
            return Ok(match self.serialization {
                Serialization::Compact => token,
                Serialization::Flattened => to_flattened(&token).expect("a signed token has three parts"),
                Serialization::General => to_general(&token).expect("a signed token has three parts"),
            });
        };
        let (text, mut out) = (token.as_bytes(), Vec::new());
        match self.serialization {
            Serialization::Compact => plan.encrypt_compact(key, text, random, &mut out)?,
            Serialization::Flattened => plan.encrypt_flattened(key, text, None, random, &mut out)?,
            Serialization::General => encrypt_general(&[key], enc, Some("JWT"), text, random, &mut out)?,
        }
        Ok(String::from_utf8(out).expect("a token is ASCII, or JSON"))
    }
}
