//! A wish, read from the plan of its document.

use plan::{Flow, Segment, Text, TriggerIx, TriggerKind, Value};

use super::way::{Url, follow};
use super::{Answer, Call, Callers, Change, Intent, Key, Kid, Layer, Sent, Shape, Unconvertible, Wish};
use crate::minting::{self, Absent, Body, Claim, ClaimSource, KeyOrigin, Life, Minting, Part, Symbol, Token};
use crate::orchestration::Authentication;
use crate::{Lowered, Settings, supertokens};

/// The wish of a document of this name, and what of the document is no part of it.
///
/// # Errors
/// [`Unconvertible`]: what in the document makes no such wish.
pub(super) fn intent(
    name: &str,
    octets: &[u8],
    settings: &Settings<'_>,
) -> Result<(Intent, Vec<Change>), Unconvertible> {
    if let Some(read) = minting::of_request(octets) {
        let token = read.map_err(Unconvertible::Request)?.token;
        let token = token.ok_or_else(|| Unconvertible::Request("no token".to_owned()))?;
        return of_request(name, &token).map(|intent| (intent, Vec::new())).map_err(changed);
    }
    let kind = crate::detect(octets).ok_or_else(|| Unconvertible::Changed(vec![unknown()]))?;
    let lowered = crate::lower(kind, name, octets, settings).map_err(Unconvertible::Refused)?;
    of_document(name, &lowered).map_err(changed)
}

fn changed(change: Change) -> Unconvertible {
    Unconvertible::Changed(vec![change])
}

fn unknown() -> Change {
    Change::new("document", "It is of no kind that is known here.")
}

fn of_document(name: &str, lowered: &Lowered) -> Result<(Intent, Vec<Change>), Change> {
    let flow = lowered.flow();
    let mintings = minting::mintings(lowered);
    let [minting] = mintings.as_slice() else {
        let ids: Vec<_> = mintings.iter().map(|minting| minting.at.id.to_string()).collect();
        let how = if ids.is_empty() {
            "It mints nowhere.".to_owned()
        } else {
            format!("It mints in {}: keep one.", ids.join(", "))
        };
        return Err(Change::new("document", how));
    };
    let stopped = lowered.diagnostics().iter().find(|told| told.severity == plan::Severity::Stopped);
    if let Some(told) = stopped {
        return Err(Change::new("document", format!("A part of it does not run: {}", told.message)));
    }
    let trigger = trigger(flow, minting)?;
    let way = follow(flow, &flow.triggers[trigger.0 as usize].wires, &lowered.sent())?;
    if way.mint != minting.node {
        return Err(Change::new("flow", "The way of its request does not lead to its token."));
    }
    let call = call(lowered, trigger)?;
    let reading = Reading { lowered: Some(lowered), call: &call };
    let token = minting::token(lowered, &flow.nodes[way.mint.0 as usize].op, &way.message);
    let token = token.ok_or_else(|| Change::new("document", "Only its script knows what it mints."))?;
    let answer = reading.answer(&lowered.answer(way.reply, &way.answered))?;
    let intent = reading.intent(name, &token, answer)?;
    Ok((intent, others(lowered, trigger)))
}

/// What the document serves besides.
fn others(lowered: &Lowered, own: TriggerIx) -> Vec<Change> {
    let served = minting::served(lowered).into_iter().filter(|(trigger, _)| *trigger != own);
    served.map(|(_, route)| Change::new("document", format!("It also serves {route}, which is not written."))).collect()
}

/// The one request that leads to the node.
fn trigger(flow: &Flow, minting: &Minting) -> Result<TriggerIx, Change> {
    let [one] = minting.triggers.as_slice() else {
        let how = format!("{} triggers lead to its token, not one.", minting.triggers.len());
        return Err(Change::new("call", how));
    };
    match flow.triggers[one.0 as usize].kind {
        TriggerKind::Request => Ok(*one),
        TriggerKind::Schedule { .. } => Err(Change::new("call", "Time sets it off, and no request.")),
    }
}

fn call(lowered: &Lowered, trigger: TriggerIx) -> Result<Call, Change> {
    let served: Vec<_> = minting::served(lowered).into_iter().filter(|(ix, _)| *ix == trigger).collect();
    let [(_, route)] = served.as_slice() else {
        return Err(Change::new("call", format!("{} operations lead to its token, not one.", served.len())));
    };
    let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
    let (before, after) = if let Lowered::NodeRed(_) = lowered { (":", "") } else { ("{", "}") };
    let is_open = match lowered {
        Lowered::NodeRed(_) | Lowered::ApiConnect(_) => true,
        Lowered::Orchestration(lowered) => {
            lowered.endpoint.as_ref().is_none_or(|endpoint| endpoint.authentication == Authentication::Open)
        }
    };
    let callers = if is_open { Callers::All } else { Callers::Key };
    Ok(Call { method: method.into(), url: Url::read(path, before, after)?, callers })
}

fn of_request(name: &str, token: &Token) -> Result<Intent, Change> {
    let call = Call { method: "POST".into(), url: Url::read("/recipe/jwt", "{", "}")?, callers: Callers::Core };
    let members = [("status", Shape::Constant(Value::text("OK"))), ("jwt", Shape::Token("".into()))];
    let body = Shape::Map(members.map(|(name, shape)| (Text::from(name), shape)).into());
    let answer = Answer { status: 200, body, is_json: true, headers: Vec::new() };
    Reading { lowered: None, call: &call }.intent(name, token, answer)
}

/// Reads the parts of a wish.
struct Reading<'r> {
    /// The document; none for a request, in which everything is known.
    lowered: Option<&'r Lowered>,
    call: &'r Call,
}

impl Reading<'_> {
    fn intent(&self, name: &str, token: &Token, answer: Answer) -> Result<Intent, Change> {
        let lifetime_secs = match &token.lifetime {
            Life::Seconds(seconds) => Some(*seconds),
            Life::Unbounded => None,
            Life::Until(_) | Life::Asked(..) => {
                return Err(Change::new("lifetime", "It is not the same for every token."));
            }
        };
        let claims = token.claims.iter().map(|claim| self.claim(claim)).collect::<Result<Vec<_>, _>>()?;
        let layer = |layer: &Option<minting::Layer>| layer.as_ref().map(|layer| self.layer(layer)).transpose();
        let (signature, encryption) = (layer(&token.signature)?, layer(&token.encryption)?);
        Ok(Intent { name: name.into(), call: self.call.clone(), claims, lifetime_secs, signature, encryption, answer })
    }

    fn claim(&self, claim: &Claim) -> Result<(Text, Wish), Change> {
        let Some(name) = &claim.name else {
            return Err(Change::new("claims", "Their names come with the message."));
        };
        let wish = match &claim.from {
            ClaimSource::IssuedAt => Wish::IssuedAt,
            ClaimSource::Expires => Wish::Expires,
            ClaimSource::Symbol(symbol) => self.wish(name, symbol, claim.absent == Absent::Refused)?,
        };
        Ok((name.clone(), wish))
    }

    fn wish(&self, name: &str, symbol: &Symbol, is_required: bool) -> Result<Wish, Change> {
        let unknown = |why: &str| Change::new("claim", format!("`{name}` {why}"));
        if symbol.is_nothing() {
            return Err(unknown("has no value: nothing sets it."));
        }
        if let Some(value) = symbol.value() {
            return Ok(Wish::Constant(value));
        }
        if *symbol == Symbol::Fresh {
            return Ok(Wish::Fresh);
        }
        let (mut symbol, mut kind) = (symbol, None);
        while let Symbol::Typed(_, inner) | Symbol::Required(inner) = symbol {
            if let Symbol::Typed(to, _) = symbol {
                kind = kind.or(Some(*to));
            }
            symbol = inner;
        }
        let Symbol::Sent(path) = symbol else {
            return Err(unknown("is worked out, which other dialects say otherwise."));
        };
        let sent = self.lowered.and_then(|lowered| lowered.sent_at(path));
        let sent = sent.ok_or_else(|| unknown("comes from a variable that other dialects do not have."))?;
        let (part, way) = self.plain(sent.part, &sent.way.0);
        Ok(Wish::Sent(Sent { part, way: plan::Path(way.into()), kind, is_required }))
    }

    /// The same without what only one dialect tells apart.
    fn plain(&self, part: Part, way: &[Segment]) -> (Part, Vec<Segment>) {
        let is_get = &*self.call.method == "GET";
        let way = match way {
            [name, Segment::Key(values), Segment::Index(0)] if part == Part::Parameters && &**values == "values" => {
                vec![name.clone()]
            }
            way => way.to_vec(),
        };
        let is_open = |way: &[Segment]| matches!(way.first(), Some(Segment::Key(name)) if self.call.url.has(name));
        match part {
            Part::Payload if is_get => (Part::Query, way),
            Part::Payload => (Part::Body, way),
            Part::Parameters if !is_open(&way) => (Part::Query, way),
            Part::Body | Part::Query | Part::Headers | Part::Parameters | Part::Cookies | Part::Method | Part::Path => {
                (part, way)
            }
        }
    }

    fn layer(&self, layer: &minting::Layer) -> Result<Layer, Change> {
        let name = |symbol: &Symbol, what: &str| {
            let known = symbol.value().as_ref().and_then(Value::as_text).map(Text::from);
            known.ok_or_else(|| Change::new(what, "It is not the same for every token."))
        };
        let key = match &layer.key.from {
            KeyOrigin::Ring(ring)
                if self.lowered.is_none() && ring.starts_with(supertokens::KeyKind::Static.kid_prefix()) =>
            {
                Key::Own
            }
            KeyOrigin::Ring(ring) => Key::Ring(ring.clone()),
            KeyOrigin::Secret(_) | KeyOrigin::Bound(_) | KeyOrigin::Variable(_) => Key::Own,
            KeyOrigin::Document => return Err(Change::new("key", "It stands in the document for everybody to read.")),
            KeyOrigin::Message(_) => return Err(Change::new("key", "The message brings it along.")),
        };
        let kid = match &layer.kid {
            minting::Kid::Nowhere => Kid::Usual("none"),
            minting::Kid::Key => Kid::Usual("the key's own"),
            minting::Kid::Made => Kid::Usual("the key's own, or made of it"),
            minting::Kid::Named(symbol) => Kid::Named(name(symbol, "kid")?),
        };
        Ok(Layer {
            algorithm: name(&layer.algorithm, "algorithm")?,
            content: layer.content.as_ref().map(|content| name(content, "content encryption")).transpose()?,
            key,
            kid,
            is_typed: layer.typ.is_some(),
            // Only a shared secret can be shorter than a hash.
            allows_weak: layer.allows_weak && name(&layer.algorithm, "algorithm")?.starts_with("HS"),
        })
    }

    fn answer(&self, answer: &minting::Answer) -> Result<Answer, Change> {
        let is_json = match &answer.body {
            Body::Json(_) => true,
            Body::Text(_) => false,
            Body::Either(symbol) => matches!(symbol, Symbol::Map(_) | Symbol::List(_)),
        };
        let body = shape(answer.body.symbol())?;
        let status =
            answer.status.value().and_then(|value| plan::ecmascript::number_of(&value).to_string().parse().ok());
        let status = status.ok_or_else(|| Change::new("answer", "Its status is not the same for every token."))?;
        let mut headers = headers(&answer.headers)?;
        if !is_json && !headers.iter().any(|(name, _)| &**name == "content-type") {
            headers.push(("content-type".into(), self.usual_type().into()));
        }
        if !matches!(answer.cookies.value(), Some(Value::Undefined))
            && answer.cookies.value() != Some(Value::list(Vec::new()))
        {
            return Err(Change::new("answer", "It sets cookies."));
        }
        Ok(Answer { status, body, is_json, headers })
    }

    /// The media type of a text of which nobody says one.
    fn usual_type(&self) -> &'static str {
        match self.lowered {
            Some(Lowered::NodeRed(_)) => crate::node_red::TEXT_TYPE,
            Some(Lowered::ApiConnect(_)) => crate::api_connect::TEXT_TYPE,
            Some(Lowered::Orchestration(_)) | None => crate::orchestration::TEXT_TYPE,
        }
    }
}

fn headers(symbol: &Symbol) -> Result<Vec<(Text, Text)>, Change> {
    let Symbol::Map(members) = symbol else { return Ok(Vec::new()) };
    let header = |(name, value): (&Text, &Symbol)| {
        let known = value.value();
        let known = known.as_ref().and_then(Value::as_text);
        let known = known
            .ok_or_else(|| Change::new("answer", format!("Its header `{name}` is not the same for every token.")))?;
        Ok((Text::from(name.to_ascii_lowercase()), Text::from(known)))
    };
    members.own().map(header).collect()
}

fn shape(symbol: &Symbol) -> Result<Shape, Change> {
    if let Some(value) = symbol.value() {
        return Ok(Shape::Constant(value));
    }
    if let Some(members) = symbol.members() {
        let inner = members.into_iter().map(|(name, member)| Ok((name, shape(&member)?)));
        return inner.collect::<Result<_, Change>>().map(Shape::Map);
    }
    let unlike = || Change::new("answer", "It holds more than constants and the token.");
    match symbol {
        Symbol::Token(_, prefix) => Ok(Shape::Token(prefix.clone())),
        Symbol::Required(inner) => shape(inner),
        Symbol::List(items) => items.iter().map(shape).collect::<Result<_, _>>().map(Shape::List),
        Symbol::Joined(parts) => match &**parts {
            [Symbol::Known(Value::Text(before)), Symbol::Token(_, prefix)] => {
                Ok(Shape::Token(format!("{before}{prefix}").into()))
            }
            _ => Err(unlike()),
        },
        Symbol::Known(_)
        | Symbol::Sent(_)
        | Symbol::Map(_)
        | Symbol::Now
        | Symbol::Fresh
        | Symbol::Typed(..)
        | Symbol::Made(..)
        | Symbol::Any(_) => Err(unlike()),
    }
}
