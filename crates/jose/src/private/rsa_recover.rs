//! The primes of an RSA key from `n`, `e` and `d` (NIST SP 800-56B revision 2, appendix C.2), and the CRT members from them.

use crypto_bigint::{BoxedUint, CheckedSub, ConcatenatingMul, ConcatenatingSquare, Gcd, Integer, NonZero, Odd, Resize};
use zeroize::Zeroizing;

use super::{RsaSecret, Secret};
use crate::{Error, jwk::RsaPublic};

type Number = Zeroizing<BoxedUint>;

pub(super) fn recover(public: &RsaPublic, d: Secret) -> Result<RsaSecret, Error> {
    members(public, &d)
        .map(|[p, q, dp, dq, qi]| RsaSecret { d, p, q, dp, dq, qi })
        .ok_or_else(|| Error::key_invalid("d", "does not belong to `n` and `e`"))
}

fn members(public: &RsaPublic, d: &[u8]) -> Option<[Secret; 5]> {
    let bits = u32::try_from(public.n.len() * 8).ok()?;
    let n = Odd::new(BoxedUint::from_be_slice(&public.n, bits).ok()?).into_option()?;
    let d = Zeroizing::new(BoxedUint::from_be_slice(d, bits).ok()?);
    let e = BoxedUint::from(public.exponent()?);
    let p = prime_factor(&n, &d, &e)?;
    let q = Zeroizing::new(n.as_ref().div_rem(&non_zero(&p)?).0);
    let (p, q) = if p.cmp_vartime(&*q).is_ge() { (p, q) } else { (q, p) };
    let half = p.bits_vartime().max(q.bits_vartime());
    let (p, q) = (Zeroizing::new((&*p).resize(half)), Zeroizing::new((&*q).resize(half)));
    let reduced = |prime: &BoxedUint| Some(Zeroizing::new(d.rem(&non_zero(&prime.wrapping_sub(BoxedUint::one()))?)));
    let qi = Zeroizing::new(q.invert_mod(&non_zero(&p)?).into_option()?);
    Some([octets(&p), octets(&q), octets(&*reduced(&p)?), octets(&*reduced(&q)?), octets(&qi)])
}

/// `e * d - 1` is a multiple of the order of every number modulo `n`; times its greatest common divisor with `n - 1` it is one of
/// `(p - 1) * (q - 1)`. How often that goes into it, its quotient by `n` tells, and so the sum of the primes. Half of that, squared,
/// is `n` and the square of half their difference. Nothing is raised to a power: what fits nothing costs no more than a key.
fn prime_factor(n: &Odd<BoxedUint>, d: &BoxedUint, e: &BoxedUint) -> Option<Number> {
    let one = BoxedUint::one();
    let of_orders = Zeroizing::new(d.concatenating_mul(e).wrapping_sub(&one));
    let below = n.as_ref().wrapping_sub(&one).resize(of_orders.bits_precision());
    let multiple = Zeroizing::new(of_orders.concatenating_mul(below.gcd(&of_orders)));
    let (times, rest) = multiple.div_rem(&non_zero(n.as_ref())?);
    let times = Zeroizing::new(times.wrapping_add(&one));
    let (sum, left) = Zeroizing::new(n.as_ref().wrapping_sub(&rest)).div_rem(&non_zero(&times)?);
    let sum = Zeroizing::new(sum.wrapping_add(&one));
    if !bool::from(left.is_zero()) || bool::from(sum.is_odd()) {
        return None;
    }
    let half = Zeroizing::new(sum.shr(1).resize(n.bits_precision()));
    let square = Zeroizing::new(half.concatenating_square());
    let difference =
        square.checked_sub(&n.as_ref().resize(square.bits_precision())).into_option().map(Zeroizing::new)?;
    let half_difference = Zeroizing::new(difference.checked_sqrt().into_option()?.resize(n.bits_precision()));
    let (p, q) = (half.wrapping_add(&*half_difference), Zeroizing::new(half.wrapping_sub(&*half_difference)));
    (*q > one && p != *q).then(|| Zeroizing::new(p))
}

fn non_zero(number: &BoxedUint) -> Option<NonZero<BoxedUint>> {
    NonZero::new(number.clone()).into_option()
}

fn octets(number: &BoxedUint) -> Secret {
    Zeroizing::new(number.to_be_bytes_trimmed_vartime().into_vec())
}
