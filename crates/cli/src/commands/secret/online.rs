//! Secrets of a running server, over its control socket.

use http::Method;
use jose::jwk::Jwk;
use serde_json::{Value as Json, json};
use server::control::Client;
use zeroize::Zeroizing;

use super::Wish;
use crate::commands::key;
use crate::exit::{ExitCode, Failure};

pub(super) fn set(client: Client, node: &str, field: &str, wish: &Wish) -> Result<(), Failure> {
    let body = match wish {
        Wish::Value(text) => json!({ "value": text.as_str() }),
        Wish::Env(name) => json!({ "env": name }),
    };
    call(client, &Method::PUT, &path(node, field), Zeroizing::new(body.to_string()).as_bytes()).map(drop)
}

/// Has a key drawn; gives what its other holder needs.
pub(super) fn generate(client: Client, node: &str, field: &str) -> Result<Jwk, Failure> {
    let answer = call(client, &Method::POST, &path(node, field), b"")?;
    let text = Zeroizing::new(answer.to_string());
    Jwk::parse(text.as_bytes()).map_err(|error| key::refused(&error))
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
    asked(client, method, path, body)?.map_err(|refusal| {
        let exit = if refusal.is_servers { ExitCode::Away } else { ExitCode::Refused };
        Failure::new(exit, "refused", refusal.why)
    })
}

/// What a server refused.
pub(in crate::commands) struct Refusal {
    /// Its name for that.
    pub(in crate::commands) code: String,
    /// In its words.
    pub(in crate::commands) why: String,
    /// Whether the server is at fault, or cannot for now.
    pub(in crate::commands) is_servers: bool,
}

/// Calls the server and gives its answer, or its refusal.
pub(in crate::commands) fn asked(
    client: Client,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Result<Json, Refusal>, Failure> {
    let reply = client.call(method, path, body).map_err(|error| {
        Failure::new(ExitCode::Away, "server_away", format!("the running server does not answer: {error}"))
    })?;
    let answer: Json = serde_json::from_slice(&reply.body).unwrap_or_default();
    if reply.status.is_success() {
        return Ok(Ok(answer));
    }
    let text = |member: &str, otherwise: &str| answer[member].as_str().unwrap_or(otherwise).to_owned();
    Ok(Err(Refusal {
        code: text("error", "refused"),
        why: text("error_description", "the server refuses it"),
        is_servers: reply.status.is_server_error(),
    }))
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
