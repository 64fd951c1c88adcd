//! `wardtap flows`.

use std::{path::Path, process::ExitCode};

use clap::Subcommand;
use sensor_common::flow::SNAPSHOT_FROM;
use sensor_facts::event::{Body, Event};

use super::{
    Listed, print, print_json, shown_of,
    table::{bytes, count, list, local, table},
};
use crate::control::{
    api::{self, Page},
    client,
};

const EXAMPLES: &str = "\
Examples:
  wardtap flows list --limit 20
  wardtap flows list --json | jq -c '.items[] | select(.flow.app_proto == \"dicom\")'";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum FlowsCommand {
    /// List flows, the latest first: those that go on as last reported, and those that ended
    #[command(after_help = EXAMPLES)]
    List(Listed),
}

pub(super) fn run(socket: &Path, command: &FlowsCommand) -> anyhow::Result<ExitCode> {
    let FlowsCommand::List(listed) = command;
    let page: Page<Event> = client::get(socket, &api::target(api::FLOWS, &listed.query(None)))?;
    if listed.shown.json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    let end = shown_of(page.items.len(), listed, page.total, "flows");
    if page.items.is_empty() {
        // Traffic and no flow would puzzle.
        print(&format!(
            "{end}A flow is listed once it ended, reached {SNAPSHOT_FROM} packets or the active time-out.\n"
        ))?;
    } else {
        print(&format!("{}\n{end}", flows(&page.items)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A table of flow events; others are left out.
pub(super) fn flows(events: &[Event]) -> String {
    let mut rows = table(&[
        "last seen",
        "from",
        "to",
        "protocol",
        "state",
        "packets",
        "bytes out",
        "bytes in",
    ]);
    for event in events {
        let Body::Flow { flow } = &event.body else {
            continue;
        };
        let proto = event.proto.as_deref().unwrap_or("-");
        rows.add_row([
            local(flow.end),
            endpoint(event.src_ip, event.src_port),
            endpoint(event.dest_ip, event.dest_port),
            list([proto].into_iter().chain(flow.app_proto.as_deref())),
            word(&flow.state),
            count(flow.to_server.packets + flow.to_client.packets),
            bytes(flow.to_server.bytes),
            bytes(flow.to_client.bytes),
        ]);
    }
    rows.to_string()
}

/// An address with its port.
pub(super) fn endpoint(address: Option<std::net::IpAddr>, port: Option<u16>) -> String {
    match (address, port) {
        (Some(address), Some(port)) => std::net::SocketAddr::new(address, port).to_string(),
        (Some(address), None) => address.to_string(),
        _ => "-".to_owned(),
    }
}

/// A value as its JSON text spells it.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => "-".to_owned(),
    }
}
