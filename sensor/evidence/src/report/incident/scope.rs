//! What belongs to the incident: which alerts are connected, with whom it began, and whom findings name.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use sensor_facts::{alert::Alert, time::Time};

use super::Facts;

/// Evidence gathers before a finding is made: what a device did in so long before it counts to the act, nanoseconds.
/// It is the length of the detectors' windows.
pub const LEAD: i64 = 300 * 1_000_000_000;

/// What belongs to the incident.
pub(super) struct Scope<'a> {
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
    /// The alert and those that are connected with it, by the time of their begin.
    pub(super) alerts: Vec<&'a Alert>,
}

impl<'a> Scope<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let mut alerts = vec![&facts.alert];
        let mut rest: Vec<&Alert> = facts.alerts.iter().collect();
        loop {
            let before = alerts.len();
            rest.retain(|one| {
                let connected = alerts
                    .iter()
                    .any(|part| are_connected(facts, part, one) || are_connected(facts, one, part));
                if connected {
                    alerts.push(one);
                }
                !connected
            });
            if alerts.len() == before {
                break;
            }
        }
        alerts.sort_by_key(|one| (one.opened, one.id));
        let begin = alerts.first().map_or(facts.alert.opened, |one| one.opened);
        let mut suspects = BTreeMap::new();
        for one in alerts.iter().filter(|one| !one.role.is_victim()) {
            suspects.entry(one.device).or_insert(one.opened);
        }
        let mut victims: BTreeSet<IpAddr> = alerts
            .iter()
            .flat_map(|one| &one.findings)
            .flat_map(|one| one.victims.iter().copied())
            .collect();
        let attacked = alerts.iter().filter(|one| one.role.is_victim());
        victims.extend(attacked.map(|one| one.device));
        Self {
            begin,
            since: Time(begin.0.saturating_sub(LEAD)),
            zero: alerts
                .iter()
                .find(|one| !one.role.is_victim())
                .map(|one| one.device),
            suspects,
            victims,
            alerts,
        }
    }

    /// True for the alert and those connected with it.
    pub(super) fn is_part(&self, alert: &Alert) -> bool {
        self.alerts.iter().any(|one| one.id == alert.id)
    }

    /// True if the device is suspected.
    pub(super) fn suspects(&self, device: IpAddr) -> bool {
        self.suspects.contains_key(&device)
    }
}

/// True if the second alert may follow from the first: same device, a finding of one names the other's device, or
/// the first device reached the second between both.
fn are_connected(facts: &Facts, first: &Alert, second: &Alert) -> bool {
    let names = |alert: &Alert, device| {
        let mut findings = alert.findings.iter();
        findings.any(|finding| finding.victims.contains(&device))
    };
    if first.device == second.device || names(first, second.device) {
        return true;
    }
    if first.role.is_victim() || second.role.is_victim() || first.opened > second.opened {
        return false;
    }
    let since = first.opened.0.saturating_sub(LEAD);
    facts.contacts.iter().any(|one| {
        one.client == first.device
            && one.server == second.device
            && one.flows > one.refused
            && one.last.0 >= since
            && one.first <= second.opened
    })
}
