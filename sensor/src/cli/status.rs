//! `wardtap status`.

mod rates;

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use sensor_analysis::behaviour::Spending;
use sensor_common::counter::Counter;
use sensor_evidence::store::StoreStatus;
use sensor_facts::alert::Severity;
use sensor_facts::words::several;

use super::{
    Shown, model, print, print_json,
    table::{Colour, bytes, coloured, count, local, span, table},
};
use crate::control::{
    api::{self, InterfaceStatus, Status, TrailSegments},
    client,
};

pub(super) fn run(socket: &Path, shown: Shown) -> anyhow::Result<ExitCode> {
    let status: Status = client::get(socket, api::STATUS)?;
    if shown.json {
        print_json(&status)?;
    } else {
        print(&text(&status))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(status: &Status) -> String {
    let seconds = uptime(status);
    let mut parts = vec![
        format!(
            "wardtap {}, listening for {} (since {})",
            status.version,
            span(seconds),
            local(status.start)
        ),
        interfaces(&status.interfaces),
        rates::table_of(&status.interfaces),
        dispositions(&status.interfaces),
        ring(status),
        format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
            tables(status),
            seen(status),
            alerts(status),
            incidents(status),
            detection(status),
            containment(status),
            model::in_status(&status.model),
            outputs(status)
        ),
    ];
    if status.warnings.is_empty() {
        parts.push("Nothing is wrong.".to_owned());
    }
    let warnings = status.warnings.iter();
    parts.extend(
        warnings.map(|warning| format!("{} {warning}", coloured("Warning:", Colour::Yellow))),
    );
    parts.join("\n\n") + "\n"
}

/// Seconds since the daemon began to listen.
pub(super) fn uptime(status: &Status) -> u64 {
    u64::try_from(status.time.0 - status.start.0).unwrap_or(0) / 1_000_000_000
}

pub(super) fn tables(status: &Status) -> String {
    let flows = &status.flows;
    let pressure = if flows.pressure {
        "; the first is nearly full, so only clinical flows may enter it"
    } else {
        ""
    };
    format!(
        "Flow tables: {} of {} established, {} of {} new, {} evicted before they were reported{pressure}",
        count(flows.established),
        count(flows.established_capacity),
        count(flows.fresh),
        count(flows.fresh_capacity),
        count(flows.evicted)
    )
}

pub(super) fn seen(status: &Status) -> String {
    let seen = |name: &str| count(status.pipeline.get(name).copied().unwrap_or(0));
    format!(
        "Seen: {} DICOM associations ({} rejected, {} aborted), {} HL7 messages ({} acknowledgements, {} negative), {} TLS \
         connections, {} hosts; {} sessions open",
        seen("associations"),
        seen("associations_rejected"),
        seen("associations_aborted"),
        seen("hl7_messages"),
        seen("hl7_acks"),
        seen("hl7_naks"),
        seen("tls_connections"),
        seen("hosts"),
        seen("sessions_open")
    )
}

pub(super) fn alerts(status: &Status) -> String {
    let it = &status.detection;
    let open = by_severity(&it.open);
    let last = it.last.as_ref().map_or_else(
        || "none so far".to_owned(),
        |last| {
            let (id, severity, device) = (last.id, last.severity, last.device);
            let opened = local(last.opened);
            format!(
                "{id} ({severity}) of {opened} about {device}: {}",
                last.title
            )
        },
    );
    format!("Alerts: open {open}; last {last}")
}

pub(super) fn incidents(status: &Status) -> String {
    format!(
        "Incidents: open {}",
        by_severity(&status.detection.incidents)
    )
}

/// How many there are of each severity, the most urgent first.
fn by_severity(counts: &BTreeMap<String, u64>) -> String {
    let open: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .filter_map(|severity| {
            let count = counts.get(severity.label()).filter(|count| **count > 0)?;
            Some(format!("{count} {severity}"))
        })
        .collect();
    if open.is_empty() {
        "none".to_owned()
    } else {
        open.join(", ")
    }
}

pub(super) fn detection(status: &Status) -> String {
    let it = &status.detection;
    let findings: u64 = it.findings.values().sum();
    let site = match it.site_until {
        None => "nothing was seen so far".to_owned(),
        Some(_) if it.site_learnt >= 1.0 => "the learning period is over".to_owned(),
        Some(until) => format!(
            "{:.0} % of the learning period is over; until {} what is merely new raises no alerts",
            (it.site_learnt * 100.0).floor(),
            local(until)
        ),
    };
    let mut frozen: Vec<String> = it
        .frozen_first
        .iter()
        .map(|one| format!("{} until {}", one.address, local(one.until)))
        .collect();
    let more = it.frozen.saturating_sub(frozen.len() as u64);
    if more > 0 {
        frozen.push(format!("{more} more"));
    }
    let frozen = if frozen.is_empty() {
        String::new()
    } else {
        format!(
            "; suspected, so nothing is learned about {}",
            frozen.join(", ")
        )
    };
    let off = if it.off.is_empty() {
        String::new()
    } else {
        format!("; detectors that are off: {}", it.off.join(", "))
    };
    // What might have mattered is never muted in silence.
    let high = if it.excepted_high > 0 {
        format!(
            ", {} of them of high severity (`wardtap exceptions list --sort muted-high:desc`)",
            count(it.excepted_high)
        )
    } else {
        String::new()
    };
    let evicted = if it.suspects_evicted > 0 {
        format!(
            "; {} suspects were forgotten to make room: someone may be making source addresses up",
            count(it.suspects_evicted)
        )
    } else {
        String::new()
    };
    let spending = it.spending.map_or_else(String::new, |it| budget(&it));
    format!(
        "Detection: {} findings, {} more muted by {}{high}{off}{evicted}{spending}\n\
         Baselines: {site}; {} devices learned, {} learning, {} on hold{frozen}; {}",
        count(findings),
        count(it.excepted),
        several(it.exceptions, "exceptions"),
        count(it.learnt),
        count(it.learning),
        count(it.frozen),
        bytes(it.bytes)
    )
}

/// What the budget of false alerts came to.
fn budget(it: &Spending) -> String {
    format!(
        "\nUnusual behaviour: the budget of {} false alerts a day and 1,000 devices allows {:.1} a day here; in the last 24 hours {} of devices were unusual enough, and twice the budget would have added {}",
        it.budget,
        it.allowed,
        several(it.reached, "hours"),
        count(it.twice)
    )
}

pub(super) fn containment(status: &Status) -> String {
    let it = &status.containment;
    let rules = it.rules.iter().filter(|(_, count)| **count > 0);
    let rules: Vec<_> = rules.map(|(state, n)| format!("{n} {state}")).collect();
    let effects = it.effects.iter().filter(|(_, count)| **count > 0);
    let effects: Vec<_> = effects
        .map(|(effect, n)| format!("{n} {}", effect.replace('_', " ")))
        .collect();
    let list = |items: Vec<String>, none: &str| {
        if items.is_empty() {
            none.to_owned()
        } else {
            items.join(", ")
        }
    };
    let place = if it.enforcing.is_empty() {
        "this sensor cannot block, since mirrors only receive copies".to_owned()
    } else {
        format!("rules drop on {}", it.enforcing.join(", "))
    };
    format!(
        "Containment: {place}; rules: {}; do they work: {}; {} protected; {} entries in the audit trail{}",
        list(rules, "none"),
        list(effects, "none"),
        count(it.protected),
        count(it.entries),
        segments(&it.segments)
    )
}

/// What the trail's segments come to; nothing of a trail that has one alone.
fn segments(it: &TrailSegments) -> String {
    if it.current <= 1 {
        return String::new();
    }
    let verified = if it.whole || it.flaw.is_some() {
        format!("{} of {} older ones verified", it.verified, it.older)
    } else {
        format!("{} of {} older ones verified so far", it.verified, it.older)
    };
    let removed = match it.removed_to {
        0 => String::new(),
        last => format!(", those to {last} removed"),
    };
    format!(
        " ({} in segments to number {}, {verified}{removed})",
        bytes(it.bytes),
        it.current
    )
}

pub(super) fn outputs(status: &Status) -> String {
    let lines = status.outputs.iter().map(|output| {
        let failing = output
            .failing
            .as_ref()
            .map_or_else(String::new, |why| format!("; writing fails: {why}"));
        let again = match output.resent {
            0 => String::new(),
            resent => format!(", {} sent again", count(resent)),
        };
        format!(
            "Events ({}): {} to {}, {} wait, {} dropped (queue full), {} dropped (not written){again}{failing}",
            output.name,
            count(output.events),
            output.target,
            count(output.waiting),
            count(output.dropped_queue_full),
            count(output.dropped_write_error)
        )
    });
    lines
        .chain(status.store.as_ref().map(store))
        .collect::<Vec<_>>()
        .join("\n")
}

fn store(status: &StoreStatus) -> String {
    let since = status
        .history_since
        .map_or_else(String::new, |time| format!(" since {}", local(time)));
    let removed = status.removed.iter();
    let removed: Vec<_> = removed
        .map(|(kind, number)| format!("{} {kind}", count(*number)))
        .collect();
    let removed = if removed.is_empty() {
        "nothing".to_owned()
    } else {
        removed.join(", ")
    };
    format!(
        "Store: database {}; {} files of flows{since}, {}; {} flows not in a file yet; removed {removed}",
        bytes(status.database_bytes),
        count(status.history_files),
        bytes(status.history_bytes),
        count(status.flows_waiting)
    )
}

fn interfaces(interfaces: &[InterfaceStatus]) -> String {
    let mut rows = table(&[
        "interface",
        "role",
        "mode",
        "link",
        "packets",
        "bytes",
        "duplicates",
        "TCP gaps",
    ]);
    for interface in interfaces {
        let counter = |counter: Counter| counter_of(&interface.counters, counter);
        let frags = if interface.frags {
            ", first buffer"
        } else {
            ""
        };
        let packets = counter(Counter::Packets);
        rows.add_row([
            interface.name.clone(),
            interface.role.clone(),
            format!("{}{frags}", interface.mode),
            if interface.link { "up" } else { "down" }.to_owned(),
            count(packets),
            bytes(counter(Counter::Bytes)),
            count(counter(Counter::Duplicate)),
            count(counter(Counter::TcpGap)),
        ]);
    }
    rows.to_string()
}

pub(super) fn counter_of(counters: &BTreeMap<String, u64>, counter: Counter) -> u64 {
    counters.get(counter.label()).copied().unwrap_or(0)
}

fn dispositions(interfaces: &[InterfaceStatus]) -> String {
    let mut rows = table(&["what became of packets", "packets", "meaning"]);
    for counter in Counter::DISPOSITIONS {
        let sum: u64 = interfaces
            .iter()
            .map(|interface| counter_of(&interface.counters, *counter))
            .sum();
        if sum > 0 {
            rows.add_row([
                counter.label().to_owned(),
                count(sum),
                counter.help().trim().to_owned(),
            ]);
        }
    }
    rows.to_string()
}

fn ring(status: &Status) -> String {
    let mut rows = table(&["ring buffer", "offered", "received", "lost", "exact"]);
    for ring in &status.ring {
        let exact = ring.offered == ring.received + ring.lost;
        rows.add_row([
            ring.kind.clone(),
            count(ring.offered),
            count(ring.received),
            count(ring.lost),
            // Events that are on their way have been offered and not yet received.
            if exact { "yes" } else { "not yet" }.to_owned(),
        ]);
    }
    rows.to_string()
}
