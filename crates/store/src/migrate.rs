//! The schema, as numbered steps that each run once.

use rusqlite::{Connection, OptionalExtension as _};

use crate::Error;

/// Step n of the schema, counted from 1, is entry n - 1. Entries are added, never changed.
const STEPS: &[&str] = &[include_str!("migrations/0001_foundation.sql")];

/// The schema that this program writes.
pub(crate) const NEWEST: u32 = STEPS.len() as u32;

/// The store's name and schema, or nothing where no store was ever made. Reads only.
pub(crate) fn read_meta(connection: &Connection) -> Result<Option<(String, u32)>, Error> {
    if !has_table(connection, "meta")? {
        return Ok(None);
    }
    let row = connection
        .query_row("SELECT store_id, schema_version FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(row)
}

/// The first table that holds rows, and how many: what a store without a root must not be built over.
pub(crate) fn first_rows(connection: &Connection) -> Result<Option<(&'static str, u64)>, Error> {
    for table in ["kek", "sealed", "document_revision", "audit"] {
        if has_table(connection, table)? {
            let count = format!("SELECT count(*) FROM {table}");
            let rows: u64 = connection.query_row(&count, [], |row| row.get(0))?;
            if rows > 0 {
                return Ok(Some((table, rows)));
            }
        }
    }
    Ok(None)
}

/// Brings the schema of an open transaction from `from` steps to the newest. Refuses a store from the future.
pub(crate) fn run(connection: &Connection, from: u32) -> Result<(), Error> {
    run_steps(connection, STEPS, from)
}

fn run_steps(connection: &Connection, steps: &[&str], from: u32) -> Result<(), Error> {
    let known = steps.len() as u32;
    if from > known {
        return Err(Error::SchemaTooNew { found: from, known });
    }
    for step in &steps[from as usize..] {
        connection.execute_batch(step)?;
    }
    connection.execute("UPDATE meta SET schema_version = ?1", [known])?;
    Ok(())
}

fn has_table(connection: &Connection, table: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
    Ok(connection.query_row(sql, [table], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_schema(found: u32) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        let insert = "INSERT INTO meta VALUES (1, 'here', ?1, 0)";
        connection.execute(insert, [found]).unwrap();
        connection
    }

    #[test]
    fn an_older_store_gets_the_missing_steps_alone() {
        let connection = with_schema(1);
        let steps = [STEPS[0], "CREATE TABLE later (a INTEGER) STRICT;"];
        run_steps(&connection, &steps, 1).unwrap();
        assert!(has_table(&connection, "later").unwrap());
        assert_eq!(read_meta(&connection).unwrap(), Some(("here".into(), 2)));
    }

    #[test]
    fn a_store_from_the_future_is_left_alone() {
        let connection = with_schema(NEWEST + 1);
        let refusal = run(&connection, NEWEST + 1).unwrap_err();
        assert!(matches!(refusal, Error::SchemaTooNew { found, .. } if found == NEWEST + 1));
        let meta = read_meta(&connection).unwrap();
        assert_eq!(meta, Some(("here".into(), NEWEST + 1)));
    }
}
