//! The rows that go in and come out, and the bounds on them.

use sha2::{Digest as _, Sha256};

use crate::Error;

/// Longest tenant, document name, kind or owner, in octets of UTF-8. None of them may be empty.
pub const NAME_BYTES_MAX: usize = 1_024;
/// Largest document, in octets (the bound of a file given on the command line, security contract section 5).
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// Largest sealed box, in octets: the largest importable key, 64 KiB, and room for its tag.
pub const SEALED_BYTES_MAX: usize = 64 * 1_024 + 64;

/// SHA-256 of a document, or the keyed digest of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The SHA-256 of `octets`.
    pub fn of(octets: &[u8]) -> Self {
        Self(Sha256::digest(octets).into())
    }
}

/// What a new store starts from: its name, its first wrapped keys and its sealed salt. Whoever seals draws them.
#[derive(Clone, Debug)]
pub struct Root {
    /// The name of this store, never changed; it is bound into every box.
    pub store_id: String,
    /// The first key-encryption key, primary.
    pub kek: Kek,
    /// The salt under which secrets are digested for the audit, sealed.
    pub salt: SealedBox,
}

/// A key-encryption key, wrapped by the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kek {
    /// The name that sealed boxes give it.
    pub kek_id: String,
    /// Whether new boxes are sealed under it. One is.
    pub is_primary: bool,
    /// The key, wrapped.
    pub wrapped: Vec<u8>,
    /// Which master key wrapped it, and how to derive that one again.
    pub root_id: String,
    /// A box with known content that opens under exactly this key.
    pub check_box: Vec<u8>,
}

/// A secret as it lies at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBox {
    /// Whose secret it is; one box an owner. Opaque to the store.
    pub owner: String,
    /// The key it lies under.
    pub kek_id: String,
    /// The cipher, by name.
    pub aead: String,
    /// The nonce.
    pub nonce: Vec<u8>,
    /// Ciphertext and tag.
    pub octets: Vec<u8>,
}

/// A document to deploy.
#[derive(Clone, Copy, Debug)]
pub struct NewDocument<'a> {
    /// Whose it is: `public`, or one per application.
    pub tenant: &'a str,
    /// Its name among its tenant's.
    pub name: &'a str,
    /// Its dialect, by name.
    pub kind: &'a str,
    /// The document as received, free of key material, at most [`DOCUMENT_BYTES_MAX`].
    pub octets: &'a [u8],
    /// The revision that must be live now, `Some(0)` for none; `None` deploys over whatever is.
    pub over: Option<u64>,
}

/// What a deploy did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The revision that is live now, counted from 1.
    pub revision: u64,
    /// Whether that revision is new. The same kind and octets again change nothing.
    pub is_new: bool,
}

/// A live document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Whose it is.
    pub tenant: String,
    /// Its name among its tenant's.
    pub name: String,
    /// Its dialect, by name.
    pub kind: String,
    /// The live revision, counted from 1.
    pub revision: u64,
    /// The document as received.
    pub octets: Vec<u8>,
    /// When that revision was stored, in microseconds UTC of the database clock.
    pub created_at_us: i64,
}

/// One revision of a document, live or not, without its octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number, counted from 1.
    pub revision: u64,
    /// Its dialect, by name.
    pub kind: String,
    /// SHA-256 of its octets.
    pub digest: Digest,
    /// When it was stored, in microseconds UTC of the database clock.
    pub created_at_us: i64,
}

/// Refuses an empty or overlong name.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::EmptyName { what });
    }
    check_size(what, name.len(), NAME_BYTES_MAX)
}

/// Refuses what is larger than its bound.
pub(crate) fn check_size(what: &'static str, found_bytes: usize, max_bytes: usize) -> Result<(), Error> {
    if found_bytes > max_bytes {
        return Err(Error::TooLarge { what, found_bytes, max_bytes });
    }
    Ok(())
}
