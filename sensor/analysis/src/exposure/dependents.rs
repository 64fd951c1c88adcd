//! Who depends on a device: those that use its clinical services.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use sensor_common::layer7::Protocol;
use sensor_facts::contact::Contact;
use sensor_sessions::inventory::HostReport;

/// Clients of clinical services, by server.
pub(super) struct Dependents(HashMap<IpAddr, HashSet<IpAddr>>);

impl Dependents {
    pub(super) fn of(hosts: &[HostReport], contacts: &[Contact]) -> Self {
        let clinical: HashSet<(IpAddr, u16)> = hosts
            .iter()
            .flat_map(|host| {
                let services = host.services.iter();
                services
                    .filter(|service| is_clinical(service.app_proto.as_deref()))
                    .map(|service| (host.address, service.port))
            })
            .collect();
        let mut found: HashMap<IpAddr, HashSet<IpAddr>> = HashMap::new();
        let mut add = |client: IpAddr, server: IpAddr, port: Option<u16>, app: Option<&str>| {
            let known = port.is_some_and(|port| clinical.contains(&(server, port)));
            if is_clinical(app) || known {
                found.entry(server).or_default().insert(client);
            }
        };
        for contact in contacts {
            if contact.flows > contact.refused {
                let app = contact.app.as_deref();
                add(contact.client, contact.server, contact.port, app);
            }
        }
        for host in hosts {
            for used in &host.uses {
                let app = used.app_proto.as_deref();
                add(host.address, used.address, Some(used.port), app);
            }
        }
        Self(found)
    }

    pub(super) fn count(&self, server: IpAddr) -> u64 {
        self.0.get(&server).map_or(0, |all| all.len() as u64)
    }
}

fn is_clinical(app: Option<&str>) -> bool {
    app.and_then(Protocol::from_name)
        .is_some_and(Protocol::is_clinical)
}
