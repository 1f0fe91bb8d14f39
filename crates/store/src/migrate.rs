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
const STEPS: &[Step] =
    &[step!("0001_foundation.sql"), step!("0002_rings.sql"), step!("0003_replicas.sql"), step!("0004_releases.sql")];

/// The schema that this program writes.
pub const SCHEMA: u32 = STEPS.len() as u32;
/// From this schema on the store says which programs may use it.
const SAYS_WHO: u32 = 4;
/// Programs that know this schema and not yet the newest may use the store: what came since only adds.
pub(crate) const OLDEST_PROGRAM: u32 = 4;

/// What a program knows of the schema.
pub(crate) struct Schema {
    steps: Vec<Step>,
    oldest_program: u32,
}

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) store_id: String,
    /// The schema that it has.
    pub(crate) schema: u32,
    /// What a program has to know to use it.
    pub(crate) oldest_program: u32,
}

impl Schema {
    /// This program's.
    pub(crate) fn ours() -> Self {
        Self { steps: STEPS.to_vec(), oldest_program: OLDEST_PROGRAM }
    }

    /// That of a release after this one, with a step more.
    pub(crate) fn next(sql: &'static str, oldest_program: u32) -> Self {
        let step = Step { sqlite: sql, postgres: sql };
        Self { steps: STEPS.iter().copied().chain([step]).collect(), oldest_program }
    }

    fn newest(&self) -> u32 {
        self.steps.len() as u32
    }

    /// Whether the store has steps to go. Refuses one that a program has to know more of.
    pub(crate) fn is_ahead_of(&self, meta: &Meta) -> Result<bool, Error> {
        let known = self.newest();
        if meta.oldest_program > known {
            return Err(Error::SchemaTooNew { found: meta.schema, known });
        }
        Ok(meta.schema < known)
    }

    /// Brings an open transaction from `from` steps to the newest.
    pub(crate) fn run(&self, session: Session<'_>, from: u32) -> Result<(), Error> {
        for step in &self.steps[from as usize..] {
            session.batch(match session {
                Session::Sqlite(_) => step.sqlite,
                Session::Postgres(_) => step.postgres,
            })?;
        }
        let sql = "UPDATE meta SET schema_version = ?1, oldest_program = ?2";
        session.execute(sql, params![self.newest(), self.oldest_program])?;
        Ok(())
    }
}

/// What the store says, or nothing where no store was ever made. Reads only.
pub(crate) fn read_meta(session: Session<'_>) -> Result<Option<Meta>, Error> {
    if !has_table(session, "meta")? {
        return Ok(None);
    }
    let Some(row) = session.query_one("SELECT store_id, schema_version FROM meta", &[])? else { return Ok(None) };
    let (store_id, schema) = (row.get(0)?, row.get(1)?);
    let oldest_program = if schema < SAYS_WHO {
        schema
    } else {
        session.query_one("SELECT oldest_program FROM meta", &[])?.map_or(Ok(schema), |row| row.get(0))?
    };
    Ok(Some(Meta { store_id, schema, oldest_program }))
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

    use crate::connection::connect_in_memory;
    use crate::store::clock_of_the_machine;

    use super::*;

    const LATER: &str = "CREATE TABLE later (a INTEGER) STRICT;";

    fn with_schema(found: u32) -> Connection {
        let connection = connect_in_memory(clock_of_the_machine()).unwrap();
        STEPS[..found as usize].iter().for_each(|step| connection.execute_batch(step.sqlite).unwrap());
        let insert = "INSERT INTO meta (one, store_id, schema_version, created_at) VALUES (1, 'here', ?1, 0)";
        connection.execute(insert, [found]).unwrap();
        connection
    }

    fn meta(connection: &Connection) -> Meta {
        read_meta(Session::Sqlite(connection)).unwrap().unwrap()
    }

    #[test]
    fn an_older_store_gets_the_missing_steps_alone() {
        for found in 1..=SCHEMA {
            let connection = with_schema(found);
            assert_eq!(meta(&connection).schema, found);
            let next = Schema::next(LATER, OLDEST_PROGRAM);
            assert!(next.is_ahead_of(&meta(&connection)).unwrap());
            next.run(Session::Sqlite(&connection), found).unwrap();
            assert!(has_table(Session::Sqlite(&connection), "later").unwrap());
            assert_eq!((meta(&connection).schema, meta(&connection).oldest_program), (SCHEMA + 1, OLDEST_PROGRAM));
        }
    }

    /// KR-65 (part): a store of the next release is used as it is if it says that this program may, and refused if not.
    #[test]
    fn a_store_of_the_next_release_says_who_may_use_it() {
        for (oldest, is_refused) in [(SCHEMA, false), (SCHEMA + 1, true)] {
            let connection = with_schema(SCHEMA);
            Schema::next(LATER, oldest).run(Session::Sqlite(&connection), SCHEMA).unwrap();
            let ours = Schema::ours().is_ahead_of(&meta(&connection));
            match ours {
                Err(Error::SchemaTooNew { found, known }) => {
                    assert!(is_refused && (found, known) == (SCHEMA + 1, SCHEMA));
                }
                Ok(is_ahead) => assert!(!is_refused && !is_ahead, "nothing is to be done"),
                Err(other) => panic!("{other}"),
            }
            assert_eq!(meta(&connection).schema, SCHEMA + 1, "left alone");
        }
    }
}
