//! What the server counts about itself, in the Prometheus text form; nothing here takes a lock.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use store::Calls;

use crate::accept::ListenerKind;
use crate::rings::RingMetrics;
use crate::vault::Vault;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// What it has come to.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Adds `n`, which may be negative.
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Sets it.
    pub fn set(&self, n: i64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// Where it stands.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the duration buckets, in microseconds; the last bucket has none.
const BUCKETS_MICROS: [u64; 15] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 30_000_000,
];

/// How durations spread.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS_MICROS.len() + 1],
    sum_micros: AtomicU64,
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS_MICROS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn render(&self, out: &mut String, name: &str, listener: &str) {
        let mut total = 0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            total += bucket.load(Ordering::Relaxed);
            let bound = BUCKETS_MICROS.get(index).map_or("+Inf".to_owned(), |micros| seconds(*micros));
            let _ = writeln!(out, r#"{name}_bucket{{listener="{listener}",le="{bound}"}} {total}"#);
        }
        let sum = seconds(self.sum_micros.load(Ordering::Relaxed));
        let _ = writeln!(out, r#"{name}_sum{{listener="{listener}"}} {sum}"#);
        let _ = writeln!(out, r#"{name}_count{{listener="{listener}"}} {total}"#);
    }
}

/// Microseconds as decimal seconds without trailing zeros.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What one listener counts.
#[derive(Debug, Default)]
pub struct ListenerMetrics {
    /// Connections open now.
    pub connections: Gauge,
    /// Connections closed at once, since their address had its share.
    pub connections_refused: Counter,
    /// Replies by the first digit of their status, 1 to 5.
    replies: [Counter; 5],
    /// From a complete request head to its reply.
    pub reply_time: Histogram,
}

impl ListenerMetrics {
    /// Counts one reply.
    pub fn replied(&self, status: http::StatusCode, after: Duration) {
        if let Some(class) = self.replies.get(usize::from(status.as_u16() / 100).wrapping_sub(1)) {
            class.increment();
        }
        self.reply_time.record(after);
    }

    /// Replies so far whose status begins with `digit`.
    #[must_use]
    pub fn replies(&self, digit: usize) -> u64 {
        self.replies.get(digit.wrapping_sub(1)).map_or(0, Counter::get)
    }
}

/// Everything that is counted in this process.
#[derive(Debug, Default)]
pub struct Metrics {
    listeners: [ListenerMetrics; ListenerKind::ALL.len()],
    rings: Option<Arc<RingMetrics>>,
    keys_prepared: Option<Arc<AtomicU64>>,
    store_calls: Option<Arc<Calls>>,
}

impl Metrics {
    /// What these rings and their vault count is shown, too.
    #[must_use]
    pub fn with_keys(rings: Arc<RingMetrics>, vault: &Vault) -> Metrics {
        let keys_prepared = Some(Arc::clone(vault.signer().keys_prepared()));
        let store_calls = Some(Arc::clone(vault.store().calls()));
        Metrics { rings: Some(rings), keys_prepared, store_calls, ..Metrics::default() }
    }

    /// What one listener counts.
    #[must_use]
    pub fn listener(&self, kind: ListenerKind) -> &ListenerMetrics {
        &self.listeners[kind as usize]
    }

    /// All of it in the Prometheus text exposition format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(8_192);
        let version = env!("CARGO_PKG_VERSION");
        describe(&mut out, "chancery_info", "gauge", "Which build runs.");
        let _ = writeln!(out, r#"chancery_info{{version="{version}"}} 1"#);
        self.render_connections(&mut out);
        self.render_replies(&mut out);
        self.render_rings(&mut out);
        self.render_signer(&mut out);
        self.render_store(&mut out);
        if let Some(octets) = resident_octets() {
            describe(&mut out, "process_resident_memory_bytes", "gauge", "Resident memory.");
            let _ = writeln!(out, "process_resident_memory_bytes {octets}");
        }
        out
    }

    fn render_connections(&self, out: &mut String) {
        let open = "chancery_connections";
        describe(out, open, "gauge", "Connections open now.");
        for (kind, listener) in self.by_kind() {
            let _ = writeln!(out, r#"{open}{{listener="{kind}"}} {}"#, listener.connections.get());
        }
        let refused = "chancery_connections_refused_total";
        describe(out, refused, "counter", "Connections closed at once, since their address had its share.");
        for (kind, listener) in self.by_kind() {
            let _ = writeln!(out, r#"{refused}{{listener="{kind}"}} {}"#, listener.connections_refused.get());
        }
    }

    fn render_replies(&self, out: &mut String) {
        let replies = "chancery_replies_total";
        describe(out, replies, "counter", "Replies by the first digit of their status.");
        for (kind, listener) in self.by_kind() {
            for (index, class) in listener.replies.iter().enumerate() {
                let _ = writeln!(out, r#"{replies}{{listener="{kind}",class="{}xx"}} {}"#, index + 1, class.get());
            }
        }
        let time = "chancery_reply_seconds";
        describe(out, time, "histogram", "From a complete request head to its reply.");
        for (kind, listener) in self.by_kind() {
            listener.reply_time.render(out, time, kind);
        }
    }

    fn render_rings(&self, out: &mut String) {
        let Some(rings) = &self.rings else { return };
        let cut = "chancery_exp_cut_total";
        describe(out, cut, "counter", "Tokens whose exp was cut to the ceiling of their ring.");
        let _ = writeln!(out, "{cut} {}", rings.exp_cut.get());
        let violations = "chancery_invariant_violations_total";
        describe(out, violations, "counter", "Breaches of an invariant of key rings; each is a fault of this program.");
        for (invariant, count) in rings.violations() {
            let _ = writeln!(out, r#"{violations}{{id="I{}"}} {count}"#, invariant as u8);
        }
    }

    fn render_store(&self, out: &mut String) {
        let Some(store) = &self.store_calls else { return };
        let calls = "chancery_store_calls_total";
        describe(out, calls, "counter", "Times the store was turned to; tokens alone add none.");
        let _ = writeln!(out, "{calls} {}", store.get());
    }

    fn render_signer(&self, out: &mut String) {
        let Some(count) = &self.keys_prepared else { return };
        let prepared = "chancery_keys_prepared_total";
        describe(
            out,
            prepared,
            "counter",
            "Keys of messages and variables that were parsed for a use; each once, then kept.",
        );
        let _ = writeln!(out, "{prepared} {}", count.load(Ordering::Relaxed));
    }

    fn by_kind(&self) -> impl Iterator<Item = (&'static str, &ListenerMetrics)> {
        ListenerKind::ALL.into_iter().map(|kind| (kind.name(), self.listener(kind)))
    }
}

fn describe(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Resident memory in octets: the second number of `/proc/self/statm`, in pages.
fn resident_octets() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_lands_in_the_first_bucket_that_holds_it() {
        let metrics = Metrics::default();
        let runtime = metrics.listener(ListenerKind::Runtime);
        runtime.replied(http::StatusCode::OK, Duration::from_micros(50));
        runtime.replied(http::StatusCode::OK, Duration::from_micros(51));
        runtime.replied(http::StatusCode::BAD_GATEWAY, Duration::from_secs(3_600));
        let text = metrics.render();
        for line in [
            r#"chancery_replies_total{listener="runtime",class="2xx"} 2"#,
            r#"chancery_replies_total{listener="runtime",class="5xx"} 1"#,
            r#"chancery_replies_total{listener="core",class="2xx"} 0"#,
            r#"chancery_reply_seconds_bucket{listener="runtime",le="0.00005"} 1"#,
            r#"chancery_reply_seconds_bucket{listener="runtime",le="0.0001"} 2"#,
            r#"chancery_reply_seconds_bucket{listener="runtime",le="30"} 2"#,
            r#"chancery_reply_seconds_bucket{listener="runtime",le="+Inf"} 3"#,
            r#"chancery_reply_seconds_sum{listener="runtime"} 3600.000101"#,
            r#"chancery_reply_seconds_count{listener="runtime"} 3"#,
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn every_metric_is_described_once_before_its_samples() {
        let by = store::By { actor: "test", address: None, request_id: None };
        let text = Metrics::with_keys(Arc::default(), &Vault::ephemeral(&by).unwrap()).render();
        let mut described = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let name = rest.split(' ').next().unwrap();
                assert!(!described.contains(&name), "{name} twice");
                described.push(name);
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap();
                assert!(name.starts_with(described.last().unwrap()), "{line}");
            }
        }
        assert_eq!(described.len(), 10);
    }
}
