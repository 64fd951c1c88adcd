//! `wardtap incidents`.

mod text;

use std::{fmt::Write as _, net::IpAddr, path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use sensor_analysis::incident::Story;
use sensor_facts::{
    alert::Verdict,
    incident::{Incident, number},
    setting::Span,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Listed, Shown, Under, print, print_json, values};
use crate::control::{
    api::{
        ContainedIncident, INCIDENTS, LabelledAlerts, NewContainment, NewIncidentLabel, NewNote,
        NewSplit, OtherIncident, Reason,
    },
    client,
};
pub(super) use text::text;

const EXAMPLES: &str = "\
Examples:
  wardtap incidents list
  wardtap incidents list --state open --severity high --since 24h
  wardtap incidents show I3
  wardtap incidents merge I3 I5 --reason 'the same laptop, by its second address'
  wardtap incidents split I3 --device 10.77.1.20 --reason 'the new CT of room 3, change 4711'
  wardtap incidents contain I3 --reason 'spreads by SMB' --ttl 4h
  wardtap incidents note I3 'ward 3 took the laptop away at 14:20'
  wardtap incidents label I3 malicious --reason 'a stolen laptop'
  wardtap incidents close I3 --reason 'devices were installed anew'
  wardtap report incident I3 --output incident-3.html

contain only proposes rules, for suspects and never for victims; `wardtap rules approve` gives one force.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum IncidentsCommand {
    /// List the incidents, the latest first
    #[command(after_help = EXAMPLES)]
    List(Box<Listed<Incident>>),
    /// Show an incident in order: who did what to whom, how far it got, what may come next
    Show(ShowArgs),
    /// Make two incidents one, which keeps the older number
    Merge(MergeArgs),
    /// Make the alerts of some devices an incident of their own; no rule joins the two again
    Split(SplitArgs),
    /// Close an incident
    Close(ReasonArgs),
    /// Add a note to an incident
    Note(NoteArgs),
    /// Say whether an incident was an attack; the label goes to all of its alerts
    Label(LabelArgs),
    /// Propose a block of the suspects of an incident; a victim is never blocked
    #[command(after_help = EXAMPLES)]
    Contain(ContainArgs),
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// Its number, such as I3
    #[arg(value_parser = number)]
    id: u64,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    under: Under,
}

#[derive(Args)]
pub(super) struct ReasonArgs {
    /// Its number, such as I3
    #[arg(value_parser = number)]
    id: u64,
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct MergeArgs {
    /// An incident, such as I3
    #[arg(value_parser = number)]
    id: u64,
    /// The other one
    #[arg(value_parser = number)]
    other: u64,
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct SplitArgs {
    /// Its number, such as I3
    #[arg(value_parser = number)]
    id: u64,
    /// The device whose alerts become an incident of their own; several with commas between
    #[arg(long, required = true, value_name = "ADDRESS", value_delimiter = ',')]
    device: Vec<IpAddr>,
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct NoteArgs {
    /// Its number, such as I3
    #[arg(value_parser = number)]
    id: u64,
    /// The note
    note: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct LabelArgs {
    /// Its number, such as I3
    #[arg(value_parser = number)]
    id: u64,
    /// What it was
    #[arg(value_parser = values::verdict())]
    verdict: Verdict,
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
pub(super) struct ContainArgs {
    /// Its number, such as I3
    #[arg(value_parser = number)]
    id: u64,
    /// How long the blocks last once they are approved, such as 10m, 4h or 2d
    #[arg(long, value_name = "TIME", default_value = "4h")]
    ttl: Span,
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(socket: &Path, command: IncidentsCommand) -> anyhow::Result<ExitCode> {
    match command {
        IncidentsCommand::List(listed) => listed.print(socket, INCIDENTS)?,
        IncidentsCommand::Show(ShowArgs { id, shown, under }) => {
            let target = under.target(&format!("{INCIDENTS}/{id}"));
            let story: Story = client::get(socket, &target)?;
            told(shown, &story, text)?;
        }
        IncidentsCommand::Merge(args) => {
            let (other, reason) = (args.other, args.reason);
            let body = OtherIncident { other, reason };
            let incident: Incident = post(socket, args.id, "merge", &body)?;
            told(args.shown, &incident, |one| {
                format!("I{} is a part of I{} now\n", args.id.max(other), one.id)
            })?;
        }
        IncidentsCommand::Split(args) => {
            let (devices, reason) = (args.device, args.reason);
            let body = NewSplit { devices, reason };
            let incident: Incident = post(socket, args.id, "split", &body)?;
            told(args.shown, &incident, |one| {
                format!(
                    "{} alerts of I{} are I{} now\n",
                    one.alerts.len(),
                    args.id,
                    one.id
                )
            })?;
        }
        IncidentsCommand::Close(args) => {
            let reason = args.reason;
            let incident: Incident = post(socket, args.id, "close", &Reason { reason })?;
            told(args.shown, &incident, |one| {
                format!("I{} is closed\n", one.id)
            })?;
        }
        IncidentsCommand::Note(args) => {
            let note = args.note;
            let incident: Incident = post(socket, args.id, "note", &NewNote { note })?;
            told(args.shown, &incident, |one| {
                format!("the note was added to I{}\n", one.id)
            })?;
        }
        IncidentsCommand::Label(args) => {
            let (verdict, reason) = (args.verdict, args.reason);
            let body = NewIncidentLabel { verdict, reason };
            let labelled: LabelledAlerts = post(socket, args.id, "label", &body)?;
            told(args.shown, &labelled, |it| labelled_text(it, verdict))?;
        }
        IncidentsCommand::Contain(args) => {
            let ttl = args.ttl.as_nanos() / 1_000_000_000;
            let reason = args.reason;
            let body = NewContainment { ttl, reason };
            let contained: ContainedIncident = post(socket, args.id, "contain", &body)?;
            told(args.shown, &contained, contained_text)?;
            if contained.proposed.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn post<B: Serialize, T: DeserializeOwned>(
    socket: &Path,
    id: u64,
    verb: &str,
    body: &B,
) -> anyhow::Result<T> {
    Ok(client::post(
        socket,
        &format!("{INCIDENTS}/{id}/{verb}"),
        body,
    )?)
}

/// Shows an answer, as JSON or as text.
fn told<T: Serialize>(
    shown: Shown,
    answer: &T,
    text: impl FnOnce(&T) -> String,
) -> anyhow::Result<()> {
    if shown.json {
        return print_json(answer);
    }
    print(&text(answer))
}

fn labelled_text(it: &LabelledAlerts, verdict: Verdict) -> String {
    let alerts: Vec<String> = it.alerts.iter().map(ToString::to_string).collect();
    let which = if alerts.is_empty() {
        "no alert was changed by that".to_owned()
    } else {
        format!("and so are its alerts {}", alerts.join(", "))
    };
    let mut text = format!(
        "I{} is labelled {}, {which}\n",
        it.incident.id,
        verdict.label()
    );
    // Writing to a string can't fail.
    for why in &it.refused {
        let _ = writeln!(text, "not labelled: {why}");
    }
    text
}

fn contained_text(it: &ContainedIncident) -> String {
    let mut text = String::new();
    for one in &it.proposed {
        let _ = writeln!(
            text,
            "{}: rule {} is proposed; `wardtap rules approve {} --reason ...` gives it force",
            one.device, one.rule, one.rule
        );
    }
    for one in &it.refused {
        let _ = writeln!(text, "{}: refused: {}", one.device, one.reason);
    }
    if let Some(warning) = &it.warning {
        let _ = writeln!(text, "note: {warning}");
    }
    text
}
