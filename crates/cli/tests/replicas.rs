//! A store in PostgreSQL from the command line: the same words as for a folder, and several servers on it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;
#[path = "../../store/src/testing/server.rs"]
mod postgres;

use std::path::Path;
use std::time::{Duration, Instant};

use house::server::Server;
use house::{Ran, chancery, chancery_in};

const FLOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/node-red/generate-jwt.json");

fn on(folder: &Path, arguments: &[&str]) -> Ran {
    chancery(&[&["--data", folder.join("data").to_str().unwrap()], arguments].concat())
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let ran = on(folder, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    ran.stdout
}

/// A data folder whose settings name a new database with a store.
fn init() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["init", "--store", &postgres::shared().fresh_database()]);
    folder
}

/// The folder of another server on the same store.
fn another(of: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    for file in ["chancery.toml", "master.key"] {
        std::fs::copy(of.join("data").join(file), folder.path().join("data").join(file)).unwrap();
    }
    folder
}

#[test]
fn every_verb_knows_a_store_in_postgresql() {
    let folder = init();
    let folder = folder.path();
    assert_eq!(done(folder, &["keys", "list"]).lines().count(), 5);
    done(folder, &["keys", "create", "orders", "--alg", "ES256"]);
    done(folder, &["keys", "rotate", "orders"]);
    done(folder, &["keys", "revoke", "orders", "1"]);
    done(folder, &["kek", "renew"]);
    done(folder, &["flow", "import", FLOW]);
    assert!(done(folder, &["flow", "export", "generate-jwt"]).contains("/jwt/generate"));
    let data = folder.join("data");
    let set = ["--data", data.to_str().unwrap(), "secret", "set", "igniteadmin", "tokensecret"];
    assert_eq!(chancery_in(&[], &set, "a secret").code, 0);
    assert_eq!(done(folder, &["secret", "list"]), "766dcb94.6ebc04.tokensecret\n");
    let minted = done(folder, &["mint", "--key", "ring:orders", "--sub", "alice", "--ttl", "5m"]);
    assert_eq!(minted.split('.').count(), 3);
    let unnamed = done(folder, &["mint", "--alg", "ES256", "--sub", "alice", "--ttl", "5m"]);
    assert_eq!(unnamed.split('.').count(), 3, "the ring that is named like the algorithm");
    assert!(done(folder, &["audit", "verify"]).contains("are what was written"));
    let backup = on(folder, &["backup", "/nowhere/else.db"]);
    assert_eq!(backup.code, 1);
    assert!(backup.stderr.contains("pg_dump"), "{}", backup.stderr);
    assert_eq!(on(folder, &["restore", FLOW]).code, 78, "a file is no database");
    assert_eq!(on(folder, &["init"]).code, 78, "a store is there");
    assert!(!data.join("chancery.db").exists());
}

#[test]
fn a_password_is_taken_from_where_nobody_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let with_password = "postgres://test:s3cret@127.0.0.1:1/nothing";
    let refused = on(folder.path(), &["init", "--store", with_password]);
    assert_eq!(refused.code, 78);
    assert!(refused.stderr.contains("store.password") && !refused.stderr.contains("s3cret"), "{}", refused.stderr);
    let data = folder.path().join("data");
    for arguments in [&["explain", "settings"][..], &["keys", "list"], &["init"]] {
        let all = [&["--data", data.to_str().unwrap()], arguments].concat();
        let ran = chancery_in(&[("CHANCERY_STORE__URL", with_password)], &all, "");
        assert!(!ran.stderr.contains("s3cret") && !ran.stdout.contains("s3cret"), "{arguments:?}");
        assert_eq!(ran.code, if arguments[0] == "explain" { 0 } else { 69 }, "{}", ran.stderr);
    }
}

/// What one server is given, the others serve; one that is killed leaves the rest as they were.
#[test]
fn servers_on_one_store_are_one() {
    let one = init();
    let other = another(one.path());
    let mut first = Server::start(one.path(), &[]);
    let second = Server::start(other.path(), &[]);
    done(one.path(), &["flow", "import", FLOW]);
    let data = one.path().join("data");
    let set = ["--data", data.to_str().unwrap(), "secret", "set", "igniteadmin", "tokensecret"];
    assert_eq!(chancery_in(&[], &set, "a secret that both know").code, 0);
    assert_eq!(first.get("/jwt/generate").status, 200, "{}", first.log());
    // R is ten seconds; a hint comes sooner.
    let came = within(Duration::from_secs(15), || second.get("/jwt/generate").status == 200);
    assert!(came, "{}", second.log());
    done(other.path(), &["keys", "create", "orders", "--alg", "ES256"]);
    let set = |server: &Server| server.get("/.well-known/jwks.json").body;
    assert!(within(Duration::from_secs(15), || set(&first) == set(&second)));
    first.kill();
    assert_eq!(second.get("/jwt/generate").status, 200);
    done(other.path(), &["audit", "verify"]);
    let refused = Server::refused(other.path(), &[]);
    assert!(!refused.0.success() && refused.1.contains("another process listens there"), "{}", refused.1);
}

/// A store that began in a file goes on in a database: the same keys sign, the same secrets open.
#[test]
fn a_store_moves_from_its_folder_into_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["init"]);
    done(folder, &["flow", "import", FLOW]);
    let data = folder.join("data");
    let set = ["--data", data.to_str().unwrap(), "secret", "set", "igniteadmin", "tokensecret"];
    assert_eq!(chancery_in(&[], &set, "a secret").code, 0);
    let before = done(folder, &["--json", "keys", "list"]);
    let url = postgres::shared().fresh_database();
    {
        let _server = Server::start(folder, &[]);
        assert_eq!(on(folder, &["move", &url]).code, 69, "while somebody serves it");
    }
    done(folder, &["move", &url]);
    assert!(!data.join("chancery.db").exists() && data.join("chancery.db.moved").exists());
    assert_eq!(done(folder, &["--json", "keys", "list"]), before);
    done(folder, &["audit", "verify"]);
    let server = Server::start(folder, &[]);
    assert_eq!(server.get("/jwt/generate").status, 200, "{}", server.log());
    assert_eq!(on(folder, &["move", &url]).code, 69);
    drop(server);
    assert_eq!(on(folder, &["move", &url]).code, 78, "it is there already");
}

fn within(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}

/// A token of the ring `orders`.
fn token(folder: &Path) -> String {
    done(folder, &["mint", "--key", "ring:orders", "--sub", "alice", "--ttl", "1h"]).trim().to_owned()
}

/// Whether a token verifies with a set that a server shows.
fn verifies(folder: &Path, token: &str, server: &Server) -> bool {
    let set = folder.join("shown.jwks");
    std::fs::write(&set, server.get("/.well-known/jwks.json").body).unwrap();
    on(folder, &["verify", token, "--jwks", set.to_str().unwrap(), "--alg", "ES256"]).code == 0
}

/// KR-66 (part): a database that was restored from an old backup is refused by a server that saw a newer one; accepted, and with
/// `republish`, every token verifies.
#[test]
fn a_database_that_was_restored_is_refused_and_then_mended() {
    let url = postgres::shared().fresh_database();
    let (_, database) = url.rsplit_once('/').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["init", "--store", &url]);
    done(folder, &["keys", "list"]);
    let settings = folder.join("data/chancery.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    postgres::shared().sql("postgres", &format!("CREATE DATABASE {database}_old TEMPLATE {database}"));
    done(folder, &["keys", "create", "orders", "--alg", "ES256"]);
    let server = Server::start(folder, &[]);
    let before = token(folder);
    assert!(verifies(folder, &before, &server));
    drop(server);
    std::fs::write(&settings, text.replace(&url, &format!("{url}_old"))).unwrap();
    let (status, said) = Server::refused(folder, &[]);
    assert!(status.code() == Some(78) && said.contains("rolled back"), "{said}");
    assert_eq!(on(folder, &["keys", "list"]).code, 78, "nor is it changed or read by a command");
    let server = Server::start(folder, &["--accept-rollback"]);
    assert!(!verifies(folder, &before, &server), "its key is lost");
    done(folder, &["keys", "republish", "--until", "+30d"]);
    assert!(verifies(folder, &before, &server));
    drop(server);
    let audited = postgres::shared()
        .sql(&format!("{database}_old"), "SELECT count(*) FROM chancery.audit WHERE action = 'rollback_accept'");
    assert_eq!(audited, "1");
    drop(Server::start(folder, &[]));
}

/// KR-38 (part): a database that is away at the start: refused; from the copy in the folder tokens are signed and keys shown, and
/// nothing is changed.
#[test]
fn a_database_that_is_away_is_served_from_the_folder() {
    let database = postgres::Server::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["init", "--store", &database.fresh_database()]);
    done(folder, &["keys", "create", "orders", "--alg", "ES256"]);
    let server = Server::start(folder, &[]);
    let set = server.get("/.well-known/jwks.json").body;
    assert!(within(Duration::from_secs(15), || folder.join("data/snapshot.db").exists()));
    drop(server);
    database.crash();
    let (status, said) = Server::refused(folder, &[]);
    assert_eq!(status.code(), Some(69), "{said}");
    let server = Server::start(folder, &["--start-from-snapshot"]);
    assert_eq!(server.get("/.well-known/jwks.json").body, set);
    assert!(verifies(folder, &token(folder), &server));
    let refused = on(folder, &["keys", "create", "more", "--alg", "ES256"]);
    assert!(refused.code != 0, "{}", refused.stderr);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(folder.join("data/snapshot.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
