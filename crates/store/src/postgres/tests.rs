//! What only a store on a server can be asked: its roles, its certificate, and a store that moves to it.

use std::path::Path;
use std::process::Command;

use crate::conformance::{make_key, new_ring, with_standby};
use crate::testing::{BY, deploy, init, init_postgres, put, server, sql};
use crate::{Address, Error, Store};

fn address(url: &str) -> Address {
    Address::parse(url).unwrap()
}

/// A role of the servers' own can do all that a server does, and cannot touch what was written; `docs/postgresql-role.sql`
/// makes it.
#[test]
fn a_role_that_owns_nothing_adds_and_never_changes() {
    let url = server::shared().fresh_database();
    drop(init_postgres(&address(&url)).unwrap());
    let database = url.rsplit_once('/').unwrap().1;
    server::shared().sql(database, "CREATE ROLE chancery_server LOGIN");
    server::shared().sql(database, include_str!("../../../../docs/postgresql-role.sql"));
    let store = Store::open_postgres(&address(&url.replace("test@", "chancery_server@"))).unwrap();
    deploy(&store, "seed", b"one");
    deploy(&store, "seed", b"two");
    put(&store, "secret/a", b"one").unwrap();
    with_standby(&store, "r");
    store.change(&BY, |change| change.revoke("public/r", 1, "leaked")).unwrap();
    assert!(store.change(&BY, |change| change.destroy("public/r", 1)).unwrap());
    store.change(&BY, |change| change.undeploy("public", "seed")).unwrap();
    store.report("me", &store.epochs().unwrap(), 0, "1").unwrap();
    for table in ["audit", "generation", "key_event", "ring", "ring_policy", "store_policy", "verify_only", "meta"] {
        for statement in [format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE")] {
            let refusal = sql(&store, &statement).unwrap_err().to_string();
            assert!(refusal.contains("permission denied"), "{statement}: {refusal}");
        }
    }
    assert!(sql(&store, "UPDATE audit SET actor = 'nobody'").is_err());
    store.verify_audit().unwrap();
}

/// The certificate must be for the name in the URL and under a root that is trusted.
#[test]
fn a_server_without_the_right_certificate_is_nobody() {
    let server = server::Server::start();
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    server.serve_tls(&folder.path().join("server.pem"), &folder.path().join("server.key"));
    let url = server.fresh_database();
    let (port, database) = url.rsplit_once(':').unwrap().1.split_once('/').unwrap();
    let ca = folder.path().join("ca.pem").display().to_string();
    let at = |host: &str, options: &str| address(&format!("postgres://test@{host}:{port}/{database}?{options}"));
    let own = format!("sslmode=verify-full&sslrootcert={ca}");
    let store = init_postgres(&at("localhost", &own)).unwrap();
    let is_tls = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let is_tls: bool = store.connection().unwrap().session().query_one(is_tls, &[]).unwrap().unwrap().get(0).unwrap();
    assert!(is_tls);
    for refused in [at("localhost", "sslmode=require"), at("127.0.0.1", &own)] {
        assert!(matches!(Store::open_postgres(&refused), Err(Error::Away { .. })), "{refused}");
    }
    let nothing = folder.path().join("server.key").display().to_string();
    let nothing = at("localhost", &format!("sslrootcert={nothing}"));
    assert!(matches!(Store::open_postgres(&nothing), Err(Error::Address { .. })));
}

fn certificates(folder: &Path) {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem \
                  -addext basicConstraints=critical,CA:TRUE && \
                  openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr && \
                  printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > ext && \
                  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -extfile ext -out server.pem";
    let output = Command::new("sh").args(["-c", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A store that moves keeps its name, its history and everything sealed; it moves to where nothing is.
#[test]
fn a_store_moves_from_sqlite_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let from = init(folder.path());
    for number in 0..600_u32 {
        deploy(&from, "seed", &number.to_be_bytes());
    }
    put(&from, "secret/a", b"one").unwrap();
    with_standby(&from, "r");
    from.change(&BY, |change| change.revoke("public/r", 1, "leaked")).unwrap();
    let to = address(&server::shared().fresh_database());
    from.copy_to(&to).unwrap();
    let moved = Store::open_postgres(&to).unwrap();
    assert_eq!(moved.store_id(), from.store_id());
    assert_eq!(moved.verify_audit().unwrap(), from.verify_audit().unwrap());
    assert_eq!(moved.documents().unwrap(), from.documents().unwrap());
    assert_eq!(moved.revisions("public", "seed").unwrap().len(), 600);
    assert_eq!(moved.list_sealed("").unwrap(), from.list_sealed("").unwrap());
    assert_eq!(moved.keks().unwrap(), from.keks().unwrap());
    let rings = |store: &Store| {
        let world = store.rings().unwrap();
        format!("{:?} {:?}", world.rings, world.store_policies)
    };
    assert_eq!(rings(&moved), rings(&from));
    assert!(matches!(from.copy_to(&to), Err(Error::AlreadyInitialized { .. })));
    moved.change(&BY, |change| change.make_ring(&new_ring("later"))).unwrap();
    moved.change(&BY, |change| make_key(change, "public/later")).unwrap();
    moved.verify_rings().unwrap();
}
