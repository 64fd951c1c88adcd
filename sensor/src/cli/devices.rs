//! `wardtap devices`.

use std::{path::Path, process::ExitCode};

use clap::Subcommand;

use super::{
    Listed, print, print_json, shown_of,
    table::{bytes, list, local, or_dash, table},
};
use crate::{
    control::{
        api::{self, Devices},
        client,
    },
    inventory::HostReport,
};

const EXAMPLES: &str = "\
Examples:
  wardtap devices list
  wardtap devices list --json | jq -r '.items[] | select(.cleartext_hl7) | .address'";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum DevicesCommand {
    /// List the hosts that were seen, the latest first
    #[command(after_help = EXAMPLES)]
    List(Listed),
}

pub(super) fn run(socket: &Path, command: &DevicesCommand) -> anyhow::Result<ExitCode> {
    let DevicesCommand::List(listed) = command;
    let page: Devices = client::get(socket, &api::target(api::DEVICES, &listed.query(None)))?;
    if listed.shown.json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    let end = shown_of(page.items.len(), listed, page.total, "hosts");
    if page.items.is_empty() {
        print(&end)?;
    } else {
        print(&format!("{}\n{end}", hosts(&page.items)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A table of hosts.
pub(super) fn hosts(hosts: &[HostReport]) -> String {
    let mut rows = table(&[
        "address",
        "MAC",
        "AE titles",
        "HL7 applications",
        "offers",
        "in clear text",
        "out",
        "in",
        "last seen",
    ]);
    for host in hosts {
        let shared = if host.mac_shared { " (shared)" } else { "" };
        let clear = [("DICOM", host.cleartext_dicom), ("HL7", host.cleartext_hl7)];
        rows.add_row([
            host.address.to_string(),
            host.macs
                .first()
                .map_or_else(|| "-".to_owned(), |mac| format!("{mac}{shared}")),
            list(host.ae_titles.iter().map(|title| &title.title)),
            list(
                host.hl7_applications
                    .iter()
                    .map(|party| or_dash(party.application.as_ref())),
            ),
            list(host.services.iter().map(|service| {
                let name = service
                    .app_proto
                    .as_ref()
                    .map_or_else(String::new, |name| format!(" {name}"));
                format!("{}/{}{name}", service.port, service.proto)
            })),
            list(clear.iter().filter(|(_, is)| *is).map(|(name, _)| name)),
            bytes(host.bytes_out),
            bytes(host.bytes_in),
            local(host.last_seen),
        ]);
    }
    rows.to_string()
}
