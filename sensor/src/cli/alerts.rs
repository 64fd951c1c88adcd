//! `wardtap alerts`.

mod cases;
mod text;

use std::{path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use sensor_facts::alert::{Alert, Verdict};

use super::{Listed, Shown, Under, print, print_json, values};
use crate::control::{
    api::{ALERTS, NewLabel},
    client,
};
pub(super) use text::{Page, broken, text};

const EXAMPLES: &str = "\
Examples:
  wardtap alerts list
  wardtap alerts list --severity high --since 24h --state open
  wardtap alerts list --device 10.77.1.0/24 --sort severity:desc
  wardtap alerts show 7
  wardtap alerts label 7 benign --reason 'the new CT of room 3, change 4711'
  wardtap alerts label 7 malicious --reason 'laptop of an unknown person, taken away'
  wardtap alerts cases --csv > cases.csv

benign mutes this kind of finding for this device for 30 days and resumes learning; malicious discards what was
learned about the device since the alert began. Either keeps the alert with its evidence as a case.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum AlertsCommand {
    /// List the alerts, the latest first
    #[command(after_help = EXAMPLES)]
    List(Box<Listed<Alert>>),
    /// Show an alert: evidence, what is usual, what to check, what was decided
    Show(ShowArgs),
    /// Say whether an alert was right: benign or malicious
    #[command(after_help = EXAMPLES)]
    Label(LabelArgs),
    /// List the labelled alerts that are kept with their evidence
    #[command(after_help = EXAMPLES)]
    Cases(Box<cases::CasesArgs>),
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// Its number
    id: u64,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    under: Under,
}

#[derive(Args)]
pub(super) struct LabelArgs {
    /// Its number
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

pub(super) fn run(socket: &Path, command: AlertsCommand) -> anyhow::Result<ExitCode> {
    match command {
        AlertsCommand::List(listed) => listed.print(socket, ALERTS)?,
        AlertsCommand::Show(ShowArgs { id, shown, under }) => {
            let alert: Alert = client::get(socket, &under.target(&format!("{ALERTS}/{id}")))?;
            if shown.json {
                print_json(&alert)?;
            } else {
                print(&text(&alert))?;
            }
        }
        AlertsCommand::Cases(args) => cases::run(socket, &args)?,
        AlertsCommand::Label(args) => {
            let label = NewLabel {
                verdict: args.verdict,
                reason: args.reason,
            };
            let path = format!("{ALERTS}/{}/label", args.id);
            let alert: Alert = client::post(socket, &path, &label)?;
            if args.shown.json {
                print_json(&alert)?;
            } else {
                let verdict = args.verdict.label();
                print(&format!("alert {} is labelled {verdict}\n", args.id))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
