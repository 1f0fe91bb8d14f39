//! State that outlives one op: the cells of a request, and the names of cells that outlive the run.

use crate::value::{Handle, Text, Value};

/// The cells of one run's request, by handle. A handle that names none reads as undefined.
#[derive(Clone, Debug, Default)]
pub struct Cells(Vec<Value>);

/// Names a cell that outlives runs. Turns on one cell run one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CellName {
    /// The document that owns the cell.
    pub document: Text,
    /// Who in the document shares it.
    pub scope: Scope,
}

/// Who shares a cell that outlives runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole document.
    Document,
    /// One section of it, by the author's id.
    Section(Text),
    /// One node, by the author's id.
    Node(Text),
}

impl Cells {
    /// Cells that hold these values, handles counted from 0.
    pub fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// What the cell holds.
    pub fn get(&self, handle: Handle) -> &Value {
        self.0.get(handle.0 as usize).unwrap_or(&Value::Undefined)
    }

    /// The cell, to change it; none if the handle names no cell.
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut Value> {
        self.0.get_mut(handle.0 as usize)
    }

    /// Every cell in order of its handle.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.0.iter()
    }
}
