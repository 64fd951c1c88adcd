//! `wardtap sessions`.

use std::{path::Path, process::ExitCode};

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use sensor_common::layer7::Protocol;

use super::{Listed, print, print_json};
use crate::{
    control::{
        api::{self, Page, Query},
        client,
    },
    list::{Item, SessionRow},
};

const EXAMPLES: &str = "\
Examples:
  wardtap sessions list
  wardtap sessions list --protocol dicom --limit 20
  wardtap sessions list --protocol hl7 --json";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum SessionsCommand {
    /// List DICOM associations, HL7 sessions and TLS connections, the latest first
    #[command(after_help = EXAMPLES)]
    List(SessionsArgs),
}

#[derive(Args)]
pub(super) struct SessionsArgs {
    #[command(flatten)]
    listed: Listed<SessionRow>,
    /// Only sessions of this protocol
    #[arg(long, value_parser = protocols())]
    protocol: Option<String>,
}

/// The names that `--protocol` takes.
fn protocols() -> PossibleValuesParser {
    PossibleValuesParser::new(Protocol::ALL.iter().filter_map(|protocol| protocol.name()))
}

pub(super) fn run(socket: &Path, command: &SessionsCommand) -> anyhow::Result<ExitCode> {
    let SessionsCommand::List(args) = command;
    let listed = &args.listed;
    let query = Query {
        protocol: args.protocol.clone(),
        ..listed.query()
    };
    let page: Page<SessionRow> = client::get(socket, &api::target(api::SESSIONS, &query))?;
    if listed.shown.json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    for protocol in Protocol::ALL {
        if let Some((title, rows)) = self::listed(&page.items, *protocol, &listed.columns) {
            print(&format!("{title}\n{rows}\n"))?;
        }
    }
    print(&listed.end(page.items.len(), page.total, SessionRow::WHAT))?;
    Ok(ExitCode::SUCCESS)
}

/// The title and the table of a protocol's sessions among rows; none without any.
pub(super) fn listed(
    rows: &[SessionRow],
    protocol: Protocol,
    columns: &[String],
) -> Option<(&'static str, String)> {
    let of = |row: &&SessionRow| row.0.body.session().is_some_and(|(of, _)| of == protocol);
    let rows: Vec<SessionRow> = rows.iter().filter(of).cloned().collect();
    let title = rows.iter().find_map(SessionRow::title)?;
    Some((title, super::rows::rows(&rows, columns)))
}
