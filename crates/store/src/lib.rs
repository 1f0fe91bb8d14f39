//! What outlives the process: documents, sealed secrets, the wrapped keys they lie under, the audit chain.
//!
//! [`Store`] is one SQLite file in a data folder, or the same thing in memory, or a PostgreSQL database that several
//! processes share. It is plain and synchronous: every call blocks on the disk or the network, a change for about the
//! time of one `fsync`, so an async caller moves it off its reactor.
//!
//! * **Reading** is a method of [`Store`].
//! * **Changing** is one closure, [`Store::change`]: one transaction, and each change in it writes its own audit row
//!   there. After a crash a change is wholly in the store or not at all.
//! * **Nothing is made anew over rows.** A store is created by [`Store::init`] (or [`Store::ephemeral`]) alone. An
//!   open that finds no root is an error, never a fresh start.
//!
//! The store holds no plain secret and cannot open one: it keeps boxes that somebody else sealed.

mod audit;
mod backup;
mod canonical;
mod change;
#[cfg(test)]
mod conformance;
mod connection;
#[cfg(test)]
mod disk_tests;
mod error;
#[cfg(test)]
mod file_tests;
mod folder;
mod keks;
#[cfg(test)]
mod kill_tests;
mod migrate;
mod move_over;
mod postgres;
mod read;
mod replicas;
mod rings;
mod rows;
mod snapshot;
mod sql;
mod sqlite;
mod store;
#[cfg(test)]
mod testing;
mod transaction;

pub use audit::{Action, AuditRow, By, ChainHead, Entry, Outcome};
pub use change::Change;
pub use error::Error;
pub use migrate::SCHEMA;
pub use postgres::{Address, Listening, News};
pub use replicas::Replica;
pub use rings::{
    Epochs, GenerationRow, NewGeneration, NewRing, PrivateHalf, RING_NAME_BYTES_MAX, Reader, RingRows, RingWorld,
    Rotated, VerifyOnlyRow, key_owner,
};
pub use rows::{DOCUMENT_BYTES_MAX, NAME_BYTES_MAX, SEALED_BYTES_MAX};
pub use rows::{Deployed, Digest, Document, Kek, NewDocument, Revision, Root, SealedBox};
pub use snapshot::SNAPSHOT_FILE;
pub use sqlite::{DATABASE_FILE, JOURNAL_FILE, LOCK_FILE};
pub use store::{Calls, Clock, Copies, Store};
