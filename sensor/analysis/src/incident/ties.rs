//! What an alert has in common with open incidents.

use std::net::IpAddr;

use sensor_facts::{
    alert::{Alert, Severity},
    finding::Finding,
    incident::{Incident, Link, Stage, Tie},
    time::Time,
};

use super::{
    book::{Found, Incidents, Knows},
    contacts::are_many,
    index::{Acts, Named},
};

/// Evidence gathers before a finding is made: what a device did in so long before its alert counts to the attack,
/// nanoseconds. It is the length of the detectors' windows.
pub(super) const LEAD: i64 = 300 * 1_000_000_000;

/// Something in common with an incident.
pub(super) struct Common {
    pub(super) incident: u64,
    pub(super) link: Link,
}

/// True for a finding by which it was only looked whether devices are there and what they offer.
pub(super) fn only_looks(finding: &Finding) -> bool {
    Stage::of(&finding.technique).is_some_and(Stage::only_looks)
}

/// True for a finding after which the devices that it names may be the attacker's: someone logged in there, tried to, or had
/// something run. Who is spoofed, flooded or robbed is not thereby taken over.
pub(super) fn gets_in(finding: &Finding) -> bool {
    let stage = Stage::of(&finding.technique);
    let enters = [
        Stage::InitialAccess,
        Stage::Execution,
        Stage::LateralMovement,
    ];
    stage.is_some_and(|it| enters.contains(&it)) || finding.technique.starts_with("T1110")
}

fn common(incident: u64, (from, to): (u64, u64), because: Tie) -> Common {
    Common {
        incident,
        link: Link { from, to, because },
    }
}

impl Incidents {
    /// All that an alert has in common with open incidents. A hint is an alert without a number.
    pub(super) fn ties(&self, found: &Found<'_>, knows: &Knows<'_>) -> Vec<Common> {
        let mut all = Vec::new();
        // What its device is known for decides once, when it joins: later attacks on that device are others.
        if self.of_alert(found.alert.id).is_none() {
            self.by_device(found.alert, &mut all);
            if !found.alert.role.is_victim() {
                self.by_contact(found.alert, &mut all);
                self.by_title(found.alert, knows, &mut all);
            }
        }
        self.by_mac(found, &mut all);
        for finding in found.new {
            self.by_victims(found.alert, finding, knows, &mut all);
        }
        all
    }

    fn of(&self, device: IpAddr) -> impl Iterator<Item = &Acts> {
        self.content
            .index
            .devices
            .get(&device)
            .into_iter()
            .flatten()
    }

    fn named(&self, device: IpAddr) -> impl Iterator<Item = &Named> {
        self.content.index.named.get(&device).into_iter().flatten()
    }

    fn near(&self) -> i64 {
        i64::try_from(self.options.near.as_nanos()).unwrap_or(i64::MAX)
    }

    fn suspects_of(&self, incident: u64) -> Vec<IpAddr> {
        self.get(incident)
            .map(Incident::suspects)
            .unwrap_or_default()
    }

    /// True if what began at one moment may follow from what was done at another: not before it but for the time in which
    /// evidence gathers, and not too long after it.
    fn may_follow(&self, done: Time, began: Time) -> bool {
        let follow = i64::try_from(self.options.follow.as_nanos()).unwrap_or(i64::MAX);
        let later = began.0.saturating_sub(done.0);
        (-LEAD..=follow).contains(&later)
    }

    /// Suspects of an incident, and a device.
    fn suspects(&self, incident: u64, device: IpAddr) -> Vec<IpAddr> {
        let mut all = self.suspects_of(incident);
        all.push(device);
        all
    }

    /// True for an alert about a host that everyone uses, which follows from another attack already.
    fn follows_another(&self, acts: &Acts, attacker: IpAddr, host: IpAddr) -> bool {
        let but = self.suspects(acts.incident, attacker);
        let is_step = |link: &Link| link.to == acts.alert && link.because.is_step();
        self.contacts
            .is_shared(host, self.options.shared_peers, &but)
            && self
                .get(acts.incident)
                .is_some_and(|it| it.links.iter().any(is_step))
    }

    /// The device is in an incident already, or an incident attacked it.
    fn by_device(&self, alert: &Alert, all: &mut Vec<Common>) {
        let (device, is_victim) = (alert.device, alert.role.is_victim());
        for acts in self.of(device).filter(|one| one.alert != alert.id) {
            if acts.role == alert.role {
                let tie = Tie::SameDevice { device };
                all.push(common(acts.incident, (acts.alert, alert.id), tie));
            } else if !is_victim && self.may_follow(acts.opened, alert.opened) {
                // It was attacked, nobody is known to have done it, and now it attacks.
                let tie = Tie::Attacked { device };
                all.push(common(acts.incident, (acts.alert, alert.id), tie));
            }
        }
        let near = self.near();
        let fits = |one: &&Named| {
            let distance = one.time.0.saturating_sub(alert.opened.0);
            let in_time = if is_victim {
                // A victim's alert is the other side of what a suspect does.
                distance.abs() <= near
            } else {
                one.entered && self.may_follow(one.time, alert.opened)
            };
            in_time && one.by != device
        };
        let mut named: Vec<&Named> = self.named(device).filter(fits).collect();
        let shared = self.options.shared_peers;
        let is_shared = |one: &Named| {
            let but = self.suspects(one.incident, device);
            self.contacts.is_shared(device, shared, &but)
        };
        // What everyone uses is attacked by several: it follows from the last of them.
        named.sort_by_key(|one| std::cmp::Reverse(one.time));
        if is_victim && !all.is_empty() {
            named.clear();
        }
        if is_victim || named.first().is_some_and(|one| is_shared(one)) {
            named.truncate(1);
        }
        for one in named {
            let tie = if is_victim {
                Tie::OtherSide { device }
            } else {
                Tie::Attacked { device }
            };
            all.push(common(one.incident, (one.alert, alert.id), tie));
        }
    }

    /// A suspect of an incident used a service of the device for the first time, and few others do.
    fn by_contact(&self, alert: &Alert, all: &mut Vec<Common>) {
        if alert.severity == Severity::Low {
            return;
        }
        let news = self.contacts.news(alert.device);
        for new in news.iter().filter(|one| one.first <= alert.opened) {
            let began = |one: &&Acts| {
                let since = Time(one.opened.0.saturating_sub(LEAD));
                !one.role.is_victim()
                    && one.severity > Severity::Low
                    && one.alert != alert.id
                    && one.opened <= alert.opened
                    && new.last >= since
                    && self.may_follow(new.last, alert.opened)
            };
            for acts in self.of(new.client).filter(began) {
                let but = self.suspects(acts.incident, alert.device);
                let shared = self.options.shared_peers;
                if !self.contacts.is_shared(alert.device, shared, &but) {
                    let tie = Tie::Reached {
                        device: alert.device,
                        service: new.service,
                    };
                    all.push(common(acts.incident, (acts.alert, alert.id), tie));
                }
            }
        }
    }

    /// A suspect of an incident calls itself as the device does.
    fn by_title(&self, alert: &Alert, knows: &Knows<'_>, all: &mut Vec<Common>) {
        for (title, users) in self.contacts.titles(alert.device) {
            if (knows.title)(alert.device, title) {
                continue;
            }
            for user in users.iter().filter(|one| **one != alert.device) {
                for acts in self.of(*user).filter(|one| !one.role.is_victim()) {
                    let but = self.suspects(acts.incident, alert.device);
                    if (knows.title)(*user, title)
                        || are_many(users, self.options.shared_peers, &but)
                    {
                        continue;
                    }
                    let tie = Tie::CommonTitle {
                        ae_title: title.to_owned(),
                    };
                    all.push(common(acts.incident, (acts.alert, alert.id), tie));
                }
            }
        }
    }

    /// The same Ethernet address sent what an incident is about.
    fn by_mac(&self, found: &Found<'_>, all: &mut Vec<Common>) {
        let Some(mac) = &found.mac else { return };
        if let Some((incident, alert)) = self.content.index.macs.get(mac)
            && *alert != found.alert.id
        {
            let tie = Tie::CommonMac { mac: mac.clone() };
            all.push(common(*incident, (*alert, found.alert.id), tie));
        }
    }

    /// The devices that a finding names are in incidents, or attacked by them.
    fn by_victims(
        &self,
        alert: &Alert,
        finding: &Finding,
        knows: &Knows<'_>,
        all: &mut Vec<Common>,
    ) {
        // A victim's finding does not say who did it.
        if alert.role.is_victim() {
            return;
        }
        let looks = only_looks(finding);
        let (near, now) = (self.near(), finding.time);
        for victim in &finding.victims {
            for acts in self.of(*victim).filter(|one| one.alert != alert.id) {
                let step = (alert.id, acts.alert);
                if acts.role.is_victim() {
                    let distance = acts.opened.0.saturating_sub(now.0);
                    // An alert of a victim whose attacker is known is not about the next one.
                    let has_suspect = !self.suspects_of(acts.incident).is_empty();
                    if !has_suspect && distance.abs() <= near {
                        let tie = Tie::OtherSide { device: *victim };
                        all.push(common(acts.incident, step, tie));
                    }
                } else if gets_in(finding)
                    && self.may_follow(now, acts.opened)
                    && !self.follows_another(acts, alert.device, *victim)
                {
                    let tie = Tie::Attacked { device: *victim };
                    all.push(common(acts.incident, step, tie));
                }
            }
            if looks || knows.learns || !(knows.outside)(*victim) {
                continue;
            }
            for named in self.named(*victim) {
                if named.looked || named.by == alert.device {
                    continue;
                }
                let but = self.suspects(named.incident, alert.device);
                let is_usual = |device| (knows.peer)(device, *victim);
                if !is_usual(alert.device)
                    && !is_usual(named.by)
                    && !self
                        .contacts
                        .is_shared(*victim, self.options.shared_peers, &but)
                {
                    let tie = Tie::CommonPeer { peer: *victim };
                    all.push(common(named.incident, (named.alert, alert.id), tie));
                }
            }
        }
    }
}
