//! Secrets that only name a variable of the environment.

/// Variables beginning so are ours; no document sees them.
const OWN_VARIABLES: &str = "CHANCERY_";

/// The variable that a secret names: `${NAME}` or `$(NAME)` as the whole text, as Node-RED has it.
pub(crate) fn variable(secret: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(secret).ok()?;
    let inner = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    let name = inner("${", "}").or_else(|| inner("$(", ")"))?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

/// Whether documents may see the variable.
pub(crate) fn is_visible(variable: &str) -> bool {
    !variable.starts_with(OWN_VARIABLES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_named_by_the_whole_text_only() {
        for text in ["${JWT_SECRET}", "$(JWT_SECRET)"] {
            assert_eq!(variable(text.as_bytes()), Some("JWT_SECRET"));
        }
        for text in [
            "pre${JWT_SECRET}",
            "${JWT_SECRET} ",
            "${JWT SECRET}",
            "${}",
            "$()",
            "${JWT_SECRET)",
            "$JWT_SECRET",
            "{A}",
            "",
        ] {
            assert_eq!(variable(text.as_bytes()), None, "{text}");
        }
        assert_eq!(variable(b"${\xff}"), None);
    }
}
