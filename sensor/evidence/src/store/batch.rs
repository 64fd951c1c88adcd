//! Events that are committed together.

use std::sync::Arc;

use rusqlite::{Transaction, params, params_from_iter};
use sensor_common::layer7::Protocol;
use sensor_facts::{
    action::Action,
    alert::Alert,
    event::{AuditReport, Body, Event, StoredSession},
    finding::Finding,
    incident::Incident,
    rule::Rule,
    time::Time,
};
use sensor_sessions::inventory::HostReport;
use serde::Serialize;

use super::{
    contacts::Contacts,
    flow,
    time::{int, micros},
};

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Batch {
    events: Vec<Arc<Event>>,
    /// Of these, those that are in the contacts.
    counted: usize,
    contacts: Contacts,
}

impl Batch {
    /// Takes the marks of flows that an earlier daemon left; before anything is written.
    pub(super) fn recall(&mut self, connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        self.contacts.recall(connection)
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn push(&mut self, event: Arc<Event>) {
        self.events.push(event);
    }

    /// Writes all; how many bytes that were, about. Until [`Self::committed`] it can be done again.
    pub(super) fn write(&mut self, to: &Transaction<'_>) -> rusqlite::Result<u64> {
        for event in self.events.iter().skip(self.counted) {
            if let Body::Flow { flow } = &event.body {
                self.contacts.take(event, flow);
            }
        }
        self.counted = self.events.len();
        let mut bytes = 0;
        for event in &self.events {
            bytes += write_event(to, event)?;
        }
        self.contacts.write(to)?;
        Ok(bytes)
    }

    /// What was written is committed; how many events.
    pub(super) fn committed(&mut self) -> u64 {
        let count = self.events.len() as u64;
        self.events.clear();
        self.counted = 0;
        self.contacts.committed();
        count
    }
}

fn write_event(to: &Transaction<'_>, event: &Event) -> rusqlite::Result<u64> {
    let time = event.timestamp;
    match &event.body {
        Body::Flow { flow } => {
            let Some(row) = flow::row(event, flow) else {
                return Ok(0);
            };
            let bytes = row.iter().map(flow::bytes).sum();
            to.prepare_cached(&flow::INSERT)?
                .execute(params_from_iter(row))?;
            Ok(bytes)
        }
        Body::Finding { finding } => write_finding(to, finding),
        Body::Alert { alert } => write_alert(to, &alert.alert),
        Body::Incident { incident } => write_incident(to, &incident.incident),
        Body::Audit { audit } => write_audit(to, time, audit),
        Body::Stats { stats } => {
            let text = json(stats)?;
            to.prepare_cached("INSERT INTO statistics (time, counters) VALUES (?, ?)")?
                .execute(params![micros(time), text])?;
            Ok(text.len() as u64)
        }
        Body::Mirror { .. } => Ok(0),
        session => match session.session() {
            Some((protocol, session)) => write_session(to, event, protocol, &session.stored()),
            None => Ok(0),
        },
    }
}

fn json(what: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(what)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A word that an enumeration is in JSON.
fn word(what: impl Serialize) -> Option<String> {
    match serde_json::to_value(what) {
        Ok(serde_json::Value::String(word)) => Some(word),
        _ => None,
    }
}

fn write_session(
    to: &Transaction<'_>,
    event: &Event,
    protocol: Protocol,
    session: &StoredSession<'_>,
) -> rusqlite::Result<u64> {
    let text = json(event)?;
    to.prepare_cached(
        "INSERT INTO session (time, kind, type, flow_id, client, server, port, sender, receiver, outcome, event)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        micros(event.timestamp),
        protocol.name(),
        session.kind,
        event.flow_id.map(int),
        event.src_ip.map(|address| address.to_string()),
        event.dest_ip.map(|address| address.to_string()),
        event.dest_port,
        session.sender,
        session.receiver,
        session.outcome,
        text,
    ])?;
    Ok(text.len() as u64)
}

fn write_finding(to: &Transaction<'_>, finding: &Finding) -> rusqlite::Result<u64> {
    let text = json(finding)?;
    to.prepare_cached(
        "INSERT INTO finding (time, detector, technique, confidence, subject, evidence, finding)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        micros(finding.time),
        finding.detector,
        finding.technique,
        finding.confidence,
        finding.subject.to_string(),
        finding.evidence,
        text,
    ])?;
    Ok(text.len() as u64)
}

fn write_alert(to: &Transaction<'_>, alert: &Alert) -> rusqlite::Result<u64> {
    let text = json(alert)?;
    to.prepare_cached("INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            int(alert.id),
            alert.device.to_string(),
            alert.severity.label(),
            alert.confidence,
            alert.title,
            micros(alert.opened),
            micros(alert.updated),
            alert.closed.map(micros),
            alert.label.as_ref().map(|label| label.verdict.label()),
            alert.suppressed,
            text,
        ])?;
    Ok(text.len() as u64)
}

fn write_incident(to: &Transaction<'_>, incident: &Incident) -> rusqlite::Result<u64> {
    let text = json(incident)?;
    let id = int(incident.id);
    to.prepare_cached(
        "INSERT OR REPLACE INTO incident VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        id,
        incident.first_affected.map(|device| device.to_string()),
        incident.severity.label(),
        incident.confidence,
        incident.title,
        micros(incident.opened),
        micros(incident.updated),
        incident.end.as_ref().map(|end| micros(end.time)),
        incident.label.as_ref().map(|label| label.verdict.label()),
        int(incident.alerts.len() as u64),
        int(incident.suspects().len() as u64),
        incident.merged_into.map(int),
        text,
    ])?;
    Ok(text.len() as u64)
}

fn write_audit(to: &Transaction<'_>, time: Time, audit: &AuditReport) -> rusqlite::Result<u64> {
    let text = json(audit)?;
    to.prepare_cached(
        "INSERT INTO audit (time, actor, action, audit) VALUES (?1, ?2, ?3 ->> 'action', ?3)",
    )?
    .execute(params![micros(time), audit.actor.to_string(), text])?;
    let ended = "UPDATE rule SET ended = ?2, cause = ?3 WHERE id = ?1";
    match &audit.action {
        Action::RuleAdded { rule } => write_rule(to, rule)?,
        Action::RuleChanged(changed) => {
            let (id, state) = (int(changed.id), changed.state.label());
            to.prepare_cached("UPDATE rule SET state = ?2, expires = ?3 WHERE id = ?1")?
                .execute(params![id, state, micros(changed.expires)])?;
        }
        Action::RuleRemoved { id, cause, .. } => {
            to.prepare_cached(ended)?
                .execute(params![int(*id), micros(time), word(cause)])?;
        }
        Action::ReleasedAll { ids, .. } => {
            for id in ids {
                to.prepare_cached(ended)?
                    .execute(params![int(*id), micros(time), "released"])?;
            }
        }
        Action::Effect { id, verdict, .. } => {
            to.prepare_cached("UPDATE rule SET effect = ?2 WHERE id = ?1")?
                .execute(params![int(*id), verdict])?;
        }
        _ => {}
    }
    Ok(text.len() as u64)
}

fn write_rule(to: &Transaction<'_>, rule: &Rule) -> rusqlite::Result<()> {
    to.prepare_cached(
        "INSERT OR REPLACE INTO rule (id, kind, target, state, created, expires, actor, reason, rule)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        int(rule.id),
        rule.target.kind(),
        rule.target.to_string(),
        rule.state.label(),
        micros(rule.created),
        micros(rule.expires),
        rule.by.to_string(),
        rule.reason,
        json(rule)?,
    ])?;
    Ok(())
}

/// Writes hosts as they are now.
pub(super) fn write_devices(to: &Transaction<'_>, hosts: &[HostReport]) -> rusqlite::Result<()> {
    let mut upsert = to.prepare_cached(
        "INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for host in hosts {
        upsert.execute(params![
            host.address.to_string(),
            host.role.role.label(),
            host.vendor,
            host.macs.first(),
            host.names.first().map(|name| name.name.as_str()),
            micros(host.first_seen),
            micros(host.last_seen),
            int(host.bytes_in),
            int(host.bytes_out),
            host.cleartext_dicom,
            host.cleartext_hl7,
            host.tls,
            json(host)?,
        ])?;
    }
    Ok(())
}
