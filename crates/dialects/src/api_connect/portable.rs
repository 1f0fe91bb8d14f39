//! A definition as its vendor takes it: without the members that only run here (section 16).

use plan::{Diagnostic, write_json};

use super::sealed::is_mark;
use super::tree::{self, Node, NodeKind, Span};

/// How the names of our own members begin.
pub(super) const OWN: &str = "x-chancery-";

/// A definition without our own members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portable {
    /// The definition: the author's text where only whole lines had to go, else the same written anew as JSON.
    pub octets: Vec<u8>,
    /// The JSON pointers (RFC 6901) to what was left out.
    pub left_out: Vec<String>,
    /// The JSON pointers to values that are kept as secrets here, and that the vendor wants to know.
    pub sealed: Vec<String>,
}

/// A member that is left out.
struct Member {
    name: String,
    value: Span,
}

/// Leaves out of a definition what only runs here.
///
/// # Errors
/// Why the text is no definition.
pub fn portable(octets: &[u8]) -> Result<Portable, Box<Diagnostic>> {
    let mut tree = tree::read(octets).map_err(|broken| Box::new(broken.told()))?;
    let mut found = Found::default();
    found.leave_out(&mut tree, String::new());
    let Found { members, left_out, sealed } = found;
    let octets = if members.is_empty() { octets.to_vec() } else { without(octets, &members, &tree) };
    Ok(Portable { octets, left_out, sealed })
}

#[derive(Default)]
struct Found {
    members: Vec<Member>,
    left_out: Vec<String>,
    sealed: Vec<String>,
}

impl Found {
    fn leave_out(&mut self, at: &mut Node, pointer: String) {
        match &mut at.kind {
            NodeKind::Map(members) => {
                let below = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                members.retain(|name, value| {
                    if name.starts_with(OWN) {
                        self.left_out.push(below(name));
                        self.members.push(Member { name: name.clone(), value: value.span });
                        return false;
                    }
                    self.leave_out(value, below(name));
                    true
                });
            }
            NodeKind::List(items) => {
                let below = items.iter_mut().enumerate();
                below.for_each(|(index, item)| self.leave_out(item, format!("{pointer}/{index}")));
            }
            NodeKind::Text(text) if is_mark(text) => self.sealed.push(pointer),
            NodeKind::Null | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) => {}
        }
    }
}

fn without(octets: &[u8], members: &[Member], rest: &Node) -> Vec<u8> {
    let value = rest.value();
    let reads_so = |text: &String| tree::read(text.as_bytes()).is_ok_and(|tree| tree.value() == value);
    let cut = std::str::from_utf8(octets).ok().and_then(|text| cut(text, members)).filter(reads_so);
    cut.map(String::into_bytes).unwrap_or_else(|| {
        let mut anew = Vec::new();
        let written = write_json(&mut anew, &value);
        debug_assert!(written.is_ok(), "a document holds nothing that JSON cannot");
        anew
    })
}

/// The text without the lines of these members; none if one shares a line with something else.
fn cut(text: &str, members: &[Member]) -> Option<String> {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for Member { name, value } in members {
        let value = value.octets(text)?;
        let value_end = value.start + text.get(value.clone())?.trim_end().len();
        let key = text[..value.start].rfind(name.as_str())?;
        let start = text[..key].rfind('\n').map_or(0, |at| at + 1);
        let end = text[value_end..].find('\n').map_or(text.len(), |at| value_end + at + 1);
        let is_alone = |part: &str| part.trim().trim_start_matches(['"', '\'']).is_empty();
        let behind = text[value_end..end].trim();
        if !is_alone(&text[start..key]) || !(behind.is_empty() || behind == "," || behind.starts_with('#')) {
            return None;
        }
        out += text.get(from..start)?;
        from = end;
    }
    Some(out + text.get(from..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AC-88 (part): our own members go and are listed, everything else stays as the author wrote it.
    #[test]
    fn only_our_own_members_go() {
        let text = "swagger: '2.0' # head\nx-ibm-configuration:\n  assembly:\n    execute:\n      - jwt-generate:\n          title: a\n";
        let own = "          x-chancery-strict: true # ours\n          'x-chancery-claims':\n            - name: a\n              value: 1\n";
        let behind = "          description: \"b\"\n      - set-variable: {actions: []}\n";
        let at = "/x-ibm-configuration/assembly/execute/0/jwt-generate/x-chancery-";
        let portable = portable(format!("{text}{own}{behind}").as_bytes()).unwrap();
        assert_eq!(String::from_utf8(portable.octets).unwrap(), format!("{text}{behind}"));
        assert_eq!(portable.left_out, [format!("{at}strict"), format!("{at}claims")]);
    }

    #[test]
    fn what_shares_its_line_is_written_anew() {
        let text = "swagger: '2.0'\na: [{jwt-generate: {title: t, x-chancery-strict: true}}]\n";
        let portable = portable(text.as_bytes()).unwrap();
        assert_eq!(portable.octets, br#"{"swagger":"2.0","a":[{"jwt-generate":{"title":"t"}}]}"#);
        assert_eq!(portable.left_out, ["/a/0/jwt-generate/x-chancery-strict"]);
    }

    #[test]
    fn a_definition_without_any_stays_to_the_octet() {
        let text = "---\n\"swagger\": '2.0'\r\nx: {a: &b [1,  2], c: *b}\nk: 'chancery:sealed'\n";
        let portable = portable(text.as_bytes()).unwrap();
        assert_eq!((portable.octets.as_slice(), portable.left_out.len()), (text.as_bytes(), 0));
        assert_eq!(portable.sealed, ["/k"]);
        assert!(super::portable(b"a: [").is_err());
    }
}
