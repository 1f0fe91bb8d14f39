//! No connection outwards is opened but in `server/effects/fetch` and the stores.

use super::Finding;
use super::rust::line_of;
use super::tree::Tree;

const DOORS: [&str; 2] = ["crates/server/src/effects/fetch/", "crates/store/src/"];
/// What opens a connection to another machine. The control socket of the own machine is none of them.
const OPENERS: [&str; 5] = ["TcpStream::connect", "TcpSocket", "UdpSocket", ".connect(", "client::legacy"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|(file, _)| file.path.starts_with("crates/") && !file.is_for_tests)
        .filter(|(file, _)| !DOORS.iter().any(|door| file.path.starts_with(door)))
        .flat_map(|(file, rust)| {
            found(&rust.production_code()).into_iter().map(|(line, opener)| {
                Finding::line(
                    &file.path,
                    line,
                    format!("`{opener}` opens a connection; only crates/server/src/effects/fetch/ and the stores may"),
                )
            })
        })
        .collect()
}

fn found(code: &str) -> Vec<(usize, &'static str)> {
    OPENERS.iter().flat_map(|opener| code.match_indices(opener).map(|(at, _)| (line_of(code, at), *opener))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lint half of what the security contract asks; a trace of real connections is the other half.
    #[test]
    fn a_connection_elsewhere_is_told() {
        let code = "//! X.\nfn a() { TcpStream::connect(b); }\n";
        let tree = Tree::sample(&[
            ("crates/server/src/effects/fetch/connection.rs", code),
            ("crates/store/src/postgres.rs", code),
            ("crates/server/tests/live.rs", code),
            ("crates/server/src/rotator.rs", code),
            ("crates/server/src/drive.rs", "//! X.\nfn a(s: Socket) { s.connect(b); }\n"),
            (
                "crates/cli/src/control.rs",
                "//! X.\nfn a() { UnixStream::connect(b); }\n#[cfg(test)]\nmod tests { fn t() { TcpStream::connect(b); } }\n",
            ),
        ]);
        let told: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("crates/server/src/rotator.rs:2:"));
        assert!(told[1].starts_with("crates/server/src/drive.rs:2:"));
    }
}
