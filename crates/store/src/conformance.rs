//! What every kind of store must do, run for each of them.
//!
//! SE-72: no change without its audit row and no row without its change, with a fault at each statement of each change.

mod rings;

pub(crate) use rings::*;

use crate::sql::Session;
use crate::testing::{
    BY, boxed, clear_fault, deploy, document, init, postgres, put, root, set_fatal_fault, set_fault, sql,
};
use crate::{
    Action, AuditRow, Change, Deployed, Digest, Document, Entry, Error, NAME_BYTES_MAX, NewDocument, Outcome,
    SEALED_BYTES_MAX, SealedBox, Store,
};

macro_rules! conformance {
    ($($case:ident),+ $(,)?) => {
        mod file {
            $(
                #[test]
                fn $case() {
                    let folder = tempfile::tempdir().unwrap();
                    super::$case(&super::init(folder.path()));
                }
            )+
        }
        mod memory {
            $(
                #[test]
                fn $case() {
                    super::$case(&super::Store::ephemeral(super::root(), &super::BY).unwrap());
                }
            )+
        }
        mod postgres {
            $(
                #[test]
                fn $case() {
                    super::$case(&super::postgres());
                }
            )+
        }
    };
}

conformance!(
    a_new_store_holds_its_root_alone,
    a_deployed_document_comes_back_octet_for_octet,
    revisions_are_kept_and_counted,
    the_same_document_again_is_no_new_revision,
    a_deploy_over_another_revision_is_refused,
    documents_keep_their_order_and_tenants,
    an_undeployed_document_leaves_its_revisions,
    a_secret_is_replaced_and_deleted,
    secrets_are_listed_by_their_owner,
    a_secret_under_an_unknown_key_is_refused,
    names_and_sizes_are_bounded,
    a_change_is_kept_whole_or_not_at_all,
    a_panic_in_a_change_leaves_the_store_usable,
    history_cannot_be_changed,
    each_change_has_its_audit_row,
    a_fault_at_any_statement_undoes_the_change,
    a_fault_that_ends_the_transaction_ends_the_change,
    a_ring_comes_back_as_it_was_made,
    a_generation_is_whole_and_made_once,
    a_key_is_known_once_in_a_tenant,
    an_unsafe_timing_is_refused,
    haste_is_an_event_and_moves_the_start,
    a_revoked_key_is_destroyed_with_its_box,
    every_change_of_a_ring_raises_its_epoch,
    rings_cannot_be_changed_behind_our_back,
    the_257th_key_is_not_made,
    a_lost_key_is_shown_again,
);

fn a_new_store_holds_its_root_alone(store: &Store) {
    assert_eq!(store.store_id(), root().store_id);
    assert_eq!(store.keks().unwrap(), [root().kek]);
    assert_eq!(store.sealed("install-salt").unwrap(), Some(root().salt));
    assert_eq!(store.documents().unwrap(), []);
    assert_eq!(actions(store), ["init store done"]);
}

fn a_deployed_document_comes_back_octet_for_octet(store: &Store) {
    let octets = b"[ {\"id\": \"a.b\"},\r\n\x00\xff ]";
    let before_us = now_us();
    assert_eq!(deploy(store, "seed", octets), 1);
    let found = store.document("public", "seed").unwrap().unwrap();
    assert_eq!(found.octets, octets);
    assert_eq!((found.kind.as_str(), found.revision), ("node-red", 1));
    assert!((before_us..=now_us()).contains(&found.created_at_us));
    assert_eq!(store.documents().unwrap(), [found]);
    assert_eq!(store.document("public", "other").unwrap(), None);
}

fn revisions_are_kept_and_counted(store: &Store) {
    assert_eq!(deploy(store, "seed", b"one"), 1);
    assert_eq!(deploy(store, "seed", b"two"), 2);
    assert_eq!(deploy(store, "seed", b"one"), 3);
    let revisions = store.revisions("public", "seed").unwrap();
    let numbers: Vec<_> = revisions.iter().map(|found| found.revision).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(revisions[1].digest, Digest::of(b"two"));
    let second = store.revision_octets("public", "seed", 2).unwrap();
    assert_eq!(second.as_deref(), Some(&b"two"[..]));
    assert_eq!(store.revision_octets("public", "seed", 4).unwrap(), None);
    assert_eq!(store.documents().unwrap()[0].octets, b"one");
}

fn the_same_document_again_is_no_new_revision(store: &Store) {
    deploy(store, "seed", b"one");
    let again = store.change(&BY, |change| change.deploy(&document("seed", b"one")));
    let unchanged = Deployed { revision: 1, is_new: false };
    assert_eq!(again.unwrap(), unchanged);
    let other_kind = NewDocument { kind: "api-connect", ..document("seed", b"one") };
    let deployed = store.change(&BY, |change| change.deploy(&other_kind));
    assert!(deployed.unwrap().is_new);
    assert_eq!(actions(store)[2], "deploy document public/seed unchanged");
}

fn a_deploy_over_another_revision_is_refused(store: &Store) {
    let over = |over, octets| NewDocument { over: Some(over), ..document("seed", octets) };
    let deploy = |new: NewDocument<'_>| store.change(&BY, |change| change.deploy(&new));
    assert!(matches!(deploy(over(1, b"one")), Err(Error::StaleRevision { over: 1, live: 0 })));
    assert_eq!(deploy(over(0, b"one")).unwrap().revision, 1);
    assert_eq!(deploy(over(1, b"two")).unwrap().revision, 2);
    assert!(matches!(deploy(over(1, b"three")), Err(Error::StaleRevision { over: 1, live: 2 })));
    assert_eq!(store.documents().unwrap()[0].octets, b"two");
}

fn documents_keep_their_order_and_tenants(store: &Store) {
    for name in ["zeta", "alpha", "mid"] {
        deploy(store, name, name.as_bytes());
    }
    let elsewhere = NewDocument { tenant: "app-2", ..document("zeta", b"theirs") };
    store.change(&BY, |change| change.deploy(&elsewhere)).unwrap();
    deploy(store, "zeta", b"again");
    let found = store.documents().unwrap();
    let found: Vec<_> = found.iter().map(|d| (d.tenant.as_str(), d.name.as_str(), d.octets.as_slice())).collect();
    assert_eq!(
        found,
        [
            ("public", "zeta", &b"again"[..]),
            ("public", "alpha", b"alpha"),
            ("public", "mid", b"mid"),
            ("app-2", "zeta", b"theirs"),
        ]
    );
}

fn an_undeployed_document_leaves_its_revisions(store: &Store) {
    deploy(store, "seed", b"one");
    let undeploy = || store.change(&BY, |change| change.undeploy("public", "seed"));
    assert!(undeploy().unwrap());
    assert!(!undeploy().unwrap());
    assert_eq!(store.documents().unwrap(), []);
    assert_eq!(store.revisions("public", "seed").unwrap().len(), 1);
    assert_eq!(deploy(store, "seed", b"one"), 2);
}

fn a_secret_is_replaced_and_deleted(store: &Store) {
    put(store, "secret/a", b"first").unwrap();
    put(store, "secret/a", b"second").unwrap();
    let found = store.sealed("secret/a").unwrap();
    assert_eq!(found, Some(boxed("secret/a", b"second")));
    let delete = || store.change(&BY, |change| change.delete_sealed("secret/a"));
    assert!(delete().unwrap());
    assert!(!delete().unwrap());
    assert_eq!(store.sealed("secret/a").unwrap(), None);
}

fn secrets_are_listed_by_their_owner(store: &Store) {
    for owner in ["secret/b", "secret/a", "secret%", "other"] {
        put(store, owner, owner.as_bytes()).unwrap();
    }
    let owners = |prefix| -> Vec<String> {
        let found = store.list_sealed(prefix).unwrap();
        found.into_iter().map(|sealed| sealed.owner).collect()
    };
    assert_eq!(owners("secret/"), ["secret/a", "secret/b"]);
    assert_eq!(owners("secret%"), ["secret%"]);
    assert_eq!(owners("").len(), 5, "with the install salt");
}

fn a_secret_under_an_unknown_key_is_refused(store: &Store) {
    let mut sealed = boxed("secret/a", b"first");
    sealed.kek_id = "kek-2".to_owned();
    let refusal = store.change(&BY, |change| change.put_sealed(&sealed, Digest([0; 32])));
    assert_eq!(refusal.unwrap_err().code(), "database");
    assert_eq!(store.sealed("secret/a").unwrap(), None);
}

fn names_and_sizes_are_bounded(store: &Store) {
    let longest = "n".repeat(NAME_BYTES_MAX);
    deploy(store, &longest, b"");
    let deploy = |name: &str| store.change(&BY, |change| change.deploy(&document(name, b"")));
    let too_long = "n".repeat(NAME_BYTES_MAX + 1);
    assert!(matches!(deploy(&too_long), Err(Error::TooLarge { .. })));
    assert!(matches!(deploy(""), Err(Error::EmptyName { .. })));
    put(store, "largest", &[0; SEALED_BYTES_MAX]).unwrap();
    let too_large = put(store, "too large", &[0; SEALED_BYTES_MAX + 1]);
    assert!(matches!(too_large, Err(Error::TooLarge { .. })));
    assert!(matches!(put(store, "", b""), Err(Error::EmptyName { .. })));
}

fn a_change_is_kept_whole_or_not_at_all(store: &Store) {
    let refusal: Result<(), Error> = store.change(&BY, |change| {
        change.deploy(&document("seed", b"one"))?;
        change.put_sealed(&boxed("secret/a", b"first"), Digest([0; 32]))?;
        Err(Error::EmptyName { what: "test" })
    });
    assert!(refusal.is_err());
    assert_eq!(store.documents().unwrap(), []);
    assert_eq!(store.sealed("secret/a").unwrap(), None);
    assert_eq!(actions(store).len(), 1);
}

fn a_panic_in_a_change_leaves_the_store_usable(store: &Store) {
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.change::<(), Error>(&BY, |change| {
            change.deploy(&document("seed", b"one"))?;
            panic!("in the middle of a change");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(store.documents().unwrap(), []);
    assert_eq!(deploy(store, "seed", b"one"), 1);
}

fn history_cannot_be_changed(store: &Store) {
    deploy(store, "seed", b"one");
    let of_both = [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "UPDATE document_revision SET kind = 'other'",
        "DELETE FROM document_revision",
        "UPDATE meta SET store_id = 'other'",
        "DELETE FROM meta",
    ];
    let of_one = match store.connection().unwrap().session() {
        Session::Sqlite(_) => [
            "INSERT OR REPLACE INTO audit SELECT seq, 0, actor, address, action, object, digest_before, digest_after, \
             result, request_id, prev_hash, hash FROM audit WHERE seq = 1",
            "INSERT OR REPLACE INTO document_revision SELECT tenant, name, revision, kind, x'00', digest, created_at \
             FROM document_revision",
        ],
        Session::Postgres(_) => ["TRUNCATE audit", "TRUNCATE document_revision CASCADE"],
    };
    for statement in of_both.into_iter().chain(of_one) {
        let refusal = sql(store, statement).unwrap_err().to_string();
        assert!(refusal.contains("append-only") || refusal.contains("meta"), "{statement}: {refusal}");
    }
    store.verify_audit().unwrap();
    assert_eq!(store.documents().unwrap()[0].octets, b"one");
}

fn each_change_has_its_audit_row(store: &Store) {
    let (one, two) = (b"first", b"second");
    put(store, "secret/a", one).unwrap();
    put(store, "secret/a", two).unwrap();
    let refused = Entry {
        action: Action::Deploy,
        object: "document public/seed",
        before: None,
        after: None,
        outcome: Outcome::Refused("flow_invalid"),
    };
    store.change(&BY, |change| change.record(&refused)).unwrap();
    store.change(&BY, |change| change.delete_sealed("secret/a")).unwrap();
    assert_eq!(
        actions(store),
        [
            "init store done",
            "secret_set secret secret/a done",
            "secret_set secret secret/a done",
            "deploy document public/seed refused:flow_invalid",
            "secret_delete secret secret/a done",
        ]
    );
    let rows = rows(store);
    assert_eq!((rows[2].before, rows[2].after), (Some(Digest::of(one)), Some(Digest::of(two))));
    assert_eq!((rows[4].before, rows[4].after), (Some(Digest::of(two)), None));
    for row in &rows {
        assert_eq!(row.actor, BY.actor);
        assert_eq!(row.address.as_deref(), BY.address);
        assert_eq!(row.request_id.as_deref(), BY.request_id);
        assert!((now_us() - 60_000_000..=now_us()).contains(&row.at_us));
    }
    let head = store.verify_audit().unwrap();
    assert_eq!((head.seq, head.hash), (5, rows[4].hash));
}

fn a_fault_at_any_statement_undoes_the_change(store: &Store) {
    let faults = [
        ("INSERT", "document_revision"),
        ("INSERT", "document"),
        ("UPDATE", "document"),
        ("DELETE", "document"),
        ("INSERT", "sealed"),
        ("UPDATE", "sealed"),
        ("DELETE", "sealed"),
        ("INSERT", "ring"),
        ("INSERT", "ring_policy"),
        ("INSERT", "ring_epoch"),
        ("UPDATE", "ring_epoch"),
        ("INSERT", "generation"),
        ("INSERT", "key_event"),
        ("INSERT", "verify_only"),
        ("INSERT", "audit"),
    ];
    for (statement, table) in faults {
        let met = attempts_that_meet(store, statement, table);
        // Revoking and destroying ask for a ring in another state; their statements are those of the others.
        let expected = if table == "audit" { PARTS.len() } else { 1 };
        assert!(met >= expected, "{statement} on {table}: {met}");
    }
    store.verify_audit().unwrap();
}

fn a_fault_that_ends_the_transaction_ends_the_change(store: &Store) {
    set_fatal_fault(store, "INSERT", "sealed");
    let (audited, secret) = (rows(store).len(), boxed("secret/a", b"first"));
    let mut later = None;
    let result: Result<(), Error> = store.change(&BY, |change| {
        change.deploy(&document("before", b"one"))?;
        change.put_sealed(&secret, Digest([0; 32])).unwrap_err();
        later = change.deploy(&document("after", b"one")).err();
        Ok(())
    });
    assert!(matches!(later, Some(Error::ChangeBroken)));
    assert!(matches!(result, Err(Error::ChangeBroken)));
    assert_eq!(store.documents().unwrap(), []);
    assert_eq!(rows(store).len(), audited);
    clear_fault(store);
    deploy(store, "after", b"one");
}

type Part = fn(&mut Change<'_>) -> Result<(), Error>;

const PARTS: [Part; 12] = [
    |change| change.deploy(&document("new", b"one")).map(drop),
    |change| change.deploy(&document("live", b"two")).map(drop),
    |change| change.undeploy("public", "live").map(drop),
    |change| change.put_sealed(&boxed("secret/new", b"first"), Digest([0; 32])),
    |change| change.put_sealed(&boxed("secret/live", b"second"), Digest([0; 32])),
    |change| change.delete_sealed("secret/live").map(drop),
    |change| change.make_ring(&new_ring(&fresh_name())).map(drop),
    |change| change.set_ring_policy("public/live", rotating()),
    |change| make_key(change, "public/live").map(drop),
    |change| change.set_horizon("public/live", 1, keyring::Time::from_us(1)),
    |change| change.rotate_now("public/live", "test").map(drop),
    |change| change.republish("public", &fresh_name(), "{}", keyring::Time::NEVER).map(drop),
];

/// Tries each part alone, under a closure that passes the error on and under one that swallows it; counts the faults.
fn attempts_that_meet(store: &Store, statement: &str, table: &str) -> usize {
    let mut met = 0;
    for part in PARTS {
        start_over(store);
        let before = state(store);
        set_fault(store, statement, table);
        let passed_on = store.change(&BY, part);
        if passed_on.is_err() {
            let swallowed = store.change(&BY, |change| {
                let _fault = part(change);
                Ok::<_, Error>(())
            });
            swallowed.unwrap();
            assert_eq!(state(store), before, "{statement} on {table}");
            met += 1;
        } else {
            assert_eq!(state(store).2, before.2 + 1, "one audit row");
        }
        clear_fault(store);
    }
    met
}

/// One live document, one secret; a second one of each is missing.
fn start_over(store: &Store) {
    deploy(store, "live", b"one");
    put(store, "secret/live", b"first").unwrap();
    let clear = store.change(&BY, |change| {
        change.undeploy("public", "new")?;
        change.delete_sealed("secret/new")
    });
    clear.unwrap();
    with_standby(store, "live");
}

fn state(store: &Store) -> (Vec<Document>, Vec<SealedBox>, usize, u64, String) {
    let revisions = "SELECT count(*) FROM document_revision";
    let revisions = count(store, revisions);
    let (documents, secrets) = (store.documents(), store.list_sealed(""));
    let rings = store.rings().unwrap();
    let rings = format!("{:?} {:?}", rings.rings, rings.verify_only);
    (documents.unwrap(), secrets.unwrap(), rows(store).len(), revisions, rings)
}

fn count(store: &Store, sql: &str) -> u64 {
    store.connection().unwrap().session().query_one(sql, &[]).unwrap().unwrap().get(0).unwrap()
}

fn rows(store: &Store) -> Vec<AuditRow> {
    store.audit_rows(0, 1_000).unwrap()
}

fn actions(store: &Store) -> Vec<String> {
    let line = |row: &AuditRow| format!("{} {} {}", row.action, row.object, row.result);
    rows(store).iter().map(line).collect()
}

fn now_us() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_micros()).unwrap()
}
