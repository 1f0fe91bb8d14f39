//! A wish for tokens, written as the configuration of a `JWT - Generator`.

use jose::json::Value as Json;
use plan::{Parts, Segment, Text, Value};

use super::layers::{EC_KEYS, EC_SIGNATURES, HMACS, RSA_KEYS, RSA_SIGNATURES, SECRET_KEYS};
use crate::intent::{Change, Intent, Key, Kid, Layer, Sent, Wish, json_of, list, object, text};

/// How a dialect writes what a caller sends, as a variable; none if it cannot.
pub(crate) type Spell = fn(&Sent, is_get: bool) -> Option<String>;

/// The configuration, and the fields in which keys are given.
///
/// # Errors
/// What it has no fields for.
pub(crate) fn config(intent: &Intent, spell: Spell) -> Result<(Json, Vec<&'static str>), Vec<Change>> {
    let mut writing = Writing { intent, spell, unsaid: Vec::new(), keys: Vec::new() };
    let claims = writing.claims();
    let signature = writing.signature();
    let encryption = intent.encryption.as_ref().map(|layer| writing.encryption(layer));
    let ttl = intent.lifetime_secs.map(|seconds| ("ttl", Json::Number(seconds.to_string())));
    let members = ttl.into_iter().chain([("claims", claims), ("signature", signature)]);
    let config = object(members.chain(encryption.map(|encryption| ("encryption", encryption))));
    if writing.unsaid.is_empty() { Ok((config, writing.keys)) } else { Err(writing.unsaid) }
}

/// A text with every `{{` of its own kept as it is.
pub(crate) fn escaped(text: &str) -> String {
    text.replace("{{", "\\{{")
}

/// A value whose texts keep every `{{` of their own; names of members refer to nothing.
pub(crate) fn kept(value: &Value) -> Value {
    match value.parts() {
        Parts::None => value.as_text().map_or_else(|| value.clone(), |text| Value::text(escaped(text))),
        Parts::List(items) => Value::list(items.iter().map(kept).collect()),
        Parts::Map(map) => Value::map(map.iter().map(|(name, member)| (name, kept(member)))),
    }
}

/// A variable behind a root, by names and indices; none if a name cannot stand in one.
pub(crate) fn variable(root: &str, way: &[Segment]) -> Option<String> {
    let mut written = root.to_owned();
    for segment in way {
        match segment {
            Segment::Key(name) => {
                let is_name = |c: char| !c.is_whitespace() && !c.is_control() && !"{}[].".contains(c);
                (!name.is_empty() && name.chars().all(is_name)).then_some(())?;
                written.extend([".", name]);
            }
            Segment::Index(index) => written.push_str(&format!("[{index}]")),
        }
    }
    Some(written)
}

struct Writing<'i> {
    intent: &'i Intent,
    spell: Spell,
    unsaid: Vec<Change>,
    keys: Vec<&'static str>,
}

impl Writing<'_> {
    fn unsaid(&mut self, what: &str, how: impl Into<String>) {
        self.unsaid.push(Change::new(what, how));
    }

    fn claims(&mut self) -> Json {
        let intent = self.intent;
        let mut left_out = Vec::new();
        for (name, usual) in [("iat", Some(Wish::IssuedAt)), ("iss", None), ("sub", None), ("exp", Some(Wish::Expires))]
        {
            let is_default = match (intent.claim(name), &usual) {
                (Some(wish), Some(usual)) => wish == usual,
                (Some(_), None) => true,
                (None, _) => false,
            };
            left_out.extend((!is_default).then_some((name, Json::Bool(false))));
        }
        let mut members = Vec::new();
        if !left_out.is_empty() {
            members.push(("include", object(left_out.clone())));
        }
        for name in ["iss", "sub"] {
            let written = intent.claim(name).and_then(|wish| self.text_of(name, wish));
            members.extend(written.map(|written| (name, text(written))));
        }
        let is_row =
            |name: &str| !["iat", "iss", "sub", "exp"].contains(&name) || left_out.iter().any(|(own, _)| *own == name);
        let rows: Vec<_> = intent.claims.iter().filter(|(name, _)| is_row(name)).collect();
        let rows: Vec<_> = rows.into_iter().filter_map(|(name, wish)| self.row(name, wish)).collect();
        if !rows.is_empty() {
            members.push(("custom", list(rows)));
        }
        object(members)
    }

    /// The value of `iss` or `sub`.
    fn text_of(&mut self, name: &str, wish: &Wish) -> Option<String> {
        match wish {
            Wish::Constant(Value::Text(text)) => Some(escaped(text)),
            Wish::Sent(sent) => self.reference(name, sent),
            Wish::Constant(_) | Wish::IssuedAt | Wish::Expires | Wish::Fresh => {
                self.unsaid("claim", format!("`{name}` is no text there."));
                None
            }
        }
    }

    fn reference(&mut self, name: &str, sent: &Sent) -> Option<String> {
        let variable = (self.spell)(sent, &*self.intent.call.method == "GET");
        if variable.is_none() {
            self.unsaid("claim", format!("`{name}` comes from a part of the request that has no variable there."));
        }
        variable.map(|variable| format!("{{{{{variable}}}}}"))
    }

    fn row(&mut self, name: &Text, wish: &Wish) -> Option<Json> {
        let (kind, value) = match wish {
            Wish::Constant(value) => self.constant(name, value)?,
            Wish::Sent(sent) => {
                use crate::minting::ClaimType;
                let kind = match sent.kind {
                    Some(ClaimType::Text) => "String",
                    Some(ClaimType::Number) => "Number",
                    Some(ClaimType::Boolean) => "Boolean",
                    Some(ClaimType::List) => "Array",
                    Some(ClaimType::Map) => "Object",
                    None => {
                        self.unsaid("claim", format!("`{name}` has whatever type is sent; a row has one."));
                        return None;
                    }
                };
                (kind, self.reference(name, sent)?)
            }
            Wish::IssuedAt | Wish::Expires | Wish::Fresh => {
                self.unsaid("claim", format!("`{name}` is made anew for each token, which no row does."));
                return None;
            }
        };
        Some(object([("key", text(name)), ("value", text(value)), ("type", text(kind))]))
    }

    fn constant(&mut self, name: &str, value: &Value) -> Option<(&'static str, String)> {
        let written = json_of(&kept(value)).map(|json| {
            let mut out = Vec::new();
            jose::json::write_value(&mut out, &json);
            String::from_utf8(out).expect("the JSON writer writes UTF-8")
        });
        let kind = match value {
            Value::Text(text) => return Some(("String", escaped(text))),
            Value::Number(_) => "Number",
            Value::Bool(_) => "Boolean",
            Value::List(_) => "Array",
            Value::Map(_) => "Object",
            Value::Undefined
            | Value::Null
            | Value::Bytes(_)
            | Value::Date(_)
            | Value::Handle(_)
            | Value::Unencodable(_) => {
                self.unsaid("claim", format!("`{name}` has no type that a row has."));
                return None;
            }
        };
        written.map(|written| (kind, written))
    }

    fn signature(&mut self) -> Json {
        let Some(layer) = &self.intent.signature else { return object([("type", text("none"))]) };
        let name = &*layer.algorithm;
        if HMACS.contains(&name) {
            let block = self.block(layer, [("algorithm", name)].to_vec(), "signature/symmetric/password");
            let weak = layer.allows_weak.then_some(("allowWeakHmac", Json::Bool(true)));
            return object([("type", text("symmetric"))].into_iter().chain(weak).chain([("symmetric", block)]));
        }
        let members = if RSA_SIGNATURES.contains(&name) {
            vec![("keyType", "RSA"), ("rsaAlgorithm", name)]
        } else {
            if !EC_SIGNATURES.contains(&name) {
                self.unsaid("signature", format!("The node does not sign with {name}."));
            }
            vec![("keyType", "EC"), ("ecAlgorithm", name)]
        };
        let block = self.block(layer, members, "signature/asymmetric/privateKey");
        object([("type", text("asymmetric")), ("asymmetric", block)])
    }

    fn encryption(&mut self, layer: &Layer) -> Json {
        let name = &*layer.algorithm;
        let content = ("contentEncryption", text(layer.content.as_deref().unwrap_or_default()));
        if SECRET_KEYS.contains(&name) {
            let block = self.block(layer, [("algorithm", name)].to_vec(), "encryption/symmetric/password");
            return object([("type", text("symmetric")), content, ("symmetric", block)]);
        }
        let members = if RSA_KEYS.contains(&name) {
            vec![("keyType", "RSA"), ("rsaAlgorithm", name)]
        } else {
            if !EC_KEYS.contains(&name) {
                self.unsaid("encryption", format!("The node does not encrypt with {name}."));
            }
            vec![("keyType", "EC"), ("ecAlgorithm", name)]
        };
        let block = self.block(layer, members, "encryption/asymmetric/publicKey");
        object([("type", text("asymmetric")), content, ("asymmetric", block)])
    }

    /// A key block: its algorithm, `kid`, and a ring or a key that is given later.
    fn block(&mut self, layer: &Layer, members: Vec<(&'static str, &str)>, field: &'static str) -> Json {
        let mut members: Vec<_> = members.into_iter().map(|(name, value)| (name, text(value))).collect();
        if let Kid::Named(kid) = &layer.kid {
            members.push(("kid", text(escaped(kid))));
        }
        match &layer.key {
            Key::Ring(ring) => members.push(("keyRef", text(ring))),
            Key::Own => self.keys.push(field),
        }
        object(members)
    }
}
