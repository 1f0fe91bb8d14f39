//! Writes one text as a YAML scalar: plain where that is read back as the same text, else quoted, or in lines.

use std::fmt::Write as _;

use super::resolve::{Resolved, implicit};

/// How wide a line may be, in UTF-16 units, and how narrow it becomes at most as levels grow.
const LINE_WIDTH: (usize, usize) = (80, 40);
/// What older readers take for a boolean.
const OLD_BOOLEANS: [&str; 16] =
    ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];

/// The text as it stands at this level.
pub(super) fn text_of(text: &str, level: usize, is_key: bool) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if OLD_BOOLEANS.contains(&text) || is_base_60(text) {
        return format!("'{text}'");
    }
    let indent = 2 * level.max(1);
    let width = LINE_WIDTH.0.saturating_sub(indent).max(LINE_WIDTH.1);
    match style(text, is_key, width) {
        Style::Plain => text.to_owned(),
        Style::Single => format!("'{}'", text.replace('\'', "''")),
        Style::Double => escaped(text),
        Style::Literal => format!("|{}{}", block_head(text), block(text, indent)),
        Style::Folded => format!(">{}{}", block_head(text), block(&folded(text, width), indent)),
    }
}

enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

fn style(text: &str, is_key: bool, width: usize) -> Style {
    if text.chars().any(|c| !is_printable(c) && (is_key || c != '\n')) {
        return Style::Double;
    }
    let utf16 = |line: &str| line.encode_utf16().count();
    let foldable = |line: &str| utf16(line) > width && !line.starts_with(' ');
    let is_folded = !is_key && text.split('\n').any(foldable);
    if is_folded {
        return Style::Folded;
    }
    if !is_key && text.contains('\n') {
        return Style::Literal;
    }
    let is_text = matches!(implicit(text), Resolved::Value(plan::Value::Text(_)));
    if is_plain(text) && is_text { Style::Plain } else { Style::Single }
}

fn is_plain(text: &str) -> bool {
    let mut before = None;
    let inner = text.chars().all(|c| {
        let fits = is_plain_within(c, before);
        before = Some(c);
        fits
    });
    let first = |c: char| is_printable(c) && !matches!(c, ' ' | '\t') && !"-?:,[]{}#&*!|=>'\"%@`".contains(c);
    inner && text.starts_with(first) && !text.ends_with([' ', '\t', ':'])
}

fn is_plain_within(c: char, before: Option<char>) -> bool {
    let is_visible = |c: char| is_printable(c) && !matches!(c, ' ' | '\t');
    let after_colon = before == Some(':');
    (is_printable(c) && c != '#' && (!after_colon || is_visible(c)))
        || (c == '#' && before.is_some_and(is_visible))
        || (after_colon && is_visible(c))
}

fn is_printable(c: char) -> bool {
    matches!(c, '\u{20}'..='\u{7E}' | '\u{A1}'..='\u{2027}' | '\u{202A}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}'
        | '\u{FF00}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// What older readers take for a number to the base of 60, such as `12:30`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_run = |run: &str| run.bytes().all(|octet| octet.is_ascii_digit() || octet == b'_');
    let Some((head, last)) = unsigned.rsplit_once(':') else { return false };
    let (whole, fraction) = last.split_once('.').unwrap_or((last, ""));
    let runs = head.split(':').chain([whole]);
    runs.into_iter().all(|run| !run.is_empty() && is_run(run)) && is_run(fraction)
}

/// Whether it begins with blanks, and how it ends.
fn block_head(text: &str) -> String {
    let indented = text.trim_start_matches('\n').starts_with(' ');
    let end = match text.strip_suffix('\n') {
        None => "-",
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => "+",
        Some(_) => "",
    };
    format!("{}{end}\n", if indented { "2" } else { "" })
}

/// The lines, each behind its blanks, without the last line end.
fn block(text: &str, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if line != "\n" {
            out.push_str(&blanks);
        }
        out.push_str(line);
    }
    if out.ends_with('\n') {
        out.pop();
    }
    out
}

/// Lines that are too long, broken at single blanks; line ends between other lines are doubled.
fn folded(text: &str, width: usize) -> String {
    let first_end = text.find('\n').unwrap_or(text.len());
    let mut out = folded_line(&text[..first_end], width);
    let mut was_indented = text.starts_with(['\n', ' ']);
    let mut rest = &text[first_end..];
    while !rest.is_empty() {
        let ends = rest.len() - rest.trim_start_matches('\n').len();
        let behind = &rest[ends..];
        let line = &behind[..behind.find('\n').unwrap_or(behind.len())];
        let is_indented = line.starts_with(' ');
        out.push_str(&rest[..ends]);
        if !was_indented && !is_indented && !line.is_empty() {
            out.push('\n');
        }
        out.push_str(&folded_line(line, width));
        was_indented = is_indented;
        rest = &behind[line.len()..];
    }
    out
}

fn folded_line(line: &str, width: usize) -> String {
    if line.is_empty() || line.starts_with(' ') {
        return line.to_owned();
    }
    let units: Vec<u16> = line.encode_utf16().collect();
    let blank = u16::from(b' ');
    let breaks = (0..units.len().saturating_sub(1)).filter(|at| units[*at] == blank && units[at + 1] != blank);
    let mut parts: Vec<&[u16]> = Vec::new();
    let (mut start, mut last) = (0, 0);
    for next in breaks {
        if next - start > width {
            let end = if last > start { last } else { next };
            parts.push(&units[start..end]);
            start = end + 1;
        }
        last = next;
    }
    if units.len() - start > width && last > start {
        parts.push(&units[start..last]);
        start = last + 1;
    }
    parts.push(&units[start..]);
    parts.into_iter().map(String::from_utf16_lossy).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        let named = match c {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{B}' => "\\v",
            '\u{C}' => "\\f",
            '\r' => "\\r",
            '\u{1B}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{A0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            plain if is_printable(plain) => {
                out.push(plain);
                continue;
            }
            _ => "",
        };
        out.push_str(named);
        if named.is_empty() {
            let code = u32::from(c);
            let _infallible = if code <= 0xFF { write!(out, "\\x{code:02X}") } else { write!(out, "\\u{code:04X}") };
        }
    }
    out + "\""
}
