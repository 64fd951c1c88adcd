//! What was seen, and where electronic protected health information goes: who exchanges DICOM and HL7 with whom.

use std::{collections::BTreeMap, net::IpAddr};

use super::{ClinicalDevice, Exchange, Exchanges, Facts, Inventory};
use sensor_common::layer7::Protocol;
use sensor_sessions::inventory::{HostReport, Role};

/// Pairs that a report lists.
const PAIRS_MAX: usize = 5_000;

pub(super) fn inventory(facts: Facts<'_>) -> Inventory {
    let mut inventory = Inventory::default();
    let seen = facts.hosts.iter().filter(|host| {
        host.last_seen >= facts.since
            && host.first_seen < facts.until
            && !facts.site.is_outside(host.address)
    });
    for host in seen {
        inventory.devices += 1;
        inventory.new += u64::from(facts.has(host.first_seen));
        let role = host.role.role;
        *inventory.roles.entry(role.label().to_owned()).or_default() += 1;
        if is_clinical(host) {
            inventory.clinical.push(ClinicalDevice {
                address: host.address,
                host_name: host.names.first().map(|name| name.name.clone()),
                role,
                confidence: host.role.confidence,
                clear_dicom: host.cleartext_dicom,
                clear_hl7: host.cleartext_hl7,
                tls: host.tls,
            });
        }
    }
    inventory.clinical.sort_by_key(|device| device.address);
    inventory
}

fn is_clinical(host: &HostReport) -> bool {
    let clinical = matches!(
        host.role.role,
        Role::Modality
            | Role::Archive
            | Role::Worklist
            | Role::InterfaceEngine
            | Role::HealthRecord
            | Role::PumpGateway
            | Role::MonitorGateway
            | Role::InfusionPump
            | Role::PatientMonitor
    );
    clinical || host.cleartext_dicom || host.cleartext_hl7
}

/// Whom a pair is of: client, server, port, protocol, encrypted.
type Key = (IpAddr, IpAddr, Option<u16>, &'static str, bool);

pub(super) fn exchanges(facts: Facts<'_>) -> Exchanges {
    let mut pairs: BTreeMap<Key, Exchange> = BTreeMap::new();
    for contact in facts.contacts {
        let Some((app, encrypted)) = what(facts, contact.app.as_deref(), contact.port) else {
            continue;
        };
        let key = (contact.client, contact.server, contact.port, app, encrypted);
        let pair = pairs.entry(key).or_insert_with(|| exchange(key));
        let bytes = contact.bytes_to_client + contact.bytes_to_server;
        pair.flows = Some(pair.flows.unwrap_or(0) + contact.flows);
        pair.bytes = Some(pair.bytes.unwrap_or(0) + bytes);
        pair.last = pair.last.max(Some(contact.last));
    }
    // What the inventory remembers of hosts that were seen, and the store does not.
    for host in facts
        .hosts
        .iter()
        .filter(|host| host.last_seen >= facts.since)
    {
        for used in &host.uses {
            let port = Some(used.port);
            if let Some((app, encrypted)) = what(facts, used.app_proto.as_deref(), port) {
                let key = (host.address, used.address, port, app, encrypted);
                pairs.entry(key).or_insert_with(|| exchange(key));
            }
        }
    }
    let mut pairs: Vec<Exchange> = pairs.into_values().collect();
    pairs.sort_by(|a, b| {
        let by_bytes = b.bytes.cmp(&a.bytes);
        by_bytes.then((a.client, a.server, a.port).cmp(&(b.client, b.server, b.port)))
    });
    let encrypted = pairs.iter().filter(|pair| pair.encrypted).count() as u64;
    let all = pairs.len() as u64;
    pairs.truncate(PAIRS_MAX);
    Exchanges {
        clear: all - encrypted,
        encrypted,
        omitted: all - pairs.len() as u64,
        pairs,
    }
}

fn exchange((client, server, port, app, encrypted): Key) -> Exchange {
    Exchange {
        client,
        server,
        port,
        app: app.to_owned(),
        encrypted,
        flows: None,
        bytes: None,
        last: None,
    }
}

/// Which clinical protocol it is, and whether it is encrypted; of TLS only the port says what is likely inside.
fn what(facts: Facts<'_>, app: Option<&str>, port: Option<u16>) -> Option<(&'static str, bool)> {
    let protocol = Protocol::from_name(app?)?;
    let (inside, encrypted) = match protocol {
        Protocol::Tls => (facts.ports.likely(port?)?.protocol(), true),
        other => (other, false),
    };
    Some((inside.name().filter(|_| inside.is_clinical())?, encrypted))
}
