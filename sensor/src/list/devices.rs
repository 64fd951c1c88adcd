//! The list of devices.

use sensor_facts::setting::Network;
use sensor_sessions::inventory::{HostReport, RANDOM};

use super::{Column, Filter, Item, Subject, Value, choice::is_outside};

impl Item for HostReport {
    const WHAT: &'static str = "hosts";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("address", 0, |it| Value::Address(it.address, None)),
        Column::text("name", 2, |it| {
            Value::text(it.names.first().map(|name| &name.name))
        }),
        Column::text("role", 0, |it| Value::Text(it.role.role.label().to_owned())),
        Column::text("vendor", 4, |it| {
            Value::text(it.vendor.as_deref().map(short))
        }),
        Column::new("MAC", 6, |it| {
            let shared = if it.mac_shared { " (shared)" } else { "" };
            Value::text(it.macs.first().map(|mac| format!("{mac}{shared}")))
        }),
        Column::text("speaks-as", 1, |it| {
            let titles = it.ae_titles.iter().map(|title| title.title.as_str());
            let applications = it.hl7_applications.iter();
            let applications =
                applications.map(|party| party.application.as_deref().unwrap_or("-"));
            Value::list(titles.chain(applications))
        }),
        Column::text("offers", 3, |it| {
            Value::list(it.services.iter().map(|service| {
                let name = service.app_proto.as_deref();
                let name = name.map_or_else(String::new, |name| format!(" {name}"));
                format!("{}/{}{name}", service.port, service.proto)
            }))
        }),
        Column::new("in-clear-text", 5, |it| Value::list(clear_text(it))),
        Column::new("first-seen", 7, |it| Value::Time(it.first_seen)),
        Column::new("last-seen", 0, |it| Value::Time(it.last_seen)),
    ];
    const FILTERS: &'static [Filter] = Filter::OF_HOSTS;

    fn subject(&self) -> Subject {
        let names = self.names.iter().map(|one| one.name.clone());
        let titles = self.ae_titles.iter().map(|one| one.title.clone());
        Subject {
            addresses: vec![self.address],
            names: names.chain(titles).collect(),
            time: Some((self.first_seen, self.last_seen)),
            ..Subject::default()
        }
    }
}

/// Clinical protocols that it spoke in clear text.
pub fn clear_text(host: &HostReport) -> impl Iterator<Item = &'static str> {
    let clear = [("DICOM", host.cleartext_dicom), ("HL7", host.cleartext_hl7)];
    clear
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| name)
}

/// A made-up address needs no sentence in a table.
fn short(vendor: &str) -> &str {
    if vendor == RANDOM { "random" } else { vendor }
}

/// Puts the hosts of the site before those of the Internet, each in their order.
pub fn internet_last(hosts: &mut [HostReport], inside: &[Network]) {
    hosts.sort_by_key(|host| is_outside(host.address, inside));
}
