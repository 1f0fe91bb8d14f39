//! Tokens beside the bare primitives of the backend and beside other libraries, all in turn; only ratios count.
//!
//! JO-66: RS256, PS256, ES256, ES384 and EdDSA at 0.95 of the floor or more. JO-67: HS256 by template at 1.2, plain at
//! 0.6. JO-69 (part): dir, A128KW and A256KW at 0.9. JO-68: never behind another library, rows of RSA within 2
//! percent. A mark that is missed fails the run. `--quick` takes fewer rounds, writes no file and fails nothing.

mod claims;
mod floor;
mod josekit;
mod jsonwebtoken;
mod jwt_simple;
mod keys;
mod measure;
mod ours;
mod table;

use std::process::ExitCode;

use keys::Keys;
use table::Row;

const TITLE: &str = "\
# Tokens beside other libraries

Written by `cargo xtask bench jose`; do not edit. Claims of 224 octets, from ready keys, one thread, medians of 21 rounds in
which all take turns, processor time. A ratio is their time over ours: 2 means that we are twice as fast. The floor is the bare
primitives of the backend over the same octets, with no header, no JSON and no base64.

";
/// What another library may be ahead where both spend their time in the same RSA.
const RSA_WITHIN: f64 = 0.98;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../JOSE.md");

fn main() -> ExitCode {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (mut missed, mut table) = (0, format!("{}\n", table::HEAD));
    println!("{}", table::HEAD);
    for mut row in rows(&Keys::new()) {
        let (line, misses) = row.measure(if is_quick { measure::QUICK } else { measure::FULL });
        println!("{line}");
        table += &format!("{line}\n");
        missed += misses;
    }
    if is_quick {
        return ExitCode::SUCCESS;
    }
    table += &format!("\nMarks missed: {missed}. {}\n", machine());
    std::fs::write(FILE, format!("{TITLE}{table}")).expect("the file can be written");
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!("Machine: {cores} cores ({}), load average {load} at the end.", std::env::consts::ARCH)
}

fn rows(keys: &Keys) -> Vec<Row> {
    let mut rows = vec![
        Row::new("HS256 by template", ours::by_template(), 1.0).floor(1.2, floor::hmac()),
        Row::new("HS256", ours::signed("HS256", keys), 1.0)
            .floor(0.6, floor::hmac())
            .peer("jsonwebtoken", jsonwebtoken::signed("HS256", keys))
            .peer("josekit", josekit::signed("HS256", keys))
            .peer("jwt-simple", jwt_simple::signed("HS256", keys)),
    ];
    for name in ["RS256", "PS256", "ES256", "ES384", "EdDSA"] {
        let is_rsa = matches!(name, "RS256" | "PS256");
        rows.push(
            Row::new(name, ours::signed(name, keys), if is_rsa { RSA_WITHIN } else { 1.0 })
                .floor(0.95, floor::signature(name, keys))
                .peer("jsonwebtoken", jsonwebtoken::signed(name, keys))
                .peer("josekit", josekit::signed(name, keys))
                .peer("jwt-simple", jwt_simple::signed(name, keys)),
        );
    }
    rows.extend(encrypted(keys));
    rows
}

fn encrypted(keys: &Keys) -> Vec<Row> {
    let cbc = |alg| {
        Row::new(&format!("{alg}, A128CBC-HS256"), ours::encrypted(alg, "A128CBC-HS256", keys), 1.0)
            .peer("josekit", josekit::encrypted(alg, "A128CBC-HS256", keys))
    };
    let gcm = |alg, within| {
        Row::new(&format!("{alg}, A256GCM"), ours::encrypted(alg, "A256GCM", keys), within)
            .peer("josekit", josekit::encrypted(alg, "A256GCM", keys))
            .peer("jwt-simple", jwt_simple::encrypted(alg, keys))
    };
    vec![
        cbc("dir").floor(0.9, floor::cbc(None)),
        cbc("A128KW").floor(0.9, floor::cbc(Some(&keys::OCTETS[..16]))),
        gcm("A256KW", 1.0).floor(0.9, floor::gcm_wrapped()),
        gcm("RSA-OAEP-256", RSA_WITHIN).floor(0.0, floor::gcm_rsa(keys)),
        gcm("ECDH-ES+A128KW", 1.0).floor(0.0, floor::gcm_agreed(keys)),
        Row::new("RS256 in RSA-OAEP-256", ours::nested(keys), RSA_WITHIN)
            .floor(0.0, floor::nested(keys))
            .peer("josekit", josekit::nested(keys)),
    ]
}
