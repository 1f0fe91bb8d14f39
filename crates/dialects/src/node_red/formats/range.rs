//! What the `range` node makes of a number.

use plan::ecmascript::number_of;
use plan::{Fault, FaultKind, Function, Number, Value};

/// The value (first argument) as a list of at most one map with the `value` that it is scaled to. The second argument is
/// the list of the input's ends and the output's ends; the third what is done beyond them; the fourth whether to round.
pub(in crate::node_red) const SCALE: Function = Function { name: "scale", run: scale };

fn scale(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, Value::List(ends), action, round] = arguments else { return Ok(Value::Undefined) };
    if value.is_undefined() {
        return Ok(Value::list(vec![Value::map::<&str>([])]));
    }
    let mut number = number_of(value);
    if number.is_nan() {
        return Err(Fault::new(FaultKind::ValueUnfit, "The value is not a number."));
    }
    let rounds = *round == Value::Bool(true);
    let Some([low, high, to_low, to_high]) = ordered(ends, rounds) else { return Ok(Value::Undefined) };
    match action.as_text() {
        Some("drop") if number < low || number > high => return Ok(Value::list(Vec::new())),
        Some("clamp") => {
            number = if number < low { low } else { number };
            number = if number > high { high } else { number };
        }
        Some("roll") => {
            let span = high - low;
            number = ((number - low) % span + span) % span + low;
        }
        Some(_) | None => {}
    }
    let scaled = (number - low) / (high - low) * (to_high - to_low) + to_low;
    // ECMAScript rounds a half up, whatever its sign.
    let scaled = if rounds { (scaled + 0.5).floor() } else { scaled };
    Ok(Value::list(vec![Value::map([("value", Value::Number(Number::Float(scaled)))])]))
}

/// The four ends, those of the input ascending; the output's are drawn in to whole numbers if it is rounded.
fn ordered(ends: &[Value], rounds: bool) -> Option<[f64; 4]> {
    let [low, high, to_low, to_high] = ends else { return None };
    let [mut low, mut high, mut to_low, mut to_high] = [low, high, to_low, to_high].map(number_of);
    if low > high {
        (low, high, to_low, to_high) = (high, low, to_high, to_low);
    }
    if rounds {
        (to_low, to_high) = (to_low.ceil(), to_high.floor());
    }
    Some([low, high, to_low, to_high])
}
