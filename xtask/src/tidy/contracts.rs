//! Every [must] item of the contracts is named by a test, a bench or a soak, or stands on a list that only shrinks.

use std::collections::BTreeMap;

use super::Finding;
use super::test_comments::comments_of_tests;
use super::tree::Tree;

/// The items that nothing shows yet, one a line.
pub(super) const LIST: &str = "xtask/tidy/not-yet.txt";
const FOLDER: &str = "docs/contracts/";
const HEAD: &str = "\
# The [must] items of docs/contracts that no test, bench or soak shows yet.
# The list only shrinks: whoever names an item in a test removes it here (`cargo xtask tidy --shrink` does).
";

/// An item as its contract writes it.
struct Item {
    must: bool,
    path: String,
    line: usize,
}

/// A place where an item is named: a test, a bench, a soak, or a line of the list.
struct Mention {
    id: String,
    path: String,
    line: usize,
    /// Whether all of the item is meant.
    whole: bool,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let items = items(tree, &mut findings);
    let (shown, listed) = (shown(tree, &items), listed(tree));
    for mention in shown.iter().chain(&listed).filter(|m| !items.contains_key(&m.id)) {
        findings.push(Finding::line(&mention.path, mention.line, format!("no contract has an item {}", mention.id)));
    }
    for (id, item) in &items {
        let is_shown = shown.iter().find(|mention| mention.whole && mention.id == *id);
        let is_listed = listed.iter().find(|mention| mention.id == *id);
        match (is_shown, is_listed) {
            (Some(by), Some(entry)) => findings.push(Finding::line(
                LIST,
                entry.line,
                format!("{id} is shown by {}:{}; shrink the list", by.path, by.line),
            )),
            (None, Some(entry)) if !item.must => {
                findings.push(Finding::line(LIST, entry.line, format!("{id} is no [must] item; it is not tracked")))
            }
            (None, None) if item.must => findings.push(Finding::line(
                &item.path,
                item.line,
                format!("{id} is named by no test, bench or soak; show it, and name it in the comment above the test"),
            )),
            _ => {}
        }
    }
    findings
}

/// The list without what is shown by now; nothing is added, and an item that is written twice stays once.
pub(super) fn shrunk(tree: &Tree) -> String {
    let items = items(tree, &mut Vec::new());
    let shown = shown(tree, &items);
    let listed = listed(tree);
    let kept = items.iter().filter(|(id, item)| {
        item.must && listed.iter().any(|m| m.id == **id) && !shown.iter().any(|m| m.whole && m.id == **id)
    });
    HEAD.chars().chain(kept.flat_map(|(id, _)| format!("{id}\n").chars().collect::<Vec<_>>())).collect()
}

/// The items of all contracts by their id. An item without a mark is a [must].
fn items(tree: &Tree, findings: &mut Vec<Finding>) -> BTreeMap<String, Item> {
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(FOLDER)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let Some(id) = line.strip_prefix("- ").and_then(leading_id) else {
                continue;
            };
            let mark = line[2 + id.len()..].trim_start();
            let must = !mark.starts_with("[should]") && !mark.starts_with("[nice]");
            let item = Item { must, path: file.path.clone(), line: number };
            if let Some(first) = items.insert(id.to_owned(), item) {
                findings.push(Finding::line(
                    &file.path,
                    number,
                    format!("{id} is already the name of {}:{}", first.path, first.line),
                ));
            }
        }
    }
    items
}

/// `NR-14` at the start of a text: two capital letters, a hyphen, digits.
fn leading_id(text: &str) -> Option<&str> {
    let octets = text.as_bytes();
    let letters = octets.iter().take_while(|octet| octet.is_ascii_uppercase()).count();
    let digits = octets.iter().skip(3).take_while(|octet| octet.is_ascii_digit()).count();
    (letters == 2 && octets.get(2) == Some(&b'-') && digits > 0).then(|| &text[..3 + digits])
}

/// All ids in a text whose two letters some contract uses, and whether the item is meant as a whole: `AB-01 (part)`
/// names it without claiming all of it.
fn ids<'a>(text: &'a str, items: &'a BTreeMap<String, Item>) -> impl Iterator<Item = (&'a str, bool)> {
    let mut rest = text;
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter_map(move |word| {
        rest = &rest[rest.find(word)? + word.len()..];
        let id = leading_id(word).filter(|id| *id == word)?;
        let is_ours = items.keys().any(|known| known[..3] == id[..3]);
        is_ours.then(|| (id, !rest.trim_start().starts_with("(part")))
    })
}

fn listed(tree: &Tree) -> Vec<Mention> {
    (1..)
        .zip(tree.text(LIST).lines())
        .filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty())
        .map(|(line, id)| Mention { id: id.trim().to_owned(), path: LIST.to_owned(), line, whole: true })
        .collect()
}

/// Every naming of an item in the comment of a test.
fn shown(tree: &Tree, items: &BTreeMap<String, Item>) -> Vec<Mention> {
    tree.files
        .iter()
        .flat_map(|file| comments_of_tests(file, tree).into_iter().map(move |(line, text)| (file, line, text)))
        .flat_map(|(file, line, text)| {
            let named: Vec<(String, bool)> = ids(text, items).map(|(id, whole)| (id.to_owned(), whole)).collect();
            named.into_iter().map(move |(id, whole)| Mention { id, path: file.path.clone(), line, whole })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str =
        "# Contract\n- AB-01 [must] One.\n- AB-02 Two.\n- AB-03 [nice] Three.\n- AB-04 (slow) Four.\n";

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::sample(&[&[("docs/contracts/ab.md", CONTRACT)], files].concat());
        check(&tree).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_must_item_that_nothing_shows_is_told() {
        let told = told(&[
            ("crates/plan/src/a.rs", "//! A, AB-01.\n\n/// AB-02: not above a test.\nfn a() {}\n"),
            (LIST, "AB-04\n"),
        ]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("docs/contracts/ab.md:2: AB-01 is named by no test"));
        assert!(told[1].starts_with("docs/contracts/ab.md:3: AB-02"));
    }

    #[test]
    fn each_kind_of_test_counts() {
        let told = told(&[
            (
                "crates/plan/src/a.rs",
                "//! A.\n\n#[cfg(test)]\nmod tests {\n    /// AB-01: yes.\n    #[test]\n    fn t() {}\n}\n",
            ),
            ("conformance/x/run.mjs", "// AB-02\n"),
            ("crates/plan/benches/b.rs", "//! Shows AB-04.\n"),
        ]);
        assert!(told.is_empty(), "{told:?}");
    }

    #[test]
    fn a_part_is_not_the_whole() {
        let told =
            told(&[("crates/plan/tests/t.rs", "//! T: AB-01 (part), AB-02, AB-04 (part).\n"), (LIST, "AB-04\n")]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("docs/contracts/ab.md:2: AB-01 is named by no test"));
    }

    #[test]
    fn what_differs_from_a_peer_shows_nothing() {
        let told = told(&[
            ("conformance/x/cases/good/requests.http", "# Shows AB-01.\n"),
            ("conformance/x/cases/bad/requests.http", "# Shows AB-02.\n"),
            ("conformance/x/run.mjs", "// Shows AB-04.\n"),
            ("conformance/x/not-yet.txt", "# head\nbad: GET gives a token\n"),
        ]);
        let ids: Vec<&str> = told.iter().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(ids, ["AB-02", "AB-04"]);
    }

    #[test]
    fn an_example_that_must_not_compile_counts() {
        let told = told(&[
            (
                "crates/plan/src/a.rs",
                "//! A.\n\n/// AB-01, AB-02: no.\n///\n/// ```compile_fail\n/// a();\n/// ```\npub struct A;\n",
            ),
            (LIST, "AB-04\n"),
        ]);
        assert!(told.is_empty(), "{told:?}");
    }

    #[test]
    fn the_list_must_shrink_and_may_not_invent() {
        let told = told(&[
            ("crates/plan/tests/t.rs", "//! T: AB-01, AB-09.\n"),
            (LIST, "# head\nAB-01\nAB-02\nAB-03\nAB-04\nAB-77\n"),
        ]);
        assert_eq!(
            told,
            [
                "crates/plan/tests/t.rs:1: no contract has an item AB-09",
                "xtask/tidy/not-yet.txt:6: no contract has an item AB-77",
                "xtask/tidy/not-yet.txt:2: AB-01 is shown by crates/plan/tests/t.rs:1; shrink the list",
                "xtask/tidy/not-yet.txt:4: AB-03 is no [must] item; it is not tracked",
            ]
        );
    }

    #[test]
    fn shrinking_keeps_what_is_still_needed() {
        let tree = Tree::sample(&[
            ("docs/contracts/ab.md", CONTRACT),
            ("crates/plan/tests/t.rs", "//! T: AB-01.\n"),
            (LIST, "AB-04\nAB-01\nAB-02\n"),
        ]);
        assert_eq!(shrunk(&tree), format!("{HEAD}AB-02\nAB-04\n"));
    }

    #[test]
    fn one_id_names_one_item() {
        let told = told(&[("docs/contracts/cd.md", "- AB-01 Again.\n"), (LIST, "AB-01\nAB-02\nAB-04\n")]);
        assert_eq!(told, ["docs/contracts/cd.md:1: AB-01 is already the name of docs/contracts/ab.md:2"]);
    }
}
