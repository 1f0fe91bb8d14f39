//! What flow files are lowered to, where it is easier said than drawn as a case of `testdata`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use dialects::Kind;
use dialects::SecretChange;
use dialects::node_red::{self, LowerSettings, Lowered};
use plan::{Diagnostic, Lifetime, Op, Severity};

const SEED: &str = include_str!("../../../examples/node-red/generate-jwt.json");

fn try_lower(document: &str, jwt_any_hmac: bool) -> Result<Lowered, Vec<Diagnostic>> {
    let environment = BTreeMap::from([("SET".to_owned(), "value".to_owned())]);
    node_red::lower("case", document.as_bytes(), &LowerSettings { environment: &environment, jwt_any_hmac })
}

fn lower(document: &str) -> Lowered {
    try_lower(document, false).unwrap()
}

/// The op of a `jwt` node with this `generatejwt`, and of its config these properties.
fn jwt(generate: &str, config: &str) -> Lowered {
    lower(&format!(
        r#"[{{"id":"c","type":"jwt-config",{config}}},{{"id":"j","type":"jwt","jwtconfig":"c"{generate},"wires":[]}}]"#
    ))
}

fn codes(lowered: &Lowered) -> Vec<&str> {
    lowered.diagnostics.iter().map(|told| told.code).collect()
}

#[test]
fn flow_files_are_told_by_their_content() {
    let told = ["[]", " [{}]", SEED, r#"{"flows":[]}"#, r#"{"id":"t","label":"","nodes":[],"configs":[]}"#, "[{"];
    for document in told {
        assert_eq!(dialects::detect(document.as_bytes()), Some(Kind::NodeRed), "{document}");
    }
    for other in ["", "{}", "[1]", "null", "name: flows", r#"{"flows":1}"#, r#"{"a":{"flows":[]}}"#, "{\"a\""] {
        assert_eq!(dialects::detect(other.as_bytes()), None, "{other}");
    }
    for definition in ["swagger: 2.0", "openapi: 3.0.3", r#"{"openapi":"3.0.3"}"#] {
        assert_eq!(dialects::detect(definition.as_bytes()), Some(Kind::ApiConnect), "{definition}");
    }
}

#[test]
fn the_seed_needs_its_secret_and_is_lowered_without_a_word() {
    let lowered = lower(SEED);
    assert_eq!(codes(&lowered), Vec::<&str>::new());
    let secrets: Vec<_> =
        lowered.flow.secrets.iter().map(|secret| format!("{}.{}", secret.owner, secret.field)).collect();
    assert_eq!(secrets, ["766dcb94.6ebc04.tokensecret"]);
    assert!(lowered.secrets.is_empty() && lowered.cuts.is_empty());
    assert!(plan::validate(lowered.flow).is_ok());
}

/// NR-05: `true` and `"true"` generate; `false`, `"false"` and an absent property validate.
#[test]
fn the_mode_of_a_jwt_node_is_true_or_it_validates() {
    for (generate, issues) in [
        (r#","generatejwt":true"#, true),
        (r#","generatejwt":"true""#, true),
        (r#","generatejwt":false"#, false),
        (r#","generatejwt":"false""#, false),
        ("", false),
        (r#","generatejwt":1"#, false),
        (r#","generatejwt":"TRUE""#, false),
    ] {
        let op = &jwt(generate, r#""algorithm":"HS256","expiresin":60"#).flow.nodes[0].op;
        assert_eq!(matches!(op, Op::Issue { .. }), issues, "{generate}");
        assert_eq!(matches!(op, Op::Verify { .. }), !issues, "{generate}");
    }
}

#[test]
fn expiresin_is_read_as_parse_int_reads_it() {
    let cases = [
        (r#""86400""#, 86_400, 0),
        ("60", 60, 0),
        (r#""1.9""#, 1, 1),
        ("1.9", 1, 1),
        (r#""1h""#, 1, 1),
        (r#""1e3""#, 1, 1),
        (r#""0x10""#, 16, 1),
        (r#""-10""#, -10, 1),
        ("0", 0, 1),
        (r#"" 7""#, 7, 1),
    ];
    for (expiresin, seconds, warnings) in cases {
        let lowered = jwt(r#","generatejwt":true"#, &format!(r#""algorithm":"HS256","expiresin":{expiresin}"#));
        assert_eq!(lowered.flow.tokens[0].lifetime, Lifetime::Seconds(seconds), "{expiresin}");
        assert_eq!(lowered.diagnostics.len(), warnings, "{expiresin}");
        assert!(lowered.diagnostics.iter().all(|told| told.severity == Severity::Warning), "{expiresin}");
    }
}

#[test]
fn any_hmac_is_taken_only_where_the_switch_and_the_configuration_say_so() {
    let algorithms = |any: bool, algorithm: &str| {
        let document = format!(
            r#"[{{"id":"c","type":"jwt-config","algorithm":"{algorithm}"}},{{"id":"j","type":"jwt","jwtconfig":"c","wires":[]}}]"#
        );
        let policies = try_lower(&document, any).unwrap().flow.policies;
        policies.first().map(|policy| policy.algorithms.len())
    };
    assert_eq!(algorithms(false, "HS384"), Some(1));
    assert_eq!(algorithms(true, "HS384"), Some(3));
    assert_eq!(algorithms(true, "RS256"), Some(1));
    assert_eq!(algorithms(true, "none"), None);
    assert_eq!(algorithms(false, ""), None);
}

/// NR-62: scopes by list, by group and for uncaught errors; nearer groups come first.
#[test]
fn catch_nodes_hear_the_nodes_of_their_scope() {
    let document = r#"[
        {"id":"outer","type":"group","z":"t"},
        {"id":"inner","type":"group","z":"t","g":"outer"},
        {"id":"free","type":"function","z":"t","func":""},
        {"id":"deep","type":"function","z":"t","g":"inner","func":""},
        {"id":"last","type":"catch","z":"t","uncaught":true},
        {"id":"all","type":"catch","z":"t"},
        {"id":"listed","type":"catch","z":"t","scope":["free"]},
        {"id":"of-outer","type":"catch","z":"t","g":"outer","scope":"group"},
        {"id":"of-inner","type":"catch","z":"t","g":"inner","scope":"group"},
        {"id":"alone","type":"function","z":"u","func":""},
        {"id":"last-of-u","type":"catch","z":"u","uncaught":true},
        {"id":"listed-of-u","type":"catch","z":"u","scope":["deep"]}]"#;
    let flow = lower(document).flow;
    let id = |at: u32| flow.origins[flow.nodes[at as usize].origin.0 as usize].id.to_string();
    let heard_by = |node: &str| {
        let at = (0..).find(|at| id(*at) == node).unwrap();
        let groups = &flow.nodes[at as usize].on_error.0;
        groups.iter().flatten().map(|handler| id(handler.node.0)).collect::<Vec<_>>()
    };
    assert_eq!(heard_by("free"), ["listed", "all"]);
    assert_eq!(heard_by("deep"), ["of-inner", "of-outer", "all"]);
    assert_eq!(heard_by("alone"), ["last-of-u"]);
}

#[test]
fn an_uncaught_catch_in_a_nearer_group_takes_the_error_and_lets_others_hear_it() {
    let document = r#"[
        {"id":"g","type":"group","z":"t"},
        {"id":"f","type":"function","z":"t","g":"g","func":""},
        {"id":"near","type":"catch","z":"t","g":"g","uncaught":true},
        {"id":"all","type":"catch","z":"t"}]"#;
    let flow = lower(document).flow;
    assert_eq!(flow.nodes[0].on_error.0[0].iter().map(|handler| handler.node.0).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn credentials_are_found_and_cut_out() {
    let document = r#"{"flows":[
        {"id":"a","type":"jwt-config","credentials":{"tokensecret":"s1","other":"x"},"name":"A"},
        {"credentials":{"tokensecret":""},"id":"b","type":"jwt-config"},
        {"id":"c","type":"jwt-config","credentials":{"tokensecret":"__PWRD__"}},
        {"id":"d","type":"jwt-config","credentials":{}}],
        "credentials":{"d":{"tokensecret":"${SET}"}},"rev":"1"}"#;
    let lowered = lower(document);
    let found: Vec<_> = lowered.secrets.iter().map(|found| (&*found.secret.owner, found.change.clone())).collect();
    let set = |text: &str| SecretChange::Set(text.to_owned());
    assert!(found == [("a", set("s1")), ("b", SecretChange::Delete), ("c", SecretChange::Keep), ("d", set("${SET}"))]);
    assert!(!format!("{:?}", lowered.secrets).contains("s1"));
    let mut kept = String::new();
    let mut at = 0;
    for cut in &lowered.cuts {
        kept += &document[at..cut.start];
        at = cut.end;
    }
    kept += &document[at..];
    assert!(!kept.contains("credentials") && !kept.contains("s1"), "{kept}");
    let again = lower(&kept);
    assert_eq!(plan::dump(&again.flow), plan::dump(&lowered.flow));
    assert!(again.secrets.is_empty() && again.cuts.is_empty());
}

#[test]
fn a_single_flow_brings_its_tab() {
    let document = r#"{"id":"t","label":"Tab","disabled":true,"nodes":[
        {"id":"i","type":"http in","z":"t","url":"/x","method":"get","wires":[]}],"configs":[]}"#;
    assert!(lower(document).routes.is_empty());
    assert_eq!(lower(&document.replace("true", "false")).routes.len(), 1);
}

#[test]
fn what_is_no_flow_file_is_refused_at_its_place() {
    let cases = [
        ("", "json_invalid", None, (1, 1)),
        ("{}", "not_a_flow", Some(""), (1, 1)),
        ("7", "not_a_flow", Some(""), (1, 1)),
        (r#"{"flows":{}}"#, "not_a_flow", Some("/flows"), (1, 2)),
        ("[\n7]", "not_a_node", Some("/0"), (2, 1)),
        (r#"[{"type":"tab"}]"#, "not_a_node", Some("/0"), (1, 2)),
        (r#"[{"id":"a","type":7}]"#, "not_a_node", Some("/0"), (1, 2)),
        (r#"[{"id":"a","type":"x","wires":[["b",1]]}]"#, "wires_invalid", Some("/0/wires"), (1, 23)),
        (r#"[{"id":"a","type":"x","é/~":1,"é/~":2}]"#, "property_repeated", Some("/0/é~1~0"), (1, 31)),
        (
            r#"[{"id":"a","type":"x","credentials":{},"credentials":{}}]"#,
            "property_repeated",
            Some("/0/credentials"),
            (1, 40),
        ),
        (r#"[{"id":"a","type":"tab","x":{"a":1,"a":2}}]"#, "json_invalid", None, (1, 36)),
    ];
    for (document, code, pointer, place) in cases {
        let refused = try_lower(document, false).unwrap_err();
        assert_eq!((refused.len(), refused[0].code, refused[0].severity), (1, code, Severity::Error), "{document}");
        assert_eq!(refused[0].place.line_column, Some(place), "{document}");
        assert_eq!(refused[0].place.pointer, pointer.unwrap_or_default(), "{document}");
    }
}

/// 10 000 nodes in 1 000 tabs, each wired to the next, with a broken wire and a misconfigured node in every tab.
#[test]
fn large_documents_are_lowered_with_every_place_counted() {
    let mut nodes = Vec::new();
    for tab in 0..1_000 {
        nodes.push(format!(r#"{{"id":"t{tab}","type":"tab","label":"ü{tab}"}}"#));
        nodes.push(format!(r#"{{"id":"c{tab}","type":"jwt-config","algorithm":"none"}}"#));
        nodes.push(format!(
            r#"{{"id":"j{tab}","type":"jwt","z":"t{tab}","jwtconfig":"c{tab}","wires":[["n{tab}-0","gone"]]}}"#
        ));
        for node in 0..7 {
            let next = node + 1;
            nodes.push(format!(r#"{{"id":"n{tab}-{node}","type":"function","z":"t{tab}","func":"return msg","wires":[["n{tab}-{next}"]]}}"#));
        }
    }
    let document = format!("[{}]", nodes.join(","));
    let lowered = lower(&document);
    assert_eq!(lowered.flow.nodes.len(), 8_000);
    assert_eq!(lowered.diagnostics.len(), 1_000);
    let last = lowered.diagnostics.last().unwrap();
    let column = document[..document.rfind(r#""algorithm""#).unwrap()].chars().count() + 1;
    assert_eq!(last.place.line_column, Some((1, column)));
    assert!(plan::validate(lowered.flow).is_ok());
}

#[test]
fn a_split_that_cannot_be_made_is_told_and_raises() {
    let split = |settings: &str| lower(&format!(r#"[{{"id":"s","type":"split",{settings},"wires":[]}}]"#));
    for (settings, code) in [
        (r#""stream":true"#, "split_stream"),
        (r#""spltType":"len","splt":"0""#, "value_invalid"),
        (r#""spltType":"len","splt":"many""#, "value_invalid"),
        (r#""spltType":"bin","splt":"44""#, "value_invalid"),
        (r#""spltType":"bin","splt":"\"text\"""#, "value_invalid"),
        (r#""spltType":"other""#, "type_unknown"),
        (r#""arraySplt":"-1""#, "value_invalid"),
        (r#""property":"a..b""#, "value_invalid"),
        (r#""addname":"a..b""#, "value_invalid"),
    ] {
        let lowered = split(settings);
        assert_eq!(codes(&lowered), [code], "{settings}");
        assert!(matches!(lowered.flow.nodes[0].op, Op::Raise(_)), "{settings}");
    }
    let lowered = split(r#""arraySplt":2"#);
    assert_eq!(codes(&lowered), Vec::<&str>::new());
    assert!(matches!(lowered.flow.nodes[0].op, Op::Each { .. }));
}

#[test]
fn a_join_that_cannot_be_made_is_told_and_raises() {
    let join = |settings: &str| lower(&format!(r#"[{{"id":"j","type":"join",{settings},"wires":[]}}]"#));
    for (settings, code) in [
        (r#""mode":"reduce","reduceExp":"$A+payload""#, "join_reduce"),
        (r#""mode":"custom","joinerType":"bin","joiner":"44""#, "value_invalid"),
        (r#""mode":"custom","property":"a..b""#, "value_invalid"),
        (r#""mode":"custom","build":"object","key":"[""#, "value_invalid"),
    ] {
        let lowered = join(settings);
        assert_eq!(codes(&lowered), [code], "{settings}");
        assert!(matches!(lowered.flow.nodes[0].op, Op::Raise(_)), "{settings}");
    }
}

#[test]
fn a_join_keeps_its_groups_in_one_place() {
    let lowered = lower(r#"[{"id":"j","type":"join","mode":"custom","count":"","timeout":"0.5","wires":[]}]"#);
    let script = &lowered.flow.scripts[0];
    assert!(script.shares && script.initialize.contains(r#""inherits":true"#));
    assert!(script.initialize.contains(r#""wait_ms":500"#), "{}", script.initialize);
    let lowered = lower(r#"[{"id":"j","type":"join","mode":"auto","timeout":"9","wires":[]}]"#);
    assert!(lowered.flow.scripts[0].initialize.contains(r#""wait_ms":0"#), "automatic groups wait without end");
}
