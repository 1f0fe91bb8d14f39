//! One connection to PostgreSQL: statements go in, rows come out, and nothing is waited for too long.

use std::cell::Cell;
use std::error::Error as _;
use std::time::Duration;

use keyring::{Span, StatementLimits};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Client, NoTls};

use super::address::{Address, Protection};
use super::limits;
use super::tls::Tls;
use super::wait::wait;
use crate::Error;
use crate::sql::{Param, Row, Value};

/// An open connection. Whoever has it has it alone.
pub(crate) struct Wire {
    client: Client,
    /// Carries the octets; it ends with this value, whatever the network does.
    driver: AbortHandle,
    health: Cell<Health>,
    is_postgres: bool,
    limits: StatementLimits,
}

/// What a connection is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Sound,
    /// It ended, or its transaction stands where nobody knows.
    Broken,
    /// The server was asked and said nothing.
    Silent,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Wire {
    /// Connects and tells the server its limits.
    pub(super) fn open(address: &Address, runtime: &Handle) -> Result<Self, Error> {
        let (client, driver) = connect(address, runtime)?;
        let span = |limit: Duration| Span::from_us(limit.as_micros().try_into().unwrap_or(i64::MAX));
        let limits = StatementLimits {
            statement: span(address.statement),
            idle_in_transaction: span(address.idle_in_transaction),
        };
        let mut wire = Self { client, driver, health: Cell::new(Health::Sound), is_postgres: false, limits };
        wire.batch(&settings(address))?;
        let version: String =
            wire.query("SELECT version()", &[])?.first().map_or(Ok(String::new()), |row| row.get(0))?;
        wire.is_postgres = version.starts_with("PostgreSQL ");
        Ok(wire)
    }

    /// Whether the server names itself PostgreSQL: what only that one has is asked of no other.
    pub(crate) fn is_postgres(&self) -> bool {
        self.is_postgres
    }

    /// How long a statement, and a pause in a transaction, may take on it.
    pub(crate) fn limits(&self) -> StatementLimits {
        self.limits
    }

    /// Whether it may be used once more.
    pub(super) fn health(&self) -> Health {
        if self.health.get() == Health::Sound && self.client.is_closed() { Health::Broken } else { self.health.get() }
    }

    /// It is not to be used again.
    pub(crate) fn break_off(&self) {
        if self.health.get() == Health::Sound {
            self.health.set(Health::Broken);
        }
    }

    /// Makes the schema of our tables, unless it is there.
    pub(crate) fn make_schema(&self) -> Result<(), Error> {
        self.batch(&format!("CREATE SCHEMA IF NOT EXISTS {}", super::SCHEMA))
    }

    pub(crate) fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, Error> {
        let touched = self.finish(self.client.execute_typed(&numbered(sql), &typed(params)))?;
        Ok(usize::try_from(touched).unwrap_or(usize::MAX))
    }

    pub(crate) fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Error> {
        let rows = self.finish(self.client.query_typed(&numbered(sql), &typed(params)))?;
        rows.iter().map(read).collect()
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<(), Error> {
        self.finish(self.client.batch_execute(sql))
    }

    fn finish<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        let limit = Duration::from_micros(self.limits.statement.as_us().unsigned_abs());
        let Some(answer) = wait(answer, limit) else {
            self.health.set(Health::Silent);
            return Err(away(format!("it did not answer a statement within {limit:?}")));
        };
        answer.map_err(|error| {
            let error = refused(&error);
            if matches!(error, Error::Away { .. }) {
                self.break_off();
            }
            error
        })
    }
}

/// Connects; the octets are carried on the runtime.
pub(super) fn connect(address: &Address, runtime: &Handle) -> Result<(Client, AbortHandle), Error> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let address = address.clone();
    let connecting = runtime.spawn(async move {
        let outcome = match &address.protection {
            Protection::Plain => address.config.connect(NoTls).await.map(|(client, connection)| {
                (client, tokio::spawn(async move { drop(connection.await) }).abort_handle())
            }),
            Protection::Tls { roots } => match Tls::new(roots.as_deref()) {
                Ok(tls) => address.config.connect(tls).await.map(|(client, connection)| {
                    (client, tokio::spawn(async move { drop(connection.await) }).abort_handle())
                }),
                Err(error) => return drop(tell.send(Err(error))),
            },
        };
        // Nobody waits for it any more: the connection ends with its client.
        let _ = tell.send(outcome.map_err(|error| refused(&error)));
    });
    wait(told, limits::CONNECT).and_then(Result::ok).unwrap_or_else(|| {
        connecting.abort();
        Err(away("it let nobody in within 3 s"))
    })
}

pub(super) fn away(why: impl Into<String>) -> Error {
    Error::Away { why: why.into() }
}

fn settings(address: &Address) -> String {
    let ms = |limit: Duration| limit.as_millis();
    format!(
        "SET search_path TO {}; SET statement_timeout = {}; SET lock_timeout = {}; \
         SET idle_in_transaction_session_timeout = {}",
        super::SCHEMA,
        ms(address.statement),
        ms(limits::LOCK.min(address.statement)),
        ms(address.idle_in_transaction),
    )
}

/// Our statements number their parameters `?1`; PostgreSQL's `$1`. No statement has a question mark elsewhere.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

fn typed<'p>(params: &'p [Param<'_>]) -> Vec<(&'p (dyn ToSql + Sync), Type)> {
    let type_of = |param: &Param<'_>| match param {
        // The server finds out from the place where it stands.
        Param::Null => Type::UNKNOWN,
        Param::Integer(_) => Type::INT8,
        Param::Text(_) => Type::TEXT,
        Param::Octets(_) => Type::BYTEA,
    };
    params.iter().map(|param| (param as &(dyn ToSql + Sync), type_of(param))).collect()
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql(ty, out),
            Self::Text(value) => value.to_sql(ty, out),
            Self::Octets(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn read(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let columns = row.columns().iter().enumerate();
    let values: Result<Vec<Value>, _> = columns.map(|(at, column)| value(row, at, column.type_())).collect();
    values.map(Row::new).map_err(|error| Error::Damaged { detail: error.to_string() })
}

fn value(row: &tokio_postgres::Row, at: usize, of: &Type) -> Result<Value, tokio_postgres::Error> {
    Ok(match *of {
        Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map(|it| Value::Integer(it.into())),
        Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(|it| Value::Integer(it.into())),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Octets),
        Type::TEXT | Type::VARCHAR | Type::NAME => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
        _ => row.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
    }
    .unwrap_or(Value::Null))
}

/// What an error of the driver means for us.
pub(super) fn refused(error: &tokio_postgres::Error) -> Error {
    if let Some(told) = error.as_db_error() {
        return told_by_the_server(told);
    }
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        why = format!("{why}: {inner}");
        cause = inner.source();
    }
    away(why)
}

fn told_by_the_server(told: &DbError) -> Error {
    let clashes = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::LOCK_NOT_AVAILABLE,
        // Two that make the same store, or bring it to the same schema.
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_FUNCTION,
    ];
    let code = told.code();
    let is_away = ["08", "28", "53", "57", "58", "3D"].iter().any(|class| code.code().starts_with(class));
    if clashes.contains(code) {
        Error::Clash { why: told.message().to_owned() }
    } else if is_away
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
    {
        away(format!("{} ({})", told.message(), code.code()))
    } else {
        Error::Server { message: told.message().to_owned(), sqlstate: code.code().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_renumbered() {
        assert_eq!(numbered("SELECT ?1, ?12 WHERE a = ?2"), "SELECT $1, $12 WHERE a = $2");
    }
}
