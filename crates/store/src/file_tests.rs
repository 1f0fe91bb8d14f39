//! What only a store on a disk must do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use crate::testing::{BY, deploy, init, put, root, try_init};
use crate::{DATABASE_FILE, Error, LOCK_FILE, Store};

#[test]
fn a_store_survives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = init(folder.path());
    deploy(&store, "seed", b"one");
    put(&store, "secret/a", b"first").unwrap();
    let head = store.verify_audit().unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.store_id(), root().store_id);
    assert_eq!(store.documents().unwrap()[0].octets, b"one");
    assert_eq!(store.verify_audit().unwrap(), head);
}

#[test]
fn the_file_is_its_owners_alone_and_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = init(&data);
    for name in [DATABASE_FILE, LOCK_FILE, "chancery.db-wal"] {
        let mode = mode(&data.join(name));
        assert_eq!(mode, 0o600, "{name}");
    }
    assert_eq!(mode(&data), 0o700);
    for (pragma, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
        ("trusted_schema", "0"),
        ("cell_size_check", "1"),
        ("secure_delete", "1"),
        ("recursive_triggers", "1"),
        ("busy_timeout", "5000"),
    ] {
        let sql = format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}");
        let sql = sql.replace("CAST(busy_timeout", "CAST(timeout");
        let found: String =
            store.connection().unwrap().session().query_one(&sql, &[]).unwrap().unwrap().get(0).unwrap();
        assert_eq!(found, value, "{pragma}");
    }
}

#[test]
fn a_file_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(init(folder.path()));
    let path = folder.path().join(DATABASE_FILE);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refusal = refusal(Store::open(folder.path()));
    assert!(refusal.contains("mode 0640"), "{refusal}");
}

#[test]
fn a_folder_without_a_store_is_no_fresh_start() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open(folder.path()), Err(Error::NoStore { .. })));
    std::fs::File::create(folder.path().join(DATABASE_FILE))
        .unwrap()
        .set_permissions(std::fs::Permissions::from_mode(0o600))
        .unwrap();
    assert!(matches!(Store::open(folder.path()), Err(Error::NoStore { .. })));
    init(folder.path());
}

#[test]
fn a_second_owner_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let first = init(folder.path());
    assert!(matches!(Store::open(folder.path()), Err(Error::InUse { .. })));
    assert!(matches!(try_init(folder.path()), Err(Error::InUse { .. })));
    drop(first);
    Store::open(folder.path()).unwrap();
}

#[test]
fn another_name_of_the_same_file_does_not_get_around_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let _first = init(folder.path());
    std::fs::hard_link(folder.path().join(DATABASE_FILE), other.path().join(DATABASE_FILE)).unwrap();
    assert!(matches!(Store::open(other.path()), Err(Error::InUse { .. })));
}

#[test]
fn a_store_is_never_made_over_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = init(folder.path());
    deploy(&store, "seed", b"one");
    put(&store, "secret/a", b"first").unwrap();
    drop(store);
    let counts = row_counts(folder.path());
    let again = try_init(folder.path());
    assert!(matches!(again, Err(Error::AlreadyInitialized { .. })));

    let raw = raw(folder.path());
    raw.execute_batch("DROP TRIGGER meta_stays; DELETE FROM meta;").unwrap();
    drop(raw);
    let again = try_init(folder.path());
    assert!(matches!(again, Err(Error::RowsWithoutRoot { .. })));
    let opened = Store::open(folder.path());
    assert!(matches!(opened, Err(Error::RowsWithoutRoot { .. })));
    assert_eq!(row_counts(folder.path()), counts);
}

#[test]
fn no_root_is_drawn_where_a_store_is_and_a_failed_one_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fails = || Err(Error::EmptyName { what: "test" });
    let failed = Store::init::<(), _>(folder.path(), &BY, fails, |_, ()| Ok(()));
    assert!(matches!(failed, Err(Error::EmptyName { .. })));
    assert!(matches!(Store::open(folder.path()), Err(Error::NoStore { .. })));
    let half = |change: &mut crate::Change<'_>, (): &()| {
        change.make_ring(&crate::conformance::new_ring("r"))?;
        Err(Error::EmptyName { what: "test" })
    };
    let failed = Store::init::<(), _>(folder.path(), &BY, || Ok((root(), ())), half);
    assert!(matches!(failed, Err(Error::EmptyName { .. })));
    assert!(matches!(Store::open(folder.path()), Err(Error::NoStore { .. })));
    drop(init(folder.path()));
    let never = || panic!("a root was drawn over a store");
    let again = Store::init::<(), Error>(folder.path(), &BY, never, |_, ()| Ok(()));
    assert!(matches!(again, Err(Error::AlreadyInitialized { .. })));
}

#[test]
fn rows_without_their_keys_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = init(folder.path());
    put(&store, "secret/a", b"first").unwrap();
    drop(store);
    raw(folder.path()).execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM kek;").unwrap();
    let refusal = refusal(Store::open(folder.path()));
    assert!(refusal.contains("2 rows in `sealed`"), "{refusal}");
}

#[test]
fn a_snapshot_of_an_older_release_is_served_from() {
    let folder = tempfile::tempdir().unwrap();
    let store = init(folder.path());
    store.write_snapshot(folder.path()).unwrap();
    drop(store);
    let path = folder.path().join(crate::SNAPSHOT_FILE);
    let older = "ALTER TABLE meta DROP COLUMN oldest_program; UPDATE meta SET schema_version = 3;";
    Connection::open(&path).unwrap().execute_batch(older).unwrap();
    let (snapshot, _) = Store::open_snapshot(folder.path()).unwrap();
    assert!(!snapshot.keks().unwrap().is_empty());
    assert!(snapshot.change(&BY, |_| Ok::<_, Error>(())).is_err(), "nothing is changed in it");
}

#[test]
fn a_store_from_the_future_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(init(folder.path()));
    raw(folder.path()).execute_batch("UPDATE meta SET schema_version = 99, oldest_program = 98").unwrap();
    let refusal = refusal(Store::open(folder.path()));
    assert!(refusal.contains("schema 99"), "{refusal}");
}

#[test]
fn a_torn_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = init(folder.path());
    deploy(&store, "seed", &[7; 60_000]);
    drop(store);
    let path = folder.path().join(DATABASE_FILE);
    let mut octets = std::fs::read(&path).unwrap();
    for (place, octet) in octets.iter_mut().enumerate().skip(4_096).take(8_192) {
        *octet = place as u8;
    }
    std::fs::write(&path, &octets).unwrap();
    assert!(matches!(Store::open(folder.path()), Err(Error::Damaged { .. })));
    std::fs::write(&path, b"this is no database, whatever its name says").unwrap();
    assert!(matches!(Store::open(folder.path()), Err(Error::Damaged { .. })));
}

#[test]
fn an_altered_audit_row_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = init(folder.path());
    for n in 0..3_u8 {
        deploy(&store, "seed", &[n]);
    }
    put(&store, "secret/a", b"first").unwrap();
    drop(store);
    let path = folder.path().join(DATABASE_FILE);
    let whole = std::fs::read(&path).unwrap();
    for alteration in [
        "at = at + 1",
        "actor = 'nobody'",
        "address = NULL",
        "address = ''",
        "action = 'undeploy'",
        "object = object || ' '",
        "digest_before = zeroblob(32)",
        "digest_after = NULL",
        "result = 'unchanged'",
        "request_id = 'r-2'",
        "prev_hash = zeroblob(32)",
        "hash = zeroblob(32)",
        "seq = 30",
    ] {
        alter(folder.path(), &format!("UPDATE audit SET {alteration} WHERE seq = 3"));
        assert_eq!(broken_at(folder.path()), 3, "{alteration}");
        std::fs::write(&path, &whole).unwrap();
    }
    alter(folder.path(), "DELETE FROM audit WHERE seq = 2");
    assert_eq!(broken_at(folder.path()), 2);
}

#[test]
fn a_chain_of_another_store_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    drop(init(folder.path()));
    raw(folder.path()).execute_batch("DROP TRIGGER meta_keeps_its_id; UPDATE meta SET store_id = 'other'").unwrap();
    assert_eq!(broken_at(folder.path()), 1);
}

/// KR-29: an altered column of any event, or of a generation, is named by its ring and number; an altered audit row by its
/// number (above). KR-53 (part): the altered generation alone is not whole.
#[test]
fn an_altered_event_or_generation_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = init(folder.path());
    for name in ["one", "two"] {
        crate::conformance::with_standby(&store, name);
    }
    drop(store);
    let path = folder.path().join(DATABASE_FILE);
    let whole = std::fs::read(&path).unwrap();
    let events =
        ["kind = 'revoked'", "n = 7", "at = at + 1", "until = 7", "reason = 'other'", "digest = NULL", "seq = 30"];
    let hashes = ["prev_hash = zeroblob(32)", "hash = zeroblob(32)"];
    for alteration in events.iter().chain(&hashes) {
        let seq = alter_rings(
            folder.path(),
            &format!("UPDATE key_event SET {alteration} WHERE ring_id = 'public/two' AND seq = 2"),
        );
        assert_eq!(seq, ("public/two".to_owned(), 2), "{alteration}");
        std::fs::write(&path, &whole).unwrap();
    }
    let columns = [
        "kid = 'other'",
        "thumbprint = 'other'",
        "public_jwk = NULL",
        "origin = 'imported'",
        "created_at = created_at - 1",
    ];
    for alteration in
        columns.iter().chain(&["signer_ref = ''", "activate_at = activate_at + 1", "row_digest = zeroblob(32)"])
    {
        let seq = alter_rings(
            folder.path(),
            &format!("UPDATE generation SET {alteration} WHERE ring_id = 'public/two' AND n = 2"),
        );
        assert_eq!(seq, ("public/two".to_owned(), 3), "{alteration}");
        let rings = Store::open(folder.path()).unwrap().rings().unwrap().rings;
        let whole_ones: Vec<bool> = rings.iter().flat_map(|ring| &ring.generations).map(|row| row.is_whole).collect();
        assert_eq!(whole_ones, [true, true, true, false], "{alteration}");
        std::fs::write(&path, &whole).unwrap();
    }
}

/// Alters one row behind the store's back and gives what is named.
fn alter_rings(folder: &Path, statement: &str) -> (String, u64) {
    let free = "DROP TRIGGER key_event_no_update; DROP TRIGGER generation_no_update; PRAGMA foreign_keys = OFF;";
    let raw = raw(folder);
    raw.execute_batch(free).unwrap();
    assert_eq!(raw.execute(statement, []).unwrap(), 1);
    drop(raw);
    match Store::open(folder).unwrap().verify_rings() {
        Err(Error::RingBroken { ring_id, seq, .. }) => (ring_id, seq),
        other => panic!("the rings are {other:?}"),
    }
}

fn alter(folder: &Path, statement: &str) {
    let free = "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;";
    let raw = raw(folder);
    raw.execute_batch(free).unwrap();
    assert_eq!(raw.execute(statement, []).unwrap(), 1);
}

fn broken_at(folder: &Path) -> u64 {
    match Store::open(folder).unwrap().verify_audit() {
        Err(Error::AuditBroken { seq, .. }) => seq,
        other => panic!("the chain is {other:?}"),
    }
}

fn row_counts(folder: &Path) -> [u64; 4] {
    let raw = raw(folder);
    ["kek", "sealed", "document_revision", "audit"].map(|table| {
        let sql = format!("SELECT count(*) FROM {table}");
        raw.query_row(&sql, [], |row| row.get(0)).unwrap()
    })
}

fn refusal(opened: Result<Store, Error>) -> String {
    match opened {
        Ok(_) => panic!("the store opened"),
        Err(error) => error.to_string(),
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// The file without the store's rules, as a thief or a careless operator has it.
fn raw(folder: &Path) -> Connection {
    Connection::open(folder.join(DATABASE_FILE)).unwrap()
}
