//! `docs/metrics.md`, made from the table.

use std::fmt::Write;

use sensor_common::counter::Counter;

use super::{
    sample::MetricKind,
    table::{TABLE, layer7_problems},
};

const HEAD: &str = "# Metrics

Wardtap serves these at `/metrics` (http://127.0.0.1:9641 unless set), in the Prometheus text format. The
daemon is alive if `/-/healthy` answers, and captures if `/-/ready` answers with status 200. No label holds
an address or a name of a person, and every label has a bounded set of values.

This page is made from the table in `sensor/src/metrics/table.rs` and the counters in `sensor-common/src/counter.rs`; after
a change there run `UPDATE_DOCS=1 cargo test -p sensor metrics`.

Nothing is lost in silence:

- `wardtap_received_packets_total` is the sum of `wardtap_packets_total` over its dispositions.
- At a quiet moment the sum of `wardtap_ring_events_offered_total` is the sum of
  `wardtap_ring_events_received_total`, `wardtap_ring_bad_records_total` and `wardtap_ring_events_lost_total`.

Sources: *kernel* are the counters of the XDP program, summed over CPUs; *pipeline* is what the daemon
understood of the ring buffer; *analysis* are detectors, alerts and baselines; *response* is containment; *daemon* and *output*
are the daemon's own state and the writing of events.

| metric | type | labels | source | help |
| --- | --- | --- | --- | --- |
";

/// The text of `docs/metrics.md`.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in TABLE {
        let kind = match row.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        let labels = row.labels.join("`, `");
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("`{labels}`")
        };
        let (name, source, help) = (row.name, row.source, row.help);
        // Writing to a string can't fail.
        let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {source} | {help} |");
    }
    let parts = [
        (
            "Dispositions of `wardtap_packets_total`",
            Counter::DISPOSITIONS.to_vec(),
        ),
        (
            "Layers of `wardtap_layer_packets_total`",
            Counter::LAYERS.to_vec(),
        ),
        (
            "Problems of `wardtap_tcp_problems_total`",
            Counter::TCP.to_vec(),
        ),
        (
            "Problems of `wardtap_layer7_problems_total`",
            layer7_problems(),
        ),
    ];
    for (title, counters) in parts {
        let _ = writeln!(page, "\n{title}:\n\n| label | counted |\n| --- | --- |");
        for counter in counters {
            let help: Vec<_> = counter.help().split_whitespace().collect();
            let _ = writeln!(page, "| `{}` | {} |", counter.label(), help.join(" "));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    /// `UPDATE_DOCS=1` writes the page instead of comparing it.
    #[test]
    fn the_metrics_page_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
        let page = super::page();
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &page).unwrap();
        }
        assert!(
            fs::read_to_string(&path).unwrap_or_default() == page,
            "docs/metrics.md is not current: run `UPDATE_DOCS=1 cargo test -p sensor metrics`"
        );
    }
}
