//! No refusal says a secret.

use jose::{
    DecryptionKey, EncryptionKey, Error, PrivateJwk, SecretForm, SigningKey, VerifyingKey, base64url,
    jwa::{KeyAlgorithm, SignatureAlgorithm, Switches},
    jwk::{Jwk, JwkSet, PublicJwk},
    jwt::{NumericDate, Policy},
};

use crate::support::{row, signed, signer, verifier};

const CANARY: &str = "canary-7f3a-in-every-secret-and-payload";

/// Every way in which a text may hold the canary.
fn says_it(text: &str) -> bool {
    let hex: String = CANARY.bytes().map(|octet| format!("{octet:02x}")).collect();
    let decimal = CANARY.bytes().map(|octet| octet.to_string()).collect::<Vec<_>>().join(", ");
    let encoded = base64url::encode(CANARY.as_bytes());
    [CANARY, &hex, &decimal, &encoded[..encoded.len() - 2]].iter().any(|form| text.contains(form))
}

/// JO-65: texts and Debug output of refusals that had the secret, the key or the payload before them.
#[test]
fn refusals_hold_no_secret() {
    assert!(says_it(&format!("{:?}", CANARY.as_bytes())), "the watch sees octets");
    let mut refusals: Vec<Error> = Vec::new();
    let secret = PrivateJwk::from_octets(CANARY.as_bytes()).unwrap();
    for algorithm in SignatureAlgorithm::ALL {
        refusals.extend(SigningKey::new(algorithm, &secret, Switches::NONE).err());
        refusals.extend(VerifyingKey::from_private(algorithm, &secret, Switches::NONE).err());
    }
    for algorithm in KeyAlgorithm::ALL {
        refusals.extend(EncryptionKey::from_secret(algorithm, &secret, Switches::NONE).err());
        refusals.extend(DecryptionKey::new(algorithm, &secret, Switches::NONE).err());
        refusals.extend(DecryptionKey::from_password(algorithm, CANARY.as_bytes(), Switches::NONE).err());
    }
    let d = base64url::encode(CANARY.as_bytes());
    for jwk in [
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"{d}"}}"#),
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{d}","y":"{d}","d":"{d}"}}"#),
        format!(r#"{{"kty":"{CANARY}","d":"{d}"}}"#),
        format!(r#"{{"kty":"oct","k":"{CANARY}!"}}"#),
        format!(r#"{{"kty":"oct","k":"{d}","key_ops":"{CANARY}"}}"#),
        format!(r#"{{"kty":"oct","k":"{d}"#),
        format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----"),
    ] {
        refusals.extend(Jwk::import(jwk.as_bytes()).err());
        refusals.extend(PublicJwk::parse(jwk.as_bytes()).err());
        refusals.extend(JwkSet::parse(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()).err());
    }
    refusals.extend(PrivateJwk::from_secret(CANARY.as_bytes(), SecretForm::Hex).err());
    let payload = format!(r#"{{"exp":"{CANARY}","aud":5,"iss":"{CANARY}"}}"#);
    let now = NumericDate::from_secs(0);
    refusals.extend(Policy::default().validate(None, payload.as_bytes(), now).err());
    let strict = Policy { issuers: vec!["x".into()], exp: jose::jwt::ExpRule::Optional, ..Policy::default() };
    refusals.extend(strict.validate(None, format!(r#"{{"iss":"{CANARY}"}}"#).as_bytes(), now).err());
    let key = crate::support::key_for(row("HS256"));
    let other = crate::support::key_for(row("HS256"));
    let token = signed(&signer("HS256", &key), payload.as_bytes());
    refusals.extend(crate::support::verified(&token, &verifier("HS256", &other)).err());
    assert!(refusals.len() > 60, "{}", refusals.len());
    for refusal in refusals {
        assert!(!says_it(&format!("{refusal} {refusal:?}")), "{}", refusal.code());
    }
}
