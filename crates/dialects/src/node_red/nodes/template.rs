//! `template`: fills a mustache template in (section 13).

use plan::{Edit, Expr, Map, Op, Path, Scope, Template, TemplateSource, Text, Value};

use super::{Lower, NodeType};
use crate::node_red::formats::yaml;
use crate::node_red::lower::{Live, Lowering};
use crate::node_red::syntax::Node;
use crate::node_red::typed::{self, Unfit};
use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// What names of variables of the environment begin with.
const ENVIRONMENT: &str = "env";

pub(super) static TYPE: NodeType = NodeType {
    spec: NodeSpec {
        kind: "template",
        category: "function",
        colour: "#f3b567",
        summary: "Sets a property to a filled-in template.",
        inputs: 1,
        outputs: Outputs::Labelled(&["message"]),
        fields: &[
            FieldSpec::NAME,
            FieldSpec::text("field", "Property", "Where the result goes.", "payload"),
            FieldSpec::new(
                "syntax",
                "Format",
                "Whether the template is mustache or stays as it is.",
                FieldKind::Choice(&[("mustache", "Mustache template"), ("plain", "Plain text")]),
            ),
            FieldSpec::text("template", "Template", "The template; left empty, `msg.template`.", ""),
            FieldSpec::new(
                "output",
                "Output as",
                "What the result is read as.",
                FieldKind::Choice(&[("str", "Plain text"), ("json", "Parsed JSON"), ("yaml", "Parsed YAML")]),
            ),
        ],
    },
    lower: Lower::Op(lower),
};

fn lower(lowering: &mut Lowering<'_>, live: &Live) -> Op {
    let node = &live.node;
    let or = |name, usual| Some(node.text(name)).filter(|text: &&str| !text.is_empty()).unwrap_or(usual);
    let place = typed::slot(node, or("fieldType", "msg"), or("field", "payload"));
    let edit = place.map_err(|unfit| (unfit, "field")).and_then(|to| Ok(Edit { to, value: value(lowering, node)? }));
    match edit {
        Ok(edit) => Op::Edit(vec![edit]),
        Err((unfit, property)) => Op::Raise(*unfit.tell(lowering, node, property)),
    }
}

fn value(lowering: &Lowering<'_>, node: &Node) -> Result<Expr, (Unfit, &'static str)> {
    let is_json = node.text("output") == "json";
    let source = source(node).map_err(|unfit| (unfit, "template"))?;
    let rendered = Expr::Rendered {
        constants: environment(lowering, node, &source),
        template: source,
        variables: vec![("flow".into(), Scope::Section(node.section.clone())), ("global".into(), Scope::Document)],
        json_texts: is_json,
    };
    match node.text("output") {
        "json" => Ok(Expr::Json { of: Box::new(rendered), way: plan::JsonWay::Read, indent: 0 }),
        "yaml" => Ok(Expr::Applied { function: yaml::READ, to: vec![rendered] }),
        _ => Ok(rendered),
    }
}

fn source(node: &Node) -> Result<TemplateSource, Unfit> {
    let text = node.text("template");
    let plain = node.text("syntax") == "plain";
    let parse = |text: &str| {
        let unfit =
            |error| Unfit { code: "template_invalid", message: format!("The template cannot be filled in: {error}.") };
        Template::parse(text).map(TemplateSource::Ready).map_err(unfit)
    };
    match (text.is_empty(), plain) {
        (true, true) => parse("{{{template}}}"),
        (true, false) => Ok(TemplateSource::Message(Path::keys(["template"]))),
        (false, true) => Ok(TemplateSource::Ready(Template::plain(text))),
        (false, false) => parse(text),
    }
}

/// The variables of the environment that the template may name.
fn environment(lowering: &Lowering<'_>, node: &Node, source: &TemplateSource) -> Value {
    let named = |name: &str| match source {
        TemplateSource::Ready(template) => template
            .names()
            .iter()
            .any(|of| of.strip_prefix(ENVIRONMENT).and_then(|rest| rest.strip_prefix('.')) == Some(name)),
        TemplateSource::Message(_) => true,
    };
    let variables = lowering.variables(node).into_iter().filter(|(name, _)| named(name));
    let members: Map = variables.map(|(name, value)| (Text::from(name), typed::value_of(&value))).collect();
    Value::map([(ENVIRONMENT, members.into())])
}
