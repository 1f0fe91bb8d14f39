//! What the scripts of a document keep from one message to the next: their own, their section's, their document's.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use plan::{Cells, Map, Origin, Parts, Path, Scope, Segment, Unencodable, Value, look};
use sandbox::Reach;

/// What all variables of one document may hold together, in octets of their texts and a fixed price for each value.
pub const VARIABLES_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// What each value counts for beside its text.
const VALUE_BYTES: usize = 32;

/// The variables of one document. They live in this process, so the death of a worker does not touch them.
#[derive(Debug, Default)]
pub struct Variables(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_scope: HashMap<Scope, Value>,
    bytes: usize,
}

/// The document's variables hold too much; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the variables of this document would hold more than {VARIABLES_BYTES_MAX} octets")]
pub struct Full;

impl Variables {
    /// What stands at a path of the variables of this scope; undefined if nothing does.
    pub fn read(&self, scope: &Scope, path: &Path) -> Value {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(root) = kept.by_scope.get(scope) else { return Value::Undefined };
        look(root, path, &Cells::default())
    }

    /// Writes there, making what is missing on the way; undefined takes out what stands there.
    ///
    /// # Errors
    ///
    /// [`Full`], beyond [`VARIABLES_BYTES_MAX`].
    pub fn write(&self, scope: &Scope, path: &Path, value: Value) -> Result<(), Full> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = without_handles(value);
        let Kept { by_scope, bytes } = &mut *kept;
        let root = by_scope.entry(scope.clone()).or_insert_with(|| Map::new().into());
        let cells = &mut Cells::default();
        if value.is_undefined() {
            let gone = path.remove(root, cells);
            if !gone.is_undefined() {
                *bytes = bytes.saturating_sub(size(&gone) + path.0.last().map_or(0, name_size));
            }
            return Ok(());
        }
        let before = path.read(root, cells);
        let gone = if before.is_undefined() { 0 } else { size(before) };
        let after = bytes.saturating_sub(gone) + size(&value) + missing_size(path, root);
        if after > VARIABLES_BYTES_MAX {
            return Err(Full);
        }
        if path.write(root, cells, value) {
            *bytes = after;
        }
        Ok(())
    }

    /// The names of the variables, as a list of texts.
    pub fn keys(&self, scope: &Scope) -> Value {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names = kept.by_scope.get(scope).and_then(Value::as_map);
        Value::list(names.into_iter().flat_map(Map::iter).map(|(name, _)| Value::Text(name.clone())).collect())
    }
}

/// The scope of what a node reaches.
pub fn scope(node: &Origin, reach: Reach) -> Scope {
    match reach {
        Reach::Node => Scope::Node(node.id.clone()),
        Reach::Section => Scope::Section(node.section.clone()),
        Reach::Document => Scope::Document,
    }
}

/// A handle leads into the request of one run and means nothing to the next: it is left out.
fn without_handles(value: Value) -> Value {
    if !holds_handle(&value) {
        return value;
    }
    match value.parts() {
        Parts::List(items) => Value::list(items.iter().cloned().map(without_handles).collect()),
        Parts::Map(map) => {
            Map::from_iter(map.iter().map(|(name, member)| (name.clone(), without_handles(member.clone())))).into()
        }
        Parts::None => Value::Undefined,
    }
}

fn holds_handle(value: &Value) -> bool {
    match value.parts() {
        Parts::List(items) => items.iter().any(holds_handle),
        Parts::Map(map) => map.iter().any(|(_, member)| holds_handle(member)),
        Parts::None => matches!(value, Value::Handle(_)),
    }
}

/// What a value counts for. Shared subtrees count as often as they stand in it.
fn size(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::Undefined
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Date(_)
            | Value::Handle(_)
            | Value::Unencodable(Unencodable::Circular | Unencodable::Function) => 0,
            Value::Unencodable(Unencodable::BigInt(digits)) => digits.len(),
            Value::Unencodable(Unencodable::Pattern(regexp)) => regexp.source.len() + regexp.flags.len(),
            Value::Text(text) => text.len(),
            Value::Bytes(octets) => octets.len(),
            Value::List(items) => items.iter().map(size).sum(),
            Value::Map(map) => map.iter().map(|(name, member)| name.len() + size(member)).sum(),
        }
}

/// What the names and maps count for that must be made on the way to a value.
fn missing_size(path: &Path, root: &Value) -> usize {
    let cells = Cells::default();
    let missing = (0..path.0.len()).skip_while(|at| !Path(path.0[..=*at].into()).read(root, &cells).is_undefined());
    let names: Vec<usize> = missing.map(|at| name_size(&path.0[at])).collect();
    names.iter().sum::<usize>() + names.len().saturating_sub(1) * VALUE_BYTES
}

fn name_size(segment: &Segment) -> usize {
    match segment {
        Segment::Key(name) => name.len(),
        Segment::Index(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, section: &str) -> Origin {
        Origin { id: id.into(), kind: "function".into(), name: "".into(), section: section.into() }
    }

    /// NR-91: a variable is seen by all who share its reach and by nobody else; paths lead into it.
    #[test]
    fn each_reach_is_shared_by_its_own() {
        let variables = Variables::default();
        let (a, b, far) = (node("a", "s1"), node("b", "s1"), node("c", "s2"));
        let path = Path::keys(["count", "of"]);
        for (reach, seen) in
            [(Reach::Node, [true, false, false]), (Reach::Section, [true, true, false]), (Reach::Document, [true; 3])]
        {
            variables.write(&scope(&a, reach), &path, Value::integer(7)).unwrap();
            for (reader, sees) in [&a, &b, &far].into_iter().zip(seen) {
                let expected = if sees { Value::integer(7) } else { Value::Undefined };
                assert_eq!(variables.read(&scope(reader, reach), &path), expected, "{reach:?} {}", reader.id);
            }
        }
        assert_eq!(variables.keys(&scope(&b, Reach::Section)), Value::list(vec![Value::text("count")]));
        variables.write(&scope(&a, Reach::Node), &Path::keys(["count"]), Value::Undefined).unwrap();
        assert_eq!(variables.keys(&scope(&a, Reach::Node)), Value::list(vec![]));
    }

    #[test]
    fn the_request_of_one_run_is_not_kept_for_the_next() {
        let variables = Variables::default();
        let kept = Value::map([("req", Value::Handle(plan::Handle(0))), ("n", Value::integer(1))]);
        variables.write(&scope(&node("a", "s"), Reach::Node), &Path::keys(["m"]), kept).unwrap();
        let expected = Value::map([("req", Value::Undefined), ("n", Value::integer(1))]);
        assert_eq!(variables.read(&scope(&node("a", "s"), Reach::Node), &Path::keys(["m"])), expected);
    }

    #[test]
    fn a_document_keeps_no_more_than_its_bound() {
        let variables = Variables::default();
        let half = Value::text("x".repeat(VARIABLES_BYTES_MAX / 2));
        let write = |name: &str| variables.write(&Scope::Document, &Path::keys([name]), half.clone());
        assert_eq!(write("one"), Ok(()));
        for _ in 0..3 {
            assert_eq!(write("one"), Ok(()), "what is replaced counts no more");
        }
        assert_eq!(write("two"), Err(Full));
        variables.write(&Scope::Document, &Path::keys(["one"]), Value::Undefined).unwrap();
        assert_eq!(write("two"), Ok(()));
        variables.write(&Scope::Document, &Path::keys(["two"]), Value::Undefined).unwrap();
        assert_eq!(variables.0.lock().unwrap().bytes, 0, "nothing is left over");
    }
}
