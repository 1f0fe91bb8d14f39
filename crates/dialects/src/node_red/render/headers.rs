//! The headers of an answer while it is put together (section 11).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use plan::ecmascript::text_of;
use plan::{Fault, Parts, Text, Value};

use super::type_error;
use crate::node_red::accept::is_token;

/// Headers that say how the answer is framed: whoever sends it sets them.
const FRAMING: [HeaderName; 4] = [header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE, header::TRAILER];
/// Most headers that one answer may have.
const HEADERS_MAX: usize = 1_000;

/// The headers that are set so far. A name is set once, whatever its case; a list makes several lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::node_red) struct Headers(HeaderMap);

impl Headers {
    /// Sets the headers of the node, then those of the message whose names the node does not write in the same case.
    pub(super) fn set_all(&mut self, own: &[(Text, Value)], of_message: &Value) -> Result<(), Fault> {
        for (name, value) in own {
            self.set(name, value)?;
        }
        let of_message = members(of_message);
        if of_message.len() > HEADERS_MAX {
            return Err(type_error("The message sets more headers than an answer may have.", None));
        }
        for (name, value) in of_message.iter().filter(|(name, _)| own.iter().all(|(other, _)| other != name)) {
            self.set(name, value)?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), Fault> {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| is_token(name));
        let message = "The message or the node names a header that no header can have.";
        let parsed = parsed.ok_or_else(|| type_error(message, Some("ERR_INVALID_HTTP_TOKEN")))?;
        let texts = if let Value::List(items) = value {
            if parsed == header::CONTENT_TYPE {
                return Err(type_error("The content type must be one text.", None));
            }
            items.iter().map(text_of).collect()
        } else {
            vec![with_charset(&parsed, text_of(value))]
        };
        let values = texts.iter().map(|text| header_value(text)).collect::<Result<Vec<_>, _>>()?;
        if FRAMING.contains(&parsed) {
            return Ok(());
        }
        self.0.remove(&parsed);
        for value in values {
            self.0.append(&parsed, value);
        }
        Ok(())
    }

    /// Adds a line to those of a name.
    pub(super) fn append(&mut self, name: HeaderName, text: &str) -> Result<(), Fault> {
        self.0.append(name, header_value(text)?);
        Ok(())
    }

    /// Sets a header whose value is known to be one.
    pub(super) fn put(&mut self, name: HeaderName, text: &str) {
        let value = HeaderValue::from_str(text).expect("only tokens, digits and media types are put");
        self.0.insert(name, value);
    }

    /// The same unless the header is set already.
    pub(super) fn put_absent(&mut self, name: HeaderName, text: &str) {
        if !self.0.contains_key(&name) {
            self.put(name, text);
        }
    }

    /// The first line of a header.
    pub(super) fn get(&self, name: HeaderName) -> Option<String> {
        self.0.get(name).map(|value| value.as_bytes().iter().map(|octet| char::from(*octet)).collect())
    }

    /// Takes a header out.
    pub(super) fn remove(&mut self, name: HeaderName) {
        self.0.remove(name);
    }

    /// The headers as they are sent.
    pub(super) fn into_map(self) -> HeaderMap {
        self.0
    }
}

/// What a value lists as its own members; a text lists its characters.
fn members(value: &Value) -> Vec<(Text, Value)> {
    match value.parts() {
        Parts::Map(map) => map.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        Parts::List(items) => {
            items.iter().enumerate().map(|(at, item)| (at.to_string().into(), item.clone())).collect()
        }
        Parts::None => {
            let characters = value.as_text().unwrap_or_default().chars().enumerate().take(HEADERS_MAX + 1);
            characters.map(|(at, c)| (at.to_string().into(), Value::text(c.to_string()))).collect()
        }
    }
}

/// Types of text get a charset as soon as they are set.
fn with_charset(name: &HeaderName, value: String) -> String {
    let essence = value.split(';').next().unwrap_or_default();
    let textual = ["text/", "application/json", "application/javascript"].iter().any(|kind| essence.starts_with(kind));
    let has_charset = value.to_ascii_lowercase().contains("charset");
    if *name == header::CONTENT_TYPE && textual && !has_charset { format!("{value}; charset=utf-8") } else { value }
}

/// A value in ISO 8859-1, the most that a header can hold.
fn header_value(text: &str) -> Result<HeaderValue, Fault> {
    let octets: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let value = octets.and_then(|octets| HeaderValue::from_bytes(&octets).ok());
    let message = "The message or the node gives a header a value with characters that no header can hold.";
    value.ok_or_else(|| type_error(message, Some("ERR_INVALID_CHAR")))
}
