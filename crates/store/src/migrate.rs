//! The schema, as numbered steps that each run once.

use crate::Error;
use crate::sql::{Session, params};

/// One step of the schema, in the words of each kind of database.
#[derive(Clone, Copy)]
struct Step {
    sqlite: &'static str,
    postgres: &'static str,
}

/// The files of a step.
macro_rules! step {
    ($name:literal) => {
        Step {
            sqlite: include_str!(concat!("migrations/sqlite/", $name)),
            postgres: include_str!(concat!("migrations/postgres/", $name)),
        }
    };
}

/// Step n of the schema, counted from 1, is entry n - 1. Entries are added, never changed.
const STEPS: &[Step] = &[step!("0001_foundation.sql"), step!("0002_rings.sql"), step!("0003_replicas.sql")];

/// The schema that this program writes.
pub(crate) const NEWEST: u32 = STEPS.len() as u32;

/// The store's name and schema, or nothing where no store was ever made. Reads only.
pub(crate) fn read_meta(session: Session<'_>) -> Result<Option<(String, u32)>, Error> {
    if !has_table(session, "meta")? {
        return Ok(None);
    }
    let row = session.query_one("SELECT store_id, schema_version FROM meta", &[])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// The first table that holds rows, and how many: what a store without a root must not be built over.
pub(crate) fn first_rows(session: Session<'_>) -> Result<Option<(&'static str, u64)>, Error> {
    for table in ["kek", "sealed", "document_revision", "audit", "ring", "generation"] {
        if has_table(session, table)? {
            let count = format!("SELECT count(*) FROM {table}");
            let rows = session.query_one(&count, &[])?.map_or(Ok(0), |row| row.get::<u64>(0))?;
            if rows > 0 {
                return Ok(Some((table, rows)));
            }
        }
    }
    Ok(None)
}

/// Brings the schema of an open transaction from `from` steps to the newest. Refuses a store from the future.
pub(crate) fn run(session: Session<'_>, from: u32) -> Result<(), Error> {
    run_steps(session, STEPS, from)
}

fn run_steps(session: Session<'_>, steps: &[Step], from: u32) -> Result<(), Error> {
    let known = steps.len() as u32;
    if from > known {
        return Err(Error::SchemaTooNew { found: from, known });
    }
    for step in &steps[from as usize..] {
        session.batch(match session {
            Session::Sqlite(_) => step.sqlite,
            Session::Postgres(_) => step.postgres,
        })?;
    }
    session.execute("UPDATE meta SET schema_version = ?1", params![known])?;
    Ok(())
}

fn has_table(session: Session<'_>, table: &str) -> Result<bool, Error> {
    let sql = match session {
        Session::Sqlite(_) => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
        Session::Postgres(_) => {
            "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = ?1"
        }
    };
    Ok(session.query_one(sql, params![table])?.is_some())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn with_schema(found: u32) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0].sqlite).unwrap();
        let insert = "INSERT INTO meta VALUES (1, 'here', ?1, 0)";
        connection.execute(insert, [found]).unwrap();
        connection
    }

    #[test]
    fn an_older_store_gets_the_missing_steps_alone() {
        let connection = with_schema(1);
        let later = "CREATE TABLE later (a INTEGER) STRICT;";
        let steps = [STEPS[0], Step { sqlite: later, postgres: later }];
        run_steps(Session::Sqlite(&connection), &steps, 1).unwrap();
        assert!(has_table(Session::Sqlite(&connection), "later").unwrap());
        assert_eq!(read_meta(Session::Sqlite(&connection)).unwrap(), Some(("here".into(), 2)));
    }

    #[test]
    fn a_store_from_the_future_is_left_alone() {
        let connection = with_schema(NEWEST + 1);
        let refusal = run(Session::Sqlite(&connection), NEWEST + 1).unwrap_err();
        assert!(matches!(refusal, Error::SchemaTooNew { found, .. } if found == NEWEST + 1));
        let meta = read_meta(Session::Sqlite(&connection)).unwrap();
        assert_eq!(meta, Some(("here".into(), NEWEST + 1)));
    }
}
