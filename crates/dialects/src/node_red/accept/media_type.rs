//! Media types of requests and replies (RFC 9110 section 8.3.1).

use std::collections::BTreeMap;

/// A media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `text/html`, in lower case.
    pub(crate) essence: String,
    /// Parameters by name in lower case.
    pub(crate) parameters: BTreeMap<String, String>,
}

impl MediaType {
    /// Reads a media type; none if it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let end = text.find(';').unwrap_or(text.len());
        let essence = text[..end].trim_matches([' ', '\t']);
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut parameters = BTreeMap::new();
        let mut rest = &text[end..];
        while let Some(parameter) = rest.strip_prefix(';') {
            let (name, value, behind) = parse_parameter(parameter)?;
            parameters.insert(name, value);
            rest = behind;
        }
        rest.is_empty().then(|| Self { essence: essence.to_ascii_lowercase(), parameters })
    }

    /// The first half, such as `text`.
    pub(crate) fn kind(&self) -> &str {
        self.essence.split_once('/').map_or("", |(kind, _)| kind)
    }

    /// The second half without its suffix, and the suffix behind its last `+`.
    pub(crate) fn subtype(&self) -> (&str, Option<&str>) {
        let subtype = self.essence.split_once('/').map_or("", |(_, subtype)| subtype);
        subtype.rsplit_once('+').map_or((subtype, None), |(name, suffix)| (name, Some(suffix)))
    }

    /// The text of this type with that charset in place of its own.
    pub(crate) fn with_charset(mut self, charset: &str) -> String {
        self.parameters.insert("charset".to_owned(), charset.to_owned());
        let shown = self.parameters.iter().map(|(name, value)| format!("; {name}={}", quoted(value)));
        self.essence + &shown.collect::<String>()
    }
}

/// One parameter behind its `;`: name, value, and what follows.
fn parse_parameter(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim_matches([' ', '\t']);
    if !is_token(name) {
        return None;
    }
    let (value, behind) = match rest.strip_prefix('"') {
        Some(inner) => parse_quoted(inner)?,
        None => {
            let end = rest.find([';', ' ', '\t']).unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        }
    };
    let unquoted = !rest.starts_with('"');
    let behind = behind.trim_start_matches([' ', '\t']);
    (!unquoted || is_token(&value)).then(|| (name.to_ascii_lowercase(), value, behind))
}

/// A quoted text behind its first quote, and what follows it.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            plain => value.push(plain),
        }
    }
    None
}

fn quoted(value: &str) -> String {
    if is_token(value) {
        return value.to_owned();
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// Whether this is a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let mark = |octet: u8| b"!#$%&'*+-.^_`|~".contains(&octet);
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || mark(octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_with_their_parameters_and_broken_ones_refused() {
        let read = MediaType::parse(r#"Text/HTML ; Charset="UTF-8";q=1"#).unwrap();
        assert_eq!(read.essence, "text/html");
        assert_eq!(read.parameters["charset"], "UTF-8");
        assert_eq!(read.with_charset("utf-8"), "text/html; charset=utf-8; q=1");
        assert_eq!(MediaType::parse("application/soap+xml").unwrap().subtype(), ("soap", Some("xml")));
        for broken in
            ["", "nonsense", "a/", "/b", "a/b; charset", "a/b; =x", "a/b; c=", "a/b; c=\"x", "a b/c", "a/b; c=d e"]
        {
            assert_eq!(MediaType::parse(broken), None, "{broken}");
        }
    }
}
