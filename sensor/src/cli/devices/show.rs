//! All that is known of a device, for people.

use std::fmt::Write as _;

use sensor_facts::time::Time;
use sensor_sessions::inventory::{AeTitle, HostReport, NameSource, RoleReport, TABLE_DATE};

use crate::{
    cli::table::{bytes, local},
    control::api::DeviceReport,
    list::clear_text,
};

/// The text of a device, with a line at its end.
pub(super) fn device(report: &DeviceReport) -> String {
    let host = &report.host;
    let mut text = format!("{}\n", host.address);
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a string can't fail.
            let _ = writeln!(text, "  {name:<18} {value}");
        }
    };
    let lines = |items: Vec<String>| items.join(&format!("\n  {:<18} ", ""));
    row("role", &lines(role(&host.role)));
    row("names", &lines(names(host)));
    row("Ethernet address", &ethernet(host));
    row("vendor", &vendor(host));
    row(
        "vendor class",
        host.vendor_class.as_deref().unwrap_or_default(),
    );
    let before = host.addresses_before.iter();
    let before = before.map(|one| format!("{} until {}", one.address, local(one.until)));
    row("addresses before", &lines(before.collect()));
    let seen = format!("{} to {}", local(host.first_seen), local(host.last_seen));
    row("seen", &seen);
    let traffic = format!(
        "{} out, {} in; {} connections opened, {} accepted",
        bytes(host.bytes_out),
        bytes(host.bytes_in),
        host.flows_opened,
        host.flows_accepted
    );
    row("traffic", &traffic);
    row(
        "in clear text",
        &clear_text(host).collect::<Vec<_>>().join(", "),
    );
    row(
        "AE titles",
        &lines(host.ae_titles.iter().map(title).collect()),
    );
    let applications = host.hl7_applications.iter().map(|party| {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
        format!("{} at {}", part(&party.application), part(&party.facility))
    });
    row("HL7 applications", &lines(applications.collect()));
    let implementations = host.implementations.iter().map(|one| {
        let version = one.version_name.as_deref().unwrap_or_default();
        format!("{} {version}", one.class_uid).trim_end().to_owned()
    });
    row("DICOM software", &lines(implementations.collect()));
    let app = |name: Option<&str>| name.map_or_else(String::new, |name| format!(" {name}"));
    let offers = host.services.iter().map(|service| {
        let name = app(service.app_proto.as_deref());
        format!("{}/{}{name}", service.port, service.proto)
    });
    row("offers", &lines(offers.collect()));
    let uses = host.uses.iter().map(|one| {
        let name = app(one.app_proto.as_deref());
        format!("{} {}/{}{name}", one.address, one.port, one.proto)
    });
    row("uses", &lines(uses.collect()));
    row("baseline", &baseline(report));
    text
}

/// `name (in words)`, surest first.
fn role(role: &RoleReport) -> Vec<String> {
    let detail = role.detail.as_ref();
    let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
    let sure = role.since.map_or_else(String::new, |since: Time| {
        let percent = role.confidence * 100.0;
        format!(", {percent:.0} % sure, since {}", local(since))
    });
    let first = format!("{}{detail}{sure}", role.role.label());
    let reasons = role.reasons.iter().map(|reason| format!("- {reason}"));
    std::iter::once(first).chain(reasons).collect()
}

fn names(host: &HostReport) -> Vec<String> {
    let source = |source| match source {
        NameSource::Dhcp => "DHCP",
        NameSource::Mdns => "multicast DNS",
    };
    let names = host.names.iter();
    names
        .map(|name| format!("{} ({})", name.name, source(name.source)))
        .collect()
}

fn ethernet(host: &HostReport) -> String {
    let shared = if host.mac_shared {
        " (shared with other addresses: a router's)"
    } else {
        ""
    };
    if host.macs.is_empty() {
        return String::new();
    }
    format!("{}{shared}", host.macs.join(", "))
}

fn vendor(host: &HostReport) -> String {
    match &host.vendor {
        Some(vendor) => format!("{vendor} (register of {TABLE_DATE})"),
        None => String::new(),
    }
}

fn title(title: &AeTitle) -> String {
    let did = [
        ("asks", title.requestor),
        ("is asked", title.acceptor),
        ("SCU", title.scu),
        ("SCP", title.scp),
    ];
    let did = did.iter().filter(|(_, is)| *is).map(|(name, _)| *name);
    format!("{} ({})", title.title, did.collect::<Vec<_>>().join(", "))
}

fn baseline(report: &DeviceReport) -> String {
    let Some(progress) = &report.baseline else {
        return "nothing has been learned".to_owned();
    };
    let frozen = progress.frozen_until.map_or_else(String::new, |until| {
        format!("; suspected, so learning is on hold until {}", local(until))
    });
    format!(
        "{:.0} % of its learning period is over; known: {} facts, {} active hours{frozen}",
        progress.learnt * 100.0,
        progress.facts,
        progress.hours
    )
}
