//! Key rings from the command line: through a running server and in a store that nobody serves, in the same words.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::path::Path;

use house::server::Server;
use house::{Ran, chancery, chancery_in};
use serde_json::Value as Json;

/// The data folder lies where the helper's servers look for it.
fn on(folder: &Path, arguments: &[&str]) -> Ran {
    chancery(&[&["--data", folder.join("data").to_str().unwrap()], arguments].concat())
}

/// What stands on stdout, one JSON a line.
fn told(folder: &Path, arguments: &[&str]) -> Vec<Json> {
    let ran = on(folder, &[&["--json"], arguments].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn rings(folder: &Path) -> Vec<String> {
    told(folder, &["keys", "list"]).iter().map(|ring| ring["ring"].as_str().unwrap().to_owned()).collect()
}

fn phases(folder: &Path, ring: &str) -> Vec<String> {
    let shown = told(folder, &["keys", "show", ring]).remove(0);
    let generations = shown["generations"].as_array().unwrap().clone();
    generations.iter().map(|row| row["phase"].as_str().unwrap().to_owned()).collect()
}

/// The whole life of a ring, whoever answers.
fn lives(folder: &Path) {
    assert_eq!(rings(folder), ["public/d-rs256", "public/eddsa", "public/es256", "public/rs256", "public/s-rs256"]);
    let made = told(folder, &["keys", "create", "orders", "--alg", "ES256"]).remove(0);
    assert_eq!(made["made"].as_array().unwrap().len(), 2, "a signer and its standby");
    assert_eq!(phases(folder, "orders"), ["published", "active"]);
    assert_eq!(on(folder, &["keys", "create", "orders", "--alg", "ES256"]).code, 1, "it is there");
    assert_eq!(on(folder, &["keys", "create", "Orders", "--alg", "ES256"]).code, 1, "no name");
    assert_eq!(on(folder, &["keys", "create", "other", "--alg", "HS999"]).code, 1, "no algorithm");
    assert_eq!(on(folder, &["keys", "show", "nobody"]).code, 66);

    let rotated = told(folder, &["keys", "rotate", "orders"]).remove(0);
    assert_eq!(rotated["hastened"]["n"], 2);
    let revoked = told(folder, &["keys", "revoke", "orders", "1", "--reason", "leaked"]).remove(0);
    assert_eq!((&revoked["revoked"], &revoked["signer"]["n"]), (&Json::Bool(true), &Json::from(2)));
    assert_eq!(phases(folder, "public/orders"), ["published", "active", "destroyed"]);
    assert_eq!(on(folder, &["keys", "export", "orders", "1", "--out", "/nowhere/k"]).code, 1, "its half is gone");

    let timed = |arguments: &[&str]| told(folder, &[&["keys", "timing", "orders"], arguments].concat()).remove(0);
    let timing = timed(&["--rotation-period", "2d"]);
    assert_eq!((&timing["publish_lead_secs"], &timing["max_lifetime_secs"]), (&Json::from(86_400), &Json::from(3_600)));
    let timing = timed(&["--max-lifetime", "15m", "--over-life", "refuse"]);
    assert_eq!(
        (&timing["rotation_period_secs"], &timing["max_lifetime_secs"]),
        (&Json::from(172_800), &Json::from(900))
    );
    let long = on(folder, &["mint", "--key", "ring:orders", "--sub", "alice", "--ttl", "1h"]);
    assert!(long.code == 1 && long.stderr.contains("900") | long.stderr.contains("beyond"), "{}", long.stderr);
    for (refused, code) in [(&["--rotation-period", "5m"][..], 1), (&["--max-lifetime", "3d"], 1), (&[], 2)] {
        let ran = on(folder, &[&["keys", "timing", "orders"], refused].concat());
        assert_eq!(ran.code, code, "{refused:?}: {}", ran.stderr);
    }
    assert_eq!(told(folder, &["keys", "show", "orders"]).remove(0)["rotation_period_secs"], 172_800);
    assert_eq!(on(folder, &["keys", "timing", "s-rs256", "--rotation-period", "1d"]).code, 1, "a static ring");
    let shared = told(folder, &["keys", "create", "shared", "--alg", "HS256"]).remove(0);
    assert_eq!(shared["made"].as_array().unwrap().len(), 2);
    let secrets = told(folder, &["keys", "read", "shared", "--reader", "billing"]).remove(0);
    assert_eq!(secrets["key"]["keys"].as_array().unwrap().len(), 2, "{secrets}");
    let minted = told(folder, &["mint", "--key", "ring:shared", "--sub", "alice", "--ttl", "1h"]).remove(0);
    let token = minted["token"].as_str().unwrap();
    assert_eq!(told(folder, &["verify", token, "--key", "ring:shared"]).remove(0)["valid"], true);
    let readers = told(folder, &["keys", "show", "shared"]).remove(0)["readers"].clone();
    assert_eq!((readers.as_array().unwrap().len(), &readers[0]["reader"]), (1, &Json::from("billing")), "{readers}");
    let weak = folder.join("weak.txt");
    std::fs::write(&weak, "x".repeat(31)).unwrap();
    let import = ["keys", "import", "shared", weak.to_str().unwrap(), "--secret", "as-is"];
    assert_eq!(on(folder, &import).code, 1, "31 octets");
    let opened = on(folder, &[&import[..], &["--allow", "allow_weak_hmac"]].concat());
    assert!(opened.code == 0 && opened.stderr.contains("allow_weak_hmac acted"), "{}", opened.stderr);

    let fixed = told(folder, &["keys", "create", "fixed", "--alg", "EdDSA", "--static"]).remove(0);
    assert_eq!(fixed["made"].as_array().unwrap().len(), 1);
    told(folder, &["keys", "rotate", "fixed"]);
    assert_eq!(phases(folder, "fixed"), ["published", "active"], "it waits for the usual lead");
    let verified = told(folder, &["audit", "verify"]).remove(0);
    assert!(verified["rows"].as_u64().unwrap() > 10 && verified["events"].as_u64().unwrap() > 10);
}

#[test]
fn a_ring_lives_in_a_store_that_nobody_serves() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(on(folder.path(), &["init"]).code, 0);
    lives(folder.path());
}

#[test]
fn a_ring_lives_under_a_running_server_and_is_published_at_once() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(on(folder.path(), &["init"]).code, 0);
    let server = Server::start(folder.path(), &[]);
    lives(folder.path());
    let shown = server.get("/.well-known/jwks.json");
    assert_eq!(shown.status, 200, "{}", shown.body);
    let set: Json = serde_json::from_str(&shown.body).unwrap();
    let kids = |set: &Json| set["keys"].as_array().unwrap().len();
    // Two each of es256, rs256, eddsa, orders and fixed, one d- and one s-.
    assert_eq!(kids(&set), 12);
}

/// KR-25 (part): a key goes out encrypted and into another ring's store under the same kid; a public one does not.
#[test]
fn a_key_goes_out_and_comes_in() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&from, &to] {
        assert_eq!(on(folder.path(), &["init"]).code, 0);
    }
    let file = from.path().join("out.jwk");
    let file = file.to_str().unwrap();
    let exported = on(from.path(), &["keys", "export", "es256", "1", "--out", file]);
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    let made = told(to.path(), &["keys", "import", "es256", file]).remove(0);
    let theirs = told(from.path(), &["keys", "show", "es256"]).remove(0);
    assert_eq!(made["made"][0]["kid"], theirs["generations"][1]["kid"]);
    assert_eq!(on(to.path(), &["keys", "import", "es256", file]).code, 1, "it is there already");
    assert_eq!(on(to.path(), &["keys", "import", "rs256", file]).code, 1, "it is no RSA key");
    let public = on(to.path(), &["keys", "public", file]).stdout;
    let data = to.path().join("data");
    let arguments = ["--data", data.to_str().unwrap(), "keys", "import", "es256", "-"];
    let refused = chancery_in(&[], &arguments, &public);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
}

/// A copy of a served store opens with its master key in another folder; with another one it does not, and is not left there.
#[test]
fn a_backup_comes_back() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(on(from.path(), &["init"]).code, 0);
    let copy = from.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    {
        let _server = Server::start(from.path(), &[]);
        assert_eq!(on(from.path(), &["backup", copy]).code, 0);
        assert_ne!(on(from.path(), &["backup", copy]).code, 0, "what is there is not written over");
    }
    let target = to.path();
    assert_ne!(on(target, &["restore", copy]).code, 0, "without its master key");
    assert!(!target.join("data/chancery.db").exists());
    std::fs::copy(from.path().join("data/master.key"), target.join("data/master.key")).unwrap();
    assert_eq!(on(target, &["restore", copy]).code, 0);
    assert_eq!(rings(target).len(), 5);
    assert_eq!(on(target, &["restore", copy]).code, 78, "over a store");
    let kids = |folder: &Path| told(folder, &["keys", "show", "es256"]).remove(0)["generations"].clone();
    assert_eq!(kids(target), kids(from.path()));
}

/// KR-66 (part): public keys that a store lacks are published again under their kids.
#[test]
fn lost_keys_are_published_again() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(on(folder.path(), &["init"]).code, 0);
    let server = Server::start(folder.path(), &[]);
    let key = on(folder.path(), &["keys", "generate", "--alg", "ES256", "--kid", "lost"]).stdout;
    let public = chancery_in(&[], &["keys", "public", "-"], &key).stdout;
    let set = format!(r#"{{"keys":[{public}]}}"#);
    let data = folder.path().join("data");
    let again = chancery_in(&[], &["--data", data.to_str().unwrap(), "keys", "republish", "-", "--until", "+1h"], &set);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(server.get("/.well-known/jwks.json").body.contains(r#""kid":"lost""#));
}

/// KR-19: `HEAD` tells all of a key set but its body.
#[test]
fn a_key_set_is_told_without_its_body() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--init"]);
    let whole = server.get("/.well-known/jwks.json");
    let told = server.head("/.well-known/jwks.json");
    assert_eq!((told.status, told.body.as_str()), (200, ""));
    let fields = |head: &str| {
        let mut lines: Vec<_> = head.lines().filter(|line| !line.starts_with("date:")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(fields(&told.head.to_lowercase()), fields(&whole.head.to_lowercase()));
    for field in
        ["cache-control: public, max-age=900, stale-if-error=900", "etag: \"", "access-control-allow-origin: *"]
    {
        assert!(told.head.to_lowercase().contains(field), "{}", told.head);
    }
}
