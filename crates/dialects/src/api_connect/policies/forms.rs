//! How `jwt-generate` describes itself: the vendor's properties in its order, under its labels, with what a new step holds.

use crate::spec::{FieldKind, FieldSpec, NodeSpec, Outputs};

/// The variable of the issuer if none is named.
pub(super) const ISSUER: &str = "iss.claim";
/// The lifetime in seconds if none is named.
pub(super) const LIFETIME_SECS: u32 = 3_600;

/// Nothing chosen: the key decides, or nothing is encrypted.
const NOT_SET: (&str, &str) = ("", "not set");

/// `jwt-generate` (section 2). The labels up to `jwe-crypto` are the vendor's own; those behind it came with later versions.
pub static JWT_GENERATE: NodeSpec = NodeSpec {
    kind: "jwt-generate",
    category: "security",
    colour: "#c7d9b7",
    summary: "Makes a JSON Web Token of variables: signed, encrypted, or signed and then encrypted.",
    inputs: 1,
    outputs: Outputs::Labelled(&["token"]),
    fields: &[
        text("title", "Title", "The title of the policy.", "jwt-generate"),
        text("description", "Description", "A description of the policy.", ""),
        text(
            "jwt",
            "JSON Web Token (JWT)",
            "The variable that takes the token; if not set, it goes into the Authorization header as a Bearer token.",
            "generated.jwt",
        ),
        FieldSpec::flag("jti-claim", "JWT ID Claim", "Whether a fresh UUID becomes `jti`.", false),
        text("iss-claim", "Issuer Claim", "Required. The variable that holds `iss`.", ISSUER),
        text("sub-claim", "Subject Claim", "The variable that holds `sub`.", ""),
        text("aud-claim", "Audience Claim", "The variable that holds `aud`; several are separated by commas.", ""),
        FieldSpec::new(
            "exp-claim",
            "Validity Period",
            "Required. Seconds from the instant of issue until the token ends.",
            FieldKind::Number(LIFETIME_SECS),
        ),
        text("private-claims", "Private Claims", "The variable that holds further claims, a JSON object.", ""),
        text("jws-jwk", "Sign JWK variable name", "The variable that holds the JWK that signs.", ""),
        choice("jws-alg", "Cryptographic Algorithm", "The algorithm that signs.", SIGNATURES),
        text("jws-crypto", "Sign Crypto Object", "The crypto object that signs; it wins over a JWK.", ""),
        choice("jwe-enc", "Encryption Algorithm", "How the content is encrypted.", CONTENTS),
        text("jwe-jwk", "Encrypt JWK variable name", "The variable that holds the JWK that encrypts.", ""),
        choice("jwe-alg", "Key Encryption Algorithm", "How the content's key is encrypted.", KEYS),
        text("jwe-crypto", "Encrypt Crypto Object", "The crypto object that encrypts; it wins over a JWK.", ""),
        text("version", "Version", "The version of the policy.", ""),
        text("custom-kid-value-jws", "Custom `kid` of the signature", "A text, or a variable that holds one.", ""),
        text("custom-kid-value-jwe", "Custom `kid` of the encryption", "A text, or a variable that holds one.", ""),
    ],
};

/// What may be chosen in a form; `$(variable)` and `none` are written into the source.
const SIGNATURES: &[(&str, &str)] = &[
    NOT_SET,
    ("HS256", "HS256"),
    ("HS384", "HS384"),
    ("HS512", "HS512"),
    ("RS256", "RS256"),
    ("RS384", "RS384"),
    ("RS512", "RS512"),
    ("ES256", "ES256"),
    ("ES384", "ES384"),
    ("ES512", "ES512"),
    ("PS256", "PS256"),
    ("PS384", "PS384"),
    ("PS512", "PS512"),
];
const CONTENTS: &[(&str, &str)] = &[
    NOT_SET,
    ("A128CBC-HS256", "A128CBC-HS256"),
    ("A192CBC-HS384", "A192CBC-HS384"),
    ("A256CBC-HS512", "A256CBC-HS512"),
    ("A128GCM", "A128GCM"),
    ("A192GCM", "A192GCM"),
    ("A256GCM", "A256GCM"),
];
const KEYS: &[(&str, &str)] = &[
    NOT_SET,
    ("RSA1_5", "RSA1_5"),
    ("RSA-OAEP-256", "RSA-OAEP-256"),
    ("dir", "dir"),
    ("A128KW", "A128KW"),
    ("A192KW", "A192KW"),
    ("A256KW", "A256KW"),
    ("RSA-OAEP", "RSA-OAEP"),
];

const fn text(name: &'static str, label: &'static str, summary: &'static str, new: &'static str) -> FieldSpec {
    FieldSpec::text(name, label, summary, new)
}

const fn choice(
    name: &'static str,
    label: &'static str,
    summary: &'static str,
    choices: &'static [(&'static str, &'static str)],
) -> FieldSpec {
    FieldSpec::new(name, label, summary, FieldKind::Choice(choices))
}

#[cfg(test)]
mod tests {
    use super::super::algorithms;
    use super::*;

    /// The vendor's table: label, property, what a new step holds.
    const TABLE: [(&str, &str, &str); 16] = [
        ("Title", "title", "jwt-generate"),
        ("Description", "description", ""),
        ("JSON Web Token (JWT)", "jwt", "generated.jwt"),
        ("JWT ID Claim", "jti-claim", "false"),
        ("Issuer Claim", "iss-claim", "iss.claim"),
        ("Subject Claim", "sub-claim", ""),
        ("Audience Claim", "aud-claim", ""),
        ("Validity Period", "exp-claim", "3600"),
        ("Private Claims", "private-claims", ""),
        ("Sign JWK variable name", "jws-jwk", ""),
        ("Cryptographic Algorithm", "jws-alg", ""),
        ("Sign Crypto Object", "jws-crypto", ""),
        ("Encryption Algorithm", "jwe-enc", ""),
        ("Encrypt JWK variable name", "jwe-jwk", ""),
        ("Key Encryption Algorithm", "jwe-alg", ""),
        ("Encrypt Crypto Object", "jwe-crypto", ""),
    ];

    fn held(kind: FieldKind) -> String {
        match kind {
            FieldKind::Text(new) => new.to_owned(),
            FieldKind::Number(new) => new.to_string(),
            FieldKind::Flag(new) => new.to_string(),
            FieldKind::Choice(choices) => choices[0].0.to_owned(),
            FieldKind::Script
            | FieldKind::Pairs
            | FieldKind::Rows(_)
            | FieldKind::Several(_)
            | FieldKind::Texts
            | FieldKind::Nodes
            | FieldKind::Assignments
            | FieldKind::Config(_)
            | FieldKind::Secret => panic!("the policy has no such field: {kind:?}"),
        }
    }

    /// AC-96 (part): what a form is drawn from has the vendor's labels and defaults, in the vendor's order.
    #[test]
    fn the_form_is_the_vendors() {
        let described: Vec<_> =
            JWT_GENERATE.fields.iter().map(|field| (field.label, field.name, held(field.kind))).collect();
        let expected: Vec<_> = TABLE.iter().map(|&(label, name, new)| (label, name, new.to_owned())).collect();
        assert_eq!(described[..TABLE.len()], expected);
        let later: Vec<_> = described[TABLE.len()..].iter().map(|(_, name, _)| *name).collect();
        assert_eq!(later, ["version", "custom-kid-value-jws", "custom-kid-value-jwe"]);
    }

    #[test]
    fn what_a_form_offers_is_what_a_document_may_hold() {
        for (name, legal, not_offered) in [
            ("jws-alg", algorithms::SIGNATURES.names, &["none"][..]),
            ("jwe-enc", algorithms::CONTENTS.names, &[]),
            ("jwe-alg", algorithms::KEYS.names, &[]),
        ] {
            let field = JWT_GENERATE.fields.iter().find(|field| field.name == name).unwrap();
            let FieldKind::Choice(choices) = field.kind else { panic!("{name} is no choice") };
            let mut offered: Vec<&str> =
                choices.iter().map(|(value, _)| *value).filter(|value| !value.is_empty()).collect();
            offered.extend(not_offered);
            let (mut offered, mut legal) = (offered, legal.to_vec());
            offered.sort_unstable();
            legal.sort_unstable();
            assert_eq!(offered, legal, "{name}");
        }
    }
}
