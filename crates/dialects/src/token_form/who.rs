//! Who fails: the node as its faults name it.

use plan::{Fault, FaultKind, Text, Value};

/// A node, as its faults and its author know it.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// The author's id.
    pub(crate) node: Text,
    /// What its type is called on the canvas.
    pub(crate) label: &'static str,
    /// The author's name of it.
    pub(crate) name: Text,
}

impl Who {
    /// `JWT - Generator "its name": `
    pub(crate) fn prefix(&self) -> String {
        format!("{} \"{}\": ", self.label, self.name)
    }

    /// A fault of one of its fields, in words that stand behind its name.
    pub(crate) fn fault(&self, kind: FaultKind, code: &str, field: &str, message: &str) -> Fault {
        let message = format!("{}{message}", self.prefix());
        Fault { thrown: thrown(code, Value::text(field)), ..Fault::new(kind, message).with_code(code) }
    }

    /// The same node as an argument of a function.
    pub(crate) fn value(&self, field: &str) -> Value {
        Value::map([("prefix", Value::text(self.prefix())), ("field", Value::text(field))])
    }
}

/// A fault of the node and field that [`Who::value`] names.
pub(crate) fn fault_of(who: &Value, kind: FaultKind, code: &str, message: &str) -> Fault {
    let member = |name: &str| who.as_map().and_then(|map| map.get(name)).cloned().unwrap_or_default();
    let message = format!("{}{message}", member("prefix").as_text().unwrap_or_default());
    Fault { thrown: thrown(code, member("field")), ..Fault::new(kind, message).with_code(code) }
}

/// What `flow.error` needs of a fault beside its words.
fn thrown(code: &str, field: Value) -> Value {
    Value::map([("code", Value::text(code)), ("field", field)])
}
