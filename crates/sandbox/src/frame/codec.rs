//! Everything in frames that is not a message: numbers, texts, and what server and worker tell each other.

use plan::{Fault, FaultKind, LogLevel, Path, ScriptEvent, Segment, Text};

use super::{Expression, FrameFault, FromWorker, Program, Reader, ToWorker, Wire, Writer};
use crate::speech::{Part, Question, Reach, SyntaxFault};

impl Wire for u32 {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        to.varint(u64::from(*self))
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        Self::try_from(from.varint()?).map_err(|_| FrameFault::Tag)
    }
}

impl Wire for u64 {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        to.varint(*self)
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        from.varint()
    }
}

impl Wire for f64 {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        to.octets(&self.to_le_bytes())
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        let octets = from.octets(8)?.try_into().expect("eight octets were taken");
        Ok(Self::from_le_bytes(octets))
    }
}

impl Wire for Text {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        to.sized(self.as_bytes())
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        std::str::from_utf8(from.sized()?).map(Self::from).map_err(|_| FrameFault::Utf8)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        to.varint(self.len() as u64)?;
        self.iter().try_for_each(|item| item.put(to))
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        let count = from.count()?;
        (0..count).map(|_| T::take(from)).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        match self {
            None => to.tag(0),
            Some(inner) => {
                to.tag(1)?;
                inner.put(to)
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        match from.tag()? {
            0 => Ok(None),
            1 => Ok(Some(T::take(from)?)),
            _ => Err(FrameFault::Tag),
        }
    }
}

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        match self {
            Ok(good) => {
                to.tag(0)?;
                good.put(to)
            }
            Err(bad) => {
                to.tag(1)?;
                bad.put(to)
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        match from.tag()? {
            0 => Ok(Ok(T::take(from)?)),
            1 => Ok(Err(E::take(from)?)),
            _ => Err(FrameFault::Tag),
        }
    }
}

impl Wire for () {
    fn put(&self, _: &mut Writer<'_>) -> Result<(), FrameFault> {
        Ok(())
    }

    fn take(_: &mut Reader<'_>) -> Result<Self, FrameFault> {
        Ok(())
    }
}

impl Wire for Path {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        to.varint(self.0.len() as u64)?;
        self.0.iter().try_for_each(|segment| segment.put(to))
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        Ok(Self(Vec::take(from)?.into()))
    }
}

/// An enum as the tag of its variant and the members in the order given here (`0:` names the first of a tuple).
macro_rules! variants {
    ($type:ident: $($tag:literal $variant:ident { $($member:tt: $name:ident),* })*) => {
        impl Wire for $type {
            fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
                match self {
                    $(Self::$variant { $($member: $name),* } => {
                        to.tag($tag)?;
                        $($name.put(to)?;)*
                    })*
                }
                Ok(())
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
                Ok(match from.tag()? {
                    $($tag => Self::$variant { $($member: Wire::take(from)?),* },)*
                    _ => return Err(FrameFault::Tag),
                })
            }
        }
    };
}

/// A struct as its members in the order given here.
macro_rules! members {
    ($type:ident: $($member:ident)*) => {
        impl Wire for $type {
            fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
                $(self.$member.put(to)?;)*
                Ok(())
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
                Ok(Self { $($member: Wire::take(from)?),* })
            }
        }
    };
}

/// Variants without members, as their place in this list; one that is not listed cannot be told.
macro_rules! listed {
    ($type:ident: $($variant:ident)*) => {
        impl Wire for $type {
            fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
                let place = [$(Self::$variant),*].iter().position(|listed| listed == self);
                to.varint(place.ok_or(FrameFault::Tag)? as u64)
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
                [$(Self::$variant),*].get(usize::from(from.tag()?)).copied().ok_or(FrameFault::Tag)
            }
        }
    };
}

// The other kinds of fault are the engine's alone: no worker may claim them.
listed!(FaultKind: Script ScriptTimeout ScriptMemory ScriptUnavailable);
listed!(LogLevel: Trace Debug Info Warn Error);
listed!(Reach: Node Section Document);
listed!(Part: Source Initialize Finalize);

members!(Fault: kind code message stack cause thrown);
members!(SyntaxFault: part line message);
members!(Expression: source functions cpu_ms);
members!(Program: surface facts source initialize finalize outputs cpu_ms);

variants! { Segment:
    0 Key { 0: name }
    1 Index { 0: index }
}

variants! { ScriptEvent:
    0 Send { 0: outputs }
    1 Fault { fault: fault, message: message }
    2 Log { level: level, text: text }
    3 Status { 0: status }
    4 Cell { handle: handle, value: value }
    5 Done { 0: message }
    6 Rest {}
}

variants! { Question:
    0 Read { reach: reach, store: store, path: path }
    1 Write { reach: reach, store: store, path: path, value: value }
    2 Keys { reach: reach, store: store }
    3 Call { function: function, arguments: arguments }
}

variants! { ToWorker:
    0 Load { script: script, surface: surface, program: program }
    1 Begin { script: script, call: call }
    2 Message { script: script, call: call, message: message, cells: cells }
    3 End { script: script, call: call }
    4 Check { program: program }
    5 Tick {}
    6 Answer { 0: answer }
    7 Drop { call: call }
    8 Forget { script: script }
    9 Surface { surface: surface, text: text }
    10 Evaluate { call: call, expression: expression, input: input, cells: cells }
    11 CheckExpression { source: source }
    12 Fulfil { script: script, call: call, id: id, outcome: outcome }
}

variants! { FromWorker:
    0 Said { call: call, event: event }
    1 Asked { call: call, question: question }
    2 Checked { 0: outcome }
    3 Paused { due_ms: due_ms }
    4 Wished { call: call, id: id, wish: wish }
}
