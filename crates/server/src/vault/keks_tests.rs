//! New keys for old boxes, on a store on a disk: under load, killed in the middle, and refused.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jose::jwa::SignatureAlgorithm;
use jose::jws::HeaderPlan;
use plan::SecretRef;
use signer::{MasterSource, Secret};
use store::{By, NewDocument};

use super::keks::label_of;
use super::{SecretStep, TENANT, Vault, VaultError, to_signer};
use crate::rings::{NewRingSpec, RingSigner, Rings, Timing};

const BY: By<'_> = By { actor: "test", address: None, request_id: None };
const FOLDER: &str = "VAULT_TEST_RESEALS_IN";
const BORDER: &str = "VAULT_TEST_DIES_AT_BORDER";

fn source(folder: &Path, name: &str) -> MasterSource {
    MasterSource::File(folder.join(name))
}

fn open(folder: &Path) -> Vault {
    Vault::open(folder, source(folder, "master.key")).unwrap()
}

fn fixed(tenant: &str) -> NewRingSpec {
    NewRingSpec {
        tenant: tenant.to_owned(),
        name: "r".to_owned(),
        algorithm: SignatureAlgorithm::by_name("EdDSA").unwrap(),
        kid_prefix: "",
        timing: Timing::Static,
        signer: RingSigner::Software,
        is_strict: false,
    }
}

/// A closed store with so many secrets of flows.
fn with_secrets(folder: &Path, count: u32) {
    let vault = Vault::init(folder, source(folder, "master.key"), &[fixed("public")], &BY).unwrap();
    let secret = |n: u32| {
        let name = SecretRef { owner: format!("{n:04}").into(), field: "f".into() };
        (name, SecretStep::Set(Secret::new(n.to_string().into_bytes())))
    };
    let secrets: Vec<_> = (0..count).map(secret).collect();
    let document = NewDocument { tenant: TENANT, name: "seed", kind: "k", octets: b"[]", over: None };
    vault.deploy(&document, &secrets, &BY).unwrap();
}

/// How many boxes lie under each KEK, the oldest first; each of them opens for its owner.
fn boxes(vault: &Vault) -> Vec<u64> {
    let world = vault.store().rings().unwrap();
    for sealed in vault.store().list_sealed("").unwrap() {
        let label = label_of(&world, &sealed.owner).unwrap();
        vault.signer().keeper().unseal(&label, &to_signer(sealed.clone())).unwrap();
    }
    vault.keks().unwrap().iter().map(|kek| kek.boxes).collect()
}

/// KR-22: a new KEK over a thousand keys while tokens are minted: none fails; the old KEK goes afterwards and not before.
/// KR-55: deleted too early it is refused, with the number of boxes.
#[test]
fn a_new_kek_is_no_pause() {
    let folder = tempfile::tempdir().unwrap();
    let tenants: Vec<String> = (0..10).map(|n| format!("t{n}")).collect();
    let rings: Vec<_> = tenants.iter().map(|tenant| fixed(tenant)).collect();
    let vault = Vault::init(folder.path(), source(folder.path(), "master.key"), &rings, &BY).unwrap();
    let rings = Rings::open(Arc::new(vault)).unwrap();
    rings.fill_for_tests(99, &BY);
    let vault = Arc::clone(rings.vault());
    let name = SecretRef { owner: "n".into(), field: "f".into() };
    vault.change_secret(&name, &SecretStep::Set(Secret::new(b"s".to_vec())), &BY).unwrap();
    assert_eq!(boxes(&vault), [1_002], "a thousand keys, a secret and the salt");
    let old = vault.keks().unwrap().remove(0).kek_id;

    let stop = AtomicBool::new(false);
    let minted = std::thread::scope(|scope| {
        let minting = scope.spawn(|| {
            let mut minted = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                for tenant in &tenants {
                    rings.mint(&format!("{tenant}/r"), &HeaderPlan::jwt(), |_| Ok(b"{}".to_vec())).unwrap();
                    minted += 1;
                }
            }
            minted
        });
        let refused = |boxes: u64| {
            let refusal = vault.delete_kek(&old, &BY).unwrap_err();
            assert!(refusal.to_string().starts_with(&format!("{boxes} boxes lie under KEK {old};")), "{refusal}");
        };
        let is_primary = vault.delete_kek(&old, &BY).unwrap_err();
        assert!(is_primary.to_string().contains("is the one that new boxes lie under"), "{is_primary}");
        vault.renew_kek(&BY).unwrap();
        refused(1_002);
        let first = vault.reseal_batch("", &BY).unwrap();
        assert_eq!(first.done.moved, 100);
        refused(902);
        let moved = vault.reseal(&BY).unwrap();
        assert_eq!((moved.moved, moved.stuck.len()), (902, 0));
        stop.store(true, Ordering::Relaxed);
        minting.join().unwrap()
    });
    assert!(minted > 100, "{minted}");
    assert_eq!(boxes(&vault), [0, 1_002]);
    let copy = folder.path().join("copy.db");
    vault.store().back_up(&copy, &BY).unwrap();
    vault.delete_kek(&old, &BY).unwrap();
    assert_eq!(vault.secret(&name).unwrap().unwrap().expose(), b"s");
    assert_eq!(vault.signer().show(&super::owner(&name)).unwrap().expose(), b"s", "the signer has the new box");
    drop((rings, vault));
    let vault = open(folder.path());
    assert_eq!(boxes(&vault), [1_002]);
    let last: Vec<_> = vault.store().audit_rows(0, 10_000).unwrap().into_iter().rev().map(|row| row.action).collect();
    assert_eq!(last[..3], ["kek_delete", "backup", "kek_reseal"]);
}

/// I12: a KEK that the last backup may name stays; after a new backup it goes.
#[test]
fn a_kek_of_the_last_backup_stays() {
    let folder = tempfile::tempdir().unwrap();
    with_secrets(folder.path(), 3);
    let vault = open(folder.path());
    let old = vault.keks().unwrap().remove(0).kek_id;
    vault.store().back_up(&folder.path().join("one.db"), &BY).unwrap();
    vault.renew_kek(&BY).unwrap();
    vault.reseal(&BY).unwrap();
    let refused = vault.delete_kek(&old, &BY).unwrap_err();
    assert!(matches!(refused, VaultError::Store(store::Error::KekInBackup { .. })), "{refused}");
    vault.store().back_up(&folder.path().join("two.db"), &BY).unwrap();
    vault.delete_kek(&old, &BY).unwrap();
    assert!(matches!(vault.delete_kek(&old, &BY), Err(VaultError::Store(store::Error::NoKek { .. }))));
}

/// KR-23: under a new master key only the rows of `kek` are others (and the audit has one more); the old key is the wrong
/// one then, and a passphrase takes over as well as a file does.
#[test]
fn a_new_master_key_changes_the_keks_alone() {
    let folder = tempfile::tempdir().unwrap();
    with_secrets(folder.path(), 3);
    let before = rows(folder.path());
    let vault = open(folder.path());
    vault.renew_kek(&BY).unwrap();
    drop(vault);
    let renewed = rows(folder.path());
    assert_ne!(renewed, before);
    let vault = open(folder.path());
    vault.change_master_key(source(folder.path(), "second.key"), &BY).unwrap();
    let kek_id = vault.renew_kek(&BY).unwrap();
    vault.delete_kek(&kek_id, &BY).unwrap_err();
    drop(vault);
    let after = rows(folder.path());
    for (table, rows) in &after {
        let same = renewed.iter().any(|old| old == &(table.clone(), rows.clone()));
        assert_eq!(same, table != "kek" && table != "audit", "{table}");
    }
    let wrong = Vault::open(folder.path(), source(folder.path(), "master.key")).err().unwrap();
    assert!(matches!(wrong, VaultError::Signer(signer::Error::WrongMasterKey { .. })), "{wrong}");
    let vault = Vault::open(folder.path(), source(folder.path(), "second.key")).unwrap();
    assert_eq!(boxes(&vault).iter().sum::<u64>(), 5);
    let passphrase = || MasterSource::Passphrase(Secret::new(b"correct horse battery".to_vec()));
    vault.change_master_key(passphrase(), &BY).unwrap();
    drop(vault);
    assert!(Vault::open(folder.path(), source(folder.path(), "second.key")).is_err());
    assert_eq!(boxes(&Vault::open(folder.path(), passphrase()).unwrap()).iter().sum::<u64>(), 5);
}

/// KR-54: killed at every border of a batch: each box opens under one of the two KEKs, and the next process goes on.
#[test]
fn a_move_that_is_killed_goes_on() {
    for (border, left) in [(0, 252), (1, 152), (2, 52), (3, 0)] {
        let folder = tempfile::tempdir().unwrap();
        with_secrets(folder.path(), 250);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "vault::keks_tests::child_that_is_killed_at_a_border", "--nocapture", "--quiet"])
            .env(FOLDER, folder.path())
            .env(BORDER, border.to_string())
            .output()
            .unwrap();
        assert_eq!(child.status.signal(), Some(9), "{}", String::from_utf8_lossy(&child.stdout));
        let vault = open(folder.path());
        assert_eq!(boxes(&vault), [left, 252 - left], "border {border}");
        vault.store().verify_audit().unwrap();
        assert_eq!(vault.reseal(&BY).unwrap().moved, left);
        assert_eq!(boxes(&vault), [0, 252]);
        assert_eq!(vault.reseal(&BY).unwrap().moved, 0, "once more changes nothing");
    }
}

/// The child: makes a KEK, moves so many batches and ends itself.
#[test]
fn child_that_is_killed_at_a_border() {
    let (Ok(folder), Ok(border)) = (std::env::var(FOLDER), std::env::var(BORDER)) else {
        return;
    };
    let vault = open(Path::new(&folder));
    vault.renew_kek(&BY).unwrap();
    let mut after = String::new();
    for _ in 0..border.parse().unwrap() {
        after = vault.reseal_batch(&after, &BY).unwrap().next_after.unwrap_or_default();
    }
    let me = rustix::process::getpid();
    rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
}

/// A box that does not open stays where it is and is named; the others are moved.
#[test]
fn a_box_that_does_not_open_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    with_secrets(folder.path(), 150);
    let raw = rusqlite::Connection::open(folder.path().join(store::DATABASE_FILE)).unwrap();
    raw.execute("UPDATE sealed SET box = zeroblob(20) WHERE owner LIKE '%0042%'", []).unwrap();
    drop(raw);
    let vault = open(folder.path());
    vault.renew_kek(&BY).unwrap();
    let done = vault.reseal(&BY).unwrap();
    assert_eq!((done.moved, done.stuck.len()), (151, 1));
    assert!(done.stuck[0].contains("0042"), "{:?}", done.stuck);
    assert_eq!(vault.reseal(&BY).unwrap().moved, 0);
}

#[test]
fn a_store_in_memory_has_no_master_key_to_change() {
    let vault = Vault::ephemeral(&BY).unwrap();
    assert!(matches!(vault.renew_kek(&BY), Err(VaultError::InMemory)));
    let new = MasterSource::Passphrase(Secret::new(b"correct horse battery".to_vec()));
    assert!(matches!(vault.change_master_key(new, &BY), Err(VaultError::InMemory)));
}

/// Every row of every table as text, of a store that nobody has open.
fn rows(folder: &Path) -> Vec<(String, Vec<String>)> {
    let raw = rusqlite::Connection::open(folder.join(store::DATABASE_FILE)).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = raw.prepare(names).unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let of_table = |table: String| {
        let mut read = raw.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = read.column_count();
        let text = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at).map(|value| format!("{value:?}"))).collect()
        };
        let rows: Vec<String> = read.query_map([], text).unwrap().map(Result::unwrap).collect();
        (table, rows)
    };
    tables.into_iter().map(of_table).collect()
}
