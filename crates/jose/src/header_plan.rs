//! The JOSE header as it is written: members in the order of a plan, encoded once, used for many tokens.

use crate::{
    Error, base64url,
    header::{JOSE_HEADER_BYTES_MAX, STANDARD_MEMBERS},
    json::{Value, write_text, write_value},
    jwa::SignatureAlgorithm,
    jwk::{KID_BYTES_MAX, PublicJwk},
    x509::{self, X5C_CERTIFICATES_MAX},
};

/// One member of a planned header.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderMember {
    /// The place of `alg`; its value is the algorithm's.
    Alg,
    /// The place of `enc`, in a JWE.
    Enc,
    /// The place of `kid`; left out if the key has none.
    Kid,
    /// `kid`, as given, whatever the key's own is.
    KidNamed(String),
    /// `typ`, such as `JWT` or `at+jwt`.
    Typ(String),
    /// `cty`
    Cty(String),
    /// The place of `x5c`; left out if the key has no chain.
    X5c,
    /// The place of `x5t#S256`, of the first certificate; left out if the key has no chain.
    X5tS256,
    /// An extension that the reader must understand: a member of this name that `crit` lists.
    Critical(String, Value),
    /// Any other member that is not Chancery's to set.
    Other(String, Value),
}

/// A header's members in order.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderPlan(Vec<HeaderMember>);

impl HeaderPlan {
    /// A plan of these members. `alg` comes first if it has no place in it.
    ///
    /// # Errors
    /// [`Error::Header`] for a name that stands twice or that only Chancery sets, for a `jwk` that is not public, for a
    /// `kid` too long or with control characters.
    pub fn new(members: Vec<HeaderMember>) -> Result<Self, Error> {
        let plan = Self(members);
        let mut seen: Vec<&str> = Vec::new();
        for member in &plan.0 {
            let name = member.name();
            if seen.contains(&name) {
                return Err(Error::header(name.to_owned(), "is planned twice"));
            }
            seen.push(name);
            member.check()?;
        }
        Ok(plan)
    }

    /// `alg`, `typ` `JWT`, `kid`.
    #[must_use]
    pub fn jwt() -> Self {
        Self(vec![HeaderMember::Alg, HeaderMember::Typ("JWT".to_owned()), HeaderMember::Kid])
    }

    /// `alg`, `enc`, `kid`: an encrypted text of any kind.
    #[must_use]
    pub fn encrypted() -> Self {
        Self(vec![HeaderMember::Alg, HeaderMember::Enc, HeaderMember::Kid])
    }

    /// `alg`, `enc`, `cty` `JWT`, `kid`: a signed token inside an encrypted one (RFC 7519 section 5.2).
    #[must_use]
    pub fn nested() -> Self {
        Self(vec![HeaderMember::Alg, HeaderMember::Enc, HeaderMember::Cty("JWT".to_owned()), HeaderMember::Kid])
    }

    /// The members, in order.
    #[must_use]
    pub fn members(&self) -> &[HeaderMember] {
        &self.0
    }

    /// Appends the header without its closing brace, `alg` and `enc` as named.
    pub(crate) fn write_open(&self, names: Names<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(b'{');
        if !self.0.contains(&HeaderMember::Alg) {
            text_member(out, "alg", names.alg);
        }
        if let Some(enc) = names.enc.filter(|_| !self.0.contains(&HeaderMember::Enc)) {
            text_member(out, "enc", enc);
        }
        for member in &self.0 {
            member.write(&names, out)?;
        }
        let mut critical: Vec<Value> = self.0.iter().filter_map(HeaderMember::critical).collect();
        if names.unencoded_payload {
            value_member(out, "b64", &Value::Bool(false));
            critical.push(Value::Text("b64".to_owned()));
        }
        if !critical.is_empty() {
            value_member(out, "crit", &Value::Array(critical));
        }
        Ok(())
    }
}

/// What the key and the algorithms give a header.
pub(crate) struct Names<'a> {
    pub(crate) alg: &'static str,
    pub(crate) enc: Option<&'static str>,
    pub(crate) kid: Option<&'a str>,
    pub(crate) x5c: &'a [Vec<u8>],
    pub(crate) unencoded_payload: bool,
}

impl HeaderMember {
    fn name(&self) -> &str {
        match self {
            Self::Alg => "alg",
            Self::Enc => "enc",
            Self::Kid | Self::KidNamed(_) => "kid",
            Self::Typ(_) => "typ",
            Self::Cty(_) => "cty",
            Self::X5c => "x5c",
            Self::X5tS256 => "x5t#S256",
            Self::Critical(name, _) | Self::Other(name, _) => name,
        }
    }

    fn critical(&self) -> Option<Value> {
        match self {
            Self::Critical(name, _) => Some(Value::Text(name.clone())),
            Self::Alg
            | Self::Enc
            | Self::Kid
            | Self::KidNamed(_)
            | Self::Typ(_)
            | Self::Cty(_)
            | Self::X5c
            | Self::X5tS256
            | Self::Other(..) => None,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let (name, value) = match self {
            Self::Critical(name, value) | Self::Other(name, value) => (name.as_str(), value),
            Self::KidNamed(kid) => return check_kid(kid),
            Self::Alg | Self::Enc | Self::Kid | Self::Typ(_) | Self::Cty(_) | Self::X5c | Self::X5tS256 => {
                return Ok(());
            }
        };
        let is_critical = matches!(self, Self::Critical(..));
        match name {
            "jku" | "x5u" | "x5t" if !is_critical && value.as_text().is_some() => Ok(()),
            "jwk" if !is_critical => {
                let key = value.as_object().map(PublicJwk::from_object);
                key.and_then(Result::ok).map(drop).ok_or_else(|| Error::header("jwk", "is no public key"))
            }
            "b64" | "p2c" => Err(reserved(name)),
            name if STANDARD_MEMBERS.contains(&name) => Err(reserved(name)),
            _ => Ok(()),
        }
    }

    fn write(&self, names: &Names<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Alg => text_member(out, "alg", names.alg),
            Self::Enc => names.enc.into_iter().for_each(|enc| text_member(out, "enc", enc)),
            Self::Kid => {
                if let Some(kid) = names.kid {
                    check_kid(kid)?;
                    text_member(out, "kid", kid);
                }
            }
            Self::KidNamed(kid) => text_member(out, "kid", kid),
            Self::Typ(typ) => text_member(out, "typ", typ),
            Self::Cty(cty) => text_member(out, "cty", cty),
            Self::X5c if names.x5c.is_empty() => {}
            Self::X5c => {
                let chain = names.x5c.iter().map(|der| Value::Text(base64_simd::STANDARD.encode_to_string(der)));
                value_member(out, "x5c", &Value::Array(chain.collect()));
            }
            Self::X5tS256 => {
                names.x5c.iter().take(1).for_each(|leaf| text_member(out, "x5t#S256", &x509::thumbprint(leaf)));
            }
            Self::Critical(name, value) | Self::Other(name, value) => value_member(out, name, value),
        }
        Ok(())
    }
}

/// A protected header of a JWS, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedHeader {
    algorithm: &'static SignatureAlgorithm,
    encoded: String,
    unencoded_payload: bool,
}

impl ProtectedHeader {
    /// Encodes a plan for one algorithm and key. `public` is the key's public half: its chain must belong to it.
    ///
    /// # Errors
    /// [`Error::Header`] for a `kid` too long or with control characters, or a chain whose first certificate holds
    /// another key; [`Error::TooLarge`] beyond [`JOSE_HEADER_BYTES_MAX`].
    pub fn encode(
        plan: &HeaderPlan,
        algorithm: &'static SignatureAlgorithm,
        kid: Option<&str>,
        public: Option<&PublicJwk>,
    ) -> Result<Self, Error> {
        Self::with_payload(plan, algorithm, kid, public, false)
    }

    /// The same with `b64` false and `crit`: the payload is signed as it is and lies elsewhere (RFC 7797).
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_unencoded_payload(
        plan: &HeaderPlan,
        algorithm: &'static SignatureAlgorithm,
        kid: Option<&str>,
        public: Option<&PublicJwk>,
    ) -> Result<Self, Error> {
        Self::with_payload(plan, algorithm, kid, public, true)
    }

    fn with_payload(
        plan: &HeaderPlan,
        algorithm: &'static SignatureAlgorithm,
        kid: Option<&str>,
        public: Option<&PublicJwk>,
        unencoded_payload: bool,
    ) -> Result<Self, Error> {
        let x5c = public.map_or(&[][..], |public| &public.parameters.x5c);
        public.map(check_chain).transpose()?;
        let mut json = Vec::with_capacity(128);
        let names = Names { alg: algorithm.name, enc: None, kid, x5c, unencoded_payload };
        plan.write_open(names, &mut json)?;
        json.push(b'}');
        check_size(&json)?;
        Ok(Self { algorithm, encoded: base64url::encode(&json), unencoded_payload })
    }

    pub(crate) fn is_unencoded(&self) -> bool {
        self.unencoded_payload
    }

    /// The algorithm it names.
    #[must_use]
    pub fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }

    /// Its base64url, as it stands in the token.
    #[must_use]
    pub fn encoded(&self) -> &str {
        &self.encoded
    }
}

pub(crate) fn check_size(json: &[u8]) -> Result<(), Error> {
    if json.len() > JOSE_HEADER_BYTES_MAX {
        return Err(Error::TooLarge { what: "the JOSE header", max: JOSE_HEADER_BYTES_MAX, unit: "octets" });
    }
    Ok(())
}

pub(crate) fn check_chain(public: &PublicJwk) -> Result<(), Error> {
    let chain = &public.parameters.x5c;
    if chain.len() > X5C_CERTIFICATES_MAX {
        return Err(Error::TooLarge { what: "`x5c`", max: X5C_CERTIFICATES_MAX, unit: "certificates" });
    }
    match chain.first() {
        Some(leaf) if x509::leaf_key(leaf)?.key != public.key => {
            Err(Error::header("x5c", "begins with a certificate of another key"))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_kid(kid: &str) -> Result<(), Error> {
    if kid.len() > KID_BYTES_MAX {
        return Err(Error::header("kid", format!("is longer than {KID_BYTES_MAX} octets")));
    }
    if kid.chars().any(char::is_control) {
        return Err(Error::header("kid", "holds control characters"));
    }
    Ok(())
}

fn reserved(name: &str) -> Error {
    Error::header(name.to_owned(), "is set by Chancery alone, or by its own setting")
}

pub(crate) fn text_member(out: &mut Vec<u8>, name: &str, text: &str) {
    member_name(out, name);
    write_text(out, text);
}

pub(crate) fn value_member(out: &mut Vec<u8>, name: &str, value: &Value) {
    member_name(out, name);
    write_value(out, value);
}

fn member_name(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    write_text(out, name);
    out.push(b':');
}
