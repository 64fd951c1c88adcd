//! What belongs to the incident: its alerts, with whom it began, and whom findings name. Which alerts belong together is
//! decided while they are raised (`sensor_analysis::incident`), not here.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use sensor_facts::{alert::Alert, contact::Contact, time::Time};

use super::Facts;

/// Evidence gathers before a finding is made: what a device did in so long before it counts to the act, nanoseconds.
/// It is the length of the detectors' windows.
pub const LEAD: i64 = 300 * 1_000_000_000;

/// The store's contacts are by the hour, so what began within it before an incident may belong to it, nanoseconds.
const HOUR: i64 = 3_600 * 1_000_000_000;

/// What belongs to the incident.
pub(super) struct Scope<'a> {
    /// Number of the incident.
    pub(super) incident: Option<u64>,
    /// The first finding.
    pub(super) begin: Time,
    /// From here on what suspects do counts to it.
    pub(super) since: Time,
    /// The suspect that it began with.
    pub(super) zero: Option<IpAddr>,
    /// Suspected devices, and since when.
    pub(super) suspects: BTreeMap<IpAddr, Time>,
    /// Whom findings name as those that something was done to.
    pub(super) victims: BTreeSet<IpAddr>,
    /// The alerts of the incident, by the time of their begin.
    pub(super) alerts: Vec<&'a Alert>,
}

impl<'a> Scope<'a> {
    /// The alerts of the incident, as the daemon groups them; without an incident the alert alone.
    pub(super) fn of(facts: &'a Facts) -> Self {
        let incident = facts.incident.as_ref();
        let is_part = |one: &&Alert| incident.is_some_and(|it| it.has(one.id));
        let mut alerts: Vec<&Alert> = facts.alerts.iter().filter(is_part).collect();
        alerts.push(&facts.alert);
        alerts.sort_by_key(|one| (one.opened, one.id));
        let begin = alerts.first().map_or(facts.alert.opened, |one| one.opened);
        let mut suspects = BTreeMap::new();
        for one in alerts.iter().filter(|one| !one.role.is_victim()) {
            suspects.entry(one.device).or_insert(one.opened);
        }
        let mut victims: BTreeSet<IpAddr> = alerts
            .iter()
            .flat_map(|one| &one.findings)
            .flat_map(|one| one.targets().iter().copied())
            .collect();
        let attacked = alerts.iter().filter(|one| one.role.is_victim());
        victims.extend(attacked.map(|one| one.device));
        let alone = (!facts.alert.role.is_victim()).then_some(facts.alert.device);
        Self {
            incident: incident.map(|it| it.id),
            begin,
            since: Time(begin.0.saturating_sub(LEAD)),
            zero: incident.map_or(alone, |it| it.first_affected),
            suspects,
            victims,
            alerts,
        }
    }

    /// True for an alert of the incident.
    pub(super) fn is_part(&self, alert: &Alert) -> bool {
        self.alerts.iter().any(|one| one.id == alert.id)
    }

    /// From here on what a suspect does counts to the incident; `None` of others.
    pub(super) fn since(&self, suspect: IpAddr) -> Option<Time> {
        let opened = self.suspects.get(&suspect)?;
        Some(Time(opened.0.saturating_sub(LEAD)))
    }

    /// True if the device is suspected.
    pub(super) fn suspects(&self, device: IpAddr) -> bool {
        self.suspects.contains_key(&device)
    }
}

fn is_answered(contact: &Contact) -> bool {
    contact.flows > contact.refused
}

/// True if the two used the service well before that moment.
pub(super) fn is_usual(
    facts: &Facts,
    since: Time,
    client: IpAddr,
    server: IpAddr,
    port: Option<u16>,
) -> bool {
    facts.contacts.iter().any(|one| {
        one.client == client
            && one.server == server
            && one.port == port
            && is_answered(one)
            && one.first.0 < since.0.saturating_sub(HOUR)
    })
}
