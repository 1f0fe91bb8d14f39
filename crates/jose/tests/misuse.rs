//! What keys must not be able to do. None of this compiles once a trait slips onto a key.

use std::{borrow::Borrow, fmt, ops::Deref};

use jose::{
    DecryptionKey, EncryptionKey, PrivateJwk, SigningKey, Unverified, VerifyingKey,
    json::Object,
    jwk::{PublicJwk, PublicKey},
    jws::Template,
};

/// Does not compile if the type has one of the traits: the call would then have two meanings.
macro_rules! has_none_of {
    ($type:ty: $($bound:path),+) => {{
        trait Ambiguous<A> {
            fn which() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        $({
            struct Forbidden;
            impl<T: ?Sized + $bound> Ambiguous<Forbidden> for T {}
        })+
        <$type as Ambiguous<_>>::which();
    }};
}

/// JO-27, SE-56: no key that holds a secret is shown, copied, compared or defaulted.
#[test]
fn secrets_have_no_trait_that_shows_or_copies() {
    has_none_of!(PrivateJwk: fmt::Debug, fmt::Display, fmt::LowerHex, Clone, PartialEq, Default, AsRef<[u8]>, Into<Vec<u8>>);
    has_none_of!(SigningKey: fmt::Debug, fmt::Display, fmt::LowerHex, Clone, PartialEq, Default, AsRef<[u8]>, Into<Vec<u8>>);
    has_none_of!(VerifyingKey: fmt::Debug, fmt::Display, fmt::LowerHex, Clone, PartialEq, Default, AsRef<[u8]>, Into<Vec<u8>>);
    has_none_of!(EncryptionKey: fmt::Debug, fmt::Display, fmt::LowerHex, Clone, PartialEq, Default, AsRef<[u8]>, Into<Vec<u8>>);
    has_none_of!(DecryptionKey: fmt::Debug, fmt::Display, fmt::LowerHex, Clone, PartialEq, Default, AsRef<[u8]>, Into<Vec<u8>>);
    has_none_of!(Template: fmt::Debug, fmt::Display, fmt::LowerHex, Clone, PartialEq, Default, AsRef<[u8]>, Into<Vec<u8>>);
}

/// JO-27, B-40: a private key does not turn into a public JWK but through the call that leaves its private half out.
#[test]
fn private_keys_are_not_published() {
    has_none_of!(PrivateJwk: Into<PublicJwk>, Into<PublicKey>, Deref, Borrow<PublicJwk>, AsRef<PublicJwk>);
    has_none_of!(SigningKey: Into<PublicJwk>, Deref, Borrow<PublicJwk>, AsRef<PublicJwk>);
}

/// JO-49: what was peeked at is no set of claims and gives none.
#[test]
fn peeked_text_is_no_claim() {
    has_none_of!(Unverified: Into<Object>, AsRef<Object>, Deref, Borrow<Object>);
}
