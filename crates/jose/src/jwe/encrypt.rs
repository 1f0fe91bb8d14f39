//! Encrypting: header and options compiled once, then token after token.

use super::zip;
use crate::{
    Error, Random, base64url,
    header_plan::{HeaderPlan, Names, check_chain, check_size, text_member},
    jwa::{
        ContentEncryption, KeyAlgorithm, Switch, Switches,
        content::{Tag, seal_once},
    },
    jws::MINT_CHARS_MAX,
    private::{Cek, EncryptedKey, EncryptionKey, Parties},
};

/// What an encryption may have besides its algorithms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptionOptions {
    /// Compress first. Needs the switch `allow_zip`.
    pub zip: bool,
    /// Octets that name the producer, for ECDH-ES alone.
    pub apu: Vec<u8>,
    /// Octets that name the recipient, for ECDH-ES alone.
    pub apv: Vec<u8>,
}

/// A header compiled for one key, `enc` and set of options.
#[derive(Clone, Debug)]
pub struct EncryptionPlan {
    algorithm: &'static KeyAlgorithm,
    enc: &'static ContentEncryption,
    open: Vec<u8>,
    encoded: Option<String>,
    options: EncryptionOptions,
}

impl EncryptionPlan {
    /// Compiles a plan.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] for `zip` without its switch, [`Error::Header`] as [`crate::jws::ProtectedHeader`]
    /// has it, and for `apu` or `apv` where nothing is agreed, [`Error::TooLarge`].
    pub fn new(
        key: &EncryptionKey,
        enc: &'static ContentEncryption,
        plan: &HeaderPlan,
        options: EncryptionOptions,
        switches: Switches,
    ) -> Result<Self, Error> {
        if options.zip && !switches.has(Switch::Zip) {
            return Err(Error::not_allowed("`zip`", format!("it is used only when `{}` is set", Switch::Zip)));
        }
        let parties = !options.apu.is_empty() || !options.apv.is_empty();
        if parties && !matches!(key.algorithm().family, crate::jwa::KeyFamily::EcdhEs(_)) {
            return Err(Error::header("apu", "and `apv` belong to ECDH-ES alone"));
        }
        let x5c = key.public().map_or(&[][..], |public| &public.parameters.x5c);
        key.public().map(check_chain).transpose()?;
        let mut open = Vec::with_capacity(128);
        let names =
            Names { alg: key.algorithm().name, enc: Some(enc.name), kid: key.kid(), x5c, unencoded_payload: false };
        plan.write_open(names, &mut open)?;
        if options.zip {
            text_member(&mut open, "zip", "DEF");
        }
        check_size(&open)?;
        let encoded = (!key.writes_header()).then(|| base64url::encode(&[&open[..], b"}"].concat()));
        Ok(Self { algorithm: key.algorithm(), enc, open, encoded, options })
    }

    /// Appends the compact serialization of `plaintext`, encrypted to `key`, to `out`.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] if the plan is for another algorithm or the shared key for another `enc`,
    /// [`Error::TooLarge`] beyond [`MINT_CHARS_MAX`], [`Error::Random`], [`Error::SelfCheck`]; `out` is then as
    /// before.
    pub fn encrypt_compact(
        &self,
        key: &EncryptionKey,
        plaintext: &[u8],
        random: &mut dyn Random,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let start = out.len();
        self.append(key, plaintext, random, out).inspect_err(|_| out.truncate(start))
    }

    fn append(
        &self,
        key: &EncryptionKey,
        plaintext: &[u8],
        random: &mut dyn Random,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let start = out.len();
        let encrypted = self.protect(key, random, out)?;
        let sealed = Sealed::new(self.enc, &encrypted.cek, self.compressed(plaintext)?, &out[start..], random)?;
        for part in [&encrypted.octets[..], sealed.iv(), &sealed.ciphertext, sealed.tag.as_ref()] {
            out.push(b'.');
            base64url::encode_append(part, out);
        }
        if out.len() - start > MINT_CHARS_MAX {
            return Err(Error::TooLarge { what: "the token", max: MINT_CHARS_MAX, unit: "characters" });
        }
        Ok(())
    }

    /// Appends the encoded header and gives the encrypted key.
    pub(super) fn protect<'k>(
        &self,
        key: &'k EncryptionKey,
        random: &mut dyn Random,
        out: &mut Vec<u8>,
    ) -> Result<EncryptedKey<'k>, Error> {
        if key.algorithm() != self.algorithm {
            return Err(Error::key_unfit("the plan is for another algorithm than the key's"));
        }
        let parties = Parties { apu: &self.options.apu, apv: &self.options.apv };
        if let Some(encoded) = &self.encoded {
            out.extend_from_slice(encoded.as_bytes());
            return key.encrypt_key(self.enc, None, parties, &mut Vec::new(), random);
        }
        let mut header = self.open.clone();
        let encrypted = key.encrypt_key(self.enc, None, parties, &mut header, random)?;
        header.push(b'}');
        check_size(&header)?;
        base64url::encode_append(&header, out);
        Ok(encrypted)
    }

    pub(super) fn enc(&self) -> &'static ContentEncryption {
        self.enc
    }

    pub(super) fn compressed(&self, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        if self.options.zip {
            return zip::deflate(plaintext);
        }
        let mut text = Vec::with_capacity(plaintext.len() + PADDING_OCTETS_MAX);
        text.extend_from_slice(plaintext);
        Ok(text)
    }
}

/// An encrypted text with what its reader needs.
pub(super) struct Sealed {
    iv: [u8; IV_OCTETS_MAX],
    iv_octets: usize,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Tag,
}

const IV_OCTETS_MAX: usize = 16;
/// What CBC adds at most.
const PADDING_OCTETS_MAX: usize = 16;

impl Sealed {
    pub(super) fn new(
        enc: &'static ContentEncryption,
        cek: &Cek<'_>,
        mut text: Vec<u8>,
        aad: &[u8],
        random: &mut dyn Random,
    ) -> Result<Self, Error> {
        let mut iv = [0; IV_OCTETS_MAX];
        random.fill(&mut iv[..enc.iv_octets])?;
        let used = &iv[..enc.iv_octets];
        let tag = match cek {
            Cek::Shared(key) => key.seal(used, aad, &mut text)?,
            Cek::Fresh(cek) => seal_once(enc, cek, used, aad, &mut text)?,
        };
        Ok(Self { iv, iv_octets: enc.iv_octets, ciphertext: text, tag })
    }

    pub(super) fn iv(&self) -> &[u8] {
        &self.iv[..self.iv_octets]
    }
}
