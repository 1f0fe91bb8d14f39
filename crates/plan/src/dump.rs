//! A plan as text, for people and snapshots. Nothing reads it back.

use std::fmt::Write as _;

use crate::branch::{BranchPlan, Test};
use crate::cell::Scope;
use crate::expr::{Expr, Path, Segment, TemplateSource};
use crate::flow::{Flow, Handlers, Node, Trigger, TriggerKind};
use crate::json::write_json;
use crate::op::{Callee, Edit, Op, ShapeStep};
use crate::open::{Expected, OpenPlan};
use crate::password::PasswordPlan;
use crate::seal::{HeaderForm, KeyForm, KeyFrom, KidFrom, Protection, SealPlan};
use crate::slot::{Root, Slot, Turn, Way};
use crate::template::Piece;
use crate::token::{AfterRefusal, ClaimPlan, HeaderMember, KeySource, Lifetime, TokenPlan, VerifyPlan};
use crate::value::Value;

/// Writes the flow as text, one line a node, in the order of the flow.
pub fn dump(flow: &Flow) -> String {
    let mut out = format!("flow {}\n", flow.document);
    let sections = [
        flow.triggers
            .iter()
            .enumerate()
            .map(|(at, it)| format!("trigger {at} {}", trigger(flow, it)))
            .collect::<Vec<_>>(),
        flow.nodes.iter().enumerate().map(|(at, it)| format!("node {at} {}", node(flow, it))).collect(),
        flow.tokens.iter().enumerate().map(|(at, it)| format!("token {at} {}", token(it))).collect(),
        flow.policies.iter().enumerate().map(|(at, it)| format!("policy {at} {}", policy(it))).collect(),
        flow.scripts.iter().enumerate().map(|(at, it)| format!("script {at} {} octets", it.source.len())).collect(),
        flow.expressions.iter().enumerate().map(|(at, it)| format!("expression {at} {}", it.source)).collect(),
        flow.secrets.iter().map(|it| format!("secret {}.{}", it.owner, it.field)).collect(),
    ];
    for line in sections.iter().flatten() {
        let _ = writeln!(out, "{line}");
    }
    out
}

fn trigger(flow: &Flow, trigger: &Trigger) -> String {
    let origin = &flow.origins[trigger.origin.0 as usize];
    let kind = match &trigger.kind {
        TriggerKind::Request => "request".to_owned(),
        TriggerKind::Schedule { first_ms, every_ms, calendar, message } => {
            let calendar = calendar.as_ref().map_or(String::new(), |calendar| format!("at `{calendar}` "));
            format!("schedule first {first_ms:?} ms every {every_ms:?} ms {calendar}{}", steps(message))
        }
    };
    format!("{} {} {kind} -> {}", origin.kind, origin.id, list(trigger.wires.iter().map(|wire| wire.0.to_string())))
}

fn node(flow: &Flow, node: &Node) -> String {
    let origin = &flow.origins[node.origin.0 as usize];
    let outputs = list(node.outputs.iter().map(|wires| list(wires.iter().map(|wire| wire.0.to_string()))));
    let mut line = format!("{} {} {} -> {outputs}", origin.kind, origin.id, op(&node.op));
    for (name, handlers) in [("error", &node.on_error), ("done", &node.on_done), ("status", &node.on_status)] {
        if !handlers.0.is_empty() {
            let _ = write!(line, " {name} {}", groups(handlers));
        }
    }
    line
}

fn groups(handlers: &Handlers) -> String {
    list(handlers.0.iter().map(|group| list(group.iter().map(|handler| handler.node.0.to_string()))))
}

fn op(op: &Op) -> String {
    match op {
        Op::Pass => "pass".into(),
        Op::Shape { steps: all, otherwise } => format!("shape {} else script {}", steps(all), otherwise.0),
        Op::Assign(all) => format!("assign {}", steps(all)),
        Op::Script(script) => format!("script {}", script.0),
        Op::Issue { token, into } => format!("issue token {} into {}", token.0, path(into)),
        Op::Verify { policy, into } => format!("verify policy {} into {}", policy.0, path(into)),
        Op::Seal { plan, into, known } => {
            format!("seal {} into {}{}", seal(plan), path(into), known_at(known.as_ref()))
        }
        Op::Open { plan, into, known } => {
            format!("open {} into {}{}", open(plan), path(into), known_at(known.as_ref()))
        }
        Op::Edit(edits) => format!("edit {}", list(edits.iter().map(edit))),
        Op::Each { items, into } => {
            let places = into.iter().map(|(name, place)| format!("{name} to {}", slot(place)));
            format!("each {} {}", expr(items), list(places))
        }
        Op::Branch(plan) => branch(plan),
        Op::Call { callee, timeout_ms, .. } => format!("call {} within {timeout_ms} ms", called(callee)),
        Op::Return { .. } => "return".into(),
        Op::Fetch { fetch, to, .. } => format!("fetch {} from {}", fetch.0, expr(to)),
        Op::Password(plan) => match &**plan {
            PasswordPlan::SignIn { shown, user, password, .. } => {
                format!("sign in {user} with {}.{} by {}", password.owner, password.field, expr(shown))
            }
            PasswordPlan::Hash { of, cost, into } => format!("bcrypt {cost} of {} into {}", expr(of), path(into)),
            PasswordPlan::Check { of, hash, into } => {
                format!("bcrypt {} of {} into {}", expr(hash), expr(of), path(into))
            }
        },
        Op::ReadFile(plan) => {
            let read_as = plan.read_as.map_or("octets", |function| function.name);
            format!("read {} as {read_as} into {}", expr(&plan.name), path(&plan.into))
        }
        Op::Hold(plan) => format!("hold {:?}", plan.mode),
        Op::Reply(reply) => format!("reply {}", reply.0),
        Op::Log { level, value } => format!("log {level:?} {}", expr(value)),
        Op::Raise(fault) => format!("raise {}", fault.code.as_deref().unwrap_or(&fault.message)),
    }
}

fn edit(edit: &Edit) -> String {
    format!("{} = {}", slot(&edit.to), expr(&edit.value))
}

fn called(callee: &Callee) -> String {
    match callee {
        Callee::Node(node) => node.0.to_string(),
        Callee::Named { name, nodes, .. } => format!("by {} of {} names", expr(name), nodes.len()),
    }
}

fn branch(plan: &BranchPlan) -> String {
    let mut line = format!(
        "branch {} {} {}",
        if plan.all { "all" } else { "first" },
        expr(&plan.on),
        list(plan.tests.iter().map(test))
    );
    if let Some((scope, name)) = &plan.remember {
        let _ = write!(line, " remembered in {}.{name}", scope_name(scope));
    }
    line
}

fn test(test: &Test) -> String {
    match test {
        Test::Equal(value) => format!("== {}", expr(value)),
        Test::NotEqual(value) => format!("!= {}", expr(value)),
        Test::Less(value) => format!("< {}", expr(value)),
        Test::LessOrEqual(value) => format!("<= {}", expr(value)),
        Test::Greater(value) => format!("> {}", expr(value)),
        Test::GreaterOrEqual(value) => format!(">= {}", expr(value)),
        Test::Between(low, high) => format!("between {} and {}", expr(low), expr(high)),
        Test::Contains(value) => format!("contains {}", expr(value)),
        Test::Matches(pattern) => format!("matches /{}/", pattern.source()),
        Test::MatchesText { pattern, .. } => format!("matches text {}", expr(pattern)),
        Test::Is(value) => format!("is {value}"),
        Test::Nothing => "nothing".into(),
        Test::Something => "something".into(),
        Test::Empty => "empty".into(),
        Test::NotEmpty => "not empty".into(),
        Test::Type(kind) => format!("type {kind:?}"),
        Test::Holds(operand) => format!("holds {}", expr(operand)),
        Test::Has(value) => format!("has {}", expr(value)),
        Test::Position { at, test: inner, .. } => format!("{} {}", expr(at), self::test(inner)),
        Test::All(tests) => list(tests.iter().map(self::test)),
        Test::Otherwise => "otherwise".into(),
        Test::Refuse(fault) => format!("refuse {}", fault.message),
    }
}

fn slot(slot: &Slot) -> String {
    let root = match &slot.root {
        Root::Message => "msg".to_owned(),
        Root::Cell(scope) => scope_name(scope),
    };
    root + &way(&slot.way)
}

fn way(of: &Way) -> String {
    let turn = |turn: &Turn| match turn {
        Turn::To(segment) => segments(&Path([segment.clone()].into())),
        Turn::By(inner) => format!("[msg{}]", way(inner)),
    };
    of.0.iter().map(turn).collect()
}

fn scope_name(scope: &Scope) -> String {
    match scope {
        Scope::Document => "document".into(),
        Scope::Section(id) => format!("section {id}"),
        Scope::Node(id) => format!("node {id}"),
    }
}

fn template(source: &TemplateSource) -> String {
    match source {
        TemplateSource::Ready(template) => pieces(&template.pieces),
        TemplateSource::Message(at) => format!("template {}", path(at)),
    }
}

fn pieces(of: &[Piece]) -> String {
    list(of.iter().map(|piece| match piece {
        Piece::Text(text) => format!("{text:?}"),
        Piece::Name { name, escaped } => format!("{name}{}", if *escaped { "" } else { " raw" }),
        Piece::Section { name, inverted, pieces: inner } => {
            format!("{}{name} {}", if *inverted { "no " } else { "each " }, pieces(inner))
        }
    }))
}

fn steps(steps: &[ShapeStep]) -> String {
    list(steps.iter().map(|step| match step {
        ShapeStep::Set(to, value) => format!("{} = {}", path(to), expr(value)),
        ShapeStep::Place { to, value, .. } => format!("{} := {}", path(to), expr(value)),
        ShapeStep::SetPresent(to, value) => format!("{} ?= {}", path(to), expr(value)),
        ShapeStep::Move(from, to) => format!("{} -> {}", path(from), path(to)),
        ShapeStep::Delete(at) => format!("delete {}", path(at)),
        ShapeStep::Replace(value) => format!("replace {}", literal(value)),
        ShapeStep::Drop => "drop".into(),
    }))
}

fn expr(value: &Expr) -> String {
    match value {
        Expr::Literal(value) => literal(value),
        Expr::Message(at) => path(at),
        Expr::Map(members) => {
            format!(
                "{{{}}}",
                members.iter().map(|(name, value)| format!("{name}: {}", expr(value))).collect::<Vec<_>>().join(", ")
            )
        }
        Expr::List(items) => list(items.iter().map(expr)),
        Expr::WithoutFirst { cut, of } => format!("{} without {cut:?}", expr(of)),
        Expr::Require { of, .. } => format!("{}!", expr(of)),
        Expr::Member { of, path: way } => format!("{}{}", expr(of), segments(way)),
        Expr::Truthy(of) => format!("truthy {}", expr(of)),
        Expr::Choose { present, then, otherwise } => {
            format!("({} ? {} : {})", expr(present), expr(then), expr(otherwise))
        }
        Expr::AfterScheme { schemes, of } => format!("{} after {}", expr(of), list(schemes.iter().map(expr))),
        Expr::Before { cut, of } => format!("{} before {cut:?}", expr(of)),
        Expr::UncheckedClaims(of) => format!("unchecked claims of {}", expr(of)),
        Expr::Now => "now".into(),
        Expr::NowDate => "now as date".into(),
        Expr::NowText => "now as text".into(),
        Expr::FreshId => "fresh id".into(),
        Expr::Slot(place) => slot(place),
        Expr::Raise(fault) => format!("raise {}", fault.message),
        Expr::Replaced { of, find, with, .. } => format!("{} with {} for {}", expr(of), expr(with), expr(find)),
        Expr::Rewritten { of, find, with } => format!("{} with {} for /{}/", expr(of), expr(with), find.source()),
        Expr::Rendered { template: source, .. } => format!("render {}", template(source)),
        Expr::Json { of, way, indent } => format!("json {way:?} {indent} {}", expr(of)),
        Expr::Applied { function, to } => {
            format!("{}({})", function.name, to.iter().map(expr).collect::<Vec<_>>().join(", "))
        }
        Expr::Evaluated { expression, input } => format!("expression {} of {}", expression.0, expr(input)),
        Expr::Event(field) => format!("event.{field:?}"),
        Expr::FreshUuid => "fresh uuid".into(),
    }
}

fn token(token: &TokenPlan) -> String {
    let header = list(token.header.iter().map(|member| match member {
        HeaderMember::Algorithm => format!("alg {}", token.algorithm),
        HeaderMember::Type(typ) => format!("typ {typ}"),
        HeaderMember::KeyId => "kid".into(),
        HeaderMember::KeyIdNamed(kid) => format!("kid={kid}"),
        HeaderMember::Constant(name, value) => format!("{name} {}", literal(value)),
    }));
    let claims = list(token.claims.iter().map(claim));
    let lifetime = lifetime(&token.lifetime);
    format!("header {header} claims {claims} lifetime {lifetime} key {}", key(&token.key))
}

fn claim(claim: &ClaimPlan) -> String {
    match claim {
        ClaimPlan::Constant(name, value) => format!("{name} = {}", literal(value)),
        ClaimPlan::From { name, value, .. } => format!("{name} = {}", expr(value)),
        ClaimPlan::Given { of, clash } => format!("all of {} ({clash:?})", expr(of)),
        ClaimPlan::IssuedAt => "iat".into(),
        ClaimPlan::Expires => "exp".into(),
    }
}

fn lifetime(lifetime: &Lifetime) -> String {
    match lifetime {
        Lifetime::Seconds(seconds) => format!("{seconds} s"),
        Lifetime::Until(epoch_secs) => format!("until {epoch_secs}"),
        Lifetime::Asked { by, otherwise_secs } => format!("{} or {otherwise_secs} s", expr(by)),
        Lifetime::Unbounded => "no end".into(),
    }
}

fn seal(plan: &SealPlan) -> String {
    let mut line = format!("claims {} lifetime {}", list(plan.claims.iter().map(claim)), lifetime(&plan.lifetime));
    for (name, layer) in [("signed", &plan.signature), ("encrypted", &plan.encryption)] {
        if let Some(layer) = layer {
            let _ = write!(line, " {name} {}", protection(layer));
        }
    }
    if plan.unsecured {
        line.push_str(" unsecured");
    }
    if !plan.prefix.is_empty() {
        let _ = write!(line, " behind {:?}", plan.prefix);
    }
    line
}

fn protection(layer: &Protection) -> String {
    let named = |name: &str, value: &Option<Expr>| value.as_ref().map(|value| format!(" {name} {}", expr(value)));
    let kid = match &layer.kid {
        KidFrom::Nowhere => String::new(),
        KidFrom::Key => " kid of the key".into(),
        KidFrom::Made => " kid of or from the key".into(),
        KidFrom::Text(text) => format!(" kid {}", expr(text)),
    };
    let also = layer.also.as_ref().map(|also| format!(" that is {}", key_from(also))).unwrap_or_default();
    let bits = layer.rsa_bits.map(|bits| format!(" of {bits:?}")).unwrap_or_default();
    let typed = if layer.header == HeaderForm::Typed { " typed" } else { "" };
    let algorithms = [named("alg", &layer.algorithm), named("enc", &layer.content)];
    let algorithms: String = algorithms.into_iter().flatten().collect();
    format!("with {}{also}{bits}{algorithms}{kid}{typed}", key_from(&layer.key))
}

fn known_at(known: Option<&Path>) -> String {
    known.map(|known| format!(" known at {}", path(known))).unwrap_or_default()
}

fn open(plan: &OpenPlan) -> String {
    let mut line = expr(&plan.token);
    let key = |key: &KeyFrom, also: &Option<KeyFrom>| {
        let also = also.as_ref().map(|also| format!(" that is {}", key_from(also))).unwrap_or_default();
        format!("{}{also}", key_from(key))
    };
    if let Some(layer) = &plan.decryption {
        let rows = layer.algorithms.map(|(alg, enc)| format!(" alg {} enc {}", alg.name, enc.name)).unwrap_or_default();
        let _ = write!(line, " decrypted with {}{rows}", key(&layer.key, &layer.also));
    }
    if let Some(layer) = &plan.verification {
        let row = layer.algorithm.map(|row| format!(" alg {}", row.name)).unwrap_or_default();
        let _ = write!(line, " verified with {}{row}", key(&layer.key, &layer.also));
    }
    for (claim, expected) in [("iss", &plan.issuer), ("aud", &plan.audience)] {
        let _ = match expected {
            Some(Expected::Matching(pattern)) => write!(line, " {claim} /{}/", pattern.source()),
            Some(Expected::Equal(value)) => write!(line, " {claim} {}", expr(value)),
            None => Ok(()),
        };
    }
    if !plan.required.is_empty() {
        let _ = write!(line, " with {}", list(plan.required.iter().map(ToString::to_string)));
    }
    if plan.times.leeway_secs > 0 {
        let _ = write!(line, " leeway {} s", plan.times.leeway_secs);
    }
    line
}

fn key_from(from: &KeyFrom) -> String {
    match from {
        KeyFrom::Given(name) => format!("given {name}"),
        KeyFrom::Secret(secret, form) => format!("secret {}.{}{}", secret.owner, secret.field, form_of(*form)),
        KeyFrom::Ring(name) => format!("ring {name}"),
        KeyFrom::Brought { of, form, .. } => format!("{}{}", expr(of), form_of(*form)),
    }
}

fn form_of(form: KeyForm) -> &'static str {
    match form {
        KeyForm::Jwk => "",
        KeyForm::JwkOrPem => " (JWK or PEM)",
        KeyForm::Public => " (public)",
        KeyForm::Octets => " (octets)",
    }
}

fn policy(policy: &VerifyPlan) -> String {
    let names = list(policy.algorithms.iter().map(|row| row.name.to_owned()));
    let times = &policy.times;
    let mut line = format!(
        "token {} algorithms {names} exp {} iat {} leeway {} s key {}",
        expr(&policy.token),
        if times.exp_required { "required" } else { "optional" },
        if times.iat_checked { "checked" } else { "ignored" },
        times.leeway_secs,
        key(&policy.key)
    );
    if let Some(audience) = &policy.audience {
        let _ = write!(line, " audience {audience}");
    }
    if let Some((claim, member)) = &policy.listed {
        let _ = write!(line, " {member} in {claim}");
    }
    if !policy.prepare.is_empty() {
        let _ = write!(line, " prepare {}", steps(&policy.prepare));
    }
    for (flaw, refused) in &policy.refused {
        let then = match &refused.then {
            AfterRefusal::Send(output) => format!("output {output}"),
            AfterRefusal::Raise(told) => format!("raise {}", expr(told)),
        };
        let _ = write!(line, "\n  {flaw:?} {} {then}", steps(&refused.dress));
    }
    line
}

fn key(key: &KeySource) -> String {
    match key {
        KeySource::Secret(secret) => format!("secret {}.{}", secret.owner, secret.field),
        KeySource::Given(name) => format!("given {name}"),
        KeySource::Variable(name) => format!("variable {name}"),
    }
}

fn path(path: &Path) -> String {
    format!("msg{}", segments(path))
}

fn segments(path: &Path) -> String {
    let mut out = String::new();
    for segment in path.0.iter() {
        let _ = match segment {
            Segment::Key(name) => write!(out, ".{name}"),
            Segment::Index(index) => write!(out, "[{index}]"),
        };
    }
    out
}

fn literal(value: &Value) -> String {
    let mut out = Vec::new();
    match write_json(&mut out, value) {
        Ok(true) => String::from_utf8_lossy(&out).into_owned(),
        Ok(false) => "undefined".into(),
        Err(_) => "unwritable".into(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
