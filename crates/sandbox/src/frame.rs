//! Length-prefixed frames between the server and its workers, read as if a hostile worker had written them.
//!
//! A frame is its length in octets (four octets, little-endian) and its body. Bodies are self-delimiting: a tag, then
//! what that tag promises, lengths before contents. A reader never reserves more than the octets it holds could fill.

mod codec;
#[cfg(test)]
mod tests;
mod value;

use plan::{ScriptEvent, Text, Value};

use crate::speech::{Question, SyntaxFault};

/// The most octets a frame may have (security contract, section 5): the largest body that is let in, twice, since it stands
/// in the message and in the request, and room for the rest.
pub const SCRIPT_FRAME_BYTES_MAX: usize = 12 << 20;
/// How deep lists and maps may stand in each other.
pub const VALUE_DEPTH_MAX: u32 = 200;
/// How many values a frame may hold: an octet a value would else grow thirtyfold in memory.
pub const FRAME_VALUES_MAX: u32 = 500_000;

/// The octets of a frame's length.
const PREFIX_BYTES: usize = 4;

/// A frame that cannot be written or was not written by an honest worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// More octets than [`SCRIPT_FRAME_BYTES_MAX`].
    #[error("it is larger than 12 MiB")]
    TooLarge,
    /// Deeper than [`VALUE_DEPTH_MAX`].
    #[error("its lists and maps stand more than {VALUE_DEPTH_MAX} deep in each other")]
    TooDeep,
    /// More values than [`FRAME_VALUES_MAX`].
    #[error("it holds more than {FRAME_VALUES_MAX} values")]
    TooMany,
    /// It ends before its content does.
    #[error("it ends too early")]
    Short,
    /// Octets are left behind its content.
    #[error("it goes on behind its end")]
    Trailing,
    /// A tag that means nothing at its place.
    #[error("it holds an unknown tag")]
    Tag,
    /// Text that is not UTF-8.
    #[error("it holds text that is not UTF-8")]
    Utf8,
}

/// What the server tells a worker. All but `Surface`, `Load`, `Answer`, `Drop` and `Forget` start a turn, which the
/// worker ends with [`FromWorker::Paused`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ToWorker {
    /// Keep this surface for scripts to come.
    Surface { surface: u32, text: Text },
    /// Keep this script of a surface that was told before; it is built when it is first needed.
    Load { script: u32, surface: u32, program: Program },
    /// Build the script and run its `initialize`, under this call.
    Begin { script: u32, call: u64 },
    /// Call the script with a message.
    Message { script: u32, call: u64, message: Value, cells: Vec<Value> },
    /// Run its `finalize`, under this call.
    End { script: u32, call: u64 },
    /// Build this script to see whether it is one, and forget it.
    Check { program: Program },
    /// Evaluate an expression for this input, under this call.
    Evaluate { call: u64, expression: Expression, input: Value, cells: Vec<Value> },
    /// See whether this text is an expression.
    CheckExpression { source: Text },
    /// Run the timer that is due.
    Tick,
    /// Run what waits for this wish of the call: it is fulfilled, or cannot be.
    Fulfil { script: u32, call: u64, id: u32, outcome: Result<Value, Text> },
    /// The answer to the open question, or why there is none.
    Answer(Result<Value, Text>),
    /// Nobody listens to this call any more: its timers end.
    Drop { call: u64 },
    /// Forget this script.
    Forget { script: u32 },
}

/// What a worker tells the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FromWorker {
    /// A script did something.
    Said { call: u64, event: ScriptEvent },
    /// A script wants to know something; the turn goes on when it is answered.
    Asked { call: u64, question: Question },
    /// A script wants something that takes its time; the turn goes on.
    Wished { call: u64, id: u32, wish: Value },
    /// What came of a check.
    Checked(Result<(), SyntaxFault>),
    /// The turn is over. Says in how many milliseconds the next timer is due.
    Paused { due_ms: Option<u32> },
}

/// A script, as its worker needs it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Program {
    /// The dialect's surface; empty if it was told apart.
    pub(crate) surface: Text,
    /// What the surface is told about the node, as JSON text.
    pub(crate) facts: Text,
    /// The author's source.
    pub(crate) source: Text,
    /// Run before the first message.
    pub(crate) initialize: Text,
    /// Run at the end.
    pub(crate) finalize: Text,
    /// How many outputs the node has.
    pub(crate) outputs: u32,
    /// Processor time of one turn.
    pub(crate) cpu_ms: u32,
}

/// An expression, as a worker needs it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Expression {
    /// The author's text.
    pub(crate) source: Text,
    /// The functions that are asked of the server.
    pub(crate) functions: Vec<Text>,
    /// Time of one evaluation.
    pub(crate) cpu_ms: u32,
}

/// What can stand in a frame.
pub(crate) trait Wire: Sized {
    /// Writes it.
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault>;
    /// Reads it.
    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault>;
}

/// Writes the body of one frame behind what its buffer holds already.
pub(crate) struct Writer<'b> {
    out: &'b mut Vec<u8>,
    end_max: usize,
    depth: u32,
    values: u32,
}

/// Reads the body of one frame.
pub(crate) struct Reader<'b> {
    rest: &'b [u8],
    depth: u32,
    values: u32,
}

/// Appends one frame to `out`. On a fault `out` is as it was.
pub(crate) fn write<T: Wire>(out: &mut Vec<u8>, body: &T) -> Result<(), FrameFault> {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    let end_max = out.len() + SCRIPT_FRAME_BYTES_MAX;
    let written = body.put(&mut Writer { out, end_max, depth: 0, values: 0 });
    let length = out.len() - start - PREFIX_BYTES;
    match written {
        Ok(()) if length <= SCRIPT_FRAME_BYTES_MAX => {
            let prefix = u32::try_from(length).expect("12 MiB fit 32 bits").to_le_bytes();
            out[start..start + PREFIX_BYTES].copy_from_slice(&prefix);
            Ok(())
        }
        Ok(()) => {
            out.truncate(start);
            Err(FrameFault::TooLarge)
        }
        Err(fault) => {
            out.truncate(start);
            Err(fault)
        }
    }
}

/// Reads the first frame of `octets` and says how many octets it took; none if it is not complete yet.
pub(crate) fn read<T: Wire>(octets: &[u8]) -> Result<Option<(T, usize)>, FrameFault> {
    let Some((prefix, rest)) = octets.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let length = u32::from_le_bytes(*prefix) as usize;
    if length > SCRIPT_FRAME_BYTES_MAX {
        return Err(FrameFault::TooLarge);
    }
    let Some(body) = rest.get(..length) else { return Ok(None) };
    let mut reader = Reader { rest: body, depth: 0, values: 0 };
    let read = T::take(&mut reader)?;
    if reader.rest.is_empty() { Ok(Some((read, PREFIX_BYTES + length))) } else { Err(FrameFault::Trailing) }
}

impl Writer<'_> {
    fn octets(&mut self, octets: &[u8]) -> Result<(), FrameFault> {
        if octets.len() > self.end_max.saturating_sub(self.out.len()) {
            return Err(FrameFault::TooLarge);
        }
        self.out.extend_from_slice(octets);
        Ok(())
    }

    fn tag(&mut self, tag: u8) -> Result<(), FrameFault> {
        self.octets(&[tag])
    }

    /// Seven bits an octet, the lowest first, the top bit set on all but the last.
    fn varint(&mut self, mut value: u64) -> Result<(), FrameFault> {
        let mut octets = [0; 10];
        let mut length = 0;
        while value > 0x7f {
            octets[length] = value as u8 | 0x80;
            value >>= 7;
            length += 1;
        }
        octets[length] = value as u8;
        self.octets(&octets[..=length])
    }

    fn sized(&mut self, octets: &[u8]) -> Result<(), FrameFault> {
        self.varint(octets.len() as u64)?;
        self.octets(octets)
    }

    fn value(&mut self) -> Result<(), FrameFault> {
        count_value(&mut self.values)
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, FrameFault>) -> Result<T, FrameFault> {
        self.depth += 1;
        if self.depth > VALUE_DEPTH_MAX {
            return Err(FrameFault::TooDeep);
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }
}

impl<'b> Reader<'b> {
    fn octets(&mut self, count: usize) -> Result<&'b [u8], FrameFault> {
        let (octets, rest) = self.rest.split_at_checked(count).ok_or(FrameFault::Short)?;
        self.rest = rest;
        Ok(octets)
    }

    fn tag(&mut self) -> Result<u8, FrameFault> {
        Ok(self.octets(1)?[0])
    }

    fn varint(&mut self) -> Result<u64, FrameFault> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let octet = self.tag()?;
            let bits = u64::from(octet & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(FrameFault::Tag);
            }
            value |= bits << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(FrameFault::Tag)
    }

    fn sized(&mut self) -> Result<&'b [u8], FrameFault> {
        let count = self.varint()?;
        self.octets(usize::try_from(count).map_err(|_| FrameFault::Short)?)
    }

    /// The count of a list: never more than octets are left, since each element takes at least one.
    fn count(&mut self) -> Result<usize, FrameFault> {
        let count = usize::try_from(self.varint()?).map_err(|_| FrameFault::Short)?;
        if count > self.rest.len() { Err(FrameFault::Short) } else { Ok(count) }
    }

    fn value(&mut self) -> Result<(), FrameFault> {
        count_value(&mut self.values)
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, FrameFault>) -> Result<T, FrameFault> {
        self.depth += 1;
        if self.depth > VALUE_DEPTH_MAX {
            return Err(FrameFault::TooDeep);
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }
}

fn count_value(values: &mut u32) -> Result<(), FrameFault> {
    *values += 1;
    if *values > FRAME_VALUES_MAX { Err(FrameFault::TooMany) } else { Ok(()) }
}
