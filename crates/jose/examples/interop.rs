//! Writes a token of every algorithm, or reads those of others: the helper of `conformance/jose-interop`.
//!
//! `interop write` prints an array of cases; `interop read` takes one on standard input and prints an outcome a case.

use std::io::{self, Read, Write};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use jose::{
    DecryptionKey, EncryptionKey, Error, KeyKind, PrivateJwk, Random, RandomError, RsaBits, SigningKey, VerifyingKey,
    base64url,
    json::{Limits, Object, Value, write_value},
    jwa::{
        ContentEncryption, EcCurve, Grade, KeyAlgorithm, KeyFamily, KeyShape, OkpCurve, SignatureAlgorithm, Switch,
        Switches,
    },
    jwe::{Decrypter, EncryptionOptions, EncryptionPlan, encrypt_general},
    jwk::Jwk,
    jws::{HeaderMember, HeaderPlan, ProtectedHeader, Quorum, Verifier, sign_general},
};

const PAYLOAD: &[u8] =
    br#"{"iss":"https://issuer.example","sub":"alice","name":"J\u00f6rg/\"quoted\"","n":12345678901234567890}"#;
const PASSWORD: &str = "correct horse battery staple";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[allow(clippy::disallowed_methods, reason = "a program of its own has arguments")]
fn main() -> Outcome<()> {
    let answer = match std::env::args().nth(1).as_deref() {
        Some("write") => Value::Array(write_all()?),
        Some("read") => {
            let mut text = Vec::new();
            io::stdin().read_to_end(&mut text)?;
            let cases = Value::parse(&text, Limits::DOCUMENT)?;
            Value::Array(cases.as_array().unwrap_or_default().iter().map(judge).collect())
        }
        _ => return Err("say `write` or `read`".into()),
    };
    let mut out = Vec::new();
    write_value(&mut out, &answer);
    Ok(io::stdout().write_all(&out)?)
}

struct System;

impl Random for System {
    #[allow(clippy::disallowed_methods, reason = "a program of its own may draw")]
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        SystemRandom::new().fill(out).map_err(|_| RandomError)
    }
}

fn switches() -> Switches {
    Switch::ALL.into_iter().fold(Switches::NONE, Switches::with)
}

fn write_all() -> Outcome<Vec<Value>> {
    let rsa = PrivateJwk::generate(KeyKind::Rsa(RsaBits::Bits2048), &mut System)?;
    let mut cases = Vec::new();
    for row in SignatureAlgorithm::ALL.iter().filter(|row| !matches!(row.grade, Grade::Gap(_))) {
        let kind = KeyKind::for_signature(row);
        let is_rsa = matches!(kind, KeyKind::Rsa(_));
        let jwk = if is_rsa { copy(&rsa)? } else { PrivateJwk::generate(kind, &mut System)? };
        write_signed(row, &jwk, &mut cases)?;
    }
    for row in KeyAlgorithm::ALL {
        for enc in ContentEncryption::ALL {
            for jwk in encryption_keys(row, enc, &rsa)? {
                write_encrypted(row, enc, &jwk, &mut cases)?;
            }
        }
    }
    Ok(cases)
}

fn write_signed(row: &'static SignatureAlgorithm, jwk: &PrivateJwk, cases: &mut Vec<Value>) -> Outcome<()> {
    let key = SigningKey::new(row, jwk, switches())?;
    let header = ProtectedHeader::encode(&HeaderPlan::jwt(), row, None, key.public())?;
    let mut compact = Vec::new();
    key.sign_compact(&header, PAYLOAD, &mut compact)?;
    let mut flattened = Vec::new();
    key.sign_flattened(&header, PAYLOAD, false, &mut flattened)?;
    let mut general = Vec::new();
    sign_general(&[(&key, &header)], PAYLOAD, &mut general)?;
    for (form, token) in [("compact", compact), ("flattened", flattened), ("general", general)] {
        cases.push(case("jws", row.name, None, form, jwk, String::from_utf8(token)?)?);
    }
    Ok(())
}

fn write_encrypted(
    row: &'static KeyAlgorithm,
    enc: &'static ContentEncryption,
    jwk: &PrivateJwk,
    cases: &mut Vec<Value>,
) -> Outcome<()> {
    let key = encryption_key(row, jwk)?;
    let members = vec![HeaderMember::Alg, HeaderMember::Enc, HeaderMember::Typ("JWT".to_owned())];
    let plan = EncryptionPlan::new(&key, enc, &HeaderPlan::new(members)?, EncryptionOptions::default(), switches())?;
    let mut compact = Vec::new();
    plan.encrypt_compact(&key, PAYLOAD, &mut System, &mut compact)?;
    let mut flattened = Vec::new();
    plan.encrypt_flattened(&key, PAYLOAD, None, &mut System, &mut flattened)?;
    let mut forms = vec![("compact", compact), ("flattened", flattened)];
    if !matches!(row.family, KeyFamily::Direct | KeyFamily::EcdhEs(None)) {
        let mut general = Vec::new();
        encrypt_general(&[&key], enc, None, PAYLOAD, &mut System, &mut general)?;
        forms.push(("general", general));
    }
    for (form, token) in forms {
        cases.push(case("jwe", row.name, Some(enc.name), form, jwk, String::from_utf8(token)?)?);
    }
    Ok(())
}

/// The keys to try an algorithm with: agreement on every curve, every other algorithm once.
fn encryption_keys(row: &KeyAlgorithm, enc: &ContentEncryption, rsa: &PrivateJwk) -> Outcome<Vec<PrivateJwk>> {
    let kinds = match row.family {
        KeyFamily::Rsa1_5 | KeyFamily::RsaOaep(_) => return Ok(vec![copy(rsa)?]),
        KeyFamily::AesKw(size) | KeyFamily::AesGcmKw(size) => vec![KeyKind::Oct(size.octets())],
        KeyFamily::Direct => vec![KeyKind::Oct(enc.cek_octets)],
        KeyFamily::EcdhEs(_) => vec![
            KeyKind::Ec(EcCurve::P256),
            KeyKind::Ec(EcCurve::P384),
            KeyKind::Ec(EcCurve::P521),
            KeyKind::Okp(OkpCurve::X25519),
        ],
        KeyFamily::Pbes2(..) => return Ok(vec![PrivateJwk::from_octets(PASSWORD.as_bytes())?]),
    };
    Ok(kinds.into_iter().map(|kind| PrivateJwk::generate(kind, &mut System)).collect::<Result<_, Error>>()?)
}

fn encryption_key(row: &'static KeyAlgorithm, jwk: &PrivateJwk) -> Result<EncryptionKey, Error> {
    if row.key == KeyShape::Password {
        return EncryptionKey::from_password(row, PASSWORD.as_bytes(), switches());
    }
    EncryptionKey::from_secret(row, jwk, switches())
}

fn case(kind: &str, alg: &str, enc: Option<&str>, form: &str, jwk: &PrivateJwk, token: String) -> Outcome<Value> {
    let mut case = Object::new();
    let mut put = |name: &str, text: &str| case.insert(name.to_owned(), Value::Text(text.to_owned()));
    put("kind", kind);
    put("alg", alg);
    put("form", form);
    put("token", &token);
    put("payload", &base64url::encode(PAYLOAD));
    if let Some(enc) = enc {
        put("enc", enc);
    }
    case.insert("jwk".to_owned(), Value::parse(&written(jwk), Limits::REQUEST)?);
    Ok(Value::Object(case))
}

fn written(jwk: &PrivateJwk) -> Vec<u8> {
    let mut out = Vec::new();
    jwk.write_private(&mut out);
    out
}

fn copy(jwk: &PrivateJwk) -> Outcome<PrivateJwk> {
    parse(&written(jwk)).ok_or_else(|| "a key that was written is not read".into())
}

fn parse(text: &[u8]) -> Option<PrivateJwk> {
    match Jwk::parse(text).ok()? {
        Jwk::Private(jwk) => Some(jwk),
        Jwk::Public(_) => None,
    }
}

/// `true`, or why the token of somebody else was not read.
fn judge(case: &Value) -> Value {
    match read(case) {
        Ok(()) => Value::Bool(true),
        Err(error) => Value::Text(error.to_string()),
    }
}

fn read(case: &Value) -> Outcome<()> {
    let case = case.as_object().ok_or("a case is an object")?;
    let text = |name: &str| case.get(name).and_then(Value::as_text).ok_or_else(|| format!("no `{name}`"));
    let mut jwk = Vec::new();
    write_value(&mut jwk, case.get("jwk").ok_or("no `jwk`")?);
    let jwk = parse(&jwk).ok_or("the key is not read")?;
    let (alg, form, token) = (text("alg")?, text("form")?, text("token")?);
    let payload = match text("kind")? {
        "jws" => read_signed(alg, form, token, &jwk)?,
        _ => read_encrypted(alg, text("enc")?, form, token, &jwk)?,
    };
    if base64url::encode(&payload) == text("payload")? { Ok(()) } else { Err("the payload differs".into()) }
}

fn read_signed(alg: &str, form: &str, token: &str, jwk: &PrivateJwk) -> Result<Vec<u8>, Error> {
    let row = SignatureAlgorithm::by_name(alg)?;
    let key = VerifyingKey::from_private(row, jwk, switches())?;
    let reader = Verifier::new(&[row])?;
    if form == "compact" {
        return reader.verify(token, &key).map(|read| read.payload);
    }
    reader.verify_json(token, &key)?.payload(Quorum::All).map(<[u8]>::to_vec)
}

fn read_encrypted(alg: &str, enc: &str, form: &str, token: &str, jwk: &PrivateJwk) -> Result<Vec<u8>, Error> {
    let (row, enc) = (KeyAlgorithm::by_name(alg)?, ContentEncryption::by_name(enc)?);
    let key = if row.key == KeyShape::Password {
        DecryptionKey::from_password(row, PASSWORD.as_bytes(), switches())?
    } else {
        DecryptionKey::new(row, jwk, switches())?
    };
    let reader = Decrypter::new(&[row], &[enc])?;
    let read = if form == "compact" {
        reader.decrypt(token, &key, &mut System)?
    } else {
        reader.decrypt_json(token, &key, &mut System)?
    };
    Ok(read.plaintext.to_vec())
}
