//! A whole store from SQLite into PostgreSQL, row by row: its name, its chains and its boxes stay what they are.

use crate::migrate::Schema;
use crate::postgres::Pool;
use crate::sql::{Param, Row, Session, params};
use crate::transaction::transact;
use crate::{Address, Error, Store, migrate};

/// Rows that are copied at a time.
const PAGE_ROWS: u64 = 500;

/// Every table but that of replicas, each behind those that it refers to, with its primary key. Columns stand in the same order in both kinds of
/// database.
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
                TABLES.iter().try_for_each(|(table, key)| copy_table(here.session(), there, table, key))
            })?;
        }
        let copied = Self::open_postgres(address)?;
        copied.verify_audit()?;
        copied.verify_rings().map(drop)
    }
}

fn copy_table(here: Session<'_>, there: Session<'_>, table: &str, key: &str) -> Result<(), Error> {
    let read = format!("SELECT * FROM {table} ORDER BY {key} LIMIT ?1 OFFSET ?2");
    let mut copied = 0;
    loop {
        let page = here.query(&read, params![PAGE_ROWS, copied])?;
        for row in &page {
            insert(there, table, row)?;
        }
        copied += page.len() as u64;
        if (page.len() as u64) < PAGE_ROWS {
            return Ok(());
        }
    }
}

fn insert(there: Session<'_>, table: &str, row: &Row) -> Result<(), Error> {
    let params: Vec<Param<'_>> = row.params().collect();
    let places: Vec<String> = (1..=params.len()).map(|place| format!("?{place}")).collect();
    there.execute(&format!("INSERT INTO {table} VALUES ({})", places.join(", ")), &params).map(drop)
}
