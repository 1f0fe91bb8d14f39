//! The claims that every library writes: 224 octets.

/// 118 octets that every token has, and 106 that differ: four blocks of SHA-256 are left of seven.
pub(crate) const CONSTANT: &[u8] = br#"{"iss":"https://issuer.example/tenants/71","aud":["https://api.example","https://files.example"],"scope":"read write","#;
pub(crate) const TAIL: &[u8] =
    br#""jti":"hZ0_Qk5LQ0d1bXBz","iat":1760000000,"exp":1760003600,"sub":"alice@example.com","name":"Alice Liddell"}"#;

pub(crate) fn text() -> Vec<u8> {
    [CONSTANT, TAIL].concat()
}

/// As the libraries that take values are given them.
pub(crate) fn object() -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_slice(&text()).expect("the claims are JSON")
}
