//! `wardtap exposure`.

use std::{fmt::Write as _, net::IpAddr, path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use sensor_analysis::exposure::{Exposed, Exposure};

use super::{
    Shown, Under, print, print_json,
    table::{list, local, or_dash, table},
};
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
    List(ListArgs),
    /// Show what is weak about a device, by which evidence, and what to do
    #[command(after_help = EXAMPLES)]
    Show(ShowArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Rows of the table at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    under: Under,
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
        ExposureCommand::List(args) => {
            let exposure: Exposure = client::get(socket, &args.under.target(EXPOSURE))?;
            if args.shown.json {
                print_json(&exposure)?;
            } else {
                print(&ranking(&exposure, args.limit))?;
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

fn ranking(exposure: &Exposure, limit: usize) -> String {
    let mut rows = table(&[
        "score",
        "address",
        "name",
        "role",
        "depend on it",
        "weak by",
    ]);
    for one in exposure.ranked.iter().take(limit) {
        rows.add_row([
            one.score.to_string(),
            one.address.to_string(),
            or_dash(one.host_name.as_ref()),
            one.role.label().to_owned(),
            one.dependents.to_string(),
            list(one.weaknesses.iter().map(|weak| weak.kind.label())),
        ]);
    }
    let shown = exposure.ranked.len().min(limit);
    let end = format!(
        "{shown} of {} devices with a weakness, of {} of the site that were seen\n",
        exposure.ranked.len(),
        exposure.devices
    );
    if shown == 0 {
        end
    } else {
        format!("{rows}\n{end}")
    }
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
