//! The rings that a new store begins with, in the transaction that makes it: there is no store without them.

use keyring::{StorePolicy, Time};
use signer::{Keeper, RingKey};
use store::Change;

use super::NewRingSpec;
use super::change::{At, Origin, insert};
use super::spec::rsa_bits;
use crate::vault::VaultError;

/// Draws the first key of each ring, on a thread each: an RSA key takes most of a second.
pub(crate) fn draw(specs: &[NewRingSpec], keeper: &Keeper) -> Result<Vec<RingKey>, VaultError> {
    let store = StorePolicy::with_defaults(Time::from_us(0));
    std::thread::scope(|scope| {
        let begin = |spec: &'_ NewRingSpec| {
            let (algorithm, prefix) = (spec.algorithm, spec.kid_prefix);
            let bits = rsa_bits(spec.new_ring(&store).signer);
            scope.spawn(move || RingKey::generate(keeper, algorithm, bits, prefix))
        };
        let begun: Vec<_> = specs.iter().map(begin).collect();
        let ended = |thread: std::thread::ScopedJoinHandle<'_, Result<RingKey, signer::Error>>| {
            thread.join().unwrap_or(Err(signer::Error::Random)).map_err(VaultError::from)
        };
        begun.into_iter().map(ended).collect()
    })
}

/// Writes each ring with its first key.
pub(crate) fn fill(
    change: &mut Change<'_>,
    specs: &[NewRingSpec],
    keys: &[RingKey],
    keeper: &Keeper,
) -> Result<(), VaultError> {
    let store = StorePolicy::with_defaults(Time::from_us(0));
    for (spec, key) in specs.iter().zip(keys) {
        let new = spec.new_ring(&store);
        let ring_id = change.make_ring(&new)?;
        let at = At { ring_id: &ring_id, alg: new.alg, signer: new.signer, n: 1 };
        insert(change, keeper, &at, key, Origin::Made, "the store was made")?;
    }
    Ok(())
}
