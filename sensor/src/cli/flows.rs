//! `wardtap flows`.

use std::{path::Path, process::ExitCode};

use clap::Subcommand;

use super::{
    Listed, print, print_json,
    table::{bytes, list, local, table},
};
use crate::{
    control::{
        api::{self, Page},
        client,
    },
    event::{Body, Event},
};

#[derive(Subcommand)]
pub(super) enum FlowsCommand {
    /// List flows, the latest first: those that go on as last reported, and those that ended
    List(Listed),
}

pub(super) fn run(socket: &Path, command: &FlowsCommand) -> anyhow::Result<ExitCode> {
    let FlowsCommand::List(listed) = command;
    let page: Page<Event> = client::get(socket, &api::target(api::FLOWS, &listed.query(None)))?;
    if listed.shown.json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!(
        "{}\n{} of {} flows\n",
        flows(&page.items),
        page.items.len(),
        page.total
    ))?;
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
            (flow.to_server.packets + flow.to_client.packets).to_string(),
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
