//! ECDH-ES on P-256, P-384, P-521 and X25519 (RFC 7518 section 4.6, RFC 8037 section 3.2).

use aws_lc_rs::agreement::{self, Algorithm, ParsedPublicKey, PrivateKey, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{EcCurve, OkpCurve};
use crate::{
    Error, Random,
    jwk::{EcPublic, OkpPublic, PublicKey},
    private::{PrivateJwk, SCALAR_DRAWS_MAX, SecretKey, draw, draw_scalar},
};

/// A public key of the other side, parsed once.
pub(crate) struct Peer {
    parsed: ParsedPublicKey,
    kind: Kind,
}

/// Of what kind the key is, and so the fresh one beside it.
#[derive(Clone, Copy)]
enum Kind {
    Ec(EcCurve),
    X25519,
}

/// A private key of this side.
pub(crate) struct Agreement {
    private: PrivateKey,
    curve: &'static Algorithm,
}

/// What a derived key is bound to (RFC 7518 section 4.6.2).
pub(crate) struct Context<'a> {
    /// The `enc` for plain ECDH-ES, else the `alg`.
    pub(crate) algorithm: &'a str,
    pub(crate) apu: &'a [u8],
    pub(crate) apv: &'a [u8],
    pub(crate) octets: usize,
}

impl Peer {
    /// `None` for a key that agrees on nothing.
    pub(crate) fn new(key: &PublicKey) -> Option<Self> {
        let (algorithm, octets, kind) = match key {
            PublicKey::Ec(key) => (curve(key.curve)?, key.point(), Kind::Ec(key.curve)),
            PublicKey::Okp(OkpPublic { curve: OkpCurve::X25519, x }) => (&agreement::X25519, x.to_vec(), Kind::X25519),
            PublicKey::Okp(_) | PublicKey::Rsa(_) | PublicKey::Akp { .. } => return None,
        };
        let parsed = ParsedPublicKey::try_from(UnparsedPublicKey::new(algorithm, octets)).ok()?;
        Some(Self { parsed, kind })
    }

    /// A fresh key on this one's curve, and the key that both sides derive.
    pub(crate) fn derive_fresh(
        &self,
        context: &Context<'_>,
        random: &mut dyn Random,
    ) -> Result<(PublicKey, Zeroizing<Vec<u8>>), Error> {
        let failed = Error::SelfCheck { why: "the backend agreed on no key" };
        let own = Agreement::fresh(self.parsed.alg(), self.kind, random)?;
        let public = own.public(self.kind).ok_or_else(|| failed.clone())?;
        Ok((public, own.derive(self, context).ok_or(failed)?))
    }
}

impl Agreement {
    /// `None` for a key that agrees on nothing.
    pub(crate) fn new(key: &PrivateJwk) -> Option<Self> {
        let (curve, d) = match (key.secret(), key.public_key()?) {
            (SecretKey::Ec(d), PublicKey::Ec(public)) => (curve(public.curve)?, d),
            (SecretKey::Okp(d), PublicKey::Okp(OkpPublic { curve: OkpCurve::X25519, .. })) => (&agreement::X25519, d),
            _ => return None,
        };
        Some(Self { private: PrivateKey::from_private_key(curve, d).ok()?, curve })
    }

    /// A new key, handed to the backend once and never written down: its public half costs nothing more.
    fn fresh(curve: &'static Algorithm, kind: Kind, random: &mut dyn Random) -> Result<Self, Error> {
        for _ in 0..SCALAR_DRAWS_MAX {
            let d = match kind {
                Kind::Ec(curve) => draw_scalar(curve, random)?,
                Kind::X25519 => draw(OkpCurve::X25519.octets(), random)?,
            };
            if let Ok(private) = PrivateKey::from_private_key(curve, &d) {
                return Ok(Self { private, curve });
            }
        }
        Err(Error::Random)
    }

    fn public(&self, kind: Kind) -> Option<PublicKey> {
        let public = self.private.compute_public_key().ok()?;
        match kind {
            Kind::Ec(curve) => EcPublic::from_point(curve, public.as_ref()).map(PublicKey::Ec),
            Kind::X25519 => OkpPublic::new(OkpCurve::X25519, public.as_ref().to_vec()).ok().map(PublicKey::Okp),
        }
    }

    /// `None` if the curves differ, or if X25519 gives zeros (a peer of low order), which the backend refuses.
    pub(crate) fn derive(&self, peer: &Peer, context: &Context<'_>) -> Option<Zeroizing<Vec<u8>>> {
        if peer.parsed.alg() != self.curve {
            return None;
        }
        agreement::agree(&self.private, peer.parsed.clone(), (), |shared| Ok(concat_kdf(shared, context))).ok()
    }
}

/// The public half of an X25519 key of 32 octets.
pub(crate) fn x25519_public_of(d: &[u8]) -> Result<Vec<u8>, Error> {
    let key = PrivateKey::from_private_key(&agreement::X25519, d).ok();
    let public = key.and_then(|key| key.compute_public_key().ok());
    public.map(|public| public.as_ref().to_vec()).ok_or_else(|| Error::key_invalid("d", "is no X25519 key"))
}

/// The one-step derivation of NIST SP 800-56A with SHA-256.
pub(super) fn concat_kdf(shared: &[u8], context: &Context<'_>) -> Zeroizing<Vec<u8>> {
    let mut info = Vec::with_capacity(64);
    for field in [context.algorithm.as_bytes(), context.apu, context.apv] {
        info.extend_from_slice(&length(field.len()));
        info.extend_from_slice(field);
    }
    info.extend_from_slice(&length(context.octets * 8));
    let mut derived = Zeroizing::new(Vec::with_capacity(context.octets.next_multiple_of(32)));
    for round in 1_u32.. {
        let hash = Sha256::new().chain_update(round.to_be_bytes()).chain_update(shared).chain_update(&info);
        derived.extend_from_slice(&hash.finalize());
        if derived.len() >= context.octets {
            break;
        }
    }
    derived.truncate(context.octets);
    derived
}

fn length(octets: usize) -> [u8; 4] {
    u32::try_from(octets).expect("a header of 8 192 octets holds no longer field").to_be_bytes()
}

fn curve(curve: EcCurve) -> Option<&'static Algorithm> {
    match curve {
        EcCurve::P256 => Some(&agreement::ECDH_P256),
        EcCurve::P384 => Some(&agreement::ECDH_P384),
        EcCurve::P521 => Some(&agreement::ECDH_P521),
        EcCurve::Secp256k1 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwk::Jwk;

    /// JO-03, JO-45: RFC 7518 appendix C.
    #[test]
    fn rfc_7518_appendix_c() {
        let alice = r#"{"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps","d":"0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"}"#;
        let bob = r#"{"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ","y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"}"#;
        let private = |text: &str| match Jwk::parse(text.as_bytes()) {
            Ok(Jwk::Private(jwk)) => jwk,
            Ok(Jwk::Public(_)) | Err(_) => panic!("not a private key"),
        };
        let (alice, bob) = (private(alice), private(bob));
        let peer = Peer::new(bob.public_key().unwrap()).unwrap();
        let context = Context { algorithm: "A128GCM", apu: b"Alice", apv: b"Bob", octets: 16 };
        let derived = Agreement::new(&alice).unwrap().derive(&peer, &context).unwrap();
        assert_eq!(crate::base64url::encode(&derived), "VqqN6vgjbSBcIijNcacQGg");
    }
}
