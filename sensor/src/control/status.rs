//! The status, and what in it a person should know at once.

use std::collections::BTreeMap;

use sensor_common::{counter::Counter, unread};
use sensor_evidence::store::StoreStatus;
use sensor_facts::{alert::Severity, mirror::MirrorReport, words::utc_moment};
use sensor_kernel::Mode;
use sensor_output::OutputStats;

use super::api::{
    ConfigurationStatus, ContainmentStatus, DetectionStatus, FlowStatus, Frozen, InterfaceStatus,
    OutputStatus, RingStatus, Status, TrailSegments,
};
use super::{illegible::illegible, missing, roles::Roles};
use crate::live::snapshot::{Configuration, InterfaceSnapshot, RingAccount, Snapshot};

/// The status as the socket gives it.
pub(super) fn of(snapshot: &Snapshot) -> Status {
    let tables = snapshot.tables;
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        start: snapshot.start,
        time: snapshot.time,
        interfaces: snapshot.interfaces.iter().map(interface).collect(),
        ring: vec![
            ring("flow", snapshot.ring_flows()),
            ring("chunk", snapshot.ring_chunks()),
        ],
        flows: FlowStatus {
            established: tables.established,
            established_capacity: tables.established_capacity,
            fresh: tables.fresh,
            fresh_capacity: tables.fresh_capacity,
            evicted: snapshot.flows.evicted,
            pressure: snapshot.pressure,
        },
        pipeline: pipeline(snapshot),
        detection: detection(snapshot),
        containment: containment(snapshot),
        model: snapshot.model.clone(),
        outputs: snapshot.outputs.iter().map(output_status).collect(),
        store: snapshot.store.clone(),
        configuration: configuration(&snapshot.configuration),
        warnings: warnings(snapshot),
    }
}

fn configuration(of: &Configuration) -> ConfigurationStatus {
    ConfigurationStatus {
        config: of.hash.clone(),
        since: of.since,
        restart: of.restart.iter().map(|key| (*key).to_owned()).collect(),
        failed: of.failed.as_ref().map(|failed| failed.time),
        error: of.failed.as_ref().map(|failed| failed.error.clone()),
    }
}

/// The file says something else than what is in force.
fn outdated(of: &Configuration, warnings: &mut Vec<String>) {
    if let Some(failed) = &of.failed {
        warnings.push(format!(
            "the running configuration, of {}, is older than the file: the reload of {} failed: {}; correct the file (`wardtap config check FILE`) and reload again",
            utc_moment(of.since),
            utc_moment(failed.time),
            failed.error
        ));
    }
    if !of.restart.is_empty() {
        warnings.push(format!(
            "the running configuration differs from the file in what takes a restart: {}",
            of.restart.join(", ")
        ));
    }
}

fn output_status(output: &OutputStats) -> OutputStatus {
    OutputStatus {
        name: output.name.clone(),
        target: output.target.clone(),
        events: output.events,
        waiting: output
            .offered
            .saturating_sub(output.events + output.dropped()),
        dropped_queue_full: output.dropped_queue_full,
        dropped_write_error: output.dropped_write_error,
        resent: output.resent,
        failing: output.failing.clone(),
    }
}

fn by_severity(counts: [u64; Severity::ALL.len()]) -> BTreeMap<String, u64> {
    let each = Severity::ALL.iter().zip(counts);
    each.map(|(severity, count)| (severity.label().to_owned(), count))
        .collect()
}

fn detection(snapshot: &Snapshot) -> DetectionStatus {
    let analysis = &snapshot.analysis;
    let (alerts, census) = (&analysis.alerts, &analysis.census);
    let frozen = census.frozen_first.iter();
    DetectionStatus {
        findings: analysis.findings.clone(),
        off: analysis.off.clone(),
        open: by_severity(alerts.open),
        last: alerts.last.clone(),
        incidents: by_severity(analysis.incidents.open),
        suppressed: alerts.suppressed,
        excepted: alerts.excepted,
        excepted_high: alerts.excepted_high,
        exceptions: alerts.exceptions,
        lost: snapshot.unobserved,
        suspects_evicted: analysis.evicted,
        site_learnt: census.site_learnt,
        site_until: census.site_until,
        learnt: census.learnt,
        learning: census.learning,
        frozen: census.frozen,
        frozen_first: frozen
            .map(|(address, until)| Frozen {
                address: *address,
                until: *until,
            })
            .collect(),
        evicted: census.evicted,
        bytes: census.bytes,
        spending: analysis.spending,
        failing: analysis.failing.clone(),
    }
}

fn containment(snapshot: &Snapshot) -> ContainmentStatus {
    let summary = &snapshot.containment;
    let trail = &summary.trail_status;
    let interfaces = snapshot.interfaces.iter();
    ContainmentStatus {
        rules: summary
            .rules
            .iter()
            .map(|(state, count)| (state.label().to_owned(), *count))
            .collect(),
        effects: summary
            .effects
            .iter()
            .map(|(verdict, count)| (verdict.label().to_owned(), *count))
            .collect(),
        protected: summary.protected,
        offered: snapshot.loss.0,
        lost: snapshot.loss.1,
        enforcing: interfaces
            .filter(|one| one.attached.inline)
            .map(|one| one.attached.name.clone())
            .collect(),
        trail: summary.trail.clone(),
        entries: trail.entries,
        waiting: trail.waiting,
        dropped: trail.dropped,
        failing: trail.failing.clone(),
        segments: TrailSegments {
            current: trail.segment,
            older: trail.check.segments,
            verified: trail.check.verified,
            whole: trail.check.done,
            flaw: trail.check.flaw.clone(),
            bytes: trail.check.bytes,
            removed_to: trail.check.removed_to,
            exported: trail.check.exported,
            lost: trail.check.lost,
            export_failing: trail.check.export_failing.clone(),
        },
    }
}

fn interface(one: &InterfaceSnapshot) -> InterfaceStatus {
    InterfaceStatus {
        name: one.attached.name.clone(),
        role: one.attached.role().to_owned(),
        mode: one.attached.mode.label().to_owned(),
        frags: one.attached.frags,
        fallback: one.attached.fallback.clone(),
        link: one.health.link,
        rates: one.health.rates.clone(),
        last_packet: one.health.last_packet,
        conditions: one.health.standing.clone(),
        counters: Counter::ALL
            .iter()
            .map(|counter| (counter.label().to_owned(), one.counters.get(*counter)))
            .collect(),
        unread: one
            .counters
            .unread
            .kinds()
            .map(|(kind, packets)| (unread::words(kind).to_string(), packets))
            .collect(),
    }
}

fn ring(kind: &str, account: RingAccount) -> RingStatus {
    RingStatus {
        kind: kind.to_owned(),
        offered: account.offered,
        received: account.received,
        lost: account.lost,
    }
}

/// The pipeline's counters, those by reason as `bad_records_REASON`.
fn pipeline(snapshot: &Snapshot) -> BTreeMap<String, u64> {
    // A structure of numbers and one map of numbers: its fields are the names.
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(&snapshot.pipeline) else {
        return BTreeMap::new();
    };
    let bad = &snapshot.pipeline.bad_records;
    let bad = bad
        .iter()
        .map(|(reason, count)| (format!("bad_records_{reason}"), *count));
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_u64()?)))
        .chain(bad)
        .collect()
}

fn warnings(snapshot: &Snapshot) -> Vec<String> {
    let mut warnings = blind(snapshot);
    outdated(&snapshot.configuration, &mut warnings);
    suspicions(snapshot, &mut warnings);
    rules(snapshot, &mut warnings);
    warnings.extend(snapshot.model.warnings.iter().cloned());
    outputs(snapshot, &mut warnings);
    if let Some(status) = &snapshot.store {
        store(status, &mut warnings);
    }
    warnings
}

/// What keeps the sensor from seeing all that goes by.
pub(super) fn blind(snapshot: &Snapshot) -> Vec<String> {
    let mut warnings = Vec::new();
    for one in &snapshot.interfaces {
        let standing = one.health.standing.iter();
        warnings.extend(standing.map(|standing| {
            let report = MirrorReport::new(&one.attached.name, standing.clone(), None);
            report.to_string()
        }));
        if one.attached.mode == Mode::Generic {
            warnings.push(format!(
                "{} is in generic mode, which is slower: {}",
                one.attached.name,
                one.attached
                    .fallback
                    .as_deref()
                    .unwrap_or("it was asked for")
            ));
        }
        warnings.extend(illegible(&one.attached.name, &one.counters));
    }
    let ring = snapshot.ring();
    if ring.lost > 0 {
        warnings.push(format!(
            "the ring buffer was full for {} of {} events: a larger one is needed",
            ring.lost, ring.offered
        ));
    }
    if snapshot.pipeline.bad() > 0 {
        warnings.push(format!(
            "{} records of the ring buffer could not be decoded",
            snapshot.pipeline.bad()
        ));
    }
    warnings.extend(missing::warning(&snapshot.pipeline));
    if snapshot.pressure {
        warnings.push(
            "the table of established flows is three quarters full: only DICOM and HL7 flows enter it"
                .to_owned(),
        );
    }
    if snapshot.flows.evicted > 0 {
        warnings.push(format!(
            "{} new flows were evicted before they were reported: there is a scan or flood, or the table is too small",
            snapshot.flows.evicted
        ));
    }
    warnings
}

/// What of alerts and baselines a person should know at once.
fn suspicions(snapshot: &Snapshot, warnings: &mut Vec<String>) {
    let analysis = &snapshot.analysis;
    let (alerts, census) = (&analysis.alerts, &analysis.census);
    let urgent = alerts.open[Severity::High as usize] + alerts.open[Severity::Critical as usize];
    if urgent > 0 {
        warnings.push(format!(
            "alerts of high or critical severity that go on: {urgent}; `wardtap alerts list` shows them"
        ));
    }
    if alerts.suppressed > 0 {
        warnings.push(format!(
            "{} alerts are only listed, since the day's budget was used up (alert.budget): `wardtap alerts list` shows them as suppressed; label those that are benign",
            alerts.suppressed
        ));
    }
    if snapshot.unobserved > 0 {
        warnings.push(format!(
            "{} observations were lost on their way to the detectors: too many at once",
            snapshot.unobserved
        ));
    }
    if census.evicted > 0 {
        warnings.push(format!(
            "what is usual of {} devices was dropped because they are too many (baseline.devices)",
            census.evicted
        ));
    }
    if let Some(why) = &analysis.failing {
        warnings.push(format!(
            "what was learned can't be written to the disk, so a restart would lose it: {why}"
        ));
    }
}

fn rules(snapshot: &Snapshot, warnings: &mut Vec<String>) {
    let summary = &snapshot.containment;
    let interfaces = snapshot.interfaces.iter().map(|one| &one.attached);
    if let Some(warning) = Roles::of(interfaces, None).warning(None)
        && summary.rules.iter().any(|(_, count)| *count > 0)
    {
        warnings.push(warning);
    }
    for (id, detail) in &summary.not_effective {
        warnings.push(format!("rule {id} does not contain its target: {detail}"));
    }
    let trail = &summary.trail_status;
    if let Some(why) = &trail.failing {
        warnings.push(format!(
            "the audit trail can't be written: {why}; {} entries wait, {} were dropped",
            trail.waiting, trail.dropped
        ));
    }
    let check = &trail.check;
    if let Some(flaw) = &check.flaw {
        warnings.push(format!(
            "an older segment of the audit trail is not what it was, and nothing of the trail is removed any more: {flaw}"
        ));
    }
    if let Some(why) = &check.export_failing {
        warnings.push(format!(
            "the oldest segment of the audit trail can't be exported (audit.export), so the trail grows beyond audit.max_size: {why}"
        ));
    }
    if check.lost > 0 {
        warnings.push(format!(
            "the audit trail has reached audit.max_size: its segments to number {} were removed, {} of them since the start and exported nowhere; set audit.export to keep them",
            check.removed_to, check.lost
        ));
    }
}

fn outputs(snapshot: &Snapshot, warnings: &mut Vec<String>) {
    for output in &snapshot.outputs {
        let (name, dropped) = (&output.name, output.dropped());
        if let Some(why) = &output.failing {
            warnings.push(format!(
                "events can't be written ({name}): {why}; {dropped} were dropped so far"
            ));
        } else if dropped > 0 {
            warnings.push(format!("{dropped} events were not written ({name})"));
        }
    }
}

fn store(status: &StoreStatus, warnings: &mut Vec<String>) {
    if let Some(aside) = &status.set_aside {
        warnings.push(format!(
            "the store was damaged and a new one begun: the old one is {aside}, for `sqlite3 FILE .recover`"
        ));
    }
    if let Some(why) = &status.failing {
        warnings.push(format!("the store can't be put in order: {why}"));
    }
    if status.too_large {
        warnings.push(
            "the store is larger than store.max_size though all that may be removed is: what is kept as evidence needs more"
                .to_owned(),
        );
    }
}
