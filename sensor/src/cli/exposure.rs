//! `wardtap exposure`.

use std::{fmt::Write as _, net::IpAddr, path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use sensor_analysis::exposure::{Exposed, Exposure};

use super::{Listed, Shown, Under, print, print_json, table::local};
use crate::control::{api::EXPOSURE, client};

const EXAMPLES: &str = "\
Examples:
  wardtap exposure list
  wardtap exposure show 10.77.1.10
  wardtap exposure list --json | jq -r '.ranked[] | select(.score > 100) | .address'

A score is a sum: the points of what is weak, times a factor for the device's role, times one for how many depend on
it. `exposure show` writes it out. What an advisory says is \"possible\" until a person confirms that it is about the
device: `wardtap advisories`.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ExposureCommand {
    /// List the devices with a weakness, the most exposed first
    #[command(after_help = EXAMPLES)]
    List(Box<Listed<Exposed>>),
    /// Show what is weak about a device, by which evidence, and what to do
    #[command(after_help = EXAMPLES)]
    Show(ShowArgs),
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// Its IP address
    address: IpAddr,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    under: Under,
}

pub(super) fn run(socket: &Path, command: &ExposureCommand) -> anyhow::Result<ExitCode> {
    match command {
        ExposureCommand::List(listed) => {
            let exposure: Exposure = client::get(socket, &listed.under.target(EXPOSURE))?;
            let chosen = listed.choose(socket, exposure.ranked)?;
            if listed.shown.json {
                print_json(&Exposure {
                    ranked: chosen.items,
                    ..exposure
                })?;
            } else {
                let seen = exposure.devices;
                print(&listed.table(&chosen))?;
                print(&format!("{seen} devices of the site were seen\n"))?;
            }
        }
        ExposureCommand::Show(args) => {
            let address = args.address.to_canonical();
            let one: Exposed =
                client::get(socket, &args.under.target(&format!("{EXPOSURE}/{address}")))?;
            if args.shown.json {
                print_json(&one)?;
            } else {
                print(&device(&one))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn device(one: &Exposed) -> String {
    let name = one.host_name.as_ref();
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    let detail = one.detail.as_ref();
    let detail = detail.map_or_else(String::new, |detail| format!(", {detail}"));
    let mut text = format!(
        "{}{name}: {}{detail}, last seen {}\nscore {}\n",
        one.address,
        one.role.label(),
        local(one.last_seen),
        one.sum
    );
    for weak in &one.weaknesses {
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "\n{} points: {}\n  seen:  {}\n  to do: {}\n",
            weak.points,
            weak.kind.label(),
            weak.evidence,
            weak.advice
        );
    }
    text
}
