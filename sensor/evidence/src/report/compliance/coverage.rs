//! When the network was listened to, and what was lost while it was.

use std::collections::BTreeMap;

use sensor_facts::{action::Action, time::Time};

use super::{Coverage, Facts, Gap, Loss, Run};

/// Counters of what is lost or left out, and what they count.
const LOSSES: [(&str, &str); 18] = [
    (
        "ring_lost",
        "events that the kernel had no room to hand over",
    ),
    ("ring_bad", "events that could not be decoded"),
    ("chunks_lost", "pieces of sessions that are missing"),
    (
        "flows_evicted",
        "flows that were evicted before they were reported",
    ),
    (
        "flow_table_full",
        "packets without a flow, the flow table being full",
    ),
    ("snapped", "packets whose capture was cut short"),
    (
        "not_ip",
        "frames of other protocols than IP and ARP, not looked into",
    ),
    (
        "tunnel_unread",
        "packets on a tunnel's port or protocol whose contents are not read",
    ),
    (
        "link_truncated",
        "frames that end within their first header",
    ),
    ("vlan_depth", "frames with more tags than are read"),
    ("ip_truncated", "packets that end within the IP header"),
    ("ip_malformed", "packets with a malformed IP header"),
    (
        "ipv6_extension_depth",
        "packets with more IPv6 extension headers than are read",
    ),
    (
        "tunnel_depth",
        "packets within more tunnels than are unwrapped",
    ),
    (
        "tunnel_malformed",
        "packets of tunnels that could not be unwrapped",
    ),
    (
        "transport_malformed",
        "packets with a malformed transport header",
    ),
    ("tcp_gap", "TCP segments before which something is missing"),
    (
        "flows_not_scored",
        "flows that the anomaly model did not see",
    ),
];

/// Endings of the counters of outputs that are losses.
const OUTPUT_LOSSES: [&str; 2] = ["dropped_queue_full", "dropped_write_error"];

pub(super) fn coverage(facts: Facts<'_>) -> Coverage {
    let runs = runs(facts);
    let gaps = gaps(facts, &runs);
    let seconds = seconds(facts.since, facts.until);
    let silent: u64 = gaps
        .iter()
        .map(|gap| self::seconds(gap.since, gap.until))
        .sum();
    let mut counters = facts.counted.rises.clone();
    let times = &facts.counted.times;
    let mut counted_since = times.first().copied();
    // Where the daemon began within the time, its first reading is what it counted until then.
    let began = counted_since
        .and_then(|first| runs.iter().rfind(|run| run.since <= first))
        .map(|run| run.since)
        .filter(|began| *began >= facts.since);
    if let Some(began) = began {
        counted_since = Some(began);
        for (name, value) in &facts.counted.first {
            *counters.entry(name.clone()).or_default() += value;
        }
    }
    let losses = losses(&counters);
    Coverage {
        listened_seconds: seconds.saturating_sub(silent),
        seconds,
        counted_since,
        counted_until: times.last().copied(),
        runs,
        gaps,
        counters,
        losses,
    }
}

fn seconds(from: Time, to: Time) -> u64 {
    u64::try_from(to.0.saturating_sub(from.0) / 1_000_000_000).unwrap_or(0)
}

/// The runs, by the trail's starts and ends. One that was killed is over after its last sign of life: its last entry
/// in the trail, or its last counters.
fn runs(facts: Facts<'_>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut last = Time(i64::MIN);
    for entry in &facts.trail.entries {
        match &entry.action {
            Action::Started {
                version,
                config,
                interfaces,
                differences,
                ..
            } => {
                if let Some(run) = runs.last_mut().filter(|run| run.until.is_none()) {
                    let sign = sign_of_life(facts, run.since, entry.time);
                    run.until = Some(last.max(sign).max(run.since));
                    run.orderly = false;
                }
                runs.push(Run {
                    since: entry.time,
                    until: None,
                    orderly: true,
                    version: version.clone(),
                    config: config.clone(),
                    interfaces: interfaces.clone(),
                    differences: differences.clone(),
                });
            }
            Action::Stopped => {
                if let Some(run) = runs.last_mut().filter(|run| run.until.is_none()) {
                    run.until = Some(entry.time);
                }
            }
            _ => {}
        }
        last = entry.time;
    }
    runs.retain(|run| run.until.is_none_or(|until| until >= facts.since));
    runs
}

/// The last counters of a run that ended before another began.
fn sign_of_life(facts: Facts<'_>, since: Time, before: Time) -> Time {
    let times = &facts.counted.times;
    let earlier = times.partition_point(|time| *time < before);
    let last = times[..earlier].last().copied();
    last.filter(|time| *time >= since).unwrap_or(since)
}

fn gaps(facts: Facts<'_>, runs: &[Run]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut at = facts.since;
    let mut why = "the trail tells of no start before";
    for run in runs {
        if run.since > at {
            gaps.push(Gap {
                since: at,
                until: run.since.min(facts.until),
                why: why.to_owned(),
            });
        }
        at = at.max(run.until.unwrap_or(facts.until));
        why = if run.orderly {
            "the daemon was stopped"
        } else {
            "the daemon ended without a last word: killed, or the host went down"
        };
    }
    if at < facts.until {
        gaps.push(Gap {
            since: at,
            until: facts.until,
            why: why.to_owned(),
        });
    }
    gaps
}

fn losses(counters: &BTreeMap<String, u64>) -> Vec<Loss> {
    let known = LOSSES.iter().filter_map(|(counter, what)| {
        Some(Loss {
            counter: (*counter).to_owned(),
            what: (*what).to_owned(),
            count: *counters.get(*counter)?,
        })
    });
    let outputs = counters.iter().filter_map(|(counter, count)| {
        let name = counter.strip_prefix("output_")?;
        let ending = OUTPUT_LOSSES.iter().find(|end| name.ends_with(**end))?;
        let name = name.strip_suffix(ending)?.trim_end_matches('_');
        let why = ending.trim_start_matches("dropped_").replace('_', " ");
        Some(Loss {
            counter: counter.clone(),
            what: format!("events that the output {name} dropped: {why}"),
            count: *count,
        })
    });
    known.chain(outputs).collect()
}
