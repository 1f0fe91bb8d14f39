//! The seeds of the fuzz targets, and inputs made from them by small changes, in every test run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[allow(unreachable_pub, reason = "the fuzzer's crate offers the same file to its targets")]
#[path = "../../../fuzz/src/node_red.rs"]
mod node_red;

#[allow(unreachable_pub, reason = "the fuzzer's crate offers the same file to its targets")]
#[path = "../../../fuzz/src/api_connect.rs"]
mod api_connect;

#[allow(unreachable_pub, reason = "the fuzzer's crate offers the same file to its targets")]
#[path = "../../../fuzz/src/orchestration.rs"]
mod orchestration;

#[path = "../../../fuzz/src/replay.rs"]
mod replay;

use std::path::Path;

/// The seeds of a target by name, each with its changed copies.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    replay::inputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target))
}

fn texts(target: &str) -> Vec<String> {
    inputs(target).into_iter().map(|octets| String::from_utf8_lossy(&octets).into_owned()).collect()
}

#[test]
fn flow_files() {
    inputs("node_red_flow").iter().for_each(|input| node_red::flow(input));
}

#[test]
fn definitions() {
    inputs("api_connect").iter().for_each(|input| api_connect::definition(input));
}

#[test]
fn property_paths() {
    texts("node_red_path").iter().for_each(|input| node_red::path(input));
}

#[test]
fn templates() {
    texts("node_red_template").iter().for_each(|input| node_red::template(input));
}

#[test]
fn credentials() {
    inputs("node_red_credentials").iter().for_each(|input| node_red::credentials(input));
}

#[test]
fn orchestration_flows() {
    inputs("orchestration_flow").iter().for_each(|input| orchestration::flow(input));
}

#[test]
fn orchestration_templates() {
    texts("orchestration_template").iter().for_each(|input| orchestration::template(input));
}
