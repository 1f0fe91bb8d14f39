//! Requests in, replies out.

pub mod accept;
pub mod audit_sink;
pub mod control;
pub mod deployment;
mod drive;
pub mod effects;
mod front;
pub mod limits;
pub mod log;
pub mod metrics;
pub mod mint;
pub mod problem;
pub mod process;
pub mod rings;
pub mod rotator;
pub mod routes;
pub mod settings;
pub mod token_log;
pub mod variables;
pub mod vault;
