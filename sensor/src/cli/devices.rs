//! `wardtap devices`.

mod show;

use std::{net::IpAddr, path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use sensor_analysis::baseline::Progress;
use sensor_facts::words::several;
use sensor_sessions::inventory::HostReport;

use super::{Listed, Shown, Under, print, print_json, table::local};
use crate::{
    control::{
        api::{
            self, AE_TITLES, BASELINES, DEVICES, DeviceReport, Devices, HL7_SENDERS, Page, Query,
            Reason,
        },
        client,
    },
    list::{AeTitleRow, Hl7SenderRow},
};

const EXAMPLES: &str = "\
Examples:
  wardtap devices list
  wardtap devices list --role modality --sort last-seen
  wardtap devices list --columns address,name,MAC,first-seen
  wardtap devices hl7-senders
  wardtap devices ae-titles --device 10.77.1.0/24
  wardtap devices show 10.77.1.10
  wardtap devices list --json | jq -r '.items[] | select(.cleartext_hl7) | .address'";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum DevicesCommand {
    /// List the hosts of the site that were seen, the latest first
    #[command(after_help = EXAMPLES)]
    List(Box<HostsArgs>),
    /// List the applications that send HL7 messages: as whom, from where, to whom, what
    #[command(name = "hl7-senders")]
    Hl7Senders(Box<Listed<Hl7SenderRow>>),
    /// List the AE titles: who calls and is called by them
    AeTitles(Box<Listed<AeTitleRow>>),
    /// Show all that is known of a device
    #[command(after_help = EXAMPLES)]
    Show(ShowArgs),
    /// What Wardtap has learned about a device
    #[command(subcommand)]
    Baseline(BaselineCommand),
}

#[derive(Args)]
pub(super) struct HostsArgs {
    #[command(flatten)]
    listed: Listed<HostReport>,
    /// Also hosts of the Internet, after those of the site
    #[arg(long, conflicts_with = "site_only")]
    internet: bool,
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
    /// Show how much of the learning period of a device is over
    Show(BaselineArgs),
    /// Discard what was learned about a device and begin again
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
                    format!("; suspected, so learning is on hold until {}", local(until))
                });
                print(&format!(
                    "{address}: seen since {}, {:.0} % of its learning period is over; known: {} facts, {} active hours{frozen}\n",
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
                    "discarded what was learned about {address}; learning begins again when it is next seen\n"
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
    match command {
        DevicesCommand::List(args) => list(socket, args)?,
        DevicesCommand::Hl7Senders(listed) => listed.print(socket, HL7_SENDERS)?,
        DevicesCommand::AeTitles(listed) => listed.print(socket, AE_TITLES)?,
        DevicesCommand::Show(args) => return show(socket, args),
        DevicesCommand::Baseline(command) => return baseline(socket, command),
    }
    Ok(ExitCode::SUCCESS)
}

/// A program gets all hosts, those of the site first; a person those of the site, and how many there are of the Internet.
fn list(socket: &Path, args: &HostsArgs) -> anyhow::Result<()> {
    let listed = &args.listed;
    if listed.shown.json || listed.filter.site_only || args.internet {
        return listed.print(socket, DEVICES);
    }
    let site = Query {
        site_only: true,
        ..listed.query()
    };
    let page: Devices = client::get(socket, &api::target(DEVICES, &site))?;
    let Devices {
        total,
        items,
        internet,
    } = page;
    print(&listed.table(&Page { total, items }))?;
    match internet.unwrap_or(0) {
        0 => Ok(()),
        internet => print(&format!(
            "{} of the Internet: --internet lists them too\n",
            several(internet as u64, "hosts")
        )),
    }
}
