//! The rows of JWE.

use super::{
    AesSize, ContentEncryption, ContentFamily, Grade, KeyAlgorithm, KeyFamily, KeyShape, OaepHash, Sha2, Switch,
};

pub(super) const KEY_ROWS: &[KeyAlgorithm] = &[
    rsa("RSA1_5", KeyFamily::Rsa1_5, Grade::OptIn(Switch::Rsa1_5), "RFC 7518"),
    rsa("RSA-OAEP", KeyFamily::RsaOaep(OaepHash::Sha1), Grade::Offered, "RFC 7518"),
    rsa("RSA-OAEP-256", KeyFamily::RsaOaep(OaepHash::Sha2(Sha2::Sha256)), Grade::Offered, "RFC 7518"),
    rsa(
        "RSA-OAEP-384",
        KeyFamily::RsaOaep(OaepHash::Sha2(Sha2::Sha384)),
        Grade::OptIn(Switch::RsaOaepSha2),
        WEB_CRYPTO,
    ),
    rsa(
        "RSA-OAEP-512",
        KeyFamily::RsaOaep(OaepHash::Sha2(Sha2::Sha512)),
        Grade::OptIn(Switch::RsaOaepSha2),
        WEB_CRYPTO,
    ),
    oct("A128KW", KeyFamily::AesKw(AesSize::Aes128), AesSize::Aes128),
    oct("A192KW", KeyFamily::AesKw(AesSize::Aes192), AesSize::Aes192),
    oct("A256KW", KeyFamily::AesKw(AesSize::Aes256), AesSize::Aes256),
    KeyAlgorithm {
        name: "dir",
        family: KeyFamily::Direct,
        key: KeyShape::OctCek,
        grade: Grade::Offered,
        reference: "RFC 7518",
    },
    ecdh("ECDH-ES", None),
    ecdh("ECDH-ES+A128KW", Some(AesSize::Aes128)),
    ecdh("ECDH-ES+A192KW", Some(AesSize::Aes192)),
    ecdh("ECDH-ES+A256KW", Some(AesSize::Aes256)),
    oct("A128GCMKW", KeyFamily::AesGcmKw(AesSize::Aes128), AesSize::Aes128),
    oct("A192GCMKW", KeyFamily::AesGcmKw(AesSize::Aes192), AesSize::Aes192),
    oct("A256GCMKW", KeyFamily::AesGcmKw(AesSize::Aes256), AesSize::Aes256),
    pbes2("PBES2-HS256+A128KW", Sha2::Sha256, AesSize::Aes128),
    pbes2("PBES2-HS384+A192KW", Sha2::Sha384, AesSize::Aes192),
    pbes2("PBES2-HS512+A256KW", Sha2::Sha512, AesSize::Aes256),
];

pub(super) const CONTENT_ROWS: &[ContentEncryption] = &[
    cbc_hmac("A128CBC-HS256", AesSize::Aes128, Sha2::Sha256),
    cbc_hmac("A192CBC-HS384", AesSize::Aes192, Sha2::Sha384),
    cbc_hmac("A256CBC-HS512", AesSize::Aes256, Sha2::Sha512),
    gcm("A128GCM", AesSize::Aes128),
    gcm("A192GCM", AesSize::Aes192),
    gcm("A256GCM", AesSize::Aes256),
];

const WEB_CRYPTO: &str = "W3C Web Cryptography API, IANA registry";

const fn rsa(name: &'static str, family: KeyFamily, grade: Grade, reference: &'static str) -> KeyAlgorithm {
    KeyAlgorithm { name, family, key: KeyShape::Rsa, grade, reference }
}

const fn oct(name: &'static str, family: KeyFamily, size: AesSize) -> KeyAlgorithm {
    KeyAlgorithm { name, family, key: KeyShape::OctExact(size.octets()), grade: Grade::Offered, reference: "RFC 7518" }
}

const fn ecdh(name: &'static str, wrap: Option<AesSize>) -> KeyAlgorithm {
    KeyAlgorithm {
        name,
        family: KeyFamily::EcdhEs(wrap),
        key: KeyShape::Agreement,
        grade: Grade::Offered,
        reference: "RFC 7518, RFC 8037",
    }
}

const fn pbes2(name: &'static str, hash: Sha2, size: AesSize) -> KeyAlgorithm {
    KeyAlgorithm {
        name,
        family: KeyFamily::Pbes2(hash, size),
        key: KeyShape::Password,
        grade: Grade::OptIn(Switch::Pbes2),
        reference: "RFC 7518",
    }
}

const fn cbc_hmac(name: &'static str, size: AesSize, hash: Sha2) -> ContentEncryption {
    ContentEncryption {
        name,
        family: ContentFamily::CbcHmac(size, hash),
        cek_octets: 2 * size.octets(),
        iv_octets: 16,
        tag_octets: hash.octets() / 2,
        reference: "RFC 7518",
    }
}

const fn gcm(name: &'static str, size: AesSize) -> ContentEncryption {
    ContentEncryption {
        name,
        family: ContentFamily::Gcm(size),
        cek_octets: size.octets(),
        iv_octets: 12,
        tag_octets: 16,
        reference: "RFC 7518",
    }
}
