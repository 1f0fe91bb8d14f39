//! Replies that are no refusals: JSON bodies, the greeting, and the key set with how long it may be kept.

use jose::json::write_text;

/// The content type of every success but the greeting.
pub const JSON: &str = "application/json; charset=UTF-8";
/// The content type of every refusal, and of the greeting.
pub const TEXT: &str = "text/plain; charset=UTF-8";
/// What `/hello` answers.
pub const HELLO: &str = "Hello\n";
/// What a request for an algorithm that is not enabled is answered, with status 200.
pub const UNSUPPORTED_ALGORITHM: &str = "{\"status\":\"UNSUPPORTED_ALGORITHM_ERROR\"}\n";

/// A token.
pub fn created(token: &str) -> Vec<u8> {
    [b"{\"status\":\"OK\",\"jwt\":\"", token.as_bytes(), b"\"}\n"].concat()
}

/// The versions of `/apiversion`.
pub fn api_versions(versions: &[&str]) -> Vec<u8> {
    let mut out = b"{\"versions\":[".to_vec();
    for (index, version) in versions.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(&mut out, version);
    }
    out.extend_from_slice(b"]}\n");
    out
}

/// The key set of `/recipe/jwt/jwks`, as old SDKs expect it, from the set as it is served elsewhere: `{"keys":[..]}`.
pub fn recipe_key_set(set: &[u8]) -> Vec<u8> {
    let members = set.strip_suffix(b"}").unwrap_or(set);
    [members, b",\"status\":\"OK\"}\n"].concat()
}

/// The `Cache-Control` of the key set. SDKs read `max-age` only if a comma or the end follows it.
pub fn cache_control(max_age_secs: i64) -> String {
    format!("max-age={max_age_secs}, must-revalidate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_one_line_with_nothing_else_in_it() {
        assert_eq!(created("a.b.c"), b"{\"status\":\"OK\",\"jwt\":\"a.b.c\"}\n");
        assert_eq!(api_versions(&["2.7", "5.6"]), b"{\"versions\":[\"2.7\",\"5.6\"]}\n");
        assert_eq!(recipe_key_set(b"{\"keys\":[]}"), b"{\"keys\":[],\"status\":\"OK\"}\n");
        assert_eq!(cache_control(600), "max-age=600, must-revalidate");
    }
}
