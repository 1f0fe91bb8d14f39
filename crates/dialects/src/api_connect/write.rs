//! A wish for tokens, written as an API definition with one operation.

use jose::json::{Object, Value as Json};
use plan::{Segment, Value};

use super::TEXT_TYPE;
use crate::intent::{
    Callers, Change, Intent, Key, Kid, Layer, Page, Sent, Shape, Step, Wish, json_of, list, object, text,
};
use crate::minting::Part;

/// What the vendor signs with.
const SIGNATURES: &[&str] =
    &["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];
/// What stands in the place of a key that is kept as a secret.
const SEALED: &str = "chancery:sealed";
/// The prefix that the gateway writes.
const BEARER: &str = "Bearer ";

/// Writes it.
///
/// # Errors
/// What a definition cannot say.
pub(crate) fn write(intent: &Intent) -> Result<Page, Vec<Change>> {
    let mut writing =
        Writing { intent, before: Vec::new(), behind: Vec::new(), properties: Object::new(), unsaid: Vec::new() };
    if intent.call.callers == Callers::Key {
        writing.unsaid("callers", "They need a key, and nothing in an assembly would ask for it.");
    }
    let generate = writing.generate();
    writing.dress();
    if !writing.unsaid.is_empty() {
        return Err(writing.unsaid);
    }
    let Writing { before, behind, properties, .. } = writing;
    let variables = |actions: Vec<Json>| {
        (!actions.is_empty()).then(|| object([("set-variable", object([("actions", list(actions))]))]))
    };
    let keys = properties.iter().map(|(name, _)| {
        let how = format!(
            "Give it as a JWK with `chancery secret set {} {name}`; at the vendor it is the property `{name}`.",
            intent.name
        );
        Change::new("key", how)
    });
    let notes = keys.collect();
    let steps = variables(before).into_iter().chain([object([("jwt-generate", generate)])]).chain(variables(behind));
    let extension = object([
        ("gateway", text("datapower-api-gateway")),
        ("phase", text("realized")),
        ("properties", Json::Object(properties)),
        ("assembly", object([("execute", list(steps))])),
    ]);
    let root = object([
        ("swagger", text("2.0")),
        (
            "info",
            object([("title", text(&intent.name)), ("version", text("1.0.0")), ("x-ibm-name", text(&intent.name))]),
        ),
        ("basePath", text("/")),
        ("paths", paths(intent)),
        ("x-ibm-configuration", extension),
    ]);
    Ok(Page::new(root, notes))
}

fn paths(intent: &Intent) -> Json {
    let parameters = intent.call.url.0.iter().filter_map(|step| match step {
        Step::Plain(_) => None,
        Step::Parameter(name) => Some(object([
            ("name", text(name)),
            ("in", text("path")),
            ("required", Json::Bool(true)),
            ("type", text("string")),
        ])),
    });
    let parameters: Vec<_> = parameters.collect();
    let operation = if parameters.is_empty() { object([]) } else { object([("parameters", list(parameters))]) };
    let (mut operations, mut paths) = (Object::new(), Object::new());
    let _none = operations.insert(intent.call.method.to_ascii_lowercase(), operation);
    let _none = paths.insert(intent.call.url.written("{", "}"), Json::Object(operations));
    Json::Object(paths)
}

struct Writing<'i> {
    intent: &'i Intent,
    /// Actions before the token is made.
    before: Vec<Json>,
    /// Actions behind it.
    behind: Vec<Json>,
    properties: Object,
    unsaid: Vec<Change>,
}

type Members = Vec<(&'static str, Json)>;

impl Writing<'_> {
    fn unsaid(&mut self, what: &str, how: impl Into<String>) {
        self.unsaid.push(Change::new(what, how));
    }

    /// The policy that makes the token.
    fn generate(&mut self) -> Json {
        let intent = self.intent;
        let mut members: Members = vec![("version", text("2.0.0"))];
        let delivery = self.delivery();
        members.extend(delivery);
        self.claims(&mut members);
        match intent.lifetime_secs {
            Some(seconds) => members.push(("exp-claim", Json::Number(seconds.to_string()))),
            None => self.unsaid("lifetime", "Every token ends there."),
        }
        match &intent.signature {
            Some(layer) => self.signature(&mut members, layer),
            None if intent.encryption.is_none() => self.unsaid("signature", "There is none."),
            None => {}
        }
        if let Some(layer) = &intent.encryption {
            self.encryption(&mut members, layer);
        }
        let is_strict = |(_, wish): &(plan::Text, Wish)| matches!(wish, Wish::Sent(sent) if sent.is_required);
        if intent.claims.iter().any(is_strict) {
            members.push(("x-chancery-strict", Json::Bool(true)));
        }
        object(members)
    }

    fn claims(&mut self, members: &mut Members) {
        let intent = self.intent;
        let mut private = Object::new();
        for (name, wish) in &intent.claims {
            match (&**name, wish) {
                ("iat", Wish::IssuedAt) | ("exp", Wish::Expires) => {}
                ("jti", Wish::Fresh) => members.push(("jti-claim", Json::Bool(true))),
                ("iss", wish) => self.named(members, "iss-claim", "w.iss", wish),
                ("sub", wish) => self.named(members, "sub-claim", "w.sub", wish),
                ("jti", wish) => self.named(members, "x-chancery-jti", "w.jti", wish),
                ("aud", wish) => {
                    self.named(members, "aud-claim", "w.aud", wish);
                    if matches!(wish, Wish::Constant(Value::List(items)) if items.len() == 1) {
                        members.push(("x-chancery-aud-array", Json::Bool(true)));
                    }
                }
                (name, Wish::Constant(value)) => match json_of(value) {
                    Some(json) => {
                        let _none = private.insert(name.to_owned(), json);
                    }
                    None => self.unsaid("claim", format!("`{name}` is what JSON cannot hold.")),
                },
                (name, Wish::Sent(_) | Wish::Fresh | Wish::IssuedAt | Wish::Expires) => {
                    self.unsaid(
                        "claim",
                        format!("`{name}` is another for each request; the policy has no field for it."),
                    );
                }
            }
        }
        for name in ["iss", "iat"] {
            if intent.claim(name).is_none() {
                self.unsaid("claim", format!("`{name}` stands in every token there."));
            }
        }
        if !private.is_empty() {
            self.before.push(action("w.more", Json::Object(private)));
            members.push(("private-claims", text("w.more")));
        }
    }

    /// A claim whose variable the policy names.
    fn named(&mut self, members: &mut Members, property: &'static str, variable: &'static str, wish: &Wish) {
        match wish {
            Wish::Constant(value) => {
                let json = json_of(value).filter(|json| !json.as_text().is_some_and(|text| text.contains("$(")));
                match json {
                    Some(json) => self.before.push(action(variable, json)),
                    None => self.unsaid("claim", format!("The constant of `{property}` cannot be written.")),
                }
                members.push((property, text(variable)));
            }
            Wish::Sent(sent) => match spelled(sent) {
                Some(variable) => members.push((property, text(variable))),
                None => self.unsaid("claim", format!("No variable leads to what is sent for `{property}`.")),
            },
            Wish::IssuedAt | Wish::Expires | Wish::Fresh => {
                self.unsaid("claim", format!("`{property}` is another for each token."));
            }
        }
    }

    fn signature(&mut self, members: &mut Members, layer: &Layer) {
        self.key(members, layer, "jws-jwk", "key");
        let is_vendors = SIGNATURES.contains(&&*layer.algorithm);
        members.push((if is_vendors { "jws-alg" } else { "x-chancery-jws-alg" }, text(&layer.algorithm)));
        self.kid(members, layer, "custom-kid-value-jws", "w.kid");
    }

    fn encryption(&mut self, members: &mut Members, layer: &Layer) {
        self.key(members, layer, "jwe-jwk", "kek");
        members.push(("jwe-alg", text(&layer.algorithm)));
        members.push(("jwe-enc", text(layer.content.as_deref().unwrap_or_default())));
        self.kid(members, layer, "custom-kid-value-jwe", "w.kek-kid");
    }

    fn key(&mut self, members: &mut Members, layer: &Layer, property: &'static str, name: &'static str) {
        match &layer.key {
            Key::Own => {
                let _none = self.properties.insert(name.to_owned(), object([("value", text(SEALED))]));
                members.push((property, text(name)));
            }
            Key::Ring(ring) if property == "jws-jwk" => members.push(("x-chancery-key-ring", text(ring))),
            Key::Ring(_) => self.unsaid("key", "A ring does not encrypt."),
        }
    }

    fn kid(&mut self, members: &mut Members, layer: &Layer, property: &'static str, variable: &'static str) {
        let Kid::Named(kid) = &layer.kid else { return };
        if kid.contains("$(") {
            self.unsaid("kid", "It holds `$(`, which names a variable there.");
        }
        self.before.push(action(variable, text(kid)));
        members.push((property, text(variable)));
    }

    /// Where the token goes: to its place in the body itself, or to a variable from which the body takes it.
    fn delivery(&mut self) -> Members {
        let body = &self.intent.answer.body;
        let holes = body.holes();
        if !matches!(body, Shape::Token(_)) {
            let empty = body.filled(&|_| Value::Null);
            match json_of(&empty) {
                Some(json) => self.before.push(action("message.body", json)),
                None if empty.is_undefined() => {}
                None => self.unsaid("answer", "Its body holds what JSON cannot."),
            }
        }
        if let [(way, prefix)] = holes.as_slice()
            && (prefix.is_empty() || **prefix == *BEARER)
        {
            let own = prefix.is_empty().then(|| ("x-chancery-token-prefix", text("none")));
            return [("jwt", text(place("message.body", way)))].into_iter().chain(own).collect();
        }
        for (way, prefix) in &holes {
            if prefix.contains("$(") {
                self.unsaid("answer", "The text before the token holds `$(`, which names a variable there.");
            }
            self.behind.push(action(place("message.body", way), text(format!("{prefix}$(w.token)"))));
        }
        vec![("jwt", text("w.token")), ("x-chancery-token-prefix", text("none"))]
    }

    /// Status and headers of the answer.
    fn dress(&mut self) {
        let answer = &self.intent.answer;
        if answer.status != 200 {
            self.behind.push(action("message.status.code", Json::Number(answer.status.to_string())));
        }
        let is_usual = |name: &str, value: &str| name == "content-type" && value == TEXT_TYPE;
        for (name, value) in answer.headers.iter().filter(|(name, value)| !is_usual(name, value)) {
            self.behind.push(action(format!("message.headers.{name}"), text(value)));
            if value.contains("$(") {
                self.unsaid("answer", format!("Its header `{name}` holds `$(`, which names a variable there."));
            }
        }
    }
}

fn action(variable: impl AsRef<str>, value: Json) -> Json {
    object([("set", text(variable)), ("value", value)])
}

/// The variable of what a caller sends.
fn spelled(sent: &Sent) -> Option<String> {
    let root = match sent.part {
        Part::Body => "request.body",
        Part::Headers => "request.headers",
        Part::Query | Part::Parameters => "request.parameters",
        Part::Method => "request.verb",
        Part::Path => "request.path",
        Part::Cookies | Part::Payload => return None,
    };
    Some(place(root, &sent.way.0))
}

/// A variable below a root.
fn place(root: &str, way: &[Segment]) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Index(index) => format!("[{index}]"),
        Segment::Key(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) => format!(".{name}"),
        Segment::Key(name) => format!("['{name}']"),
    };
    std::iter::once(root.to_owned()).chain(way.iter().map(step)).collect()
}
