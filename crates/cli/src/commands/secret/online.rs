//! Secrets of a running server, over its control socket.

use http::Method;
use serde_json::{Value as Json, json};
use server::control::Client;
use zeroize::Zeroizing;

use super::Wish;
use crate::exit::{ExitCode, Failure};

pub(super) fn set(client: Client, node: &str, field: &str, wish: &Wish) -> Result<(), Failure> {
    let body = match wish {
        Wish::Value(text) => json!({ "value": text.as_str() }),
        Wish::Env(name) => json!({ "env": name }),
    };
    call(client, &Method::PUT, &path(node, field), Zeroizing::new(body.to_string()).as_bytes()).map(drop)
}

pub(super) fn delete(client: Client, node: &str, field: &str) -> Result<(), Failure> {
    call(client, &Method::DELETE, &path(node, field), b"").map(drop)
}

pub(in crate::commands) fn list(client: Client) -> Result<Vec<(String, String)>, Failure> {
    let answer = call(client, &Method::GET, "/secrets", b"")?;
    let text = |secret: &Json, member: &str| secret[member].as_str().unwrap_or_default().to_owned();
    let secrets = answer["secrets"].as_array().cloned().unwrap_or_default();
    Ok(secrets.iter().map(|secret| (text(secret, "node"), text(secret, "field"))).collect())
}

/// Calls the server; what it refuses is a failure in its words.
pub(in crate::commands) fn call(client: Client, method: &Method, path: &str, body: &[u8]) -> Result<Json, Failure> {
    let reply = client.call(method, path, body).map_err(|error| {
        Failure::new(ExitCode::Away, "server_away", format!("the running server does not answer: {error}"))
    })?;
    let answer: Json = serde_json::from_slice(&reply.body).unwrap_or_default();
    if reply.status.is_success() {
        return Ok(answer);
    }
    let exit = if reply.status.is_server_error() { ExitCode::Away } else { ExitCode::Refused };
    let why = answer["error_description"].as_str().unwrap_or("the server refuses it");
    Err(Failure::new(exit, "refused", why))
}

/// Where a secret is set.
pub(in crate::commands) fn path(node: &str, field: &str) -> String {
    format!("/secrets/{}/{}", encoded(node), encoded(field))
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
pub(in crate::commands) fn encoded(segment: &str) -> String {
    segment
        .bytes()
        .map(|octet| match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(octet).to_string(),
            octet => format!("%{octet:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_segment_each() {
        assert_eq!(path("766dcb94.6ebc04", "tokensecret"), "/secrets/766dcb94.6ebc04/tokensecret");
        assert_eq!(path("my admin/ü", "x"), "/secrets/my%20admin%2F%C3%BC/x");
    }
}
