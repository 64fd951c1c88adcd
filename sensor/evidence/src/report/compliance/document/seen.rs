//! What was seen: coverage, devices, clinical data, weaknesses.

use super::{
    ACTIVITY_REVIEW, AUDIT_CONTROLS, AUTHENTICATION, ENCRYPTION, RISK_ANALYSIS, TRANSMISSION, acts,
    rows,
};
use crate::report::{
    Section, Table, Tone,
    compliance::{Compliance, Coverage, Exchange, Exchanges},
};
use sensor_analysis::exposure::Exposed;
use sensor_common::layer7::Protocol;
use sensor_facts::{
    hex::short,
    words::{between, bytes, count, span, utc_moment},
};

#[expect(clippy::cast_precision_loss, reason = "it is a share")]
pub(super) fn share(coverage: &Coverage) -> String {
    let share = coverage.listened_seconds as f64 / (coverage.seconds.max(1)) as f64;
    // Rounded down: what has a gap is never "100 %".
    format!("{:.2} % of the time", (share * 10_000.0).floor() / 100.0)
}

pub(super) fn coverage(coverage: &Coverage) -> Section {
    let mut section = Section::new("Coverage", &[AUDIT_CONTROLS, ACTIVITY_REVIEW]);
    section.text(format!(
        "A daemon listened for {} of {}: {}.",
        span(coverage.listened_seconds),
        span(coverage.seconds),
        share(coverage)
    ));
    let table = Table::new("Times without a daemon", &["from", "to", "for", "why"]);
    rows(&mut section, table, &coverage.gaps, |gap| {
        vec![
            utc_moment(gap.since),
            utc_moment(gap.until),
            between(gap.since, gap.until),
            gap.why.clone(),
        ]
    });
    let table = Table::new(
        "Runs of the daemon",
        &[
            "from",
            "to",
            "ended",
            "version",
            "interfaces",
            "configuration",
        ],
    );
    rows(&mut section, table, &coverage.runs, |run| {
        vec![
            utc_moment(run.since),
            run.until
                .map_or_else(|| "still running".to_owned(), utc_moment),
            if run.until.is_none() {
                "not yet"
            } else if run.orderly {
                "in order"
            } else {
                "without a last word"
            }
            .to_owned(),
            run.version.clone(),
            run.interfaces.join(", "),
            short(&run.config).to_owned(),
        ]
    });
    let (Some(since), Some(until)) = (coverage.counted_since, coverage.counted_until) else {
        section.note(Tone::Open, "No counters were kept of this time.");
        return section;
    };
    if since == until {
        let text = "Counters were kept of one moment only, so no rise of them is known.";
        section.note(Tone::Open, text);
        return section;
    }
    let packets = coverage.counters.get("packets").copied().unwrap_or(0);
    section.text(format!(
        "From {} to {} {} packets were counted; what of them or of their evaluation was lost or left out:",
        utc_moment(since),
        utc_moment(until),
        count(packets)
    ));
    let table = Table::new("Losses by cause", &["cause", "how many", "counter"]);
    rows(&mut section, table, &coverage.losses, |loss| {
        vec![loss.what.clone(), count(loss.count), loss.counter.clone()]
    });
    section
}

pub(super) fn inventory(report: &Compliance) -> Section {
    let inventory = &report.inventory;
    let mut section = Section::new("Devices", &[RISK_ANALYSIS]);
    section.text(format!(
        "{} devices of the site were seen, {} of them for the first time.",
        count(inventory.devices),
        count(inventory.new)
    ));
    let roles = inventory.roles.iter();
    section.list(roles.map(|(role, number)| format!("{role}: {}", count(*number))));
    let table = Table::new(
        "Devices that handle clinical data, by role or by what they spoke",
        &[
            "address",
            "name",
            "role",
            "confidence",
            "DICOM",
            "HL7",
            "TLS",
        ],
    );
    rows(&mut section, table, &inventory.clinical, |one| {
        let clear = |it: bool| if it { "in clear text" } else { "-" }.to_owned();
        vec![
            one.address.to_string(),
            one.host_name.clone().unwrap_or_else(|| "-".to_owned()),
            one.role.label().to_owned(),
            format!("{:.2}", one.confidence),
            clear(one.clear_dicom),
            clear(one.clear_hl7),
            if one.tls { "seen" } else { "-" }.to_owned(),
        ]
    });
    section
}

pub(super) fn exchanges(exchanges: &Exchanges) -> Section {
    let serves = [RISK_ANALYSIS, TRANSMISSION, ENCRYPTION];
    let mut section = Section::new("Where clinical data goes", &serves);
    section.text(format!(
        "{} pairs of devices exchanged DICOM or HL7 in clear text, {} over TLS at a port of these protocols.",
        count(exchanges.clear),
        count(exchanges.encrypted)
    ));
    let table = Table::new(
        "Pairs, those with the most bytes first",
        &[
            "from",
            "to",
            "port",
            "protocol",
            "encrypted",
            "connections",
            "bytes",
            "last seen",
        ],
    );
    rows(&mut section, table, &exchanges.pairs, pair);
    if exchanges.omitted > 0 {
        let omitted = count(exchanges.omitted);
        section.note(
            Tone::Open,
            format!("{omitted} pairs are left out, being too many."),
        );
    }
    section
}

fn pair(one: &Exchange) -> Vec<String> {
    let dash = || "-".to_owned();
    let protocol = Protocol::from_name(&one.app).and_then(Protocol::title);
    vec![
        one.client.to_string(),
        one.server.to_string(),
        one.port.map_or_else(dash, |port| port.to_string()),
        protocol.unwrap_or(&one.app).to_owned(),
        if one.encrypted { "likely" } else { "no" }.to_owned(),
        one.flows.map_or_else(dash, count),
        one.bytes.map_or_else(dash, bytes),
        one.last.map_or_else(dash, utc_moment),
    ]
}

pub(super) fn exposure(report: &Compliance) -> Section {
    let exposure = &report.exposure;
    let serves = [RISK_ANALYSIS, AUTHENTICATION, TRANSMISSION];
    let mut section = Section::new("What to fix first", &serves);
    section.text(format!(
        "{} of {} devices have a weakness that was seen. The most exposed:",
        count(exposure.weak),
        count(exposure.devices)
    ));
    let table = Table::new("By score", &["score", "device", "role", "sum", "weak by"]);
    rows(&mut section, table, &exposure.top, exposed);
    acts(&mut section, "Advisories and baselines", &report.acts.other);
    section
}

fn exposed(one: &Exposed) -> Vec<String> {
    let name = one.host_name.as_ref();
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    let weak = one.weaknesses.iter();
    let weak: Vec<String> = weak
        .map(|it| format!("{}: {}", it.kind.label(), it.evidence))
        .collect();
    vec![
        one.score.to_string(),
        format!("{}{name}", one.address),
        one.role.label().to_owned(),
        one.sum.clone(),
        weak.join("; "),
    ]
}
