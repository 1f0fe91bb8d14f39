//! Expressions in JSONata, evaluated without a realm: data in, data out, and functions that the server answers.

use std::rc::Rc;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use plan::{Fault, FaultKind, Map, Number, ScriptEvent, Text, Unencodable, Value};

use super::channel::Channel;
use super::convert::number_of;
use crate::frame::{Expression, FRAME_VALUES_MAX, VALUE_DEPTH_MAX};
use crate::speech::{Part, Question, SyntaxFault};

/// How deep an evaluation may nest; a call of a function of the expression's own takes three levels.
const EXPRESSION_DEPTH_MAX: usize = 3_000;
/// Values that a sequence within an evaluation may have.
const SEQUENCE_MAX: usize = 500_000;
/// The mark of octets, which an expression can pass on but not look into.
const OCTETS: &str = "\u{0}octets";

/// Evaluates something small, so that what the evaluator asks of the kernel once is asked before the wall stands.
pub(super) fn warm_up() {
    if let Ok(expression) = parser::parse("$length(\"x\") + 1") {
        let _two = Evaluator::new().evaluate(&expression, &JValue::Null);
    }
}

/// Whether the text is an expression.
pub(super) fn check(source: &str) -> Result<(), SyntaxFault> {
    let told =
        |error: parser::ParserError| SyntaxFault { part: Part::Source, line: 1, message: plain(&error.to_string()) };
    parser::parse(source).map(|_| ()).map_err(told)
}

/// Evaluates the expression and says its value as the one message of the call, or the fault.
pub(super) fn evaluate(channel: &Rc<Channel>, call: u64, expression: &Expression, input: &Value, cells: &[Value]) {
    let event = match value_of(channel, call, expression, input, cells) {
        Ok(value) => ScriptEvent::Send(vec![vec![value]]),
        Err(fault) => ScriptEvent::Fault { fault, message: None },
    };
    channel.say(call, event);
    channel.say(call, ScriptEvent::Rest);
}

fn value_of(
    channel: &Rc<Channel>,
    call: u64,
    expression: &Expression,
    input: &Value,
    cells: &[Value],
) -> Result<Value, Fault> {
    let failed = |why: &str| Fault::new(FaultKind::Script, plain(why));
    let mut passing = Passing { cells, octets: Vec::new() };
    let input = passing.enter(input);
    let parsed = parser::parse(&expression.source).map_err(|error| failed(&error.to_string()))?;
    let options = EvaluatorOptions {
        timeout_ms: Some(u64::from(expression.cpu_ms)),
        max_stack_depth: Some(EXPRESSION_DEPTH_MAX),
        max_sequence_length: Some(SEQUENCE_MAX),
        ..EvaluatorOptions::default()
    };
    let mut evaluator = Evaluator::with_options(Context::new(), options);
    let known = give(&mut evaluator, channel, call, &expression.functions);
    known.map_err(|error| failed(error.message()))?;
    match evaluator.evaluate(&parsed, &input) {
        Ok(value) => passing.leave(&value),
        Err(error) if error.code() == Some("D1012") => {
            let text = format!("the expression used up its time of {} ms", expression.cpu_ms);
            Err(Fault::new(FaultKind::ScriptTimeout, text))
        }
        Err(error) => Err(failed(error.message())),
    }
}

/// Gives the evaluator `$random`, and the functions that whoever drives the call answers.
fn give(evaluator: &mut Evaluator, channel: &Rc<Channel>, call: u64, functions: &[Text]) -> Result<(), EvaluatorError> {
    evaluator.register_fn_override("random", |_: &[JValue]| Ok(JValue::from(random())))?;
    for name in functions {
        let (channel, function) = (channel.clone(), name.clone());
        evaluator.register_fn(&**name, move |arguments: &[JValue]| {
            let mut passing = Passing { cells: &[], octets: Vec::new() };
            let arguments = arguments.iter().map(|argument| passing.leave(argument)).collect::<Result<_, _>>();
            let arguments = arguments.map_err(|fault| EvaluatorError::EvaluationError(fault.message.to_string()))?;
            let question = Question::Call { function: function.clone(), arguments };
            match channel.ask(call, question) {
                Some(Ok(value)) => Ok(passing.enter(&value)),
                Some(Err(why)) => Err(EvaluatorError::EvaluationError(why.to_string())),
                // The server hung up in the middle of a turn: nothing that this process does matters any more.
                None => std::process::exit(1),
            }
        })?;
    }
    Ok(())
}

/// A number from 0 up to and without 1, with as many random bits as a double has.
fn random() -> f64 {
    let bits = getrandom::u64().unwrap_or_default() >> 11;
    bits as f64 / (1u64 << 53) as f64
}

/// A text of the evaluator without the code that stands before it.
fn plain(message: &str) -> Text {
    let behind =
        message.split_once(": ").filter(|(code, _)| code.len() == 5 && code.ends_with(|c: char| c.is_ascii_digit()));
    behind.map_or(message, |(_, behind)| behind).into()
}

/// Values on their way into an evaluation and out of it.
struct Passing<'c> {
    cells: &'c [Value],
    octets: Vec<Value>,
}

impl Passing<'_> {
    fn enter(&mut self, value: &Value) -> JValue {
        match value {
            Value::Undefined | Value::Unencodable(_) => JValue::Undefined,
            Value::Null => JValue::Null,
            Value::Bool(truth) => JValue::from(*truth),
            Value::Number(Number::Integer(integer)) => JValue::from(*integer as f64),
            Value::Number(Number::Float(float)) => JValue::from(*float),
            Value::Number(Number::Literal(literal)) => JValue::from(literal.parse().unwrap_or(f64::NAN)),
            Value::Text(text) => JValue::from(&**text),
            Value::Date(date) => date.to_iso_text().map_or(JValue::Null, JValue::from),
            Value::Bytes(_) => {
                let place = self.octets.len();
                self.octets.push(value.clone());
                JValue::object([(OCTETS.to_owned(), JValue::from(place))].into_iter().collect())
            }
            Value::List(items) => JValue::array(items.iter().map(|item| self.enter(item)).collect()),
            Value::Map(map) => {
                JValue::object(map.iter().map(|(name, member)| (name.to_string(), self.enter(member))).collect())
            }
            Value::Handle(handle) => {
                let cell = self.cells.get(handle.0 as usize).unwrap_or(&Value::Undefined);
                // A cell may lead to others; a second step has never been needed and could lead in a circle.
                Passing { cells: &[], octets: std::mem::take(&mut self.octets) }.enter_for(cell, self)
            }
        }
    }

    fn enter_for(mut self, cell: &Value, of: &mut Passing<'_>) -> JValue {
        let entered = self.enter(cell);
        of.octets = self.octets;
        entered
    }

    fn leave(&self, value: &JValue) -> Result<Value, Fault> {
        let mut room = FRAME_VALUES_MAX;
        self.leave_within(value, VALUE_DEPTH_MAX, &mut room)
    }

    fn leave_within(&self, value: &JValue, levels: u32, room: &mut u32) -> Result<Value, Fault> {
        let too_much = || Fault::new(FaultKind::Script, "The value of the expression is too deep or too large.");
        *room = room.checked_sub(1).ok_or_else(too_much)?;
        Ok(match value {
            JValue::Null => Value::Null,
            JValue::Bool(truth) => Value::Bool(*truth),
            JValue::Number(number) => Value::Number(number_of(*number)),
            JValue::String(text) => Value::text(text),
            JValue::Undefined => Value::Undefined,
            JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => {
                Value::Unencodable(Unencodable::Function)
            }
            JValue::Array(items) => {
                let levels = levels.checked_sub(1).ok_or_else(too_much)?;
                let items = items.iter().map(|item| self.leave_within(item, levels, room));
                Value::list(items.collect::<Result<_, _>>()?)
            }
            JValue::Object(map) => {
                if let Some(octets) =
                    map.get(OCTETS).and_then(JValue::as_f64).and_then(|at| self.octets.get(at as usize))
                {
                    return Ok(octets.clone());
                }
                let levels = levels.checked_sub(1).ok_or_else(too_much)?;
                let members = map
                    .iter()
                    .map(|(name, member)| Ok((Text::from(name.as_str()), self.leave_within(member, levels, room)?)));
                members.collect::<Result<Map, Fault>>()?.into()
            }
        })
    }
}
