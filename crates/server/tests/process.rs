//! What concerns the whole process, in a process of its own: hardening, and panics on threads that nobody asks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::Memory;
use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
use server::log::{Form, Level, Log};

#[test]
fn a_hardened_process_leaves_no_core_and_is_not_dumpable() {
    let descriptors = server::process::harden().unwrap();
    let core = getrlimit(Resource::Core);
    assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    assert_eq!(getrlimit(Resource::Nofile).current, descriptors);
}

#[test]
fn a_panic_on_any_thread_becomes_one_line() {
    let memory = Memory::default();
    let (log, guard) = Log::start(Level::Info, Form::Json, memory.clone()).unwrap();
    log.take_panics();
    std::thread::spawn(|| panic!("two\nlines")).join().unwrap_err();
    drop(std::panic::take_hook());
    drop(guard);
    let text = memory.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(r#""event":"panic","cause":"two\u000alines","place":"#), "{text}");
    assert!(text.contains("tests/process.rs:"), "{text}");
}
