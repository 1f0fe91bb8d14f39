//! Secrets that stood in a document, and what shall become of the stored ones.

use plan::SecretRef;

/// A secret that stood in a document.
#[derive(Clone, PartialEq, Eq)]
pub struct FoundSecret {
    /// Whose it is.
    pub secret: SecretRef,
    /// What shall become of the stored one.
    pub change: SecretChange,
}

/// What a document asks to be done with a stored secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretChange {
    /// It stays as it is.
    Keep,
    /// It is deleted.
    Delete,
    /// It becomes this text; wholly `${NAME}` or `$(NAME)`, it refers to a variable of the environment.
    Set(String),
}

impl std::fmt::Debug for FoundSecret {
    /// Shows whose it is and never what it holds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundSecret").field("secret", &self.secret).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SecretChange {
    /// Shows what is done and never the text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Delete => "Delete",
            Self::Set(_) => "Set(..)",
        })
    }
}
