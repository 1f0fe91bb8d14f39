//! Those who check tokens with a key set that they keep, and never look again for a key that they do not know.

use std::time::{Duration, Instant};

use jose::VerifyingKey;
use jose::jwa::{SignatureAlgorithm, Switches};
use jose::jwk::JwkSet;
use jose::jws;

use super::replica::Replica;
use server::rings::RingToken;

/// A, beyond which nobody keeps a set.
const KEPT_MAX: Duration = Duration::from_secs(20);

/// One of them, and what it has.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// None for one that keeps a set as long as the reply says.
    keeps: Option<Duration>,
    kept: Option<Kept>,
    next: usize,
}

#[derive(Debug)]
struct Kept {
    set: JwkSet,
    since: Instant,
    until: Instant,
}

impl Verifier {
    /// Keeps a set as long as it is told, and twice that when nobody answers.
    pub(crate) fn honest() -> Self {
        Self { keeps: None, kept: None, next: 0 }
    }

    /// Keeps a set for as long as the contract assumes, whatever it is told.
    pub(crate) fn fixed() -> Self {
        Self { keeps: Some(KEPT_MAX), kept: None, next: 1 }
    }

    /// Whether it accepts a token; none while it has no set at all.
    pub(crate) fn accepts(&mut self, token: &RingToken, replicas: &mut [Replica]) -> Option<bool> {
        let now = Instant::now();
        if self.kept.as_ref().is_none_or(|kept| now >= kept.until) {
            self.fetch(now, replicas);
        }
        let kept = self.kept.as_ref().filter(|kept| now < kept.since + KEPT_MAX)?;
        let row = SignatureAlgorithm::by_name("EdDSA").unwrap();
        let key = kept.set.keys.iter().find(|key| key.parameters.kid.as_ref() == Some(&token.kid));
        let Some(key) = key.map(|key| VerifyingKey::new(row, key, Switches::NONE).unwrap()) else {
            return Some(false);
        };
        Some(jws::Verifier::new(&[row]).unwrap().verify(&token.token, &key).is_ok())
    }

    /// Asks one replica after the other.
    fn fetch(&mut self, now: Instant, replicas: &mut [Replica]) {
        for _ in 0..replicas.len() {
            self.next = (self.next + 1) % replicas.len();
            if let Some((secs, text)) = replicas[self.next].set() {
                let set = JwkSet::parse(text.as_bytes()).unwrap();
                let until = now + self.keeps.unwrap_or(Duration::from_secs(secs));
                self.kept = Some(Kept { set, since: now, until });
                return;
            }
        }
    }
}
