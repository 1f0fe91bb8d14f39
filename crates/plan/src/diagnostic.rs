//! Messages to the author of a document: what is wrong, where, why it is refused, and what to do.

use std::fmt;

use crate::value::Text;

/// One message to the author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is. A deploy with an error is refused; warnings deploy and stay visible.
    pub severity: Severity,
    /// A fixed name for programs, in `snake_case`.
    pub code: &'static str,
    /// Where in the author's own document.
    pub place: Place,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do next, in one sentence; empty if the message says it all.
    pub hint: String,
}

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It deploys, and stays visible.
    Warning,
    /// What it names does not run; the rest of the document does.
    Stopped,
    /// The deploy is refused.
    Error,
}

/// A place in the author's document. Every part may be empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The id of the node.
    pub node: Text,
    /// The type of the node.
    pub kind: Text,
    /// The id of the section (tab) it stands in.
    pub section: Text,
    /// JSON pointer (RFC 6901) into the document.
    pub pointer: String,
    /// Line and column, both from 1, where the text of the document is at hand.
    pub line_column: Option<(usize, usize)>,
}

impl Diagnostic {
    /// A message of that severity.
    pub fn new(severity: Severity, code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { severity, code, place, message: message.into(), hint: String::new() }
    }

    /// The same message with a word on what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Stopped => "stopped",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.node.is_empty() {
            parts.push(format!("node {}", self.node));
        }
        if !self.kind.is_empty() {
            parts.push(format!("type {}", self.kind));
        }
        if !self.section.is_empty() {
            parts.push(format!("tab {}", self.section));
        }
        if !self.pointer.is_empty() {
            parts.push(format!("at {}", self.pointer));
        }
        if let Some((line, column)) = self.line_column {
            parts.push(format!("line {line}, column {column}"));
        }
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity, self.code, self.message)?;
        let place = self.place.to_string();
        if !place.is_empty() {
            write!(f, "\n  --> {place}")?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n  = {}", self.hint)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_reads_as_what_where_and_what_next() {
        let place = Place { node: "n1".into(), kind: "jwt".into(), ..Place::default() };
        let told = Diagnostic::new(Severity::Warning, "secret_missing", place, "No secret is set.").hint("Set one.");
        assert_eq!(
            told.to_string(),
            "warning[secret_missing]: No secret is set.\n  --> node n1, type jwt\n  = Set one."
        );
    }
}
