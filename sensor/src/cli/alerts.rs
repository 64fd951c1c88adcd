//! `wardtap alerts`.

mod cases;
mod text;

use std::{path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use sensor_facts::alert::{Alert, Verdict};

use super::{
    Listed, Shown, Under, print, print_json, shown_of,
    table::{local, table},
    values,
};
use crate::control::{
    api::{self, ALERTS, NewLabel, Page},
    client,
};
pub(super) use text::{broken, text};

const EXAMPLES: &str = "\
Examples:
  wardtap alerts list
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
    List(Listed),
    /// Show an alert: evidence, what is usual, what to check, what was decided
    Show(ShowArgs),
    /// Say whether an alert was right: benign or malicious
    #[command(after_help = EXAMPLES)]
    Label(LabelArgs),
    /// List the labelled alerts that are kept with their evidence
    #[command(after_help = EXAMPLES)]
    Cases(cases::CasesArgs),
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
        AlertsCommand::List(listed) => list(socket, &listed)?,
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

fn list(socket: &Path, listed: &Listed) -> anyhow::Result<()> {
    let page: Page<Alert> = client::get(socket, &api::target(ALERTS, &listed.query(None)))?;
    if listed.shown.json {
        return print_json(&page);
    }
    let end = shown_of(page.items.len(), listed, page.total, "alerts");
    if page.items.is_empty() {
        return print(&end);
    }
    print(&format!("{}\n{end}", alerts(&page.items)))
}

/// A table of alerts.
pub(super) fn alerts(alerts: &[Alert]) -> String {
    let mut rows = table(&["id", "severity", "device", "what", "opened", "state"]);
    for alert in alerts {
        rows.add_row([
            alert.id.to_string(),
            alert.severity.to_string(),
            who(alert),
            alert.title.clone(),
            local(alert.opened),
            state(alert),
        ]);
    }
    rows.to_string()
}

/// The device of an alert; one that is attacked is marked, as it must not be taken for a suspect.
fn who(alert: &Alert) -> String {
    if alert.role.is_victim() {
        format!("{} (victim)", alert.device)
    } else {
        alert.device.to_string()
    }
}

pub(super) fn state(alert: &Alert) -> String {
    let open = if alert.closed.is_some() {
        "over"
    } else {
        "goes on"
    };
    match &alert.label {
        Some(label) => format!("{open}, {}", label.verdict.label()),
        None if alert.suppressed => format!("{open}, suppressed"),
        None => open.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sensor_facts::{finding::AttackRole, time::Time};

    use super::*;

    #[test]
    fn a_list_marks_who_is_attacked() {
        let alert = |role| Alert::new(1, [10, 0, 0, 9].into(), role, Time(0));
        let listed = alerts(&[alert(AttackRole::Victim), alert(AttackRole::Suspect)]);
        assert_eq!(listed.matches("10.0.0.9").count(), 2);
        assert_eq!(listed.matches("10.0.0.9 (victim)").count(), 1);
    }
}
