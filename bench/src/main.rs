//! Runs Node-RED and Chancery by turns on the seed flow and writes `bench/RESULTS.md` (shows NR-105); or measures growth.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to the person who started it")]

mod answer;
mod api;
mod core;
mod growth;
mod load;
mod machine;
mod measure;
mod peer;
mod process;
mod report;

use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask bench [growth|api-connect|core] [--quick]

Node-RED and Chancery by turns, same flow, same client, on the loopback interface; writes bench/RESULTS.md.
  growth    Chancery alone, with 10 000 nodes in 1 000 tabs: time to deploy, memory of an idle flow; writes bench/GROWTH.md
  api-connect
            an API definition beside a service of Express and npm `jose`, and beside bare RSA signatures; writes
            bench/API-CONNECT.md
  core      the core API beside bare signatures and a bare handler of hyper; writes bench/CORE.md
  --quick   shorter turns, and no file: whether everything works, not how fast it is

Needs the packages of conformance/node-red and of bench/api-connect (`npm ci` there) and a release build of Chancery, or
another that CHANCERY names.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(&measure::Plan::FULL),
        ["--quick"] => run(&measure::Plan::QUICK),
        ["growth"] => growth::run(root(), &growth::Plan::FULL),
        ["api-connect"] => api::run(root(), &api::Plan::FULL),
        ["api-connect", "--quick"] => api::run(root(), &api::Plan::QUICK),
        ["core"] => core::run(root(), &core::Plan::FULL),
        ["core", "--quick"] => core::run(root(), &core::Plan::QUICK),
        // What `core` starts beside the server.
        ["bare-handler", address, body] => core::serve_bare(address, body),
        ["growth", "--quick"] => growth::run(root(), &growth::Plan::QUICK),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(plan: &measure::Plan) -> Result<(), String> {
    let root = root();
    let machine = machine::describe();
    let findings = measure::all(root, plan)?;
    let report = report::write(&findings, &machine, plan);
    println!("{report}");
    if plan.is_kept {
        std::fs::write(root.join("bench/RESULTS.md"), &report).map_err(|error| format!("bench/RESULTS.md: {error}"))?;
    }
    report::missed(&findings)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("bench is a folder of the workspace")
}
