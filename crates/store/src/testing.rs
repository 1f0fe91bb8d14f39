//! The one place in the tests that knows how a store is made and filled.

use std::path::Path;

use crate::{By, Digest, Error, Kek, NewDocument, Root, SealedBox, Store};

pub(crate) const BY: By<'_> = By { actor: "admin", address: Some("127.0.0.1"), request_id: Some("r-1") };

pub(crate) fn root() -> Root {
    Root {
        store_id: "store-of-the-tests".to_owned(),
        kek: Kek {
            kek_id: "kek-1".to_owned(),
            is_primary: true,
            wrapped: vec![1; 60],
            root_id: "raw".to_owned(),
            check_box: vec![2; 60],
        },
        salt: boxed("install-salt", b"salt"),
    }
}

pub(crate) fn boxed(owner: &str, octets: &[u8]) -> SealedBox {
    SealedBox {
        owner: owner.to_owned(),
        kek_id: "kek-1".to_owned(),
        aead: "A256GCMSIV".to_owned(),
        nonce: vec![3; 12],
        octets: octets.to_vec(),
    }
}

pub(crate) fn try_init(folder: &Path) -> Result<Store, Error> {
    Store::init(folder, &BY, || Ok((root(), ())), |_, ()| Ok(())).map(|(store, ())| store)
}

pub(crate) fn document<'a>(name: &'a str, octets: &'a [u8]) -> NewDocument<'a> {
    NewDocument { tenant: "public", name, kind: "node-red", octets, over: None }
}

pub(crate) fn init(folder: &Path) -> Store {
    try_init(folder).unwrap()
}

pub(crate) fn deploy(store: &Store, name: &str, octets: &[u8]) -> u64 {
    let deployed = store.change(&BY, |change| change.deploy(&document(name, octets)));
    deployed.unwrap().revision
}

pub(crate) fn put(store: &Store, owner: &str, octets: &[u8]) -> Result<(), Error> {
    let sealed = boxed(owner, octets);
    store.change(&BY, |change| change.put_sealed(&sealed, Digest::of(octets)))
}
