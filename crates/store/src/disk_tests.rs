//! A disk that refuses: the change is told as failed, none of it is kept, and the store goes on when the disk does.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::testing::{BY, deploy, document, init, sql};
use crate::{DATABASE_FILE, Error, Store};

const FOLDER: &str = "STORE_TEST_FILLS_THE_DISK_AT";

/// The limit on file sizes stands for the disk: beyond it each write fails. Without `trap` the first would be a signal.
#[test]
fn a_change_that_the_disk_refuses_is_undone_and_the_store_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    drop(init(folder.path()));
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "disk_tests::child_whose_disk_refuses", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && child.status.signal().is_none(), "{said}");
    assert!(said.contains("the store goes on"), "{said}");
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.documents().unwrap()[0].octets, big(3));
    assert_eq!(store.verify_audit().unwrap().seq, 3);
}

/// The child.
#[test]
fn child_whose_disk_refuses() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let store = Store::open(Path::new(&folder)).unwrap();
    deploy(&store, "seed", b"small");
    let before = store.documents().unwrap();
    let room = Path::new(&folder).join(DATABASE_FILE).metadata().unwrap().len() + 200_000;

    limit_files_to(Some(room));
    for number in 1..3 {
        let big = big(number);
        sql(&store, "CREATE TEMP TABLE of_this_connection (a)").unwrap();
        let refused = store.change(&BY, |change| change.deploy(&document("seed", &big)));
        assert!(matches!(&refused, Err(Error::Database(_))), "{refused:?}");
        assert_eq!(store.documents().unwrap(), before, "read from the disk again");
        let gone = sql(&store, "SELECT a FROM of_this_connection");
        assert!(gone.is_err(), "the file was opened anew");
    }

    limit_files_to(None);
    deploy(&store, "seed", &big(3));
    println!("the store goes on");
}

fn big(number: u8) -> Vec<u8> {
    vec![number; 1_000_000]
}

fn limit_files_to(octets: Option<u64>) {
    let limit = Rlimit { current: octets, ..getrlimit(Resource::Fsize) };
    setrlimit(Resource::Fsize, limit).unwrap();
}

/// Stands between the store and the C library: while a file is there, no sync succeeds.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int sync_with(const char *name, int fd) {
    if (access(getenv("STORE_TEST_SYNC_FAILS_WHILE"), F_OK) == 0) { errno = EIO; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }
"#;
const FAILS_WHILE: &str = "STORE_TEST_SYNC_FAILS_WHILE";

/// KR-48: a sync that fails: the change is told as failed, the file is opened and checked anew, and nothing that was
/// acknowledged is lost.
#[test]
fn a_sync_that_fails_acknowledges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(init(&folder.path().join("data")));
    let (source, shim) = (folder.path().join("shim.c"), folder.path().join("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&shim, &source]).arg("-ldl").status();
    assert!(compiled.unwrap().success());
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "disk_tests::child_whose_syncs_fail", "--nocapture"])
        .env(FOLDER, folder.path().join("data"))
        .env(FAILS_WHILE, folder.path().join("fails"))
        .env("LD_PRELOAD", &shim)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("the store goes on"), "{said}");
    let store = Store::open(&folder.path().join("data")).unwrap();
    assert_eq!(store.documents().unwrap()[0].octets, big(3));
    store.verify_audit().unwrap();
}

/// The child.
#[test]
fn child_whose_syncs_fail() {
    let (Ok(folder), Ok(flag)) = (std::env::var(FOLDER), std::env::var(FAILS_WHILE)) else {
        return;
    };
    let store = Store::open(Path::new(&folder)).unwrap();
    deploy(&store, "seed", b"small");
    for number in 1..3 {
        sql(&store, "CREATE TEMP TABLE of_this_connection (a)").unwrap();
        std::fs::write(&flag, b"").unwrap();
        let big = big(number);
        let refused = store.change(&BY, |change| change.deploy(&document("seed", &big)));
        assert!(matches!(&refused, Err(Error::Database(_))), "{refused:?}");
        std::fs::remove_file(&flag).unwrap();
        assert!(sql(&store, "SELECT a FROM of_this_connection").is_err(), "the file was opened anew");
        let live = store.documents().unwrap().remove(0).octets;
        assert!(live == b"small" || live == big, "what was acknowledged, or what was tried");
        store.verify_audit().unwrap();
        deploy(&store, "seed", b"small");
    }
    deploy(&store, "seed", &big(3));
    println!("the store goes on");
}
