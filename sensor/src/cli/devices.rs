//! `wardtap devices`.

use std::{net::IpAddr, path::Path, process::ExitCode};

use clap::{Args, Subcommand};

use super::{
    Listed, Shown, print, print_json, shown_of,
    table::{bytes, list, local, or_dash, table},
};
use crate::{
    baseline::Progress,
    control::{
        api::{self, BASELINES, Devices, Reason},
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
    /// What is usual of a device: how far it is learnt
    #[command(subcommand)]
    Baseline(BaselineCommand),
}

#[derive(Subcommand)]
pub(super) enum BaselineCommand {
    /// Say how far a device is learnt
    Show(BaselineArgs),
    /// Forget what is usual of a device: it is learnt anew
    Reset(ResetArgs),
}

#[derive(Args)]
pub(super) struct BaselineArgs {
    /// Its IP address
    address: IpAddr,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct ResetArgs {
    /// Its IP address
    address: IpAddr,
    /// Why: what the next shift reads
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

fn baseline(socket: &Path, command: &BaselineCommand) -> anyhow::Result<ExitCode> {
    match command {
        BaselineCommand::Show(BaselineArgs { address, shown }) => {
            let address = address.to_canonical();
            let progress: Progress = client::get(socket, &format!("{BASELINES}/{address}"))?;
            if shown.json {
                print_json(&progress)?;
            } else {
                let frozen = progress.frozen_until.map_or_else(String::new, |until| {
                    format!("; suspected, learning waits until {}", local(until))
                });
                print(&format!(
                    "{address}: seen since {}, {:.0} % of its learning time have passed, {} facts, {} active hours{frozen}\n",
                    local(progress.first_seen),
                    progress.learnt * 100.0,
                    progress.facts,
                    progress.hours,
                ))?;
            }
        }
        BaselineCommand::Reset(ResetArgs {
            address,
            reason,
            shown,
        }) => {
            let address = address.to_canonical();
            let reason = Reason {
                reason: reason.clone(),
            };
            let _: Option<Progress> =
                client::post(socket, &format!("{BASELINES}/{address}/reset"), &reason)?;
            if shown.json {
                print_json(&serde_json::json!({ "address": address }))?;
            } else {
                print(&format!(
                    "{address} is learnt anew from when it is seen next\n"
                ))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run(socket: &Path, command: &DevicesCommand) -> anyhow::Result<ExitCode> {
    let listed = match command {
        DevicesCommand::List(listed) => listed,
        DevicesCommand::Baseline(command) => return baseline(socket, command),
    };
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
