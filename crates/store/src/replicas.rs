//! Who else serves this store: for alarms, lists and the first key of a ring, never for safety.

use keyring::{Span, Time};

use crate::sql::{Row, params};
use crate::{Epochs, Error, Store};

/// A replica that was silent for so long is forgotten.
const FORGOTTEN_AFTER: Span = Span::from_secs(86_400);

/// A process that serves this store, as it last said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// What it calls itself.
    pub id: String,
    /// When it said so, by the database clock.
    pub last_seen: Time,
    /// The change counter of each ring as that process has it in memory, by the id of the ring.
    pub epochs_seen: Vec<(String, u64)>,
    /// By how much the database clock is ahead of its own, in microseconds.
    pub offset_us: i64,
    /// The program that it runs.
    pub build: String,
}

impl Store {
    /// Whether other processes may serve this store, too.
    pub fn is_shared(&self) -> bool {
        self.address().is_some()
    }

    /// Leaves word of this process, and forgets those that have long been silent. No change of the store: no audit row.
    ///
    /// # Errors
    /// Those of the database.
    pub fn report(&self, id: &str, epochs: &Epochs, offset_us: i64, build: &str) -> Result<(), Error> {
        let connection = self.connection()?;
        let seen: Vec<String> = epochs.of_rings.iter().map(|(ring_id, epoch)| format!("{ring_id} {epoch}")).collect();
        let seen = seen.join("\n");
        let session = connection.session();
        let now = session.now_us();
        let sql = format!(
            "INSERT INTO replica (replica_id, last_seen, epochs_seen, offset_us, build) VALUES (?1, {now}, ?2, ?3, ?4) \
             ON CONFLICT (replica_id) DO UPDATE SET last_seen = excluded.last_seen, \
             epochs_seen = excluded.epochs_seen, offset_us = excluded.offset_us, build = excluded.build"
        );
        session.execute(&sql, params![id, &seen, offset_us, build])?;
        let forgotten = format!("DELETE FROM replica WHERE last_seen < {now} - ?1");
        session.execute(&forgotten, params![FORGOTTEN_AFTER.as_us()])?;
        Ok(())
    }

    /// Every replica that was heard of within this span, by its name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn replicas(&self, within: Span) -> Result<Vec<Replica>, Error> {
        let connection = self.connection()?;
        let session = connection.session();
        let since = session.read_clock()? - within.as_us();
        let sql = "SELECT replica_id, last_seen, epochs_seen, offset_us, build FROM replica \
                   WHERE last_seen >= ?1 ORDER BY replica_id";
        session.query(sql, params![since])?.iter().map(read).collect()
    }
}

impl Replica {
    /// The change counter of a ring as this replica has it; 0 for a ring that it has not.
    pub fn epoch(&self, ring_id: &str) -> u64 {
        self.epochs_seen.iter().find(|(id, _)| id == ring_id).map_or(0, |(_, epoch)| *epoch)
    }
}

fn read(row: &Row) -> Result<Replica, Error> {
    let seen: String = row.get(2)?;
    let epoch = |line: &str| line.rsplit_once(' ').and_then(|(id, epoch)| Some((id.to_owned(), epoch.parse().ok()?)));
    Ok(Replica {
        id: row.get(0)?,
        last_seen: Time::from_us(row.get(1)?),
        epochs_seen: seen.lines().filter_map(epoch).collect(),
        offset_us: row.get(3)?,
        build: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{postgres, sql};

    #[test]
    fn a_replica_is_known_by_its_last_word_for_a_day() {
        let store = postgres();
        let epochs = |epoch| Epochs {
            now: Time::from_us(0),
            of_rings: vec![("public/a".to_owned(), epoch), ("app-2/a".to_owned(), 7)],
            verify_only: 0,
        };
        store.report("one", &epochs(1), 5, "1").unwrap();
        store.report("other", &epochs(1), -5, "2").unwrap();
        store.report("one", &epochs(2), 6, "1").unwrap();
        let minute = Span::from_secs(60);
        let [one, other] = <[Replica; 2]>::try_from(store.replicas(minute).unwrap()).unwrap();
        assert_eq!((one.epoch("public/a"), one.epoch("app-2/a"), one.epoch("public/b")), (2, 7, 0));
        assert_eq!((one.offset_us, other.offset_us, other.build.as_str()), (6, -5, "2"));
        sql(&store, "UPDATE replica SET last_seen = last_seen - 61000000 WHERE replica_id = 'other'").unwrap();
        assert_eq!(store.replicas(minute).unwrap().len(), 1);
        sql(&store, "UPDATE replica SET last_seen = last_seen - 86400000000 WHERE replica_id = 'other'").unwrap();
        store.report("one", &epochs(2), 6, "1").unwrap();
        assert_eq!(store.replicas(Span::from_secs(10 * 86_400)).unwrap().len(), 1, "forgotten");
        assert_eq!(store.last_change().unwrap(), 1, "no change of the store");
    }
}
