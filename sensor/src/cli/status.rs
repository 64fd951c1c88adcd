//! `wardtap status`.

use std::{collections::BTreeMap, fmt::Write, path::Path, process::ExitCode};

use sensor_common::counter::Counter;

use super::{
    Shown, print, print_json,
    table::{bytes, local, table},
};
use crate::control::{
    api::{self, InterfaceStatus, Status},
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
    let mut out = String::new();
    let seconds = (status.time.0 - status.start.0) / 1_000_000_000;
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "wardtap {}, listening since {} ({seconds} s)\n",
        status.version,
        local(status.start)
    );
    let _ = writeln!(out, "Interfaces\n{}\n", interfaces(&status.interfaces));
    let _ = writeln!(
        out,
        "What became of the packets\n{}\n",
        dispositions(&status.interfaces)
    );
    let _ = writeln!(out, "Ring buffer\n{}\n", ring(status));
    let flows = &status.flows;
    let _ = writeln!(
        out,
        "Flow tables: {} of {} established, {} of {} new, {} new ones made room for others",
        flows.established,
        flows.established_capacity,
        flows.fresh,
        flows.fresh_capacity,
        flows.evicted
    );
    let seen = |name: &str| status.pipeline.get(name).copied().unwrap_or(0);
    let _ = writeln!(
        out,
        "Seen: {} DICOM associations ({} rejected), {} HL7 messages ({} acknowledged, {} refused), {} TLS \
         connections, {} hosts",
        seen("associations"),
        seen("associations_rejected"),
        seen("hl7_messages"),
        seen("hl7_acks"),
        seen("hl7_naks"),
        seen("tls_connections"),
        seen("hosts")
    );
    let output = &status.output;
    let _ = writeln!(
        out,
        "Events: {} lines to {}, {} dropped",
        output.lines,
        output.target,
        output.dropped_queue_full + output.dropped_write_error
    );
    if status.warnings.is_empty() {
        let _ = writeln!(out, "\nNothing is wrong.");
    }
    for warning in &status.warnings {
        let _ = writeln!(out, "\nWarning: {warning}");
    }
    out
}

fn interfaces(interfaces: &[InterfaceStatus]) -> String {
    let mut rows = table(&[
        "interface",
        "mode",
        "packets",
        "bytes",
        "duplicates",
        "TCP gaps",
    ]);
    for interface in interfaces {
        let count = |counter: Counter| counter_of(&interface.counters, counter);
        let frags = if interface.frags {
            ", first buffer"
        } else {
            ""
        };
        rows.add_row([
            interface.name.clone(),
            format!("{}{frags}", interface.mode),
            count(Counter::Packets).to_string(),
            bytes(count(Counter::Bytes)),
            count(Counter::Duplicate).to_string(),
            count(Counter::TcpGap).to_string(),
        ]);
    }
    rows.to_string()
}

fn counter_of(counters: &BTreeMap<String, u64>, counter: Counter) -> u64 {
    counters.get(counter.label()).copied().unwrap_or(0)
}

fn dispositions(interfaces: &[InterfaceStatus]) -> String {
    let mut rows = table(&["disposition", "packets", "meaning"]);
    for counter in Counter::DISPOSITIONS {
        let sum: u64 = interfaces
            .iter()
            .map(|interface| counter_of(&interface.counters, *counter))
            .sum();
        if sum > 0 {
            rows.add_row([
                counter.label().to_owned(),
                sum.to_string(),
                counter.help().trim().to_owned(),
            ]);
        }
    }
    rows.to_string()
}

fn ring(status: &Status) -> String {
    let mut rows = table(&["events", "offered", "received", "lost", "exact"]);
    for ring in &status.ring {
        let exact = ring.offered == ring.received + ring.lost;
        rows.add_row([
            ring.kind.clone(),
            ring.offered.to_string(),
            ring.received.to_string(),
            ring.lost.to_string(),
            // Events that are on their way have been offered and not yet received.
            if exact { "yes" } else { "not yet" }.to_owned(),
        ]);
    }
    rows.to_string()
}
