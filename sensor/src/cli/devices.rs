//! `wardtap devices`.

mod show;

use std::{net::IpAddr, path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use sensor_analysis::baseline::Progress;
use sensor_sessions::inventory::{HostReport, RANDOM};

use super::{
    Listed, Shown, Under, print, print_json, shown_of,
    table::{list, local, or_dash, table},
};
use crate::control::{
    api::{self, BASELINES, DeviceReport, Devices, Page, Reason},
    client,
};

const EXAMPLES: &str = "\
Examples:
  wardtap devices list
  wardtap devices show 10.77.1.10
  wardtap devices list --json | jq -r '.items[] | select(.cleartext_hl7) | .address'";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum DevicesCommand {
    /// List the hosts that were seen, the latest first
    #[command(after_help = EXAMPLES)]
    List(Listed),
    /// Show all that is known of a device
    #[command(after_help = EXAMPLES)]
    Show(ShowArgs),
    /// What is usual of a device: how far it is learnt
    #[command(subcommand)]
    Baseline(BaselineCommand),
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// Its IP or Ethernet address
    device: String,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    under: Under,
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

fn show(socket: &Path, args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let ShowArgs {
        device,
        shown,
        under,
    } = args;
    // It stands in a path: only what an address is made of may.
    let sound = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '-');
    if device.is_empty() || !device.chars().all(sound) {
        anyhow::bail!("{device:?} is neither an IP nor an Ethernet address");
    }
    let page: Page<DeviceReport> =
        client::get(socket, &under.target(&format!("{}/{device}", api::DEVICES)))?;
    if shown.json {
        print_json(&page)?;
    } else {
        let texts: Vec<_> = page.items.iter().map(show::device).collect();
        print(&texts.join(
            "
",
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run(socket: &Path, command: &DevicesCommand) -> anyhow::Result<ExitCode> {
    let listed = match command {
        DevicesCommand::List(listed) => listed,
        DevicesCommand::Show(args) => return show(socket, args),
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

/// Letters of a vendor, a name and a role in the table.
const WIDTHS: (usize, usize, usize) = (16, 16, 16);

/// A table of hosts; the rest is in `devices show`.
pub(super) fn hosts(hosts: &[HostReport]) -> String {
    let mut rows = table(&[
        "address",
        "name",
        "role",
        "vendor",
        "MAC",
        "speaks as",
        "offers",
        "in clear text",
        "last seen",
    ]);
    for host in hosts {
        let titles = host.ae_titles.iter().map(|title| title.title.clone());
        let applications = host.hl7_applications.iter();
        let applications = applications.map(|party| or_dash(party.application.as_ref()));
        rows.add_row([
            host.address.to_string(),
            cut(host.names.first().map(|name| name.name.as_str()), WIDTHS.1),
            cut(Some(host.role.role.label()), WIDTHS.2),
            cut(host.vendor.as_deref().map(short), WIDTHS.0),
            mac(host),
            list(titles.chain(applications)),
            list(host.services.iter().map(|service| {
                let name = service
                    .app_proto
                    .as_ref()
                    .map_or_else(String::new, |name| format!(" {name}"));
                format!("{}/{}{name}", service.port, service.proto)
            })),
            match show::clear_text(host) {
                none if none.is_empty() => "-".to_owned(),
                clear => clear,
            },
            local(host.last_seen),
        ]);
    }
    rows.to_string()
}

fn mac(host: &HostReport) -> String {
    let shared = if host.mac_shared { " (shared)" } else { "" };
    let first = host.macs.first();
    first.map_or_else(|| "-".to_owned(), |mac| format!("{mac}{shared}"))
}

/// A made-up address needs no sentence in a table.
fn short(vendor: &str) -> &str {
    if vendor == RANDOM { "random" } else { vendor }
}

/// A text of at most so many letters, or a dash.
fn cut(text: Option<&str>, width: usize) -> String {
    let text = text.unwrap_or("-");
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let cut: String = text.chars().take(width - 1).collect();
    format!("{}\u{2026}", cut.trim_end())
}
