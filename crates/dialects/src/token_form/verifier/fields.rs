//! How a `JWT - Verifier` describes itself: every field by its place below `config`.

use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};
use crate::token_form::attributes::ATTRIBUTES;
use crate::token_form::fields::{
    CONTENT, Choices, EC_KEY, EC_SIGNATURE, ENCRYPTION, HMAC, KEY_TYPE, RSA_KEY, RSA_SIGNATURE, SECRET_KEY, SIGNATURE,
};

/// The node.
pub(crate) const VERIFIER: NodeSpec = NodeSpec {
    kind: "jwt-verifier",
    category: "tokens",
    colour: "#2f6f9f",
    summary: "Checks a JWT: decrypts it, verifies its signature and holds its claims against what is expected.",
    inputs: 1,
    outputs: Outputs::Labelled(&["True", "Failure"]),
    fields: FIELDS,
};

const FIELDS: &[FieldSpec] = &[
    FieldSpec::new("jwt", "JWT", "The token; a scheme `Bearer` before it is taken off.", FieldKind::Text("")),
    choice("signature/type", "Choose Signature type", "By which kind of key it was signed.", SIGNATURE),
    FieldSpec::new(
        "signature/allowWeakHmac",
        "Allow weak HMAC",
        "Whether a secret shorter than its hash is taken.",
        FieldKind::Flag(false),
    ),
    choice("signature/symmetric/algorithm", "OCT Algorithm", "The algorithm that must have signed.", HMAC),
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
    choice("signature/asymmetric/keyType", "Asymmetric Key Type", "RSA or EC.", KEY_TYPE),
    choice(
        "signature/asymmetric/rsaAlgorithm",
        "RSA Algorithm",
        "The algorithm that must have signed with an RSA key.",
        RSA_SIGNATURE,
    ),
    choice(
        "signature/asymmetric/ecAlgorithm",
        "EC Algorithm",
        "The algorithm that must have signed with an EC key.",
        EC_SIGNATURE,
    ),
    FieldSpec::new(
        "signature/asymmetric/publicKey",
        "Public Key",
        "The key that verifies: PEM or JWK.",
        FieldKind::Text(""),
    ),
    FieldSpec::new("signature/asymmetric/publicJwk", "Public JWK", "The same key as a JWK.", FieldKind::Text("")),
    FieldSpec::new(
        "signature/asymmetric/keyRef",
        "Key ring",
        "A key ring in the place of material.",
        FieldKind::Text(""),
    ),
    choice("encryption/type", "Choose Encryption type", "By which kind of key it is decrypted.", ENCRYPTION),
    choice(
        "encryption/contentEncryption",
        "Content encryption",
        "The algorithm that must have encrypted the content.",
        CONTENT,
    ),
    choice("encryption/symmetric/algorithm", "OCT Algorithm", "The algorithm of key management.", SECRET_KEY),
    FieldSpec::new(
        "encryption/symmetric/password",
        "Password",
        "The shared secret, of the exact length.",
        FieldKind::Secret,
    ),
    FieldSpec::new("encryption/symmetric/jwk", "JWK", "The same secret as a JWK.", FieldKind::Secret),
    choice("encryption/asymmetric/keyType", "Asymmetric Key Type", "RSA or EC.", KEY_TYPE),
    choice(
        "encryption/asymmetric/rsaAlgorithm",
        "RSA Algorithm",
        "The algorithm of key management with an RSA key.",
        RSA_KEY,
    ),
    choice(
        "encryption/asymmetric/ecAlgorithm",
        "EC Algorithm",
        "The algorithm of key management with an EC key.",
        EC_KEY,
    ),
    FieldSpec::new(
        "encryption/asymmetric/privateKey",
        "Private Key",
        "The key that decrypts: PEM or JWK.",
        FieldKind::Secret,
    ),
    FieldSpec::new("expected/iss", "Expected issuer", "What `iss` must be.", FieldKind::Text("")),
    FieldSpec::new("expected/aud", "Expected audience", "What `aud`, or one of it, must be.", FieldKind::Text("")),
    FieldSpec::new("expected/claims", "Required claims", "Names of claims that must be there.", FieldKind::Texts),
    FieldSpec::new(
        "clockTolerance",
        "Clock tolerance",
        "Seconds that clocks may differ by, up to 300.",
        FieldKind::Number(0),
    ),
    FieldSpec::new("save/attributes", "Attributes", "What of the token is saved.", FieldKind::Several(ATTRIBUTES)),
    FieldSpec::new("save/variable", "Variable name", "The variable it is saved in.", FieldKind::Text("jwt")),
    FieldSpec::new(
        "save/frontend",
        "Available to the frontend",
        "Whether front-end nodes may read it.",
        FieldKind::Flag(false),
    ),
];

const fn choice(name: &'static str, label: &'static str, summary: &'static str, choices: Choices) -> FieldSpec {
    FieldSpec::new(name, label, summary, FieldKind::Choice(choices))
}
