//! How a `JWT - Generator` describes itself: every field of contract sections 2 to 5, by its place below `config`.

use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The node.
pub(crate) const GENERATOR: NodeSpec = NodeSpec {
    kind: "jwt-generator",
    category: "tokens",
    colour: "#3a86c8",
    summary: "Makes a JWT from configured claims, a signature and optional encryption.",
    inputs: 1,
    outputs: Outputs::Labelled(&["True", "Failure"]),
    fields: FIELDS,
};

const FIELDS: &[FieldSpec] = &[
    FieldSpec::new("ttl", "JWT TTL", "Seconds until the token expires.", FieldKind::Number(300)),
    FieldSpec::new("claims/include/iat", "iat", "Whether the token says when it was issued.", FieldKind::Flag(true)),
    FieldSpec::new("claims/include/iss", "iss", "Whether the token says who issued it.", FieldKind::Flag(true)),
    FieldSpec::new("claims/include/sub", "sub", "Whether the token says whom it is about.", FieldKind::Flag(true)),
    FieldSpec::new("claims/include/exp", "exp", "Whether the token says when it expires.", FieldKind::Flag(true)),
    FieldSpec::new("claims/iss", "Issuer value", "The issuer.", FieldKind::Text("{{flow.issuer}}")),
    FieldSpec::new("claims/sub", "Subject value", "The subject.", FieldKind::Text("{{user.id}}")),
    FieldSpec::new(
        "claims/custom",
        "Custom Claims",
        "Further claims: key, value and type of each.",
        FieldKind::Rows(&["key", "value", "type"]),
    ),
    FieldSpec::new(
        "signature/type",
        "Choose Signature type",
        "By which kind of key it is signed.",
        FieldKind::Choice(SIGNATURE),
    ),
    FieldSpec::new(
        "signature/allowWeakHmac",
        "Allow weak HMAC",
        "Whether a secret shorter than its hash is taken.",
        FieldKind::Flag(false),
    ),
    FieldSpec::new("signature/symmetric/kid", "KID", "The id of the key in the header.", FieldKind::Text("")),
    FieldSpec::new(
        "signature/symmetric/algorithm",
        "OCT Algorithm",
        "The algorithm that signs.",
        FieldKind::Choice(HMAC),
    ),
    FieldSpec::new(
        "signature/symmetric/password",
        "Password",
        "The shared secret, by its UTF-8 octets.",
        FieldKind::Secret,
    ),
    FieldSpec::new("signature/symmetric/jwk", "JWK", "The same secret as a JWK.", FieldKind::Secret),
    FieldSpec::new(
        "signature/symmetric/keyRef",
        "Key ring",
        "A key ring in the place of material.",
        FieldKind::Text(""),
    ),
    FieldSpec::new("signature/asymmetric/keyType", "Asymmetric Key Type", "RSA or EC.", FieldKind::Choice(KEY_TYPE)),
    FieldSpec::new("signature/asymmetric/kid", "KID", "The id of the key in the header.", FieldKind::Text("")),
    FieldSpec::new(
        "signature/asymmetric/keySize",
        "Key Size",
        "Bits that an RSA key must have.",
        FieldKind::Choice(KEY_SIZE),
    ),
    FieldSpec::new(
        "signature/asymmetric/rsaAlgorithm",
        "RSA Algorithm",
        "The algorithm that signs with an RSA key.",
        FieldKind::Choice(RSA_SIGNATURE),
    ),
    FieldSpec::new(
        "signature/asymmetric/ecAlgorithm",
        "EC Algorithm",
        "The algorithm that signs with an EC key.",
        FieldKind::Choice(EC_SIGNATURE),
    ),
    FieldSpec::new(
        "signature/asymmetric/curve",
        "Curve",
        "The curve, which the algorithm fixes.",
        FieldKind::Choice(CURVE),
    ),
    FieldSpec::new(
        "signature/asymmetric/privateKey",
        "Private Key",
        "The key that signs: PEM or JWK.",
        FieldKind::Secret,
    ),
    FieldSpec::new("signature/asymmetric/password", "Password", "Another name of Private Key.", FieldKind::Secret),
    FieldSpec::new(
        "signature/asymmetric/publicKey",
        "Public Key",
        "The key that verifies: PEM or JWK.",
        FieldKind::Text(""),
    ),
    FieldSpec::new(
        "signature/asymmetric/keyRef",
        "Key ring",
        "A key ring in the place of material.",
        FieldKind::Text(""),
    ),
    FieldSpec::new(
        "encryption/type",
        "Choose Encryption type",
        "By which kind of key it is encrypted.",
        FieldKind::Choice(ENCRYPTION),
    ),
    FieldSpec::new(
        "encryption/contentEncryption",
        "Content encryption",
        "The algorithm that encrypts the content.",
        FieldKind::Choice(CONTENT),
    ),
    FieldSpec::new("encryption/symmetric/kid", "KID", "The id of the key in the header.", FieldKind::Text("")),
    FieldSpec::new(
        "encryption/symmetric/algorithm",
        "OCT Algorithm",
        "The algorithm of key management.",
        FieldKind::Choice(SECRET_KEY),
    ),
    FieldSpec::new(
        "encryption/symmetric/password",
        "Password",
        "The shared secret, of the exact length.",
        FieldKind::Secret,
    ),
    FieldSpec::new("encryption/symmetric/jwk", "JWK", "The same secret as a JWK.", FieldKind::Secret),
    FieldSpec::new("encryption/asymmetric/keyType", "Asymmetric Key Type", "RSA or EC.", FieldKind::Choice(KEY_TYPE)),
    FieldSpec::new("encryption/asymmetric/kid", "KID", "The id of the key in the header.", FieldKind::Text("")),
    FieldSpec::new(
        "encryption/asymmetric/keySize",
        "Key Size",
        "Bits that an RSA key must have.",
        FieldKind::Choice(KEY_SIZE),
    ),
    FieldSpec::new(
        "encryption/asymmetric/rsaAlgorithm",
        "RSA Algorithm",
        "The algorithm that encrypts to an RSA key.",
        FieldKind::Choice(RSA_KEY),
    ),
    FieldSpec::new(
        "encryption/asymmetric/ecAlgorithm",
        "EC Algorithm",
        "The algorithm that encrypts to an EC key.",
        FieldKind::Choice(EC_KEY),
    ),
    FieldSpec::new("encryption/asymmetric/curve", "Curve", "The curve of the key.", FieldKind::Choice(CURVE)),
    FieldSpec::new("encryption/asymmetric/publicKey", "Public Key", "The recipient's key in PEM.", FieldKind::Text("")),
    FieldSpec::new("encryption/asymmetric/publicJwk", "Public JWK", "The same key as a JWK.", FieldKind::Text("")),
    FieldSpec::new(
        "save/attributes",
        "Attributes",
        "What of the token is saved.",
        FieldKind::Several(super::attributes::ATTRIBUTES),
    ),
    FieldSpec::new("save/variable", "Variable name", "The variable it is saved in.", FieldKind::Text("jwt")),
    FieldSpec::new(
        "save/frontend",
        "Available to the frontend",
        "Whether front-end nodes may read it.",
        FieldKind::Flag(false),
    ),
];

pub(super) type Choices = &'static [(&'static str, &'static str)];

pub(super) const SIGNATURE: Choices =
    &[("symmetric", "Symmetric Key (Password)"), ("asymmetric", "Asymmetric Key"), ("none", "None")];
pub(super) const ENCRYPTION: Choices =
    &[("none", "None"), ("symmetric", "Symmetric Key (Password)"), ("asymmetric", "Asymmetric Key")];
pub(super) const KEY_TYPE: Choices = &[("RSA", "RSA"), ("EC", "EC")];
pub(super) const KEY_SIZE: Choices = &[("3072", "3072"), ("2048", "2048"), ("4096", "4096")];
pub(super) const CURVE: Choices = &[("P-256", "P-256"), ("P-384", "P-384"), ("P-521", "P-521")];
pub(super) const HMAC: Choices = &[("HS256", "HS256"), ("HS384", "HS384"), ("HS512", "HS512")];
pub(super) const RSA_SIGNATURE: Choices = &[
    ("RS256", "RS256"),
    ("RS384", "RS384"),
    ("RS512", "RS512"),
    ("PS256", "PS256"),
    ("PS384", "PS384"),
    ("PS512", "PS512"),
];
pub(super) const EC_SIGNATURE: Choices = &[("ES256", "ES256"), ("ES384", "ES384"), ("ES512", "ES512")];
pub(super) const CONTENT: Choices = &[
    ("A256GCM", "A256GCM"),
    ("A128GCM", "A128GCM"),
    ("A192GCM", "A192GCM"),
    ("A128CBC-HS256", "A128CBC-HS256"),
    ("A192CBC-HS384", "A192CBC-HS384"),
    ("A256CBC-HS512", "A256CBC-HS512"),
];
pub(super) const SECRET_KEY: Choices = &[
    ("A256KW", "A256KW"),
    ("A128KW", "A128KW"),
    ("A192KW", "A192KW"),
    ("A128GCMKW", "A128GCMKW"),
    ("A192GCMKW", "A192GCMKW"),
    ("A256GCMKW", "A256GCMKW"),
    ("dir", "dir"),
];
pub(super) const RSA_KEY: Choices = &[("RSA-OAEP-256", "RSA-OAEP-256"), ("RSA-OAEP", "RSA-OAEP")];
pub(super) const EC_KEY: Choices = &[
    ("ECDH-ES+A256KW", "ECDH-ES+A256KW"),
    ("ECDH-ES", "ECDH-ES"),
    ("ECDH-ES+A128KW", "ECDH-ES+A128KW"),
    ("ECDH-ES+A192KW", "ECDH-ES+A192KW"),
];
