//! Private and symmetric keys: read and checked once, used often, never shown.
//!
//! No type here has `Debug`, `Display`, `Clone` or a serialization but the calls named for it; memory is zeroed.

mod decryption;
mod encryption;
mod generate;
mod rsa_recover;
mod signing;
mod suspicious;

use zeroize::{Zeroize, Zeroizing};

pub use decryption::DecryptionKey;
pub(crate) use decryption::Pbes2Budget;
pub(crate) use encryption::{Cek, EncryptedKey, Parties, draw_cek};
pub use encryption::{EncryptionKey, GCM_MESSAGES_MAX};
pub use generate::{KeyKind, RsaBits};
pub(crate) use generate::{SCALAR_DRAWS_MAX, draw, draw_scalar};
pub use signing::{SigningKey, VerifyingKey};

use crate::{
    Error, Random, base64url,
    jwa::{KeyShape, MlDsaSet, OkpCurve, ecdsa, eddsa, ml_dsa, rsassa},
    jwk::{
        EcPublic, KeyParameters, OkpPublic, PublicJwk, PublicKey, RSA_MODULUS_BITS_MIN, RsaPublic, write_member,
        write_octets_member,
    },
};

type Secret = Zeroizing<Vec<u8>>;

/// Smallest public exponent of an RSA key that signs or decrypts.
pub const RSA_PRIVATE_EXPONENT_MIN: u64 = 65_537;
/// Random octets in the `kid` of a symmetric key.
const OCT_KID_OCTETS: usize = 16;

/// A private or symmetric key with its members, halves known to belong together.
pub struct PrivateJwk {
    secret: SecretKey,
    public: Option<PublicKey>,
    parameters: KeyParameters,
}

/// The private octets alone.
pub(crate) enum SecretKey {
    Oct(Secret),
    Rsa(RsaSecret),
    Ec(Secret),
    Okp(Secret),
    Akp(Secret),
}

/// The private members of an RSA key of two primes, big endian.
pub(crate) struct RsaSecret {
    pub(crate) d: Secret,
    pub(crate) p: Secret,
    pub(crate) q: Secret,
    pub(crate) dp: Secret,
    pub(crate) dq: Secret,
    pub(crate) qi: Secret,
}

/// How the text of a symmetric secret stands for its octets. Nothing is guessed, hashed or padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// The octets of the text itself.
    AsIs,
    /// Two hexadecimal digits an octet.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64url without padding.
    Base64Url,
}

impl PrivateJwk {
    pub(crate) fn new(secret: SecretKey, public: Option<PublicKey>, parameters: KeyParameters) -> Result<Self, Error> {
        secret.check_belongs_to(public.as_ref())?;
        Ok(Self { secret, public, parameters })
    }

    /// A symmetric key of these octets.
    ///
    /// # Errors
    /// [`Error::KeyInvalid`] if there are none.
    pub fn from_octets(octets: &[u8]) -> Result<Self, Error> {
        let secret = SecretKey::oct(Zeroizing::new(octets.to_vec()))?;
        Self::new(secret, None, KeyParameters::default())
    }

    /// A symmetric key whose octets stand in a text.
    ///
    /// # Errors
    /// [`Error::KeyInvalid`] if the text is not of that form, or stands for no octets.
    pub fn from_secret(text: &[u8], form: SecretForm) -> Result<Self, Error> {
        let octets = match form {
            SecretForm::AsIs => Some(text.to_vec()),
            SecretForm::Hex => unhex(text),
            SecretForm::Base64 => base64_simd::STANDARD.decode_to_vec(text).ok(),
            SecretForm::Base64Url => base64url::decode(text).ok(),
        };
        let octets = octets.map(Zeroizing::new).ok_or_else(|| Error::key_invalid("k", "is not of the form named"))?;
        Self::new(SecretKey::oct(octets)?, None, KeyParameters::default())
    }

    /// The public half with the same members; `None` for a symmetric key.
    #[must_use]
    pub fn public(&self) -> Option<PublicJwk> {
        let key = self.public.clone()?;
        Some(PublicJwk { key, parameters: self.parameters.clone() })
    }

    /// The members that any key may have.
    #[must_use]
    pub fn parameters(&self) -> &KeyParameters {
        &self.parameters
    }

    /// Exchanges the members that any key may have.
    #[must_use]
    pub fn with_parameters(mut self, parameters: KeyParameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// The `kty` value.
    #[must_use]
    pub fn kty(&self) -> &'static str {
        self.public.as_ref().map_or("oct", PublicKey::kty)
    }

    /// The shape that the table of algorithms knows it by; a symmetric key is [`KeyShape::OctExact`].
    #[must_use]
    pub fn shape(&self) -> KeyShape {
        match (&self.secret, &self.public) {
            (SecretKey::Oct(octets), _) => KeyShape::OctExact(octets.len()),
            (_, Some(public)) => public.shape(),
            (_, None) => unreachable!("every asymmetric key has a public half"),
        }
    }

    /// Gives a key without `kid` one: the thumbprint, or 128 random bits for a symmetric key.
    ///
    /// # Errors
    /// [`Error::Random`] when the source fails.
    pub fn ensure_kid(&mut self, random: &mut dyn Random) -> Result<&str, Error> {
        let kid = match (self.parameters.kid.take(), self.public()) {
            (Some(kid), _) => kid,
            (None, Some(public)) => public.thumbprint(),
            (None, None) => {
                let mut octets = [0; OCT_KID_OCTETS];
                random.fill(&mut octets)?;
                base64url::encode(&octets)
            }
        };
        Ok(self.parameters.kid.insert(kid))
    }

    /// Appends the whole key, private members included, as a JWK.
    pub fn write_private(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        match (self.public(), &self.secret) {
            (Some(public), _) => public.write_members(out),
            (None, _) => {
                write_member(out, "kty", "oct");
                self.parameters.write(out, false);
            }
        }
        self.secret.write(out);
        out.push(b'}');
    }

    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }

    pub(crate) fn public_key(&self) -> Option<&PublicKey> {
        self.public.as_ref()
    }
}

impl SecretKey {
    pub(crate) fn oct(octets: Secret) -> Result<Self, Error> {
        if octets.is_empty() {
            return Err(Error::key_invalid("k", "is missing or empty"));
        }
        Ok(Self::Oct(octets))
    }

    /// The public half of a private key that came without one; RSA and `oct` never do.
    pub(crate) fn public_of(&self, shape: KeyShape) -> Result<PublicKey, Error> {
        match (self, shape) {
            (Self::Ec(d), KeyShape::Ec(curve)) => Ok(PublicKey::Ec(ecdsa::public_of(curve, d)?)),
            (Self::Okp(d), KeyShape::Okp(curve)) => {
                let x = okp_public(curve, d)?.ok_or_else(|| {
                    Error::unsupported(curve.name(), "its public half cannot be computed; import a JWK, which has it")
                })?;
                OkpPublic::new(curve, x).map(PublicKey::Okp)
            }
            (Self::Akp(seed), KeyShape::Akp(set)) => PublicKey::akp(set, ml_dsa::public_of(set, seed)?),
            _ => Err(Error::key_invalid("kty", "and the private key do not belong together")),
        }
    }

    fn check_belongs_to(&self, public: Option<&PublicKey>) -> Result<(), Error> {
        match (self, public) {
            (Self::Oct(_), None) => Ok(()),
            (Self::Rsa(secret), Some(PublicKey::Rsa(public))) => secret.check(public),
            (Self::Ec(d), Some(PublicKey::Ec(public))) => check_ec(public, d),
            (Self::Okp(d), Some(PublicKey::Okp(public))) => check_okp(public, d),
            (Self::Akp(seed), Some(PublicKey::Akp { set, public })) => check_akp(*set, public, seed),
            _ => Err(Error::key_invalid("kty", "and the private key do not belong together")),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Oct(octets) => write_octets_member(out, "k", octets),
            Self::Ec(d) | Self::Okp(d) => write_octets_member(out, "d", d),
            Self::Akp(seed) => write_octets_member(out, "priv", seed),
            Self::Rsa(secret) => {
                for (name, octets) in secret.members() {
                    write_octets_member(out, name, octets);
                }
            }
        }
    }
}

impl RsaSecret {
    /// `d`, both primes, both CRT exponents and the coefficient, by their names in a JWK.
    pub(crate) fn members(&self) -> [(&'static str, &[u8]); 6] {
        [("d", &self.d), ("p", &self.p), ("q", &self.q), ("dp", &self.dp), ("dq", &self.dq), ("qi", &self.qi)]
    }

    /// Finds the primes from `n`, `e` and `d`, and from them the rest.
    pub(crate) fn recover(public: &RsaPublic, d: Secret) -> Result<Self, Error> {
        check_private_size(public)?;
        rsa_recover::recover(public, d)
    }

    fn check(&self, public: &RsaPublic) -> Result<(), Error> {
        check_private_size(public)?;
        rsassa::key_pair(public, self).map(drop)
    }
}

fn check_private_size(public: &RsaPublic) -> Result<(), Error> {
    if public.bits() < RSA_MODULUS_BITS_MIN {
        return Err(public.wrong_size());
    }
    if public.exponent().is_none_or(|e| e < RSA_PRIVATE_EXPONENT_MIN) {
        return Err(Error::key_invalid("e", "must be at least 65537 in a private key"));
    }
    Ok(())
}

fn check_ec(public: &EcPublic, d: &[u8]) -> Result<(), Error> {
    crate::jwk::exact("d", d, public.curve.octets())?;
    ecdsa::signer(public, d).map(drop)
}

fn check_okp(public: &OkpPublic, d: &[u8]) -> Result<(), Error> {
    crate::jwk::exact("d", d, public.curve.octets())?;
    match okp_public(public.curve, d)? {
        Some(x) if x != *public.x => Err(Error::key_invalid("d", "does not belong to `x`")),
        Some(_) | None => Ok(()),
    }
}

/// The public half; `None` where no released library computes it.
fn okp_public(curve: OkpCurve, d: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    crate::jwk::exact("d", d, curve.octets())?;
    match curve {
        OkpCurve::Ed25519 => eddsa::public_of(d).map(Some),
        OkpCurve::X25519 => crate::jwa::ecdh::x25519_public_of(d).map(Some),
        OkpCurve::Ed448 | OkpCurve::X448 => Ok(None),
    }
}

fn check_akp(set: MlDsaSet, public: &[u8], seed: &[u8]) -> Result<(), Error> {
    crate::jwk::exact("priv", seed, MlDsaSet::SEED_OCTETS)?;
    ml_dsa::signer(set, public, seed).map(drop)
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut octets = Vec::with_capacity(text.len() / 2);
    for pair in text.chunks(2) {
        let [high, low] = pair else { return None };
        match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => octets.push(high << 4 | low),
            _ => {
                octets.zeroize();
                return None;
            }
        }
    }
    Some(octets)
}
