//! The keys that a store is sealed with, from the command line: through a running server and in a store that nobody serves.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::path::Path;

use house::server::Server;
use house::{Ran, chancery, chancery_in};
use serde_json::Value as Json;

fn on(folder: &Path, arguments: &[&str]) -> Ran {
    chancery(&[&["--data", folder.join("data").to_str().unwrap()], arguments].concat())
}

fn keks(folder: &Path) -> Vec<Json> {
    let ran = on(folder, &["--json", "kek", "list"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Renews, finds the old one empty, deletes it, and takes another master key; whoever answers.
fn renews(folder: &Path) {
    let [old] = keks(folder).try_into().unwrap();
    let id = old["kek"].as_str().unwrap();
    assert_eq!(on(folder, &["kek", "delete", id]).code, 1, "everything lies under it");
    let renewed = on(folder, &["kek", "renew"]);
    assert_eq!(renewed.code, 0, "{}", renewed.stderr);
    assert!(renewed.stderr.contains(&format!("{} boxes were moved under KEK ", old["boxes"])), "{}", renewed.stderr);
    let [emptied, new] = keks(folder).try_into().unwrap();
    assert_eq!((&emptied["boxes"], &new["boxes"], &new["primary"]), (&Json::from(0), &old["boxes"], &Json::from(true)));
    assert!(on(folder, &["kek", "reseal"]).stderr.contains("0 boxes were moved"));
    assert_eq!(on(folder, &["kek", "delete", id]).code, 0);
    assert_eq!(on(folder, &["kek", "delete", id]).code, 1, "it is gone");
    assert_eq!(keks(folder).len(), 1);
    assert_eq!(on(folder, &["kek", "master-key"]).code, 2, "none is named");
    let second = folder.join("second.key");
    let changed = on(folder, &["kek", "master-key", "--file", second.to_str().unwrap()]);
    assert_eq!(changed.code, 0, "{}", changed.stderr);
    assert!(changed.stderr.contains(&format!("set store.master_key to \"file:{}\"", second.display())));
}

/// The old master key is the wrong one, and nothing is written under it; the new one opens the store.
fn opens_with_the_second_alone(folder: &Path) {
    let database = folder.join("data/chancery.db");
    let before = std::fs::read(&database).unwrap();
    let (status, said) = Server::refused(folder, &[]);
    assert_eq!(status.code(), Some(78), "{said}");
    assert!(said.contains("wrong_master_key"), "{said}");
    assert!(std::fs::read(&database).unwrap() == before, "nothing is written");
    let source = format!("file:{}", folder.join("second.key").display());
    let data = folder.join("data");
    let listed = chancery_in(
        &[("CHANCERY_STORE__MASTER_KEY", &source)],
        &["--data", data.to_str().unwrap(), "--json", "keys", "list"],
        "",
    );
    assert_eq!((listed.code, listed.stdout.lines().count()), (0, 5), "{}", listed.stderr);
}

/// KR-51: with the wrong master key `wrong_master_key`, exit 78, nothing written.
#[test]
fn a_store_that_nobody_serves_is_sealed_anew() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(on(folder.path(), &["init"]).code, 0);
    renews(folder.path());
    opens_with_the_second_alone(folder.path());
}

#[test]
fn a_served_store_is_sealed_anew_and_its_server_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(on(folder.path(), &["init"]).code, 0);
    {
        let mut server = Server::start(folder.path(), &[]);
        renews(folder.path());
        assert_eq!(on(folder.path(), &["keys", "rotate", "es256"]).code, 0);
        assert_eq!(server.get("/.well-known/jwks.json").status, 200);
        assert!(server.terminate().success());
    }
    opens_with_the_second_alone(folder.path());
}
