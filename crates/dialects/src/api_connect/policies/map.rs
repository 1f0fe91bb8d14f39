//! `map`: outputs built of members of inputs (section 10). Scripts, lists of sources and loops do not run here.

use std::collections::BTreeMap;

use plan::{Expr, Fault, NodeIx, Op, Path, Segment, Severity, ShapeStep, Value};

use crate::api_connect::lower::{Lowering, Step, fault};
use crate::api_connect::name::path;
use crate::api_connect::tree::{Cursor, NodeKind};
use crate::api_connect::values::property_error;

/// Members of an action that do not run here.
const UNSUPPORTED: [&str; 3] = ["value", "foreach", "actions"];

/// What an output is built of.
#[derive(Default)]
struct Tree {
    value: Option<Expr>,
    members: Vec<(String, Tree)>,
}

pub(super) fn lower(lowering: &mut Lowering<'_>, step: &Step<'_>, next: NodeIx) -> NodeIx {
    lowering.tell_unknown(step, &["title", "description", "version", "inputs", "outputs", "actions", "options"]);
    let (inputs, outputs) = (variables(&step.block, "inputs"), variables(&step.block, "outputs"));
    let mut built: BTreeMap<&str, Tree> = outputs.keys().map(|name| (name.as_str(), Tree::default())).collect();
    for action in step.block.get("actions").map(|actions| actions.items()).unwrap_or_default() {
        let taken = action_of(&action, &inputs).and_then(|(to, value)| {
            let (root, rest) = to.split_once('.').unwrap_or((&to, ""));
            let tree = built.get_mut(root).ok_or_else(|| format!("no output is called `{root}`"))?;
            tree.put(rest, value);
            Ok(())
        });
        if let Err(why) = taken {
            return unsupported(lowering, step, &action, &why, next);
        }
    }
    let mut steps = Vec::new();
    for (name, tree) in built {
        let output = &outputs[name];
        let otherwise = Box::new(property_error("the output stands below a variable that holds a value of its own"));
        steps.push(ShapeStep::Place {
            to: output.variable.clone(),
            value: tree.into_expr(),
            otherwise: otherwise.clone(),
        });
        if output.variable == path("message.body") {
            let to = path("message.headers.content-type");
            steps.push(ShapeStep::Place { to, value: Expr::Literal(Value::text(&output.content)), otherwise });
        }
    }
    lowering.step(step, Op::Assign(steps), next)
}

/// An input or an output.
struct Variable {
    variable: Path,
    content: String,
}

/// The inputs or outputs by their names.
fn variables(block: &Cursor<'_>, member: &str) -> BTreeMap<String, Variable> {
    let listed = block.get(member);
    let read = |(name, one): (&str, Cursor<'_>)| {
        let variable = path(&one.text("variable").unwrap_or_else(|| "message.body".to_owned()));
        let content = one.text("content").unwrap_or_else(|| "application/json".to_owned());
        (name.to_owned(), Variable { variable, content })
    };
    listed.iter().flat_map(Cursor::members).map(read).collect()
}

/// Where an action writes, and what.
fn action_of(action: &Cursor<'_>, inputs: &BTreeMap<String, Variable>) -> Result<(String, Expr), String> {
    if let Some(name) = UNSUPPORTED.into_iter().find(|name| action.get(name).is_some()) {
        return Err(format!("`{name}` does not run here"));
    }
    let to = action.text("set").or_else(|| action.text("create")).ok_or("it has neither `set` nor `create`")?;
    let default = action.get("default").map(|default| default.node.value());
    let from = match action.get("from") {
        None => None,
        Some(from) => Some(match (&from.node.kind, from.items().as_slice()) {
            (NodeKind::List(_), [one]) => one.node.scalar_text().unwrap_or_default(),
            (NodeKind::List(_), _) => {
                return Err("a list of sources needs a script, which does not run here".to_owned());
            }
            _ => from.node.scalar_text().unwrap_or_default(),
        }),
    };
    let Some(from) = from else { return Ok((to, Expr::Literal(default.unwrap_or_default()))) };
    let (root, rest) = from.split_once('.').unwrap_or((&from, ""));
    let input = inputs.get(root).ok_or_else(|| format!("no input is called `{root}`"))?;
    let way = path(rest).0.iter().cloned().collect::<Vec<Segment>>();
    let read = Expr::Message(Path(input.variable.0.iter().cloned().chain(way).collect()));
    let value = match default {
        None => read,
        Some(default) => Expr::Choose {
            present: Box::new(read.clone()),
            then: Box::new(read),
            otherwise: Box::new(Expr::Literal(default)),
        },
    };
    Ok((to, value))
}

impl Tree {
    /// Puts a value at a way of names with dots between them; empty for the place itself.
    fn put(&mut self, way: &str, value: Expr) {
        if way.is_empty() {
            self.value = Some(value);
            return;
        }
        let (name, rest) = way.split_once('.').unwrap_or((way, ""));
        let at = self.members.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.members.push((name.to_owned(), Self::default()));
            self.members.len() - 1
        });
        self.members[at].1.put(rest, value);
    }

    /// The value that was put there, or a map of what was put below.
    fn into_expr(self) -> Expr {
        match self.value {
            Some(value) if self.members.is_empty() => value,
            Some(_) | None => Expr::Map(
                self.members.into_iter().map(|(name, tree)| (name.as_str().into(), tree.into_expr())).collect(),
            ),
        }
    }
}

/// A map with an action that does not run: reaching it is an error, and the deploy says which action it is.
fn unsupported(lowering: &mut Lowering<'_>, step: &Step<'_>, at: &Cursor<'_>, why: &str, next: NodeIx) -> NodeIx {
    let message = format!("An action of `map` is not supported: {why}; a request that reaches the policy fails.");
    let hint = "Build the output in a gatewayscript.";
    lowering.tell(Severity::Stopped, "policy_unsupported", (at, step.kind), message, hint);
    let information = "An action of the policy map is not supported.";
    let fault: Fault = fault("RuntimeError", information, (501, "Not Implemented"), information);
    lowering.step(step, Op::Raise(fault), next)
}
