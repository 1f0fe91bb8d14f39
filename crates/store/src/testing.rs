//! The one place in the tests that knows how a store is made and filled.

pub(crate) mod server;

use std::path::Path;

use crate::sql::Session;
use crate::{Address, By, Digest, Error, Kek, NewDocument, Root, SealedBox, Store};

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

/// A store in a database of its own.
pub(crate) fn postgres() -> Store {
    init_postgres(&Address::parse(&server::shared().fresh_database()).unwrap()).unwrap()
}

pub(crate) fn init_postgres(address: &Address) -> Result<Store, Error> {
    Store::init_postgres(address, &BY, || Ok((root(), ())), |_, ()| Ok(())).map(|(store, ())| store)
}

/// Runs a statement behind the back of the store.
pub(crate) fn sql(store: &Store, statement: &str) -> Result<(), Error> {
    store.connection()?.session().batch(statement)
}

/// Has each such statement on a table fail from now on.
pub(crate) fn set_fault(store: &Store, statement: &str, table: &str) {
    // The connection is given back before the statement asks for it.
    let fault = match store.connection().unwrap().session() {
        Session::Sqlite(_) => format!(
            "CREATE TEMP TRIGGER fault AFTER {statement} ON main.{table} BEGIN SELECT RAISE(ABORT, 'fault'); END"
        ),
        Session::Postgres(_) => fault(statement, table, "RAISE EXCEPTION ''fault''"),
    };
    sql(store, &fault).unwrap();
}

/// The same, and the transaction around it ends.
pub(crate) fn set_fatal_fault(store: &Store, statement: &str, table: &str) {
    let fault = match store.connection().unwrap().session() {
        Session::Sqlite(_) => format!(
            "CREATE TEMP TRIGGER fault AFTER {statement} ON main.{table} BEGIN SELECT RAISE(ROLLBACK, 'fault'); END"
        ),
        Session::Postgres(_) => fault(statement, table, "PERFORM pg_terminate_backend(pg_backend_pid())"),
    };
    sql(store, &fault).unwrap();
}

pub(crate) fn clear_fault(store: &Store) {
    let clear = match store.connection().unwrap().session() {
        Session::Sqlite(_) => "DROP TRIGGER fault",
        Session::Postgres(_) => "DROP FUNCTION fault CASCADE",
    };
    sql(store, clear).unwrap();
}

fn fault(statement: &str, table: &str, what: &str) -> String {
    format!(
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {what}; RETURN NULL; END'; \
         CREATE TRIGGER fault AFTER {statement} ON {table} FOR EACH ROW EXECUTE FUNCTION fault()"
    )
}
