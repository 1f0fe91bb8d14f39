//! One key of each kind, in the forms that the libraries read.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use jose::{
    KeyForm, KeyKind, PrivateJwk, Random, RandomError, RsaBits,
    jwa::{EcCurve, OkpCurve},
};

/// The secret of every symmetric key; shorter ones are its beginning.
pub(crate) const OCTETS: [u8; 32] = [7; 32];

pub(crate) struct Keys {
    rsa: PrivateJwk,
    p256: PrivateJwk,
    p384: PrivateJwk,
    ed25519: PrivateJwk,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let key = |kind| PrivateJwk::generate(kind, &mut Pool::default()).expect("a key is drawn");
        Self {
            rsa: key(KeyKind::Rsa(RsaBits::Bits2048)),
            p256: key(KeyKind::Ec(EcCurve::P256)),
            p384: key(KeyKind::Ec(EcCurve::P384)),
            ed25519: key(KeyKind::Okp(OkpCurve::Ed25519)),
        }
    }

    /// The key that an algorithm takes.
    pub(crate) fn of(&self, algorithm: &str) -> PrivateJwk {
        let jwk = match algorithm {
            "RS256" | "PS256" | "RSA-OAEP-256" => &self.rsa,
            "ES256" | "ECDH-ES+A128KW" => &self.p256,
            "ES384" => &self.p384,
            "EdDSA" => &self.ed25519,
            "A128KW" => return PrivateJwk::from_octets(&OCTETS[..16]).expect("the octets are a key"),
            _ => return PrivateJwk::from_octets(&OCTETS).expect("the octets are a key"),
        };
        let mut text = Vec::new();
        jwk.write_private(&mut text);
        match jose::jwk::Jwk::parse(&text).expect("what is written is read") {
            jose::jwk::Jwk::Private(jwk) => jwk,
            jose::jwk::Jwk::Public(_) => unreachable!("a private key was written"),
        }
    }

    pub(crate) fn private_pem(&self, algorithm: &str) -> String {
        self.of(algorithm).to_pem(KeyForm::Pkcs8).expect("the key has a PKCS#8 form").to_string()
    }

    pub(crate) fn public_pem(&self, algorithm: &str) -> String {
        let public = self.of(algorithm).public().expect("the key has a public half");
        public.to_pem(KeyForm::Spki).expect("the key has an SPKI form")
    }
}

/// Randomness drawn in large pieces, as a server draws it.
pub(crate) struct Pool {
    octets: [u8; 4096],
    used: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self { octets: [0; 4096], used: 4096 }
    }
}

impl Random for Pool {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        if self.octets.len() - self.used < out.len() {
            SystemRandom::new().fill(&mut self.octets).map_err(|_| RandomError)?;
            self.used = 0;
        }
        out.copy_from_slice(&self.octets[self.used..self.used + out.len()]);
        self.used += out.len();
        Ok(())
    }
}
