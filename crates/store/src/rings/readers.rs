//! Who read the secrets of a ring, told by the audit: whoever lacks the standby will refuse its tokens.

use keyring::Time;

use crate::sql::params;
use crate::{Action, Change, Entry, Error, Outcome, Store};

/// A consumer that verifies tokens of a ring by itself, as it last read the secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// What it calls itself.
    pub name: String,
    /// The generations that it was given the last time.
    pub generations: Vec<u32>,
    /// When that was.
    pub last_read: Time,
}

impl Change<'_> {
    /// Notes that a consumer is given the secrets of these generations: to be called before it gets them.
    ///
    /// # Errors
    /// [`Error::RingName`] or [`Error::TooLarge`] for a name that could be none of a ring.
    pub fn note_read(&mut self, ring_id: &str, generations: &[u32], reader: &str) -> Result<(), Error> {
        super::check_ring_name("name of a reader", reader)?;
        let numbers: Vec<String> = generations.iter().map(u32::to_string).collect();
        let object = format!("{}{reader} {}", beginning(ring_id), numbers.join(","));
        let (action, outcome) = (Action::KeyRead, Outcome::Done);
        self.record(&Entry { action, object: &object, before: None, after: None, outcome })
    }
}

impl Store {
    /// Everybody who ever read the secrets of a ring, by name.
    ///
    /// # Errors
    /// [`Error::Database`] or [`Error::Damaged`] if the store cannot be read.
    pub fn readers(&self, ring_id: &str) -> Result<Vec<Reader>, Error> {
        let beginning = beginning(ring_id);
        let length = beginning.len();
        let sql = format!(
            "SELECT object, max(seq), max(at) FROM audit WHERE action = ?1 AND substr(object, 1, {length}) = ?2 \
             GROUP BY object ORDER BY max(seq)"
        );
        let action = Action::KeyRead.as_str();
        let rows = self.connection()?.session().query(&sql, params![action, &beginning])?;
        let mut readers: Vec<Reader> = Vec::new();
        for row in &rows {
            let (object, at): (String, i64) = (row.get(0)?, row.get(2)?);
            let Some((name, numbers)) = object.strip_prefix(&beginning).and_then(|rest| rest.split_once(' ')) else {
                continue;
            };
            let generations = numbers.split(',').filter_map(|n| n.parse().ok()).collect();
            // The rows come in order, so the last one of a name counts.
            readers.retain(|known| known.name != name);
            readers.push(Reader { name: name.to_owned(), generations, last_read: Time::from_us(at) });
        }
        readers.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(readers)
    }
}

/// How the object of each of these audit rows begins.
fn beginning(ring_id: &str) -> String {
    format!("ring {ring_id} for ")
}
