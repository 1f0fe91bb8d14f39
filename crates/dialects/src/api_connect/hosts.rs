//! The hosts that a definition names: nobody else is called on its behalf (section 15).

use std::collections::BTreeMap;

use plan::{Text, Value};
use url::Url;

use super::tree::{Cursor, NodeKind};
use crate::outward::Hosts;

/// How URLs begin that lead to a host which may be called.
const SCHEMES: [&str; 2] = ["http://", "https://"];
/// The ports of a host that is named by itself.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// The hosts in the texts below this place, in which `$(name)` of a property counts as its value, and in the properties.
pub(super) fn named(within: Option<&Cursor<'_>>, properties: &BTreeMap<Text, Value>) -> Hosts {
    let mut hosts = Hosts::default();
    for value in properties.values().filter_map(Value::as_text) {
        add_urls(&mut hosts, value);
        add_bare(&mut hosts, value.trim());
    }
    if let Some(within) = within {
        add_below(&mut hosts, within, properties);
    }
    hosts
}

fn add_below(hosts: &mut Hosts, at: &Cursor<'_>, properties: &BTreeMap<Text, Value>) {
    if let NodeKind::Text(text) = &at.node.kind
        && SCHEMES.iter().any(|scheme| text.contains(scheme))
    {
        add_urls(hosts, &filled(text, properties));
    }
    at.members().for_each(|(_, member)| add_below(hosts, &member, properties));
    at.items().iter().for_each(|item| add_below(hosts, item, properties));
}

/// The text with the properties that it refers to put in; another reference stays, and ends a URL.
fn filled(text: &str, properties: &BTreeMap<Text, Value>) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, (name, behind))) =
        rest.split_once("$(").and_then(|(before, rest)| Some((before, rest.split_once(')')?)))
    {
        out.push_str(before);
        let property = name.strip_prefix("api.properties.").unwrap_or(name);
        match properties.get(property).and_then(Value::as_text) {
            Some(value) => out.push_str(value),
            None => out.push_str("$()"),
        }
        rest = behind;
    }
    out + rest
}

/// Every URL in a text whose host is written out to its end.
fn add_urls(hosts: &mut Hosts, text: &str) {
    for scheme in SCHEMES {
        for (at, _) in text.match_indices(scheme) {
            let url = &text[at..];
            let authority = &url[scheme.len()..];
            let end = authority
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@' | '[' | ']' | '%')));
            let (authority, behind) = authority.split_at(end.unwrap_or(authority.len()));
            // What comes behind would belong to the host: only the request knows it.
            if behind.starts_with(['$', '{']) {
                continue;
            }
            if let Ok(url) = Url::parse(&format!("{scheme}{authority}"))
                && let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default())
            {
                hosts.add(host, port);
            }
        }
    }
}

/// A host that stands by itself in a property, with or without its port.
fn add_bare(hosts: &mut Hosts, text: &str) {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
            && (name.contains('.') || name == "localhost")
    };
    match text.rsplit_once(':') {
        Some((name, port)) if is_name(name) => {
            port.parse().into_iter().for_each(|port| hosts.add(name, port));
        }
        Some(_) => {}
        None if is_name(text) => USUAL_PORTS.into_iter().for_each(|port| hosts.add(text, port)),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_connect::tree;

    fn hosts(document: &str) -> Hosts {
        let tree = tree::read(document.as_bytes()).unwrap();
        let properties = [("base", "https://prop.test:8443/v1"), ("host", "bare.test"), ("pair", "two.test:81")];
        let properties = properties.map(|(name, value)| (Text::from(name), Value::text(value))).into();
        named(Some(&Cursor::root(&tree)), &properties)
    }

    /// AC-87 (part): a host counts where the file or a property writes it out, and not where a request would fill it in.
    #[test]
    fn a_host_is_named_where_it_is_written_out() {
        let document = "a: https://Plain.test/x\nb: [{c: \"x('http://script.test:8080/y')\"}]\n\
            d: https://$(host)/p\ne: https://$(request.headers.host)/p\nf: https://half$(x).test\ng: http://{h}/\n";
        let hosts = hosts(document);
        for (host, port) in [
            ("plain.test", 443),
            ("script.test", 8080),
            ("prop.test", 8443),
            ("bare.test", 443),
            ("bare.test", 80),
            ("two.test", 81),
        ] {
            assert!(hosts.names(host, port), "{host}:{port} of {hosts:?}");
        }
        for (host, port) in [("plain.test", 80), ("half", 443), ("two.test", 443), ("script.test", 80)] {
            assert!(!hosts.names(host, port), "{host}:{port} of {hosts:?}");
        }
    }
}
