//! How findings get to the incidents.

use std::{net::IpAddr, slice};

use sensor_facts::{
    alert::Alert,
    finding::{Basis, Finding},
    observation::Mac,
    time::Time,
};

use super::{Analysis, Outcome};
use crate::{
    baseline::{Fact, Familiar},
    detect,
    incident::{Found, Incidents, Knows, Story},
};

impl Analysis {
    /// Groups the alert or hint that a finding is a part of.
    pub(super) fn group(&mut self, finding: &Finding, out: &mut Outcome) {
        if finding.basis == Basis::Exposure {
            return;
        }
        let Some(alert) = self.alerts.episode(finding.subject, finding.role) else {
            return;
        };
        let (site, now) = (&self.known, finding.time);
        let is_known = |device: IpAddr, fact: &Fact<'_>| {
            // What a newcomer does is not usual because it has done nothing else so far.
            site.baselines.familiar(device, fact, now) == Familiar::Known
                && !site.baselines.is_newcomer(device, now)
        };
        let knows = Knows {
            peer: &|device, peer| is_known(device, &Fact::Peer(peer)),
            title: &|device, title| is_known(device, &Fact::Title(title)),
            outside: &|host| detect::is_outside(host, &site.options.detect.inside),
            learns: site.baselines.site_learns(now),
        };
        let mac = finding.sender_mac.as_deref();
        let own = |mac: &&str| read(mac).is_some_and(|mac| !site.routers.is_router(mac));
        // An alert that joins brings all that it has.
        let is_new = self.incidents.of_alert(alert.id).is_none();
        let found = Found {
            alert,
            new: if is_new {
                &alert.findings
            } else {
                slice::from_ref(finding)
            },
            mac: mac.filter(own).map(str::to_owned),
        };
        self.incidents.take(&found, &knows);
        out.incidents.extend(self.incidents.take_told());
    }

    /// What is due by the clock.
    pub(super) fn tick_incidents(&mut self, now: Time, out: &mut Outcome) {
        let patience = self.known.options.alert.quiet.as_nanos();
        self.incidents
            .tick(now, i64::try_from(patience).unwrap_or(i64::MAX));
        out.incidents.extend(self.incidents.take_told());
    }

    /// The incidents.
    #[must_use]
    pub fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// The incidents, to change something. What is to be told of it is told with what is due by the clock.
    pub fn incidents_mut(&mut self) -> &mut Incidents {
        &mut self.incidents
    }

    /// The story of an incident.
    #[must_use]
    pub fn story(&self, id: u64) -> Option<Story> {
        let incident = self.incidents.get(id)?;
        let alerts = incident.alerts.iter();
        let alerts: Vec<Alert> = alerts
            .filter_map(|one| self.alerts.get(one.alert).cloned())
            .collect();
        Some(Story::of(incident, &alerts))
    }
}

/// An Ethernet address as text.
fn read(text: &str) -> Option<Mac> {
    let mut mac = Mac::default();
    let mut parts = text.split(':');
    for byte in &mut mac {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

#[cfg(test)]
mod tests;
