//! What belongs to the incident: which alerts are connected, with whom it began, and whom findings name.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use sensor_facts::{
    alert::{Alert, Severity},
    contact::Contact,
    time::Time,
};

use super::Facts;

/// Evidence gathers before a finding is made: what a device did in so long before it counts to the act, nanoseconds.
/// It is the length of the detectors' windows.
pub const LEAD: i64 = 300 * 1_000_000_000;

/// The store's contacts are by the hour, so what began within it before an incident may belong to it, nanoseconds.
const HOUR: i64 = 3_600 * 1_000_000_000;
/// A service that more devices than this use connects nobody: all of them reach it.
const SHARED_MIN: usize = 4;

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
    /// The alert, those that it may follow from, and those that may follow from any of these. An alert that shares no more
    /// than a consequence with it, such as another attack on the same archive, is not part.
    pub(super) fn of(facts: &'a Facts) -> Self {
        let links = Links::of(facts);
        let mut alerts = vec![&facts.alert];
        let mut rest: Vec<&Alert> = facts.alerts.iter().collect();
        extend(&mut alerts, &mut rest, |part, one| {
            links.may_follow(one, part)
        });
        extend(&mut alerts, &mut rest, |part, one| {
            links.may_follow(part, one)
        });
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
            zero: first_affected(&alerts, facts.alert.device),
            suspects,
            victims,
            alerts,
        }
    }

    /// True for the alert and those connected with it.
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

/// Moves alerts that are linked to one of `alerts` there, until none is left.
fn extend<'a>(
    alerts: &mut Vec<&'a Alert>,
    rest: &mut Vec<&'a Alert>,
    linked: impl Fn(&Alert, &Alert) -> bool,
) {
    loop {
        let before = alerts.len();
        rest.retain(|one| {
            let part = alerts.iter().any(|part| linked(part, one));
            if part {
                alerts.push(one);
            }
            !part
        });
        if alerts.len() == before {
            return;
        }
    }
}

/// The suspect of the earliest alert, in order of time. An alert of low severity makes nobody else than its own device the
/// first: it is too weak to say where an attack began.
fn first_affected(alerts: &[&Alert], device: IpAddr) -> Option<IpAddr> {
    alerts
        .iter()
        .filter(|one| !one.role.is_victim())
        .find(|one| one.device == device || one.severity > Severity::Low)
        .map(|one| one.device)
}

/// How alerts follow from one another.
struct Links<'a> {
    facts: &'a Facts,
    /// How many devices used each service.
    clients: HashMap<Served<'a>, usize>,
}

/// A service of a device: address, protocol, port.
type Served<'a> = (IpAddr, &'a str, Option<u16>);

fn served(contact: &Contact) -> Served<'_> {
    (contact.server, &contact.proto, contact.port)
}

impl<'a> Links<'a> {
    fn of(facts: &'a Facts) -> Self {
        let mut users: HashMap<Served<'_>, BTreeSet<IpAddr>> = HashMap::new();
        for contact in facts.contacts.iter().filter(|one| is_answered(one)) {
            users
                .entry(served(contact))
                .or_default()
                .insert(contact.client);
        }
        let clients = users.into_iter().map(|(served, by)| (served, by.len()));
        Self {
            facts,
            clients: clients.collect(),
        }
    }

    /// True if the second alert may follow from the first: it is about the same device, a finding of the first names its device
    /// as one that something was done to, or the first device reached it in a way that is neither usual nor shared by many.
    fn may_follow(&self, first: &Alert, second: &Alert) -> bool {
        if first.device == second.device {
            return true;
        }
        let mut findings = first.findings.iter();
        if findings.any(|finding| finding.victims.contains(&second.device)) {
            return true;
        }
        let weak = |one: &Alert| one.role.is_victim() || one.severity == Severity::Low;
        if weak(first) || weak(second) || first.opened > second.opened {
            return false;
        }
        let since = Time(first.opened.0.saturating_sub(LEAD));
        self.facts.contacts.iter().any(|one| {
            one.client == first.device
                && one.server == second.device
                && is_answered(one)
                && one.last >= since
                && one.first <= second.opened
                && self
                    .clients
                    .get(&served(one))
                    .is_none_or(|by| *by <= SHARED_MIN)
                && !is_usual(self.facts, since, one.client, one.server, one.port)
        })
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
