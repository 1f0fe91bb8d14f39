//! `invoke`: calls a back end (section 10).

use plan::{Expr, Function, NodeIx, Op, Path, Pattern, Severity, Value};

use crate::api_connect::invoke::{self, Control, Invoke};
use crate::api_connect::lower::{Lowering, Step, Telling};
use crate::api_connect::name::path;
use crate::api_connect::tree::Cursor;
use crate::api_connect::values::joined_of;

/// The properties that are heeded.
const KNOWN: [&str; 17] = [
    "title",
    "description",
    "version",
    "target-url",
    "verb",
    "timeout",
    "username",
    "password",
    "output",
    "stop-on-error",
    "header-control",
    "parameter-control",
    "keep-payload",
    "follow-redirects",
    "persistent-connection",
    "chunked-uploads",
    "backend-type",
];
/// Properties of the vendor that change nothing here: how octets travel, and what is kept of answers.
const IGNORED: [&str; 18] = [
    "tls-profile",
    "secure-gateway",
    "http-version",
    "http2-required",
    "use-http-10",
    "restrict-to-http-10",
    "compression",
    "cache-key",
    "cache-response",
    "cache-putpost-response",
    "cache-unsafe-response",
    "cache-ttl",
    "inject-proxy-headers",
    "decode-request-params",
    "encode-plus-char",
    "graphql-send-type",
    "graphql-enable-opt",
    "websocket-upgrade",
];
/// How long an invoke waits if it does not say.
const TIMEOUT_SECS: u64 = 60;
/// A parameter of the operation in a URL, escaped.
const ESCAPED: Function = Function { name: "escaped", run: invoke::escaped };

pub(super) fn lower(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    tell(lowering, step);
    let text = |name: &str| step.block.text(name).unwrap_or_default();
    let members = [
        (invoke::URL, url(lowering, &text("target-url"))),
        (invoke::VERB, lowering.names.text(&text("verb"))),
        (invoke::USER, lowering.names.text(&text("username"))),
        (invoke::PASSWORD, lowering.names.text(&text("password"))),
    ];
    let to = Expr::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect());
    let (headers, parameters) =
        (control(lowering, step, "header-control"), control(lowering, step, "parameter-control"));
    let output = step.block.text("output").map_or_else(|| Path::keys(["message"]), |name| path(&name));
    let errors = step.block.get("stop-on-error").map(|errors| errors.items()).unwrap_or_default();
    let invoke = Invoke {
        output,
        stops_at: errors.iter().filter_map(|name| name.node.scalar_text()).map(|name| name.as_str().into()).collect(),
        headers: headers.unwrap_or(Control::Block(Vec::new())),
        parameters: parameters.unwrap_or(Control::Allow(Vec::new())),
        total_ms: timeout_secs(lowering, step) * 1_000,
        keeps_payload: step.block.flag("keep-payload") == Some(true),
        follows: lowering.is_v5() || step.block.flag("follow-redirects") == Some(true),
        drops_client_id: lowering.is_v5(),
    };
    let fetch = lowering.add_invoke(invoke);
    lowering.step_told(step, Op::Fetch { fetch, to, busy: Value::Undefined }, vec![vec![next]], &Telling::Own)
}

fn tell(lowering: &mut Lowering<'_>, step: &Step<'_>) {
    let known: Vec<&str> = KNOWN.into_iter().chain(IGNORED).collect();
    lowering.tell_unknown(step, &known);
    for (name, value) in step.block.members().filter(|(name, _)| IGNORED.contains(name)) {
        let is_off = value.node.scalar_text().is_none_or(|text| matches!(text.as_str(), "" | "false"));
        if !is_off {
            lowering.tell_ignored(step, name, &value);
        }
    }
    if step.block.text("target-url").is_none() {
        let message = "`target-url` is missing; a request that reaches the step fails.";
        lowering.tell(Severity::Stopped, "url_missing", (&step.block, step.kind), message, "Name the back end's URL.");
    }
}

/// The URL as the author wrote it, with `$(name)` and `{parameter}` of an operation left for the request to fill in.
fn url(lowering: &Lowering<'_>, written: &str) -> Expr {
    let parameters = lowering.definition.parameter_names();
    let (mut parts, mut rest) = (Vec::new(), written);
    while let Some((before, name, behind)) = next_parameter(rest, &parameters) {
        parts.push(lowering.names.text(before));
        let value = lowering.names.variable(&format!("request.parameters['{name}']"));
        parts.push(Expr::Applied { function: ESCAPED, to: vec![value] });
        rest = behind;
    }
    parts.push(lowering.names.text(rest));
    joined_of(parts)
}

/// The first `{name}` of a known parameter, with what stands before and behind it.
fn next_parameter<'t>(text: &'t str, known: &[&str]) -> Option<(&'t str, &'t str, &'t str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (name, behind) = text[at + 1..].split_once('}')?;
        let bare = name.trim_start_matches('+').trim_end_matches('*');
        known.contains(&bare).then_some((&text[..at], bare, behind))
    })
}

/// `header-control` and `parameter-control`: a list of patterns, which are let or held back.
fn control(lowering: &mut Lowering<'_>, step: &Step<'_>, property: &str) -> Option<Control> {
    let control = step.block.get(property)?;
    let values = control.get("values").map(|values| values.items()).unwrap_or_default();
    let patterns = values.iter().filter_map(|value| pattern(lowering, step, value)).collect();
    match control.text("type").unwrap_or_default().to_lowercase().as_str() {
        "allowlist" | "whitelist" | "allow" | "white" => Some(Control::Allow(patterns)),
        "blocklist" | "blacklist" | "block" | "black" => Some(Control::Block(patterns)),
        _ => {
            let message = format!("`{property}` is neither an `allowlist` nor a `blocklist`.");
            let hint = "Write one of the two as its `type`.";
            lowering.tell(Severity::Error, "value_illegal", (&control, step.kind), message, hint);
            None
        }
    }
}

fn pattern(lowering: &mut Lowering<'_>, step: &Step<'_>, value: &Cursor<'_>) -> Option<Pattern> {
    let written = value.node.scalar_text().unwrap_or_default();
    match Pattern::new(&written, true) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let message = format!("`{written}` is no pattern that can be matched: {why}.");
            lowering.tell(Severity::Error, "pattern_invalid", (value, step.kind), message, "Write a plainer pattern.");
            None
        }
    }
}

fn timeout_secs(lowering: &mut Lowering<'_>, step: &Step<'_>) -> u64 {
    let Some(written) = step.block.text("timeout") else { return TIMEOUT_SECS };
    let seconds = written.parse::<u64>().ok().filter(|seconds| (1..=TIMEOUT_SECS).contains(seconds));
    if seconds.is_none() {
        let at = step.block.get("timeout").unwrap_or_else(|| step.block.clone());
        let message = format!("`timeout` is `{written}`; an invoke waits {TIMEOUT_SECS} seconds here at most.");
        let hint = format!("Write a whole number from 1 to {TIMEOUT_SECS}.");
        lowering.tell(Severity::Warning, "timeout_bounded", (&at, step.kind), message, &hint);
    }
    seconds.unwrap_or(TIMEOUT_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AC-78 (part): only a parameter that an operation has is one in a URL; other braces are the author's own.
    #[test]
    fn braces_are_parameters_only_if_an_operation_has_them() {
        let known = ["id", "rest"];
        assert_eq!(next_parameter("/a/{id}/b", &known), Some(("/a/", "id", "/b")));
        assert_eq!(next_parameter("/{x}/{+rest}", &known), Some(("/{x}/", "rest", "")));
        assert_eq!(next_parameter("/{x}/{id", &known), None);
    }
}
