//! `chancery convert`, from outside: the document alone on stdout, and nothing there if it is refused.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::chancery;

const FLOW: &str = "../../testdata/confluence/typed/flows.json";

/// Issue text, "convert": what comes out is a document that `check` takes, and each loss is a line of its own.
#[test]
fn a_document_comes_out_and_its_losses_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("wish.json").to_str().unwrap().to_owned();
    for to in ["node-red", "api-connect", "orchestration", "supertokens"] {
        let ran = chancery(&["convert", FLOW, "--to", to]);
        assert_eq!(ran.code, 0, "{to}: {ran:?}");
        assert!(ran.stderr.lines().any(|line| line.starts_with("warning: key: ")), "{to}: {}", ran.stderr);
        std::fs::write(&out, &ran.stdout).unwrap();
        let told = chancery(&["explain", &out]);
        assert!(told.code == 0 && told.stdout.contains("lifetime    600 s"), "{to}: {told:?}");
    }
}

/// JG-43 (part): a key in the document neither goes along nor is told of, whether the document is converted or not.
#[test]
fn what_is_refused_writes_nothing() {
    let nested = std::fs::read_to_string("../../testdata/confluence/nested/api.json").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nested.json").to_str().unwrap().to_owned();
    let nested = nested
        .replace("$KEY", r#"{\"kty\":\"oct\",\"k\":\"Y2FuYXJ5\"}"#)
        .replace("$KEK", "canary of thirty-two octets ....");
    std::fs::write(&file, nested).unwrap();
    for (to, code) in [("supertokens", 1), ("orchestration", 0)] {
        let ran = chancery(&["convert", &file, "--to", to]);
        assert_eq!((ran.code, ran.stdout.is_empty()), (code, code == 1), "{ran:?}");
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!told.contains("Y2FuYXJ5") && !told.contains("canary"), "{told}");
    }
    let ran = chancery(&["convert", &file, "--to", "supertokens"]);
    assert!(ran.stderr.contains("nested is not converted\nencryption: A core only signs."), "{}", ran.stderr);
    assert_eq!(chancery(&["convert", &file, "--to", "cobol"]).code, 2);
    assert_eq!(chancery(&["convert", "./nowhere.json", "--to", "supertokens"]).code, 66);
}
