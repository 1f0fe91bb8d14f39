//! Every case of `testdata/node-red` lowers to the plan and the diagnostics that stand beside it.
//!
//! `CHANCERY_GOLDENS=write cargo test -p dialects --test goldens` writes them anew; read the difference before it is kept.

#![allow(clippy::disallowed_methods, reason = "cases are files, and the wish to write them is a variable")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dialects::node_red::{self, LowerSettings, Lowered, Serve};
use plan::Diagnostic;

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/node-red");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.join("flows.json").exists());
    cases.sort();
    cases
}

fn lowered(document: &[u8]) -> Result<Lowered, Vec<Diagnostic>> {
    let environment = [("FROM_PROCESS", "a variable"), ("CHANCERY_OWN", "hidden")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    node_red::lower("case", document, &LowerSettings { environment: &environment, jwt_any_hmac: false })
}

fn plan_text(lowered: &Lowered) -> String {
    let mut out = String::new();
    for route in &lowered.routes {
        let to = match route.serve {
            Serve::Trigger(trigger) => format!("trigger {}", trigger.0),
            Serve::Stopped => "stopped".to_owned(),
        };
        let _ = writeln!(out, "route {} {} -> {to}", route.method, route.path);
    }
    for (at, reply) in lowered.replies.iter().enumerate() {
        let _ =
            writeln!(out, "reply {at} {} status {:?} headers {}", reply.node, reply.status_code, reply.headers.len());
    }
    for secret in &lowered.secrets {
        let _ = writeln!(out, "found {}.{}", secret.secret.owner, secret.secret.field);
    }
    out + &plan::dump(&lowered.flow)
}

fn told(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|told| format!("{told}\n")).collect()
}

fn compare(file: &Path, actual: &str) -> Option<String> {
    if std::env::var("CHANCERY_GOLDENS").as_deref() == Ok("write") {
        fs::write(file, actual).unwrap();
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    (expected != actual).then(|| format!("{}\nexpected:\n{expected}\nactual:\n{actual}", file.display()))
}

#[test]
fn every_case_lowers_to_what_stands_beside_it() {
    let cases = cases();
    assert!(!cases.is_empty());
    let mut differences = Vec::new();
    for case in cases {
        let (plan, diagnostics) = match lowered(&fs::read(case.join("flows.json")).unwrap()) {
            Ok(lowered) => {
                let text = plan_text(&lowered);
                let diagnostics = told(&lowered.diagnostics);
                plan::validate(lowered.flow).expect("what a dialect lowers is valid");
                (text, diagnostics)
            }
            Err(diagnostics) => ("refused\n".to_owned(), told(&diagnostics)),
        };
        differences.extend(compare(&case.join("plan.txt"), &plan));
        differences.extend(compare(&case.join("diagnostics.txt"), &diagnostics));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
