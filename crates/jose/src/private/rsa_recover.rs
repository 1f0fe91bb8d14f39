//! The primes of an RSA key from `n`, `e` and `d` (NIST SP 800-56B appendix C.1), and the CRT members from them.

use crypto_bigint::{
    BoxedUint, ConcatenatingMul, Gcd, NonZero, Odd, Resize,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use zeroize::Zeroizing;

use super::{RsaSecret, Secret};
use crate::{Error, jwk::RsaPublic};

type Number = Zeroizing<BoxedUint>;

/// Each base finds the primes with a chance of at least one half, so all of them miss once in 2^50 keys.
const BASES: [u64; 50] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229,
];

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

/// `e * d - 1` is a multiple of the order of every base modulo each prime. Halving it again and again, one of the
/// bases reaches a square root of 1 that is neither 1 nor -1; it shares a factor with `n`.
fn prime_factor(n: &Odd<BoxedUint>, d: &BoxedUint, e: &BoxedUint) -> Option<Number> {
    let multiple = Zeroizing::new(d.concatenating_mul(e).wrapping_sub(BoxedUint::one()));
    let halvings = multiple.trailing_zeros();
    if halvings == 0 || halvings >= multiple.bits_precision() {
        return None;
    }
    let odd_part = Zeroizing::new(multiple.shr(halvings));
    let field = BoxedMontyParams::new_vartime(n.clone());
    let one = BoxedMontyForm::one(&field);
    let minus_one = one.neg();
    for base in BASES {
        let base = BoxedUint::from(base).resize(n.bits_precision());
        let mut root = BoxedMontyForm::new(base, &field).pow(&odd_part);
        for _ in 0..halvings {
            let square = root.square();
            if square == one && root != one && root != minus_one {
                let below = root.sub(&one).retrieve();
                return Some(Zeroizing::new(below.gcd(n.as_ref())));
            }
            root = square;
        }
        // Under the right `d` every base ends at 1; a wrong one is not worth fifty tries.
        if root != one {
            return None;
        }
    }
    None
}

fn non_zero(number: &BoxedUint) -> Option<NonZero<BoxedUint>> {
    NonZero::new(number.clone()).into_option()
}

fn octets(number: &BoxedUint) -> Secret {
    Zeroizing::new(number.to_be_bytes_trimmed_vartime().into_vec())
}
