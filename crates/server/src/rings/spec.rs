//! Rings to be made: those of a new store, of an app, and of an operator's wish.

use std::time::Duration;

use jose::RsaBits;
use jose::jwa::{SignatureAlgorithm, SignatureFamily};
use keyring::{OverLife, RingPolicy, Span, Standby, StorePolicy, Time, Use};
use store::NewRing;

use crate::settings::CoreSettings;

/// The signer that keeps keys in this process, with RSA keys of 3 072 bits.
const SOFTWARE: &str = "software";
/// The same with RSA keys of 2 048 bits, as SuperTokens' clients know them.
const SOFTWARE_2048: &str = "software-2048";
/// The signer that keeps keys in a PKCS#11 token, with RSA keys of 3 072 bits.
pub(super) const PKCS11: &str = "pkcs11";
/// What the labels of our keys in a token begin with; the ring's id follows.
pub(super) const HSM_LABEL: &str = "chancery ";
/// D where nothing else is said.
const ROTATION_PERIOD: Span = Span::from_secs(7 * 86_400);
/// The life that a `d-` key waits for after it stopped, V and twice S left out (docs/contracts/supertokens.md B-4).
const DYNAMIC_LIFETIME: Span = Span::from_secs(7_200);

/// T of a ring with strict revocation (key ring contract, section 13).
pub(super) const STRICT_STALENESS: Span = Span::from_secs(300);

/// A ring to be made.
#[derive(Clone, Debug)]
pub struct NewRingSpec {
    /// Whose it is.
    pub tenant: String,
    /// Its name among its tenant's.
    pub name: String,
    /// The algorithm that it signs with.
    pub algorithm: &'static SignatureAlgorithm,
    /// What the kid of each generation begins with.
    pub kid_prefix: &'static str,
    /// The timing; none for the defaults of a ring that rotates.
    pub timing: Timing,
    /// Who keeps its keys.
    pub signer: RingSigner,
    /// Whether a process that the store does not answer stops signing after five minutes, so that a revocation reaches it.
    pub is_strict: bool,
}

/// Who keeps the private halves of a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RingSigner {
    /// This process, sealed in the store; RSA keys have 3 072 bits.
    #[default]
    Software,
    /// The same, and RSA keys have 2 048 bits.
    Software2048,
    /// A PKCS#11 token, which they never leave; RSA keys have 3 072 bits.
    Pkcs11,
}

/// The timing of a new ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// A generation every so often, everything else scaled to it.
    Rotating(Span),
    /// Generations only when an operator says so; tokens live as long as they like.
    Static,
    /// As SuperTokens' dynamic keys, a generation every so often: long tokens are kept, and one key stands there while the
    /// ring is new.
    Dynamic(Span),
}

impl NewRingSpec {
    /// The rings of a new store: three for everybody, and the two of SuperTokens' `public` app, whose dynamic key signs so
    /// long.
    pub fn of_a_new_store(dynamic_period: Duration) -> Vec<Self> {
        let plain = |name: &str, alg| Self {
            tenant: crate::vault::TENANT.to_owned(),
            name: name.to_owned(),
            algorithm: row(alg),
            kid_prefix: "",
            timing: Timing::Rotating(ROTATION_PERIOD),
            signer: RingSigner::Software,
            is_strict: false,
        };
        let mut rings = vec![plain("es256", "ES256"), plain("rs256", "RS256"), plain("eddsa", "EdDSA")];
        rings.extend(Self::of_an_app(crate::vault::TENANT, row("RS256"), dynamic_period));
        rings
    }

    /// The static and the dynamic ring of a SuperTokens app, for one algorithm; a dynamic key signs so long.
    pub fn of_an_app(app: &str, algorithm: &'static SignatureAlgorithm, dynamic_period: Duration) -> [Self; 2] {
        let ring = |kid_prefix: &'static str, timing| Self {
            tenant: app.to_owned(),
            name: app_ring_name(kid_prefix, algorithm),
            algorithm,
            kid_prefix,
            timing,
            signer: RingSigner::Software2048,
            is_strict: false,
        };
        [
            ring(super::STATIC_PREFIX, Timing::Static),
            ring(
                super::DYNAMIC_PREFIX,
                Timing::Dynamic(Span::from_secs(i64::try_from(dynamic_period.as_secs()).unwrap_or(i64::MAX))),
            ),
        ]
    }

    /// The rings of every app of these settings, for each of its algorithms.
    pub fn of_apps(core: &CoreSettings) -> Vec<Self> {
        let of_app = |app| {
            let period = core.rotation_period_of(app);
            core.algorithms_of(app).into_iter().flat_map(move |row| Self::of_an_app(app, row, period))
        };
        core.app_names().flat_map(of_app).collect()
    }

    /// The id that the ring has, or will have.
    pub fn ring_id(&self) -> String {
        format!("{}/{}", self.tenant, self.name)
    }

    /// The ring as the store takes it.
    pub(super) fn new_ring(&self, store: &StorePolicy) -> NewRing<'_> {
        NewRing {
            tenant: &self.tenant,
            name: &self.name,
            use_: use_of(self.algorithm),
            alg: self.algorithm.name,
            kid_prefix: self.kid_prefix,
            signer: self.signer.name(),
            policy: self.policy(store),
        }
    }

    fn policy(&self, store: &StorePolicy) -> RingPolicy {
        let defaults = |period| {
            let policy = RingPolicy::with_defaults(period, store, Time::from_us(0));
            let longest = if self.is_strict { STRICT_STALENESS } else { policy.max_staleness };
            RingPolicy { max_staleness: policy.max_staleness.min(longest), ..policy }
        };
        match self.timing {
            Timing::Rotating(period) => defaults(Some(period)),
            Timing::Static => defaults(None),
            Timing::Dynamic(period) => {
                let policy = defaults(Some(period));
                let lifetime = (DYNAMIC_LIFETIME - policy.leeway - store.clock_error.times(2)).min(period);
                let (over_life, standby) = (OverLife::Keep, Standby::AtLead);
                RingPolicy { max_lifetime: Some(lifetime), over_life, standby, ..policy }
            }
        }
    }
}

impl RingSigner {
    fn name(self) -> &'static str {
        match self {
            Self::Software => SOFTWARE,
            Self::Software2048 => SOFTWARE_2048,
            Self::Pkcs11 => PKCS11,
        }
    }
}

/// The name of a SuperTokens app's ring for one kind of key and one algorithm.
fn app_ring_name(kid_prefix: &str, algorithm: &SignatureAlgorithm) -> String {
    format!("{kid_prefix}{}", algorithm.name.to_ascii_lowercase())
}

/// The id of that ring.
pub fn app_ring_id(app: &str, kid_prefix: &str, algorithm: &SignatureAlgorithm) -> String {
    format!("{app}/{}", app_ring_name(kid_prefix, algorithm))
}

/// How long the RSA keys of this signer are.
pub(super) fn rsa_bits(signer: &str) -> RsaBits {
    if signer == SOFTWARE_2048 { RsaBits::Bits2048 } else { RsaBits::Bits3072 }
}

fn use_of(algorithm: &SignatureAlgorithm) -> Use {
    if matches!(algorithm.family, SignatureFamily::Hmac(_)) { Use::Mac } else { Use::Sign }
}

fn row(alg: &str) -> &'static SignatureAlgorithm {
    SignatureAlgorithm::by_name(alg).expect("the table has the algorithms that every house has")
}
