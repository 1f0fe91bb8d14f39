//! A reply that nobody waits for.

use plan::{Flow, LogLevel, Text, Value};

use crate::work::{Delivery, Told, Work};

/// Nothing was handed out: that is only worth a warning.
pub(crate) fn declined(flow: &Flow, work: &mut Work, delivery: Delivery, text: Text) {
    work.told.push_back(Told::Log { node: delivery.to, level: LogLevel::Warn, value: Value::Text(text) });
    work.done(flow, delivery);
}
