//! What a replay saw, for people.

use std::fmt::Write;

use sensor_analysis::{Analysis, replay::Replay};
use sensor_common::{counter::Counter, layer7::Reason, packet::Tunnel};
use sensor_facts::{alert::Alert, observation::is_public, time::Time};
use sensor_sessions::pipeline::PipelineStats;

use crate::cli::{
    rows::rows,
    table::{bytes, local, table},
};

/// Alerts that the summary names.
const NAMED: usize = 10;

/// What was seen and could not be followed, beside the packets without a flow.
const LOSSES: [Counter; 5] = [
    Counter::FlowTableFull,
    Counter::EstablishRefused,
    Counter::TcpGap,
    Counter::L7Desync,
    Counter::DicomForeignGroup,
];

/// The summary; `short` without alerts.
pub(super) fn text(replay: &Replay, short: bool) -> String {
    let stats = replay.pipeline().stats();
    let mut text = String::new();
    overview(&mut text, replay, &stats);
    if short {
        packets(&mut text, replay);
    }
    losses(&mut text, replay, &stats);
    if let Some(analysis) = replay.analysis() {
        suspicions(&mut text, analysis, replay);
    }
    text
}

fn overview(text: &mut String, replay: &Replay, stats: &PipelineStats) {
    let counters = replay.counters();
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<8} {value}");
    };
    if let Some(span) = replay.span() {
        let time = |at: u64| Time(i64::try_from(at).unwrap_or(i64::MAX));
        let seconds = (span.last - span.first) / 1_000_000_000;
        row(
            "time",
            format!(
                "{} to {} ({seconds} s)",
                local(time(span.first)),
                local(time(span.last))
            ),
        );
    }
    let count = |counter: Counter| counters.get(counter);
    row(
        "packets",
        format!(
            "{}, {}",
            count(Counter::Packets),
            bytes(count(Counter::Bytes))
        ),
    );
    row(
        "flows",
        format!(
            "{}, {} of them in both directions or clinical",
            count(Counter::FlowCreated),
            count(Counter::FlowEstablished)
        ),
    );
    row(
        "DICOM",
        format!(
            "{} associations ({} rejected, {} aborted), {} requests, {} responses",
            stats.associations,
            stats.associations_rejected,
            stats.associations_aborted,
            stats.dicom_requests,
            stats.dicom_responses
        ),
    );
    row(
        "HL7",
        format!(
            "{} sessions, {} messages, {} acknowledgements ({} negative)",
            stats.hl7_sessions, stats.hl7_messages, stats.hl7_acks, stats.hl7_naks
        ),
    );
    row("TLS", format!("{} connections", stats.tls_connections));
    let hosts = replay.pipeline().hosts();
    let site = hosts.iter().filter(|host| !is_public(host.address)).count();
    row("hosts", format!("{}, {site} of the site", stats.hosts));
    text.push('\n');
}

pub(super) fn packets(text: &mut String, replay: &Replay) {
    let counters = replay.counters();
    let all = counters.get(Counter::Packets).max(1);
    let contents = [Counter::LAYERS, Tunnel::COUNTERS].concat();
    for (title, names) in [
        ("what became of each packet", Counter::DISPOSITIONS),
        ("what the packets carried", contents.as_slice()),
    ] {
        let mut rows = table(&[title, "packets", "share", ""]);
        for counter in names {
            let packets = counters.get(*counter);
            if packets == 0 {
                continue;
            }
            let permille = u128::from(packets) * 1_000 / u128::from(all);
            rows.add_row([
                counter.label().to_owned(),
                packets.to_string(),
                format!("{}.{} %", permille / 10, permille % 10),
                counter.help().trim().to_owned(),
            ]);
        }
        if !rows.is_empty() {
            let _ = writeln!(text, "{rows}\n");
        }
    }
}

/// All that was seen and not understood, by reason; nothing where all was.
fn losses(text: &mut String, replay: &Replay, stats: &PipelineStats) {
    let counters = replay.counters();
    let unprocessed = Counter::DISPOSITIONS
        .iter()
        .filter(|counter| counter.is_unprocessed() && **counter != Counter::FlowTableFull);
    let readers: Vec<Counter> = Reason::ALL.iter().map(|reason| reason.counter()).collect();
    let mut reasons: Vec<(String, u64, String)> = unprocessed
        .chain(&LOSSES)
        .chain(&readers)
        .map(|counter| {
            let help = counter.help().trim().to_owned();
            (counter.label().to_owned(), counters.get(*counter), help)
        })
        .collect();
    let more = [
        (
            "flows_evicted",
            replay.engine().evicted(),
            "New flows that were evicted before they were reported.",
        ),
        (
            "ring_bad",
            stats.bad(),
            "Events of the engine that could not be decoded.",
        ),
        (
            "elements_incomplete",
            stats.elements_incomplete,
            "Protocol elements of which a part is missing.",
        ),
        (
            "elements_oversize",
            stats.elements_oversize,
            "Protocol elements that are longer than allowed.",
        ),
        (
            "elements_malformed",
            stats.elements_malformed,
            "Protocol elements that break their standard.",
        ),
        (
            "sessions_evicted",
            stats.sessions_evicted,
            "Connections with DICOM, HL7 or TLS given up because they were too many.",
        ),
        (
            "hosts_evicted",
            stats.hosts_evicted,
            "Hosts dropped because they were too many.",
        ),
    ];
    reasons.extend(more.map(|(name, count, help)| (name.to_owned(), count, help.to_owned())));
    reasons.retain(|(_, count, _)| *count > 0);
    if reasons.is_empty() {
        return;
    }
    let mut rows = table(&["what could not be followed", "count", ""]);
    for (name, count, help) in reasons {
        rows.add_row([name, count.to_string(), help]);
    }
    let _ = writeln!(text, "{rows}\n");
}

/// Findings and the most urgent alerts.
fn suspicions(text: &mut String, analysis: &Analysis, replay: &Replay) {
    let last = replay.span().map_or(0, |span| span.last);
    let census = analysis
        .baselines()
        .census(Time(i64::try_from(last).unwrap_or(i64::MAX)));
    let account = analysis.account(census);
    let found: Vec<String> = account
        .findings
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if !found.is_empty() {
        let _ = writeln!(text, "Findings: {}", found.join(", "));
    }
    if account.census.site_learnt < 1.0 {
        let _ = writeln!(
            text,
            "The captures are shorter than the site's learning time: what is only new is not reported."
        );
    }
    let all = urgent(analysis);
    let shown = all.get(..NAMED).unwrap_or(&all);
    if shown.is_empty() {
        let _ = writeln!(text, "No alerts");
        return;
    }
    let columns = ["id", "severity", "device", "what"].map(str::to_owned);
    let _ = write!(text, "\nAlerts\n{}", rows(shown, &columns));
    if all.len() > shown.len() {
        let _ = writeln!(text, "{} of {} alerts", shown.len(), all.len());
    }
}

/// All alerts, the most urgent first.
pub(super) fn urgent(analysis: &Analysis) -> Vec<Alert> {
    let mut all: Vec<_> = analysis.alerts().all().cloned().collect();
    all.sort_by(|a, b| {
        (b.severity, b.confidence)
            .partial_cmp(&(a.severity, a.confidence))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    all
}
