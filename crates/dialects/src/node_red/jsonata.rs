//! Expressions in JSONata, with the functions that Node-RED gives them (section 13).

use plan::{Expr, ExpressionFunction, ExpressionPlan, Path, Scope, Text, Value};

use super::lower::{Live, Lowering};
use super::typed::value_of;

/// Time of one evaluation.
const CPU_MS: u32 = 1_000;
/// How faults of expressions begin.
const COMPLAINT: &str = "Invalid JSONata expression: ";

/// What the expression makes of the message.
pub(super) fn expr(lowering: &mut Lowering<'_>, live: &Live, source: &str) -> Expr {
    let expression = ExpressionPlan {
        origin: live.origin,
        prelude: Text::default(),
        source: source.into(),
        functions: functions(lowering, live, source).into(),
        cpu_ms: CPU_MS,
        complaint: COMPLAINT.into(),
        code: None,
    };
    let message = Expr::Message(Path::default());
    let input = if names_msg(source) { Expr::Map(vec![("msg".into(), message)]) } else { message };
    Expr::Evaluated { expression: lowering.add_expression(expression), input: Box::new(input) }
}

fn functions(lowering: &Lowering<'_>, live: &Live, source: &str) -> Vec<(Text, ExpressionFunction)> {
    let section = Scope::Section(live.node.section.clone());
    let no_moment = "$moment is not served here; $now, $millis, $fromMillis and $toMillis are";
    // The variables come along only if the expression may ask for one.
    let known = if source.contains("$env") { lowering.variables(&live.node) } else { Default::default() };
    let env = Value::map(known.iter().map(|(name, value)| (name.as_str(), value_of(value))));
    let functions = [
        ("flowContext", ExpressionFunction::Variable(section)),
        ("globalContext", ExpressionFunction::Variable(Scope::Document)),
        ("env", ExpressionFunction::Constant(env)),
        ("clone", ExpressionFunction::Same),
        ("moment", ExpressionFunction::Refused(no_moment.into())),
    ];
    functions.into_iter().map(|(name, function)| (name.into(), function)).collect()
}

/// Whether the expression speaks of `msg` by itself: then that is the message, as it was in Node-RED's first years.
fn names_msg(source: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '\'' | '"');
    source.match_indices("msg").any(|(at, found)| {
        let before = source[..at].chars().next_back();
        let behind = source[at + found.len()..].chars().next();
        !before.is_some_and(|c| joins(c) || c == '.') && !behind.is_some_and(joins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_msg_by_itself_is_the_message() {
        for source in ["msg", "msg.payload", "1+msg.a", "(msg)", "payload & msg.topic"] {
            assert!(names_msg(source), "{source}");
        }
        for source in ["payload", "a.msg", "msgs", "_msg", "\"msg\"", "'msg'", "msg_id"] {
            assert!(!names_msg(source), "{source}");
        }
    }
}
