//! `jwt-generator`: the token node of orchestration flows, for those who mix; its configuration stands in `config`.

use jose::json::Value as Json;
use plan::{Fault, FaultKind, Op, Severity};

use super::{Lower, NodeType};
use crate::node_red::chains::Behind;
use crate::node_red::lower::{Live, Lowering};
use crate::token_form::{self, Form, GENERATOR, Generator, Keeping, LABEL, Ops, Spot, Told, Who};

pub(super) const TYPE: NodeType = NodeType { spec: GENERATOR, lower: Lower::Chain(lower) };

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> (Op, Option<Behind>) {
    let node = &live.node;
    let name = if node.name.is_empty() { LABEL.into() } else { node.name.clone() };
    let who = Who { node: node.id.clone(), label: LABEL, name };
    let (told, none) = (Told::default(), jose::json::Object::new());
    let config = node.get("config").and_then(Json::as_object).unwrap_or(&none);
    let keeping = Keeping::new(&node.id, &node.id);
    let generator = Generator::read(Form::new(config, Spot::root(), &told), &keeping);
    let found = keeping.into_found();
    for inline in &found {
        let message = format!("Key material stands in the flow, at `{}` of `config`.", inline.pointer);
        let hint = format!("Put it into the node's credentials as `{}`.", inline.secret.field);
        lowering.tell(Severity::Stopped, "secret_in_flow", node.spot_of("config"), message, &hint);
    }
    let mut is_broken = !found.is_empty();
    for told in told.into_inner() {
        is_broken |= told.severity == Severity::Error;
        let severity = if told.severity == Severity::Error { Severity::Stopped } else { told.severity };
        let message = format!("{} (at `{}` of `config`)", told.message, told.place.pointer);
        lowering.tell(severity, told.code, node.spot_of("config"), message, &told.hint);
    }
    let Some(generator) = generator.filter(|_| !is_broken) else {
        let fault = Fault::new(FaultKind::Configuration, "The configuration of the node is refused.");
        return (Op::Raise(fault), None);
    };
    generator.secrets().for_each(|secret| lowering.need_secret(secret));
    let Ops { prepare, token, save } = generator.ops(&who);
    (prepare, Some(Behind { ops: [token, save], failed: token_form::failure(&who) }))
}
