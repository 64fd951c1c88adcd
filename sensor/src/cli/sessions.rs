//! `wardtap sessions`.

use std::{path::Path, process::ExitCode};

use clap::{Args, Subcommand, builder::PossibleValuesParser};

use super::{
    Listed,
    flows::endpoint,
    print, print_json, shown_of,
    table::{bytes, list, local, or_dash, table},
};
use crate::control::{
    api::{self, Page},
    client,
};
use sensor_common::layer7::Protocol;
use sensor_facts::event::{Cell, Event, Listing};

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
    List(ListArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    listed: Listed,
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
    let query = args.listed.query(args.protocol.as_deref());
    let page: Page<Event> = client::get(socket, &api::target(api::SESSIONS, &query))?;
    if args.listed.shown.json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    for protocol in Protocol::ALL {
        if let Some((title, rows)) = listed(&page.items, *protocol) {
            print(&format!("{title}\n{rows}\n\n"))?;
        }
    }
    print(&shown_of(
        page.items.len(),
        &args.listed,
        page.total,
        "sessions",
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The title and the table of a protocol's sessions among events; none without any.
pub(super) fn listed(events: &[Event], protocol: Protocol) -> Option<(&'static str, String)> {
    let sessions: Vec<(&Event, Listing)> = events
        .iter()
        .filter_map(|event| {
            let (of, session) = event.body.session()?;
            Some((event, session.listing().filter(|_| of == protocol)?))
        })
        .collect();
    let (_, first) = sessions.first()?;
    let mut headings = vec!["start", "from", "to"];
    headings.extend(first.cells.iter().map(|(heading, _)| *heading));
    let title = first.title;
    let mut rows = table(&headings);
    for (event, listing) in sessions {
        let connection = [
            local(listing.start),
            endpoint(event.src_ip, event.src_port),
            endpoint(event.dest_ip, event.dest_port),
        ];
        let cells = listing.cells.into_iter().map(|(_, cell)| text(cell));
        rows.add_row(connection.into_iter().chain(cells));
    }
    Some((title, rows.to_string()))
}

fn text(cell: Cell) -> String {
    match cell {
        Cell::Text(text) => or_dash(text.as_ref()),
        Cell::List(items) => list(items),
        Cell::Pair(one, other) => format!("{} → {}", list(one), list(other)),
        Cell::Bytes(count) => bytes(count),
    }
}
