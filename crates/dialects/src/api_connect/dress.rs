//! How errors look to a client: JSON for a REST API, a fault for a SOAP API (section 8).

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use jose::json::write_text;

use super::accept::Exchange;

/// The reason phrase of a response, where it is not the usual one; it stands among the response's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase(pub String);

/// The version of SOAP that a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Soap {
    V1_1,
    V1_2,
}

impl Soap {
    /// By the media type of the request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let kind =
            headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase()).unwrap_or_default();
        if kind.starts_with(b"application/soap+xml") { Self::V1_2 } else { Self::V1_1 }
    }
}

/// An answer that tells of an error in the form of the API that was called. Without a phrase the usual one is taken.
pub fn problem(status: u16, phrase: Option<&str>, information: &str, exchange: Option<&Exchange>) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let phrase = phrase.or(status.canonical_reason()).unwrap_or("Error");
    let (kind, body) = match exchange.and_then(|exchange| exchange.soap) {
        None => ("application/json", json(status, phrase, information)),
        Some(Soap::V1_1) => ("text/xml; charset=utf-8", soap_1_1(status, phrase, information)),
        Some(Soap::V1_2) => ("application/soap+xml; charset=utf-8", soap_1_2(status, phrase, information)),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response.extensions_mut().insert(Phrase(phrase.to_owned()));
    if let Some(exchange) = exchange {
        exchange.sign(response.headers_mut());
    }
    response
}

impl Exchange {
    /// Puts on a reply what every reply of an API carries.
    pub(super) fn sign(&self, headers: &mut HeaderMap) {
        if let Ok(transaction) = self.transaction.parse() {
            headers.insert("x-global-transaction-id", transaction);
        }
        if let Some(Ok(origin)) = self.origin.as_ref().map(|origin| origin.parse()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.append(header::VARY, header::HeaderValue::from_static("Origin"));
        }
    }
}

fn json(status: StatusCode, phrase: &str, information: &str) -> String {
    let mut out = format!("{{\"httpCode\":\"{}\"", status.as_u16()).into_bytes();
    for (name, text) in [("httpMessage", phrase), ("moreInformation", information)] {
        out.extend_from_slice(format!(",\"{name}\":").as_bytes());
        write_text(&mut out, text);
    }
    out.push(b'}');
    String::from_utf8(out).expect("the writer writes UTF-8")
}

fn soap_1_1(status: StatusCode, phrase: &str, information: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\"><env:Body><env:Fault>\
         <faultcode>env:Server</faultcode><faultstring>{}</faultstring><detail>{}</detail>\
         </env:Fault></env:Body></env:Envelope>",
        escaped(phrase),
        members(status, phrase, information)
    )
}

fn soap_1_2(status: StatusCode, phrase: &str, information: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\"><env:Body><env:Fault>\
         <env:Code><env:Value>env:Receiver</env:Value></env:Code>\
         <env:Reason><env:Text xml:lang=\"en\">{}</env:Text></env:Reason><env:Detail>{}</env:Detail>\
         </env:Fault></env:Body></env:Envelope>",
        escaped(phrase),
        members(status, phrase, information)
    )
}

fn members(status: StatusCode, phrase: &str, information: &str) -> String {
    let code = status.as_u16();
    let (phrase, information) = (escaped(phrase), escaped(information));
    format!(
        "<httpCode>{code}</httpCode><httpMessage>{phrase}</httpMessage><moreInformation>{information}</moreInformation>"
    )
}

/// Text as XML holds it; characters that XML has no way to write are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
