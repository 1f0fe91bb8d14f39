//! The same as JSON (`docs/schemas/explain.json`).

use dialects::minting::{Absent, Claim, ClaimSource, Delivery, KeyOrigin, Layer, Life, Minting, Symbol};
use plan::Value;
use serde_json::{Value as Json, json};

use super::{claim_text, key_text, kid_text, life_text, source};

/// One place of a document.
pub(super) fn of(document: &str, minting: &Minting) -> Json {
    let at = &minting.at;
    let token = minting.token.as_ref();
    let warnings = minting
        .warnings
        .iter()
        .map(|warning| json!({ "code": warning.code, "section": warning.section, "message": warning.message }));
    json!({
        "document": document,
        "node": &*at.id,
        "type": &*at.kind,
        "name": &*at.name,
        "flow": &*at.section,
        "callers": minting.callers,
        "claims": token.map(|token| token.claims.iter().map(claim).collect::<Vec<_>>()),
        "lifetime": token.map(|token| life(&token.lifetime)),
        "signature": token.and_then(|token| token.signature.as_ref()).map(layer),
        "encryption": token.and_then(|token| token.encryption.as_ref()).map(layer),
        "deliveries": minting.deliveries.iter().map(delivery).collect::<Vec<_>>(),
        "warnings": warnings.collect::<Vec<_>>(),
    })
}

fn claim(claim: &Claim) -> Json {
    let source = match &claim.from {
        ClaimSource::IssuedAt | ClaimSource::Expires => {
            json!({ "from": "clock", "text": claim_text(claim), "value": null, "variables": [] })
        }
        ClaimSource::Symbol(symbol) => source(symbol),
    };
    let absent = match claim.absent {
        Absent::Never => "never",
        Absent::LeftOut => "left_out",
        Absent::Refused => "refused",
    };
    json!({ "name": claim.name.as_deref(), "source": source, "absent": absent })
}

fn source(symbol: &Symbol) -> Json {
    let value = symbol.value().filter(|value| !value.is_undefined());
    json!({
        "from": source::kind(symbol),
        "text": source::text(symbol),
        "value": value.as_ref().map(source::json),
        "variables": source::variables(symbol),
    })
}

fn life(life: &Life) -> Json {
    let (seconds, until) = match life {
        Life::Seconds(seconds) | Life::Asked(_, seconds) => (Some(*seconds), None),
        Life::Until(epoch_secs) => (None, Some(*epoch_secs)),
        Life::Unbounded => (None, None),
    };
    json!({ "seconds": seconds, "until": until, "text": life_text(life) })
}

fn layer(layer: &Layer) -> Json {
    let known = |symbol: &Symbol| symbol.value().as_ref().and_then(Value::as_text).map(str::to_owned);
    let from = match &layer.key.from {
        KeyOrigin::Secret(_) => "secret",
        KeyOrigin::Ring(_) => "ring",
        KeyOrigin::Bound(_) => "bound",
        KeyOrigin::Variable(_) => "variable",
        KeyOrigin::Document => "document",
        KeyOrigin::Message(_) => "message",
    };
    json!({
        "algorithm": known(&layer.algorithm),
        "content": layer.content.as_ref().and_then(known),
        "key": { "from": from, "text": key_text(&layer.key.from), "size": layer.key.size },
        "kid": kid_text(&layer.kid),
        "typ": layer.typ.as_deref(),
    })
}

fn delivery(delivery: &Delivery) -> Json {
    let Delivery { by, to, way, behind } = delivery;
    json!({ "to": to.name(), "way": way, "behind": behind, "node": &*by.id, "type": &*by.kind })
}
