//! Every bound on what comes in, as docs/contracts/security.md section 5 states it; a test holds the two equal.

pub use jose::json::{JSON_DEPTH_MAX, JSON_MEMBERS_MAX, JSON_VALUES_DOCUMENT_MAX, JSON_VALUES_REQUEST_MAX};

const KIB: usize = 1_024;
const MIB: usize = 1_024 * KIB;

/// Octets of a request head, request line included. Beyond: 431.
pub const HEAD_BYTES_MAX: usize = 16_384;
/// Header fields of a request. Beyond: 431.
pub const HEADERS_MAX: usize = 64;
/// Octets of a request target. Beyond: 414.
pub const URI_BYTES_MAX: usize = 8_192;

/// Octets of a request body on the runtime listener. Beyond: 413.
pub const BODY_RUNTIME_BYTES_MAX: usize = 5 * MIB;
/// Octets of a request body for a flow of an orchestration API. Beyond: 413.
pub const BODY_ORCHESTRATION_BYTES_MAX: usize = 256 * KIB;
/// Octets of a request body on the core listener. Beyond: 413.
pub const BODY_CORE_BYTES_MAX: usize = MIB;
/// Octets of a request body on the studio and control listeners. Beyond: 413.
pub const BODY_STUDIO_BYTES_MAX: usize = 5 * MIB;

/// Connections of one listener. Beyond: accepting waits.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Connections of one listener from one address. Beyond: closed.
pub const CONNECTIONS_ADDRESS_MAX: usize = 256;
/// Requests waiting for a signature. Beyond: 429 on core, 503 elsewhere, with `Retry-After`.
pub const QUEUE_MAX: usize = 1_024;

/// Streams open at once on an HTTP/2 connection. Beyond: refused.
pub const H2_STREAMS_MAX: u32 = 64;
/// Streams that the peer reset before we took them up. Beyond: GOAWAY.
pub const H2_PENDING_RESETS_MAX: usize = 10;
/// Streams that we reset for the peer's faults. Beyond: GOAWAY.
pub const H2_LOCAL_RESETS_MAX: usize = 64;

/// Seconds for a TLS handshake. Beyond: closed.
pub const TLS_HANDSHAKE_SECS: u64 = 5;
/// Seconds from accepting a connection to its first complete head, in any protocol. Beyond: closed.
pub const FIRST_REQUEST_SECS: u64 = 5;
/// Seconds from the last reply to the next complete head, or an HTTP/2 connection without a stream. Beyond: closed.
pub const IDLE_SECS: u64 = 60;
/// Seconds from a complete head to the end of its body. Beyond: 408.
pub const BODY_SECS: u64 = 10;
/// Seconds for a reply on core, studio and control. Beyond: 503.
pub const REPLY_ADMIN_SECS: u64 = 15;
/// Seconds for a reply of a flow that names no time of its own. Beyond: 504.
pub const REPLY_RUNTIME_SECS: u64 = 30;
/// Seconds that a flow may name for its reply. Beyond: 504.
pub const REPLY_FLOW_SECS_MAX: u64 = 120;
/// Seconds for a reply of an API Connect path. Beyond: 504.
pub const REPLY_API_CONNECT_SECS: u64 = 90;
/// Seconds that open requests are given when the server stops. Beyond: closed.
pub const DRAIN_SECS: u64 = 25;

/// Values of a JSON document given on the command line are bounded by its size, in octets.
pub const DOCUMENT_FILE_BYTES_MAX: usize = 64 * MIB;
/// Levels of nesting in XML. Beyond: 400.
pub const XML_DEPTH_MAX: usize = 32;
/// Nodes of an XML document. Beyond: 400.
pub const XML_NODES_MAX: usize = 10_000;
/// Attributes of an XML element. Beyond: 400.
pub const XML_ATTRIBUTES_MAX: usize = 64;
/// Levels of nesting in YAML. Beyond: 400.
pub const YAML_DEPTH_MAX: usize = 32;
/// Nodes of a YAML document, aliases expanded. Beyond: 400.
pub const YAML_NODES_MAX: usize = 200_000;

/// Characters of a token that comes in. Beyond: refused before any base64 is decoded.
pub const TOKEN_CHARS_MAX: usize = 65_536;
/// Octets of a decoded JOSE header. Beyond: token refused.
pub const JOSE_HEADER_BYTES_MAX: usize = 8_192;
/// Octets that `zip` may inflate to. Beyond: token refused.
pub const INFLATED_BYTES_MAX: usize = 256_000;
/// Least rounds of PBES2. Fewer: token refused.
pub const PBES2_COUNT_MIN: u32 = 1_000;
/// Most rounds of PBES2 unless a setting allows more. Beyond: token refused.
pub const PBES2_COUNT_MAX: u32 = 10_000;
/// Most rounds of PBES2 that a setting may allow.
pub const PBES2_COUNT_SETTABLE_MAX: u32 = 1_000_000;
/// Octets of a fetched JWK Set. Beyond: the fetch fails.
pub const JWKS_IN_BYTES_MAX: usize = 256 * KIB;
/// Keys of a fetched JWK Set. Beyond: the fetch fails.
pub const JWKS_IN_KEYS_MAX: usize = 256;
/// Octets of an imported key. Beyond: 413.
pub const KEY_IMPORT_BYTES_MAX: usize = 64 * KIB;

/// Milliseconds of processor time of one script call. Beyond: the worker is killed.
pub const SCRIPT_CPU_MS: u64 = 100;
/// Milliseconds of processor time of one Node-RED function call that names none itself. Beyond: the worker is killed.
pub const SCRIPT_CPU_NODE_RED_MS: u64 = 10_000;
/// Milliseconds of wall time without awaiting that a script has beyond its processor time. Beyond: the worker is killed.
pub const SCRIPT_WALL_EXTRA_MS: u64 = 1_000;
/// Octets of a script's heap. Beyond: script error.
pub const SCRIPT_HEAP_BYTES_MAX: usize = 64 * MIB;
/// Octets of a script's stack. Beyond: script error.
pub const SCRIPT_STACK_BYTES_MAX: usize = 256 * KIB;
/// Octets of one frame to or from a worker. Beyond: script error.
pub const SCRIPT_FRAME_BYTES_MAX: usize = 12 * MIB;
/// Octets of a script's source. Beyond: script error.
pub const SCRIPT_SOURCE_BYTES_MAX: usize = 256 * KIB;
/// Milliseconds of one evaluation of an expression. Beyond: script error.
pub const EXPRESSION_MS: u64 = 1_000;
/// Levels that an evaluation may nest. Beyond: script error.
pub const EXPRESSION_DEPTH_MAX: usize = 3_000;
/// Values of one sequence within an evaluation. Beyond: script error.
pub const SEQUENCE_MAX: usize = 500_000;
/// Random octets that a script draws at a time. Beyond: script error.
pub const RANDOM_BYTES_MAX: usize = 16 * MIB;
/// Octets that one derivation gives a script. Beyond: script error.
pub const PBKDF2_BYTES_MAX: usize = 64 * KIB;
/// Times that one derivation of a script hashes its password. Beyond: script error.
pub const PBKDF2_ROUNDS_MAX: usize = 10_000_000;
/// Pending promise jobs run for one script. Beyond: script error.
pub const SCRIPT_JOBS_MAX: usize = 10_000;

/// Seconds to connect outwards. Beyond: flow error.
pub const FETCH_CONNECT_SECS: u64 = 3;
/// Seconds of a whole fetch. Beyond: flow error.
pub const FETCH_TOTAL_SECS: u64 = 10;
/// Seconds of a whole fetch by an invoke policy. Beyond: flow error.
pub const FETCH_INVOKE_SECS: u64 = 60;
/// Octets of a fetched body after inflating. Beyond: flow error.
pub const FETCH_BODY_BYTES_MAX: usize = MIB;
/// Redirects that one fetch follows. Beyond: flow error.
pub const FETCH_REDIRECTS_MAX: usize = 3;

/// Octets of a file that a flow reads. Beyond: flow error.
pub const FILE_BYTES_MAX: usize = 5 * MIB;

/// Callers whose rates are remembered. Beyond: the oldest is forgotten.
pub const RATE_CALLERS_MAX: usize = 100_000;
/// Octets of one log field. Beyond: cut and marked.
pub const LOG_FIELD_BYTES_MAX: usize = 1_024;
/// Audit rows that wait for their sink. Beyond: docs/contracts/security.md section 10.
pub const AUDIT_BUFFER_ROWS_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of a cell in reading order: `5 MiB` is 5 242 880, `16 384` is one number, names are skipped.
    fn numbers(cell: &str) -> Vec<u64> {
        let outside_names: String = cell.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        let mut found: Vec<u64> = Vec::new();
        let mut grows = false;
        for word in outside_names.split(|c: char| c.is_whitespace() || "(),".contains(c)) {
            match (word, word.parse::<u64>()) {
                (_, Ok(n)) if grows && word.len() == 3 => {
                    let last = found.last_mut().unwrap();
                    *last = *last * 1_000 + n;
                }
                (_, Ok(n)) => {
                    found.push(n);
                    grows = true;
                }
                ("KiB", _) => *found.last_mut().unwrap() *= 1_024,
                ("MiB", _) => *found.last_mut().unwrap() *= 1_024 * 1_024,
                _ => grows = false,
            }
        }
        found
    }

    /// What each row of the table must say, by the first name in it; numbers of the name cell come first.
    fn expected() -> Vec<(&'static str, Vec<u64>)> {
        let size = |n: usize| n as u64;
        vec![
            ("HEAD_BYTES_MAX", vec![size(HEAD_BYTES_MAX)]),
            ("HEADERS_MAX", vec![size(HEADERS_MAX)]),
            ("URI_BYTES_MAX", vec![size(URI_BYTES_MAX)]),
            ("BODY_RUNTIME_BYTES_MAX", vec![size(BODY_ORCHESTRATION_BYTES_MAX), size(BODY_RUNTIME_BYTES_MAX)]),
            ("BODY_CORE_BYTES_MAX", vec![size(BODY_CORE_BYTES_MAX), size(BODY_STUDIO_BYTES_MAX)]),
            ("CONNECTIONS_MAX", vec![size(CONNECTIONS_MAX), size(CONNECTIONS_ADDRESS_MAX)]),
            ("QUEUE_MAX", vec![size(QUEUE_MAX)]),
            ("H2_STREAMS_MAX", vec![u64::from(H2_STREAMS_MAX), size(H2_PENDING_RESETS_MAX), size(H2_LOCAL_RESETS_MAX)]),
            ("TLS_HANDSHAKE_SECS", vec![TLS_HANDSHAKE_SECS, FIRST_REQUEST_SECS]),
            ("IDLE_SECS", vec![IDLE_SECS]),
            ("BODY_SECS", vec![BODY_SECS]),
            ("REPLY_SECS", vec![REPLY_ADMIN_SECS, REPLY_RUNTIME_SECS, REPLY_FLOW_SECS_MAX, REPLY_API_CONNECT_SECS]),
            ("DRAIN_SECS", vec![DRAIN_SECS]),
            ("JSON_DEPTH_MAX", vec![size(JSON_DEPTH_MAX), size(JSON_MEMBERS_MAX)]),
            (
                "JSON_VALUES_MAX",
                vec![size(DOCUMENT_FILE_BYTES_MAX), size(JSON_VALUES_REQUEST_MAX), size(JSON_VALUES_DOCUMENT_MAX)],
            ),
            ("XML_DEPTH_MAX", vec![size(XML_DEPTH_MAX), size(XML_NODES_MAX), size(XML_ATTRIBUTES_MAX)]),
            ("YAML_DEPTH_MAX", vec![size(YAML_DEPTH_MAX), size(YAML_NODES_MAX)]),
            ("TOKEN_CHARS_MAX", vec![size(TOKEN_CHARS_MAX), size(JOSE_HEADER_BYTES_MAX)]),
            ("INFLATED_BYTES_MAX", vec![size(INFLATED_BYTES_MAX)]),
            (
                "PBES2_COUNT_MIN",
                vec![u64::from(PBES2_COUNT_SETTABLE_MAX), u64::from(PBES2_COUNT_MIN), u64::from(PBES2_COUNT_MAX)],
            ),
            ("JWKS_IN_BYTES_MAX", vec![size(JWKS_IN_BYTES_MAX), size(JWKS_IN_KEYS_MAX)]),
            ("KEY_IMPORT_BYTES_MAX", vec![size(KEY_IMPORT_BYTES_MAX)]),
            ("SCRIPT_CPU_MS", vec![SCRIPT_CPU_NODE_RED_MS, SCRIPT_CPU_MS, SCRIPT_WALL_EXTRA_MS]),
            ("SCRIPT_HEAP_BYTES_MAX", vec![size(SCRIPT_HEAP_BYTES_MAX), size(SCRIPT_STACK_BYTES_MAX)]),
            ("SCRIPT_FRAME_BYTES_MAX", vec![size(SCRIPT_FRAME_BYTES_MAX), size(SCRIPT_SOURCE_BYTES_MAX)]),
            ("EXPRESSION_MS", vec![EXPRESSION_MS, size(EXPRESSION_DEPTH_MAX), size(SEQUENCE_MAX)]),
            ("SCRIPT_JOBS_MAX", vec![size(SCRIPT_JOBS_MAX)]),
            ("RANDOM_BYTES_MAX", vec![size(RANDOM_BYTES_MAX), size(PBKDF2_BYTES_MAX), size(PBKDF2_ROUNDS_MAX)]),
            ("FETCH_CONNECT_SECS", vec![FETCH_INVOKE_SECS, FETCH_CONNECT_SECS, FETCH_TOTAL_SECS]),
            ("FETCH_BODY_BYTES_MAX", vec![size(FETCH_BODY_BYTES_MAX), size(FETCH_REDIRECTS_MAX)]),
            ("FILE_BYTES_MAX", vec![size(FILE_BYTES_MAX)]),
            ("RATE_CALLERS_MAX", vec![size(RATE_CALLERS_MAX)]),
            ("LOG_FIELD_BYTES_MAX", vec![size(LOG_FIELD_BYTES_MAX), size(AUDIT_BUFFER_ROWS_MAX)]),
        ]
    }

    /// SE-21: the table of section 5 and these constants say the same, row for row.
    #[test]
    fn the_contract_and_the_constants_agree() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contracts/security.md");
        let contract = std::fs::read_to_string(path).unwrap();
        let (_, rest) = contract.split_once("## 5. Limits").unwrap();
        let (table, _) = rest.split_once("\nTraps behind these").unwrap();
        let stated: Vec<(String, Vec<u64>)> = table
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let cells: Vec<&str> = line.split('|').collect();
                let name = cells[1].split('`').nth(1).unwrap().to_owned();
                (name, [numbers(cells[1]), numbers(cells[2])].concat())
            })
            .collect();
        let ours: Vec<(String, Vec<u64>)> =
            expected().into_iter().map(|(name, values)| (name.to_owned(), values)).collect();
        assert_eq!(ours, stated);
    }
}
