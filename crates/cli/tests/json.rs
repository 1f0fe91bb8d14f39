//! What every command writes with `--json`, held against the schemas in `docs/schemas`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use house::chancery_in;
use serde_json::Value;

const ENV: [(&str, &str); 2] = [("SECRET", "0123456789abcdef0123456789abcdef"), ("SHORT", "short")];
const FLOW: &str = "../../examples/node-red/generate-jwt.json";
const API: &str = "../../examples/api-connect/token.yaml";
const CALL: &str = "../../testdata/confluence/typed/call.json";
const JWE: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AA.AA.AA";
/// The schemas of verbs that need a store.
const STORE_BACKED: [&str; 9] = [
    "audit-verify",
    "backup",
    "kek",
    "kek-moved",
    "keys-made",
    "keys-republish",
    "keys-revoke",
    "keys-ring",
    "keys-timing",
];

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas")
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(schemas().join(format!("{name}.json"))).unwrap()).unwrap()
}

/// Why a value does not fit a schema. A keyword that is not known here is a fault of the schema.
fn misfit(value: &Value, schema: &Value, at: &str) -> Option<String> {
    let known = ["$schema", "title", "description", "type", "properties", "required", "additionalProperties", "items"];
    let more = ["anyOf", "const", "enum", "minimum"];
    let keywords = schema.as_object().unwrap();
    let unknown = keywords.keys().find(|name| !known.contains(&name.as_str()) && !more.contains(&name.as_str()));
    assert_eq!(unknown, None, "{at}: this test does not know the keyword");
    let fails = keywords.iter().find_map(|(keyword, wanted)| keyword_fails(value, keyword, wanted, keywords, at));
    fails.map(|why| if why.starts_with('/') { why } else { format!("{at}: {why}") })
}

fn keyword_fails(
    value: &Value,
    keyword: &str,
    wanted: &Value,
    all: &serde_json::Map<String, Value>,
    at: &str,
) -> Option<String> {
    let object = value.as_object();
    let told = |fits: bool, why: String| (!fits).then_some(why);
    match keyword {
        "type" => {
            let types = wanted.as_array().map_or_else(|| std::slice::from_ref(wanted), Vec::as_slice);
            told(types.iter().any(|name| is_of(value, name.as_str().unwrap())), format!("{value} is no {wanted}"))
        }
        "const" => told(value == wanted, format!("{value} is not {wanted}")),
        "enum" => told(wanted.as_array().unwrap().contains(value), format!("{value} is none of {wanted}")),
        "minimum" => told(value.as_i64() >= wanted.as_i64(), format!("{value} is below {wanted}")),
        "required" => {
            let missing = |name: &&Value| object.is_some_and(|object| !object.contains_key(name.as_str().unwrap()));
            wanted.as_array().unwrap().iter().find(missing).map(|name| format!("{name} is missing"))
        }
        "properties" => wanted.as_object().unwrap().iter().find_map(|(name, inner)| {
            object.and_then(|object| misfit(object.get(name)?, inner, &format!("{at}/{name}")))
        }),
        "additionalProperties" => object?.iter().find_map(|(name, inner)| {
            let planned = all.get("properties").is_some_and(|planned| planned.get(name).is_some());
            if planned {
                None
            } else if wanted.is_object() {
                misfit(inner, wanted, &format!("{at}/{name}"))
            } else {
                Some(format!("`{name}` is not planned"))
            }
        }),
        "items" => value.as_array()?.iter().find_map(|item| misfit(item, wanted, &format!("{at}/-"))),
        "anyOf" => {
            let misfits: Option<Vec<String>> =
                wanted.as_array().unwrap().iter().map(|inner| misfit(value, inner, at)).collect();
            misfits.map(|misfits| misfits.join(" and "))
        }
        _ => None,
    }
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    }
}

/// The values of a text of one object a line.
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

fn hold(name: &str, values: &[Value], about: &str) {
    assert!(!values.is_empty(), "{about} wrote nothing");
    for value in values {
        assert_eq!(misfit(value, &schema(name), ""), None, "{about}: {value} against {name}.json");
    }
}

/// A checker that takes everything would prove nothing.
#[test]
fn the_checker_refuses_what_does_not_fit() {
    let mint = schema("mint");
    let good = serde_json::json!({ "token": "a.b.c", "kid": null, "alg": "ES256", "exp": 1 });
    assert_eq!(misfit(&good, &mint, ""), None);
    for (member, value) in [("token", Value::Null), ("exp", "soon".into()), ("more", 1.into())] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(misfit(&bad, &mint, "").is_some(), "{bad}");
    }
    assert!(misfit(&serde_json::json!({ "token": "a.b.c" }), &mint, "").is_some());
    assert!(misfit(&serde_json::json!({ "line": 0, "code": "x", "message": "y" }), &schema("batch"), "").is_some());
    assert!(
        misfit(&serde_json::json!({ "valid": true, "code": "x", "message": "y" }), &schema("verify"), "").is_some()
    );
}

/// JO-88: what each command writes with `--json` fits its published schema, and every schema is met by something.
#[test]
fn every_answer_fits_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let data = at("data");
    let run = |arguments: &[&str], stdin: &str| {
        let arguments = [arguments, &["--json", "--data", &data]].concat();
        chancery_in(&ENV, &arguments, stdin)
    };
    assert_eq!(run(&["init"], "").code, 0);
    assert_eq!(run(&["flow", "import", FLOW], "").code, 0);
    assert_eq!(run(&["secret", "set", "igniteadmin", "tokensecret"], "a secret of thirty-two octets ..").code, 0);
    let hs256 = ["--key", "env:SECRET", "--alg", "HS256"];
    let token = objects(&run(&[&["mint"], &hs256[..]].concat(), "").stdout)[0]["token"].as_str().unwrap().to_owned();
    let (key, public, unknown) = (at("k.jwk"), at("k.pub"), at("unknown.json"));
    fs::write(&unknown, r#"[{"id":"t","type":"tab"},{"id":"n","type":"no such node","z":"t","wires":[]}]"#).unwrap();
    let partly = at("partly.yaml");
    let steps = "[{xslt: {title: t}}, {jwt-generate: {iss-claim: gone, jws-crypto: c}}]";
    fs::write(
        &partly,
        format!("swagger: '2.0'\npaths: {{}}\nx-ibm-configuration: {{assembly: {{execute: {steps}}}}}\n"),
    )
    .unwrap();
    let script = at("script.json");
    let libs = r#"[{"var":"jwt","module":"jsonwebtoken"}]"#;
    let function = format!(r#"{{"id":"f","type":"function","z":"t","func":"x()","libs":{libs},"wires":[]}}"#);
    let inject = r#"{"id":"i","type":"inject","z":"t","once":true,"wires":[["f"]]}"#;
    fs::write(&script, format!(r#"[{{"id":"t","type":"tab"}},{inject},{function}]"#)).unwrap();
    let keys_der = ["keys", "public", &key, "--format", "der"];
    let answers: [(&str, Vec<&str>, &str); 27] = [
        ("mint", [&["mint"], &hs256[..]].concat(), ""),
        ("mint", vec!["mint", "--alg", "ES256", "--ephemeral", "--no-exp", "--count", "2"], ""),
        ("batch", [&["mint", "--batch", "-"], &hs256[..]].concat(), "{}\nbad\n"),
        ("verify", [&["verify", &token], &hs256[..]].concat(), ""),
        ("verify", [&["verify", "a.b.c"], &hs256[..]].concat(), ""),
        ("inspect", vec!["inspect", &token], ""),
        ("inspect", vec!["inspect", JWE], ""),
        ("keys-written", vec!["keys", "generate", "--alg", "ES256", "--out", &key], ""),
        ("keys-written", vec!["keys", "generate", "--alg", "HS256"], ""),
        ("keys-written", vec!["keys", "public", &key, "--format", "pem", "--out", &public], ""),
        ("keys-written", vec!["keys", "public", &key, "--format", "pem"], ""),
        ("keys-written", keys_der.to_vec(), ""),
        ("keys-written", vec!["keys", "convert", &public, "--format", "jwks"], ""),
        ("keys-check", vec!["keys", "check", &key], ""),
        ("keys-check", vec!["keys", "check", "env:SECRET", "--secret", "as-is"], ""),
        ("keys-thumbprint", vec!["keys", "thumbprint", &public], ""),
        ("check", vec!["check", &unknown], ""),
        ("check", vec!["check", API], ""),
        ("check", vec!["check", &partly], ""),
        ("explain", vec!["explain", FLOW], ""),
        ("explain", vec!["explain", API], ""),
        ("explain", vec!["explain", CALL], ""),
        ("explain", vec!["explain", &script], ""),
        ("explain-algorithms", vec!["explain", "algorithms"], ""),
        ("explain-settings", vec!["explain", "settings"], ""),
        ("explain-plan", vec!["explain", "plan", FLOW], ""),
        ("secret-list", vec!["secret", "list"], ""),
    ];
    let mut met: BTreeSet<String> = ["error", "warning"].map(str::to_owned).into();
    met.extend(STORE_BACKED.map(str::to_owned));
    for (name, arguments, stdin) in &answers {
        let ran = run(arguments, stdin);
        hold(name, &objects(&ran.stdout), &format!("{arguments:?}"));
        met.insert((*name).to_owned());
    }
    let published = fs::read_dir(schemas()).unwrap().map(|entry| entry.unwrap().path());
    // What documents must be is told elsewhere.
    let published = published.filter(|path| !path.to_string_lossy().ends_with(".schema.json"));
    let published = published.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let published: BTreeSet<String> =
        published.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(published, met);
}

/// JO-88: the verbs that need a store, each against its schema; those without an answer write nothing.
#[test]
fn answers_about_a_store_fit_their_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, other, copy, key, set) = (at("data"), at("other"), at("copy"), at("k.jwk"), at("old.jwks"));
    let run = |arguments: &[&str]| {
        let ran = chancery_in(&ENV, &[arguments, &["--json"]].concat(), "a secret of thirty-two octets ..");
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        objects(&ran.stdout)
    };
    let here = |arguments: &[&str]| run(&[arguments, &["--data", &data]].concat());
    run(&["keys", "generate", "--alg", "ES256", "--out", &key]);
    run(&["keys", "public", &key, "--format", "jwks", "--out", &set]);
    let silent: [&[&str]; 4] = [
        &["init"],
        &["flow", "import", FLOW],
        &["secret", "set", "igniteadmin", "tokensecret"],
        &["secret", "delete", "igniteadmin", "tokensecret"],
    ];
    silent.iter().for_each(|arguments| assert_eq!(here(arguments), [] as [Value; 0], "{arguments:?}"));
    let mut met = BTreeSet::new();
    let mut holds = |name: &'static str, arguments: &[&str]| {
        let answered = here(arguments);
        hold(name, &answered, &format!("{arguments:?}"));
        met.insert(name);
        answered
    };
    holds("keys-ring", &["keys", "list"]);
    holds("keys-made", &["keys", "create", "turning", "--alg", "ES256"]);
    holds("keys-made", &["keys", "create", "still", "--alg", "ES256", "--static"]);
    holds("keys-made", &["keys", "rotate", "turning", "--reason", "a trial"]);
    holds("keys-made", &["keys", "import", "still", &key]);
    let shown = holds("keys-ring", &["keys", "show", "turning"]);
    let kid = shown[0]["generations"][1]["kid"].as_str().unwrap().to_owned();
    hold("keys-written", &here(&["keys", "export", "turning", &kid]), "keys export");
    holds("keys-made", &["keys", "create", "shared", "--alg", "HS256", "--static"]);
    hold("keys-written", &here(&["keys", "read", "shared", "--reader", "billing"]), "keys read");
    holds("keys-made", &["keys", "rotate", "shared"]);
    assert_eq!(holds("keys-ring", &["keys", "show", "shared"])[0]["readers"][0]["lacks_standby"], true);
    for _ in 0..2 {
        holds("keys-revoke", &["keys", "revoke", "turning", &kid, "--reason", "a trial"]);
    }
    let shown = holds("keys-ring", &["keys", "show", "still"]);
    for row in shown[0]["generations"].as_array().unwrap() {
        holds("keys-revoke", &["keys", "revoke", "still", row["kid"].as_str().unwrap(), "--reason", "a trial"]);
    }
    holds("keys-republish", &["keys", "republish", &set, "--until", "+30d"]);
    holds("keys-timing", &["keys", "timing", "turning", "--rotation-period", "1d", "--over-life", "refuse"]);
    holds("kek-moved", &["kek", "renew"]);
    holds("kek-moved", &["kek", "reseal"]);
    assert_eq!(holds("kek", &["kek", "list"]).len(), 2);
    holds("audit-verify", &["audit", "verify"]);
    holds("backup", &["backup", &copy]);
    fs::create_dir(&other).unwrap();
    fs::copy(Path::new(&data).join("master.key"), Path::new(&other).join("master.key")).unwrap();
    assert_eq!(run(&["restore", &copy, "--data", &other]), [] as [Value; 0]);
    assert_eq!(met, STORE_BACKED.into());
}

/// JO-88: an error of the command itself goes to stderr as `code message hint`, and so does one of its arguments.
#[test]
fn errors_fit_their_schema() {
    for (arguments, code) in [
        (vec!["mint", "--key", "./nowhere.jwk"], 66),
        (vec!["mint", "--key", "hunter2"], 2),
        (vec!["mint", "--no-such-flag"], 2),
        (vec!["keys", "check", "env:SECRET"], 65),
        (vec!["explain", "plan", "./nowhere.json"], 66),
        (vec!["secret", "list", "--data", "/nowhere"], 66),
        (vec!["serve", "--data", "/nowhere"], 66),
        (vec!["inspect", "a.b"], 1),
        (vec![], 2),
    ] {
        let ran = chancery_in(&ENV, &[&arguments, ["--json"].as_slice()].concat(), "");
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments:?}: {ran:?}");
        hold("error", &objects(&ran.stderr), &format!("{arguments:?}"));
    }
    let weak = ["mint", "--key", "env:SHORT", "--alg", "HS256", "--allow", "allow_weak_hmac", "--json"];
    hold("warning", &objects(&chancery_in(&ENV, &weak, "").stderr), "a weak secret");
}
