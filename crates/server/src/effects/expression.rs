//! Expressions: evaluated in a worker process, their functions answered here on the way.

use dialects::node_red::variable_path;
use plan::{Answer, Cells, ExpressionFunction, ExpressionIx, ExpressionPlan, Fault, ScriptEvent, Text, Value};
use sandbox::{Conversation, Question, Said};

use super::Begun;
use crate::deployment::LiveDocument;
use crate::variables::Variables;

/// Begins an evaluation for this input.
pub(crate) fn evaluate(live: &LiveDocument, expression: ExpressionIx, input: &Value, cells: &Cells) -> Begun {
    let plan = live.flow().expressions[expression.0 as usize].clone();
    let conversation = live.pool().evaluate(&plan, input, cells);
    let variables = live.variables().clone();
    Begun::Later(Box::pin(async move {
        outcome(conversation, &plan, &variables).await.map_or_else(Answer::Failed, Answer::Value)
    }))
}

async fn outcome(mut conversation: Conversation, plan: &ExpressionPlan, variables: &Variables) -> Result<Value, Fault> {
    let mut outcome = Ok(Value::Undefined);
    loop {
        match conversation.next().await {
            Said::Event(ScriptEvent::Rest) => return outcome,
            Said::Event(ScriptEvent::Send(outputs)) => {
                outcome = Ok(outputs.into_iter().flatten().next().unwrap_or_default());
            }
            Said::Event(ScriptEvent::Fault { fault, .. }) => {
                let message = format!("{}{}", plan.complaint, fault.message).as_str().into();
                outcome = Err(Fault { message, code: plan.code.clone().or(fault.code), ..fault });
            }
            // A worker says nothing else of an expression.
            Said::Event(
                ScriptEvent::Log { .. } | ScriptEvent::Status(_) | ScriptEvent::Cell { .. } | ScriptEvent::Done(_),
            )
            | Said::Wish { .. }
            | Said::Paused => {}
            Said::Question(question) => conversation.answer(answer(plan, variables, question)),
        }
    }
}

fn answer(plan: &ExpressionPlan, variables: &Variables, question: Question) -> Result<Value, Text> {
    let Question::Call { function, arguments } = question else {
        return Err("an expression asks for nothing but its functions".into());
    };
    let known = plan.functions.iter().find(|(name, _)| *name == function).map(|(_, function)| function);
    let argument = arguments.into_iter().next().unwrap_or_default();
    match known {
        Some(ExpressionFunction::Variable(scope)) => {
            let path = argument.as_text().and_then(variable_path).ok_or("the key of a variable is a path")?;
            Ok(variables.read(scope, &path))
        }
        Some(ExpressionFunction::Constant(known)) => {
            let member = known.as_map().zip(argument.as_text()).and_then(|(map, name)| map.get(name));
            Ok(member.cloned().unwrap_or_else(|| Value::text("")))
        }
        Some(ExpressionFunction::Same) => Ok(argument),
        Some(ExpressionFunction::Refused(why)) => Err(why.clone()),
        None => Err("there is no such function".into()),
    }
}
