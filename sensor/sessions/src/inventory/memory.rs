//! What is kept of the inventory over a restart.

use std::net::IpAddr;

use sensor_facts::observation::Mac;
use serde::{Deserialize, Serialize};

use super::{host::Host, hosts::Inventory, stations::Station};

/// The version of the file; another is not read.
const VERSION: u32 = 1;

/// Hosts that answered or spoke a clinical protocol, and names by Ethernet address; the one seen longest ago
/// first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    version: u32,
    hosts: Vec<(IpAddr, Host)>,
    stations: Vec<(Mac, Station)>,
}

impl Memory {
    /// Hosts in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }
}

impl Inventory {
    /// What is to be kept.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let hosts = self.known.iter().rev();
        Memory {
            version: VERSION,
            hosts: hosts
                .map(|(address, host)| (*address, host.clone()))
                .collect(),
            stations: self.stations.all(),
        }
    }

    /// Takes what was kept.
    pub fn remember(&mut self, memory: Memory) {
        if memory.version != VERSION {
            return;
        }
        for (address, host) in memory.hosts {
            for mac in host.macs() {
                self.macs.add(*mac, address);
            }
            self.known.put(address, host);
        }
        for (mac, station) in memory.stations {
            self.stations.put(mac, station);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inventory::{activity::Activity, leases::Belief, role::Role},
        protocol::notice::dhcp::Dhcp,
    };
    use sensor_facts::{
        observation::DhcpFacts,
        time::{Time, Timebase},
    };

    #[test]
    fn names_and_roles_outlive_a_restart() {
        let mac = [0x00, 0x12, 0x21, 0, 0, 1];
        let address = IpAddr::from([10, 0, 0, 9]);
        let mut before = Inventory::new(16, 16);
        let host = before.host(address, true, Time(5_000));
        host.mac(mac);
        host.activities.add(
            Activity::StoresImages,
            [10, 0, 0, 1].into(),
            Some("CT"),
            Time(5_000),
        );
        before.stations.dhcp(
            &Dhcp {
                facts: DhcpFacts::plain(1, mac, 7),
                name: Some("ct-3".to_owned()),
                vendor_class: None,
            },
            &[],
            Belief::No,
            Time(6_000),
        );
        // What only sent is not kept.
        before.host([10, 0, 0, 66].into(), false, Time(5_000));
        let text = serde_json::to_vec(&before.memory()).unwrap();

        let mut after = Inventory::new(16, 16);
        after.remember(serde_json::from_slice(&text).unwrap());
        let reports = after.reports(std::iter::empty(), Timebase::default());
        assert_eq!(reports.len(), 1);
        assert_eq!(reports, {
            let all = before.reports(std::iter::empty(), Timebase::default());
            let known = all.into_iter().filter(|host| host.address == address);
            known.collect::<Vec<_>>()
        });
        assert_eq!(reports[0].role.role, Role::Modality);
        assert_eq!(reports[0].names[0].name, "ct-3");

        let mut other = Inventory::new(16, 16);
        let mut memory = before.memory();
        memory.version += 1;
        other.remember(memory);
        assert!(other.is_empty());
    }
}
