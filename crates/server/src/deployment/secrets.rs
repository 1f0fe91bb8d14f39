//! Secrets of live documents by the names that people know, and keys that are drawn for them as a token node asks
//! (`docs/contracts/jwt-generator.md`, section 3).

use jose::jwa::{ContentEncryption, KeyAlgorithm, SignatureAlgorithm};
use jose::jwk::{Jwk, KeyParameters};
use jose::{KeyKind, PrivateJwk, SecretForm, base64url};
use plan::{Expr, KeyForm, KeyFrom, Op, Protection, SecretRef};
use signer::{RandomPool, Secret, Software};
use zeroize::Zeroizing;

use super::{Deployments, SecretNameError, Table};
use crate::vault::SecretStep;

/// A key that was drawn.
pub struct DrawnKey {
    /// What keeps it.
    pub step: SecretStep,
    /// What its other holder needs: a shared secret whole, of a pair the public half.
    pub shared: Jwk,
}

/// Why no key is drawn.
#[derive(Debug, thiserror::Error)]
pub enum NotDrawn {
    /// The node does not sign or encrypt with this secret.
    #[error(
        "no token is made with the secret `{field}` of `{owner}`; name the field of a key, such as `signature/symmetric/password`"
    )]
    NoKey {
        /// Whose it is.
        owner: String,
        /// The field.
        field: String,
    },
    /// The key is written down twice.
    #[error(
        "`{field}` is one of two views of a key, and a new one would not match the other; keep one of them in the document"
    )]
    TwoViews {
        /// The field.
        field: String,
    },
    /// A text of the exact length has fewer bits than its algorithm.
    #[error(
        "a Password of exactly so many characters is weaker than its algorithm; let the document name `encryption/symmetric/jwk`"
    )]
    Text,
    /// The recipient's key.
    #[error("the key of a recipient is made where its private half stays; set its public key")]
    Recipient,
    /// It cannot be made.
    #[error(transparent)]
    Key(#[from] jose::Error),
}

/// What a layer makes tokens for.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Signature,
    Encryption,
}

impl Deployments {
    /// The secret that a person means by the id or the name of a node and a field.
    ///
    /// # Errors
    /// If no live node is called so, or several are.
    pub fn secret_named(&self, owner: &str, field: &str) -> Result<SecretRef, SecretNameError> {
        let table = self.table();
        let mut ids: Vec<&str> = table.documents.iter().flat_map(|entry| entry.named(owner)).collect();
        ids.sort_unstable();
        ids.dedup();
        match ids.as_slice() {
            [id] => Ok(SecretRef { owner: (*id).into(), field: field.into() }),
            [] => Err(SecretNameError::Unknown { owner: owner.to_owned() }),
            several => Err(SecretNameError::Several {
                owner: owner.to_owned(),
                ids: several.iter().map(|id| (*id).to_owned()).collect(),
            }),
        }
    }

    /// Draws a key for this secret of a live token node, and changes nothing. Blocks while an RSA key is found.
    ///
    /// # Errors
    /// [`NotDrawn`].
    pub fn draw_key(&self, secret: &SecretRef) -> Result<DrawnKey, NotDrawn> {
        let table = self.table();
        let (of, layer) = layer_of(&table, secret)
            .ok_or_else(|| NotDrawn::NoKey { owner: secret.owner.to_string(), field: secret.field.to_string() })?;
        let KeyFrom::Secret(_, form) = &layer.key else { return Err(two_views(secret)) };
        if layer.also.is_some() {
            return Err(two_views(secret));
        }
        let name = algorithm(layer.algorithm.as_ref());
        let kind = match of {
            Use::Signature => kind_of_signature(name, layer)?,
            Use::Encryption => kind_of_encryption(name, layer)?,
        };
        match form {
            KeyForm::Octets if of == Use::Encryption => Err(NotDrawn::Text),
            KeyForm::Public => Err(NotDrawn::Recipient),
            KeyForm::Octets => password(kind, name, self.vault().signer()),
            KeyForm::Jwk | KeyForm::JwkOrPem => jwk(kind, name, of),
        }
    }
}

/// A text whose octets are the key, as many random ones as the hash has behind it.
fn password(kind: KeyKind, name: &str, signer: &Software) -> Result<DrawnKey, NotDrawn> {
    let text = random_text(kind)?;
    let key = PrivateJwk::from_secret(text.as_bytes(), SecretForm::AsIs)?;
    let kid = signer.kid_of_secret(&key);
    let shared = Jwk::Private(key.with_parameters(parameters(Use::Signature, name, Some(kid))));
    Ok(DrawnKey { step: SecretStep::Set(Secret::new(text.as_bytes().to_vec())), shared })
}

/// A JWK: of a shared secret for signing the octets of a Password, so that it has both views.
fn jwk(kind: KeyKind, name: &str, of: Use) -> Result<DrawnKey, NotDrawn> {
    let made = match (kind, of) {
        (KeyKind::Oct(_), Use::Signature) => PrivateJwk::from_secret(random_text(kind)?.as_bytes(), SecretForm::AsIs)?,
        (KeyKind::Oct(_) | KeyKind::Rsa(_) | KeyKind::Ec(_) | KeyKind::Okp(_) | KeyKind::Akp(_), _) => {
            PrivateJwk::generate(kind, &mut RandomPool::new())?
        }
    };
    let mut key = made.with_parameters(parameters(of, name, None));
    key.ensure_kid(&mut RandomPool::new())?;
    let mut text = Zeroizing::new(Vec::new());
    key.write_private(&mut text);
    let shared = key.public().map_or(Jwk::Private(key), Jwk::Public);
    Ok(DrawnKey { step: SecretStep::Set(Secret::new(text.to_vec())), shared })
}

/// Random octets, in base64url.
fn random_text(kind: KeyKind) -> Result<Zeroizing<String>, NotDrawn> {
    let KeyKind::Oct(octets) = kind else { return Err(NotDrawn::Text) };
    let mut drawn = Zeroizing::new(vec![0; octets]);
    jose::Random::fill(&mut RandomPool::new(), &mut drawn).map_err(jose::Error::from)?;
    Ok(Zeroizing::new(base64url::encode(&drawn)))
}

fn parameters(of: Use, name: &str, kid: Option<String>) -> KeyParameters {
    let use_ = match of {
        Use::Signature => "sig",
        Use::Encryption => "enc",
    };
    KeyParameters { kid, alg: Some(name.to_owned()), use_: Some(use_.to_owned()), ..KeyParameters::default() }
}

fn kind_of_signature(name: &str, layer: &Protection) -> Result<KeyKind, jose::Error> {
    let kind = KeyKind::for_signature(SignatureAlgorithm::by_name(name)?);
    Ok(match (kind, layer.rsa_bits) {
        (KeyKind::Rsa(_), Some(bits)) => KeyKind::Rsa(bits),
        (kind, _) => kind,
    })
}

fn kind_of_encryption(name: &str, layer: &Protection) -> Result<KeyKind, NotDrawn> {
    let content = ContentEncryption::by_name(algorithm(layer.content.as_ref()))?;
    KeyKind::for_encryption(KeyAlgorithm::by_name(name)?, content).ok_or(NotDrawn::Recipient)
}

fn algorithm(name: Option<&Expr>) -> &str {
    if let Some(Expr::Literal(name)) = name { name.as_text().unwrap_or_default() } else { "" }
}

fn two_views(secret: &SecretRef) -> NotDrawn {
    NotDrawn::TwoViews { field: secret.field.to_string() }
}

/// The layer that is made with this secret.
fn layer_of<'t>(table: &'t Table, secret: &SecretRef) -> Option<(Use, &'t Protection)> {
    let plans = table
        .documents
        .iter()
        .flat_map(|entry| &entry.live.flow().nodes)
        .filter_map(|node| if let Op::Seal { plan, .. } = &node.op { Some(plan) } else { None });
    let layers = plans.flat_map(|plan| {
        let signature = plan.signature.as_ref().map(|layer| (Use::Signature, layer));
        signature.into_iter().chain(plan.encryption.as_ref().map(|layer| (Use::Encryption, layer)))
    });
    let is_it = |key: &KeyFrom| matches!(key, KeyFrom::Secret(found, _) if found == secret);
    layers.into_iter().find(|(_, layer)| is_it(&layer.key) || layer.also.as_ref().is_some_and(is_it))
}
