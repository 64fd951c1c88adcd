//! One host, every list bounded.

use std::net::IpAddr;

use sensor_facts::{
    address::mac_text,
    event::Party,
    observation::{Mac, is_public},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{
    activity::Activities,
    macs::Macs,
    report::{
        AddressBefore, AeTitle, Caller, DicomImplementation, Hl7Sender, HostName, HostReport,
        NameSource, Service, ServiceUse,
    },
    rules::{Traits, role},
    senders,
    stations::Stations,
    vendor::vendor,
};

/// Ethernet addresses kept of a host.
const MACS_MAX: usize = 4;
/// Services kept of a host.
const SERVICES_MAX: usize = 128;
/// AE titles kept of a host.
const TITLES_MAX: usize = 32;
/// HL7 applications kept of a host.
const APPLICATIONS_MAX: usize = 32;
/// DICOM implementations kept of a host.
const IMPLEMENTATIONS_MAX: usize = 8;
/// Services of others that a host uses, kept of it.
const USES_MAX: usize = 64;
/// Names kept of a host.
const NAMES_MAX: usize = 4;
/// Those who asked for DICOM associations, kept of a host.
const CALLERS_MAX: usize = 64;
/// Versions of TLS kept of a host.
const TLS_VERSIONS_MAX: usize = 8;
/// Earlier addresses kept of a host.
const BEFORE_MAX: usize = 8;

/// What was seen of an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Host {
    first: Time,
    last: Time,
    macs: Vec<[u8; 6]>,
    bytes_in: u64,
    bytes_out: u64,
    opened: u64,
    accepted: u64,
    services: Vec<Service>,
    titles: Vec<AeTitle>,
    applications: Vec<Party>,
    implementations: Vec<DicomImplementation>,
    uses: Vec<ServiceUse>,
    names: Vec<String>,
    before: Vec<AddressBefore>,
    // Its name in the file of earlier versions.
    #[serde(rename = "deeds")]
    pub(crate) activities: Activities,
    pub(crate) cleartext_dicom: bool,
    pub(crate) cleartext_hl7: bool,
    pub(crate) tls: bool,
    #[serde(default)]
    tls_versions: Vec<String>,
    #[serde(default)]
    callers: Vec<Caller>,
    #[serde(default)]
    senders: Vec<Hl7Sender>,
}

impl Host {
    pub(crate) fn new(now: Time) -> Self {
        Self {
            first: now,
            last: now,
            macs: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
            opened: 0,
            accepted: 0,
            services: Vec::new(),
            titles: Vec::new(),
            applications: Vec::new(),
            implementations: Vec::new(),
            uses: Vec::new(),
            names: Vec::new(),
            before: Vec::new(),
            activities: Activities::default(),
            cleartext_dicom: false,
            cleartext_hl7: false,
            tls: false,
            tls_versions: Vec::new(),
            callers: Vec::new(),
            senders: Vec::new(),
        }
    }

    pub(crate) fn seen(&mut self, first: Time, last: Time) {
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }

    /// The latest stands first, the oldest makes room.
    pub(crate) fn mac(&mut self, mac: [u8; 6]) {
        if mac == [0; 6] || self.macs.first() == Some(&mac) {
            return;
        }
        self.macs.retain(|other| *other != mac);
        self.macs.insert(0, mac);
        self.macs.truncate(MACS_MAX);
    }

    pub(crate) fn add_flow(&mut self, bytes_out: u64, bytes_in: u64, opened: bool) {
        self.bytes_out = self.bytes_out.saturating_add(bytes_out);
        self.bytes_in = self.bytes_in.saturating_add(bytes_in);
        self.opened += u64::from(opened);
        self.accepted += u64::from(!opened);
    }

    /// How many details were left out: 0 or 1, here and below.
    pub(crate) fn service(&mut self, service: Service) -> u64 {
        let same = |s: &&mut Service| s.port == service.port && s.proto == service.proto;
        if let Some(known) = self.services.iter_mut().find(same) {
            if service.app_proto.is_some() {
                known.app_proto = service.app_proto;
            }
            return 0;
        }
        push(&mut self.services, service, SERVICES_MAX)
    }

    /// A service of another that it uses.
    pub(crate) fn uses(&mut self, service: ServiceUse) -> u64 {
        let same = |one: &&mut ServiceUse| {
            (one.address, one.port) == (service.address, service.port) && one.proto == service.proto
        };
        if let Some(known) = self.uses.iter_mut().find(same) {
            if service.app_proto.is_some() {
                known.app_proto = service.app_proto;
            }
            return 0;
        }
        push(&mut self.uses, service, USES_MAX)
    }

    /// A name that it gives itself by multicast DNS; the latest stands first, the oldest makes room.
    pub(crate) fn name(&mut self, name: &str) {
        if self.names.first().is_some_and(|first| first == name) {
            return;
        }
        self.names.retain(|other| other != name);
        self.names.insert(0, name.to_owned());
        self.names.truncate(NAMES_MAX);
    }

    /// It had another address until then.
    pub(crate) fn moved(&mut self, address: IpAddr, until: Time) {
        self.before.retain(|one| one.address != address);
        self.before.insert(0, AddressBefore { address, until });
        self.before.truncate(BEFORE_MAX);
    }

    /// Ethernet addresses, the latest first.
    pub(crate) fn macs(&self) -> &[[u8; 6]] {
        &self.macs
    }

    /// When it was last seen.
    pub(crate) const fn last(&self) -> Time {
        self.last
    }

    pub(crate) fn title(&mut self, title: AeTitle) -> u64 {
        if let Some(known) = self
            .titles
            .iter_mut()
            .find(|known| known.title == title.title)
        {
            known.requestor |= title.requestor;
            known.acceptor |= title.acceptor;
            known.scu |= title.scu;
            known.scp |= title.scp;
            known.first_seen = known.first_seen.min(title.first_seen).or(title.first_seen);
            known.last_seen = known.last_seen.max(title.last_seen);
            known.implementation = title.implementation.or(known.implementation.take());
            return 0;
        }
        push(&mut self.titles, title, TITLES_MAX)
    }

    pub(crate) fn implementation(&mut self, implementation: DicomImplementation) -> u64 {
        if self.implementations.contains(&implementation) {
            return 0;
        }
        push(
            &mut self.implementations,
            implementation,
            IMPLEMENTATIONS_MAX,
        )
    }

    /// Someone asked it for an association.
    pub(crate) fn caller(&mut self, caller: Caller) -> u64 {
        let same = |one: &&mut Caller| one.address == caller.address && one.title == caller.title;
        if let Some(known) = self.callers.iter_mut().find(same) {
            known.accepted |= caller.accepted;
            known.rejected |= caller.rejected;
            return 0;
        }
        let only_rejected = |one: &&mut Caller| !one.accepted;
        // Who guesses titles does not hide the one that was right.
        if self.callers.len() >= CALLERS_MAX
            && caller.accepted
            && let Some(other) = self.callers.iter_mut().find(only_rejected)
        {
            *other = caller;
            return 1;
        }
        push(&mut self.callers, caller, CALLERS_MAX)
    }

    /// A version of TLS that it chose as a server.
    pub(crate) fn tls_version(&mut self, version: &str) -> u64 {
        if self.tls_versions.iter().any(|known| known == version) {
            return 0;
        }
        push(&mut self.tls_versions, version.to_owned(), TLS_VERSIONS_MAX)
    }

    pub(crate) fn application(
        &mut self,
        application: Option<&String>,
        facility: Option<&String>,
    ) -> u64 {
        let same =
            |p: &Party| p.application.as_ref() == application && p.facility.as_ref() == facility;
        if (application.is_none() && facility.is_none()) || self.applications.iter().any(same) {
            return 0;
        }
        let party = Party {
            application: application.cloned(),
            facility: facility.cloned(),
        };
        push(&mut self.applications, party, APPLICATIONS_MAX)
    }

    /// It sent a message as `party` to `receiver`.
    pub(crate) fn sent(&mut self, party: &Party, kind: String, receiver: IpAddr, now: Time) -> u64 {
        senders::add(&mut self.senders, party, kind, receiver, now)
    }

    pub(crate) fn report(&self, address: IpAddr, macs: &Macs, stations: &Stations) -> HostReport {
        let mut services = self.services.clone();
        services.sort();
        // A router's address says nothing of who is behind it. An address of the Internet whose Ethernet address others have too
        // is behind a router, also before it is known as one.
        let shared = |mac: &Mac| {
            let another = |other: &IpAddr| *other != address && !is_link_local(*other);
            macs.is_shared(*mac) || (is_public(address) && macs.of(*mac).iter().any(another))
        };
        let mac_shared = self.macs.iter().any(shared);
        let own = self.macs.first().filter(|mac| !shared(mac));
        let vendor = own.and_then(|mac| vendor(*mac));
        // Who has several IPv4 addresses has the name at the one that it was given.
        let station = own
            .and_then(|mac| stations.get(*mac))
            .filter(|station| address.is_ipv6() || station.is_at(address));
        let given = station.and_then(|station| station.name.clone());
        let from = |source| move |name| HostName { name, source };
        let names = given.map(from(NameSource::Dhcp)).into_iter();
        let names = names
            .chain(self.names.iter().cloned().map(from(NameSource::Mdns)))
            .collect();
        let role = role(
            &self.activities,
            &Traits {
                services: &services,
                vendor,
                opened: self.opened,
                accepted: self.accepted,
                uses: self.uses.len(),
                first: self.first,
            },
        );
        HostReport {
            address,
            macs: self.macs.iter().filter_map(|mac| mac_text(*mac)).collect(),
            mac_shared,
            vendor: vendor.map(Into::into),
            vendor_class: station.and_then(|station| station.vendor_class.clone()),
            names,
            addresses_before: self.before.clone(),
            role,
            first_seen: self.first,
            last_seen: self.last,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            flows_opened: self.opened,
            flows_accepted: self.accepted,
            services,
            uses: self.uses.clone(),
            ae_titles: self.titles.clone(),
            hl7_applications: self.applications.clone(),
            hl7_senders: self.senders.clone(),
            implementations: self.implementations.clone(),
            cleartext_dicom: self.cleartext_dicom,
            cleartext_hl7: self.cleartext_hl7,
            tls: self.tls,
            tls_versions: self.tls_versions.clone(),
            callers: self.callers.clone(),
        }
    }
}

const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => it.is_link_local(),
        IpAddr::V6(it) => it.is_unicast_link_local(),
    }
}

fn push<T>(list: &mut Vec<T>, value: T, max: usize) -> u64 {
    if list.len() >= max {
        return 1;
    }
    list.push(value);
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_titles_does_not_hide_who_was_let_in() {
        let mut host = Host::new(Time(0));
        let caller = |title: usize, accepted| Caller {
            address: [10, 0, 0, 66].into(),
            title: title.to_string(),
            accepted,
            rejected: !accepted,
        };
        let omitted: u64 = (0..100)
            .map(|title| host.caller(caller(title, false)))
            .sum();
        assert_eq!((host.callers.len(), omitted), (CALLERS_MAX, 36));
        assert_eq!(host.caller(caller(200, true)), 1);
        assert_eq!(host.caller(caller(200, true)), 0, "it is known");
        assert_eq!(host.callers.iter().filter(|one| one.accepted).count(), 1);
        // A caller can be let in later.
        assert_eq!(host.caller(caller(5, true)), 0);
        let five = host.callers.iter().find(|one| one.title == "5");
        assert!(five.is_some_and(|one| one.accepted && one.rejected));
    }

    #[test]
    fn versions_of_tls_are_kept_once_and_bounded() {
        let mut host = Host::new(Time(0));
        let names: Vec<String> = (0..20).map(|version| format!("0x03{version:02}")).collect();
        let omitted: u64 = names
            .iter()
            .chain(&names)
            .map(|name| host.tls_version(name))
            .sum();
        assert_eq!((host.tls_versions.len(), omitted), (TLS_VERSIONS_MAX, 24));
    }
}
