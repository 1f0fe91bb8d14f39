//! Messages in frames: every leaf of a value, by a tag of one octet.

use std::sync::Arc;

use plan::{Date, Handle, Map, Number, Text, Unencodable, Value};

use super::{FrameFault, Reader, Wire, Writer};

const UNDEFINED: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const INTEGER: u8 = 4;
const FLOAT: u8 = 5;
const LITERAL: u8 = 6;
const TEXT: u8 = 7;
const BYTES: u8 = 8;
const DATE: u8 = 9;
const LIST: u8 = 10;
const MAP: u8 = 11;
const HANDLE: u8 = 12;
const CIRCULAR: u8 = 13;
const BIG_INTEGER: u8 = 14;
const FUNCTION: u8 = 15;
const PATTERN: u8 = 16;

impl Wire for Value {
    fn put(&self, to: &mut Writer<'_>) -> Result<(), FrameFault> {
        to.value()?;
        match self {
            Self::Undefined => to.tag(UNDEFINED),
            Self::Null => to.tag(NULL),
            Self::Bool(false) => to.tag(FALSE),
            Self::Bool(true) => to.tag(TRUE),
            Self::Number(number) => put_number(number, to),
            Self::Text(text) => {
                to.tag(TEXT)?;
                text.put(to)
            }
            Self::Bytes(octets) => {
                to.tag(BYTES)?;
                to.sized(octets)
            }
            Self::Date(date) => {
                to.tag(DATE)?;
                to.octets(&date.epoch_ms.to_le_bytes())
            }
            Self::List(items) => {
                to.tag(LIST)?;
                to.nested(|to| items.put(to))
            }
            Self::Map(map) => {
                to.tag(MAP)?;
                to.nested(|to| put_members(map, to))
            }
            Self::Handle(handle) => {
                to.tag(HANDLE)?;
                handle.0.put(to)
            }
            Self::Unencodable(Unencodable::Circular) => to.tag(CIRCULAR),
            Self::Unencodable(Unencodable::BigInt(digits)) => {
                to.tag(BIG_INTEGER)?;
                digits.put(to)
            }
            Self::Unencodable(Unencodable::Function) => to.tag(FUNCTION),
            Self::Unencodable(Unencodable::Pattern(regexp)) => {
                to.tag(PATTERN)?;
                regexp.source.put(to)?;
                regexp.flags.put(to)
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, FrameFault> {
        from.value()?;
        Ok(match from.tag()? {
            UNDEFINED => Self::Undefined,
            NULL => Self::Null,
            FALSE => Self::Bool(false),
            TRUE => Self::Bool(true),
            INTEGER => Self::integer(unzigzag(from.varint()?)),
            FLOAT => Self::Number(Number::Float(f64::take(from)?)),
            LITERAL => Self::Number(Number::Literal(Text::take(from)?)),
            TEXT => Self::Text(Text::take(from)?),
            BYTES => Self::Bytes(Arc::from(from.sized()?)),
            DATE => Self::Date(Date { epoch_ms: f64::take(from)? }),
            LIST => Self::list(from.nested(Vec::take)?),
            MAP => from.nested(take_members)?.into(),
            HANDLE => Self::Handle(Handle(u32::take(from)?)),
            CIRCULAR => Self::Unencodable(Unencodable::Circular),
            BIG_INTEGER => Self::Unencodable(Unencodable::BigInt(Text::take(from)?)),
            FUNCTION => Self::Unencodable(Unencodable::Function),
            PATTERN => plan::Regexp { source: Text::take(from)?, flags: Text::take(from)? }.into(),
            _ => return Err(FrameFault::Tag),
        })
    }
}

fn put_number(number: &Number, to: &mut Writer<'_>) -> Result<(), FrameFault> {
    match number {
        Number::Integer(integer) => {
            to.tag(INTEGER)?;
            to.varint(zigzag(*integer))
        }
        Number::Float(float) => {
            to.tag(FLOAT)?;
            float.put(to)
        }
        Number::Literal(literal) => {
            to.tag(LITERAL)?;
            literal.put(to)
        }
    }
}

fn put_members(map: &Map, to: &mut Writer<'_>) -> Result<(), FrameFault> {
    to.varint(map.len() as u64)?;
    for (name, value) in map.iter() {
        name.put(to)?;
        value.put(to)?;
    }
    Ok(())
}

fn take_members(from: &mut Reader<'_>) -> Result<Map, FrameFault> {
    let count = from.count()?;
    (0..count).map(|_| Ok((Text::take(from)?, Value::take(from)?))).collect()
}

/// Small negative integers become small unsigned ones.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
