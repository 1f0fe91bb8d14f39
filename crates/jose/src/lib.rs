//! JSON Object Signing and Encryption: JWA, JWK, JWS and JWT, one module per RFC, without a clock or I/O
