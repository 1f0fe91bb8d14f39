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
