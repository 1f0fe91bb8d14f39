//! Property paths as Node-RED writes them: `a.b`, `a[0]`, `a["b c"]`.

use plan::{Path, Segment};

/// Most segments of one path.
const SEGMENTS_MAX: usize = 64;

/// Reads a path below the message; none if it is no path, or leads through another one (`a[msg.b]`).
pub(super) fn parse(text: &str) -> Option<Path> {
    let mut segments = Vec::new();
    let mut rest = text;
    let mut expects_name = true;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (segment, behind) = bracketed(inner)?;
            segments.push(segment);
            rest = behind;
        } else {
            let name_at = if expects_name { rest } else { rest.strip_prefix('.')? };
            let end = name_at.find(['.', '[']).unwrap_or(name_at.len());
            segments.push(named(&name_at[..end])?);
            rest = &name_at[end..];
        }
        expects_name = false;
    }
    (!segments.is_empty() && segments.len() <= SEGMENTS_MAX).then(|| Path(segments.into()))
}

fn named(name: &str) -> Option<Segment> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '-');
    (!name.is_empty() && name.chars().all(plain)).then(|| Segment::Key(name.into()))
}

/// What stands in brackets, and what follows them.
fn bracketed(inner: &str) -> Option<(Segment, &str)> {
    let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let (name, behind) = inner[1..].split_once(quote)?;
        let plain = !name.is_empty() && !name.contains('\\');
        return plain.then_some((Segment::Key(name.into()), behind.strip_prefix(']')?));
    }
    let (index, behind) = inner.split_once(']')?;
    Some((Segment::Index(index.parse().ok()?), behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let segments = parse(text)?;
        let shown = segments.0.iter().map(|segment| match segment {
            Segment::Key(name) => format!("<{name}>"),
            Segment::Index(index) => format!("#{index}"),
        });
        Some(shown.collect())
    }

    #[test]
    fn dots_and_brackets_are_read_and_anything_else_is_refused() {
        assert_eq!(shown("payload").as_deref(), Some("<payload>"));
        assert_eq!(shown(r#"a[0].b["c d"]['e.f'].g-h"#).as_deref(), Some("<a>#0<b><c d><e.f><g-h>"));
        for refused in ["", ".", "a.", ".a", "a..b", "a[msg.b]", "a[", "a[]", "a[-1]", "a[\"\"]", "a b", "a[0]b"] {
            assert_eq!(shown(refused), None, "{refused}");
        }
    }
}
