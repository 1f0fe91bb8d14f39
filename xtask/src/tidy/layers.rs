//! Splits a Rust text into code and comments, each as long as the text, with blanks where the other stands.

use super::rust::in_word;

/// Splits a text into its code and its comments; strings and characters keep their quotes only.
pub(super) fn layers(text: &str) -> (String, String) {
    let octets = text.as_bytes();
    let mut code = octets.to_vec();
    let mut comments = octets.to_vec();
    blank(&mut comments);
    let mut at = 0;
    while at < octets.len() {
        let token = token_at(octets, at);
        match token.kind {
            Kind::Comment => {
                comments[at..token.end].copy_from_slice(&octets[at..token.end]);
                blank(&mut code[at..token.end]);
            }
            Kind::Quoted => blank(&mut code[at + 1..token.end - 1]),
            Kind::Code => {}
        }
        at = token.end;
    }
    (text_of(code), text_of(comments))
}

enum Kind {
    Comment,
    Quoted,
    Code,
}

struct Token {
    kind: Kind,
    end: usize,
}

fn token_at(octets: &[u8], at: usize) -> Token {
    let rest = &octets[at..];
    let token = |kind, length: usize| Token { kind, end: at + length };
    if rest.starts_with(b"//") {
        return token(Kind::Comment, find(rest, b"\n").unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return token(Kind::Comment, block_comment(rest));
    }
    if rest[0] == b'"' {
        return quoted(rest).map_or(token(Kind::Code, 1), |length| token(Kind::Quoted, length));
    }
    if rest[0] == b'\'' {
        return character(rest).map_or(token(Kind::Code, 1), |length| token(Kind::Quoted, length));
    }
    let word = rest.iter().take_while(|&&octet| in_word(octet)).count();
    raw_string(rest).map_or(token(Kind::Code, word.max(1)), |length| token(Kind::Quoted, length))
}

fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len()).position(|window| window == wanted)
}

/// The length of a block comment, nested ones included.
fn block_comment(octets: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < octets.len() {
        if octets[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if octets[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The length of a string literal, escapes heeded; `None` if it never ends.
fn quoted(octets: &[u8]) -> Option<usize> {
    let mut at = 1;
    while at < octets.len() {
        match octets[at] {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// The length of a character literal; `None` for a lifetime.
fn character(octets: &[u8]) -> Option<usize> {
    if octets.get(1) == Some(&b'\\') {
        return find(&octets[3.min(octets.len())..], b"'").map(|at| at + 4);
    }
    let text = octets[1..octets.len().min(6)].utf8_chunks().next()?.valid();
    let length = 1 + text.chars().next()?.len_utf8();
    (octets.get(length) == Some(&b'\'')).then_some(length + 1)
}

/// The length of a raw string or byte string that begins here with its prefix.
fn raw_string(octets: &[u8]) -> Option<usize> {
    let prefix = ["br", "cr", "r"].iter().find(|prefix| octets.starts_with(prefix.as_bytes()))?.len();
    let hashes = octets[prefix..].iter().take_while(|&&octet| octet == b'#').count();
    if octets.get(prefix + hashes) != Some(&b'"') {
        return None;
    }
    let open = prefix + hashes + 1;
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    find(&octets[open..], &close).map(|at| open + at + close.len())
}

/// Turns octets into blanks; lines stay.
pub(super) fn blank(octets: &mut [u8]) {
    for octet in octets {
        if *octet != b'\n' {
            *octet = b' ';
        }
    }
}

pub(super) fn text_of(octets: Vec<u8>) -> String {
    String::from_utf8(octets).expect("whole tokens were blanked, so what is left is whole characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_leave_the_code() {
        let (code, comments) = layers("let a = \"unsafe // x\"; // fn y\n/* z /* q */ */ let c = '\"';\n");
        assert_eq!(code, "let a = \"           \";        \n                let c = ' ';\n");
        assert_eq!(comments.trim_start(), "// fn y\n/* z /* q */ */             \n");
    }

    #[test]
    fn raw_strings_and_lifetimes_are_told_apart() {
        let (code, comments) = layers("fn f<'a>(x: &'a str) { let s = r#\"a \"quoted\" // b\"#; let c = '\\''; }");
        assert!(code.contains("fn f<'a>(x: &'a str)"));
        assert!(!code.contains("quoted"));
        assert_eq!(comments.trim(), "");
    }

    #[test]
    fn non_ascii_text_keeps_its_offsets() {
        let text = "// ä€\nlet c = 'ä'; let s = \"€\";";
        let (code, comments) = layers(text);
        assert_eq!(code.len(), text.len());
        assert!(comments.starts_with("// ä€"));
    }
}
