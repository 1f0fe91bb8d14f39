//! From JSON to a checked key.

use zeroize::Zeroizing;

use super::{
    EcPublic, Jwk, KEY_IMPORT_BYTES_MAX, KID_BYTES_MAX, KeyParameters, OkpPublic, PublicJwk, PublicKey, RsaPublic,
};
use crate::{
    Error, base64url,
    json::{Limits, Object, Value},
    jwa::{EcCurve, MlDsaSet, OkpCurve},
    private::{PrivateJwk, RsaSecret, SecretKey},
    x509::X5C_CERTIFICATES_MAX,
};

type Secret = Zeroizing<Vec<u8>>;

pub(super) fn jwk(text: &[u8]) -> Result<Jwk, Error> {
    if text.len() > KEY_IMPORT_BYTES_MAX {
        return Err(Error::TooLarge { what: "the key", max: KEY_IMPORT_BYTES_MAX, unit: "octets" });
    }
    let tree = Zeroizing::new(Value::parse(text, Limits::REQUEST)?);
    from_object(tree.as_object().ok_or_else(|| Error::malformed("a JWK is a JSON object"))?)
}

/// Reads a key and holds its private half, if any, against its public one.
pub(super) fn from_object(object: &Object) -> Result<Jwk, Error> {
    let members = Members(object);
    let mut parameters = members.parameters()?;
    let (public, secret) = match members.required_text("kty")? {
        "oct" => (None, Some(SecretKey::oct(members.secret("k")?.unwrap_or_default())?)),
        "RSA" => members.rsa()?,
        "EC" => members.ec()?,
        "OKP" => members.okp()?,
        "AKP" => {
            parameters.alg = None; // part of the key itself
            members.akp()?
        }
        _ => {
            return Err(Error::unsupported("this `kty`", "known are RSA, EC, OKP, AKP and oct"));
        }
    };
    match secret {
        Some(secret) => PrivateJwk::new(secret, public, parameters).map(Jwk::Private),
        None => {
            let key = public.expect("a key without a private half has a public one");
            Ok(Jwk::Public(PublicJwk { key, parameters }))
        }
    }
}

struct Members<'a>(&'a Object);

type Halves = (Option<PublicKey>, Option<SecretKey>);

impl<'a> Members<'a> {
    fn text(&self, name: &'static str) -> Result<Option<&'a str>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Error::key_invalid(name, "is no text")),
        }
    }

    fn required_text(&self, name: &'static str) -> Result<&'a str, Error> {
        self.text(name)?.ok_or_else(|| Error::key_invalid(name, "is missing"))
    }

    fn octets(&self, name: &'static str) -> Result<Vec<u8>, Error> {
        base64url::decode(self.required_text(name)?).map_err(|_| not_base64url(name))
    }

    fn secret(&self, name: &'static str) -> Result<Option<Secret>, Error> {
        let text = self.text(name)?;
        text.map(|text| base64url::decode(text).map(Zeroizing::new).map_err(|_| not_base64url(name))).transpose()
    }

    fn rsa(&self) -> Result<Halves, Error> {
        let public = RsaPublic::new(self.octets("n")?, self.octets("e")?)?;
        let Some(d) = self.secret("d")? else {
            return Ok((Some(PublicKey::Rsa(public)), None));
        };
        if self.0.get("oth").is_some() {
            return Err(Error::key_invalid("oth", "makes this a key of more than two primes"));
        }
        let crt = [self.secret("p")?, self.secret("q")?, self.secret("dp")?, self.secret("dq")?, self.secret("qi")?];
        let secret = match crt {
            [None, None, None, None, None] => RsaSecret::recover(&public, d)?,
            [Some(p), Some(q), Some(dp), Some(dq), Some(qi)] => RsaSecret { d, p, q, dp, dq, qi },
            _ => {
                return Err(Error::key_invalid("p", "`q`, `dp`, `dq` and `qi` come all together or not at all"));
            }
        };
        Ok((Some(PublicKey::Rsa(public)), Some(SecretKey::Rsa(secret))))
    }

    fn ec(&self) -> Result<Halves, Error> {
        let name = self.required_text("crv")?;
        let curve = EcCurve::ALL.into_iter().find(|curve| curve.name() == name).ok_or_else(unknown_curve)?;
        let public = EcPublic::new(curve, self.octets("x")?, self.octets("y")?)?;
        Ok((Some(PublicKey::Ec(public)), self.secret("d")?.map(SecretKey::Ec)))
    }

    fn okp(&self) -> Result<Halves, Error> {
        let name = self.required_text("crv")?;
        let curve = OkpCurve::ALL.into_iter().find(|curve| curve.name() == name).ok_or_else(unknown_curve)?;
        let public = OkpPublic::new(curve, self.octets("x")?)?;
        Ok((Some(PublicKey::Okp(public)), self.secret("d")?.map(SecretKey::Okp)))
    }

    fn akp(&self) -> Result<Halves, Error> {
        let name = self.required_text("alg")?;
        let set = MlDsaSet::ALL
            .into_iter()
            .find(|set| set.name() == name)
            .ok_or_else(|| Error::unsupported("this `alg` of an AKP key", "known are ML-DSA-44, -65 and -87"))?;
        let public = PublicKey::akp(set, self.octets("pub")?)?;
        Ok((Some(public), self.secret("priv")?.map(SecretKey::Akp)))
    }

    fn parameters(&self) -> Result<KeyParameters, Error> {
        let kid = self.text("kid")?;
        if kid.is_some_and(|kid| kid.len() > KID_BYTES_MAX) {
            return Err(Error::TooLarge { what: "`kid`", max: KID_BYTES_MAX, unit: "octets" });
        }
        Ok(KeyParameters {
            kid: kid.map(str::to_owned),
            alg: self.text("alg")?.map(str::to_owned),
            use_: self.text("use")?.map(str::to_owned),
            key_ops: self.key_ops()?,
            x5c: self.x5c()?,
        })
    }

    fn texts(&self, name: &'static str) -> Result<Option<Vec<&'a str>>, Error> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let texts = value.as_array().and_then(|elements| elements.iter().map(Value::as_text).collect());
        texts.map(Some).ok_or_else(|| Error::key_invalid(name, "is no array of texts"))
    }

    fn key_ops(&self) -> Result<Option<Vec<String>>, Error> {
        let Some(ops) = self.texts("key_ops")? else {
            return Ok(None);
        };
        let mut sorted = ops.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::key_invalid("key_ops", "names an operation twice"));
        }
        Ok(Some(ops.into_iter().map(str::to_owned).collect()))
    }

    fn x5c(&self) -> Result<Vec<Vec<u8>>, Error> {
        let Some(texts) = self.texts("x5c")? else {
            return Ok(Vec::new());
        };
        if texts.len() > X5C_CERTIFICATES_MAX {
            return Err(Error::TooLarge { what: "`x5c`", max: X5C_CERTIFICATES_MAX, unit: "certificates" });
        }
        let decoded = texts.into_iter().map(|text| base64_simd::STANDARD.decode_to_vec(text));
        decoded.collect::<Result<_, _>>().map_err(|_| Error::key_invalid("x5c", "is no array of base64 certificates"))
    }
}

fn not_base64url(name: &'static str) -> Error {
    Error::key_invalid(name, "is not unpadded base64url")
}

fn unknown_curve() -> Error {
    Error::unsupported("this `crv`", "EC knows P-256, P-384, P-521, secp256k1; OKP knows Ed25519, X25519, Ed448, X448")
}
