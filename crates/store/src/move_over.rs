//! A whole store from one kind of database into the other, row by row: its name, its chains and its boxes stay what they are.

use rusqlite::Connection;

use crate::migrate::Schema;
use crate::postgres::Pool;
use crate::sql::{Param, Row, Session, params};
use crate::transaction::{read_at_once, transact};
use crate::{Address, Error, Store, migrate};

/// Rows that are copied at a time.
const PAGE_ROWS: u64 = 500;

/// Every table but that of replicas, each behind those that it refers to, with its primary key.
const TABLES: [(&str, &str); 13] = [
    ("meta", "one"),
    ("kek", "kek_id"),
    ("sealed", "owner"),
    ("document_revision", "tenant, name, revision"),
    ("document", "tenant, name"),
    ("audit", "seq"),
    ("ring", "ring_id"),
    ("ring_policy", "ring_id, version"),
    ("store_policy", "version"),
    ("generation", "ring_id, n"),
    ("key_event", "ring_id, seq"),
    ("verify_only", "tenant, kid"),
    ("ring_epoch", "ring_id"),
];

/// A new schema begins with a timing, which the copied one takes the place of.
const FORGET_TIMING: &str = "ALTER TABLE store_policy DISABLE TRIGGER store_policy_append_only; \
                             DELETE FROM store_policy; \
                             ALTER TABLE store_policy ENABLE TRIGGER store_policy_append_only";

impl Store {
    /// Copies everything into a database that has no store, in one transaction, and checks every chain there. This store
    /// stays as it is: whoever calls sees to it that nobody serves it again.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialized`] where a store is, and those of both databases; nothing is there then.
    pub fn copy_to(&self, address: &Address) -> Result<(), Error> {
        let pool = Pool::new(address.clone())?;
        {
            let lent = pool.lend()?;
            lent.make_schema()?;
            let here = self.connection()?;
            transact(Session::Postgres(&lent), |there| {
                if migrate::read_meta(there)?.is_some() {
                    return Err(Error::AlreadyInitialized { folder: address.as_place() });
                }
                Schema::ours().run(there, 0)?;
                there.batch(FORGET_TIMING)?;
                TABLES.iter().try_for_each(|table| copy_table(here.session(), here.session(), there, table))
            })?;
        }
        let copied = Self::open_postgres(address)?;
        copied.verify_audit()?;
        copied.verify_rings().map(drop)
    }
}

/// Copies what a server needs of a store on PostgreSQL into an empty SQLite database, as it is at one instant: everything but
/// the audit.
pub(crate) fn copy_to_serve(here: Session<'_>, copy: &Connection) -> Result<(), Error> {
    let there = Session::Sqlite(copy);
    read_at_once(here, |here| {
        transact(there, |there| {
            Schema::ours().run(there, 0)?;
            there.batch("DROP TRIGGER store_policy_no_delete; DELETE FROM store_policy")?;
            let served = TABLES.iter().filter(|(name, _)| *name != "audit");
            for table in served {
                copy_table(there, here, there, table)?;
            }
            // The next release's store has more; the copy has what is known here.
            there.execute("UPDATE meta SET schema_version = ?1", params![migrate::SCHEMA]).map(drop)
        })
    })
}

/// Copies the columns that the table has in the store on SQLite, whichever of the two that is.
fn copy_table(
    sqlite: Session<'_>,
    here: Session<'_>,
    there: Session<'_>,
    (table, key): &(&str, &str),
) -> Result<(), Error> {
    let named = sqlite.query("SELECT name FROM pragma_table_info(?1) ORDER BY cid", params![*table])?;
    let columns: Vec<String> = named.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let columns = columns.join(", ");
    let read = format!("SELECT {columns} FROM {table} ORDER BY {key} LIMIT ?1 OFFSET ?2");
    let mut copied = 0;
    loop {
        let page = here.query(&read, params![PAGE_ROWS, copied])?;
        for row in &page {
            insert(there, table, &columns, row)?;
        }
        copied += page.len() as u64;
        if (page.len() as u64) < PAGE_ROWS {
            return Ok(());
        }
    }
}

fn insert(there: Session<'_>, table: &str, columns: &str, row: &Row) -> Result<(), Error> {
    let params: Vec<Param<'_>> = row.params().collect();
    let places: Vec<String> = (1..=params.len()).map(|place| format!("?{place}")).collect();
    there.execute(&format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", ")), &params).map(drop)
}
