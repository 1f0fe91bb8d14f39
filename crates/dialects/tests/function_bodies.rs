//! Every body of `testdata/node-red/function-bodies` is taken for what its folder says: steps of the plan, or a script.
//!
//! `CHANCERY_GOLDENS=write cargo test -p dialects --test function_bodies` writes the steps anew; read the difference
//! before it is kept.

#![allow(clippy::disallowed_methods, reason = "bodies are files, and the wish to write them is a variable")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use dialects::node_red::{self, LowerSettings};
use plan::{Flow, Op};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/node-red/function-bodies")
}

fn bodies(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read =
        |file: PathBuf| (file.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&file).unwrap());
    files.into_iter().map(read).collect()
}

/// The flow of one function node with this body and these further properties.
fn lowered(body: &str, more: &str) -> Flow {
    let mut document = br#"[{"id":"f","type":"function","wires":[[]],"func":"#.to_vec();
    jose::json::write_text(&mut document, body);
    document.extend_from_slice(format!("{more}}}]").as_bytes());
    let settings = LowerSettings { environment: &Default::default(), jwt_any_hmac: false };
    node_red::lower("case", &document, &settings).unwrap().flow
}

fn is_shape(flow: &Flow) -> bool {
    matches!(flow.nodes[0].op, Op::Shape { .. })
}

#[test]
fn bodies_that_only_shape_data_become_steps() {
    let bodies = bodies("lowered");
    assert!(bodies.len() >= 60);
    let mut shown = String::new();
    for (name, body) in bodies {
        let flow = lowered(&body, "");
        assert!(is_shape(&flow), "{name} stayed a script");
        let dump = plan::dump(&flow);
        let op = dump.lines().nth(1).unwrap().trim_start_matches("node 0 function f shape ");
        shown += &format!("{name}: {}\n", op.trim_end_matches(" else script 0 -> [[]]"));
    }
    let file = root().join("lowered.txt");
    if std::env::var("CHANCERY_GOLDENS").as_deref() == Ok("write") {
        fs::write(&file, &shown).unwrap();
    }
    assert_eq!(shown, fs::read_to_string(file).unwrap());
}

#[test]
fn bodies_that_do_anything_else_stay_scripts() {
    let bodies = bodies("script");
    assert!(bodies.len() >= 60);
    for (name, body) in bodies {
        assert!(!is_shape(&lowered(&body, "")), "{name} was lowered");
    }
}

#[test]
fn a_body_with_something_before_it_or_nowhere_to_go_stays_a_script() {
    assert!(is_shape(&lowered("return msg", r#","initialize":" \n","finalize":"""#)));
    assert!(!is_shape(&lowered("return msg", r#","initialize":"context.set('a', 1)""#)));
    assert!(!is_shape(&lowered("return msg", r#","finalize":"node.log('bye')""#)));
    assert!(!is_shape(&lowered("return msg", r#","outputs":0"#)));
}

#[test]
fn nesting_and_length_are_bounded() {
    let nested = |depth: usize| format!("msg.a = {}{};", "[".repeat(depth), "]".repeat(depth));
    assert!(is_shape(&lowered(&nested(32), "")));
    assert!(!is_shape(&lowered(&nested(100_000), "")));
    assert!(!is_shape(&lowered(&format!("msg.a = '{}';", "x".repeat(64 * 1024)), "")));
}
