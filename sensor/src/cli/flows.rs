//! `wardtap flows`.

use std::{path::Path, process::ExitCode};

use clap::Subcommand;
use sensor_common::flow::SNAPSHOT_FROM;

use super::{Listed, print, print_json};
use crate::{control::api, list::FlowRow};

const EXAMPLES: &str = "\
Examples:
  wardtap flows list --limit 20
  wardtap flows list --device 10.77.1.10 --sort bytes-out:desc
  wardtap flows list --json | jq -c '.items[] | select(.flow.app_proto == \"dicom\")'";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum FlowsCommand {
    /// List flows, the latest first: those that go on as last reported, and those that ended
    #[command(after_help = EXAMPLES)]
    List(Listed<FlowRow>),
}

pub(super) fn run(socket: &Path, command: &FlowsCommand) -> anyhow::Result<ExitCode> {
    let FlowsCommand::List(listed) = command;
    let page = listed.fetch(socket, api::FLOWS)?;
    if listed.shown.json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&listed.table(&page))?;
    if page.items.is_empty() {
        // Traffic and no flow would puzzle.
        print(&format!(
            "A flow is listed once it ended, reached {SNAPSHOT_FROM} packets or the active time-out.\n"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
