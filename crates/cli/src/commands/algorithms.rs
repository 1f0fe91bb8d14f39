//! `explain algorithms`: the table of algorithms, straight from its rows.

use jose::jwa::{ContentEncryption, Grade, KeyAlgorithm, SignatureAlgorithm};
use serde_json::json;

use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

/// What is told of one name.
struct Told {
    place: &'static str,
    name: &'static str,
    key: String,
    grade: Grade,
    reference: &'static str,
}

/// Writes every row.
pub(super) fn explain(voice: Voice) -> Result<ExitCode, Failure> {
    if !voice.is_json() {
        voice.result(format!("{:8}  {:18}  {:24}  {:63}  {}", "place", "name", "offered", "key", "defined in"))?;
    }
    for told in rows() {
        voice.result(if voice.is_json() { told.as_json().to_string() } else { told.as_text() })?;
    }
    Ok(ExitCode::Done)
}

fn rows() -> impl Iterator<Item = Told> {
    let signing = SignatureAlgorithm::ALL.iter().map(|row| Told {
        place: "JWS alg",
        name: row.name,
        key: row.key.to_string(),
        grade: row.grade,
        reference: row.reference,
    });
    let keys = KeyAlgorithm::ALL.iter().map(|row| Told {
        place: "JWE alg",
        name: row.name,
        key: row.key.to_string(),
        grade: row.grade,
        reference: row.reference,
    });
    let content = ContentEncryption::ALL.iter().map(|row| Told {
        place: "JWE enc",
        name: row.name,
        key: format!("{} octets, drawn for each token", row.cek_octets),
        grade: Grade::Offered,
        reference: row.reference,
    });
    signing.chain(keys).chain(content)
}

impl Told {
    fn as_json(&self) -> serde_json::Value {
        json!({
            "place": self.place,
            "name": self.name,
            "offered": self.offered(),
            "key": self.key,
            "reference": self.reference,
        })
    }

    fn as_text(&self) -> String {
        let Self { place, name, key, reference, .. } = self;
        format!("{place:8}  {name:18}  {:24}  {key:63}  {reference}", self.offered())
    }

    /// `yes`, `no`, or the switch that it waits for.
    fn offered(&self) -> &'static str {
        match self.grade {
            Grade::Offered => "yes",
            Grade::OptIn(switch) => switch.name(),
            Grade::Gap(_) => "no",
        }
    }
}
