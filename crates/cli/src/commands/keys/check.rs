//! `keys check`: whether a key can be read, what it is and what it is good for.

use jose::jwa::{Grade, KeyAlgorithm, KeyShape, SignatureAlgorithm};
use jose::jwk::{Jwk, PublicKey};
use serde_json::{Value, json};

use super::reading;
use crate::args::keys::CheckKeyArguments;
use crate::commands::key;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::voice::Voice;

pub(super) fn run(arguments: &CheckKeyArguments, voice: Voice) -> Result<ExitCode, Failure> {
    let keys = key::read_each(&Inputs::default(), &arguments.key.key, &reading(&arguments.key))?;
    let mut worst = ExitCode::Done;
    for key in keys {
        match key {
            Ok(jwk) => voice.result(Picture::of(&jwk).told(voice))?,
            Err(failure) => {
                voice.fail(&failure);
                worst = failure.exit;
            }
        }
    }
    Ok(worst)
}

/// What is told about a key.
struct Picture {
    kind: String,
    private: bool,
    kid: Option<String>,
    alg: Option<String>,
    use_: Option<String>,
    thumbprint: Option<String>,
    fits: Vec<&'static str>,
}

impl Picture {
    fn of(jwk: &Jwk) -> Self {
        let public = jwk.public();
        let parameters = jwk.parameters();
        Self {
            kind: kind(jwk.shape(), public.as_ref().map(|public| &public.key)),
            private: matches!(jwk, Jwk::Private(_)),
            kid: parameters.kid.clone(),
            alg: jwk.alg().map(str::to_owned),
            use_: parameters.use_.clone(),
            thumbprint: public.map(|public| public.thumbprint()),
            fits: fits(jwk),
        }
    }

    fn told(&self, voice: Voice) -> String {
        if voice.is_json() { self.as_json().to_string() } else { self.as_text() }
    }

    fn as_json(&self) -> Value {
        json!({
            "valid": true,
            "kind": self.kind,
            "private": self.private,
            "kid": self.kid,
            "alg": self.alg,
            "use": self.use_,
            "thumbprint": self.thumbprint,
            "fits": self.fits,
        })
    }

    fn as_text(&self) -> String {
        let half = if self.private { "private" } else { "public" };
        let mut lines = vec![format!("{half} key, {}", self.kind)];
        let members = [("kid", &self.kid), ("alg", &self.alg), ("use", &self.use_), ("thumbprint", &self.thumbprint)];
        lines.extend(members.iter().filter_map(|(name, value)| Some(format!("  {name:10}  {}", value.as_ref()?))));
        let fits = if self.fits.is_empty() { "nothing that is offered".to_owned() } else { self.fits.join(", ") };
        lines.push(format!("  fits        {fits}"));
        lines.join("\n")
    }
}

/// `RSA 3072 bits`, `EC P-256`, `oct 256 bits`.
fn kind(shape: KeyShape, public: Option<&PublicKey>) -> String {
    match (shape, public) {
        (_, Some(PublicKey::Rsa(rsa))) => format!("RSA {} bits", rsa.bits()),
        (_, Some(PublicKey::Ec(ec))) => format!("EC {}", ec.curve().name()),
        (_, Some(PublicKey::Okp(okp))) => format!("OKP {}", okp.curve().name()),
        (_, Some(PublicKey::Akp { set, .. })) => format!("AKP {}", set.name()),
        (KeyShape::OctExact(octets), None) => format!("oct {} bits", octets * 8),
        (other, None) => other.to_string(),
    }
}

/// The algorithms that take the key as it is; those that its `alg` or `use` excludes are left out.
fn fits(jwk: &Jwk) -> Vec<&'static str> {
    let (shape, alg, own_use) = (jwk.shape(), jwk.alg(), jwk.parameters().use_.as_deref());
    let signs = SignatureAlgorithm::ALL.iter().map(|row| (row.name, row.key, row.grade, "sig"));
    let encrypts = KeyAlgorithm::ALL.iter().map(|row| (row.name, row.key, row.grade, "enc"));
    let taken = signs.chain(encrypts).filter(|(name, wanted, grade, use_)| {
        wanted.takes(shape)
            && !is_short(*wanted, shape)
            && !matches!(grade, Grade::Gap(_))
            && alg.is_none_or(|alg| alg == *name)
            && own_use.is_none_or(|own| own == *use_)
    });
    taken.map(|(name, ..)| name).collect()
}

/// A secret that only a switch would let sign.
fn is_short(wanted: KeyShape, found: KeyShape) -> bool {
    matches!((wanted, found), (KeyShape::OctAtLeast(least), KeyShape::OctExact(octets)) if octets < least)
}
