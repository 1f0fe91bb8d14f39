//! `chancery explain DOCUMENT`, from outside: what people read, and what is never among it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::path::Path;

use house::{chancery, chancery_in};

const FLOW: &str = "../../examples/node-red/generate-jwt.json";
const API: &str = "../../examples/api-connect/token.yaml";

/// Issue text, "explain": the published recipe, line by line.
#[test]
fn the_recipe_is_told_line_by_line() {
    let ran = chancery(&["explain", FLOW]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [
        "jwt 91ef189c.6f3fb8 \"creating jwt\"",
        "  called by   GET /jwt/generate",
        "  claims      data: {\"name\":\"CYber Group Inc.\"",
        "  lifetime    86400 s",
        "  signed      HS256 with the secret tokensecret of 766dcb94.6ebc04; kid none; typ JWT",
        "  delivered   the body of the answer at .access_token, by http response 2efaf863.f0c7a8",
    ] {
        assert!(ran.stdout.lines().any(|told| told.starts_with(line)), "{line}\n{}", ran.stdout);
    }
    assert!(ran.stdout.contains("(RFC 8725 section 3.9)"), "{}", ran.stdout);
}

/// JG-43 (part): the key of an API definition is told by its size, in both forms of the answer.
#[test]
fn no_key_is_told() {
    let definition = std::fs::read_to_string(API).unwrap();
    let key = definition.lines().find(|line| line.contains("\"k\"")).unwrap();
    let key = key.split("\"k\"").nth(1).unwrap().split('"').nth(1).unwrap();
    for form in [&["explain", API][..], &["explain", API, "--json"]] {
        let ran = chancery(form);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code == 0 && told.contains("35 octets") && !told.contains(key), "{told}");
    }
}

#[test]
fn what_is_no_document_is_refused_and_what_mints_nowhere_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    let empty = at("empty.json", r#"[{"id":"t","type":"tab","label":"ü"}]"#);
    let ran = chancery(&["explain", &empty]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.trim()), (0, "", "empty mints nowhere"));
    let deep = at("deep.json", &format!("[{}", "[".repeat(100_000)));
    let call = r#"{"algorithm":"HS256","jwksDomain":"d","payload":{},"validity":1}"#;
    let unsupported = at("call.json", call);
    for (file, told) in [
        (deep, "no kind that is known"),
        (unsupported, "UNSUPPORTED_ALGORITHM_ERROR"),
        (at("x.json", "{}"), "no kind that is known"),
    ] {
        let ran = chancery_in(&[], &["explain", &file], "");
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(Path::new(&file).exists() && ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    assert_eq!(chancery(&["explain"]).code, 2);
}
