//! `chancery check` on API definitions, from outside: each line that section 15 of the contract asks for, and the exit codes.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{Ran, chancery};

/// A definition with one of everything that can be amiss.
const PARTLY: &str = r#"swagger: '2.0'
info: {title: Orders, version: 1.0.0}
basePath: /orders
paths:
  /token: {get: {}, post: {}}
  /other: {get: {}}
x-ibm-configuration:
  gateway: datapower-gateway
  properties:
    key: {value: ''}
    issuer: {description: nothing is set here}
    only-there: {value: x}
  catalogs:
    prod: {properties: {elsewhere: y}}
  assembly:
    execute:
      - set-variable: {actions: [{set: a.claim, value: '$(elsewhere)'}, {set: b, value: '$(api.properties.gone)'}]}
      - gatewayscript: {source: "apim.setvariable('by.script', 1);"}
      - switch:
          case:
            - condition: request.verb == 'GET'
              execute:
                - xslt: {title: to text, input: true}
            - otherwise:
                - jwt-generate: {iss-claim: issuer, sub-claim: by.script, aud-claim: 'a.claim, nobody.sets', jws-crypto: org_cat_key, jws-alg: RS256}
      - jwt-generate: {iss-claim: a.claim, sub-claim: client.app.id, jws-jwk: only-there, jws-alg: HS256, jwe-crypto: other_key}
    catch:
      - default:
          - oauth: {}
"#;

fn check(name: &str, text: &str, further: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    chancery(&[&["check", path.to_str().unwrap()], further].concat())
}

/// AC-42 (part): kind, operations, policies, crypto objects, missing properties and steps that do not run, each a line.
#[test]
fn a_definition_is_told_line_by_line() {
    let ran = check("orders.yaml", PARTLY, &[]);
    let lines: Vec<&str> = ran.stdout.lines().take(6).collect();
    assert_eq!(
        lines,
        [
            "orders: API definition in OpenAPI 2 for the DataPower Gateway (v5 compatible)",
            "  operations: GET /orders/token, POST /orders/token, GET /orders/other",
            "  policies: gatewayscript 1, jwt-generate 2, oauth 1, set-variable 1, switch 1, xslt 1",
            "  crypto objects without a key: org_cat_key, other_key",
            "  variables and properties that nothing sets: api.properties.gone, elsewhere, issuer, nobody.sets",
            "  steps that do not run: xslt \"to text\" at \
             /x-ibm-configuration/assembly/execute/2/switch/case/0/execute/0/xslt, oauth at \
             /x-ibm-configuration/assembly/catch/0/default/0/oauth",
        ],
        "{ran:?}"
    );
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("stopped[crypto_unbound]") && ran.stdout.contains("line 23, column"), "{ran:?}");
}

/// What nothing stands against is told in as many lines as say something, and is runnable.
#[test]
fn a_definition_that_runs_is_told_in_three_lines() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/api-connect/token.yaml");
    let ran = chancery(&["check", example]);
    let told = "token: API definition in OpenAPI 2 for the DataPower API Gateway\n  operations: GET /auth/token\n  \
                policies: jwt-generate 1, set-variable 2\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (0, told));
}

/// One of the marks against a definition is enough for it to run partly.
#[test]
fn each_lack_alone_makes_a_definition_run_partly() {
    let definition = |step: &str| {
        format!(
            "openapi: 3.0.3\npaths: {{/t: {{get: {{}}}}}}\nx-ibm-configuration:\n  gateway: datapower-api-gateway\n  \
             properties: {{k: {{value: v}}}}\n  assembly: {{execute: [{step}]}}\n"
        )
    };
    let token =
        |more: &str| definition(&format!("{{jwt-generate: {{iss-claim: k, exp-claim: 60, jws-jwk: k{more}}}}}"));
    for (text, code, line) in [
        (token(""), 0, "in OpenAPI 3 for the DataPower API Gateway"),
        (token(", jwe-crypto: c"), 1, "crypto objects without a key: c"),
        (token(", sub-claim: unset"), 1, "variables and properties that nothing sets: unset"),
        (
            definition("{redact: {}}"),
            1,
            "steps that do not run: redact at /x-ibm-configuration/assembly/execute/0/redact",
        ),
        (token(", jws-alg: HS255"), 2, "refused"),
    ] {
        let ran = check("api.yaml", &text, &[]);
        assert!(ran.code == code && ran.stdout.contains(line), "{text}\n{ran:?}");
    }
}

/// AC-04: what is no definition gives one error, with the file and where it has one the line or member, and exit code 2.
#[test]
fn what_is_no_definition_gives_one_error() {
    let deep = format!("swagger: '2.0'\nx: {}1{}\n", "[".repeat(40), "]".repeat(40));
    for (name, text, what) in [
        ("notes.txt", "Dear diary", "unknown_kind"),
        (
            "product.yaml",
            "product: 1.0.0\ninfo: {}\nx-ibm-configuration: {}\n",
            "neither `swagger: \"2.0\"` nor `openapi: 3.x`",
        ),
        ("broken.yaml", "swagger: '2.0'\ninfo: [1\npaths: {}\n", "line 3, column 6"),
        ("broken.json", "{\"swagger\": \"2.0\",\n \"paths\": {,}}", "line 2, column 12"),
        ("twice.yaml", "swagger: '2.0'\npaths: {}\npaths: {}\n", "the member `paths` stands twice"),
        ("two.yaml", "swagger: '2.0'\n---\nswagger: '2.0'\n", "it holds a second document"),
        ("deep.yaml", &deep, "nested deeper than 32 levels"),
        ("empty.yaml", "", "unknown_kind"),
        ("binary.yaml", "swagger: '2.0'\nx: \"\u{0}\"\n", "line 2"),
    ] {
        let ran = check(name, text, &[]);
        let stem = name.split('.').next().unwrap();
        assert!(ran.code == 2 && ran.stdout.starts_with(&format!("{stem}: refused\nerror[")), "{name}: {ran:?}");
        assert!(ran.stdout.contains(what) && ran.stdout.matches("error[").count() == 1, "{name}: {ran:?}");
    }
}

/// AC-01: either OpenAPI in either form, with a line of dashes, quoted keys and lines that end as on Windows.
#[test]
fn every_version_in_every_form_loads() {
    let yaml = |head: &str| {
        format!(
            "---\n# a comment\n{head}\n\"paths\":\n  '/t':\n    \"get\": {{}}\nx-ibm-configuration:\n  \
                 gateway: 'datapower-api-gateway'\n  assembly:\n    execute:\n      - gatewayscript:\n          source: |\n            \
                 var a = 1;\n            context.set('b', a);\n"
        )
    };
    let json = |head: &str| {
        format!(
            r#"{{ {head}, "paths": {{"/t": {{"get": {{}}}}}}, "x-ibm-configuration": {{"gateway": "datapower-api-gateway",
            "assembly": {{"execute": [{{"gatewayscript": {{"source": "var a = 1;\r\n"}}}}]}}}} }}"#
        )
    };
    for (openapi, text) in [
        ("2", yaml("swagger: '2.0'")),
        ("2", json(r#""swagger": "2.0""#)),
        ("3", yaml("\"openapi\": 3.0.3")),
        ("3", json(r#""openapi": "3.0.0""#)),
    ] {
        for (name, text) in [
            ("api.yaml", text.clone()),
            ("api (1).json", text.replace('\n', "\r\n")),
            ("\u{fc}", format!("\u{feff}{text}")),
        ] {
            let ran = check(name, &text, &[]);
            let told =
                format!("API definition in OpenAPI {openapi} for the DataPower API Gateway\n  operations: GET /t\n");
            assert!(ran.code == 0 && ran.stdout.contains(&told), "{name} {ran:?}\n{text}");
        }
    }
}

/// The name of a file says nothing, whatever stands in it.
#[test]
fn odd_names_of_files_are_names() {
    let example = include_str!("../../../examples/api-connect/token.yaml");
    for name in ["token (copy) [1].yaml", "t\u{f6}ken.JSON", "-", "a.b.c"] {
        let ran = check(name, example, &[]);
        assert!(ran.code == 0 && ran.stdout.contains("API definition"), "{name}: {ran:?}");
    }
}
