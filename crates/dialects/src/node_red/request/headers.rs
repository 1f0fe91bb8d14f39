//! The headers of a request on their way together: names are the same in any case, and the last one that is set wins.

use http::{HeaderMap, HeaderName, HeaderValue};
use plan::ecmascript::{is_truthy, text_of};
use plan::{Fault, FaultKind, Value};

/// Headers, by name as it was written.
#[derive(Debug, Default)]
pub(super) struct Headers(Vec<(String, Vec<String>)>);

impl Headers {
    /// Sets a header to what a message or a node holds; a value that counts as false takes it out.
    pub(super) fn set(&mut self, name: &str, value: &Value) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if is_truthy(value) {
            let lines =
                if let Value::List(lines) = value { lines.iter().map(text_of).collect() } else { vec![text_of(value)] };
            self.0.push((name.to_owned(), lines));
        }
    }

    /// Sets a header to one line of text.
    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.set(name, &Value::text(value));
    }

    /// The only line of a header, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, lines) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        lines.first().map(String::as_str)
    }

    /// As they are sent.
    ///
    /// # Errors
    /// A name or a value that HTTP has no place for.
    pub(super) fn into_map(self) -> Result<HeaderMap, Fault> {
        let mut map = HeaderMap::new();
        for (name, lines) in self.0 {
            let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                refused("ERR_INVALID_HTTP_TOKEN", &format!("Header name must be a valid HTTP token [\"{name}\"]"))
            })?;
            for line in lines {
                let value = latin1(&line).and_then(|octets| HeaderValue::from_bytes(&octets).ok());
                let value = value.ok_or_else(|| {
                    refused("ERR_INVALID_CHAR", &format!("Invalid character in header content [\"{name}\"]"))
                })?;
                map.append(known.clone(), value);
            }
        }
        Ok(map)
    }
}

/// The octets of a header's text, one for each character; none if a character has none.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

fn refused(code: &str, why: &str) -> Fault {
    Fault::new(FaultKind::FetchFailed, format!("RequestError: {why}")).with_code(code)
}
