//! The mark of keys whose primes a faulty library drew from too small a set (CVE-2017-15361).

/// Small primes modulo which such a modulus is a power of 65537. A sound modulus passes all of them once in 2^27.
const PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
const GENERATOR: u32 = 65_537;

/// Whether the modulus, big endian, bears the mark.
pub(super) fn is_marked(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| is_power_of_generator(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    number.iter().fold(0, |rest, octet| (rest << 8 | u32::from(*octet)) % prime)
}

fn is_power_of_generator(rest: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 1..prime {
        if power == rest {
            return true;
        }
        power = power * GENERATOR % prime;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-10, JO-23: a modulus with the mark is told from its neighbours.
    #[test]
    fn the_mark_is_seen() {
        let product = PRIMES.iter().map(|prime| u128::from(*prime)).product::<u128>();
        let marked = (0..77).fold(1, |power: u128, _| power * u128::from(GENERATOR) % product) + product * 12_345;
        assert!(is_marked(&marked.to_be_bytes()));
        assert!((2..60).step_by(2).all(|step| !is_marked(&(marked + step).to_be_bytes())));
    }
}
