//! `wardtap sessions`.

use std::{path::Path, process::ExitCode};

use clap::{Args, Subcommand, ValueEnum};

use super::{
    Listed,
    flows::{endpoint, word},
    print, print_json, shown_of,
    table::{bytes, list, local, or_dash, table},
};
use crate::control::{
    api::{self, Page},
    client,
};
use sensor_facts::event::{Association, Body, Event, Hl7Event, Hl7SessionSummary};

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
    #[arg(long, value_enum)]
    protocol: Option<ProtocolArg>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProtocolArg {
    Dicom,
    Hl7,
    Tls,
}

pub(super) fn run(socket: &Path, command: &SessionsCommand) -> anyhow::Result<ExitCode> {
    let SessionsCommand::List(args) = command;
    let protocol = args.protocol.map(|protocol| match protocol {
        ProtocolArg::Dicom => "dicom",
        ProtocolArg::Hl7 => "hl7",
        ProtocolArg::Tls => "tls",
    });
    let query = args.listed.query(protocol);
    let page: Page<Event> = client::get(socket, &api::target(api::SESSIONS, &query))?;
    if args.listed.shown.json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    let has = |test: fn(&Body) -> bool| page.items.iter().any(|event| test(&event.body));
    if has(|body| matches!(body, Body::Dicom { .. })) {
        let rows = associations(&page.items);
        print(&format!("DICOM associations\n{rows}\n\n"))?;
    }
    if has(|body| matches!(body, Body::Hl7 { .. })) {
        let rows = hl7_sessions(&page.items);
        print(&format!("HL7 sessions\n{rows}\n\n"))?;
    }
    if has(|body| matches!(body, Body::Tls { .. })) {
        let rows = tls_connections(&page.items);
        print(&format!("TLS connections\n{rows}\n\n"))?;
    }
    print(&shown_of(
        page.items.len(),
        &args.listed,
        page.total,
        "sessions",
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A table of association events; others are left out.
pub(super) fn associations(events: &[Event]) -> String {
    let mut rows = table(&[
        "start",
        "from",
        "to",
        "calling → called",
        "outcome",
        "commands",
        "data",
    ]);
    for event in events {
        let Body::Dicom { dicom } = &event.body else {
            continue;
        };
        let association = &dicom.association;
        rows.add_row([
            local(association.start),
            endpoint(event.src_ip, event.src_port),
            endpoint(event.dest_ip, event.dest_port),
            format!(
                "{} → {}",
                or_dash(association.calling_ae.as_ref()),
                or_dash(association.called_ae.as_ref())
            ),
            outcome(association),
            list(association.commands.iter().map(|command| {
                let class = command
                    .sop_class
                    .as_ref()
                    .and_then(|class| class.name.as_deref());
                let class = class.map_or_else(String::new, |class| format!(" ({class})"));
                format!("{}× {}{class}", command.counts.requests, command.command)
            })),
            bytes(association.requestor_data_bytes + association.acceptor_data_bytes),
        ]);
    }
    rows.to_string()
}

fn outcome(association: &Association) -> String {
    let outcome = word(&association.outcome);
    match &association.reject {
        Some(reject) => format!("{outcome}: {}", reject.reason_text),
        None => outcome,
    }
}

/// A table of HL7 session events; others are left out.
pub(super) fn hl7_sessions(events: &[Event]) -> String {
    let mut rows = table(&[
        "start",
        "from",
        "to",
        "sender → receiver",
        "messages",
        "acknowledged",
        "time to ack",
    ]);
    for event in events {
        let Body::Hl7 { hl7 } = &event.body else {
            continue;
        };
        let Hl7Event::Session(session) = hl7.as_ref() else {
            continue;
        };
        rows.add_row([
            local(session.start),
            endpoint(event.src_ip, event.src_port),
            endpoint(event.dest_ip, event.dest_port),
            format!(
                "{} → {}",
                parties(&session.senders),
                parties(&session.receivers)
            ),
            list(
                session
                    .types
                    .iter()
                    .map(|(kind, count)| format!("{count}× {kind}")),
            ),
            acknowledged(session),
            session.ack_times.as_ref().map_or_else(
                || "-".to_owned(),
                |times| format!("mean {} µs, most {} µs", times.mean_us, times.max_us),
            ),
        ]);
    }
    rows.to_string()
}

/// A table of TLS events; others are left out.
pub(super) fn tls_connections(events: &[Event]) -> String {
    let mut rows = table(&[
        "start",
        "from",
        "to",
        "server name",
        "version",
        "cipher suite",
        "likely",
    ]);
    for event in events {
        let Body::Tls { tls } = &event.body else {
            continue;
        };
        rows.add_row([
            local(tls.start),
            endpoint(event.src_ip, event.src_port),
            endpoint(event.dest_ip, event.dest_port),
            or_dash(tls.sni.as_ref()),
            or_dash(tls.version.as_ref().or(tls.client_version.as_ref())),
            or_dash(tls.cipher_suite.as_ref()),
            list(tls.likely.iter().map(word)),
        ]);
    }
    rows.to_string()
}

/// Applications with their facilities; of a hierarchic designator (HL7 v2.5.1 section 2.A.33) the name alone.
fn parties(parties: &[sensor_facts::event::Party]) -> String {
    let name = |part: &Option<String>| {
        let whole = part.as_deref().unwrap_or("-");
        whole.split('^').next().unwrap_or(whole).to_owned()
    };
    list(parties.iter().map(|party| {
        if party.facility.is_none() {
            name(&party.application)
        } else {
            format!("{}@{}", name(&party.application), name(&party.facility))
        }
    }))
}

fn acknowledged(session: &Hl7SessionSummary) -> String {
    let (total, negative) = (
        session.acknowledgements.total(),
        session.acknowledgements.negative(),
    );
    format!("{total}, {negative} negative")
}
