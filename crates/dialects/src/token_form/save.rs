//! Save in the Flow store (contract section 5): what of a node's result goes into which variable, and who may read it.

use plan::{Expr, Map, Op, Path, Segment, ShapeStep, Text, Value};

use super::WORK;
use super::attributes::SAVED;
use super::form::Form;
use super::who::Who;

/// The member of the message that names the variables a front end may read; no variable may have its name.
pub(crate) const FRONTEND: &str = ".frontend";
const VARIABLE_CHARS_MAX: usize = 64;
/// Names that the flow itself fills.
const RESERVED: [&str; 3] = ["flow", "user", "env"];

/// What is saved, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Save {
    /// Which attributes.
    pub(crate) attributes: Vec<&'static str>,
    /// The variable.
    pub(crate) variable: Text,
    /// Whether a front end may read it.
    pub(crate) frontend: bool,
}

impl Save {
    /// Reads `save`; every attribute is one of these.
    pub(crate) fn read(
        config: &mut Form<'_>,
        known: &'static [&'static str],
        usual: &[&'static str],
        variable: &'static str,
    ) -> Self {
        let mut save = Self { attributes: usual.to_vec(), variable: variable.into(), frontend: false };
        let Some(mut form) = config.object("save") else { return save };
        if form.has("attributes") {
            save.attributes = attributes(&mut form, known);
        }
        save.variable = variable_of(&mut form, "variable", variable);
        save.frontend = form.flag("frontend", false);
        form.close();
        save
    }

    /// Saves the token that the node has made or opened, and takes away what was being worked out.
    pub(crate) fn op(&self, who: &Who) -> Op {
        let wanted = Expr::Literal(Value::list(self.attributes.iter().map(Value::text).collect()));
        let at = |name: &str| Expr::Message(Path::keys([WORK, name]));
        let to = vec![at("token"), at("known"), wanted, Expr::Literal(who.value("save"))];
        let mut steps = self.steps(Expr::Applied { function: SAVED, to });
        steps.push(ShapeStep::Delete(Path::keys([WORK])));
        Op::Assign(steps)
    }

    /// Writes those of these attributes that are chosen into the variable of a message.
    pub(crate) fn write(&self, message: &mut Value, all: &Map) {
        let chosen = self.attributes.iter().filter_map(|name| Some((*name, all.get(name)?.clone())));
        let Value::Map(variables) = message else { return };
        let variables = std::sync::Arc::make_mut(variables);
        variables.insert(self.variable.clone(), Value::map(chosen));
        let mut readable = variables.get(FRONTEND).and_then(Value::as_map).cloned().unwrap_or_default();
        if self.frontend {
            readable.insert(self.variable.clone(), Value::Bool(true));
        } else {
            let _ = readable.remove(&self.variable);
        }
        variables.insert(FRONTEND.into(), readable.into());
    }

    /// Writes the value into the variable, in the place of all that stood there.
    pub(crate) fn steps(&self, value: Expr) -> Vec<ShapeStep> {
        let path = |names: &[&str]| Path(names.iter().map(|name| Segment::Key((*name).into())).collect());
        let mark = path(&[FRONTEND, &self.variable]);
        let readable = match self.frontend {
            true => ShapeStep::Set(mark, Expr::Literal(Value::Bool(true))),
            false => ShapeStep::Delete(mark),
        };
        vec![ShapeStep::Set(path(&[&self.variable]), value), readable]
    }
}

/// Reads `variable` and `frontend` of a node that saves one value; gives the steps that do.
pub(crate) fn saved_in(config: &mut Form<'_>, usual: &'static str, value: Expr) -> Vec<ShapeStep> {
    let variable = variable_of(config, "variable", usual);
    let frontend = config.flag("frontend", false);
    Save { attributes: Vec::new(), variable, frontend }.steps(value)
}

/// The name of a variable.
fn variable_of(form: &mut Form<'_>, member: &'static str, usual: &'static str) -> Text {
    let name = form.text(member).unwrap_or(usual);
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"{}[].".contains(c);
    if !(1..=VARIABLE_CHARS_MAX).contains(&name.chars().count())
        || !name.chars().all(is_plain)
        || RESERVED.contains(&name)
    {
        let message = format!(
            "`{name}` is no name of a variable: it has 1 to {VARIABLE_CHARS_MAX} characters without blanks, \
                               dots and brackets, and is none of `{}`.",
            RESERVED.join("`, `")
        );
        form.told().refuse("value_illegal", &form.at(member), message, "Choose another name.");
    }
    name.into()
}

fn attributes(form: &mut Form<'_>, known: &'static [&'static str]) -> Vec<&'static str> {
    let mut chosen = Vec::new();
    for (item, at) in form.list("attributes", known.len()) {
        match known.iter().copied().find(|name| item.as_text() == Some(name)) {
            Some(name) if !chosen.contains(&name) => chosen.push(name),
            Some(name) => form.told().refuse("value_illegal", &at, format!("`{name}` is chosen twice."), "Keep one."),
            None => {
                let hint = format!("Choose among `{}`.", known.join("`, `"));
                form.told().refuse("value_illegal", &at, "There is no such attribute.", &hint);
            }
        }
    }
    if chosen.is_empty() {
        form.told().refuse("value_illegal", &form.at("attributes"), "No attribute is chosen.", "Choose one or more.");
    }
    chosen
}
