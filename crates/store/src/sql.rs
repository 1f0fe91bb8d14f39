//! The little of SQL that the store needs: statements with numbered parameters, and rows of four kinds of value.

use keyring::{Span, StatementLimits};
use rusqlite::types::{ToSqlOutput, Value as SqliteValue, ValueRef};
use rusqlite::{Connection, ToSql};

use crate::postgres::Wire;
use crate::{Digest, Error};

/// The database clock in microseconds UTC, as an expression: a function that each kind of database is given.
pub(crate) const NOW_US: &str = "now_us()";

/// An open database, to be spoken to. Statements write their parameters as `?1`, `?2` and so on.
#[derive(Clone, Copy)]
pub(crate) enum Session<'c> {
    /// A file, or memory.
    Sqlite(&'c Connection),
    /// A connection to a PostgreSQL server.
    Postgres(&'c Wire),
}

/// What goes into a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Param<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Octets(&'a [u8]),
}

/// What comes out of one.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Octets(Vec<u8>),
}

/// One row, by the places of its columns.
pub(crate) struct Row(Vec<Value>);

/// A column as a type of ours.
pub(crate) trait Column: Sized {
    fn of(value: Value) -> Option<Self>;
}

/// The parameters of a statement, each made of what stands there.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::sql::Param::from($value)),*][..] };
}
pub(crate) use params;

impl Session<'_> {
    /// The database clock in microseconds UTC, as an expression.
    pub(crate) fn now_us(self) -> &'static str {
        NOW_US
    }

    /// What one transaction may take (key ring contract, section 12); X must cover it.
    pub(crate) fn limits(self) -> StatementLimits {
        match self {
            Self::Sqlite(_) => {
                StatementLimits { statement: Span::from_secs(5), idle_in_transaction: Span::from_secs(10) }
            }
            Self::Postgres(wire) => wire.limits(),
        }
    }

    /// Runs a statement that gives no rows, and tells how many it touched.
    pub(crate) fn execute(self, sql: &str, params: &[Param<'_>]) -> Result<usize, Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(rusqlite::params_from_iter(params))?)
            }
            Self::Postgres(wire) => wire.execute(sql, params),
        }
    }

    /// Runs a statement and gives its rows.
    pub(crate) fn query(self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let columns = statement.column_count();
                let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
                let rows = statement.query_map(rusqlite::params_from_iter(params), read)?;
                Ok(rows.map(|row| row.map(Row)).collect::<Result<_, _>>()?)
            }
            Self::Postgres(wire) => wire.query(sql, params),
        }
    }

    /// Runs a statement that gives one row or none.
    pub(crate) fn query_one(self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(self, sql: &str) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(wire) => wire.batch(sql),
        }
    }

    /// The database clock, in microseconds UTC.
    pub(crate) fn read_clock(self) -> Result<i64, Error> {
        let row = self.query_one(&format!("SELECT {}", self.now_us()), &[])?;
        row.ok_or(Error::Damaged { detail: "the database has no clock".to_owned() })?.get(0)
    }
}

impl Row {
    /// A row of these values.
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// Its values, to be written elsewhere.
    pub(crate) fn params(&self) -> impl Iterator<Item = Param<'_>> {
        self.0.iter().map(|value| match value {
            Value::Null => Param::Null,
            Value::Integer(value) => Param::Integer(*value),
            Value::Text(text) => Param::Text(text),
            Value::Octets(octets) => Param::Octets(octets),
        })
    }

    /// The value of a column.
    pub(crate) fn get<T: Column>(&self, at: usize) -> Result<T, Error> {
        self.0.get(at).cloned().and_then(T::of).ok_or_else(|| Error::Damaged {
            detail: format!("column {at} of a row holds something that the store never wrote"),
        })
    }
}

impl Column for i64 {
    fn of(value: Value) -> Option<Self> {
        if let Value::Integer(value) = value { Some(value) } else { None }
    }
}

impl Column for u64 {
    fn of(value: Value) -> Option<Self> {
        i64::of(value)?.try_into().ok()
    }
}

impl Column for u32 {
    fn of(value: Value) -> Option<Self> {
        i64::of(value)?.try_into().ok()
    }
}

impl Column for bool {
    fn of(value: Value) -> Option<Self> {
        i64::of(value).map(|value| value != 0)
    }
}

impl Column for String {
    fn of(value: Value) -> Option<Self> {
        if let Value::Text(value) = value { Some(value) } else { None }
    }
}

impl Column for Vec<u8> {
    fn of(value: Value) -> Option<Self> {
        if let Value::Octets(value) = value { Some(value) } else { None }
    }
}

impl Column for Digest {
    fn of(value: Value) -> Option<Self> {
        Vec::<u8>::of(value)?.try_into().ok().map(Digest)
    }
}

impl<T: Column> Column for Option<T> {
    fn of(value: Value) -> Option<Self> {
        if matches!(value, Value::Null) { Some(None) } else { T::of(value).map(Some) }
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Octets(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Octets(value)
    }
}

impl<'a> From<&'a Digest> for Param<'a> {
    fn from(value: &'a Digest) -> Self {
        Self::Octets(&value.0)
    }
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u64> for Param<'_> {
    /// Numbers that are counted from 1 do not get that far.
    fn from(value: u64) -> Self {
        Self::Integer(value.try_into().unwrap_or(i64::MAX))
    }
}

impl From<u32> for Param<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(SqliteValue::Null),
            Self::Integer(value) => ToSqlOutput::Owned(SqliteValue::Integer(*value)),
            Self::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Self::Octets(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
        })
    }
}

impl rusqlite::types::FromSql for Value {
    fn column_result(value: ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Integer(value),
            ValueRef::Text(text) => {
                Self::Text(std::str::from_utf8(text).map_err(rusqlite::types::FromSqlError::other)?.to_owned())
            }
            ValueRef::Blob(octets) => Self::Octets(octets.to_vec()),
            ValueRef::Real(_) => return Err(rusqlite::types::FromSqlError::InvalidType),
        })
    }
}
