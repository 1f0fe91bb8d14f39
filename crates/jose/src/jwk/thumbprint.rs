//! Thumbprints (RFC 7638): the required members alone, in the order of their names, hashed.

use sha2::{Digest, Sha256};

use super::{PublicKey, write_member};
use crate::base64url;

/// The SHA-256 thumbprint, in base64url.
pub(super) fn of(key: &PublicKey) -> String {
    base64url::encode(&Sha256::digest(canonical(key)))
}

fn canonical(key: &PublicKey) -> Vec<u8> {
    let mut out = vec![b'{'];
    match key {
        PublicKey::Rsa(rsa) => {
            write_member(&mut out, "e", &base64url::encode(&rsa.e));
            write_member(&mut out, "kty", "RSA");
            write_member(&mut out, "n", &base64url::encode(&rsa.n));
        }
        PublicKey::Ec(ec) => {
            write_member(&mut out, "crv", ec.curve.name());
            write_member(&mut out, "kty", "EC");
            write_member(&mut out, "x", &base64url::encode(&ec.x));
            write_member(&mut out, "y", &base64url::encode(&ec.y));
        }
        PublicKey::Okp(okp) => {
            write_member(&mut out, "crv", okp.curve.name());
            write_member(&mut out, "kty", "OKP");
            write_member(&mut out, "x", &base64url::encode(&okp.x));
        }
        PublicKey::Akp { set, public } => {
            write_member(&mut out, "alg", set.name());
            write_member(&mut out, "kty", "AKP");
            write_member(&mut out, "pub", &base64url::encode(public));
        }
    }
    out.push(b'}');
    out
}
