//! Why a key did not sign or verify, in kinds that a dialect has its own words for.

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Nothing is set, or something blank, or a variable that is not set.
    Missing,
    /// What is set is no key, a key too weak, or does not open.
    Unusable,
    /// It is a key, but not for this algorithm.
    Unfit,
    /// It is a secret of another length than the algorithm asks for.
    Length,
    /// The key is good; signing failed.
    Failed,
}

/// What is wrong with a key, and how an operator would say it. The text holds no octet of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    /// The kind.
    pub kind: FaultKind,
    /// One sentence for the log and the author.
    pub text: String,
}

/// Why a token does not hold, or could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The token is not well formed, names another algorithm, or its signature does not hold.
    #[error("{0}")]
    Token(jose::Error),
    /// There is no key to check it with.
    #[error("{0}")]
    Key(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Key(fault)
    }
}

impl Fault {
    /// A fault in making a key of what is set.
    pub(crate) fn in_key(error: &jose::Error) -> Self {
        let unfit = matches!(error, jose::Error::KeyUnfit { .. });
        let kind = if unfit { FaultKind::Unfit } else { FaultKind::Unusable };
        Self { kind, text: error.to_string() }
    }

    /// A fault in signing with a good key.
    pub(crate) fn in_signing(error: &jose::Error) -> Self {
        Self { kind: FaultKind::Failed, text: error.to_string() }
    }
}
