//! Two wishes held against each other: what makes another token, and what only changes around it.

use plan::Value;

use super::page::json_of;
use super::{Callers, Change, Intent, Key, Kid, Layer, Wish};

/// What of the token would be another one.
pub(super) fn token(before: &Intent, after: &Intent) -> Vec<Change> {
    let mut changed = Vec::new();
    for (name, wish) in &before.claims {
        match after.claim(name) {
            Some(other) if is_same(wish, other) => {}
            Some(Wish::Constant(_)) => changed.push(Change::new("claim", format!("`{name}` would be another value."))),
            Some(_) => changed.push(Change::new("claim", format!("`{name}` would come from elsewhere."))),
            None => changed.push(Change::new("claim", format!("`{name}` would be missing."))),
        }
    }
    let added = after.claims.iter().filter(|(name, _)| before.claim(name).is_none());
    changed.extend(added.map(|(name, _)| Change::new("claim", format!("`{name}` would be added."))));
    if before.lifetime_secs != after.lifetime_secs {
        changed.push(Change::new("lifetime", format!("It would be {}.", seconds(after.lifetime_secs))));
    }
    for (name, one, other) in
        [("signature", &before.signature, &after.signature), ("encryption", &before.encryption, &after.encryption)]
    {
        match (one, other) {
            (Some(one), Some(other)) => changed.extend(layer(name, one, other)),
            (None, None) => {}
            (Some(_), None) => changed.push(Change::new(name, "It would be missing.")),
            (None, Some(_)) => changed.push(Change::new(name, "It would be added.")),
        }
    }
    changed
}

fn layer(name: &str, one: &Layer, other: &Layer) -> Vec<Change> {
    let mut changed = Vec::new();
    if (&one.algorithm, &one.content) != (&other.algorithm, &other.content) {
        changed.push(Change::new(name, format!("The algorithm would be {}.", other.algorithm)));
    }
    if let (Kid::Named(kid), false) = (&one.kid, one.kid == other.kid) {
        changed.push(Change::new(name, format!("`kid` would not be `{kid}`.")));
    }
    if let (Kid::Usual(_), Kid::Named(kid)) = (&one.kid, &other.kid) {
        changed.push(Change::new(name, format!("`kid` would be `{kid}`.")));
    }
    changed
}

/// What changes around it.
pub(super) fn around(before: &Intent, after: &Intent) -> Vec<Change> {
    let mut lost = Vec::new();
    let mut tell = |what: &str, how: String| lost.push(Change::new(what, how));
    let names = |intent: &Intent| intent.claims.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    if names(before) != names(after) {
        tell("order of claims", format!("They come as {}.", names(after).join(", ")));
    }
    for (name, wish) in &before.claims {
        if let (Wish::Sent(one), Some(Wish::Sent(other))) = (wish, after.claim(name))
            && one.is_required != other.is_required
        {
            let then = if other.is_required { "no token is made" } else { "it is left out" };
            tell("claim", format!("Where nobody sends `{name}`, {then}."));
        }
    }
    for (name, one, other) in
        [("signature", &before.signature, &after.signature), ("encryption", &before.encryption, &after.encryption)]
    {
        if let (Some(one), Some(other)) = (one, other) {
            header(name, one, other).into_iter().for_each(|how| tell(name, how));
        }
    }
    if (&before.call.method, &before.call.url) != (&after.call.method, &after.call.url) {
        tell("call", format!("It is called as {} {}.", after.call.method, after.call.url.written("{", "}")));
    }
    if before.call.callers != after.call.callers {
        let who = match after.call.callers {
            Callers::All => "The written document lets everybody call.",
            Callers::Key => "Callers need a key.",
            Callers::Core => "Whoever may call the core may ask for every token: its API keys are settings.",
        };
        tell("callers", who.to_owned());
    }
    if before.answer != after.answer {
        tell("answer", "Its status, body or headers are another dialect's.".to_owned());
    }
    tell("failure", "What is answered when no token can be made is as the other dialect says it.".to_owned());
    lost
}

fn header(name: &str, one: &Layer, other: &Layer) -> Vec<String> {
    let mut told = Vec::new();
    if let (Kid::Usual(before), Kid::Usual(after)) = (&one.kid, &other.kid)
        && before != after
    {
        told.push(format!("`kid` in the header is {after}; it was {before}."));
    }
    if one.is_typed != other.is_typed {
        let now = if other.is_typed { "has `typ` `JWT`" } else { "has no `typ`" };
        told.push(format!("The header {now}."));
    }
    match (&one.key, &other.key) {
        (Key::Own, Key::Own) => told.push("The key does not go along: give it again.".to_owned()),
        (Key::Ring(one), Key::Ring(other)) if one == other => {}
        (_, Key::Ring(ring)) => told.push(format!("The key ring `{ring}` signs: bring the key into it.")),
        (Key::Ring(ring), Key::Own) => told.push(format!("No ring signs: give the key of `{ring}`.")),
    }
    if one.allows_weak != other.allows_weak {
        let now = if other.allows_weak { "is" } else { "is not" };
        told.push(format!("A secret that is shorter than its hash {now} taken in the {name}."));
    }
    told
}

/// Whether two wishes give the same claim for whatever is sent.
fn is_same(one: &Wish, other: &Wish) -> bool {
    match (one, other) {
        (Wish::Sent(one), Wish::Sent(other)) => (one.part, &one.way, one.kind) == (other.part, &other.way, other.kind),
        (Wish::Constant(one), Wish::Constant(other)) => is_equal(one, other),
        (one, other) => one == other,
    }
}

/// Whether two constants are the same claim: as JSON, where numbers are as they are written.
fn is_equal(one: &Value, other: &Value) -> bool {
    one == other || json_of(one).is_some_and(|json| Some(json) == json_of(other))
}

fn seconds(lifetime_secs: Option<i64>) -> String {
    lifetime_secs.map_or("without end".to_owned(), |seconds| format!("{seconds} s"))
}
