//! `flows_cred.json`: the credentials that Node-RED keeps beside a flow file (section 8).
//!
//! The encrypted form is AES-256-CTR without a code that would authenticate it: a wrong secret shows only because what
//! comes out is no JSON. Chancery reads and writes it to move in and out; it keeps nothing in it.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::iv::FixedLength;
use base64_simd::STANDARD;
use jose::json::{Limits, Object, Value as Json, write_value};
use plan::{Diagnostic, SecretRef};

use super::{nodes, syntax};
use crate::found::{FoundSecret, SecretChange};

/// The one member of the encrypted form.
const ENCRYPTED_MEMBER: &str = "$";
/// The member of `.config.runtime.json` that holds the secret which Node-RED made for itself.
const RUNTIME_SECRET: &str = "_credentialSecret";
const IV_BYTES: usize = 16;
const IV_CHARS: usize = 2 * IV_BYTES;

/// The credentials of a flow: for each node by its id, its fields.
#[derive(Default, PartialEq)]
pub struct Credentials {
    nodes: Object,
    encrypted: bool,
}

/// Why a credentials file was not read or written; code `credentials_load_failed`. The file itself stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The file is not JSON of either form.
    #[error("the credentials file is neither of the forms that Node-RED writes")]
    Malformed,
    /// The file is encrypted and no secret was named.
    #[error("the credentials file is encrypted, and no credentialSecret was given")]
    SecretMissing,
    /// What comes out under the secret is no JSON.
    #[error("the credentials file does not open with this credentialSecret")]
    SecretWrong,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Cipher,
}

impl Credentials {
    /// Reads a credentials file, encrypted or plain. A plain one is read whatever secret is given.
    ///
    /// # Errors
    /// [`CredentialsError`].
    pub fn read(octets: &[u8], secret: Option<&str>) -> Result<Self, CredentialsError> {
        let file = object(octets).ok_or(CredentialsError::Malformed)?;
        let Some(sealed) = file.get(ENCRYPTED_MEMBER) else {
            return Ok(Self { nodes: checked(file).ok_or(CredentialsError::Malformed)?, encrypted: false });
        };
        let sealed = sealed.as_text().ok_or(CredentialsError::Malformed)?;
        let opened = decrypt(sealed, secret.ok_or(CredentialsError::SecretMissing)?)?;
        let nodes = object(&opened).and_then(checked).ok_or(CredentialsError::SecretWrong)?;
        Ok(Self { nodes, encrypted: true })
    }

    /// Whether they stood in an encrypted file; in a plain one they lay open, which is worth a warning.
    pub fn were_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Adds one credential to those that [`Self::write`] will write.
    pub fn add(&mut self, secret: &SecretRef, value: &str) {
        let mut nodes = std::mem::take(&mut self.nodes);
        let mut fields = nodes.get(&secret.owner).and_then(Json::as_object).cloned().unwrap_or_default();
        fields = with_member(fields, &secret.field, Json::Text(value.to_owned()));
        nodes = with_member(nodes, &secret.owner, Json::Object(fields));
        self.nodes = nodes;
    }

    /// Writes the encrypted form, which Node-RED opens with the same secret. The vector must be drawn anew each time.
    ///
    /// # Errors
    /// [`CredentialsError::Cipher`].
    pub fn write(&self, secret: &str, vector: [u8; IV_BYTES]) -> Result<String, CredentialsError> {
        let mut octets = Vec::new();
        write_value(&mut octets, &Json::Object(self.nodes.clone()));
        let failed = |_| CredentialsError::Cipher;
        let key = EncryptingKey::ctr(key(secret)?).map_err(failed)?;
        let context = EncryptionContext::Iv128(FixedLength::from(vector));
        key.less_safe_encrypt(&mut octets, context).map_err(failed)?;
        let vector: String = vector.iter().map(|octet| format!("{octet:02x}")).collect();
        let sealed = format!("{vector}{}", STANDARD.encode_to_string(&octets));
        let mut file = Vec::new();
        write_value(&mut file, &Json::Object(with_member(Object::new(), ENCRYPTED_MEMBER, Json::Text(sealed))));
        Ok(String::from_utf8(file).expect("the writer writes UTF-8"))
    }

    /// What they say of the secrets of a flow: only nodes that it holds and fields that their types have count.
    ///
    /// # Errors
    /// What makes the document no flow file.
    pub fn secrets_of(&self, flow: &[u8]) -> Result<Vec<FoundSecret>, Box<Diagnostic>> {
        let document = syntax::read(flow)?;
        let mut found = Vec::new();
        for node in &document.nodes {
            let fields = self.nodes.get(&node.id).and_then(Json::as_object);
            let (Some(kind), Some(fields)) = (nodes::find(&node.kind), fields) else { continue };
            for field in kind.spec.secrets() {
                if let Some(text) =
                    fields.get(field.name).and_then(Json::as_text).filter(|text| !text.trim().is_empty())
                {
                    let secret = SecretRef { owner: node.id.clone(), field: field.name.into() };
                    found.push(FoundSecret { secret, change: SecretChange::Set(text.to_owned()) });
                }
            }
        }
        Ok(found)
    }
}

/// The secret that Node-RED made for itself where its settings name none, from `.config.runtime.json`.
pub fn runtime_secret(octets: &[u8]) -> Option<String> {
    object(octets)?.get(RUNTIME_SECRET)?.as_text().map(str::to_owned)
}

impl std::fmt::Debug for Credentials {
    /// Shows how many nodes have some, and nothing of them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nodes = self.nodes.iter().count();
        f.debug_struct("Credentials").field("nodes", &nodes).field("encrypted", &self.encrypted).finish()
    }
}

fn object(octets: &[u8]) -> Option<Object> {
    match Json::parse(octets, Limits::DOCUMENT) {
        Ok(Json::Object(object)) => Some(object),
        Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Array(_)) | Err(_) => None,
    }
}

/// The object if each member of it is one itself, as `{nodeId: {field: value}}` has it.
fn checked(nodes: Object) -> Option<Object> {
    let holds = nodes.iter().all(|(_, fields)| fields.as_object().is_some());
    holds.then_some(nodes)
}

fn with_member(mut object: Object, name: &str, value: Json) -> Object {
    let _replaced = object.insert(name.to_owned(), value);
    object
}

fn key(secret: &str) -> Result<UnboundCipherKey, CredentialsError> {
    UnboundCipherKey::new(&AES_256, digest(&SHA256, secret.as_bytes()).as_ref()).map_err(|_| CredentialsError::Cipher)
}

fn decrypt(sealed: &str, secret: &str) -> Result<Vec<u8>, CredentialsError> {
    let malformed = CredentialsError::Malformed;
    let (vector, text) = sealed.split_at_checked(IV_CHARS).ok_or(malformed)?;
    let vector: Option<Vec<u8>> = (0..IV_BYTES).map(|at| hex_octet(&vector.as_bytes()[2 * at..2 * at + 2])).collect();
    let vector: [u8; IV_BYTES] = vector.and_then(|vector| vector.try_into().ok()).ok_or(malformed)?;
    let mut octets = STANDARD.decode_to_vec(text).map_err(|_| malformed)?;
    let failed = |_| CredentialsError::Cipher;
    let context = DecryptionContext::Iv128(FixedLength::from(vector));
    let key = DecryptingKey::ctr(key(secret)?).map_err(failed)?;
    Ok(key.decrypt(&mut octets, context).map_err(failed)?.to_vec())
}

fn hex_octet(digits: &[u8]) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(digits[0])? << 4 | digit(digits[1])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by Node-RED 5.0.7 under the credentialSecret `correct horse`: see `testdata/node-red/flows-cred`.
    const SEALED: &[u8] = include_bytes!("../../../../testdata/node-red/flows-cred/flows_cred.json");
    const FLOW: &[u8] = br#"[{"id":"cfg","type":"jwt-config"},{"id":"c","type":"comment"}]"#;

    fn shown(credentials: &Credentials, flow: &[u8]) -> Vec<(String, SecretChange)> {
        let found = credentials.secrets_of(flow).unwrap();
        found
            .into_iter()
            .map(|found| (format!("{}.{}", found.secret.owner, found.secret.field), found.change))
            .collect()
    }

    /// NR-31: the file that Node-RED wrote opens with its credentialSecret.
    #[test]
    fn a_file_of_node_red_opens() {
        let credentials = Credentials::read(SEALED, Some("correct horse")).unwrap();
        assert!(credentials.were_encrypted());
        let expected = ("cfg".to_owned() + ".tokensecret", SecretChange::Set("battery staple".to_owned()));
        assert_eq!(shown(&credentials, FLOW), [expected]);
    }

    #[test]
    fn a_wrong_secret_or_none_is_told_apart_from_a_broken_file() {
        assert_eq!(Credentials::read(SEALED, Some("wrong")), Err(CredentialsError::SecretWrong));
        assert_eq!(Credentials::read(SEALED, None), Err(CredentialsError::SecretMissing));
        let broken: [&[u8]; 7] = [
            b"",
            b"[]",
            br#"{"$":5}"#,
            br#"{"$":"00"}"#,
            br#"{"$":"0z"}"#,
            br#"{"a":"b"}"#,
            br#"{"$":"zz00000000000000000000000000000000AA"}"#,
        ];
        for file in broken {
            assert_eq!(Credentials::read(file, Some("s")), Err(CredentialsError::Malformed));
        }
    }

    /// NR-37: a plain file is read, and said to be one.
    #[test]
    fn a_plain_file_is_read_whatever_secret_is_given() {
        let file = br#"{"cfg":{"tokensecret":"s","unknown":"x"},"gone":{"tokensecret":"y"},"c":{"tokensecret":"z"}}"#;
        for secret in [None, Some("any")] {
            let credentials = Credentials::read(file, secret).unwrap();
            assert!(!credentials.were_encrypted());
            let expected = ("cfg.tokensecret".to_owned(), SecretChange::Set("s".to_owned()));
            assert_eq!(shown(&credentials, FLOW), [expected], "unknown fields and vanished nodes do not count");
        }
    }

    /// NR-36: what is written, letter for letter, is what Node-RED 5.0.7 was seen to open; it opens here too, with that
    /// secret and no other.
    #[test]
    fn what_is_written_opens_again() {
        let mut credentials = Credentials::default();
        credentials.add(&SecretRef { owner: "cfg".into(), field: "tokensecret".into() }, "one");
        credentials.add(&SecretRef { owner: "cfg".into(), field: "other".into() }, "zwei \u{1F511}");
        let file = credentials.write("secret", [7; IV_BYTES]).unwrap();
        assert_eq!(file, include_str!("../../../../testdata/node-red/flows-cred/written.json"));
        let opened = Credentials::read(file.as_bytes(), Some("secret")).unwrap();
        assert_eq!(opened.nodes, credentials.nodes);
        assert_eq!(Credentials::read(file.as_bytes(), Some("Secret")), Err(CredentialsError::SecretWrong));
    }

    #[test]
    fn the_secret_that_node_red_made_for_itself() {
        assert_eq!(runtime_secret(br#"{"instanceId":"x","_credentialSecret":"made"}"#).as_deref(), Some("made"));
        assert_eq!(runtime_secret(br#"{"_credentialSecret":5}"#), None);
        assert_eq!(runtime_secret(b"no JSON"), None);
    }

    #[test]
    fn nothing_of_a_secret_is_shown() {
        let credentials = Credentials::read(br#"{"n":{"tokensecret":"canary"}}"#, None).unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials { nodes: 1, encrypted: false }");
    }
}
